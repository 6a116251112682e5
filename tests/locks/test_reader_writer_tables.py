"""The truth tables of rwsem, rwlock and seqlock: what each verb does in each state (SEMANTICS A9, H1)."""

from __future__ import annotations

import pytest

from tests.locks.tables import check_table, model_of_any_verb
from tests.transcript import Golden

TAKING = ("down_read(s)", "up_read(s)", "down_write(s)", "up_write(s)")
TABLES = {
    "rwsem": model_of_any_verb("rwsem s;", TAKING),
    "rwsem_try": model_of_any_verb(
        "rwsem s;",
        (
            "down_read_trylock(s)",
            "down_write_trylock(s)",
            "downgrade_write(s)",
            "up_read(s)",
            "down_write(s)",
        ),
    ),
    "rwsem_killable": model_of_any_verb(
        "rwsem s;",
        ("down_read_killable(s)", "down_write_killable(s)", "fatal_signal(a)"),
    ),
    "rwsem_interruptible": model_of_any_verb(
        "rwsem s;", ("down_read_interruptible(s)", "down_write(s)", "signal(a)")
    ),
    "rwsem_handover": model_of_any_verb(
        "rwsem s handover;", ("down_read(s)", "up_read_non_owner(s)", "down_write(s)", "up_write(s)")
    ),
    "rwlock": model_of_any_verb(
        "rwlock s;", ("read_lock(s)", "read_unlock(s)", "write_lock(s)", "write_unlock(s)")
    ),
    "rwlock_bh": model_of_any_verb("rwlock s;", ("read_lock_bh(s)", "read_unlock_bh(s)", "write_lock(s)")),
    "rwlock_irqsave": model_of_any_verb(
        "rwlock s;", ("read_lock_irqsave(s)", "read_unlock_irqrestore(s)", "local_irq_disable()"), ("a",)
    ),
    "seqlock": model_of_any_verb(
        "seqlock s;", ("read_seqbegin(s)", "read_seqretry(s)", "write_seqlock(s)", "write_sequnlock(s)")
    ),
    "seqlock_beside_excl": model_of_any_verb("seqlock s;", ("read_seqbegin(s)", "read_seqlock_excl(s)")),
    "seqlock_excl": model_of_any_verb(
        "seqlock s;",
        ("write_seqlock(s)", "write_sequnlock(s)", "read_seqlock_excl(s)", "read_sequnlock_excl(s)"),
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_each_verb_does_in_each_state_what_the_table_says(name: str, golden: Golden) -> None:
    check_table(name, TABLES[name], update=golden.updating)
