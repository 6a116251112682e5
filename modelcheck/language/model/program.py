"""Threads as program graphs, properties, scenarios, and the Model itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from modelcheck.language.model.effects import Call, Effects
from modelcheck.language.model.terms import TRUE, Expr, Lock, LockAt, Ref, Variable, VerbUse
from modelcheck.language.types import Scalar
from modelcheck.source import NOWHERE, Span


@dataclass(frozen=True)
class By:
    """A write of the cell by one of these lock verbs; what other statements write does not end the wait."""

    ref: Ref
    verbs: frozenset[str]


@dataclass(frozen=True)
class Obstacle:
    """One thing that must go away before a blocked thread can step, and who can remove it (SEMANTICS A3).

    `when`: it is in the way now. `all_of`: pairs (thread number, condition): each thread whose condition holds must
    step first. `any_of`: any thread can remove it that can still write one of these cells; None: that does not help.
    `movers`: any of these threads can remove it, by moving at all. Where several are given, each is a way out.
    """

    all_of: tuple[tuple[int, Expr], ...] = ()
    any_of: tuple[Ref | By, ...] | None = None
    movers: tuple[int, ...] = ()
    when: Expr = TRUE


@dataclass(frozen=True)
class Wait:
    """Whom a thread blocked here waits for: all obstacles that are in the way must go.

    `rests`: a daemon blocked here without holding anything is at rest (H3). `patience`: None, or the condition under
    which a statement that may give up at any moment would go on without giving up (A5, time-outs).
    """

    obstacles: tuple[Obstacle, ...] = ()
    rests: bool = False
    patience: Expr | None = None

    @classmethod
    def for_owners(
        cls, all_of: tuple[tuple[int, Expr], ...], any_of: tuple[Ref | By, ...] | None = None
    ) -> Wait:
        """Return a wait for threads that are in the way; `any_of` is another way out of it."""
        return cls((Obstacle(all_of, any_of),))

    @classmethod
    def for_writers(cls, cells: tuple[Ref | By, ...], *, rests: bool = False) -> Wait:
        """Return a wait for a condition over cells."""
        return cls((Obstacle(any_of=cells),), rests)


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


@dataclass(frozen=True)
class Handler:
    """What makes a thread an interrupt handler: its kind, whom it may interrupt, where it starts and returns.

    The step that starts it is a choice: of whom it interrupts, in the order of `interrupts`.
    """

    kind: Literal["irq", "softirq"]
    interrupts: tuple[int, ...]
    starts: frozenset[int]
    returns: frozenset[int]


@dataclass(frozen=True, eq=False)
class Thread:
    """A thread instance as a program graph. `start` runs before time and ends in a Jump to the first location.

    `goals`: its end and the head of every loop that it cannot leave (SEMANTICS A4). `labels`: where each label
    stands, in every inlined copy, as `label` and as `op.label`. `interrupted_by`: pairs (handler's thread number,
    condition): while one holds that handler runs in its place, and the thread takes no step (H2).
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
    interrupted_by: tuple[tuple[int, Expr], ...] = ()
    handler: Handler | None = None

    @property
    def end(self) -> int:
        """The number of the location where the thread has finished (always there, maybe not reached)."""
        return len(self.locations) - 1

    @property
    def idle(self) -> frozenset[int]:
        """Where an interrupt handler waits for an interrupt; nowhere for other threads."""
        return self.handler.starts if self.handler is not None else frozenset()


@dataclass(frozen=True)
class Premise:
    """What stands before an `implies` of a property; a quantifier has one for each element, with the same place."""

    expr: Expr
    span: Span


@dataclass(frozen=True)
class Property:
    """A named property. `when_free` is the lock of a lock invariant; `expr` is then the body alone."""

    kind: Literal["invariant", "step", "reachable"]
    name: str
    expr: Expr
    when_free: LockAt | None = None
    span: Span = field(default=NOWHERE, compare=False)
    text: str = field(default="", compare=False)
    premises: tuple[Premise, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class DeclaredOrder:
    """Lock class `first` is to be taken before `then`; `span` is the declaration from which that follows."""

    first: str
    then: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Observation:
    """One value that a log may state: `name[index]` as a reader writes it, and what it is in a state."""

    name: str
    declared: str
    expr: Expr
    type: Scalar
    span: Span = field(default=NOWHERE, compare=False)


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
    `parameters`: name and shown value; `given`: the names of those set from outside. `all_marked`: `model NAME
    marked;`. `warnings` are rendered diagnostics.
    `calls` lists every inlined call, `ops` every declared op that no step calls as a part of it, with its place.
    `settled` are the conditions of `if` and `while` that are constant in this scenario, with their value. `orders`
    is closed under transitivity.
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
    given: tuple[str, ...] = ()
    ops: tuple[tuple[str, Span], ...] = ()
    settled: frozenset[tuple[Span, bool]] = frozenset()
    orders: tuple[DeclaredOrder, ...] = ()
    observations: tuple[Observation, ...] = ()
