"""What keeps a lock-order cycle apart, found by taking one thing away at a time (SEMANTICS A6).

Of a gated cycle each gate is left out in each op that takes it on the cycle: who breaks it by forgetting. Of a cycle
that no lock keeps apart each `await`, each condition, and each lock that is not part of it is taken away in turn.
Each time the model that is left is searched for a circular wait along this cycle, and for nothing else; the trace that
is found is certified against that model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from modelcheck.analysis.finding import Finding
from modelcheck.analysis.lock_order import Cycle, Edge
from modelcheck.analysis.order_requests import ring_of_classes, taken_at
from modelcheck.analysis.removal import Removal, locks_taken, place_of, waits_and_conditions, without
from modelcheck.analysis.waiting import Explainer
from modelcheck.engine.engine import Limits
from modelcheck.engine.first import Sought, first_circular_wait
from modelcheck.language.model import Location, Model
from modelcheck.result.certify import certify
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import CircularWaits
from modelcheck.semantics.transition_system import State, transition_system
from modelcheck.semantics.waiting import Ring

STATES_IN_ALL = 200_000
"""How many states are looked at for one cycle, in all its trials; a number of states and not of seconds, so that the
answer is the same on every machine."""


@dataclass(frozen=True)
class Trial:
    """One thing taken away, and what came of it: the cycle as a circular wait, or None.

    `explainer` is of the model that lacks the thing: the trace is one of that model. `stopped`: a limit was hit first;
    `errors`: error steps cut some runs short. Without a finding and either of them, nothing follows.
    """

    removal: Removal
    explainer: Explainer
    finding: Finding | None
    stopped: str = ""
    errors: bool = False

    @property
    def is_decided(self) -> bool:
        """Whether it is known that the cycle is, or is not, reachable without the thing."""
        return self.finding is not None or not (self.stopped or self.errors)


@dataclass(frozen=True)
class Trials:
    """All trials of one cycle. `left_out` says how many things were not taken away any more, for a limit."""

    trials: tuple[Trial, ...]
    left_out: int = 0

    @property
    def breaking(self) -> tuple[Trial, ...]:
        """The trials that made the cycle a deadlock."""
        return tuple(trial for trial in self.trials if trial.finding is not None)

    @property
    def is_decided(self) -> bool:
        """Whether everything was tried, and every trial came to an end."""
        return not self.left_out and all(trial.is_decided for trial in self.trials)


def trials(explainer: Explainer, cycle: Cycle, limits: Limits) -> Trials:
    """Return the trials of a cycle that is gated or kept apart; none of any other."""
    match cycle.verdict:
        case "gated":
            candidates = gates_taken(explainer.interpreter, cycle)
        case "kept apart" if cycle.smaller:
            candidates = ()  # there may be nothing that keeps it apart
        case "kept apart":
            candidates = what_else(explainer.interpreter, cycle)
        case "reachable" | "one thread" | "undecided":
            candidates = ()
    done: list[Trial] = []
    states, seconds = STATES_IN_ALL, limits.seconds
    for removal in candidates:
        if states <= 0 or (seconds is not None and seconds <= 0):
            break
        most = states if limits.states is None else min(states, limits.states)
        trial, sought = _tried(explainer, cycle, removal, replace(limits, states=most, seconds=seconds))
        done.append(trial)
        states -= sought.states
        seconds = None if seconds is None else seconds - sought.seconds
        if trial.stopped == "interrupted":
            break
    return Trials(tuple(done), len(candidates) - len(done))


def _tried(explainer: Explainer, cycle: Cycle, removal: Removal, limits: Limits) -> tuple[Trial, Sought]:
    """Search the model without the thing for a circular wait along the cycle."""
    model = without(explainer.interpreter.system.model, removal)
    interpreter = Interpreter(transition_system(model))

    def is_wanted(state: State, ring: Ring) -> bool:
        return ring_of_classes(interpreter, state, ring.threads) == cycle.classes

    sought = first_circular_wait(interpreter, is_wanted, limits)
    finding = _finding(interpreter, cycle, sought) if sought.trace is not None else None
    return Trial(removal, Explainer(interpreter), finding, sought.stopped, sought.errors), sought


def _finding(interpreter: Interpreter, cycle: Cycle, sought: Sought) -> Finding:
    assert sought.trace is not None
    claim = CircularWaits()
    certified = certify(interpreter, sought.trace, claim, sought.members)
    return Finding(
        check="circular_wait",
        name="circular_wait",
        weight="violation",
        message="",
        cause=cycle.classes,
        evidence=sought.trace,
        members=sought.members,
        ring=sought.ring,
        claim=claim,
        certified=certified,
    )


# --- what to take away ---------------------------------------------------------------------------


def gates_taken(interpreter: Interpreter, cycle: Cycle) -> tuple[Removal, ...]:
    """Return, for each gate, the ops and thread bodies that take it where they are part of the cycle."""
    edges = (
        Edge(request, held)
        for way in cycle.ways
        for request in way.requests
        for held in request.held
        if (held.lock, held.index) in way.gates and held.lock in cycle.gates
    )
    taken = _taken_by(interpreter, edges)
    found = (r for r in locks_taken(interpreter.system.model) if (r.lock, r.where) in taken)
    return tuple(sorted(found, key=lambda r: cycle.gates.index(r.lock)))


def what_else(interpreter: Interpreter, cycle: Cycle) -> tuple[Removal, ...]:
    """Return all that might keep the cycle apart: every wait and condition, and every lock that is not part of it."""
    model = interpreter.system.model
    own = _taken_by(interpreter, (edge for way in cycle.ways for edge in way.edges))
    own |= {_asked(model, request.place, request.thread) for way in cycle.ways for request in way.requests}
    others = [r for r in locks_taken(model) if (r.lock, r.where) not in own]
    return tuple(sorted((*waits_and_conditions(model), *others), key=lambda r: _LIKELY.index(r.kind)))


_LIKELY = ("await", "lock", "condition")
"""What is tried first, in case a limit is hit."""


def _taken_by(interpreter: Interpreter, edges: Iterable[Edge]) -> set[tuple[str, str]]:
    """Return which locks are held on these edges, and in which ops they were taken."""
    threads = interpreter.system.model.threads
    return {
        (edge.held.lock, place_of(threads[edge.request.thread], location))
        for edge in dict.fromkeys(edges)
        for location in taken_at(interpreter, edge)
    }


def _asked(model: Model, place: object, thread: int) -> tuple[str, str]:
    assert isinstance(place, Location)
    assert place.verb is not None
    return place.verb.at.lock.name, place_of(model.threads[thread], place)
