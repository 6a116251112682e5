"""What the ways to each finding cost, by compiled sweeps over the levels before it (the meaning: shortest.py)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from modelcheck.engine.kernel.context import Slot
from modelcheck.engine.kernel.program import Program
from modelcheck.engine.kernel.shortest import FINDINGS_OF_A_SWEEP
from modelcheck.engine.kernel.store import Store
from modelcheck.engine.watch import StoppedError
from modelcheck.semantics.native_registry import NOBODY

Costs = Callable[[int], dict[int, int]]

_SMALL_PART = 8
"""On `benchmarks/twin.mck` the states on the shortest ways are a twenty-fifth of all."""


@dataclass(frozen=True)
class Ending:
    """Where the traces of a finding end: states of a level, with the thread whose step it is, or NOBODY."""

    level: int
    places: Sequence[tuple[int, int]]


def ways_to(
    program: Program, store: Store, endings: Sequence[Ending], need: Callable[[int], None]
) -> Generator[Costs]:
    """Yield for each finding the costs of the states on the way, to be used before the next are asked for.

    `need` is told how many bytes are to be taken, and raises StoppedError if they are too many. Findings of about
    the same level should stand together: they share a sweep.
    """
    try:
        while endings:
            group = _that_fit(store, endings[:FINDINGS_OF_A_SWEEP], need)
            _find_cones(store, group)
            for number, ending in enumerate(group):
                yield _Cone(program, store, ending, 1 << number, need).costs
            endings = endings[len(group) :]
    finally:
        for slot in (Slot.CONES, Slot.MEMBERS, Slot.COSTS):
            store.release(slot)


def size_of_ways(program: Program, store: Store, level: int) -> int:
    """Return about how many bytes the ways to findings of a level will take: a cone is a small part of the states."""
    member = 4 + 2 * (program.text.shape.threads + 1)
    return store.level(level).stop * (4 + -(-member // _SMALL_PART))


def _that_fit(store: Store, group: Sequence[Ending], need: Callable[[int], None]) -> Sequence[Ending]:
    """Return the findings of a group, or the first of them, for which there is memory."""
    while True:
        try:
            need(4 * store.level(max(ending.level for ending in group)).stop)
        except StoppedError:
            if len(group) == 1:
                raise
            group = group[: len(group) // 2]
        else:
            return group


def _find_cones(store: Store, group: Sequence[Ending]) -> None:
    """Write the bits of each finding of the group beside the states on the shortest ways to it."""
    deepest = max(ending.level for ending in group)
    bits: dict[int, int] = {}
    for number, ending in enumerate(group):
        for place, _ in ending.places:
            bits[place] = bits.get(place, 0) | 1 << number
    cones = store.array(Slot.CONES, 4 * store.level(deepest).stop)
    for place, wanted in bits.items():
        cones.write(4 * place, array("I", [wanted]).tobytes())
    for depth in reversed(range(deepest)):
        here, nearer = store.level(depth), store.level(depth + 1)
        store.crew.spread("cones", here.start, here.stop, nearer.start, nearer.stop)


class _Cone:
    """The states of one cone, by number, with their costs."""

    def __init__(
        self, program: Program, store: Store, ending: Ending, bit: int, need: Callable[[int], None]
    ) -> None:
        self._threads = program.text.shape.threads
        last = store.level(ending.level).stop
        program.g[Slot.MEMBERS_USED] = 0
        self._count = program.run("members", bit, 0, last, 0)
        need((4 + self._width) * self._count)
        self._members = store.array(Slot.MEMBERS, 4 * self._count)
        self._costs = store.array(Slot.COSTS, self._width * self._count)
        program.g[Slot.MEMBERS_USED] = 0
        program.run("members", bit, 0, last, 1)
        for number, mover in ending.places:
            where = self._threads if mover == NOBODY else mover
            self._costs.write(self._width * self._place(number) + 2 * where, b"\1\0")
        places = [self._place(store.level(depth).start) for depth in range(ending.level + 1)] + [self._count]
        for depth in reversed(range(ending.level)):
            store.crew.spread("costs", *places[depth : depth + 2], *places[depth + 1 : depth + 3], bit)

    @property
    def _width(self) -> int:
        """Bytes of the costs of a state."""
        return 2 * (self._threads + 1)

    def _place(self, number: int) -> int:
        """Return the place of the first member that has at least this number."""
        return bisect_left(range(self._count), number, key=self._number)

    def _number(self, place: int) -> int:
        (number,) = memoryview(self._members.read(4 * place, 4)).cast("I")
        return int(number)

    def costs(self, number: int) -> dict[int, int]:
        """Return for a state the fewest switches to a target, by who moves first; -1 if nobody needs to."""
        place = self._place(number)
        if place == self._count or self._number(place) != number:
            return {}
        costs = memoryview(self._costs.read(self._width * place, self._width)).cast("H")
        found = {thread: cost - 1 for thread, cost in enumerate(costs[: self._threads]) if cost}
        if costs[self._threads]:
            found[-1] = costs[self._threads] - 1
        return found
