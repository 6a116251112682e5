"""Syntax of expressions and types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from modelcheck.source import NOWHERE, Span


@dataclass(frozen=True, kw_only=True)
class Node:
    """What every node has: where it stands."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)

    def children(self) -> Iterator[Node]:
        """Yield the nodes directly below this one, in source order."""
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from (item for item in value if isinstance(item, Node))

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, parents first."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(tuple(node.children())))


# --- expressions ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Name(Node):
    """An identifier in an expression; also `self` and `mover`."""

    id: str


@dataclass(frozen=True)
class Number(Node):
    """An integer literal: decimal, hexadecimal (0x..), with _ between digits."""

    value: int


@dataclass(frozen=True)
class Boolean(Node):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True)
class Index(Node):
    """`base[index]`."""

    base: Expression
    index: Expression


@dataclass(frozen=True)
class Member(Node):
    """`base.field`: a record's field, `State.ONLINE`, or a thread's local in a property."""

    base: Expression
    field: str


@dataclass(frozen=True)
class Call(Node):
    """`name(arguments)`: an op, a lock verb, or a built-in function (next, held, free, at, ...)."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Unary(Node):
    """`!e`, `-e`, `~e`, or `&lock`."""

    operator: str
    operand: Expression


@dataclass(frozen=True)
class Binary(Node):
    """`left operator right`; operators as in operators.py."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Conditional(Node):
    """`condition ? then : otherwise`."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True)
class Paren(Node):
    """`(e)`: kept, because C's precedence of & and == is checked against what was written."""

    inner: Expression


@dataclass(frozen=True)
class Binder(Node):
    """`name: type` of a quantifier."""

    name: str
    type: TypeExpression


@dataclass(frozen=True)
class Quantifier(Node):
    """`forall i: T { e }`, `exists ...`, `count ...`; several binders are separated by commas."""

    kind: str
    binders: tuple[Binder, ...]
    body: Expression


@dataclass(frozen=True)
class SetLiteral(Node):
    """`{ a, b }` or `{ }`."""

    elements: tuple[Expression, ...]


Expression = (
    Name
    | Number
    | Boolean
    | Index
    | Member
    | Call
    | Unary
    | Binary
    | Conditional
    | Paren
    | Quantifier
    | SetLiteral
)


# --- types ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NamedType(Node):
    """A type by name: bool, Errno, or a declared one."""

    name: str


@dataclass(frozen=True)
class RangeType(Node):
    """`low .. high`, both included."""

    low: Expression
    high: Expression


@dataclass(frozen=True)
class SetType(Node):
    """`set of T`."""

    element: TypeExpression


TypeExpression = NamedType | RangeType | SetType


@dataclass(frozen=True)
class Dimension(Node):
    """`[T]` or `[b: T]` after a declared name."""

    binder: str | None
    type: TypeExpression
