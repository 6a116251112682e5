"""waitqueue: threads that sleep until somebody wakes the queue (SEMANTICS A5).

Variables: `waiting`, for each thread: not on the queue, on it, or on it as an exclusive waiter. Whether a thread is
asleep is its state (locks/task.py), which the queue's verbs set and clear.
Rules: prepare_to_wait puts the thread on the queue and sets the state that it is about to sleep in; finish_wait takes
it off and makes it run. wake_up wakes every waiter that is not exclusive, and one of those that are: any of them, the
queue keeps no order. wake_up_all wakes all. Who is woken is taken off the queue (autoremove). A thread on the queue
whose state is running already is passed over: it stays on the queue, and uses up no wake-up. Nothing remembers a
wake-up that found nobody.
Source: kernel/sched/wait.c (6.1): prepare_to_wait, __wake_up_common, autoremove_wake_function, finish_wait.
"""

from __future__ import annotations

from modelcheck.language.model import TRUE, Assign, Const, Expr, Ite, LockAt, Or, Ref
from modelcheck.language.types import Bool, Enum, Scalar
from modelcheck.locks.primitive import (
    STATES,
    Argument,
    Declared,
    Field,
    Here,
    Outcome,
    Primitive,
    Reading,
    Verb,
    VerbStep,
    always,
    both,
    by_name,
    field_of,
    held_by_nobody,
    is_some,
    neither,
    put,
)
from modelcheck.locks.task import RUNNING, UNINTERRUPTIBLE, is_in, state_of

OFF, WAITING, EXCLUSIVE, WOKEN = range(4)
"""What a thread is to a queue. WOKEN is seen by nobody: it stands between the updates of one wake-up."""


def _waiting_type(_: Declared) -> Scalar:
    return Enum("waiting", ("off", "waiting", "exclusive", "woken"))


def prepared(here: Here, *, exclusive: bool = False, state: int | None = None) -> tuple[Assign, ...]:
    """Return the updates that put the running thread on the queue, about to sleep."""
    if state is None:
        state = STATES.index(here.state) if here.state else UNINTERRUPTIBLE
    waits = put(here.mine("waiting"), EXCLUSIVE if exclusive else WAITING)
    return (waits, put(state_of(here), state))


def left(here: Here) -> tuple[Assign, ...]:
    """Return the updates that take the running thread off the queue, awake."""
    return (put(here.mine("waiting"), OFF), put(state_of(here), RUNNING))


def _prepare(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(*prepared(here))),)


def _prepare_exclusive(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(*prepared(here, exclusive=True))),)


def _finish(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(*left(here))),)


def _state(here: Here, thread: int) -> Ref:
    return field_of(here.domains["task"], "state", thread)


def _asleep_as(here: Here, thread: int, *ways: int) -> Expr:
    waits = Or(tuple(is_in(here.field("waiting", thread), way) for way in ways))
    return both(waits, is_some(_state(here, thread)))


def _woken(here: Here, *ways: int) -> tuple[Assign, ...]:
    """Return the updates that wake everybody who sleeps on the queue in one of these ways."""
    updates: list[Assign] = []
    for thread in here.everybody:
        waits, state = here.field("waiting", thread), _state(here, thread)
        is_woken = is_in(waits, WOKEN)
        updates += [
            put(waits, Ite(_asleep_as(here, thread, *ways), Const(WOKEN), waits)),
            put(state, Ite(is_woken, Const(RUNNING), state)),
            put(waits, Ite(is_woken, Const(OFF), waits)),
        ]
    return tuple(updates)


def _wake_up(here: Here) -> tuple[VerbStep, ...]:
    all_others = _woken(here, WAITING)
    one = tuple(
        Outcome(
            _asleep_as(here, thread, EXCLUSIVE),
            (*all_others, put(here.field("waiting", thread), OFF), put(_state(here, thread), RUNNING)),
        )
        for thread in here.everybody
    )
    return (VerbStep(TRUE, (*one, Outcome(neither(*(o.when for o in one)), all_others)), free=True),)


def _wake_up_all(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(*_woken(here, WAITING, EXCLUSIVE))),)


def _is_active(here: Here) -> Expr:
    return Or(tuple(is_some(here.field("waiting", thread)) for thread in here.everybody))


def _bool(_: LockAt) -> Scalar:
    return Bool()


def _told(queue: str, value: str, whose: str) -> str:
    # Who is taken off by another is woken, and that is told already.
    how = "" if value == "waiting" else f" ({value})"
    return ("" if whose else f"off {queue}") if value == "off" else f"on {queue}{how}"


_SLEEP: tuple[Argument, ...] = ("lock", "state")
_NEEDS = ("task",)

WAITQUEUE = Primitive(
    kind="waitqueue",
    fields=(Field("waiting", _waiting_type, per_thread=True, told=_told),),
    verbs=by_name(
        Verb("prepare_to_wait", "write", _prepare, arguments=_SLEEP, optional=1, needs=_NEEDS),
        Verb(
            "prepare_to_wait_exclusive",
            "write",
            _prepare_exclusive,
            arguments=_SLEEP,
            optional=1,
            needs=_NEEDS,
        ),
        Verb("finish_wait", "write", _finish, needs=_NEEDS),
        Verb("wake_up", "write", _wake_up, needs=_NEEDS),
        Verb("wake_up_all", "write", _wake_up_all, needs=_NEEDS),
    ),
    readings=(Reading("waitqueue_active", _is_active, _bool),),
    holds=held_by_nobody,
    modes=(),
    ordered=False,
)
