"""What the parser calls for each rule of grammars/mck.lark that it has recognised: makes the nodes of the syntax tree.

One method per rule or named alternative, called with the parts found, already built, in source order. The parser
calls from its own loop, innermost first, so that no depth of nesting needs a deep Python stack.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, cast

from modelcheck.language import syntax as s
from modelcheck.language.tokens import Token
from modelcheck.language.tree_parts import Built, Text, construct, span_of
from modelcheck.language.tree_statements import StatementBuilder
from modelcheck.source import Span


class OrderVerdict(NamedTuple):
    """What stands behind `expect order(a, b)`."""

    verdict: str
    gates: tuple[s.Expression, ...]
    last: Token | s.Node | None


def _first_word(parts: list[Built]) -> str:
    """Return the first keyword of a construct."""
    return cast("str", parts[0].text)


def _ids(names: Iterable[s.Name]) -> tuple[str, ...]:
    return tuple(name.id for name in names)


class TreeBuilder(StatementBuilder):
    """Builds the nodes; has no state."""

    # --- the file

    @construct
    def specification(self, span: Span, *parts: Built) -> s.Specification:
        header = parts[0] if parts and isinstance(parts[0], tuple) else (None, False, "")
        declarations = tuple(part for part in parts if isinstance(part, s.Node))
        name, marked, description = header
        return s.Specification(
            name, description, marked, cast("tuple[s.Declaration, ...]", declarations), span=span
        )

    @construct
    def header(
        self, _: Span, name: s.Name, marked: tuple[Token, ...], text: Text | None = None
    ) -> tuple[object, ...]:
        return name.id, bool(marked), text.value if text else ""

    # --- declarations

    @construct
    def import_file(self, span: Span, path: Text) -> s.Import:
        return s.Import(path.value, span=span)

    @construct
    def param(self, span: Span, name: s.Name, type_: s.TypeExpression, default: s.Expression) -> s.Param:
        return s.Param(name.id, type_, default, span=span)

    @construct
    def override_param(self, span: Span, name: s.Name, default: s.Expression) -> s.Param:
        return s.Param(name.id, None, default, override=True, span=span)

    @construct
    def const(self, span: Span, name: s.Name, value: s.Expression) -> s.Const:
        return s.Const(name.id, value, span=span)

    @construct
    def override_const(self, span: Span, name: s.Name, value: s.Expression) -> s.Const:
        return s.Const(name.id, value, override=True, span=span)

    @construct
    def type_declaration(self, span: Span, name: s.Name, type_: s.TypeExpression) -> s.TypeDeclaration:
        return s.TypeDeclaration(name.id, type_, span=span)

    @construct
    def scalarset(self, span: Span, name: s.Name, values: s.RangeType) -> s.TypeDeclaration:
        return s.TypeDeclaration(name.id, values, scalarset=True, span=span)

    @construct
    def enum(self, span: Span, name: s.Name, *members: s.Name) -> s.EnumDeclaration:
        return s.EnumDeclaration(name.id, members, span=span)

    @construct
    def record(self, span: Span, name: s.Name, *fields: s.Field) -> s.RecordDeclaration:
        return s.RecordDeclaration(name.id, fields, span=span)

    @construct
    def field(
        self, span: Span, name: s.Name, dims: tuple[s.Dimension, ...], type_: s.TypeExpression
    ) -> s.Field:
        return s.Field(name.id, dims, type_, span=span)

    def variable(self, parts: list[Built]) -> s.Variable:
        name, dims, type_, initial, marked, *guards = (part for part in parts if type(part) is not Token)
        return s.Variable(name.id, dims, type_, initial, marked, tuple(guards), span=span_of(parts))

    def marked(self, parts: list[Built]) -> str | None:
        if not parts:
            return None
        return parts[1].value if len(parts) > 1 else ""

    def guarded_by(self, parts: list[Built]) -> s.GuardedBy:
        return s.GuardedBy(_first_word(parts), parts[1], span=span_of(parts))

    def lock(self, parts: list[Built]) -> s.Lock:
        kind, name, dims, bound, initial, *attributes = (part for part in parts if type(part) is not Token)
        words = tuple(token.text for (token,) in attributes)
        return s.Lock(kind.id, name.id, dims, bound, initial, words, span=span_of(parts))

    def lock_order(self, parts: list[Built]) -> s.LockOrder:
        return s.LockOrder(tuple(p for p in parts if isinstance(p, s.Name)), span=span_of(parts))

    @construct
    def plain_dimension(self, span: Span, type_: s.TypeExpression) -> s.Dimension:
        return s.Dimension(None, type_, span=span)

    @construct
    def named_dimension(self, span: Span, binder: s.Name, type_: s.TypeExpression) -> s.Dimension:
        return s.Dimension(binder.id, type_, span=span)

    @construct
    def op(self, span: Span, override: tuple[Token, ...], name: s.Name, *parts: Built) -> s.Op:
        parameters, result, *contracts, body = parts
        return s.Op(name.id, parameters, result, tuple(contracts), body, bool(override), span=span)

    @construct
    def value_parameter(self, span: Span, name: s.Name, type_: s.TypeExpression) -> s.ValueParameter:
        return s.ValueParameter(name.id, type_, span=span)

    @construct
    def lock_parameter(self, span: Span, kind: s.Name, name: s.Name) -> s.LockParameter:
        return s.LockParameter(kind.id, name.id, span=span)

    def contract(self, parts: list[Built]) -> s.Contract:
        return s.Contract(_first_word(parts), parts[1], parts[2], span=span_of(parts))

    @construct
    def thread(self, span: Span, override: tuple[Token, ...], *parts: Built) -> s.Thread:
        *attributes, name, size, when, body = parts
        words = tuple(token.text for (token,) in attributes)
        return s.Thread(name.id, size, when, words, body, bool(override), span=span)

    @construct
    def observation(
        self, span: Span, name: s.Name, dims: tuple[s.Dimension, ...], body: s.Expression
    ) -> s.Observation:
        return s.Observation(name.id, dims, body, span=span)

    @construct
    def without(self, span: Span, name: s.Name) -> s.Without:
        return s.Without(name.id, span=span)

    @construct
    def irq_handler(
        self, span: Span, name: s.Name, threads: tuple[s.Name, ...], body: s.Block
    ) -> s.IrqHandler:
        return s.IrqHandler(name.id, _ids(threads), body, span.text.split(maxsplit=1)[0], span=span)

    @construct
    def init(self, span: Span, body: s.Block) -> s.Init:
        return s.Init(body, span=span)

    @construct
    def invariant(
        self, span: Span, when: s.Expression | None, name: s.Name, body: s.Expression
    ) -> s.Property:
        return s.Property("invariant", name.id, body, when, span=span)

    def property_declaration(self, parts: list[Built]) -> s.Property:
        return s.Property(_first_word(parts), parts[1].id, parts[3], span=span_of(parts))

    # --- scenarios

    @construct
    def scenario(self, span: Span, name: s.Name, description: str, *items: Built) -> s.Scenario:
        return s.Scenario(name.id, description, tuple(item for item in items if item is not None), span=span)

    def description(self, parts: list[Text]) -> str:
        return parts[0].value if parts else ""

    def scenario_item(self, parts: list[Built]) -> s.Node:
        return cast("s.Node", parts[0])

    @construct
    def run(self, span: Span, *threads: s.RunItem) -> s.Run:
        return s.Run(threads, span=span)

    @construct
    def run_item(self, span: Span, name: s.Name, copies: s.Expression | None) -> s.RunItem:
        return s.RunItem(name.id, copies, span=span)

    @construct
    def setting(self, span: Span, name: s.Name, value: s.Expression) -> s.Setting:
        return s.Setting(name.id, value, span=span)

    @construct
    def limit(self, span: Span, what: s.Name, value: s.Expression) -> s.Limit:
        return s.Limit(what.id, value, span=span)

    @construct
    def expect_holds(self, span: Span, exceptions: tuple[s.Name, ...]) -> s.ExpectHolds:
        return s.ExpectHolds(_ids(exceptions), span=span)

    @construct
    def expect_undecided(self, span: Span) -> s.ExpectUndecided:
        return s.ExpectUndecided(span=span)

    @construct
    def expect_steps(self, span: Span, value: s.Expression) -> s.ExpectCount:
        return s.ExpectCount("steps", value, span=span)

    def expect_count(self, parts: list[Built]) -> s.ExpectCount:
        return s.ExpectCount(parts[1].text, parts[2], span=span_of(parts))

    @construct
    def expect_not_reached(self, span: Span, label: s.Expression) -> s.ExpectNotReached:
        return s.ExpectNotReached(label, span=span)

    @construct
    def expect_order(
        self, span: Span, locks: tuple[s.Expression, ...], verdict: OrderVerdict
    ) -> s.ExpectOrder:
        return s.ExpectOrder(locks, verdict.verdict, verdict.gates, span=span)

    def order_verdict(self, parts: list[Built]) -> OrderVerdict:
        if not parts:
            return OrderVerdict("", (), None)
        if isinstance(parts[0], OrderVerdict):
            return parts[0]
        return OrderVerdict(" ".join(token.text for token in parts[0]), (), parts[0][-1])

    def gated(self, parts: list[Built]) -> OrderVerdict:
        return OrderVerdict("gated", self._list(parts), parts[-1])

    @construct
    def expect_violated(
        self, span: Span, name: s.Name, arguments: tuple[Built, ...] | None
    ) -> s.ExpectViolated:
        return s.ExpectViolated(name.id, arguments[1] if arguments else None, span=span)

    def violated_arguments(self, parts: list[Built]) -> tuple[Built, ...] | None:
        return tuple(parts) or None
