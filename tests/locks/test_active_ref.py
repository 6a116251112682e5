"""What sets an active reference apart (SEMANTICS H1, dossier 1.6, B6, B23): getting one never waits, draining does."""

from __future__ import annotations

import pytest

from tests.checking import checked, found, names
from tests.locks.agreed import agreed

REMOVAL = """
model removal;
active_ref k;
mutex m;
op store() -> Errno {{
again:
    if (!kernfs_get_active(k)) {{ return -ENODEV; }}
    {take}
    mutex_unlock(m);
    kernfs_put_active(k);
    return 0;
}}
thread user {{ store(); }}
thread remover {{ kernfs_activate(k); mutex_lock(m); kernfs_drain(k); mutex_unlock(m); }}
"""


def test_draining_under_a_lock_that_a_callback_waits_for_is_a_deadlock() -> None:
    assert agreed(REMOVAL.format(take="mutex_lock(m);")) == {"circular_wait", "lock_order"}


def test_a_callback_that_tries_the_lock_and_starts_again_is_none() -> None:
    take = "if (!mutex_trylock(m)) { kernfs_put_active(k); goto again; }"
    assert agreed(REMOVAL.format(take=take)) == set()


def test_trying_again_without_giving_the_reference_back_never_succeeds() -> None:
    """The remover waits for the reference, the callback runs for ever: no circular wait, and no end."""
    report = checked(REMOVAL.format(take="while (!mutex_trylock(m)) { }"))
    assert names(report) == {"stuck", "cannot_finish"}


def test_there_is_no_reference_before_activation_and_after_draining() -> None:
    text = """
        model life; active_ref k;
        thread a {
            var got: bool;
            got = kernfs_get_active(k); assert(!got);
            kernfs_activate(k);
            got = kernfs_get_active(k); assert(got);
            kernfs_put_active(k);
            kernfs_drain(k);
            got = kernfs_get_active(k); assert(!got);
            kernfs_activate(k);
            got = kernfs_get_active(k); assert(got);
            kernfs_put_active(k);
        }
    """
    assert agreed(text) == set()


def test_a_write_that_comes_after_removal_gets_enodev_and_one_after_it_is_added_again_does_not() -> None:
    text = """
        model again; active_ref k;
        var removed: bool marked; var added: bool marked; var result: Errno marked;
        op store() -> Errno { if (!kernfs_get_active(k)) { return -ENODEV; } kernfs_put_active(k); return 0; }
        thread user {
            await(removed); result = store();
            await(added); result = store();
        }
        thread hotplug {
            kernfs_activate(k); kernfs_drain(k); removed = true;
            await(result != 0); kernfs_activate(k); added = true;
        }
        reachable enodev: result == ENODEV;
        invariant at_last: finished(user) implies result == 0;
    """
    assert agreed(text) == set()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("kernfs_put_active(k);", "puts an active reference that it does not hold"),
        ("kernfs_activate(k); kernfs_get_active(k);", "a ends while it still holds k"),
    ],
)
def test_misuse_of_an_active_reference_is_found(body: str, message: str) -> None:
    (finding,) = checked(f"model misuse; active_ref k; thread a {{ {body} }}").violations
    assert (finding.check, finding.message.rpartition(": ")[2]) == ("lock_rules", message)


def test_activating_what_is_being_drained_is_an_error_step() -> None:
    text = """
        model both; active_ref k;
        thread a { kernfs_activate(k); kernfs_drain(k); }
        thread b { kernfs_activate(k); }
    """
    assert agreed(text) == {"lock_rules"}


SELF_REMOVAL = """
model self_removal; active_ref k;
thread a {{
    kernfs_activate(k);
    if (kernfs_get_active(k)) {{ {before} kernfs_drain(k); {after} kernfs_put_active(k); }}
}}
"""


def test_a_callback_that_removes_its_own_file_waits_for_itself() -> None:
    report = checked(SELF_REMOVAL.format(before="", after=""))
    assert names(report) == {"circular_wait"}
    assert found(report, "circular_wait")[0].members == (0,)


def test_a_callback_that_breaks_its_protection_does_not() -> None:
    text = SELF_REMOVAL.format(
        before="kernfs_break_active_protection(k);", after="kernfs_unbreak_active_protection(k);"
    )
    assert agreed(text) == set()


def test_draining_waits_for_every_holder() -> None:
    text = """
        model every; active_ref k; var inside: 0..2 = 0 marked; var gone: bool marked;
        thread user[2] {
            if (kernfs_get_active(k)) { inside++; assert(!gone); inside--; kernfs_put_active(k); }
        }
        thread remover { kernfs_activate(k); kernfs_drain(k); gone = true; }
    """
    assert agreed(text) == set()


def test_who_drains_beside_another_does_not_wait_for_the_next_life() -> None:
    """The second drain ends with the first, even if the file is there again and somebody uses it."""
    text = """
        model lives; active_ref k; var asked: bool marked; var again: bool marked;
        thread first { kernfs_activate(k); await(asked); kernfs_drain(k); kernfs_activate(k);
                       if (kernfs_get_active(k)) { again = true; kernfs_put_active(k); } }
        thread second { asked = true; kernfs_drain(k); }
        reachable past_a_user: finished(second) && held(k, first);
    """
    report = checked(text)
    assert found(report, "reachable") == []
    assert found(report, "circular_wait") == []


def test_files_of_different_devices_are_different_instances() -> None:
    text = """
        model devices; type Block = 0..1; active_ref k[Block]; mutex m;
        thread user { if (kernfs_get_active(k[0])) { mutex_lock(m); mutex_unlock(m); kernfs_put_active(k[0]); } }
        thread remover { kernfs_activate(k[0]); mutex_lock(m); kernfs_drain(k[1]); mutex_unlock(m); }
    """
    assert agreed(text) == set()


def test_getting_a_reference_is_no_edge_of_the_lock_order() -> None:
    """Under m a reference is got, and under a reference m is taken: without a drain that is no cycle."""
    text = """
        model no_edge; active_ref k; mutex m;
        thread a {
            kernfs_activate(k);
            if (kernfs_get_active(k)) { mutex_lock(m); mutex_unlock(m); kernfs_put_active(k); }
        }
        thread b { mutex_lock(m); if (kernfs_get_active(k)) { kernfs_put_active(k); } mutex_unlock(m); }
    """
    report = checked(text)
    assert [f for f in report.findings if f.check == "lock_order"] == []
