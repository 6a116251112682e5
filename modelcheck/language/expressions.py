"""Syntax of an expression -> typed expression over cells. Checks types as it goes; reports and carries on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never, cast

from modelcheck.language import builtins, places, syntax
from modelcheck.language.context import Context
from modelcheck.language.model import Const, Expr, Premise, Ref, refs
from modelcheck.language.operations import (
    advice,
    check_mixing,
    combine,
    compare,
    compatible,
    described,
    on_numbers,
)
from modelcheck.language.operators import BINARY, COMPARING
from modelcheck.language.scope import ConstantBinding, Place, Scope, ThreadGroup, ThreadPlace
from modelcheck.language.types import (
    ERRNO,
    Bool,
    Enum,
    Range,
    Scalar,
    Scalarset,
    SetOf,
    Type,
    bounds,
    type_name,
)
from modelcheck.language.values import (
    LARGEST,
    NOTHING,
    Value,
    arithmetic,
    choice,
    comparison,
    conjunction,
    disjunction,
    negation,
    number,
    total,
)
from modelcheck.source import Span

LARGEST_EXPANSION = 20_000
"""A quantifier is unrolled over its values; more than this is refused."""


def lower(ctx: Context, node: syntax.Expression, expected: Scalar | None = None) -> Value:
    """Return the typed meaning of an expression; `expected` helps set literals and `0` of Errno."""
    match node:
        case syntax.Number(value):
            if abs(value) > LARGEST:
                ctx.error("MC028", node.span, "this number does not fit into 63 bits")
                return NOTHING
            if value == 0 and expected == ERRNO:
                return Value(Const(0), ERRNO)
            return number(value)
        case syntax.Boolean(value):
            return Value(Const(int(value)), Bool())
        case syntax.Paren(inner):
            return lower(ctx, inner, expected)
        case syntax.Unary():
            return _unary(ctx, node, expected)
        case syntax.Binary():
            return _binary(ctx, node, expected)
        case syntax.Conditional():
            return _conditional(ctx, node, expected)
        case syntax.Quantifier():
            return _quantifier(ctx, node)
        case syntax.SetLiteral():
            return _set_literal(ctx, node, expected)
        case syntax.Call():
            return builtins.call(ctx, node, expected)
        case syntax.Name() | syntax.Index() | syntax.Member():
            return _place_value(ctx, node)
        case _:
            assert_never(node)


def unwrapped(node: syntax.Expression | None) -> syntax.Expression | None:
    """Return an expression without the parentheses around it."""
    while isinstance(node, syntax.Paren):
        node = node.inner
    return node


def condition(ctx: Context, node: syntax.Expression) -> Expr:
    """Return an expression used as a condition: a bool, or an Errno that is not 0 (SEMANTICS G6)."""
    value = lower(ctx, node)
    match value.type:
        case None:
            return Const(1)
        case Bool():
            return value.expr
        case Enum("Errno", _):
            return comparison("!=", value.expr, Const(0))
        case Range():
            ctx.error("MC021", node.span, "a number is not a condition", "write `!= 0`")
        case other:
            ctx.error("MC021", node.span, f"{described(other)} is not a condition", "compare it with `==`")
    return Const(1)


def wanted(ctx: Context, when: syntax.Expression | None) -> bool:
    """Whether the constant condition behind a `when` holds; without one it does."""
    test = condition(ctx, when) if when is not None else Const(1)
    if when is not None and not isinstance(test, Const):
        hint = "parameters and constants can be used"
        ctx.error("MC025", when.span, "`when` needs a constant condition", hint)
    return not isinstance(test, Const) or bool(test.value)


def coerce(ctx: Context, value: Value, target: Type, span: Span, what: str = "this value") -> Value:
    """Check that a value may be assigned to the type; a constant outside it is reported."""
    if value.type is None:
        return value
    if target == ERRNO and value.constant == 0 and isinstance(value.type, Range):
        return Value(Const(0), ERRNO, value.firm)
    if not compatible(value.type, target):
        message = f"{what} is {described(value.type)}, but {described(target)} is needed here"
        ctx.error("MC020", span, message, advice(value, target))
        return NOTHING
    if value.constant is not None and value.firm and ctx.kept and not isinstance(target, SetOf):
        low, high = bounds(cast(Scalar, target))
        if not low <= value.constant <= high:
            ctx.error("MC027", span, f"{value.constant} is not a value of {type_name(target)}")
    return value


def _place_value(ctx: Context, node: syntax.Name | syntax.Index | syntax.Member) -> Value:
    found = places.resolve(ctx, node)
    match found:
        case None:
            return NOTHING
        case Value():
            return found
        case ThreadPlace(_, thread):
            return Value(Const(thread + 1), ctx.unit.thread_type)
        case Place():
            return read(ctx, found, node.span)
        case _:
            ctx.error(
                "MC012",
                node.span,
                f"`{node.span.text}` is a lock; its value cannot be read",
                "properties can say held(l) and free(l)",
            )
            return NOTHING


def read(ctx: Context, place: Place, span: Span) -> Value:
    """Return the value of a variable's cell, and note the access."""
    if not place.complete:
        name, wanted = place.storage.name, len(place.storage.dimensions)
        hint = f"say which element: `{name}{'[...]' * wanted}`"
        ctx.error("MC020", span, f"`{name}` is an array, and has no value as a whole here", hint)
        return NOTHING
    if place.storage.variable is None:
        hint = "read its fields: " + ", ".join(place.storage.fields)
        ctx.error(
            "MC020", span, f"`{place.storage.name}` is a record, and has no value as a whole here", hint
        )
        return NOTHING
    ref = Ref(place.storage.variable, place.index, ctx.primed)
    ctx.record(ref, span, writes=False)
    return Value(ref, place.storage.variable.type)


