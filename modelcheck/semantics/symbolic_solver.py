"""A z3 solver for the terms of one arithmetic: facts are added, and taken back with the scope they were added in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import z3

from modelcheck.semantics.symbolic_numbers import Arithmetic, BitVectors, Number
from modelcheck.semantics.symbolic_truth import Term, Truth, formula

Answer = Literal["sat", "unsat", "unknown"]


class Solver:
    """z3, in the mode that suits the arithmetic: bit-vectors over finite domains go to its SAT solver.

    `plain` asks for z3's general solver instead: another way to the same answer, for re-checking.
    """

    def __init__(self, numbers: Arithmetic, *, plain: bool = False) -> None:
        self._numbers = numbers
        finite = isinstance(numbers, BitVectors) and not plain
        context = numbers.context
        self._solver = z3.SolverFor("QF_FD", ctx=context) if finite else z3.SimpleSolver(ctx=context)

    def add(self, facts: Iterable[Truth]) -> None:
        """Add facts; what is known to be true is left out."""
        self._solver.add(*(formula(fact, self._numbers.context) for fact in facts if fact is not True))

    @contextmanager
    def scope(self, *facts: Truth) -> Iterator[None]:
        """Add facts for the time of a block."""
        self._solver.push()
        try:
            self.add(facts)
            yield
        finally:
            self._solver.pop()

    def check(self, seconds: float) -> tuple[Answer, str]:
        """Ask whether the facts can all be true; with the reason, if the answer is unknown."""
        self._solver.set("timeout", max(1, min(int(seconds * 1000), 2**31 - 1)))
        found = self._solver.check()
        if found == z3.sat:
            return "sat", ""
        return ("unsat", "") if found == z3.unsat else ("unknown", str(self._solver.reason_unknown()))

    def value(self, number: Number) -> int:
        """Return what the number is in the model of the last check."""
        return self._numbers.value(self._model, number)

    def is_true(self, truth: Truth) -> bool:
        """Tell whether the truth value is true in the model of the last check."""
        if isinstance(truth, bool):
            return truth
        return bool(z3.is_true(self._model.eval(truth, model_completion=True)))

    def keep_model(self) -> None:
        """Keep the model of the last check, which was "sat", for `value` and `is_true`."""
        self._model: Term = self._solver.model()

    def at_most(self, truths: Iterable[Truth], most: int) -> Truth:
        """Return the fact that no more than so many are true."""
        known = [truth for truth in truths if truth is not False]
        sure = sum(truth is True for truth in known)
        open_ = [truth for truth in known if truth is not True]
        if sure > most:
            return False
        return True if len(open_) + sure <= most else z3.AtMost(*open_, most - sure)
