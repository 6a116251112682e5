"""The first kinds of the second opinion: mutex and percpu_rwsem, read from SEMANTICS A9."""

from __future__ import annotations

from tests.agreement.second_cells import DEEPEST, LockCells, Step, interruptible
from tests.agreement.second_numbers import BlockedError, WrongError

GUARDS = {
    "mutex": ("mutex_lock", "mutex_unlock"),
    "device": ("mutex_lock", "mutex_unlock"),
    "mutex_try": ("mutex_trylock", "mutex_unlock"),
    "mutex_intr": ("mutex_lock_interruptible", "mutex_unlock"),
    "mutex_kill": ("mutex_lock_killable", "mutex_unlock"),
    "percpu_read": ("percpu_down_read", "percpu_up_read"),
    "percpu_write": ("percpu_down_write", "percpu_up_write"),
}
FIELDS = {"mutex": ("owner",), "percpu_rwsem": ("block", "writing", "readers")}
PER_THREAD = frozenset(("readers",))


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


def mutex_lock_or_signal(least: int) -> Step:
    verb = interruptible(lambda cells: not cells.get("owner"), mutex_lock, least)

    def checked(cells: LockCells) -> int:
        if cells.get("owner") == cells.mine:
            raise WrongError
        return verb(cells)

    return checked


VERBS: dict[str, tuple[Step, ...]] = {
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
    "percpu_is_write_locked": (lambda cells: int(cells.get("block") != 0),),
    "percpu_is_read_locked": (lambda cells: int(not cells.get("block") and any(cells.readers)),),
}
