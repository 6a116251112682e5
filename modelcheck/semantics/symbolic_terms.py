"""What an expression means as z3 terms: its value, and beside it the condition that it has one (SEMANTICS H6).

The third of the three meanings of an expression; the first, the interpreter's, is the definition, and the tests
compare the two on generated expressions. The value of an expression that is not defined is any number: whoever
uses the value has to use the condition too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from modelcheck.language.model import (
    And,
    Arith,
    At,
    Bound,
    Compare,
    Const,
    Enabled,
    Expr,
    Ite,
    Mover,
    Not,
    Or,
    Ref,
    Sum,
)
from modelcheck.language.types import bounds
from modelcheck.semantics.symbolic_numbers import Arithmetic, Number, constant, from_truth
from modelcheck.semantics.symbolic_truth import Truth, choice, conjunction, disjunction, negation
from modelcheck.semantics.transition_system import TransitionSystem, places_of


@dataclass(frozen=True)
class Moment:
    """What an expression reads: the cells of a state; in a step property also those after the step, and who moved.

    `places`: for each thread the locations that it can be at, where that is known.
    """

    cells: Sequence[Number]
    after: Sequence[Number] = ()
    mover: Number | None = None
    places: tuple[frozenset[int], ...] | None = None


Enabling = Callable[[Moment, int], Truth]
"""Has the thread a step in this state?"""

Valued = tuple[Number, Truth]
"""A value, and the condition that there is one."""


def not_asked(_: Moment, thread: int) -> Truth:
    """Stand in for `enabled` where no expression asks for it."""
    raise AssertionError(f"statements do not ask whether thread {thread} is enabled")


class Terms:
    """The terms of the expressions of one transition system, in one arithmetic."""

    def __init__(
        self, system: TransitionSystem, arithmetic: Arithmetic, enabled: Enabling = not_asked
    ) -> None:
        self.system = system
        self.arithmetic = arithmetic
        self._enabled = enabled

    def value(self, expr: Expr, moment: Moment) -> Valued:
        """Return the expression's value and definedness."""
        match expr:
            case Const(number):
                return constant(number), True
            case Ref():
                return self._read(expr, moment)
            case Not(operand):
                truth, defined = self.truth(operand, moment)
                return from_truth(negation(truth)), defined
            case And(operands):
                return self._sequence(operands, moment, stops_at=False)
            case Or(operands):
                return self._sequence(operands, moment, stops_at=True)
            case Compare(symbol, left, right):
                (one, first), (other, second) = self.value(left, moment), self.value(right, moment)
                return from_truth(self.arithmetic.compare(symbol, one, other)), conjunction((first, second))
            case Arith():
                return self._operation(expr, moment)
            case Sum(operands):
                parts = [self.value(o, moment) for o in operands]
                return self.arithmetic.total(tuple(n for n, _ in parts)), conjunction(d for _, d in parts)
            case Ite():
                return self._conditional(expr, moment)
            case At(thread):
                return from_truth(self.stands(moment, thread, places_of(self.system, expr))), True
            case Enabled(thread):
                return from_truth(self._enabled(moment, thread)), True
            case Mover():
                assert moment.mover is not None
                return moment.mover, True
            case Bound():
                raise AssertionError("the index of a guard rule is replaced before use")
            case _:
                assert_never(expr)

    def truth(self, expr: Expr, moment: Moment) -> tuple[Truth, Truth]:
        """Return whether a 0/1 expression is true, and its definedness."""
        number, defined = self.value(expr, moment)
        return self.arithmetic.truth(number), defined

    def interrupted(self, thread: int, moment: Moment) -> Truth:
        """Return whether an interrupt handler runs in the thread's place."""
        handlers = self.system.model.threads[thread].interrupted_by
        return disjunction(self.truth(condition, moment)[0] for _, condition in handlers)

    def stands(self, moment: Moment, thread: int, locations: frozenset[int]) -> Truth:
        """Return whether the thread is at one of the locations."""
        place = moment.cells[self.system.location_cells[thread]]
        if moment.places is not None:
            locations &= moment.places[thread]
            if locations == moment.places[thread]:
                return True
        return disjunction(self.arithmetic.compare("==", place, constant(n)) for n in sorted(locations))

    def places(self, ref: Ref, moment: Moment) -> tuple[list[tuple[int, Truth]], Truth]:
        """Return the cells that the reference can mean, each with its condition, and the reference's definedness."""
        found: list[tuple[int, Truth]] = [(0, True)]
        defined: list[Truth] = []
        for index, dimension in zip(ref.index, ref.var.dimensions, strict=True):
            low, high = bounds(dimension)
            number, has_value = self.value(index, moment)
            defined += [has_value, self.arithmetic.within(number, low, high)]
            tests = [
                (i - low, self.arithmetic.compare("==", number, constant(i))) for i in range(low, high + 1)
            ]
            found = [
                (place * (high - low + 1) + i, conjunction((condition, test)))
                for place, condition in found
                for i, test in tests
                if test is not False
            ]
        first = self.system.offsets[ref.var]
        return [(first + place, condition) for place, condition in found], conjunction(defined)

    def _read(self, ref: Ref, moment: Moment) -> Valued:
        places, defined = self.places(ref, moment)
        cells = moment.after if ref.primed else moment.cells
        if not places:
            return constant(bounds(ref.var.type)[0]), False
        value = cells[places[-1][0]]  # if it is none of the others it is this one, or undefined
        for place, condition in reversed(places[:-1]):
            value = self.arithmetic.choose(condition, cells[place], value)
        return value, defined

    def _sequence(self, operands: tuple[Expr, ...], moment: Moment, *, stops_at: bool) -> Valued:
        """Evaluate left to right: what stands after the first operand that decides need not be defined."""
        truths: list[Truth] = []
        going_on: Truth = True
        defined: list[Truth] = []
        for operand in operands:
            if going_on is False:
                break
            truth, has_value = self.truth(operand, moment)
            defined.append(disjunction((negation(going_on), has_value)))
            truths.append(truth)
            going_on = conjunction((going_on, negation(truth) if stops_at else truth))
        decided = disjunction(truths) if stops_at else conjunction(truths)
        return from_truth(decided), conjunction(defined)

    def _operation(self, expr: Arith, moment: Moment) -> Valued:
        (left, first), (right, second) = self.value(expr.left, moment), self.value(expr.right, moment)
        defined = conjunction((first, second, self.arithmetic.defined(expr.operator, left, right)))
        if defined is False:
            return constant(0), False
        return self.arithmetic.operate(expr.operator, left, right), defined

    def _conditional(self, expr: Ite, moment: Moment) -> Valued:
        condition, defined = self.truth(expr.condition, moment)
        if isinstance(condition, bool):
            value, has_value = self.value(expr.then if condition else expr.otherwise, moment)
            return value, conjunction((defined, has_value))
        (then, first), (otherwise, second) = self.value(expr.then, moment), self.value(expr.otherwise, moment)
        chosen = self.arithmetic.choose(condition, then, otherwise)
        return chosen, conjunction((defined, choice(condition, first, second)))
