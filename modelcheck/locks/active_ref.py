"""active_ref: the active references of a sysfs file, and their draining when it goes away (SEMANTICS H1, G15).

Variables: `state`: dead, live, draining; `holders`, how many references each thread has; `drains`, whether each thread
is in kernfs_drain and not yet rid of all holders.
Rules: it starts dead, and kernfs_activate makes it live. kernfs_get_active never waits: it fails unless it is live.
kernfs_drain is two steps: draining, from where on nobody gets a reference; then dead, when there is no holder. A holder
that drains waits for itself, unless it breaks its protection before (kernfs_break_active_protection gives the
reference back, kernfs_unbreak_active_protection takes it again, whatever the state). Activating it again once it is
dead is the file of a new device under the old name. Who drains as another does is done as soon as that one is.
A reference is held for reading, taken by a try: it gives no edge to itself in the lock order. Draining asks for all of
it, as a writer that does not hold it afterwards: lockdep's `kn->active`, one class for each declaration here.
Source: fs/kernfs/dir.c (6.1): kernfs_get_active, kernfs_drain, kernfs_activate_one, kernfs_break_active_protection.
"""

from __future__ import annotations

from modelcheck.language.model import TRUE, Arith, Assign, Compare, Const, Expr, LockAt, Require, Wait
from modelcheck.language.types import Bool, Enum, Scalar
from modelcheck.locks.primitive import (
    DEEPEST,
    Declared,
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
    flag,
    is_none,
    is_some,
    nesting,
    nobody_else,
    put,
    required,
)

DEAD, LIVE, DRAINING = 0, 1, 2


def _state_type(_: Declared) -> Scalar:
    return Enum("active", ("dead", "live", "draining"))


def _holds(at: LockAt, thread: int, mode: Mode) -> Expr:
    return is_some(field_of(at, "holders", thread)) if mode == "read" else Const(0)


def _is(here: Here, state: int) -> Expr:
    return Compare("==", here.field("state"), Const(state))


def _activate(here: Here) -> tuple[VerbStep, ...]:
    draining = Compare("!=", here.field("state"), Const(DRAINING))
    rule = required(draining, here, "activates an active_ref that is being drained")
    old = required(
        either(_is(here, LIVE), nobody_else(here, "holders")),
        here,
        "activates an active_ref again while a reference to what it was is held",
    )
    return (VerbStep(TRUE, always(put(here.field("state"), LIVE)), (*rule, *old)),)


def _one_more(here: Here) -> Assign:
    return put(here.mine("holders"), Arith("+", here.mine("holders"), Const(1)))


def _not_too_many(here: Here, when: Expr) -> tuple[Require, ...]:
    message = f"holds an active_ref {DEEPEST} times already (references leak)"
    return required(either(when, Compare("<", here.mine("holders"), Const(DEEPEST))), here, message)


def _get(here: Here) -> tuple[VerbStep, ...]:
    got = Outcome(_is(here, LIVE), (_one_more(here),), 1)
    not_live = Compare("!=", here.field("state"), Const(LIVE))
    return (VerbStep(TRUE, (got, Outcome(result=0)), _not_too_many(here, not_live), action="try"),)


def _unbreak(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(_one_more(here)), _not_too_many(here, Const(0)), action="try"),)


def _put(here: Here) -> tuple[VerbStep, ...]:
    mine = here.mine("holders")
    rule = required(is_some(mine), here, "puts an active reference that it does not hold")
    return (VerbStep(TRUE, always(put(mine, Arith("-", mine, Const(1)))), rule, action="release"),)


def _drain(here: Here) -> tuple[VerbStep, ...]:
    state, mine = here.field("state"), here.mine("drains")
    holders = tuple((t, is_some(here.field("holders", t))) for t in here.everybody)
    done = tuple(put(here.field("drains", t), 0) for t in here.everybody)
    return (
        VerbStep(TRUE, always(put(state, DRAINING), put(mine, 1)), action="prepare"),
        VerbStep(
            either(is_none(mine), nobody_else(here, "holders")),
            (Outcome(is_some(mine), (*done, put(state, DEAD))), Outcome()),
            wait=Wait.for_owners(holders),
            action="acquire",
        ),
    )


ACTIVE_REF = Primitive(
    kind="active_ref",
    fields=(
        Field("state", _state_type),
        Field("holders", nesting, per_thread=True, changed_by="thread"),
        Field("drains", flag, per_thread=True),
    ),
    verbs=by_name(
        Verb("kernfs_activate", "write", _activate),
        Verb("kernfs_get_active", "read", _get, result=Bool(), release="kernfs_put_active"),
        Verb("kernfs_put_active", "read", _put),
        Verb("kernfs_drain", "write", _drain, blocks=True, sleeps=True),
        Verb("kernfs_break_active_protection", "read", _put),
        Verb("kernfs_unbreak_active_protection", "read", _unbreak, release="kernfs_put_active"),
    ),
    holds=_holds,
    modes=("read",),
)
