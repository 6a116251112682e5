"""The set of visited states: open addressing over indexes into the arena (SEMANTICS H17).

An entry has five bytes. Its place is the high part of hash times capacity, so that the capacity can be any; where that
is taken, it stands at the next free one. It holds the state's number plus one, how many steps it is from its place, and
as much of the low part of that product as there is room for. So an entry and where it stands tell 34 bits of the hash,
whatever the capacity: few states are compared in vain, and the table grows without a look at the states
(kernel/refilling.py; quotients as in Cleary 1984). A comparison is of the whole state.

Look-ups come in batches, in three passes: fetch the entries, fetch the states that they point to, compare. Memory is
what the search waits for; so states that were seen just before are not looked up at all.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelcheck.engine.kernel.context import Slot, load, store
from modelcheck.engine.kernel.shared import USED, told
from modelcheck.semantics.native_code import Code, Operand

ENTRY = 5
_RECENT = 1 << 20
"""Bytes of the states that were seen last, by hash: most states that are met again are met again soon.

They fit in a processor's second cache. More of them save more look-ups (on twin.mck half are left with 64 KB, a third
with 1 MB), but do not stay where it is quick.
"""

_HASHED = 34
"""Bits of the hash that an entry and where it stands tell."""

STEPS_BITS = 5
FAR = (1 << STEPS_BITS) - 1
"""An entry counts its steps from its place up to here. From further away it does not tell where its place is."""

_ENTRY_BITS = 8 * ENTRY

_LIKELY = 4
_MIX = (0x9E3779B97F4A7C15 - (1 << 64), 0xD6E8FEB86659FD93 - (1 << 64))


def hash_of(code: Code, words: list[Operand]) -> Operand:
    """Write the hash of some words."""
    mixed: Operand = "0"
    for number, word in enumerate(words):
        mixed = code.mul(code.op(f"xor i64 {mixed}, {word}"), _MIX[0]) if number else code.mul(word, _MIX[0])
        mixed = code.op(f"xor i64 {mixed}, {code.right(mixed, 32)}")
    mixed = code.mul(mixed, _MIX[1])
    return code.op(f"xor i64 {mixed}, {code.right(mixed, 32)}")


def hashed(words: Sequence[int]) -> int:
    """Return the same hash of a state."""
    mixed = 0
    for word in words:
        mixed = (mixed ^ word) * _MIX[0] % (1 << 64)
        mixed ^= mixed >> 32
    mixed = mixed * _MIX[1] % (1 << 64)
    return mixed ^ mixed >> 32


def recent(words: int, size: int = _RECENT) -> int:
    """Return how many states of so many words are remembered in so many bytes: a power of two."""
    return max(1 << (size // (8 * words)).bit_length() - 1, 1)


def stranger(words: int) -> bytes:
    """Return a state that belongs to another place among the recent ones than the first.

    An entry of zeros is no state seen, as zeros belong to the first place; there stands this one.
    """
    states = ((n, *(0 for _ in range(words - 1))) for n in itertools.count(1))
    found = next(state for state in states if hashed(state) % recent(words))
    return array("Q", found).tobytes()


def words_at(code: Code, place: Operand, count: int) -> list[Operand]:
    """Write the loading of a state's words."""
    return [code.get(code.at(place, n)) for n in range(count)]


def product(code: Code, mixed: Operand, count: Operand) -> tuple[Operand, Operand]:
    """Write the product of the 34 bits of a hash that count, as a fraction, and a number; return its two words."""
    kept = code.both(mixed, (1 << 64) - (1 << 64 - _HASHED))
    left, right = (code.op(f"zext i64 {each} to i128") for each in (kept, count))
    both = code.op(f"mul i128 {left}, {right}")
    high = code.op(f"trunc i128 {code.op(f'lshr i128 {both}, 64')} to i64")
    return high, code.op(f"trunc i128 {both} to i64")


def share(code: Code, mixed: Operand, count: Operand) -> Operand:
    """Write the number of a hash among so many equal shares."""
    return product(code, mixed, count)[0]


