"""What is known of one check or property: the closed set of verdicts, each with its evidence."""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.result.trace import ClosedSet, Exhausted, Trace, Witnesses


@dataclass(frozen=True)
class Query:
    """One question to the solver: its name (`bmc race@7`), its answer (sat, unsat, unknown), how long it took."""

    name: str
    answer: str
    seconds: float


@dataclass(frozen=True)
class Statistics:
    """How large the search was. `depth` is the number of breadth-first levels minus one.

    `seconds` of search; `peak_memory` and `bytes_per_state` in bytes, 0 where not measured. `queries`: what the
    solver was asked, in order (symbolic engines; they count no states). `engine` answered; `fallback` says why that
    was not the native engine where it should have been. `workers`: how many searched.
    """

    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    peak_memory: int = 0
    bytes_per_state: float = 0.0
    queries: tuple[Query, ...] = ()
    engine: str = ""
    fallback: str = ""
    workers: int = 1

    @property
    def states_per_second(self) -> float:
        """States a second; 0 if no time was measured."""
        return self.states / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Holds:
    """Every reachable state was looked at. A `reachable` that holds carries the trace to its state."""

    trace: Trace | None = None


@dataclass(frozen=True)
class Proved:
    """Shown by z3 without enumerating: for all depths, and for what `scope` names. `method` e.g. "3-induction"."""

    method: str
    scope: str = ""


@dataclass(frozen=True)
class Violated:
    """Refuted, with the evidence."""

    evidence: Trace | ClosedSet | Witnesses | Exhausted


@dataclass(frozen=True)
class Bounded:
    """No violation in the first `depth` steps; nothing is known beyond."""

    depth: int


@dataclass(frozen=True)
class Unknown:
    """Not decided: the limit that was hit, or the question that the engine cannot answer."""

    reason: str


@dataclass(frozen=True)
class Failed:
    """The property itself is undefined in a reachable state (SEMANTICS H6): never a pass."""

    reason: str
    trace: Trace


Verdict = Holds | Proved | Violated | Bounded | Unknown | Failed


def word(verdict: Verdict) -> str:
    """Return the verdict's name in reports and JSON: holds, proved, violated, bounded, unknown, error."""
    return "error" if isinstance(verdict, Failed) else type(verdict).__name__.lower()
