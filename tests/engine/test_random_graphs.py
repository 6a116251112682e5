"""What is computed on the numbers of a search, against brute force and networkx, on random graphs with many cycles."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import cast

import networkx as nx
import pytest

from modelcheck.engine.closing import bottom_component
from modelcheck.engine.endings import joined
from modelcheck.engine.shortest import shortest_trace
from modelcheck.engine.sightings import Target
from modelcheck.engine.space import Space
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State, Step

THREADS = 3
SEEDS = range(300)


class Graph:
    """A random graph with a thread on each edge; it answers as an interpreter does. States are (name,)."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        size = chance.randint(2, 9)
        self.initial = list(range(chance.choice((1, 1, 2))))
        self.steps: dict[State, list[Step]] = {}
        for name in range(size):
            movers = sorted(chance.choices(range(THREADS), k=chance.choice((0, 1, 1, 2, 2, 3))))
            targets: list[State | None] = [
                (chance.randrange(size),) if chance.random() < 0.9 else None for _ in movers
            ]
            self.steps[name,] = [
                Step(thread, 0, (number,), target)
                for number, (thread, target) in enumerate(zip(movers, targets, strict=True))
            ]
        self.space = self.searched()
        self.drawn: nx.DiGraph[int] = nx.DiGraph()
        self.drawn.add_nodes_from(range(len(self.space)))
        self.drawn.add_edges_from((n, target) for n in self.drawn for target in self.space.targets(n))

    def searched(self) -> Space:
        space = Space(THREADS)
        for name in self.initial:
            space.add((name,))
        while space.expanded < len(space):
            for number in space.start_level():
                space.start_edges()
                for step in self.steps[space.states[number]]:
                    if step.target is None:
                        space.add_error()
                    else:
                        known = space.numbers.get(step.target)
                        space.add_edge(step.thread, space.add(step.target) if known is None else known)
        return space

    def steps_of(self, state: State, thread: int) -> tuple[Step, ...]:
        return tuple(step for step in self.steps[state] if step.thread == thread)

    def runs(self, length: int) -> Iterator[Trace]:
        def longer(state: State | None, steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
            if len(steps) == length:
                yield steps
            elif state is not None:
                for step in self.steps[state]:
                    yield from longer(step.target, (*steps, step))

        for name in self.initial:
            yield from (Trace((name,), steps) for steps in longer((name,), ()))

    def best(self, length: int, ends: set[tuple[State, Step | None]]) -> Trace:
        """Return the run of this length to one of the ends that SEMANTICS H10 wants."""
        good = [
            run for run in self.runs(length) if (run.last, None) in ends or (run.last, error_of(run)) in ends
        ]
        return min(
            good, key=lambda run: (run.switches, run.initial, [(s.thread, s.choices) for s in run.steps])
        )


def error_of(run: Trace) -> Step | None:
    return run.steps[-1] if run.steps and run.steps[-1].target is None else None


@pytest.mark.parametrize("seed", SEEDS)
def test_the_trace_to_a_state_has_the_fewest_switches_and_is_the_first(seed: int) -> None:
    graph = Graph(seed)
    chance = random.Random(seed)
    space = graph.space
    depth = min(chance.randrange(space.depth + 1), 6)
    targets = [Target(number) for number in space.level(depth) if chance.random() < 0.5] or [
        Target(space.level(depth)[0])
    ]
    trace, target = shortest_trace(cast("Interpreter", graph), space, targets)
    assert trace == graph.best(depth, {(space.states[t.number], None) for t in targets})
    assert space.states[target.number] == trace.last


@pytest.mark.parametrize("seed", SEEDS)
def test_the_trace_to_an_error_step_has_the_fewest_switches_and_is_the_first(seed: int) -> None:
    graph = Graph(seed)
    space = graph.space
    errors = [
        (n, step)
        for n, state in enumerate(space.states)
        for step in graph.steps[state]
        if step.target is None
    ]
    if not errors:
        return
    depth = space.level_of(errors[0][0])
    targets = [Target(number, step) for number, step in errors if space.level_of(number) == depth]
    if depth > 6:
        return
    trace, target = shortest_trace(cast("Interpreter", graph), space, targets)
    # Other runs of this length end in the same state but not with a step that shows it.
    ends = {(space.states[t.number], t.step) for t in targets}
    assert trace == graph.best(depth + 1, ends)
    assert target.step == trace.steps[-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_bits_are_joined_from_all_that_follows(seed: int) -> None:
    graph = Graph(seed)
    chance = random.Random(seed)
    bits = [1 << chance.randrange(6) if chance.random() < 0.5 else 0 for _ in graph.drawn]
    found = joined(graph.space, bits, full=-1)
    for number in graph.drawn:
        wanted = bits[number]
        for later in nx.descendants(graph.drawn, number):
            wanted |= bits[later]
        assert found[number] == wanted
    full = joined(graph.space, bits, full=0b11)
    assert all(
        (one & 3, one & 3 == 3 or one) == (other & 3, one & 3 == 3 or other)
        for one, other in zip(found, full, strict=True)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bottom_component_is_one(seed: int) -> None:
    graph = Graph(seed)
    component = set(bottom_component(graph.space, 0))
    assert component in map(set, nx.strongly_connected_components(graph.drawn))
    assert all(target in component for number in component for target in graph.space.targets(number))
    assert component <= nx.descendants(graph.drawn, 0) | {0}
