"""Interrupts switched off: two domains, one for interrupts and one for soft interrupts (SEMANTICS H2).

Variables: `off`, for each thread whether interrupts are off on its CPU; for soft interrupts how often they were
switched off. An `irq handler` runs with both off, a `softirq handler` with soft interrupts off.
Rules: local_irq_disable and local_irq_enable set and clear it; local_irq_save returns what it was and sets it,
local_irq_restore(flags) puts that back. local_bh_disable nests. While interrupts are off no handler starts on the CPU
and nothing may sleep. Being in such a section keeps nobody else out: it is no part of the lock order.
Source: include/linux/irqflags.h, include/linux/bottom_half.h, kernel/softirq.c (6.1).
"""

from __future__ import annotations

from modelcheck.language.model import TRUE, Arith, Compare, Const, Expr, LockAt
from modelcheck.language.types import Bool, Scalar
from modelcheck.locks.primitive import (
    DEEPEST,
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
    flag,
    is_some,
    nesting,
    put,
    required,
)


def _holds(at: LockAt, thread: int, _mode: Mode) -> Expr:
    return is_some(field_of(at, "off", thread))


def _disable(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(put(here.mine("off"), 1)), action="try"),)


def _enable(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(put(here.mine("off"), 0)), action="release"),)


def _save(here: Here) -> tuple[VerbStep, ...]:
    off = here.mine("off")
    return (
        VerbStep(TRUE, (Outcome(is_some(off), result=1), Outcome(TRUE, (put(off, 1),), 0)), action="try"),
    )


def _restore(here: Here) -> tuple[VerbStep, ...]:
    off = here.mine("off")
    return (
        VerbStep(TRUE, (Outcome(here.flag, (put(off, 1),)), Outcome(TRUE, (put(off, 0),))), action="release"),
    )


def _bh_disable(here: Here) -> tuple[VerbStep, ...]:
    off = here.mine("off")
    message = f"switches soft interrupts off {DEEPEST} times without switching them on"
    rule = required(Compare("<", off, Const(DEEPEST)), here, message)
    return (VerbStep(TRUE, always(put(off, Arith("+", off, Const(1)))), rule, action="try"),)


def _bh_enable(here: Here) -> tuple[VerbStep, ...]:
    off = here.mine("off")
    rule = required(is_some(off), here, "switches soft interrupts on that are not off")
    return (VerbStep(TRUE, always(put(off, Arith("-", off, Const(1)))), rule, action="release"),)


def _bool(_: LockAt) -> Scalar:
    return Bool()


IRQ = Primitive(
    kind="irq",
    domain="interrupts_off",
    fields=(Field("off", flag, per_thread=True, changed_by="thread"),),
    verbs=by_name(
        Verb("local_irq_disable", "write", _disable, arguments=()),
        Verb("local_irq_enable", "write", _enable, arguments=()),
        Verb("local_irq_save", "write", _save, result=Bool(), arguments=()),
        Verb("local_irq_restore", "write", _restore, arguments=("flag",)),
    ),
    readings=(Reading("irqs_disabled", lambda here: is_some(here.mine("off")), _bool, of_thread=True),),
    holds=_holds,
    no_sleep=frozenset({"write"}),
    ordered=False,
)

SOFTIRQ = Primitive(
    kind="softirq",
    domain="softirqs_off",
    fields=(Field("off", nesting, per_thread=True, changed_by="thread"),),
    verbs=by_name(
        Verb("local_bh_disable", "write", _bh_disable, arguments=()),
        Verb("local_bh_enable", "write", _bh_enable, arguments=()),
    ),
    holds=_holds,
    no_sleep=frozenset({"write"}),
    ordered=False,
)
