"""The states of one native search, and the growth of what they need; what compiled code asks Python for.

The arena is one piece of reserved address space: memory is used as states arrive. The table lies in another, and grows
by half when seven tenths of it are full, so that what stands beside a state takes at most 12 bytes, and a state of one
word 20 in all; it grows and shrinks where it lies, so that there never is a second copy of it. Sweeps that need memory
beside each state make the table as small as it can be, if there is no other way to stay below that.

One worker expands small levels, all of them large ones (kernel/joint_search.py); the states get the same numbers.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from modelcheck.engine.kernel.context import Slot, Status
from modelcheck.engine.kernel.crew import Crew, uninterrupted, wanted_workers
from modelcheck.engine.kernel.memory import Buffer, reserved
from modelcheck.engine.kernel.program import Program
from modelcheck.engine.kernel.refilling import MOST_RESIZED
from modelcheck.engine.kernel.visited import ENTRY, tag_bits
from modelcheck.engine.kernel.worker import Sizes
from modelcheck.engine.watch import StoppedError, Watch
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.native_registry import NOBODY
from modelcheck.semantics.transition_system import State

MOST_STATES = (1 << 32) - 2
"""States that the 32 bits of an entry can number."""

_LOAD = 0.7
_APART = 1 << 21
"""The parts of the table begin so many entries behind each other, or a multiple of that: at large pages."""

_BESIDE = 12
"""Bytes beside a state, of the table and of all that the search needs afterwards."""

_NO_MEMORY = "limit of the memory of this machine"


class Store:
    """The states by number, their levels, and the workers that find them."""

    def __init__(
        self, program: Program, interpreter: Interpreter, watch: Watch, sizes: Sizes | None = None
    ) -> None:
        self._program = program
        self._interpreter = interpreter
        self._watch = watch
        self.sizes = sizes or Sizes()
        self._words = program.text.shape.words
        assert self.sizes.batch <= program.text.buffer - program.text.successors
        self._edges: dict[int, tuple[tuple[int, int], ...]] = {}
        self._buffers: dict[int, Buffer] = {}
        self.levels: list[int] = [0]
        self._most_beside = 0
        self.crew = Crew(program, self.sizes, wanted_workers(watch.limits.workers))
        self._lay_out()

    def _lay_out(self) -> None:
        text, g = self._program.text, self._program.g
        limits = self._watch.limits
        self._limit = min(limits.states or MOST_STATES, MOST_STATES)
        memory = min(limits.memory or _memory_of_the_machine(), _memory_of_the_machine())
        states = min(self._limit + text.buffer, max(memory // (8 * self._words), 2 * text.buffer))
        size = 8 * self._words
        arena = reserved(2 * size * text.buffer, size * states, guarded=self.sizes.guarded)
        arena.grow(arena.most)
        self._keep(Slot.ARENA, arena)
        self._most = arena.size // size
        g[Slot.LIMIT] = self._limit
        self._set_table(max(self.sizes.table, self._least_capacity(self._batch)))

    # --- memory ----------------------------------------------------------------------------------

    def _keep(self, slot: int, buffer: Buffer) -> None:
        self._buffers[slot] = buffer
        for worker in self.crew.workers:
            worker.g[slot] = buffer.address

    def array(self, slot: int, size: int) -> Buffer:
        """Return new zeroed memory at a slot of every worker, instead of what was there."""
        self.release(slot)
        buffer = Buffer(size, guarded=self.sizes.guarded)
        self._keep(slot, buffer)
        return buffer

    def release(self, slot: int) -> None:
        """Give the memory at a slot back."""
        buffer = self._buffers.pop(slot, None)
        if buffer is not None:
            assert buffer.intact, f"compiled code wrote beside {Slot(slot).name}"
            buffer.close()

    def close(self) -> None:
        """Give all memory back."""
        self.crew.close()
        for slot in tuple(self._buffers):
            self.release(slot)

    @property
    def bytes_of_states(self) -> int:
        """Memory for the states that are stored, for the table, and for what later sweeps had beside each state."""
        return len(self) * 8 * self._words + max(self._program.g[Slot.CAPACITY] * ENTRY, self._most_beside)

    def beside(self, slot: int, size: int) -> Buffer:
        """Return new zeroed memory of so many bytes for each state; StoppedError if it is too much."""
        capacity, parts = int(self._program.g[Slot.CAPACITY]), self.crew.used()
        tight = max(int(len(self) / _LOAD) + 8, len(parts) * (max(parts) + 8))
        if capacity * ENTRY + size * len(self) > _BESIDE * len(self) and tight < capacity:
            self._resize_table(tight)
        self._watch.need(size * len(self))
        try:
            buffer = self.array(slot, size * len(self))
        except OSError:
            raise StoppedError(_NO_MEMORY) from None
        beside = self._program.g[Slot.CAPACITY] * ENTRY + size * len(self)
        self._most_beside = max(self._most_beside, int(beside))
        return buffer

    # --- the table -------------------------------------------------------------------------------

    @property
    def _batch(self) -> int:
        """The most states that a batch of one worker adds."""
        return self.sizes.batch + self._program.text.successors

    def _least_capacity(self, batch: int) -> int:
        """Return a capacity with which no part is full after two batches."""
        return len(self.crew.workers) * (2 * batch + 8)

    def _set_table(self, capacity: int) -> None:
        """Let there be an empty table, and address space for each part to grow in."""
        self._set_sizes(capacity)
        g = self._program.g
        parts, least = int(g[Slot.PARTS]), int(g[Slot.CAPACITY])
        wanted = parts * (int(self._most / _LOAD * self.sizes.growth) // parts // _APART + 1) * _APART
        self.release(Slot.TABLE)
        table = reserved(_bytes_of_table(least), _bytes_of_table(wanted), guarded=self.sizes.guarded)
        g[Slot.STRIDE] = table.most // ENTRY // parts
        table.grow(self._end_of_table())
        self._keep(Slot.TABLE, table)

    def _set_sizes(self, capacity: int) -> None:
        g, parts = self._program.g, len(self.crew.workers)
        part = -(-capacity // parts)
        g[Slot.PARTS], g[Slot.PART], g[Slot.CAPACITY] = parts, part, part * parts
        g[Slot.TAG_BITS] = tag_bits(part * parts)

    def _end_of_table(self) -> int:
        """Return where the last part of the table ends, in bytes from its begin."""
        g = self._program.g
        return _bytes_of_table(int((g[Slot.PARTS] - 1) * g[Slot.STRIDE] + g[Slot.PART]))

    def _room(self, batch: int) -> int:
        """Return with how many states in all, and in one part, a batch may begin."""
        capacity = int(self._program.g[Slot.CAPACITY])
        return min(int(capacity * _LOAD), capacity - batch - 1)

    def _room_of_part(self, batch: int) -> int:
        return int(self._program.g[Slot.PART]) - batch - 1

    def _grow_for(self, batch: int) -> None:
        """Let the table have room for one more batch; raise StoppedError if that is too much."""
        while len(self) > self._room(batch) or max(self.crew.used()) > self._room_of_part(batch):
            capacity = int(self._program.g[Slot.CAPACITY])
            larger = int(capacity * self.sizes.growth) + 8
            self._resize_table(max(larger, self._least_capacity(batch)))

    def _resize_table(self, capacity: int) -> None:
        """Give the table another size where it lies, or instead of what was there."""
        g, table = self._program.g, self._buffers[Slot.TABLE]
        old = int(g[Slot.CAPACITY]), int(g[Slot.PART]), int(g[Slot.TAG_BITS])
        self._watch.need((capacity - old[0]) * ENTRY)
        with uninterrupted():
            self._set_sizes(capacity)
            if self._is_resized(table, old):
                return
            self._set_sizes(old[0])
            self._replace_table(capacity)

    def _is_resized(self, table: Buffer, old: tuple[int, int, int]) -> bool:
        """Spread the table over its new sizes where it lies; False if that cannot be."""
        g, end = self._program.g, self._end_of_table()
        part, stride = int(g[Slot.PART]), int(g[Slot.STRIDE])
        if part > stride or max(int(g[Slot.CAPACITY]), old[0]) > MOST_RESIZED:
            return False
        if part >= old[1]:
            return table.grow(end) and not any(self.crew.run("enlarge", *old))
        if any(self.crew.run("shrink", *old)):
            return False
        for n in range(len(self.crew.workers)):
            table.give_back((n * stride + part) * ENTRY + 8, (n * stride + old[1]) * ENTRY)
        table.shrink(end)
        return True

    def _replace_table(self, larger: int) -> None:
        capacity = int(self._program.g[Slot.CAPACITY])
        self._watch.need((larger - capacity) * ENTRY)
        with uninterrupted():
            self.release(Slot.TABLE)
            try:
                self._set_table(larger)
            except OSError:
                # The table is still needed, to tell what was found so far.
                self._set_table(capacity)
                raise StoppedError(_NO_MEMORY) from None
            finally:
                self.crew.run("rehash", 0, len(self))

    # --- the search ------------------------------------------------------------------------------

    def __len__(self) -> int:
        return int(self._program.g[Slot.COUNT])

    @property
    def transitions(self) -> int:
        """Steps so far."""
        return sum(sum(worker.program.counts) for worker in self.crew.workers)

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
        self.crew.first.make_room()
        self._make_ready()
        self.crew.first.offer([self._program.text.layout.pack(state) for state in states], NOBODY)
        if self._program.run("absorb", len(states)):
            self._stop_at_limit()

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
            match self._search_jointly() if self._is_large() else self._search():
                case Status.LEVEL:
                    return True
                case Status.STOP:
                    return False
                case Status.ROOM:
                    for worker in self.crew.workers:
                        worker.make_room()
                case Status.LIMIT:
                    self._stop_at_limit()

    def _is_large(self) -> bool:
        """Tell whether all workers expand what is left of the level. They do not come near a limit."""
        crew, sizes, g = self.crew, self.sizes, self._program.g
        left = int(g[Slot.END] - g[Slot.HEAD])
        enough = sizes.joint if len(crew.workers) > 1 else max(sizes.start, sizes.joint)
        if crew.most == 1 or left < enough or crew.is_crowded:
            return False
        return len(self) + crew.batch <= min(self._limit, self._most)

    def _search_jointly(self) -> Status:
        crew, g = self.crew, self._program.g
        if len(crew.workers) == 1:
            crew.start()
            if len(crew.workers) == 1:
                return self._search()
            self._replace_table(max(int(g[Slot.CAPACITY]), self._least_capacity(crew.batch)))
        self._grow_for(crew.batch)
        g[Slot.GROW_AT] = min(self._room(crew.batch), min(self._limit, self._most) - crew.batch)
        g[Slot.PART_FULL] = self._room_of_part(crew.batch)
        found = crew.run("search_jointly")
        assert len(set(found)) == 1, f"the workers do not agree: {found}"
        return Status(found[0])

    def _search(self) -> Status:
        """Let the first worker expand states; near the limit one after the other, so that it ends with an exact one."""
        self._make_ready()
        g = self._program.g
        near = len(self) + self._batch > self._limit
        g[Slot.BATCH] = 1 if near else self.sizes.batch
        try:
            return Status(self._program.run("search"))
        finally:
            g[Slot.BATCH] = self.sizes.batch

    def _make_ready(self) -> None:
        """Make room for a batch of the first worker; raise StoppedError where there is none."""
        g, batch = self._program.g, self._batch
        if len(self) + batch > self._most:
            raise StoppedError(_NO_MEMORY)
        self._grow_for(batch)
        near = len(self) + batch > self._limit
        g[Slot.GROW_AT] = min(self._room(batch), self._most - batch, (self._limit + near * batch) - batch)
        g[Slot.PART_FULL] = self._room_of_part(batch)

    def _stop_at_limit(self) -> None:
        limit = self._watch.limits.states
        if limit is None or limit > self._limit:
            raise StoppedError(f"limit of {self._limit} states, the most that the native engine numbers")
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


def _bytes_of_table(capacity: int) -> int:
    """Return the size of a table: the last entry is read as a whole word."""
    return capacity * ENTRY + 8


def _memory_of_the_machine() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return 1 << 32
