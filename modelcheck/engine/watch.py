"""When a search gives up, and who is told how far it is."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from modelcheck.engine.engine import Limits, Progress
from modelcheck.result.verdict import Statistics

_REPORT_EVERY = 0.5
_LOOK_EVERY = 64


class StoppedError(Exception):
    """A limit was hit; the message says which."""


class Watch:
    """The clock, the memory and the progress of one search."""

    def __init__(self, limits: Limits, progress: Progress | None = None) -> None:
        self.limits = limits
        self._progress = progress
        self._start = self._reported = time.monotonic()
        self._looks = 0

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def admit(self, states: int) -> None:
        """Raise StoppedError if there are as many states as are allowed, and one more is to come."""
        if self.limits.states is not None and states >= self.limits.states:
            raise StoppedError(f"limit of {self.limits.states} state{'s' * (self.limits.states != 1)}")

    def look(self, states: int, transitions: int, depth: int, frontier: int) -> None:
        """Raise StoppedError if time or memory is used up; report now and then."""
        self._looks += 1
        if self._looks % _LOOK_EVERY == 0:
            self.look_closely(states, transitions, depth, frontier)

    def look_closely(self, states: int, transitions: int, depth: int, frontier: int) -> None:
        """The same, for those who do not ask often."""
        now = time.monotonic()
        limits = self.limits
        if limits.seconds is not None and now - self._start >= limits.seconds:
            raise StoppedError(f"limit of {limits.seconds:g} second{'s' * (limits.seconds != 1)}")
        self.need(0)
        if self._progress is not None and now - self._reported >= _REPORT_EVERY:
            self._reported = now
            statistics = Statistics(states, transitions, depth, now - self._start, peak_memory())
            self._progress(statistics, frontier)

    def need(self, size: int) -> None:
        """Raise StoppedError if so many more bytes are too much."""
        limit = self.limits.memory
        if limit is not None and resident_memory() + size >= limit:
            raise StoppedError(f"limit of {size_shown(limit)} of memory")


def resident_memory() -> int:
    """Return the memory that is resident now, in bytes; where that is unknown, the most so far."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return peak_memory()
    return int(pages) * resource.getpagesize()


def size_shown(size: int) -> str:
    """Return a number of bytes as a person writes it: 10 MiB."""
    shown, unit = float(size), "byte" if size == 1 else "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if shown < 1024:
            break
        shown, unit = shown / 1024, larger
    return f"{shown:.3g} {unit}" if shown < 1000 else f"{shown:.0f} {unit}"


def peak_memory() -> int:
    """Return the most memory that this process has had resident, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
