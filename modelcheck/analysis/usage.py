"""Locks that a handler takes and that somebody holds with interrupts enabled, from local views (SEMANTICS H2).

If the handler interrupts that holder it spins for ever, so this is a violation whether or not the two meet in this
model. One of the two must be exclusive. The same holds along a chain: the handler asks for `a`, a thread that holds
`a` asks for `b`, and `b` is held with interrupts enabled; a chain that a gate keeps apart is none.

The rule and the words are lockdep's (kernel/locking/lockdep.c, 6.1: mark_usage, check_irq_usage): a lock is
IN-HARDIRQ if a handler waits for it (trying is not waiting), HARDIRQ-ON if it is held with interrupts enabled; the
same for soft interrupts. Unlike lockdep we look at lock instances, not at classes, and know the gates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelcheck.analysis.finding import Finding, instance_name
from modelcheck.analysis.lock_order import Edge, Instance, Request, excluded_by
from modelcheck.analysis.order_requests import lines_taken, requests_of
from modelcheck.engine.shortest import shortest_trace
from modelcheck.engine.sightings import Target
from modelcheck.engine.space import Space
from modelcheck.language.model import Location, Lock
from modelcheck.result.trace import Trace, Witnesses
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Held, LocalView
from modelcheck.semantics.transition_system import State

USAGE = "usage"
"""With this word begins the cause of a finding of this file; then come the kind of handler, the locks of the chain."""

_WORDS = {
    "irq": ("an irq handler", "interrupts", "HARDIRQ"),
    "softirq": ("a softirq handler", "soft interrupts", "SOFTIRQ"),
}


@dataclass(frozen=True)
class Side:
    """A thread stands at a location and wants a lock, with these locks held; or (None) with just these held.

    `text` says it for a reader.
    """

    thread: int
    location: int
    held: tuple[Held, ...]
    wants: Instance | None
    text: str

    def shown_in(self, interpreter: Interpreter, state: State) -> bool:
        """Tell whether the state shows it."""
        if state[interpreter.system.location_cells[self.thread]] != self.location:
            return False
        held = interpreter.held(state, self.thread)
        if held != self.held and (self.wants is None or not set(self.held) <= set(held)):
            return False
        verb = interpreter.location(state, self.thread).verb
        if self.wants is None or verb is None:
            return True
        return tuple(interpreter.value(each, state) for each in verb.at.index) == self.wants[1]


@dataclass(frozen=True)
class Misuse:
    """A lock that a handler asks for, the locks asked for along the chain (none if it is the lock itself), the sides.

    Of each side there are alternatives, of which the nearest is shown.
    """

    kind: str
    locks: tuple[str, ...]
    bits: str
    sides: tuple[tuple[Side, ...], ...]


def usage_findings(interpreter: Interpreter, views: frozenset[LocalView]) -> tuple[Finding, ...]:
    """Return one finding for each lock, or pair of locks, with the shortest runs that show it (one more search)."""
    found = list(_distinct(Uses(interpreter, views).misuses()))
    if not found:
        return ()
    runs = iter(_runs_to(interpreter, [side for misuse in found for side in misuse.sides]))
    return tuple(_finding(interpreter, misuse, [next(runs) for _ in misuse.sides]) for misuse in found)


def _distinct(misuses: Iterator[Misuse]) -> Iterator[Misuse]:
    """Leave out what has the cause of one before, and soft interrupts where interrupts are the same trouble."""
    seen: set[tuple[str, ...]] = set()
    for misuse in misuses:
        if (misuse.locks[0], misuse.locks[-1]) not in seen:
            seen.add((misuse.locks[0], misuse.locks[-1]))
            yield misuse


class Uses:
    """Who asks for and holds what, in handlers and outside."""

    def __init__(self, interpreter: Interpreter, views: frozenset[LocalView]) -> None:
        self._interpreter = interpreter
        self._threads = interpreter.system.model.threads
        self._locks: dict[str, Lock] = {lock.name: lock for lock in interpreter.system.model.locks}
        # Who asks for a sleeping lock with a spinlock held, or in a handler, is told that.
        asked = requests_of(interpreter, views) if any(t.handler for t in self._threads) else ()
        self._requests = [r for r in asked if not r.bars and not _place(r).sleeps]
        self._views = sorted({(v.thread, v.location, v.held) for v in views if v.held}, key=_key)

    def misuses(self) -> Iterator[Misuse]:
        """Yield every misuse: of interrupts before soft interrupts, of one lock before chains."""
        for kind in ("irq", "softirq"):
            for request in self._requests:
                handler = self._threads[request.thread].handler
                if handler is not None and handler.kind == kind:
                    yield from self._of_one(kind, request)
        for kind in ("irq", "softirq"):
            for request in self._requests:
                handler = self._threads[request.thread].handler
                if handler is not None and handler.kind == kind:
                    yield from self._chains(kind, request, request, ())

    def _of_one(self, kind: str, request: Request) -> Iterator[Misuse]:
        holders = tuple(self._holders(kind, request))
        if holders:
            inside = (self._in_handler(kind, request),)
            bits = (
                f"{_bit(kind, request.mode, inside=True)} and {_bit(kind, holders[0][1].mode, inside=False)}"
            )
            yield Misuse(kind, (request.wants[0],), bits, (inside, tuple(side for side, _ in holders)))

    def _chains(self, kind: str, first: Request, last: Request, path: tuple[Edge, ...]) -> Iterator[Misuse]:
        """Extend a chain of requests, each by a thread that holds what the one before asks for."""
        for request in self._requests:
            taken = {first.wants, *(edge.request.wants for edge in path)}
            if request.wants in taken or request.thread in (e.request.thread for e in path):
                continue
            for held in request.held:
                if (held.lock, held.index) == last.wants and not last.mode == held.mode == "read":
                    yield from self._through(kind, first, (*path, Edge(request, held)))

    def _through(self, kind: str, first: Request, path: tuple[Edge, ...]) -> Iterator[Misuse]:
        last = path[-1].request
        busy = {edge.request.thread for edge in path}
        sets = [edge.request.held for edge in path]
        if excluded_by(sets):
            return
        holders = tuple(
            side
            for side, _ in self._holders(kind, last)
            if side.thread not in busy and not excluded_by([*sets, side.held])
        )
        if holders:
            asks = tuple((self._asks(edge),) for edge in path)
            locks = (first.wants[0], *(edge.request.wants[0] for edge in path))
            _, _, word = _WORDS[kind]
            bits = f"{word}-safe -> {word}-unsafe"
            yield Misuse(kind, locks, bits, ((self._in_handler(kind, first),), *asks, holders))
        yield from self._chains(kind, first, last, path)

    def _holders(self, kind: str, request: Request) -> Iterator[tuple[Side, Held]]:
        """Yield who holds what is asked for with interrupts of this kind enabled, one of the two exclusively."""
        off = {"interrupts_off"} if kind == "irq" else {"interrupts_off", "softirqs_off"}
        for thread, location, helds in self._views:
            for held in helds:
                conflicting = not request.mode == held.mode == "read"
                if (
                    (held.lock, held.index) == request.wants
                    and conflicting
                    and off.isdisjoint(h.lock for h in helds)
                ):
                    yield self._holds(kind, thread, location, helds, held), held

    # --- sentences -------------------------------------------------------------------------------

    def _in_handler(self, kind: str, request: Request) -> Side:
        name, at = self._threads[request.thread].name, _place(request).span
        text = f"{name} asks for {self._name(request.wants)} at {at}, in {_WORDS[kind][0]}"
        return Side(request.thread, _place(request).number, request.held, request.wants, text)

    def _asks(self, edge: Edge) -> Side:
        request = edge.request
        text = (
            f"{self._threads[request.thread].name} asks for {self._name(request.wants)} at {_place(request).span} "
            f"while it holds {self._name(edge.source)}"
        )
        return Side(request.thread, _place(request).number, request.held, request.wants, text)

    def _holds(self, kind: str, thread: int, location: int, helds: tuple[Held, ...], held: Held) -> Side:
        place = self._threads[thread].locations[location]
        edge = Edge(Request(thread, place, ("", ()), "", helds), held)
        taken = ", ".join(map(str, lines_taken(self._interpreter, edge))) or "unknown"
        name = self._name(edge.source)
        text = f"{self._threads[thread].name} holds {name}, taken at {taken}, with {_WORDS[kind][1]} enabled"
        return Side(thread, location, helds, None, text)

    def _name(self, instance: Instance) -> str:
        return instance_name(self._locks[instance[0]], instance[1])


def _place(request: Request) -> Location:
    assert isinstance(request.place, Location)
    return request.place


def _key(view: tuple[int, int, tuple[Held, ...]]) -> tuple[int, int, list[tuple[str, tuple[int, ...], str]]]:
    thread, location, held = view
    return thread, location, [(h.lock, h.index, h.mode) for h in held]


def _bit(kind: str, mode: str, *, inside: bool) -> str:
    """Return a state of a lock in lockdep's notation."""
    word, letter = _WORDS[kind][2], "W" if mode == "write" else "R"
    return f"{{IN-{word}-{letter}}}" if inside else f"{{{word}-ON-{letter}}}"


