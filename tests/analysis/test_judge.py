"""From answers to verdicts: one verdict a check and property, one finding a cause (SEMANTICS H14, H20)."""

from __future__ import annotations

from modelcheck.diagnostics import CHECKS
from modelcheck.engine.engine import Limits
from modelcheck.pipeline import Options
from modelcheck.report.contents import ScenarioReport
from modelcheck.result.trace import ClosedSet, Exhausted
from modelcheck.result.verdict import word
from tests.checking import ABBA, checked, found, names

TEXT = """
model verdicts;
var x: 0..3 marked;
invariant low: x < 2;
invariant fine: x < 4;
step rises: next(x) > x;
reachable two: x == 2;
reachable three: x == 3;
thread one { x = 1; x = 2; x = 0; }
"""


def verdicts(report: ScenarioReport) -> dict[str, str]:
    return {outcome.name: word(outcome.verdict) for outcome in report.judgement.outcomes}


def test_every_check_and_property_has_a_verdict() -> None:
    report = checked(TEXT)
    assert verdicts(report) == {
        **{check: "holds" for check in CHECKS if check not in ("deadlock", "vacuity")},
        "low": "violated",
        "fine": "holds",
        "rises": "violated",
        "two": "holds",
        "three": "violated",
    }


def test_what_is_violated_is_named_by_its_property() -> None:
    assert names(checked(TEXT)) == {"low", "rises", "three"}


def test_every_violation_was_certified() -> None:
    assert all(finding.certified for finding in checked(TEXT).violations)


def test_a_reachable_that_is_reached_carries_its_trace() -> None:
    report = checked(TEXT)
    (outcome,) = [o for o in report.judgement.outcomes if o.name == "two"]
    assert len(outcome.verdict.trace.steps) == 2  # type: ignore[union-attr]


def test_a_reachable_that_is_not_reached_rests_on_a_complete_search() -> None:
    (finding,) = found(checked(TEXT), "reachable")
    assert finding.evidence == Exhausted(4, 3)


def test_a_stopped_search_says_unknown_but_keeps_what_it_found() -> None:
    report = checked(TEXT, states=3)
    assert verdicts(report)["low"] == "violated"
    assert verdicts(report)["fine"] == "unknown"
    assert verdicts(report)["three"] == "unknown"
    assert verdicts(report)["two"] == "holds"


def test_a_property_that_is_undefined_is_an_error_and_never_a_pass() -> None:
    report = checked("""
        model undefined;
        var x: 0..3 = 1 marked;
        invariant quotient: 6 / x >= 2;
        thread one { x = 2; x = 0; }
    """)
    assert verdicts(report)["quotient"] == "error"
    assert report.exit_code == 2


def test_a_thread_that_nobody_can_wake_is_stuck_with_a_closed_set() -> None:
    report = checked("""
        model stuck;
        var go: bool marked;
        thread waiter { await(go); }
        thread other { skip; }
    """)
    finding = found(report, "stuck")[0]
    assert isinstance(finding.evidence, ClosedSet)
    assert finding.certified
    assert "deadlock" in finding.names


def test_a_retry_that_never_succeeds_cannot_finish() -> None:
    report = checked("""
        model retry;
        var go: bool marked;
        thread waiter { while (!go) { skip; } }
    """)
    assert [finding.check for finding in report.violations] == ["cannot_finish"]


def test_an_error_step_tells_the_assertion_by_its_name() -> None:
    report = checked("model m; var x: 0..3 marked; thread one { x = 1; assert(x == 2) as two; }")
    (finding,) = found(report, "assertion")
    assert finding.name == "two"
    assert finding.trace is not None
    assert finding.trace.steps[-1].target is None


def test_a_value_out_of_its_range_says_that_the_bound_may_be_too_small() -> None:
    report = checked("model m; var x: 0..1 marked; thread one { x++; x++; }")
    (finding,) = found(report, "range")
    assert "a bug, or the bound of the model is too small" in finding.message


def test_a_lock_that_is_taken_twice_breaks_the_rules() -> None:
    report = checked("model m; mutex l; thread one { mutex_lock(l); mutex_lock(l); }")
    assert names(report) == {"lock_rules"}


def test_only_what_is_asked_for_has_a_verdict() -> None:
    report = checked(TEXT, Options(properties=("low",)))
    assert verdicts(report) == {"low": "violated"}
    assert report.exit_code == 1
    report = checked(TEXT, Options(properties=("fine",)))
    assert report.exit_code == 0


