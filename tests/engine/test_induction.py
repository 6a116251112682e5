"""Proofs by induction: what is proved holds, what helps is true, and a wrong certificate is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modelcheck.engine import reference, symbolic
from modelcheck.engine.aims import aims_of
from modelcheck.engine.auxiliary import Facts, guessed, inductive
from modelcheck.engine.engine import Limits
from modelcheck.engine.induction import Certificate, Induction, recheck
from modelcheck.engine.queries import Budget
from modelcheck.language.elaborate import elaborate
from modelcheck.language.parser import parse
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import CircularWaits, ErrorSteps, Question, StatePredicate
from modelcheck.semantics.symbolic import Relation
from modelcheck.semantics.symbolic_numbers import BitVectors
from modelcheck.semantics.symbolic_questions import Asked
from modelcheck.semantics.transition_system import State, TransitionSystem, transition_system
from modelcheck.source import Source
from tests.checking import ABBA
from tests.random_systems import random_system
from tests.transcript import ROOT

SEEDS = range(30)
COUNTING = """model counting; var x: 0..8 = 0 marked;
    thread t { loop { atomic { if (x == 4) { x = 0; } else { x = x + 1; } } } }
    invariant small: x <= 4; invariant never_seven: x != 7; invariant wrong: x < 4;"""


def built(text: str, scenario: str | None = None) -> TransitionSystem:
    return transition_system(elaborate((parse(Source("test.mck", text)),), {}, scenario))


def named(system: TransitionSystem, *names: str) -> tuple[Question, ...]:
    return tuple(q for q in questions(system) if getattr(q, "name", "") in names)


def proved(system: TransitionSystem, k: int, *names: str, facts: Facts | None = None) -> set[str]:
    """Return what the step case proves for this k, without looking at the first case."""
    asked = Asked(Relation(system, BitVectors()))
    aims, _ = aims_of(asked.relation, named(system, *names))
    induction = Induction(asked, aims, facts or Facts(), Budget(Limits()))
    while induction.k < k:
        induction.lengthen()
    return set(induction.proved(names))


def reachable(interpreter: Interpreter) -> set[State]:
    found = {state for state, _, _ in interpreter.initial_states() if state is not None}
    todo = list(found)
    while todo:
        for step in interpreter.successors(todo.pop()):
            if step.target is not None and step.target not in found:
                found.add(step.target)
                todo.append(step.target)
    return found


# --- the step case -------------------------------------------------------------------------------


def test_an_inductive_property_needs_one_step():
    assert proved(built(COUNTING), 1, "small") == {"small"}


def test_one_that_is_not_inductive_needs_another_or_more_steps():
    system = built(COUNTING)
    assert proved(system, 1, "never_seven") == set()
    assert proved(system, 1, "never_seven", "small") == {"never_seven", "small"}
    assert proved(system, 3, "never_seven") == {"never_seven"}


def test_what_fails_is_taken_out_and_the_rest_is_proved():
    assert proved(built(COUNTING), 1, "small", "wrong") == {"small"}


def test_runs_that_repeat_a_state_do_not_count():
    text = """model m; var x: 0..7 = 0 marked;
        thread t { loop { atomic { if (x == 6) { x = 7; } if (x == 5) { x = 5; } } } }
        invariant p: x != 7;"""
    assert proved(built(text), 1, "p") == set()
    assert proved(built(text), 2, "p") == {"p"}


# --- facts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_facts_are_true_in_every_reachable_state(seed):
    system = random_system(seed, asserts=True)
    interpreter = Interpreter(system)
    facts = inductive(interpreter, Relation(system, BitVectors()), guessed(interpreter), Budget(Limits()))
    for state in reachable(interpreter):
        assert facts.without_those_refuted(state) == facts


def test_a_wrong_guess_is_dropped():
    system = built(COUNTING)
    interpreter = Interpreter(system)
    facts = guessed(interpreter)
    small = next(i for i, (cell, value) in enumerate(facts.literals) if (cell, value) == (0, 3))
    wrong = replace(
        facts, excluded=tuple(mask | 1 << i if i == small else mask for i, mask in enumerate(facts.excluded))
    )
    relation = Relation(system, BitVectors())
    assert inductive(interpreter, relation, wrong, Budget(Limits())).count <= facts.count
    assert inductive(interpreter, relation, wrong, Budget(Limits())).never >> small & 1 == 0


def test_a_lock_is_held_where_its_holder_stands_and_so_a_section_is_alone_in_one_step():
    text = """model m; mutex l; var inside: 0..1 = 0 guarded_by l;
        thread t[2] { loop { mutex_lock(l); inside += 1; inside -= 1; mutex_unlock(l); } }"""
    answers = symbolic.explore(built(text), (ErrorSteps(), CircularWaits()), Limits())
    assert {name: text.split(",")[1] for name, text in answers.proofs.items()} == dict.fromkeys(
        ("assertion", "lock_rules", "range", "circular_wait"), " k = 1"
    )


# --- the engine ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_is_proved_is_violated(seed):
    system = random_system(seed, asserts=True)
    asked = (ErrorSteps(), CircularWaits())
    answers = symbolic.explore(system, asked, Limits(depth=5))
    found = reference.explore(system, asked, Limits()).found
    violated = {f.cause[0] if f.question == ErrorSteps() else "circular_wait" for f in found}
    assert not violated & set(answers.proofs)


def test_the_example_of_the_design_is_proved_since_4_20():
    system = built((ROOT / "specs" / "design_example.mck").read_text(encoding="utf-8"), "since_4_20")
    answers = symbolic.explore(system, questions(system), Limits())
    assert {"circular_wait", "online_is_visible", "no_vanishing", "guarded_by"} <= set(answers.proofs)
    assert all(text.startswith("k-induction, k = 1,") for text in answers.proofs.values())


def test_a_model_that_comes_to_its_end_is_proved_by_looking_at_every_run():
    system = built("model m; var x: 0..1 = 0 marked; thread t { x = 1; } reachable r: x == 1;")
    asked = tuple(q for q in questions(system) if isinstance(q, StatePredicate) and q.check == "reachable")
    answers = symbolic.explore(system, asked, Limits())
    assert [found.level for found in answers.found] == [1]


def test_what_is_never_reached_is_open_because_only_a_complete_search_has_the_evidence():
    system = built("model m; var x: 0..1 = 0 marked; thread t { x = 0; } reachable r: x == 1;")
    asked = tuple(q for q in questions(system) if isinstance(q, StatePredicate) and q.check == "reachable")
    answers = symbolic.explore(system, asked, Limits())
    assert "never reached" in answers.open["r"]
    assert "r" not in answers.proofs


# --- doing a proof again -------------------------------------------------------------------------


def certificate(system: TransitionSystem, k: int, *names: str, facts: Facts | None = None) -> Certificate:
    relation = Relation(system, BitVectors())
    aims, _ = aims_of(relation, named(system, *names) or (CircularWaits(),))
    return Certificate(aims, k, facts or Facts())


def test_a_proof_can_be_done_again():
    system = built(COUNTING)
    recheck(system, certificate(system, 1, "small", "never_seven"), Budget(Limits()))


@pytest.mark.parametrize(
    ("names", "k", "what"),
    [
        (("never_seven",), 1, "fails the second time"),
        (("wrong",), 6, "the first case fails"),
    ],
)
def test_a_certificate_that_proves_too_much_is_refused(names, k, what):
    system = built(COUNTING)
    with pytest.raises(AssertionError, match=what):
        recheck(system, certificate(system, k, *names), Budget(Limits()))


@pytest.mark.parametrize(("value", "what"), [(0, "at the start"), (3, "not inductive")])
def test_a_certificate_with_a_wrong_fact_is_refused(value, what):
    system = built(COUNTING)
    facts = Facts(((0, value),), (1,))
    with pytest.raises(AssertionError, match=what):
        recheck(system, certificate(system, 1, "small", facts=facts), Budget(Limits()))


def test_a_deadlock_cannot_be_certified_away():
    system = built(ABBA)
    with pytest.raises(AssertionError):
        recheck(system, certificate(system, 3), Budget(Limits()))
