"""The locks of the second opinion: mutex and percpu_rwsem, read from SEMANTICS A9."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

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
GUARDS |= {
    "spinlock": ("spin_lock", "spin_unlock"),
    "spinlock_try": ("spin_trylock", "spin_unlock"),
    "spinlock_irq": ("spin_lock_irq", "spin_unlock_irq"),
    "spinlock_irqsave": ("spin_lock_irqsave", "spin_unlock_irqrestore"),
    "spinlock_bh": ("spin_lock_bh", "spin_unlock_bh"),
}
FIELDS = {"spinlock": ("owner",), "mutex": ("owner",), "percpu_rwsem": ("block", "writing", "readers")}


class BlockedError(Exception):
    """The statement cannot run now."""


class Memory(Protocol):
    """What a verb needs of a run."""

    me: int
    threads: int

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
        raise BlockedError
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
        raise BlockedError
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
        raise BlockedError
    cells.set("block", cells.mine)
    return 0


def get_it(cells: LockCells) -> int:
    if any(cells.readers):
        raise BlockedError
    cells.set("writing", 1)
    return 0


def up_write(cells: LockCells) -> int:
    if cells.get("block") != cells.mine or not cells.get("writing"):
        raise WrongError
    cells.set("writing", 0)
    cells.set("block", 0)
    return 0


def irqs(value: int | None, *, saving: bool = False) -> Callable[[LockCells], int]:
    """Return what switches interrupts off or on (None: to what was saved), and keeps what they were."""

    def switch(cells: LockCells) -> int:
        key = ("interrupts_off.off", cells.memory.me)
        old = as_int(cells.memory.read(key, True))
        if value is None:
            cells.memory.put(key, cells.get("saved", cells.memory.me))
            cells.set("saved", 0, cells.memory.me)
            return 0
        if saving:
            cells.set("saved", old, cells.memory.me)
        cells.memory.put(key, value)
        return old

    return switch


def bhs(change: int, *, strict: bool = True) -> Callable[[LockCells], int]:
    """Return what switches soft interrupts off or on once more."""

    def switch(cells: LockCells) -> int:
        key = ("softirqs_off.off", cells.memory.me)
        new = as_int(cells.memory.read(key, True)) + change
        if (new < 0 and strict) or new > DEEPEST:
            raise WrongError
        cells.memory.put(key, max(new, 0))
        return 0

    return switch


def both(*parts: Callable[[LockCells], int]) -> Callable[[LockCells], int]:
    """Return one step that does all of these."""
    return lambda cells: max([0, *(part(cells) * 0 for part in parts)])


VERBS: dict[str, tuple[Callable[[LockCells], int], ...]] = {
    "mutex_lock": (mutex_lock,),
    "mutex_lock_nested": (mutex_lock,),
    "mutex_lock_interruptible": (mutex_lock,),
    "mutex_lock_killable": (mutex_lock,),
    "mutex_trylock": (mutex_trylock,),
    "mutex_unlock": (mutex_unlock,),
    "mutex_is_locked": (lambda cells: int(cells.get("owner") != 0),),
    "percpu_down_read": (down_read,),
    "percpu_down_read_trylock": (down_read_trylock,),
    "percpu_up_read": (up_read,),
    "percpu_down_write": (announce, get_it),
    "percpu_up_write": (up_write,),
    "percpu_is_write_locked": (lambda cells: int(cells.get("block") != 0),),
    "percpu_is_read_locked": (lambda cells: int(not cells.get("block") and any(cells.readers)),),
}
"""Each verb's steps; the last one's value is the result."""
VERBS |= {
    "spin_lock": (mutex_lock,),
    "spin_trylock": (mutex_trylock,),
    "spin_unlock": (mutex_unlock,),
    "spin_is_locked": (lambda cells: int(cells.get("owner") != 0),),
    "spin_lock_irq": (irqs(1), mutex_lock),
    "spin_unlock_irq": (both(mutex_unlock, irqs(0)),),
    "spin_lock_irqsave": (irqs(1, saving=True), mutex_lock),
    "spin_unlock_irqrestore": (both(mutex_unlock, irqs(None)),),
    "spin_lock_bh": (bhs(1), mutex_lock),
    "spin_unlock_bh": (both(mutex_unlock, bhs(-1, strict=False)),),
    "local_irq_disable": (irqs(1),),
    "local_irq_enable": (irqs(0),),
    "local_irq_save": (irqs(1),),
    "local_bh_disable": (bhs(1),),
    "local_bh_enable": (bhs(-1),),
}
NO_LOCK = LockStorage("none", "none", ())
"""What the verbs work on that take no lock."""


def succeeded(verb: str, result: int) -> bool:
    """Tell whether a guard's verb got the lock: 1 of a try, 0 of a form that can be interrupted."""
    return bool(result) if verb.endswith("trylock") else True
