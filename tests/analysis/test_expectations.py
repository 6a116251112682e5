"""`expect`: exactly what is named is violated, and nothing else (SEMANTICS A10, G16)."""

from __future__ import annotations

import pytest

from modelcheck.pipeline import Options
from modelcheck.report.contents import ScenarioReport
from tests.checking import ABBA, all_checked, checked

GATED = """
model gated;
mutex gate; mutex a; mutex b;
thread one { mutex_lock(gate); mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); mutex_unlock(gate); }
thread two { mutex_lock(gate); mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); mutex_unlock(gate); }
"""

BROKEN = """
model broken;
var x: 0..3 marked;
invariant small: x < 2;
invariant tiny: x < 3;
thread one { x = 1; x = 2; missed: skip; }
"""


def statuses(report: ScenarioReport) -> list[str]:
    return [checked_.status for checked_ in report.checked]


def expecting(model: str, *expectations: str, states: int | None = None) -> ScenarioReport:
    items = " ".join(f"expect {each};" for each in expectations)
    return checked(f"{model} scenario s {{ {items} }}", states=states)


@pytest.mark.parametrize(
    "expectation",
    [
        "deadlock",
        "circular_wait",
        "circular_wait(one, two)",
        "circular_wait(two, one)",
        "holds except deadlock",
    ],
)
def test_a_deadlock_is_expected_by_any_of_its_names(expectation: str) -> None:
    report = expecting(ABBA, expectation)
    assert statuses(report) == ["met"]
    assert report.exit_code == 0


def test_a_circular_wait_of_other_threads_is_not_the_expected_one() -> None:
    report = expecting(ABBA + "thread three { skip; }", "circular_wait(one, three)")
    assert statuses(report) == ["unmet", "unmet"]
    assert "one and two" in report.checked[0].why


def test_a_circular_wait_is_named_by_declarations() -> None:
    report = checked("""
        model forks;
        type Seat = 0 .. 2;
        mutex fork[Seat];
        thread philosopher[Seat] {
            mutex_lock(fork[self]); mutex_lock(fork[(self + 1) % 3]);
            mutex_unlock(fork[(self + 1) % 3]); mutex_unlock(fork[self]);
        }
        scenario s { expect circular_wait(philosopher); }
    """)
    assert statuses(report) == ["met"]


def test_a_reached_lock_order_cycle_can_be_expected() -> None:
    report = expecting(ABBA, "order(a, b) reachable")
    assert statuses(report) == ["met"]


def test_nothing_expected_means_holds() -> None:
    (report,) = all_checked(ABBA)
    assert statuses(report) == ["unmet"]
    assert report.checked[0].why == "violated: circular_wait and lock_order"
    assert report.exit_code == 1


def test_everything_that_is_not_named_must_hold() -> None:
    report = expecting(BROKEN, "small")
    assert statuses(report) == ["met"]
    worse = BROKEN.replace("x = 2;", "x = 2; x = 3;")
    report = expecting(worse, "small")
    assert [c.status for c in report.checked] == ["met", "unmet"]
    assert report.checked[1].why == "violated: tiny"


def test_an_expected_violation_that_does_not_occur_is_unmet() -> None:
    report = expecting(GATED, "deadlock")
    assert statuses(report) == ["unmet"]
    assert report.exit_code == 1


def test_a_stale_exception_is_unmet() -> None:
    report = expecting(BROKEN, "holds except small, tiny")
    assert statuses(report) == ["unmet"]
    assert report.checked[0].why == "tiny holds: the exception is out of date"


def test_exceptions_that_are_violated_are_met() -> None:
    assert statuses(expecting(BROKEN, "holds except small")) == ["met"]


def test_notes_do_not_break_holds() -> None:
    assert statuses(expecting(GATED, "holds")) == ["met"]


@pytest.mark.parametrize(
    ("expectation", "status"),
    [
        ("order(a, b) gated by gate", "met"),
        ("order(b, a) gated by gate", "met"),
        ("order(a, b) gated by gate, a", "unmet"),
        ("order(a, b) kept apart", "unmet"),
        ("order(a, b) reachable", "unmet"),
        ("order(a, gate) gated by b", "unmet"),
        ("order(gate, a)", "met"),
        ("order(a, gate)", "unmet"),
    ],
)
def test_the_verdict_and_the_gates_of_an_order_are_exact(expectation: str, status: str) -> None:
    assert statuses(expecting(GATED, "holds", expectation)) == ["met", status]


def test_an_instance_can_be_named_as_the_gate() -> None:
    text = GATED.replace("mutex gate;", "type Two = 0 .. 1; mutex gate[Two];").replace("(gate)", "(gate[0])")
    assert statuses(expecting(text, "order(a, b) gated by gate[0]")) == ["met"]
    assert statuses(expecting(text, "order(a, b) gated by gate")) == ["met"]
    assert statuses(expecting(text, "order(a, b) gated by gate[1]")) == ["unmet"]


def test_a_warning_may_be_expected_and_then_must_occur() -> None:
    recursive = """
        model recursive;
        percpu_rwsem s;
        thread a { percpu_down_read(s); percpu_down_read(s); percpu_up_read(s); percpu_up_read(s); }
    """
    assert statuses(expecting(recursive, "lock_order")) == ["met"]
    plain = "model m; mutex s; thread a { mutex_lock(s); mutex_unlock(s); }"
    assert statuses(expecting(plain, "lock_order")) == ["unmet"]


