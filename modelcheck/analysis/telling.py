"""One answer of an engine as a finding: the sentence that says what was found, about whom, where."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from modelcheck.analysis.finding import Evidence, Finding, instance_name, listed
from modelcheck.analysis.waiting import Explainer
from modelcheck.engine.engine import Found
from modelcheck.language.model import Expr, LockAt, refs
from modelcheck.language.types import Scalar, show
from modelcheck.result.trace import ClosedSet
from modelcheck.semantics.expressions import Undefined
from modelcheck.semantics.questions import (
    LOCKS,
    ActionCounts,
    CannotFinish,
    Census,
    CircularWaits,
    Crossings,
    ErrorSteps,
    LocalViews,
    Occurrences,
    StatePredicate,
    StepPredicate,
    StuckForEver,
    TimeOutWaits,
)
from modelcheck.semantics.transition_system import INIT, State, TransitionSystem, cells_denoted

VALUES_AT_MOST = 12
"""Of a condition that reads more cells than this the values are not listed."""


def reached(found: Found) -> bool:
    """A `reachable` that is reached is no finding."""
    return (
        isinstance(found.question, StatePredicate)
        and found.question.check == "reachable"
        and not found.undefined
    )


def finding_of(explainer: Explainer, found: Found) -> Finding:
    """Return what one answer means."""
    question = found.question
    match question:
        case ErrorSteps():
            return _error_step(explainer, found)
        case CircularWaits():
            return _circular_wait(explainer, found)
        case TimeOutWaits():
            return _time_out(explainer, found)
        case StuckForEver():
            return _ending(explainer, found, "stuck")
        case CannotFinish():
            return _ending(explainer, found, "cannot_finish")
        case StatePredicate():
            return _predicate(explainer, found, question)
        case StepPredicate():
            return _step(explainer, found, question)
        case LocalViews() | Crossings() | ActionCounts() | Occurrences() | Census():
            raise AssertionError("a collection has no findings")
        case _:
            assert_never(question)


def _plain(found: Found, check: str, name: str, message: str) -> Finding:
    if found.undefined:
        message = f"`{name}` is undefined here: {found.undefined}"
    return Finding(
        check=check,
        name=name,
        weight="violation",
        message=message,
        cause=(*found.cause, "undefined") if found.undefined else found.cause,
        evidence=found.trace,
        states=found.states,
        members=found.members,
        claim=found.question,
    )


def _predicate(explainer: Explainer, found: Found, question: StatePredicate) -> Finding:
    state = found.trace.last
    message = question.message.replace(LOCKS, ", ".join(_lock(explainer, at, state) for at in question.locks))
    finding = replace(_plain(found, question.check, question.name, message), span=question.span)
    if question.check != "invariant":
        return finding
    shown = values_read(explainer, question.expr, found.trace.last)
    return replace(finding, details=(f"in the last state: {', '.join(shown)}",) if shown else ())


def _lock(explainer: Explainer, at: LockAt, state: State) -> str:
    """Return a lock with its index as it is in the state; the class if it has none there."""
    try:
        index = tuple(explainer.interpreter.value(each, state) for each in at.index)
    except Undefined:
        index = ()
    return instance_name(at.lock, index) if index else at.lock.name


def _step(explainer: Explainer, found: Found, question: StepPredicate) -> Finding:
    threads = explainer.interpreter.system.model.threads
    mover = threads[found.trace.steps[-1].thread].name
    message = f"the last step, by {mover}, breaks it: {text_of(explainer, question.name)}"
    return replace(_plain(found, "step", question.name, message), span=question.span)


def values_read(explainer: Explainer, expr: Expr, state: State) -> list[str]:
    """Return the shared variables that a condition may read, with their values; none if they are many."""
    system = explainer.interpreter.system
    numbers = dict.fromkeys(
        number for ref in refs(expr) if ref.var.kind == "shared" for number in cells_denoted(system, ref)
    )
    if len(numbers) > VALUES_AT_MOST:
        return []
    return [f"{system.cells[n].name}={show(_type(system, n), state[n])}" for n in numbers]


def _type(system: TransitionSystem, number: int) -> Scalar:
    variable = system.cells[number].variable
    assert variable is not None
    return variable.type


def text_of(explainer: Explainer, name: str) -> str:
    """Return the text of a property."""
    return next(each.text for each in explainer.interpreter.system.model.properties if each.name == name)


def _error_step(explainer: Explainer, found: Found) -> Finding:
    last = found.trace.steps[-1]
    assert last.breach is not None
    breach = last.breach
    name = breach.name or breach.check
    finding = replace(_plain(found, breach.check, name, breach.message), span=breach.span)
    if last.location == INIT:
        return replace(finding, message=f"before the first step: {breach.message}", members=())
    thread = explainer.interpreter.system.model.threads[last.thread].name
    place = explainer.place(last)
    message = f"{thread}, {place.span}, `{one_line(place.text)}`: {breach.message}"
    return replace(finding, message=message, members=(last.thread,))


def one_line(text: str) -> str:
    """Return a statement's text on one line."""
    return " ".join(text.split())


def _circular_wait(explainer: Explainer, found: Found) -> Finding:
    situation = explainer.situation(found.trace, found.members)
    ring = situation.ring or found.members
    threads = explainer.interpreter.system.model.threads
    names = [threads[t].name for t in ring]
    message = f"{listed(names)} wait for each other" if len(ring) > 1 else f"{names[0]} waits for itself"
    others = [threads[t].name for t in found.members if t not in ring]
    if others:
        message += f", and {listed(others)} for them"
    idle = not situation.standing and all(w.caught or w.resting for w in situation.waits)
    if idle and not any(w.timed for w in situation.waits):
        message += "; nothing can run any more"
    finding = _plain(found, "circular_wait", "circular_wait", message)
    stable = isinstance(found.question, CircularWaits)
    lost = explainer.lost_since(found.trace, found.members) if stable else None
    return replace(finding, ring=ring, lost_since=lost)


def _time_out(explainer: Explainer, found: Found) -> Finding:
    """A cycle that only a time-out breaks is a warning (SEMANTICS A5)."""
    finding = _circular_wait(explainer, found)
    threads = explainer.interpreter.system.model.threads
    impatient = explainer.waiting.impatient(found.trace.last)
    names = listed([threads[t].name for t in found.members if t in impatient])
    message = f"{finding.message}: resolved by time-out only, that of {names}"
    return replace(finding, weight="warning", message=message, cause=("time-out", *finding.cause))


def _ending(explainer: Explainer, found: Found, check: str) -> Finding:
    threads = explainer.interpreter.system.model.threads
    names = listed([threads[t].name for t in found.members])
    if check == "stuck":
        message = f"{names} is blocked, and nothing that can still happen lets it take a step"
    else:
        message = f"{names} may still run, but can no longer reach its end, or the head of its loop"
    finding = _plain(found, check, check, message)
    evidence: Evidence = found.trace
    if found.closed is not None and found.members:
        evidence = ClosedSet(found.trace, found.closed, found.members[0])
    return replace(finding, evidence=evidence)
