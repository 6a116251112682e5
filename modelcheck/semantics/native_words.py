"""Reading and writing the cells of a packed state, in LLVM IR."""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.semantics.layout import ONES, Field, Row
from modelcheck.semantics.native_code import Code, Operand, signed


@dataclass(frozen=True)
class Words:
    """The words of one state: values, or (where they change) variables. `address`: where the state lies, if it does."""

    code: Code
    words: tuple[Operand, ...]
    changing: bool = False
    address: Operand = ""

    @classmethod
    def at(cls, code: Code, address: Operand, count: int) -> Words:
        """Read the words of the state at an address."""
        return cls(code, tuple(code.get(code.at(address, n)) for n in range(count)), address=address)

    @classmethod
    def variables(cls, code: Code, count: int) -> Words:
        """Return words that can be written."""
        return cls(code, tuple(code.slot() for _ in range(count)), changing=True)

    def word(self, number: int) -> Operand:
        """Return a word."""
        return self.code.get(self.words[number]) if self.changing else self.words[number]

    def put(self, number: int, value: Operand | int) -> None:
        """Write a word."""
        assert self.changing
        self.code.set(self.words[number], value)

    def copy_from(self, other: Words) -> None:
        """Write all words."""
        for number in range(len(self.words)):
            self.put(number, other.word(number))

    def stored(self) -> Operand:
        """Return an address where the state lies now."""
        if self.address:
            return self.address
        place = self.code.slot(f"[{len(self.words)} x i64]")
        for number in range(len(self.words)):
            self.code.set(self.code.at(place, number), self.word(number))
        return place

    # --- cells -----------------------------------------------------------------------------------

    def raw(self, field: Field) -> Operand:
        """Return the bits of a field: its value minus `low`."""
        if not field.bits:
            return "0"
        return self.code.both(self.code.right(self.word(field.word), field.shift), field.mask)

    def value(self, field: Field) -> Operand:
        """Return the value of a field."""
        return self.code.add(self.raw(field), field.low)

    def element(self, row: Row, number: Operand) -> Operand:
        """Return the value of the element of that number."""
        if not row.bits:
            return str(row.low)
        code = self.code
        which, place = _position(code, row, number)
        word = self.word(row.word)
        for other in row.words[1:]:
            here = code.compare("eq", which, other - row.word)
            word = code.select(here, self.word(other), word)
        return code.add(code.both(code.right(word, place), (1 << row.bits) - 1), row.low)

    def write(self, field: Field, value: Operand | int) -> None:
        """Write a value into a field."""
        if field.bits:
            inside = self.code.left(self.code.add(value, -field.low), field.shift)
            kept = self.code.both(self.word(field.word), ONES ^ field.mask << field.shift)
            self.put(field.word, self.code.either(kept, inside))

    def write_element(self, row: Row, number: Operand, value: Operand | int) -> None:
        """Write a value into the element of that number."""
        if not row.bits:
            return
        code = self.code
        which, place = _position(code, row, number)
        inside = code.left(code.add(value, -row.low), place)
        kept = code.flip(code.left(signed((1 << row.bits) - 1), place))
        for each in row.words:
            old = self.word(each)
            new = code.either(code.both(old, kept), inside)
            if len(row.words) > 1:
                new = code.select(code.compare("eq", which, each - row.word), new, old)
            self.put(each, new)

    def write_constants(self, values: list[tuple[Field, int]]) -> None:
        """Write constants into fields, one operation a word."""
        masks: dict[int, int] = {}
        bits: dict[int, int] = {}
        for field, value in values:
            masks[field.word] = masks.get(field.word, 0) | field.mask << field.shift
            bits[field.word] = bits.get(field.word, 0) | (value - field.low) << field.shift
        for word in (word for word, mask in masks.items() if mask):
            kept = self.code.both(self.word(word), ONES ^ masks[word])
            self.put(word, self.code.either(kept, bits[word]))


def _position(code: Code, row: Row, number: Operand) -> tuple[Operand, Operand]:
    """Return which word of the row an element lies in, and at which bit."""
    if len(row.words) == 1:
        return "0", code.add(code.mul(number, row.bits), row.shift)
    which = code.op(f"udiv i64 {number}, {row.per_word}")
    place = code.op(f"urem i64 {number}, {row.per_word}")
    return which, code.mul(place, row.bits)
