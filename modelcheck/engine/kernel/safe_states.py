"""Which states are safe, shown without looking at all edges (SEMANTICS A4).

A state is *safe* if every thread that has not ended takes a step in some continuation, and every thread but a daemon
reaches a goal in one. In a safe state nobody is lost, and a state with a safe successor is safe. So the states that are
not safe have successors of that kind only, and whatever is asked about losses is answered among them (endings.py): the
others need no bits. In most models all states are safe, and one successor of each nearly shows it.

`@leads(low, high, mask, salt)` writes beside each state that is not known to be safe the number of one successor,
picked at random; those whose own number has no bit of the mask are safe if a random walk from there shows it.
`@settle(low, high)` makes a state safe if that to which it leads is, and lets it lead further otherwise. It returns
how many became safe. What it leaves may be safe all the same: ways may run in a circle, or miss what others could show.
`@unsettled(low, high)` counts the states that are not known to be safe, and clears what stands beside them.

Each of these writes beside the states from low to high and nowhere else, and what it reads beside another state is true
whether that has been written or not: any ranges may run at the same time, as long as each worker has buffers of its
own, and each function has come to its end everywhere before the next one begins.
"""

from __future__ import annotations

from collections.abc import Callable

from modelcheck.engine.kernel.context import Slot, load
from modelcheck.engine.kernel.search import COUNT_OF_DONE, Shape, expand
from modelcheck.engine.kernel.visited import Table, look_up_batch
from modelcheck.semantics.native_code import Code, Operand
from modelcheck.semantics.native_expressions import among
from modelcheck.semantics.native_registry import MOVER_BITS
from modelcheck.semantics.native_steps import ERRS, Writing
from modelcheck.semantics.native_words import Words

_LONGEST_WALK = 64
_RANDOM = (6364136223846793005, 1442695040888963407)
"""Knuth's multiplier and an odd increment: a linear congruential generator of 64 bits."""


def safety_functions(writing: Writing, shape: Shape) -> list[str]:
    """Return all functions of this file."""
    own = own_gains(writing, shape)
    return [_step_of(shape), own, _walk(shape), _leads(shape), _settle(shape), _unsettled(shape)]


# --- what stands beside a state ------------------------------------------------------------------


def bits_of_fate(shape: Shape) -> int:
    """Return the bits of what stands beside a state: first a number of a state, then what can still happen."""
    return max(32, shape.fate_bits)


class Fates:
    """Writes access to what stands beside each state; other workers may write there at the same time."""

    def __init__(self, code: Code, shape: Shape) -> None:
        self._code = code
        self._bits = bits_of_fate(shape)
        self._kind = f"i{self._bits}"
        self._base = load(code, Slot.FATES, "ptr")

    def get(self, number: Operand) -> Operand:
        """Read a state's."""
        place = self._code.at(self._base, number, self._kind)
        found = self._code.op(f"load atomic {self._kind}, ptr {place} unordered, align {self._bits // 8}")
        return found if self._bits == 64 else self._code.op(f"zext {self._kind} {found} to i64")

    def set(self, number: Operand, value: Operand | int) -> None:
        """Write a state's."""
        kept = str(value) if self._bits == 64 else self._code.op(f"trunc i64 {value} to {self._kind}")
        place = self._code.at(self._base, number, self._kind)
        self._code.do(f"store atomic {self._kind} {kept}, ptr {place} unordered, align {self._bits // 8}")

    def make_safe(self, number: Operand) -> None:
        """Write that a state is safe."""
        self.set(number, -1)

    def safe(self, value: Operand) -> Operand:
        """Write whether that is what stands beside a safe state."""
        return self._code.compare("eq", value, (1 << self._bits) - 1)


def own_gains(writing: Writing, shape: Shape) -> str:
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


def all_gained(shape: Shape) -> int:
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
    copy_state(code, shape, "%s", here)
    with code.count_up(0, _LONGEST_WALK):
        done = expand(code, here, "0", (out, aux), "%n")
        gains = code.call("own_gains", f"ptr {here}, i64 {done}")
        code.set(gained, code.either(code.get(gained), gains))
        known = code.both(code.get(gained), all_gained(shape))
        with code.when(code.compare("eq", known, all_gained(shape))):
            code.ret(1)
        count = code.sub(code.both(done, COUNT_OF_DONE), "%n")
        with code.when(code.compare("eq", count, 0)):
            code.ret(0)
        chosen = code.add(_below(code, _next_random(code, random), count), "%n")
        copy_state(code, shape, code.at(out, code.mul(chosen, shape.words)), here)
    code.ret(0)
    return code.text()


def copy_state(code: Code, shape: Shape, start: Operand, to: Operand) -> None:
    """Write the copying of a state."""
    for n in range(shape.words):
        code.set(code.at(to, n), code.get(code.at(start, n)))


def _leads(shape: Shape) -> str:
    code = Code("leads", "i64 %low, i64 %high, i64 %mask, i64 %salt", public=True)
    arena, batch = load(code, Slot.ARENA, "ptr"), load(code, Slot.BATCH)
    fates, head, filled, random = Fates(code, shape), code.slot(), code.slot(), code.slot()
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
        look_up_batch(code, shape.words, code.get(filled), _lead(code, fates), missing)
        code.branch(code.compare("ult", code.get(head), "%high"), again, leave)
    code.ret(0)
    return code.text()


def _lead(code: Code, fates: Fates) -> Callable[[Table, Operand, Operand], None]:
    aux = load(code, Slot.AUX, "ptr")

    def found(_table: Table, n: Operand, number: Operand) -> None:
        fates.set(parent(code, aux, n), code.add(number, 1))

    return found


def parent(code: Code, aux: Operand, n: Operand) -> Operand:
    """Write the number of the state that a successor in the buffer comes from."""
    return code.sub(code.right(code.get(code.at(aux, n)), MOVER_BITS), 1)


def missing(table: Table, *_: Operand) -> None:
    """A complete search has every successor of every state."""
    table.code.jump(table.code.fault())


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
            copy_state(code, shape, start, to)
            code.set(filled, code.add(before, 1))
            code.jump(leave)
        following = code.add(code.get(thread), 1)
        code.set(thread, code.select(code.compare("eq", following, shape.threads), 0, following))
        code.set(tries, code.sub(code.get(tries), 1))
        with code.when(code.compare("eq", code.get(tries), 0)):
            _safe_if_all_ended(code, shape, place, number)
            code.jump(leave)


def _safe_if_all_ended(code: Code, shape: Shape, place: Operand, number: Operand) -> None:
    gains = code.both(code.call("own_gains", f"ptr {place}, i64 0"), all_gained(shape))
    with code.when(code.compare("eq", gains, all_gained(shape))):
        Fates(code, shape).make_safe(number)


def _settle(shape: Shape) -> str:
    code = Code("settle", "i64 %low, i64 %high", public=True)
    fates, head, found = Fates(code, shape), code.slot(), code.slot()
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
    fates, left = Fates(code, shape), code.slot()
    code.set(left, 0)
    with code.count_up("%low", "%high") as number:
        known = code.op(f"xor i1 {fates.safe(fates.get(number))}, true")
        with code.when(known):
            fates.set(number, 0)
            code.set(left, code.add(code.get(left), 1))
    code.ret(code.get(left))
    return code.text()