def _unary(ctx: Context, node: syntax.Unary, expected: Scalar | None) -> Value:
    if node.operator == "!":
        return Value(negation(condition(ctx, node.operand)), Bool())
    if node.operator == "-":
        operand = lower(ctx, node.operand, expected)
        match operand.type:
            case None:
                return NOTHING
            case Enum("Errno", _):
                return operand
            case Range():
                return on_numbers(ctx, "-", number(0), operand, node.span)
            case other:
                hint = "write `!`" if isinstance(other, Bool) else ""
                ctx.error("MC029", node.span, f"`-` is not defined for {described(other)}", hint)
                return NOTHING
    hint = "complement a set with `-`: all - s" if node.operator == "~" else "a lock is an argument of a verb"
    ctx.error("MC029", node.span, f"`{node.operator}` has no value here", hint)
    return NOTHING


def _binary(ctx: Context, node: syntax.Binary, expected: Scalar | None) -> Value:
    fine = check_mixing(ctx, node)
    operator = BINARY[node.operator]
    if operator.family == "logic":
        left = condition(ctx, node.left)
        right = condition(ctx, node.right)
        if node.operator == "&&":
            return Value(conjunction((left, right)), Bool())
        if node.operator == "implies" and ctx.mode in ("property", "step"):
            ctx.unit.premises.append(Premise(left, node.left.span))
        return Value(disjunction((negation(left) if node.operator == "implies" else left, right)), Bool())
    if operator.family == "membership":
        return _membership(ctx, node)
    left_value, right_value = _operands(ctx, node, expected)
    if left_value.type is None or right_value.type is None or not fine:
        return NOTHING
    if operator.family in COMPARING:
        return compare(ctx, node, left_value, right_value)
    return combine(ctx, node, left_value, right_value)


def _operands(ctx: Context, node: syntax.Binary, expected: Scalar | None) -> tuple[Value, Value]:
    """Lower both sides; a literal takes its type from the other side."""
    if isinstance(node.left, syntax.SetLiteral) and not isinstance(node.right, syntax.SetLiteral):
        right = lower(ctx, node.right, expected)
        return lower(ctx, node.left, right.type), right
    left = lower(ctx, node.left, expected if isinstance(expected, SetOf) else None)
    right = lower(ctx, node.right, left.type)
    if right.type == ERRNO and left.constant == 0 and isinstance(left.type, Range):
        left = Value(Const(0), ERRNO)
    return left, right


def _membership(ctx: Context, node: syntax.Binary) -> Value:
    right = lower(ctx, node.right)
    element = right.type.element if isinstance(right.type, SetOf) else None
    left = lower(ctx, node.left, element)
    if right.type is None or left.type is None:
        return NOTHING
    if element is None:
        ctx.error("MC020", node.right.span, f"`in` needs a set, this is {described(right.type)}")
        return NOTHING
    if not compatible(left.type, element):
        ctx.error("MC020", node.span, f"{described(left.type)} cannot be in a set of {type_name(element)}")
        return NOTHING
    low, high = bounds(element)
    bit = arithmetic("&", arithmetic(">>", right.expr, arithmetic("-", left.expr, Const(low))), Const(1))
    inside = comparison("==", bit, Const(1))
    first, last = left.interval
    tests = [comparison(">=", left.expr, Const(low))] if first < low else []
    tests += [comparison("<=", left.expr, Const(high))] if last > high else []
    return Value(conjunction((*tests, inside)), Bool(), left.firm and right.firm)


