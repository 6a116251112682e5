"""The search loop, and the sweeps over what it stored (SEMANTICS H17, A4, H10).

`@search()` expands states in the order of the arena, batch by batch, until the level is done or Python must act.
`@sweep(low, high, first, one)` goes back over the states and ors into the bits of each those of its successors.
`@costs(low, high, from, to)` is one level of the sweep for shortest traces (engine/shortest.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.engine.kernel.context import Slot, Status, load, store
from modelcheck.engine.kernel.sets import SetKind
from modelcheck.engine.kernel.visited import Table, look_up_batch
from modelcheck.language.model import Thread
from modelcheck.semantics.native_code import Code, Operand
from modelcheck.semantics.native_expressions import among
from modelcheck.semantics.native_registry import MOVER_BITS, NOBODY
from modelcheck.semantics.native_steps import ERRS, MOVED, Writing
from modelcheck.semantics.native_words import Words


@dataclass(frozen=True)
class Shape:
    """What the kernel is specialised for.

    `knots`, `time_outs`, `places`: circular waits, those that only a time-out breaks, and where threads have to wait
    are looked for. `batch_states`: the most states that are expanded before their successors are looked up.
    """

    words: int
    threads: int
    sets: tuple[SetKind, ...]
    knots: bool
    time_outs: bool
    places: bool
    batch_states: int

    @property
    def fate_bits(self) -> int:
        """Bits of the integer that says what can still happen from a state."""
        return next(size for size in (8, 16, 32, 64) if 3 * self.threads + 1 <= size)

    @property
    def everybody(self) -> int:
        """The set of all threads."""
        return (1 << self.threads) - 1

    def moved(self, code: Code, done: Operand) -> Operand:
        """Return who moved, from what `@expand` returned."""
        return code.both(code.right(done, MOVED), self.everybody)


_COUNT = (1 << MOVED) - 1


def search(shape: Shape) -> str:
    """Return `@search`."""
    code = Code("search", public=True)
    out, aux, arena = (load(code, slot, "ptr") for slot in (Slot.OUT, Slot.AUX, Slot.ARENA))
    stop, end, batch, log_room, grow_at = (
        load(code, slot) for slot in (Slot.STOP, Slot.END, Slot.BATCH, Slot.LOG_ROOM, Slot.GROW_AT)
    )
    head, filled = code.slot(), code.slot()
    code.set(head, load(code, Slot.HEAD))
    with code.loop():
        _return_if(code, head, ("uge", code.get(head), end), Status.LEVEL)
        _return_if(code, head, ("uge", code.get(head), stop), Status.STOP)
        _return_if(code, head, ("ugt", load(code, Slot.COUNT), grow_at), Status.GROW)
        _return_if(code, head, ("ugt", load(code, Slot.LOG_USED), log_room), Status.ROOM)
        for kind in shape.sets:
            used, room = load(code, kind.slot + 3), load(code, kind.slot + 4)
            _return_if(code, head, ("ugt", used, room), Status.ROOM)
        code.set(filled, 0)
        last = code.add(code.get(head), shape.batch_states)
        last = code.select(code.compare("ult", last, end), last, end)
        with code.loop() as (_, leave):
            number, on = code.get(head), code.label()
            room_left = code.compare("ult", code.get(filled), batch)
            more = code.op(f"and i1 {room_left}, {code.compare('ult', number, last)}")
            code.branch(more, on, leave)
            code.start(on)
            place = code.at(arena, code.mul(number, shape.words))
            done = _expand(code, place, number, (out, aux), code.get(filled))
            code.set(filled, code.both(done, _COUNT))
            code.set(head, code.add(number, 1))
            if shape.knots:
                code.call("waits", f"ptr {place}, i64 {number}, i64 {shape.moved(code, done)}")
            if shape.time_outs:
                code.call("time_outs", f"ptr {place}, i64 {number}, i64 {shape.moved(code, done)}")
            if shape.places:
                code.do(f"call void @places(ptr {place}, i64 {shape.moved(code, done)})")
        stopped = code.call("absorb", f"i64 {code.get(filled)}")
        _return_if(code, head, ("ne", stopped, 0), Status.LIMIT)
    code.ret(0)
    return code.text()


def _return_if(
    code: Code, head: Operand, condition: tuple[str, Operand, Operand | int], status: Status
) -> None:
    with code.when(code.compare(*condition)):
        store(code, Slot.HEAD, code.get(head))
        code.ret(status)


def _expand(
    code: Code, place: Operand, number: Operand, buffers: tuple[Operand, Operand], filled: Operand
) -> Operand:
    base = code.left(code.add(number, 1), MOVER_BITS)
    out, aux = buffers
    return code.call("expand", f"ptr {place}, i64 {base}, ptr {out}, ptr {aux}, i64 {filled}")


# --- what can still happen -----------------------------------------------------------------------


def own_fate(writing: Writing, shape: Shape) -> str:
    """Return `@own_fate(state, number, done)`: what happens in the state itself, as engine/endings.py packs it."""
    code = Code("own_fate", "ptr %s, i64 %number, i64 %done")
    words = Words.at(code, "%s", shape.words)
    moving = shape.moved(code, "%done")
    steps: Operand = moving
    goals: Operand = str(sum(1 << t.number for t in writing.threads if t.daemon))
    for thread in writing.threads:
        place = writing.location(words, thread.number)
        ended = code.wide(code.compare("eq", place, thread.end))
        steps = code.either(steps, code.left(ended, thread.number))
        there = code.wide(among(code, place, thread.goals))
        goals = code.either(goals, code.left(there, thread.number))
    fate = code.either(steps, code.left(goals, shape.threads))
    errs = code.both(code.right("%done", ERRS), 1)
    fate = code.either(fate, code.left(errs, 3 * shape.threads))
    if shape.knots:
        kept = code.slot()
        code.set(kept, 0)
        with code.when(code.compare("ne", steps, shape.everybody)):
            knot = code.call("waits", f"ptr %s, i64 %number, i64 {moving}")
            code.set(kept, code.get(code.at(load(code, Slot.CAUGHT, "ptr"), knot)))
        fate = code.either(fate, code.left(code.get(kept), 2 * shape.threads))
    code.ret(fate)
    return code.text()


class _Bits:
    """Writes access to an array of small integers, one for each state."""

    def __init__(self, code: Code, slot: Slot, bits: int) -> None:
        self._code = code
        self._kind = f"i{bits}"
        self._base = load(code, slot, "ptr")

    def get(self, number: Operand) -> Operand:
        """Read a state's."""
        found = self._code.get(self._code.at(self._base, number, self._kind), self._kind)
        return found if self._kind == "i64" else self._code.op(f"zext {self._kind} {found} to i64")

    def set(self, number: Operand, value: Operand) -> None:
        """Write a state's."""
        kept = value if self._kind == "i64" else self._code.op(f"trunc i64 {value} to {self._kind}")
        self._code.set(self._code.at(self._base, number, self._kind), kept, self._kind)


