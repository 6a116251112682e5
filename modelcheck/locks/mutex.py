"""mutex: one owner, sleeping, not recursive (SEMANTICS A9).

Variables: `owner`, none or a thread.
Rules: lock is enabled if there is no owner; the owner again is an error step, and so is a release by another.
A try never waits. The interruptible and killable forms return 0 when they got the lock, -EINTR if they gave up
while a signal was pending (locks/signals.py).
Source: kernel/locking/mutex.c, Documentation/locking/mutex-design.rst (6.1).
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language.model import TRUE, Const, Expr, LockAt, Require, Wait
from modelcheck.language.types import ERRNO, Bool
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
from modelcheck.locks.signals import interruptible


def _holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    return is_thread(field_of(at, "owner"), thread) if mode == "write" else Const(0)


def _not_mine(here: Here) -> tuple[Require, ...]:
    message = "locks a mutex that it holds already (self-deadlock)"
    return required(neither(is_thread(here.field("owner"), here.me)), here, message)


def _lock(here: Here) -> tuple[VerbStep, ...]:
    owner = here.field("owner")
    guard = either(is_none(owner), is_thread(owner, here.me))
    taken = always(put(owner, here.me + 1))
    return (VerbStep(guard, taken, _not_mine(here), Wait.for_owners(owned(owner, here)), "acquire"),)


def _lock_interruptible(here: Here) -> tuple[VerbStep, ...]:
    return tuple(interruptible(step, here) for step in _lock(here))


def _lock_killable(here: Here) -> tuple[VerbStep, ...]:
    return tuple(interruptible(step, here, fatal=True) for step in _lock(here))


def _trylock(here: Here) -> tuple[VerbStep, ...]:
    owner = here.field("owner")
    taken = Outcome(is_none(owner), (put(owner, here.me + 1),), 1)
    return (VerbStep(TRUE, (taken, Outcome(result=0)), action="try"),)


def _unlock(here: Here) -> tuple[VerbStep, ...]:
    owner = here.field("owner")
    rule = required(is_thread(owner, here.me), here, "unlocks a mutex that it does not hold")
    return (VerbStep(TRUE, always(put(owner, 0)), rule, action="release"),)


def _is_locked(here: Here) -> tuple[VerbStep, ...]:
    return tested(is_some(here.field("owner")))


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
            "mutex_trylock", "write", _trylock, result=Bool(), release="mutex_unlock", guards=("mutex_try",)
        ),
        Verb("mutex_unlock", "write", _unlock),
        Verb("mutex_is_locked", "write", _is_locked, result=Bool()),
    ),
    holds=_holds,
)
