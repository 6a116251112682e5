"""A small set of tuples of words: local views, crossings, circular waits (SEMANTICS A7).

The tuples lie in the order in which they were first added, each with what is said of it; an index of 32-bit numbers
beside them is addressed openly. Python sees to it that there is room for all that one batch can add.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelcheck.engine.kernel.context import Slot, load, store
from modelcheck.engine.kernel.visited import hash_of
from modelcheck.semantics.native_code import Code, Operand


@dataclass(frozen=True)
class SetKind:
    """One of the sets: its name, its first slot, the words of a tuple, the words that are said of it.

    `logged`: what the first tuple is in the log; the following ones count down from there. None: they are not logged.
    """

    name: str
    slot: Slot
    key: int
    said: int
    logged: int | None = None

    @property
    def stride(self) -> int:
        """Words of an entry."""
        return self.key + self.said


LOGGED_KNOTS, LOGGED_TIME_OUTS = -1, -(1 << 40)
"""Numbers of the first knots in the log; below zero, where no notes are."""

DENSE, INDEX, MASK, USED, ROOM = range(5)


def find_or_add(code: Code, kind: SetKind, key: Sequence[Operand]) -> tuple[Operand, Operand]:
    """Write the search for a tuple, adding it; return the address of its entry, and its number plus one."""
    dense, index = load(code, kind.slot + DENSE, "ptr"), load(code, kind.slot + INDEX, "ptr")
    mask = load(code, kind.slot + MASK)
    place, entry, done = code.slot(), code.slot("ptr"), code.label()
    known = code.slot()
    code.set(place, code.both(hash_of(code, list(key)), mask))
    with code.loop():
        here = code.at(index, code.get(place), "i32")
        number = code.op(f"zext i32 {code.get(here, 'i32')} to i64")
        absent, present, on = code.label(), code.label(), code.label()
        code.branch(code.compare("eq", number, 0), absent, present)
        code.start(absent)
        used = load(code, kind.slot + USED)
        more = code.add(used, 1)
        store(code, kind.slot + USED, more)
        code.set(here, code.op(f"trunc i64 {more} to i32"), "i32")
        new = code.at(dense, code.mul(used, kind.stride))
        for n, value in enumerate((*key, *("0" for _ in range(kind.said)))):
            code.set(code.at(new, n), value)
        code.set(entry, new, "ptr")
        code.set(known, more)
        code.jump(done)
        code.start(present)
        there = code.at(dense, code.mul(code.sub(number, 1), kind.stride))
        differs: Operand = "0"
        for n, value in enumerate(key):
            differs = code.either(differs, code.op(f"xor i64 {value}, {code.get(code.at(there, n))}"))
        code.set(entry, there, "ptr")
        code.set(known, number)
        code.branch(code.compare("eq", differs, 0), done, on)
        code.start(on)
        code.set(place, code.both(code.add(code.get(place), 1), mask))
    code.start(done)
    return code.get(entry, "ptr"), code.get(known)


def rebuild(kind: SetKind) -> str:
    """Return `@NAME_rebuild()`: fill an empty index."""
    code = Code(f"{kind.name}_rebuild", public=True)
    dense, index = load(code, kind.slot + DENSE, "ptr"), load(code, kind.slot + INDEX, "ptr")
    mask = load(code, kind.slot + MASK)
    place = code.slot()
    with code.count_up(0, load(code, kind.slot + USED)) as n:
        entry = code.at(dense, code.mul(n, kind.stride))
        code.set(
            place, code.both(hash_of(code, [code.get(code.at(entry, k)) for k in range(kind.key)]), mask)
        )
        done = code.label()
        with code.loop():
            here = code.at(index, code.get(place), "i32")
            free, on = code.label(), code.label()
            code.branch(code.op(f"icmp eq i32 {code.get(here, 'i32')}, 0"), free, on)
            code.start(free)
            code.set(here, code.op(f"trunc i64 {code.add(n, 1)} to i32"), "i32")
            code.jump(done)
            code.start(on)
            code.set(place, code.both(code.add(code.get(place), 1), mask))
        code.start(done)
    code.ret(0)
    return code.text()


def adder(kind: SetKind) -> str:
    """Return `@NAME_add(key, number)`: add a tuple; where it is first seen is said of it.

    Without NOTING nothing is added: sweeps run the statements again, and see what the search has seen.
    """
    code = Code(f"{kind.name}_add", "ptr %key, i64 %number", "void")
    with code.when(code.compare("eq", load(code, Slot.NOTING), 0)):
        code.ret(None)
    key = [code.get(code.at("%key", n)) for n in range(kind.key)]
    before = load(code, kind.slot + USED)
    entry, known = find_or_add(code, kind, key)
    with code.when(code.compare("ugt", known, before)):
        code.set(code.at(entry, kind.key), "%number")
    code.ret(None)
    return code.text()


def counting_adder(kind: SetKind) -> str:
    """Return `@NAME_add(key, number)`: add a tuple, count how often, log the states of the first level with it.

    Said of it: how often, at which level first. Returns its number plus one. Without NOTING nothing is counted.
    """
    code = Code(f"{kind.name}_add", "ptr %key, i64 %number")
    key = [code.get(code.at("%key", n)) for n in range(kind.key)]
    entry, known = find_or_add(code, kind, key)
    with code.when(code.compare("ne", load(code, Slot.NOTING), 0)):
        count, level = code.at(entry, kind.key), code.at(entry, kind.key + 1)
        assert kind.logged is not None
        note = code.sub(kind.logged + 1, known)
        sighted(code, (count, level), (note, "%number", "0"))
    code.ret(known)
    return code.text()


def sighted(code: Code, counters: tuple[Operand, Operand], entry: tuple[Operand, Operand, Operand]) -> None:
    """Write: count once more; remember the first level; log the entry if this is it."""
    count, level = counters
    before, now = code.get(count), load(code, Slot.DEPTH)
    code.set(count, code.add(before, 1))
    with code.when(code.compare("eq", before, 0)):
        code.set(level, now)
    with code.when(code.compare("eq", code.get(level), now)):
        used = load(code, Slot.LOG_USED)
        place = code.at(load(code, Slot.LOG, "ptr"), code.mul(used, 3))
        for n, value in enumerate(entry):
            code.set(code.at(place, n), value)
        store(code, Slot.LOG_USED, code.add(used, 1))


def note() -> str:
    """Return `@note(id, number, aux)`."""
    code = Code("note", "i64 %id, i64 %number, i64 %aux", "void")
    with code.when(code.compare("ne", load(code, Slot.NOTING), 0)):
        sighted(
            code, (code.at("@note_counts", "%id"), code.at("@note_levels", "%id")), ("%id", "%number", "%aux")
        )
    code.ret(None)
    return code.text()
