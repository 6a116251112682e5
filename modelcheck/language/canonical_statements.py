"""The canonical form of expressions, types and statements: of what parts, and what may stand between them.

One function takes a node apart into texts, gaps and smaller nodes; layout.py makes lines of them. Written so, without
recursion, for a tree of any depth, and so that the same rules serve a whole file and one line of a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain
from typing import assert_never

from modelcheck.language import syntax as s
from modelcheck.language.operators import BINARY, CONDITIONAL, UNARY
from modelcheck.language.tokens import is_number, number_value, string_text


class Gap(Enum):
    """What stands between two tokens."""

    NONE = auto()
    SPACE = auto()
    EDGE = auto()
    """Nothing, but a line break of the user's is kept: inside brackets."""
    SOFT = auto()
    """A space, but a line break of the user's is kept."""
    EMPTY = auto()
    """A space, between the braces of `{ }`."""
    LINE = auto()
    """A line end: between statements and declarations, and inside the braces of a block."""
    ITEM = auto()
    """A line end, if the user has one: between the items of a scenario."""
    PARAGRAPH = auto()
    """A line end, and an empty line if nobody wrote anything: between declarations."""


SPACED = frozenset({Gap.SPACE, Gap.SOFT, Gap.EMPTY, Gap.ITEM})
BREAKABLE = frozenset({Gap.EDGE, Gap.SOFT})
LINES = frozenset({Gap.LINE, Gap.PARAGRAPH, Gap.ITEM})


class Shift(Enum):
    """A change of indentation, in levels."""

    IN = 1
    OUT = -1


@dataclass(frozen=True)
class Added:
    """A brace that the user may leave out."""

    text: str


Part = str | Gap | Shift | Added | s.Node
NONE, EDGE, SPACE, SOFT, LINE, IN, OUT = (
    Gap.NONE, Gap.EDGE, Gap.SPACE, Gap.SOFT, Gap.LINE, Shift.IN, Shift.OUT,
)  # fmt: skip

Broken = (
    s.If | s.While | s.Loop | s.For | s.Either | s.Atomic | s.ScopedGuard | s.Unguarded | s.Block
    | s.Op | s.Thread | s.IrqHandler | s.Init | s.Scenario | s.RecordDeclaration
)  # fmt: skip
"""What has a block, and so either stands on one line, or has a line for each statement."""

_COMPOUND = (
    s.If, s.While, s.Loop, s.For, s.Either, s.Atomic, s.ScopedGuard, s.Unguarded, s.Block, s.Label, s.Empty,
)  # fmt: skip


def between(parts: Iterable[Part], *separators: Part) -> list[Part]:
    """Return parts with separators between them."""
    return list(chain.from_iterable((*separators, part) for part in parts))[len(separators) :]


def led(gap: Gap, parts: Iterable[Part]) -> list[Part]:
    """Return parts with a gap before each."""
    return list(chain.from_iterable((gap, part) for part in parts))


def listed(nodes: Iterable[Part], opening: str = "(", closing: str = ")", edge: Gap = EDGE) -> list[Part]:
    """Return nodes with commas between them, in brackets."""
    inner = between(nodes, ",", SOFT)
    return [opening, edge, *inner, edge, closing] if inner else [opening, closing]


def optional(*parts: Part | None) -> list[Part]:
    """Return the parts, or none of them if the last is None."""
    return [] if parts[-1] is None else [part for part in parts if part is not None]


# --- expressions and types -----------------------------------------------------------------------


def expression_parts(node: s.Expression | s.Binder) -> list[Part]:
    """Return what an expression consists of."""
    match node:
        case s.Name(id=name):
            return [name]
        case s.Number():
            return [_number(node)]
        case s.Boolean(value=value):
            return ["true" if value else "false"]
        case s.Index(base=base, index=index):
            return [*operand_parts(base, UNARY + 1), "[", EDGE, index, EDGE, "]"]
        case s.Member(base=base, field=field):
            return [*operand_parts(base, UNARY + 1), ".", field]
        case s.Call(name=name, arguments=arguments):
            return [name, *listed(arguments)]
        case s.Unary(operator=operator, operand=operand):
            clash = isinstance(operand, s.Unary) and operand.operator == operator and operator in "-&"
            return [operator, SPACE if clash else NONE, *operand_parts(operand, UNARY)]
        case s.Binary():
            return _binary(node)
        case s.Conditional(condition=condition, then=then, otherwise=otherwise):
            test, last = operand_parts(condition, CONDITIONAL + 1), operand_parts(otherwise, CONDITIONAL)
            return [*test, SOFT, "?", SOFT, then, SOFT, ":", SOFT, *last]
        case s.Paren(inner=inner):
            return ["(", EDGE, inner, EDGE, ")"]
        case s.Quantifier(kind=kind, binders=binders, body=body):
            return [kind, SPACE, *between(binders, ",", SOFT), SPACE, "{", SOFT, body, SOFT, "}"]
        case s.Binder(name=name, type=type_):
            return [name, ":", SPACE, type_]
        case s.SetLiteral(elements=elements):
            return listed(elements, "{", "}", SOFT) if elements else ["{", Gap.EMPTY, "}"]
    assert_never(node)


def _binary(node: s.Binary) -> list[Part]:
    operator = BINARY[node.operator]
    left = operand_parts(node.left, operator.binding + operator.right)
    right = operand_parts(node.right, operator.binding + (not operator.right))
    return [*left, SOFT, operator.symbol, SOFT, *right]


