"""The reader-writer kinds of the second opinion: rwsem, rwlock, seqlock, read from SEMANTICS A9 and H1."""

from __future__ import annotations

from tests.agreement.second_cells import DEEPEST, LockCells, Step, interruptible
from tests.agreement.second_numbers import BlockedError, WrongError
from tests.agreement.second_sections import read_once_more, up_read
from tests.agreement.second_spinning import forms

GUARDS = {
    "rwsem_read": ("down_read", "up_read"),
    "rwsem_read_try": ("down_read_trylock", "up_read"),
    "rwsem_read_intr": ("down_read_interruptible", "up_read"),
    "rwsem_write": ("down_write", "up_write"),
    "rwsem_write_try": ("down_write_trylock", "up_write"),
    "rwsem_write_kill": ("down_write_killable", "up_write"),
    **{
        f"{mode}_lock{form}": (f"{mode}_lock{form}", f"{mode}_unlock{back}")
        for mode in ("read", "write")
        for form, back in (("", ""), ("_irq", "_irq"), ("_irqsave", "_irqrestore"))
    },
}
FIELDS = {
    "rwsem": ("writer", "readers", "announced"),
    "rwlock": ("writer", "readers", "announced"),
    "seqlock": ("writer", "looking", "inside", "dirty"),
}
PER_THREAD = frozenset(("readers", "inside", "dirty"))


# --- rwsem and rwlock ----------------------------------------------------------------------------


def join_readers(cells: LockCells) -> int:
    if cells.get("writer") or cells.get("announced"):
        raise BlockedError
    return read_once_more(cells) - 1


def spin_for_readers(cells: LockCells) -> int:
    """In interrupt context nobody queues behind a writer that waits (decision 0011)."""
    soft = cells.memory.cells.get(("softirqs_off.off", cells.memory.me), 0)
    if cells.get("writer") or (cells.get("announced") and not soft and not cells.memory.in_handler):
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


def withdraw(cells: LockCells) -> int:
    cells.set("announced", cells.get("announced") & ~(1 << cells.memory.me))
    return 0


def become_writer(cells: LockCells) -> int:
    if cells.get("writer") or any(cells.readers):
        raise BlockedError
    cells.set("writer", cells.mine)
    return withdraw(cells)


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


def _may_read(cells: LockCells) -> bool:
    return not cells.get("writer") and not cells.get("announced")


def _may_write(cells: LockCells) -> bool:
    return not cells.get("writer") and not any(cells.readers)


VERBS: dict[str, tuple[Step, ...]] = {
    **dict.fromkeys(("down_read", "down_read_nested"), (join_readers,)),
    **forms("read_lock", (spin_for_readers,), "read_unlock", up_read),
    **forms("write_lock", (announce_writer, become_writer), "write_unlock", stop_writing),
    "down_read_interruptible": (interruptible(_may_read, join_readers, 1),),
    "down_read_killable": (interruptible(_may_read, join_readers, 2),),
    **dict.fromkeys(("down_write", "down_write_nested"), (announce_writer, become_writer)),
    "down_write_killable": (announce_writer, interruptible(_may_write, become_writer, 2, undo=withdraw)),
    **dict.fromkeys(("down_read_trylock", "read_trylock"), (try_to_join_readers,)),
    **dict.fromkeys(("down_write_trylock", "write_trylock"), (try_to_write,)),
    "up_read": (up_read,),
    "up_write": (stop_writing,),
    "downgrade_write": (downgrade,),
    "read_seqbegin": (begin_to_look,),
    "read_seqretry": (look_again,),
    **forms("write_seqlock", (write_sequence,), "write_sequnlock", end_sequence),
    **forms("read_seqlock_excl", (exclude_writers,), "read_sequnlock_excl", end_excluding),
}
