"""The reference engine against the definitions, written as directly as they can be, on generated small models."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations

import networkx as nx
import pytest

from modelcheck.engine.engine import Answers, Found, Limits
from modelcheck.engine.reference import explore, graph, valuation
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import (
    ActionCounts,
    CannotFinish,
    CircularWaits,
    ErrorSteps,
    LocalViews,
    Occurrences,
    Question,
    StuckForEver,
)
from modelcheck.semantics.transition_system import State, Step, TransitionSystem
from modelcheck.semantics.waiting import Knot, Waiting, standing
from tests.random_systems import random_system

QUESTIONS: tuple[Question, ...] = (
    ErrorSteps(), CircularWaits(), StuckForEver(), CannotFinish(), LocalViews(), ActionCounts(),
    Occurrences(),
)  # fmt: skip
SEEDS = range(int(os.environ.get("MODELCHECK_EXAMPLES", "50")) * 4 // 5)


@dataclass(frozen=True)
class Brute:
    """All states and steps of a system, found without the engine, and what the definitions say of them."""

    system: TransitionSystem

    @cached_property
    def interpreter(self) -> Interpreter:
        return Interpreter(self.system)

    @cached_property
    def waiting(self) -> Waiting:
        return Waiting(self.interpreter)

    @cached_property
    def threads(self) -> range:
        return range(len(self.system.model.threads))

    @cached_property
    def initial(self) -> list[State]:
        return [state for state, _, _ in self.interpreter.initial_states() if state is not None]

    @cached_property
    def steps(self) -> dict[State, tuple[Step, ...]]:
        found: dict[State, tuple[Step, ...]] = {}
        todo = list(self.initial)
        while todo:
            state = todo.pop()
            if state not in found:
                found[state] = self.interpreter.successors(state)
                todo += [step.target for step in found[state] if step.target is not None]
        return found

    @cached_property
    def graph(self) -> nx.DiGraph[State]:
        drawn: nx.DiGraph[State] = nx.DiGraph()
        drawn.add_nodes_from(self.steps)
        drawn.add_edges_from((s, t.target) for s, steps in self.steps.items() for t in steps if t.target)
        return drawn

    @cached_property
    def future(self) -> dict[State, set[State]]:
        return {state: nx.descendants(self.graph, state) | {state} for state in self.steps}

    @cached_property
    def knots(self) -> dict[State, Knot]:
        return {state: self.waiting.knot(state) for state in self.steps}

    def moves(self, state: State, thread: int) -> bool:
        return any(step.thread == thread for step in self.steps[state])

    def never_moves(self, state: State, thread: int) -> bool:
        return not any(self.moves(later, thread) for later in self.future[state])

    def errs(self, state: State) -> bool:
        return any(step.target is None for later in self.future[state] for step in self.steps[later])

    def may_be_caught(self, state: State, thread: int) -> bool:
        return any(thread in self.knots[later].caught for later in self.future[state])

    def is_stuck(self, state: State, thread: int) -> bool:
        return (
            not self.interpreter.finished(state, thread)
            and not self.interpreter.resting(state, thread)
            and self.never_moves(state, thread)
            and not self.errs(state)
            and not self.may_be_caught(state, thread)
        )

    def is_unable(self, state: State, thread: int) -> bool:
        cell = self.system.location_cells[thread]
        goals = self.system.model.threads[thread].goals
        return (
            not self.system.model.threads[thread].daemon
            and not any(later[cell] in goals for later in self.future[state])
            and not self.errs(state)
            and not self.may_be_caught(state, thread)
            and not any(self.is_stuck(later, thread) for later in self.future[state])
        )

    def paths(self, length: int) -> Iterator[tuple[State, tuple[Step, ...]]]:
        """Yield every run of this many steps, in the order of initial states, threads and choices."""

        def longer(state: State, steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
            if len(steps) == length:
                yield steps
                return
            for step in self.steps[state]:
                if step.target is not None:
                    yield from longer(step.target, (*steps, step))
                elif len(steps) + 1 == length:
                    yield (*steps, step)

        for state in self.initial:
            yield from ((state, steps) for steps in longer(state, ()))


def both(seed: int) -> tuple[Brute, Answers]:
    system = random_system(seed, asserts=seed % 3 == 0)
    return Brute(system), explore(system, QUESTIONS, Limits())


def found_by(answers: Answers, kind: type[Question]) -> list[Found]:
    return [each for each in answers.found if isinstance(each.question, kind)]


@pytest.mark.parametrize("seed", SEEDS)
def test_states_transitions_and_depth_are_those_of_the_graph(seed: int) -> None:
    brute, answers = both(seed)
    levels = nx.multi_source_dijkstra_path_length(brute.graph, set(brute.initial), weight=lambda *_: 1)
    assert answers.stopped == ""
    assert answers.statistics.states == len(brute.steps)
    assert answers.statistics.transitions == sum(len(steps) for steps in brute.steps.values())
    assert answers.statistics.depth == max(levels.values(), default=0)
    assert sum(answers.counts.values()) == answers.statistics.transitions


@pytest.mark.parametrize("seed", SEEDS)
def test_the_knot_is_the_largest_set_that_waits_for_itself(seed: int) -> None:
    brute, _ = both(seed)
    for state, knot in brute.knots.items():
        assert knot.members == largest_knot(brute, state)
        if not brute.errs(state):
            assert all(brute.never_moves(state, thread) for thread in knot.members)


def largest_knot(brute: Brute, state: State) -> frozenset[int]:
    blocked = [t for t in brute.threads if brute.interpreter.blocked(state, t)]
    finished = {t for t in brute.threads if brute.interpreter.finished(state, t)}
    subsets = chain.from_iterable(combinations(blocked, size) for size in range(len(blocked) + 1))
    good = [set(subset) for subset in subsets if waits_for_itself(brute, state, set(subset), finished)]
    return frozenset().union(*good)


def waits_for_itself(brute: Brute, state: State, subset: set[int], finished: set[int]) -> bool:
    """Tell whether the set fulfils the sentence of SEMANTICS A3."""
    for thread in subset:
        owners, wakers = brute.waiting.all_of(state, thread), brute.waiting.any_of(state, thread)
        if owners is None and wakers is None:
            return False
        if owners is not None and not owners & subset:
            return False
        if wakers is not None and not wakers <= subset | finished:
            return False
    return True


@pytest.mark.parametrize("seed", SEEDS)
def test_stuck_and_cannot_finish_are_what_the_futures_say(seed: int) -> None:
    brute, answers = both(seed)
    for kind, is_lost in ((StuckForEver, brute.is_stuck), (CannotFinish, brute.is_unable)):
        lost = [(s, t) for s in brute.steps for t in brute.threads if is_lost(s, t)]
        found = found_by(answers, kind)
        assert sum(each.states for each in found) == len(lost)
        for each in found:
            assert (each.trace.last, *each.members) in lost
            assert each.closed == brute.future[each.trace.last]


@pytest.mark.parametrize("seed", SEEDS)
def test_circular_waits_are_the_states_with_a_ring(seed: int) -> None:
    brute, answers = both(seed)
    causes = {
        (state, cause(brute, state, ring.members))
        for state, knot in brute.knots.items()
        for ring in knot.rings
    }
    found = found_by(answers, CircularWaits)
    assert {each.cause for each in found} == {cause for _, cause in causes}
    assert sum(each.states for each in found) == len(causes)


def cause(brute: Brute, state: State, members: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(sorted(standing(brute.interpreter, state, thread) for thread in members))


@pytest.mark.parametrize("seed", SEEDS)
def test_traces_are_the_shortest_with_the_fewest_switches_and_then_the_first(seed: int) -> None:
    brute, answers = both(seed)
    for each in answers.found:
        if len(each.trace.steps) > 9:
            continue
        same = [
            Trace(*path) for path in brute.paths(len(each.trace.steps)) if shows(brute, each, Trace(*path))
        ]
        assert each.trace == min(
            same, key=lambda trace: (trace.switches, brute.initial.index(trace.initial), moves(trace))
        )
        for length in range(len(each.trace.steps)):
            assert not any(shows(brute, each, Trace(*path)) for path in brute.paths(length))


def moves(trace: Trace) -> list[tuple[int, int, tuple[int, ...]]]:
    return [(step.thread, step.location, step.choices) for step in trace.steps]


def shows(brute: Brute, found: Found, trace: Trace) -> bool:
    """Tell whether a run shows the cause of the finding."""
    last = trace.last
    error = trace.steps[-1].breach if trace.steps else None
    declarations = [thread.declaration for thread in brute.system.model.threads]
    match found.question:
        case ErrorSteps():
            if error is None:
                return False
            expected = found.trace.steps[-1].breach
            place = str(error.span), declarations[trace.steps[-1].thread]
            return expected is not None and error.message == expected.message and place == found.cause[-2:]
        case CircularWaits():
            return error is None and any(
                cause(brute, last, ring.members) == found.cause for ring in brute.knots[last].rings
            )
        case StuckForEver():
            return error is None and any(
                brute.is_stuck(last, t) and (standing(brute.interpreter, last, t),) == found.cause
                for t in brute.threads
            )
        case _:
            return error is None and any(
                brute.is_unable(last, t) and (declarations[t],) == found.cause for t in brute.threads
            )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_view_of_who_moved_is_enough_to_see_every_view(seed: int) -> None:
    brute, answers = both(seed)
    everything = {brute.interpreter.local_view(state, t) for state in brute.steps for t in brute.threads}
    assert answers.views == everything


@pytest.mark.parametrize("seed", SEEDS)
def test_what_occurs_is_what_occurs_in_some_state_or_step(seed: int) -> None:
    brute, answers = both(seed)
    cells = brute.system.location_cells
    waits = {(t, s[cells[t]]) for s in brute.steps for t in brute.threads if brute.interpreter.blocked(s, t)}
    steps = (*brute.interpreter.before_time, *chain.from_iterable(brute.steps.values()))
    outcomes = {(s.thread, s.location, s.choices, s.tests) for s in steps if s.choices or s.tests}
    assert answers.occurred is not None
    assert answers.occurred.waited == waits
    assert answers.occurred.outcomes == outcomes


@pytest.mark.parametrize("seed", SEEDS)
def test_the_graph_has_the_states_as_nodes_and_the_steps_as_edges(seed: int) -> None:
    brute, answers = both(seed)
    drawn = graph(brute.system)
    errors = sum(len(str(drawn.nodes[number]["errors"]).splitlines()) for number in drawn)
    assert drawn.number_of_nodes() == answers.statistics.states
    assert drawn.number_of_edges() + errors == answers.statistics.transitions
    names = [cell.name for cell in brute.system.cells]
    shown = {tuple(valuation(brute.system, state).values()) for state in brute.steps}
    assert {tuple(data[name] for name in names) for _, data in drawn.nodes(data=True)} == shown
