"""What sets apart the kinds that wait without a lock (SEMANTICS A3, A5, H3), on models that show it."""

from __future__ import annotations

import pytest

from modelcheck.pipeline import Options
from modelcheck.report.contents import ScenarioReport
from tests.checking import checked, found, names

READY = "model m; waitqueue q; var ready: bool = false marked;"
WAKER = "thread waker { ready = true; wake_up(q); }"


def counts(report: ScenarioReport) -> tuple[int, int]:
    statistics = report.statistics
    return statistics.states, statistics.transitions


# --- lost wake-ups -------------------------------------------------------------------------------


def test_a_wake_up_between_the_test_and_the_preparation_is_lost() -> None:
    report = checked(f"""{READY} {WAKER}
        thread waiter {{ if (!ready) {{ prepare_to_wait(q); schedule(); finish_wait(q); }} }}""")
    assert names(report) == {"stuck"}


def test_a_wake_up_after_the_preparation_is_not_lost() -> None:
    report = checked(f"""{READY} {WAKER}
        thread waiter {{ prepare_to_wait(q); if (!ready) {{ schedule(); }} finish_wait(q); }}""")
    assert names(report) == set()


def test_a_state_that_is_set_after_the_test_loses_the_wake_up_by_name() -> None:
    text = """model m; var ready: bool = false marked;
        thread waker {{ ready = true; wake_up_process(waiter); }}
        thread waiter {{ {} schedule(); }}"""
    wrong = "if (ready) { return; } set_current_state(TASK_UNINTERRUPTIBLE);"
    right = "set_current_state(TASK_UNINTERRUPTIBLE); if (ready) { set_current_state(TASK_RUNNING); return; }"
    assert names(checked(text.format(wrong))) == {"stuck"}
    assert names(checked(text.format(right))) == set()


@pytest.mark.parametrize("wait", ["wait_event(q, ready)", "await(ready)", "spin_until(ready)"])
def test_the_kernels_loop_an_await_and_spinning_lose_no_wake_up(wait: str) -> None:
    assert names(checked(f"{READY} {WAKER} thread waiter {{ {wait}; }}")) == set()


def test_wait_event_is_four_steps_of_which_the_kernels_loop_repeats_three() -> None:
    report = checked(f"{READY} thread waiter {{ wait_event(q, ready); }}")
    assert counts(report) == (3, 2)  # prepare, test, and then it sleeps
    report = checked(f"{READY} thread waiter {{ ready = true; wait_event(q, ready); }}")
    assert counts(report) == (5, 4)  # ready = true, prepare, test, finish


def test_a_forgotten_wake_up_leaves_a_thread_asleep_whose_condition_holds() -> None:
    report = checked(f"{READY} thread waker {{ ready = true; }} thread waiter {{ wait_event(q, ready); }}")
    assert names(report) == {"stuck"}
    assert (
        names(checked(f"{READY} thread waker {{ ready = true; }} thread waiter {{ await(ready); }}")) == set()
    )


def test_a_wake_up_before_the_condition_is_true_comes_too_early() -> None:
    report = checked(
        f"{READY} thread waker {{ wake_up(q); ready = true; }} thread waiter {{ wait_event(q, ready); }}"
    )
    assert names(report) == {"stuck"}


def test_one_wake_up_of_two_exclusive_waiters_loses_the_other_and_of_two_others_none() -> None:
    text = """model m; waitqueue q; var ready: bool = false marked;
        thread waiter[2] {{ {}(q); if (!ready) {{ schedule(); }} finish_wait(q); }}
        thread waker {{ ready = true; {}(q); }}"""
    assert names(checked(text.format("prepare_to_wait_exclusive", "wake_up"))) == {"stuck"}
    assert names(checked(text.format("prepare_to_wait_exclusive", "wake_up_all"))) == set()
    assert names(checked(text.format("prepare_to_wait", "wake_up"))) == set()


