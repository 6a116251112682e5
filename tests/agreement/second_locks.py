"""The locks of the second opinion, read from SEMANTICS A9 and H1."""

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
    "rwsem_read": ("down_read", "up_read"),
    "rwsem_read_try": ("down_read_trylock", "up_read"),
    "rwsem_read_intr": ("down_read_interruptible", "up_read"),
    "rwsem_write": ("down_write", "up_write"),
    "rwsem_write_try": ("down_write_trylock", "up_write"),
    "rwsem_write_kill": ("down_write_killable", "up_write"),
    "read_lock": ("read_lock", "read_unlock"),
    "write_lock": ("write_lock", "write_unlock"),
}
FIELDS = {
    "mutex": ("owner",),
    "percpu_rwsem": ("block", "writing", "readers"),
    "rwsem": ("writer", "readers", "announced"),
    "rwlock": ("writer", "readers", "announced"),
    "seqlock": ("writer", "looking", "inside", "dirty"),
}
OF_EACH_THREAD = ("readers", "inside", "dirty")


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


# --- rwsem and rwlock ----------------------------------------------------------------------------


def join_readers(cells: LockCells) -> int:
    if cells.get("writer") or cells.get("announced"):
        raise BlockedError
    return read_once_more(cells) - 1


def try_to_join_readers(cells: LockCells) -> int:
    count = cells.get("readers", cells.memory.me)
    if count == DEEPEST:
        raise WrongError
    return 0 if cells.get("writer") or cells.get("announced") else read_once_more(cells)


def announce_writer(cells: LockCells) -> int:
    cells.set("announced", cells.get("announced") | 1 << cells.memory.me)
    return 0


def become_writer(cells: LockCells) -> int:
    if cells.get("writer") or any(cells.readers):
        raise BlockedError
    cells.set("writer", cells.mine)
    cells.set("announced", cells.get("announced") & ~(1 << cells.memory.me))
    return 0


def try_to_write(cells: LockCells) -> int:
    if cells.get("writer") or cells.get("announced") or any(cells.readers):
        return 0
    cells.set("writer", cells.mine)
    return 1


def stop_writing(cells: LockCells) -> int:
    if cells.get("writer") != cells.mine:
        raise WrongError
    cells.set("writer", 0)
    return 0


def downgrade(cells: LockCells) -> int:
    stop_writing(cells)
    cells.set("readers", 1, cells.memory.me)
    return 0


# --- seqlock -------------------------------------------------------------------------------------


def begin_to_look(cells: LockCells) -> int:
    if cells.get("writer") and not cells.get("looking"):
        raise BlockedError
    cells.set("inside", 1, cells.memory.me)
    cells.set("dirty", 0, cells.memory.me)
    return 0


def look_again(cells: LockCells) -> int:
    if not cells.get("inside", cells.memory.me):
        raise WrongError
    dirty = cells.get("dirty", cells.memory.me)
    cells.set("inside", 0, cells.memory.me)
    cells.set("dirty", 0, cells.memory.me)
    return dirty


def lock_sequence(cells: LockCells) -> int:
    if cells.get("writer") == cells.mine:
        raise WrongError
    if cells.get("writer"):
        raise BlockedError
    cells.set("writer", cells.mine)
    return 0


def write_sequence(cells: LockCells) -> int:
    lock_sequence(cells)
    for thread in range(cells.memory.threads):
        if cells.get("inside", thread):
            cells.set("dirty", 1, thread)
    return 0


def exclude_writers(cells: LockCells) -> int:
    lock_sequence(cells)
    cells.set("looking", 1)
    return 0


def end_sequence(cells: LockCells) -> int:
    return stop_writing(cells) if not cells.get("looking") else wrong()


def end_excluding(cells: LockCells) -> int:
    if not cells.get("looking"):
        raise WrongError
    stop_writing(cells)
    cells.set("looking", 0)
    return 0


def wrong() -> int:
    raise WrongError


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
    **dict.fromkeys(
        ("down_read", "down_read_nested", "down_read_killable", "down_read_interruptible", "read_lock"),
        (join_readers,),
    ),
    **dict.fromkeys(
        ("down_write", "down_write_nested", "down_write_killable", "write_lock"),
        (announce_writer, become_writer),
    ),
    **dict.fromkeys(("down_read_trylock", "read_trylock"), (try_to_join_readers,)),
    **dict.fromkeys(("down_write_trylock", "write_trylock"), (try_to_write,)),
    **dict.fromkeys(("up_read", "read_unlock"), (up_read,)),
    **dict.fromkeys(("up_write", "write_unlock"), (stop_writing,)),
    "downgrade_write": (downgrade,),
    "read_seqbegin": (begin_to_look,),
    "read_seqretry": (look_again,),
    "write_seqlock": (write_sequence,),
    "write_sequnlock": (end_sequence,),
    "read_seqlock_excl": (exclude_writers,),
    "read_sequnlock_excl": (end_excluding,),
}
"""Each verb's steps; the last one's value is the result."""


def succeeded(verb: str, result: int) -> bool:
    """Tell whether a guard's verb got the lock: 1 of a try, 0 of a form that can be interrupted."""
    return bool(result) if verb.endswith("trylock") else True
