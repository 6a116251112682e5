"""percpu_rwsem: readers share, a writer bars new readers before it waits for the old ones (SEMANTICS A9).

Variables: `block`, none or the thread that has stage 1; `readers`, how often each thread holds it for reading;
`writing`, whether the thread in `block` has stage 2 as well (a function of its location: it adds no states).
Rules: down_write step 1 when block is none (other writers wait here and bar nobody); step 2 when there is no
reader, the writer's own reading included. down_read is enabled if block is none: a reader that asks again
behind a writer waits. up_write clears block. There are no killable forms. Declared `handover`, it may be released by
another thread than the one that took it (kernel/locking/percpu-rwsem.c counts readers, and no owners).
Source: kernel/locking/percpu-rwsem.c (5.7 and newer), include/linux/percpu-rwsem.h.
"""

from __future__ import annotations

from modelcheck.language.model import (
    TRUE,
    And,
    Arith,
    Assign,
    Compare,
    Const,
    Expr,
    LockAt,
    Or,
    Require,
    Wait,
)
from modelcheck.language.types import Bool
from modelcheck.locks.primitive import (
    DEEPEST,
    Field,
    Here,
    Mode,
    Outcome,
    Primitive,
    Verb,
    VerbStep,
    always,
    both,
    by,
    by_name,
    field_of,
    flag,
    is_none,
    is_some,
    is_thread,
    nesting,
    nobody_else,
    owned,
    put,
    required,
    tested,
    thread_reference,
)


def _holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    if mode == "read":
        return is_some(field_of(at, "readers", thread))
    return both(is_thread(field_of(at, "block"), thread), is_some(field_of(at, "writing")))


def _for_the_writer(here: Here) -> Wait:
    block = here.field("block")
    if here.hands_over:
        return Wait.for_writers((by(block, "percpu_up_write"),))
    return Wait.for_owners(owned(block, here))


def _for_the_readers(here: Here) -> Wait:
    readers = tuple(here.field("readers", t) for t in here.everybody)
    if here.hands_over:
        return Wait.for_writers(tuple(by(cell, "percpu_up_read") for cell in readers))
    return Wait.for_owners(tuple((t, is_some(cell)) for t, cell in enumerate(readers)))


def _one_more(here: Here) -> Assign:
    return put(here.mine("readers"), Arith("+", here.mine("readers"), Const(1)))


def _not_too_deep(here: Here) -> tuple[Require, ...]:
    message = f"holds a percpu_rwsem for reading {DEEPEST} times already (read locks leak)"
    return required(Compare("<", here.mine("readers"), Const(DEEPEST)), here, message)


def _down_read(here: Here) -> tuple[VerbStep, ...]:
    free = is_none(here.field("block"))
    return (VerbStep(free, always(_one_more(here)), _not_too_deep(here), _for_the_writer(here), "acquire"),)


def _down_read_trylock(here: Here) -> tuple[VerbStep, ...]:
    taken = Outcome(is_none(here.field("block")), (_one_more(here),), 1)
    return (VerbStep(TRUE, (taken, Outcome(result=0)), _not_too_deep(here), action="try"),)


def _up_read(here: Here) -> tuple[VerbStep, ...]:
    # Whose count goes down is not to be seen where locks are handed over: its own if it has one, else the first.
    threads = (here.me, *(t for t in here.everybody if t != here.me)) if here.hands_over else (here.me,)
    cells = [here.field("readers", t) for t in threads]
    less = tuple(Outcome(is_some(cell), (put(cell, Arith("-", cell, Const(1))),)) for cell in cells)
    rule = required(
        Or(tuple(map(is_some, cells))), here, "releases a percpu_rwsem that it does not hold for reading"
    )
    return (VerbStep(TRUE, less, rule, action="release"),)


def _down_write(here: Here) -> tuple[VerbStep, ...]:
    block = here.field("block")
    announced, got = always(put(block, here.me + 1)), always(put(here.field("writing"), 1))
    return (
        VerbStep(is_none(block), announced, wait=_for_the_writer(here), action="announce"),
        VerbStep(nobody_else(here, "readers"), got, wait=_for_the_readers(here), action="acquire"),
    )


def _up_write(here: Here) -> tuple[VerbStep, ...]:
    holders = here.everybody if here.hands_over else (here.me,)
    held = Or(tuple(_holds(here.at, t, "write") for t in holders))
    rule = required(held, here, "releases a percpu_rwsem that it does not hold for writing")
    cleared = always(put(here.field("writing"), 0), put(here.field("block"), 0))
    return (VerbStep(TRUE, cleared, rule, action="release"),)


def _is_write_locked(here: Here) -> tuple[VerbStep, ...]:
    return tested(is_some(here.field("block")))


def _is_read_locked(here: Here) -> tuple[VerbStep, ...]:
    reading = Or(tuple(_holds(here.at, t, "read") for t in here.everybody))
    return tested(And((is_none(here.field("block")), reading)))


PERCPU_RWSEM = Primitive(
    kind="percpu_rwsem",
    fields=(
        Field("block", thread_reference, changed_by="owner"),
        Field("writing", flag, changed_by="owner"),
        Field("readers", nesting, per_thread=True, changed_by="thread"),
    ),
    verbs=by_name(
        Verb(
            "percpu_down_read",
            "read",
            _down_read,
            blocks=True,
            sleeps=True,
            release="percpu_up_read",
            guards=("percpu_read",),
        ),
        Verb("percpu_down_read_trylock", "read", _down_read_trylock, result=Bool(), release="percpu_up_read"),
        Verb("percpu_up_read", "read", _up_read),
        Verb(
            "percpu_down_write",
            "write",
            _down_write,
            blocks=True,
            sleeps=True,
            release="percpu_up_write",
            guards=("percpu_write",),
        ),
        Verb("percpu_up_write", "write", _up_write),
        Verb("percpu_is_write_locked", "write", _is_write_locked, result=Bool()),
        Verb("percpu_is_read_locked", "read", _is_read_locked, result=Bool()),
    ),
    holds=_holds,
    modes=("write", "read"),
    bars="all",
    says=frozenset({"handover"}),
)
