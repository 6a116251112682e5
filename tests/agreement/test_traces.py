"""Every trace that the engine shows can be replayed, is shortest and has the fewest switches: by brute force."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from modelcheck.engine.engine import Found, Limits
from modelcheck.engine.reference import explore
from modelcheck.result.certify import certify
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Undefined
from modelcheck.semantics.questions import (
    CannotFinish,
    CircularWaits,
    ErrorSteps,
    StatePredicate,
    StepPredicate,
    StuckForEver,
)  # fmt: skip
from modelcheck.semantics.transition_system import INIT, State, Step
from modelcheck.semantics.waiting import standing
from tests.agreement.cases import CHUNKS, Case, examine
from tests.agreement.futures import Futures
from tests.agreement.shapes import Explored

Costs = dict[tuple[State, int], int]
NOBODY = -1


def switches(found: Explored) -> Costs:
    """Return the fewest switches of a shortest path to each state, by who made its last step."""
    costs: Costs = {(state, NOBODY): 0 for state, level in found.level.items() if level == 0}
    by_state: dict[State, dict[int, int]] = {state: {NOBODY: 0} for state, _ in costs}
    for state in sorted(found.level, key=found.level.__getitem__):
        for last, cost in by_state.get(state, {}).items():
            for step in found.steps[state]:
                if step.target is None or found.level[step.target] != found.level[state] + 1:
                    continue
                now = cost + (last not in (NOBODY, step.thread))
                known = by_state.setdefault(step.target, {})
                known[step.thread] = min(now, known.get(step.thread, now))
    return {(state, last): cost for state, known in by_state.items() for last, cost in known.items()}


class Judge:
    """Says which states and steps show a finding, by the definitions."""

    def __init__(self, case: Case) -> None:
        self.found = case.graph
        self.futures = Futures(case.graph)
        self.interpreter = case.graph.interpreter
        self.threads = case.system.model.threads

    def state_shows(self, each: Found, state: State) -> bool:
        match each.question:
            case StatePredicate(expr=expr, thread=thread, location=location):
                if thread is not None and state[self.found.system.location_cells[thread]] != location:
                    return False
                try:
                    return self.interpreter.satisfied(expr, state)
                except Undefined:
                    return True
            case CircularWaits():
                rings = self.futures.knots[state].rings
                return any(self.ring_cause(state, ring.members) == each.cause for ring in rings)
            case StuckForEver():
                return any(
                    self.futures.is_stuck(state, t.number)
                    and (standing(self.interpreter, state, t.number),) == each.cause
                    for t in self.threads
                )
            case CannotFinish():
                return any(
                    self.futures.cannot_finish(state, t.number) and (t.declaration,) == each.cause
                    for t in self.threads
                )
            case _:
                return False

    def ring_cause(self, state: State, members: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(sorted(standing(self.interpreter, state, thread) for thread in members))

    def step_shows(self, each: Found, state: State, step: Step) -> bool:
        match each.question:
            case ErrorSteps():
                if step.breach is None:
                    return False
                shown = each.trace.steps[-1]
                assert shown.breach is not None
                if INIT in (shown.thread, step.thread):
                    return False
                same = self.threads[shown.thread].declaration == self.threads[step.thread].declaration
                return same and told(step) == told(shown)
            case StepPredicate(expr=expr, mentions=mentions):
                if step.target is None or all(
                    self.read(ref, state) == self.read(ref, step.target) for ref in mentions
                ):
                    return False
                try:
                    return not self.interpreter.satisfied(expr, state, step.target, step.thread)
                except Undefined:
                    return True
            case _:
                return False

    def read(self, ref: object, state: State) -> int | None:
        try:
            return self.interpreter.value(ref, state, state)  # type: ignore[arg-type]  # next(x) is x here
        except Undefined:
            return None

    def showing(self, each: Found) -> Iterator[tuple[int, State, int]]:
        """Yield (length, last state or the one before the step, who makes the last step or NOBODY)."""
        for state, steps in self.found.steps.items():
            if self.state_shows(each, state):
                yield self.found.level[state], state, NOBODY
            for step in steps:
                if self.step_shows(each, state, step):
                    yield self.found.level[state] + 1, state, step.thread


def told(step: Step) -> tuple[str, str, str, str]:
    assert step.breach is not None
    lock = step.breach.lock.lock.name if step.breach.lock else ""
    return step.breach.check, re.sub(r"-?\d+", "N", step.breach.message), str(step.breach.span), lock


def wrong_trace(case: Case) -> str:
    """Return which trace is not as it should be."""
    judge = Judge(case)
    costs = switches(case.graph)
    answers = explore(case.system, questions(case.system), Limits())
    for each in answers.found:
        trace = each.trace
        if trace.steps and trace.steps[0].thread == INIT:
            continue
        if not isinstance(each.question, StuckForEver | CannotFinish):
            certify(judge.interpreter, trace, each.question, each.members)
        shown = list(judge.showing(each))
        if not shown:
            return f"{each.question}: shown by no state or step"
        shortest = min(length for length, _, _ in shown)
        if len(trace.steps) != shortest:
            return f"{each.question}: {len(trace.steps)} steps, the shortest has {shortest}"
        fewest = min(
            cost + (mover not in (NOBODY, last) and last != NOBODY)
            for length, state, mover in shown
            if length == shortest
            for (other, last), cost in costs.items()
            if other == state
        )
        if trace.switches != fewest:
            return f"{each.question} {each.cause}: {trace.switches} switches, the fewest are {fewest}"
    return ""


@pytest.mark.parametrize("chunk", CHUNKS)
def test_traces_are_shortest_with_the_fewest_switches(chunk: int) -> None:
    assert examine(chunk, wrong_trace, properties=True) > 0
