"""Interrupt handlers in the second opinion, read from SEMANTICS H2: who is suspended, when a handler may start."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from modelcheck.language import syntax as s
from tests.agreement.second_items import Item
from tests.agreement.second_values import Key, Value

HARD, SOFT = "interrupts_off.off", "softirqs_off.off"
IDLE, BACK = "idle", "back"
"""The stack of a handler that waits for an interrupt, and what lies under its body."""

Cells = Mapping[Key, Value]


@dataclass
class Interrupts:
    """The handlers of a file by thread number: the kind and whom each may interrupt; and how many threads there are."""

    handlers: dict[int, tuple[str, str, tuple[int, ...]]] = field(default_factory=dict)
    threads: int = 0
    domains: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Interrupts:
        """Return those of a text: its domains are there if a word of theirs is."""
        hard = re.search(r"_irq|irq_|irqsave|irq handler|irqs_disabled", text)
        soft = re.search(r"_bh|softirq handler", text)
        return cls(domains=(*([HARD] if hard else []), *([SOFT] if soft else [])))

    def first(self) -> dict[Key, Value]:
        """Return the first values of all cells."""
        found: dict[Key, Value] = {(name, t): 0 for name in self.domains for t in range(self.threads)}
        names = [name for _, name, _ in self.handlers.values()]
        return found | {(f"{name}.{part}",): 0 for name in names for part in ("on", "idle")}

    def running(self, cells: Cells, kind: str, thread: int) -> list[int]:
        """Return the handlers of a kind that run on the thread's CPU."""
        return [h for h, (k, n, _) in self.handlers.items() if k == kind and cells[f"{n}.on",] == thread + 1]

    def suspended(self, cells: Cells, me: int) -> bool:
        if me not in self.handlers:
            there = (*self.running(cells, "irq", me), *self.running(cells, "softirq", me))
            return any(not cells[f"{self.handlers[h][1]}.idle",] for h in there)
        kind, name, _ = self.handlers[me]
        on = cells[f"{name}.on",]
        return (
            kind == "softirq" and isinstance(on, int) and on > 0 and bool(self.running(cells, "irq", on - 1))
        )

    def may_start(self, cells: Cells, me: int, thread: int) -> bool:
        """Tell whether the handler may start on the thread's CPU: interrupts are enabled there (decision 0009)."""
        hard, soft = (self.running(cells, kind, thread) for kind in ("irq", "softirq"))
        there = soft[0] if soft else thread
        if hard or cells.get((HARD, there)):
            return False
        return self.handlers[me][0] == "irq" or not (soft or cells.get((SOFT, there)))

    def finds_idle(self, cells: Cells, thread: int, has_cpu: Callable[[int], bool]) -> bool:
        """Tell whether a handler that starts on the thread's CPU interrupts nobody there."""
        soft = self.running(cells, "softirq", thread)
        return bool(cells[f"{self.handlers[soft[0]][1]}.idle",]) if soft else not has_cpu(thread)

    def switched(self, cells: dict[Key, Value], me: int, on: int, *, idle: bool = False) -> None:
        """Note that the handler runs in the place of a thread (its number and 1), or 0 that it has returned."""
        kind, name, _ = self.handlers[me]
        cells[f"{name}.on",] = on
        cells[f"{name}.idle",] = int(idle)
        for domain in (HARD, SOFT) if kind == "irq" else (SOFT,):
            if domain in self.domains:
                cells[domain, me] = int(on > 0)


def spins(item: Item, node: s.Node) -> bool:
    """Tell whether a thread that is blocked here spins: it is in a spin_lock of some form."""
    verb = (
        str(item.extra[1]) if item.kind == "again" else re.sub(r"\W.*", "", node.span.text, flags=re.DOTALL)
    )
    guard = isinstance(node, s.Guard | s.ScopedGuard) and node.kind.startswith("spinlock")
    return verb.startswith("spin_lock") or guard
