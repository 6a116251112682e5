"""guard() and scoped_guard(): a lock taken here and released on leaving the scope.

The kernel's cleanup helpers; include/linux/cleanup.h (6.5 and newer).
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.diagnostics import an, near_miss
from modelcheck.language import jumps, statements, syntax, verbs
from modelcheck.language.body import one_line
from modelcheck.language.context import Context
from modelcheck.language.frame import Exit, Flow, Guarding, VerbCall, Way, Work, as_block, closing, jump
from modelcheck.language.naming import named
from modelcheck.language.places import lock_at
from modelcheck.language.types import Bool
from modelcheck.locks import GUARDS, PRIMITIVES
from modelcheck.locks.primitive import Verb
from modelcheck.source import Span


def _taken(ctx: Context, node: syntax.Guard | syntax.ScopedGuard, text: str, span: Span) -> VerbCall | None:
    """Return the verb call that a guard makes; report a guard that does not fit its lock."""
    place = named(node, node.kind)
    if node.kind not in GUARDS:
        hint = near_miss(node.kind, GUARDS) or f"there are {', '.join(sorted(GUARDS))}"
        ctx.error("MC010", place, f"there is no guard `{node.kind}`", hint)
        return None
    primitive, verb = GUARDS[node.kind]
    if len(node.arguments) != len(verb.arguments):
        wanted = f"guard `{node.kind}` takes no lock" if primitive.domain else "a guard takes one lock"
        ctx.error("MC024", node.span, f"{wanted}, {len(node.arguments)} given")
        return None
    at = ctx.unit.domains.get(primitive.kind) if primitive.domain else lock_at(ctx, node.arguments[0])
    if at is None:
        return None
    if at.lock.kind != primitive.kind:
        own = sorted(kind for kind, (p, _) in GUARDS.items() if p.kind == at.lock.kind)
        message = (
            f"guard `{node.kind}` is for {an(primitive.kind)}, but `{at.lock.name}` is {an(at.lock.kind)}"
        )
        hint = (
            f"{an(at.lock.kind)} has {', '.join(own)}"
            if own
            else f"call the verbs: {an(at.lock.kind)} has no guard"
        )
        ctx.error("MC030", place, message, hint)
        return None
    return VerbCall(verb, at, span, text)


def _held(work: Work, taken: VerbCall, node: syntax.Guard | syntax.ScopedGuard) -> tuple[VerbCall, Guarding]:
    """Return the verb call with its lock's index kept, and what is to be released."""
    kept = work.body.kept_index(work.ctx, taken.at, node)
    assert taken.verb.release is not None
    release_by = PRIMITIVES[taken.at.lock.kind].verbs[taken.verb.release]
    return replace(taken, kept=kept), Guarding(kept[0], release_by, node)


def guard(work: Work, node: syntax.Guard, way: Way) -> Flow:
    """Lower `guard(kind)(l);`; the flow returned releases the lock where the block is left."""
    taken = _taken(work.ctx, node, one_line(node.span.text), node.span)
    if taken is not None and taken.verb.result is not None:
        hint = f"use scoped_guard({node.kind}, l) or scoped_cond_guard({node.kind}, return -EBUSY, l)"
        work.ctx.error("MC032", named(node, node.kind), f"guard `{node.kind}` may fail to get the lock", hint)
        taken = None
    if taken is None:
        work.go(way, node.span)
        return work.flow
    kept, held = _held(work, taken, node)
    verbs.run_verb(work, kept, way.entry, lambda _: jump(way.following))
    return work.holding(held).flow


def release(work: Work, guarding: Guarding, way: Way, left_by: Span) -> None:
    """Add the release of a guard on leaving its scope; reports show both places."""
    locks = ", ".join(one_line(a.span.text) for a in guarding.node.arguments)
    text = f"{guarding.release.name}({locks})"
    call = VerbCall(guarding.release, guarding.at, guarding.node.span, text, left_by=left_by)
    verbs.run_verb(work.fresh(), call, way.entry, lambda _: jump(way.following))


def scoped_guard(work: Work, node: syntax.ScopedGuard, way: Way) -> None:
    """Lower `scoped_guard(kind, l) { }`; one that may fail skips the block, or does what its `fail` says."""
    head = Span(node.span.source, node.span.start, node.body.span.start)
    taken = _taken(work.ctx, node, one_line(head.text), head)
    if taken is None:
        work.go(way, node.span)
        return
    inside, failed, after = work.new(), way.following, work.new()
    if node.fail is not None:
        failed = work.new()
        statements.block(work, as_block(node.fail), Way(failed, way.following))
    kept, held = _held(work, taken, node)
    got = _got(taken.verb)
    verbs.run_verb(work, kept, way.entry, lambda r: jump(inside if r in got else failed))
    within = work.holding(held)
    statements.block(within, as_block(node.body), Way(inside, after))
    jumps.leave(within, after, Exit(way.following, len(work.flow.guards)), closing(node.span))


def _got(verb: Verb) -> tuple[int | None, ...]:
    """Return the results of a verb that say that the lock was got: 1 of a try, 0 of a form that can fail."""
    if verb.result is None:
        return (None,)
    return (1,) if isinstance(verb.result, Bool) else (0,)


def check_atomic(ctx: Context, locks: set[str]) -> None:
    """Refuse a guarded access in an atomic block that takes or gives back its guard.

    guarded_by is checked by the locks in hand where a statement begins, and for such a block that says nothing.
    """
    for access in ctx.accesses:
        guards = {at.lock.name for rule in access.ref.var.guards for at in rule.locks}
        if not access.unguarded and guards & locks:
            name, lock = access.ref.var.name, min(guards & locks)
            message = f"`{name}` is guarded by {lock}, which this atomic block takes or gives back"
            ctx.error("MC044", access.span, message, "leave the access, or the verb, outside the block")
