"""What keeps things alive, for the second opinion: rcu, srcu, refcount, active_ref, work, read from SEMANTICS H1."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.agreement.second_numbers import BlockedError, WrongError

if TYPE_CHECKING:
    from tests.agreement.second_locks import LockCells

DEEPEST = 7
DEAD, LIVE, DRAINING = 0, 1, 2
RUNNING, QUEUED = 1, 2
WAS_IDLE, WAS_PENDING = 1, 2
SECTION = ("nesting", "waiting")
FIELDS = {
    "rcu": SECTION,
    "srcu": SECTION,
    "refcount": ("value",),
    "active_ref": ("state", "holders", "drains"),
    "work": ("queued", "runner", "flushing", "cancelling"),
}
PER_THREAD = frozenset(("nesting", "waiting", "holders", "drains", "flushing", "cancelling"))
GUARDS = {
    "rcu": ("rcu_read_lock", "rcu_read_unlock"),
    "srcu": ("srcu_read_lock", "srcu_read_unlock"),
    "work": ("start_work", "finish_work"),
}
Step = Callable[["LockCells"], int]


def more(part: str) -> Step:
    """One more of the thread's own, up to the deepest."""

    def step(c: LockCells) -> int:
        if c.own(part) == DEEPEST:
            raise WrongError
        c.set_own(part, c.own(part) + 1)
        return 1

    return step


def fewer(c: LockCells, part: str) -> None:
    if not c.own(part):
        raise WrongError
    c.set_own(part, c.own(part) - 1)


# --- rcu, srcu -------------------------------------------------------------------------------------


def leave_section(c: LockCells) -> int:
    fewer(c, "nesting")
    for t in c.everybody:
        if not c.own("nesting"):
            c.set("waiting", c.get("waiting", t) & ~(1 << c.memory.me), t)
    return 0


def who_is_inside(c: LockCells) -> int:
    c.set_own("waiting", sum(1 << t for t in c.everybody if c.get("nesting", t)))
    return 0


def nobody_is_left(c: LockCells) -> int:
    if c.own("waiting"):
        raise BlockedError
    return 0


# --- refcount --------------------------------------------------------------------------------------


def inc(c: LockCells) -> int:
    if not c.get("value") or c.get("value") == c.lock.high:
        raise WrongError
    c.set("value", c.get("value") + 1)
    return 1


def inc_not_zero(c: LockCells) -> int:
    return inc(c) if c.get("value") else 0


def dec_and_test(c: LockCells) -> int:
    if not c.get("value"):
        raise WrongError
    c.set("value", c.get("value") - 1)
    return int(not c.get("value"))


def dec(c: LockCells) -> int:
    if dec_and_test(c):
        raise WrongError
    return 0


def set_to(c: LockCells) -> int:
    c.set("value", c.lock.given)
    return 0


# --- active_ref ------------------------------------------------------------------------------------


def activate(c: LockCells) -> int:
    if c.get("state") == DRAINING or (c.get("state") == DEAD and c.some("holders")):
        raise WrongError
    c.set("state", LIVE)
    return 0


def get_active(c: LockCells) -> int:
    return more("holders")(c) if c.get("state") == LIVE else 0


def put_active(c: LockCells) -> int:
    fewer(c, "holders")
    return 0


def start_draining(c: LockCells) -> int:
    c.set("state", DRAINING)
    c.set_own("drains", 1)
    return 0


def drained(c: LockCells) -> int:
    if not c.own("drains"):
        return 0
    if c.some("holders"):
        raise BlockedError
    for t in c.everybody:
        c.set("drains", 0, t)
    c.set("state", DEAD)
    return 0


# --- work ------------------------------------------------------------------------------------------


def tell_flushers(c: LockCells, before: int, after: int) -> None:
    for t in c.everybody:
        if c.get("flushing", t) == before:
            c.set("flushing", after, t)


def queue(c: LockCells) -> int:
    if c.get("queued") or c.some("cancelling"):
        return 0
    c.set("queued", 1)
    return 1


def try_start(c: LockCells) -> int:
    if not c.get("queued") or c.get("runner"):
        return 0
    c.set("queued", 0)
    c.set("runner", c.mine)
    tell_flushers(c, QUEUED, RUNNING)
    return 1


def start(c: LockCells) -> int:
    if not try_start(c):
        raise BlockedError
    return 0


def finish(c: LockCells) -> int:
    if c.get("runner") != c.mine:
        raise WrongError
    c.set("runner", 0)
    tell_flushers(c, RUNNING, 0)
    return 0


def start_flush(c: LockCells) -> int:
    c.set_own("flushing", QUEUED if c.get("queued") else RUNNING if c.get("runner") else 0)
    return 0


def flushed(c: LockCells) -> int:
    if c.own("flushing"):
        raise BlockedError
    return 0


def start_cancel(c: LockCells) -> int:
    c.set_own("cancelling", WAS_PENDING if c.get("queued") else WAS_IDLE)
    c.set("queued", 0)
    tell_flushers(c, QUEUED, 0)
    return 0


def cancelled(c: LockCells) -> int:
    if c.get("runner"):
        raise BlockedError
    result = int(c.own("cancelling") == WAS_PENDING)
    c.set_own("cancelling", 0)
    return result


VERBS: dict[str, tuple[Step, ...]] = {
    **dict.fromkeys(("rcu_read_lock", "srcu_read_lock"), (more("nesting"),)),
    **dict.fromkeys(("rcu_read_unlock", "srcu_read_unlock"), (leave_section,)),
    **dict.fromkeys(("synchronize_rcu", "synchronize_srcu"), (who_is_inside, nobody_is_left)),
    "refcount_inc": (inc,),
    "refcount_inc_not_zero": (inc_not_zero,),
    "refcount_dec": (dec,),
    "refcount_dec_and_test": (dec_and_test,),
    "refcount_set": (set_to,),
    "kernfs_activate": (activate,),
    "kernfs_get_active": (get_active,),
    **dict.fromkeys(("kernfs_put_active", "kernfs_break_active_protection"), (put_active,)),
    "kernfs_unbreak_active_protection": (more("holders"),),
    "kernfs_drain": (start_draining, drained),
    "queue_work": (queue,),
    "start_work": (start,),
    "try_start_work": (try_start,),
    "finish_work": (finish,),
    "flush_work": (start_flush, flushed),
    "cancel_work_sync": (start_cancel, cancelled),
}
