"""Syntax of statements."""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.language.syntax.expressions import Call, Dimension, Expression, Node, TypeExpression


@dataclass(frozen=True)
class Block(Node):
    """`{ statements }`."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Local(Node):
    """`var name[dims]: T = e;` inside a block."""

    name: str
    dimensions: tuple[Dimension, ...]
    type: TypeExpression
    initial: Expression | None


@dataclass(frozen=True)
class Assign(Node):
    """`target = value;`, also `+=` `-=` and the other compound forms; `++` and `--` have no value."""

    target: Expression
    operator: str
    value: Expression | None


@dataclass(frozen=True)
class If(Node):
    """`if (condition) then else otherwise`."""

    condition: Expression
    then: Statement
    otherwise: Statement | None


@dataclass(frozen=True)
class While(Node):
    """`while (condition) body`."""

    condition: Expression
    body: Statement


@dataclass(frozen=True)
class Loop(Node):
    """`loop { }`: for ever."""

    body: Statement


@dataclass(frozen=True)
class For(Node):
    """`for (name: T) body`: unrolled."""

    name: str
    type: TypeExpression
    body: Statement


@dataclass(frozen=True)
class Choose(Node):
    """`choose name: T where e;` declares `name`."""

    name: str
    type: TypeExpression
    where: Expression | None


@dataclass(frozen=True)
class Either(Node):
    """`either { } or { } or { }`."""

    branches: tuple[Block, ...]


@dataclass(frozen=True)
class Await(Node):
    """`await(condition);`."""

    condition: Expression


@dataclass(frozen=True)
class Assert(Node):
    """`assert(condition) as name;`."""

    condition: Expression
    name: str | None


@dataclass(frozen=True)
class Atomic(Node):
    """`atomic { }`."""

    body: Block


@dataclass(frozen=True)
class Skip(Node):
    """`skip;`: a step that does nothing."""


@dataclass(frozen=True)
class Empty(Node):
    """`;`: no step."""


@dataclass(frozen=True)
class Break(Node):
    """`break;`."""


@dataclass(frozen=True)
class Continue(Node):
    """`continue;`."""


@dataclass(frozen=True)
class Return(Node):
    """`return e;` or `return;`."""

    value: Expression | None


@dataclass(frozen=True)
class Goto(Node):
    """`goto label;`."""

    label: str


@dataclass(frozen=True)
class Label(Node):
    """`label:`; a statement of its own that takes no step."""

    name: str


@dataclass(frozen=True)
class CallStatement(Node):
    """`f(arguments);`: an op, a lock verb, or WRITE_ONCE, lockdep_assert_held, ..."""

    call: Call


@dataclass(frozen=True)
class Guard(Node):
    """`guard(kind)(lock);`: released when the block is left."""

    kind: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class ScopedGuard(Node):
    """`scoped_guard(kind, lock) { }`; with `fail`, `scoped_cond_guard(kind, fail, lock) { }`."""

    kind: str
    arguments: tuple[Expression, ...]
    body: Statement
    fail: Statement | None = None


@dataclass(frozen=True)
class Emit(Node):
    """`emit event(arguments);`."""

    event: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Unguarded(Node):
    """`unguarded("reason") statement`."""

    reason: str
    body: Statement


Statement = (
    Block
    | Local
    | Assign
    | If
    | While
    | Loop
    | For
    | Choose
    | Either
    | Await
    | Assert
    | Atomic
    | Skip
    | Empty
    | Break
    | Continue
    | Return
    | Goto
    | Label
    | CallStatement
    | Guard
    | ScopedGuard
    | Emit
    | Unguarded
)
