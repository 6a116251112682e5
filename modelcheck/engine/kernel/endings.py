"""Compiled sweeps for what can still happen from each state (the meaning: engine/endings.py; SEMANTICS A4).

A state is *safe* if every thread that has not ended takes a step in some continuation, and every thread but a daemon
reaches a goal in one. In a safe state nobody is lost, and a state with a safe successor is safe. So the states that are
not safe have successors of that kind only, and whatever is asked about losses is answered among them: the others need
no bits. In most models all states are safe, and this is shown without looking at all edges:

`@leads(low, high, mask, salt)` writes beside each state that is not known to be safe the number of one successor, picked
at random; those whose number has no bit of the mask are safe if a random walk from there shows it.
`@settle(low, high)` makes a state safe if that to which it leads is, and lets it lead further otherwise. It returns how
many became safe. The way from a state need not show what it could: it may run in a circle.
`@unsettled(low, high)` counts the states that are not known to be safe, and clears what stands beside them.
`@sweep(low, high, first, one)` goes back over these, and ors into the bits of each those of its successors, until nothing
changes: that is exact, whatever the ways have shown.
`@losses(low, high)` writes who is lost in place of the bits; `@sweep_stuck` then finds who may get stuck later, and
`@note_losses(low, high)` notes it all.

Each of these writes beside the states from low to high and nowhere else, and what stands there only grows: any ranges
may run at the same time, as long as each worker has buffers of its own, and each function has come to its end
everywhere before the next one begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelcheck.engine.kernel.context import Slot, load
from modelcheck.engine.kernel.search import COUNT_OF_DONE, Shape, expand
from modelcheck.engine.kernel.visited import Table, look_up_batch
from modelcheck.language.model import Thread
from modelcheck.semantics.native_code import Code, Operand
from modelcheck.semantics.native_expressions import among
from modelcheck.semantics.native_registry import MOVER_BITS
from modelcheck.semantics.native_steps import ERRS, Writing
from modelcheck.semantics.native_words import Words

_LONGEST_WALK = 64
_RANDOM = (6364136223846793005, 1442695040888963407)
"""Knuth's multiplier and an odd increment: a linear congruential generator of 64 bits."""


def bits_of_fate(shape: Shape) -> int:
    """Return the bits of what stands beside a state: first a number of a state, then what can still happen."""
    return max(32, shape.fate_bits)


class _Fates:
    """Writes access to what stands beside each state."""

    def __init__(self, code: Code, shape: Shape) -> None:
        self._code = code
        self._bits = bits_of_fate(shape)
        self._kind = f"i{self._bits}"
        self._base = load(code, Slot.FATES, "ptr")

    def get(self, number: Operand) -> Operand:
        """Read a state's."""
        found = self._code.get(self._code.at(self._base, number, self._kind), self._kind)
        return found if self._bits == 64 else self._code.op(f"zext {self._kind} {found} to i64")

    def set(self, number: Operand, value: Operand | int) -> None:
        """Write a state's."""
        kept = str(value) if self._bits == 64 else self._code.op(f"trunc i64 {value} to {self._kind}")
        self._code.set(self._code.at(self._base, number, self._kind), kept, self._kind)

    def make_safe(self, number: Operand) -> None:
        """Write that a state is safe."""
        self.set(number, -1)

    def safe(self, value: Operand) -> Operand:
        """Write whether that is what stands beside a safe state."""
        return self._code.compare("eq", value, (1 << self._bits) - 1)


def ending_functions(
    writing: Writing, shape: Shape, stuck_notes: tuple[int, ...], unable_note: int
) -> list[str]:
    """Return all functions of this file."""
    return [
        _step_of(shape),
        _own_gains(writing, shape),
        _own_fate(shape),
        _walk(shape),
        _leads(shape),
        _settle(shape),
        _unsettled(shape),
        _sweep(shape, _SweptFates("sweep", shape)),
        _sweep(shape, _SweptStuck("sweep_stuck", shape)),
        _losses(shape),
        _note_losses(writing, shape, stuck_notes, unable_note),
    ]


# --- what happens in the state itself ------------------------------------------------------------


def _own_gains(writing: Writing, shape: Shape) -> str:
    """Return `@own_gains(state, done)`: who steps, who is at a goal, whether there is an error step; nobody caught."""
    code = Code("own_gains", "ptr %s, i64 %done")
    words = Words.at(code, "%s", shape.words)
    steps: Operand = shape.moved(code, "%done")
    goals: Operand = str(sum(1 << t.number for t in writing.threads if t.daemon))
    for thread in writing.threads:
        place = writing.location(words, thread.number)
        ended = code.wide(code.compare("eq", place, thread.end))
        steps = code.either(steps, code.left(ended, thread.number))
        if not thread.daemon:
            there = code.wide(among(code, place, thread.goals))
            goals = code.either(goals, code.left(there, thread.number))
    errs = code.both(code.right("%done", ERRS), 1)
    gains = code.either(steps, code.left(goals, shape.threads))
    code.ret(code.either(gains, code.left(errs, 3 * shape.threads)))
    return code.text()


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


