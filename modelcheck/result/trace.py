"""Evidence: what an engine shows for what it says. result/certify.py has a rule for each kind."""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.semantics.transition_system import State, Step


@dataclass(frozen=True)
class Trace:
    """A run from an initial state. Its length is its number of steps, an error step at its end included.

    `shortest`: no run of fewer steps shows the same, and among those of this length none has fewer switches.
    """

    initial: State
    steps: tuple[Step, ...]
    shortest: bool = True

    @property
    def states(self) -> tuple[State, ...]:
        """The states of the run, the initial one first; an error step adds none."""
        return (self.initial, *(s.target for s in self.steps if s.target is not None))

    @property
    def last(self) -> State:
        """The last state."""
        return self.states[-1]

    @property
    def switches(self) -> int:
        """How often adjacent steps are of different threads (SEMANTICS G17)."""
        return sum(a.thread != b.thread for a, b in zip(self.steps, self.steps[1:], strict=False))


@dataclass(frozen=True)
class ClosedSet:
    """A trace, and a set of states closed under successors that its last state leads into.

    In no state of it does `thread` take a step ("stuck") or stand at a goal ("cannot_finish"). It is all that follows
    the trace's last state.
    """

    trace: Trace
    states: frozenset[State]
    thread: int


@dataclass(frozen=True)
class Witnesses:
    """Several traces that only together show it: the sides of a lock-order cycle."""

    traces: tuple[Trace, ...]


@dataclass(frozen=True)
class Exhausted:
    """A complete search found no state as asked for: the evidence against a `reachable`."""

    states: int
    transitions: int
