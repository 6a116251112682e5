"""Where the states come from: how many values each part of them takes (the question `Census`).

A part takes as many values as states differ in it, up to all of them. So of many values only some are kept: those
whose rank, a hash of the value, is low enough; whenever there are too many the bound is halved. What is kept at the
end does not depend on the order of the states, is a fair sample of the values, and tells how many there are with a
standard error of about 1.2 / sqrt(most); up to `most` values nothing is left out. (M. Wegman's adaptive sampling,
analysed in P. Flajolet: On adaptive sampling, Computing 43, 1990.) Unlike there whole values are kept and not hashes,
so that two values are never taken for one.

Both engines give the same answer: the reference engine counts all values, and leaves out what the native one never
kept. Cost: of each part one hash a state, compiled some nanoseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from modelcheck.engine.kernel.census import Tallies, rank
from modelcheck.engine.kernel.context import Slot
from modelcheck.engine.space import Space
from modelcheck.engine.watch import StoppedError, Watch
from modelcheck.semantics.layout import ONES, WORD, Part, layout
from modelcheck.semantics.questions import Census, Counted, Question, Size, Tally
from modelcheck.semantics.transition_system import TransitionSystem

if TYPE_CHECKING:
    from modelcheck.engine.kernel.program import Program
    from modelcheck.engine.kernel.store import Store


def census_of_store(program: Program, store: Store, questions: Iterable[Question]) -> Counted | None:
    """Return the census of a native search, if somebody asks for it and there is memory for it."""
    asked = next((q for q in questions if isinstance(q, Census)), None)
    if asked is None:
        return None
    place = program.text.layout
    parts = [place.part(cells) for cells in (*asked.parts, *asked.sizes)]
    try:
        tallies = Tallies(parts, place.words, asked.most)
    except OSError:
        return None  # there is no memory for it
    valued = len(asked.parts)
    try:
        tallies.count(int(program.g[Slot.ARENA]), len(store))
        found = tuple(
            _tally(part, tallies.values(number), tallies.scale(number))
            for number, part in enumerate(parts[:valued])
        )
        sizes = tuple(_size(tallies.used(n), tallies.scale(n)) for n in range(valued, len(parts)))
    finally:
        tallies.close()
    return Counted(tuple(_levels(store)), found, sizes)


def _tally(part: Part, kept: dict[tuple[int, ...], int], scale: int) -> Tally:
    return Tally(dict(sorted((part.values(words), times) for words, times in kept.items())), scale)


def _size(kept: int, scale: int) -> Size:
    return Size(kept * scale, scale == 1)


def _levels(store: Store | Space) -> Iterable[int]:
    """Yield the sizes of the levels; the last may not be complete."""
    for depth in range(store.depth + 2):
        size = len(store.level(depth))
        if size:
            yield size


# --- the same without a compiler -----------------------------------------------------------------

_BYTES = 250
"""About what Python needs for a state that is counted: a number, and an entry that it is found by."""


def census_of_space(
    system: TransitionSystem, space: Space, questions: Iterable[Question], watch: Watch
) -> Counted | None:
    """Return the census of a search of the reference engine, if somebody asks and there is memory for it."""
    asked = next((q for q in questions if isinstance(q, Census)), None)
    if asked is None:
        return None
    try:
        watch.need_to_tell(_BYTES * len(space))
    except StoppedError:
        return None
    place = layout(system)
    packed = [_joined(place.pack(state)) for state in space.states]
    found = []
    for cells in asked.parts:
        part = place.part(cells)
        found.append(_tally(part, *_kept(part, packed, asked.most)))
    sizes = []
    for cells in asked.sizes:
        kept, scale = _kept(place.part(cells), packed, asked.most)
        sizes.append(_size(len(kept), scale))
    return Counted(tuple(_levels(space)), tuple(found), tuple(sizes))


def _joined(words: Sequence[int]) -> int:
    return sum(word << WORD * n for n, word in enumerate(words))


def _kept(part: Part, packed: Sequence[int], most: int) -> tuple[dict[tuple[int, ...], int], int]:
    """Return the values that are kept, as words, each with its number of states; and one in how many that is."""
    mask, count = _joined(part.mask), len(part.mask)
    numbers = Counter(state & mask for state in packed)
    found = {tuple(n >> WORD * k & ONES for k in range(count)): times for n, times in numbers.items()}
    ranks = {words: rank(words) for words in found} if len(found) > most else {}
    scale = 1
    while len(found) > most:
        scale *= 2
        found = {words: times for words, times in found.items() if ranks[words] < (ONES + 1) // scale}
    return found, scale
