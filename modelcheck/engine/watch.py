"""When a search gives up, and who is told how far it is.

Ctrl-C is held back while a watch is entered, and heard where the search looks at its watch: in between compiled code
runs, tables are exchanged, and nothing may be left half done. A second one is heard at once.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Self

from modelcheck.engine.engine import Limits, Progress
from modelcheck.engine.memory import free_memory, peak_memory, resident_memory, size_shown
from modelcheck.result.verdict import Statistics

_REPORT_EVERY = 0.5
_LOOK_EVERY = 64
_LEFT_FOR_OTHERS = 0.1
"""Of the memory that is free, what telling the findings leaves alone."""


INTERRUPTED = "interrupted"
"""Why a search stopped that somebody interrupted."""

_TELLING = 2.0
"""Findings are told with their traces until so many times the time limit has gone, and the nearest one in any case."""

_TELLING_AFTER_AN_INTERRUPT = 3.0
"""Likewise for so many seconds after an interrupt: somebody waits."""


class StoppedError(Exception):
    """A limit was hit; the message says which."""


class Watch:
    """The clock, the memory and the progress of one search."""

    def __init__(self, limits: Limits, progress: Progress | None = None) -> None:
        self.limits = limits
        self._progress = progress
        self._start = self._reported = time.monotonic()
        self._looks = 0
        self._interrupts = 0
        self._holding = False

    def __enter__(self) -> Self:
        """Hold Ctrl-C back, where it would otherwise raise KeyboardInterrupt."""
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note_interrupt)
            self._holding = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let Ctrl-C through again, also one that nobody has heard."""
        if self._holding:
            self._holding = False
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if kind is None:
            self.heed()

    def _note_interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupts += 1
        if self._interrupts > 1:
            self._interrupts = 0
            signal.default_int_handler(number, frame)

    def heed(self) -> None:
        """Raise KeyboardInterrupt if there was a Ctrl-C that nobody has heard."""
        if self._interrupts:
            self._interrupts = 0
            raise KeyboardInterrupt

    def interruption(self) -> str:
        """Return INTERRUPTED if there was a Ctrl-C that nobody has heard, else ""."""
        try:
            self.heed()
        except KeyboardInterrupt:
            return INTERRUPTED
        return ""

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start + self.limits.spent

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
        self.heed()
        now = time.monotonic()
        if self.is_late():
            raise StoppedError(self.out_of_time)
        self.need(0)
        if self._progress is not None and now - self._reported >= _REPORT_EVERY:
            self._reported = now
            statistics = Statistics(states, transitions, depth, self.seconds, peak_memory())
            self._progress(statistics, frontier)

    def is_late(self) -> bool:
        """Tell whether the time is used up."""
        return self.limits.seconds is not None and self.seconds >= self.limits.seconds

    def end_of_telling(self, stopped: str) -> float:
        """Return until when findings are told, in seconds since the start, of a search that stopped for that reason."""
        if stopped == INTERRUPTED:
            return self.seconds + _TELLING_AFTER_AN_INTERRUPT
        return math.inf if self.limits.seconds is None else self.limits.seconds * _TELLING

    @property
    def out_of_time(self) -> str:
        """Why a search stops that is late."""
        limit = self.limits.seconds or 0.0
        return f"limit of {limit:g} second{'s' * (limit != 1)}"

    def need(self, size: int) -> None:
        """Raise StoppedError if so many more bytes are too much."""
        limit = self.limits.memory
        if limit is not None and resident_memory() + size >= limit:
            raise StoppedError(f"limit of {size_shown(limit)} of memory")

    def need_to_tell(self, size: int) -> None:
        """The same for telling what was found: that may go beyond the limit, but not beyond what the machine has."""
        limit, free = self.limits.memory, free_memory()
        within = limit is not None and resident_memory() + size < limit
        if not within and free is not None and size >= free * (1 - _LEFT_FOR_OTHERS):
            raise StoppedError("limit of the memory of this machine")
