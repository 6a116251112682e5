"""Expressions as LLVM IR: the same values as expressions.py, undefined where they are (SEMANTICS H6).

Where an expression has no value the code goes to a block that the caller names. Values are i64: the language refuses
expressions that may leave 63 bits. `&&`, `||` and `?:` branch only where an operand may be undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import assert_never

from modelcheck.language.model import FALSE as NEVER
from modelcheck.language.model import TRUE as ALWAYS
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
    subexpressions,
)
from modelcheck.language.types import bounds, type_name
from modelcheck.language.values import arithmetic_interval
from modelcheck.semantics.definedness import in_range
from modelcheck.semantics.expressions import DEEPEST_SHIFT
from modelcheck.semantics.layout import Field, Layout, Row
from modelcheck.semantics.native_code import FALSE, TRUE, Code, Operand, signed
from modelcheck.semantics.native_words import Words
from modelcheck.semantics.transition_system import TransitionSystem, places_of

Undefined = Callable[[str], str]
"""Gives the label to go to where an expression is undefined, for a reason."""

_COMPARE = {"==": "eq", "!=": "ne", "<": "slt", "<=": "sle", ">": "sgt", ">=": "sge"}
_ARITH = {"+": "add", "-": "sub", "*": "mul", "/": "sdiv", "%": "srem"}
_BITS = {"&": "and", "|": "or", "^": "xor", "<<": "shl", ">>": "lshr"}


@dataclass(frozen=True)
class Place:
    """A cell: a field, or the element of a row at a number known when the code runs."""

    field: Field | None
    row: Row
    number: Operand = ""


@dataclass(frozen=True)
class Expressions:
    """Writes expressions over the words of one state (and, primed, another)."""

    system: TransitionSystem
    layout: Layout
    code: Code
    now: Words
    undefined: Undefined
    after: Words | None = None
    mover: Operand = "0"

    def value(self, expr: Expr) -> Operand:
        """Write the expression and return its value."""
        code = self.code
        match expr:
            case Const(value):
                return str(value)
            case Ref():
                return self.read(self.place(expr), primed=expr.primed)
            case Arith():
                return self._arithmetic(expr)
            case Sum(operands):
                total: Operand = "0"
                for each in operands:
                    total = code.add(total, self.value(each))
                return total
            case Ite():
                return self._chosen(expr)
            case Mover():
                return self.mover
            case Not() | And() | Or() | Compare() | At() | Enabled():
                return code.wide(self.truth(expr))
            case Bound():
                raise AssertionError("the index of a guard rule is replaced before use")
            case _:
                assert_never(expr)

    def truth(self, expr: Expr) -> Operand:
        """Write the expression as a condition."""
        match expr:
            case Const(value):
                return TRUE if value else FALSE
            case Not(operand):
                return self.code.op(f"xor i1 {self.truth(operand)}, true")
            case And(operands):
                return self._in_order(operands, "and")
            case Or(operands):
                return self._in_order(operands, "or")
            case Compare(symbol, left, right):
                one, other = self.value(left), self.value(right)
                return self.code.compare(_COMPARE[symbol], one, other)
            case At():
                return self._at(expr)
            case Enabled(thread):
                return self.code.call(f"enabled_{thread}", f"ptr {self.now.stored()}", "i1")
            case _:
                return self.code.compare("ne", self.value(expr), 0)

    # --- cells -----------------------------------------------------------------------------------

    def place(self, ref: Ref) -> Place:
        """Write the index and return the cell that is meant."""
        row = self.layout.rows[ref.var]
        constant = _constant_place(ref)
        if constant is not None:
            return Place(row.field(constant), row)
        code = self.code
        number: Operand = "0"
        for index, dimension in zip(ref.index, ref.var.dimensions, strict=True):
            value = self.value(index)
            low, high = bounds(dimension)
            inside = in_range(index, dimension)
            if inside != ALWAYS:
                reason = f"index 0 is outside {type_name(dimension)}"
                if inside == NEVER:
                    self._unless(FALSE, reason)
                else:
                    self._unless(
                        code.compare("ule", code.add(value, -low), high - low),
                        reason,
                    )
            number = code.add(
                code.mul(number, high - low + 1) if number != "0" else "0", code.add(value, -low)
            )
        return Place(None, row, number)

    def read(self, place: Place, *, primed: bool = False) -> Operand:
        """Return the value of a cell."""
        words = self.now
        if primed:
            assert self.after is not None
            words = self.after
        return words.element(place.row, place.number) if place.field is None else words.value(place.field)

    def write(self, place: Place, value: Operand) -> None:
        """Write a cell of the state."""
        if place.field is None:
            self.now.write_element(place.row, place.number, value)
        else:
            self.now.write(place.field, value)

    def _unless(self, condition: Operand, reason: str) -> None:
        on = self.code.label()
        self.code.branch(condition, on, self.undefined(reason))
        self.code.start(on)

    # --- operators -------------------------------------------------------------------------------

    def _at(self, expr: At) -> Operand:
        field = self.layout.fields[self.system.location_cells[expr.thread]]
        return among(self.code, self.now.raw(field), places_of(self.system, expr))

    def _in_order(self, operands: tuple[Expr, ...], word: str) -> Operand:
        start = TRUE if word == "and" else FALSE
        if not any(partial(each) for each in operands[1:]):
            parts = [self.truth(each) for each in operands]
            result = parts[0] if parts else start
            for part in parts[1:]:
                result = self.code.op(f"{word} i1 {result}, {part}")
            return result
        code = self.code
        kept, end = code.slot("i1"), code.label()
        for each in operands:
            code.set(kept, self.truth(each), "i1")
            on = code.label()
            code.branch(code.get(kept, "i1"), *((on, end) if word == "and" else (end, on)))
            code.start(on)
        code.start(end)
        return code.get(kept, "i1")

    def _chosen(self, expr: Ite) -> Operand:
        code = self.code
        condition = self.truth(expr.condition)
        if not partial(expr.then) and not partial(expr.otherwise):
            return code.select(condition, self.value(expr.then), self.value(expr.otherwise))
        kept, yes, no, end = code.slot(), code.label(), code.label(), code.label()
        code.branch(condition, yes, no)
        for label, side in ((yes, expr.then), (no, expr.otherwise)):
            code.start(label)
            code.set(kept, self.value(side))
            code.jump(end)
        code.start(end)
        return code.get(kept)

    def _arithmetic(self, expr: Arith) -> Operand:
        left, right = self.value(expr.left), self.value(expr.right)
        symbol, code = expr.operator, self.code
        if symbol in _ARITH:
            if symbol in "/%" and not _excludes_zero(expr.right):
                self._unless(code.compare("ne", right, 0), "division by zero")
            return code.op(f"{_ARITH[symbol]} i64 {left}, {right}")
        lowest = min(interval(expr.left)[0], interval(expr.right)[0])
        if symbol in ("<<", ">>") and interval(expr.right)[1] > DEEPEST_SHIFT:
            fits = code.compare("sle", right, DEEPEST_SHIFT)
            self._unless(fits, f"`{symbol}` by 63, more than {DEEPEST_SHIFT}")
        if lowest < 0:
            signs = code.compare("sge", code.either(left, right), 0)
            self._unless(signs, f"`{symbol}` of a negative number")
        return code.op(f"{_BITS[symbol]} i64 {left}, {right}")


def among(code: Code, value: Operand, numbers: Iterable[int]) -> Operand:
    """Return the condition that the value is one of the numbers."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    if len(runs) > 2 and runs[-1][1] < 64:
        bits = signed(sum(1 << n for low, high in runs for n in range(low, high + 1)))
        inside = code.compare("ult", value, 64)
        bit = code.both(code.right(bits, code.both(value, 63)), 1)
        return code.op(f"and i1 {inside}, {code.compare('ne', bit, 0)}")
    found = FALSE
    for low, high in runs:
        here = (
            code.compare("eq", value, low)
            if low == high
            else code.compare("ule", code.sub(value, low), high - low)
        )
        found = here if found == FALSE else code.op(f"or i1 {found}, {here}")
    return found


