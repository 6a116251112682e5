"""Bounds of an expression: which integers can it be, if every cell is within its type?

Used to refuse expressions that may leave 63 bits, and to choose how many bits a term needs (SEMANTICS H6).
The bounds hold for every evaluation that is defined; an operation whose operands can only make it undefined
has any bounds. Not exact: each operand is looked at alone (`x - x` is not 0).
"""

from __future__ import annotations

from typing import assert_never

from modelcheck.language.model import (
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
    operands,
)
from modelcheck.language.types import bounds
from modelcheck.language.values import arithmetic_interval

Interval = tuple[int, int]


def interval(expr: Expr) -> Interval:
    """Return the lowest and the highest value that the expression can have where it is defined."""
    match expr:
        case Const(value):
            return value, value
        case Ref(var):
            return bounds(var.type)
        case Bound(_, low, high):
            return low, high
        case Not() | And() | Or() | Compare() | At() | Enabled():
            return 0, 1
        case Arith(operator, left, right):
            return arithmetic_interval(operator, interval(left), interval(right))
        case Sum(summands):
            parts = [interval(s) for s in summands]
            return sum(low for low, _ in parts), sum(high for _, high in parts)
        case Ite(_, then, otherwise):
            return hull(interval(then), interval(otherwise))
        case Mover(threads):
            return 1, threads
        case _:
            assert_never(expr)


def widest(expr: Expr) -> Interval:
    """Return the hull of the bounds of the expression and of all below it: what a machine word must hold."""
    result = interval(expr)
    for operand in operands(expr):
        result = hull(result, widest(operand))
    return result


def hull(one: Interval, other: Interval) -> Interval:
    """Return the smallest interval around both."""
    return min(one[0], other[0]), max(one[1], other[1])
