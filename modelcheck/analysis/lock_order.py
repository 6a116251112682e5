"""Lock order: who asks for which lock while holding which, and what keeps the cycles in that apart (SEMANTICS A6).

An *edge* is a request, a thread that gets to a blocking acquisition: from each lock instance that it holds to the one
that it asks for. A *cycle* is a ring of edges of pairwise different threads in which each asks for an instance that
the next one holds, one of the two for writing; where a writer bars readers before it has the lock, two readers may be
linked by such a writer, which is then one more thread of the ring. Requests come from the local views of a model
(order_requests.py) or from the records of a running kernel (order_records.py); nothing here knows which.

After Havelund, "Using runtime analysis to guide model checking of Java programs" (SPIN 2000; Goodlock), and its
generalisation to gate locks (Bensalem and Havelund, 2005). What is new: the search was complete, so that a cycle is
known to be a reachable deadlock, or to be kept apart by a lock, or by no lock. Cost: Python over a few hundred views.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, pairwise, product
from typing import Literal

from modelcheck.analysis.cycles import cycles_of_length, cyclic_part, largest_component
from modelcheck.language.model import Location
from modelcheck.semantics.questions import Held

CYCLES_AT_MOST = 2_000
WAYS_AT_MOST = 20_000

Instance = tuple[str, tuple[int, ...]]
Verdict = Literal["reachable", "gated", "kept apart", "one thread", "undecided"]

Basis = Literal["every state", "some states", "records"]
"""What the requests were seen in. Only of every state is it known that there are no others; what records show is told
as what these records show."""

UNKNOWN = "unknown"
"""The mode of a lock that was held before the record began: it may close a cycle, but is no gate."""


@dataclass(frozen=True)
class Recorded:
    """Where a request of a record stands: the innermost function, its line, and where each lock held was taken."""

    function: str
    line: int
    taken: tuple[tuple[Held, str], ...] = ()


@dataclass(frozen=True)
class Request:
    """A thread at a blocking acquisition.

    `bars`: it has announced itself and waits for the readers. `queues`: were it a reader, such a writer would bar it.
    """

    thread: int
    place: Location | Recorded
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

    @property
    def classes(self) -> tuple[str, str]:
        """The class of the lock that it holds, and of the one that it asks for."""
        return self.held.lock, self.request.wants[0]


@dataclass(frozen=True)
class Way:
    """One way to put a cycle together: its edges, the writers between two readers, and the gates that exclude it."""

    edges: tuple[Edge, ...]
    writers: tuple[Request, ...]
    gates: frozenset[Instance]

    @property
    def requests(self) -> tuple[Request, ...]:
        """What the threads of the ring ask for."""
        return (*(edge.request for edge in self.edges), *self.writers)

    @property
    def threads(self) -> tuple[int, ...]:
        """The threads of the ring."""
        return tuple(request.thread for request in self.requests)

    def holders(self, gate: Instance) -> tuple[tuple[Request, Held], ...]:
        """Return who of the ring holds an instance, and in which mode."""
        return tuple((r, h) for r in self.requests for h in r.held if (h.lock, h.index) == gate)


@dataclass(frozen=True)
class Cycle:
    """A cycle of lock classes with its verdict; `gates` are the classes of the locks that keep it apart.

    `smaller` is a reachable circular wait among its classes. Of a state in which some of the threads of a ring wait for
    each other only that smaller ring is told, so that "kept apart" then means: apart but for such states.
    """

    classes: tuple[str, ...]
    verdict: Verdict
    gates: tuple[str, ...]
    ways: tuple[Way, ...]
    smaller: tuple[str, ...] = ()

    @property
    def instances(self) -> tuple[str, ...]:
        """The instances that alone keep every way apart, as an expectation may write them: `device_lock[0]`."""
        common = frozenset.intersection(*(way.gates for way in self.ways))
        return tuple(sorted(lock + "".join(f"[{value}]" for value in index) for lock, index in common))

    @property
    def is_gated_by_one(self) -> bool:
        """Whether each of the gates alone keeps every way apart; else each way has gates of its own."""
        return all(set(self.gates) <= {lock for lock, _ in way.gates} for way in self.ways)

    @property
    def shown(self) -> Way:
        """The way that a report shows: the first that no lock excludes, else the first."""
        return next((way for way in self.ways if not way.gates), self.ways[0])


@dataclass(frozen=True)
class Order:
    """The lock order of one scenario: all edges, all cycles, and who reads again what it reads already.

    `capped`: there are more cycles of instances than are looked at, so some may be missing here. `basis` says what the
    requests were seen in.
    """

    edges: tuple[Edge, ...]
    cycles: tuple[Cycle, ...]
    recursive: tuple[Edge, ...]
    capped: bool = False
    basis: Basis = "every state"


def lock_order(
    requests: tuple[Request, ...], rings: frozenset[tuple[str, ...]], basis: Basis = "every state"
) -> Order:
    """Return the lock order that the requests show.

    `rings` are the reachable circular waits as cycles of lock classes (`canonical`).
    """
    edges = tuple(Edge(r, h) for r in requests if not r.bars for h in r.held)
    found = _Cycles(requests, edges)
    for instances in found.of_instances():
        found.add(instances)
    cycles = []
    for classes in sorted(found.ways):
        ways, alone = found.ways[classes], found.alone[classes]
        if ways:
            seen_all = basis if classes not in found.capped else "some states"
            verdict, gates = _verdict(ways, seen_all, reached=classes in rings)
            smaller = min((r for r in rings if r and set(r) < set(classes)), default=())
            cycles.append(Cycle(classes, verdict, gates, tuple(ways), smaller))
        elif alone:
            cycles.append(Cycle(classes, "one thread", (), tuple(alone)))
    again = (e for e in edges if e.source == e.request.wants and _both_read(e, e))
    recursive = tuple(e for e in again if e.request.queues)
    return Order(edges, tuple(cycles), recursive, found.more, basis)


def canonical(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the rotation of a cycle that begins with its smallest name."""
    return min((classes[i:] + classes[:i] for i in range(len(classes))), default=())