# --- evidence ------------------------------------------------------------------------------------


def _finding(interpreter: Interpreter, misuse: Misuse, runs: Sequence[tuple[Trace, Side]]) -> Finding:
    first, last = misuse.locks[0], misuse.locks[-1]
    handler, interrupts, _ = _WORDS[misuse.kind]
    if len(misuse.locks) == 1:
        what = f"inconsistent lock state of {first}, {misuse.bits}"
        message = f"{what}: taken in {handler}, held with {interrupts} enabled"
    else:
        message = (
            f"{misuse.bits} lock order: {first} is taken in {handler}, {last} is asked for while {first} is held, "
            f"and held elsewhere with {interrupts} enabled"
        )
    sides = tuple(side for _, side in runs)

    def shows(trace: Trace) -> bool:
        wanted = [side for run, side in runs if run == trace]
        return bool(wanted) and all(side.shown_in(interpreter, trace.last) for side in wanted)

    return Finding(
        check="lock_rules",
        name="lock_rules",
        weight="violation",
        message=message,
        cause=(USAGE, misuse.kind, *misuse.locks),
        evidence=Witnesses(tuple(run for run, _ in runs)),
        members=tuple(sorted({side.thread for side in sides})),
        span=interpreter.system.model.threads[sides[-1].thread].locations[sides[-1].location].span,
        details=tuple(side.text for side in sides),
        claim=shows,
    )


