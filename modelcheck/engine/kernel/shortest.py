"""The compiled sweep for shortest traces (the meaning: engine/shortest.py; SEMANTICS H10).

`@costs(low, high, from, to)` does one level: for the states from low to high what a way into the next level, which
lies from `from` to `to`, costs.
"""

from __future__ import annotations

from modelcheck.engine.kernel.context import Slot, load
from modelcheck.engine.kernel.search import COUNT_OF_DONE, Shape, expand
from modelcheck.engine.kernel.visited import Table, look_up_batch
from modelcheck.semantics.native_code import Code, Operand
from modelcheck.semantics.native_registry import MOVER_BITS, NOBODY


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
            done = expand(code, place, number, (out, aux), code.get(filled))
            code.set(filled, code.both(done, COUNT_OF_DONE))
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
