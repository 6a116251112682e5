"""The Model: closed, typed, finite. Nothing is left to resolve.

Parameters are bound, ops inlined, records split, locks turned into variables and guarded steps with their
meaning attached. A thread is a program graph (Baier and Katoen, Principles of Model Checking, 2.1): its
locations, each with the one statement that runs from there.

Values are integers (see types.py). Expressions are over *cells*: a variable with its index values.
"""

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


@dataclass(frozen=True)
class At:
    """1 if the thread is at one of the locations."""

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

    `action`: "acquire" (this step gets the lock), "release", "announce" (first of two steps), "try", or "test".
    `mode`: "write" (exclusive) or "read". `subclass`: of mutex_lock_nested.
    `step` and `steps`: which of the verb's steps this is, from 1.
    """

    verb: str
    at: LockAt
    action: Literal["acquire", "release", "announce", "try", "test"]
    mode: Literal["write", "read"]
    step: int = 1
    steps: int = 1
    subclass: int = 0


# --- what a step does ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Assign:
    """Evaluate `value`, then the target's index; the value must be in the target's type: else an error step (range)."""

    target: Ref
    value: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Test:
    """Run `then` or `otherwise`; what stands after the Test in its sequence follows, unless the branch jumped."""

    condition: Expr
    then: Effects
    otherwise: Effects


@dataclass(frozen=True)
class Choose:
    """Assign to `target` any value of its type, or of low..high, for which `where` holds after the assignment.

    One outcome a value, in rising order; none if there is none.
    """

    target: Ref
    low: int
    high: int
    where: Expr = TRUE
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Either:
    """Run any one branch; what stands after the Either in its sequence follows, unless the branch jumped."""

    branches: tuple[Effects, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Breach:
    """What an error step violates: the check ("assertion", "lock_rules", "range"), and the sentence for the reader."""

    check: str
    message: str
    name: str = ""
    span: Span = field(default=NOWHERE, compare=False)
    lock: LockAt | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Require:
    """If the condition is false, this is an error step."""

    condition: Expr
    breach: Breach


@dataclass(frozen=True)
class Emit:
    """An observable event; changes nothing."""

    event: str
    arguments: tuple[Expr, ...]
    types: tuple[Scalar, ...]


@dataclass(frozen=True)
class Crossing:
    """The step enters or leaves a call; SEMANTICS C1 compares the locks held at both."""

    call: Call
    leaves: bool


@dataclass(frozen=True)
class Jump:
    """Arrive at location `target` of the thread and end the step: nothing after it runs. Every path has one."""

    target: int


Effect = Assign | Test | Choose | Either | Require | Emit | Crossing | Jump
Effects = tuple[Effect, ...]


# --- threads -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Call:
    """One inlined call: the op, where it was called, its contracts, and the call that it stands in.

    `parameters` are the cells of its value parameters, None for locks and records.
    """

    op: str
    span: Span
    number: int
    parent: Call | None = None
    parameters: tuple[Ref | None, ...] = ()
    contracts: tuple[tuple[str, LockAt], ...] = ()

    @property
    def stack(self) -> tuple[Call, ...]:
        """The calls from the outermost to this one."""
        return (*self.parent.stack, self) if self.parent else (self,)


@dataclass(frozen=True)
class Wait:
    """Whom a thread blocked here waits for (SEMANTICS A3).

    `all_of`: pairs (thread number, condition): it waits for that thread while the condition holds.
    `any_of`: the cells of the condition that it waits on, or None; waits for any that can still write one.
    `rests`: a daemon blocked here without holding anything is at rest (H3).
    """

    all_of: tuple[tuple[int, Expr], ...] = ()
    any_of: tuple[Ref, ...] | None = None
    rests: bool = False


@dataclass(frozen=True)
class Access:
    """One access of a statement to a shared variable.

    `marked`: it may race. `unguarded`: guarded_by does not apply (unguarded("...")). `ref` may have index
    expressions over cells that the statement itself assigns: `anywhere` then says that any element is meant.
    """

    ref: Ref
    writes: bool
    marked: bool = False
    unguarded: bool = False
    anywhere: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, eq=False)
class Location:
    """A control location and the statement that runs from it: a statement, its call stack, its `for` values.

    The statement has a step when `guard` is true (an undefined guard is an error step) and `effects` has an
    outcome. The thread's end has no effects. `left_by` is the place that made a guard's scope end, for the
    release on leaving it.
    """

    number: int
    span: Span
    text: str
    call: Call | None
    unrolled: tuple[tuple[str, str], ...] = ()
    guard: Expr = TRUE
    effects: Effects = ()
    wait: Wait = Wait()
    accesses: tuple[Access, ...] = ()
    verb: VerbUse | None = None
    left_by: Span | None = None
    sleeps: bool = False

    @classmethod
    def of(cls, span: Span, text: str, effects: Effects) -> Location:
        """Return the location of a statement that is not yet in a program graph."""
        return cls(-1, span, text, None, effects=effects)

    @property
    def is_end(self) -> bool:
        """True of the location where the thread has finished."""
        return not self.effects


@dataclass(frozen=True, eq=False)
class Thread:
    """A thread instance as a program graph. `start` runs before time and ends in a Jump to the first location.

    `goals`: its end and the head of every loop that it cannot leave (SEMANTICS A4). `labels`: where each label
    stands, in every inlined copy, as `label` and as `op.label`.
    """

    number: int
    name: str
    declaration: str
    daemon: bool
    unfair: bool
    locations: tuple[Location, ...]
    start: Effects
    goals: frozenset[int]
    locals: tuple[Variable, ...]
    labels: dict[str, frozenset[int]]
    span: Span

    @property
    def end(self) -> int:
        """The number of the location where the thread has finished (always there, maybe not reached)."""
        return len(self.locations) - 1


# --- properties and scenarios --------------------------------------------------------------------


@dataclass(frozen=True)
class Property:
    """A named property. `when_free` is the lock of a lock invariant; `expr` is then the body alone."""

    kind: Literal["invariant", "step", "reachable"]
    name: str
    expr: Expr
    when_free: LockAt | None = None
    span: Span = field(default=NOWHERE, compare=False)
    text: str = field(default="", compare=False)


@dataclass(frozen=True)
class Expectation:
    """One `expect` of a scenario.

    kind: "holds" (names: what is excepted), "violated" (names: one check or property; arguments: thread
    declarations or others), "order" (names: lock classes; verdict; gates), "count" (what, number),
    "not_reached" (names: label), "undecided".
    """

    kind: Literal["holds", "violated", "order", "count", "not_reached", "undecided"]
    names: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    verdict: str = ""
    gates: tuple[str, ...] = ()
    what: str = ""
    number: int = 0
    span: Span = field(default=NOWHERE, compare=False)
    text: str = field(default="", compare=False)


@dataclass(frozen=True)
class Scenario:
    """The scenario that this Model is of; name "" if the file has none."""

    name: str
    description: str
    expectations: tuple[Expectation, ...]
    max_states: int | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, eq=False)
class Model:
    """A specification with its parameters bound: what the engines work on.

    `initial`: effects of `init { }` (may choose; no Jump), run before time on the declared initial values.
    `parameters`: name and shown value. `all_marked`: `model NAME marked;`. `warnings` are rendered diagnostics.
    `ops` maps an op's name to where it is declared; `op_calls` lists every inlined call.
    """

    name: str
    description: str
    parameters: tuple[tuple[str, str], ...]
    variables: tuple[Variable, ...]
    locks: tuple[Lock, ...]
    threads: tuple[Thread, ...]
    initial: Effects
    properties: tuple[Property, ...]
    scenario: Scenario
    all_marked: bool
    calls: tuple[Call, ...]
    overridden: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    file: str = ""


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


def walk_effects(effects: Effects) -> Iterator[Effect]:
    """Yield every effect, those in branches included, in source order."""
    for effect in effects:
        yield effect
        match effect:
            case Test(_, then, otherwise):
                yield from walk_effects(then)
                yield from walk_effects(otherwise)
            case Either(branches):
                for branch in branches:
                    yield from walk_effects(branch)
            case _:
                pass


def jump_targets(effects: Effects) -> tuple[int, ...]:
    """Return the locations that a statement can lead to."""
    return tuple(dict.fromkeys(e.target for e in walk_effects(effects) if isinstance(e, Jump)))
