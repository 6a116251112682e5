"""When an expression has a value (SEMANTICS H6), itself written as an expression.

What a question says about a state must have an answer in every state, also where a thread stands before a
statement that the program's own tests keep from running: `if (i < N && cell[i])` at `i == N` accesses no cell.
The rules are those of the interpreter: an index outside its dimension, a division by zero, a bit operation on
a negative number and a shift above 62 have no value; `&&`, `||` and `?:` stop early.
"""

from __future__ import annotations

from typing import assert_never

from modelcheck.language.model import (
    FALSE,
    TRUE,
    And,
    Arith,
    At,
    Bound,
    Compare,
    Const,
    Enabled,
    Expr,
    Ite,
    Mover,
    Not,
    Or,
    Ref,
    Sum,
)
from modelcheck.language.types import Scalar, bounds
from modelcheck.language.values import comparison, negation


def conjunction(parts: tuple[Expr, ...]) -> Expr:
    """Return the conjunction without what is constant, nested conjunctions opened."""
    kept: list[Expr] = []
    for part in parts:
        for each in part.operands if isinstance(part, And) else (part,):
            if isinstance(each, Const):
                if not each.value:
                    return FALSE
            elif each not in kept:
                kept.append(each)
    if not kept:
        return TRUE
    return kept[0] if len(kept) == 1 else And(tuple(kept))


def disjunction(parts: tuple[Expr, ...]) -> Expr:
    """Return the disjunction without what is constant."""
    kept: list[Expr] = []
    for part in parts:
        if isinstance(part, Const):
            if part.value:
                return TRUE
        elif part not in kept:
            kept.append(part)
    if not kept:
        return FALSE
    return kept[0] if len(kept) == 1 else Or(tuple(kept))


def defined(expr: Expr) -> Expr:
    """Return the condition under which the expression has a value; it has one itself in every state."""
    match expr:
        case Const() | Bound() | At() | Enabled() | Mover():
            return TRUE
        case Ref(variable, index):
            inside = (in_range(e, d) for e, d in zip(index, variable.dimensions, strict=True))
            return conjunction((*map(defined, index), *inside))
        case Not(inner):
            return defined(inner)
        case And(parts):
            return _in_order(parts, stops_at=False)
        case Or(parts):
            return _in_order(parts, stops_at=True)
        case Sum(parts):
            return conjunction(tuple(map(defined, parts)))
        case Compare(_, left, right):
            return conjunction((defined(left), defined(right)))
        case Arith():
            return _defined_arithmetic(expr)
        case Ite(condition, then, otherwise):
            first, second = defined(then), defined(otherwise)
            chosen = first if first == second else Ite(condition, first, second)
            return conjunction((defined(condition), chosen))
        case _:
            assert_never(expr)


def in_range(expr: Expr, dimension: Scalar) -> Expr:
    """Return the condition that the value of an index lies in its dimension."""
    low, high = bounds(dimension)
    if isinstance(expr, Const):
        return TRUE if low <= expr.value <= high else FALSE
    if isinstance(expr, Ref | Bound):
        own = bounds(expr.var.type) if isinstance(expr, Ref) else (expr.low, expr.high)
        if low <= own[0] and own[1] <= high:
            return TRUE
    return And((Compare("<=", Const(low), expr), Compare("<=", expr, Const(high))))


def _in_order(parts: tuple[Expr, ...], *, stops_at: bool) -> Expr:
    """Each operand must have a value unless one before it has already decided."""
    condition: Expr = TRUE
    for part in reversed(parts):
        if condition != TRUE:
            decided = part if stops_at else negation(part)
            condition = disjunction((decided, condition))
        condition = conjunction((defined(part), condition))
    return condition


def _defined_arithmetic(expr: Arith) -> Expr:
    both = (defined(expr.left), defined(expr.right))
    match expr.operator:
        case "+" | "-" | "*":
            return conjunction(both)
        case "/" | "%":
            return conjunction((*both, comparison("!=", expr.right, Const(0))))
        case "&" | "|" | "^":
            return conjunction((*both, *(comparison(">=", e, Const(0)) for e in (expr.left, expr.right))))
        case "<<" | ">>":
            signs = (comparison(">=", e, Const(0)) for e in (expr.left, expr.right))
            return conjunction((*both, *signs, comparison("<=", expr.right, Const(62))))
        case _:
            assert_never(expr.operator)
