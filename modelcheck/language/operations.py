"""Binary operations on typed values: what fits together, and what is said where it does not."""

from __future__ import annotations

from typing import cast

from modelcheck.language import syntax
from modelcheck.language.context import Context
from modelcheck.language.model import Const
from modelcheck.language.operators import BINARY, COMPARING
from modelcheck.language.types import (
    ERRNO,
    Bool,
    Range,
    Scalarset,
    SetOf,
    ThreadRef,
    Type,
    bounds,
    type_name,
)
from modelcheck.language.values import (
    LARGEST,
    NOTHING,
    ArithOperator,
    CompareOperator,
    Value,
    arithmetic,
    arithmetic_interval,
    comparison,
    number,
)
from modelcheck.source import Span

_LONGEST = 60
"""A hint repeats the user's expression up to so many characters."""


def described(kind: Type) -> str:
    """Return what a value of the type is, in words."""
    name = "number" if isinstance(kind, Range) else type_name(kind)
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def compatible(given: Type, wanted: Type) -> bool:
    """True if a value of the first type can be used where the second is wanted; ranges are checked in the run."""
    match given, wanted:
        case Range(), Range():
            return True
        case SetOf(a), SetOf(b):
            return a == b or (isinstance(a, Range) and isinstance(b, Range) and bounds(a) == bounds(b))
        case _:
            return given == wanted


def advice(given: Value, wanted: Type) -> str:
    """Return a hint for a value of a type where another is wanted."""
    match given.type, wanted:
        case Range(), Bool():
            return "write `!= 0`" if given.constant is None else "write `true` or `false`"
        case Bool(), Range():
            return "write `e ? 1 : 0`"
        case Range(), _ if wanted == ERRNO:
            return "an error has the kernel's name: `-EBUSY`; 0 is none"
        case _:
            return ""


def check_mixing(ctx: Context, node: syntax.Binary) -> bool:
    """Report operators side by side that C reads in a way that surprises; return whether all is well."""
    family = BINARY[node.operator].family
    fine = True
    for side in (node.left, node.right):
        if not isinstance(side, syntax.Binary):
            continue
        inner = BINARY[side.operator].family
        if family in COMPARING and inner in COMPARING:
            ctx.error("MC022", node.span, "comparisons cannot be chained", _unchained(node))
        elif {family, inner} & {"bits"} and {family, inner} & COMPARING:
            message = f"`{node.operator}` and `{side.operator}` stand side by side"
            hint = "C reads `a & b == c` as `a & (b == c)`: write the parentheses that you mean"
            ctx.error("MC023", node.span, message, hint)
        else:
            continue
        fine = False
    return fine


def _unchained(node: syntax.Binary) -> str:
    left = node.left
    if (
        not isinstance(left, syntax.Binary)
        or len(node.span.text) > _LONGEST
        or isinstance(left.left, syntax.Binary)
    ):
        return "write `a < b && b < c`"
    first, middle, last = (" ".join(n.span.text.split()) for n in (left.left, left.right, node.right))
    return f"write `{first} {left.operator} {middle} && {middle} {node.operator} {last}`"


def compare(ctx: Context, node: syntax.Binary, left: Value, right: Value) -> Value:
    """Return the comparison of two values."""
    assert left.type is not None
    assert right.type is not None
    if not compatible(left.type, right.type) and not compatible(right.type, left.type):
        message = f"{described(left.type)} is compared with {described(right.type)}"
        ctx.error("MC020", node.span, message, _compared(left, right))
        return NOTHING
    operator = cast(CompareOperator, node.operator)
    if BINARY[operator].family == "order":
        if isinstance(left.type, SetOf):
            return _subset(ctx, node, left, right)
        if isinstance(left.type, Bool | Scalarset | ThreadRef) or left.type == ERRNO:
            hint = "an error is true in a condition: `if (ret)`" if left.type == ERRNO else ""
            ctx.error("MC029", node.span, f"{described(left.type)} has no order", hint)
            return NOTHING
    return Value(comparison(operator, left.expr, right.expr), Bool(), left.firm and right.firm)


def _compared(left: Value, right: Value) -> str:
    kinds = {type(left.type), type(right.type)}
    if kinds == {Bool, Range}:
        return "a bool is a condition by itself; a number becomes one by `!= 0`"
    return advice(left, ERRNO) if ERRNO in (left.type, right.type) and Range in kinds else ""


def _subset(ctx: Context, node: syntax.Binary, left: Value, right: Value) -> Value:
    if node.operator not in ("<=", ">="):
        ctx.error(
            "MC029", node.span, f"`{node.operator}` is not defined for sets", "sets have == != <= >= in"
        )
        return NOTHING
    small, large = (left, right) if node.operator == "<=" else (right, left)
    return Value(comparison("==", arithmetic("&", small.expr, large.expr), small.expr), Bool())


def combine(ctx: Context, node: syntax.Binary, left: Value, right: Value) -> Value:
    """Return an arithmetic, bit or set operation on two values."""
    if isinstance(left.type, SetOf) and isinstance(right.type, SetOf):
        return _on_sets(ctx, node, left, right)
    if isinstance(left.type, Range) and isinstance(right.type, Range):
        return on_numbers(ctx, cast(ArithOperator, node.operator), left, right, node.span)
    wrong = right.type if isinstance(left.type, Range) else left.type
    assert wrong is not None
    ctx.error("MC029", node.span, f"`{node.operator}` is not defined for {described(wrong)}")
    return NOTHING


def _on_sets(ctx: Context, node: syntax.Binary, left: Value, right: Value) -> Value:
    assert left.type is not None
    assert right.type is not None
    if not compatible(left.type, right.type):
        message = f"{described(left.type)} and {described(right.type)} cannot be combined"
        ctx.error("MC020", node.span, message)
        return NOTHING
    match node.operator:
        case "|" | "&" | "^" as operator:
            expr = arithmetic(cast(ArithOperator, operator), left.expr, right.expr)
        case "-":
            expr = arithmetic("^", left.expr, arithmetic("&", left.expr, right.expr))
        case operator:
            hint = "sets have | & ^ - in == != <= >="
            ctx.error("MC029", node.span, f"`{operator}` is not defined for sets", hint)
            return NOTHING
    return Value(expr, left.type, left.firm and right.firm)


def on_numbers(ctx: Context, operator: ArithOperator, left: Value, right: Value, span: Span) -> Value:
    """Return an operation on two numbers; what may leave 63 bits is refused (SEMANTICS H6)."""
    low, high = arithmetic_interval(operator, left.interval, right.interval)
    if low < -LARGEST or high > LARGEST:
        ctx.error("MC028", span, "this may leave 63 bits", "narrow the ranges of what it is computed from")
        return NOTHING
    expr = arithmetic(operator, left.expr, right.expr)
    firm = left.firm and right.firm
    if isinstance(expr, Const):
        return number(expr.value, firm=firm)
    if isinstance(left.expr, Const) and isinstance(right.expr, Const) and firm and ctx.kept:
        undefined = f"`{operator}` is not defined for {left.constant} and {right.constant}"
        ctx.error("MC027", span, "division by zero" if operator in ("/", "%") else undefined)
        return NOTHING
    return Value(expr, Range(low, max(low, high)), firm)
