"""The locks of the second opinion: mutex and percpu_rwsem, read from SEMANTICS A9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tests.agreement import second_waits
from tests.agreement.second_values import Key, LockStorage, Value, WrongError, as_int

DEEPEST = 7
GUARDS = {
    "mutex": ("mutex_lock", "mutex_unlock"),
    "device": ("mutex_lock", "mutex_unlock"),
    "mutex_try": ("mutex_trylock", "mutex_unlock"),
    "mutex_intr": ("mutex_lock_interruptible", "mutex_unlock"),
    "mutex_kill": ("mutex_lock_killable", "mutex_unlock"),
    "percpu_read": ("percpu_down_read", "percpu_up_read"),
    "percpu_write": ("percpu_down_write", "percpu_up_write"),
}
FIELDS = {"mutex": ("owner",), "percpu_rwsem": ("block", "writing", "readers"), **second_waits.FIELDS}
PER_THREAD = ("readers", "waiting")


class Memory(Protocol):
    """What a verb needs of a run."""

    me: int
    threads: int
    cells: dict[Key, Value]

    def pick(self, options: list[int]) -> int: ...
    def read(self, key: Key, shared: bool) -> Value: ...
    def put(self, key: Key, value: Value) -> None: ...


class LockCells:
    """The cells of one lock instance, as the running thread sees them."""

    def __init__(self, memory: Memory, lock: LockStorage) -> None:
        self.memory = memory
        self.lock = lock
        self.mine = memory.me + 1

    def key(self, part: str, *more: int) -> Key:
        return (f"{self.lock.name}.{part}", *(self.lock.index or ()), *more)

    def get(self, part: str, *more: int) -> int:
        return as_int(self.memory.read(self.key(part, *more), True))

    def set(self, part: str, value: int, *more: int) -> None:
        self.memory.put(self.key(part, *more), value)

    @property
    def readers(self) -> list[int]:
        return [self.get("readers", t) for t in range(self.memory.threads)]


def mutex_lock(cells: LockCells) -> int:
    if cells.get("owner") == cells.mine:
        raise WrongError
    if cells.get("owner"):
        raise second_waits.BlockedError
    cells.set("owner", cells.mine)
    return 0


def mutex_trylock(cells: LockCells) -> int:
    if cells.get("owner"):
        return 0
    cells.set("owner", cells.mine)
    return 1


def mutex_unlock(cells: LockCells) -> int:
    if cells.get("owner") != cells.mine:
        raise WrongError
    cells.set("owner", 0)
    return 0


def down_read(cells: LockCells) -> int:
    if cells.get("block"):
        raise second_waits.BlockedError
    return read_once_more(cells)


def read_once_more(cells: LockCells) -> int:
    count = cells.get("readers", cells.memory.me)
    if count == DEEPEST:
        raise WrongError
    cells.set("readers", count + 1, cells.memory.me)
    return 1


def down_read_trylock(cells: LockCells) -> int:
    return 0 if cells.get("block") else read_once_more(cells)


def up_read(cells: LockCells) -> int:
    count = cells.get("readers", cells.memory.me)
    if not count:
        raise WrongError
    cells.set("readers", count - 1, cells.memory.me)
    return 0


def announce(cells: LockCells) -> int:
    if cells.get("block"):
        raise second_waits.BlockedError
    cells.set("block", cells.mine)
    return 0


def get_it(cells: LockCells) -> int:
    if any(cells.readers):
        raise second_waits.BlockedError
    cells.set("writing", 1)
    return 0


def up_write(cells: LockCells) -> int:
    if cells.get("block") != cells.mine or not cells.get("writing"):
        raise WrongError
    cells.set("writing", 0)
    cells.set("block", 0)
    return 0


def mutex_lock_or_signal(least: int) -> Callable[[LockCells], int]:
    def free(cells: LockCells) -> bool:
        return not cells.get("owner")

    verb = second_waits.interruptible(free, mutex_lock, least, "EINTR")

    def checked(cells: LockCells) -> int:
        if cells.get("owner") == cells.mine:
            raise WrongError
        return verb(cells)

    return checked


def waiting(verb: Callable[[second_waits.Cells], int]) -> Callable[[LockCells], int]:
    def checked(cells: LockCells) -> int:
        try:
            return verb(cells)
        except second_waits.WrongUseError:
            raise WrongError from None

    return checked


VERBS: dict[str, tuple[Callable[[LockCells], int], ...]] = {
    "mutex_lock": (mutex_lock,),
    "mutex_lock_nested": (mutex_lock,),
    "mutex_lock_interruptible": (mutex_lock_or_signal(1),),
    "mutex_lock_killable": (mutex_lock_or_signal(2),),
    "mutex_trylock": (mutex_trylock,),
    "mutex_unlock": (mutex_unlock,),
    "mutex_is_locked": (lambda cells: int(cells.get("owner") != 0),),
    "percpu_down_read": (down_read,),
    "percpu_down_read_trylock": (down_read_trylock,),
    "percpu_up_read": (up_read,),
    "percpu_down_write": (announce, get_it),
    "percpu_up_write": (up_write,),
    **{name: (waiting(verb),) for name, verb in second_waits.VERBS.items()},
    "percpu_is_write_locked": (lambda cells: int(cells.get("block") != 0),),
    "percpu_is_read_locked": (lambda cells: int(not cells.get("block") and any(cells.readers)),),
}
"""Each verb's steps; the last one's value is the result."""


def succeeded(verb: str, result: int) -> bool:
    """Tell whether a guard's verb got the lock: 1 of a try, 0 of a form that can be interrupted."""
    return bool(result) if verb.endswith("trylock") else not result or "_lock" not in verb
