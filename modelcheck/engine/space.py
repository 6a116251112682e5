"""What a breadth-first search has found: the states in the order of finding, and the edges between them.

States are numbered from 0. The edges are kept as plain integers, nine bytes each, so that what is asked after the
search (shortest traces, who is stuck) sweeps over numbers and does not run the statements again.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from modelcheck.semantics.transition_system import State


class Stored(Protocol):
    """What is asked after a search: its states by number in breadth-first order, and the steps between them."""

    def state(self, number: int) -> State:
        """Return a state."""
        ...

    def number(self, state: State) -> int | None:
        """Return the number of a state; None if it was not found."""
        ...

    def edges(self, number: int) -> Iterable[tuple[int, int]]:
        """Yield (thread, number of the target) for each edge of a state, by thread."""
        ...

    def level(self, depth: int) -> range:
        """Return the numbers of the states of a level."""
        ...


class Space:
    """States by number, their levels, and the edges of those that were expanded."""

    def __init__(self, threads: int) -> None:
        self.states: list[State] = []
        self.numbers: dict[State, int] = {}
        self.levels: list[int] = [0]
        self.error_states: set[int] = set()
        self.transitions = 0
        self._movers = array("B" if threads <= 256 else "H")
        self._targets = array("q")
        self._first = array("q")

    def __len__(self) -> int:
        return len(self.states)

    @property
    def expanded(self) -> int:
        """How many states have been expanded: a prefix of all."""
        return len(self._first)

    def state(self, number: int) -> State:
        """Return a state."""
        return self.states[number]

    def number(self, state: State) -> int | None:
        """Return the number of a state; None if it was not found."""
        return self.numbers.get(state)

    def add(self, state: State) -> int:
        """Add a new state and return its number."""
        number = self.numbers[state] = len(self.states)
        self.states.append(state)
        return number

    @property
    def depth(self) -> int:
        """The level that is being expanded; -1 before the first."""
        return len(self.levels) - 2

    def start_level(self) -> range:
        """Return the states to expand now; those that are added from now on are one step farther away."""
        self.levels.append(len(self.states))
        return range(self.levels[-2], self.levels[-1])

    def start_edges(self) -> None:
        """The edges that are added from now on are the next state's."""
        self._first.append(len(self._targets))

    def add_edge(self, thread: int, target: int) -> None:
        """Add an edge: who moves, to which state."""
        self.transitions += 1
        self._movers.append(thread)
        self._targets.append(target)

    def add_error(self) -> None:
        """Add an error step of the same state: it leads nowhere."""
        self.transitions += 1
        self.error_states.add(len(self._first) - 1)

    def edges(self, number: int) -> Iterator[tuple[int, int]]:
        """Yield (thread, number of the target) for each edge of a state, by thread; none if it was not expanded."""
        span = self._span(number)
        return zip(self._movers[span], self._targets[span], strict=True)

    def targets(self, number: int) -> Sequence[int]:
        """Return the numbers of the states that follow a state."""
        return self._targets[self._span(number)]

    def _span(self, number: int) -> slice:
        first = self._first
        if number + 1 < len(first):
            return slice(first[number], first[number + 1])
        return slice(first[number], None) if number < len(first) else slice(0)

    def level_of(self, number: int) -> int:
        """Return how many steps a state is from the start."""
        return bisect_right(self.levels, number) - 1

    def level(self, depth: int) -> range:
        """Return the numbers of the states of a level."""
        last = self.levels[depth + 1] if depth + 1 < len(self.levels) else len(self.states)
        return range(self.levels[depth], last)
