"""The profile of a state space: what each component adds, and advice whose factor comes true when it is followed."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

import modelcheck
from modelcheck import pipeline
from modelcheck.analysis.advice import Advice
from modelcheck.analysis.profile import Pair, Profile, Spread
from modelcheck.engine import reference
from modelcheck.engine.engine import Limits
from modelcheck.language.elaborate import elaborate
from modelcheck.language.parser import parse
from modelcheck.report.contents import ProfileReport
from modelcheck.report.profile_text import number, profile_text
from modelcheck.semantics.questions import Size
from modelcheck.semantics.transition_system import transition_system
from modelcheck.source import Source
from tests.transcript import ROOT

TWIN = (ROOT / "benchmarks" / "twin.mck").read_text(encoding="utf-8")


def profiled(
    text: str, engine: str = "auto", limits: Limits | None = None, scenario: str | None = None, **given: int
) -> ProfileReport:
    options = pipeline.Options(given, scenario, engine=engine, limits=limits or Limits())
    return pipeline.profile((parse(Source("test.mck", text)),), options)


def states_of(text: str, **given: int) -> int:
    model = elaborate((parse(Source("test.mck", text)),), given)
    return pipeline.count(model, pipeline.Options()).statistics.states


def spread(profile: Profile, name: str) -> Spread:
    (found,) = [each for each in profile.spreads if each.component.name == name]
    return found


def advised(report: ProfileReport, kind: str) -> list[Advice]:
    return [each for each in report.advice if each.kind == kind]


# --- components, pairs, levels -------------------------------------------------------------------

APART = "model apart marked; thread one { skip; skip; skip; } thread two { skip; skip; skip; }"


def test_threads_that_do_not_hold_each_other_up_multiply() -> None:
    profile = profiled(APART).profile
    assert profile.statistics.states == 4 * 4
    assert [(s.component.name, s.distinct.count, s.factor) for s in profile.spreads] == [
        ("one", 4, 4.0),
        ("two", 4, 4.0),
    ]
    assert profile.pairs == (Pair((0, 1), ("one", "two"), Size(16), 16),)
    assert profile.levels == (1, 2, 3, 4, 3, 2, 1)


def test_a_lock_keeps_threads_apart_and_adds_nothing_itself() -> None:
    body = "mutex_lock(l); skip; mutex_unlock(l);"
    profile = profiled(f"model kept; mutex l; thread one {{ {body} }} thread two {{ {body} }}").profile
    # Each stands before, behind the lock, behind the statement, at its end; not both between.
    assert profile.pairs[0].distinct == Size(4 * 4 - 2 * 2)
    lock = spread(profile, "l")
    assert (lock.component.kind, lock.distinct.count, lock.factor) == ("lock", 3, 1.0)


def test_what_a_thread_alone_decides_follows_from_it() -> None:
    profile = profiled(
        """model follows marked; var seen: bool; var flipped: bool;
        thread one { seen = true; skip; skip; } thread two { flipped = true; flipped = false; }"""
    ).profile
    assert (spread(profile, "seen").follows, spread(profile, "flipped").follows) == ("one", "two")
    assert spread(profile, "seen").factor == 1.0


def test_values_are_shown_as_they_are_written() -> None:
    profile = profiled(
        """model values marked; enum E { A, B, C } var e: E; var n: 0..9 = 2; var a[0..1]: bool; var c: 0..5;
        thread t { e = C; n = 3; n = 4; a[1] = true; choose k: 0..5 where k % 2 == 1; c = k; }"""
    ).profile
    shown = {each.component.name: each.values for each in profile.of_kind("variable")}
    assert shown == {
        "e": "A, C",
        "n": "2 .. 4 of 0 .. 9",
        "a": "false, true in each of 2",
        "c": "0, 1, 3, 5",
    }


def test_places_are_told_with_the_share_of_states_in_which_a_thread_stands_there() -> None:
    profile = profiled(APART.replace("two { skip; skip; skip; }", "two[2] { await(true); }")).profile
    # The two threads are at their one statement unless both have ended.
    assert {(s.declaration, s.text): s.share for s in profile.standings if s.declaration == "two"} == {
        ("two", "await(true)"): 3 / 4
    }
    assert profile.sample == profile.statistics.states == 4 * 2 * 2


@pytest.mark.parametrize("limit", [None, 20_000])
def test_both_engines_give_the_same_profile(limit: int | None) -> None:
    ours = profiled(TWIN, "reference", Limits(states=limit), NT=3)
    theirs = profiled(TWIN, "native", Limits(states=limit), NT=3)
    for each in ("levels", "spreads", "pairs", "standings", "sample", "stopped"):
        assert getattr(ours.profile, each) == getattr(theirs.profile, each), each
    assert ours.advice == theirs.advice
    assert theirs.profile.stopped == ("" if limit is None else "limit of 20000 states")


# --- advice --------------------------------------------------------------------------------------


def test_a_variable_that_nothing_depends_on_can_go_and_the_factor_comes_true() -> None:
    without = TWIN.replace("var st[Device]: 0..3 = 0;", "")
    without = without.replace("atomic { st[b] = 3 - st[b] % 2; }", "skip;")
    without = without.replace("atomic { st[b] = st[b] % 2; }", "skip;")
    with_it, fewer = states_of(TWIN, NT=2), states_of(without, NT=2)
    (found,) = advised(profiled(TWIN, NT=2), "unread")
    assert (found.about, found.measure) == ("st", "about")
    assert found.factor == with_it / fewer
    assert found.message == "leave `st` out where you can: no statement depends on it"


def test_a_variable_that_only_properties_read_is_told_as_such() -> None:
    report = profiled(
        """model ghost marked; var x: 0..2; var last: 0..2; invariant small: last < 3;
        thread t[2] { choose n: 0..2; x = n; last = x; await(x == 0); }"""
    )
    (found,) = advised(report, "unread")
    assert found.message == "leave `last` out where you can: only properties and assertions read it"


def test_a_variable_that_a_condition_reads_is_not_left_out() -> None:
    text = "model m marked; var x: 0..9; thread t { while (x < 9) { x++; } } thread u { skip; skip; }"
    report = profiled(text)
    assert advised(report, "unread") == []
    (found,) = advised(report, "counter")
    assert (found.about, found.measure) == ("x", "at most")
    assert found.message == "bound the counter `x`, which takes 0 .. 9"


def test_a_statement_that_touches_locals_only_can_run_with_the_one_before_it() -> None:
    loose = """model loose marked; var x: 0..3; thread t[3] { var n: 0..3; var k: 0..3;
        n = x; k = n % 2; x = k; }"""
    merged = loose.replace("n = x; k = n % 2;", "atomic { n = x; k = n % 2; }")
    (found,) = advised(profiled(loose), "atomic")
    assert (found.about, found.measure) == ("t at test.mck:2", "about")
    assert found.message == (
        "put `k = n % 2` into one `atomic` with the statement before it: it touches locals only"
    )
    assert found.factor == pytest.approx(states_of(loose) / states_of(merged))


def test_a_statement_that_others_can_see_is_not_merged() -> None:
    text = "model m marked; var x: 0..3; thread t[2] { x = 1; x = 2; x = 3; }"
    assert advised(profiled(text), "atomic") == []


def test_a_statement_that_guards_protect_can_run_with_the_one_before_it() -> None:
    text = """model m; mutex l; var x: 0..3 guarded_by l; var y: 0..3 guarded_by l;
        thread t[2] {
            mutex_lock(l);
            x = 1;
            y = 1;
            mutex_unlock(l);
        }"""
    (found,) = advised(profiled(text), "atomic")
    # A statement before which the thread waits for a lock cannot join it: `mutex_lock` may not stand in `atomic`.
    assert (found.about, found.span.line) == ("t at test.mck:5", 5)
    assert found.message.endswith("what it touches is guarded, so that only a property can tell")
    merged = text.replace("x = 1;\n            y = 1;", "atomic { x = 1; y = 1; }")
    assert found.factor == pytest.approx(states_of(text) / states_of(merged))


def test_a_statement_in_a_branch_or_at_the_head_of_a_loop_has_none_before_it_to_join() -> None:
    text = """model m marked; var x: 0..1;
        thread t[2] { var n: 0..3; var k: 0..1; n = x; if (n == 0) { k = 1; } loop { k = 0; x = k; } }"""
    assert [each.message for each in advised(profiled(text), "atomic")] == []


def test_a_value_that_is_chosen_early_is_told_with_what_it_adds() -> None:
    early = """model early marked; var x: 0..3; thread t[2] { choose n: 0..3; skip; skip; x = n; }"""
    late = early.replace("choose n: 0..3; skip; skip;", "skip; skip; choose n: 0..3;")
    (found,) = advised(profiled(early), "local")
    assert (found.about, found.measure) == ("t[0].n", "at most")
    assert found.message == "choose `t[0].n` later: it is kept through 3 of 5 statements"
    assert 1.1 < found.factor <= states_of(early) / states_of(late)


def test_threads_that_run_side_by_side_are_told_with_their_pairs() -> None:
    (found,) = advised(profiled(APART), "lock")
    assert (found.about, found.factor) == ("one and two", 16 / 7)
    assert found.message == (
        "if a lock of the kernel keeps one and two apart, let the model take it: "
        "16 of 16 pairs of their own states occur, one at a time it would be 7"
    )


def test_a_smaller_parameter_is_searched() -> None:
    (found,) = advised(profiled(TWIN, NT=3), "parameter")
    assert (found.about, found.measure) == ("NT", "searched")
    assert found.factor == 86_912 / states_of(TWIN, NT=2)
    stopped = profiled(TWIN, limits=Limits(states=100_000), NT=4)
    (found,) = advised(stopped, "parameter")
    assert found.message == "start with NT=3 instead of 4: 86912 states instead of more than 100000"


def test_a_parameter_that_the_scenario_sets_is_made_smaller_too() -> None:
    text = """model m marked; param N: 1..4 = 1; param M: 2..4 = 2; thread t[N] { skip; skip; }
        scenario three { N = 3; }"""
    (found,) = advised(profiled(text, scenario="three"), "parameter")
    assert found.message == "start with N=2 instead of 3: 9 states instead of 27"


def test_advice_that_saves_next_to_nothing_is_not_given() -> None:
    report = profiled("model m; mutex l; thread t { mutex_lock(l); mutex_unlock(l); }")
    assert report.advice == (report.advice[0],)
    assert report.advice[0].kind == "thread"


# --- text ----------------------------------------------------------------------------------------


def test_sizes_that_are_not_exact_are_rounded_and_marked() -> None:
    shown = [number(Size(1_234_567)), number(Size(1_234_567, exact=False)), number(Size(16, exact=False))]
    assert shown == ["1,234,567", "~1,230,000", "~16"]


def test_the_text_of_an_interrupted_or_empty_search_is_one_of_few_lines() -> None:
    text = profile_text(profiled("model m marked; var x: 0..1; init { assert(false); } thread t { x = 1; }"))
    assert text.startswith("m\n  0 states, 0 transitions, depth 0")
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_where_there_is_no_memory_for_the_profile_that_is_said(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError("Cannot allocate memory")

    monkeypatch.setattr("modelcheck.engine.census.Tallies", refused)
    monkeypatch.setattr("modelcheck.engine.watch.free_memory", lambda: 1000)
    lines = profile_text(profiled(TWIN, engine, NT=2)).splitlines()
    assert lines[3] == "  there was no memory left to count what the states consist of"
    assert len(lines) == 7
    assert "start with NT=1 instead of 2" in lines[6]


@pytest.mark.parametrize("at", [1, 2], ids=["search", "smaller model"])
def test_an_interrupt_leaves_the_profile_of_what_was_seen(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    searches = 0

    def interrupted(*arguments: Any) -> str:
        nonlocal searches
        searches += 1
        if searches == at:
            signal.raise_signal(signal.SIGINT)
        return str(searched(*arguments))

    searched = reference._search
    monkeypatch.setattr(reference, "_search", interrupted)
    report = profiled(TWIN, NT=2)
    assert (report.interrupted, report.exit_code) == (True, 130)
    assert advised(report, "parameter") == []
    assert len(advised(report, "thread")) == 1
    assert profile_text(report).splitlines()[-1] == (
        "  interrupted: smaller models were not searched, or not all"
    )


def test_the_api_takes_a_file_and_shows_in_a_notebook(tmp_path: Path) -> None:
    path = tmp_path / "twin.mck"
    path.write_text(TWIN, encoding="utf-8")
    report = modelcheck.profile(path, NT=2, limits=modelcheck.Limits(states=500))
    assert (report.exit_code, report.profile.statistics.states) == (3, 500)
    assert "<strong>twin (NT=2)</strong>" in report._repr_html_()
    assert transition_system(report.profile.model).cells
