"""What a mutex and a spinlock share: one `owner`, not recursive; only the owner releases (SEMANTICS A9)."""

from __future__ import annotations

from modelcheck.language.model import TRUE, Assign, Const, Expr, LockAt, Wait
from modelcheck.locks.primitive import (
    Here,
    Mode,
    Outcome,
    VerbStep,
    always,
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
)


def holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    """Return the condition that a thread is the owner; there is nothing to hold for reading."""
    return is_thread(field_of(at, "owner"), thread) if mode == "write" else Const(0)


def take(here: Here, kind: str) -> VerbStep:
    """Return the step that waits for the owner, and is an error for the owner itself; `kind` is what it is called."""
    owner = here.field("owner")
    guard = either(is_none(owner), is_thread(owner, here.me))
    message = f"locks a {kind} that it holds already (self-deadlock)"
    rule = required(neither(is_thread(owner, here.me)), here, message)
    return VerbStep(
        guard, always(put(owner, here.me + 1)), rule, Wait.for_owners(owned(owner, here)), "acquire"
    )


def give_back(here: Here, kind: str, *more: Assign) -> VerbStep:
    """Return the step that releases, after what `more` assigns."""
    owner = here.field("owner")
    rule = required(is_thread(owner, here.me), here, f"unlocks a {kind} that it does not hold")
    return VerbStep(TRUE, always(*more, put(owner, 0)), rule, action="release")


def try_to_take(here: Here) -> tuple[VerbStep, ...]:
    """Return the step of a try: 1 if it got the lock."""
    owner = here.field("owner")
    taken = Outcome(is_none(owner), (put(owner, here.me + 1),), 1)
    return (VerbStep(TRUE, (taken, Outcome(result=0)), action="try"),)


def is_locked(here: Here) -> tuple[VerbStep, ...]:
    """Return the step that asks whether there is an owner."""
    return tested(is_some(here.field("owner")))