def _runs_to(interpreter: Interpreter, wanted: Sequence[tuple[Side, ...]]) -> list[tuple[Trace, Side]]:
    """Return for each set of alternatives the shortest run that shows one: the search has seen them."""
    space = Space(len(interpreter.system.model.threads))
    for state, _, _ in interpreter.initial_states():
        if state is not None:
            space.add(state)
    found: dict[int, tuple[Trace, Side]] = {}
    while len(found) < len(wanted):
        assert space.expanded < len(space), "the views were seen"
        level = space.start_level()
        for number, sides in enumerate(wanted):
            if number not in found:
                targets = [Target(n) for n in level if _shown(interpreter, space.states[n], sides)]
                if targets:
                    trace, _ = shortest_trace(interpreter, space, targets)
                    side = _shown(interpreter, trace.last, sides)
                    assert side is not None
                    found[number] = trace, side
        for number in level:
            space.start_edges()
            for step in interpreter.successors(space.states[number]):
                if step.target is not None:
                    known = space.numbers.get(step.target)
                    space.add_edge(step.thread, space.add(step.target) if known is None else known)
    return [found[number] for number in range(len(wanted))]


def _shown(interpreter: Interpreter, state: State, sides: tuple[Side, ...]) -> Side | None:
    return next((side for side in sides if side.shown_in(interpreter, state)), None)
