"""What the effects of a statement mean: from the cells before it, every outcome in the order of the choices.

The effects of a statement are cut into blocks: updates one after the other, then what decides how to go on.
A block is built once; running it on a copy of the cells appends one Step an outcome. The first broken rule, value
out of range or undefined expression on a path makes that path an error step, whatever it did before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from modelcheck.language.model import (
    TRUE,
    Assign,
    Assume,
    Breach,
    Choose,
    Crossing,
    Effects,
    Either,
    Emit,
    Expr,
    Jump,
    Ref,
    Require,
    Test,
)
from modelcheck.language.types import Scalar, bounds, show
from modelcheck.semantics.expressions import Cells, Expressions, Undefined, Value
from modelcheck.semantics.transition_system import INIT, State, Step, TransitionSystem
from modelcheck.source import NOWHERE, Span


@dataclass(slots=True)
class Run:
    """One path through a statement so far."""

    cells: list[int]
    choices: tuple[int, ...] = ()
    events: tuple[tuple[str, tuple[str, ...]], ...] = ()
    crossings: tuple[tuple[Crossing, State], ...] = ()
    tests: tuple[bool, ...] = ()

    def choosing(self, choice: int) -> Run:
        """Return a copy that made one more choice."""
        return Run(self.cells.copy(), (*self.choices, choice), self.events, self.crossings, self.tests)


class BrokenError(Exception):
    """The path ends in an error step."""

    def __init__(self, breach: Breach) -> None:
        super().__init__(breach.message)
        self.breach = breach


Update = Callable[[Run], None]
Leave = Callable[[Run, list[Step]], "Block | None"]


@dataclass(frozen=True)
class Block:
    """Updates, then the way on: the next block, or None if every outcome from here has been appended."""

    updates: tuple[Update, ...]
    leave: Leave


@dataclass(frozen=True)
class Statement:
    """Whose effects are built, and where they stand. `arrived` is the way on after a Jump."""

    thread: int
    location: int
    span: Span
    arrived: Leave

    @property
    def mover(self) -> int:
        """Who takes the step: nobody yet, before time."""
        return INIT if self.location == INIT else self.thread


def perform(statement: Statement, block: Block, run: Run, out: list[Step]) -> None:
    """Go from the block to the end of every path, and append the outcomes."""
    following: Block | None = block
    try:
        while following is not None:
            for update in following.updates:
                update(run)
            following = following.leave(run, out)
    except BrokenError as broken:
        out.append(
            Step(statement.mover, statement.location, run.choices, None, broken.breach, tests=run.tests)
        )


class Statements:
    """Builds the blocks of the statements of one transition system."""

    def __init__(self, system: TransitionSystem, expressions: Expressions) -> None:
        self._system = system
        self._expressions = expressions

    def build(self, effects: Effects, statement: Statement, end: Leave) -> Block:
        """Return the first block of the effects; `end` is the way on where they end without a Jump."""
        updates: list[Update] = []  # of the block that is being built, last one first
        leave = end
        for effect in reversed(effects):
            match effect:
                case Assign():
                    updates.append(self._assign(effect, statement))
                case Require():
                    updates.append(self._require(effect, statement))
                case Emit():
                    updates.append(self._emit(effect, statement))
                case Crossing():
                    updates.append(_cross(effect))
                case Jump(target):
                    updates, leave = [self._jump(target, statement)], statement.arrived
                case Test() | Choose() | Either() | Assume():
                    after = Block(tuple(reversed(updates)), leave)
                    updates, leave = [], self._fork(effect, statement, after)
                case _:
                    assert_never(effect)
        return Block(tuple(reversed(updates)), leave)

    def _fork(self, effect: Test | Choose | Either | Assume, statement: Statement, after: Block) -> Leave:
        follow: Leave = lambda _run, _out: after  # noqa: E731
        match effect:
            case Test(condition, then, otherwise):
                holds = self._value(condition, statement.span)
                yes, no = (self.build(branch, statement, follow) for branch in (then, otherwise))
                return _test(holds, yes, no)
            case Assume(condition):
                allowed = self._value(condition, statement.span)
                return lambda run, _: after if allowed(run.cells) else None
            case Choose():
                return self._choose(effect, statement, after)
            case Either(branches):
                return _either(tuple(self.build(branch, statement, follow) for branch in branches), statement)
            case _:
                assert_never(effect)

    def _assign(self, effect: Assign, statement: Statement) -> Update:
        span = first_known(effect.span, statement.span)
        value = self._value(effect.value, span)
        place = self._place(effect.target, span)
        kind = effect.target.var.type
        low, high = bounds(kind)
        names = self._system.cells

        def update(run: Run) -> None:
            new = value(run.cells)
            number = place(run.cells)
            if not low <= new <= high:
                raise BrokenError(Breach("range", left_its_range(names[number].name, kind, new), span=span))
            run.cells[number] = new

        return update

    def _require(self, effect: Require, statement: Statement) -> Update:
        breach = replace(effect.breach, span=first_known(effect.breach.span, statement.span))
        holds = self._value(effect.condition, breach.span)

        def update(run: Run) -> None:
            if not holds(run.cells):
                raise BrokenError(breach)

        return update

    def _emit(self, effect: Emit, statement: Statement) -> Update:
        values = tuple(self._value(argument, statement.span) for argument in effect.arguments)

        def update(run: Run) -> None:
            shown = (_shown(kind, value(run.cells)) for kind, value in zip(effect.types, values, strict=True))
            run.events = (*run.events, (effect.event, tuple(shown)))

        return update

    def _jump(self, target: int, statement: Statement) -> Update:
        cell = self._system.location_cells[statement.thread]
        resets = self._system.resets[statement.thread][target]

        def update(run: Run) -> None:
            run.cells[cell] = target
            for dead, first in resets:
                run.cells[dead] = first

        return update

    def _choose(self, effect: Choose, statement: Statement, after: Block) -> Leave:
        span = first_known(effect.span, statement.span)
        place = self._place(effect.target, span)
        allowed = self._value(effect.where, span)
        low, high = bounds(effect.target.var.type)
        assert low <= effect.low <= effect.high <= high, (
            f"values of {effect.target.var.name} outside its type"
        )
        filtered = Block((), lambda run, _: after if allowed(run.cells) else None)
        first = after if effect.where == TRUE else filtered

        def leave(run: Run, out: list[Step]) -> None:
            number = place(run.cells)
            for value in range(effect.low, effect.high + 1):
                branch = run.choosing(value)
                branch.cells[number] = value
                perform(statement, first, branch, out)

        return leave

    def _value(self, expr: Expr, span: Span) -> Value:
        return _defined(self._expressions.denotation(expr), span)

    def _place(self, ref: Ref, span: Span) -> Value:
        return _defined(self._expressions.place(ref), span)


def _test(holds: Value, yes: Block, no: Block) -> Leave:
    def leave(run: Run, _out: list[Step]) -> Block:
        outcome = bool(holds(run.cells))
        run.tests = (*run.tests, outcome)
        return yes if outcome else no

    return leave


def _either(branches: tuple[Block, ...], statement: Statement) -> Leave:
    def leave(run: Run, out: list[Step]) -> None:
        for number, branch in enumerate(branches):
            perform(statement, branch, run.choosing(number), out)

    return leave


def _cross(effect: Crossing) -> Update:
    def update(run: Run) -> None:
        run.crossings = (*run.crossings, (effect, tuple(run.cells)))

    return update


def _defined(value: Value, span: Span) -> Value:
    """Return the same function; where it is undefined the statement is an error step."""

    def checked(cells: Cells) -> int:
        try:
            return value(cells)
        except Undefined as undefined:
            raise BrokenError(Breach("range", undefined.reason, span=span)) from undefined

    return checked


def left_its_range(name: str, kind: Scalar, value: int) -> str:
    """Return the sentence about a value that a cell cannot hold."""
    low, high = bounds(kind)
    left = f"`{name}` left its range {low}..{high} with {value}"
    return f"{left}: a bug, or the bound of the model is too small"


def _shown(kind: Scalar, value: int) -> str:
    """Return an argument of an event as a reader sees it; no range is checked here."""
    low, high = bounds(kind)
    return show(kind, value) if low <= value <= high else str(value)


def first_known(*spans: Span) -> Span:
    """Return the first span that is a place."""
    return next((span for span in spans if span != NOWHERE), NOWHERE)
