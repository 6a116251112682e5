"""What compiled code counts and notes, by number: the numbers are given while the code is written.

A *note* is a number for something that was asked for and can be seen at a state or a step: an error step at one place,
a predicate that is true or undefined. The code notes the number; what it means is known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from modelcheck.language.model import Breach, Crossing
from modelcheck.semantics.questions import StatePredicate, StepPredicate
from modelcheck.source import Span

ERROR = -1
"""Stands for the target of an error step in an action count."""

MOVER_BITS = 8
NOBODY = (1 << MOVER_BITS) - 1
"""The mover of an initial state. Beside a successor stand the number of the state before it plus one, and the mover."""

MOST_THREADS = 21
"""A thread has three bits in the word that says what can still happen from a state, and one bit is for errors."""


@dataclass(frozen=True)
class ErrorNote:
    """An error step of a thread at a location; the numbers in the breach's sentence are not those of the step."""

    thread: int
    location: int
    breach: Breach


@dataclass(frozen=True)
class PredicateNote:
    """A question about a state or a step that shows there, or is undefined there."""

    question: StatePredicate | StepPredicate
    undefined: bool


@dataclass(frozen=True)
class StuckNote:
    """A thread that is stuck for ever at a location; `interrupted`: but for a handler in its place it could step."""

    thread: int
    location: int
    interrupted: bool = False


@dataclass(frozen=True)
class UnableNote:
    """A thread that cannot finish."""

    thread: int


Note = ErrorNote | PredicateNote | StuckNote | UnableNote


@dataclass(frozen=True)
class Paths:
    """The flags of the paths through one statement, from `first` on: `codes` for each number of decisions to `most`."""

    thread: int
    location: int
    first: int
    codes: int
    most: int


@dataclass
class Registry:
    """The numbers given so far.

    `crossings`: the places where calls are entered and left; `most_crossings` of one step. `paths`: the statements
    whose outcomes are kept apart, with `flags` flags in all. `conditions`: how many have a flag.
    """

    counts: dict[tuple[int, int, int], int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    crossings: dict[tuple[int, bool, Span], int] = field(default_factory=dict)
    most_crossings: int = 0
    paths: list[Paths] = field(default_factory=list)
    flags: int = 0
    conditions: int = 0

    def crossing(self, crossing: Crossing) -> int:
        """Return the number of a crossing."""
        key = (crossing.call.number, crossing.leaves, crossing.at)
        return self.crossings.setdefault(key, len(self.crossings))

    def paths_of(self, thread: int, location: int, codes: int, most: int) -> Paths:
        """Give flags to the paths through a statement."""
        paths = Paths(thread, location, self.flags, codes, most)
        self.paths.append(paths)
        self.flags += codes * (most + 1)
        return paths

    def counter(self, thread: int, location: int, target: int) -> int:
        """Return the number of an action's counter."""
        return self.counts.setdefault((thread, location, target), len(self.counts))

    def note(self, notes: Iterable[Note]) -> int:
        """Return the number of the first of these notes; the others follow."""
        first = len(self.notes)
        self.notes += notes
        return first
