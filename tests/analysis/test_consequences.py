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
    (ends,) = [f for f in found(report, "lock_rules") if f.cause[0] == "still held"]
    assert ends.message == "one ends while it still holds a and b, and then two waits for them for ever"
    assert ends.details == ("its last step: `if (wrong)` at test.mck:7",)
    assert ends.certified
    assert not found(report, "stuck")


def test_the_return_with_a_lock_says_what_its_last_step_was() -> None:
    (returns,) = [f for f in found(checked(ERROR_PATH), "lock_rules") if f.cause[0] == "unbalanced"]
    assert returns.details == ("its last step: `if (wrong)` at test.mck:7",)


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
    told = scenario_text(checked(ERROR_PATH))
    assert told.count("same run as above") == 1
    assert told.count("f: mutex_lock(b)") == 1
