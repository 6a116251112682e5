"""Adapter `sysfs`: rows of memory hotplug operations and of what sysfs showed after each, one run for each boot.

Rows are objects with `type`: "boot" (with `info`: the lines of /proc/iomem among others), "op" (`op` write, read,
hotadd, hotremove; `errno`), "obs" (`blocks`: {number: [state, valid_zones, online, node links...]}, `zones`: [node,
zone, first page, pages], `auto`), "par" and "parop" (operations of several threads). The records made of them:

    boot-block N STATE ZONE NODE holes|whole boot|added   each block of the first observation; ZONE "none": it lies in
                                                 several; "boot": the boot map has memory there
    boot-also N NODE                             a block lies in this node, too
    boot-resumed                                 the machine was not just started: something was done before
    boot-device FIRST LAST                       blocks of a memory device that is plugged already
    boot-zone NODE ZONE FIRST LAST               blocks that a zone of the first observation spans
    write FILE "TEXT"      write FILE = -ERRNO   a write begins, and ends (0: success)
    hotadd FIRST LAST NODE whole|partial         a memory device is plugged; then `hotadd = STATUS`
    hotremove FIRST LAST                         it is asked to go; then `hotremove = deleted` or `= refused`
    write probe block N                          the start of a block as its address; then `write probe block = -ERRNO`
    write soft_offline_page block N              the same, the address anywhere in a block
    open FILE = -ERRNO                           a file could not be opened (a block that no run has is `of nothing`)
    FILE=TEXT, spans/NODE/ZONE=true, first/NODE/ZONE=N, last/NODE/ZONE=N    what a file shows (`phys_index`, which is
                                                 hexadecimal, in decimal), which blocks a zone spans

Facts of a run: `kernel 6.1`, `last-block N` and `last-node N` (the highest of all rows), `boot-option WORD` for each
word of the command line; and under the policy auto-movable `auto-movable RATIO Y|N PAGES` (its options, pages of a
block) and `boot-pages NODE KERNEL MOVABLE` (pages of boot memory in kernel zones, all pages in Movable).

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

from modelcheck.logs.log import Lines, error_name
from modelcheck.logs.mapping import Record, Records

_OPTION = re.compile(r"/sys/module/memory_hotplug/parameters/(\w+):(\S+)")
_VERSION = re.compile(r"(?:Linux \S+ )?(\d+\.\d+)")
_RAM = re.compile(r"([0-9a-f]+)-([0-9a-f]+) : System RAM")
_TYPES = ("boot", "op", "obs", "par", "parop", "trace", "note", "scenario", "scenario_end")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")
LARGEST_BLOCK = 1 << 16
CONSTANT = ("phys_index", "phys_device", "removable")
"""The files of a block that never change; an observation may have them under `full`, an object for each block."""

COLUMNS = 3
"""What is known at least of a block, and before the numbers of pages of a zone."""

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
        self.kernel = ""
        self.options: dict[str, str] = {}
        self.devices: dict[str, tuple[int, int] | None] = {}
        self.runs: list[_Run] = []
        self.run: _Run | None = None
        self.boots = 0
        self.resumed = 0
        self.acted = False
        self.left_out = 0
        observed = [row for _, row in rows if row.get("type") == "obs"]
        added = [row for _, row in rows if row.get("op") == "hotadd"]
        self.all_blocks = {int(n) for row in observed for n in row["blocks"]}
        self.all_blocks |= {n for row in added for n in row.get("blocks") or ()}
        self.all_nodes = {node for row in observed for node, *_ in row.get("zones", ())}
        self.all_nodes |= {n for row in observed for each in row["blocks"].values() for n in _nodes(each)}
        self.all_nodes |= {row.get("node") or 0 for row in added}

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
            elif kind not in _TYPES:
                self.add(line, f"row of type {kind}")
        if self.runs:
            self.runs[-1].left_out += self.left_out
        for run in self.runs:
            yield Records(run.name, tuple(run.records), facts=run.facts, left_out=run.left_out)

    # --- the start of a run

    def _boot(self, row: Row) -> None:
        info = str(row.get("info", ""))
        self.memory = [(int(a, 16), int(b, 16) + 1) for a, b in _RAM.findall(info)]
        version = _VERSION.match(info) or _VERSION.match(str(row.get("kernel", "")))
        self.kernel = version[1] if version else ""
        self.options = dict(_OPTION.findall(info))
        size = next((line for line in info.split("\n") if re.fullmatch(r"[0-9a-f]{5,}", line)), "8000000")
        self.block_pages = max(1, int(size, 16) >> PAGE)
        self.command_line = str(row.get("cmdline", ""))
        self.devices.clear()
        self.run = None
        self.boots += 1
        self.resumed = 0

    def _start(self, line: int, row: Row) -> None:
        name = f"boot {self.boots}" + (f", part {self.resumed + 1}" if self.resumed else "")
        self.resumed += 1
        self.run = _Run(name, tuple(self._facts(row)))
        self.runs.append(self.run)
        self.run.left_out, self.left_out = self.left_out, 0
        for number, (state, zones, *others) in row["blocks"].items():
            zone = zones if state == "online" else "none"
            nodes = _nodes(others) or [0]
            inside = self._boot_memory(int(number))
            whole = "holes" if 0 < inside < self.block_pages << PAGE else "whole"
            origin = "boot" if inside else "added"
            self.add(line, f"boot-block {number} {state} {zone} node{nodes[0]} {whole} {origin}")
            for each in nodes[1:]:
                self.add(line, f"boot-also {number} node{each}")
        if self.resumed > 1:
            self.add(line, "boot-resumed")
        for blocks in filter(None, self.devices.values()):
            self.add(line, f"boot-device {blocks[0]} {blocks[1]}")
        for node, zone, first, last in self._spans(row):
            if last is not None:
                self.add(line, f"boot-zone node{node} {zone} {first} {last}")
        self.add(line, f"boot-auto {row.get('auto')}")

    def _facts(self, row: Row) -> Iterator[str]:
        yield f"kernel {self.kernel}"
        yield f"last-block {max(self.all_blocks, default=0)}"
        yield f"last-node {max(self.all_nodes, default=0)}"
        yield from (f"boot-option {word}" for word in self.command_line.split())
        if self.options.get("online_policy") == "auto-movable":
            ratio = self.options.get("auto_movable_ratio", "301")
            numa_aware = self.options.get("auto_movable_numa_aware", "Y")
            yield f"auto-movable {ratio} {numa_aware} {self.block_pages}"
            yield from self._pages(row)

    def _pages(self, row: Row) -> Iterator[str]:
        kernel, movable = dict.fromkeys(self.all_nodes, 0), dict.fromkeys(self.all_nodes, 0)
        for node, zone, _, _, present, *_ in (
            each for each in row.get("zones", ()) if len(each) > COLUMNS + 1
        ):
            (movable if zone == "Movable" else kernel)[node] += present
        for number, (state, zones, *others) in row["blocks"].items():
            if state == "online" and zones != "Movable" and not self._boot_memory(int(number)):
                kernel[(_nodes(others) or [0])[0]] -= self.block_pages
        yield from (f"boot-pages node{node} {kernel[node]} {movable[node]}" for node in sorted(kernel))

    def _boot_memory(self, block: int) -> int:
        """Return how many bytes of the boot map's memory a block has: hot-plugged memory is not in that map."""
        first, last = block * self.block_pages << PAGE, (block + 1) * self.block_pages << PAGE
        return sum(max(0, min(b, last) - max(a, first)) for a, b in self.memory)

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
        for block in row.get("full") or ():
            for name in CONSTANT:
                if name in block:
                    self.add(line, _shown(f"memory{block['id']}/{name}", str(block[name])), observes=True)
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
                text = self._text(row)
                by_block = " block" if text.startswith("block ") else ""
                self.add(line, f"write {target} {text}")
                self.add(line, f"write {target}{by_block} = {_errno(row['errno'])}")
            case "read":
                shown = _shown(row["target"], str(row.get("value") or "").removesuffix("\n"))
                self.add(
                    line, shown if not row["errno"] else f"read {row['target']} = {_errno(row['errno'])}"
                )
            case "hotadd":
                self._hotadd(line, row)
            case "hotremove":
                self._hotremove(line, row)
            case other:
                self.add(line, f"{other}" if other else "an operation without a name")

    def _text(self, row: Row) -> str:
        """Return what is written; an address as its block, for `probe` only if it is the start of one."""
        text = str(row["value"])
        number = text.removesuffix("\n")
        if row["target"] in ("probe", "soft_offline_page") and _ADDRESS.fullmatch(number):
            base = 16 if number[:2] == "0x" else 8 if number[:1] == "0" else 10
            block, offset = divmod(int(number, base), self.block_pages << PAGE)
            if block in self.all_blocks and (not offset or row["target"] != "probe"):
                return f"block {block}"
        return json.dumps(text)

    def _hotadd(self, line: int, row: Row) -> None:
        if row.get("addr") is None or "qmp_error" in row:
            self.add(line, "hotadd of nothing: the machine refused the device")
            return
        size, address = int(row["mb"]) << 20, int(row["addr"])
        block = self.block_pages << PAGE
        first, last = address // block, (address + size - 1) // block
        whole = "partial" if size % block or address % block else "whole"
        self.devices[row["dev"]] = (first, last) if whole == "whole" else None
        self.add(line, f"hotadd {first} {last} node{row.get('node') or 0} {whole}")
        told = row.get("ost")
        self.add(line, f"hotadd = {told.get('status') if isinstance(told, dict) else None}")

    def _hotremove(self, line: int, row: Row) -> None:
        if "deleted" not in row:
            self.add(line, "hotremove of nothing: the machine has no such device")
            return
        if row["dev"] not in self.devices:
            self.run = None  # it was added without a row: nobody knows which blocks it has
            return
        blocks = self.devices[row["dev"]]
        if blocks is None:
            self.add(line, "hotremove of nothing: the kernel had refused the device's memory")
        else:
            self.add(line, f"hotremove {blocks[0]} {blocks[1]}")
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
    """Return what is wrong with a row, "" if nothing is."""
    match row.get("type"), row.get("op"):
        case str("obs"), _:
            return _wrong_observation(row)
        case str("op"), ("write" | "read") as what:
            if not isinstance(row.get("target"), str) or not isinstance(row.get("errno"), str | int):
                return f"a {what} has `target` and `errno`"
            if what == "write" and not row.get("open_failed") and not isinstance(row.get("value"), str):
                return "a write has `value`"
        case str("op"), ("hotadd" | "hotremove") as what:
            if not isinstance(row.get("dev"), str):
                return f"a {what} has `dev`"
            if what == "hotadd" and not all(map(_is_number, _numbers(row))):
                return "a hotadd has `mb`, `addr`, `node` and `blocks`, which are numbers"
        case str(), _:
            return ""
        case _:
            return "a row has a `type`"
    return ""


