"""Compiled sweeps for who is lost in the states that are not known to be safe (the meaning: engine/endings.py).

`@sweep(low, high, first, one)` goes back over these states, and ors into the bits of each those of its successors,
until nothing changes; what stands beside a safe state has all bits.
`@losses(low, high)` writes who is lost in place of the bits; `@sweep_stuck` then finds who may get stuck later, and
`@note_losses(low, high)` notes it all.

The sweeps and `@losses` write beside the states from low to high and nowhere else, and bits are only ever added in a
sweep: ranges may run at the same time as in safe_states.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.engine.kernel.context import Slot, load
from modelcheck.engine.kernel.safe_states import (
    Fates,
    all_gained,
    copy_state,
    missing,
    parent,
    safety_functions,
)
from modelcheck.engine.kernel.search import COUNT_OF_DONE, Shape, expand
from modelcheck.engine.kernel.visited import Table, look_up_batch
from modelcheck.language.model import Thread
from modelcheck.semantics.native_code import Code, Operand
from modelcheck.semantics.native_steps import Writing
from modelcheck.semantics.native_words import Words


def ending_functions(
    writing: Writing, shape: Shape, stuck_notes: tuple[int, ...], unable_note: int
) -> list[str]:
    """Return all functions of this file, and those that show which states are safe."""
    return [
        *safety_functions(writing, shape),
        _own_fate(shape),
        _sweep(shape, _SweptFates("sweep", shape)),
        _sweep(shape, _SweptStuck("sweep_stuck", shape)),
        _losses(shape),
        _note_losses(writing, shape, stuck_notes, unable_note),
    ]


def _own_fate(shape: Shape) -> str:
    """Return `@own_fate(state, number, done)`: what happens in the state itself, as engine/endings.py packs it."""
    code = Code("own_fate", "ptr %s, i64 %number, i64 %done")
    gains = code.call("own_gains", "ptr %s, i64 %done")
    caught: Operand = "0"
    if shape.knots:
        kept, steps = code.slot(), code.both(gains, shape.everybody)
        code.set(kept, 0)
        with code.when(code.compare("ne", steps, shape.everybody)):
            knot = code.call("waits", f"ptr %s, i64 %number, i64 {shape.moved(code, '%done')}")
            code.set(kept, code.get(code.at(load(code, Slot.CAUGHT, "ptr"), knot)))
        caught = code.get(kept)
    code.ret(code.either(gains, code.left(caught, 2 * shape.threads)))
    return code.text()


# --- bits ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _SweptFates:
    """What the first sweep carries back: all bits; a state is done when it is safe."""

    name: str
    shape: Shape
    owns: bool = True

    def carried(self, _code: Code, bits: Operand) -> Operand:
        """Write what a state has from a successor with these bits."""
        return bits

    def done(self, code: Code, bits: Operand) -> Operand:
        """Write whether a state with these bits is to be left alone."""
        return code.compare("eq", code.both(bits, all_gained(self.shape)), all_gained(self.shape))


@dataclass(frozen=True)
class _SweptStuck:
    """What the second sweep carries back: who may get stuck later, in the third part of what `@losses` wrote.

    It only matters for those who cannot finish. They cannot in any state that follows either, so that a state is done
    when it knows that about all of them.
    """

    name: str
    shape: Shape
    owns: bool = False

    def carried(self, code: Code, bits: Operand) -> Operand:
        """Write what a state has from a successor with these bits."""
        return code.both(bits, self.shape.everybody << 2 * self.shape.threads)

    def done(self, code: Code, bits: Operand) -> Operand:
        """Write whether a state with these bits is to be left alone."""
        return code.compare("eq", _unable(code, self.shape, bits), 0)


def _sweep(shape: Shape, swept: _SweptFates | _SweptStuck) -> str:
    """Return a sweep; 1 if any bits changed.

    `first`: each state's own bits are written first. `one`: look at one successor of each state only, the last.
    """
    code = Code(swept.name, "i64 %low, i64 %high, i64 %first, i64 %one", public=True)
    out, aux, arena = (load(code, each, "ptr") for each in (Slot.OUT, Slot.AUX, Slot.ARENA))
    fates = Fates(code, shape)
    head, filled, changed = code.slot(), code.slot(), code.slot()
    code.set(head, "%high")
    code.set(changed, 0)
    batch = load(code, Slot.BATCH)
    first, one = code.compare("ne", "%first", 0), code.compare("ne", "%one", 0)
    with code.loop() as (again, leave):
        code.set(filled, 0)
        with code.loop() as (next_state, full_batch):
            on = code.label()
            room_left = code.compare("ult", code.get(filled), batch)
            more = code.op(f"and i1 {room_left}, {code.compare('ugt', code.get(head), '%low')}")
            code.branch(more, on, full_batch)
            code.start(on)
            number = code.sub(code.get(head), 1)
            code.set(head, number)
            _unless(code, swept.done(code, fates.get(number)), next_state)
            place = code.at(arena, code.mul(number, shape.words))
            before = code.get(filled)
            done = expand(code, place, number, (out, aux), before)
            if swept.owns:
                with code.when(first):
                    fate = code.call("own_fate", f"ptr {place}, i64 {number}, i64 {done}")
                    fates.set(number, fate)
                    _unless(code, swept.done(code, fate), next_state)
            after = code.both(done, COUNT_OF_DONE)
            _keep_last(code, shape, (before, after), (one, filled))
        _join(code, shape, swept, code.get(filled), changed)
        code.branch(code.compare("ugt", code.get(head), "%low"), again, leave)
    code.ret(code.get(changed))
    return code.text()


def _unless(code: Code, condition: Operand, elsewhere: str) -> None:
    on = code.label()
    code.branch(condition, elsewhere, on)
    code.start(on)


def _keep_last(
    code: Code, shape: Shape, span: tuple[Operand, Operand], wanted: tuple[Operand, Operand]
) -> None:
    """Write: keep all successors of the state, or the last one only."""
    (before, after), (one, filled) = span, wanted
    out, aux = load(code, Slot.OUT, "ptr"), load(code, Slot.AUX, "ptr")
    code.set(filled, after)
    several = code.compare("ugt", after, code.add(before, 1))
    with code.when(code.op(f"and i1 {one}, {several}")):
        last = code.sub(after, 1)
        code.set(code.at(aux, before), code.get(code.at(aux, last)))
        start, to = (code.at(out, code.mul(n, shape.words)) for n in (last, before))
        copy_state(code, shape, start, to)
        code.set(filled, code.add(before, 1))


def _join(
    code: Code, shape: Shape, swept: _SweptFates | _SweptStuck, filled: Operand, changed: Operand
) -> None:
    aux, fates = load(code, Slot.AUX, "ptr"), Fates(code, shape)

    def found(_table: Table, n: Operand, number: Operand) -> None:
        before = parent(code, aux, n)
        old = fates.get(before)
        new = code.either(old, swept.carried(code, fates.get(number)))
        fates.set(before, new)
        differs = code.wide(code.compare("ne", old, new))
        code.set(changed, code.either(code.get(changed), differs))

    look_up_batch(code, shape.words, filled, found, missing)


# --- who is lost ---------------------------------------------------------------------------------


def _losses(shape: Shape) -> str:
    """Return `@losses(low, high)`: write in place of the bits of each state who is lost; return all that are stuck.

    Three parts: who is stuck for ever, who cannot reach a goal, who may get stuck: as yet the same as the first.
    """
    code = Code("losses", "i64 %low, i64 %high", public=True)
    threads, everybody = shape.threads, shape.everybody
    fates, arena, lost = Fates(code, shape), load(code, Slot.ARENA, "ptr"), code.slot()
    code.set(lost, 0)
    stuck = code.slot()
    with code.count_up("%low", "%high") as number:
        fate = fates.get(number)
        caught = code.right(fate, 2 * threads)
        still = code.both(code.flip(code.either(fate, caught)), everybody)
        unable = code.flip(code.either(code.right(fate, threads), caught))
        sound = code.compare("eq", code.both(code.right(fate, 3 * threads), 1), 0)
        unable = code.select(sound, code.both(unable, everybody), 0)
        code.set(stuck, 0)
        any_ = code.compare("ne", still, 0)
        with code.when(code.op(f"and i1 {sound}, {any_}")):
            place = code.at(arena, code.mul(number, shape.words))
            resting = code.call("resting", f"ptr {place}, i64 {still}")
            code.set(stuck, code.both(still, code.flip(resting)))
        later = code.left(code.get(stuck), 2 * threads)
        told = code.either(code.get(stuck), code.left(unable, threads))
        fates.set(number, code.either(told, later))
        code.set(lost, code.either(code.get(lost), code.get(stuck)))
    code.ret(code.get(lost))
    return code.text()


def _unable(code: Code, shape: Shape, told: Operand) -> Operand:
    """Write who cannot finish, by what stands beside a state: who may get stuck is not called so."""
    unable = code.right(told, shape.threads)
    later = code.right(told, 2 * shape.threads)
    return code.both(code.both(unable, code.flip(later)), shape.everybody)


def _note_losses(writing: Writing, shape: Shape, stuck_notes: tuple[int, ...], unable_note: int) -> str:
    """Return `@note_losses(low, high)`: note who is stuck where, and who cannot finish.

    The note of a stuck thread is its own first one plus its location, and plus the number of its locations if it is
    interrupted.
    """
    code = Code("note_losses", "i64 %low, i64 %high", public=True)
    fates, arena = Fates(code, shape), load(code, Slot.ARENA, "ptr")
    with code.count_up("%low", "%high") as number:
        told = fates.get(number)
        stuck, unable = code.both(told, shape.everybody), _unable(code, shape, told)
        with code.when(code.compare("ne", code.either(stuck, unable), 0)):
            words = Words.at(code, code.at(arena, code.mul(number, shape.words)), shape.words)
            for t, first in enumerate(stuck_notes):
                with code.when(code.compare("ne", code.both(stuck, 1 << t), 0)):
                    place = code.add(writing.location(words, t), first)
                    place = code.add(place, _interrupted(writing, words, writing.threads[t]))
                    code.do(f"call void @note(i64 {place}, i64 {number}, i64 0)")
                with code.when(code.compare("ne", code.both(unable, 1 << t), 0)):
                    code.do(f"call void @note(i64 {unable_note + t}, i64 {number}, i64 0)")
    code.ret(0)
    return code.text()


def _interrupted(writing: Writing, words: Words, thread: Thread) -> Operand:
    """Write the number of locations if the thread could step but for a handler, else 0."""
    if not thread.interrupted_by:
        return "0"
    code = words.code
    runs = writing.interrupted(writing.expressions(code, words), thread.number)
    ready = code.call(f"ready_{thread.number}", f"ptr {words.address}", "i1")
    return code.select(code.op(f"and i1 {runs}, {ready}"), len(thread.locations), 0)
