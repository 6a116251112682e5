"""Nothing unchecked leaves: one rule for each kind of evidence, by the interpreter (SEMANTICS A4, A7).

An engine that is wrong must not be believed. So whatever it shows is done again here, by the definition and without
its code: traces are replayed, closed sets are checked to be closed, exhaustion is counted again. A failure is our
bug, never the user's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from modelcheck.result.trace import ClosedSet, Exhausted, Trace, Witnesses
from modelcheck.semantics.interpreter import Interpreter, Undefined
from modelcheck.semantics.questions import (
    CannotFinish,
    CircularWaits,
    ErrorSteps,
    Question,
    StatePredicate,
    StepPredicate,
    StuckForEver,
    TimeOutWaits,
)
from modelcheck.semantics.transition_system import INIT, State, Step
from modelcheck.semantics.waiting import Waiting

RECOUNTED = 20_000
"""Up to how many states an exhausted search is done again."""

Claim = Question | Callable[[Trace], bool]
"""What a trace is said to show: a question that it answers with yes, or a test of the trace."""


class CertificationError(Exception):
    """Evidence does not show what it was given for: an internal error."""


def certify(
    interpreter: Interpreter,
    evidence: Trace | ClosedSet | Witnesses | Exhausted,
    claim: Claim,
    members: tuple[int, ...] = (),
) -> bool:
    """Raise CertificationError unless the evidence shows what is claimed; False if that is too much to check.

    `members` are the threads of a circular wait, if the claim is one.
    """
    match evidence:
        case Trace():
            _replay(interpreter, evidence)
            _require(_shows(interpreter, evidence, claim, members), "the trace does not show what it should")
        case ClosedSet():
            _replay(interpreter, evidence.trace)
            _check_closed(interpreter, evidence, claim)
        case Witnesses(traces):
            _require(bool(traces), "there is no witness")
            for trace in traces:
                certify(interpreter, trace, claim, members)
        case Exhausted():
            return _recount(interpreter, evidence, claim)
        case _:
            assert_never(evidence)
    return True


def _require(fact: bool, what: str) -> None:  # noqa: FBT001  (an assertion's condition)
    if not fact:
        raise CertificationError(what)


# --- traces --------------------------------------------------------------------------------------


def _replay(interpreter: Interpreter, trace: Trace) -> None:
    """Take every step of the trace again."""
    if trace.steps and trace.steps[0].thread == INIT:
        _require(len(trace.steps) == 1, "nothing follows an error before time")
        _require(
            _same_as_one_of(trace.steps[0], interpreter.before_time), "this error before time does not exist"
        )
        return
    starts = {state for state, _, _ in interpreter.initial_states()}
    _require(trace.initial in starts, "the trace does not begin in an initial state")
    state: State | None = trace.initial
    for number, step in enumerate(trace.steps, 1):
        _require(state is not None, f"step {number} comes after an error step")
        assert state is not None
        found = interpreter.steps_of(state, step.thread)
        _require(_same_as_one_of(step, found), f"step {number} of the trace does not exist")
        state = step.target


def _same_as_one_of(step: Step, others: tuple[Step, ...]) -> bool:
    """Tell whether the step is one of these: the same move with the same outcome."""
    return any(
        (step.thread, step.location, step.choices, step.target, step.breach)
        == (other.thread, other.location, other.choices, other.target, other.breach)
        for other in others
    )


def _shows(interpreter: Interpreter, trace: Trace, claim: Claim, members: tuple[int, ...]) -> bool:
    match claim:
        case StatePredicate():
            return _state_shows(interpreter, trace.last, claim)
        case StepPredicate():
            return _step_shows(interpreter, trace, claim)
        case ErrorSteps():
            return bool(trace.steps) and trace.steps[-1].breach is not None
        case CircularWaits():
            rings = Waiting(interpreter).knot(trace.last).rings
            return any(not members or ring.members == members for ring in rings)
        case TimeOutWaits():
            rings = Waiting(interpreter).knot_of_time_outs(trace.last).rings
            return any(not members or ring.members == members for ring in rings)
        case _:
            return callable(claim) and claim(trace)


def _state_shows(interpreter: Interpreter, state: State, claim: StatePredicate) -> bool:
    """Tell whether the predicate is true in the state; where it is undefined that is shown too."""
    cells = interpreter.system.location_cells
    if claim.thread is not None and state[cells[claim.thread]] != claim.location:
        return False
    try:
        return interpreter.satisfied(claim.expr, state)
    except Undefined:
        return True


def _step_shows(interpreter: Interpreter, trace: Trace, claim: StepPredicate) -> bool:
    if not trace.steps or trace.steps[-1].target is None:
        return False
    before, after = trace.states[-2:]
    try:
        return not interpreter.satisfied(claim.expr, before, after, trace.steps[-1].thread)
    except Undefined:
        return True


# --- closed sets ---------------------------------------------------------------------------------


def _check_closed(interpreter: Interpreter, evidence: ClosedSet, claim: Claim) -> None:
    thread, states = evidence.thread, evidence.states
    cell = interpreter.system.location_cells[thread]
    goals = interpreter.system.model.threads[thread].goals
    _require(isinstance(claim, StuckForEver | CannotFinish), "a closed set shows that somebody is lost")
    _require(evidence.trace.last in states, "the trace does not lead into the closed set")
    stuck = isinstance(claim, StuckForEver)
    if stuck:
        last = evidence.trace.last
        _require(interpreter.blocked(last, thread), "the stuck thread is not blocked")
        _require(not interpreter.resting(last, thread), "the stuck thread is at rest")
    for state in states:
        for step in interpreter.successors(state):
            _require(step.target is not None, "an error step can be reached from the closed set")
            _require(step.target in states, "the closed set is not closed")
            _require(not stuck or step.thread != thread, "the stuck thread takes a step")
        _require(stuck or state[cell] not in goals, "the thread reaches a goal")


# --- exhaustion ----------------------------------------------------------------------------------


def _recount(interpreter: Interpreter, evidence: Exhausted, claim: Claim) -> bool:
    """Search again, and look at the claim in every state; not if the search is too large."""
    if evidence.states > RECOUNTED:
        return False
    _require(
        isinstance(claim, StatePredicate), "only that no state fulfils a predicate is shown by exhaustion"
    )
    assert isinstance(claim, StatePredicate)
    found = {state for state, _, _ in interpreter.initial_states() if state is not None}
    todo = list(found)
    transitions = 0
    while todo:
        state = todo.pop()
        _require(not _state_shows(interpreter, state, claim), "a state fulfils what none should")
        for step in interpreter.successors(state):
            transitions += 1
            if step.target is not None and step.target not in found:
                found.add(step.target)
                todo.append(step.target)
    counts = len(found), transitions
    _require(counts == (evidence.states, evidence.transitions), "the search counts otherwise the second time")
    return True