def test_a_thread_on_a_queue_that_runs_already_uses_up_no_wake_up() -> None:
    report = checked("""model m; waitqueue q; var order: 0 .. 2 = 0 marked;
        thread awake { prepare_to_wait_exclusive(q); set_current_state(TASK_RUNNING); order = 1; }
        thread asleep { prepare_to_wait_exclusive(q); schedule(); }
        thread waker { await(order == 1); wake_up(q); await(!waitqueue_active(q)); }
        reachable woken: finished(asleep);""")
    # It stays on the queue: whoever waits for an empty queue waits for ever.
    assert {"waker"} == {
        report.explainer.interpreter.system.model.threads[t].name
        for f in found(report, "stuck")
        for t in f.members
    } - {"asleep"}


def test_a_timed_wait_tests_its_condition_once_more_before_it_gives_up() -> None:
    report = checked(f"""{READY} {WAKER}
        thread waiter {{ var got: bool = wait_event_timeout(q, ready, 5); if (!got) {{ timed_out: skip; }} }}
        reachable gives_up: at(waiter, timed_out);
        reachable gets_it: finished(waiter) && ready;""")
    assert names(report) == set()


# --- any of, and signals -------------------------------------------------------------------------

TWO_WORKERS = """model m; mutex l; mutex k; completion c;
    thread one {{ mutex_lock(l); complete_all(c); mutex_unlock(l); }}
    thread two {{ mutex_lock({}); complete_all(c); mutex_unlock({}); }}
    thread waiter {{ mutex_lock(l); wait_for_completion(c); mutex_unlock(l); }}"""


def test_a_completion_that_another_can_still_complete_is_no_circular_wait() -> None:
    assert names(checked(TWO_WORKERS.format("k", "k"))) == set()


def test_a_completion_that_only_blocked_threads_can_complete_is_one() -> None:
    report = checked(TWO_WORKERS.format("l", "l"))
    assert names(report) == {"circular_wait"}
    (finding, *_) = found(report, "circular_wait")
    assert len(finding.members) == 3


def test_one_completion_is_enough_for_one_waiter_only() -> None:
    text = """model m; completion c;
        thread waiter[2] {{ wait_for_completion(c); }} thread worker {{ {}(c); }}"""
    assert names(checked(text.format("complete"))) == {"stuck"}
    assert names(checked(text.format("complete_all"))) == set()


INTERRUPTIBLE = """model m; mutex a; mutex b;
    thread one {{ mutex_lock(a); if (mutex_lock_interruptible(b)) {{ mutex_unlock(a); return; }}
        mutex_unlock(b); mutex_unlock(a); }}
    thread two {{ mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); }}
    {}"""


def test_an_interruptible_wait_that_nobody_signals_is_a_deadlock() -> None:
    assert names(checked(INTERRUPTIBLE.format(""))) == {"circular_wait", "lock_order"}


def test_an_interruptible_wait_that_somebody_can_signal_is_none() -> None:
    assert names(checked(INTERRUPTIBLE.format("thread killer { loop { signal(one); } }"))) == set()


def test_an_interruptible_wait_whose_signaller_is_caught_itself_is_one() -> None:
    caught = "thread killer { mutex_lock(b); mutex_unlock(b); signal(one); }"
    report = checked(INTERRUPTIBLE.format(caught))
    assert names(report) == {"circular_wait", "lock_order"}
    assert {len(f.members) for f in found(report, "circular_wait")} == {3}


def test_a_signal_that_was_sent_before_ends_the_wait() -> None:
    report = checked("""model m; waitqueue q; var gave_up: bool = false;
        thread t { signal(t); if (wait_event_interruptible(q, false)) { gave_up = true; } }
        reachable interrupted: gave_up;""")
    assert names(report) == set()


