"""mutex: one owner, sleeping, not recursive (SEMANTICS A9).

Variables: `owner`, none or a thread.
Rules: lock is enabled if there is no owner; the owner again is an error step, and so is a release by another.
A try never waits. The interruptible and killable forms return 0 when they got the lock, -EINTR if they gave up
while a signal was pending (locks/signals.py).
Source: kernel/locking/mutex.c, Documentation/locking/mutex-design.rst (6.1).
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language.types import ERRNO, Bool
from modelcheck.locks.owner import give_back, holds, is_locked, take, try_to_take
from modelcheck.locks.primitive import (
    Field,
    Here,
    Primitive,
    Verb,
    VerbStep,
    by_name,
    thread_reference,
)
from modelcheck.locks.signals import interruptible


def _lock(here: Here) -> tuple[VerbStep, ...]:
    return (take(here, "mutex"),)


def _unlock(here: Here) -> tuple[VerbStep, ...]:
    return (give_back(here, "mutex"),)


def _lock_interruptible(here: Here) -> tuple[VerbStep, ...]:
    return tuple(interruptible(step, here) for step in _lock(here))


def _lock_killable(here: Here) -> tuple[VerbStep, ...]:
    return tuple(interruptible(step, here, fatal=True) for step in _lock(here))


_TAKE = Verb("mutex_lock", "write", _lock, blocks=True, sleeps=True, release="mutex_unlock")
_MAY_FAIL = replace(_TAKE, result=ERRNO)

MUTEX = Primitive(
    kind="mutex",
    fields=(Field("owner", thread_reference, changed_by="owner"),),
    verbs=by_name(
        replace(_TAKE, guards=("mutex", "device")),
        replace(_TAKE, name="mutex_lock_nested", arguments=("lock", "subclass")),
        replace(
            _MAY_FAIL, name="mutex_lock_interruptible", steps=_lock_interruptible, guards=("mutex_intr",)
        ),
        replace(_MAY_FAIL, name="mutex_lock_killable", steps=_lock_killable, guards=("mutex_kill",)),
        Verb(
            "mutex_trylock",
            "write",
            try_to_take,
            result=Bool(),
            release="mutex_unlock",
            guards=("mutex_try",),
        ),
        Verb("mutex_unlock", "write", _unlock),
        Verb("mutex_is_locked", "write", is_locked, result=Bool()),
    ),
    holds=holds,
)
