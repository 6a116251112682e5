"""The search loop (SEMANTICS H17).

`@search()` expands states in the order of the arena, batch by batch, until the level is done or Python must act.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.engine.kernel.context import Slot, Status, load, store
from modelcheck.engine.kernel.sets import SetKind
from modelcheck.semantics.native_code import Code, Operand
from modelcheck.semantics.native_registry import MOVER_BITS
from modelcheck.semantics.native_steps import MOVED


@dataclass(frozen=True)
class Shape:
    """What the kernel is specialised for.

    `knots`, `time_outs`, `places`: circular waits, those that only a time-out breaks, and where threads have to wait
    are looked for. `sees`: something is looked for at each new state. `batch_states`: the most states that are
    expanded before their successors are looked up.
    """

    words: int
    threads: int
    sets: tuple[SetKind, ...]
    knots: bool
    time_outs: bool
    places: bool
    sees: bool
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


COUNT_OF_DONE = (1 << MOVED) - 1
"""The bits of what `@expand` returns that say how many successors are in the buffers."""


def search(shape: Shape) -> str:
    """Return `@search`."""
    code = Code("search", public=True)
    stop, end = load(code, Slot.STOP), load(code, Slot.END)
    head = code.slot()
    code.set(head, load(code, Slot.HEAD))
    with code.loop():
        _return_if(code, head, ("uge", code.get(head), end), Status.LEVEL)
        _return_if(code, head, ("uge", code.get(head), stop), Status.STOP)
        # Also @absorb sets GROW_AT.
        _return_if(code, head, ("ugt", load(code, Slot.COUNT), load(code, Slot.GROW_AT)), Status.GROW)
        _return_if(code, head, ("ne", wants_room(code, shape), 0), Status.ROOM)
        filled = expand_slice(code, shape, head, end)
        stopped = code.call("absorb", f"i64 {filled}")
        _return_if(code, head, ("ne", stopped, 0), Status.LIMIT)
    code.ret(0)
    return code.text()


def _return_if(
    code: Code, head: Operand, condition: tuple[str, Operand, Operand | int], status: Status
) -> None:
    with code.when(code.compare(*condition)):
        store(code, Slot.HEAD, code.get(head))
        code.ret(status)


def expand(
    code: Code, place: Operand, number: Operand, buffers: tuple[Operand, Operand], filled: Operand
) -> Operand:
    """Write the call of `@expand` for a state: its successors go behind the first `filled` of the buffers."""
    base = code.left(code.add(number, 1), MOVER_BITS)
    out, aux = buffers
    return code.call("expand", f"ptr {place}, i64 {base}, ptr {out}, ptr {aux}, i64 {filled}")


def expand_slice(code: Code, shape: Shape, head: Operand, end: Operand) -> Operand:
    """Write: expand states from `head` on, until the buffers are full or it is `end`; return how many successors."""
    out, aux, arena = (load(code, slot, "ptr") for slot in (Slot.OUT, Slot.AUX, Slot.ARENA))
    batch, filled = load(code, Slot.BATCH), code.slot()
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
        done = expand(code, place, number, (out, aux), code.get(filled))
        code.set(filled, code.both(done, COUNT_OF_DONE))
        code.set(head, code.add(number, 1))
        moved = shape.moved(code, done)
        if shape.knots:
            code.call("waits", f"ptr {place}, i64 {number}, i64 {moved}")
        if shape.time_outs:
            code.call("time_outs", f"ptr {place}, i64 {number}, i64 {moved}")
        if shape.places:
            code.do(f"call void @places(ptr {place}, i64 {moved})")
    return code.get(filled)


def wants_room(code: Code, shape: Shape) -> Operand:
    """Write whether the log or a set is too full for one more batch."""
    wants = code.wide(code.compare("ugt", load(code, Slot.LOG_USED), load(code, Slot.LOG_ROOM)))
    for kind in shape.sets:
        used, room = load(code, kind.slot + 3), load(code, kind.slot + 4)
        wants = code.either(wants, code.wide(code.compare("ugt", used, room)))
    return wants
