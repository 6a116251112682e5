"""The bounded search: as deep as the explicit search finds it, with as few switches; and it knows when it is done."""

from __future__ import annotations

import pytest

from modelcheck.engine import reference, symbolic
from modelcheck.engine.aims import Hunt, aims_of
from modelcheck.engine.bounded import Bounded
from modelcheck.engine.engine import Answers, Limits
from modelcheck.engine.queries import Budget
from modelcheck.language.elaborate import elaborate
from modelcheck.language.parser import parse
from modelcheck.result.certify import certify
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import CircularWaits, ErrorSteps, Question, StatePredicate, StuckForEver
from modelcheck.semantics.symbolic import Relation
from modelcheck.semantics.symbolic_numbers import BitVectors
from modelcheck.semantics.symbolic_questions import Asked
from modelcheck.semantics.symbolic_solver import Solver
from modelcheck.semantics.transition_system import TransitionSystem, transition_system
from modelcheck.source import Source
from tests.checking import ABBA
from tests.random_systems import random_system
from tests.transcript import ROOT

Sighting = tuple[Question, tuple[str, ...], bool]
DESIGN = (ROOT / "specs" / "design_example.mck").read_text(encoding="utf-8")
SEEDS = range(40)


def built(text: str, scenario: str | None = None) -> TransitionSystem:
    return transition_system(elaborate((parse(Source("test.mck", text)),), {}, scenario))


class Search:
    """A bounded search on its own, without proofs."""

    def __init__(self, system: TransitionSystem, asked: tuple[Question, ...]) -> None:
        self.interpreter = Interpreter(system)
        relation = Relation(system, BitVectors())
        aims, self.left = aims_of(relation, asked)
        terms = Asked(relation)
        self.hunt = Hunt(self.interpreter, terms, aims)
        self.budget = Budget(Limits())
        self.bounded = Bounded(self.interpreter, terms, self.hunt, self.budget)

    def to(self, level: int) -> dict[Sighting, tuple[int, int]]:
        """Search so deep; return length and switches of the trace to each cause, all replayed."""
        while self.bounded.level < level and not self.bounded.complete:
            self.bounded.deepen()
        for found in self.hunt.found:
            certify(self.interpreter, found.trace, found.question, found.members)
        return {
            (f.question, f.cause, bool(f.undefined)): (f.level, f.trace.switches) for f in self.hunt.found
        }


def seen(answers: Answers, most: int) -> dict[Sighting, tuple[int, int]]:
    return {
        (f.question, f.cause, bool(f.undefined)): (f.level, f.trace.switches)
        for f in answers.found
        if f.level <= most
    }


# --- the same as the explicit search -------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_every_cause_is_found_at_its_depth_with_the_fewest_switches(seed):
    system = random_system(seed, asserts=True)
    asked = (ErrorSteps(), CircularWaits())
    search = Search(system, asked)
    mine = search.to(12)
    answers = reference.explore(system, asked, Limits())
    assert mine == seen(answers, 99 if search.bounded.complete else 12)
    assert all(found.trace.shortest for found in search.hunt.found)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_search_that_calls_itself_complete_went_as_deep_as_the_states_lie(seed):
    system = random_system(seed)
    search = Search(system, (CircularWaits(),))
    search.to(14)
    depth = reference.explore(system, (), Limits()).statistics.depth
    assert not search.bounded.complete or search.bounded.level >= depth


def test_the_example_of_the_design_deadlocks_after_seven_steps_before_4_20():
    system = built(DESIGN, "before_4_20")
    found = Search(system, (CircularWaits(),)).to(9)
    explored = seen(reference.explore(system, (CircularWaits(),), Limits()), 9)
    assert found == explored
    assert [level for level, _ in found.values()] == [7]


def test_nothing_is_violated_in_the_example_since_4_20():
    system = built(DESIGN, "since_4_20")
    search = Search(system, questions(system))
    names = {question.name for question, _, _ in search.to(40) if isinstance(question, StatePredicate)}
    assert names == {"somebody_online"}
    assert search.bounded.complete == "no run has more than 19 steps"


# --- what it looks for ---------------------------------------------------------------------------


def test_two_mutexes_in_two_orders_are_found():
    (sighting,) = Search(built(ABBA), (CircularWaits(),)).to(4).items()
    assert sighting[1] == (2, 1)