def sweep(shape: Shape, name: str, slot: Slot, full: int, *, owns: bool) -> str:
    """Return a sweep over the bits at a slot; states whose bits contain `full` are left alone. 1 if any changed.

    `first`: each state's own bits are written first. `one`: look at one successor of each state only, the last.
    """
    code = Code(name, "i64 %low, i64 %high, i64 %first, i64 %one", public=True)
    out, aux, arena = (load(code, each, "ptr") for each in (Slot.OUT, Slot.AUX, Slot.ARENA))
    bits = _Bits(code, slot, shape.fate_bits)
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
            if not owns:
                _unless_full(code, bits, number, full, next_state)
            else:
                begin, look = code.label(), code.label()
                code.branch(first, begin, look)
                code.start(look)
                _unless_full(code, bits, number, full, next_state)
                code.jump(begin)
                code.start(begin)
            place = code.at(arena, code.mul(number, shape.words))
            before = code.get(filled)
            done = _expand(code, place, number, (out, aux), before)
            if owns:
                with code.when(first):
                    fate = code.call("own_fate", f"ptr {place}, i64 {number}, i64 {done}")
                    bits.set(number, fate)
                    _unless_full(code, bits, number, full, next_state)
            after = code.both(done, _COUNT)
            _keep_last(code, shape, (out, aux), (before, after), (one, filled))
        _join(code, shape, bits, code.get(filled), changed)
        code.branch(code.compare("ugt", code.get(head), "%low"), again, leave)
    code.ret(code.get(changed))
    return code.text()


