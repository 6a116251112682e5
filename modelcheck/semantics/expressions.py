"""What an expression means: a function from the cells of a state to an integer, or undefined (SEMANTICS H6).

Each expression is turned once into a Python closure, its denotation. A step property is over two states and a
mover; its closure reads them from one sequence: the state, the state after the step, the mover's number + 1.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
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
from modelcheck.language.types import Scalar, bounds, type_name
from modelcheck.semantics.transition_system import TransitionSystem, cells_denoted, places_of

Cells = Sequence[int]
Value = Callable[[Cells], int]
Dimension = tuple[Value, int, int, Scalar]

DEEPEST_SHIFT = 62

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Undefined(Exception):  # noqa: N818  (it is no error of the program: an expression has no value)
    """An expression has no value here: an index outside its dimension, a division by zero, bits of a negative."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Expressions:
    """The denotations of the expressions of one transition system, each built once.

    `enabled` says whether a thread has a step; the interpreter gives it, for `Enabled` speaks of steps.
    """

    def __init__(self, system: TransitionSystem, enabled: Callable[[Cells, int], bool]) -> None:
        self._system = system
        self._enabled = enabled
        # By identity: hashing a tree costs as much as evaluating it. Keeping the expression keeps its id.
        self._built: dict[int, tuple[Expr, Value]] = {}

    def denotation(self, expr: Expr) -> Value:
        """Return the closure of an expression."""
        known = self._built.get(id(expr))
        if known is None:
            known = self._built[id(expr)] = (expr, self._build(expr))
        return known[1]

    def place(self, ref: Ref) -> Value:
        """Return the closure that yields the number of the cell that `ref` means."""
        cells = cells_denoted(self._system, ref)
        before = len(self._system.cells) if ref.primed else 0
        if all(isinstance(i, Const) for i in ref.index) and cells:
            number = cells.start + before
            return lambda _: number
        first = self._system.offsets[ref.var] + before
        dimensions: tuple[Dimension, ...] = tuple(
            (self.denotation(index), *bounds(dimension), dimension)
            for index, dimension in zip(ref.index, ref.var.dimensions, strict=True)
        )
        return lambda cells: first + _row_major(cells, dimensions)

    def _build(self, expr: Expr) -> Value:
        match expr:
            case Const(value):
                return lambda _: value
            case Ref():
                return self._read(expr)
            case Not(operand):
                inner = self.denotation(operand)
                return lambda cells: int(not inner(cells))
            case And(operands):
                return _all(tuple(self.denotation(e) for e in operands))
            case Or(operands):
                return _any(tuple(self.denotation(e) for e in operands))
            case Compare(symbol, left, right):
                return _both(_COMPARISONS[symbol], self.denotation(left), self.denotation(right))
            case Arith(symbol, left, right):
                return _both(_ARITHMETIC[symbol], self.denotation(left), self.denotation(right))
            case Sum(operands):
                parts = tuple(self.denotation(e) for e in operands)
                return lambda cells: sum(part(cells) for part in parts)
            case Ite(condition, then, otherwise):
                return _chosen(*(self.denotation(e) for e in (condition, then, otherwise)))
            case At(thread):
                number, places = self._system.location_cells[thread], places_of(self._system, expr)
                return lambda cells: int(cells[number] in places)
            case Enabled(thread):
                return lambda cells: int(self._enabled(cells, thread))
            case Mover():
                last = 2 * len(self._system.cells)
                return lambda cells: cells[last]
            case Bound():
                raise AssertionError("the index of a guard rule is replaced before use")
            case _:
                assert_never(expr)

    def _read(self, ref: Ref) -> Value:
        place = self.place(ref)
        if all(isinstance(i, Const) for i in ref.index) and cells_denoted(self._system, ref):
            return operator.itemgetter(place(()))
        return lambda cells: cells[place(cells)]


def _row_major(cells: Cells, dimensions: tuple[Dimension, ...]) -> int:
    """Return the position of the element that the index values name, among all elements."""
    number = 0
    for index, low, high, dimension in dimensions:
        value = index(cells)
        if not low <= value <= high:
            raise Undefined(f"index {value} is outside {type_name(dimension)}")
        number = number * (high - low + 1) + value - low
    return number


def _all(parts: tuple[Value, ...]) -> Value:
    def value(cells: Cells) -> int:
        for part in parts:
            if not part(cells):
                return 0
        return 1

    return value


def _any(parts: tuple[Value, ...]) -> Value:
    def value(cells: Cells) -> int:
        for part in parts:
            if part(cells):
                return 1
        return 0

    return value


def _both(apply: Callable[[int, int], int], left: Value, right: Value) -> Value:
    return lambda cells: int(apply(left(cells), right(cells)))


def _chosen(condition: Value, then: Value, otherwise: Value) -> Value:
    return lambda cells: then(cells) if condition(cells) else otherwise(cells)


def _quotient(left: int, right: int) -> int:
    """Truncate towards zero, as C does; Python rounds down."""
    if not right:
        raise Undefined("division by zero")
    size = abs(left) // abs(right)
    return size if (left < 0) == (right < 0) else -size


def _remainder(left: int, right: int) -> int:
    return left - right * _quotient(left, right)


def _on_bits(symbol: str, apply: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def value(left: int, right: int) -> int:
        if left < 0 or right < 0:
            raise Undefined(f"`{symbol}` of a negative number")
        return apply(left, right)

    return value


def _shift(symbol: str, apply: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def value(left: int, right: int) -> int:
        if right > DEEPEST_SHIFT:
            raise Undefined(f"`{symbol}` by {right}, more than {DEEPEST_SHIFT}")
        return apply(left, right)

    return _on_bits(symbol, value)


_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _quotient,
    "%": _remainder,
    "&": _on_bits("&", operator.and_),
    "|": _on_bits("|", operator.or_),
    "^": _on_bits("^", operator.xor),
    "<<": _shift("<<", operator.lshift),
    ">>": _shift(">>", operator.rshift),
}
