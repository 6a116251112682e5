"""Where something that was asked for has been seen, cause by cause (SEMANTICS H10, H20)."""

from __future__ import annotations

from dataclasses import dataclass, field

from modelcheck.semantics.questions import Question
from modelcheck.semantics.transition_system import INIT, Step


@dataclass(frozen=True)
class Target:
    """Where a trace may end: at a state, or with a step that leaves it. `members` are the threads concerned.

    An error before time has no state: its number is INIT.
    """

    number: int
    step: Step | None = None
    members: tuple[int, ...] = ()
    undefined: str = ""


@dataclass
class Sighting:
    """One cause: the number of steps to where it is first seen, every place at that distance, how many in all."""

    question: Question
    cause: tuple[str, ...]
    level: int
    states: int = 0
    targets: list[Target] = field(default_factory=list)


@dataclass
class Sightings:
    """All that was seen. Levels must come in rising order."""

    _all: dict[tuple[Question, tuple[str, ...], bool], Sighting] = field(default_factory=dict)

    def add(self, question: Question, cause: tuple[str, ...], level: int, target: Target) -> None:
        """Note that a cause shows at a target, `level` steps from the start."""
        key = (question, cause, bool(target.undefined))
        sighting = self._all.setdefault(key, Sighting(question, cause, level))
        sighting.states += 1
        if sighting.level == level:
            sighting.targets.append(target)

    @property
    def keys(self) -> tuple[tuple[Question, tuple[str, ...], bool], ...]:
        """Question, cause, and whether it is undefined, of all that was seen, in the order of seeing."""
        return tuple(self._all)

    def targets(self, key: tuple[Question, tuple[str, ...], bool]) -> list[Target]:
        """Return where something was seen first."""
        return self._all[key].targets

    @property
    def all(self) -> tuple[Sighting, ...]:
        """Every cause, the nearest first."""
        return tuple(sorted(self._all.values(), key=lambda s: s.level))


def before_time(target: Target) -> bool:
    """Tell whether the target is an error of `init` or of a thread's start."""
    return target.number == INIT
