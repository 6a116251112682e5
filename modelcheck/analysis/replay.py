"""A saved trace taken again, step by step, and what its last state shows now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelcheck.analysis.discipline import shown_by
from modelcheck.analysis.finding import Finding
from modelcheck.analysis.telling import finding_of
from modelcheck.analysis.waiting import Explainer
from modelcheck.engine.engine import Found
from modelcheck.engine.simulation import Walk
from modelcheck.language.types import show
from modelcheck.result.certify import CertificationError, certify
from modelcheck.result.trace import ClosedSet, Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import (
    CannotFinish,
    CircularWaits,
    Crossings,
    ErrorSteps,
    Question,
    StatePredicate,
    StepPredicate,
    StuckForEver,
    TimeOutWaits,
)
from modelcheck.semantics.transition_system import INIT, State, Step

CLOSED_SET_AT_MOST = 50_000


@dataclass(frozen=True)
class SavedStep:
    """Who took which statement, with which choices."""

    thread: str
    line: int
    statement: str
    choices: tuple[int, ...]


@dataclass(frozen=True)
class SavedTrace:
    """A trace by names, so that it can be taken again after the specification was edited.

    `digest` is the hash of the specification's text, `members` the threads that the finding is about.
    """

    file: str
    model: str
    digest: str
    scenario: str
    parameters: tuple[tuple[str, str], ...]
    check: str
    name: str
    message: str
    members: tuple[str, ...]
    initial: tuple[tuple[str, str], ...]
    steps: tuple[SavedStep, ...]


@dataclass(frozen=True)
class Replay:
    """How far the trace could be taken, why no further ("" if to its end), and what its last state shows."""

    trace: Trace
    problem: str
    findings: tuple[Finding, ...]


def shared_values(interpreter: Interpreter, state: State) -> tuple[tuple[str, str], ...]:
    """Return the shared variables of a state by name, as they are written."""
    cells = zip(interpreter.system.cells, state, strict=True)
    return tuple(
        (c.name, show(c.variable.type, v)) for c, v in cells if c.variable and c.variable.kind == "shared"
    )


def replay(explainer: Explainer, asked: tuple[Question, ...], saved: SavedTrace) -> Replay:
    """Take the saved steps as far as they can be taken."""
    interpreter = explainer.interpreter
    early = _before_time(interpreter, saved)
    if early is not None:
        return Replay(early, "", tuple(_findings(explainer, asked, early, saved)))
    starts = [state for state, _, _ in interpreter.initial_states() if state is not None]
    fitting = [state for state in starts if shared_values(interpreter, state) == saved.initial] or starts
    if not fitting:
        return Replay(Trace(interpreter.system.declared, ()), "there is no initial state", ())
    walk, problem = Walk(interpreter, fitting[0]), ""
    for number, wanted in enumerate(saved.steps, 1):
        step = _matching(interpreter, walk, wanted)
        if step is None:
            problem = f"step {number} cannot be taken: {_why(interpreter, walk, wanted)}"
            break
        walk.take(step)
    findings = () if problem else tuple(_findings(explainer, asked, walk.trace, saved))
    return Replay(walk.trace, problem, findings)


def _before_time(interpreter: Interpreter, saved: SavedTrace) -> Trace | None:
    """An error of `init` is a trace of one step that no thread takes."""
    if len(saved.steps) != 1 or saved.steps[0].thread != "init":
        return None
    errors = [
        s for s in interpreter.before_time if s.breach is not None and s.choices == saved.steps[0].choices
    ]
    return Trace(interpreter.system.declared, (errors[0],)) if errors else None


def _matching(interpreter: Interpreter, walk: Walk, wanted: SavedStep) -> Step | None:
    for step in walk.enabled:
        thread = interpreter.system.model.threads[step.thread]
        same = thread.name == wanted.thread and thread.locations[step.location].text == wanted.statement
        if same and step.choices == wanted.choices:
            return step
    return None


def _why(interpreter: Interpreter, walk: Walk, wanted: SavedStep) -> str:
    threads = {t.name: t for t in interpreter.system.model.threads}
    if wanted.thread not in threads:
        return f"there is no thread `{wanted.thread}`"
    number = threads[wanted.thread].number
    if interpreter.finished(walk.state, number):
        return f"{wanted.thread} has finished"
    location = interpreter.location(walk.state, number)
    if location.text != wanted.statement:
        return f"{wanted.thread} is at `{location.text}` ({location.span}), not at `{wanted.statement}`"
    if interpreter.blocked(walk.state, number):
        return f"{wanted.thread} has to wait at `{location.text}` ({location.span})"
    return f"{wanted.thread} cannot make the same choices at `{location.text}` ({location.span})"


# --- what the last state shows -------------------------------------------------------------------


def _findings(
    explainer: Explainer, asked: tuple[Question, ...], trace: Trace, saved: SavedTrace
) -> Iterator[Finding]:
    for question in asked:
        match question:
            case ErrorSteps() if trace.steps and trace.steps[-1].breach is not None:
                last = trace.steps[-1]
                yield _found(explainer, question, trace, () if last.thread == INIT else (last.thread,))
            case CircularWaits():
                for ring in explainer.waiting.knot(trace.last).rings:
                    yield _found(explainer, question, trace, ring.members)
            case TimeOutWaits():
                for ring in explainer.waiting.knot_of_time_outs(trace.last).rings:
                    yield _found(explainer, question, trace, ring.members)
            case StuckForEver() | CannotFinish():
                yield from _lost(explainer, question, trace, saved)
            case Crossings():
                yield from shown_by(explainer.interpreter, trace)
            case StatePredicate() | StepPredicate() if _is_meant(explainer, question, trace, saved):
                if _shows(explainer.interpreter, trace, question):
                    members = () if isinstance(question, StepPredicate) else _members(question)
                    yield _found(explainer, question, trace, members)
            case _:
                pass


def _is_meant(
    explainer: Explainer, question: StatePredicate | StepPredicate, trace: Trace, saved: SavedTrace
) -> bool:
    """Look only at what the trace was saved for, and only where its thread stands."""
    if isinstance(question, StepPredicate):
        return question.name == saved.name
    if question.check != saved.check or question.name != saved.name:
        return False
    cells = explainer.interpreter.system.location_cells
    return question.thread is None or trace.last[cells[question.thread]] == question.location


def _members(question: StatePredicate) -> tuple[int, ...]:
    return () if question.thread is None else (question.thread,)


def _shows(interpreter: Interpreter, trace: Trace, question: Question) -> bool:
    try:
        return certify(interpreter, trace, question)
    except CertificationError:
        return False


def _lost(
    explainer: Explainer, question: StuckForEver | CannotFinish, trace: Trace, saved: SavedTrace
) -> Iterator[Finding]:
    if saved.check != ("stuck" if isinstance(question, StuckForEver) else "cannot_finish"):
        return
    states = _closed(explainer.interpreter, trace.last)
    for thread in explainer.interpreter.system.model.threads:
        if thread.name not in saved.members or states is None:
            continue
        try:
            certify(explainer.interpreter, ClosedSet(trace, states, thread.number), question)
        except CertificationError:
            continue
        found = Found(question, (thread.declaration,), len(trace.steps), 0, trace, (thread.number,), states)
        yield finding_of(explainer, found)


def _closed(interpreter: Interpreter, state: State) -> frozenset[State] | None:
    """Return all that can follow a state; None if that is too much."""
    seen, todo = {state}, [state]
    while todo:
        for step in interpreter.successors(todo.pop()):
            if step.target is not None and step.target not in seen:
                seen.add(step.target)
                todo.append(step.target)
        if len(seen) > CLOSED_SET_AT_MOST:
            return None
    return frozenset(seen)


def _found(explainer: Explainer, question: Question, trace: Trace, members: tuple[int, ...]) -> Finding:
    return finding_of(explainer, Found(question, (), len(trace.steps), 0, trace, members))
