"""mutex: one owner, sleeping, not recursive (SEMANTICS A9).

Variables: `owner`, none or a thread.
Rules: lock is enabled if there is no owner; the owner again is an error step, and so is a release by another.
A try never waits. The interruptible and killable forms return 0 when they got the lock; nothing is ever signalled
unless the model does it (SEMANTICS A5). Source: kernel/locking/mutex.c, Documentation/locking/mutex-design.rst (6.1).
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language.model import TRUE, Assign, Compare, Const, Expr, LockAt, Not, Or, Require, Wait
from modelcheck.language.types import ERRNO, Bool, ThreadRef
from modelcheck.locks.primitive import (
    Field,
    Here,
    Mode,
    Outcome,
    Primitive,
    Verb,
    VerbStep,
    field_of,
    is_thread,
)


def _holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    return is_thread(field_of(at, "owner"), thread) if mode == "write" else Const(0)


def _not_mine(here: Here) -> Require:
    message = "locks a mutex that it holds already (self-deadlock)"
    return Require(Not(is_thread(here.field("owner"), here.me)), here.breach(message))


def _lock(here: Here) -> tuple[VerbStep, ...]:
    owner = here.field("owner")
    free, mine = Compare("==", owner, Const(0)), is_thread(owner, here.me)
    take = Outcome(TRUE, (Assign(owner, Const(here.me + 1)),))
    wait = Wait(all_of=tuple((t, is_thread(owner, t)) for t in here.everybody))
    return (VerbStep(Or((free, mine)), (take,), (_not_mine(here),), wait, "acquire"),)


def _trylock(here: Here) -> tuple[VerbStep, ...]:
    owner = here.field("owner")
    take = Outcome(Compare("==", owner, Const(0)), (Assign(owner, Const(here.me + 1)),), 1)
    return (VerbStep(TRUE, (take, Outcome(result=0)), action="try"),)


def _unlock(here: Here) -> tuple[VerbStep, ...]:
    owner = here.field("owner")
    rule = Require(is_thread(owner, here.me), here.breach("unlocks a mutex that it does not hold"))
    return (VerbStep(TRUE, (Outcome(TRUE, (Assign(owner, Const(0)),)),), (rule,), action="release"),)


def _is_locked(here: Here) -> tuple[VerbStep, ...]:
    taken = Outcome(Compare("!=", here.field("owner"), Const(0)), result=1)
    return (VerbStep(TRUE, (taken, Outcome(result=0)), action="test"),)


def _lock_or_errno(here: Here) -> tuple[VerbStep, ...]:
    (step,) = _lock(here)
    return (replace(step, outcomes=tuple(replace(o, result=0) for o in step.outcomes)),)


_VERBS = (
    Verb(
        "mutex_lock",
        "write",
        _lock,
        blocks=True,
        sleeps=True,
        release="mutex_unlock",
        guards=("mutex", "device"),
    ),
    Verb("mutex_lock_nested", "write", _lock, blocks=True, sleeps=True, release="mutex_unlock", nested=True),
    Verb(
        "mutex_lock_interruptible",
        "write",
        _lock_or_errno,
        blocks=True,
        sleeps=True,
        result=ERRNO,
        release="mutex_unlock",
        guards=("mutex_intr",),
    ),
    Verb(
        "mutex_lock_killable",
        "write",
        _lock_or_errno,
        blocks=True,
        sleeps=True,
        result=ERRNO,
        release="mutex_unlock",
        guards=("mutex_kill",),
    ),
    Verb("mutex_trylock", "write", _trylock, result=Bool(), release="mutex_unlock", guards=("mutex_try",)),
    Verb("mutex_unlock", "write", _unlock),
    Verb("mutex_is_locked", "write", _is_locked, result=Bool()),
)

MUTEX = Primitive(
    kind="mutex",
    fields=(Field("owner", ThreadRef),),
    verbs={verb.name: verb for verb in _VERBS},
    holds=_holds,
)
