"""Truth tables of rcu, srcu, refcount, active_ref and work: each row is read against SEMANTICS H1."""

from __future__ import annotations

import pytest

from modelcheck.semantics.transition_system import transition_system
from tests.agreement.futures import Futures
from tests.agreement.shapes import disagreement, explored, model_of
from tests.locks.tables import check_table, model_of_any_verb
from tests.transcript import Golden

RCU = ("rcu_read_lock()", "rcu_read_unlock()", "synchronize_rcu()")
SRCU = ("srcu_read_lock(s)", "srcu_read_unlock(s)", "synchronize_srcu(s)")
COUNTS = ("refcount_inc(r)", "refcount_inc_not_zero(r)", "refcount_dec(r)", "refcount_dec_and_test(r)")
ACTIVE = ("kernfs_activate(k)", "kernfs_get_active(k)", "kernfs_put_active(k)", "kernfs_drain(k)")
BREAKING = (*ACTIVE[1:], "kernfs_break_active_protection(k)", "kernfs_unbreak_active_protection(k)")
RUNNING = ("queue_work(w)", "start_work(w)", "try_start_work(w)", "finish_work(w)")

TABLES = {
    "rcu": ("", RCU),
    "srcu": ("srcu s;", SRCU),
    "refcount": ("refcount r: 0..3 = 1;", (*COUNTS, "refcount_set(r, 2)")),
    "refcount_owned": ("refcount r: 0..2 = 1 owned;", (*COUNTS, "refcount_set(r, 1)")),
    "active_ref": ("active_ref k;", ACTIVE),
    "active_ref_breaking": ("active_ref k;", ("kernfs_activate(k)", *BREAKING)),
    "work_running": ("work w;", RUNNING),
    "work_flushing": ("work w;", ("queue_work(w)", "start_work(w)", "finish_work(w)", "flush_work(w)")),
    "work_cancelling": (
        "work w;",
        ("queue_work(w)", "start_work(w)", "finish_work(w)", "cancel_work_sync(w)"),
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_verb_does_in_every_state_what_its_table_says(name: str, golden: Golden) -> None:
    declaration, calls = TABLES[name]
    check_table(name, model_of_any_verb(declaration, calls), update=golden.updating)


WAITING = (*RUNNING, "flush_work(w)", "cancel_work_sync(w)")
EXHAUSTED = {name: each for name, each in TABLES.items() if name != "refcount_owned"} | {
    "work": ("work w;", WAITING)
}


def straight(name: str) -> str:
    """Return a model of two threads that do any two or three of the verbs, one after the other, and end."""
    declaration, calls = EXHAUSTED[name]
    any_verb = "either " + " or ".join(f"{{ {call}; }}" for call in calls)
    return f"{declaration}\nthread a {{ {any_verb * 3} }}\nthread b {{ {any_verb * 2} }}\n"


@pytest.mark.parametrize("name", EXHAUSTED)
def test_the_second_opinion_says_the_same_of_every_verb_in_every_state(name: str) -> None:
    assert disagreement(straight(name), 20_000) == ""


@pytest.mark.parametrize("name", EXHAUSTED)
def test_nobody_in_a_circular_wait_ever_moves_again(name: str) -> None:
    futures = Futures(explored(transition_system(model_of(straight(name))), 20_000))
    caught = [(state, t) for state, knot in futures.knots.items() for t in knot.members]
    assert [(state, t) for state, t in caught if futures.moves[state] >> t & 1] == []
    assert bool(caught) is (not name.startswith("refcount"))
