"""The state of each thread, and how it sleeps and is woken (SEMANTICS A5): a domain of the whole model.

Variables: `state`, for each thread: running, or what it is about to sleep in.
Rules: set_current_state sets the running thread's own. schedule() blocks while the thread is asleep: uninterruptible
until somebody wakes it, interruptible also while no signal is pending, killable while no fatal one is; then it runs.
A thread that was woken between setting its state and schedule() does not sleep. schedule_timeout() may give up at any
moment and so never blocks. wake_up_process(t) makes t run, whatever it sleeps for. msleep, cond_resched and cpu_relax
change nothing: they are a step in which others may run.
Source: kernel/sched/core.c (6.1): __schedule, try_to_wake_up; kernel/time/timer.c: schedule_timeout.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language.model import TRUE, By, Compare, Const, Expr, Obstacle, Ref, Wait
from modelcheck.language.types import Enum, Scalar
from modelcheck.locks.primitive import (
    STATES,
    Declared,
    Field,
    Here,
    Outcome,
    Primitive,
    Verb,
    VerbStep,
    always,
    both,
    by,
    by_name,
    either,
    field_of,
    held_by_nobody,
    is_none,
    is_some,
    neither,
    put,
)
from modelcheck.locks.signals import pending, sender

RUNNING, INTERRUPTIBLE, KILLABLE, UNINTERRUPTIBLE = range(len(STATES))

DIRECTLY = ("wake_up_process", "kthread_stop")
"""The verbs that wake a thread whatever it waits for."""

QUEUED = ("wake_up", "wake_up_all")
"""The verbs that wake a thread by the queue that it is on."""


def _state_type(_: Declared) -> Scalar:
    return Enum("state", STATES)


def state_of(here: Here) -> Ref:
    """Return the running thread's state."""
    state = here.own("task", "state")
    assert state is not None, "the verb needs the domain"
    return state


def is_in(state: Ref, value: int) -> Expr:
    """Return the condition that a thread's state is this one."""
    return Compare("==", state, Const(value))


def may_run(here: Here) -> Expr:
    """Return the condition under which schedule() returns: the thread is awake, or has a signal that ends its sleep."""
    state = state_of(here)
    return either(
        is_none(state),
        both(is_in(state, INTERRUPTIBLE), pending(here)),
        both(is_in(state, KILLABLE), pending(here, fatal=True)),
    )


def asleep(here: Here) -> Wait:
    """Return what a thread waits for that sleeps: whoever can still wake it, by its queue, by name, or by a signal.

    Who is on one queue only can be woken by that queue, or by name; who is on none, by name only. Who is on several
    may be woken by any.
    """
    state = state_of(here)
    named = by(state, *DIRECTLY)
    on = {at: is_some(field_of(at, "waiting", here.me)) for at in here.instances("waitqueue")}
    obstacles = [Obstacle(any_of=(named,), when=neither(*on.values()) if on else TRUE)]
    for at, is_on in on.items():
        alone = both(is_on, *(neither(each) for other, each in on.items() if other is not at))
        queued = by(field_of(at, "waiting", here.me), *QUEUED)
        obstacles.append(Obstacle(any_of=(named, queued), when=alone))
    if len(on) > 1:
        several = neither(*(each.when for each in obstacles))
        obstacles.append(Obstacle(any_of=(by(state, *DIRECTLY, *QUEUED),), when=several))
    return Wait(tuple(one for each in obstacles for one in _by_signals(each, here)), rests=True)


def _by_signals(obstacle: Obstacle, here: Here) -> tuple[Obstacle, ...]:
    """Return the obstacle for each kind of sleep: one that signals end has one more way out."""
    if not sender(here):
        return (obstacle,)
    ways: dict[int, tuple[By, ...]] = {
        UNINTERRUPTIBLE: (),
        INTERRUPTIBLE: sender(here),
        KILLABLE: sender(here, fatal=True),
    }
    state = state_of(here)
    return tuple(
        replace(
            obstacle, any_of=(*(obstacle.any_of or ()), *more), when=both(obstacle.when, is_in(state, value))
        )
        for value, more in ways.items()
    )


def scheduled(here: Here) -> VerbStep:
    """Return the step of schedule()."""
    return VerbStep(may_run(here), always(put(state_of(here), RUNNING)), wait=asleep(here))


def scheduled_timeout(here: Here) -> VerbStep:
    """Return the step of schedule_timeout(): it ends whether or not somebody wakes the thread."""
    wait = replace(asleep(here), patience=may_run(here))
    return VerbStep(TRUE, always(put(state_of(here), RUNNING)), wait=wait)


def _set_current_state(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(put(state_of(here), STATES.index(here.state)))),)


def woken(here: Here) -> tuple[Outcome, ...]:
    """Return the outcomes of waking the threads that an argument means; copies of one thread are all woken."""

    def runs(thread: int) -> Ref:
        return field_of(here.domains["task"], "state", thread)

    if all(when == TRUE for _, when in here.targets):
        return always(*(put(runs(thread), RUNNING) for thread, _ in here.targets))
    one = tuple(Outcome(when, (put(runs(thread), RUNNING),)) for thread, when in here.targets)
    return (*one, Outcome())


def _nothing(_: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always()),)


def _told(_lock: str, value: str, whose: str) -> str:
    if whose:
        return f"wakes up {whose}" if value == STATES[RUNNING] else f"{whose}: {value}"
    return "" if value == STATES[RUNNING] else value


_PAUSE = Verb("cpu_relax", "write", _nothing, arguments=())

TASK = Primitive(
    kind="task",
    domain="tasks",
    fields=(Field("state", _state_type, per_thread=True, told=_told),),
    verbs=by_name(
        Verb("set_current_state", "write", _set_current_state, arguments=("state",)),
        Verb("schedule", "write", lambda here: (scheduled(here),), blocks=True, sleeps=True, arguments=()),
        Verb("schedule_timeout", "write", lambda here: (scheduled_timeout(here),), sleeps=True, arguments=()),
        Verb(
            "wake_up_process",
            "write",
            lambda here: (VerbStep(TRUE, woken(here)),),
            arguments=("thread",),
        ),
        _PAUSE,
        replace(_PAUSE, name="cond_resched", sleeps=True),
        replace(_PAUSE, name="msleep", sleeps=True, arguments=("number",)),
    ),
    holds=held_by_nobody,
    modes=(),
    ordered=False,
)
