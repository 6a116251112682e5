"""Lock order: who asks for which lock while holding which, and what keeps the cycles in that apart (SEMANTICS A6).

An *edge* is a thread's local view where it gets to a blocking acquisition: from each lock instance that it holds to
the one that it asks for. A *cycle* is a ring of edges of pairwise different threads in which each asks for an instance
that the next one holds, one of the two for writing; where a writer bars readers before it has the lock, two readers
may be linked by such a writer, which is then one more thread of the ring.

After Havelund, "Using runtime analysis to guide model checking of Java programs" (SPIN 2000; Goodlock), and its
generalisation to gate locks (Bensalem and Havelund, 2005). What is new: the search was complete, so that a cycle is
known to be a reachable deadlock, or to be kept apart by a lock, or by no lock. Cost: Python over a few hundred views.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise, product
from typing import Literal

from modelcheck.analysis.finding import instance_name
from modelcheck.language.model import Location, Lock, Thread, jump_targets
from modelcheck.locks import PRIMITIVES
from modelcheck.semantics.expressions import Undefined
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Held, LocalView
from modelcheck.semantics.transition_system import index_values
from modelcheck.source import Span

CYCLES_AT_MOST = 2_000
WAYS_AT_MOST = 20_000

Instance = tuple[str, tuple[int, ...]]
Verdict = Literal["reachable", "gated", "kept apart", "one thread", "undecided"]


@dataclass(frozen=True)
class Request:
    """A thread's local view at a blocking acquisition.

    `bars`: it has announced itself and waits for the readers. `queues`: were it a reader, such a writer would bar it.
    """

    thread: int
    location: Location
    wants: Instance
    mode: str
    held: tuple[Held, ...]
    bars: bool = False
    queues: bool = True


@dataclass(frozen=True)
class Edge:
    """The thread of the request holds `held` where it asks."""

    request: Request
    held: Held

    @property
    def source(self) -> Instance:
        """The instance that it holds."""
        return self.held.lock, self.held.index


@dataclass(frozen=True)
class Way:
    """One way to put a cycle together: its edges, the writers between two readers, and the gates that exclude it."""

    edges: tuple[Edge, ...]
    writers: tuple[Request, ...]
    gates: frozenset[Instance]

    @property
    def threads(self) -> tuple[int, ...]:
        """The threads of the ring."""
        return (*(e.request.thread for e in self.edges), *(w.thread for w in self.writers))


@dataclass(frozen=True)
class Cycle:
    """A cycle of lock classes with its verdict; `gates` are the classes of the locks that keep it apart."""

    classes: tuple[str, ...]
    verdict: Verdict
    gates: tuple[str, ...]
    ways: tuple[Way, ...]

    @property
    def instances(self) -> tuple[str, ...]:
        """The instances that alone keep every way apart, as an expectation may write them: `device_lock[0]`."""
        common = frozenset.intersection(*(way.gates for way in self.ways))
        return tuple(sorted(lock + "".join(f"[{value}]" for value in index) for lock, index in common))

    @property
    def shown(self) -> Way:
        """The way that a report shows: the first that no lock excludes, else the first."""
        return next((way for way in self.ways if not way.gates), self.ways[0])


@dataclass(frozen=True)
class Order:
    """The lock order of one scenario: all edges, all cycles, and who reads again what it reads already."""

    edges: tuple[Edge, ...]
    cycles: tuple[Cycle, ...]
    recursive: tuple[Edge, ...]


def lock_order(
    interpreter: Interpreter,
    views: frozenset[LocalView],
    rings: frozenset[tuple[str, ...]],
    *,
    complete: bool,
) -> Order:
    """Return the lock order that the local views show.

    `rings` are the reachable circular waits as cycles of lock classes (`canonical`).
    """
    requests = _requests(interpreter, views)
    edges = tuple(Edge(r, h) for r in requests if not r.bars for h in r.held)
    ways: dict[tuple[str, ...], list[Way]] = {}
    alone: dict[tuple[str, ...], list[Way]] = {}
    capped: set[tuple[str, ...]] = set()
    for instances in _cycles_of_instances(edges):
        classes = canonical(tuple(name for name, _ in instances))
        found = list(islice(_ways(instances, edges, requests), WAYS_AT_MOST + 1))
        capped |= {classes} if len(found) > WAYS_AT_MOST else set()
        ways.setdefault(classes, []).extend(found)
        alone.setdefault(classes, []).extend(_by_one_thread(instances, edges))
    cycles = []
    for classes in sorted(ways):
        if ways[classes]:
            all_known = complete and classes not in capped
            verdict, gates = _verdict(ways[classes], reached=classes in rings, complete=all_known)
            cycles.append(Cycle(classes, verdict, gates, tuple(ways[classes])))
        elif alone[classes]:
            cycles.append(Cycle(classes, "one thread", (), tuple(alone[classes])))
    recursive = tuple(
        e for e in edges if e.source == e.request.wants and _both_read(e, e) and e.request.queues
    )
    return Order(edges, tuple(cycles), recursive)


def canonical(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the rotation of a cycle that begins with its smallest name."""
    return min((classes[i:] + classes[:i] for i in range(len(classes))), default=())


