"""The definition: what a model means, on Python values, slow and obvious.

Every other meaning (native code, z3 terms) is compared with this one, and every counterexample is replayed by
it. Statements and expressions are turned into closures when they are first needed (effects.py, expressions.py).
What stands here: what a step is, who is blocked, who holds what, what a thread sees (SEMANTICS A1, A3, A7, H3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from modelcheck.language.model import (
    TRUE,
    Assume,
    Breach,
    Choose,
    Const,
    Effects,
    Expr,
    Location,
    LockAt,
    walk_effects,
)
from modelcheck.locks import PRIMITIVES
from modelcheck.semantics.effects import Block, Leave, Run, Statement, Statements, perform
from modelcheck.semantics.expressions import Cells, Expressions, Undefined, Value
from modelcheck.semantics.questions import Held, LocalView
from modelcheck.semantics.transition_system import INIT, State, Step, TransitionSystem, index_values
from modelcheck.source import NOWHERE

__all__ = ["Interpreter", "Undefined"]


@dataclass(frozen=True)
class _Program:
    """The statement of one location, ready to run. `guard` is None if it is always true."""

    statement: Statement
    guard: Value | None
    first: Block
    always_steps: bool


class Interpreter:
    """The transition relation of one system, and what a state of it means."""

    def __init__(self, system: TransitionSystem) -> None:
        self.system = system
        self._threads = system.model.threads
        self._ends = tuple(thread.end for thread in self._threads)
        self._size = len(system.cells)
        self._expressions = Expressions(system, self._has_step)
        self._statements = Statements(system, self._expressions)
        self._interrupting = tuple(
            tuple(self._expressions.denotation(runs) for _, runs in thread.interrupted_by)
            for thread in self._threads
        )
        self._programs: list[list[_Program | None]] = [[None for _ in t.locations] for t in self._threads]
        self._alike: dict[int, tuple[Location, _Program]] = {}  # keeping the location keeps its id

    # --- states and steps ------------------------------------------------------------------------

    @cached_property
    def before_time(self) -> tuple[Step, ...]:
        """Every outcome of `init` and of the threads' starts, as steps of `INIT`, in the order of choices."""
        return tuple(self._before_time())

    def initial_states(self) -> tuple[tuple[State | None, Breach | None, tuple[int, ...]], ...]:
        """Return each distinct initial state and each error before time, with the first choices that lead there."""
        distinct: dict[tuple[State | None, Breach | None], tuple[int, ...]] = {}
        for step in self.before_time:
            distinct.setdefault((step.target, step.breach), step.choices)
        return tuple((state, breach, choices) for (state, breach), choices in distinct.items())

    def successors(self, state: State) -> tuple[Step, ...]:
        """Return the steps from the state, by thread and then by choices."""
        return tuple(step for thread in range(len(self._threads)) for step in self.steps_of(state, thread))

    def steps_of(self, state: State, thread: int) -> tuple[Step, ...]:
        """Return the steps of one thread, by choices."""
        out: list[Step] = []
        self._run(state, thread, out)
        return tuple(out)

    def steps_as(self, state: State, thread: int, location: Location) -> tuple[Step, ...]:
        """Return the steps of one thread with the effects of `location`, which is its own with fewer choices."""
        program = self._alike.get(id(location))
        if program is None:
            program = self._alike[id(location)] = (location, self._program_of(thread, location))
        out: list[Step] = []
        if not self._interrupted(state, thread):
            self._follow(state, thread, out, program[1])
        return tuple(out)

    def finished(self, state: State, thread: int) -> bool:
        """Tell whether the thread is at its end."""
        return state[self.system.location_cells[thread]] == self._ends[thread]

    def blocked(self, state: State, thread: int) -> bool:
        """Tell whether the thread has not finished and has no step; an error step is one."""
        return not self.finished(state, thread) and not self._has_step(state, thread)

    def resting(self, state: State, thread: int) -> bool:
        """Tell whether the thread is a daemon, blocked at a place of rest, and holds nothing (SEMANTICS H3).

        An interrupt handler that waits for an interrupt is at rest whatever it holds: no interrupt has to come.
        """
        if self.location(state, thread).number in self._threads[thread].idle:
            return self.blocked(state, thread)
        return (
            self._threads[thread].daemon
            and self.location(state, thread).wait.rests
            and self.blocked(state, thread)
            and not self._interrupted(state, thread)
            and not self.held(state, thread)
        )

    def could_step(self, state: State, thread: int) -> bool:
        """Tell whether the thread has a step, or would have one but for an interrupt handler that runs in its place."""
        return not self.finished(state, thread) and self._would_step(state, thread)

    def interrupting(self, state: State, thread: int) -> frozenset[int]:
        """Return the handlers that run in the thread's place."""
        pairs = zip(self._threads[thread].interrupted_by, self._interrupting[thread], strict=True)
        return frozenset(handler for (handler, _), runs in pairs if runs(state))

    def location(self, state: State, thread: int) -> Location:
        """Return where the thread is."""
        return self._threads[thread].locations[state[self.system.location_cells[thread]]]

    # --- expressions -----------------------------------------------------------------------------

    def value(self, expr: Expr, state: State, after: State | None = None, mover: int | None = None) -> int:
        """Return the value of the expression, of a step if `after` and `mover` are given; or raise Undefined."""
        cells = state if after is None else (*state, *after, 0 if mover is None else mover + 1)
        return self._expressions.denotation(expr)(cells)

    def satisfied(
        self, expr: Expr, state: State, after: State | None = None, mover: int | None = None
    ) -> bool:
        """Tell whether a condition is true; or raise Undefined."""
        return self.value(expr, state, after, mover) != 0

    # --- what a thread holds and sees ------------------------------------------------------------

    def held(self, state: State, thread: int) -> tuple[Held, ...]:
        """Return the lock instances that the thread holds, in the order of the model."""
        return tuple(held for held, holds in self._holding[thread] if holds(state))

    def local_view(self, state: State, thread: int) -> LocalView:
        """Return what the thread sees of itself."""
        place = state[self.system.location_cells[thread]]
        seen = tuple((cell, state[cell]) for cell in self._live_cells[thread][place])
        return LocalView(thread, place, seen, self.held(state, thread))

    @cached_property
    def holdings(self) -> tuple[tuple[tuple[Held, Expr], ...], ...]:
        """For each thread, every lock instance and mode with the condition that it holds it so."""
        return tuple(
            tuple(
                (
                    Held(lock.name, index, mode, primitive.one_holder),
                    primitive.holds(at, t.number, mode),
                )
                for lock in self.system.model.locks
                for primitive in (PRIMITIVES[lock.kind],)
                for index in index_values(lock.dimensions)
                for at in (LockAt(lock, tuple(Const(value) for value in index)),)
                for mode in primitive.modes
            )
            for t in self._threads
        )

    @cached_property
    def _holding(self) -> tuple[tuple[tuple[Held, Value], ...], ...]:
        """The same, ready to be evaluated."""
        denotation = self._expressions.denotation
        return tuple(tuple((held, denotation(holds)) for held, holds in each) for each in self.holdings)

    @cached_property
    def _live_cells(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """For each thread and location, the cells of the locals that are live there."""
        offsets = self.system.offsets
        own = [
            [offsets[local] + i for local in thread.locals for i in range(len(local.initial))]
            for thread in self._threads
        ]
        return tuple(
            tuple(tuple(sorted(set(cells) - {cell for cell, _ in dead})) for dead in resets)
            for cells, resets in zip(own, self.system.resets, strict=True)
        )

    # --- how a statement runs --------------------------------------------------------------------

    def _run(self, cells: Cells, thread: int, out: list[Step]) -> None:
        """Append the steps of the thread; `cells` may be longer than a state."""
        place = cells[self.system.location_cells[thread]]
        if place == self._ends[thread] or self._interrupted(cells, thread):
            return
        self._follow(cells, thread, out)

    def _follow(self, cells: Cells, thread: int, out: list[Step], program: _Program | None = None) -> None:
        place = cells[self.system.location_cells[thread]]
        program = program or self._program(thread, place)
        try:
            if program.guard is not None and not program.guard(cells):
                return
        except Undefined as undefined:
            span = program.statement.span
            out.append(Step(thread, place, (), None, Breach("range", undefined.reason, span=span)))
            return
        perform(program.statement, program.first, Run(list(cells[: self._size])), out)

    def _has_step(self, cells: Cells, thread: int) -> bool:
        if cells[self.system.location_cells[thread]] == self._ends[thread]:
            return False
        return not self._interrupted(cells, thread) and self._would_step(cells, thread)

    def _would_step(self, cells: Cells, thread: int) -> bool:
        program = self._program(thread, cells[self.system.location_cells[thread]])
        if program.always_steps:
            return True
        out: list[Step] = []
        self._follow(cells, thread, out)
        return bool(out)

    def _interrupted(self, cells: Cells, thread: int) -> bool:
        return any(runs(cells) for runs in self._interrupting[thread])

    def _program(self, thread: int, place: int) -> _Program:
        program = self._programs[thread][place]
        if program is None:
            program = self._programs[thread][place] = self._build(thread, place)
        return program

    def _build(self, thread: int, place: int) -> _Program:
        return self._program_of(thread, self._threads[thread].locations[place])

    def _program_of(self, thread: int, location: Location) -> _Program:
        place = location.number
        statement = Statement(thread, place, location.span, _arrive(thread, place))
        guard = None if location.guard == TRUE else self._expressions.denotation(location.guard)
        first = self._statements.build(location.effects, statement, _no_jump)
        chooses = any(isinstance(effect, Choose | Assume) for effect in walk_effects(location.effects))
        return _Program(statement, guard, first, guard is None and not chooses)

    def _before_time(self) -> Sequence[Step]:
        """Run `init`, then each thread's start, on the declared values."""
        out: list[Step] = []
        way_on: Leave = _arrive(INIT, INIT)
        for thread in reversed(self._threads):
            way_on = self._start(thread.number, thread.start, way_on)
        nobody = Statement(INIT, INIT, NOWHERE, way_on)
        first = self._statements.build(self.system.model.initial, nobody, way_on)
        perform(nobody, first, Run([*self.system.declared]), out)
        return out

    def _start(self, thread: int, effects: Effects, way_on: Leave) -> Leave:
        statement = Statement(thread, INIT, self._threads[thread].span, way_on)
        block = self._statements.build(effects, statement, _no_jump)
        return lambda _run, _out: block


def _arrive(thread: int, place: int) -> Leave:
    """Return the way on that ends a path: it is a step."""

    def leave(run: Run, out: list[Step]) -> None:
        target = tuple(run.cells)
        out.append(Step(thread, place, run.choices, target, None, run.events, run.crossings, run.tests))

    return leave


def _no_jump(_run: Run, _out: list[Step]) -> Block | None:
    raise AssertionError("the effects of a statement end in a Jump on every path")
