"""rcu and srcu: read sections that keep nobody out, and a wait until those now running are over (SEMANTICS H1).

Variables: `nesting`, how often each thread is inside a read section; `waiting`, for each thread in synchronize the set
of threads that it still waits for.
Rules: entering a section never waits. synchronize is two steps: take the set of threads that are inside now; go on
when it is empty. Who leaves its outermost section is taken out of every set, so a section that starts later keeps
nobody waiting. Called inside an own section it waits for itself. rcu is one domain of the whole model, in whose
sections nothing may sleep; `srcu s` is declared, and in its sections a thread may.
A read section is held for reading only: it is a gate of nothing. synchronize asks for all of it, as a writer that does
not hold it afterwards: that is its place in the lock order.
Source: Documentation/RCU/Design/Requirements/Requirements.rst, include/linux/rcupdate.h, include/linux/srcu.h (6.1).
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language.model import TRUE, Arith, Assign, Compare, Const, Expr, Ite, LockAt, Ref, Sum, Wait
from modelcheck.language.types import Bool, Enum, Scalar, SetOf
from modelcheck.locks.primitive import (
    DEEPEST,
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
    field_of,
    is_none,
    is_some,
    nesting,
    put,
    required,
)


def _holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    return is_some(field_of(at, "nesting", thread)) if mode == "read" else Const(0)


def _threads(declared: Declared) -> Scalar:
    return SetOf(Enum("thread", declared.threads))


def _lock(here: Here) -> tuple[VerbStep, ...]:
    mine = here.mine("nesting")
    message = f"enters a read section of {here.at.lock.name} {DEEPEST} times without leaving one"
    rule = required(Compare("<", mine, Const(DEEPEST)), here, message)
    return (VerbStep(TRUE, always(put(mine, Arith("+", mine, Const(1)))), rule, action="try"),)


def _unlock(here: Here) -> tuple[VerbStep, ...]:
    mine, bit = here.mine("nesting"), 1 << here.me
    everyone_else = (1 << len(here.threads)) - 1 - bit
    forgotten = [_without(here.field("waiting", t), everyone_else) for t in here.everybody]
    outermost = Outcome(Compare("==", mine, Const(1)), (put(mine, 0), *forgotten))
    inner = Outcome(TRUE, (put(mine, Arith("-", mine, Const(1))),))
    message = f"leaves a read section of {here.at.lock.name} that it is not in"
    return (VerbStep(TRUE, (outermost, inner), required(is_some(mine), here, message), action="release"),)


def _without(waiting: Ref, others: int) -> Assign:
    return put(waiting, Arith("&", waiting, Const(others)))


def _synchronize(here: Here) -> tuple[VerbStep, ...]:
    waiting = here.mine("waiting")
    inside = Sum(
        tuple(Ite(is_some(here.field("nesting", t)), Const(1 << t), Const(0)) for t in here.everybody)
    )
    bits = ((t, Arith("&", waiting, Const(1 << t))) for t in here.everybody)
    readers = tuple((t, Compare("!=", bit, Const(0))) for t, bit in bits)
    return (
        VerbStep(TRUE, always(put(waiting, inside)), action="prepare"),
        VerbStep(is_none(waiting), always(), wait=Wait.for_owners(readers), action="acquire"),
    )


def _bool(_: LockAt) -> Scalar:
    return Bool()


_FIELDS = (
    Field("nesting", nesting, per_thread=True, changed_by="thread"),
    Field("waiting", _threads, per_thread=True),
)
_ENTER = Verb("rcu_read_lock", "read", _lock, release="rcu_read_unlock", guards=("rcu",), arguments=())
_LEAVE = Verb("rcu_read_unlock", "read", _unlock, arguments=())
_SYNCHRONIZE = Verb("synchronize_rcu", "write", _synchronize, blocks=True, sleeps=True, arguments=())

RCU = Primitive(
    kind="rcu",
    domain="rcu",
    fields=_FIELDS,
    verbs=by_name(_ENTER, _LEAVE, _SYNCHRONIZE),
    readings=(
        Reading("rcu_read_lock_held", lambda here: is_some(here.mine("nesting")), _bool, of_thread=True),
    ),
    holds=_holds,
    modes=("read",),
    no_sleep=frozenset({"read"}),
)

SRCU = Primitive(
    kind="srcu",
    fields=_FIELDS,
    verbs=by_name(
        replace(
            _ENTER, name="srcu_read_lock", release="srcu_read_unlock", guards=("srcu",), arguments=("lock",)
        ),
        replace(_LEAVE, name="srcu_read_unlock", arguments=("lock",)),
        replace(_SYNCHRONIZE, name="synchronize_srcu", arguments=("lock",)),
    ),
    holds=_holds,
    modes=("read",),
)
