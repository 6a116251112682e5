"""Queries to the solver: each has a name and a time limit, and is remembered with its answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from modelcheck.engine.engine import Limits
from modelcheck.engine.watch import StoppedError
from modelcheck.result.verdict import Query
from modelcheck.semantics.symbolic_numbers import Arithmetic
from modelcheck.semantics.symbolic_solver import Solver
from modelcheck.semantics.symbolic_truth import Truth


class GaveUpError(Exception):
    """The solver did not decide a query; the message names it."""


class Budget:
    """The time that is left, and the queries so far."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._start = time.monotonic()
        self.queries: list[Query] = []

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def allowance(self) -> float:
        """Return how long the next query may take; raise StoppedError if no time is left."""
        if self._limits.seconds is None:
            return self._limits.query_seconds
        left = self._limits.seconds - self.seconds
        if left <= 0:
            raise StoppedError(f"limit of {self._limits.seconds:g} seconds")
        return min(left, self._limits.query_seconds)


class Asking:
    """One solver whose queries count against a budget."""

    def __init__(self, numbers: Arithmetic, budget: Budget, *, plain: bool = False) -> None:
        self._solver = Solver(numbers, plain=plain)
        self._budget = budget
        self.add = self._solver.add
        self.value = self._solver.value
        self.is_true = self._solver.is_true
        self.at_most = self._solver.at_most

    @contextmanager
    def scope(self, *facts: Truth) -> Iterator[None]:
        """Add facts for the time of a block."""
        with self._solver.scope(*facts):
            yield

    def possible(self, name: str, *facts: Truth, seconds: float | None = None) -> bool:
        """Tell whether all that was added, and the facts, can be true; raise GaveUpError if that is not decided.

        `seconds` is a limit of this query below the one of all queries. If the answer is yes, `value` and `is_true`
        read from what was found.
        """
        if any(fact is False for fact in facts):
            return False
        limit = self._budget.allowance()
        start = time.monotonic()
        with self._solver.scope(*facts):
            answer, reason = self._solver.check(limit if seconds is None else min(limit, seconds))
            if answer == "sat":
                self._solver.keep_model()
        self._budget.queries.append(Query(name, answer, time.monotonic() - start))
        if "interrupted from keyboard" in reason:
            raise KeyboardInterrupt  # z3 has taken the signal and tells it only so
        if answer == "unknown":
            self._budget.allowance()  # if it is the time of the whole run that is up, say so
            raise GaveUpError(f"z3 gave up on `{name}` after {time.monotonic() - start:.3g} s ({reason})")
        return answer == "sat"
