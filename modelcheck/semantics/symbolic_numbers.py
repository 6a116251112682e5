"""Exact integers as z3 terms: as bit-vectors whose widths are chosen so that nothing ever wraps.

A `Number` is a term together with bounds of its value. The bounds are what makes bit-vectors exact: each
operation gets as many bits as its result can need (SEMANTICS H6). A number whose bounds meet is a constant and has no
term. Truth values (cells of two values, comparisons) stay Boolean terms until arithmetic is done with them.

`Arithmetic` is what does not depend on the encoding. The other one, mathematical integers, is kept with the tests
(tests/semantics/symbolic_integers.py), as a second opinion and for this comparison. Seconds of processor time, z3 5.4:

                                                     bit-vectors   integers
    bounded search, DESIGN's example, to its end          0.4         0.9
    bounded search, lock_inversion, crowd, 14 steps       0.7         8.7
    bounded search, zone spans up to 2**36, 15 steps      2.0         9.8
    lock invariant, zone spans up to 2**36, % and *       0.6         0.1
    lock invariant, zone_adjacency, 8 blocks              0.6         0.6

Control flow decides the first three, and there z3's SAT solver, which takes only bit-vectors, is far ahead. For
one section over large numbers integers are better, but not by enough for a second encoding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import z3

from modelcheck.language.intervals import Interval, hull
from modelcheck.language.values import (
    ArithOperator,
    CompareOperator,
    arithmetic_interval,
    calculate,
    compare,
)
from modelcheck.semantics.symbolic_truth import (
    Context,
    Term,
    Truth,
    choice,
    conditional,
    conjunction,
    disjunction,
    equal,
    negation,
)

LARGEST_SHIFT = 62


@dataclass(frozen=True, eq=False)
class Number:
    """An integer between `low` and `high`: a constant if they meet, else a term (Boolean for 0 and 1, if it is one)."""

    term: Term
    low: int
    high: int

    @property
    def is_constant(self) -> bool:
        """Whether the value is known."""
        return self.low == self.high

    @property
    def bounds(self) -> Interval:
        """The interval that the value lies in."""
        return self.low, self.high


Row = tuple[Term, ...]
"""Several numbers, ready to be compared with others."""


def constant(value: int) -> Number:
    """Return a known number."""
    return Number(None, value, value)


def from_truth(truth: Truth) -> Number:
    """Return 1 for true, 0 for false."""
    return constant(int(truth)) if isinstance(truth, bool) else Number(truth, 0, 1)


def is_boolean(number: Number) -> bool:
    """Tell whether the number's term is Boolean."""
    return not number.is_constant and z3.is_bool(number.term)


