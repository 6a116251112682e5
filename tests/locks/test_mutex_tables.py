"""Truth tables of mutex, of its forms that signals end, and of percpu_rwsem (SEMANTICS A9)."""

from __future__ import annotations

import pytest

from tests.locks.tables import check_table, model_of_any_verb
from tests.transcript import Golden

PERCPU = (
    "percpu_down_read(l)",
    "percpu_down_read_trylock(l)",
    "percpu_up_read(l)",
    "percpu_down_write(l)",
    "percpu_up_write(l)",
)

TABLES = {
    "mutex": ("mutex l;", ("mutex_lock(l)", "mutex_trylock(l)", "mutex_unlock(l)", "mutex_is_locked(l)")),
    "mutex_signals": (
        "mutex l;",
        (
            "mutex_lock_interruptible(l)",
            "mutex_lock_killable(l)",
            "mutex_unlock(l)",
            "signal(a)",
            "fatal_signal(a)",
            "flush_signals()",
        ),
    ),
    "percpu_rwsem": ("percpu_rwsem l;", PERCPU),
    "percpu_rwsem_handover": ("percpu_rwsem l handover;", PERCPU),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_verb_does_in_every_state_what_the_table_says(name: str, golden: Golden) -> None:
    declaration, calls = TABLES[name]
    check_table(name, model_of_any_verb(declaration, calls), update=golden.updating)
