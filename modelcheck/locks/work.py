"""work: something that a worker is asked to do later, and the waits for it (SEMANTICS H1).

Variables: `queued`; `runner`, none or the thread that runs it; `flushing`, for each thread in flush_work which instance
it waits for: the one that runs, or the one that is queued; `cancelling`, for each thread in cancel_work_sync whether it
took it off the queue.
Rules: queue_work returns false if it is queued already or being cancelled. It may be queued while it runs, and is then
run once more afterwards; no two threads run it at once. start_work is the worker's wait for it (a daemon rests there).
flush_work is two steps: see which instance is the last one now; go on when that has ended. Instances queued later keep
it waiting no longer. cancel_work_sync is two steps: take it off the queue; go on when nobody runs it. From the first to
the second it cannot be queued. Who waits for an instance that is taken off the queue goes on.
Who waits in the work itself waits for itself. Running it is held for writing, flush_work and cancel_work_sync ask for
that and do not hold it afterwards: an order cycle through a flush is one as lockdep has it.
Source: kernel/workqueue.c (6.1): queue_work, process_one_work, start_flush_work, __cancel_work_timer.
"""

from __future__ import annotations

from modelcheck.language.model import TRUE, Assign, Compare, Const, Expr, Ite, LockAt, Obstacle, Wait
from modelcheck.language.types import Bool, Enum, Scalar
from modelcheck.locks.primitive import (
    Declared,
    Field,
    Here,
    Mode,
    Outcome,
    Primitive,
    Reading,
    Verb,
    VerbStep,
    always,
    both,
    by,
    by_name,
    either,
    field_of,
    flag,
    is_none,
    is_some,
    is_thread,
    nobody_else,
    owned,
    put,
    required,
    thread_reference,
)

NOTHING, RUNNING, QUEUED = 0, 1, 2
IDLE, WAS_PENDING = 1, 2


def _flushing(_: Declared) -> Scalar:
    return Enum("instance", ("none", "running", "queued"))


def _cancelling(_: Declared) -> Scalar:
    return Enum("cancelling", ("no", "was_idle", "was_pending"))


def _holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    return is_thread(field_of(at, "runner"), thread) if mode == "write" else Const(0)


def _flushers(here: Here, before: int, after: int) -> tuple[Assign, ...]:
    """Return the updates that tell those who wait for one instance what has become of it."""
    cells = [here.field("flushing", t) for t in here.everybody]
    return tuple(put(c, Ite(Compare("==", c, Const(before)), Const(after), c)) for c in cells)


def _queue(here: Here) -> tuple[VerbStep, ...]:
    queued = here.field("queued")
    free = both(is_none(queued), nobody_else(here, "cancelling"))
    return (VerbStep(TRUE, (Outcome(free, (put(queued, 1),), 1), Outcome(result=0))),)


def _is_ready(here: Here) -> Expr:
    return both(is_some(here.field("queued")), is_none(here.field("runner")))


def _starting(here: Here) -> tuple[Assign, ...]:
    started = _flushers(here, QUEUED, RUNNING)
    return (put(here.field("queued"), 0), put(here.field("runner"), here.me + 1), *started)


def _start(here: Here) -> tuple[VerbStep, ...]:
    queued, runner = here.field("queued"), here.field("runner")
    not_queued = Obstacle(any_of=(by(queued, "queue_work"),), when=is_none(queued))
    runs = Obstacle(all_of=owned(runner, here), when=is_some(runner))
    wait = Wait((not_queued, runs), rests=True)
    return (VerbStep(_is_ready(here), always(*_starting(here)), wait=wait, action="acquire"),)


def _try_start(here: Here) -> tuple[VerbStep, ...]:
    taken = Outcome(_is_ready(here), _starting(here), 1)
    return (VerbStep(TRUE, (taken, Outcome(result=0)), action="try"),)


def _finish(here: Here) -> tuple[VerbStep, ...]:
    runner = here.field("runner")
    rule = required(is_thread(runner, here.me), here, "finishes a work that it does not run")
    ended = _flushers(here, RUNNING, NOTHING)
    return (VerbStep(TRUE, always(put(runner, 0), *ended), rule, action="release"),)


def _flush(here: Here) -> tuple[VerbStep, ...]:
    mine, runner = here.mine("flushing"), here.field("runner")
    running = Ite(is_some(runner), Const(RUNNING), Const(NOTHING))
    last = Ite(is_some(here.field("queued")), Const(QUEUED), running)
    in_queue = Compare("==", mine, Const(QUEUED))
    runs = Obstacle(all_of=owned(runner, here), when=Compare("==", mine, Const(RUNNING)))
    # What is queued has to wait for what runs, unless it is taken off the queue.
    before = Obstacle(
        owned(runner, here), (by(mine, "cancel_work_sync"),), when=both(in_queue, is_some(runner))
    )
    starts = Obstacle(any_of=(by(mine, "start_work", "try_start_work", "cancel_work_sync"),), when=in_queue)
    return (
        VerbStep(TRUE, always(put(mine, last)), action="prepare"),
        VerbStep(is_none(mine), always(), wait=Wait((runs, before, starts)), action="acquire"),
    )


def _cancel(here: Here) -> tuple[VerbStep, ...]:
    mine, queued, runner = here.mine("cancelling"), here.field("queued"), here.field("runner")
    found = Ite(is_some(queued), Const(WAS_PENDING), Const(IDLE))
    taken_off = always(put(mine, found), put(queued, 0), *_flushers(here, QUEUED, NOTHING))
    was_pending = Outcome(Compare("==", mine, Const(WAS_PENDING)), (put(mine, 0),), 1)
    return (
        VerbStep(TRUE, taken_off, action="prepare"),
        VerbStep(
            is_none(runner),
            (was_pending, Outcome(TRUE, (put(mine, 0),), 0)),
            wait=Wait.for_owners(owned(runner, here)),
            action="acquire",
        ),
    )


def _is_busy(here: Here) -> Expr:
    return either(is_some(here.field("queued")), is_some(here.field("runner")))


def _bool(_: LockAt) -> Scalar:
    return Bool()


WORK = Primitive(
    kind="work",
    fields=(
        Field("queued", flag),
        Field("runner", thread_reference, changed_by="owner"),
        Field("flushing", _flushing, per_thread=True),
        Field("cancelling", _cancelling, per_thread=True, changed_by="thread"),
    ),
    verbs=by_name(
        Verb("queue_work", "write", _queue, result=Bool()),
        Verb(
            "start_work", "write", _start, blocks=True, sleeps=True, release="finish_work", guards=("work",)
        ),
        Verb("try_start_work", "write", _try_start, result=Bool(), release="finish_work"),
        Verb("finish_work", "write", _finish),
        Verb("flush_work", "write", _flush, blocks=True, sleeps=True),
        Verb("cancel_work_sync", "write", _cancel, blocks=True, sleeps=True, result=Bool()),
    ),
    readings=(
        Reading("work_pending", lambda here: is_some(here.field("queued")), _bool),
        Reading("work_busy", _is_busy, _bool),
    ),
    holds=_holds,
)
