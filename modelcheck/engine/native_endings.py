"""Who is stuck for ever and who cannot finish, by compiled sweeps over the arena (the meaning: engine/endings.py)."""

from __future__ import annotations

from array import array

from modelcheck.engine.kernel.context import Slot
from modelcheck.engine.kernel.store import LOGGED
from modelcheck.engine.native_answers import Reading
from modelcheck.engine.watch import Watch

_CHUNK = 1 << 18


def look_back(reading: Reading, watch: Watch) -> None:
    """Compute what can still happen from each state, and note who is lost. The search must be complete."""
    text, store, program = reading.program.text, reading.store, reading.program
    if not text.endings or not len(store):
        return
    caught = array("Q", [0, *reading.caught()])
    store.array(Slot.CAUGHT, 8 * len(caught)).write(0, caught.tobytes())
    size = text.shape.fate_bits // 8
    watch.need(3 * size * len(store))
    store.array(Slot.FATES, size * len(store))
    _sweep(reading, watch, "sweep", first=True)
    while _sweep(reading, watch, "sweep"):
        pass
    store.array(Slot.STUCK, size * len(store))
    store.array(Slot.LATER, size * len(store))
    stuck = 0
    for low, high in _chunks(len(store), _CHUNK):
        stuck |= program.run("losses", low, high)
    if stuck:
        while _sweep(reading, watch, "sweep_stuck"):
            pass
    program.g[Slot.NOTING] = 1
    for depth in range(store.depth + 1):
        program.g[Slot.DEPTH] = depth
        level = store.level(depth)
        for low, high in _chunks(len(level), LOGGED // (2 * text.shape.threads)):
            program.run("note_losses", level.start + low, level.start + high, int(bool(stuck)))
            store.drain()
    program.g[Slot.NOTING] = 0
    reading.take_notes()


def _sweep(reading: Reading, watch: Watch, name: str, *, first: bool = False) -> bool:
    """Go once over all states, the last one first; tell whether anything changed."""
    store, changed = reading.store, 0
    for low, high in reversed(list(_chunks(len(store), _CHUNK))):
        changed |= reading.program.run(name, low, high, int(first), int(first))
        watch.look_closely(len(store), store.transitions, store.depth, 0)
    return bool(changed)


def _chunks(count: int, size: int) -> list[tuple[int, int]]:
    return [(low, min(low + size, count)) for low in range(0, count, size)]
