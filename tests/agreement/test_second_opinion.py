"""The explorer against a second interpreter that walks the syntax tree (second_opinion.py), on generated models."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given

from tests.agreement.cases import CHUNKS, MOST, Case, examine, refused
from tests.agreement.second_opinion import SecondOpinion, TooLargeError
from tests.agreement.shapes import TooManyStatesError, difference, opinion_of_explorer, tree_of
from tests.random_constructs import ALL_TAGS
from tests.random_models import Generated, models, numbered, sampled


def differs(case: Case) -> str:
    """Return how the two interpreters differ about a model."""
    try:
        theirs = SecondOpinion(tree_of(case.text)).explore(4 * MOST)
    except TooLargeError:
        return ""
    return difference(opinion_of_explorer(case.graph, theirs.cell_names), theirs)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_both_interpreters_find_the_same_states_and_steps(chunk: int) -> None:
    assert examine(chunk, differs) > 0


@given(models())
@sampled(30)
def test_both_interpreters_agree_on_models_that_hypothesis_draws(generated: Generated) -> None:
    if not refused(generated.text):
        with contextlib.suppress(TooManyStatesError):
            assert differs(Case(generated.text)) == ""


def test_every_construct_is_drawn() -> None:
    drawn: set[str] = set()
    for seed in range(400):
        drawn |= numbered(seed, properties=True).tags
    assert drawn == ALL_TAGS


def test_few_generated_models_are_refused() -> None:
    assert sum(refused(numbered(seed, properties=True).text) for seed in range(100)) < 10


LATER_NAMES = {
    "either": "either { skip; } or { if (x != 3) { return; } x = 5; } var x: 0..5 = 0; x = 1;",
    "if": "if (c) { skip; } else { if (x != 3) { return; } x = 5; } var x: 0..5 = 0; x = 1;",
    "for": "for (i: 0..1) { if (c) { break; } if (x != 3) { return; } x = 5; } var x: 0..5 = 0; x = 1;",
    "initialiser": "either { skip; } or { if (x != 3) { return; } } var y: 0..5 = x; var x: 0..5 = y; x = 1;",
    "op": "either { skip; } or { leave(); if (x != 3) { return; } x = 5; } var x: 0..5 = 0; x = 1;",
}
"""A local that hides a variable is declared where a branch that leaves early, too, goes on."""


@pytest.mark.parametrize("body", LATER_NAMES)
def test_a_name_declared_behind_a_branch_is_not_that_of_the_next_branch(body: str) -> None:
    text = f"""model later; var x: 0..5 = 3 marked; var c: bool marked;
    op leave() {{ if (x == 4) {{ return; }} skip; }}
    thread t {{ atomic {{ {LATER_NAMES[body]} }} }}
    thread u {{ c = true; }}
    """
    case = Case(text)
    assert differs(case) == ""
    place = next(n for n, cell in enumerate(case.system.cells) if cell.name == "x")
    reached = {state[place] for state in case.graph.level}
    assert reached == ({3} if body == "initialiser" else {3, 5})


@pytest.mark.parametrize(
    "after", ["y = w;", "var v: 0..3 = f(); y = w + v - v;", "if (w == 1) { return; } y = w;"]
)
def test_a_local_takes_the_result_of_an_op_that_returns_in_several_places(after: str) -> None:
    text = f"""model several; var x: 0..3 = 1 marked; var y: 0..3 marked;
    op f() -> 0..3 {{ if (x == 1) {{ return 1; }} if (x == 2) {{ return 3; }} return 2; }}
    thread t {{ atomic {{ var w: 0..3 = f(); {after} }} }}
    thread u {{ x = 2; x = 3; }}
    """
    case = Case(text)
    assert differs(case) == ""
    place = next(n for n, cell in enumerate(case.system.cells) if cell.name == "y")
    assert {state[place] for state in case.graph.level} == ({0, 2, 3} if "return" in after else {0, 1, 2, 3})


def test_copies_of_a_return_in_atomic_release_at_one_place() -> None:
    text = """model copies; mutex k; var x: 0..3 marked; var c: bool marked;
    thread t {
        guard(mutex)(k);
        atomic {
            either { x = 1; } or { if (c) { return; } x = 2; }
            for (i: 0..1) { if (x == i + 1) { return; } }
        }
    }
    thread u { c = true; }
    """
    case = Case(text)
    assert differs(case) == ""
    releases = [place for place in case.model.threads[0].locations if "mutex_unlock" in place.text]
    # At the end, and for each text of `return`; that in the loop is one text for each value.
    assert len(releases) == 4
