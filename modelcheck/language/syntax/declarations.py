"""Syntax of declarations, scenarios, and a whole file."""

from __future__ import annotations

from dataclasses import dataclass, field

from modelcheck.language.syntax.expressions import Dimension, Expression, Name, Node, TypeExpression
from modelcheck.language.syntax.statements import Block


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
    """`acquires l`, `releases l` or `must_hold l` of an op; `when e`: only if the constant e is true."""

    kind: str
    lock: Expression
    when: Expression | None = None


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
    """`irq handler name on t1, t2 { }`, `softirq handler ...`."""

    name: str
    threads: tuple[str, ...]
    body: Block
    kind: str = "irq"


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
class LockOrder(Node):
    """`order a < b < c;`: the order in which lock classes are to be taken."""

    locks: tuple[Name, ...]


@dataclass(frozen=True)
class Observation(Node):
    """`observe NAME[b: T]: e;`: a value that a log may state."""

    name: str
    dimensions: tuple[Dimension, ...]
    expression: Expression


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
    | LockOrder
    | Observation
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