# --- what is asked for ---------------------------------------------------------------------------


def _requests(interpreter: Interpreter, views: frozenset[LocalView]) -> tuple[Request, ...]:
    found: dict[Request, None] = {}
    threads = interpreter.system.model.threads
    for view in sorted(
        views, key=lambda v: (v.thread, v.location, v.locals, [(h.lock, h.index, h.mode) for h in v.held])
    ):
        location = threads[view.thread].locations[view.location]
        verb = location.verb
        if verb is None or verb.action not in ("acquire", "announce"):
            continue
        for index in _indexes(interpreter, view, location):
            wants = (verb.at.lock.name, index)
            queues = _queues(threads[view.thread], verb.at.lock, view.held)
            request = Request(view.thread, location, wants, verb.mode, view.held, verb.bars, queues)
            found[request] = None
    return tuple(found)


def _queues(thread: Thread, lock: Lock, held: tuple[Held, ...]) -> bool:
    """Tell whether a reader waits here behind a writer that waits: who is in interrupt context may pass it."""
    in_interrupt = thread.handler is not None or PRIMITIVES["softirq"].domain in {h.lock for h in held}
    barred = PRIMITIVES[lock.kind].bars
    return barred == "all" or (barred == "threads" and not in_interrupt)


def _indexes(interpreter: Interpreter, view: LocalView, location: Location) -> tuple[tuple[int, ...], ...]:
    """Evaluate the index of the lock in the view; an index that reads shared data may be any."""
    assert location.verb is not None
    at = location.verb.at
    reads_shared = any(a.ref.var.kind == "shared" for a in location.accesses)
    if reads_shared:
        return tuple(index_values(at.lock.dimensions))
    state = list(interpreter.system.declared)
    for cell, value in view.locals:
        state[cell] = value
    state[interpreter.system.location_cells[view.thread]] = view.location
    try:
        return (tuple(interpreter.value(each, tuple(state)) for each in at.index),)
    except Undefined:
        return ()


# --- cycles --------------------------------------------------------------------------------------


def _cycles_of_instances(edges: tuple[Edge, ...]) -> Iterator[tuple[Instance, ...]]:
    """Yield the simple cycles of the graph of instances, short ones first, up to a stated number."""
    if {edge.source for edge in edges}.isdisjoint(edge.request.wants for edge in edges):
        return
    import networkx as nx

    graph: nx.DiGraph[Instance] = nx.DiGraph()
    graph.add_edges_from((edge.source, edge.request.wants) for edge in edges)
    longest = len({edge.request.thread for edge in edges})
    for length in range(1, max(longest, 2) + 1):
        cycles = (c for c in nx.simple_cycles(graph, length_bound=length) if len(c) == length)
        yield from sorted(canonical_instances(tuple(cycle)) for cycle in islice(cycles, CYCLES_AT_MOST))


def canonical_instances(cycle: tuple[Instance, ...]) -> tuple[Instance, ...]:
    """Return the rotation that begins with the smallest instance."""
    return min(cycle[i:] + cycle[:i] for i in range(len(cycle)))


def _between(edges: tuple[Edge, ...], source: Instance, target: Instance) -> list[Edge]:
    return [e for e in edges if e.source == source and e.request.wants == target]


def _slots(instances: tuple[Instance, ...], edges: tuple[Edge, ...]) -> list[list[Edge]]:
    return [_between(edges, a, b) for a, b in pairwise((*instances, instances[0]))]


def _ways(
    instances: tuple[Instance, ...], edges: tuple[Edge, ...], requests: tuple[Request, ...]
) -> Iterator[Way]:
    """Yield every choice of edges of pairwise different threads, with a writer wherever two readers meet."""
    for chosen in product(*_slots(instances, edges)):
        threads = [edge.request.thread for edge in chosen]
        if len(set(threads)) < len(threads):
            continue
        meetings = [_meeting(e, f, threads, requests) for e, f in pairwise((*chosen, chosen[0]))]
        for writers in product(*meetings):
            between = tuple(w for w in writers if w is not None)
            if len({w.thread for w in between}) == len(between) and len(threads) + len(between) > 1:
                yield Way(chosen, between, _gates(chosen, between))


def _meeting(
    edge: Edge, following: Edge, threads: list[int], requests: tuple[Request, ...]
) -> list[Request | None]:
    """Return what links an edge to the following one, whose thread holds what it asks for: nothing, or a writer."""
    if not _both_read(edge, following):
        return [None]
    if not edge.request.queues:
        return []
    return [r for r in requests if r.bars and r.wants == edge.request.wants and r.thread not in threads]


