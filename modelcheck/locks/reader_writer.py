"""What rwsem and rwlock share: readers that come after a writer wait behind it (SEMANTICS A9).

Variables: `writer`, none or the thread that holds it for writing; `readers`, how often each thread holds it for
reading; `announced`, the writers that wait. No queue is kept: whether a waiter has joined it cannot be observed, only
whether it bars others, and that is what announcing does (tests/agreement/test_queues.py compares the two).
Rules: a reader gets it if there is no writer and none has announced itself. A writer announces itself, which it
always may, and gets it when there is neither a writer nor a reader. A holder that asks again follows the same rules,
and so may wait for itself. A try gets it if nobody is in the way at once.
"""

from __future__ import annotations

from modelcheck.language.model import (
    FALSE,
    TRUE,
    Arith,
    Assign,
    Compare,
    Const,
    Expr,
    LockAt,
    Obstacle,
    Or,
    Require,
    Wait,
)
from modelcheck.language.types import Enum, Scalar, SetOf
from modelcheck.locks.primitive import (
    DEEPEST,
    Declared,
    Field,
    Here,
    Mode,
    Outcome,
    VerbStep,
    always,
    both,
    by,
    either,
    field_of,
    is_none,
    is_some,
    is_thread,
    neither,
    nesting,
    nobody_else,
    owned,
    put,
    required,
    thread_reference,
)


def _threads(declared: Declared) -> Scalar:
    return SetOf(Enum("thread", declared.threads))


FIELDS = (
    Field("writer", thread_reference, changed_by="owner"),
    Field("readers", nesting, per_thread=True, changed_by="thread"),
    Field("announced", _threads),
)

READERS_LEAVE = ("up_read", "up_read_non_owner")
"""The verbs that end the reading of a lock whose readers are handed over."""


def holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    """Return the condition that the thread holds the lock in the mode."""
    if mode == "read":
        return is_some(field_of(at, "readers", thread))
    return is_thread(field_of(at, "writer"), thread)


def in_use(here: Here) -> Expr:
    """Return the condition that somebody has the lock or is about to write."""
    return either(is_some(here.field("writer")), is_some(here.field("announced")), _read_by_some(here))


def withdrawn(here: Here) -> Assign:
    """Return the update that takes the running thread's announcement back."""
    others = sum(1 << t for t in here.everybody if t != here.me)
    return put(here.field("announced"), Arith("&", here.field("announced"), Const(others)))


def _read_by_some(here: Here) -> Expr:
    return Or(tuple(is_some(here.field("readers", t)) for t in here.everybody))


def _has_announced(here: Here, thread: int) -> Expr:
    return Compare("!=", Arith("&", here.field("announced"), Const(1 << thread)), Const(0))


def _one_more(here: Here) -> Assign:
    return put(here.mine("readers"), Arith("+", here.mine("readers"), Const(1)))


# --- reading -------------------------------------------------------------------------------------


def not_too_deep(here: Here) -> tuple[Require, ...]:
    """Return the rule that read locks do not leak."""
    message = f"holds a {here.at.lock.kind} for reading {DEEPEST} times already (read locks leak)"
    return required(Compare("<", here.mine("readers"), Const(DEEPEST)), here, message)


def taken_for_reading(here: Here, passes: Expr = FALSE) -> VerbStep:
    """Return the step that takes the lock for reading; where `passes` holds, writers that wait are no hindrance."""
    waits = neither(passes)
    free = both(is_none(here.field("writer")), either(passes, is_none(here.field("announced"))))
    ahead = tuple((t, both(waits, _has_announced(here, t))) for t in here.everybody) if passes != TRUE else ()
    wait = Wait.for_owners((*owned(here.field("writer"), here), *ahead))
    return VerbStep(free, always(_one_more(here)), not_too_deep(here), wait, "acquire")


def tried_for_reading(here: Here) -> VerbStep:
    """Return the step that takes the lock for reading unless somebody writes or waits."""
    free = both(is_none(here.field("writer")), is_none(here.field("announced")))
    outcomes = (Outcome(free, (_one_more(here),), 1), Outcome(result=0))
    return VerbStep(TRUE, outcomes, not_too_deep(here), action="try")


def read_given_back(here: Here, *more: Assign) -> VerbStep:
    """Return the step that ends reading.

    Whose count goes down is not to be seen where readers are handed over: its own if it has one, else the first.
    """
    threads = (here.me, *(t for t in here.everybody if t != here.me)) if here.hands_over else (here.me,)
    cells = [here.field("readers", t) for t in threads]
    less = tuple(Outcome(is_some(c), (put(c, Arith("-", c, Const(1))), *more)) for c in cells)
    message = f"releases a {here.at.lock.kind} that it does not hold for reading"
    return VerbStep(TRUE, less, required(Or(tuple(map(is_some, cells))), here, message), action="release")


# --- writing -------------------------------------------------------------------------------------


def announced(here: Here) -> VerbStep:
    """Return the step after which readers wait for the writer."""
    waiting = here.field("announced")
    return VerbStep(TRUE, always(put(waiting, Arith("|", waiting, Const(1 << here.me)))), action="announce")


def got(here: Here) -> VerbStep:
    """Return the step with which a writer that has announced itself gets the lock."""
    writer = here.field("writer")
    free = both(is_none(writer), nobody_else(here, "readers"))
    return VerbStep(
        free, always(put(writer, here.me + 1), withdrawn(here)), wait=_for_holders(here), action="acquire"
    )


def _for_holders(here: Here) -> Wait:
    readers = tuple(here.field("readers", t) for t in here.everybody)
    writing = owned(here.field("writer"), here)
    if not here.hands_over:
        return Wait.for_owners((*writing, *((t, is_some(cell)) for t, cell in enumerate(readers))))
    return Wait(
        (
            Obstacle(writing, when=is_some(here.field("writer"))),
            Obstacle(any_of=tuple(by(cell, *READERS_LEAVE) for cell in readers), when=_read_by_some(here)),
        )
    )


def tried_for_writing(here: Here) -> VerbStep:
    """Return the step that takes the lock for writing unless somebody has it or waits."""
    writer = here.field("writer")
    taken = Outcome(neither(in_use(here)), (put(writer, here.me + 1),), 1)
    return VerbStep(TRUE, (taken, Outcome(result=0)), action="try")


def write_given_back(here: Here, *more: Assign) -> VerbStep:
    """Return the step that ends writing."""
    writer = here.field("writer")
    message = f"releases a {here.at.lock.kind} that it does not hold for writing"
    rule = required(is_thread(writer, here.me), here, message)
    return VerbStep(TRUE, always(*more, put(writer, 0)), rule, action="release")


def downgraded(here: Here) -> VerbStep:
    """Return the step from writing to reading: no other writer gets in between, and who has announced itself stays."""
    writer = here.field("writer")
    message = f"downgrades a {here.at.lock.kind} that it does not hold for writing"
    rule = required(is_thread(writer, here.me), here, message)
    return VerbStep(TRUE, always(put(writer, 0), _one_more(here)), rule, action="try")