def partial(expr: Expr) -> bool:
    """Tell whether the expression may be undefined, or costs more than a branch; True only if unsure."""
    return any(_may_fail(each) for each in subexpressions(expr))


def _may_fail(expr: Expr) -> bool:
    match expr:
        case Ref(variable, index):
            return any(in_range(e, d) != ALWAYS for e, d in zip(index, variable.dimensions, strict=True))
        case Arith("/" | "%", _, right):
            return not _excludes_zero(right)
        case Arith("<<" | ">>" | "&" | "|" | "^", left, right):
            lowest = min(interval(left)[0], interval(right)[0])
            return lowest < 0 or (expr.operator in ("<<", ">>") and interval(right)[1] > DEEPEST_SHIFT)
        case Enabled():
            return True
        case _:
            return False


def _excludes_zero(expr: Expr) -> bool:
    low, high = interval(expr)
    return low > 0 or high < 0


def interval(expr: Expr) -> tuple[int, int]:
    """Return bounds of the values that the expression can have."""
    match expr:
        case Const(value):
            return value, value
        case Ref(variable):
            return bounds(variable.type)
        case Arith(symbol, left, right):
            return arithmetic_interval(symbol, interval(left), interval(right))
        case Sum(operands):
            ends = [interval(each) for each in operands]
            return sum(low for low, _ in ends), sum(high for _, high in ends)
        case Ite(_, then, otherwise):
            (a, b), (c, d) = interval(then), interval(otherwise)
            return min(a, c), max(b, d)
        case Mover(threads):
            return 0, threads
        case _:
            return 0, 1


def _constant_place(ref: Ref) -> int | None:
    """Return the number of the element, if the index is constant and inside."""
    number = 0
    for index, dimension in zip(ref.index, ref.var.dimensions, strict=True):
        low, high = bounds(dimension)
        if not isinstance(index, Const) or not low <= index.value <= high:
            return None
        number = number * (high - low + 1) + index.value - low
    return number
