"""What the future of a state holds, by brute force on the whole graph: components in topological order (networkx)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import networkx as nx

from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State
from modelcheck.semantics.waiting import Knot, Waiting
from tests.agreement.shapes import Explored


class Futures:
    """Facts about all continuations of every state."""

    def __init__(self, found: Explored) -> None:
        self.found = found
        self.interpreter: Interpreter = found.interpreter
        self.threads = range(len(found.system.model.threads))

    @cached_property
    def _components(self) -> nx.DiGraph[int]:
        graph: nx.DiGraph[State] = nx.DiGraph()
        graph.add_nodes_from(self.found.steps)
        graph.add_edges_from(
            (s, x.target) for s, xs in self.found.steps.items() for x in xs if x.target is not None
        )
        return nx.condensation(graph)

    def ever(self, now: Callable[[State], int]) -> dict[State, int]:
        """Return for every state the bits that hold in it or in a state that can follow."""
        components = self._components
        bits: dict[int, int] = {}
        for component in reversed(list(nx.topological_sort(components))):
            value = 0
            for state in components.nodes[component]["members"]:
                value |= now(state)
            for following in components.successors(component):
                value |= bits[following]
            bits[component] = value
        return {s: bits[c] for c in components for s in components.nodes[c]["members"]}

    @cached_property
    def knots(self) -> dict[State, Knot]:
        waiting = Waiting(self.interpreter)
        return {state: waiting.knot(state) for state in self.found.steps}

    @cached_property
    def moves(self) -> dict[State, int]:
        """Return who takes a step, error steps included, in some continuation."""
        return self.ever(lambda state: bits_of(step.thread for step in self.found.steps[state]))

    @cached_property
    def errs(self) -> dict[State, int]:
        return self.ever(lambda state: int(any(step.target is None for step in self.found.steps[state])))

    @cached_property
    def goals(self) -> dict[State, int]:
        return self.ever(lambda state: bits_of(t for t in self.threads if self.at_goal(state, t)))

    @cached_property
    def caught(self) -> dict[State, int]:
        return self.ever(lambda state: bits_of(self.knots[state].caught))

    @cached_property
    def gets_stuck(self) -> dict[State, int]:
        return self.ever(lambda state: bits_of(t for t in self.threads if self.is_stuck(state, t)))

    def at_goal(self, state: State, thread: int) -> bool:
        return (
            state[self.found.system.location_cells[thread]] in self.found.system.model.threads[thread].goals
        )

    def is_stuck(self, state: State, thread: int) -> bool:
        """SEMANTICS A4, by its sentences."""
        return (
            not self.interpreter.finished(state, thread)
            and not self.interpreter.resting(state, thread)
            and not self.moves[state] >> thread & 1
            and not self.errs[state]
            and not self.caught[state] >> thread & 1
        )

    def cannot_finish(self, state: State, thread: int) -> bool:
        return (
            not self.found.system.model.threads[thread].daemon
            and not self.goals[state] >> thread & 1
            and not self.errs[state]
            and not self.caught[state] >> thread & 1
            and not self.gets_stuck[state] >> thread & 1
        )


def bits_of(threads: object) -> int:
    value = 0
    for thread in threads:  # type: ignore[attr-defined]
        value |= 1 << thread
    return value
