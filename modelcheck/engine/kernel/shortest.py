"""The compiled sweeps for shortest traces (the meaning: engine/shortest.py; SEMANTICS H10).

The *cone* of a finding: the states on the shortest ways to it. It is a small part of the levels before it. So there are
two sweeps, the dear one for up to `FINDINGS_OF_A_SWEEP` findings at once:

`@cones(low, high, from, to)` does one level: each state from low to high gets the bits, one for a finding, of its
successors from `from` to `to`, which is the next level.
`@members(bit, low, high, fill)` counts the states with a bit, and writes their numbers down.
`@costs(low, high, from, to, bit)` does one level of one cone, by places among its members: what a way into the next
level costs.

`@cones` and `@costs` write at the states from low to high only, and read at the next level: any ranges of one level may
run at the same time, as long as each worker has buffers of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from modelcheck.engine.kernel.context import Slot, load, store
from modelcheck.engine.kernel.search import COUNT_OF_DONE, Shape, expand
from modelcheck.engine.kernel.visited import Table, look_up_batch
from modelcheck.semantics.native_code import Code, Operand
from modelcheck.semantics.native_registry import MOVER_BITS, NOBODY

FINDINGS_OF_A_SWEEP = 32

NAMES = {"cones": 4, "members": 4, "costs": 5}
"""The public functions with the number of their parameters."""


def trace_functions(shape: Shape) -> list[str]:
    """Return all functions of this file."""
    return [_cones(shape), _members(), _costs(shape)]


def _batches(
    code: Code,
    shape: Shape,
    number_at: Callable[[Operand], Operand],
    found: Callable[[Table, Operand, Operand], None],
) -> None:
    """Write: expand the states at the places from %low to %high, and look their successors up.

    Beside a successor stands the place of the state before it.
    """
    out, aux, arena = (load(code, each, "ptr") for each in (Slot.OUT, Slot.AUX, Slot.ARENA))
    batch, head, filled = load(code, Slot.BATCH), code.slot(), code.slot()
    code.set(head, "%low")
    with code.loop() as (again, leave):
        code.set(filled, 0)
        with code.loop() as (_, full_batch):
            on = code.label()
            room_left = code.compare("ult", code.get(filled), batch)
            here = code.get(head)
            more = code.op(f"and i1 {room_left}, {code.compare('ult', here, '%high')}")
            code.branch(more, on, full_batch)
            code.start(on)
            place = code.at(arena, code.mul(number_at(here), shape.words))
            done = expand(code, place, here, (out, aux), code.get(filled))
            code.set(filled, code.both(done, COUNT_OF_DONE))
            code.set(head, code.add(here, 1))
        look_up_batch(code, shape.words, code.get(filled), found, _nothing)
        code.branch(code.compare("ult", code.get(head), "%high"), again, leave)
    code.ret(0)


def _nothing(*_: object) -> None:
    """A search that was stopped has not every successor."""


def _inside(code: Code, number: Operand) -> Operand:
    """Write whether a number lies from %from to %to."""
    return code.op(f"and i1 {code.compare('uge', number, '%from')}, {code.compare('ult', number, '%to')}")


def _cone_of(code: Code, number: Operand) -> Operand:
    """Write the address of a state's bits."""
    return code.at(load(code, Slot.CONES, "ptr"), number, "i32")


def _cones(shape: Shape) -> str:
    code = Code("cones", "i64 %low, i64 %high, i64 %from, i64 %to", public=True)
    aux = load(code, Slot.AUX, "ptr")

    def found(_table: Table, n: Operand, following: Operand) -> None:
        with code.when(_inside(code, following)):
            bits = code.get(_cone_of(code, following), "i32")
            with code.when(code.op(f"icmp ne i32 {bits}, 0")):
                parent = code.sub(code.right(code.get(code.at(aux, n)), MOVER_BITS), 1)
                place = _cone_of(code, parent)
                code.set(place, code.op(f"or i32 {code.get(place, 'i32')}, {bits}"), "i32")

    _batches(code, shape, lambda place: place, found)
    return code.text()


def _members() -> str:
    code = Code("members", "i64 %bit, i64 %low, i64 %high, i64 %fill", public=True)
    count = code.slot()
    code.set(count, load(code, Slot.MEMBERS_USED))
    fill = code.compare("ne", "%fill", 0)
    with code.count_up("%low", "%high") as number:
        bits = code.op(f"zext i32 {code.get(_cone_of(code, number), 'i32')} to i64")
        with code.when(code.compare("ne", code.both(bits, "%bit"), 0)):
            here = code.get(count)
            with code.when(fill):
                place = code.at(load(code, Slot.MEMBERS, "ptr"), here, "i32")
                code.set(place, code.op(f"trunc i64 {number} to i32"), "i32")
            code.set(count, code.add(here, 1))
    store(code, Slot.MEMBERS_USED, code.get(count))
    code.ret(code.get(count))
    return code.text()


def _member(code: Code, place: Operand) -> Operand:
    """Write the number of the member at a place."""
    found = code.get(code.at(load(code, Slot.MEMBERS, "ptr"), place, "i32"), "i32")
    return code.op(f"zext i32 {found} to i64")


def _place_of(code: Code, number: Operand) -> Operand:
    """Write the place of a member that lies from %from to %to: the last one that is not behind it."""
    low, high = code.slot(), code.slot()
    code.set(low, "%from")
    code.set(high, "%to")
    with code.loop() as (_, leave):
        on = code.label()
        code.branch(code.compare("ult", code.add(code.get(low), 1), code.get(high)), on, leave)
        code.start(on)
        middle = code.right(code.add(code.get(low), code.get(high)), 1)
        behind = code.compare("ugt", _member(code, middle), number)
        code.set(high, code.select(behind, middle, code.get(high)))
        code.set(low, code.select(behind, code.get(low), middle))
    return code.get(low)


def _costs(shape: Shape) -> str:
    """Return `@costs`: for the members from low to high what a way into the next level costs, by who moves first.

    A cost is stored plus one, as 16 bits; 0 is none. After the threads' stands the cost if nobody needs to move.
    """
    code = Code("costs", "i64 %low, i64 %high, i64 %from, i64 %to, i64 %bit", public=True)
    aux = load(code, Slot.AUX, "ptr")

    def found(_table: Table, n: Operand, following: Operand) -> None:
        bits = code.op(f"zext i32 {code.get(_cone_of(code, following), 'i32')} to i64")
        with code.when(code.compare("ne", code.both(bits, "%bit"), 0)):
            # The search for a member of another level finds a member that is another one.
            place = _place_of(code, following)
            with code.when(code.compare("eq", _member(code, place), following)):
                _cheaper(code, shape, code.get(code.at(aux, n)), place)

    _batches(code, shape, lambda place: _member(code, place), found)
    return code.text()


def _cheaper(code: Code, shape: Shape, aux: Operand, following: Operand) -> None:
    """Write: lower the cost of the member before; the one that follows stands at the place `following`."""
    width = shape.threads + 1
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
