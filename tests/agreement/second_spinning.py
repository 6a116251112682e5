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
        kept = cells.get("saved", cells.memory.me) if saving or value is None else 0
        nests = cells.lock.kind == "rwlock"
        if value is None:
            cells.memory.put(key, kept % 2)
            cells.set("saved", kept // 2 if nests else 0, cells.memory.me)
            return 0
        if saving:
            cells.set("saved", (2 * kept * nests + old) % (1 << DEEPEST), cells.memory.me)
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


def forms(take: str, steps: tuple[Step, ...], back: str, give: Step) -> dict[str, tuple[Step, ...]]:
    """Return all forms of a verb and of the one that gives back."""
    return {
        take: steps,
        back: (give,),
        f"{take}_irq": (irqs(1), *steps),
        f"{back}_irq": (both(give, irqs(0)),),
        f"{take}_irqsave": (irqs(1, saving=True), *steps),
        f"{back}_irqrestore": (both(give, irqs(None)),),
        f"{take}_bh": (bhs(1), *steps),
        f"{back}_bh": (both(give, bhs(-1, strict=False)),),
    }


VERBS: dict[str, tuple[Step, ...]] = {
    **forms("spin_lock", (mutex_lock,), "spin_unlock", mutex_unlock),
    "spin_lock_nested": (mutex_lock,),
    "spin_trylock": (mutex_trylock,),
    "spin_is_locked": (lambda cells: int(cells.get("owner") != 0),),
    "local_irq_disable": (irqs(1),),
    "local_irq_enable": (irqs(0),),
    "local_irq_save": (irqs(1),),
    "local_irq_restore": (lambda cells: irqs(cells.lock.given)(cells),),
    "local_bh_disable": (bhs(1),),
    "local_bh_enable": (bhs(-1),),
}