def hash_told(code: Code, place: Operand, low: Operand, capacity: Operand, bits: Operand) -> Operand:
    """Write what a place and the low bits that stand in an entry tell of the hash, in a table of that capacity.

    It is the only multiple of the capacity from place and low bits on whose low bits these are: the low bits that are
    left out can count less than the capacity. Place times 2^34 must fit 64 bits.
    """
    left_out = code.sub(_ENTRY_BITS - 1, bits)
    least = code.either(code.left(place, _HASHED), code.left(low, left_out))
    up = code.sub(code.add(least, capacity), 1)
    return code.left(code.op(f"udiv i64 {up}, {capacity}"), 64 - _HASHED)


def tag_of(code: Code, whole: Operand, bits: Operand) -> Operand:
    """Write what stands in an entry beside the number, in so many bits."""
    return code.both(whole, code.sub(code.left(1, bits), 1))


def tag_bits(capacity: int) -> int:
    """Return how many bits of an entry are not the state's number plus one, which is at most the capacity."""
    return _ENTRY_BITS - capacity.bit_length()


@dataclass(frozen=True)
class Cursor:
    """Where a search in the table is: variables for the place and for the tag of an entry that stands there."""

    place: Operand
    tag: Operand
    end: Operand


class Table:
    """Writes what has to do with the table; its address and capacity are read once."""

    def __init__(self, code: Code, words: int) -> None:
        self.code = code
        self.words = words
        self._table = load(code, Slot.TABLE, "ptr")
        self._capacity = load(code, Slot.CAPACITY)
        self._parts = load(code, Slot.PARTS)
        self._part = load(code, Slot.PART)
        self.stride = load(code, Slot.STRIDE)
        self._bits = load(code, Slot.TAG_BITS)
        self.arena = load(code, Slot.ARENA, "ptr")

    def place(self, mixed: Operand) -> Operand:
        """Return where the search for a hash begins."""
        return self._apart(share(self.code, mixed, self._capacity), self.part(mixed))

    def _apart(self, place: Operand, part: Operand) -> Operand:
        """Return a place with the room between the parts counted too."""
        gap = self.code.sub(self.stride, self._part)
        return self.code.add(place, self.code.mul(part, gap))

    def part(self, mixed: Operand) -> Operand:
        """Return the part of the table that a hash belongs to; its place lies there."""
        return share(self.code, mixed, self._parts)

    def cursor(self, mixed: Operand) -> Cursor:
        """Write the beginning of a search for a hash."""
        code = self.code
        place, low = product(code, mixed, self._capacity)
        part, told = self.part(mixed), code.right(low, code.sub(64 + STEPS_BITS, self._bits))
        end = code.add(code.mul(part, self.stride), self._part)
        cursor = Cursor(code.slot(), code.slot(), end)
        code.set(cursor.place, self._apart(place, part))
        code.set(cursor.tag, code.left(told, STEPS_BITS))
        return cursor

    def advance(self, cursor: Cursor) -> Operand:
        """Write the step to the next entry of the part; return whether it goes on at the part's begin."""
        code = self.code
        following, tag = code.add(code.get(cursor.place), 1), code.get(cursor.tag)
        around = code.compare("eq", following, cursor.end)
        code.set(cursor.place, code.select(around, code.sub(cursor.end, self._part), following))
        near = code.compare("ne", code.both(tag, FAR), FAR)
        code.set(cursor.tag, code.add(tag, code.wide(near)))
        return around

    def entry(self, place: Operand) -> Operand:
        """Return the address of an entry."""
        return self.code.at(self._table, self.code.mul(place, ENTRY), "i8")

    def state(self, number: Operand) -> Operand:
        """Return the address of a state."""
        return self.code.at(self.arena, self.code.mul(number, self.words))

    def prefetch(self, address: Operand) -> None:
        """Ask for memory."""
        self.code.do(f"call void @llvm.prefetch.p0(ptr {address}, i32 0, i32 3, i32 1)")

    def read(self, entry: Operand) -> Operand:
        """Return what stands at the address of an entry: 0 if it is empty."""
        return self.code.both(self.code.op(f"load i64, ptr {entry}, align 1"), (1 << _ENTRY_BITS) - 1)

    def is_free(self, entry: Operand) -> Operand:
        """Return whether an entry is empty. It is read as it is written: a wider load would wait for that."""
        code = self.code
        high = code.op(f"zext i8 {code.get(code.at(entry, 4, 'i8'), 'i8')} to i64")
        low = code.op(f"zext i32 {code.op(f'load i32, ptr {entry}, align 1')} to i64")
        return code.compare("eq", code.either(low, high), 0)

    def put(self, entry: Operand, number: Operand, tag: Operand) -> None:
        """Let a state of that number and tag stand there."""
        code = self.code
        whole = code.either(code.left(code.add(number, 1), self._bits), tag)
        high = code.op(f"trunc i64 {code.right(whole, 32)} to i8")
        code.do(f"store i32 {code.op(f'trunc i64 {whole} to i32')}, ptr {entry}, align 1")
        code.do(f"store i8 {high}, ptr {code.at(entry, 4, 'i8')}, align 1")

    def renumber(self, entry: Operand, number: Operand) -> None:
        """Give the state of an entry another number."""
        self.put(entry, number, self._tag_of(self.read(entry)))

    def _tag_of(self, whole: Operand) -> Operand:
        return tag_of(self.code, whole, self._bits)

    def free(self, cursor: Cursor) -> Operand:
        """Write the search for the first free place; return its address."""
        code = self.code
        found = code.slot("ptr")
        with code.loop() as (_, leave):
            entry, on = self.entry(code.get(cursor.place)), code.label()
            code.set(found, entry, "ptr")
            code.branch(self.is_free(entry), leave, on)
            code.start(on)
            self.advance(cursor)
        return code.get(found, "ptr")

    def prefetch_state(self, mixed: Operand) -> None:
        """Ask for the state that stands where the search for a hash begins, if it may be the hash's.

        No branch: a wrong guess of the way would cost more than a state further on that was not asked for.
        """
        code, cursor = self.code, self.cursor(mixed)
        whole = self.read(self.entry(code.get(cursor.place)))
        same = code.compare("eq", self._tag_of(whole), code.get(cursor.tag))
        state = self.state(code.sub(code.right(whole, self._bits), 1))
        self.prefetch(code.op(f"select i1 {same}, ptr {state}, ptr {self.arena}"))

    def probe(
        self,
        mixed: Operand,
        words: list[Operand],
        found: Callable[[Operand], None],
        missing: Callable[[Operand, Operand], None],
    ) -> None:
        """Write the search for a state: `found` gets its number, `missing` the free place's address and the tag."""
        code = self.code
        cursor, done = self.cursor(mixed), code.label()
        with code.loop():
            entry = self.entry(code.get(cursor.place))
            whole, tag = self.read(entry), code.get(cursor.tag)
            absent, present, compare, same, on = (code.label() for _ in range(5))
            code.branch(code.compare("eq", whole, 0), absent, present)
            code.start(absent)
            missing(entry, tag)
            code.jump(done)
            code.start(present)
            code.branch(code.compare("eq", self._tag_of(whole), tag), compare, on)
            code.start(compare)
            index = code.sub(code.right(whole, self._bits), 1)
            there = words_at(code, self.state(index), self.words)
            differs: Operand = "0"
            for here, word in zip(words, there, strict=True):
                differs = code.either(differs, code.op(f"xor i64 {here}, {word}"))
            code.branch(code.compare("eq", differs, 0), same, on)
            code.start(same)
            found(index)
            code.jump(done)
            code.start(on)
            self.advance(cursor)
        code.start(done)


