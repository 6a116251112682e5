"""percpu_rwsem: readers share, a writer bars new readers before it waits for the old ones (SEMANTICS A9).

Variables: `block`, none or the thread that has stage 1; `readers`, how often each thread holds it for reading;
`writing`, whether the thread in `block` has stage 2 as well (a function of its location: it adds no states).
Rules: down_write step 1 when block is none (other writers wait here and bar nobody); step 2 when there is no
reader, the writer's own reading included. down_read is enabled if block is none: a reader that asks again
behind a writer waits. up_write clears block. There are no killable forms.
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
from modelcheck.language.types import Bool, Range, Scalar, ThreadRef
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

DEEPEST = 7
"""How often one thread may hold the lock for reading at once; one more is a leak of read locks, and reported."""


def _count(_: tuple[str, ...]) -> Scalar:
    return Range(0, DEEPEST)


def _flag(_: tuple[str, ...]) -> Scalar:
    return Bool()


def _holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    if mode == "read":
        return Compare(">", field_of(at, "readers", thread), Const(0))
    return And((is_thread(field_of(at, "block"), thread), Compare("==", field_of(at, "writing"), Const(1))))


def _no_block(here: Here) -> Expr:
    return Compare("==", here.field("block"), Const(0))


def _blocked_by_writer(here: Here) -> Wait:
    return Wait(all_of=tuple((t, is_thread(here.field("block"), t)) for t in here.everybody))


def _one_more(here: Here) -> Assign:
    mine = here.field("readers", here.me)
    return Assign(mine, Arith("+", mine, Const(1)))


def _not_too_deep(here: Here) -> Require:
    breach = here.breach(f"holds a percpu_rwsem for reading {DEEPEST} times already (read locks leak)")
    return Require(Compare("<", here.field("readers", here.me), Const(DEEPEST)), breach)


def _down_read(here: Here) -> tuple[VerbStep, ...]:
    take = Outcome(TRUE, (_one_more(here),))
    return (VerbStep(_no_block(here), (take,), (_not_too_deep(here),), _blocked_by_writer(here), "acquire"),)


def _down_read_trylock(here: Here) -> tuple[VerbStep, ...]:
    take = Outcome(_no_block(here), (_one_more(here),), 1)
    return (VerbStep(TRUE, (take, Outcome(result=0)), (_not_too_deep(here),), action="try"),)


def _up_read(here: Here) -> tuple[VerbStep, ...]:
    mine = here.field("readers", here.me)
    breach = here.breach("releases a percpu_rwsem that it does not hold for reading")
    less = Outcome(TRUE, (Assign(mine, Arith("-", mine, Const(1))),))
    return (VerbStep(TRUE, (less,), (Require(Compare(">", mine, Const(0)), breach),), action="release"),)


def _down_write(here: Here) -> tuple[VerbStep, ...]:
    announce = Outcome(TRUE, (Assign(here.field("block"), Const(here.me + 1)),))
    readers = tuple((t, Compare(">", here.field("readers", t), Const(0))) for t in here.everybody)
    nobody = And(tuple(Compare("==", here.field("readers", t), Const(0)) for t in here.everybody))
    get = Outcome(TRUE, (Assign(here.field("writing"), Const(1)),))
    return (
        VerbStep(_no_block(here), (announce,), wait=_blocked_by_writer(here), action="announce"),
        VerbStep(nobody, (get,), wait=Wait(all_of=readers), action="acquire"),
    )


def _up_write(here: Here) -> tuple[VerbStep, ...]:
    breach = here.breach("releases a percpu_rwsem that it does not hold for writing")
    clear = (Assign(here.field("writing"), Const(0)), Assign(here.field("block"), Const(0)))
    rule = Require(_holds(here.at, here.me, "write"), breach)
    return (VerbStep(TRUE, (Outcome(TRUE, clear),), (rule,), action="release"),)


def _test(condition: Expr) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, (Outcome(condition, result=1), Outcome(result=0)), action="test"),)


def _is_write_locked(here: Here) -> tuple[VerbStep, ...]:
    return _test(Compare("!=", here.field("block"), Const(0)))


def _is_read_locked(here: Here) -> tuple[VerbStep, ...]:
    reading = Or(tuple(_holds(here.at, t, "read") for t in here.everybody))
    return _test(And((_no_block(here), reading)))


_VERBS = (
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
)

PERCPU_RWSEM = Primitive(
    kind="percpu_rwsem",
    fields=(Field("block", ThreadRef), Field("writing", _flag), Field("readers", _count, per_thread=True)),
    verbs={verb.name: verb for verb in _VERBS},
    holds=_holds,
    modes=("write", "read"),
)
