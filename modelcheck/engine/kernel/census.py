"""How many values parts of the states take, counted over an arena by compiled code (engine/census.py has the idea).

A tally is an open-addressed table of the values kept and in how many states each occurs. A part of a state is the state
under a mask. The code depends on nothing but the number of words a state has, so that it is compiled once.
"""

from __future__ import annotations

import ctypes
import sys
from array import array
from collections.abc import Sequence

from modelcheck.engine.kernel.compiling import Library, load
from modelcheck.engine.kernel.memory import Buffer
from modelcheck.engine.kernel.visited import hash_of, hashed, words_at
from modelcheck.semantics.layout import ONES, Part
from modelcheck.semantics.native_code import Code, Operand, signed

USED, LIMIT, TABLE = 0, 1, 2
"""The words of a tally: how many values it keeps; the highest rank that is kept; where its table begins."""

_SHIFTED = 0x9E3779B97F4A7C15
_CHUNK = 1 << 14
"""States that are looked at for one part after the other: they stay in the processor's cache."""


def rank(words: Sequence[int]) -> int:
    """Return the rank of a value, by which values are kept: any 64 bits are as likely as others."""
    return (hashed(words) + _SHIFTED) & ONES


def text(words: int, most: int) -> str:
    """Return the module for states of so many words, and tallies of so many values."""
    return "\n".join([_take(words, most), _thin(words, most)]) + "\n"


def _places(most: int) -> int:
    """Return the size of a table: a power of two, half of it stays empty."""
    return 1 << (2 * most - 1).bit_length()


def _take(words: int, most: int) -> str:
    """Return `@take(states, count, mask, tally)`: count the part of each state; stop where no value more has room.

    Returns how many states it has counted.
    """
    code = Code("take", "i64 %states, i64 %count, i64 %mask, i64 %tally", public=True)
    states, mask, tally = (code.op(f"inttoptr i64 %{name} to ptr") for name in ("states", "mask", "tally"))
    wanted = words_at(code, mask, words)
    limit = code.get(code.at(tally, LIMIT))
    with code.count_up(0, "%count") as n:
        state = words_at(code, code.at(states, code.mul(n, words)), words)
        value = [code.both(word, part) for word, part in zip(state, wanted, strict=True)]
        mixed = hash_of(code, value)
        with code.when(code.compare("ule", _rank(code, mixed), limit)):
            _add(code, (tally, most), value, mixed, ("1", n))
    code.ret("%count")
    return code.text()


def _thin(words: int, most: int) -> str:
    """Return `@thin(full, empty)`: keep only the lower half of the ranks, in the other tally."""
    code = Code("thin", "i64 %full, i64 %empty", public=True)
    full, empty = (code.op(f"inttoptr i64 %{name} to ptr") for name in ("full", "empty"))
    limit = code.right(code.get(code.at(full, LIMIT)), 1)
    code.set(code.at(empty, LIMIT), limit)
    with code.count_up(0, _places(most)) as n:
        entry = code.at(full, code.add(code.mul(n, words + 1), TABLE))
        times = code.get(entry)
        with code.when(code.compare("ne", times, 0)):
            value = [code.get(code.at(entry, 1 + k)) for k in range(words)]
            mixed = hash_of(code, value)
            with code.when(code.compare("ule", _rank(code, mixed), limit)):
                _add(code, (empty, most), value, mixed, (times, n))
    code.ret(0)
    return code.text()


def _rank(code: Code, mixed: Operand) -> Operand:
    return code.add(mixed, str(signed(_SHIFTED)))


def _add(
    code: Code,
    kept: tuple[Operand, int],
    value: list[Operand],
    mixed: Operand,
    times: tuple[Operand, Operand],
) -> None:
    """Write: count a value so many times; return the second number where there is no room for a value more."""
    (tally, most), last = kept, _places(kept[1]) - 1
    place, done = code.slot(), code.label()
    code.set(place, code.both(mixed, last))
    with code.loop():
        entry = code.at(tally, code.add(code.mul(code.get(place), len(value) + 1), TABLE))
        before = code.get(entry)
        free, taken, room, full, same, on = (code.label() for _ in range(6))
        code.branch(code.compare("eq", before, 0), free, taken)
        code.start(free)
        used = code.get(code.at(tally, USED))
        code.branch(code.compare("ult", used, most), room, full)
        code.start(full)
        code.ret(times[1])
        code.start(room)
        code.set(code.at(tally, USED), code.add(used, 1))
        code.set(entry, times[0])
        for n, word in enumerate(value):
            code.set(code.at(entry, 1 + n), word)
        code.jump(done)
        code.start(taken)
        differs: Operand = "0"
        for n, word in enumerate(value):
            differs = code.either(differs, code.op(f"xor i64 {word}, {code.get(code.at(entry, 1 + n))}"))
        code.branch(code.compare("eq", differs, 0), same, on)
        code.start(same)
        code.set(entry, code.add(before, times[0]))
        code.jump(done)
        code.start(on)
        code.set(place, code.both(code.add(code.get(place), 1), last))
    code.start(done)


class Tallies:
    """The tallies of some parts of the states of an arena."""

    def __init__(self, parts: Sequence[Part], words: int, most: int) -> None:
        self._words = words
        self._size = 8 * (TABLE + _places(most) * (words + 1))
        self._library: Library = load(text(words, most), ("take", "thin"))
        self._take = self._library.function("take", 4)
        self._thin = self._library.function("thin", 2)
        self._masks = [array("Q", part.mask) for part in parts]
        self._tallies = [self._new() for _ in parts]
        self._spare = self._new()

    def _new(self) -> Buffer:
        buffer = Buffer(self._size)
        buffer.write(8 * LIMIT, b"\xff" * 8)
        return buffer

    def count(self, address: int, states: int) -> None:
        """Count the states that lie from an address on."""
        for first in range(0, states, _CHUNK):
            here, many = address + 8 * self._words * first, min(_CHUNK, states - first)
            for number in range(len(self._masks)):
                self._count(number, here, many)

    def _count(self, number: int, address: int, states: int) -> None:
        mask, done = self._masks[number].buffer_info()[0], 0
        while done < states:
            at = address + 8 * self._words * done
            done += self._take(at, states - done, mask, self._tallies[number].address)
            if done < states:
                full = self._tallies[number]
                self._thin(full.address, self._spare.address)
                self._tallies[number], self._spare = self._spare, full
                ctypes.memset(full.address, 0, self._size)

    def scale(self, number: int) -> int:
        """Return one in how many values of a part is kept."""
        limit = int.from_bytes(self._tallies[number].read(8 * LIMIT, 8), sys.byteorder)
        return (ONES + 1) // (limit + 1)

    def used(self, number: int) -> int:
        """Return how many values of a part are kept."""
        return int.from_bytes(self._tallies[number].read(8 * USED, 8), sys.byteorder)

    def values(self, number: int) -> dict[tuple[int, ...], int]:
        """Return the values of a part that are kept, as words, with the number of states that have each."""
        flat = array("Q", self._tallies[number].read(0, self._size))
        stride = self._words + 1
        entries = (flat[n : n + stride] for n in range(TABLE, len(flat), stride) if flat[n])
        return {tuple(words): times for times, *words in entries}

    def close(self) -> None:
        """Give the memory back."""
        for buffer in (*self._tallies, self._spare):
            buffer.close()
