"""What sets a work apart (SEMANTICS H1, A3): which instance a flush waits for, and for whom."""

from __future__ import annotations

import pytest

from tests.checking import checked, found, names
from tests.locks.agreed import agreed

WORKER = """
model worker;
work w; mutex m; mutex n;
var runs: 0..4 = 0 marked;
daemon thread kworker {{ loop {{ scoped_guard(work, w) {{ {inside} }} }} }}
thread user {{ {body} }}
"""
TAKES_M = "mutex_lock(m); mutex_unlock(m);"


def worker(inside: str, body: str) -> str:
    return WORKER.format(inside=inside, body=body)


def test_flushing_under_a_lock_that_the_work_takes_is_a_deadlock() -> None:
    text = worker(TAKES_M, "queue_work(w); mutex_lock(m); flush_work(w); mutex_unlock(m);")
    assert agreed(text) == {"circular_wait", "lock_order"}


def test_cancelling_under_a_lock_that_the_work_takes_is_a_deadlock() -> None:
    text = worker(TAKES_M, "queue_work(w); mutex_lock(m); cancel_work_sync(w); mutex_unlock(m);")
    assert agreed(text) == {"circular_wait", "lock_order"}


def test_flushing_under_another_lock_is_none() -> None:
    text = worker(TAKES_M, "queue_work(w); mutex_lock(n); flush_work(w); mutex_unlock(n);")
    assert agreed(text) == set()


def test_an_order_cycle_through_a_flush_is_seen_where_nothing_is_queued() -> None:
    """As lockdep: the flush is an acquisition, whether or not anybody runs the work then."""
    text = """
        model quiet; work w; mutex m; var over: bool marked;
        thread kworker { start_work(w); mutex_lock(m); mutex_unlock(m); finish_work(w); over = true; }
        thread user { queue_work(w); await(over); mutex_lock(m); flush_work(w); mutex_unlock(m); }
    """
    report = checked(text)
    assert names(report) == set()
    (order,) = (f for f in report.findings if f.check == "lock_order")
    assert order.weight == "warning"


def test_a_work_that_flushes_itself_waits_for_itself() -> None:
    report = checked(worker("flush_work(w);", "queue_work(w);"))
    assert names(report) == {"circular_wait"}
    assert found(report, "circular_wait")[0].members == (0,)


def test_a_work_that_cancels_itself_waits_for_itself() -> None:
    assert agreed(worker("cancel_work_sync(w);", "queue_work(w);")) == {"circular_wait"}


def test_after_a_flush_the_work_has_run() -> None:
    assert agreed(worker("runs++;", "queue_work(w); flush_work(w); assert(runs == 1);")) == set()


def test_a_flush_waits_for_the_queued_instance_and_not_only_for_the_running_one() -> None:
    text = """
        model again; work w; var first: bool marked; var runs: 0..2 = 0 marked;
        daemon thread kworker { loop { scoped_guard(work, w) { first = true; runs++; } } }
        thread user {
            queue_work(w); await(first);
            if (queue_work(w)) { flush_work(w); assert(runs == 2); }
        }
    """
    assert agreed(text) == set()


def test_a_flush_does_not_wait_for_an_instance_that_is_queued_later() -> None:
    """The work queues itself again and again; the flush still ends."""
    text = """
        model endless; work w; var done: bool marked;
        daemon thread kworker { loop { scoped_guard(work, w) { queue_work(w); } } }
        thread user { queue_work(w); flush_work(w); done = true; }
        reachable ends: done && work_busy(w);
    """
    report = checked(text)
    assert names(report) == set()


def test_a_flush_of_nothing_goes_on_at_once() -> None:
    assert agreed("model nothing; work w; thread a { flush_work(w); assert(!work_busy(w)); }") == set()


def test_a_flush_that_no_worker_will_serve_is_stuck() -> None:
    assert names(checked("model nobody; work w; thread a { queue_work(w); flush_work(w); }")) == {"stuck"}


