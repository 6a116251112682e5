"""What ever occurs, from the flags that compiled code has set (engine/occurring.py has the meaning)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelcheck.engine.kernel.noted import merged_flags
from modelcheck.engine.kernel.worker import Worker
from modelcheck.engine.native_answers import Reading
from modelcheck.semantics.native_steps import decisions
from modelcheck.semantics.questions import Occurred


@dataclass(frozen=True)
class Flags:
    """The flags as they are when the search ends: later sweeps run the statements again."""

    outcomes: bytes
    waited: bytes
    true: bytes


def flags(workers: Sequence[Worker]) -> Flags:
    """Return the flags."""
    text = workers[0].program.text
    return Flags(
        merged_flags(workers, "outcomes", text.registry.flags),
        merged_flags(workers, "waited", text.locations),
        merged_flags(workers, "true", text.registry.conditions),
    )


def occurred(reading: Reading, before_time: Occurred | None, seen: Flags) -> Occurred | None:
    """Return what occurred, what occurred before time included; None if nobody asked."""
    if before_time is None:
        return None
    threads = reading.interpreter.system.model.threads
    outcomes = set(before_time.outcomes)
    for paths in reading.program.text.registry.paths:
        effects = threads[paths.thread].locations[paths.location].effects
        for count in range(1, paths.most + 1):
            first = paths.first + count * paths.codes
            found = seen.outcomes.find(1, first, first + paths.codes)
            while found >= 0:
                outcomes.add((paths.thread, paths.location, *decisions(effects, found - first, count)))
                found = seen.outcomes.find(1, found + 1, first + paths.codes)
    places = [(thread.number, place.number) for thread in threads for place in thread.locations]
    waited = (place for place, flag in zip(places, seen.waited, strict=True) if flag)
    true = (number for number, flag in enumerate(seen.true) if flag)
    return Occurred(
        frozenset(outcomes), before_time.waited | frozenset(waited), before_time.true | frozenset(true)
    )
