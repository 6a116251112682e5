"""Lock-order cycles as findings: which are violations, warnings and notes, and how each is told (SEMANTICS A6, H14)."""

from __future__ import annotations

from collections.abc import Iterator

from modelcheck.analysis.finding import Finding, Weight, listed
from modelcheck.analysis.lock_order import Cycle, Edge, Order
from modelcheck.analysis.order_requests import ModelWords
from modelcheck.analysis.order_words import described, described_writer, gated_by
from modelcheck.language.model import Location
from modelcheck.semantics.interpreter import Interpreter

_WEIGHTS: dict[str, Weight] = {
    "reachable": "violation",
    "gated": "note",
    "kept apart": "warning",
    "one thread": "note",
    "undecided": "warning",
}


def order_findings(
    interpreter: Interpreter, order: Order, rings: dict[tuple[str, ...], Finding]
) -> Iterator[Finding]:
    """Yield one finding a cycle, and one for each lock that a thread reads again while it reads it.

    `rings` maps a cycle of classes to the circular wait along it.
    """
    for cycle in order.cycles:
        yield _cycle(interpreter, cycle, rings.get(cycle.classes))
    told = {cycle.classes for cycle in order.cycles}
    seen: set[tuple[str, str]] = set()
    for edge in order.recursive:
        key = (edge.held.lock, ModelWords(interpreter).place(edge.request))
        if (edge.held.lock,) not in told and key not in seen:
            seen.add(key)
            yield _recursive(interpreter, edge)


def _cycle(interpreter: Interpreter, cycle: Cycle, reached: Finding | None) -> Finding:
    words = ModelWords(interpreter)
    edges = (described(words, edge) for edge in cycle.shown.edges)
    writers = (described_writer(words, writer) for writer in cycle.shown.writers)
    return Finding(
        check="lock_order",
        name="lock_order",
        weight=_WEIGHTS[cycle.verdict],
        message=f"{_between(cycle.classes)}: {_told(cycle)}",
        cause=cycle.classes,
        evidence=reached.evidence if reached else None,
        members=reached.members if reached else tuple(sorted(cycle.shown.threads)),
        ring=reached.ring if reached else cycle.shown.threads,
        details=(*edges, *writers),
        claim=reached.claim if reached else None,
    )


def _between(classes: tuple[str, ...]) -> str:
    distinct = list(dict.fromkeys(classes))
    if len(classes) == 1:
        return f"{distinct[0]} is read again by a thread that reads it, with a writer in between"
    if len(distinct) == 1:
        return f"instances of {distinct[0]} are taken in contradictory orders"
    return f"{listed(distinct)} are taken in contradictory orders"


def _told(cycle: Cycle) -> str:
    match cycle.verdict:
        case "reachable":
            return "a reachable deadlock"
        case "gated":
            return f"never a deadlock, {gated_by(cycle)}"
        case "kept apart" if cycle.smaller:
            return f"no deadlock is reachable but that of {listed(cycle.smaller)}; no lock keeps the threads apart"
        case "kept apart":
            return "no deadlock is reachable, but no lock keeps the threads apart (fragile)"
        case "one thread":
            return "by one thread only"
        case "undecided":
            return "not decided, the search is not complete"


def _recursive(interpreter: Interpreter, edge: Edge) -> Finding:
    thread = interpreter.system.model.threads[edge.request.thread]
    assert isinstance(edge.request.place, Location)
    lock, span = edge.held.lock, edge.request.place.span
    return Finding(
        check="lock_order",
        name="lock_order",
        weight="warning",
        message=f"{thread.name} reads {lock} again while it reads it: a deadlock with any writer in between",
        cause=("recursive read", lock, str(span)),
        members=(thread.number,),
        span=span,
        details=(described(ModelWords(interpreter), edge),),
    )
