"""Truth values of formulas: Python's True and False where they are known, z3 terms elsewhere.

What is known is folded here and never reaches the solver: most of a model's control flow is constant at a
given depth, and a term that is not built costs nothing. Those that are built go straight to z3's C interface: z3.And,
z3.Or, z3.Not and z3.If look for coercions first, which takes five to eight times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    return kept[0] if len(kept) == 1 else _joined(z3.Z3_mk_and, kept)


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
    return kept[0] if len(kept) == 1 else _joined(z3.Z3_mk_or, kept)


def _joined(make: Callable[..., Any], parts: list[Term]) -> Term:
    context = parts[0].ctx
    trees = (z3.Ast * len(parts))(*(part.as_ast() for part in parts))
    return z3.BoolRef(make(context.ref(), len(parts), trees), context)


def negation(part: Truth) -> Truth:
    """Return the negation."""
    if isinstance(part, bool):
        return not part
    return z3.BoolRef(z3.Z3_mk_not(part.ctx.ref(), part.as_ast()), part.ctx)


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
    return conditional(condition, then, otherwise)


def conditional(condition: Term, then: Term, otherwise: Term) -> Term:
    """Return the term `then` where the condition is true, else `otherwise`; the two are of one sort."""
    if then.eq(otherwise):
        return then
    sort = next(each for each in (z3.BoolRef, z3.BitVecRef, z3.ArithRef) if isinstance(then, each))
    context = condition.ctx
    return sort(z3.Z3_mk_ite(context.ref(), condition.as_ast(), then.as_ast(), otherwise.as_ast()), context)


def equal(one: Term, other: Term) -> Term:
    """Return whether two terms of one sort are equal."""
    return z3.BoolRef(z3.Z3_mk_eq(one.ctx.ref(), one.as_ast(), other.as_ast()), one.ctx)


def formula(truth: Truth, context: Context) -> Term:
    """Return the truth value as a term that a solver takes."""
    return z3.BoolVal(truth, context) if isinstance(truth, bool) else truth
