"""A declared order of locks: `order a < b < c;`."""

from __future__ import annotations

import re

import pytest

from modelcheck.analysis.lock_order import lock_order
from modelcheck.analysis.order_requests import requests_of
from modelcheck.diagnostics import SpecError
from modelcheck.engine.engine import Limits
from modelcheck.engine.reference import explore
from modelcheck.language.elaborate import elaborate
from modelcheck.language.model import Location, Model
from modelcheck.language.parser import parse
from modelcheck.pipeline import Options
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import LocalViews, StatePredicate
from modelcheck.semantics.transition_system import transition_system
from modelcheck.source import Source
from tests.checking import ABBA, checked, found, names
from tests.random_models import REFUSED, numbered

THREE = """
model three;
mutex a; mutex b; percpu_rwsem c;
{order}
thread one {{ {body} }}
"""


def three(order: str, body: str) -> str:
    return THREE.format(order=order, body=body)


def test_a_lock_asked_for_against_the_order_is_a_violation_with_a_trace_to_the_place() -> None:
    report = checked(three("order b < a;", "mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a);"))
    (finding,) = found(report, "lock_order")
    assert (finding.code, finding.weight, finding.certified) == ("MC106", "violation", True)
    assert finding.trace is not None
    assert len(finding.trace.steps) == 1
    assert finding.message == (
        "one asks for b at test.mck:5 while it holds a, against the declared order b < a (test.mck:4)"
    )
    assert report.exit_code == 1


def test_the_order_is_transitive_over_several_declarations() -> None:
    text = three(
        "order b < c; order a < b;", "percpu_down_read(c); mutex_lock(a); mutex_unlock(a); percpu_up_read(c);"
    )
    (finding,) = found(checked(text), "lock_order")
    assert "against the declared order a < c" in finding.message


def test_what_is_taken_in_the_order_is_no_finding() -> None:
    text = three("order a < b < c;", "mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a);")
    assert found(checked(text), "lock_order") == []


def test_a_try_asks_for_nothing() -> None:
    text = three("order a < b;", "mutex_lock(b); if (mutex_trylock(a)) { mutex_unlock(a); } mutex_unlock(b);")
    assert found(checked(text), "lock_order") == []


def test_a_writer_is_told_once_for_its_two_steps() -> None:
    text = three("order c < a;", "mutex_lock(a); percpu_down_write(c); percpu_up_write(c); mutex_unlock(a);")
    assert len(found(checked(text), "lock_order")) == 1


def test_the_order_of_instances_of_one_class_is_not_part_of_it() -> None:
    report = checked("""
        model instances; type I = 0 .. 1; mutex a; mutex l[I]; order a < l;
        thread one { mutex_lock(l[1]); mutex_lock(l[0]); mutex_unlock(l[0]); mutex_unlock(l[1]); }
    """)
    assert found(report, "lock_order") == []


def test_it_is_no_deadlock_and_can_be_expected_by_its_name_and_locks() -> None:
    body = "mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a);"
    text = three("order b < a;", body)
    assert checked(text + "scenario s { expect lock_order(a, b); }").exit_code == 0
    assert checked(text + "scenario s { expect deadlock; }").exit_code == 1


def test_a_deadlock_along_the_same_locks_is_another_finding() -> None:
    report = checked(ABBA + "order a < b;")
    assert names(report) == {"circular_wait", "lock_order"}
    assert len(found(report, "lock_order")) == 2


def test_z3_finds_it_too() -> None:
    text = three("order b < a;", "mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a);")
    assert "lock_order" in names(checked(text, Options(engine="z3")))


def ordered_model(seed: int) -> Model | None:
    """Return a generated model with its locks in a declared order; None if it is refused or has fewer than two."""
    text = numbered(seed).text
    names = list(dict.fromkeys(re.findall(r"^(?:mutex|percpu_rwsem) (\w+)", text, re.MULTILINE)))
    if len(names) < 2:
        return None
    try:
        return elaborate((parse(Source("test.mck", f"{text}\norder {' < '.join(names)};\n")),))
    except SpecError as error:
        if {each.code for each in error.diagnostics} <= REFUSED:
            return None
        raise


def test_what_breaks_the_order_is_what_the_edges_against_it_say() -> None:
    """Asked as predicates, read off the local views: two ways to the same answer, on generated models."""
    broken = 0
    for seed in range(300):
        model = ordered_model(seed)
        if model is None:
            continue
        system = transition_system(model)
        asked = tuple(
            q for q in questions(system) if isinstance(q, StatePredicate) and q.check == "lock_order"
        )
        answers = explore(system, (*asked, LocalViews()), Limits(states=1_000))
        if answers.stopped:
            continue
        first = {(order.first, order.then) for order in model.orders}
        edges = lock_order(requests_of(Interpreter(system), answers.views), frozenset()).edges
        against = {
            (held, wanted, str(edge.request.place.span))
            for edge in edges
            for held, wanted in [edge.classes]
            if (wanted, held) in first and isinstance(edge.request.place, Location)
        }
        assert {found.cause[1:] for found in answers.found if not found.undefined} == against, seed
        broken += bool(against)
    assert broken > 10


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ("order a < x;", "MC010"),
        ("order a < one;", "MC012"),
        ("order a < b < a;", "MC036"),
        ("order a < b; order b < a;", "MC036"),
        ("order a < b; order b < c; order c < a;", "MC036"),
        ("order a;", "MC001"),
    ],
)
def test_an_order_that_cannot_be_is_a_diagnostic(order: str, code: str) -> None:
    with pytest.raises(SpecError) as raised:
        checked(three(order, "skip;"))
    assert [diagnostic.code for diagnostic in raised.value.diagnostics] == [code]
