"""Locks still held at a thread's end, and ops that return with other locks than they were entered with (C1)."""

from __future__ import annotations

import pytest

from modelcheck.analysis import pairing
from modelcheck.report.contents import ScenarioReport
from tests.checking import checked, found, names

OP = """
model op;
mutex l; mutex m; const YES = true;
op f() {contract} {{ {body} }}
thread one {{ {before} f(); {after} }}
"""


def of_op(body: str, contract: str = "", before: str = "", after: str = "") -> ScenarioReport:
    return checked(OP.format(body=body, contract=contract, before=before, after=after))


def messages(report: ScenarioReport) -> list[str]:
    return [finding.message for finding in found(report, "lock_rules")]


def test_a_thread_that_ends_with_a_lock_breaks_the_rules() -> None:
    report = checked("model m; mutex l; thread one { mutex_lock(l); }")
    (finding,) = found(report, "lock_rules")
    assert finding.message == "one ends while it still holds l"
    assert finding.certified


def test_a_read_lock_at_the_end_counts_too() -> None:
    report = checked("model m; percpu_rwsem s; thread one { percpu_down_read(s); }")
    assert names(report) == {"lock_rules"}


def test_an_op_that_keeps_a_lock_is_unbalanced() -> None:
    report = of_op("mutex_lock(l);", after="mutex_unlock(l);")
    assert messages(report) == [
        "`f`, called at test.mck:5, returns at test.mck:4 with l, which it did not hold when it was called"
    ]
    finding = found(report, "lock_rules")[0]
    assert finding.certified
    assert finding.trace is not None
    assert len(finding.trace.steps) == 1


def test_an_op_that_gives_a_lock_away_is_unbalanced() -> None:
    report = of_op("mutex_unlock(l);", before="mutex_lock(l);")
    assert messages(report) == [
        "`f`, called at test.mck:5, returns at test.mck:4 without l, which it held when it was called"
    ]


def test_one_path_of_several_is_enough() -> None:
    report = of_op("mutex_lock(l); either { mutex_unlock(l); } or { skip; }")
    assert any("returns at test.mck:4 with l" in message for message in messages(report))


@pytest.mark.parametrize(
    ("body", "contract", "before", "after"),
    [
        ("mutex_lock(l);", "acquires l", "", "mutex_unlock(l);"),
        ("mutex_unlock(l);", "releases l", "mutex_lock(l);", ""),
        ("skip;", "must_hold l", "mutex_lock(l);", "mutex_unlock(l);"),
        ("mutex_unlock(l);", "releases l when YES releases m when !YES", "mutex_lock(l);", ""),
        ("mutex_lock(l); mutex_unlock(l);", "", "", ""),
        ("mutex_lock(l); mutex_unlock(l);", "", "mutex_lock(m);", "mutex_unlock(m);"),
    ],
)
def test_a_contract_allows_what_it_says(body: str, contract: str, before: str, after: str) -> None:
    assert names(of_op(body, contract, before, after)) == set()


def test_a_contract_allows_nothing_else() -> None:
    report = of_op("mutex_lock(l); mutex_lock(m);", "acquires l", "", "mutex_unlock(m); mutex_unlock(l);")
    assert messages(report) == [
        "`f`, called at test.mck:5, returns at test.mck:4 with m, which it did not hold when it was called"
    ]


def test_a_contract_whose_condition_is_false_is_none() -> None:
    report = of_op("mutex_lock(l);", "acquires l when !YES must_hold m when !YES", "", "mutex_unlock(l);")
    assert messages(report) == [
        "`f`, called at test.mck:5, returns at test.mck:4 with l, which it did not hold when it was called"
    ]


def test_must_hold_is_checked_at_the_call() -> None:
    report = of_op("skip;", "must_hold l")
    assert messages(report) == ["`f` is called at test.mck:5 without l, which it says it must hold"]


