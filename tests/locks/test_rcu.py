"""What sets rcu and srcu apart (SEMANTICS H1, H4): whom synchronize waits for, who may sleep, what readers may read."""

from __future__ import annotations

import pytest

from tests.checking import checked, found, names
from tests.locks.agreed import agreed

FREED = """
model freed;
mutex m;
var published: bool = true rcu_guarded_by m;
var alive: bool = true marked "its page is not reused";
thread reader {{ rcu_read_lock(); if (published) {{ assert(alive); }} rcu_read_unlock(); }}
thread updater {{ mutex_lock(m); published = false; mutex_unlock(m); {wait} alive = false; }}
"""


def test_a_reader_uses_an_object_that_is_freed_without_a_grace_period() -> None:
    assert agreed(FREED.format(wait="")) == {"assertion"}


def test_after_a_grace_period_nobody_uses_what_was_unpublished() -> None:
    assert agreed(FREED.format(wait="synchronize_rcu();")) == set()


def test_a_reader_that_comes_later_is_not_waited_for() -> None:
    """The first reader leaves, the second stays: the updater goes on."""
    text = """
        model later;
        var asked: bool marked; var done: bool marked;
        thread updater { rcu_read_lock(); rcu_read_unlock(); asked = true; synchronize_rcu(); done = true; }
        thread late { await(asked); rcu_read_lock(); skip; rcu_read_unlock(); }
        reachable past_a_reader: done && rcu_read_lock_held(late);
    """
    assert agreed(text) == set()


def test_a_reader_that_was_there_before_is_waited_for() -> None:
    text = """
        model before;
        var entered: bool marked; var inside: bool marked; var done: bool marked;
        thread updater { await(entered); synchronize_rcu(); done = true; }
        thread early { rcu_read_lock(); inside = true; entered = true; inside = false; rcu_read_unlock(); }
        invariant not_past_a_reader: done implies !inside;
    """
    assert agreed(text) == set()


def test_a_nested_section_ends_with_the_outermost_unlock() -> None:
    text = """
        model nested;
        var asked: bool marked; var done: bool marked;
        thread reader {
            rcu_read_lock(); rcu_read_lock(); rcu_read_unlock();
            asked = true; assert(!done); rcu_read_unlock();
        }
        thread updater { await(asked); synchronize_rcu(); done = true; }
    """
    assert agreed(text) == set()


def test_a_section_that_is_never_left_is_found() -> None:
    assert agreed("model leak; thread a { rcu_read_lock(); }") == {"lock_rules"}


@pytest.mark.parametrize("waiting", ["mutex_lock(m); mutex_unlock(m);", "await(true);"])
def test_nothing_may_sleep_in_an_rcu_section(waiting: str) -> None:
    report = checked(f"model sleep; mutex m; thread a {{ guard(rcu)(); {waiting} }}")
    assert names(report) == {"lock_rules"}
    assert "may sleep" in found(report, "lock_rules")[0].message


def test_in_an_srcu_section_a_thread_may_sleep() -> None:
    text = "model sleep; mutex m; srcu s; thread a { guard(srcu)(s); mutex_lock(m); await(true); mutex_unlock(m); }"
    assert agreed(text) == set()


def test_spinlocks_are_allowed_in_an_rcu_section() -> None:
    assert agreed("model spin; spinlock l; thread a { guard(rcu)(); spin_lock(l); spin_unlock(l); }") == set()


def test_waiting_for_readers_under_a_lock_that_they_want_is_a_deadlock() -> None:
    text = """
        model under_a_lock;
        mutex m; srcu s;
        thread reader { srcu_read_lock(s); mutex_lock(m); mutex_unlock(m); srcu_read_unlock(s); }
        thread updater { mutex_lock(m); synchronize_srcu(s); mutex_unlock(m); }
    """
    assert agreed(text) == {"circular_wait", "lock_order"}


def test_a_reader_with_a_spinlock_waits_for_an_updater_that_waits_for_it() -> None:
    """The updater sleeps under the spinlock besides: both are found."""
    text = """
        model spinning;
        spinlock l;
        thread reader { rcu_read_lock(); spin_lock(l); spin_unlock(l); rcu_read_unlock(); }
        thread updater { spin_lock(l); synchronize_rcu(); spin_unlock(l); }
    """
    assert agreed(text) == {"circular_wait", "lock_order", "lock_rules"}


def test_waiting_for_readers_inside_an_own_section_is_waiting_for_oneself() -> None:
    report = checked(
        "model own; srcu s; thread a { srcu_read_lock(s); synchronize_srcu(s); srcu_read_unlock(s); }"
    )
    assert names(report) == {"circular_wait"}
    assert found(report, "circular_wait")[0].members == (0,)