def nesting(edge: Edge) -> str:
    """Return how an edge of a class to itself is shown: same instance, rising index or falling index."""
    if edge.held.lock != edge.request.wants[0]:
        return ""
    if edge.held.index == edge.request.wants[1]:
        return "same instance"
    return "rising index" if edge.held.index < edge.request.wants[1] else "falling index"


# --- cycles --------------------------------------------------------------------------------------


@dataclass
class _Cycles:
    """The ways to put cycles together, by the cycle of classes; `alone` are those of one thread.

    `capped` are the classes with more ways than are looked at; `more`: there are more cycles than are looked at.
    """

    requests: tuple[Request, ...]
    edges: tuple[Edge, ...]
    ways: dict[tuple[str, ...], list[Way]] = field(default_factory=dict)
    alone: dict[tuple[str, ...], list[Way]] = field(default_factory=dict)
    capped: set[tuple[str, ...]] = field(default_factory=set)
    more: bool = False

    def __post_init__(self) -> None:
        self.between: dict[tuple[Instance, Instance], list[Edge]] = {}
        for edge in self.edges:
            self.between.setdefault((edge.source, edge.request.wants), []).append(edge)

    def of_instances(self) -> Iterator[tuple[Instance, ...]]:
        """Yield the simple cycles of the graph of instances, short ones first, up to a stated number of a length."""
        graph = cyclic_part(self.between)
        longest = min(largest_component(graph), max(len({edge.request.thread for edge in self.edges}), 2))
        for length in range(1, longest + 1):
            found = list(islice(cycles_of_length(graph, length), CYCLES_AT_MOST + 1))
            yield from found[:CYCLES_AT_MOST]
            if len(found) > CYCLES_AT_MOST:
                # To get at the longer ones all shorter ones would be looked at again, and there may be any number.
                self.more = True
                return

    def add(self, instances: tuple[Instance, ...]) -> None:
        """Add every way to put one cycle of instances together."""
        classes = canonical(tuple(name for name, _ in instances))
        slots = [self.between[pair] for pair in pairwise((*instances, instances[0]))]
        found = list(islice(_ways(slots, self.requests), WAYS_AT_MOST + 1))
        if len(found) > WAYS_AT_MOST:
            self.capped.add(classes)
        self.ways.setdefault(classes, []).extend(found)
        self.alone.setdefault(classes, []).extend(_by_one_thread(slots))


Alike = tuple[Request, ...]
"""Requests of several threads that differ in nothing but the thread: for a way it is enough that there are some."""


def _alike(requests: Iterable[Request]) -> list[Alike]:
    found: dict[object, dict[int, Request]] = {}
    for request in requests:
        key = (request.wants, request.mode, request.held, request.queues, _standing(request.place))
        found.setdefault(key, {}).setdefault(request.thread, request)
    return [tuple(each.values()) for each in found.values()]


def _standing(place: Location | Recorded) -> object:
    """Return what is the same of a place in all threads that do the same: the line, and the calls that led there."""
    if isinstance(place, Recorded):
        return place.function
    calls = place.call.stack if place.call else ()
    return place.span, tuple((call.op, call.span) for call in calls)


