"""How the table of visited states is filled again, when it gets another size.

Each worker does that for its part. `@rehash` takes the states from the arena. `@enlarge` and `@shrink` work where the
part lies, which has room behind it: an entry and where it stands tell its hash, so no state is looked at. They go down
from the highest place, or up from the lowest, so that what is written lies behind what is still to be read; what does
not is put aside, and entered at the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelcheck.engine.kernel.context import ENTRIES_OF_A_BATCH, Slot, load
from modelcheck.engine.kernel.shared import USED, told
from modelcheck.engine.kernel.visited import (
    ENTRY,
    FAR,
    STEPS_BITS,
    Table,
    hash_of,
    hash_told,
    tag_of,
    words_at,
)
from modelcheck.semantics.native_code import Code, Operand

MOST_RESIZED = (1 << 30) - 1
"""A table of more entries is not resized where it lies: its numbers would not fit 64 bits."""

BLOCK = ASIDE = ENTRIES_OF_A_BATCH // 2
"""Entries that are moved together, and that can be put aside: both have room in the buffers of a batch."""


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
            _enter(table, code.get(code.at(numbers, n)), code.get(code.at(hashes, n)))
        code.set(used, code.add(code.get(used), code.get(left)))
        code.set(start, stop)
    code.ret(0)
    return code.text()


def _enter(table: Table, number: Operand, mixed: Operand) -> None:
    """Put a state that is not there yet into the first free place."""
    cursor = table.cursor(mixed)
    entry = table.free(cursor)
    table.put(entry, number, table.code.get(cursor.tag))


def resized(words: int, *, larger: bool) -> str:
    """Return `@enlarge` or `@shrink(capacity, part, bits)`: spread a table that had these sizes over the new ones.

    Each worker does it for its part; there are as many as before. It returns 1 if more had to be put aside than there
    is room for; the table is then to be filled from the arena.
    """
    name, parameters = "enlarge" if larger else "shrink", "i64 %capacity, i64 %part, i64 %bits"
    code = Code(name, parameters, public=True)
    table, aside, block = Table(code, words), _Pairs(code, 0), _Pairs(code, ASIDE)
    first = code.mul(load(code, Slot.WORKER), table.stride)
    for low, end in (_blocks_downwards if larger else _blocks_upwards)(code, first):
        block.clear()
        with code.count_up(low, end) as here:
            whole = table.read(table.entry(here))
            with code.when(code.compare("ne", whole, 0)):
                number = code.sub(code.right(whole, "%bits"), 1)
                block.add(number, _hash(table, whole, number, (here, first)))
        size = code.mul(code.sub(end, low), ENTRY)
        code.do(f"call void @llvm.memset.p0.i64(ptr {table.entry(low)}, i8 0, i64 {size}, i1 false)")
        with code.count_up(0, block.count) as n:
            _move(table, aside, ("uge", low) if larger else ("ult", end), *block.nth(n))
    with code.count_up(0, aside.count) as n:
        _enter(table, *aside.nth(n))
    code.ret(0)
    return code.text()


def _blocks_downwards(code: Code, first: Operand) -> Iterator[tuple[Operand, Operand]]:
    """Write what runs for each piece of the old part, from the last on: where it begins and ends."""
    place = code.slot()
    code.set(place, code.add(first, "%part"))
    with code.loop() as (_, leave):
        end, on = code.get(place), code.label()
        code.branch(code.compare("ugt", end, first), on, leave)
        code.start(on)
        low = code.sub(end, BLOCK)
        low = code.select(code.compare("sgt", low, first), low, first)
        code.set(place, low)
        yield low, end


def _blocks_upwards(code: Code, first: Operand) -> Iterator[tuple[Operand, Operand]]:
    """The same from the first on."""
    place, last = code.slot(), code.add(first, "%part")
    code.set(place, first)
    with code.loop() as (_, leave):
        low, on = code.get(place), code.label()
        code.branch(code.compare("ult", low, last), on, leave)
        code.start(on)
        end = code.add(low, BLOCK)
        end = code.select(code.compare("ult", end, last), end, last)
        code.set(place, end)
        yield low, end


def _hash(table: Table, whole: Operand, number: Operand, at: tuple[Operand, Operand]) -> Operand:
    """Write the hash of an entry of the old table; `at`: where it stands, and where its part begins."""
    code, (here, first) = table.code, at
    mixed, steps = code.slot(), code.both(whole, FAR)
    near, far, on = (code.label() for _ in range(3))
    code.branch(code.compare("ne", steps, FAR), near, far)
    code.start(near)
    home = code.sub(here, steps)
    home = code.select(code.compare("slt", home, first), code.add(home, "%part"), home)
    home = code.sub(home, code.mul(load(code, Slot.WORKER), code.sub(table.stride, "%part")))
    tag = tag_of(code, whole, "%bits")
    code.set(mixed, hash_told(code, home, code.right(tag, STEPS_BITS), "%capacity", "%bits"))
    code.jump(on)
    code.start(far)
    code.set(mixed, hash_of(code, words_at(code, table.state(number), table.words)))
    code.jump(on)
    code.start(on)
    return code.get(mixed)


def _move(table: Table, aside: _Pairs, bound: tuple[str, Operand], number: Operand, mixed: Operand) -> None:
    """Write: enter a state at a place where nothing is still to be read, or put it aside."""
    code, cursor = table.code, table.cursor(mixed)
    look, further, found, put_aside, on, full, done = (code.label() for _ in range(7))
    how, limit = bound
    with code.loop() as (again, _):
        place = code.get(cursor.place)
        code.branch(code.compare(how, place, limit), look, put_aside)
        code.start(look)
        entry = table.entry(place)
        code.branch(table.is_free(entry), found, further)
        code.start(further)
        code.branch(table.advance(cursor), put_aside, again)
    code.start(found)
    table.put(entry, number, code.get(cursor.tag))
    code.jump(done)
    code.start(put_aside)
    code.branch(code.compare("ult", aside.count, ASIDE), on, full)
    code.start(full)
    code.ret(1)
    code.start(on)
    aside.add(number, mixed)
    code.start(done)


class _Pairs:
    """Writes access to a list of numbers of states and their hashes, in the buffers of a batch from a place on."""

    def __init__(self, code: Code, first: int) -> None:
        self._code = code
        self._hashes, self._numbers = (
            code.at(load(code, slot, "ptr"), first) for slot in (Slot.HASHES, Slot.AUX)
        )
        self._count = code.slot()
        self.clear()

    def clear(self) -> None:
        """Empty the list."""
        self._code.set(self._count, 0)

    @property
    def count(self) -> Operand:
        """How many there are."""
        return self._code.get(self._count)

    def add(self, number: Operand, mixed: Operand) -> None:
        """Add one more."""
        code, to = self._code, self.count
        code.set(code.at(self._numbers, to), number)
        code.set(code.at(self._hashes, to), mixed)
        code.set(self._count, code.add(to, 1))

    def nth(self, n: Operand) -> tuple[Operand, Operand]:
        """Return number and hash of one of them."""
        code = self._code
        return code.get(code.at(self._numbers, n)), code.get(code.at(self._hashes, n))