class Arithmetic(ABC):
    """What both encodings can do. An undefined operation has any value; `defined` says when it is defined."""

    def __init__(self) -> None:
        self.context: Context = z3.Context()

    def variable(self, name: str, low: int, high: int) -> Number:
        """Return a fresh constant of the solver; `within` is the fact that keeps it in its bounds."""
        if low == high:
            return constant(low)
        if (low, high) == (0, 1):
            return Number(z3.Bool(name, self.context), 0, 1)
        return Number(self._named(name, (low, high)), low, high)

    def truth(self, number: Number) -> Truth:
        """Return whether the number is not 0."""
        if number.is_constant:
            return number.low != 0
        return number.term if is_boolean(number) else self.compare("!=", number, constant(0))

    def defined(self, operator: ArithOperator, left: Number, right: Number) -> Truth:
        """Return the condition that the operation has a value, given that its operands have."""
        match operator:
            case "+" | "-" | "*":
                return True
            case "/" | "%":
                return self.compare("!=", right, constant(0))
            case "&" | "|" | "^":
                return conjunction(self.compare(">=", each, constant(0)) for each in (left, right))
            case "<<" | ">>":
                signs = (self.compare(">=", each, constant(0)) for each in (left, right))
                return conjunction((*signs, self.compare("<=", right, constant(LARGEST_SHIFT))))
            case _:
                assert_never(operator)

    def operate(self, operator: ArithOperator, left: Number, right: Number) -> Number:
        """Return the exact result of the operation."""
        if left.is_constant and right.is_constant:
            return constant(calculate(operator, left.low, right.low) or 0)
        low, high = arithmetic_interval(operator, left.bounds, right.bounds)
        if low == high:
            return constant(low)
        return self._number(self._operate(operator, left, right, (low, high)), low, high)

    def total(self, parts: tuple[Number, ...]) -> Number:
        """Return the sum."""
        result = constant(sum(p.low for p in parts if p.is_constant))
        for part in parts:
            if not part.is_constant:
                result = self.operate("+", result, part)
        return result

    def compare(self, operator: CompareOperator, left: Number, right: Number) -> Truth:
        """Return whether the comparison is true."""
        if left.is_constant and right.is_constant:
            return compare(operator, left.low, right.low)
        match operator:
            case "==" | "!=":
                equal = self._equal(left, right)
                return equal if operator == "==" else negation(equal)
            case "<" | "<=":
                return self._ordered(operator, left, right)
            case ">":
                return self._ordered("<", right, left)
            case ">=":
                return self._ordered("<=", right, left)
            case _:
                assert_never(operator)

    def choose(self, condition: Truth, then: Number, otherwise: Number) -> Number:
        """Return `then` where the condition is true, else `otherwise`."""
        if isinstance(condition, bool):
            return then if condition else otherwise
        if then is otherwise or (then.is_constant and then.bounds == otherwise.bounds):
            return then
        if all(is_boolean(n) or n.bounds in ((0, 0), (1, 1)) for n in (then, otherwise)):
            return from_truth(choice(condition, self.truth(then), self.truth(otherwise)))
        low, high = hull(then.bounds, otherwise.bounds)
        sides = self._term(then, (low, high)), self._term(otherwise, (low, high))
        return Number(conditional(condition, *sides), low, high)

    def clip(self, number: Number, low: int, high: int) -> Number:
        """Return the number as one between the two, which it is known to be."""
        least, most = max(low, number.low), min(high, number.high)
        if least >= most:
            return constant(min(least, high))
        if (least, most) == number.bounds:
            return number
        return self._number(self._term(number, (least, most)), least, most)

    def within(self, number: Number, low: int, high: int) -> Truth:
        """Return whether the value lies between the two."""
        return conjunction(
            (
                self.compare("<=", constant(low), number),
                self.compare("<=", number, constant(high)),
            )
        )

    def row(self, numbers: Sequence[Number], bounds: Sequence[Interval]) -> Row:
        """Return numbers as a row that can be compared with others for the same bounds."""
        return tuple(self._term(n, b) for n, b in zip(numbers, bounds, strict=True) if b[0] != b[1])

    def unequal(self, one: Row, other: Row) -> Truth:
        """Return whether two rows differ."""
        return disjunction(negation(equal(a, b)) for a, b in zip(one, other, strict=True) if not a.eq(b))

    def valid(self, variable: Number) -> Truth:
        """Return the fact that a variable keeps its bounds, where its encoding does not say so already."""
        if variable.is_constant or is_boolean(variable):
            return True
        return self._valid(variable)

    def _number(self, term: Term, low: int, high: int) -> Number:
        """Return a number of a new term; one of 0 and 1 gets a Boolean term."""
        if (low, high) == (0, 1) and not z3.is_bool(term):
            return Number(equal(term, self._term(constant(1), (0, 1))), 0, 1)
        return Number(term, low, high)

    def _equal(self, left: Number, right: Number) -> Truth:
        if left.high < right.low or right.high < left.low:
            return False
        if is_boolean(left) and is_boolean(right):
            return equal(left.term, right.term)
        for one, other in ((left, right), (right, left)):
            if is_boolean(one) and other.is_constant:
                return one.term if other.low else negation(one.term)
        return self._term(left, hull(left.bounds, right.bounds)) == self._term(
            right, hull(left.bounds, right.bounds)
        )

    def _ordered(self, operator: CompareOperator, left: Number, right: Number) -> Truth:
        strict = operator == "<"
        if left.high < right.low + (not strict):
            return True
        if left.low >= right.high + (not strict):
            return False
        if is_boolean(left) and right.is_constant:
            return negation(left.term)  # neither always true nor never: 0 is on the true side, 1 is not
        if is_boolean(right) and left.is_constant:
            return right.term
        return self._less(left, right, strict=strict)

    def value(self, model: Term, number: Number) -> int:
        """Return the number's value in a model of the solver."""
        if number.is_constant:
            return number.low
        found = model.eval(number.term, model_completion=True)
        return int(z3.is_true(found)) if z3.is_bool(found) else self._value(found, number)

    @abstractmethod
    def _named(self, name: str, bounds: Interval) -> Term: ...

    @abstractmethod
    def _valid(self, variable: Number) -> Truth: ...

    @abstractmethod
    def _operate(self, operator: ArithOperator, left: Number, right: Number, bounds: Interval) -> Term: ...

    @abstractmethod
    def _less(self, left: Number, right: Number, *, strict: bool) -> Term: ...

    @abstractmethod
    def _term(self, number: Number, bounds: Interval) -> Term:
        """Return the number's term, in the form that all numbers within the bounds have."""

    @abstractmethod
    def _value(self, found: Term, number: Number) -> int: ...


