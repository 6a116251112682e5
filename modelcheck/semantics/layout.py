"""How a state lies in machine words: as few bits a cell as its type needs (SEMANTICS H17).

A field does not straddle two words. The cells of a variable lie at a uniform stride, so that a dynamic index is a
shift; where they need more than one word they start a word. A thread's location and locals lie in one word where they
fit, and so do the fields of a lock: they are read and written together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelcheck.language.model import Variable
from modelcheck.semantics.transition_system import State, TransitionSystem

WORD = 64
ONES = (1 << WORD) - 1


@dataclass(frozen=True)
class Field:
    """Where one cell lies; it holds its value minus `low`."""

    word: int
    shift: int
    bits: int
    low: int

    @property
    def mask(self) -> int:
        """The largest value that the field can hold."""
        return (1 << self.bits) - 1


@dataclass(frozen=True)
class Row:
    """Where the cells of a variable lie: `count` fields of `bits` bits from `word` and `shift` on.

    So many as `per_word` lie in each word.
    """

    word: int
    shift: int
    bits: int
    low: int
    count: int
    per_word: int

    @property
    def words(self) -> range:
        """The words that it has a part of."""
        return range(self.word, self.word + -(-self.count // self.per_word))

    def field(self, number: int) -> Field:
        """Return the field of the element of that number."""
        word, place = divmod(number, self.per_word)
        return Field(self.word + word, self.shift + place * self.bits, self.bits, self.low)


@dataclass(frozen=True)
class Part:
    """Some cells of the state: their fields, and the words that have ones just there."""

    fields: tuple[Field, ...]
    mask: tuple[int, ...]

    def values(self, words: Sequence[int]) -> tuple[int, ...]:
        """Return the values of the cells."""
        return tuple((words[f.word] >> f.shift & f.mask) + f.low for f in self.fields)


@dataclass(frozen=True, eq=False)
class Layout:
    """The fields of a system's cells, in the order of the cells; and the rows of its variables."""

    words: int
    fields: tuple[Field, ...]
    rows: dict[Variable, Row]

    def pack(self, state: Sequence[int]) -> tuple[int, ...]:
        """Return the words of a state."""
        words = [0] * self.words
        for field, value in zip(self.fields, state, strict=True):
            assert 0 <= value - field.low <= field.mask, "a value outside its type"
            words[field.word] |= value - field.low << field.shift
        return tuple(words)

    def unpack(self, words: Sequence[int]) -> State:
        """Return the state that lies in the words."""
        return tuple((words[f.word] >> f.shift & f.mask) + f.low for f in self.fields)

    def part(self, cells: Sequence[int]) -> Part:
        """Return the part of the state that some cells are."""
        fields, mask = tuple(self.fields[cell] for cell in cells), [0] * self.words
        for field in fields:
            mask[field.word] |= field.mask << field.shift
        return Part(fields, tuple(mask))


@dataclass(frozen=True)
class _Item:
    """What is placed as one piece: a variable, or (variable None) a thread's location."""

    variable: Variable | None
    thread: int
    low: int
    bits: int
    count: int

    @property
    def size(self) -> int:
        """Bits, where it fits in one word."""
        return self.bits * self.count


def layout(system: TransitionSystem) -> Layout:
    """Return a layout of the system's states."""
    items = tuple(_items(system))
    together, apart = _placed(items, grouped=True), _placed(items, grouped=False)
    words, rows = together if together[0] <= apart[0] else apart
    fields = [rows[item].field(n) for item in items for n in range(item.count)]
    return Layout(
        words, tuple(fields), {i.variable: row for i, row in rows.items() if i.variable is not None}
    )


def _items(system: TransitionSystem) -> Iterator[_Item]:
    for variable in system.model.variables:
        cell = system.cells[system.offsets[variable]] if variable.initial else None
        low, high = (cell.low, cell.high) if cell else (0, 0)
        thread = -1 if variable.thread is None else variable.thread
        yield _Item(variable, thread, low, (high - low).bit_length(), len(variable.initial))
    for thread, number in enumerate(system.location_cells):
        yield _Item(None, thread, 0, system.cells[number].high.bit_length(), 1)


def _group(item: _Item) -> tuple[str, object]:
    if item.thread >= 0:
        return ("thread", item.thread)
    assert item.variable is not None
    if item.variable.kind == "lock":
        return ("lock", item.variable.name.rpartition(".")[0])
    return ("own", item.variable)


def _placed(items: tuple[_Item, ...], *, grouped: bool) -> tuple[int, dict[_Item, Row]]:
    """Place the largest piece first, each in the first word that has room (first fit decreasing)."""
    rows: dict[_Item, Row] = {}
    used: list[int] = []
    for item in items:
        if item.size > WORD:
            per_word = WORD // item.bits
            rows[item] = Row(len(used), 0, item.bits, item.low, item.count, per_word)
            full, rest = divmod(item.count, per_word)
            used += [WORD] * full + ([rest * item.bits] if rest else [])
    groups: dict[object, list[_Item]] = {}
    for item in items:
        if item not in rows:
            groups.setdefault(_group(item) if grouped else item, []).append(item)
    pieces = [piece for group in groups.values() for piece in _pieces(group)]
    for piece in sorted(pieces, key=lambda piece: -sum(item.size for item in piece)):
        size = sum(item.size for item in piece)
        word = next((n for n, taken in enumerate(used) if taken + size <= WORD), len(used))
        if word == len(used):
            used.append(0)
        for item in piece:
            rows[item] = Row(word, used[word], item.bits, item.low, item.count, max(item.count, 1))
            used[word] += item.size
    return max(len(used), 1), rows


def _pieces(group: list[_Item]) -> list[list[_Item]]:
    """Return the group, or its members one by one where they do not fit in one word."""
    return [group] if sum(item.size for item in group) <= WORD else [[item] for item in group]
