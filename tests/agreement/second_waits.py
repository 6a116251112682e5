"""The second opinion on what waits without a lock: semaphores, completions, sleeping, waking, signals (A5, G14)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from modelcheck.language import syntax as s
from modelcheck.language.types import ERRNO
from tests.agreement.second_cells import LockCells, Step, interruptible, pending
from tests.agreement.second_numbers import BlockedError, WrongError
from tests.agreement.second_values import Globals, Key, LockStorage, as_int

FIELDS = {"semaphore": ("count",), "completion": ("done",), "waitqueue": ("waiting",)}
PER_THREAD = frozenset(("waiting",))
SLEEPS = ("TASK_RUNNING", "TASK_INTERRUPTIBLE", "TASK_KILLABLE", "TASK_UNINTERRUPTIBLE")
SIGNALS = ("signal", "fatal_signal", "flush_signals")
PAUSES = ("cond_resched", "cpu_relax", "msleep")
TASKS = ("set_current_state", "schedule", "schedule_timeout", "wake_up_process", *PAUSES)
QUEUES = ("prepare_to_wait", "prepare_to_wait_exclusive", "finish_wait", "wake_up", "wake_up_all")


def domains(tree: s.Specification, threads: int) -> Iterator[Key]:
    """Yield the cells that nobody declares."""
    used = {call.name for node in tree.declarations for call in node.walk() if isinstance(call, s.Call)}
    if used & {*TASKS, *QUEUES}:
        yield from (("tasks.state", t) for t in range(threads))
    if used & set(SIGNALS):
        yield from (("signals.pending", t) for t in range(threads))


def operand(known: Globals, call: s.Call) -> LockStorage | None:
    """Return what a verb without a lock works on; None if its first argument is a lock."""
    if call.name not in (*TASKS, *SIGNALS):
        return None
    given = 0
    for argument in call.arguments:
        match argument:
            case s.Name(name) if name in SLEEPS:
                given = SLEEPS.index(name)
            case s.Number():
                pass
            case s.Name(name):
                given = known.threads[name, None]
            case s.Index(s.Name(name), s.Number(number)):
                given = known.threads[name, number]
            case _:
                raise AssertionError(argument)
    return LockStorage("domain", "", (), (), given=given)


def with_state(lock: LockStorage, call: s.Call) -> LockStorage:
    """Return the lock with the state that a queue's verb was given to sleep in."""
    second = call.arguments[1] if len(call.arguments) > 1 else None
    return replace(lock, given=SLEEPS.index(second.id)) if isinstance(second, s.Name) else lock


# --- semaphores and completions ------------------------------------------------------------------


def down(cells: LockCells) -> int:
    if not cells.get("count"):
        raise BlockedError
    cells.set("count", cells.get("count") - 1)
    return 0


def down_or(code: int) -> Step:
    return lambda cells: down(cells) if cells.get("count") else code


def up(cells: LockCells) -> int:
    if cells.get("count") == cells.lock.high:
        raise WrongError
    cells.set("count", cells.get("count") + 1)
    return 0


def complete(cells: LockCells) -> int:
    done, everything = cells.get("done"), cells.lock.high + 1
    if done == everything - 1:
        raise WrongError
    if done < everything:
        cells.set("done", done + 1)
    return 0


def complete_all(cells: LockCells) -> int:
    cells.set("done", cells.lock.high + 1)
    return 0


def reinit(cells: LockCells) -> int:
    cells.set("done", 0)
    return 0


def wait_done(cells: LockCells) -> int:
    if not try_done(cells):
        raise BlockedError
    return 0


def try_done(cells: LockCells) -> int:
    done = cells.get("done")
    if 0 < done <= cells.lock.high:
        cells.set("done", done - 1)
    return int(done > 0)


# --- sleeping and waking -------------------------------------------------------------------------


def set_state(cells: LockCells, thread: int, value: int) -> int:
    cells.memory.cells["tasks.state", thread] = value
    return 0


def is_asleep(cells: LockCells, thread: int) -> bool:
    return cells.memory.cells["tasks.state", thread] != 0


def schedule(cells: LockCells) -> int:
    state = cells.memory.cells["tasks.state", cells.memory.me]
    if state == 3 or (state == 1 and pending(cells) < 1) or (state == 2 and pending(cells) < 2):
        raise BlockedError
    return set_state(cells, cells.memory.me, 0)


def prepare(way: int) -> Step:
    def verb(cells: LockCells) -> int:
        cells.set("waiting", way, cells.memory.me)
        return set_state(cells, cells.memory.me, cells.lock.given or 3)

    return verb


def finish_wait(cells: LockCells) -> int:
    cells.set("waiting", 0, cells.memory.me)
    return set_state(cells, cells.memory.me, 0)


def sleepers(cells: LockCells, way: int) -> list[int]:
    return [t for t in range(cells.memory.threads) if cells.get("waiting", t) == way and is_asleep(cells, t)]


def awaken(cells: LockCells, threads: list[int]) -> int:
    for thread in threads:
        cells.set("waiting", 0, thread)
        set_state(cells, thread, 0)
    return 0


def wake_up(cells: LockCells) -> int:
    one = cells.memory.pick(sleepers(cells, 2) or [cells.memory.threads])
    return awaken(cells, [*sleepers(cells, 1), *([one] if one < cells.memory.threads else [])])


def wake_up_all(cells: LockCells) -> int:
    return awaken(cells, sleepers(cells, 1) + sleepers(cells, 2))


def send(rank: int) -> Step:
    def verb(cells: LockCells) -> int:
        key = ("signals.pending", cells.lock.given)
        cells.memory.cells[key] = max(as_int(cells.memory.cells[key]), rank)
        return 0

    return verb


def flush(cells: LockCells) -> int:
    cells.memory.cells["signals.pending", cells.memory.me] = 0
    return 0


def _has_count(cells: LockCells) -> bool:
    return cells.get("count") > 0


def _is_done(cells: LockCells) -> bool:
    return cells.get("done") > 0


_STEPS: dict[str, Step] = {
    "down": down,
    "down_trylock": down_or(1),
    "down_timeout": down_or(ERRNO.members.index("ETIME")),
    "down_interruptible": interruptible(_has_count, down, 1, "EINTR", at_once=False),
    "down_killable": interruptible(_has_count, down, 2, "EINTR", at_once=False),
    "up": up,
    "complete": complete,
    "complete_all": complete_all,
    "wait_for_completion": wait_done,
    "wait_for_completion_timeout": try_done,
    "try_wait_for_completion": try_done,
    "wait_for_completion_interruptible": interruptible(_is_done, wait_done, 1, "ERESTARTSYS", at_once=False),
    "wait_for_completion_killable": interruptible(_is_done, wait_done, 2, "ERESTARTSYS", at_once=False),
    "reinit_completion": reinit,
    "prepare_to_wait": prepare(1),
    "prepare_to_wait_exclusive": prepare(2),
    "finish_wait": finish_wait,
    "wake_up": wake_up,
    "wake_up_all": wake_up_all,
    "set_current_state": lambda cells: set_state(cells, cells.memory.me, cells.lock.given),
    "schedule": schedule,
    "schedule_timeout": lambda cells: set_state(cells, cells.memory.me, 0),
    "wake_up_process": lambda cells: set_state(cells, cells.lock.given, 0),
    **dict.fromkeys(PAUSES, lambda _: 0),
    "signal": send(1),
    "fatal_signal": send(2),
    "flush_signals": flush,
}
VERBS: dict[str, tuple[Step, ...]] = {name: (step,) for name, step in _STEPS.items()}
