"""Numbers as mathematical integers: a second encoding beside bit-vectors, for comparing the two.

On the models that were measured bit-vectors were faster (modelcheck/semantics/symbolic_numbers.py says by how much),
so the engine has no use for this one.
"""

from __future__ import annotations

from typing import assert_never

import z3

from modelcheck.language.intervals import Interval, hull
from modelcheck.language.values import ArithOperator
from modelcheck.semantics.symbolic_numbers import (
    LARGEST_SHIFT,
    Arithmetic,
    Number,
    bits_for,
    bitwise,
    constant,
    is_boolean,
)
from modelcheck.semantics.symbolic_truth import Term, Truth, conditional


class Integers(Arithmetic):
    """Numbers as mathematical integers; bit operations go through bit-vectors, shifts through a table."""

    def _named(self, name: str, bounds: Interval) -> Term:
        return z3.Int(name, self.context)

    def _valid(self, variable: Number) -> Truth:
        low, high = variable.bounds
        return z3.And(variable.term >= low, variable.term <= high)

    def _term(self, number: Number, bounds: Interval) -> Term:
        if number.is_constant:
            return z3.IntVal(number.low, self.context)
        if is_boolean(number):
            return conditional(number.term, z3.IntVal(1, self.context), z3.IntVal(0, self.context))
        return number.term

    def _operate(self, operator: ArithOperator, left: Number, right: Number, bounds: Interval) -> Term:
        one, other = self._term(left, bounds), self._term(right, bounds)
        match operator:
            case "+":
                return one + other
            case "-":
                return one - other
            case "*":
                return one * other
            case "/" | "%":
                return _truncated(operator, (one, left), (other, right))
            case "&" | "|" | "^":
                bits = bits_for((0, max(left.high, right.high, 1)))
                return z3.BV2Int(bitwise(operator, z3.Int2BV(one, bits), z3.Int2BV(other, bits)))
            case "<<" | ">>":
                return self._shifted(operator, one, right)
            case _:
                assert_never(operator)

    def _shifted(self, operator: ArithOperator, one: Term, by: Number) -> Term:
        result = z3.IntVal(0, self.context)
        for amount in range(max(by.low, 0), min(by.high, LARGEST_SHIFT) + 1):
            shifted = one * (1 << amount) if operator == "<<" else one / (1 << amount)
            here = self.compare("==", by, constant(amount))
            result = shifted if here is True else conditional(here, shifted, result)
        return result

    def _less(self, left: Number, right: Number, *, strict: bool) -> Term:
        both = hull(left.bounds, right.bounds)
        one, other = self._term(left, both), self._term(right, both)
        return one < other if strict else one <= other

    def _value(self, found: Term, number: Number) -> int:
        return int(found.as_long())


def _truncated(operator: ArithOperator, left: tuple[Term, Number], right: tuple[Term, Number]) -> Term:
    """Return C's quotient or remainder. z3's `div` rounds so that the remainder is never negative."""
    (one, dividend), (other, divisor) = left, right
    size = one if dividend.low >= 0 else z3.If(one >= 0, one, -one)
    by = other if divisor.low >= 0 else z3.If(other >= 0, other, -other)
    if operator == "%":
        rest = size % by
        return rest if dividend.low >= 0 else z3.If(one >= 0, rest, -rest)
    quotient = size / by
    if dividend.low >= 0 and divisor.low >= 0:
        return quotient
    return z3.If((one >= 0) == (other >= 0), quotient, -quotient)
