"""The lock sequences and lock-order edges of a log, against the program graphs: no interleavings (`conform --order`).

Each thread's program graph is read as an automaton over its visible events, without the instances of locks and without
arguments, results and conditions (a superset of what it can do). A thread's sequence that this does not accept cannot
be accepted by any search either. An edge a -> b says that b was got, or asked for, while a was held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

from modelcheck.engine.seen_next import kind_and_name
from modelcheck.language.model import (
    Assign,
    Crossing,
    Effects,
    Either,
    Emit,
    Jump,
    Location,
    Lock,
    Model,
    Test,
    Thread,
    Variable,
    VerbUse,
)
from modelcheck.logs.log import Item, Log
from modelcheck.semantics.observable import got
from modelcheck.semantics.seen_of_locks import can_be_refused, is_domain, modes_of, signs

Touched = tuple[tuple[Variable, frozenset[str]], ...]
"""Assignments to variables of locks, each with what it can do: make somebody a holder (+), end that (-)."""

Outcome = tuple[tuple[str, ...], Touched, int]
"""Calls and emitted events from here to the end of a step, what it does to locks, and the location it leads to."""

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
    automata: dict[tuple[str, frozenset[str]], Automaton] = {}
    for log in logs:
        for name in log.threads:
            key = (name, log.hidden)
            if key not in automata:
                thread = next(t for t in model.threads if t.name == name)
                automata[key] = Automaton(thread, model.locks, log.hidden)
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


class Automaton:
    """The visible events of one thread, by its program graph; `outcomes`: of each location, with where they lead."""

    def __init__(self, thread: Thread, locks: tuple[Lock, ...], hidden: frozenset[str]) -> None:
        self._thread = thread
        self._hidden = hidden
        self._locks = tuple(lock for lock in locks if lock.name not in hidden)
        self.outcomes = [tuple(self._of(location)) for location in thread.locations]
        starts = self._walk(thread.start, {((), (), thread.end)})
        self.start = self.closed({(target, events) for events, _, target in starts})

    def closed(self, places: set[tuple[int, tuple[str, ...]]]) -> frozenset[tuple[int, tuple[str, ...]]]:
        """Return the places that are reached without an event; a place is a location with events still to come."""
        found, waiting = set(places), list(places)
        while waiting:
            location, pending = waiting.pop()
            if pending:
                continue
            for events, target in self.outcomes[location]:
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
            for events, target in self.outcomes[here[0]]:
                held, more = _held_after(here[1], events)
                yield from more
                waiting.append((target, held))

    def _of(self, location: Location) -> Iterator[tuple[tuple[str, ...], int]]:
        if location.is_end:
            return
        for events, touched, target in self._walk(location.effects, set()):
            emitted_first = sorted(events, key=lambda each: not each.startswith("emit "))
            for seen in self._of_locks(location, touched):
                yield (*seen, *emitted_first), target

    def _of_locks(self, location: Location, touched: Touched) -> Iterator[tuple[str, ...]]:
        """Yield what a way through a statement may show of locks: those given back come before those got."""
        lost: list[list[tuple[str, ...]]] = []
        got_: list[list[tuple[str, ...]]] = []
        for lock in self._locks:
            own = [each for each in touched if each[0] in lock.fields.values()]
            if own or (location.verb is not None and location.verb.at.lock is lock):
                less, more = _changes(lock, location.verb, own)
                lost.append(less)
                got_.append(more)
        for parts in product(*lost, *got_):
            yield tuple(event for part in parts for event in part)

    def _walk(self, effects: Effects, rest: set[Outcome]) -> set[Outcome]:
        """Return the outcomes of effects, given those of what follows them; each is listed once."""
        for effect in reversed(effects):
            match effect:
                case Jump(target):
                    rest = {((), (), target)}
                case Crossing(call, leaves) if call.op not in self._hidden:
                    event = f"{call.op}=" if leaves else f"{call.op}()"
                    rest = {((event, *events), touched, target) for events, touched, target in rest}
                case Emit(name) if name not in self._hidden:
                    rest = {((f"emit {name}", *events), touched, target) for events, touched, target in rest}
                case Assign(ref) if ref.var.kind == "lock":
                    change = (ref.var, signs(effect))
                    rest = {(events, (change, *touched), target) for events, touched, target in rest}
                case Test(_, then, otherwise):
                    rest = self._walk(then, rest) | self._walk(otherwise, rest)
                case Either(branches):
                    rest = {outcome for branch in branches for outcome in self._walk(branch, rest)}
                case _:
                    pass
        return rest


def _changes(
    lock: Lock, verb: VerbUse | None, touched: list[tuple[Variable, frozenset[str]]]
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return what may be seen of a lock in one step: the ways to give it back, and the ways to get it."""
    modes = modes_of(lock)
    times = {sign: Counter(var for var, can in touched if sign in can and var in modes) for sign in "+-"}
    less, more = (max(times[sign].values(), default=0) for sign in "-+")
    got_in = sorted({got(lock.name, mode) for var in times["+"] for mode in modes[var]})
    returned: list[tuple[str, ...]] = [(f"-{lock.name}",) * n for n in range(less + 1)]
    taken: list[tuple[str, ...]] = [way for n in range(more + 1) for way in product(got_in, repeat=n)]
    if verb is None or verb.at.lock is not lock:
        return returned, taken
    if verb.action not in ("acquire", "release", "try"):
        return [()], [()]
    if can_be_refused(verb) and not touched:
        return [()], [(f"!{lock.name}",)]
    certain = not is_domain(lock) and (can_be_refused(verb) or verb.action == "acquire")
    if more and certain:
        taken.remove(())
    if less and verb.action == "release" and not is_domain(lock) and not lock.handover:
        returned.remove(())
    return returned, taken


# --- a log's sequence ----------------------------------------------------------------------------


def _follow(found: _Found, automaton: Automaton, items: list[Item]) -> None:
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
