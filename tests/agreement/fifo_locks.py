"""A simulator of its own for rwsem and percpu_rwsem: a strict first-come queue with hand-off, on generated programs.

It shares nothing with modelcheck/locks. A waiter joins the queue of its lock and sleeps; who releases hands the lock
on: to the first in the queue and, if that one reads, to the readers right behind it. In a percpu_rwsem the writer that
is first gets stage 1, which bars readers, and the lock when the readers of before are gone.
Source: kernel/locking/rwsem.c (6.1), kernel/locking/percpu-rwsem.c (5.7 and newer).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

THREADS = 3
LOCKS = ("p", "q")
VERBS = {
    "rwsem": {
        "read": "down_read",
        "write": "down_write",
        "up read": "up_read",
        "up write": "up_write",
        "downgrade": "downgrade_write",
    },
    "percpu_rwsem": {
        "read": "percpu_down_read",
        "write": "percpu_down_write",
        "up read": "percpu_up_read",
        "up write": "percpu_up_write",
    },
}


@dataclass(frozen=True)
class Op:
    """A statement on a line of its own, and the lines that it leads to; line 0 is the end."""

    what: Literal["read", "write", "up read", "up write", "downgrade", "either", "skip"]
    lock: int
    leads_to: tuple[int, ...]


@dataclass
class Program:
    """Three threads as text and as numbered lines."""

    kind: str
    chance: random.Random
    lines: list[str] = field(default_factory=list)
    ops: dict[int, Op] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines += [f"{self.kind} {name};" for name in LOCKS]
        for thread in range(THREADS):
            self.lines.append(f"thread t{thread} {{")
            first = len(self.lines) + 1
            ends = self.block(2)
            self.lines.append("}")
            self.starts.append(first)
            self.link(ends, 0)

    def link(self, ends: list[int], line: int) -> None:
        for end in ends:
            op = self.ops[end]
            self.ops[end] = replace(op, leads_to=(*op.leads_to, line))

    def emit(self, text: str, what: str, lock: int = 0) -> int:
        self.lines.append(text)
        self.ops[len(self.lines)] = Op(what, lock, ())  # type: ignore[arg-type]
        return len(self.lines)

    def block(self, depth: int) -> list[int]:
        """Write one or two statements; return the lines that lead out."""
        ends: list[int] = []
        for number in range(self.chance.choice((1, 1, 2))):
            first = len(self.lines) + 1
            after = self.branch(depth) if depth and self.chance.random() < 0.2 else self.section(depth)
            if number:
                self.link(ends, first)
            ends = after
        return ends

    def section(self, depth: int) -> list[int]:
        lock, mode = self.chance.randrange(len(LOCKS)), self.chance.choice(("read", "read", "write"))
        verbs = VERBS[self.kind]
        name = LOCKS[lock]
        last = self.emit(f"{verbs[mode]}({name});", mode, lock)
        inside = [last]
        if depth and self.chance.random() < 0.6:
            self.link(inside, len(self.lines) + 1)
            inside = self.block(depth - 1)
        if mode == "write" and "downgrade" in verbs and self.chance.random() < 0.3:
            self.link(inside, len(self.lines) + 1)
            inside, mode = [self.emit(f"{verbs['downgrade']}({name});", "downgrade", lock)], "read"
        self.link(inside, len(self.lines) + 1)
        return [self.emit(f"{verbs[f'up {mode}']}({name});", f"up {mode}", lock)]

    def branch(self, depth: int) -> list[int]:
        head = self.emit("either {", "either")
        self.link([head], len(self.lines) + 1)
        ends = self.block(depth - 1)
        self.lines.append("} or {")
        self.link([head], len(self.lines) + 1)
        ends += self.block(depth - 1) if self.chance.random() < 0.5 else [self.emit("skip;", "skip")]
        self.lines.append("}")
        return ends

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


@dataclass(frozen=True)
class Lock:
    """How often each thread reads, who writes, who bars readers (percpu), and who sleeps in the queue."""

    readers: tuple[int, ...] = (0,) * THREADS
    writer: int | None = None
    barring: int | None = None
    queue: tuple[tuple[int, str], ...] = ()

    def reads(self, thread: int, change: int) -> Lock:
        return replace(self, readers=tuple(n + change * (t == thread) for t, n in enumerate(self.readers)))

    def admits(self, mode: str) -> bool:
        return self.writer is None and (mode == "read" or not any(self.readers))


Places = tuple[int, ...]
Holders = tuple[tuple[tuple[int, ...], int | None], ...]
Configuration = tuple[Places, Holders]
"""The line where each thread is, and who holds which lock how; whether one has joined a queue is not to be seen."""


@dataclass(frozen=True)
class State:
    """Where each thread is, and the locks. Who sleeps in a queue is still at the line that sent it there."""

    places: Places
    locks: tuple[Lock, ...]

    @property
    def configuration(self) -> Configuration:
        return self.places, tuple((lock.readers, lock.writer) for lock in self.locks)


class Fifo:
    """The transitions of a program with queues."""

    def __init__(self, program: Program) -> None:
        self.ops = program.ops
        self.percpu = program.kind == "percpu_rwsem"
        self.start = State(tuple(program.starts), (Lock(),) * len(LOCKS))

    def successors(self, state: State) -> Iterator[State]:
        waiting = {t for lock in state.locks for t, _ in lock.queue}
        waiting |= {lock.barring for lock in state.locks if lock.barring is not None and lock.writer is None}
        for thread, line in enumerate(state.places):
            if line and thread not in waiting:
                op = self.ops[line]
                if op.what in ("either", "skip"):
                    yield from (replace(state, places=_moved(state.places, thread, to)) for to in op.leads_to)
                else:
                    yield self.after(state, thread, op)

    def after(self, state: State, thread: int, op: Op) -> State:
        lock = state.locks[op.lock]
        moved = [thread]
        match op.what:
            case "read" | "write":
                lock, moved = self.asks(lock, thread, op.what)
            case "up read":
                lock, moved = self.handed_on(lock.reads(thread, -1), [thread])
            case "up write":
                barring = None if self.percpu else lock.barring
                lock, moved = self.handed_on(replace(lock, writer=None, barring=barring), [thread])
            case "downgrade":
                lock, moved = self.handed_on(replace(lock, writer=None).reads(thread, 1), [thread])
        places = state.places
        for each in moved:
            places = _moved(places, each, self.ops[places[each]].leads_to[0])
        locks = tuple(lock if n == op.lock else other for n, other in enumerate(state.locks))
        return State(places, locks)

    def asks(self, lock: Lock, thread: int, mode: str) -> tuple[Lock, list[int]]:
        joined = replace(lock, queue=(*lock.queue, (thread, mode)))
        if lock.queue or (self.percpu and lock.barring is not None):
            return joined, []
        return self.handed_on(joined, [])

    def handed_on(self, lock: Lock, moved: list[int]) -> tuple[Lock, list[int]]:
        """Give the lock to whom it is due; return also who goes on."""
        if self.percpu and lock.barring is not None:
            if lock.writer is None and not any(lock.readers):
                return replace(lock, writer=lock.barring), [*moved, lock.barring]
            return lock, moved
        if not lock.queue:
            return lock, moved
        (thread, mode), rest = lock.queue[0], lock.queue[1:]
        if self.percpu and mode == "write":
            return self.handed_on(replace(lock, barring=thread, queue=rest), moved)
        if not lock.admits(mode):
            return lock, moved
        got = replace(lock, queue=rest)
        got = got.reads(thread, 1) if mode == "read" else replace(got, writer=thread)
        return self.handed_on(got, [*moved, thread])


def _moved(places: Places, thread: int, to: int) -> Places:
    return tuple(to if t == thread else place for t, place in enumerate(places))
