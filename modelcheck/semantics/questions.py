"""What an engine can be asked (SEMANTICS A7). A question is data; all questions of a model are one search.

Below the engines stands what is asked, above them what an answer means.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from modelcheck.language.model import At, Enabled, Expr, LockAt, Ref
from modelcheck.source import NOWHERE, Span

LOCKS = "{locks}"


@dataclass(frozen=True)
class StatePredicate:
    """Is there a reachable state in which `expr` is true?

    For an invariant that is the negation of what the user wrote, for a `reachable` the expression itself.
    `thread` and `location`: if given, only states with that thread at that location are meant (guarded_by, races).
    `cause` tells findings apart: one cause is one finding (SEMANTICS H20). A state where `expr` is undefined is
    reported as undefined. `message` has LOCKS where `locks` are to be named, as the instances that they are in the
    state found.
    """

    check: str
    name: str
    expr: Expr
    cause: tuple[str, ...]
    message: str
    thread: int | None = None
    location: int | None = None
    span: Span = field(default=NOWHERE, compare=False)
    locks: tuple[LockAt, ...] = ()


@dataclass(frozen=True)
class StepPredicate:
    """Is there a reachable step for which `expr` (over the state and, primed, its successor) is false?

    A step that changes nothing that `expr` mentions (cells, where threads stand, whether they have a step), and an
    error step, satisfies it (SEMANTICS H7).
    """

    name: str
    expr: Expr
    mentions: tuple[Ref | At | Enabled, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class ErrorSteps:
    """Which error steps are there? One cause a breach and source line."""


@dataclass(frozen=True)
class CircularWaits:
    """In which states is there a circular wait, and who is in it? (SEMANTICS A3)."""


@dataclass(frozen=True)
class TimeOutWaits:
    """In which states would there be a circular wait if nobody gave up, and who is in it? (SEMANTICS A5)."""


@dataclass(frozen=True)
class StuckForEver:
    """Which threads are blocked in a state from which no continuation lets them step? (SEMANTICS A4)."""


@dataclass(frozen=True)
class CannotFinish:
    """Which threads can, from some state, no longer reach a goal? (SEMANTICS A4)."""


@dataclass(frozen=True)
class LocalViews:
    """Which local views occur: of the thread that moved, at each new state (SEMANTICS A7)."""


@dataclass(frozen=True)
class Crossings:
    """Which locks are held where a call is entered and where it is left? (SEMANTICS C1)."""


@dataclass(frozen=True)
class ActionCounts:
    """How often does each action run, and with which outcome of its test?"""


@dataclass(frozen=True)
class Condition:
    """Something that may be true of a state; of a step, if `mentions` are given (one that changes some of them)."""

    expr: Expr
    mentions: tuple[Ref | At | Enabled, ...] | None = None


@dataclass(frozen=True)
class Occurrences:
    """What ever occurs (SEMANTICS H13)?

    The outcomes of the tests and choices of each statement, before time those of `init`; where a thread ever has to
    wait; which of the conditions are ever true, by their numbers.
    """

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Census:
    """How many values does each part of the state take, in how many states each? How many states has each level?

    A part is some cells, by their numbers. It is asked of what was seen, also where a limit ended the search. Of a part
    with more than `most` values, fewer of them stand for all. Of the parts in `sizes` only the number is asked.
    """

    parts: tuple[tuple[int, ...], ...]
    sizes: tuple[tuple[int, ...], ...] = ()
    most: int = 1 << 13


Question = (
    StatePredicate
    | StepPredicate
    | ErrorSteps
    | CircularWaits
    | TimeOutWaits
    | StuckForEver
    | CannotFinish
    | LocalViews
    | Crossings
    | ActionCounts
    | Occurrences
    | Census
)


@dataclass(frozen=True)
class Occurred:
    """The answer to `Occurrences`.

    `outcomes`: (thread, location, choices, tests) of each step that makes some, with INIT for thread and location
    before time. `waited`: (thread, location). `true`: numbers of conditions.
    """

    outcomes: frozenset[tuple[int, int, tuple[int, ...], tuple[bool, ...]]] = frozenset()
    waited: frozenset[tuple[int, int]] = frozenset()
    true: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Size:
    """How many of something there are: exactly, or about so many."""

    count: int
    exact: bool = True


@dataclass(frozen=True)
class Tally:
    """The values that a part of the state takes, each with the number of states that have it.

    Of more values than are kept, one in `scale` is there, chosen at random (engine/census.py); 1: all are there.
    """

    values: dict[tuple[int, ...], int]
    scale: int = 1

    @property
    def size(self) -> Size:
        """How many values there are."""
        return Size(len(self.values) * self.scale, self.scale == 1)


@dataclass(frozen=True)
class Counted:
    """The answer to `Census`: states of each level, the last maybe not complete; what is known of each part."""

    levels: tuple[int, ...]
    tallies: tuple[Tally, ...]
    sizes: tuple[Size, ...]


@dataclass(frozen=True)
class Held:
    """A lock instance that a thread holds: class, index values, mode.

    `alone`: nobody else can hold it meanwhile, in whatever mode.
    """

    lock: str
    index: tuple[int, ...]
    mode: str
    alone: bool = False


@dataclass(frozen=True)
class LocalView:
    """What one thread sees of itself: location, live locals (cell number, value), locks held, in order of the model."""

    thread: int
    location: int
    locals: tuple[tuple[int, int], ...]
    held: tuple[Held, ...]
