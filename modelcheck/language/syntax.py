"""The syntax tree: one frozen dataclass per construct of grammars/mck.lark.

Positions never take part in equality, so that text -> tree -> text -> tree can be compared.
Nothing here is resolved: names are strings, parameters are unbound.
"""

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


# --- statements ----------------------------------------------------------------------------------


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


# --- declarations --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Import(Node):
    """`import "file.mck";`."""

    path: str


@dataclass(frozen=True)
class Param(Node):
    """`param NAME: T = e;`; as `override param NAME = e;` the type is None."""

    name: str
    type: TypeExpression | None
    default: Expression
    override: bool = False


@dataclass(frozen=True)
class Const(Node):
    """`const NAME = e;` or `override const NAME = e;`."""

    name: str
    value: Expression
    override: bool = False


@dataclass(frozen=True)
class TypeDeclaration(Node):
    """`type NAME = T;` or `scalarset NAME = low .. high;`."""

    name: str
    type: TypeExpression
    scalarset: bool = False


@dataclass(frozen=True)
class EnumDeclaration(Node):
    """`enum NAME { A, B }`; member places are their Name nodes."""

    name: str
    members: tuple[Name, ...]


@dataclass(frozen=True)
class Field(Node):
    """`name[dims]: T;` of a record."""

    name: str
    dimensions: tuple[Dimension, ...]
    type: TypeExpression


@dataclass(frozen=True)
class RecordDeclaration(Node):
    """`record NAME { fields }`."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class GuardedBy(Node):
    """`guarded_by l`, `guarded_by (l1, l2)`, `write_guarded_by l`, `rcu_guarded_by l`."""

    kind: str
    locks: tuple[Expression, ...]


@dataclass(frozen=True)
class Variable(Node):
    """`var name[dims]: T = e marked "reason" guarded_by l;`; `marked` is None, "" or the reason."""

    name: str
    dimensions: tuple[Dimension, ...]
    type: TypeExpression
    initial: Expression | None
    marked: str | None = None
    guards: tuple[GuardedBy, ...] = ()


@dataclass(frozen=True)
class Lock(Node):
    """`kind name[dims]: T = e attributes;`, for example `mutex device_lock[Block] novalidate;`."""

    kind: str
    name: str
    dimensions: tuple[Dimension, ...] = ()
    bound: TypeExpression | None = None
    initial: Expression | None = None
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ValueParameter(Node):
    """`name: T` of an op."""

    name: str
    type: TypeExpression


@dataclass(frozen=True)
class LockParameter(Node):
    """`mutex name` of an op."""

    kind: str
    name: str


@dataclass(frozen=True)
class Contract(Node):
    """`acquires l`, `releases l` or `must_hold l` of an op."""

    kind: str
    lock: Expression


@dataclass(frozen=True)
class Op(Node):
    """`op name(parameters) -> T contracts { }`."""

    name: str
    parameters: tuple[ValueParameter | LockParameter, ...]
    result: TypeExpression | None
    contracts: tuple[Contract, ...]
    body: Block
    override: bool = False


@dataclass(frozen=True)
class Thread(Node):
    """`daemon unfair thread name[size] when e { }`; size is a number or a type."""

    name: str
    size: Expression | TypeExpression | None
    when: Expression | None
    attributes: tuple[str, ...]
    body: Block
    override: bool = False


@dataclass(frozen=True)
class IrqHandler(Node):
    """`irq handler name on t1, t2 { }`."""

    name: str
    threads: tuple[str, ...]
    body: Block


@dataclass(frozen=True)
class Init(Node):
    """`init { }`."""

    body: Block


@dataclass(frozen=True)
class Property(Node):
    """`invariant`, `step`, `reachable` or `property` NAME: e; `when` is the lock of `invariant when free(l)`."""

    kind: str
    name: str
    expression: Expression
    when: Expression | None = None


@dataclass(frozen=True)
class Without(Node):
    """`without thread name;`."""

    thread: str


# --- scenarios -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunItem(Node):
    """`name` or `name*copies` after `run`."""

    thread: str
    copies: Expression | None


@dataclass(frozen=True)
class Run(Node):
    """`run a, b*2;`."""

    threads: tuple[RunItem, ...]


@dataclass(frozen=True)
class Setting(Node):
    """`NAME = e;`: a parameter's value."""

    name: str
    value: Expression


@dataclass(frozen=True)
class Limit(Node):
    """`limit states 1_000_000;`."""

    what: str
    value: Expression


@dataclass(frozen=True)
class ExpectHolds(Node):
    """`expect holds;` or `expect holds except a, b;`."""

    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExpectViolated(Node):
    """`expect NAME;` or `expect NAME(args);`: a check or property that is violated, or an expected warning."""

    name: str
    arguments: tuple[Expression, ...] | None = None


@dataclass(frozen=True)
class ExpectOrder(Node):
    """`expect order(a, b) gated by l;`: verdict is "gated", "reachable", "kept apart", "one thread" or ""."""

    locks: tuple[Expression, ...]
    verdict: str
    gates: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class ExpectCount(Node):
    """`expect in 14 steps;`, `expect states N;`, `expect transitions N;`, `expect depth N;`."""

    what: str
    value: Expression


@dataclass(frozen=True)
class ExpectNotReached(Node):
    """`expect not reached label;`, with op or thread before a dot where the label alone is not clear."""

    label: Expression


@dataclass(frozen=True)
class ExpectUndecided(Node):
    """`expect undecided;`."""


Expectation = ExpectHolds | ExpectViolated | ExpectOrder | ExpectCount | ExpectNotReached | ExpectUndecided


@dataclass(frozen=True)
class Scenario(Node):
    """`scenario name "why" { items }`."""

    name: str
    description: str
    items: tuple[Run | Setting | Limit | Expectation, ...]


Declaration = (
    Import
    | Param
    | Const
    | TypeDeclaration
    | EnumDeclaration
    | RecordDeclaration
    | Variable
    | Lock
    | Op
    | Thread
    | IrqHandler
    | Init
    | Property
    | Without
    | Scenario
)


@dataclass(frozen=True)
class Comment(Node):
    """A comment with its delimiters; `own_line` if nothing but white space stands before it."""

    text: str
    own_line: bool


@dataclass(frozen=True)
class Specification(Node):
    """A file: `model name marked;`, its description, its declarations, and its comments for the printer."""

    name: str | None
    description: str
    marked: bool
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = field(default=(), compare=False, repr=False)
