"""rwlock: as a rwsem, but the waiter spins and nobody may sleep who holds it (SEMANTICS A9, H1, H2).

Variables and rules stand in locks/reader_writer.py; `saved`, in models that switch interrupts off: whether they were
off each time that an _irqsave form took the lock, the last time in the lowest bit (reading nests).
Rules: it is the queued rwlock of x86, arm64 and others. A reader in a thread waits behind a writer that waits; one in
interrupt context passes it and waits only for a writer that has the lock. Interrupt context is a handler, and also a
thread that has switched soft interrupts off: in_interrupt() is what the kernel asks. The _irq, _irqsave and _bh forms
switch (soft) interrupts off before they take the lock, as those of a spinlock do.
Source: kernel/locking/qrwlock.c, include/asm-generic/qrwlock.h, include/linux/preempt.h,
include/linux/rwlock_api_smp.h (6.1), with CONFIG_QUEUED_RWLOCKS, with preemption and PREEMPT_RT off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from modelcheck.language.model import FALSE, TRUE, Expr
from modelcheck.language.types import Bool
from modelcheck.locks.masking import BACK, NEEDS, Form, masked, saved_of_each, unmasked
from modelcheck.locks.primitive import Field, Here, Primitive, Verb, VerbStep, by_name, is_some
from modelcheck.locks.reader_writer import (
    FIELDS,
    announced,
    got,
    holds,
    read_given_back,
    taken_for_reading,
    tried_for_reading,
    tried_for_writing,
    write_given_back,
)


def _passes(here: Here) -> Expr:
    """Return when a reader does not queue behind a writer that waits: in_interrupt()."""
    if here.in_handler:
        return TRUE
    soft = here.own("softirq", "off")
    return FALSE if soft is None else is_some(soft)


def _pair(form: Form) -> tuple[Verb, ...]:
    """Return the verbs of one form: each of the two ways to take the lock, and how it is given back."""

    def read(here: Here) -> tuple[VerbStep, ...]:
        return (*masked(here, form, nests=True), taken_for_reading(here, _passes(here)))

    def write(here: Here) -> tuple[VerbStep, ...]:
        return (*masked(here, form, nests=True), announced(here), got(here))

    def read_back(here: Here) -> tuple[VerbStep, ...]:
        return (read_given_back(here, *unmasked(here, form, nests=True)),)

    def write_back(here: Here) -> tuple[VerbStep, ...]:
        return (write_given_back(here, *unmasked(here, form, nests=True)),)

    def taking(mode: Literal["read", "write"], steps: Callable[[Here], tuple[VerbStep, ...]]) -> Verb:
        name, release = f"{mode}_lock{form}", f"{mode}_unlock{BACK[form]}"
        guards = () if form == "_bh" else (name,)
        return Verb(name, mode, steps, True, release=release, guards=guards, needs=NEEDS[form])

    return (
        taking("read", read),
        taking("write", write),
        Verb(f"read_unlock{BACK[form]}", "read", read_back, needs=NEEDS[form]),
        Verb(f"write_unlock{BACK[form]}", "write", write_back, needs=NEEDS[form]),
    )


def _read_trylock(here: Here) -> tuple[VerbStep, ...]:
    return (tried_for_reading(here),)


def _write_trylock(here: Here) -> tuple[VerbStep, ...]:
    return (tried_for_writing(here),)


RWLOCK = Primitive(
    kind="rwlock",
    fields=(*FIELDS, Field("saved", saved_of_each, per_thread=True, only="irq", changed_by="thread")),
    verbs=by_name(
        *_pair(""),
        *_pair("_irq"),
        *_pair("_irqsave"),
        *_pair("_bh"),
        Verb("read_trylock", "read", _read_trylock, result=Bool(), release="read_unlock"),
        Verb("write_trylock", "write", _write_trylock, result=Bool(), release="write_unlock"),
    ),
    holds=holds,
    modes=("write", "read"),
    bars="threads",
    no_sleep=frozenset({"write", "read"}),
)