Found = Callable[[Table, Operand, Operand], None]
Missing = Callable[[Table, Operand, Operand, Operand, Operand], None]


def look_up_batch(code: Code, words: int, count: Operand, found: Found, missing: Missing) -> None:
    """Write the three passes over the first `count` states of the buffer.

    `found` gets the position in the buffer and the state's number, `missing` the position, the address of the free
    entry, the tag, and the hash.
    """
    table = Table(code, words)
    out, hashes = load(code, Slot.OUT, "ptr"), load(code, Slot.HASHES, "ptr")
    with code.count_up(0, count) as n:
        mixed = hash_of(code, words_at(code, code.at(out, code.mul(n, words)), words))
        code.set(code.at(hashes, n), mixed)
        table.prefetch(table.entry(table.place(mixed)))
    _compare(code, table, count, found, missing)


def _compare(code: Code, table: Table, count: Operand, found: Found, missing: Missing) -> None:
    """Write the second and the third pass."""
    words = table.words
    out, hashes = load(code, Slot.OUT, "ptr"), load(code, Slot.HASHES, "ptr")
    with code.count_up(0, count) as n:
        table.prefetch_state(code.get(code.at(hashes, n)))
    with code.count_up(0, count) as n:
        mixed = code.get(code.at(hashes, n))
        here = words_at(code, code.at(out, code.mul(n, words)), words)
        table.probe(
            mixed,
            here,
            lambda number: found(table, n, number),
            lambda entry, tag: missing(table, n, entry, tag, mixed),
        )