def _both_read(edge: Edge, following: Edge) -> bool:
    return edge.request.mode == "read" and following.held.mode == "read"


def _by_one_thread(instances: tuple[Instance, ...], edges: tuple[Edge, ...]) -> list[Way]:
    """Return the cycle as one thread alone makes it, one way a thread."""
    if len(instances) < 2:
        return []
    found: dict[int, Way] = {}
    for chosen in islice(product(*_slots(instances, edges)), WAYS_AT_MOST):
        threads = {edge.request.thread for edge in chosen}
        if len(threads) == 1:
            found.setdefault(min(threads), Way(chosen, (), frozenset()))
    return list(found.values())


def _gates(edges: tuple[Edge, ...], writers: tuple[Request, ...]) -> frozenset[Instance]:
    """Return the lock instances that two threads of the ring hold, at least one of them exclusively."""
    requests = (*(e.request for e in edges), *writers)
    holders: dict[Instance, list[str]] = {}
    for request in requests:
        for held in request.held:
            holders.setdefault((held.lock, held.index), []).append(held.mode)
    return frozenset(lock for lock, modes in holders.items() if len(modes) > 1 and "write" in modes)


def _verdict(ways: list[Way], *, reached: bool, complete: bool) -> tuple[Verdict, tuple[str, ...]]:
    if reached:
        return "reachable", ()
    if not complete:
        return "undecided", ()
    if not all(way.gates for way in ways):
        return "kept apart", ()
    classes = [{lock for lock, _ in way.gates} for way in ways]
    common = set.intersection(*classes) or set.union(*classes)
    return "gated", tuple(sorted(common))


# --- what a reader is told -----------------------------------------------------------------------


def nesting(edge: Edge) -> str:
    """Return how an edge of a class to itself is shown: same instance, rising index or falling index."""
    if edge.source[0] != edge.request.wants[0]:
        return ""
    if edge.source[1] == edge.request.wants[1]:
        return "same instance"
    return "rising index" if edge.source[1] < edge.request.wants[1] else "falling index"


def described(interpreter: Interpreter, edge: Edge) -> str:
    """Return an edge as a sentence: the thread, both locks with their source lines, and all else that it holds."""
    model = interpreter.system.model
    locks = {lock.name: lock for lock in model.locks}
    request = edge.request
    asked = _shown(locks, request.wants, request.mode)
    have = _shown(locks, edge.source, edge.held.mode)
    taken = ", ".join(str(span) for span in taken_at(interpreter, edge)) or "unknown"
    others = [_shown(locks, (h.lock, h.index), h.mode) for h in request.held if h != edge.held]
    also = f"; it also holds {', '.join(others)}" if others else ""
    order = f" ({nesting(edge)})" if nesting(edge) else ""
    thread = model.threads[request.thread].name
    return f"{thread} asks for {asked} at {request.location.span} while it holds {have}, taken at {taken}{order}{also}"


def described_writer(interpreter: Interpreter, request: Request) -> str:
    """Return a writer between two readers as a sentence."""
    model = interpreter.system.model
    locks = {lock.name: lock for lock in model.locks}
    thread, lock = model.threads[request.thread].name, _shown(locks, request.wants, "")
    return f"{thread} wants to write {lock} at {request.location.span}: it bars new readers while it waits for the old"


def _shown(locks: dict[str, Lock], instance: Instance, mode: str) -> str:
    lock = locks[instance[0]]
    several = len(PRIMITIVES[lock.kind].modes) > 1
    return instance_name(lock, instance[1]) + (f":{mode}" if mode and several else "")


def taken_at(interpreter: Interpreter, edge: Edge) -> tuple[Span, ...]:
    """Return the lines where the thread may have taken what it holds: the nearest acquisitions before the request.

    Found by walking the program graph backwards; a release of the lock ends the walk.
    """
    locations = interpreter.system.model.threads[edge.request.thread].locations
    before: dict[int, list[Location]] = {}
    for location in locations:
        for target in jump_targets(location.effects):
            before.setdefault(target, []).append(location)
    seen, todo = {edge.request.location.number}, [edge.request.location.number]
    found: dict[Span, None] = {}
    while todo:
        for location in before.get(todo.pop(), []):
            verb = location.verb
            concerned = verb is not None and verb.at.lock.name == edge.held.lock
            if (
                concerned
                and verb is not None
                and verb.action in ("acquire", "try")
                and verb.mode == edge.held.mode
            ):
                found[location.span] = None
            elif (
                not (concerned and verb is not None and verb.action == "release")
                and location.number not in seen
            ):
                seen.add(location.number)
                todo.append(location.number)
    return tuple(sorted(found, key=lambda span: (span.source.name, span.start)))
