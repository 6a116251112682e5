"""Variables, expressions over their cells, and locks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from modelcheck.language.types import Scalar
from modelcheck.source import NOWHERE, Span

# --- variables -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class GuardRule:
    """A `guarded_by` of a variable (SEMANTICS H4).

    The locks' index expressions are over `Bound` positions: the variable's own index values.
    """

    kind: Literal["guarded_by", "write_guarded_by", "rcu_guarded_by"]
    locks: tuple[LockAt, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, eq=False)
class Variable:
    """A variable and its cells, one for each combination of index values, in row-major order.

    `initial` has one value a cell. `thread` is the number of the thread whose local it is. `frame` is the op
    whose local or parameter it is ("" for the thread's own). `marked` is None, or the reason ("" if none was given).
    """

    name: str
    type: Scalar
    dimensions: tuple[Scalar, ...]
    initial: tuple[int, ...]
    kind: Literal["shared", "lock", "local"]
    thread: int | None = None
    frame: str = ""
    marked: str | None = None
    guards: tuple[GuardRule, ...] = ()
    always_live: bool = False
    span: Span = NOWHERE


# --- expressions ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Const:
    """An integer."""

    value: int


@dataclass(frozen=True)
class Ref:
    """A cell: read as an expression, written as the target of an Assign.

    An index outside its dimension is undefined. `primed` reads the state after the step (step properties only).
    """

    var: Variable
    index: tuple[Expr, ...] = ()
    primed: bool = False


@dataclass(frozen=True)
class Bound:
    """Position `number` of the index of the variable that a GuardRule speaks of; replaced before use."""

    number: int
    low: int
    high: int


@dataclass(frozen=True)
class Not:
    """Logical negation of a 0/1 expression."""

    operand: Expr


@dataclass(frozen=True)
class And:
    """Conjunction, left to right; what stands after the first false is not evaluated. Empty: true."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True)
class Or:
    """Disjunction, left to right; what stands after the first true is not evaluated. Empty: false."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True)
class Compare:
    """0/1."""

    operator: Literal["==", "!=", "<", "<=", ">", ">="]
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Arith:
    """Exact integers; / and % truncate towards zero, by zero undefined.

    & | ^ << >> are undefined for a negative operand, << and >> also for a shift above 62.
    """

    operator: Literal["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Sum:
    """Sum of all operands (`count`)."""

    operands: tuple[Expr, ...]


@dataclass(frozen=True)
class Ite:
    """`condition ? then : otherwise`; only the chosen side is evaluated."""

    condition: Expr
    then: Expr
    otherwise: Expr


FINISHED = -1
"""Stands in At for the end of the thread, whose number is not known while other threads are lowered."""


@dataclass(frozen=True)
class At:
    """1 if the thread is at one of the locations (FINISHED among them: at its end)."""

    thread: int
    locations: frozenset[int]


@dataclass(frozen=True)
class Enabled:
    """1 if the thread has a step now (an error step counts)."""

    thread: int


@dataclass(frozen=True)
class Mover:
    """In a step property: number + 1 of the thread that moved."""

    threads: int


Expr = Const | Ref | Bound | Not | And | Or | Compare | Arith | Sum | Ite | At | Enabled | Mover

TRUE, FALSE = Const(1), Const(0)


# --- locks ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Lock:
    """A declared lock class: its kind (a primitive's name), its index types, and its variables by field name."""

    name: str
    kind: str
    dimensions: tuple[Scalar, ...]
    fields: dict[str, Variable]
    novalidate: bool = False
    handover: bool = False
    span: Span = NOWHERE


@dataclass(frozen=True)
class LockAt:
    """An instance of a lock class, by index expressions."""

    lock: Lock
    index: tuple[Expr, ...] = ()


@dataclass(frozen=True)
class VerbUse:
    """What a lock verb's step means for the diagnosis.

    `action`: "acquire" (this step gets the lock, or waits for its holders), "release", "announce" (bars others, and
    a later step gets the lock), "prepare" (what else comes before that), "try", or "test".
    `mode`: "write" (exclusive) or "read". `subclass`: of mutex_lock_nested.
    `step` and `steps`: which of the verb's steps this is, from 1. `bars`: an earlier step has announced the thread.
    """

    verb: str
    at: LockAt
    action: Literal["acquire", "release", "announce", "prepare", "try", "test"]
    mode: Literal["write", "read"]
    step: int = 1
    steps: int = 1
    subclass: int = 0
    bars: bool = False


# --- traversal -----------------------------------------------------------------------------------


def subexpressions(expr: Expr) -> Iterator[Expr]:
    """Yield the expression and all below it, parents first, left to right."""
    stack = [expr]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(operands(current)))


def operands(expr: Expr) -> tuple[Expr, ...]:
    """Return the direct operands of an expression."""
    match expr:
        case Ref(_, index):
            return index
        case Not(inner):
            return (inner,)
        case And(parts) | Or(parts) | Sum(parts):
            return parts
        case Compare(_, left, right) | Arith(_, left, right):
            return (left, right)
        case Ite(condition, then, otherwise):
            return (condition, then, otherwise)
        case _:
            return ()


def refs(expr: Expr) -> Iterator[Ref]:
    """Yield every cell that the expression may read, index expressions included."""
    return (e for e in subexpressions(expr) if isinstance(e, Ref))
