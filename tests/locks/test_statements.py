"""might_sleep() and lockdep_assert_not_held(): statements that speak of what is held."""

from __future__ import annotations

from tests.checking import checked, found, names


def test_what_might_sleep_does_so_nowhere_under_a_spinlock() -> None:
    report = checked("model m; spinlock s; thread t { spin_lock(s); might_sleep(); spin_unlock(s); }")
    (finding,) = found(report, "lock_rules")
    assert finding.message == "t may sleep at test.mck:1 (might_sleep()) with s held"
    assert finding.certified


def test_what_might_sleep_may_under_a_mutex() -> None:
    report = checked("model m; mutex l; thread t { mutex_lock(l); might_sleep(); mutex_unlock(l); }")
    assert names(report) == set()


def test_a_lock_that_must_not_be_held_is_a_violation_where_it_is() -> None:
    text = "model m; percpu_rwsem s; thread t {{ {0} lockdep_assert_not_held(s); {1} }}"
    assert names(checked(text.format("", ""))) == set()
    held = checked(text.format("percpu_down_read(s);", "percpu_up_read(s);"))
    (finding,) = found(held, "lock_rules")
    assert finding.message.endswith("lockdep_assert_not_held(s): held")