def _set_literal(ctx: Context, node: syntax.SetLiteral, expected: Scalar | None) -> Value:
    element = expected.element if isinstance(expected, SetOf) else None
    values = [lower(ctx, e, element) for e in node.elements]
    if any(v.type is None for v in values):
        return NOTHING
    if element is None:
        first = values[0].type if values else None
        if not isinstance(first, Bool | Enum | Scalarset):
            ctx.error(
                "MC020",
                node.span,
                "the type of this set is not clear here",
                "compare it with, or assign it to, a variable of a set type",
            )
            return NOTHING
        element = first
    low, _ = bounds(element)
    expr: Expr = Const(0)
    for value, part in zip(values, node.elements, strict=True):
        checked = coerce(ctx, value, element, part.span, "this element")
        bit = arithmetic("<<", Const(1), arithmetic("-", checked.expr, Const(low)))
        expr = bit if expr == Const(0) else arithmetic("|", expr, bit)
    return Value(expr, SetOf(element), all(v.firm for v in values))


def _conditional(ctx: Context, node: syntax.Conditional, expected: Scalar | None) -> Value:
    test = condition(ctx, node.condition)
    then = lower(ctx, node.then, expected)
    otherwise = lower(ctx, node.otherwise, expected or then.type)
    if then.type is None or otherwise.type is None:
        return NOTHING
    if otherwise.type == ERRNO and then.constant == 0:
        then = Value(Const(0), ERRNO)
    assert then.type is not None
    if not compatible(then.type, otherwise.type):
        ctx.error(
            "MC020", node.span, f"one side is {described(then.type)}, the other {described(otherwise.type)}"
        )
        return NOTHING
    kind: Scalar = then.type
    if isinstance(kind, Range):
        (a, b), (c, d) = then.interval, otherwise.interval
        kind = Range(min(a, c), max(b, d))
    return Value(choice(test, then.expr, otherwise.expr), kind, then.firm and otherwise.firm)


@dataclass
class Unrolled(Scope):
    """The scope of one copy of what is unrolled; `times` is how many there are, those around it multiplied in."""

    times: int = 1


def unrolled(scope: Scope, copies: int) -> Unrolled:
    """Return a scope inside another for one of so many copies."""
    around: Scope | None = scope
    while around is not None and not isinstance(around, Unrolled):
        around = around.parent
    return Unrolled(scope, times=copies * (around.times if around is not None else 1))


def _quantifier(ctx: Context, node: syntax.Quantifier) -> Value:
    parts: list[Expr] = []
    _expand(ctx, node, 0, parts)
    if node.kind == "forall":
        return Value(conjunction(parts), Bool())
    if node.kind == "exists":
        return Value(disjunction(parts), Bool())
    ones = tuple(choice(p, Const(1), Const(0)) for p in parts)
    return Value(total(ones), Range(0, max(0, len(parts))))


def _expand(ctx: Context, node: syntax.Quantifier, position: int, parts: list[Expr]) -> None:
    """Add the body for every combination of values of the binders from `position` on."""
    if position == len(node.binders):
        parts.append(condition(ctx, node.body))
        return
    binder = node.binders[position]
    kind = places.type_of(ctx, binder.type)
    if kind is None:
        _check_body(ctx, node)
        return
    low, high = bounds(kind)
    if unrolled(ctx.scope, high - low + 1).times > LARGEST_EXPANSION:
        message = f"this quantifier runs over more than {LARGEST_EXPANSION} values"
        ctx.error("MC028", binder.span, message, "quantifiers are unrolled, nested ones multiply")
        return
    for value in range(low, high + 1):
        inner = replace(ctx, scope=unrolled(ctx.scope, high - low + 1))
        inner.scope.names[binder.name] = places.index_value(value, kind, binder.span)
        _expand(inner, node, position + 1, parts)


def _check_body(ctx: Context, node: syntax.Quantifier) -> None:
    """Check the body of a quantifier over a type that is wrong: nothing is said of what it binds."""
    inner = ctx.inner()
    for binder in node.binders:
        inner.scope.names[binder.name] = ConstantBinding(NOTHING, binder.span)
    condition(inner, node.body)


def thread_group(ctx: Context, node: syntax.Expression) -> tuple[ThreadGroup, tuple[int, ...]] | None:
    """Return the thread declaration that an argument of at(), finished(), ... names, and which instances."""
    if places.is_another_kind(ctx, node, "a thread"):
        return None
    found = places.resolve(ctx, node, threads=True)
    if isinstance(found, ThreadPlace):
        return found.group, ((found.thread,) if found.thread >= 0 else found.group.numbers)
    if found is not None:
        ctx.error("MC012", node.span, f"`{node.span.text}` is not a thread")
    return None


def reads_shared(expr: Expr) -> bool:
    """True if the expression reads a shared variable or a lock's variable: evaluating it takes a step."""
    return any(ref.var.kind != "local" for ref in refs(expr))
