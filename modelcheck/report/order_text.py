"""The lock order as text: the edges class by class, and each cycle in the manner of a lockdep report.

What is told here is the same for a model and for the records of a kernel; locks_text.py adds what each has of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from modelcheck.analysis.finding import listed
from modelcheck.analysis.lock_order import Cycle, Edge, Order, Recorded, Request, Way, by_classes, nesting
from modelcheck.analysis.order_words import Words, described, described_writer, gated_by
from modelcheck.diagnostics import counted
from modelcheck.language.model import Location

NAMES_AT_MOST = 4
"""Of more threads or instances than this the rest is counted."""

GATINGS_AT_MOST = 4
"""Likewise of the ways whose gates are listed one by one."""

RULE = "=" * 60
THIN = "-" * 60


def few(names: list[str], at_most: int = NAMES_AT_MOST) -> str:
    """Return the names, of many only the first and how many more."""
    names = list(dict.fromkeys(names))
    if len(names) <= at_most:
        return ", ".join(names)
    return f"{', '.join(names[: at_most - 1])} and {len(names) - at_most + 1} more"


# --- edges ---------------------------------------------------------------------------------------


@dataclass
class _Line:
    """Edges that a reader is told of in one line: they differ in threads and instances only."""

    edges: list[Edge] = field(default_factory=list)


def edge_lines(order: Order, words: Words, times: Mapping[Request, int] | None = None) -> Iterator[str]:
    """Yield the graph: for each pair of classes who asks for the second while holding the first, and what else."""
    pairs = by_classes(order.edges)
    locks = {name for pair in pairs for name in pair}
    if not pairs:
        yield "no thread asks for a lock while it holds one"
        return
    classes = f"{len(locks)} lock class{'es' * (len(locks) != 1)}"
    yield f"lock order: {counted(len(pairs), 'edge')}, {classes}"
    for (first, then), edges in pairs.items():
        total = sum(times[r] for r in dict.fromkeys(e.request for e in edges)) if times is not None else 0
        yield f"{first} -> {then}" + (f"  ({counted(total, 'time')})" if times is not None else "")
        lines: dict[object, _Line] = {}
        for edge in edges:
            lines.setdefault(_key(words, edge), _Line()).edges.append(edge)
        yield from (f"  {_edge_line(words, line.edges)}" for line in lines.values())


def _key(words: Words, edge: Edge) -> object:
    place = edge.request.place
    where = (place.span, words.taken(edge)) if isinstance(place, Location) else (place.function,)
    return where, edge.held.mode, edge.request.mode, nesting(edge), _others(words, edge)


def _others(words: Words, edge: Edge) -> tuple[str, ...]:
    """Return what else the thread holds, by class and mode."""
    recorded = isinstance(edge.request.place, Recorded)  # of many instances: the class says enough
    others = (h for h in edge.request.held if h != edge.held)
    return tuple(sorted({h.lock if recorded else words.lock((h.lock, h.index), h.mode) for h in others}))


def _edge_line(words: Words, edges: list[Edge]) -> str:
    first = edges[0]
    threads = few([words.thread(edge.request.thread) for edge in edges])
    op = f" in {words.op(first.request)}" if words.op(first.request) else ""
    held = few([words.lock(edge.source, edge.held.mode) for edge in edges])
    asked = few([words.lock(edge.request.wants, edge.request.mode) for edge in edges])
    order = f" ({nesting(first)})" if nesting(first) else ""
    under = f", under {', '.join(_others(words, first))}" if _others(words, first) else ""
    place, taken = words.place(first.request), words.taken(first)
    return f"{threads}{op}: holds {held} ({taken}), asks for {asked} ({place}){order}{under}"


def recursive_lines(order: Order, words: Words) -> Iterator[str]:
    """Yield who reads again what it reads already: with any writer in between, a deadlock."""
    told = {c.classes for c in order.cycles}
    lines = {_key(words, e): e for e in reversed(order.recursive) if (e.held.lock,) not in told}
    for edge in reversed(list(lines.values())):
        name = words.thread(edge.request.thread)
        lock = words.lock(edge.source)
        yield f"{name} reads {lock} again at {words.place(edge.request)} while it reads it ({words.taken(edge)}):"
        yield "  a deadlock with any writer in between"


# --- cycles --------------------------------------------------------------------------------------


def verdict_told(cycle: Cycle, order: Order) -> str:
    """Return the verdict on a cycle in words."""
    here = ", in these records" if order.basis == "records" else ""
    match cycle.verdict:
        case "reachable":
            return "a reachable deadlock"
        case "gated":
            return f"never a deadlock{here}: {gated_by(cycle)}"
        case "kept apart" if cycle.smaller:
            return f"no deadlock is reachable but that of {listed(cycle.smaller)}; no lock keeps the threads apart"
        case "kept apart":
            return "no deadlock is reachable, but the threads are kept apart by no lock"
        case "one thread":
            return "no deadlock: all by one thread only"
        case "undecided" if order.basis == "records":
            return "no lock keeps the threads apart in these records: a deadlock unless something else does"
        case "undecided":
            return "undecided: the search is not complete"


def no_cycle_told(order: Order) -> str:
    """Return what it is worth that there is no cycle."""
    match order.basis:
        case "every state":
            return "no locks are taken in contradictory orders"
        case "some states":
            return "no locks are taken in contradictory orders in what was seen; the search is not complete"
        case "records":
            return "no locks are taken in contradictory orders in these records"


def cycle_lines(cycle: Cycle, order: Order, words: Words) -> Iterator[str]:
    """Yield one cycle: who asks for what while holding what, how that could become a deadlock, and the gates."""
    grave = "note" if cycle.verdict in ("gated", "one thread") else "WARNING"
    yield RULE
    yield f"{grave}: circular lock order {' -> '.join((*cycle.classes, cycle.classes[0]))}"
    yield f"{verdict_told(cycle, order)} (MC106)"
    yield THIN
    way = cycle.shown
    yield from _acquiring(way, words)
    yield ""
    yield "the existing dependency chain (in reverse order) is:"
    for number in range(len(way.edges) - 1, -1, -1):
        edge = way.edges[number - 1]
        yield f"-> #{number} ({words.lock(edge.request.wants, edge.request.mode)}):"
        yield f"     {described(words, edge)}"
    yield from (f"   and {described_writer(words, writer)}" for writer in way.writers)
    yield ""
    if cycle.verdict != "one thread":
        yield from unsafe_lines(way, words)
        yield f" *** {_stars(cycle)} ***"
        yield ""
    for request in way.requests:
        yield from _held_lines(request, words)
    yield from gate_lines(cycle, words)


def _stars(cycle: Cycle) -> str:
    match cycle.verdict:
        case "reachable":
            return "DEADLOCK"
        case "gated":
            return f"cannot happen under {listed(cycle.gates)}"
        case "kept apart" if cycle.smaller:
            return f"if reachable, then with the deadlock of {listed(cycle.smaller)}"
        case "kept apart":
            return "not reachable, but no lock excludes it"
        case _:
            return "possible, not decided"


def _acquiring(way: Way, words: Words) -> Iterator[str]:
    edge = way.edges[-1]
    request = edge.request
    yield f"{words.task(request.thread)} is trying to acquire lock:"
    yield f"  {words.lock(request.wants, request.mode)}, at {words.place(request)}"
    yield "but task is already holding lock:"
    yield f"  {words.lock(edge.source, edge.held.mode)}, taken at {words.taken(edge)}"
    yield "which lock already depends on the new lock."


def unsafe_lines(way: Way, words: Words) -> Iterator[str]:
    """Yield how the threads would meet: a column a thread, first what each has, then what each asks for."""
    requests = way.requests
    heads = [f"CPU{n} ({words.thread(r.thread)})" for n, r in enumerate(requests)]
    cells: list[tuple[int, str]] = [
        (n, _locked(words, edge.source, edge.held.mode)) for n, edge in enumerate(way.edges)
    ]
    writers = list(enumerate(way.writers, len(way.edges)))
    cells += [(n, f"{_locked(words, writer.wants, 'write')} // waits, bars readers") for n, writer in writers]
    cells += [(n, _locked(words, edge.request.wants, edge.request.mode)) for n, edge in enumerate(way.edges)]
    width = max(len(text) for text in (*heads, *(text for _, text in cells))) + 3
    yield "Possible unsafe locking scenario:"
    yield ""
    yield " " + "".join(head.ljust(width) for head in heads).rstrip()
    yield " " + "".join("----".ljust(width) for _ in heads).rstrip()
    for column, text in cells:
        yield " " + " " * (column * width) + text
    yield ""


def _locked(words: Words, instance: tuple[str, tuple[int, ...]], mode: str) -> str:
    return f"{'rlock' if mode == 'read' else 'lock'}({words.lock(instance)});"


def _held_lines(request: Request, words: Words) -> Iterator[str]:
    name = words.task(request.thread)
    yield f"{counted(len(request.held), 'lock')} held by {name}:"
    for number, held in enumerate(request.held):
        taken = words.taken(Edge(request, held))
        yield f" #{number}: {words.lock((held.lock, held.index), held.mode)}, taken at {taken}"


def gate_lines(cycle: Cycle, words: Words) -> Iterator[str]:
    """Yield the gates by instance, with who holds each in which mode; each way for itself if they differ."""
    if cycle.verdict != "gated":
        return
    told: dict[str, None] = {}
    for way in cycle.ways:
        for gate in sorted(way.gates):
            if not cycle.is_gated_by_one or gate[0] in cycle.gates:
                holders = [f"{words.thread(r.thread)} ({held.mode})" for r, held in way.holders(gate)]
                told[f"gate {words.lock(gate)}: held by {listed(holders)}"] = None
    yield ""
    yield from list(told)[:GATINGS_AT_MOST]
    if len(told) > GATINGS_AT_MOST:
        yield f"and {len(told) - GATINGS_AT_MOST} more by other threads or instances"
