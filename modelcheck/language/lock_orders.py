"""The declared order of locks: `order a < b < c;` resolved, and closed under transitivity."""

from __future__ import annotations

from modelcheck.diagnostics import an
from modelcheck.language import syntax
from modelcheck.language.context import Context, Unit
from modelcheck.language.model import DeclaredOrder
from modelcheck.language.scope import KINDS, LockBinding
from modelcheck.locks import PRIMITIVES
from modelcheck.source import Span

Pairs = dict[tuple[str, str], Span]


def declared_orders(unit: Unit, nodes: list[syntax.LockOrder]) -> tuple[DeclaredOrder, ...]:
    """Return every pair of lock classes of which one comes first, with the declaration that says so.

    Reports what is no lock, a lock that stands twice in one order, and orders that contradict each other.
    """
    ctx = Context(unit, unit.globals, "property")
    known: Pairs = {}
    for node in nodes:
        names = [name for name in node.locks if _is_lock(ctx, name)]
        chain: list[str] = []
        for name in names:
            if name.id in chain:
                message = f"`{name.id}` stands twice in one order"
                ctx.error("MC036", name.span, message, "each lock has one place")
                continue
            against = next((first for first in chain if (name.id, first) in known), None)
            if against is not None:
                where = known[name.id, against]
                message = f"`{against} < {name.id}` contradicts the order at {where}"
                ctx.error("MC036", name.span, message, f"there `{name.id}` comes before `{against}`")
                break
            for first in chain:
                _add(known, first, name.id, node.span)
            chain.append(name.id)
    return tuple(DeclaredOrder(first, then, span) for (first, then), span in known.items())


def _is_lock(ctx: Context, name: syntax.Name) -> bool:
    """Tell whether the name is that of a lock that a thread can wait for; report one that is not."""
    binding = ctx.find(name.id, name.span)
    if binding is None:
        return False
    if not isinstance(binding, LockBinding):
        ctx.error("MC012", name.span, f"`{name.id}` is {KINDS[type(binding)]}, not a lock")
        return False
    if not PRIMITIVES[binding.lock.kind].ordered:
        ctx.error(
            "MC012", name.span, f"nobody waits for {an(binding.lock.kind)}: it has no place in an order"
        )
        return False
    return True


def _add(known: Pairs, first: str, then: str, span: Span) -> None:
    """Add a pair, and all that follows from it together with the others."""
    before = [first, *(a for a, b in known if b == first)]
    after = [then, *(b for a, b in known if a == then)]
    for a in before:
        for b in after:
            known.setdefault((a, b), span)
