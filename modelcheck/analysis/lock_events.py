"""The lock events of a running kernel, one thread's sequence a line of JSON: `{"task": ..., "pid": ..., "seq": [...]}`.

Events: `+lock` got, `+lock:R` and `+lock:W` in a mode, `+lock:try` got by a try, `!lock:try` refused, `-lock` released,
`fn(arg)` entered, `fn=ret` returned, `write(` and `)=ret` around a system call, `+lock:Rslow` a mark that a reader had
to wait, `~lock` that a lock was contended, `notify:EVENT` a note. A lock's name is `class`, or `instance.class`:
memory48.dev_mutex.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from modelcheck.diagnostics import Collector
from modelcheck.logs import lock_rows
from modelcheck.logs.log import Lines
from modelcheck.source import Source, Span

LARGEST_RECORD = 1 << 28
"""Bytes of a file of records."""

Action = Literal["got", "tried", "released", "entered", "returned", "note", "unknown"]

_LOCK = re.compile(r"([+!~-])(\S.*)")
_MARK = re.compile(r"(.+):([A-Za-z]+)")
_CALL = re.compile(r"([A-Za-z_][\w.]*)\((.*)")
_RETURN = re.compile(r"([A-Za-z_][\w.]*)=.*")
_NOTE = re.compile(r"[A-Za-z_]\w*:\S+")

_MODES = {"R": "read", "W": "write", "read": "read", "write": "write"}
_SLOW = ("Rslow", "Wslow", "slow")
_JOINED = {"tryread": ("try", "read"), "trywrite": ("try", "write")}


@dataclass(frozen=True)
class Event:
    """One event: of a lock (`name`, and its mode if it was got), or of a function (`name`)."""

    action: Action
    name: str
    mode: str = "write"


@dataclass(frozen=True)
class Row:
    """One line: who did it (task and pid; the same in several lines is the same thread), and the events."""

    line: int
    thread: str
    events: tuple[Event, ...]


def rows_of(source: Source) -> tuple[Row, ...]:
    """Return the lines of a file of records. Raises SpecError (MC008), with the line, for what is none."""
    rows = lock_rows.rows_of(Lines(source))
    if not rows:
        problems = Collector()
        problems.error("MC008", Span(source, 0, 0), "there is no record in this file")
        problems.raise_errors()
    return tuple(Row(row.line, row.thread, tuple(map(_event, row.sequence))) for row in rows)


def _event(text: str) -> Event:
    lock = _LOCK.fullmatch(text)
    if lock is not None:
        return _of_lock(lock[1], lock[2])
    if text.startswith(")"):
        return Event("returned", "")
    call = _CALL.fullmatch(text)
    if call is not None:
        return Event("entered", call[1])
    returned = _RETURN.fullmatch(text)
    if returned is not None:
        return Event("returned", returned[1])
    return Event("note" if _NOTE.fullmatch(text) else "unknown", text)


def _of_lock(sign: str, rest: str) -> Event:
    """Read a lock event; its marks stand behind the name, which may have colons of its own (0000:00:1f.0.dev_mutex)."""
    name, marks = rest, set[str]()
    while (marked := _MARK.fullmatch(name)) is not None:
        name = marked[1]
        marks.update(_JOINED.get(marked[2], (marked[2],)))
    if sign == "-":
        return Event("released", name)
    mode = next((_MODES[mark] for mark in sorted(marks) if mark in _MODES), "write")
    tried = "try" in marks
    if marks - {"try", *_MODES, *_SLOW} or (sign == "!" and not tried):
        return Event("unknown", f"{sign}{rest}")
    if sign in "!~" or marks & {*_SLOW}:
        return Event("note", f"{sign}{rest}")
    return Event("tried" if tried else "got", name, mode)
