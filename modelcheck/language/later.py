"""Temporal operators, which this version does not have (MC006): known by name, so that nobody looks for a typo."""

from __future__ import annotations

from modelcheck.language.context import Context
from modelcheck.source import Span

TEMPORAL = frozenset(("always", "eventually", "until", "leads_to"))


def report(ctx: Context, span: Span, name: str) -> None:
    """Report a function that comes later."""
    message = f"`{name}` is not available in this version"
    ctx.error("MC006", span, message, "properties are invariant, step and reachable")