def test_checks_that_share_a_question_can_be_asked_for_alone() -> None:
    text = "model m; var x: 0..1 marked; mutex l; thread t { mutex_lock(l); assert(x == 1); } thread u { x++; x++; }"
    assert verdicts(checked(text, Options(properties=("assertion",)))) == {"assertion": "violated"}
    assert verdicts(checked(text, Options(properties=("race",)))) == {"race": "holds"}
    assert names(checked(text, Options(properties=("range",)))) == {"range"}


def test_deadlock_can_be_asked_for_alone() -> None:
    report = checked(ABBA, Options(properties=("deadlock",)))
    assert names(report) == {"circular_wait", "lock_order"}


def test_a_time_limit_is_a_limit() -> None:
    report = checked(TEXT, Options(limits=Limits()))
    assert report.stopped == ""


def test_a_property_that_reads_a_racing_variable_is_not_claimed_to_hold() -> None:
    text = """
        model race; var x: 0..3; var y: 0..3 marked;
        invariant of_x: x < 3; invariant of_y: y < 3; step of_step: next(x) < 3; reachable reached: x == 2;
        thread one { x = 1; y = 1; } thread two { x = 2; }
    """
    report = checked(text)
    told = verdicts(report)
    assert (told["of_x"], told["of_step"], told["of_y"], told["reached"]) == (
        "unknown",
        "unknown",
        "holds",
        "holds",
    )
    assert report.exit_code == 1
    assert checked(text + "scenario s { expect race(x); }").exit_code == 0


LOCK_INVARIANT = """
    model lock_invariant; mutex l; var x: 0..3 guarded_by l; var y: 0..3 guarded_by l;
    invariant when free(l) equal: x == y;
    thread one {{ mutex_lock(l); x = 1; {second} mutex_unlock(l); }}
"""


def test_a_lock_invariant_may_be_broken_while_the_lock_is_held() -> None:
    assert names(checked(LOCK_INVARIANT.format(second="y = 1;"))) == set()


def test_a_lock_invariant_must_be_restored_when_the_lock_is_released() -> None:
    report = checked(LOCK_INVARIANT.format(second="y = 2;"))
    (finding,) = found(report, "invariant")
    assert finding.name == "equal"
    assert finding.trace is not None
    assert len(finding.trace.steps) == 4


def test_a_lock_that_is_held_for_reading_is_not_free() -> None:
    text = """
        model reading; percpu_rwsem s; var x: 0..3 marked;
        invariant when free(s) zero: x == 0;
        thread one { percpu_down_read(s); x = 1; x = 0; percpu_up_read(s); }
    """
    assert names(checked(text)) == set()


def test_a_proof_does_not_speak_of_guards_that_nobody_has_looked_at() -> None:
    """z3 stops at the first guard that is not kept; `b` is written without its lock, too, some steps later."""
    text = (
        "mutex l; mutex k; var a: 0..1 = 0 guarded_by l; var b: 0..1 = 0 guarded_by l;\n"
        "thread t { a = 1; mutex_lock(k); mutex_unlock(k); mutex_lock(k); mutex_unlock(k); b = 1; }\n"
        "thread u { mutex_lock(l); a = 0; b = 0; mutex_unlock(l); }\n"
        "invariant small: b <= 1;\n"
    )
    for engine, why in (
        ("reference", "whose guard is not kept"),
        ("z3", "which may be accessed without its lock"),
    ):
        report = checked(text, Options(engine=engine))
        (outcome,) = [o for o in report.judgement.outcomes if o.name == "small"]
        assert word(outcome.verdict) == "unknown"
        assert why in str(outcome.verdict)


def test_a_proof_does_not_speak_of_races_that_nobody_has_looked_at() -> None:
    text = (
        "mutex k; var a: 0..1 = 0; var b: 0..1 = 0;\n"
        "thread t { a = 1; mutex_lock(k); mutex_unlock(k); mutex_lock(k); mutex_unlock(k); b = 1; }\n"
        "thread u { a = 0; mutex_lock(k); mutex_unlock(k); b = 0; }\n"
        "invariant small: b <= 1;\n"
    )
    for engine in ("reference", "z3"):
        assert verdicts(checked(text, Options(engine=engine)))["small"] == "unknown"
