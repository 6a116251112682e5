"""Which locals are dead where (SEMANTICS A1), and what that does to states."""

from __future__ import annotations

from modelcheck.language import model as m
from modelcheck.language.types import Range
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.liveness import live_locals
from tests.models import (
    SMALL,
    Built,
    Code,
    Line,
    branch,
    claim,
    const,
    either,
    equal,
    local,
    model,
    put,
    ref,
    shared,
    skip,
    system,
    wait_for,
)

N = local("n", 0, value=2)
K = local("k", 0, value=1)
CELLS = local("cells", 0, dimensions=(Range(0, 1),), value=3)
KEPT = local("kept", 0, always_live=True)
X = shared("x")


def live(lines: list[Line], *locals_: m.Variable) -> list[str]:
    """Return per location the names of the live locals."""
    thread = model(Built([Code("t", lines, locals=locals_)], [X])).threads[0]
    return ["".join(sorted(v.name for v in names)) for names in live_locals(thread)]


def test_a_local_is_live_until_its_last_read() -> None:
    assert live([skip(), put(X, ref(N)), skip()], N) == ["n", "n", "", ""]


def test_writing_a_whole_local_kills_it_but_its_own_value_may_use_it() -> None:
    assert live([put(N, 1), put(X, ref(N))], N) == ["", "n", ""]
    assert live([put(N, m.Arith("+", ref(N), const(1))), put(X, ref(N))], N) == ["n", "n", ""]


def test_a_local_that_only_feeds_itself_is_live_around_its_loop() -> None:
    assert live([put(N, m.Arith("+", ref(N), const(1)), to=0)], N) == ["n", ""]


def test_writing_an_element_kills_nothing_and_its_index_is_a_use() -> None:
    lines = [put(ref(CELLS, ref(K)), 1), put(X, ref(CELLS, 0))]
    assert live(lines, CELLS, K) == ["cellsk", "cells", ""]


def test_guards_conditions_arguments_and_both_branches_are_uses() -> None:
    assert live([wait_for(equal(ref(N), 1))], N) == ["n", ""]
    assert live([claim(equal(ref(N), 1))], N) == ["n", ""]
    assert live([Line((m.Emit("e", (ref(N),), (SMALL,)),))], N) == ["n", ""]
    assert live([branch(equal(ref(N), 1), 1, 2), put(X, ref(K)), skip()], N, K) == ["kn", "k", "", ""]
    assert live([either(1, 2), put(X, ref(K)), put(X, ref(N))], N, K) == ["kn", "kn", "n", ""]


def test_a_test_that_goes_on_joins_what_both_sides_need() -> None:
    inside = m.Test(equal(ref(X), 0), (m.Assign(ref(N), const(1)),), ())
    assert live([Line((inside, m.Assign(ref(X), ref(N))))], N) == ["n", ""]
    both = m.Test(equal(ref(X), 0), (m.Assign(ref(N), const(1)),), (m.Assign(ref(N), const(2)),))
    assert live([Line((both, m.Assign(ref(X), ref(N))))], N) == ["", ""]


def test_choose_kills_its_target_although_its_condition_reads_it() -> None:
    chosen = Line((m.Choose(ref(N), 0, 3, equal(ref(N), ref(K))),))
    assert live([chosen, put(X, ref(N))], N, K) == ["k", "n", ""]


def test_effects_are_read_in_sequence() -> None:
    first_written = Line((m.Assign(ref(N), const(1)), m.Assign(ref(X), ref(N))))
    first_read = Line((m.Assign(ref(X), ref(N)), m.Assign(ref(N), const(1))))
    assert live([first_written], N) == ["", ""]
    assert live([first_read], N) == ["n", ""]


def test_a_local_that_a_property_names_is_live_everywhere() -> None:
    assert live([put(KEPT, 1), skip()], KEPT) == ["kept", "kept", "kept"]


def test_what_is_dead_takes_its_first_value_on_arrival() -> None:
    lines = [skip(), put(X, ref(N)), put(K, 3), skip()]
    built = system(Built([Code("t", lines, locals=(N, K, CELLS, KEPT))], [X]))
    assert [len(dead) for dead in built.resets[0]] == [3, 3, 4, 4, 4]
    interpreter = Interpreter(built)
    ((first, _, _),) = interpreter.initial_states()
    states = [first]
    while states[-1] is not None and (steps := interpreter.successors(states[-1])):
        states.append(steps[0].target)
    # Cells: x, n, k, cells[0], cells[1], kept, location. n = 2 lives until it is read; k and cells never do.
    shown = ["".join(map(str, state)) for state in states if state is not None]
    assert shown == ["0200000", "0200001", "2000002", "2000003", "2000004"]
