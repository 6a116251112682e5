"""A thread that has prepared to sleep must not sleep for something else; who need not wait is not interrupted."""

from __future__ import annotations

from tests.checking import checked, found, names

PREPARED = """
mutex m; waitqueue q;
thread t {{
    prepare_to_wait(q);
    {0}
    schedule();
    finish_wait(q);
}}
thread u {{ mutex_lock(m); mutex_unlock(m); loop {{ wake_up(q); }} }}
"""


def test_a_thread_that_has_prepared_to_sleep_may_not_take_a_mutex() -> None:
    report = checked(PREPARED.format("mutex_lock(m); mutex_unlock(m);"))
    (finding,) = found(report, "lock_rules")
    assert finding.message == (
        "t may sleep at test.mck:5 (mutex_lock(m)) although it has prepared to sleep for something else"
    )
    assert finding.certified


def test_what_does_not_sleep_may_stand_between() -> None:
    assert names(checked(PREPARED.format("if (mutex_trylock(m)) { mutex_unlock(m); }"))) == set()


def test_a_completion_that_is_done_is_not_interrupted() -> None:
    text = """
        completion c;
        thread t {{ var r: Errno; complete(c); fatal_signal(t); r = {0}(c); assert(!r); }}
    """
    assert names(checked(text.format("wait_for_completion_killable"))) == set()
    assert names(checked(text.format("wait_for_completion_interruptible"))) == set()


def test_a_semaphore_that_is_free_is_not_interrupted() -> None:
    text = "semaphore s; thread t { var r: Errno; signal(t); r = down_interruptible(s); assert(!r); }"
    assert names(checked(text)) == set()
