"""refcount: how many references to an object there are; from zero nobody takes one (SEMANTICS H1, G14).

Variables: `value`, from 0 to the bound that is declared (`refcount r: 0..4 = 1;`; without one the number of threads;
it starts at 1); declared `owned`, also `holders`, how many references each thread has.
Rules: refcount_inc from zero is an error step: the object is gone, and refcount_inc_not_zero returns false there. One
reference more than the bound is an error step, for a leak looks like that. refcount_dec may not drop the last one,
refcount_dec_and_test returns whether it did; below zero is an error step. refcount_set gives a value to start from.
A reference may change hands, so nobody holds one, unless it is `owned`: then who puts it must be who took it (or set
it), and a thread must not end with one; a first value belongs to nobody and stays.
There is no verb that waits: `await(refcount_read(r) == 1)` does, for anybody who can still change it.
Source: include/linux/refcount.h, lib/refcount.c (6.1), which saturate and warn where this is an error step.
"""

from __future__ import annotations

from typing import Literal

from modelcheck.language.model import TRUE, And, Arith, Assign, Compare, Const, Expr, LockAt, Ref, Require
from modelcheck.language.types import Bool, Range, Scalar, bounds
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
    by_name,
    either,
    field_of,
    is_none,
    is_some,
    put,
    required,
)


def _highest(declared: Declared) -> int:
    return declared.bound[1] if declared.bound else max(len(declared.threads), declared.initial or 1)


def _count(declared: Declared) -> Scalar:
    return Range(0, _highest(declared))


def _first(declared: Declared) -> int:
    return min(1, _highest(declared)) if declared.initial is None else declared.initial


def _holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    owned = mode == "read" and "holders" in at.lock.fields
    return is_some(field_of(at, "holders", thread)) if owned else Const(0)


def _holders(here: Here) -> tuple[Ref, ...]:
    """The running thread's own count, if the references are owned."""
    return (here.mine("holders"),) if "holders" in here.at.lock.fields else ()


def _changed(here: Here, operator: Literal["+", "-"]) -> tuple[Assign, ...]:
    cells = (here.field("value"), *_holders(here))
    return tuple(put(cell, Arith(operator, cell, Const(1))) for cell in cells)


def _below_bound(here: Here) -> tuple[Require, ...]:
    value = here.field("value")
    highest = bounds(value.var.type)[1]
    message = (
        f"takes reference {highest + 1} of a refcount up to {highest}: a leak, or the bound is too small"
    )
    return required(either(is_none(value), Compare("<", value, Const(highest))), here, message)


def _inc(here: Here) -> tuple[VerbStep, ...]:
    rule = required(is_some(here.field("value")), here, "takes a reference from zero: the object is gone")
    return (VerbStep(TRUE, always(*_changed(here, "+")), (*rule, *_below_bound(here)), action="try"),)


def _inc_not_zero(here: Here) -> tuple[VerbStep, ...]:
    gone = Outcome(is_none(here.field("value")), result=0)
    taken = Outcome(TRUE, _changed(here, "+"), 1)
    return (VerbStep(TRUE, (gone, taken), _below_bound(here), action="try"),)


def _is_there(here: Here) -> tuple[Require, ...]:
    rule = required(
        is_some(here.field("value")), here, "puts a reference of a refcount that is zero (underflow)"
    )
    mine = [
        required(is_some(cell), here, "puts a reference that it does not hold") for cell in _holders(here)
    ]
    return (*rule, *(each for found in mine for each in found))


def _dec(here: Here) -> tuple[VerbStep, ...]:
    message = "drops the last reference by refcount_dec, which frees nothing: use refcount_dec_and_test"
    last = required(Compare("!=", here.field("value"), Const(1)), here, message)
    return (VerbStep(TRUE, always(*_changed(here, "-")), (*_is_there(here), *last), action="release"),)


def _dec_and_test(here: Here) -> tuple[VerbStep, ...]:
    last = Outcome(Compare("==", here.field("value"), Const(1)), _changed(here, "-"), 1)
    return (VerbStep(TRUE, (last, Outcome(TRUE, _changed(here, "-"), 0)), _is_there(here), action="release"),)


def _set(here: Here) -> tuple[VerbStep, ...]:
    cells = (here.field("value"), *_holders(here))
    others = [here.field("holders", t) for t in here.everybody if t != here.me] if _holders(here) else []
    message = "sets a refcount of which another thread holds a reference"
    rule = required(And(tuple(map(is_none, others))), here, message) if others else ()
    return (VerbStep(TRUE, always(*(put(cell, here.number) for cell in cells)), rule, action="try"),)


def _type(at: LockAt) -> Scalar:
    return at.lock.fields["value"].type


def _told(name: str, value: str, _: str) -> str:
    return f"{name}={value}"


REFCOUNT = Primitive(
    kind="refcount",
    fields=(
        Field("value", _count, initial=_first, told=_told),
        Field("holders", _count, per_thread=True, only="owned", changed_by="thread"),
    ),
    verbs=by_name(
        Verb("refcount_inc", "read", _inc, release="refcount_dec_and_test"),
        Verb("refcount_inc_not_zero", "read", _inc_not_zero, result=Bool(), release="refcount_dec_and_test"),
        Verb("refcount_dec", "read", _dec),
        Verb("refcount_dec_and_test", "read", _dec_and_test, result=Bool()),
        Verb("refcount_set", "read", _set, arguments=("lock", "number")),
    ),
    readings=(Reading("refcount_read", lambda here: here.field("value"), _type),),
    holds=_holds,
    modes=("read",),
    says=frozenset({"owned"}),
    bounded=True,
)
