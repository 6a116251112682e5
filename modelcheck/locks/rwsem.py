"""rwsem: readers share, writers go first; sleeping (SEMANTICS A9; variables and rules in locks/reader_writer.py).

The killable and interruptible forms return 0 when they got the lock, -EINTR if they gave up while a signal was pending
(locks/signals.py); a writer that gives up withdraws its announcement. `downgrade_write` turns writing into reading in
one step. Declared `handover`, a reader may be released by another thread, by up_read_non_owner as well as by up_read:
the kernel counts readers and does not know them. A writer is always known.
Source: kernel/locking/rwsem.c, include/linux/rwsem.h (6.1).
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language.model import FALSE, TRUE, LockAt
from modelcheck.language.types import ERRNO, Bool, Scalar
from modelcheck.locks.primitive import (
    Here,
    Primitive,
    Reading,
    Verb,
    VerbStep,
    always,
    by_name,
    required,
)
from modelcheck.locks.reader_writer import (
    FIELDS,
    announced,
    downgraded,
    got,
    holds,
    in_use,
    read_given_back,
    taken_for_reading,
    tried_for_reading,
    tried_for_writing,
    withdrawn,
    write_given_back,
)
from modelcheck.locks.signals import interruptible


def _down_read(here: Here) -> tuple[VerbStep, ...]:
    return (taken_for_reading(here),)


def _down_read_killable(here: Here) -> tuple[VerbStep, ...]:
    return (interruptible(taken_for_reading(here), here, fatal=True),)


def _down_read_interruptible(here: Here) -> tuple[VerbStep, ...]:
    return (interruptible(taken_for_reading(here), here),)


def _down_read_trylock(here: Here) -> tuple[VerbStep, ...]:
    return (tried_for_reading(here),)


def _up_read(here: Here) -> tuple[VerbStep, ...]:
    return (read_given_back(here),)


def _up_read_non_owner(here: Here) -> tuple[VerbStep, ...]:
    if here.hands_over:
        return (read_given_back(here),)
    message = "hands over a rwsem that is not declared `handover`"
    return (VerbStep(TRUE, always(), required(FALSE, here, message), action="release"),)


def _down_write(here: Here) -> tuple[VerbStep, ...]:
    return (announced(here), got(here))


def _down_write_killable(here: Here) -> tuple[VerbStep, ...]:
    return (announced(here), interruptible(got(here), here, fatal=True, undo=(withdrawn(here),)))


def _down_write_trylock(here: Here) -> tuple[VerbStep, ...]:
    return (tried_for_writing(here),)


def _up_write(here: Here) -> tuple[VerbStep, ...]:
    return (write_given_back(here),)


def _downgrade_write(here: Here) -> tuple[VerbStep, ...]:
    return (downgraded(here),)


def _bool(_: LockAt) -> Scalar:
    return Bool()


_READ = Verb("down_read", "read", _down_read, blocks=True, sleeps=True, release="up_read")
_WRITE = Verb("down_write", "write", _down_write, blocks=True, sleeps=True, release="up_write")

RWSEM = Primitive(
    kind="rwsem",
    fields=FIELDS,
    verbs=by_name(
        replace(_READ, guards=("rwsem_read",)),
        replace(_READ, name="down_read_nested", arguments=("lock", "subclass")),
        replace(
            _READ,
            name="down_read_interruptible",
            steps=_down_read_interruptible,
            result=ERRNO,
            guards=("rwsem_read_intr",),
        ),
        replace(_READ, name="down_read_killable", steps=_down_read_killable, result=ERRNO),
        Verb(
            "down_read_trylock",
            "read",
            _down_read_trylock,
            result=Bool(),
            release="up_read",
            guards=("rwsem_read_try",),
        ),
        Verb("up_read", "read", _up_read),
        Verb("up_read_non_owner", "read", _up_read_non_owner),
        replace(_WRITE, guards=("rwsem_write",)),
        replace(_WRITE, name="down_write_nested", arguments=("lock", "subclass")),
        replace(
            _WRITE,
            name="down_write_killable",
            steps=_down_write_killable,
            result=ERRNO,
            guards=("rwsem_write_kill",),
        ),
        Verb(
            "down_write_trylock",
            "write",
            _down_write_trylock,
            result=Bool(),
            release="up_write",
            guards=("rwsem_write_try",),
        ),
        Verb("up_write", "write", _up_write),
        Verb("downgrade_write", "read", _downgrade_write, release="up_read"),
    ),
    readings=(Reading("rwsem_is_locked", in_use, _bool),),
    holds=holds,
    modes=("write", "read"),
    bars="all",
    says=frozenset({"handover"}),
)