def _numbers(row: Row) -> list[object]:
    """Return what must be numbers in a row of a device that was plugged."""
    blocks, address = row.get("blocks") or [], row.get("addr")
    where = [] if address is None else [row.get("mb"), address]
    return [row.get("node") or 0, *where, *(blocks if isinstance(blocks, list) else [None])]


def _is_number(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _wrong_observation(row: Row) -> str:
    blocks, zones = row.get("blocks"), row.get("zones", [])
    if not isinstance(blocks, dict) or not all(
        number.isdecimal() and isinstance(each, list) and len(each) >= COLUMNS
        for number, each in blocks.items()
    ):
        return "an observation has `blocks`: state, valid_zones, online and nodes by number"
    if not isinstance(zones, list) or not all(isinstance(each, list) and _is_zone(each) for each in zones):
        return "`zones` are lists of node, zone, first page, pages"
    full = row.get("full") or []
    if not isinstance(full, list) or not all(
        isinstance(each, dict) and str(each.get("id")) in blocks for each in full
    ):
        return "`full` has an object for each block, with its `id`"
    return ""


def _is_zone(columns: list[Any]) -> bool:
    """Whether these are node, zone, first page or nothing, and numbers of pages."""
    node, zone, start, *pages = columns if len(columns) > COLUMNS else (None, None, None)
    numbers = (node, *pages) if start is None else (node, start, *pages)
    return isinstance(zone, str) and all(map(_is_number, numbers))


def _shown(file: str, text: str) -> str:
    """Return what a file shows as a record: a number that the kernel writes in hexadecimal is in decimal there."""
    if file.endswith("/phys_index") and re.fullmatch(r"[0-9a-f]+", text):
        text = str(int(text, 16))
    return f"{file}={text}"


def _nodes(columns: list[Any]) -> list[int]:
    """Return the nodes that a block's columns link to, in order."""
    return sorted(int(each[4:]) for each in columns if re.fullmatch(r"node\d+", str(each)))


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
    """Return an error as it is written in the language; it stands in a row as its name, or as a number."""
    text = str(value or 0)
    return "0" if text == "0" else f"-{error_name(int(text)) if text.isdecimal() else text}"
