"""A log: for each thread of a system what it was seen to do, and what is known of the order between threads.

Our own format, version 1, is one JSON object a line. A header starts a log, so that a file may have several:

    {"log": 1, "name": "boot 1", "order": "total", "hidden": ["of_mutex"], "parameters": {"BLOCKS": 3}}
    {"thread": "user", "event": "write_state(1, online)"}
    {"thread": "user", "event": "write_state=0"}
    {"thread": "user", "observe": {"state[1]": "online"}}

`order` is "total" (the lines are in the order in which things happened) or "threads" (only the lines of one thread are;
then `id` names a line and `after` lists the ids of lines that happened before it). `hidden` names the locks, ops and
events of the specification that this log does not record.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from modelcheck.diagnostics import Collector, near_miss
from modelcheck.source import Source, Span

VERSION = 1
LARGEST_LOG = 1 << 28
"""Bytes of a file of logs."""

ORDERS = ("total", "threads")

_ERRORS = {133: "EHWPOISON", 512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND"}
"""Beside those that Python knows (include/linux/errno.h, 6.1: what a system call returns to be called again)."""


def error_name(number: int) -> str:
    """Return the name of an error, or the number if it has none."""
    return errno.errorcode.get(number) or _ERRORS.get(number) or str(number)


@dataclass(frozen=True)
class Item:
    """Something seen of a thread: an event, or values that were observed. `after`: items that happened before it."""

    line: int
    thread: str
    event: str = ""
    values: tuple[tuple[str, str], ...] = ()
    after: tuple[int, ...] = ()

    @property
    def shown(self) -> str:
        """The item as a reader is told of it."""
        return self.event or ", ".join(f"{name}={value}" for name, value in self.values)


@dataclass(frozen=True)
class Log:
    """One log. `items` are in the order of the file; `source` and `hidden_at` are for messages.

    `total`: the order of the items is also that of time.
    `ignored` and `unmapped` say what a mapping left out, and how often each, `left_out` how many rows an adapter did.
    """

    name: str
    source: Source
    items: tuple[Item, ...]
    total: bool = True
    hidden: frozenset[str] = frozenset()
    hidden_at: Span | None = None
    parameters: dict[str, str | int | bool] = field(default_factory=dict)
    unmapped: dict[str, int] = field(default_factory=dict)
    ignored: int = 0
    left_out: int = 0

    @property
    def threads(self) -> tuple[str, ...]:
        """The threads, in the order in which they first appear."""
        return tuple(dict.fromkeys(item.thread for item in self.items))


class Lines:
    """The lines of a file of JSON objects; what is wrong with one is reported with its place (MC008)."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems = Collector()
        self._starts: list[tuple[int, int]] = []

    def objects(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number and the object of each line that has one."""
        start = 0
        for number, text in enumerate(self.source.text.split("\n"), 1):
            self._starts.append((start, start + max(len(text), 1)))
            start += len(text) + 1
            if not text.strip():
                continue
            try:
                row = json.loads(text)
            except (ValueError, RecursionError) as error:
                what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
                self.wrong(number, f"this is not JSON: {what}", "a log has one JSON object a line")
                continue
            if isinstance(row, dict):
                yield number, row
            else:
                self.wrong(number, "this is no object", "a log has one JSON object a line")

    def place(self, line: int) -> Span:
        """Return where a line is that was read."""
        return Span(self.source, *self._starts[line - 1])

    def wrong(self, line: int, message: str, hint: str = "") -> None:
        """Report a line."""
        self.problems.error("MC008", self.place(line), f"line {line}: {message}", hint)


def read_log(source: Source) -> tuple[Log, ...]:
    """Return the logs of a file in our own format. Raises SpecError (MC008) with the line of what is wrong."""
    lines = Lines(source)
    found: list[_Reading] = []
    for number, row in lines.objects():
        if "log" in row:
            found.append(_header(lines, number, row))
        elif not found:
            lines.wrong(number, "the header is missing", 'the first line is {"log": 1, "order": "total"}')
            break
        else:
            _item(lines, found[-1], number, row)
    if not found and not lines.problems.errors:
        lines.problems.error("MC008", Span(source, 0, 0), "there is no log in this file")
    lines.problems.raise_errors()
    return tuple(each.log() for each in found)


@dataclass
class _Reading:
    source: Source
    header: dict[str, Any]
    place: Span
    items: list[Item] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)

    def log(self) -> Log:
        return Log(
            name=str(self.header.get("name", "")),
            source=self.source,
            items=tuple(self.items),
            total=self.header.get("order", "total") == "total",
            hidden=frozenset(self.header.get("hidden", ())),
            hidden_at=self.place,
            parameters=dict(self.header.get("parameters", {})),
        )


def _written(value: object) -> str:
    """Return a value as the language writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


HEADER_KEYS = {"log", "name", "order", "hidden", "parameters"}
ITEM_KEYS = {"thread", "event", "observe", "id", "after"}


def _known_keys(lines: Lines, number: int, row: dict[str, Any], known: set[str]) -> None:
    """Report keys that a line does not have: a word misspelt would be an order, or a name, that nobody heeds."""
    for key in sorted(row.keys() - known):
        lines.wrong(number, f"a line has no `{key}` here", near_miss(key, known))


def _header(lines: Lines, number: int, row: dict[str, Any]) -> _Reading:
    _known_keys(lines, number, row, HEADER_KEYS)
    if row["log"] != VERSION:
        lines.wrong(number, f"this is a log of version {row['log']}", f"version {VERSION} is read here")
    if row.get("order", "total") not in ORDERS:
        lines.wrong(number, f"`order` is {row['order']!r}", f"it is one of {', '.join(ORDERS)}")
    hidden, parameters = row.get("hidden", []), row.get("parameters", {})
    if not isinstance(hidden, list) or not all(isinstance(each, str) for each in hidden):
        lines.wrong(number, "`hidden` is not a list of names")
        row = {**row, "hidden": []}
    if not isinstance(parameters, dict) or any(isinstance(v, list | dict) for v in parameters.values()):
        lines.wrong(number, "`parameters` is not an object of values")
        row = {**row, "parameters": {}}
    return _Reading(lines.source, row, lines.place(number))


def _item(lines: Lines, reading: _Reading, number: int, row: dict[str, Any]) -> None:
    _known_keys(lines, number, row, ITEM_KEYS)
    thread, event, values = row.get("thread"), row.get("event", ""), row.get("observe", {})
    after, name = row.get("after", []), row.get("id")
    if not isinstance(thread, str) or not thread:
        lines.wrong(number, "`thread` is missing", "each line says whose it is")
    elif bool(event) == bool(values) or not isinstance(event, str) or not isinstance(values, dict):
        lines.wrong(number, "a line has either `event` (a text) or `observe` (an object)")
    elif not isinstance(after, list):
        lines.wrong(number, "`after` is not a list of ids")
    elif name is not None and str(name) in reading.ids:
        lines.wrong(number, f"another line has the id {name!r} already")
    else:
        unknown = [each for each in after if str(each) not in reading.ids]
        for each in unknown:
            lines.wrong(number, f"`after` names the line {each!r}, which does not stand before this one")
        ordered = tuple(reading.ids[str(each)] for each in after if str(each) in reading.ids)
        if name is not None:
            reading.ids[str(name)] = len(reading.items)
        told = tuple((key, _written(value)) for key, value in values.items())
        reading.items.append(Item(number, thread, event, told, ordered))
