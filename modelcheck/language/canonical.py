"""The canonical form of every construct: of what parts it consists, and what may stand between them.

A node is taken apart into texts, gaps and smaller nodes; layout.py makes lines of them. Written so, without recursion,
for a tree of any depth, and so that the same rules serve a whole file and one line of a trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import assert_never

from modelcheck.language import syntax as s
from modelcheck.language.canonical_statements import (
    EDGE,
    LINE,
    SOFT,
    SPACE,
    Broken,
    Gap,
    Part,
    between,
    expression_parts,
    led,
    lines,
    listed,
    operand_parts,
    optional,
    statement_parts,
    type_parts,
)
from modelcheck.language.operators import UNARY
from modelcheck.language.tokens import string_text


def parts_of(node: s.Node) -> Sequence[Part]:
    """Return what a node consists of, in order. Between two texts without a gap there is nothing."""
    if isinstance(node, s.Expression | s.Binder):
        return expression_parts(node)
    if isinstance(node, s.TypeExpression | s.Dimension):
        return type_parts(node)
    if isinstance(node, s.Statement):
        return statement_parts(node)
    if isinstance(node, s.Declaration):
        return _declaration(node)
    if isinstance(node, s.Run | s.Setting | s.Limit | s.Expectation):
        return _scenario_item(node)
    return _specification(node) if isinstance(node, s.Specification) else _component(node)


# --- declarations --------------------------------------------------------------------------------


def _specification(node: s.Specification) -> list[Part]:
    parts: list[Part] = []
    if node.name is not None:
        parts += ["model", SPACE, node.name, *led(SPACE, ["marked"] if node.marked else []), ";"]
        parts += optional(LINE, string_text(node.description) if node.description else None)
    before: s.Node | None = None
    for declaration in node.declarations:
        apart = type(before) is not type(declaration) or isinstance(declaration, Broken)
        parts += [Gap.PARAGRAPH if apart else LINE, declaration]
        before = declaration
    return parts


def _declaration(node: s.Declaration) -> list[Part]:
    match node:
        case s.Import(path=path):
            return ["import", SPACE, string_text(path), ";"]
        case s.Param(name=name, type=type_, default=default):
            typed = optional(":", SPACE, type_)
            return [*_override(node), "param", SPACE, name, *typed, SPACE, "=", SOFT, default, ";"]
        case s.Const(name=name, value=value):
            return [*_override(node), "const", SPACE, name, SPACE, "=", SOFT, value, ";"]
        case s.TypeDeclaration(name=name, type=type_, scalarset=scalarset):
            values = type_parts(type_, spaced=True)
            return ["scalarset" if scalarset else "type", SPACE, name, SPACE, "=", SOFT, *values, ";"]
        case s.EnumDeclaration(name=name, members=members):
            return ["enum", SPACE, name, SPACE, *listed(members, "{", "}", SOFT)]
        case s.RecordDeclaration(name=name, fields=fields):
            return ["record", SPACE, name, SPACE, *lines("{", [[field] for field in fields], "}")]
        case s.Variable() | s.Lock():
            return _shared(node)
        case s.Op() | s.Thread() | s.IrqHandler():
            return _code(node)
        case s.Init(body=body):
            return ["init", SPACE, body]
        case s.Property(kind=kind, name=name, expression=expression, when=when):
            condition = optional(SPACE, "when", SPACE, "free", "(", when) + (
                [")"] if when is not None else []
            )
            return [kind, *condition, SPACE, name, ":", SOFT, expression, ";"]
        case s.LockOrder(locks=locks):
            return ["order", SPACE, *between(locks, SPACE, "<", SOFT), ";"]
        case s.Observation(name=name, dimensions=dimensions, expression=expression):
            return ["observe", SPACE, name, *dimensions, ":", SOFT, expression, ";"]
        case s.Without(thread=thread):
            return ["without", SPACE, "thread", SPACE, thread, ";"]
        case s.Scenario():
            return _scenario(node)
    assert_never(node)


def _override(node: s.Param | s.Const | s.Op | s.Thread) -> list[Part]:
    return ["override", SPACE] if node.override else []


def _shared(node: s.Variable | s.Lock) -> list[Part]:
    initial = optional(SPACE, "=", SOFT, node.initial)
    if isinstance(node, s.Lock):
        bound = optional(":", SPACE, node.bound)
        return [
            node.kind,
            SPACE,
            node.name,
            *node.dimensions,
            *bound,
            *initial,
            *led(SOFT, node.attributes),
            ";",
        ]
    marked: list[Part] = [] if node.marked is None else ["marked"]
    marked += [string_text(node.marked)] if node.marked else []
    rest = [*initial, *led(SOFT, [*marked, *node.guards]), ";"]
    return ["var", SPACE, node.name, *node.dimensions, ":", SPACE, node.type, *rest]


def _code(node: s.Op | s.Thread | s.IrqHandler) -> list[Part]:
    match node:
        case s.Op(name=name, parameters=parameters, result=result, contracts=contracts, body=body):
            head = [*_override(node), "op", SPACE, name, *listed(parameters)]
            return [*head, *optional(SPACE, "->", SPACE, result), *led(SOFT, contracts), SPACE, body]
        case s.Thread(name=name, size=size, when=when, attributes=attributes, body=body):
            words = led(SPACE, [*attributes, "thread", name])[1:]
            extent: list[Part] = [] if size is None else ["[", EDGE, size, EDGE, "]"]
            condition = optional(SOFT, "when", SPACE, when)
            return [*_override(node), *words, *extent, *condition, SPACE, body]
        case s.IrqHandler(name=name, threads=threads, body=body, kind=kind):
            on = between(threads, ",", SOFT)
            return [kind, SPACE, "handler", SPACE, name, SPACE, "on", SPACE, *on, SPACE, body]
    assert_never(node)


# --- scenarios -----------------------------------------------------------------------------------


def _scenario(node: s.Scenario) -> list[Part]:
    why = optional(SOFT, string_text(node.description) if node.description else None)
    items = chain.from_iterable((Gap.ITEM, item, ";") for item in node.items)
    body = lines("{", [list(items)[1:]] if node.items else [], "}")
    return ["scenario", SPACE, node.name, *why, SPACE, *body]


def _scenario_item(node: s.Run | s.Setting | s.Limit | s.Expectation) -> list[Part]:
    match node:
        case s.Run(threads=threads):
            return ["run", SPACE, *between(threads, ",", SOFT)]
        case s.Setting(name=name, value=value):
            return [name, SPACE, "=", SOFT, value]
        case s.Limit(what=what, value=value):
            return ["limit", SPACE, what, SPACE, value]
        case _:
            return ["expect", SPACE, *_expectation(node)]


def _expectation(node: s.Expectation) -> list[Part]:
    match node:
        case s.ExpectHolds(exceptions=exceptions):
            names = between(exceptions, ",", SOFT)
            return ["holds", SPACE, "except", SPACE, *names] if names else ["holds"]
        case s.ExpectViolated(name=name, arguments=arguments):
            return [name] if arguments is None else [name, *listed(arguments)]
        case s.ExpectOrder(locks=locks, verdict=verdict, gates=gates):
            by: list[Part] = [SPACE, "by", SPACE, *between(gates, ",", SOFT)] if gates else []
            return ["order", *listed(locks), *led(SPACE, verdict.split()), *by]
        case s.ExpectCount(what="steps", value=value):
            return ["in", SPACE, value, SPACE, "steps"]
        case s.ExpectCount(what=what, value=value):
            return [what, SPACE, value]
        case s.ExpectNotReached(label=label):
            return ["not", SPACE, "reached", SPACE, label]
        case s.ExpectUndecided():
            return ["undecided"]
    assert_never(node)


# --- parts of declarations -----------------------------------------------------------------------


def _component(node: s.Node) -> list[Part]:
    match node:
        case s.Field(name=name, dimensions=dimensions, type=type_):
            return [name, *dimensions, ":", SPACE, type_, ";"]
        case s.GuardedBy(kind=kind, locks=(lock,)):
            return [kind, SPACE, *operand_parts(lock, UNARY)]
        case s.GuardedBy(kind=kind, locks=locks):
            return [kind, SPACE, *listed(locks)]
        case s.ValueParameter(name=name, type=type_):
            return [name, ":", SPACE, type_]
        case s.LockParameter(kind=kind, name=name):
            return [kind, SPACE, name]
        case s.Contract(kind=kind, lock=lock, when=when):
            return [kind, SPACE, *operand_parts(lock, UNARY), *optional(SPACE, "when", SPACE, when)]
        case s.RunItem(thread=thread, copies=copies):
            return [thread, *([] if copies is None else ["*", *operand_parts(copies, UNARY)])]
        case _:
            raise AssertionError(f"{type(node).__name__} is no part of a syntax tree")
