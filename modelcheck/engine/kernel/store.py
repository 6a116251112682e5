"""The states of one native search, its buffers, and their growth; what compiled code asks Python for.

The arena is one piece of reserved address space: memory is used as states arrive. The table nearly doubles when four
fifths of it are full, so that what stands beside a state takes at most 12 bytes, and a state of one word 20 in all; it
is filled again from the arena, so that there never is a second copy of the states. Sweeps that need memory beside each
state make the table as small as it can be, if there is no other way to stay below that.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from modelcheck.engine.kernel.context import Slot, Status
from modelcheck.engine.kernel.memory import Buffer, reserved
from modelcheck.engine.kernel.program import ENTRIES_OF_A_BATCH, Program
from modelcheck.engine.kernel.sets import DENSE, INDEX, MASK, ROOM, USED, SetKind
from modelcheck.engine.kernel.visited import ENTRY, recent, stranger
from modelcheck.engine.watch import StoppedError, Watch
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.native_registry import NOBODY
from modelcheck.semantics.transition_system import State

MOST_STATES = (1 << 32) - 2
_LOAD = 0.8
_BESIDE = 12
"""Bytes beside a state, of the table and of all that the search needs afterwards."""
_LARGE = 1 << 20
LOGGED = 1 << 15
"""So many notes may be in the log when a batch begins."""

_NO_MEMORY = "limit of the memory of this machine"


@dataclass(frozen=True)
class Sizes:
    """How large things are at first.

    `batch`: so many successors are looked up together, at most the constant of that name; `growth` of the table;
    `guarded`: with canaries; `walks`: from one state of so many a random walk begins, 0 for as many as is quick.
    """

    table: int = 1 << 14
    batch: int = ENTRIES_OF_A_BATCH
    tuples: int = 1 << 12
    growth: float = 1.9
    guarded: bool = False
    walks: int = 0


class Store:
    """The states by number, their levels, and what the compiled code noted about them."""

    def __init__(
        self, program: Program, interpreter: Interpreter, watch: Watch, sizes: Sizes | None = None
    ) -> None:
        self._program = program
        self._interpreter = interpreter
        self._watch = watch
        self.sizes = sizes or Sizes()
        self._words = program.text.shape.words
        assert self.sizes.batch <= ENTRIES_OF_A_BATCH
        self._buffers: dict[int, Buffer] = {}
        self._edges: dict[int, tuple[tuple[int, int], ...]] = {}
        self.levels: list[int] = [0]
        self._most_beside = 0
        self.log: array[int] = array("q")
        self._lay_out()

    def _lay_out(self) -> None:
        text, g = self._program.text, self._program.g
        limits = self._watch.limits
        states = min(MOST_STATES, (limits.states or MOST_STATES) + text.buffer)
        memory = min(limits.memory or _memory_of_the_machine(), _memory_of_the_machine())
        self._most = min(states, max(memory // (8 * self._words), 2 * text.buffer))
        arena = reserved(
            8 * self._words * self._most, 16 * self._words * text.buffer, guarded=self.sizes.guarded
        )
        self._most = arena.size // (8 * self._words)
        self._keep(Slot.ARENA, arena)
        self._allocate(Slot.OUT, 8 * self._words * text.buffer)
        self._allocate(Slot.AUX, 8 * text.buffer)
        self._allocate(Slot.HASHES, 8 * max(text.buffer, ENTRIES_OF_A_BATCH))
        self._allocate(Slot.RECENT, 8 * self._words * recent(self._words)).write(0, stranger(self._words))
        self._allocate(Slot.LOG, 24 * (LOGGED + text.log_room + 64))
        g[Slot.LOG_ROOM] = LOGGED
        g[Slot.BATCH] = self.sizes.batch
        g[Slot.LIMIT] = limits.states or MOST_STATES
        self._set_table(max(self.sizes.table, 2 * text.buffer))
        for kind, room in zip(text.shape.sets, text.room, strict=True):
            self._set_tuples(kind, max(self.sizes.tuples, 2 * room), room)

    # --- memory ----------------------------------------------------------------------------------

    def _keep(self, slot: int, buffer: Buffer) -> None:
        self._buffers[slot] = buffer
        self._program.g[slot] = buffer.address

    def _allocate(self, slot: int, size: int) -> Buffer:
        buffer = Buffer(size, guarded=self.sizes.guarded)
        self._keep(slot, buffer)
        return buffer

    def array(self, slot: int, size: int) -> Buffer:
        """Return new zeroed memory at a slot, instead of what was there."""
        self.release(slot)
        return self._allocate(slot, size)

    def release(self, slot: int) -> None:
        """Give the memory at a slot back."""
        buffer = self._buffers.pop(slot, None)
        if buffer is not None:
            assert buffer.intact, f"compiled code wrote beside {Slot(slot).name}"
            buffer.close()

    def close(self) -> None:
        """Give all memory back."""
        for slot in tuple(self._buffers):
            self.release(slot)

    @property
    def bytes_of_states(self) -> int:
        """Memory for the states that are stored, for the table, and for what later sweeps had beside each state."""
        return len(self) * 8 * self._words + max(self._program.g[Slot.CAPACITY] * ENTRY, self._most_beside)

    def beside(self, slot: int, size: int) -> Buffer:
        """Return new zeroed memory of so many bytes for each state; StoppedError if it is too much."""
        capacity, tight = int(self._program.g[Slot.CAPACITY]), int(len(self) / _LOAD) + 8
        if capacity * ENTRY + size * len(self) > _BESIDE * len(self) and tight < capacity:
            self._replace_table(tight, capacity)
        self._watch.need(size * len(self))
        try:
            buffer = self.array(slot, size * len(self))
        except OSError:
            raise StoppedError(_NO_MEMORY) from None
        beside = self._program.g[Slot.CAPACITY] * ENTRY + size * len(self)
        self._most_beside = max(self._most_beside, int(beside))
        return buffer

    def _set_table(self, capacity: int) -> None:
        self._allocate(Slot.TABLE, capacity * ENTRY + 8)
        g = self._program.g
        g[Slot.CAPACITY] = capacity
        g[Slot.GROW_AT] = int(capacity * _LOAD) - self._program.text.buffer

    def _grow(self) -> None:
        """Make room for more states, or raise StoppedError."""
        g, count = self._program.g, len(self)
        if count + self._program.text.buffer > self._most:
            raise StoppedError(_NO_MEMORY)
        if count > g[Slot.GROW_AT]:
            capacity = int(g[Slot.CAPACITY])
            quick = capacity < _LARGE and self.sizes.growth == Sizes.growth
            larger = capacity * 4 if quick else int(capacity * self.sizes.growth) + 8
            self._watch.need((larger - capacity) * ENTRY)
            self._replace_table(larger, capacity)
        g[Slot.GROW_AT] = min(g[Slot.GROW_AT], self._most - self._program.text.buffer)

    def _replace_table(self, larger: int, capacity: int) -> None:
        self.release(Slot.TABLE)
        try:
            self._set_table(larger)
        except OSError:
            # The table is still needed, to tell what was found so far.
            self._set_table(capacity)
            raise StoppedError(_NO_MEMORY) from None
        finally:
            self._program.run("rehash", 0, len(self))

    def _set_tuples(self, kind: SetKind, capacity: int, room: int) -> None:
        g = self._program.g
        size = 1 << (2 * capacity - 1).bit_length()
        index = Buffer(4 * size, guarded=self.sizes.guarded)
        dense = Buffer(8 * kind.stride * capacity, guarded=self.sizes.guarded)
        used = int(g[kind.slot + USED])
        if used:
            dense.write(0, self._buffers[kind.slot + DENSE].read(0, 8 * kind.stride * used))
        self.release(kind.slot + DENSE)
        self.release(kind.slot + INDEX)
        self._keep(kind.slot + DENSE, dense)
        self._keep(kind.slot + INDEX, index)
        g[kind.slot + MASK] = size - 1
        g[kind.slot + ROOM] = capacity - room
        self._program.run(f"{kind.name}_rebuild")

    def _make_room(self) -> None:
        """Empty the log, and let the sets grow that are nearly full."""
        self.drain()
        g = self._program.g
        shape, rooms = self._program.text.shape, self._program.text.room
        for kind, room in zip(shape.sets, rooms, strict=True):
            if g[kind.slot + USED] > g[kind.slot + ROOM]:
                self._set_tuples(kind, 4 * (int(g[kind.slot + ROOM]) + room), room)

    def drain(self) -> None:
        """Take what was logged over to `log`: note, number, aux, and so on."""
        g = self._program.g
        used = int(g[Slot.LOG_USED])
        if used:
            self.log.frombytes(self._buffers[Slot.LOG].read(0, 24 * used))
            g[Slot.LOG_USED] = 0

    def tuples(self, kind: SetKind, first: int = 0) -> list[tuple[int, ...]]:
        """Return the tuples of a set with what is said of them, in the order in which they were found.

        All from the first one on; if that is negative, so many of the last.
        """
        used = int(self._program.g[kind.slot + USED])
        begin = first if first >= 0 else max(used + first, 0)
        flat, size = array("Q"), 8 * kind.stride
        flat.frombytes(self._buffers[kind.slot + DENSE].read(size * begin, size * max(used - begin, 0)))
        return [tuple(flat[n : n + kind.stride]) for n in range(0, len(flat), kind.stride)]

    # --- the search ------------------------------------------------------------------------------

    def __len__(self) -> int:
        return int(self._program.g[Slot.COUNT])

    @property
    def transitions(self) -> int:
        """Steps so far."""
        return sum(self._program.counts)

    @property
    def depth(self) -> int:
        """The level that is being expanded; -1 before the first."""
        return len(self.levels) - 2

    def begin(self, states: Iterable[State]) -> None:
        """Store the initial states; raise StoppedError at the limit."""
        g = self._program.g
        g[Slot.NOTING], g[Slot.DEPTH] = 1, (1 << 64) - 1
        batch: list[State] = []
        for state in states:
            batch.append(state)
            if len(batch) == self.sizes.batch:
                self._begin_with(batch)
                batch = []
        self._begin_with(batch)

    def _begin_with(self, states: Sequence[State]) -> None:
        layout = self._program.text.layout
        words = array("Q", (word for state in states for word in layout.pack(state)))
        self._buffers[Slot.OUT].write(0, words.tobytes())
        self._buffers[Slot.AUX].write(0, array("Q", [NOBODY] * len(states)).tobytes())
        self._make_room()
        self._grow()
        if self._program.run("absorb", len(states)):
            self._limit()

    def level_up(self) -> bool:
        """Begin the next level; False if it is empty."""
        g = self._program.g
        if g[Slot.HEAD] == g[Slot.COUNT]:
            return False
        self.levels.append(len(self))
        g[Slot.END], g[Slot.DEPTH] = len(self), self.depth
        return True

    def advance(self, states: int) -> bool:
        """Expand so many states of the level, or all; True if the level is done. Raise StoppedError at a limit."""
        g = self._program.g
        g[Slot.STOP] = g[Slot.HEAD] + states
        while True:
            match Status(self._program.run("search")):
                case Status.LEVEL:
                    return True
                case Status.STOP:
                    return False
                case Status.GROW:
                    self._grow()
                case Status.ROOM:
                    self._make_room()
                case Status.LIMIT:
                    self._limit()

    def _limit(self) -> None:
        limit = self._watch.limits.states
        if limit is None:
            raise StoppedError(f"limit of {MOST_STATES} states")
        self._watch.admit(limit)

    @property
    def frontier(self) -> int:
        """How many states are stored and not yet expanded."""
        return len(self) - int(self._program.g[Slot.HEAD])

    # --- afterwards ------------------------------------------------------------------------------

    def state(self, number: int) -> State:
        """Return a state."""
        words = array("Q")
        words.frombytes(self._buffers[Slot.ARENA].read(8 * self._words * number, 8 * self._words))
        return self._program.text.layout.unpack(words)

    def number(self, state: State) -> int | None:
        """Return the number of a state; None if it was not found."""
        words = array("Q", self._program.text.layout.pack(state))
        found = self._program.run("find", words.buffer_info()[0])
        return None if found == (1 << 64) - 1 else found

    def edges(self, number: int) -> tuple[tuple[int, int], ...]:
        """Return (thread, number of the target) for each edge of a state, by thread."""
        known = self._edges.get(number)
        if known is None:
            steps = self._interpreter.successors(self.state(number))
            found = ((step.thread, self.number(step.target)) for step in steps if step.target is not None)
            known = self._edges[number] = tuple((thread, n) for thread, n in found if n is not None)
        return known

    def level(self, depth: int) -> range:
        """Return the numbers of the states of a level."""
        last = self.levels[depth + 1] if depth + 1 < len(self.levels) else len(self)
        return range(self.levels[depth], last)

    def level_of(self, number: int) -> int:
        """Return how many steps a state is from the start."""
        return bisect_right(self.levels, number) - 1


def _memory_of_the_machine() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return 1 << 32
