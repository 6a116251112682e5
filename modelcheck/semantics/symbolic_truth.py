"""Truth values of formulas: Python's True and False where they are known, z3 terms elsewhere.

What is known is folded here and never reaches the solver: most of a model's control flow is constant at a
given depth, and a term that is not built costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import z3

Term = Any
"""A z3 expression (z3 has no type stubs)."""

Context = Any
"""A z3.Context: the terms of one engine's run live and die with it."""

Truth = Any
"""True, False, or a z3 BoolRef."""


def conjunction(parts: Iterable[Truth]) -> Truth:
    """Return the conjunction; of nothing: True."""
    kept = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            kept.append(part)
    if not kept:
        return True
    return kept[0] if len(kept) == 1 else z3.And(kept)


def disjunction(parts: Iterable[Truth]) -> Truth:
    """Return the disjunction; of nothing: False."""
    kept = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            kept.append(part)
    if not kept:
        return False
    return kept[0] if len(kept) == 1 else z3.Or(kept)


def negation(part: Truth) -> Truth:
    """Return the negation."""
    return (not part) if isinstance(part, bool) else z3.Not(part)


def implication(premise: Truth, conclusion: Truth) -> Truth:
    """Return `premise` implies `conclusion`."""
    return disjunction((negation(premise), conclusion))


def choice(condition: Truth, then: Truth, otherwise: Truth) -> Truth:
    """Return `then` where the condition is true, else `otherwise`."""
    if isinstance(condition, bool):
        return then if condition else otherwise
    if isinstance(then, bool) and isinstance(otherwise, bool):
        if then == otherwise:
            return then
        return condition if then else negation(condition)
    if isinstance(then, bool):
        return disjunction((condition, otherwise)) if then else conjunction((negation(condition), otherwise))
    if isinstance(otherwise, bool):
        return disjunction((negation(condition), then)) if otherwise else conjunction((condition, then))
    return then if then.eq(otherwise) else z3.If(condition, then, otherwise)


def same(one: Truth, other: Truth) -> Truth:
    """Return whether both have the same value."""
    if isinstance(one, bool):
        return other if one else negation(other)
    if isinstance(other, bool):
        return one if other else negation(one)
    return one == other


def formula(truth: Truth, context: Context) -> Term:
    """Return the truth value as a term that a solver takes."""
    return z3.BoolVal(truth, context) if isinstance(truth, bool) else truth