def _all_gained(shape: Shape) -> int:
    """Return the bits that make a state safe."""
    return (1 << 2 * shape.threads) - 1


# --- ways on -------------------------------------------------------------------------------------


def _step_of(shape: Shape) -> str:
    """Return `@step_of(thread, state, ...)`: the successors by that thread (semantics/native_steps.py)."""
    code = Code("step_of", "i64 %thread, ptr %s, i64 %base, ptr %out, ptr %aux, i64 %n")
    labels = {thread: code.label() for thread in range(shape.threads)}
    code.switch("%thread", labels, labels[0])
    for thread, label in labels.items():
        code.start(label)
        code.ret(code.call(f"step_{thread}", "ptr %s, i64 %base, ptr %out, ptr %aux, i64 %n"))
    return code.text()


def _next_random(code: Code, random: Operand) -> Operand:
    """Write the generator's next step on a variable; return 32 bits."""
    code.set(random, code.add(code.mul(code.get(random), _RANDOM[0]), _RANDOM[1]))
    return code.right(code.get(random), 32)


def _below(code: Code, random: Operand, count: Operand | int) -> Operand:
    """Write a number below `count`, by 32 random bits."""
    return code.right(code.mul(random, count), 32)


def _walk(shape: Shape) -> str:
    """Return `@walk(state, random, n)`: whether a random walk from a state shows that it is safe.

    All that happens on the walk can happen from its first state. It uses the buffers behind the first n.
    """
    code = Code("walk", "ptr %s, i64 %random, i64 %n")
    out, aux = load(code, Slot.OUT, "ptr"), load(code, Slot.AUX, "ptr")
    here, gained, random = code.slot(f"[{shape.words} x i64]"), code.slot(), code.slot()
    code.set(gained, 0)
    code.set(random, "%random")
    _copy(code, shape, "%s", here)
    with code.count_up(0, _LONGEST_WALK):
        done = expand(code, here, "0", (out, aux), "%n")
        gains = code.call("own_gains", f"ptr {here}, i64 {done}")
        code.set(gained, code.either(code.get(gained), gains))
        known = code.both(code.get(gained), _all_gained(shape))
        with code.when(code.compare("eq", known, _all_gained(shape))):
            code.ret(1)
        count = code.sub(code.both(done, COUNT_OF_DONE), "%n")
        with code.when(code.compare("eq", count, 0)):
            code.ret(0)
        chosen = code.add(_below(code, _next_random(code, random), count), "%n")
        _copy(code, shape, code.at(out, code.mul(chosen, shape.words)), here)
    code.ret(0)
    return code.text()


def _copy(code: Code, shape: Shape, start: Operand, to: Operand) -> None:
    for n in range(shape.words):
        code.set(code.at(to, n), code.get(code.at(start, n)))


def _leads(shape: Shape) -> str:
    code = Code("leads", "i64 %low, i64 %high, i64 %mask, i64 %salt", public=True)
    arena, batch = load(code, Slot.ARENA, "ptr"), load(code, Slot.BATCH)
    fates, head, filled, random = _Fates(code, shape), code.slot(), code.slot(), code.slot()
    code.set(head, "%low")
    with code.loop() as (again, leave):
        code.set(filled, 0)
        with code.loop() as (next_state, full_batch):
            on, unknown = code.label(), code.label()
            room_left = code.compare("ult", code.get(filled), batch)
            more = code.op(f"and i1 {room_left}, {code.compare('ult', code.get(head), '%high')}")
            code.branch(more, on, full_batch)
            code.start(on)
            number = code.get(head)
            code.set(head, code.add(number, 1))
            code.branch(fates.safe(fates.get(number)), next_state, unknown)
            code.start(unknown)
            fates.set(number, 0)
            code.set(random, code.add(number, "%salt"))
            place = code.at(arena, code.mul(number, shape.words))
            seed = _next_random(code, random)
            with code.when(code.compare("eq", code.both(number, "%mask"), 0)):
                shown = code.call("walk", f"ptr {place}, i64 {seed}, i64 {code.get(filled)}")
                with code.when(code.compare("ne", shown, 0)):
                    fates.make_safe(number)
                    code.jump(next_state)
            _one_successor(code, shape, (place, number, seed), filled)
        look_up_batch(code, shape.words, code.get(filled), _lead(code, fates), _missing)
        code.branch(code.compare("ult", code.get(head), "%high"), again, leave)
    code.ret(0)
    return code.text()


def _lead(code: Code, fates: _Fates) -> Callable[[Table, Operand, Operand], None]:
    aux = load(code, Slot.AUX, "ptr")

    def found(_table: Table, n: Operand, number: Operand) -> None:
        fates.set(_parent(code, aux, n), code.add(number, 1))

    return found


def _parent(code: Code, aux: Operand, n: Operand) -> Operand:
    """Write the number of the state that a successor in the buffer comes from."""
    return code.sub(code.right(code.get(code.at(aux, n)), MOVER_BITS), 1)


