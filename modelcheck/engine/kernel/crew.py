"""The workers of one search: one at first, all of them from the first large level on, each on a thread of its own.

Compiled code runs without the interpreter's lock. The first worker runs on the thread that asks. Where something is
raised there or in another thread, the others would wait at a barrier for one that never comes: they are told.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

from modelcheck.engine.engine import MOST_WORKERS
from modelcheck.engine.kernel.context import Slot
from modelcheck.engine.kernel.joint_search import NEWS_WORDS
from modelcheck.engine.kernel.memory import Buffer
from modelcheck.engine.kernel.program import Program, again
from modelcheck.engine.kernel.shared import ARRIVED, LEFT, SHARED_WORDS, USED, word_of
from modelcheck.engine.kernel.worker import Sizes, Worker

USEFUL = 8
"""Workers that are taken where nobody says how many: with more, the memory is what they wait for."""

_WORTH_JUDGING = 0.05
"""Seconds: what is shorter says nothing about how busy the machine is."""

_ALONE, _LONGEST_ALONE = 0.1, 2.0
"""Seconds for which one worker searches alone when the machine is busy, at first and when it stays so."""

_COMMON = (
    Slot.ARENA,
    Slot.TABLE,
    Slot.CAPACITY,
    Slot.PARTS,
    Slot.PART,
    Slot.STRIDE,
    Slot.TAG_BITS,
    Slot.PART_FULL,
    Slot.COUNT,
    Slot.HEAD,
    Slot.END,
    Slot.STOP,
    Slot.GROW_AT,
    Slot.LIMIT,
    Slot.NOTING,
    Slot.DEPTH,
    Slot.SHARED,
    Slot.YIELD,
    Slot.OFFERS,
    Slot.NEWS,
    Slot.ROOM,
)
"""What the first worker tells the others before they run."""


def wanted_workers(most: int | None) -> int:
    """Return how many workers a search may have: so many, or as many as this process may use processors."""
    if _yielding() == 0:
        return 1
    if most is not None:
        return max(1, min(most, MOST_WORKERS))
    return min(_processors(), USEFUL)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        with contextlib.suppress(OSError):
            return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _yielding() -> int:
    """Return the address of the system's function that lets other threads run, 0 where there is none."""
    try:
        if sys.platform == "win32":
            function = ctypes.WinDLL("kernel32").SwitchToThread
        else:
            function = ctypes.CDLL(None).sched_yield
    except (OSError, AttributeError, TypeError):
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Put an interrupt from the keyboard off until the end: what happens inside is done whole."""
    came: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


class Crew:
    """The workers. `most`: how many there are once they are started."""

    def __init__(self, program: Program, sizes: Sizes, most: int) -> None:
        self.most = most
        self._sizes = sizes
        self._shared = Buffer(8 * SHARED_WORDS, guarded=sizes.guarded)
        self.workers = [Worker(program, 0, sizes)]
        self.first = self.workers[0]
        self.first.g[Slot.SHARED] = self._shared.address
        self.first.g[Slot.YIELD] = _yielding()
        self._lists: list[Buffer] = []
        self._threads: ThreadPoolExecutor | None = None
        self._used = self._wanted = self._alone_until = 0.0
        self._alone = _ALONE

    @property
    def batch(self) -> int:
        """The most states that a batch of all workers adds."""
        text = self.first.program.text
        return self.most * self.first.slice_states * text.successors

    def start(self) -> None:
        """Let there be all workers, or this one only where there is no room for the others."""
        text, g = self.first.program.text, self.first.g
        room = self.first.slice_states * text.successors
        lists = self.most**2 * room
        try:
            for slot, words in ((Slot.OFFERS, text.shape.words), (Slot.NEWS, NEWS_WORDS)):
                self._lists.append(Buffer(8 * words * lists, guarded=self._sizes.guarded))
                g[slot] = self._lists[-1].address
            for number in range(1, self.most):
                self.workers.append(Worker(again(self.first.program), number, self._sizes))
            for worker in self.workers:
                worker.join(self.most)
        except OSError:
            for worker in self.workers[1:]:
                worker.close()
            del self.workers[1:]
            self.most = 1
        g[Slot.ROOM] = room

    def close(self) -> None:
        """Give all memory back."""
        self._rest()
        for worker in self.workers:
            worker.close()
        for buffer in (self._shared, *self._lists):
            assert buffer.intact, "compiled code wrote beside what the workers share"
            buffer.close()

    # --- running ---------------------------------------------------------------------------------

    def run(self, name: str, *arguments: int) -> list[int]:
        """Let all workers call a function; return what it returned to each."""
        return self.run_each(name, [arguments] * len(self.workers))

    def run_each(self, name: str, arguments: Sequence[tuple[int, ...]]) -> list[int]:
        """The same, each with its own arguments; at most as many as there are workers."""
        if len(self.workers) == 1:
            return [self.first.program.run(name, *arguments[0])]
        with uninterrupted():
            begun = time.perf_counter(), time.process_time()
            found = self._run_each(name, arguments)
        if len(arguments) > 1:
            self._judge(time.process_time() - begun[1], len(arguments) * (time.perf_counter() - begun[0]))
        return found

    def _judge(self, used: float, wanted: float) -> None:
        """Remember how many seconds of processors' time the workers got, and how many they could have used."""
        self._used += used
        self._wanted += wanted
        if self._wanted < _WORTH_JUDGING * len(self.workers):
            return
        if self._used < self._sizes.share * self._wanted:
            self._alone_until = time.perf_counter() + self._alone
            self._alone = min(2 * self._alone, _LONGEST_ALONE)
        else:
            self._alone = _ALONE
        self._used = self._wanted = 0.0

    @property
    def is_crowded(self) -> bool:
        """Whether the workers had to wait for processors lately: who waits for them all is then slower than one."""
        return time.perf_counter() < self._alone_until

    def spread(self, name: str, low: int, high: int, *more: int) -> list[int]:
        """Let the workers call a function for parts of a range; return what it returned for each part."""
        count = 1 if self.is_crowded or high - low < self._sizes.joint else len(self.workers)
        bounds = [low + (high - low) * n // count for n in range(count + 1)]
        return self.run_each(name, [(*span, *more) for span in pairwise(bounds)])

    def _run_each(self, name: str, arguments: Sequence[tuple[int, ...]]) -> list[int]:
        self.share()
        self._tell(ARRIVED, 0)
        self._tell(LEFT, 0)
        others: list[Future[int]] = []
        try:
            for worker, own in zip(self.workers[1:], arguments[1:], strict=False):
                if self._threads is None:
                    self._threads = ThreadPoolExecutor(self.most - 1)
                others.append(self._threads.submit(self._run, worker, name, own))
            first = self.first.program.run(name, *arguments[0])
            return [first, *(other.result() for other in others)]
        except BaseException:
            self._tell(LEFT, 1)
            self._rest()
            raise

    def _run(self, worker: Worker, name: str, arguments: tuple[int, ...]) -> int:
        try:
            return worker.program.run(name, *arguments)
        except BaseException:
            self._tell(LEFT, 1)
            raise

    def share(self) -> None:
        """Tell all workers what the first one knows."""
        for worker in self.workers[1:]:
            for slot in _COMMON:
                worker.g[slot] = self.first.g[slot]

    def _rest(self) -> None:
        """Wait until nobody runs any more, whatever happens: what they use is about to go."""
        interrupted = False
        while self._threads is not None:
            try:
                self._threads.shutdown()
                self._threads = None
            except KeyboardInterrupt:
                interrupted = True
        if interrupted:
            raise KeyboardInterrupt

    # --- what they share -------------------------------------------------------------------------

    def used(self) -> list[int]:
        """Return how many entries are used in each part of the table."""
        return [self._told(word_of(n, USED)) for n in range(len(self.workers))]

    def _told(self, word: int) -> int:
        return int.from_bytes(self._shared.read(8 * word, 8), sys.byteorder)

    def _tell(self, word: int, value: int) -> None:
        self._shared.write(8 * word, value.to_bytes(8, sys.byteorder))
