"""Adapter `locks`: the lock events of a kernel, one thread's sequence a row; rows with the same `trace` are one run.

A row is `{"task": "agt0", "pid": 356, "trace": 30, "seq": [...]}`. Its elements are the records, as they are: `+lock`
got, `+lock:R` and `+lock:W` in a mode, `+lock:try` got by a try, `!lock:try` refused, `-lock` released, `fn(arg)`
entered, `fn=ret` returned (which becomes `fn(arg)=ret`), `notify:EVENT`, `write(` and `)=ret` around a system call
(which becomes `write=ret`). A returned error is written by its name: `fn=-EBUSY`. The thread is `task/pid`; the order
is known within a thread only.

Facts of a run: `kernel 6.1`, and `first-block N`, `last-block N` of all `memoryN` that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from modelcheck.logs.log import Lines, error_name
from modelcheck.logs.mapping import Record, Records

SYSTEM_CALLS = ("write", "read")
CLASS_OF_DEVICES = ("+&dev->mutex", "-&dev->mutex")

_CALL = re.compile(r"(\w+)(?:\(|(\(.+\))|\(\))")
_RETURN = re.compile(r"(?:\)|(\w+))=(.*)")
_BLOCK = re.compile(r"\bmemory(\d+)\b")
_ERROR = re.compile(r"(.*=-)(\d+)")


@dataclass(frozen=True)
class LockRow:
    """One row: who did it (task and pid; the same in several rows is the same thread), in which run, the events."""

    line: int
    thread: str
    run: str
    sequence: tuple[str, ...]
    kernel: str = ""


def rows_of(lines: Lines) -> tuple[LockRow, ...]:
    """Return the rows of a file; what is no such row is reported."""
    found: list[LockRow] = []
    for number, row in lines.objects():
        problem = wrong_in(row)
        if problem:
            lines.wrong(number, problem, 'a row is {"task", "pid", "trace", "seq"}')
            continue
        thread = "/".join(str(row[key]) for key in ("task", "pid") if isinstance(row.get(key), str | int))
        label = f" ({row['scen']} {row.get('label', '')})".replace(" )", ")") if "scen" in row else ""
        run = f"trace {row.get('trace', number)}{label}"
        found.append(LockRow(number, thread, run, tuple(row["seq"]), str(row.get("kernel", ""))))
    lines.problems.raise_errors()
    return tuple(found)


def records_of(lines: Lines) -> tuple[Records, ...]:
    """Return the runs in a file of rows, those that were traced together; devices must be told apart in them."""
    runs: dict[str, list[LockRow]] = {}
    for row in rows_of(lines):
        if any(each.startswith(CLASS_OF_DEVICES) for each in row.sequence):
            lines.wrong(
                row.line,
                "the locks are named by class, as lockdep does: whose `&dev->mutex` it is is not in the row",
                "`modelcheck locks FILE` shows the order of such locks",
            )
        runs.setdefault(row.run, []).append(row)
    lines.problems.raise_errors()
    return tuple(_records(name, rows) for name, rows in runs.items())


def _records(name: str, rows: list[LockRow]) -> Records:
    records = tuple(Record(row.line, row.thread, text) for row in rows for text in _texts(row.sequence))
    return Records(
        name, records, total=len({row.thread for row in rows}) == 1, facts=tuple(dict.fromkeys(_facts(rows)))
    )


def _facts(rows: list[LockRow]) -> Iterator[str]:
    yield from (f"kernel {row.kernel}" for row in rows if row.kernel)
    blocks = {int(n) for row in rows for text in row.sequence for n in _BLOCK.findall(text)}
    if blocks:
        yield f"first-block {min(blocks)}"
        yield f"last-block {max(blocks)}"


def _texts(sequence: tuple[str, ...]) -> Iterator[str]:
    """Yield the events with errors by name; what returns with the name of the call, and the call's argument."""
    calls: list[tuple[str, str]] = []
    for text in sequence:
        entered, left = _CALL.fullmatch(text), _RETURN.fullmatch(text)
        if entered is not None:
            calls.append((entered[1], entered[2] or ""))
            yield text
        elif left is None:
            yield text
        else:
            name = left[1] or next((each for each, _ in reversed(calls) if each in SYSTEM_CALLS), "")
            here = next((i for i in reversed(range(len(calls))) if calls[i][0] == name), None)
            argument = ""
            if here is not None:
                argument = calls[here][1]
                del calls[here:]
            yield _named(f"{name or ')'}{argument}={left[2]}")


def _named(text: str) -> str:
    found = _ERROR.fullmatch(text)
    if found is None:
        return text
    return found[1] + error_name(int(found[2]))


def wrong_in(row: dict[str, Any]) -> str:
    """Return what is wrong with a row, "" if nothing is."""
    sequence = row.get("seq")
    if not isinstance(sequence, list) or not all(isinstance(each, str) for each in sequence):
        return "`seq` is not a list of texts"
    if not any(isinstance(row.get(key), str | int) for key in ("task", "pid")):
        return "it has neither `task` nor `pid`: whose record is it?"
    return ""