def operand_parts(node: s.Expression, binding: int) -> list[Part]:
    """Return an operand, in parentheses if it binds weaker; what was parsed has them already."""
    match node:
        case s.Binary(operator=operator):
            weak = BINARY[operator].binding < binding
        case s.Conditional():
            weak = binding > CONDITIONAL
        case s.Unary():
            weak = binding > UNARY
        case _:
            weak = False
    return ["(", node, ")"] if weak else [node]


def _number(node: s.Number) -> str:
    """Return the literal as the user wrote it: hexadecimal and grouping are for readers."""
    written = node.span.text
    return written if is_number(written) and number_value(written) == node.value else str(node.value)


def type_parts(node: s.TypeExpression | s.Dimension, *, spaced: bool = False) -> list[Part]:
    """Return what a type consists of; `spaced` if it is all there is, as in a declaration of the type."""
    match node:
        case s.NamedType(name=name):
            return [name]
        case s.RangeType(low=low, high=high):
            space = NONE if not spaced and _is_short(low) and _is_short(high) else SPACE
            return [
                *operand_parts(low, BINARY["<<"].binding),
                space,
                "..",
                space,
                *operand_parts(high, BINARY["<<"].binding),
            ]
        case s.SetType(element=element):
            return ["set", SPACE, "of", SPACE, element]
        case s.Dimension(binder=binder, type=type_):
            named: list[Part] = [] if binder is None else [binder, ":", SPACE]
            return ["[", EDGE, *named, type_, EDGE, "]"]
    assert_never(node)


def _is_short(bound: s.Expression) -> bool:
    return isinstance(bound, s.Number) or (isinstance(bound, s.Unary) and isinstance(bound.operand, s.Number))


# --- statements ----------------------------------------------------------------------------------


def is_compound(node: s.Node) -> bool:
    """Whether a statement ends without a semicolon of its own."""
    return isinstance(node, _COMPOUND)


def _ended(statement: s.Statement) -> list[Part]:
    return [statement] if is_compound(statement) else [statement, ";"]


def _block(node: s.Block) -> list[Part]:
    written = node.span.text.startswith("{") or not node.span.text
    opening, closing = ("{", "}") if written else (Added("{"), Added("}"))
    return lines(opening, [_ended(statement) for statement in node.statements], closing)


def lines(opening: Part, each: Sequence[Sequence[Part]], closing: Part) -> list[Part]:
    """Return parts in braces, each with a line of its own."""
    if not each:
        return [opening, Gap.EMPTY, closing]
    inner = chain.from_iterable((LINE, *line) for line in each)
    return [opening, IN, *inner, OUT, LINE, closing]


def statement_parts(node: s.Statement) -> list[Part]:
    """Return what a statement consists of; a simple one without its semicolon."""
    match node:
        case s.Block():
            return _block(node)
        case s.Local(name=name, dimensions=dimensions, type=type_, initial=initial):
            return ["var", SPACE, name, *dimensions, ":", SPACE, type_, *optional(SPACE, "=", SOFT, initial)]
        case s.Assign(target=target, operator=operator, value=value):
            return [target, SPACE, operator, SOFT, value] if value is not None else [target, operator]
        case s.If(condition=condition, then=then, otherwise=otherwise):
            return [*_head("if", condition), then, *optional(Gap.SPACE, "else", SPACE, otherwise)]
        case s.While(condition=condition, body=body):
            return [*_head("while", condition), body]
        case s.Loop(body=body):
            return ["loop", SPACE, body]
        case s.For(name=name, type=type_, body=body):
            return ["for", SPACE, "(", name, ":", SPACE, type_, ")", SPACE, body]
        case s.Choose(name=name, type=type_, where=where):
            return ["choose", SPACE, name, ":", SPACE, type_, *optional(SOFT, "where", SPACE, where)]
        case s.Either(branches=branches):
            return ["either", SPACE, *between(branches, SPACE, "or", SPACE)]
        case s.Atomic(body=body):
            return ["atomic", SPACE, body]
        case s.ScopedGuard() | s.Unguarded():
            return _scoped(node)
        case s.Skip() | s.Break() | s.Continue():
            return [type(node).__name__.lower()]
        case s.Empty():
            return [";"]
        case _:
            return _simple(node)


def _head(word: str, condition: s.Expression) -> list[Part]:
    return [word, SPACE, "(", EDGE, condition, EDGE, ")", SPACE]


def _scoped(node: s.ScopedGuard | s.Unguarded) -> list[Part]:
    if isinstance(node, s.Unguarded):
        return ["unguarded", "(", EDGE, string_text(node.reason), EDGE, ")", SPACE, *_ended(node.body)]
    word = "scoped_guard" if node.fail is None else "scoped_cond_guard"
    fail = [] if node.fail is None else [node.fail]
    return [word, *listed([node.kind, *fail, *node.arguments]), SPACE, node.body]


def _simple(
    node: s.Await | s.Assert | s.Return | s.Goto | s.Label | s.CallStatement | s.Guard | s.Emit,
) -> list[Part]:
    match node:
        case s.Await(condition=condition):
            return ["await", "(", EDGE, condition, EDGE, ")"]
        case s.Assert(condition=condition, name=name):
            return ["assert", "(", EDGE, condition, EDGE, ")", *optional(SPACE, "as", SPACE, name)]
        case s.Return(value=value):
            return ["return", *optional(SPACE, value)]
        case s.Goto(label=label):
            return ["goto", SPACE, label]
        case s.Label(name=name):
            return [name, ":"]
        case s.CallStatement(call=call):
            return [call]
        case s.Guard(kind=kind, arguments=arguments):
            return ["guard", "(", kind, ")", *listed(arguments)]
        case s.Emit(event=event, arguments=arguments):
            return ["emit", SPACE, event, *listed(arguments)]
    assert_never(node)