def _unless_full(code: Code, bits: _Bits, number: Operand, full: int, elsewhere: str) -> None:
    on = code.label()
    known = code.both(bits.get(number), full)
    code.branch(code.compare("eq", known, full), elsewhere, on)
    code.start(on)


def _keep_last(
    code: Code,
    shape: Shape,
    buffers: tuple[Operand, Operand],
    span: tuple[Operand, Operand],
    wanted: tuple[Operand, Operand],
) -> None:
    """Write: keep all successors of the state, or the last one only."""
    (out, aux), (before, after), (one, filled) = buffers, span, wanted
    code.set(filled, after)
    several = code.compare("ugt", after, code.add(before, 1))
    with code.when(code.op(f"and i1 {one}, {several}")):
        last = code.sub(after, 1)
        code.set(code.at(aux, before), code.get(code.at(aux, last)))
        for n in range(shape.words):
            word = code.get(code.at(code.at(out, code.mul(last, shape.words)), n))
            code.set(code.at(code.at(out, code.mul(before, shape.words)), n), word)
        code.set(filled, code.add(before, 1))


def _join(code: Code, shape: Shape, bits: _Bits, filled: Operand, changed: Operand) -> None:
    aux = load(code, Slot.AUX, "ptr")

    def found(_table: Table, n: Operand, number: Operand) -> None:
        parent = code.sub(code.right(code.get(code.at(aux, n)), MOVER_BITS), 1)
        old = bits.get(parent)
        new = code.either(old, bits.get(number))
        bits.set(parent, new)
        differs = code.wide(code.compare("ne", old, new))
        code.set(changed, code.either(code.get(changed), differs))

    look_up_batch(code, shape.words, filled, found, _missing)


def _missing(table: Table, _n: Operand, _entry: Operand, _mixed: Operand) -> None:
    """A complete search has every successor of every state."""
    table.code.jump(table.code.fault())


def losses(shape: Shape) -> str:
    """Return `@losses(low, high)`: write who is stuck for ever; return all of them."""
    code = Code("losses", "i64 %low, i64 %high", public=True)
    fates, stuck, later = (
        _Bits(code, slot, shape.fate_bits) for slot in (Slot.FATES, Slot.STUCK, Slot.LATER)
    )
    arena, lost = load(code, Slot.ARENA, "ptr"), code.slot()
    code.set(lost, 0)
    with code.count_up("%low", "%high") as number:
        fate = fates.get(number)
        still = code.flip(code.either(fate, code.right(fate, 2 * shape.threads)))
        still = code.both(still, shape.everybody)
        sound = code.compare("eq", code.right(fate, 3 * shape.threads), 0)
        found = code.slot()
        code.set(found, 0)
        any_ = code.compare("ne", still, 0)
        with code.when(code.op(f"and i1 {sound}, {any_}")):
            place = code.at(arena, code.mul(number, shape.words))
            resting = code.call("resting", f"ptr {place}, i64 {still}")
            code.set(found, code.both(still, code.flip(resting)))
        stuck.set(number, code.get(found))
        later.set(number, code.get(found))
        code.set(lost, code.either(code.get(lost), code.get(found)))
    code.ret(code.get(lost))
    return code.text()


