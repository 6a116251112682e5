"""Typed expressions while a specification is elaborated, and the folding of constants.

Folding decides what is a step (SEMANTICS A1), so it is done here, once, and by the meaning of the language:
`false && e` is false, but `e && false` is not folded, because `e` may be undefined.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from modelcheck.language.model import And, Arith, Compare, Const, Expr, Ite, Not, Or, Sum
from modelcheck.language.types import Range, Scalar, bounds

LARGEST = (1 << 62) - 1
"""No value of an expression may lie beyond this, on either side of zero (SEMANTICS H6: 63 bits)."""

ArithOperator = Literal["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]
CompareOperator = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True)
class Value:
    """An expression with its type. Type None: an error was reported, say nothing more.

    `firm` is true of a constant made from literals, parameters and constants; false if `self` or a `for` variable
    is in it, so that an impossible index is an error step in one copy and not a mistake in the text.
    """

    expr: Expr
    type: Scalar | None
    firm: bool = True

    @property
    def constant(self) -> int | None:
        """The value, if it is constant."""
        return self.expr.value if isinstance(self.expr, Const) else None

    @property
    def interval(self) -> tuple[int, int]:
        """Bounds of the value."""
        if isinstance(self.expr, Const):
            return self.expr.value, self.expr.value
        return bounds(self.type) if self.type is not None else (0, 0)


NOTHING = Value(Const(0), None)
"""What an expression with a reported error is worth."""


def number(value: int, *, firm: bool = True) -> Value:
    """Return an integer constant."""
    return Value(Const(value), Range(value, value), firm)


def conjunction(parts: Iterable[Expr]) -> Expr:
    """Return the folded conjunction."""
    kept: list[Expr] = []
    for part in parts:
        inner = part.operands if isinstance(part, And) else (part,)
        for each in inner:
            if isinstance(each, Const) and each.value:
                continue
            kept.append(each)
            if isinstance(each, Const):
                return each if len(kept) == 1 else And(tuple(kept))
    return kept[0] if len(kept) == 1 else (And(tuple(kept)) if kept else Const(1))


def disjunction(parts: Iterable[Expr]) -> Expr:
    """Return the folded disjunction."""
    kept: list[Expr] = []
    for part in parts:
        inner = part.operands if isinstance(part, Or) else (part,)
        for each in inner:
            if isinstance(each, Const) and not each.value:
                continue
            kept.append(each)
            if isinstance(each, Const):
                return each if len(kept) == 1 else Or(tuple(kept))
    return kept[0] if len(kept) == 1 else (Or(tuple(kept)) if kept else Const(0))


def negation(operand: Expr) -> Expr:
    """Return the folded negation."""
    if isinstance(operand, Const):
        return Const(0 if operand.value else 1)
    return operand.operand if isinstance(operand, Not) else Not(operand)


def choice(condition: Expr, then: Expr, otherwise: Expr) -> Expr:
    """Return the folded conditional expression."""
    if isinstance(condition, Const):
        return then if condition.value else otherwise
    return Ite(condition, then, otherwise)


def total(parts: tuple[Expr, ...]) -> Expr:
    """Return the folded sum."""
    fixed = sum(p.value for p in parts if isinstance(p, Const))
    rest = tuple(p for p in parts if not isinstance(p, Const))
    if not rest:
        return Const(fixed)
    return Sum((*rest, Const(fixed)) if fixed else rest)


def comparison(operator: CompareOperator, left: Expr, right: Expr) -> Expr:
    """Return the folded comparison."""
    if isinstance(left, Const) and isinstance(right, Const):
        return Const(int(compare(operator, left.value, right.value)))
    return Compare(operator, left, right)


def compare(operator: CompareOperator, left: int, right: int) -> bool:
    """Compare two integers."""
    return {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[operator]


def arithmetic(operator: ArithOperator, left: Expr, right: Expr) -> Expr:
    """Return the folded operation; one that is undefined is left for the run to report."""
    if isinstance(left, Const) and isinstance(right, Const):
        value = calculate(operator, left.value, right.value)
        if value is not None:
            return Const(value)
    if isinstance(right, Const) and right.value == 0 and operator in ("+", "-"):
        return left
    return Arith(operator, left, right)


def calculate(operator: ArithOperator, left: int, right: int) -> int | None:
    """Return the exact result, or None where it is undefined. `/` and `%` truncate towards zero, as C does."""
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" | "%" if right == 0:
            return None
        case "/" | "%":
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            return quotient if operator == "/" else left - right * quotient
        case _ if left < 0 or right < 0:
            return None
        case "&":
            return left & right
        case "|":
            return left | right
        case "^":
            return left ^ right
        case _ if right > 62:
            return None
        case "<<":
            return left << right
        case _:
            return left >> right


def arithmetic_interval(
    operator: ArithOperator, left: tuple[int, int], right: tuple[int, int]
) -> tuple[int, int]:
    """Return bounds of the defined results of an operation on values within the given bounds."""
    (a, b), (c, d) = left, right
    match operator:
        case "+":
            return a + c, b + d
        case "-":
            return a - d, b - c
        case "*":
            corners = (a * c, a * d, b * c, b * d)
            return min(corners), max(corners)
        case "/":
            size = max(abs(a), abs(b))
            return (0 if a >= 0 and c >= 0 else -size), size
        case "%":
            size = min(max(abs(c), abs(d)) - 1, max(abs(a), abs(b)))
            return (0 if a >= 0 else -max(size, 0)), (0 if b <= 0 else max(size, 0))
        case "&":
            return 0, max(0, min(b, d))
        case "|" | "^":
            return 0, (1 << max(b, d, 0).bit_length()) - 1
        case "<<":
            return 0, max(0, b) << max(0, min(d, 62))
        case ">>":
            return 0, max(0, b)
