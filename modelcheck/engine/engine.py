"""The contract of every engine: explore(system, questions, limits, progress) -> Answers (SEMANTICS A7).

An engine returns; it does not print, exit, or read flags. A limit or an interrupt is a value in the answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from modelcheck.result.trace import Trace
from modelcheck.result.verdict import Statistics
from modelcheck.semantics.questions import Counted, Held, LocalView, Occurred, Question
from modelcheck.semantics.transition_system import State, TransitionSystem
from modelcheck.source import Span

MOST_WORKERS = 16
"""Workers that one search can have."""


@dataclass(frozen=True)
class Limits:
    """When to give up: states, bytes of memory, seconds; None is no limit. `depth` bounds symbolic engines.

    `query_seconds` is the time for one z3 query. `spent`: so much of the time is used already. `workers`: the most
    processors that one search uses; None: all that the process may use, as far as that helps. What is found does not
    depend on it.
    """

    states: int | None = None
    memory: int | None = None
    seconds: float | None = None
    depth: int | None = None
    query_seconds: float = 60.0
    spent: float = 0.0
    workers: int | None = None


@dataclass(frozen=True)
class Found:
    """One finding: the question, its cause, and the earliest evidence.

    `cause` is what makes two findings the same (SEMANTICS H20). `states` says how many states (or error steps)
    show it. `members` are the threads concerned (a circular wait, a stuck thread, who breaks a rule).
    `closed` is the closed set that follows the trace, for stuck and cannot finish. `undefined`: the predicate
    itself was undefined there.
    """

    question: Question
    cause: tuple[str, ...]
    level: int
    states: int
    trace: Trace
    members: tuple[int, ...] = ()
    closed: frozenset[State] | None = None
    undefined: str = ""


@dataclass(frozen=True)
class Answers:
    """What an engine knows. `stopped` is "" if every reachable state was looked at, else the limit that was hit.

    `proofs` maps a property's name to how it was proved, `open` a question to why it was not decided (symbolic
    engines). `views`, `crossings` and `counts` are the collections that were asked for:
    crossings hold (call number, leaves, locks held, the place of the return), counts (thread,
    location, target location or -1: an error).
    `occurred` and `census` are None where they were not asked for, or could not be answered.
    """

    statistics: Statistics
    stopped: str = ""
    found: tuple[Found, ...] = ()
    views: frozenset[LocalView] = frozenset()
    crossings: frozenset[tuple[int, bool, tuple[Held, ...], Span]] = frozenset()
    counts: dict[tuple[int, int, int], int] = field(default_factory=dict)
    occurred: Occurred | None = None
    census: Counted | None = None
    proofs: dict[str, str] = field(default_factory=dict)
    bounds: dict[str, int] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)


Progress = Callable[[Statistics, int], None]
"""Called now and then with the statistics so far and the size of the frontier."""


class Engine(Protocol):
    """An engine is this function."""

    def __call__(
        self,
        system: TransitionSystem,
        questions: tuple[Question, ...],
        limits: Limits,
        progress: Progress | None,
    ) -> Answers:
        """Answer the questions."""
        ...
