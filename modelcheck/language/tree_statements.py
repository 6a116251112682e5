"""Types, statements and expressions: the half of the tree builder that stands below the declarations."""

from __future__ import annotations

from typing import cast

from modelcheck.language import syntax as s
from modelcheck.language.tokens import Token, number_value, string_value
from modelcheck.language.tree_parts import Built, Text, construct, span_of
from modelcheck.source import Span


def braced(body: s.Statement) -> s.Block:
    """Return the body of an `if` or a loop as a block: braces are optional there, and mean the same."""
    return body if isinstance(body, s.Block) else s.Block((body,), span=body.span)


class StatementBuilder:
    """Builds types, statements and expressions; has no state."""

    # --- words and lists

    def name(self, parts: list[Token]) -> s.Name:
        return s.Name(parts[0].text, span=parts[0].span)

    kind = setting_name = name

    def text(self, parts: list[Token]) -> Text:
        return Text(string_value(parts[0].text), parts[0])

    def _list(self, parts: list[Built]) -> tuple[Built, ...]:
        """Return what stands between commas."""
        return tuple(part for part in parts if type(part) is not Token)

    arguments = names = parameters = dimensions = guards = exceptions = _list

    def _option(self, parts: list[Built]) -> Built:
        """Return what a part that may be left out has beside its keyword, or None."""
        return next((part for part in parts if type(part) is not Token), None)

    initial = bound = result = when = where = size = copies = otherwise = as_name = value = lock_is_free = (
        _option
    )

    def _words(self, parts: list[Built]) -> tuple[Token, ...]:
        """Return keywords that change what follows; empty if there are none."""
        return tuple(parts)

    override = thread_attribute = lock_attribute = model_marked = _words
    reachable = kept_apart = one_thread = _words

    def stray(self, parts: list[Token]) -> None:
        """Leave out a semicolon that stands for nothing."""

    # --- types

    @construct
    def named_type(self, span: Span, name: s.Name) -> s.NamedType:
        return s.NamedType(name.id, span=span)

    @construct
    def range_type(self, span: Span, low: s.Expression, high: s.Expression) -> s.RangeType:
        return s.RangeType(low, high, span=span)

    @construct
    def set_type(self, span: Span, element: s.TypeExpression) -> s.SetType:
        return s.SetType(element, span=span)

    # --- statements

    @construct
    def block(self, span: Span, *statements: s.Statement) -> s.Block:
        return s.Block(statements, span=span)

    def simple_statement(self, parts: list[Built]) -> s.Node:
        """Leave out the semicolon: a simple statement's place ends before it."""
        return cast("s.Node", parts[0])

    @construct
    def local(self, span: Span, name: s.Name, *parts: Built) -> s.Local:
        dimensions, type_, initial = parts
        return s.Local(name.id, dimensions, type_, initial, span=span)

    @construct
    def label(self, span: Span, name: s.Name) -> s.Label:
        return s.Label(name.id, span=span)

    @construct
    def empty(self, span: Span) -> s.Empty:
        return s.Empty(span=span)

    @construct
    def if_statement(
        self, span: Span, test: s.Expression, then: s.Statement, other: s.Statement | None
    ) -> s.If:
        if other is not None and not isinstance(other, s.If):
            other = braced(other)
        return s.If(test, braced(then), other, span=span)

    @construct
    def while_statement(self, span: Span, condition: s.Expression, body: s.Statement) -> s.While:
        return s.While(condition, braced(body), span=span)

    @construct
    def loop(self, span: Span, body: s.Statement) -> s.Loop:
        return s.Loop(braced(body), span=span)

    @construct
    def for_statement(self, span: Span, name: s.Name, type_: s.TypeExpression, body: s.Statement) -> s.For:
        return s.For(name.id, type_, braced(body), span=span)

    @construct
    def either(self, span: Span, *branches: s.Block) -> s.Either:
        return s.Either(branches, span=span)

    @construct
    def atomic(self, span: Span, body: s.Block) -> s.Atomic:
        return s.Atomic(body, span=span)

    @construct
    def scoped_guard(self, span: Span, kind: s.Name, *parts: Built) -> s.ScopedGuard:
        *arguments, body = parts
        return s.ScopedGuard(kind.id, tuple(arguments), braced(body), span=span)

    @construct
    def scoped_cond_guard(self, span: Span, kind: s.Name, fail: s.Statement, *parts: Built) -> s.ScopedGuard:
        *arguments, body = parts
        return s.ScopedGuard(kind.id, tuple(arguments), braced(body), fail, span=span)

    @construct
    def unguarded(self, span: Span, reason: Text, body: s.Statement) -> s.Unguarded:
        return s.Unguarded(reason.value, body, span=span)

    def assign(self, parts: list[Built]) -> s.Assign:
        return s.Assign(parts[0], parts[1].text, parts[2], span=span_of(parts))

    def increment(self, parts: list[Built]) -> s.Assign:
        return s.Assign(parts[0], parts[1].text, None, span=span_of(parts))

    @construct
    def call_statement(self, span: Span, call: s.Call) -> s.CallStatement:
        return s.CallStatement(call, span=span)

    @construct
    def choose(
        self, span: Span, name: s.Name, type_: s.TypeExpression, where: s.Expression | None
    ) -> s.Choose:
        return s.Choose(name.id, type_, where, span=span)

    @construct
    def await_statement(self, span: Span, condition: s.Expression) -> s.Await:
        return s.Await(condition, span=span)

    @construct
    def assert_statement(self, span: Span, condition: s.Expression, name: s.Name | None) -> s.Assert:
        return s.Assert(condition, name.id if name else None, span=span)

    @construct
    def skip(self, span: Span) -> s.Skip:
        return s.Skip(span=span)

    @construct
    def break_statement(self, span: Span) -> s.Break:
        return s.Break(span=span)

    @construct
    def continue_statement(self, span: Span) -> s.Continue:
        return s.Continue(span=span)

    @construct
    def return_statement(self, span: Span, value: s.Expression | None) -> s.Return:
        return s.Return(value, span=span)

    @construct
    def goto(self, span: Span, label: s.Name) -> s.Goto:
        return s.Goto(label.id, span=span)

    @construct
    def guard(self, span: Span, kind: s.Name, arguments: tuple[s.Expression, ...]) -> s.Guard:
        return s.Guard(kind.id, arguments, span=span)

    @construct
    def emit(self, span: Span, event: s.Name, arguments: tuple[s.Expression, ...]) -> s.Emit:
        return s.Emit(event.id, arguments, span=span)

    # --- expressions

    def number(self, parts: list[Token]) -> s.Number:
        return s.Number(number_value(parts[0].text), span=parts[0].span)

    def boolean(self, parts: list[Token]) -> s.Boolean:
        return s.Boolean(parts[0].text == "true", span=parts[0].span)

    def binary(self, parts: list[Built]) -> s.Binary:
        return s.Binary(parts[1].text, parts[0], parts[2], span=span_of(parts))

    def unary(self, parts: list[Built]) -> s.Unary:
        return s.Unary(parts[0].text, parts[1], span=span_of(parts))

    @construct
    def ternary(
        self, span: Span, test: s.Expression, then: s.Expression, other: s.Expression
    ) -> s.Conditional:
        return s.Conditional(test, then, other, span=span)

    @construct
    def index(self, span: Span, base: s.Expression, index: s.Expression) -> s.Index:
        return s.Index(base, index, span=span)

    @construct
    def member(self, span: Span, base: s.Expression, field: s.Name) -> s.Member:
        return s.Member(base, field.id, span=span)

    @construct
    def paren(self, span: Span, inner: s.Expression) -> s.Paren:
        return s.Paren(inner, span=span)

    @construct
    def set_literal(self, span: Span, elements: tuple[s.Expression, ...]) -> s.SetLiteral:
        return s.SetLiteral(elements, span=span)

    @construct
    def call(self, span: Span, function: s.Name, arguments: tuple[s.Expression, ...]) -> s.Call:
        return s.Call(function.id, arguments, span=span)

    def quantifier(self, parts: list[Built]) -> s.Quantifier:
        *binders, body = (part for part in parts if type(part) is not Token)
        return s.Quantifier(parts[0].text, tuple(binders), body, span=span_of(parts))

    @construct
    def binder(self, span: Span, name: s.Name, type_: s.TypeExpression) -> s.Binder:
        return s.Binder(name.id, type_, span=span)
