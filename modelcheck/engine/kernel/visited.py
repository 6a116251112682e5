"""The set of visited states: open addressing over indexes into the arena (SEMANTICS H17).

An entry has five bytes: the state's number plus one, and eight bits of the hash, so that few states are compared in
vain; a comparison is of the whole state. An entry's place is the high half of hash times capacity, so that the capacity
can grow by half. Look-ups come in batches, in three passes: fetch the entries, fetch the states that they point to,
compare. Memory is what the search waits for; so states that were seen just before are not looked up at all.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Sequence

from modelcheck.engine.kernel.context import Slot, load, store
from modelcheck.engine.kernel.shared import USED, told
from modelcheck.semantics.native_code import Code, Operand

ENTRY = 5
_RECENT = 1 << 20
"""Bytes of the states that were seen last, by hash: most states that are met again are met again soon.

They fit in a processor's second cache. More of them save more look-ups (on twin.mck half are left with 64 KB, a third
with 1 MB), but do not stay where it is quick.
"""

_NUMBER = (1 << 32) - 1
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


def share(code: Code, mixed: Operand, count: Operand) -> Operand:
    """Write the number of a hash among so many equal shares: the high half of their product."""
    wide, size = (code.op(f"zext i64 {each} to i128") for each in (mixed, count))
    high = code.op(f"lshr i128 {code.op(f'mul i128 {wide}, {size}')}, 64")
    return code.op(f"trunc i128 {high} to i64")


class Table:
    """Writes what has to do with the table; its address and capacity are read once."""

    def __init__(self, code: Code, words: int) -> None:
        self.code = code
        self.words = words
        self._table = load(code, Slot.TABLE, "ptr")
        self._capacity = load(code, Slot.CAPACITY)
        self._parts = load(code, Slot.PARTS)
        self._part = load(code, Slot.PART)
        self.arena = load(code, Slot.ARENA, "ptr")

    def place(self, mixed: Operand) -> Operand:
        """Return where the search for a hash begins."""
        return share(self.code, mixed, self._capacity)

    def part(self, mixed: Operand) -> Operand:
        """Return the part of the table that a hash belongs to; its place lies there."""
        return share(self.code, mixed, self._parts)

    def end_of_part(self, mixed: Operand) -> Operand:
        """Return the place behind the part that a hash belongs to."""
        return self.code.mul(self.code.add(self.part(mixed), 1), self._part)

    def entry(self, place: Operand) -> Operand:
        """Return the address of an entry."""
        return self.code.at(self._table, self.code.mul(place, ENTRY), "i8")

    def state(self, number: Operand) -> Operand:
        """Return the address of a state."""
        return self.code.at(self.arena, self.code.mul(number, self.words))

    def prefetch(self, address: Operand) -> None:
        """Ask for memory."""
        self.code.do(f"call void @llvm.prefetch.p0(ptr {address}, i32 0, i32 3, i32 1)")

    def put(self, entry: Operand, number: Operand, mixed: Operand) -> None:
        """Fill an empty entry."""
        code = self.code
        self.renumber(entry, number)
        tag = code.op(f"trunc i64 {mixed} to i8")
        code.do(f"store i8 {tag}, ptr {code.at(entry, 4, 'i8')}, align 1")

    def renumber(self, entry: Operand, number: Operand) -> None:
        """Give the state of an entry another number."""
        code = self.code
        stored = code.op(f"trunc i64 {code.add(number, 1)} to i32")
        code.do(f"store i32 {stored}, ptr {entry}, align 1")

    def candidate(self, mixed: Operand) -> Operand:
        """Write the search for the first entry that may be the hash's; return the state's number plus one, or 0."""
        code = self.code
        place, end = code.slot(), self.end_of_part(mixed)
        found = code.slot()
        code.set(place, self.place(mixed))
        with code.loop() as (_, leave):
            number, tag = self.read(code.get(place))
            code.set(found, number)
            go, on = code.label(), code.label()
            same = code.compare("eq", tag, code.both(mixed, 255))
            empty = code.compare("eq", number, 0)
            code.branch(code.op(f"or i1 {same}, {empty}"), leave, go)
            code.start(go)
            self.following(place, end)
            code.jump(on)
            code.start(on)
        return code.get(found)

    def probe(
        self,
        mixed: Operand,
        words: list[Operand],
        found: Callable[[Operand], None],
        missing: Callable[[Operand], None],
    ) -> None:
        """Write the search for a state: `found` gets its number, `missing` the address of the empty entry."""
        code = self.code
        place, done = code.slot(), code.label()
        end = self.end_of_part(mixed)
        code.set(place, self.place(mixed))
        with code.loop():
            number, tag = self.read(code.get(place))
            absent, present, compare, same, on = (code.label() for _ in range(5))
            code.branch(code.compare("eq", number, 0), absent, present)
            code.start(absent)
            missing(self.entry(code.get(place)))
            code.jump(done)
            code.start(present)
            code.branch(code.compare("eq", tag, code.both(mixed, 255)), compare, on)
            code.start(compare)
            index = code.sub(number, 1)
            there = words_at(code, self.state(index), self.words)
            differs: Operand = "0"
            for here, word in zip(words, there, strict=True):
                differs = code.either(differs, code.op(f"xor i64 {here}, {word}"))
            code.branch(code.compare("eq", differs, 0), same, on)
            code.start(same)
            found(index)
            code.jump(done)
            code.start(on)
            self.following(place, end)
        code.start(done)

    def read(self, place: Operand) -> tuple[Operand, Operand]:
        """Return number and tag of an entry."""
        code = self.code
        whole = code.op(f"load i64, ptr {self.entry(place)}, align 1")
        return code.both(whole, _NUMBER), code.both(code.right(whole, 32), 255)

    def following(self, place: Operand, end: Operand) -> None:
        """Write the step to the next entry of the part that ends there."""
        code = self.code
        following = code.add(code.get(place), 1)
        first = code.sub(end, self._part)
        code.set(place, code.select(code.compare("eq", following, end), first, following))


Found = Callable[[Table, Operand, Operand], None]
Missing = Callable[[Table, Operand, Operand, Operand], None]


def look_up_batch(code: Code, words: int, count: Operand, found: Found, missing: Missing) -> None:
    """Write the three passes over the first `count` states of the buffer.

    `found` gets the position in the buffer and the state's number, `missing` the position, the empty entry, the hash.
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
        number = table.candidate(code.get(code.at(hashes, n)))
        with code.when(code.compare("ne", number, 0)):
            table.prefetch(table.state(code.sub(number, 1)))
    with code.count_up(0, count) as n:
        mixed = code.get(code.at(hashes, n))
        here = words_at(code, code.at(out, code.mul(n, words)), words)
        table.probe(
            mixed,
            here,
            lambda number: found(table, n, number),
            lambda entry: missing(table, n, entry, mixed),
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
        with code.when(unseen(code, lately, recent(words), here, mixed)):
            table.prefetch(table.entry(table.place(mixed)))
            to = code.get(left)
            kept = code.at(out, code.mul(to, words))
            for each, word in enumerate(here):
                code.set(code.at(kept, each), word)
            code.set(code.at(hashes, to), mixed)
            code.set(code.at(aux, to), code.get(code.at(aux, n)))
            code.set(left, code.add(to, 1))
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


def rehash(words: int) -> str:
    """Return `@rehash(first, last)`: enter stored states into this worker's part of the table, which is empty.

    They are those of the numbers from first to last that belong there.
    """
    code = Code("rehash", "i64 %first, i64 %last", public=True)
    table = Table(code, words)
    hashes, numbers = load(code, Slot.HASHES, "ptr"), load(code, Slot.AUX, "ptr")
    batch, me = load(code, Slot.BATCH), load(code, Slot.WORKER)
    start, left, used = code.slot(), code.slot(), told(code, me, USED)
    code.set(start, "%first")
    code.set(used, 0)
    with code.loop() as (_, leave):
        begin, on = code.get(start), code.label()
        code.branch(code.compare("slt", begin, "%last"), on, leave)
        code.start(on)
        stop = code.add(begin, batch)
        stop = code.select(code.compare("slt", stop, "%last"), stop, "%last")
        code.set(left, 0)
        with code.count_up(begin, stop) as n:
            mixed = hash_of(code, words_at(code, table.state(n), words))
            # Written in any case, kept if it belongs here.
            to = code.get(left)
            code.set(code.at(hashes, to), mixed)
            code.set(code.at(numbers, to), n)
            own = code.compare("eq", table.part(mixed), me)
            entry = table.entry(table.place(mixed))
            table.prefetch(code.op(f"select i1 {own}, ptr {entry}, ptr {hashes}"))
            code.set(left, code.add(to, code.wide(own)))
        with code.count_up(0, code.get(left)) as n:
            _enter(code, table, code.get(code.at(numbers, n)), code.get(code.at(hashes, n)))
        code.set(used, code.add(code.get(used), code.get(left)))
        code.set(start, stop)
    code.ret(0)
    return code.text()


def _enter(code: Code, table: Table, number: Operand, mixed: Operand) -> None:
    """Put a state that is not there yet into the first empty entry."""
    place, done = code.slot(), code.label()
    end = table.end_of_part(mixed)
    code.set(place, table.place(mixed))
    with code.loop():
        taken, _ = table.read(code.get(place))
        free, on = code.label(), code.label()
        code.branch(code.compare("eq", taken, 0), free, on)
        code.start(free)
        table.put(table.entry(code.get(place)), number, mixed)
        code.jump(done)
        code.start(on)
        table.following(place, end)
    code.start(done)


def find(words: int) -> str:
    """Return `@find(state)`: the number of a state, or -1."""
    code = Code("find", "ptr %s", public=True)
    table = Table(code, words)
    here = words_at(code, "%s", words)
    mixed = hash_of(code, here)
    table.probe(mixed, here, code.ret, lambda _entry: code.ret(-1))
    code.ret(-1)
    return code.text()


def absorb(words: int, *, sees: bool) -> str:
    """Return `@absorb(n)`: add those of the first n states of the buffer that are new; 1 if the limit was hit."""
    code = Code("absorb", "i64 %n", public=True)
    limit, full, aux = load(code, Slot.LIMIT), load(code, Slot.PART_FULL), load(code, Slot.AUX, "ptr")
    count = code.slot()
    code.set(count, load(code, Slot.COUNT))

    def missing(table: Table, n: Operand, entry: Operand, mixed: Operand) -> None:
        number = code.get(count)
        with code.when(code.compare("uge", number, limit)):
            store(code, Slot.COUNT, number)
            code.ret(1)
        place = table.state(number)
        from_place = code.at(load(code, Slot.OUT, "ptr"), code.mul(n, words))
        for each in range(words):
            code.set(code.at(place, each), code.get(code.at(from_place, each)))
        table.put(entry, number, mixed)
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
