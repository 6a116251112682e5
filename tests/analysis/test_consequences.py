"""One cause, one finding: who waits for a lock that a finished thread kept, and the order of findings (H20)."""

from __future__ import annotations

from modelcheck.pipeline import Options
from modelcheck.report.text import scenario_text
from tests.checking import checked, found, names

ERROR_PATH = """
model error_path;
mutex a; mutex b;
op f(wrong: bool) -> Errno {
    mutex_lock(a);
    mutex_lock(b);
    if (wrong) {
        return -EBUSY;
    }
    mutex_unlock(b);
    mutex_unlock(a);
    return 0;
}
thread one { var r: Errno; r = f(true); }
thread two { var r: Errno; r = f(false); }
"""


def test_a_missing_unlock_is_told_once_with_all_its_locks_and_who_waits_for_them() -> None:
    report = checked(ERROR_PATH)
    (returns,) = found(report, "lock_rules")
    assert returns.message == (
        "`f`, called at test.mck:14, returns at test.mck:8 with a and b, which it did not hold when it was called"
    )
    assert returns.details == (
        "as a consequence, one ends while it still holds a and b, and then two waits for them for ever",
    )
    assert returns.certified
    assert returns.consequences == ("stuck",)
    assert not found(report, "stuck")
    assert [finding.check for finding in report.judgement.folded] == ["stuck", "lock_rules"]


def test_a_thread_that_ends_with_a_lock_of_its_own_says_what_its_last_step_was() -> None:
    report = checked("model m; mutex l; thread one { mutex_lock(l); skip; }")
    (ends,) = found(report, "lock_rules")
    assert ends.details == ("its last step: `skip` at test.mck:1",)


RETURNS = """
model returns; mutex l; mutex k;
op f(n: 0..1) {
    mutex_lock(l);
    if (n == 0) { return; }
    mutex_unlock(l);
    mutex_lock(k);
}
op g(n: 0..1) { f(n); }
thread one { choose n: 0..1; g(n);
"""


def test_each_return_that_keeps_a_lock_is_a_finding_at_its_line() -> None:
    """The caller returns with the lock too, and the thread ends with it: both are told with the first return."""
    returns = found(checked(RETURNS + "}"), "lock_rules")
    call, end = "`f`, called at test.mck:9, returns at", "which it did not hold when it was called"
    assert {finding.span.line: (finding.message, finding.details) for finding in returns} == {
        5: (f"{call} test.mck:5 with l, {end}", ("as a consequence, one ends while it still holds l",)),
        8: (f"{call} test.mck:8 with k, {end}", ("as a consequence, one ends while it still holds k",)),
    }


def test_a_lock_that_is_given_back_and_kept_again_is_another_finding() -> None:
    after = "if (n == 0) { mutex_unlock(l); mutex_lock(l); } else { mutex_unlock(k); } }"
    told = [finding.message for finding in found(checked(RETURNS + after), "lock_rules")]
    assert "one ends while it still holds l" in told
    assert len(told) == 3


def test_what_waits_for_a_lock_of_a_finished_thread_need_not_be_expected() -> None:
    assert checked(ERROR_PATH + "scenario s { expect lock_rules; }").ok


def test_what_waits_for_a_lock_of_a_finished_thread_is_violated_all_the_same() -> None:
    report = checked(ERROR_PATH + "scenario s { expect lock_rules; expect stuck; }")
    assert report.ok
    assert "check stuck: violated" in scenario_text(report)
    assert all(finding.certified for finding in report.judgement.folded)


def test_asked_alone_a_stuck_thread_is_a_finding_of_its_own() -> None:
    assert names(checked(ERROR_PATH, Options(properties=("stuck",)))) == {"stuck"}


def test_who_waits_for_a_lock_of_a_thread_that_is_stuck_itself_is_told() -> None:
    report = checked("""
        model stuck_holder; mutex l; var go: bool marked;
        thread one { mutex_lock(l); await(go); mutex_unlock(l); }
        thread two { mutex_lock(l); mutex_unlock(l); }
        thread three { skip; }
    """)
    assert names(report) == {"stuck"}


def test_who_waits_for_another_lock_than_the_one_kept_is_told() -> None:
    report = checked("""
        model other_lock; mutex kept; mutex l; var go: bool marked;
        thread keeps { mutex_lock(kept); }
        thread one { mutex_lock(l); await(go); mutex_unlock(l); }
        thread two { mutex_lock(l); mutex_unlock(l); }
    """)
    assert names(report) == {"lock_rules", "stuck"}


def test_causes_come_before_consequences() -> None:
    report = checked("""
        model several; mutex l; var x: 0..3; invariant small: x < 1;
        thread one { x = 1; mutex_lock(l); mutex_lock(l); }
        thread two { x = 2; x = 1; assert(x == 3); }
    """)
    checks = list(dict.fromkeys(finding.check for finding in report.findings))
    assert checks == ["assertion", "lock_rules", "race", "invariant"]


def test_what_can_no_longer_happen_comes_last() -> None:
    report = checked("""
        model last; var go: bool marked; var x: 0..3 marked; invariant small: x < 1;
        thread one { await(go); } thread two { x = 1; }
    """)
    assert [finding.check for finding in report.findings] == ["invariant", "stuck"]


def test_of_one_group_the_shorter_trace_comes_first() -> None:
    report = checked("""
        model two_of_a_kind; var x: 0..3 marked;
        thread one { x = 1; x = 2; assert(x == 3); }
        thread two { assert(false); }
    """)
    lengths = [len(f.trace.steps) for f in found(report, "assertion") if f.trace]
    assert lengths == sorted(lengths)
    assert len(lengths) == 2


def test_a_run_that_was_shown_already_is_not_shown_again() -> None:
    told = scenario_text(
        checked("model m; var x: 0..1; invariant i: x < 1; invariant j: x != 1; thread t { x = 1; }")
    )
    assert told.count("same run as above") == 1
    assert told.count("x=1") == 1 + 2  # in the trace, and once with each invariant
