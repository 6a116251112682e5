"""Random runs: the same from the same seed, true runs, and what they come across; and a walk by hand."""

from __future__ import annotations

import pytest

from modelcheck.engine.engine import Limits
from modelcheck.engine.reference import explore
from modelcheck.engine.simulation import Walk, simulate
from modelcheck.language import model as m
from modelcheck.result.certify import certify
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import CircularWaits, ErrorSteps, StatePredicate
from modelcheck.semantics.transition_system import INIT
from tests.models import Built, Code, claim, const, either, equal, put, ref, shared, skip, system, wait_for
from tests.random_systems import random_system

X = shared("x")
TWO = StatePredicate("reachable", "two", equal(ref(X), 2), ("reachable", "two"), "")


def test_the_same_seed_gives_the_same_runs_and_another_seed_others() -> None:
    built = random_system(3)
    assert simulate(built, 1, 20, 5) == simulate(built, 1, 20, 5)
    assert simulate(built, 1, 20, 9).runs[:5] == simulate(built, 1, 20, 5).runs
    assert simulate(built, 1, 20, 5) != simulate(built, 2, 20, 5)


@pytest.mark.parametrize("seed", range(20))
def test_random_runs_are_runs_and_find_only_what_the_engine_finds(seed) -> None:
    built = random_system(seed, asserts=True)
    interpreter = Interpreter(built)
    questions = (ErrorSteps(), CircularWaits())
    known = {(type(each.question), each.cause) for each in explore(built, questions, Limits()).found}
    simulated = simulate(built, seed, 12, 4, questions)
    for run in simulated.runs:
        assert certify(interpreter, run.trace, lambda _: True)
        assert len(run.trace.steps) <= 12
        assert not run.trace.shortest
    for each in simulated.found:
        assert (type(each.question), each.cause) in known
        assert certify(interpreter, each.trace, each.question, each.members)
        assert len(each.trace.steps) == each.level


@pytest.mark.parametrize(
    ("lines", "ending", "length"),
    [
        ([skip()], "finished", 1),
        ([wait_for(ref(X))], "blocked", 0),
        ([claim(m.FALSE)], "error", 1),
        ([skip(to=0)], "long enough", 7),
    ],
)
def test_a_run_says_why_it_ended(lines, ending, length) -> None:
    (run,) = simulate(system(Built([Code("t", lines)], [X])), 0, 7, 1).runs
    assert (run.ending, len(run.trace.steps)) == (ending, length)


def test_a_finding_keeps_its_shortest_run() -> None:
    lines = [either(1, 2), put(X, 2, to=0), put(X, 1, to=0)]
    simulated = simulate(system(Built([Code("t", lines)], [X])), 5, 30, 20, (TWO,))
    (each,) = simulated.found
    assert each.level == 2


def test_an_error_step_beside_the_run_is_seen_too() -> None:
    built = system(Built([Code("t", [skip()] * 3), Code("u", [claim(m.FALSE)])], []))
    simulated = simulate(built, 0, 1, 20, (ErrorSteps(),))
    assert [each.level for each in simulated.found] == [1]


def test_an_error_before_time_ends_the_run_at_once() -> None:
    built = system(Built([Code("t", [skip()])], [X], initial=(m.Assign(ref(X), const(9)),)))
    simulated = simulate(built, 0, 5, 1, (ErrorSteps(),))
    assert [step.thread for step in simulated.runs[0].trace.steps] == [INIT]
    assert (simulated.runs[0].ending, len(simulated.found)) == ("error", 1)


def test_a_walk_can_be_taken_back() -> None:
    built = system(Built([Code("t", [either(1, 2), skip(), claim(m.FALSE)])], [X]))
    walk = Walk(Interpreter(built))
    assert walk.starts == (built.declared,)
    assert not walk.undo()
    first, second = walk.enabled
    walk.take(first)
    assert walk.state == first.target
    assert walk.undo()
    assert walk.state == built.declared
    walk.take(second)
    (error,) = walk.enabled
    walk.take(error)
    assert walk.enabled == ()
    assert walk.state == second.target
    assert walk.trace.steps == (second, error)
    assert walk.undo()
    assert walk.enabled == (error,)
    assert not walk.all_finished
