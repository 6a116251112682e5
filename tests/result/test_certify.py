"""Each rule of certification: right evidence passes, every way to be wrong is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modelcheck.engine.engine import Found, Limits
from modelcheck.engine.reference import explore
from modelcheck.language import model as m
from modelcheck.result import certify as certification
from modelcheck.result.certify import CertificationError, certify
from modelcheck.result.trace import ClosedSet, Exhausted, Trace, Witnesses
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import (
    CannotFinish,
    CircularWaits,
    ErrorSteps,
    Question,
    StatePredicate,
    StepPredicate,
    StuckForEver,
)
from modelcheck.semantics.transition_system import TransitionSystem
from tests.models import (
    BOOL,
    Built,
    Code,
    Line,
    branch,
    claim,
    const,
    equal,
    lock,
    put,
    ref,
    shared,
    skip,
    system,
    verb,
    wait_for,
)
from tests.random_systems import random_system

X, Y = shared("x"), shared("y", BOOL)
TWO = StatePredicate("reachable", "two", equal(ref(X), 2), ("reachable", "two"), "")
FALLS = StepPredicate("falls", m.Compare("<", m.Ref(X, (), primed=True), ref(X)), (ref(X),))
COUNTING = [put(X, 1), put(X, 2), skip()]


def code(*threads: list[Line], locks: tuple[m.Lock, ...] = ()) -> TransitionSystem:
    coded = [Code(name, lines) for name, lines in zip(("t", "u"), threads, strict=False)]
    return system(Built(coded, [X, Y], list(locks)))


def found(built: TransitionSystem, question: Question) -> tuple[Interpreter, Found]:
    return Interpreter(built), explore(built, (question,), Limits()).found[0]


@pytest.mark.parametrize(
    ("built", "question"),
    [
        (code(COUNTING), TWO),
        (code([*COUNTING, put(X, 1)]), FALLS),
        (code(COUNTING, [claim(m.FALSE)]), ErrorSteps()),
        (system(Built([Code("t", [skip()])], [X], initial=(m.Assign(ref(X), const(9)),))), ErrorSteps()),
    ],
    ids=["state", "step", "error", "before time"],
)
def test_what_the_engine_finds_is_certified(built, question) -> None:
    interpreter, each = found(built, question)
    assert certify(interpreter, each.trace, question)
    assert certify(interpreter, Witnesses((each.trace, each.trace)), question)


FALSIFIED = {
    "too short": lambda trace: replace(trace, steps=trace.steps[:-1]),
    "begins late": lambda trace: replace(trace, steps=trace.steps[1:]),
    "another start": lambda trace: replace(trace, initial=(1, *trace.initial[1:])),
    "another thread": lambda trace: replace(
        trace, steps=(replace(trace.steps[0], thread=1), *trace.steps[1:])
    ),
    "another target": lambda trace: with_last(trace, target=(3, 0, 2, 0)),
    "another choice": lambda trace: with_last(trace, choices=(1,)),
    "no target": lambda trace: with_last(trace, target=None),
    "too long": lambda trace: replace(trace, steps=(*trace.steps, trace.steps[-1])),
}


def with_last(trace: Trace, **changes) -> Trace:
    return replace(trace, steps=(*trace.steps[:-1], replace(trace.steps[-1], **changes)))


@pytest.mark.parametrize("wrong", FALSIFIED)
def test_a_trace_that_is_not_a_run_or_shows_nothing_is_refused(wrong) -> None:
    interpreter, each = found(code(COUNTING, [skip()]), TWO)
    with pytest.raises(CertificationError):
        certify(interpreter, FALSIFIED[wrong](each.trace), TWO)


def test_nothing_follows_an_error_step() -> None:
    interpreter, each = found(code([claim(m.FALSE)], [skip()]), ErrorSteps())
    (step,) = each.trace.steps
    with pytest.raises(CertificationError, match="comes after an error step"):
        certify(interpreter, replace(each.trace, steps=(step, step)), ErrorSteps())


def test_an_error_before_time_must_be_one() -> None:
    built = system(Built([Code("t", [skip()])], [X], initial=(m.Assign(ref(X), const(9)),)))
    interpreter, each = found(built, ErrorSteps())
    (step,) = each.trace.steps
    with pytest.raises(CertificationError, match="before time does not exist"):
        certify(interpreter, replace(each.trace, steps=(replace(step, choices=(1,)),)), ErrorSteps())
    with pytest.raises(CertificationError, match="nothing follows"):
        certify(interpreter, replace(each.trace, steps=(step, step)), ErrorSteps())


def test_a_claim_can_be_any_test_of_the_trace() -> None:
    interpreter, each = found(code(COUNTING), TWO)
    assert certify(interpreter, each.trace, lambda trace: trace.last[0] == 2)
    with pytest.raises(CertificationError, match="does not show"):
        certify(interpreter, each.trace, lambda trace: trace.last[0] == 1)


def test_a_predicate_of_a_location_must_be_shown_there() -> None:
    at = replace(TWO, thread=0, location=2)
    interpreter, each = found(code(COUNTING), at)
    assert certify(interpreter, each.trace, at)
    with pytest.raises(CertificationError):
        certify(interpreter, each.trace, replace(at, location=1))


def test_an_undefined_property_is_shown_by_where_it_is_undefined() -> None:
    odd = replace(TWO, expr=m.Arith("/", const(1), ref(X)))
    interpreter, each = found(code(COUNTING), odd)
    assert each.undefined
    assert certify(interpreter, each.trace, odd)
    falling = replace(FALLS, expr=m.Arith("/", const(1), ref(X)))
    interpreter, each = found(code(COUNTING), falling)
    assert certify(interpreter, each.trace, falling)
    with pytest.raises(CertificationError):
        certify(interpreter, Trace(each.trace.initial, ()), falling)


def test_a_circular_wait_must_be_that_of_its_members() -> None:
    names = ("t", "u")
    a, b = lock("a", "mutex", names), lock("b", "mutex", names)
    lines = [
        [line for taken in order for line in verb("mutex_lock", taken, n, names)]
        for n, order in enumerate(((a, b), (b, a)))
    ]
    interpreter, each = found(code(*lines, locks=(a, b)), CircularWaits())
    assert certify(interpreter, each.trace, each.question, each.members)
    assert certify(interpreter, each.trace, each.question)
    with pytest.raises(CertificationError):
        certify(interpreter, each.trace, each.question, (0,))
    with pytest.raises(CertificationError):
        certify(interpreter, replace(each.trace, steps=each.trace.steps[:-1]), each.question)


def lost(question: Question) -> tuple[Interpreter, ClosedSet]:
    waits = [wait_for(ref(Y))] if isinstance(question, StuckForEver) else [branch(ref(Y), 1, 0)]
    interpreter, each = found(code(waits, [skip(), skip()]), question)
    assert each.closed is not None
    return interpreter, ClosedSet(each.trace, each.closed, *each.members)


@pytest.mark.parametrize("question", [StuckForEver(), CannotFinish()], ids=["stuck", "cannot finish"])
def test_a_closed_set_is_certified(question) -> None:
    interpreter, evidence = lost(question)
    assert certify(interpreter, evidence, question)


@pytest.mark.parametrize("question", [StuckForEver(), CannotFinish()], ids=["stuck", "cannot finish"])
def test_a_set_that_is_not_closed_or_not_reached_is_refused(question) -> None:
    interpreter, evidence = lost(question)
    (end,) = (state for state in evidence.states if state[-1] == 2)
    with pytest.raises(CertificationError, match="not closed"):
        certify(interpreter, replace(evidence, states=evidence.states - {end}), question)
    with pytest.raises(CertificationError, match="does not lead"):
        certify(interpreter, replace(evidence, states=frozenset({end})), question)
    with pytest.raises(CertificationError, match="somebody is lost"):
        certify(interpreter, evidence, ErrorSteps())


def test_a_thread_that_moves_is_not_stuck_and_one_at_its_goal_has_finished() -> None:
    interpreter, evidence = lost(StuckForEver())
    with pytest.raises(CertificationError, match="not blocked"):
        certify(interpreter, replace(evidence, thread=1), StuckForEver())
    interpreter, evidence = lost(CannotFinish())
    with pytest.raises(CertificationError, match="reaches a goal"):
        certify(interpreter, replace(evidence, thread=1), CannotFinish())


def test_a_thread_that_is_blocked_for_a_while_is_not_stuck() -> None:
    built = code([wait_for(ref(Y))], [put(Y, 1)])
    interpreter = Interpreter(built)
    states = frozenset({(0, 0, 0, 0), (0, 1, 0, 1), (0, 1, 1, 1)})
    with pytest.raises(CertificationError, match="takes a step"):
        certify(interpreter, ClosedSet(Trace((0, 0, 0, 0), ()), states, 0), StuckForEver())


def test_nobody_is_lost_where_an_error_step_can_come() -> None:
    built = code([wait_for(ref(Y))], [claim(m.FALSE)])
    evidence = ClosedSet(Trace(built.declared, ()), frozenset({built.declared}), 0)
    with pytest.raises(CertificationError, match="error step"):
        certify(Interpreter(built), evidence, StuckForEver())


def test_a_daemon_at_rest_is_not_stuck() -> None:
    built = system(Built([Code("t", [wait_for(ref(Y))], daemon=True)], [Y]))
    evidence = ClosedSet(Trace(built.declared, ()), frozenset({built.declared}), 0)
    with pytest.raises(CertificationError, match="at rest"):
        certify(Interpreter(built), evidence, StuckForEver())


def test_witnesses_must_exist_and_each_be_right() -> None:
    interpreter, each = found(code(COUNTING), TWO)
    with pytest.raises(CertificationError, match="no witness"):
        certify(interpreter, Witnesses(()), TWO)
    short = replace(each.trace, steps=each.trace.steps[:1])
    with pytest.raises(CertificationError):
        certify(interpreter, Witnesses((each.trace, short)), TWO)


NEVER = replace(TWO, expr=equal(ref(X), 3))


def test_exhaustion_is_counted_again(monkeypatch) -> None:
    built = code(COUNTING, [skip()])
    interpreter = Interpreter(built)
    statistics = explore(built, (), Limits()).statistics
    evidence = Exhausted(statistics.states, statistics.transitions)
    assert certify(interpreter, evidence, NEVER)
    for wrong in (Exhausted(evidence.states + 1, evidence.transitions), Exhausted(evidence.states, 0)):
        with pytest.raises(CertificationError, match="counts otherwise"):
            certify(interpreter, wrong, NEVER)
    with pytest.raises(CertificationError, match="fulfils what none should"):
        certify(interpreter, evidence, TWO)
    with pytest.raises(CertificationError, match="predicate"):
        certify(interpreter, evidence, ErrorSteps())
    monkeypatch.setattr(certification, "RECOUNTED", 3)
    assert not certify(interpreter, evidence, NEVER)


@pytest.mark.parametrize("seed", range(30))
def test_all_that_is_found_in_generated_models_is_certified(seed) -> None:
    built = random_system(seed, asserts=seed % 3 == 0)
    interpreter = Interpreter(built)
    questions = (ErrorSteps(), CircularWaits(), StuckForEver(), CannotFinish())
    for each in explore(built, questions, Limits()).found:
        if each.closed is None:
            assert certify(interpreter, each.trace, each.question, each.members)
        else:
            assert certify(interpreter, ClosedSet(each.trace, each.closed, *each.members), each.question)
