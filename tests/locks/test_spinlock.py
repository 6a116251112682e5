"""Spinlocks: what each verb does in every state, and what a holder may not do (SEMANTICS A9, H2)."""

from __future__ import annotations

import pytest

from tests.checking import checked, found, names
from tests.locks.tables import check_table, model_of_any_verb


@pytest.fixture
def updating(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


TABLES = {
    "spinlock": ("spin_lock", "spin_trylock", "spin_unlock", "spin_is_locked"),
    "spinlock_irq": ("spin_lock_irq", "spin_unlock_irq"),
    "spinlock_irqsave": ("spin_lock_irqsave", "spin_unlock_irqrestore", "local_irq_enable()"),
    "spinlock_bh": ("spin_lock_bh", "spin_unlock_bh"),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_verb_does_what_the_table_says(name: str, updating: bool) -> None:
    calls = [verb if "(" in verb else f"{verb}(l)" for verb in TABLES[name]]
    check_table(name, model_of_any_verb("spinlock l;", calls), update=updating)


def test_who_holds_a_spinlock_may_not_sleep() -> None:
    report = checked(
        """
        spinlock s; mutex m; var x: bool = false marked;
        thread t { spin_lock(s); mutex_lock(m); mutex_unlock(m); spin_unlock(s); }
        thread u { spin_lock(s); await(x); spin_unlock(s); }
        thread v { x = true; }
        """
    )
    assert sorted(finding.message for finding in found(report, "lock_rules")) == [
        "t may sleep at test.mck:3 (mutex_lock(m)) with s held",
        "u may sleep at test.mck:4 (await(x)) with s held",
    ]


def test_who_spins_or_tries_does_not_sleep() -> None:
    report = checked(
        """
        spinlock s; spinlock q; mutex m; var x: bool = false marked;
        thread t { spin_lock(s); while (!x) { } if (mutex_trylock(m)) { mutex_unlock(m); } spin_lock(q); spin_unlock(q);
                   spin_unlock(s); }
        thread u { x = true; }
        """
    )
    assert set() == names(report)


def test_a_guard_takes_the_lock_with_interrupts_off_and_puts_them_back() -> None:
    report = checked(
        """
        spinlock s;
        thread t {
            { guard(spinlock_irqsave)(s); assert(irqs_disabled()); }
            assert(!irqs_disabled());
            local_irq_disable();
            { guard(spinlock_irqsave)(s); skip; }
            assert(irqs_disabled());
            local_irq_enable();
            scoped_guard(spinlock_irq, s) { assert(irqs_disabled()); }
            assert(!irqs_disabled());
        }
        """
    )
    assert set() == names(report)


def test_locking_twice_and_unlocking_what_another_holds_are_errors() -> None:
    twice = checked("spinlock s; thread t { spin_lock_irq(s); spin_lock(s); }")
    assert [finding.message for finding in found(twice, "lock_rules")] == [
        "t, test.mck:1, `spin_lock(s)`: locks a spinlock that it holds already (self-deadlock)"
    ]
    others = checked(
        "spinlock s; thread t { spin_lock(s); spin_unlock(s); } thread u { spin_unlock_irq(s); }"
    )
    assert [finding.message for finding in found(others, "lock_rules")] == [
        "u, test.mck:1, `spin_unlock_irq(s)`: unlocks a spinlock that it does not hold"
    ]


def test_two_spinlocks_in_contradictory_orders_are_a_circular_wait() -> None:
    report = checked(
        """
        spinlock a; spinlock b;
        thread t { spin_lock_irq(a); spin_lock(b); spin_unlock(b); spin_unlock_irq(a); }
        thread u { spin_lock_irq(b); spin_lock(a); spin_unlock(a); spin_unlock_irq(b); }
        """
    )
    assert {"circular_wait", "lock_order"} == names(report)


def test_interrupts_off_are_no_gate() -> None:
    """That two threads run with interrupts off keeps them apart on one CPU, not on two."""
    report = checked(
        """
        spinlock a; spinlock b; var x: bool = false marked;
        thread t { spin_lock_irq(a); x = true; spin_lock(b); spin_unlock(b); spin_unlock_irq(a); }
        thread u { if (x) { spin_lock_irq(b); if (spin_trylock(a)) { spin_unlock(a); } spin_unlock_irq(b); } }
        thread w { if (!x) { spin_lock_irq(b); if (!x) { skip; spin_lock(a); spin_unlock(a); } spin_unlock_irq(b); } }
        """
    )
    assert "interrupts_off" not in "".join(finding.message for finding in found(report, "lock_order"))
    assert {"circular_wait", "lock_order"} == names(report)
