"""How a reader is told about a lock order: the names and places of a model or a record, and sentences made of them."""

from __future__ import annotations

from typing import Protocol

from modelcheck.analysis.finding import listed
from modelcheck.analysis.lock_order import Cycle, Edge, Instance, Request, nesting


class Words(Protocol):
    """How a reader is told about threads, locks and places; a model and a record each have their own."""

    def thread(self, number: int) -> str:
        """Return the thread's name."""
        ...

    def task(self, number: int) -> str:
        """Return the thread with a number, as a kernel's reports name a task."""
        ...

    def lock(self, instance: Instance, mode: str = "") -> str:
        """Return the instance, with its mode where the lock has more than one."""
        ...

    def op(self, request: Request) -> str:
        """Return the innermost op or function in which the thread asks; "" if it is in none."""
        ...

    def place(self, request: Request) -> str:
        """Return where the thread asks, as a reader clicks on it."""
        ...

    def taken(self, edge: Edge) -> str:
        """Return where the thread took what it holds."""
        ...


def described(words: Words, edge: Edge) -> str:
    """Return an edge as a sentence: the thread, both locks with their source lines, and all else that it holds."""
    request = edge.request
    asked = words.lock(request.wants, request.mode)
    have = words.lock(edge.source, edge.held.mode)
    others = [words.lock((h.lock, h.index), h.mode) for h in request.held if h != edge.held]
    also = f"; it also holds {', '.join(others)}" if others else ""
    order = f" ({nesting(edge)})" if nesting(edge) else ""
    asks = f"{words.thread(request.thread)} asks for {asked} at {words.place(request)}"
    return f"{asks} while it holds {have}, taken at {words.taken(edge)}{order}{also}"


def gated_by(cycle: Cycle) -> str:
    """Return the gates of a cycle and, if there are several, whether each does alone or each way has its own."""
    if not cycle.is_gated_by_one:
        return f"gated by {listed(cycle.gates)}, in each way by one of them"
    return f"gated by {listed(cycle.gates)}" + (", each of which suffices" * (len(cycle.gates) > 1))


def described_writer(words: Words, request: Request) -> str:
    """Return a writer between two readers as a sentence."""
    thread, lock = words.thread(request.thread), words.lock(request.wants)
    return f"{thread} wants to write {lock} at {words.place(request)}: it bars new readers while it waits for the old"