def test_a_condition_that_holds_wins_over_a_signal() -> None:
    report = checked("""model m; waitqueue q; var gave_up: bool = false;
        thread t { signal(t); if (wait_event_interruptible(q, true)) { gave_up = true; } }
        invariant patient: !gave_up;""")
    assert names(report) == set()


def test_a_killable_sleep_ends_by_a_fatal_signal_only() -> None:
    text = """model m;
        thread sleeper {{ set_current_state(TASK_KILLABLE); schedule(); }}
        thread sender {{ {}(sleeper); }}"""
    assert names(checked(text.format("signal"))) == {"stuck"}
    assert names(checked(text.format("fatal_signal"))) == set()


# --- cycles of several kinds of waits ------------------------------------------------------------

FOUR_WAITS = """model m; mutex cgroup; percpu_rwsem hotplug; waitqueue pipe; var refs: 0 .. 1 = 1 marked;
    var read: bool = false marked;
    thread offline { percpu_down_write(hotplug); await(refs == 0); percpu_up_write(hotplug); }
    thread dumper { wait_event(pipe, read); refs = 0; }
    thread helper { mutex_lock(cgroup); mutex_unlock(cgroup); read = true; wake_up(pipe); }
    thread killer { mutex_lock(cgroup); percpu_down_read(hotplug); percpu_up_read(hotplug); mutex_unlock(cgroup); }"""


@pytest.mark.parametrize("engine", ["reference", "z3"])
def test_four_waits_of_four_kinds_make_a_circular_wait(engine: str) -> None:
    report = checked(FOUR_WAITS, Options(engine=engine))
    assert names(report) == {"circular_wait"}
    assert {len(f.ring) for f in found(report, "circular_wait")} == {4}


def test_semaphores_that_are_taken_crosswise_are_a_circular_wait() -> None:
    report = checked("""model m; semaphore a = 1; semaphore b = 1;
        thread one { down(a); down(b); up(b); up(a); }
        thread two { down(b); down(a); up(a); up(b); }""")
    assert names(report) == {"circular_wait"}


def test_who_stops_a_thread_that_waits_for_the_stoppers_lock_waits_for_itself() -> None:
    report = checked("""model m; mutex l;
        thread worker { while (!kthread_should_stop()) { mutex_lock(l); mutex_unlock(l); } }
        thread stopper { mutex_lock(l); kthread_stop(worker); mutex_unlock(l); }""")
    assert names(report) == {"circular_wait"}


def test_a_thread_that_is_told_to_stop_between_its_test_and_its_sleep_is_lost() -> None:
    text = """model m; thread stopper {{ kthread_stop(worker); }} thread worker {{ {} }}"""
    wrong = "loop { if (kthread_should_stop()) break; set_current_state(TASK_INTERRUPTIBLE); schedule(); }"
    right = "loop { set_current_state(TASK_INTERRUPTIBLE); if (kthread_should_stop()) break; schedule(); }"
    assert "stuck" in names(checked(text.format(wrong)))
    assert names(checked(text.format(right))) == set()


def test_a_thread_that_does_not_run_has_ended() -> None:
    report = checked("""model m; thread t { join(u); } thread u { loop { skip; } } scenario s { run t; }""")
    assert names(report) == set()


def test_waiting_for_its_own_end_is_a_circular_wait_of_one() -> None:
    assert names(checked("model m; thread t { join(t); }")) == {"circular_wait"}


# --- daemons -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wait",
    ["wait_for_completion(c)", "wait_event(q, x)", "set_current_state(TASK_UNINTERRUPTIBLE); schedule()"],
)
def test_a_daemon_rests_where_it_waits_for_work_and_not_with_a_lock_in_its_hands(wait: str) -> None:
    text = f"model m; mutex l; completion c; waitqueue q; var x: bool = false; daemon thread d {{{{ {{}} {wait}; }}}}"
    assert names(checked(text.format(""))) == set()
    assert names(checked(text.format("mutex_lock(l);"))) == {"stuck"}


