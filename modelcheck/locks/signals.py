"""Signals: a flag of each thread that lets its interruptible and killable waits end (SEMANTICS A5).

Variables: `pending`, for each thread: none, a signal, or a fatal one.
Rules: signal(t) and fatal_signal(t) set it, flush_signals() clears the running thread's. An interruptible wait may end
with -EINTR (or -ERESTARTSYS) while anything is pending, a killable one while a fatal signal is. Nothing is ever
signalled unless the model does it: an interruptible wait does not make a deadlock go away.
Source: kernel/signal.c, include/linux/sched/signal.h (6.1): signal_pending, fatal_signal_pending, flush_signals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from modelcheck.language.model import TRUE, Assign, By, Compare, Const, Expr, LockAt, Ref, Wait
from modelcheck.language.types import ERRNO, Bool, Enum, Scalar
from modelcheck.locks.primitive import (
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
    by,
    by_name,
    either,
    field_of,
    held_by_nobody,
    neither,
    put,
)

NONE, ANY, FATAL = 0, 1, 2


def _pending_type(_: Declared) -> Scalar:
    return Enum("signal", ("none", "signal", "fatal"))


def pending(here: Here, *, fatal: bool = False) -> Expr:
    """Return the condition that the running thread has a signal; never, if the model sends none."""
    mine = here.own("signal", "pending")
    return Const(0) if mine is None else is_pending(mine, fatal=fatal)


def is_pending(cell: Ref, *, fatal: bool = False) -> Expr:
    """Return the condition that a thread's cell has a signal."""
    return Compare(">=", cell, Const(FATAL if fatal else ANY))


def sender(here: Here, *, fatal: bool = False) -> tuple[By, ...]:
    """Return the writes that end an interruptible wait of the running thread; () if the model sends no signals."""
    mine = here.own("signal", "pending")
    verbs = ("fatal_signal",) if fatal else ("signal", "fatal_signal")
    return () if mine is None else (by(mine, *verbs),)


def interruptible(
    step: VerbStep,
    here: Here,
    *,
    fatal: bool = False,
    undo: tuple[Assign, ...] = (),
    errno: Literal["EINTR", "ERESTARTSYS"] = "EINTR",
) -> VerbStep:
    """Return a blocking step that may also give up with an errno while a signal is pending; else its result is 0.

    `fatal`: only a fatal signal counts (the killable forms). `undo`: what giving up takes back. Every obstacle of the
    wait has one more way out: whoever can still send the signal.
    """
    got = tuple(replace(o, when=both(step.guard, o.when), result=0) for o in step.outcomes)
    ways = sender(here, fatal=fatal)
    if not ways:
        return replace(step, outcomes=tuple(replace(o, result=0) for o in step.outcomes))
    given_up = Outcome(pending(here, fatal=fatal), undo, ERRNO.members.index(errno))
    obstacles = tuple(replace(o, any_of=(*(o.any_of or ()), *ways)) for o in step.wait.obstacles)
    guard = either(step.guard, pending(here, fatal=fatal))
    wait = Wait(obstacles, step.wait.rests)
    return replace(step, guard=guard, outcomes=(*got, given_up), wait=wait, free=True)


def only_where_it_waits(step: VerbStep, forgiving: VerbStep) -> VerbStep:
    """Return an interruptible form of a step that gives up only where the step itself would have to wait."""
    *got, given_up = forgiving.outcomes
    if not forgiving.free:
        return forgiving
    given_up = replace(given_up, when=both(given_up.when, neither(step.guard)))
    return replace(forgiving, outcomes=(*got, given_up))


def _send(value: int) -> Callable[[Here], tuple[VerbStep, ...]]:
    def steps(here: Here) -> tuple[VerbStep, ...]:
        def cell(thread: int) -> Ref:
            return field_of(here.at, "pending", thread)

        # A signal that comes after a fatal one does not make it less.
        sent = tuple(
            Outcome(both(when, Compare("<", cell(thread), Const(value))), (put(cell(thread), value),))
            for thread, when in here.targets
        )
        return (VerbStep(TRUE, (*sent, Outcome())),)

    return steps


def _flush(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(put(here.mine("pending"), NONE))),)


def _bool(_: LockAt) -> Scalar:
    return Bool()


def _told(_lock: str, value: str, whose: str) -> str:
    what = {"none": "no signal", "signal": "a signal", "fatal": "a fatal signal"}[value]
    return f"{whose} has {what}" if whose else f"has {what}"


SIGNAL = Primitive(
    kind="signal",
    domain="signals",
    fields=(Field("pending", _pending_type, per_thread=True, told=_told),),
    verbs=by_name(
        Verb("signal", "write", _send(ANY), arguments=("thread",)),
        Verb("fatal_signal", "write", _send(FATAL), arguments=("thread",)),
        Verb("flush_signals", "write", _flush, arguments=()),
    ),
    readings=(
        Reading("signal_pending", lambda here: is_pending(here.mine("pending")), _bool, of_thread=True),
        Reading(
            "fatal_signal_pending",
            lambda here: is_pending(here.mine("pending"), fatal=True),
            _bool,
            of_thread=True,
        ),
    ),
    holds=held_by_nobody,
    modes=(),
    ordered=False,
)
