"""semaphore: a count, and no owner (SEMANTICS G14).

Variables: `count`, 0 to the bound (by default the number of threads, or the initial count if that is more; it
starts at 1 unless its declaration says otherwise).
Rules: down blocks at 0 and takes one; up gives one back, whoever took it; beyond the bound it is an error of the
model. down_interruptible and down_killable return 0, or -EINTR if they gave up while a signal was pending.
down_timeout never blocks: it returns 0, or -ETIME if it gave up, which it does at 0 only. down_trylock returns 0 if
it got one and 1 if not, unlike mutex_trylock. Nobody holds a semaphore: who waits, waits for any that can still up it.
Source: kernel/locking/semaphore.c (6.1): down, __down_common, down_trylock, up.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language.model import TRUE, Arith, Compare, Const, Wait
from modelcheck.language.types import ERRNO, Bool, Range, Scalar, bounds
from modelcheck.locks.primitive import (
    Declared,
    Field,
    Here,
    Outcome,
    Primitive,
    Verb,
    VerbStep,
    always,
    by,
    by_name,
    held_by_nobody,
    is_none,
    is_some,
    put,
    required,
)
from modelcheck.locks.signals import interruptible, only_where_it_waits

ETIME = ERRNO.members.index("ETIME")


def _first(declared: Declared) -> int:
    return 1 if declared.initial is None else declared.initial


def _count_type(declared: Declared) -> Scalar:
    return Range(*(declared.bound or (0, max(_first(declared), len(declared.threads)))))


def _taken(here: Here, result: int | None) -> Outcome:
    count = here.field("count")
    return Outcome(is_some(count), (put(count, Arith("-", count, Const(1))),), result)


def _for_one(here: Here) -> Wait:
    return Wait.for_writers((by(here.field("count"), "up"),))


def _down(here: Here) -> tuple[VerbStep, ...]:
    taken = replace(_taken(here, None), when=TRUE)
    return (VerbStep(is_some(here.field("count")), (taken,), wait=_for_one(here)),)


def _down_interruptible(here: Here) -> tuple[VerbStep, ...]:
    return tuple(only_where_it_waits(step, interruptible(step, here)) for step in _down(here))


def _down_killable(here: Here) -> tuple[VerbStep, ...]:
    return tuple(only_where_it_waits(step, interruptible(step, here, fatal=True)) for step in _down(here))


def _down_timeout(here: Here) -> tuple[VerbStep, ...]:
    wait = replace(_for_one(here), patience=is_some(here.field("count")))
    return (VerbStep(TRUE, _or_else(here, ETIME), wait=wait),)


def _down_trylock(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, _or_else(here, 1), action="try"),)


def _or_else(here: Here, result: int) -> tuple[Outcome, ...]:
    """Return the outcomes of a verb that takes one and returns 0, or returns this if there is none."""
    return (Outcome(is_none(here.field("count")), result=result), replace(_taken(here, 0), when=TRUE))


def _up(here: Here) -> tuple[VerbStep, ...]:
    count, name = here.field("count"), here.at.lock.name
    high = bounds(count.var.type)[1]
    message = (
        f"`{name}` would be above {high}: a bug, or its bound is too small "
        f"(raise it: `semaphore {name}: 0..{high + 1} = {count.var.initial[0]};`)"
    )
    rule = required(Compare("<", count, Const(high)), here, message)
    return (VerbStep(TRUE, always(put(count, Arith("+", count, Const(1)))), rule),)


def _told(name: str, value: str, _: str) -> str:
    return f"{name}={value}"


_DOWN = Verb("down", "write", _down, blocks=True, sleeps=True)

SEMAPHORE = Primitive(
    kind="semaphore",
    fields=(Field("count", _count_type, initial=_first, told=_told),),
    verbs=by_name(
        _DOWN,
        replace(_DOWN, name="down_interruptible", steps=_down_interruptible, result=ERRNO),
        replace(_DOWN, name="down_killable", steps=_down_killable, result=ERRNO),
        Verb(
            "down_timeout",
            "write",
            _down_timeout,
            sleeps=True,
            result=ERRNO,
            arguments=("lock", "number"),
            optional=1,
        ),
        Verb("down_trylock", "write", _down_trylock, result=Bool()),
        Verb("up", "write", _up),
    ),
    holds=held_by_nobody,
    modes=(),
    bounded=True,
    ordered=False,
)
