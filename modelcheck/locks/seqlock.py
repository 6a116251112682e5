"""seqlock: readers look, and look again if a writer came in between; writers hold a spinlock (SEMANTICS H1).

Variables: `writer`, none or the thread that has the spinlock; `looking`, whether it has it by read_seqlock_excl and
writes nothing; for each thread `inside`, whether it is in a reader's section, and `dirty`, whether a writer has begun
since; `saved`, in models that switch interrupts off, as for a spinlock. This is exact, and finite where the kernel's
sequence number is not.
Rules: read_seqbegin spins while somebody writes, and begins a section; called inside one it starts over, so that what
was read before is not vouched for. A writer that begins makes all sections dirty, its own thread's too.
read_seqretry tells whether the section is dirty, and ends it; without a section it is an error step. The write side
is a spinlock: the owner again is an error step, and so is a release by another. read_seqlock_excl takes the spinlock
and is no writer: readers neither wait for it nor retry.
Source: include/linux/seqlock.h, Documentation/locking/seqlock.rst (6.1).
"""

from __future__ import annotations

from typing import Literal

from modelcheck.language.model import TRUE, Assign, Expr, LockAt, Wait
from modelcheck.language.types import Bool
from modelcheck.locks.masking import BACK, NEEDS, Form, masked, unmasked
from modelcheck.locks.primitive import (
    Field,
    Here,
    Mode,
    Outcome,
    Primitive,
    Verb,
    VerbStep,
    always,
    both,
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
    thread_reference,
)

Side = Literal["write", "read"]


def _holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    looking = field_of(at, "looking")
    return both(
        is_thread(field_of(at, "writer"), thread), is_some(looking) if mode == "read" else is_none(looking)
    )


# --- readers -------------------------------------------------------------------------------------


def _begin(here: Here) -> tuple[VerbStep, ...]:
    writer, looking = here.field("writer"), here.field("looking")
    writing = tuple((t, both(owns, is_none(looking))) for t, owns in owned(writer, here))
    begun = always(put(here.mine("inside"), 1), put(here.mine("dirty"), 0))
    guard = either(is_none(writer), is_some(looking))
    return (VerbStep(guard, begun, wait=Wait.for_owners(writing), action="acquire"),)


def _retry(here: Here) -> tuple[VerbStep, ...]:
    inside, dirty = here.mine("inside"), here.mine("dirty")
    rule = required(is_some(inside), here, "asks whether to read again without read_seqbegin before")
    ended = (put(inside, 0), put(dirty, 0))
    return (VerbStep(TRUE, (Outcome(is_some(dirty), ended, 1), Outcome(TRUE, ended, 0)), rule),)


# --- the spinlock --------------------------------------------------------------------------------


def _take(here: Here, side: Side) -> VerbStep:
    writer = here.field("writer")
    mine = is_thread(writer, here.me)
    rule = required(neither(mine), here, "locks a seqlock that it holds already (self-deadlock)")
    soiled = tuple(put(here.field("dirty", t), here.field("inside", t)) for t in here.everybody)
    more: tuple[Assign, ...] = soiled if side == "write" else (put(here.field("looking"), 1),)
    taken = always(put(writer, here.me + 1), *more)
    return VerbStep(
        either(is_none(writer), mine), taken, rule, Wait.for_owners(owned(writer, here)), "acquire"
    )


def _give_back(here: Here, side: Side, form: Form) -> VerbStep:
    what = "hold" if side == "write" else "hold by read_seqlock_excl"
    rule = required(_holds(here.at, here.me, side), here, f"releases a seqlock that it does not {what}")
    less = (put(here.field("looking"), 0), put(here.field("writer"), 0))
    return VerbStep(TRUE, always(*unmasked(here, form), *less), rule, action="release")


def _pair(side: Side, form: Form) -> tuple[Verb, Verb]:
    """Return the verbs of one form and side: how the spinlock is taken, and how it is given back."""
    middle = "" if side == "write" else "_excl"

    def take(here: Here) -> tuple[VerbStep, ...]:
        return (*masked(here, form), _take(here, side))

    def give_back(here: Here) -> tuple[VerbStep, ...]:
        return (_give_back(here, side, form),)

    release = f"{side}_sequnlock{middle}{BACK[form]}"
    needs = NEEDS[form]
    return (
        # Asking is exclusive on both sides; what the holder may do with the data is not.
        Verb(f"{side}_seqlock{middle}{form}", "write", take, blocks=True, release=release, needs=needs),
        Verb(release, "write", give_back, needs=needs),
    )


SEQLOCK = Primitive(
    kind="seqlock",
    fields=(
        Field("writer", thread_reference, changed_by="owner"),
        Field("looking", flag, changed_by="owner"),
        Field("inside", flag, per_thread=True, changed_by="thread"),
        Field("dirty", flag, per_thread=True),
        Field("saved", flag, per_thread=True, only="irq", changed_by="thread"),
    ),
    verbs=by_name(
        Verb("read_seqbegin", "read", _begin, blocks=True),
        Verb("read_seqretry", "read", _retry, result=Bool()),
        *(verb for form in BACK for verb in _pair("write", form)),
        *(verb for form in BACK for verb in _pair("read", form)),
    ),
    holds=_holds,
    modes=("write", "read"),
    no_sleep=frozenset({"write", "read"}),
    one_holder=True,
)