def _one_successor(
    code: Code, shape: Shape, state: tuple[Operand, Operand, Operand], filled: Operand
) -> None:
    """Write one successor of the state into the buffers: of the first thread that has one, from a random one on."""
    place, number, random = state
    out, aux = load(code, Slot.OUT, "ptr"), load(code, Slot.AUX, "ptr")
    before = code.get(filled)
    base = code.left(code.add(number, 1), MOVER_BITS)
    thread, tries = code.slot(), code.slot()
    code.set(thread, _below(code, random, shape.threads))
    code.set(tries, shape.threads)
    with code.loop() as (_, leave):
        arguments = f"ptr {place}, i64 {base}, ptr {out}, ptr {aux}, i64 {before}"
        done = code.call("step_of", f"i64 {code.get(thread)}, {arguments}")
        count = code.sub(code.both(done, COUNT_OF_DONE), before)
        with code.when(code.compare("ne", count, 0)):
            low = code.both(code.mul(random, _RANDOM[0] | 1), (1 << 32) - 1)
            chosen = code.add(before, _below(code, low, count))
            to, start = (code.at(out, code.mul(n, shape.words)) for n in (before, chosen))
            _copy(code, shape, start, to)
            code.set(filled, code.add(before, 1))
            code.jump(leave)
        following = code.add(code.get(thread), 1)
        code.set(thread, code.select(code.compare("eq", following, shape.threads), 0, following))
        code.set(tries, code.sub(code.get(tries), 1))
        with code.when(code.compare("eq", code.get(tries), 0)):
            _safe_if_all_ended(code, shape, place, number)
            code.jump(leave)


def _safe_if_all_ended(code: Code, shape: Shape, place: Operand, number: Operand) -> None:
    gains = code.both(code.call("own_gains", f"ptr {place}, i64 0"), _all_gained(shape))
    with code.when(code.compare("eq", gains, _all_gained(shape))):
        _Fates(code, shape).make_safe(number)


def _settle(shape: Shape) -> str:
    code = Code("settle", "i64 %low, i64 %high", public=True)
    fates, head, found = _Fates(code, shape), code.slot(), code.slot()
    code.set(head, "%high")
    code.set(found, 0)
    with code.loop() as (again, leave):
        on, leads, safe, further = (code.label() for _ in range(4))
        code.branch(code.compare("ugt", code.get(head), "%low"), on, leave)
        code.start(on)
        number = code.sub(code.get(head), 1)
        code.set(head, number)
        there = fates.get(number)
        nowhere = code.compare("eq", there, 0)
        code.branch(code.op(f"or i1 {nowhere}, {fates.safe(there)}"), again, leads)
        code.start(leads)
        behind = fates.get(code.sub(there, 1))
        code.branch(fates.safe(behind), safe, further)
        code.start(safe)
        fates.make_safe(number)
        code.set(found, code.add(code.get(found), 1))
        code.jump(again)
        code.start(further)
        fates.set(number, code.select(code.compare("eq", behind, 0), there, behind))
    code.ret(code.get(found))
    return code.text()


def _unsettled(shape: Shape) -> str:
    code = Code("unsettled", "i64 %low, i64 %high", public=True)
    fates, left = _Fates(code, shape), code.slot()
    code.set(left, 0)
    with code.count_up("%low", "%high") as number:
        known = code.op(f"xor i1 {fates.safe(fates.get(number))}, true")
        with code.when(known):
            fates.set(number, 0)
            code.set(left, code.add(code.get(left), 1))
    code.ret(code.get(left))
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
        return code.compare("eq", code.both(bits, _all_gained(self.shape)), _all_gained(self.shape))


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
    fates = _Fates(code, shape)
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
        _copy(code, shape, start, to)
        code.set(filled, code.add(before, 1))


def _join(
    code: Code, shape: Shape, swept: _SweptFates | _SweptStuck, filled: Operand, changed: Operand
) -> None:
    aux, fates = load(code, Slot.AUX, "ptr"), _Fates(code, shape)

    def found(_table: Table, n: Operand, number: Operand) -> None:
        parent = _parent(code, aux, n)
        old = fates.get(parent)
        new = code.either(old, swept.carried(code, fates.get(number)))
        fates.set(parent, new)
        differs = code.wide(code.compare("ne", old, new))
        code.set(changed, code.either(code.get(changed), differs))

    look_up_batch(code, shape.words, filled, found, _missing)


def _missing(table: Table, _n: Operand, _entry: Operand, _mixed: Operand) -> None:
    """A complete search has every successor of every state."""
    table.code.jump(table.code.fault())


# --- who is lost ---------------------------------------------------------------------------------


def _losses(shape: Shape) -> str:
    """Return `@losses(low, high)`: write who is stuck for ever, who cannot reach a goal, who may get stuck (as yet:
    the same as the first) in place of the bits of each state; return all that are stuck.
    """
    code = Code("losses", "i64 %low, i64 %high", public=True)
    threads, everybody = shape.threads, shape.everybody
    fates, arena, lost = _Fates(code, shape), load(code, Slot.ARENA, "ptr"), code.slot()
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
    fates, arena = _Fates(code, shape), load(code, Slot.ARENA, "ptr")
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