def test_errors_of_one_check_at_two_places_are_two_findings():
    text = "model m; var x: 0..9 = 0 marked; thread t { x = 1; assert(x != 1); } thread u { assert(x < 1); x = 2; }"
    system = built(text)
    found = Search(system, (ErrorSteps(),)).to(5)
    assert found == seen(reference.explore(system, (ErrorSteps(),), Limits()), 5)
    assert len(found) == 2


def test_an_error_before_time_is_found():
    text = "model m; var x: 0..3 = 0; init { choose y: 0..3; x = y + 1; } thread t { skip; }"
    system = built(text)
    found = Search(system, (ErrorSteps(),)).to(3)
    assert found == seen(reference.explore(system, (ErrorSteps(),), Limits()), 3)
    assert [cause[0] for _, cause, _ in found] == ["range"]


def test_a_predicate_that_is_false_and_one_that_is_undefined_are_two_findings():
    text = """model m; var x: 0..3 = 0 marked; var row[0..1]: 0..1 = 0 marked;
        thread t { x = 1; row[1] = 1; x = 2; } invariant p: row[x] == 0;"""
    system = built(text)
    asked = tuple(q for q in questions(system) if isinstance(q, StatePredicate) and q.name == "p")
    found = Search(system, asked).to(5)
    assert found == seen(reference.explore(system, asked, Limits()), 5)
    assert sorted((undefined, level) for (_, _, undefined), (level, _) in found.items()) == [
        (False, 2),
        (True, 3),
    ]


def test_a_step_property_sees_the_mover_and_what_it_holds():
    text = """model m; mutex l; var x: 0..3 = 0 marked;
        thread good { mutex_lock(l); x = 1; mutex_unlock(l); } thread bad { x = 2; }
        step s: next(x) != x implies held(l);"""
    system = built(text)
    asked = tuple(q for q in questions(system) if getattr(q, "name", "") == "s")
    found = Search(system, asked).to(6)
    assert found == seen(reference.explore(system, asked, Limits()), 6)
    assert list(found.values()) == [(1, 0)]


def test_what_speaks_of_all_continuations_stays_open_with_the_reason():
    search = Search(built(ABBA), (StuckForEver(), CircularWaits()))
    assert "all continuations" in search.left["stuck"]
    assert "circular_wait" not in search.left


# --- coming to an end, and giving up -------------------------------------------------------------


def test_a_loop_comes_to_an_end_when_every_longer_run_repeats_a_state():
    system = built("model m; var x: 0..3 = 0; thread t { loop { x = (x + 1) % 4; } } invariant p: x < 4;")
    search = Search(system, questions(system))
    search.to(20)
    assert search.bounded.complete == "every state is reached in less than 4 steps"


def test_the_depth_that_was_looked_at_is_said_where_nothing_was_found():
    system = built(
        "model m; var x: 0..1000 = 0; thread t { loop { x = (x + 1) % 1001; } } reachable r: x == 500;"
    )
    asked = tuple(q for q in questions(system) if isinstance(q, StatePredicate))
    answers = symbolic.explore(system, asked, Limits(depth=5))
    assert answers.bounds["r"] == 5
    assert answers.stopped == "depth limit of 5 steps"


def test_a_query_that_z3_does_not_decide_is_named(monkeypatch):
    check = Solver.check
    counted = []

    def tired(self, seconds):
        counted.append(seconds)
        return ("unknown", "timeout") if len(counted) > 6 else check(self, seconds)

    monkeypatch.setattr(Solver, "check", tired)
    answers = symbolic.explore(built(ABBA), (CircularWaits(),), Limits())
    assert not answers.found
    assert "z3 gave up on `bmc" in answers.stopped + "".join(answers.open.values())
    assert any(query.answer == "unknown" for query in answers.statistics.queries)


def test_every_query_has_a_name():
    answers = symbolic.explore(built(ABBA), (CircularWaits(), ErrorSteps()), Limits())
    names = [query.name for query in answers.statistics.queries]
    assert "bmc circular_wait@2, fewer than 1 switches" in names
    assert all("@" in name or name.startswith(("facts", "induction", "recheck")) for name in names)
