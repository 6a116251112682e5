"""The lock order that a running kernel's own records show: requests, made from rows of events (SEMANTICS A6, H11).

What is decided here. A thread is a task with its pid, in however many rows; each row begins with empty hands, except
for locks that it releases without having got them: those were held from its start, in a mode that is not known. A try
is no request, but what it gets is held. A thread that takes a lock for writing, which others read, is also a writer
that may stand between two readers. Rows say nothing of what else could have happened: a cycle without a gate is
undecided here, never a deadlock.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from modelcheck.analysis.lock_events import Event, Row
from modelcheck.analysis.lock_order import UNKNOWN, Edge, Instance, Order, Recorded, Request, lock_order
from modelcheck.semantics.questions import Held


@dataclass(frozen=True)
class RecordWords:
    """How a reader is told about the lock order of records. `read` are the classes that somebody read."""

    file: str
    threads: tuple[str, ...]
    instances: dict[str, tuple[str, ...]]
    read: frozenset[str]

    def thread(self, number: int) -> str:
        """Return task and pid."""
        return self.threads[number]

    def task(self, number: int) -> str:
        """Return task and pid."""
        return self.threads[number]

    def lock(self, instance: Instance, mode: str = "") -> str:
        """Return the lock as the records name it, with its mode where there is more than one."""
        name, index = instance
        shown = f"{self.instances[name][index[0]]}.{name}" if index else name
        return shown + (f":{mode}" if mode == UNKNOWN or (mode and name in self.read) else "")

    def op(self, request: Request) -> str:
        """Return the innermost function that was entered and not yet left."""
        assert isinstance(request.place, Recorded)
        return request.place.function

    def place(self, request: Request) -> str:
        """Return the first line of the file that shows it."""
        assert isinstance(request.place, Recorded)
        return f"line {request.place.line}"

    def taken(self, edge: Edge) -> str:
        """Return the function that took what is held."""
        assert isinstance(edge.request.place, Recorded)
        return dict(edge.request.place.taken).get(edge.held) or "the record's start"


@dataclass(frozen=True)
class RecordedOrder:
    """The lock order of a file of records.

    `times` says how often a request was seen, `unknown` which events were not understood, and how often each;
    `before` which locks were released by rows that had not got them.
    """

    file: str
    rows: int
    words: RecordWords
    order: Order
    times: dict[Request, int]
    unknown: dict[str, int]
    before: dict[str, int]


@dataclass
class _Reading:
    """What is gathered while the rows are read."""

    names: RecordWords
    numbers: dict[str, int]
    requests: dict[tuple[object, ...], Request] = field(default_factory=dict)
    times: Counter[tuple[object, ...]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)


def recorded_order(file: str, rows: tuple[Row, ...]) -> RecordedOrder:
    """Return the lock order of the rows."""
    words = _words(file, rows)
    reading = _Reading(words, {thread: number for number, thread in enumerate(words.threads)})
    for row in rows:
        _read(reading, row)
    own = tuple(reading.requests.values())
    writers = (replace(r, bars=True) for r in own if r.mode == "write" and r.wants[0] in words.read)
    order = lock_order((*own, *writers), frozenset(), "records")
    times = {request: reading.times[key] for key, request in reading.requests.items()}
    return RecordedOrder(
        file, len(rows), words, order, times, dict(reading.unknown.most_common()), dict(reading.before)
    )


# --- names ---------------------------------------------------------------------------------------


def _words(file: str, rows: tuple[Row, ...]) -> RecordWords:
    events = [e for row in rows for e in row.events if e.action in ("got", "tried", "released")]
    instances: dict[str, set[str]] = {}
    for event in events:
        instance, _, name = event.name.rpartition(".")
        instances.setdefault(name, set()).update([instance] if instance else [])
    return RecordWords(
        file=file,
        threads=tuple(dict.fromkeys(row.thread for row in rows)),
        instances={name: tuple(sorted(each, key=_natural)) for name, each in instances.items()},
        read=frozenset(e.name.rpartition(".")[2] for e in events if e.mode == "read"),
    )


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort memory9 before memory10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _instance(words: RecordWords, name: str) -> Instance:
    instance, _, class_ = name.rpartition(".")
    return class_, (words.instances[class_].index(instance),) if instance else ()


# --- one row -------------------------------------------------------------------------------------


def _held_from_the_start(row: Row) -> Iterator[str]:
    """Yield the locks that the row releases more often than it got them."""
    held: Counter[str] = Counter()
    for event in row.events:
        if event.action in ("got", "tried"):
            held[event.name] += 1
        elif event.action == "released" and held[event.name]:
            held[event.name] -= 1
        elif event.action == "released":
            yield event.name


def _read(reading: _Reading, row: Row) -> None:
    words = reading.names
    held: list[tuple[Held, str]] = []
    for name in dict.fromkeys(_held_from_the_start(row)):
        reading.before[name] += 1
        held.append((Held(*_instance(words, name), UNKNOWN), ""))
    functions: list[str] = []
    for event in row.events:
        match event.action:
            case "got" | "tried":
                function = functions[-1] if functions else ""
                if event.action == "got":
                    _ask(reading, row, event, held, function)
                where = f"line {row.line}" + (f" in {function}()" if function else "")
                held.append((Held(*_instance(words, event.name), event.mode), where))
            case "released":
                _release(held, _instance(words, event.name))
            case "entered":
                functions.append(event.name)
            case "returned":
                _leave(functions, event.name)
            case "unknown":
                reading.unknown[event.name] += 1
            case "note":
                pass


def _ask(reading: _Reading, row: Row, event: Event, held: list[tuple[Held, str]], function: str) -> None:
    """Note a request; one that differs from another only in its line is the same."""
    thread, wants = reading.numbers[row.thread], _instance(reading.names, event.name)
    holding = tuple(dict.fromkeys(each for each, _ in held))
    key = (thread, function, wants, event.mode, holding)
    reading.times[key] += 1
    if key not in reading.requests:
        place = Recorded(function, row.line, tuple(held))
        reading.requests[key] = Request(thread, place, wants, event.mode, holding)


def _release(held: list[tuple[Held, str]], instance: Instance) -> None:
    """Let go of what was taken last; what is not held was released before."""
    for position in range(len(held) - 1, -1, -1):
        if (held[position][0].lock, held[position][0].index) == instance:
            del held[position]
            return


def _leave(functions: list[str], name: str) -> None:
    """Leave the function, and all that was entered in it; "" is the last system call. Not all returns are recorded."""
    wanted = ("read", "write") if not name else (name,)
    for position in range(len(functions) - 1, -1, -1):
        if functions[position] in wanted:
            del functions[position:]
            return
