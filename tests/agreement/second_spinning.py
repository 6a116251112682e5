"""Spinlocks and what switches interrupts off in the second opinion, read from SEMANTICS H1 and H2."""

from __future__ import annotations

from tests.agreement.second_cells import DEEPEST, LockCells, Step
from tests.agreement.second_numbers import WrongError
from tests.agreement.second_sections import mutex_lock, mutex_trylock, mutex_unlock
from tests.agreement.second_values import as_int

GUARDS = {
    "spinlock": ("spin_lock", "spin_unlock"),
    "spinlock_try": ("spin_trylock", "spin_unlock"),
    "spinlock_irq": ("spin_lock_irq", "spin_unlock_irq"),
    "spinlock_irqsave": ("spin_lock_irqsave", "spin_unlock_irqrestore"),
    "spinlock_bh": ("spin_lock_bh", "spin_unlock_bh"),
}
FIELDS = {"spinlock": ("owner",)}
PER_THREAD = frozenset(("saved",))
SAVING = ("spinlock", "rwlock", "seqlock")
"""The kinds that keep, in a model that switches interrupts off, whether they were off."""


def irqs(value: int | None, *, saving: bool = False) -> Step:
    """Return what switches interrupts off or on (None: to what was saved), and keeps what they were."""

    def switch(cells: LockCells) -> int:
        key = ("interrupts_off.off", cells.memory.me)
        old = as_int(cells.memory.read(key, True))
        if value is None:
            cells.memory.put(key, cells.get("saved", cells.memory.me))
            cells.set("saved", 0, cells.memory.me)
            return 0
        if saving:
            cells.set("saved", old, cells.memory.me)
        cells.memory.put(key, value)
        return old

    return switch


def bhs(change: int, *, strict: bool = True) -> Step:
    """Return what switches soft interrupts off or on once more."""

    def switch(cells: LockCells) -> int:
        key = ("softirqs_off.off", cells.memory.me)
        new = as_int(cells.memory.read(key, True)) + change
        if (new < 0 and strict) or new > DEEPEST:
            raise WrongError
        cells.memory.put(key, max(new, 0))
        return 0

    return switch


def both(*parts: Step) -> Step:
    """Return one step that does all of these."""
    return lambda cells: max([0, *(part(cells) * 0 for part in parts)])


VERBS: dict[str, tuple[Step, ...]] = {
    "spin_lock": (mutex_lock,),
    "spin_trylock": (mutex_trylock,),
    "spin_unlock": (mutex_unlock,),
    "spin_is_locked": (lambda cells: int(cells.get("owner") != 0),),
    "spin_lock_irq": (irqs(1), mutex_lock),
    "spin_unlock_irq": (both(mutex_unlock, irqs(0)),),
    "spin_lock_irqsave": (irqs(1, saving=True), mutex_lock),
    "spin_unlock_irqrestore": (both(mutex_unlock, irqs(None)),),
    "spin_lock_bh": (bhs(1), mutex_lock),
    "spin_unlock_bh": (both(mutex_unlock, bhs(-1, strict=False)),),
    "local_irq_disable": (irqs(1),),
    "local_irq_enable": (irqs(0),),
    "local_irq_save": (irqs(1),),
    "local_bh_disable": (bhs(1),),
    "local_bh_enable": (bhs(-1),),
}
