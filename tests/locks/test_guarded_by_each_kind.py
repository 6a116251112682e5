"""The five forms of guarded_by (SEMANTICS H4) with each kind of lock and mode that a thread can hold."""

from __future__ import annotations

import pytest

from tests.checking import checked, found

HELD = {
    "mutex": ("mutex l;", "mutex_lock(l);", "mutex_unlock(l);", True),
    "spinlock": ("spinlock l;", "spin_lock(l);", "spin_unlock(l);", True),
    "percpu_rwsem:write": ("percpu_rwsem l;", "percpu_down_write(l);", "percpu_up_write(l);", True),
    "percpu_rwsem:read": ("percpu_rwsem l;", "percpu_down_read(l);", "percpu_up_read(l);", False),
    "srcu": ("srcu l;", "srcu_read_lock(l);", "srcu_read_unlock(l);", False),
    "refcount": ("refcount l: 0..1 = 0 owned;", "refcount_set(l, 1);", "refcount_dec_and_test(l);", False),
    "active_ref": (
        "active_ref l;",
        "kernfs_activate(l); if (kernfs_get_active(l)) {",
        "kernfs_put_active(l); }",
        False,
    ),
    "work": ("work l;", "queue_work(l); if (try_start_work(l)) {", "finish_work(l); }", True),
}
"""Kind and mode -> declaration, taking it, giving it back, and whether it is held for writing."""

WRITE, READ, MARKED = "x = 1;", "if (x == 0) { skip; }", "if (READ_ONCE(x) == 0) { skip; }"
UNGUARDED = 'unguarded("not published") x = 1;'


def forbidden(kind: str, rule: str, access: str, *, more: str = "", held: bool = True) -> bool:
    """Tell whether an access is a finding, with the lock held or not; `more` are other locks taken around it."""
    declaration, take, release, _ = HELD[kind]
    if not held:
        take = release = ""
    before, after = {
        "": ("", ""),
        "o": ("spin_lock(o);", "spin_unlock(o);"),
        "rcu": (SECTION[0], SECTION[1]),
    }[more]
    text = f"""
        model guarded; {declaration} spinlock o; var x: 0..1 {rule};
        thread one {{ {before} {take} {access} {release} {after} }}
        thread two {{ {SECTION[0]} {SECTION[1]} }}
    """
    return bool(found(checked(text), "guarded_by"))


SECTION = ("rcu_read_lock();", "rcu_read_unlock();")


@pytest.mark.parametrize("kind", HELD)
def test_guarded_by_wants_it_for_writing_to_write_and_at_all_to_read(kind: str) -> None:
    assert forbidden(kind, "guarded_by l", WRITE) is not HELD[kind][3]
    assert not forbidden(kind, "guarded_by l", READ)
    assert forbidden(kind, "guarded_by l", WRITE, held=False)
    assert forbidden(kind, "guarded_by l", READ, held=False)
    assert forbidden(kind, "guarded_by l", MARKED, held=False)


@pytest.mark.parametrize("kind", HELD)
def test_guarded_by_two_wants_both_to_write_and_one_to_read(kind: str) -> None:
    assert forbidden(kind, "guarded_by (l, o)", WRITE)
    assert forbidden(kind, "guarded_by (l, o)", WRITE, more="o") is not HELD[kind][3]
    assert not forbidden(kind, "guarded_by (l, o)", READ)
    assert not forbidden(kind, "guarded_by (l, o)", READ, more="o", held=False)
    assert forbidden(kind, "guarded_by (l, o)", READ, held=False)


@pytest.mark.parametrize("kind", HELD)
def test_write_guarded_by_lets_marked_reads_be(kind: str) -> None:
    assert forbidden(kind, "write_guarded_by l", WRITE) is not HELD[kind][3]
    assert not forbidden(kind, "write_guarded_by l", MARKED, held=False)
    assert forbidden(kind, "write_guarded_by l", READ, held=False)
    assert not forbidden(kind, "write_guarded_by l", READ)


@pytest.mark.parametrize("kind", HELD)
def test_rcu_guarded_by_lets_readers_be_in_a_section(kind: str) -> None:
    assert forbidden(kind, "rcu_guarded_by l", WRITE) is not HELD[kind][3]
    assert forbidden(kind, "rcu_guarded_by l", WRITE, more="rcu", held=False)
    assert not forbidden(kind, "rcu_guarded_by l", READ, more="rcu", held=False)
    assert not forbidden(kind, "rcu_guarded_by l", READ)
    assert forbidden(kind, "rcu_guarded_by l", READ, held=False)
    assert forbidden(kind, "rcu_guarded_by l", MARKED, held=False)


@pytest.mark.parametrize(
    "rule", ["guarded_by l", "guarded_by (l, o)", "write_guarded_by l", "rcu_guarded_by l"]
)
@pytest.mark.parametrize("kind", HELD)
def test_what_is_not_yet_published_is_exempt(kind: str, rule: str) -> None:
    assert not forbidden(kind, rule, UNGUARDED, held=False)


def test_nothing_may_be_written_under_a_read_section_alone() -> None:
    text = "model only; var x: bool guarded_by rcu; thread a {{ rcu_read_lock(); {} rcu_read_unlock(); }}"
    assert found(checked(text.format("x = true;")), "guarded_by") != []
    assert found(checked(text.format("if (x) { skip; }")), "guarded_by") == []
