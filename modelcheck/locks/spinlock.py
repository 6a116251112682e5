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

from modelcheck.language.types import Bool
from modelcheck.locks.masking import masked, unmasked
from modelcheck.locks.owner import give_back, holds, is_locked, take, try_to_take
from modelcheck.locks.primitive import (
    Field,
    Here,
    Primitive,
    Verb,
    VerbStep,
    by_name,
    flag,
    thread_reference,
)


def _lock(here: Here) -> tuple[VerbStep, ...]:
    return (take(here, "spinlock"),)


def _lock_irq(here: Here) -> tuple[VerbStep, ...]:
    return (*masked(here, "_irq"), take(here, "spinlock"))


def _lock_irqsave(here: Here) -> tuple[VerbStep, ...]:
    return (*masked(here, "_irqsave"), take(here, "spinlock"))


def _lock_bh(here: Here) -> tuple[VerbStep, ...]:
    return (*masked(here, "_bh"), take(here, "spinlock"))


def _unlock(here: Here) -> tuple[VerbStep, ...]:
    return (give_back(here, "spinlock"),)


def _unlock_irq(here: Here) -> tuple[VerbStep, ...]:
    return (give_back(here, "spinlock", *unmasked(here, "_irq")),)


def _unlock_irqrestore(here: Here) -> tuple[VerbStep, ...]:
    return (give_back(here, "spinlock", *unmasked(here, "_irqsave")),)


def _unlock_bh(here: Here) -> tuple[VerbStep, ...]:
    return (give_back(here, "spinlock", *unmasked(here, "_bh")),)


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
            "spin_trylock",
            "write",
            try_to_take,
            result=Bool(),
            release="spin_unlock",
            guards=("spinlock_try",),
        ),
        Verb("spin_unlock", "write", _unlock),
        Verb("spin_unlock_irq", "write", _unlock_irq, needs=("irq",)),
        Verb("spin_unlock_irqrestore", "write", _unlock_irqrestore, needs=("irq",)),
        Verb("spin_unlock_bh", "write", _unlock_bh, needs=("softirq",)),
        Verb("spin_is_locked", "write", is_locked, result=Bool()),
    ),
    holds=holds,
    no_sleep=frozenset({"write"}),
)
