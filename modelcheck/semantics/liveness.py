"""Which locals of a thread are live where: what its future still reads (SEMANTICS A1, "Dead locals").

Textbook backward liveness (Aho, Lam, Sethi, Ullman: Compilers, 9.2.5) on the program graph. Every read is a
use: guards, values, indexes, arguments, conditions of a `choose`. Writing a whole scalar local kills it, writing
an element of an array does not. A local that a property names (`always_live`) is live everywhere. The state
counts depend on this analysis, so nothing sharper (faint variables, single elements) may take its place.
"""

from __future__ import annotations

from typing import assert_never

from modelcheck.language.model import (
    Assign,
    Assume,
    Choose,
    Crossing,
    Effect,
    Effects,
    Either,
    Emit,
    Expr,
    Jump,
    Ref,
    Require,
    Test,
    Thread,
    Variable,
    refs,
    walk_effects,
)

Live = frozenset[Variable]


def live_locals(thread: Thread, *, results: bool = False) -> tuple[Live, ...]:
    """Return for each location of the thread the locals that are live on arriving there.

    The least solution: sweeps from the last location to the first, until one changes nothing. With `results`, what an
    op returns is live until it is left: somebody may look.
    """
    always = frozenset(v for v in thread.locals if v.always_live)
    if results:
        always |= frozenset(
            effect.call.result.var
            for location in thread.locations
            for effect in walk_effects(location.effects)
            if isinstance(effect, Crossing) and effect.call.result is not None
        )
    live = [always for _ in thread.locations]
    changed = True
    while changed:
        changed = False
        for location in reversed(thread.locations):
            body = _before_all(location.effects, frozenset(), live)
            now = always | _used(location.guard) | body
            changed = changed or now != live[location.number]
            live[location.number] = now
    return tuple(live)


def _before_all(effects: Effects, after: Live, live: list[Live]) -> Live:
    """Return what is live before the effects; `after` is live where they end without a jump."""
    for effect in reversed(effects):
        after = _before(effect, after, live)
    return after


def _before(effect: Effect, after: Live, live: list[Live]) -> Live:
    match effect:
        case Assign(target, value):
            return (after - _killed(target)) | _used(value, *target.index)
        case Choose(target, _, _, where):
            # The condition is read after the assignment: it is no use of the old value.
            return ((after | _used(where)) - _killed(target)) | _used(*target.index)
        case Test(condition, then, otherwise):
            branches = _before_all(then, after, live) | _before_all(otherwise, after, live)
            return branches | _used(condition)
        case Either(branches):
            return frozenset[Variable]().union(*(_before_all(branch, after, live) for branch in branches))
        case Require(condition) | Assume(condition):
            return after | _used(condition)
        case Emit(_, arguments, _):
            return after | _used(*arguments)
        case Crossing():
            return after
        case Jump(target):
            return live[target]
        case _:
            assert_never(effect)


def _used(*exprs: Expr) -> Live:
    return frozenset(ref.var for expr in exprs for ref in refs(expr) if ref.var.kind == "local")


def _killed(target: Ref) -> Live:
    return frozenset() if target.var.dimensions else frozenset((target.var,))
