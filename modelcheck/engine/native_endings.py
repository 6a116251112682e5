"""Who is stuck for ever and who cannot finish, by compiled sweeps over the arena (the meaning: engine/endings.py)."""

from __future__ import annotations

from array import array

from modelcheck.engine.kernel.context import Slot
from modelcheck.engine.kernel.safe_states import bits_of_fate
from modelcheck.engine.kernel.worker import LOGGED
from modelcheck.engine.native_answers import Reading
from modelcheck.engine.watch import Watch

_CHUNK = 1 << 20

_WALKS = 1 << 12
"""From so many states at least a random walk begins."""

_FEW = 32
"""From one state of so many, in large models."""

_MOST_ROUNDS = 4


def look_back(reading: Reading, watch: Watch) -> None:
    """Compute what can still happen from each state, and note who is lost. The search must be complete."""
    text, store = reading.program.text, reading.store
    if not text.endings or not len(store):
        return
    store.beside(Slot.FATES, bits_of_fate(text.shape) // 8)
    if _unsafe(reading, watch):
        _find_losses(reading, watch)
        _note_losses(reading)
    store.release(Slot.FATES)


def _unsafe(reading: Reading, watch: Watch) -> int:
    """Look for ways to show that states are safe (engine/kernel/safe_states.py); return how many are left."""
    left = len(reading.store)
    quick = min(_FEW, 1 << max(left // _WALKS, 1).bit_length() - 1)
    walks = reading.store.sizes.walks or quick
    for salt in range(_MOST_ROUNDS):
        before = left
        _sweep(reading, watch, "leads", walks - 1, salt << 32)
        left -= _settled(reading, watch, left)
        left = sum(_sweep(reading, watch, "unsettled"))
        if 2 * left > before or not left:
            break
    return left


def _settled(reading: Reading, watch: Watch, left: int) -> int:
    """Follow the ways while that settles a good part of the states that are left; return how many it has settled."""
    found = last = sum(_sweep(reading, watch, "settle"))
    while True:
        now = sum(_sweep(reading, watch, "settle"))
        found += now
        if now <= last and 8 * now <= left - found:
            return found
        last = now


def _find_losses(reading: Reading, watch: Watch) -> None:
    """Write beside each state that is left who is lost there."""
    caught = array("Q", [0, *reading.caught()])
    reading.store.array(Slot.CAUGHT, 8 * len(caught)).write(0, caught.tobytes())
    _sweep(reading, watch, "sweep", 1, 1)
    while any(_sweep(reading, watch, "sweep", 0, 0)):
        pass
    if any(_sweep(reading, watch, "losses")):
        while any(_sweep(reading, watch, "sweep_stuck", 0, 0)):
            pass


def _note_losses(reading: Reading) -> None:
    store, program = reading.store, reading.program
    program.g[Slot.NOTING] = 1
    for depth in range(store.depth + 1):
        program.g[Slot.DEPTH] = depth
        level = store.level(depth)
        for low, high in _chunks(len(level), LOGGED // (2 * program.text.shape.threads)):
            store.crew.spread("note_losses", level.start + low, level.start + high)
            for worker in store.crew.workers:
                worker.drain()
    program.g[Slot.NOTING] = 0
    reading.take_notes()


def _sweep(reading: Reading, watch: Watch, name: str, *arguments: int) -> list[int]:
    """Go once over all states, the last ones first; return what each part of the sweep returned."""
    store, found = reading.store, []
    for low, high in reversed(_chunks(len(store), _CHUNK)):
        found += store.crew.spread(name, low, high, *arguments)
        watch.look_closely(len(store), store.transitions, store.depth, 0)
    return found


def _chunks(count: int, size: int) -> list[tuple[int, int]]:
    return [(low, min(low + size, count)) for low in range(0, count, size)]