def test_a_flush_waits_for_whoever_can_still_start_the_work() -> None:
    """The only worker is busy with another work, which waits for the lock of the flusher."""
    text = """
        model busy; work w; work v; mutex m; var go: bool marked;
        thread kworker {
            start_work(v); go = true; mutex_lock(m); mutex_unlock(m); finish_work(v);
            start_work(w); finish_work(w);
        }
        thread user { queue_work(v); queue_work(w); mutex_lock(m); await(go); flush_work(w); mutex_unlock(m); }
    """
    assert agreed(text) == {"circular_wait"}
    other = "daemon thread other { loop { scoped_guard(work, w) { skip; } } }"
    assert agreed(text.replace("start_work(w); finish_work(w);", "") + other) == set()


def test_a_work_is_queued_once_until_it_runs() -> None:
    text = """
        model once; work w;
        thread a {
            var got: bool;
            got = queue_work(w); assert(got && work_pending(w));
            got = queue_work(w); assert(!got);
            got = try_start_work(w); assert(got && !work_pending(w) && work_busy(w));
            got = queue_work(w); assert(got);
            got = try_start_work(w); assert(!got);
            finish_work(w);
            got = cancel_work_sync(w); assert(got && !work_busy(w));
            got = cancel_work_sync(w); assert(!got);
            got = try_start_work(w); assert(!got);
        }
    """
    assert agreed(text) == set()


def test_after_cancelling_the_work_does_not_run_even_if_it_queues_itself() -> None:
    text = """
        model requeue; work w; var stopped: bool marked;
        daemon thread kworker { loop { scoped_guard(work, w) { assert(!stopped); queue_work(w); assert(!stopped); } } }
        thread user { queue_work(w); cancel_work_sync(w); stopped = true; }
    """
    assert agreed(text) == set()
    assert agreed(text.replace("cancel_work_sync", "flush_work")) == {"assertion"}


def test_after_cancelling_another_thread_may_queue_it_again() -> None:
    text = """
        model other; work w; var stopped: bool marked;
        daemon thread kworker { loop { scoped_guard(work, w) { assert(!stopped); } } }
        thread user { cancel_work_sync(w); stopped = true; }
        thread late { queue_work(w); }
    """
    assert agreed(text) == {"assertion"}


def test_no_two_threads_run_one_work() -> None:
    text = """
        model pool; work w; var inside: 0..2 = 0 marked;
        daemon thread kworker[2] { loop { scoped_guard(work, w) { inside++; assert(inside == 1); inside--; } } }
        thread user { queue_work(w); queue_work(w); flush_work(w); }
    """
    assert agreed(text) == set()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("finish_work(w);", "finishes a work that it does not run"),
        ("queue_work(w); start_work(w);", "a ends while it still holds w"),
    ],
)
def test_misuse_of_a_work_is_found(body: str, message: str) -> None:
    (finding,) = checked(f"model misuse; work w; thread a {{ {body} }}").violations
    assert (finding.check, finding.message.rpartition(": ")[2]) == ("lock_rules", message)


def test_a_worker_without_work_rests_if_it_is_a_daemon() -> None:
    assert (
        names(checked("model rest; work w; daemon thread k { loop { scoped_guard(work, w) { skip; } } }"))
        == set()
    )
    assert names(checked("model wait; work w; thread k { start_work(w); finish_work(w); }")) == {"stuck"}


def test_the_states_of_a_worker_and_a_flush_are_these() -> None:
    """Worker: at start_work, inside, at finish_work. Before queue_work: idle, 1. Before the flush: queued, inside,
    at finish_work, over, 4. At its second step: waiting for the queued one, for the running one at two places, or for
    nothing, 4. At the end: over, 1."""
    report = checked(worker("skip;", "queue_work(w); flush_work(w);"))
    assert names(report) == set()
    assert report.statistics.states == 10
