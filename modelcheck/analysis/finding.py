"""What is told to a reader: a finding with its weight and its evidence, and the verdict on each check and property."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from modelcheck.diagnostics import CHECKS
from modelcheck.language.model import Lock
from modelcheck.language.types import show
from modelcheck.result.certify import Claim
from modelcheck.result.trace import ClosedSet, Exhausted, Trace, Witnesses
from modelcheck.result.verdict import Verdict
from modelcheck.semantics.asking import DECLARED_ORDER
from modelcheck.source import NOWHERE, Span

Weight = Literal["violation", "warning", "note"]
"""SEMANTICS H14: a violation makes the exit code 1, a warning only with --strict, a note never."""

Evidence = Trace | ClosedSet | Witnesses | Exhausted

CODES_OF_PROPERTIES = {"invariant": "MC120", "step": "MC121", "reachable": "MC122"}

DEADLOCKS = ("circular_wait", "stuck", "cannot_finish")
"""What `deadlock` stands for, beside a lock-order cycle that is reached (SEMANTICS A10)."""


@dataclass(frozen=True)
class Finding:
    """One thing found. Findings with one cause are one finding (SEMANTICS H20).

    `check` is a built-in check or a kind of property, `name` the property's or assertion's name, else the check's.
    `states` says how many states (or error steps) show it, `members` which threads it is about, `ring` which of them
    wait for each other in a ring. `lost_since` is the step after which some member can never step again.
    `details` are lines that explain it. `claim` is what the evidence is said to show, `certified` whether that was
    checked by the definition. `consequences` are checks that are violated because of it, without a finding of their
    own.
    """

    check: str
    name: str
    weight: Weight
    message: str
    cause: tuple[str, ...]
    evidence: Evidence | None = None
    states: int = 0
    members: tuple[int, ...] = ()
    ring: tuple[int, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)
    lost_since: int | None = None
    details: tuple[str, ...] = ()
    claim: Claim | None = field(default=None, compare=False, repr=False)
    certified: bool = False
    consequences: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The code of the check or kind of property in the table of codes."""
        return CODES_OF_PROPERTIES.get(self.check) or CHECKS[self.check]

    @property
    def is_cycle_reached(self) -> bool:
        """Whether it is a lock-order cycle that is a reachable deadlock, and no break of a declared order."""
        declared = self.cause[:1] == (DECLARED_ORDER,)
        return self.check == "lock_order" and self.weight == "violation" and not declared

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which an expectation may speak of the finding."""
        umbrella = self.check in DEADLOCKS or self.is_cycle_reached
        return (self.check, self.name, *(("deadlock",) if umbrella else ()))

    @property
    def trace(self) -> Trace | None:
        """The trace that shows it, if one trace alone does."""
        match self.evidence:
            case Trace():
                return self.evidence
            case ClosedSet(trace):
                return trace
            case _:
                return None


@dataclass(frozen=True)
class Outcome:
    """The verdict on one check or property. `kind`: "check", "invariant", "step" or "reachable".

    `unclaimed`: it would hold, but reads a variable that is in a data race (SEMANTICS A2).
    """

    kind: str
    name: str
    verdict: Verdict
    unclaimed: bool = False


def instance_name(lock: Lock, index: tuple[int, ...]) -> str:
    """Return a lock instance as it is written in the language."""
    shown = (show(dimension, value) for dimension, value in zip(lock.dimensions, index, strict=True))
    return lock.name + "".join(f"[{value}]" for value in shown)


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
