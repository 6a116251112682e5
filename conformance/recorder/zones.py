"""What /proc/zoneinfo says of the zones (mm/vmstat.c prints it)."""

from __future__ import annotations

import re
from collections.abc import Iterable


def zones(lines: Iterable[str]) -> list[list[object]]:
    """Return [node, zone, first page, spanned, present, managed] for the zones in lines of /proc/zoneinfo."""
    found: list[list[object]] = []
    numbers: dict[str, int] = {}
    for line in lines:
        if head := re.match(r"Node (\d+), zone\s+(\w+)", line):
            numbers = {}
            found.append([int(head[1]), head[2], None, 0, 0, 0])
        elif field := re.match(r"\s*(spanned|present|managed|start_pfn):?\s+(\d+)$", line):
            numbers[field[1]] = int(field[2])
            if found:
                found[-1][2:] = [
                    numbers.get("start_pfn"),
                    *(numbers.get(k, 0) for k in ("spanned", "present", "managed")),
                ]
    return [zone for zone in found if zone[3] or zone[4] or zone[1] in ("Normal", "Movable")]
