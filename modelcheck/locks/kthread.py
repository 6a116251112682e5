"""Waiting for the end of a thread, and asking it to end: a domain of the whole model.

Variables: `should_stop`, for each thread whether it was asked to stop.
Rules: join(t) blocks until t has ended. kthread_stop(t) sets t's flag and wakes it (step 1), then blocks until t has
ended (step 2). A thread that does not run in a scenario counts as ended. Who waits, waits for t itself.
kthread_should_stop() reads the running thread's flag.
Source: kernel/kthread.c (6.1): kthread_stop, kthread_should_stop. join stands for any other wait for a thread's end,
such as wait_for_completion of what the thread completes last.
"""

from __future__ import annotations

from modelcheck.language.model import TRUE, Expr, LockAt, Not, Obstacle, Wait
from modelcheck.language.types import Bool, Scalar
from modelcheck.locks.primitive import (
    Field,
    Here,
    Outcome,
    Primitive,
    Reading,
    Verb,
    VerbStep,
    both,
    by_name,
    field_of,
    finished,
    flag,
    held_by_nobody,
    is_some,
    neither,
    put,
)
from modelcheck.locks.task import RUNNING


def _end(here: Here) -> VerbStep:
    running = tuple((thread, both(when, Not(finished(thread)))) for thread, when in here.targets)
    guard = neither(*(still for _, still in running)) if running else TRUE
    # One thread at a time: each that still runs is an obstacle of its own.
    obstacles = tuple(Obstacle(((thread, still),), when=still) for thread, still in running)
    return VerbStep(guard, (Outcome(),), wait=Wait(obstacles))


def _stop(here: Here) -> tuple[VerbStep, ...]:
    outcomes = []
    for thread, when in here.targets:
        woken = (
            (put(field_of(here.domains["task"], "state", thread), RUNNING),) if "task" in here.domains else ()
        )
        outcomes.append((when, (put(here.field("should_stop", thread), 1), *woken)))
    if all(when == TRUE for when, _ in outcomes):
        asked: tuple[Outcome, ...] = (Outcome(TRUE, tuple(u for _, updates in outcomes for u in updates)),)
    else:
        asked = (*(Outcome(when, updates) for when, updates in outcomes), Outcome())
    return (VerbStep(TRUE, asked, action="prepare"), _end(here))


def _should_stop(here: Here) -> Expr:
    return is_some(here.mine("should_stop"))


def _bool(_: LockAt) -> Scalar:
    return Bool()


def _told(_lock: str, _value: str, whose: str) -> str:
    return f"asks {whose} to stop" if whose else "asks itself to stop"


KTHREAD = Primitive(
    kind="kthread",
    domain="kthreads",
    fields=(Field("should_stop", flag, per_thread=True, told=_told),),
    verbs=by_name(
        Verb("join", "write", lambda here: (_end(here),), blocks=True, sleeps=True, arguments=("thread",)),
        Verb("kthread_stop", "write", _stop, blocks=True, sleeps=True, arguments=("thread",)),
    ),
    readings=(Reading("kthread_should_stop", _should_stop, _bool, of_thread=True),),
    holds=held_by_nobody,
    modes=(),
    ordered=False,
)
