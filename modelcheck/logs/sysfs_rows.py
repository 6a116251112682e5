"""Adapter `sysfs`: rows of memory hotplug operations and of what sysfs showed after each, one run for each boot.

Rows are objects with `type`: "boot" (with `info`: the lines of /proc/iomem among others), "op" (`op` write, read,
hotadd, hotremove; `errno`), "obs" (`blocks`: {number: [state, valid_zones, online, node links...]}, `zones`: [node,
zone, first page, pages], `auto`), "par" and "parop" (operations of several threads). The records made of them:

    boot-block N STATE ZONE NODE holes|whole     each block of the first observation ("none": it lies in several zones)
    boot-zone NODE ZONE FIRST LAST               blocks that a zone of the first observation spans
    write FILE "TEXT"      write FILE = -ERRNO   a write begins, and ends (0: success)
    hotadd FIRST LAST NODE whole|partial         a memory device is plugged; then `hotadd = STATUS`
    hotremove FIRST LAST                         it is asked to go; then `hotremove = deleted` or `= refused`
    write probe block N                          the same for `probe`, where the address is the start of a block
    open FILE = -ERRNO                           a file could not be opened (a block that no run has is `of nothing`)
    FILE=TEXT, spans/NODE/ZONE=true, first/NODE/ZONE=N, last/NODE/ZONE=N    what a file shows, which blocks a zone spans

Facts of a run: `last-block N` (the highest of all observations), `boot-option WORD` for each word of the command line.

A `par` row ends a run: how the operations of several threads interleaved with the rest is not known well enough. So
does what left no row (the removal of a device that nobody added, a trace of no operation). The next full observation
starts another run. An observation made inside an operation (`online` could not be read) is left
out, and so is what was done while several threads were active: such rows are counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from modelcheck.logs.log import Lines
from modelcheck.logs.mapping import Record, Records

_RAM = re.compile(r"([0-9a-f]+)-([0-9a-f]+) : System RAM")
_NUMBERED = {133: "EHWPOISON"}
LARGEST_BLOCK = 1 << 16
PAGE = 12
"""A page has 2**12 bytes (x86)."""

Row = dict[str, Any]


@dataclass
class _Run:
    name: str
    facts: tuple[str, ...]
    left_out: int = 0
    records: list[Record] = field(default_factory=list)


class _Adapter:
    """What is known while the rows are read."""

    def __init__(self, rows: list[tuple[int, Row]]) -> None:
        self.rows = rows
        self.block_pages = 1 << 15
        self.command_line = ""
        self.memory: list[tuple[int, int]] = []
        self.devices: dict[str, tuple[int, int]] = {}
        self.known: set[int] = set()
        self.runs: list[_Run] = []
        self.run: _Run | None = None
        self.boots = 0
        self.resumed = 0
        self.acted = False
        self.left_out = 0
        self.all_blocks = {int(n) for _, row in rows if row.get("type") == "obs" for n in row["blocks"]}

    def add(self, line: int, text: str, *, observes: bool = False) -> None:
        if self.run is not None:
            self.run.records.append(Record(line, "user", text, observes))

    def read(self) -> Iterator[Records]:
        skipped = _in_parallel(self.rows)
        for position, (line, row) in enumerate(self.rows):
            kind = row.get("type")
            if kind == "boot":
                self._boot(row)
            elif kind == "par" or position in skipped:
                self.run = None
                self.left_out += kind in ("op", "obs", "parop")
                if kind == "op" and str(row.get("op")).startswith("hot"):
                    self._operation(line, row)
            elif kind == "obs":
                self._observed(line, row)
            elif kind == "op":
                self.left_out += self.run is None
                self._operation(line, row)
                self.acted = True
            elif kind == "trace":
                if not self.acted:
                    self.run = None  # of something that has no row
                self.acted = False
        if self.runs:
            self.runs[-1].left_out += self.left_out
        for run in self.runs:
            yield Records(run.name, tuple(run.records), facts=run.facts, left_out=run.left_out)

    # --- the start of a run

    def _boot(self, row: Row) -> None:
        info = str(row.get("info", ""))
        self.memory = [(int(a, 16), int(b, 16) + 1) for a, b in _RAM.findall(info)]
        size = next((line for line in info.split("\n") if re.fullmatch(r"[0-9a-f]{5,}", line)), "8000000")
        self.block_pages = int(size, 16) >> PAGE
        self.command_line = str(row.get("cmdline", ""))
        self.devices.clear()
        self.run = None
        self.boots += 1
        self.resumed = 0

    def _start(self, line: int, row: Row) -> None:
        name = f"boot {self.boots}" + (f", part {self.resumed + 1}" if self.resumed else "")
        self.resumed += 1
        options = (f"boot-option {word}" for word in self.command_line.split())
        self.run = _Run(name, (f"last-block {max(self.all_blocks, default=0)}", *options))
        self.runs.append(self.run)
        self.run.left_out, self.left_out = self.left_out, 0
        for number, (state, zones, _, *links) in row["blocks"].items():
            zone = zones if state == "online" else "none"
            nodes = [each for each in links if each.startswith("node")] or ["node0"]
            whole = "whole" if self._is_whole(int(number)) else "holes"
            self.add(line, f"boot-block {number} {state} {zone} {nodes[0]} {whole}")
        for node, zone, first, last in self._spans(row):
            if last is not None:
                self.add(line, f"boot-zone node{node} {zone} {first} {last}")
        self.add(line, f"boot-auto {row.get('auto')}")

    def _is_whole(self, block: int) -> bool:
        """Whether all of a block is memory: hot-plugged memory, which the boot map does not list, always is."""
        first, last = block * self.block_pages << PAGE, (block + 1) * self.block_pages << PAGE
        inside = [(max(a, first), min(b, last)) for a, b in self.memory if a < last and first < b]
        return not inside or sum(b - a for a, b in inside) == last - first

    def _spans(self, row: Row) -> Iterator[tuple[int, str, int, int | None]]:
        """Yield node, zone, and the first and last block that it spans (None: it is empty)."""
        for node, zone, start, spanned, *_ in row.get("zones", ()):
            if start is None or not spanned:
                yield node, zone, 0, None
            else:
                yield node, zone, start // self.block_pages, (start + spanned - 1) // self.block_pages

    # --- rows

    def _observed(self, line: int, row: Row) -> None:
        if any(len(each) > 2 and each[2] is None for each in row["blocks"].values()):
            self.left_out += 1
            return  # made inside an operation, which holds what the file `online` waits for
        if self.run is None:
            self._start(line, row)
        for number in sorted(self.all_blocks):
            state, zones, online, *_ = row["blocks"].get(str(number), ("absent", "", ""))
            self.add(line, f"memory{number}/state={state}", observes=True)
            if state != "absent":
                self.add(line, f"memory{number}/valid_zones={zones}", observes=True)
                self.add(line, f"memory{number}/online={online}", observes=True)
        for node, zone, first, last in self._spans(row):
            self.add(line, f"spans/node{node}/{zone}={str(last is not None).lower()}", observes=True)
            if last is not None:
                self.add(line, f"first/node{node}/{zone}={first}", observes=True)
                self.add(line, f"last/node{node}/{zone}={last}", observes=True)
        self.add(line, f"auto_online_blocks={row.get('auto')}", observes=True)

    def _operation(self, line: int, row: Row) -> None:
        if row.get("open_failed"):
            block = re.match(r"memory(\d+)/", row["target"])
            known = block is None or int(block[1]) in self.all_blocks
            self.add(line, f"open {row['target'] if known else 'of nothing'} = {_errno(row['errno'])}")
            return
        match row.get("op"):
            case "write":
                target = row["target"]
                if not row["value"] and not row["errno"]:
                    self.add(line, f'write {target} ""')
                    return
                self.add(line, f"write {target} {self._text(row)}")
                self.add(line, f"write {target} = {_errno(row['errno'])}")
            case "read":
                value = str(row.get("value") or "").removesuffix("\n")
                shown = f"{row['target']}={value}"
                self.add(
                    line, shown if not row["errno"] else f"read {row['target']} = {_errno(row['errno'])}"
                )
            case "hotadd":
                self._hotadd(line, row)
            case "hotremove":
                self._hotremove(line, row)
            case other:
                self.add(line, f"{other}")

    def _text(self, row: Row) -> str:
        """Return what is written; an address of `probe` that is the start of a block as that block."""
        text = str(row["value"])
        if row["target"] == "probe" and re.fullmatch(r"0x[0-9a-f]+|[0-9]+", text):
            block, offset = divmod(int(text, 0), self.block_pages << PAGE)
            if not offset and block < LARGEST_BLOCK:
                return f"block {block}"
        return json.dumps(text)

    def _hotadd(self, line: int, row: Row) -> None:
        if not row.get("blocks"):
            self.add(line, "hotadd of nothing: the machine refused the device")
            return
        first, last = min(row["blocks"]), max(row["blocks"])
        size, address = int(row["mb"]) << 20, int(row["addr"])
        block = self.block_pages << PAGE
        whole = "partial" if size % block or address % block else "whole"
        self.devices[row["dev"]] = (first, last)
        self.add(line, f"hotadd {first} {last} node{row.get('node') or 0} {whole}")
        self.add(line, f"hotadd = {(row.get('ost') or {}).get('status')}")

    def _hotremove(self, line: int, row: Row) -> None:
        if "deleted" not in row:
            self.add(line, "hotremove of nothing: the machine has no such device")
            return
        if row["dev"] not in self.devices:
            self.run = None  # it was added without a row: nobody knows which blocks it has
            return
        first, last = self.devices[row["dev"]]
        self.add(line, f"hotremove {first} {last}")
        self.add(line, f"hotremove = {'deleted' if row['deleted'] else 'refused'}")
        if row["deleted"]:
            del self.devices[row["dev"]]


def records_of(lines: Lines) -> tuple[Records, ...]:
    """Return the runs in a file of rows; what is no such row is reported."""
    rows: list[tuple[int, Row]] = []
    for number, row in lines.objects():
        problem = _wrong(row)
        if problem:
            lines.wrong(number, problem, "see the adapter `sysfs` in docs/conform.md")
        else:
            rows.append((number, row))
    lines.problems.raise_errors()
    return tuple(_Adapter(rows).read())


def _wrong(row: Row) -> str:
    if not isinstance(row.get("type"), str):
        return "a row has a `type`"
    if row["type"] == "obs" and not isinstance(row.get("blocks"), dict):
        return "an observation has `blocks`"
    if row["type"] == "op" and row.get("op") in ("write", "read") and not {"target", "errno"} <= row.keys():
        return "a write or read has `target` and `errno`"
    return ""


def _in_parallel(rows: list[tuple[int, Row]]) -> set[int]:
    """Return the positions of rows that were made while the operations of a later `par` were under way."""
    found: set[int] = set()
    for position, (_, row) in enumerate(rows):
        if row.get("type") != "parop" or not isinstance(row.get("t0"), int | float):
            continue
        found.add(position)
        before = position - 1
        while before >= 0 and rows[before][1].get("type") not in ("boot", "scenario", "scenario_end"):
            when = rows[before][1].get("t1", rows[before][1].get("t"))
            if isinstance(when, int | float) and when < row["t0"]:
                break
            found.add(before)
            before -= 1
    return found


def _errno(value: object) -> str:
    if value in (0, None):
        return "0"
    return f"-{value}" if isinstance(value, str) else f"-{_NUMBERED.get(int(str(value)), value)}"