def _ways(slots: list[list[Edge]], requests: tuple[Request, ...]) -> Iterator[Way]:
    """Yield every choice of edges of pairwise different threads, with a writer wherever two readers meet."""
    held_by = [
        [
            (held, alike)
            for held in dict.fromkeys(e.held for e in slot)
            for alike in _alike_holding(slot, held)
        ]
        for slot in slots
    ]
    barring = _alike(r for r in requests if r.bars)
    for chosen in product(*held_by):
        edges = [Edge(alike[0], held) for held, alike in chosen]
        meetings = [_meeting(e, f, barring) for e, f in pairwise((*edges, edges[0]))]
        for between in product(*meetings):
            writers = [alike for alike in between if alike is not None]
            several = [*(alike for _, alike in chosen), *writers]
            ring = _of_different_threads(several) if len(several) > 1 else ()
            if ring:
                first, rest = ring[: len(chosen)], ring[len(chosen) :]
                whole = tuple(Edge(r, held) for r, (held, _) in zip(first, chosen, strict=True))
                yield Way(whole, rest, _gates(ring))


def _alike_holding(slot: list[Edge], held: Held) -> list[Alike]:
    return _alike(edge.request for edge in slot if edge.held == held)


def _of_different_threads(several: list[Alike]) -> tuple[Request, ...]:
    """Return one request of each kind, of pairwise different threads; () if that cannot be."""
    chosen: list[Request] = []

    def choose(number: int) -> bool:
        if number == len(several):
            return True
        for request in several[number]:
            if all(request.thread != other.thread for other in chosen):
                chosen.append(request)
                if choose(number + 1):
                    return True
                chosen.pop()
        return False

    return tuple(chosen) if choose(0) else ()


def _meeting(edge: Edge, following: Edge, barring: list[Alike]) -> list[Alike | None]:
    """Return what links an edge to the following one, whose thread holds what it asks for: nothing, or a writer."""
    if not _both_read(edge, following):
        return [None]
    if not edge.request.queues:
        return []
    return [alike for alike in barring if alike[0].wants == edge.request.wants]


def _both_read(edge: Edge, following: Edge) -> bool:
    return edge.request.mode == "read" and following.held.mode == "read"


def _by_one_thread(slots: list[list[Edge]]) -> list[Way]:
    """Return the cycle as one thread alone makes it, one way a thread."""
    if len(slots) < 2:
        return []
    found = []
    for thread in sorted({edge.request.thread for edge in slots[0]}):
        own = [[edge for edge in slot if edge.request.thread == thread] for slot in slots]
        if all(own):
            found.append(Way(tuple(edges[0] for edges in own), (), frozenset()))
    return found


def _gates(ring: tuple[Request, ...]) -> frozenset[Instance]:
    """Return the lock instances that two threads of the ring hold, at least one of them exclusively."""
    return excluded_by(tuple(request.held for request in ring))


def excluded_by(held_by_each: Iterable[tuple[Held, ...]]) -> frozenset[Instance]:
    """Return the lock instances because of which different threads cannot hold these locks at the same time."""
    holders: dict[Instance, list[str]] = {}
    for all_held in held_by_each:
        # A thread may hold one instance in both modes: that is one holder.
        own: dict[Instance, set[str]] = {}
        for held in all_held:
            own.setdefault((held.lock, held.index), set()).add("write" if held.alone else held.mode)
        for instance, modes in own.items():
            holders.setdefault(instance, []).append("write" if "write" in modes else "read")
    return frozenset(lock for lock, modes in holders.items() if len(modes) > 1 and "write" in modes)


def _verdict(ways: list[Way], basis: Basis, *, reached: bool) -> tuple[Verdict, tuple[str, ...]]:
    if reached:
        return "reachable", ()
    if basis == "some states":
        return "undecided", ()
    if not all(way.gates for way in ways):
        return ("kept apart" if basis == "every state" else "undecided"), ()
    classes = [{lock for lock, _ in way.gates} for way in ways]
    common = set.intersection(*classes) or set.union(*classes)
    return "gated", tuple(sorted(common))


# --- what a reader is told -----------------------------------------------------------------------


def by_classes(edges: tuple[Edge, ...]) -> Mapping[tuple[str, str], tuple[Edge, ...]]:
    """Return the edges by the classes of what is held and what is asked for, in the order of the names."""
    found: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        found.setdefault(edge.classes, []).append(edge)
    return {pair: tuple(found[pair]) for pair in sorted(found)}
