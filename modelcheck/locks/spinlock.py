"""spinlock: one owner, waits by spinning, and nobody may sleep who holds it (SEMANTICS A9, H2).

Variables: `owner`, none or a thread; `saved`, in models that switch interrupts off: whether they were off when
spin_lock_irqsave took the lock.
Rules: as a mutex, but the waiter does not sleep. The _irq, _irqsave and _bh forms switch (soft) interrupts off before
they take the lock: a waiter spins with them off. spin_unlock_irq switches them on whatever they were before,
spin_unlock_irqrestore puts back what they were.
Source: include/linux/spinlock.h, kernel/locking/spinlock.c (6.1): with preemption and PREEMPT_RT off.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language.model import TRUE, Assign, Const, Expr, LockAt, Require, Wait
from modelcheck.language.types import Bool
from modelcheck.locks.masking import masked, unmasked
from modelcheck.locks.primitive import (
    Field,
    Here,
    Mode,
    Outcome,
    Primitive,
    Verb,
    VerbStep,
    always,
    by_name,
    either,
    field_of,
    flag,
    is_none,
    is_some,
    is_thread,
    neither,
    owned,
    put,
    required,
    tested,
    thread_reference,
)


def _holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    return is_thread(field_of(at, "owner"), thread) if mode == "write" else Const(0)


def _not_mine(here: Here) -> tuple[Require, ...]:
    message = "locks a spinlock that it holds already (self-deadlock)"
    return required(neither(is_thread(here.field("owner"), here.me)), here, message)


def _take(here: Here) -> VerbStep:
    owner = here.field("owner")
    guard = either(is_none(owner), is_thread(owner, here.me))
    taken = always(put(owner, here.me + 1))
    return VerbStep(guard, taken, _not_mine(here), Wait.for_owners(owned(owner, here)), "acquire")


def _give_back(here: Here, *more: Assign) -> VerbStep:
    owner = here.field("owner")
    rule = required(is_thread(owner, here.me), here, "unlocks a spinlock that it does not hold")
    return VerbStep(TRUE, always(*more, put(owner, 0)), rule, action="release")


def _lock(here: Here) -> tuple[VerbStep, ...]:
    return (_take(here),)


def _lock_irq(here: Here) -> tuple[VerbStep, ...]:
    return (*masked(here, "_irq"), _take(here))


def _lock_irqsave(here: Here) -> tuple[VerbStep, ...]:
    return (*masked(here, "_irqsave"), _take(here))


def _lock_bh(here: Here) -> tuple[VerbStep, ...]:
    return (*masked(here, "_bh"), _take(here))


def _unlock(here: Here) -> tuple[VerbStep, ...]:
    return (_give_back(here),)


def _unlock_irq(here: Here) -> tuple[VerbStep, ...]:
    return (_give_back(here, *unmasked(here, "_irq")),)


def _unlock_irqrestore(here: Here) -> tuple[VerbStep, ...]:
    return (_give_back(here, *unmasked(here, "_irqsave")),)


def _unlock_bh(here: Here) -> tuple[VerbStep, ...]:
    return (_give_back(here, *unmasked(here, "_bh")),)


def _trylock(here: Here) -> tuple[VerbStep, ...]:
    owner = here.field("owner")
    taken = Outcome(is_none(owner), (put(owner, here.me + 1),), 1)
    return (VerbStep(TRUE, (taken, Outcome(result=0)), action="try"),)


def _is_locked(here: Here) -> tuple[VerbStep, ...]:
    return tested(is_some(here.field("owner")))


_TAKE = Verb("spin_lock", "write", _lock, blocks=True, release="spin_unlock")

SPINLOCK = Primitive(
    kind="spinlock",
    fields=(
        Field("owner", thread_reference, changed_by="owner"),
        Field("saved", flag, per_thread=True, only="irq", changed_by="thread"),
    ),
    verbs=by_name(
        replace(_TAKE, guards=("spinlock",)),
        replace(_TAKE, name="spin_lock_nested", arguments=("lock", "subclass")),
        replace(
            _TAKE,
            name="spin_lock_irq",
            steps=_lock_irq,
            release="spin_unlock_irq",
            guards=("spinlock_irq",),
            needs=("irq",),
        ),
        replace(
            _TAKE,
            name="spin_lock_irqsave",
            steps=_lock_irqsave,
            release="spin_unlock_irqrestore",
            guards=("spinlock_irqsave",),
            needs=("irq",),
        ),
        replace(
            _TAKE,
            name="spin_lock_bh",
            steps=_lock_bh,
            release="spin_unlock_bh",
            guards=("spinlock_bh",),
            needs=("softirq",),
        ),
        Verb(
            "spin_trylock", "write", _trylock, result=Bool(), release="spin_unlock", guards=("spinlock_try",)
        ),
        Verb("spin_unlock", "write", _unlock),
        Verb("spin_unlock_irq", "write", _unlock_irq, needs=("irq",)),
        Verb("spin_unlock_irqrestore", "write", _unlock_irqrestore, needs=("irq",)),
        Verb("spin_unlock_bh", "write", _unlock_bh, needs=("softirq",)),
        Verb("spin_is_locked", "write", _is_locked, result=Bool()),
    ),
    holds=_holds,
    no_sleep=frozenset({"write"}),
)
