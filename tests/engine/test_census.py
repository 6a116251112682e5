"""The census by itself: counted and sampled values (generated models are in tests/agreement/test_native.py)."""

from __future__ import annotations

from collections import Counter

import pytest

import modelcheck
from modelcheck.engine import native, reference
from modelcheck.engine.engine import Limits
from modelcheck.engine.kernel.census import rank
from modelcheck.semantics.layout import layout
from modelcheck.semantics.questions import Census, Counted
from modelcheck.semantics.transition_system import TransitionSystem, transition_system
from tests.agreement.test_native import parts_of
from tests.engine.test_native import system_of
from tests.transcript import ROOT


def censuses(
    system: TransitionSystem,
    most: int = 1 << 13,
    limits: Limits = Limits(),  # noqa: B008
) -> tuple[Counted | None, Counted | None]:
    asked = (Census(parts_of(system), parts_of(system), most),)
    return reference.explore(system, asked, limits).census, native.explore(system, asked, limits).census


def test_a_tally_has_every_value_with_the_number_of_its_states() -> None:
    system = transition_system(modelcheck.load(ROOT / "benchmarks" / "twin.mck", NT=2))
    drawn = reference.graph(system)
    names = [cell.name for cell in system.cells]
    ours, theirs = censuses(system)
    assert ours == theirs
    assert ours is not None
    assert sum(ours.levels) == len(drawn)
    for number, part in enumerate(parts_of(system)[1 : 1 + len(names)], 1):
        (cell,) = part
        seen = Counter(node[names[cell]] for _, node in drawn.nodes(data=True))
        assert sorted(ours.tallies[number].values.values()) == sorted(seen.values())
        assert ours.tallies[number].scale == 1


def test_of_many_values_a_fair_sample_is_kept() -> None:
    system = transition_system(modelcheck.load(ROOT / "benchmarks" / "twin.mck", NT=3))
    ours, theirs = censuses(system)
    assert ours == theirs
    assert ours is not None
    whole = ours.tallies[0]
    assert (whole.scale, whole.size.exact) == (16, False)
    assert abs(whole.size.count - 86_912) < 0.05 * 86_912
    assert ours.sizes == tuple(tally.size for tally in ours.tallies)
    assert set(whole.values.values()) == {1}
    place = layout(system)
    assert all(rank(place.pack(state)) < 1 << 60 for state in whole.values)


def test_a_limit_leaves_the_census_of_what_was_seen() -> None:
    system = transition_system(modelcheck.load(ROOT / "benchmarks" / "twin.mck", NT=4))
    ours, theirs = censuses(system, limits=Limits(states=30_000))
    assert ours == theirs
    assert ours is not None
    assert sum(ours.levels) == 30_000


@pytest.mark.parametrize("words", [1, 3, 8])
def test_a_state_of_several_words_is_counted(words: int) -> None:
    cells = 3 * words - 2
    system = system_of(
        f"""model wide marked; type Cell = 0 .. {cells - 1};
        var x[Cell]: 0 .. 1048575; var y: 0 .. 3;
        thread one {{ choose n: Cell; x[n] = 1048575; choose k: 0 .. 3; y = k; }}"""
    )
    ours, theirs = censuses(system, most=3)
    assert ours == theirs
    assert ours is not None
    assert ours.tallies[0].scale > 1


def test_nobody_asks_and_nothing_is_counted() -> None:
    system = system_of("model m marked; var x: 0..3; thread t { x = 1; }")
    assert reference.explore(system, (), Limits()).census is None
    assert native.explore(system, (), Limits()).census is None