def test_two_srcu_domains_have_nothing_to_do_with_each_other() -> None:
    text = """
        model two;
        srcu s; srcu t;
        thread a { srcu_read_lock(s); synchronize_srcu(t); srcu_read_unlock(s); }
        thread b { srcu_read_lock(s); synchronize_srcu(t); srcu_read_unlock(s); }
    """
    assert agreed(text) == set()


def test_each_waiting_for_the_other_s_section_is_a_deadlock() -> None:
    text = """
        model crossed;
        srcu s; srcu t;
        thread a { srcu_read_lock(s); synchronize_srcu(t); srcu_read_unlock(s); }
        thread b { srcu_read_lock(t); synchronize_srcu(s); srcu_read_unlock(t); }
    """
    assert agreed(text) == {"circular_wait", "lock_order"}


def test_a_read_section_is_no_gate() -> None:
    """Both sides hold it, and that keeps nobody out: the deadlock is there."""
    text = """
        model no_gate;
        mutex a; mutex b; srcu s;
        thread one { guard(srcu)(s); mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); }
        thread two { guard(srcu)(s); mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); }
    """
    assert agreed(text) == {"circular_wait", "lock_order"}


def test_the_states_of_a_reader_and_an_updater_are_these() -> None:
    """Reader: before, inside, after. Updater: before, in synchronize, after. The updater in synchronize is waiting for
    nobody, or (the reader inside) for the reader: 3 * 3 + 1."""
    report = checked(
        "model small; thread r { rcu_read_lock(); rcu_read_unlock(); } thread u { synchronize_rcu(); }"
    )
    assert (report.statistics.states, names(report)) == (10, set())


# --- rcu_guarded_by --------------------------------------------------------------------------------

GUARDED = """
model guarded;
mutex l; percpu_rwsem p; srcu s; spinlock k; refcount r owned; active_ref f; work w;
var x: 0..3 rcu_guarded_by {lock};
thread one {{ {body} }}
thread two {{ guard(rcu)(); skip; }}
"""


@pytest.mark.parametrize(
    ("lock", "body", "bad"),
    [
        ("l", "x = 1;", True),
        ("l", "mutex_lock(l); x = 1; mutex_unlock(l);", False),
        ("l", "rcu_read_lock(); x = 1; rcu_read_unlock();", True),
        ("l", "if (x == 0) { skip; }", True),
        ("l", "rcu_read_lock(); if (x == 0) { skip; } rcu_read_unlock();", False),
        ("l", "srcu_read_lock(s); if (x == 0) { skip; } srcu_read_unlock(s);", True),
        ("l", "mutex_lock(l); if (x == 0) { skip; } mutex_unlock(l);", False),
        ("l", "mutex_lock(l); x++; mutex_unlock(l);", False),
        ("l", "rcu_read_lock(); x++; rcu_read_unlock();", True),
        ("p", "percpu_down_read(p); x = 1; percpu_up_read(p);", True),
        ("p", "percpu_down_write(p); x = 1; percpu_up_write(p);", False),
        ("p", "percpu_down_read(p); if (x == 0) { skip; } percpu_up_read(p);", False),
        ("(l, k)", "mutex_lock(l); x = 1; mutex_unlock(l);", True),
        ("(l, k)", "mutex_lock(l); spin_lock(k); x = 1; spin_unlock(k); mutex_unlock(l);", False),
        ("(l, k)", "spin_lock(k); if (x == 0) { skip; } spin_unlock(k);", False),
        ("(l, k)", "rcu_read_lock(); if (x == 0) { skip; } rcu_read_unlock();", False),
    ],
)
def test_what_rcu_guarded_by_allows(lock: str, body: str, bad: bool) -> None:
    report = checked(GUARDED.format(lock=lock, body=body))
    assert names(report) == ({"guarded_by"} if bad else set())


def test_without_read_sections_in_the_model_only_the_lock_helps() -> None:
    text = "model none; mutex l; var x: bool rcu_guarded_by l; thread a {{ {} }}"
    assert agreed(text.format("if (x) { skip; }")) == {"guarded_by"}
    assert agreed(text.format("mutex_lock(l); if (x) { skip; } x = true; mutex_unlock(l);")) == set()


def test_two_reads_of_a_guarded_variable_in_one_statement_are_warned_of() -> None:
    """The updater may come between them in the kernel; who writes holds the lock, and nobody comes between."""
    text = """
        model twice; mutex l;
        var x: bool rcu_guarded_by l; var y: bool rcu_guarded_by l;
        thread a {{ rcu_read_lock(); if (x {more}) {{ skip; }} rcu_read_unlock(); }}
        thread b {{ mutex_lock(l); x = !x; mutex_unlock(l); }}
    """
    assert checked(text.format(more="")).model.warnings == ()
    (warning,) = checked(text.format(more="&& y")).model.warnings
    assert "MC070" in warning
