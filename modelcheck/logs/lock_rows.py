"""Adapter `locks`: the lock events of a kernel, one thread's sequence a row; rows with the same `trace` are one run.

A row is `{"task": "agt0", "pid": 356, "trace": 30, "seq": [...]}`. Its elements are the records, as they are: `+lock`
got, `+lock:R` and `+lock:W` in a mode, `+lock:try` got by a try, `!lock:try` refused, `-lock` released, `fn(arg)`
entered, `fn=ret` returned, `notify:EVENT`, `write(` and `)=ret` around a system call (which becomes `write=ret`). A
returned error is written by its name: `fn=-EBUSY`. The thread is `task/pid`; the order is known within a thread only.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from modelcheck.logs.log import Lines
from modelcheck.logs.mapping import Record, Records

_ERROR = re.compile(r"(.*=-)(\d+)")
_RESTARTS = {512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND"}
"""include/linux/errno.h (6.1): what a system call returns to be called again."""


@dataclass(frozen=True)
class LockRow:
    """One row: who did it, in which run, and the events as texts."""

    line: int
    thread: str
    run: str
    sequence: tuple[str, ...]


def rows_of(lines: Lines) -> tuple[LockRow, ...]:
    """Return the rows of a file; what is no such row is reported."""
    found: list[LockRow] = []
    for number, row in lines.objects():
        problem = wrong_in(row)
        if problem:
            lines.wrong(number, problem, 'a row is {"task", "pid", "trace", "seq"}')
            continue
        thread = "/".join(str(row[key]) for key in ("task", "pid") if key in row)
        label = f" ({row['scen']} {row.get('label', '')})".replace(" )", ")") if "scen" in row else ""
        found.append(LockRow(number, thread, f"trace {row.get('trace', number)}{label}", tuple(row["seq"])))
    lines.problems.raise_errors()
    return tuple(found)


def records_of(lines: Lines) -> tuple[Records, ...]:
    """Return the runs in a file of rows: those that were traced together."""
    runs: dict[str, list[Record]] = {}
    threads: dict[str, set[str]] = {}
    for row in rows_of(lines):
        threads.setdefault(row.run, set()).add(row.thread)
        own = runs.setdefault(row.run, [])
        own += (Record(row.line, row.thread, text) for text in _texts(row.sequence))
    return tuple(Records(name, tuple(own), total=len(threads[name]) == 1) for name, own in runs.items())


def _texts(sequence: tuple[str, ...]) -> Iterator[str]:
    """Yield the events with errors by name, and with the name of the system call that returns."""
    calls: list[str] = []
    for text in sequence:
        if text in ("write(", "read("):
            calls.append(text[:-1])
        shown = f"{calls.pop()}{text[1:]}" if text.startswith(")=") and calls else text
        yield _named(shown)


def _named(text: str) -> str:
    found = _ERROR.fullmatch(text)
    if found is None:
        return text
    number = int(found[2])
    return found[1] + (errno.errorcode.get(number) or _RESTARTS.get(number) or found[2])


def wrong_in(row: dict[str, Any]) -> str:
    """Return what is wrong with a row, "" if nothing is."""
    sequence = row.get("seq")
    if not isinstance(sequence, list) or not all(isinstance(each, str) for each in sequence):
        return "`seq` is not a list of texts"
    if not any(isinstance(row.get(key), str | int) for key in ("task", "pid")):
        return "it has neither `task` nor `pid`: whose record is it?"
    return ""
