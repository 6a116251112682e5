"""One worker of a native search: a loaded copy of the program, and the memory that is its own."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from modelcheck.engine.kernel.context import ENTRIES_OF_A_BATCH, Slot
from modelcheck.engine.kernel.joint_search import LOOKED_UP_LATELY, TRACK_WORDS
from modelcheck.engine.kernel.memory import Buffer
from modelcheck.engine.kernel.program import Program
from modelcheck.engine.kernel.sets import DENSE, INDEX, MASK, ROOM, USED, SetKind
from modelcheck.engine.kernel.visited import recent, stranger

LOGGED = 1 << 15
"""So many notes may be in the log when a batch begins."""


@dataclass(frozen=True)
class Sizes:
    """How large things are at first, and when they change.

    `batch`: so many successors are looked up together, at most the constant of that name; `growth` of the table;
    `guarded`: with canaries. `slice`: the successors that a worker makes at once, where several search; they do where
    `joint` states of a level are left, once a level had `start` of them, and while they get `share` of the time of as
    many processors. `walks`: from one state of so many a random walk begins, 0 for as many as is quick.
    """

    table: int = 1 << 14
    batch: int = ENTRIES_OF_A_BATCH
    tuples: int = 1 << 12
    growth: float = 1.5
    guarded: bool = False
    slice: int = 1 << 14
    joint: int = 1 << 11
    start: int = 1 << 12
    share: float = 0.7
    walks: int = 0


class Worker:
    """A copy of the program with its buffers, its sets and its log. Its globals are its own; `shared` memory is not."""

    def __init__(self, program: Program, number: int, sizes: Sizes) -> None:
        self.program = program
        self.g = program.g
        self._log: array[int] = array("q")
        self._places: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._sizes = sizes
        self._buffers: dict[int, Buffer] = {}
        self.g[Slot.WORKER] = number
        self._lay_out()

    def _lay_out(self) -> None:
        text, sizes = self.program.text, self._sizes
        words, buffer = text.shape.words, text.buffer
        states = self.slice_states
        successors = max(buffer, states * text.successors)
        states = max(states, text.shape.batch_states)
        self.allocate(Slot.OUT, 8 * words * buffer)
        self.allocate(Slot.AUX, 8 * max(buffer, ENTRIES_OF_A_BATCH))
        self.allocate(Slot.HASHES, 8 * max(buffer, ENTRIES_OF_A_BATCH))
        self.allocate(Slot.RECENT, 8 * words * recent(words)).write(0, stranger(words))
        self.allocate(Slot.LOG, 24 * (LOGGED + text.log_room(successors, states) + 64))
        self.g[Slot.LOG_ROOM] = LOGGED
        self.g[Slot.BATCH] = sizes.batch
        self.g[Slot.SLICE] = self.slice_states
        self._rooms = text.rooms(successors, states)
        for kind, room in zip(text.shape.sets, self._rooms, strict=True):
            self._set_tuples(kind, max(sizes.tuples, 2 * room), room)

    @property
    def slice_states(self) -> int:
        """The most states that a worker expands at once, where several search."""
        text = self.program.text
        return max(1, self._sizes.slice // max(text.successors, 1))

    def join(self, count: int) -> None:
        """Make room for what a worker needs in a joint search of so many."""
        text = self.program.text
        self.allocate(Slot.TRACKS, 8 * TRACK_WORDS * count * self.slice_states * text.successors)
        lately = 8 * text.shape.words * recent(text.shape.words, LOOKED_UP_LATELY)
        self.allocate(Slot.LATELY, lately).write(0, stranger(text.shape.words))

    # --- memory ----------------------------------------------------------------------------------

    def allocate(self, slot: int, size: int) -> Buffer:
        """Return new zeroed memory at a slot."""
        buffer = Buffer(size, guarded=self._sizes.guarded)
        self._keep(slot, buffer)
        return buffer

    def _keep(self, slot: int, buffer: Buffer) -> None:
        self._buffers[slot] = buffer
        self.g[slot] = buffer.address

    def _release(self, slot: int) -> None:
        buffer = self._buffers.pop(slot, None)
        if buffer is not None:
            assert buffer.intact, f"compiled code wrote beside {Slot(slot).name}"
            buffer.close()

    def close(self) -> None:
        """Give all memory back."""
        for slot in tuple(self._buffers):
            self._release(slot)

    # --- the log ---------------------------------------------------------------------------------

    def make_room(self) -> None:
        """Empty the log, and let the sets grow that are nearly full."""
        self.drain()
        for kind, room in zip(self.program.text.shape.sets, self._rooms, strict=True):
            if self.g[kind.slot + USED] > self.g[kind.slot + ROOM]:
                self._set_tuples(kind, 4 * (int(self.g[kind.slot + ROOM]) + room), room)

    def drain(self) -> None:
        """Take over what was logged, as it is: note, number, aux, and so on."""
        used = int(self.g[Slot.LOG_USED])
        if used:
            self._log.frombytes(self._buffers[Slot.LOG].read(0, 24 * used))
            self.g[Slot.LOG_USED] = 0

    def places(self) -> defaultdict[int, list[tuple[int, int]]]:
        """Return what was logged so far: for each note the (number, aux) at its first level, in rising order."""
        self.drain()
        log, self._log = self._log, array("q")
        for n in range(0, len(log), 3):
            self._places[log[n]].append((log[n + 1], log[n + 2]))
        return self._places

    def offer(self, states: Sequence[Sequence[int]], mover: int) -> None:
        """Put packed states into the buffer of a batch, as successors of none."""
        words = array("Q", (word for state in states for word in state))
        self._buffers[Slot.OUT].write(0, words.tobytes())
        self._buffers[Slot.AUX].write(0, array("Q", [mover] * len(states)).tobytes())

    # --- the sets --------------------------------------------------------------------------------

    def _set_tuples(self, kind: SetKind, capacity: int, room: int) -> None:
        size = 1 << (2 * capacity - 1).bit_length()
        index = Buffer(4 * size, guarded=self._sizes.guarded)
        dense = Buffer(8 * kind.stride * capacity, guarded=self._sizes.guarded)
        used = int(self.g[kind.slot + USED])
        if used:
            dense.write(0, self._buffers[kind.slot + DENSE].read(0, 8 * kind.stride * used))
        self._release(kind.slot + DENSE)
        self._release(kind.slot + INDEX)
        self._keep(kind.slot + DENSE, dense)
        self._keep(kind.slot + INDEX, index)
        self.g[kind.slot + MASK] = size - 1
        self.g[kind.slot + ROOM] = capacity - room
        self.program.run(f"{kind.name}_rebuild")

    def tuples(self, kind: SetKind, first: int = 0) -> list[tuple[int, ...]]:
        """Return the tuples of a set with what is said of them, in the order in which they were found.

        All from the first one on; if that is negative, so many of the last.
        """
        used = int(self.g[kind.slot + USED])
        begin = first if first >= 0 else max(used + first, 0)
        flat, size = array("Q"), 8 * kind.stride
        flat.frombytes(self._buffers[kind.slot + DENSE].read(size * begin, size * max(used - begin, 0)))
        return [tuple(flat[n : n + kind.stride]) for n in range(0, len(flat), kind.stride)]

    def replace_tuples(self, kind: SetKind, rows: Sequence[tuple[int, ...]]) -> None:
        """Let a set have these tuples, in this order."""
        room = self._rooms[self.program.text.shape.sets.index(kind)]
        self.g[kind.slot + USED] = 0
        self._set_tuples(kind, max(self._sizes.tuples, 2 * (room + len(rows))), room)
        self._buffers[kind.slot + DENSE].write(0, array("Q", (n for row in rows for n in row)).tobytes())
        self.g[kind.slot + USED] = len(rows)
        self.program.run(f"{kind.name}_rebuild")
