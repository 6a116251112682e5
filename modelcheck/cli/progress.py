"""How far a long search is, on stderr and only for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

    from modelcheck.engine.engine import Progress
    from modelcheck.result.verdict import Statistics


@contextmanager
def progress(*, wanted: bool) -> Iterator[Progress | None]:
    """Yield what a search calls now and then; None where nobody would see it."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as stack:
        yield _Line(stack).show


class _Line:
    """One line that is written over; it appears when the search first reports, so a short one shows nothing."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._status: Status | None = None

    def show(self, statistics: Statistics, frontier: int) -> None:
        """Show the numbers so far."""
        from rich.console import Console
        from rich.status import Status

        from modelcheck.engine.memory import size_shown

        rate = f"{statistics.states_per_second:,.0f} states/s"
        counts = (
            f"{statistics.states:,} states, {statistics.transitions:,} transitions, depth {statistics.depth}"
        )
        memory = size_shown(statistics.peak_memory)
        text = f"{counts}, {frontier:,} to expand, {rate}, {memory}"
        if self._status is None:
            status = Status(text, console=Console(stderr=True))
            self._status = self._stack.enter_context(status)
        else:
            self._status.update(text)