def note_losses(writing: Writing, shape: Shape, stuck_notes: tuple[int, ...], unable_note: int) -> str:
    """Return `@note_losses(low, high, stuck)`: note who is stuck where, and who cannot finish.

    `stuck`: somebody is, so that the arrays of the stuck are there. The note of a stuck thread is its own first one
    plus its location, and plus the number of its locations if it is interrupted.
    """
    code = Code("note_losses", "i64 %low, i64 %high, i64 %stuck", public=True)
    fates, stuck, later = (
        _Bits(code, slot, shape.fate_bits) for slot in (Slot.FATES, Slot.STUCK, Slot.LATER)
    )
    arena = load(code, Slot.ARENA, "ptr")
    here, behind = code.slot(), code.slot()
    with code.count_up("%low", "%high") as number:
        code.set(here, 0)
        code.set(behind, 0)
        with code.when(code.compare("ne", "%stuck", 0)):
            code.set(here, stuck.get(number))
            code.set(behind, later.get(number))
        fate = fates.get(number)
        goals = code.either(code.right(fate, shape.threads), code.right(fate, 2 * shape.threads))
        unable = code.both(code.flip(code.either(goals, code.get(behind))), shape.everybody)
        sound = code.compare("eq", code.right(fate, 3 * shape.threads), 0)
        unable = code.select(sound, unable, 0)
        with code.when(code.compare("ne", code.either(code.get(here), unable), 0)):
            words = Words.at(code, code.at(arena, code.mul(number, shape.words)), shape.words)
            for t, first in enumerate(stuck_notes):
                with code.when(code.compare("ne", code.both(code.get(here), 1 << t), 0)):
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


# --- shortest traces -----------------------------------------------------------------------------


def costs(shape: Shape) -> str:
    """Return `@costs`: for the states from low on what a way into the next level costs, by who moves first.

    A cost is stored plus one, as 16 bits; 0 is none. After the threads' stands the cost if nobody needs to move.
    """
    code = Code("costs", "i64 %low, i64 %high, i64 %from, i64 %to", public=True)
    out, aux, arena = (load(code, each, "ptr") for each in (Slot.OUT, Slot.AUX, Slot.ARENA))
    batch, head, filled = load(code, Slot.BATCH), code.slot(), code.slot()
    code.set(head, "%low")
    with code.loop() as (again, leave):
        code.set(filled, 0)
        with code.loop() as (_, full_batch):
            on = code.label()
            room_left = code.compare("ult", code.get(filled), batch)
            number = code.get(head)
            more = code.op(f"and i1 {room_left}, {code.compare('ult', number, '%high')}")
            code.branch(more, on, full_batch)
            code.start(on)
            place = code.at(arena, code.mul(number, shape.words))
            done = _expand(code, place, number, (out, aux), code.get(filled))
            code.set(filled, code.both(done, _COUNT))
            code.set(head, code.add(number, 1))
        look_up_batch(
            code,
            shape.words,
            code.get(filled),
            lambda _table, n, found: _cheaper(code, shape, code.get(code.at(aux, n)), found),
            _nothing,
        )
        code.branch(code.compare("ult", code.get(head), "%high"), again, leave)
    code.ret(0)
    return code.text()


def _nothing(_table: Table, _n: Operand, _entry: Operand, _mixed: Operand) -> None:
    """A search that was stopped has not every successor."""


def _cheaper(code: Code, shape: Shape, aux: Operand, following: Operand) -> None:
    """Write: lower the cost of the state before, if the step leads on."""
    near = code.op(
        f"and i1 {code.compare('uge', following, '%from')}, {code.compare('ult', following, '%to')}"
    )
    width = shape.threads + 1
    with code.when(near):
        base = load(code, Slot.COSTS, "ptr")
        mover = code.both(aux, NOBODY)
        there = code.at(base, code.mul(following, width), "i16")
        best: Operand = "65535"
        for t in range(width):
            cost = code.op(f"zext i16 {code.get(code.at(there, t, 'i16'), 'i16')} to i64")
            switch = "0"
            if t < shape.threads:
                switch = code.wide(code.compare("ne", mover, t))
            total = code.select(code.compare("eq", cost, 0), 65535, code.add(cost, switch))
            best = code.select(code.compare("ult", total, best), total, best)
        with code.when(code.compare("ne", best, 65535)):
            parent = code.sub(code.right(aux, MOVER_BITS), 1)
            place = code.at(base, code.add(code.mul(parent, width), mover), "i16")
            old = code.op(f"zext i16 {code.get(place, 'i16')} to i64")
            dearer = code.compare("ugt", old, best)
            unknown = code.compare("eq", old, 0)
            with code.when(code.op(f"or i1 {dearer}, {unknown}")):
                code.set(place, code.op(f"trunc i64 {best} to i16"), "i16")