class Renaming:
    """Replaces variables by others of the same bounds."""

    def __init__(self, old: Sequence[Number], new: Sequence[Number]) -> None:
        pairs = zip(old, new, strict=True)
        self._pairs = [(a.term, b.term) for a, b in pairs if not a.is_constant and a.term is not b.term]

    def truth(self, truth: Truth) -> Truth:
        """Return the truth value under the new names."""
        return truth if isinstance(truth, bool) else z3.substitute(truth, *self._pairs)

    def number(self, number: Number) -> Number:
        """Return the number under its new name."""
        return (
            number if number.is_constant else replace(number, term=z3.substitute(number.term, *self._pairs))
        )


def bits_for(bounds: Interval) -> int:
    """Return how many bits hold every value: unsigned if none is negative, else two's complement."""
    low, high = bounds
    if low >= 0:
        return max(1, high.bit_length())
    return 1 + max(high.bit_length() if high > 0 else 0, (-low - 1).bit_length())


class BitVectors(Arithmetic):
    """Numbers as bit-vectors of the least width: unsigned where no value is negative, else two's complement."""

    def _named(self, name: str, bounds: Interval) -> Term:
        return z3.BitVec(name, bits_for(bounds), self.context)

    def _valid(self, variable: Number) -> Truth:
        low, high = variable.bounds
        bits = bits_for(variable.bounds)
        least, most = (0, (1 << bits) - 1) if low >= 0 else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        wide = Number(variable.term, least, most)
        return self.within(wide, low, high)

    def _term(self, number: Number, bounds: Interval) -> Term:
        bits = bits_for(bounds)
        if number.is_constant:
            return z3.BitVecVal(number.low, bits, self.context)
        if is_boolean(number):
            one, zero = (z3.BitVecVal(v, bits, self.context) for v in (1, 0))
            return conditional(number.term, one, zero)
        more = bits - bits_for(number.bounds)
        if more > 0:
            return z3.ZeroExt(more, number.term) if number.low >= 0 else z3.SignExt(more, number.term)
        return number.term if more == 0 else z3.Extract(bits - 1, 0, number.term)

    def _operate(self, operator: ArithOperator, left: Number, right: Number, bounds: Interval) -> Term:
        match operator:
            case "+" | "-" | "*":  # exact modulo 2**bits, and the result fits
                one, other = self._term(left, bounds), self._term(right, bounds)
                return one + other if operator == "+" else one - other if operator == "-" else one * other
            case "/" | "%":
                wide = hull(hull(left.bounds, right.bounds), bounds)
                one, other = self._term(left, wide), self._term(right, wide)
                return self._cut(_divided(operator, one, other, signed=wide[0] < 0), wide, bounds)
            case "&" | "|" | "^" | "<<" | ">>":
                wide = (
                    0,
                    max(
                        left.high,
                        min(right.high, LARGEST_SHIFT) if operator in ("<<", ">>") else right.high,
                        bounds[1],
                        1,
                    ),
                )
                one, other = self._term(left, wide), self._term(right, wide)
                return self._cut(bitwise(operator, one, other), wide, bounds)
            case _:
                assert_never(operator)

    def row(self, numbers: Sequence[Number], bounds: Sequence[Interval]) -> Row:
        """As one long bit-vector: then a comparison of states is one term, and not one for each cell."""
        terms = super().row(numbers, bounds)
        return (z3.Concat(*terms),) if len(terms) > 1 else terms

    def _cut(self, term: Term, wide: Interval, bounds: Interval) -> Term:
        return self._term(Number(term, *wide), bounds)

    def _less(self, left: Number, right: Number, *, strict: bool) -> Term:
        both = hull(left.bounds, right.bounds)
        one, other = self._term(left, both), self._term(right, both)
        if both[0] < 0:
            return one < other if strict else one <= other
        return z3.ULT(one, other) if strict else z3.ULE(one, other)

    def _value(self, found: Term, number: Number) -> int:
        return int(found.as_long() if number.low >= 0 else found.as_signed_long())


def _divided(operator: ArithOperator, one: Term, other: Term, *, signed: bool) -> Term:
    if signed:  # z3's / and SRem on bit-vectors are C's
        return one / other if operator == "/" else z3.SRem(one, other)
    return z3.UDiv(one, other) if operator == "/" else z3.URem(one, other)


def bitwise(operator: ArithOperator, one: Term, other: Term) -> Term:
    """Return the bitwise operation on two bit-vectors of one width."""
    match operator:
        case "&":
            return one & other
        case "|":
            return one | other
        case "^":
            return one ^ other
        case "<<":
            return one << other
        case _:
            return z3.LShR(one, other)