def test_must_hold_is_checked_before_the_first_step_too() -> None:
    """A call takes no step: the thread is inside the op from the start."""
    finding = found(of_op("skip;", "must_hold l"), "lock_rules")[0]
    assert finding.trace is not None
    assert finding.trace.steps == ()
    assert finding.certified


def test_two_calls_are_two_findings_and_two_threads_at_one_call_are_one() -> None:
    report = checked("""
        model calls;
        mutex l;
        op f() { mutex_lock(l); }
        op g() { f(); mutex_unlock(l); }
        thread one[2] { g(); f(); mutex_unlock(l); }
    """)
    assert len(found(report, "lock_rules")) == 2


def test_an_op_with_a_guard_is_balanced() -> None:
    report = checked("""
        model guards;
        mutex l; var x: 0..3 guarded_by l;
        op f() -> Errno { guard(mutex)(l); if (x == 0) { return -EBUSY; } return 0; }
        thread one { var r: Errno; r = f(); }
    """)
    assert names(report) == set()


def test_a_call_inside_atomic_must_be_balanced_too() -> None:
    report = checked("""
        model inside;
        mutex l;
        op drop() { mutex_unlock(l); }
        op drop_said() releases l { mutex_unlock(l); }
        thread one { mutex_lock(l); atomic { drop(); } }
        thread two { mutex_lock(l); atomic { drop_said(); } }
    """)
    assert messages(report) == [
        "`drop`, called at test.mck:6, returns at test.mck:4 without l, which it held when it was called"
    ]


# --- which return goes with which entry ----------------------------------------------------------

SWAPPED = """
model swapped;
mutex l;
op f(taken: bool) {{
    {body}
}}
thread one {{
    choose taken: bool;
    if (taken) {{ mutex_lock(l); }}
    f(taken);
}}
"""


def test_a_return_is_compared_with_its_own_entry() -> None:
    """Entered with l and without it, left without it and with it: the sets are the same."""
    body = """if (taken) { mutex_unlock(l); return; }
    mutex_lock(l);"""
    told = found(checked(SWAPPED.format(body=body)), "lock_rules")
    assert [(f.message, f.certified) for f in told if f.cause[0] == "unbalanced"] == [
        (
            "`f`, called at test.mck:11, returns at test.mck:7 with l, which it did not hold when it was called",
            True,
        ),
        (
            "`f`, called at test.mck:11, returns at test.mck:5 without l, which it held when it was called",
            True,
        ),
    ]
    assert [len(f.trace.steps) for f in told if f.trace and f.cause[0] == "unbalanced"] == [4, 5]


def test_an_op_that_keeps_what_it_was_entered_with_is_balanced_either_way() -> None:
    report = checked(
        SWAPPED.format(body="skip;").replace("f(taken);", "f(taken); if (taken) { mutex_unlock(l); }")
    )
    assert names(report) == set()


def test_a_call_in_a_loop_is_paired_each_time_anew() -> None:
    report = checked("""
        model again;
        mutex l;
        op f() { skip; }
        thread one {
            for (i: 0..1) { f(); }
            var more: bool = true;
            while (more) {
                f();
                if (more) { mutex_lock(l); f(); mutex_unlock(l); more = false; }
            }
        }
    """)
    assert names(report) == set()


def test_pairing_that_would_take_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "if (taken) { mutex_unlock(l); return; } mutex_lock(l);"
    text = SWAPPED.format(body=body).replace("f(taken);", "f(taken); if (!taken) { mutex_unlock(l); }")
    monkeypatch.setattr(pairing, "AT_MOST", 100)
    assert names(checked(text)) == {"lock_rules"}
    monkeypatch.setattr(pairing, "AT_MOST", 2)
    report = checked(text)
    assert names(report) == set()
    assert report.exit_code == 3
    assert report.undecided == {
        "lock_rules": "too many states to pair the returns of `f`, called at test.mck:10"
    }