def test_strict_counts_warnings_but_not_expected_ones() -> None:
    text = """
        model recursive;
        percpu_rwsem s;
        thread a { percpu_down_read(s); percpu_down_read(s); percpu_up_read(s); percpu_up_read(s); }
    """
    assert checked(text).exit_code == 0
    assert checked(text, Options(strict=True)).exit_code == 1
    assert checked(text + "scenario s { expect lock_order; }", Options(strict=True)).exit_code == 0


@pytest.mark.parametrize(
    ("expectation", "status"),
    [
        # 5 x 5 positions, less the 5 in which a lock has two owners, less one that both sides bar: 19.
        ("states 19", "met"),
        ("states 20", "unmet"),
        ("transitions 22", "met"),
        ("depth 8", "met"),
        ("in 2 steps", "met"),
        ("in 3 steps", "unmet"),
    ],
)
def test_counts_are_exact(expectation: str, status: str) -> None:
    assert statuses(expecting(ABBA, "deadlock", expectation)) == ["met", status]


def test_a_label_that_is_reached_is_told() -> None:
    assert statuses(expecting(BROKEN, "small", "not reached missed")) == ["met", "unmet"]
    never = BROKEN.replace("missed: skip;", "if (x == 0) { missed: skip; }")
    assert statuses(expecting(never, "small", "not reached missed")) == ["met", "met"]


def test_the_label_of_a_thread_that_does_not_run_is_not_called_unreached() -> None:
    text = BROKEN + "thread other { skip; }"
    report = checked(text + "scenario s { run other; expect holds; expect not reached missed; }")
    assert statuses(report) == ["met", "unmet"]
    assert "no thread of this scenario" in report.checked[1].why


def test_what_a_limit_left_open_is_undecided() -> None:
    report = expecting(ABBA, "deadlock", states=3)
    assert statuses(report) == ["undecided"]
    assert report.exit_code == 3


def test_undecided_can_be_expected() -> None:
    report = expecting(ABBA, "undecided", states=3)
    assert statuses(report) == ["met"]
    assert report.exit_code == 0


def test_undecided_is_not_met_by_a_complete_search() -> None:
    report = expecting(GATED, "undecided")
    assert statuses(report) == ["unmet"]


def test_a_variable_can_be_named_with_a_race() -> None:
    race = "model m; var x: 0..3; var y: 0..3; thread one { x = 1; } thread two { x = 2; }"
    assert statuses(expecting(race, "race(x)")) == ["met"]
    assert statuses(expecting(race, "race(y)")) == ["unmet", "unmet"]


def test_a_named_assertion_is_expected_by_its_name() -> None:
    text = "model m; var x: 0..3 marked; thread one { x = 1; assert(x == 2) as two; }"
    assert statuses(expecting(text, "two")) == ["met"]
    assert statuses(expecting(text, "assertion")) == ["met"]


WAITS = """
model waits; param MEET: bool = true; mutex a; var seen: bool marked;
thread one { mutex_lock(a); if (MEET) { await(seen); } mutex_unlock(a); }
thread two { mutex_lock(a); seen = true; mutex_unlock(a); }
"""
TIME_OUT = """
model patience; mutex a; completion c;
thread one { mutex_lock(a); wait_for_completion_timeout(c, 5); mutex_unlock(a); }
thread two { mutex_lock(a); complete(c); mutex_unlock(a); }
"""


@pytest.mark.parametrize("asked", ["lock_order", "deadlock", "circular_wait"])
@pytest.mark.parametrize(
    ("text", "status"),
    [
        (ABBA + "scenario s { expect circular_wait(one, two); }", "met"),
        (GATED + "scenario s { expect circular_wait(one, two); }", "unmet"),
        (WAITS + "scenario s { expect circular_wait(one, two); }", "met"),
        (WAITS + "scenario s { MEET = false; expect circular_wait; }", "unmet"),
        (TIME_OUT + "scenario s { expect circular_wait; expect holds; }", "met"),
    ],
)
def test_an_expected_circular_wait_is_looked_at_with_all_that_asks_for_it(
    text: str, status: str, asked: str
) -> None:
    (report,) = all_checked(text, Options(properties=(asked,)))
    assert [each.status for each in report.checked if "circular_wait" in each.text] == [status]


def test_an_expected_circular_wait_is_undecided_with_the_lock_order_if_the_search_was_stopped() -> None:
    options = Options(properties=("lock_order",))
    report = checked(GATED + "scenario s { expect circular_wait; }", options, states=2)
    assert statuses(report) == ["undecided"]


def test_other_expectations_are_not_looked_at_with_one_check() -> None:
    text = GATED + "scenario s { expect lock_order; expect stuck; expect holds; }"
    told = {
        asked: all_checked(text, Options(properties=(asked,)))[0].checked for asked in ("deadlock", "race")
    }
    assert [(c.text, c.status) for c in told["deadlock"]] == [
        ("expect stuck", "unmet"),
        ("expect holds", "met"),
    ]
    assert [(c.text, c.status) for c in told["race"]] == [("expect holds", "met")]
