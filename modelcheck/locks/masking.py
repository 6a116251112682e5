"""The forms of spinning locks that switch (soft) interrupts off before they take the lock (SEMANTICS H2).

A waiter spins with them off. _irq switches them on at the end whatever they were before; _irqsave puts back what they
were, which is kept in a cell `saved` of the thread's own until the lock is given back, as `flags` in C. Where a lock
can be taken several times, the bits of `saved` are what it was each time, the last one lowest.
Source: include/linux/spinlock_api_smp.h, include/linux/rwlock_api_smp.h (6.1).
"""

from __future__ import annotations

from typing import Literal

from modelcheck.language.model import TRUE, Arith, Assign, Const, Ite, Ref
from modelcheck.language.types import Range, Scalar
from modelcheck.locks.primitive import DEEPEST, Declared, Here, VerbStep, always, is_some, put

Form = Literal["", "_irq", "_irqsave", "_bh"]

BACK: dict[Form, str] = {"": "", "_irq": "_irq", "_irqsave": "_irqrestore", "_bh": "_bh"}
"""How the verb is called that gives back what a form takes."""

NEEDS: dict[Form, tuple[str, ...]] = {"": (), "_irq": ("irq",), "_irqsave": ("irq",), "_bh": ("softirq",)}
"""The domains that a form works on."""


def saved_of_each(_: Declared) -> Scalar:
    """Return the type of `saved` of a lock that one thread can take several times."""
    return Range(0, (1 << DEEPEST) - 1)


def masked(here: Here, form: Form, *, nests: bool = False) -> tuple[VerbStep, ...]:
    """Return the step that a form does before it takes the lock; `nests`: it may be taken several times."""
    match form:
        case "":
            return ()
        case "_irq":
            return (_masking(put(_off(here, "irq"), 1)),)
        case "_irqsave":
            saved, off = here.mine("saved"), _off(here, "irq")
            # Deeper than read locks nest nothing is kept: so many are an error when the lock is taken.
            more = Arith("%", Arith("+", Arith("*", saved, Const(2)), off), Const(1 << DEEPEST))
            return (_masking(put(saved, more if nests else off), put(off, 1)),)
        case "_bh":
            off = _off(here, "softirq")
            return (_masking(put(off, Arith("+", off, Const(1)))),)


def unmasked(here: Here, form: Form, *, nests: bool = False) -> tuple[Assign, ...]:
    """Return what giving the lock back does to (soft) interrupts."""
    match form:
        case "":
            return ()
        case "_irq":
            return (put(_off(here, "irq"), 0),)
        case "_irqsave":
            saved, off = here.mine("saved"), _off(here, "irq")
            if not nests:
                return (put(off, saved), put(saved, 0))
            return (put(off, Arith("%", saved, Const(2))), put(saved, Arith("/", saved, Const(2))))
        case "_bh":
            off = _off(here, "softirq")
            return (put(off, Ite(is_some(off), Arith("-", off, Const(1)), Const(0))),)


def _masking(*updates: Assign) -> VerbStep:
    return VerbStep(TRUE, always(*updates), action="prepare")


def _off(here: Here, kind: str) -> Ref:
    off = here.own(kind, "off")
    assert off is not None, "the verb needs the domain"
    return off
