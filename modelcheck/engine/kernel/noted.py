"""What all workers noted, as if one had noted it: nothing here depends on who saw what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelcheck.engine.kernel.sets import SetKind
from modelcheck.engine.kernel.worker import Worker

Place = tuple[int, int]


@dataclass(frozen=True)
class Noted:
    """Something that was noted: how often, at which level first, and where at that level, in rising order."""

    count: int
    level: int
    places: tuple[Place, ...]


def noted(workers: Sequence[Worker]) -> dict[int, Noted]:
    """Return the notes that were made, by number."""
    seen: dict[int, list[Noted]] = {}
    for worker in workers:
        places, program = worker.places(), worker.program
        for number, count in enumerate(program.note_counts[: len(program.text.registry.notes)]):
            if count:
                one = Noted(count, _level(program.note_levels[number]), tuple(places[number]))
                seen.setdefault(number, []).append(one)
    return {number: _together(found) for number, found in sorted(seen.items())}


def _level(stored: int) -> int:
    """The level before the first is -1."""
    return stored if stored < 1 << 63 else stored - (1 << 64)


def _together(found: Sequence[Noted]) -> Noted:
    level = min(each.level for each in found)
    places = sorted(place for each in found if each.level == level for place in each.places)
    return Noted(sum(each.count for each in found), level, tuple(places))


def logged_rows(workers: Sequence[Worker], kind: SetKind) -> list[tuple[tuple[int, ...], Noted]]:
    """Return the tuples of a set that is logged, in the order of the states that show them first."""
    assert kind.logged is not None
    seen: dict[tuple[int, ...], list[Noted]] = {}
    for worker in workers:
        places = worker.places()
        for number, row in enumerate(worker.tuples(kind)):
            key, (count, level) = row[: kind.key], row[kind.key :]
            if count:
                one = Noted(count, _level(level), tuple(places[kind.logged - number]))
                seen.setdefault(key, []).append(one)
    rows = [(key, _together(found)) for key, found in seen.items()]
    return sorted(rows, key=lambda row: row[1].places)


def merged_rows(workers: Sequence[Worker], kind: SetKind) -> list[tuple[int, ...]]:
    """Return the tuples of a set that is not logged, each with the first state that any worker saw it at."""
    found: dict[tuple[int, ...], int] = {}
    for worker in workers:
        for *key, number in worker.tuples(kind):
            found[tuple(key)] = min(number, found.get(tuple(key), number))
    return [(*key, number) for key, number in found.items()]


def merged_counts(workers: Sequence[Worker]) -> list[int]:
    """Return how often each action ran."""
    return [sum(each) for each in zip(*(worker.program.counts for worker in workers), strict=True)]


def merged_flags(workers: Sequence[Worker], name: str, count: int) -> bytes:
    """Return the flags that any worker set."""
    found = 0
    for worker in workers:
        found |= int.from_bytes(worker.program.flags(name, count), "little")
    return found.to_bytes(count, "little")
