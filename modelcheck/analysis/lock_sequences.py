"""The lock sequences and lock-order edges of a log, against the program graphs: no interleavings (`conform --order`).

Each thread's program graph is read as an automaton over its visible events, without the instances of locks and without
arguments, results and conditions (a superset of what it can do). A thread's sequence that this does not accept cannot
be accepted by any search either. An edge a -> b says that b was got, or asked for, while a was held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from modelcheck.engine.seen_next import kind_and_name
from modelcheck.language.model import (
    Assign,
    Crossing,
    Effects,
    Either,
    Emit,
    Jump,
    Location,
    Model,
    Test,
    Thread,
)
from modelcheck.logs.log import Item, Log
from modelcheck.semantics.observable import got

Outcome = tuple[tuple[str, ...], bool, int]
"""Events from here to the end of a step, whether it changes a lock, and the location it leads to."""

Edge = tuple[str, str]

MOST_PLACES = 200_000
"""Places with what is held there, of one thread; with more its edges are not told."""


@dataclass(frozen=True)
class Mismatch:
    """A sequence that the program graph does not have: the events of the thread since its outermost call began."""

    thread: str
    line: int
    events: tuple[str, ...]
    allowed: tuple[str, ...]


@dataclass(frozen=True)
class OrderReport:
    """What the comparison found. `times` says how often each mismatch (by its events) was seen."""

    logs: int
    events: int
    mismatches: tuple[Mismatch, ...]
    times: tuple[int, ...]
    edges: tuple[Edge, ...]
    only_log: tuple[Edge, ...]
    only_model: tuple[Edge, ...]

    @property
    def exit_code(self) -> int:
        """0 if the specification has all that the logs have."""
        return 1 if self.mismatches or self.only_log else 0


@dataclass
class _Found:
    mismatches: dict[tuple[str, ...], Mismatch] = field(default_factory=dict)
    times: Counter[tuple[str, ...]] = field(default_factory=Counter)
    edges: dict[Edge, None] = field(default_factory=dict)


def compared(model: Model, logs: tuple[Log, ...]) -> OrderReport:
    """Compare the logs, whose names were checked, with the model."""
    found = _Found()
    model_edges: dict[Edge, None] = {}
    automata: dict[tuple[str, frozenset[str]], _Automaton] = {}
    for log in logs:
        for name in log.threads:
            key = (name, log.hidden)
            if key not in automata:
                thread = next(t for t in model.threads if t.name == name)
                automata[key] = _Automaton(thread, log.hidden)
                model_edges.update(dict.fromkeys(automata[key].edges()))
            own = [item for item in log.items if item.thread == name and item.event]
            _follow(found, automata[key], own)
            found.edges.update(dict.fromkeys(_edges(own)))
    return OrderReport(
        logs=len(logs),
        events=sum(bool(item.event) for log in logs for item in log.items),
        mismatches=tuple(found.mismatches.values()),
        times=tuple(found.times[key] for key in found.mismatches),
        edges=tuple(sorted(set(found.edges) & set(model_edges))),
        only_log=tuple(sorted(set(found.edges) - set(model_edges))),
        only_model=tuple(sorted(set(model_edges) - set(found.edges))),
    )


def letter(event: str) -> str:
    """Return an event without instance, arguments and result: what the automata are over."""
    kind, name = kind_and_name(event)
    match kind:
        case "+":
            mode = event.rpartition(":")[2] if ":" in event else ""
            return f"+{name}:{mode}" if mode else f"+{name}"
        case "-" | "!":
            return kind + name
        case "emit":
            return f"emit {name}"
        case "enter":
            return f"{name}()"
        case _:
            return f"{name}="


# --- the program graph as an automaton -----------------------------------------------------------


class _Automaton:
    """The visible events of one thread, by its program graph."""

    def __init__(self, thread: Thread, hidden: frozenset[str]) -> None:
        self._thread = thread
        self._hidden = hidden
        self._outcomes = [tuple(self._of(location)) for location in thread.locations]
        starts = self._walk(thread.start, {((), False, thread.end)})
        self.start = self.closed({(target, events) for events, _, target in starts})

    def closed(self, places: set[tuple[int, tuple[str, ...]]]) -> frozenset[tuple[int, tuple[str, ...]]]:
        """Return the places that are reached without an event; a place is a location with events still to come."""
        found, waiting = set(places), list(places)
        while waiting:
            location, pending = waiting.pop()
            if pending:
                continue
            for events, target in self._outcomes[location]:
                if (target, events) not in found:
                    found.add((target, events))
                    waiting.append((target, events))
        return frozenset(found)

    def after(
        self, places: frozenset[tuple[int, tuple[str, ...]]], event: str
    ) -> frozenset[tuple[int, tuple[str, ...]]]:
        """Return the places after an event; none if it cannot come."""
        return self.closed({(at, rest[1:]) for at, rest in places if rest and rest[0] == event})

    def edges(self) -> Iterator[Edge]:
        """Yield the edges of the lock order that the program graph has, whatever the conditions."""
        seen: set[tuple[int, tuple[str, ...]]] = set()
        waiting: list[tuple[int, tuple[str, ...]]] = []
        for location, events in self.start:
            held, more = _held_after((), events)
            yield from more
            waiting.append((location, held))
        while waiting and len(seen) < MOST_PLACES:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            for events, target in self._outcomes[here[0]]:
                held, more = _held_after(here[1], events)
                yield from more
                waiting.append((target, held))

    def _of(self, location: Location) -> Iterator[tuple[tuple[str, ...], int]]:
        if location.is_end:
            return
        for events, touched, target in self._walk(location.effects, set()):
            yield (*self._of_lock(location, touched=touched), *events), target

    def _of_lock(self, location: Location, *, touched: bool) -> tuple[str, ...]:
        verb = location.verb
        if verb is None or verb.at.lock.name in self._hidden:
            return ()
        name = verb.at.lock.name
        match verb.action:
            case "acquire":
                return (got(name, verb.mode),) if touched else ()
            case "try":
                return (got(name, verb.mode) if touched else f"!{name}",)
            case "release":
                return (f"-{name}",)
            case _:
                return ()

    def _walk(self, effects: Effects, rest: set[Outcome]) -> set[Outcome]:
        """Return the outcomes of effects, given those of what follows them; each is listed once."""
        for effect in reversed(effects):
            match effect:
                case Jump(target):
                    rest = {((), False, target)}
                case Crossing(call, leaves) if call.op not in self._hidden:
                    event = f"{call.op}=" if leaves else f"{call.op}()"
                    rest = {((event, *events), touched, target) for events, touched, target in rest}
                case Emit(name) if name not in self._hidden:
                    rest = {((f"emit {name}", *events), touched, target) for events, touched, target in rest}
                case Assign(ref) if ref.var.kind == "lock":
                    rest = {(events, True, target) for events, _, target in rest}
                case Test(_, then, otherwise):
                    rest = self._walk(then, rest) | self._walk(otherwise, rest)
                case Either(branches):
                    rest = {outcome for branch in branches for outcome in self._walk(branch, rest)}
                case _:
                    pass
        return rest


# --- a log's sequence ----------------------------------------------------------------------------


def _follow(found: _Found, automaton: _Automaton, items: list[Item]) -> None:
    """Let the automaton read a thread's events; after a mismatch go on where it could begin again."""
    places = automaton.start
    since: list[str] = []
    depth = 0
    lost = False
    for item in items:
        event = letter(item.event)
        kind = kind_and_name(item.event)[0]
        if depth == 0 and lost and automaton.after(automaton.start, event):
            since, lost = [], False
        elif depth == 0 and kind == "enter" and not lost:
            since = []
        depth += (kind == "enter") - (kind == "leave" and depth > 0)
        if lost:
            continue
        since.append(event)
        following = automaton.after(places, event)
        if following:
            places = following
            continue
        allowed = tuple(sorted({rest[0] for _, rest in places if rest}))
        key = (*since,)
        found.times[key] += 1
        found.mismatches.setdefault(key, Mismatch(item.thread, item.line, key, allowed))
        places, lost = automaton.start, True


def _edges(items: list[Item]) -> Iterator[Edge]:
    held: tuple[str, ...] = ()
    for item in items:
        held, more = _held_after(held, (letter(item.event),))
        yield from more


def _held_after(held: tuple[str, ...], events: tuple[str, ...]) -> tuple[tuple[str, ...], list[Edge]]:
    """Return what is held after some events, and the edges that they make. A try makes none in a model, nor here."""
    edges: list[Edge] = []
    for event in events:
        if event.startswith("+"):
            edges += ((each, event[1:]) for each in held)
            held = held if event[1:] in held else (*held, event[1:])
        elif event.startswith("-"):
            gone = next((each for each in reversed(held) if each.partition(":")[0] == event[1:]), None)
            if gone is not None:
                position = len(held) - 1 - held[::-1].index(gone)
                held = held[:position] + held[position + 1 :]
    return held, edges
