"""Truth tables of the forms of a verb that differ in their name, or in what they switch off; no verb is without one."""

from __future__ import annotations

import pytest

from modelcheck.locks import VERBS
from tests.locks.tables import FOLDER, check_table, model_of_any_verb
from tests.transcript import Golden

_ONE = ("a",)


def _form(kind: str, pairs: str, threads: tuple[str, ...] = ("a", "b")) -> str:
    """Return the model of a lock whose verbs are given as a list of words."""
    return model_of_any_verb(f"{kind} l;", [f"{verb}(l)" for verb in pairs.split()], threads)


TABLES = {
    "mutex_nested": model_of_any_verb("mutex l;", ("mutex_lock_nested(l, 1)", "mutex_unlock(l)")),
    "spinlock_nested": model_of_any_verb("spinlock l;", ("spin_lock_nested(l, 1)", "spin_unlock(l)")),
    "rwsem_nested": model_of_any_verb(
        "rwsem l;", ("down_read_nested(l, 1)", "up_read(l)", "down_write_nested(l, 1)", "up_write(l)")
    ),
    "rwlock_try": _form("rwlock", "read_trylock read_unlock write_trylock write_unlock"),
    "rwlock_irq": _form("rwlock", "read_lock_irq read_unlock_irq write_lock_irq write_unlock_irq"),
    "rwlock_write_irqsave": _form("rwlock", "write_lock_irqsave write_unlock_irqrestore"),
    "rwlock_write_bh": _form("rwlock", "write_lock_bh write_unlock_bh"),
    "percpu_rwsem_asked": _form(
        "percpu_rwsem",
        "percpu_is_write_locked percpu_is_read_locked percpu_down_read percpu_up_read percpu_down_write "
        "percpu_up_write",
    ),
    "seqlock_irq": _form(
        "seqlock", "write_seqlock_irq write_sequnlock_irq read_seqlock_excl_irq read_sequnlock_excl_irq"
    ),
    "seqlock_irqsave": _form("seqlock", "write_seqlock_irqsave write_sequnlock_irqrestore"),
    "seqlock_excl_irqsave": _form("seqlock", "read_seqlock_excl_irqsave read_sequnlock_excl_irqrestore"),
    "seqlock_bh": _form(
        "seqlock", "write_seqlock_bh write_sequnlock_bh read_seqlock_excl_bh read_sequnlock_excl_bh"
    ),
    "task_resting": model_of_any_verb(
        "spinlock l;", ("cpu_relax()", "cond_resched()", "msleep(1)", "spin_lock(l)", "spin_unlock(l)"), _ONE
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_each_form_does_in_each_state_what_the_table_says(name: str, golden: Golden) -> None:
    check_table(name, TABLES[name], update=golden.updating)


def test_each_verb_stands_in_a_table() -> None:
    shown = {word for path in FOLDER.glob("*.table") for word in path.read_text(encoding="utf-8").split()}
    assert sorted(verb for verb in VERBS if verb not in shown) == []