def _sift(code: Code, table: Table, count: Operand) -> Operand:
    """Write the first pass, which also takes out of the buffer what was seen lately; return how many are left."""
    words = table.words
    out, aux, hashes = (load(code, slot, "ptr") for slot in (Slot.OUT, Slot.AUX, Slot.HASHES))
    lately, left = load(code, Slot.RECENT, "ptr"), code.slot()
    code.set(left, 0)
    with code.count_up(0, count) as n:
        here = words_at(code, code.at(out, code.mul(n, words)), words)
        mixed = hash_of(code, here)
        new = unseen(code, lately, recent(words), here, mixed)
        entry = table.entry(table.place(mixed))
        table.prefetch(code.op(f"select i1 {new}, ptr {entry}, ptr {out}"))
        # Written in any case, kept if it is new: there is no telling which way a branch would go.
        to = code.get(left)
        kept = code.at(out, code.mul(to, words))
        for each, word in enumerate(here):
            code.set(code.at(kept, each), word)
        code.set(code.at(hashes, to), mixed)
        code.set(code.at(aux, to), code.get(code.at(aux, n)))
        code.set(left, code.add(to, code.wide(new)))
    return code.get(left)


def unseen(code: Code, lately: Operand, size: int, state: list[Operand], mixed: Operand) -> Operand:
    """Write whether a state is not among those at `lately`, of which there are so many; from then on it is."""
    seen = code.at(lately, code.mul(code.both(mixed, size - 1), len(state)))
    differs: Operand = "0"
    for word, old in zip(state, words_at(code, seen, len(state)), strict=True):
        differs = code.either(differs, code.op(f"xor i64 {word}, {old}"))
    for each, word in enumerate(state):
        code.set(code.at(seen, each), word)
    return code.compare("ne", differs, 0)


def find(words: int) -> str:
    """Return `@find(state)`: the number of a state, or -1."""
    code = Code("find", "ptr %s", public=True)
    table = Table(code, words)
    here = words_at(code, "%s", words)
    mixed = hash_of(code, here)
    table.probe(mixed, here, code.ret, lambda *_: code.ret(-1))
    code.ret(-1)
    return code.text()


def absorb(words: int, *, sees: bool) -> str:
    """Return `@absorb(n)`: add those of the first n states of the buffer that are new; 1 if the limit was hit."""
    code = Code("absorb", "i64 %n", public=True)
    limit, full, aux = load(code, Slot.LIMIT), load(code, Slot.PART_FULL), load(code, Slot.AUX, "ptr")
    count = code.slot()
    code.set(count, load(code, Slot.COUNT))

    def missing(table: Table, n: Operand, entry: Operand, tag: Operand, mixed: Operand) -> None:
        number = code.get(count)
        with code.when(code.compare("uge", number, limit)):
            store(code, Slot.COUNT, number)
            code.ret(1)
        place = table.state(number)
        from_place = code.at(load(code, Slot.OUT, "ptr"), code.mul(n, words))
        for each in range(words):
            code.set(code.at(place, each), code.get(code.at(from_place, each)))
        table.put(entry, number, tag)
        code.set(count, code.add(number, 1))
        used = told(code, table.part(mixed), USED)
        code.set(used, code.add(code.get(used), 1))
        with code.when(code.compare("ugt", code.get(used), full)):
            store(code, Slot.GROW_AT, 0)
        if sees:
            came = code.get(code.at(aux, n))
            code.do(f"call void @found(ptr {place}, i64 {number}, i64 {came})")

    table = Table(code, words)
    _compare(code, table, _sift(code, table, "%n"), lambda *_: None, missing)
    store(code, Slot.COUNT, code.get(count))
    code.ret(0)
    return code.text()
