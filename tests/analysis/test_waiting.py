"""What is said about the last state of a trace: who holds what since when, and who waits for whom (SEMANTICS A3)."""

from __future__ import annotations

from modelcheck.analysis.waiting import Situation
from modelcheck.report.contents import ScenarioReport
from tests.checking import ABBA, checked, found


def situation(report: ScenarioReport, check: str = "circular_wait") -> Situation:
    finding = found(report, check)[0]
    assert finding.trace is not None
    return report.explainer.situation(finding.trace, finding.members)


def test_two_threads_that_take_two_locks_in_two_orders_wait_for_each_other() -> None:
    report = checked(ABBA)
    (finding,) = found(report, "circular_wait")
    assert finding.members == (0, 1)
    assert finding.trace is not None
    assert len(finding.trace.steps) == 2
    assert finding.certified


def test_each_thread_holds_what_the_other_waits_for() -> None:
    told = situation(checked(ABBA))
    assert [(h.thread, h.lock, h.step, str(h.span)) for h in told.holds] == [
        (0, "a", 1, "test.mck:5"),
        (1, "b", 2, "test.mck:6"),
    ]
    assert [(w.thread, w.lock, w.for_threads) for w in told.waits] == [(0, "b", (1,)), (1, "a", (0,))]


def test_the_ring_begins_with_the_thread_that_was_last_to_enter_it() -> None:
    told = situation(checked(ABBA))
    assert told.ring == (1, 0)


def test_a_thread_behind_the_ring_is_not_part_of_it() -> None:
    report = checked(ABBA + "thread three { mutex_lock(a); mutex_unlock(a); }")
    (finding,) = found(report, "circular_wait")
    assert finding.ring in {(0, 1), (1, 0)}


def test_a_writer_that_bars_readers_is_named() -> None:
    """The pending-writer deadlock: a reader asks again behind a writer that waits for it."""
    report = checked("""
        model pending;
        percpu_rwsem s;
        thread reader { percpu_down_read(s); percpu_down_read(s); percpu_up_read(s); percpu_up_read(s); }
        thread writer { percpu_down_write(s); percpu_up_write(s); }
    """)
    told = situation(report)
    assert [(h.thread, h.lock, h.mode, h.bars) for h in told.holds] == [
        (0, "s", "read", False),
        (1, "s", "write", True),
    ]
    assert {(w.thread, w.for_threads) for w in told.waits} == {(0, (1,)), (1, (0,))}


def test_a_lock_that_is_taken_twice_is_held_since_the_second_time() -> None:
    report = checked("""
        model again;
        mutex a; mutex b;
        thread one { mutex_lock(a); mutex_unlock(a); mutex_lock(a); mutex_lock(b); }
        thread two { mutex_lock(b); mutex_lock(a); }
    """)
    told = situation(report)
    assert [(h.thread, h.step) for h in told.holds if h.lock == "a"] == [(0, 3)]


def test_a_wait_for_a_condition_names_who_can_still_end_it() -> None:
    report = checked("""
        model condition;
        mutex l; var done: bool marked;
        thread one { mutex_lock(l); await(done); mutex_unlock(l); }
        thread two { mutex_lock(l); done = true; mutex_unlock(l); }
    """)
    told = situation(report)
    waits = {w.thread: w for w in told.waits}
    assert waits[0].any_of
    assert waits[0].for_threads == (1,)
    assert waits[0].lock == ""


def test_lost_since_is_the_step_after_which_some_thread_never_steps_again() -> None:
    """Once `one` has taken both flags' way, nothing else can happen: the ring is closed two steps later."""
    report = checked("""
        model early;
        mutex a; mutex b;
        thread one { mutex_lock(a); skip; skip; mutex_lock(b); }
        thread two { mutex_lock(b); skip; skip; mutex_lock(a); }
    """)
    (finding,) = found(report, "circular_wait")
    assert finding.trace is not None
    assert finding.lost_since is not None
    assert finding.lost_since < len(finding.trace.steps)


def test_a_circular_wait_that_stops_everything_says_so() -> None:
    (finding,) = found(checked(ABBA), "circular_wait")
    assert finding.message.endswith("nothing can run any more")


def test_a_circular_wait_while_others_run_does_not_say_that() -> None:
    report = checked(ABBA + "thread three { loop { skip; } }")
    (finding,) = found(report, "circular_wait")
    assert "nothing can run" not in finding.message


def test_a_thread_that_waits_for_itself_is_a_ring_of_one() -> None:
    report = checked("""
        model self_wait;
        percpu_rwsem s;
        thread one { percpu_down_write(s); percpu_down_read(s); }
    """)
    (finding,) = found(report, "circular_wait")
    assert finding.message.startswith("one waits for itself")
