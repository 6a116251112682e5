"""How much memory there is, and how much of it this process has: of the machine, and of its control groups.

A container may have less than the machine. Its limit is that of a control group, the process's own or one above it
(Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files"; cgroup-v1/memory.rst); what is only cached there can
be had back.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 62
"""Version 1 writes a number near 2**63 where there is no limit."""

_Names = tuple[tuple[str, ...], str, str]
"""The files with the limits, the file with what is used, the entry of memory.stat with what can be had back."""

_VERSION_2: _Names = (("memory.max", "memory.high"), "memory.current", "inactive_file")
_VERSION_1: _Names = (("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file")


def free_memory() -> int | None:
    """Return how much memory is free for this process, in bytes; None where that is not known."""
    found = [*_of_the_machine(), *_of_groups()]
    return min(found) if found else None


def resident_memory() -> int:
    """Return the memory that is resident now, in bytes; where that is unknown, the most so far."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return peak_memory()
    return int(pages) * resource.getpagesize()


def peak_memory() -> int:
    """Return the most memory that this process has had resident, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def size_shown(size: int) -> str:
    """Return a number of bytes as a person writes it: 10 MiB."""
    shown, unit = float(size), "byte" if size == 1 else "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if shown < 1024:
            break
        shown, unit = shown / 1024, larger
    return f"{shown:.3g} {unit}" if shown < 1000 else f"{shown:.0f} {unit}"


def _of_the_machine() -> Iterator[int]:
    available = _numbers(Path("/proc/meminfo")).get("MemAvailable:")
    if available is not None:
        yield available * 1024


def _of_groups(groups: Path = Path("/proc/self/cgroup"), root: Path = _ROOT) -> Iterator[int]:
    """Yield what each control group with a limit has left. A line names a group: `0::/a/b`, `9:memory:/a`."""
    with contextlib.suppress(OSError, ValueError):
        for line in groups.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                yield from _left(root, path, _VERSION_2)
            elif "memory" in controllers.split(","):
                yield from _left(root / "memory", path, _VERSION_1)


def _left(root: Path, path: str, names: _Names) -> Iterator[int]:
    """Yield it for a group and those above it; within a container the root is the container's own."""
    limits, usage, cached = names
    inner = root / path.strip("/")
    for folder in (inner, *inner.parents):
        if folder != root and root not in folder.parents:
            break
        used = _number(folder / usage)
        for limit in (_number(folder / name) for name in limits):
            if limit is not None and used is not None and limit < _NO_LIMIT:
                can_be_had_back = _numbers(folder / "memory.stat").get(cached, 0)
                yield max(limit - used + can_be_had_back, 0)


def _number(file: Path) -> int | None:
    """Return the number in a file; None if there is none: the file is missing, or says `max`."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _numbers(file: Path) -> dict[str, int]:
    """Return the numbers of a file with a name and a number in each line."""
    try:
        lines = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return {}
    return {line[0]: int(line[1]) for line in lines if len(line) > 1 and line[1].isdigit()}
