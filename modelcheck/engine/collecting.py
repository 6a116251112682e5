"""What a search notes at each state and step, so that the questions can be answered (SEMANTICS A7).

One Collector goes along with one search. Everything here is a function of one state, or of one step; what needs all
states (stuck, cannot finish) is in endings.py, and is computed afterwards.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from modelcheck.engine.occurring import Occurring
from modelcheck.engine.sightings import Sightings, Target
from modelcheck.language.model import At, Breach, Enabled, Ref
from modelcheck.semantics.interpreter import Interpreter, Undefined
from modelcheck.semantics.questions import (
    ActionCounts,
    CannotFinish,
    CircularWaits,
    Crossings,
    ErrorSteps,
    Held,
    LocalView,
    LocalViews,
    Question,
    StatePredicate,
    StepPredicate,
    StuckForEver,
    TimeOutWaits,
)
from modelcheck.semantics.transition_system import INIT, State, Step, cells_mentioned
from modelcheck.semantics.waiting import Knot, Ring, Waiting, standing
from modelcheck.source import Span


class Collector:
    """Collects what the questions ask of states and steps."""

    def __init__(self, interpreter: Interpreter, questions: Sequence[Question]) -> None:
        self.sightings = Sightings()
        self.questions = tuple(questions)
        self.views: set[LocalView] = set()
        self.crossings: set[tuple[int, bool, tuple[Held, ...], Span]] = set()
        self.counts: Counter[tuple[int, int, int]] = Counter()
        self.caught: dict[int, frozenset[int]] = {}
        self._interpreter = interpreter
        self._waiting = Waiting(interpreter)
        self._cells = interpreter.system.location_cells
        self._everywhere: list[StatePredicate] = []
        self._somewhere: defaultdict[tuple[int, int], list[StatePredicate]] = defaultdict(list)
        self._step_predicates: list[tuple[StepPredicate, frozenset[int]]] = []
        self._errors: list[ErrorSteps] = []
        self._circular: list[CircularWaits] = []
        self._time_outs: list[TimeOutWaits] = []
        self._wants = {type(question) for question in questions}
        self._knots = not self._wants.isdisjoint({CircularWaits, StuckForEver, CannotFinish})
        self._handover = any(lock.handover for lock in interpreter.system.model.locks)
        self.occurrences = Occurring(interpreter, questions)
        for question in questions:
            self._sort(question)

    def _sort(self, question: Question) -> None:
        match question:
            case StatePredicate(thread=int() as thread, location=int() as location):
                self._somewhere[thread, location].append(question)
            case StatePredicate():
                self._everywhere.append(question)
            case StepPredicate(mentions=mentions):
                system = self._interpreter.system
                cells = frozenset(cell for ref in mentions for cell in cells_mentioned(system, ref))
                self._step_predicates.append((question, cells))
            case ErrorSteps():
                self._errors.append(question)
            case CircularWaits():
                self._circular.append(question)
            case TimeOutWaits():
                self._time_outs.append(question)
            case _:
                pass  # collections, and what endings.py answers

    # --- what a search calls ---------------------------------------------------------------------

    def before_time(self, step: Step) -> None:
        """Note an outcome of `init`."""
        if step.breach is not None:
            self._note_error(step, Target(INIT, step), 1)
        self._note_crossings(step)
        self.occurrences.stepped(None, step)

    def found(self, number: int, state: State, depth: int, mover: int | None) -> None:
        """Note a new state; `mover` led to it first, nobody to an initial one."""
        for predicate in self._everywhere:
            self._look(predicate, number, state, depth)
        self.occurrences.visited(state)
        if self._somewhere:
            for thread, cell in enumerate(self._cells):
                for predicate in self._somewhere.get((thread, state[cell]), ()):
                    self._look(predicate, number, state, depth)
        if LocalViews in self._wants:
            movers = range(len(self._cells)) if mover is None or self._handover else (mover,)
            self.views.update(self._interpreter.local_view(state, thread) for thread in movers)

    def expanded(self, number: int, state: State, depth: int, steps: Sequence[Step]) -> None:
        """Note the steps of a state, and who waits in it."""
        for step in steps:
            self._note_step(number, state, depth + 1, step)
        if self._knots or self.occurrences.wanted:
            moving = {step.thread for step in steps}
            blocked = frozenset(
                t
                for t in range(len(self._cells))
                if t not in moving and not self._interpreter.finished(state, t)
            )
            if blocked:
                self.occurrences.waited(state, blocked)
                self._note_waits(number, state, depth, blocked)
        if self._time_outs:
            knot = self._waiting.knot_of_time_outs(state)
            self._note_rings(self._time_outs, knot, number, state, depth)

    # --- states ----------------------------------------------------------------------------------

    def _look(self, predicate: StatePredicate, number: int, state: State, depth: int) -> None:
        try:
            shows, undefined = self._interpreter.satisfied(predicate.expr, state), ""
        except Undefined as problem:
            shows, undefined = True, problem.reason
        if shows:
            members = () if predicate.thread is None else (predicate.thread,)
            target = Target(number, None, members, undefined)
            self.sightings.add(predicate, predicate.cause, depth, target)

    def _note_waits(self, number: int, state: State, depth: int, blocked: frozenset[int]) -> None:
        if not self._knots:
            return
        knot = self._waiting.knot(state, blocked)
        if knot.caught:
            self.caught[number] = knot.caught
        self._note_rings(self._circular, knot, number, state, depth)

    def _note_rings(
        self, asked: Sequence[CircularWaits | TimeOutWaits], knot: Knot, number: int, state: State, depth: int
    ) -> None:
        causes = causes_of(self._interpreter, knot, state) if asked else {}
        for question in asked:
            for cause, ring in causes.items():
                self.sightings.add(question, cause, depth, Target(number, None, ring.members))

    # --- steps -----------------------------------------------------------------------------------

    def _note_step(self, number: int, state: State, level: int, step: Step) -> None:
        target = Target(number, step, (step.thread,))
        self.occurrences.stepped(state, step)
        if step.target is None:
            self._note_error(step, target, level)
        else:
            for predicate, cells in self._step_predicates:
                if any(state[cell] != step.target[cell] for cell in cells):
                    self._judge(predicate, state, step, target, level)
        if step.crossings:
            self._note_crossings(step)
        if ActionCounts in self._wants:
            arrived = -1 if step.target is None else step.target[self._cells[step.thread]]
            self.counts[step.thread, step.location, arrived] += 1

    def _note_error(self, step: Step, target: Target, level: int) -> None:
        assert step.breach is not None
        threads = self._interpreter.system.model.threads
        declaration = "init" if step.thread == INIT else threads[step.thread].declaration
        for question in self._errors:
            self.sightings.add(question, cause_of_error(step.breach, declaration), level, target)

    def _note_crossings(self, step: Step) -> None:
        if Crossings in self._wants:
            for crossing, cells in step.crossings:
                # Before time nobody holds a lock.
                held = () if step.thread == INIT else self._interpreter.held(cells, step.thread)
                self.crossings.add((crossing.call.number, crossing.leaves, held, crossing.at))

    def _judge(self, predicate: StepPredicate, state: State, step: Step, target: Target, level: int) -> None:
        after = step.target
        assert after is not None
        if not any(self._changes(ref, state, after) for ref in predicate.mentions):
            return
        try:
            if self._interpreter.satisfied(predicate.expr, state, after, step.thread):
                return
        except Undefined as problem:
            target = replace(target, undefined=problem.reason)
        self.sightings.add(predicate, (predicate.name,), level, target)

    def _changes(self, ref: Ref | At | Enabled, state: State, after: State) -> bool:
        """Tell whether the reference has another value after the step; undefined counts as changed.

        Its index may be primed: within one state `next(x)` is `x`.
        """
        try:
            return self._interpreter.value(ref, state, state) != self._interpreter.value(ref, after, after)
        except Undefined:
            return True


def cause_of_error(breach: Breach, declaration: str) -> tuple[str, ...]:
    """Return what makes two error steps the same: not the numbers in the sentence (SEMANTICS H20)."""
    lock = breach.lock.lock.name if breach.lock else ""
    said = re.sub(r"-?\d+", "N", breach.message)
    return (breach.check, breach.name, said, lock, str(breach.span), declaration)


def causes_of(interpreter: Interpreter, knot: Knot, state: State) -> dict[tuple[str, ...], Ring]:
    """Return the causes of the circular waits of a state, each with its first ring."""
    causes: dict[tuple[str, ...], Ring] = {}
    for ring in knot.rings:
        standings = (standing(interpreter, state, t, ring.members) for t in ring.members)
        causes.setdefault(tuple(sorted(standings)), ring)
    return causes