def test_a_daemon_that_waits_for_a_semaphore_does_not_rest() -> None:
    assert names(checked("model m; semaphore s = 0; daemon thread d { down(s); }")) == {"stuck"}


# --- time-outs -----------------------------------------------------------------------------------

TIMED = """model m; mutex region; completion onlined;
    thread add {{ mutex_lock(region); {} mutex_unlock(region); }}
    thread udev {{ mutex_lock(region); complete(onlined); mutex_unlock(region); }}"""


@pytest.mark.parametrize("engine", ["reference", "z3"])
def test_a_cycle_that_only_a_time_out_breaks_is_a_warning(engine: str) -> None:
    report = checked(TIMED.format("wait_for_completion_timeout(onlined, 5);"), Options(engine=engine))
    assert names(report) == set()
    (finding,) = found(report, "circular_wait")
    assert (finding.weight, finding.certified, finding.lost_since) == ("warning", True, None)
    assert finding.message == "add and udev wait for each other: resolved by time-out only, that of add"


def test_without_the_time_out_it_is_a_violation_and_told_once() -> None:
    report = checked(TIMED.format("wait_for_completion(onlined);"))
    assert [f.weight for f in found(report, "circular_wait")] == ["violation"]


def test_a_time_out_outside_the_lock_is_no_cycle() -> None:
    report = checked("""model m; mutex region; completion onlined;
        thread add { wait_for_completion_timeout(onlined, 5); }
        thread udev { mutex_lock(region); complete(onlined); mutex_unlock(region); }""")
    assert found(report, "circular_wait") == []


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("completion c: 0 .. 1; thread t { complete(c); complete(c); }", "raise it: `completion c: 0..2;`"),
        ("semaphore s: 0 .. 1 = 1; thread t { up(s); }", "raise it: `semaphore s: 0..2 = 1;`"),
    ],
)
def test_a_bound_that_is_too_small_is_said_to_be_so(text: str, said: str) -> None:
    (finding,) = found(checked("model m; " + text), "lock_rules")
    assert said in finding.message


def test_waking_a_thread_by_an_index_that_is_none_of_them_is_an_error() -> None:
    report = checked("""model m; var active: 0 .. 2 = 2;
        thread w[2] { set_current_state(TASK_UNINTERRUPTIBLE); schedule(); }
        thread waker { wake_up_process(w[active]); }""")
    (finding,) = found(report, "range")
    assert finding.message.endswith("`w[active]` is no thread: its index is outside 0 .. 1")


def test_waiting_under_a_spinlock_is_refused_and_spinning_is_not() -> None:
    text = "model m; spinlock l; waitqueue q; var x: bool = true; thread t {{ spin_lock(l); {}; spin_unlock(l); }}"
    assert names(checked(text.format("wait_event(q, x)"))) == {"lock_rules"}
    assert names(checked(text.format("msleep(1)"))) == {"lock_rules"}
    assert names(checked(text.format("cpu_relax()"))) == set()
    assert names(checked(text.format("spin_until(x)"))) == set()


def test_the_condition_of_a_wait_is_an_access_that_may_race() -> None:
    text = (
        "model m; waitqueue q; var x: bool = false; thread w {{ x = true; wake_up(q); }} thread t {{ {}; }}"
    )
    assert names(checked(text.format("wait_event(q, x)"))) == {"race"}
    marked = "model m; waitqueue q; var x: bool = false; thread w { WRITE_ONCE(x, true); wake_up(q); } "
    assert names(checked(marked + "thread t { wait_event(q, READ_ONCE(x)); }")) == set()


def test_down_trylock_is_zero_when_it_got_one() -> None:
    report = checked("""model m; semaphore s = 1; var first: bool = true; var second: bool = false;
        thread t { first = down_trylock(s); second = down_trylock(s); }
        invariant kernel: finished(t) implies !first && second;""")
    assert names(report) == set()
