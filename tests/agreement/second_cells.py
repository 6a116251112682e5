"""What the verbs of the second opinion work on: the cells of one lock, and the memory behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from modelcheck.language.types import ERRNO
from tests.agreement.second_numbers import BlockedError
from tests.agreement.second_values import Key, LockStorage, Value, as_int

DEEPEST = 7


class Memory(Protocol):
    """What a verb needs of a run."""

    me: int
    threads: int
    in_handler: bool
    cells: dict[Key, Value]

    def pick(self, options: list[int]) -> int: ...
    def read(self, key: Key, shared: bool) -> Value: ...
    def put(self, key: Key, value: Value) -> None: ...


class LockCells:
    """The cells of one lock instance, as the running thread sees them."""

    def __init__(self, memory: Memory, lock: LockStorage) -> None:
        self.memory = memory
        self.lock = lock
        self.mine = memory.me + 1

    def key(self, part: str, *more: int) -> Key:
        return (f"{self.lock.name}.{part}", *(self.lock.index or ()), *more)

    def get(self, part: str, *more: int) -> int:
        return as_int(self.memory.read(self.key(part, *more), True))

    def set(self, part: str, value: int, *more: int) -> None:
        self.memory.put(self.key(part, *more), value)

    def own(self, part: str) -> int:
        return self.get(part, self.memory.me)

    def set_own(self, part: str, value: int) -> None:
        self.set(part, value, self.memory.me)

    def some(self, part: str) -> bool:
        return any(self.get(part, t) for t in self.everybody)

    @property
    def everybody(self) -> range:
        return range(self.memory.threads)

    @property
    def readers(self) -> list[int]:
        return [self.get("readers", t) for t in self.everybody]


Step = Callable[[LockCells], int]


def pending(cells: LockCells) -> int:
    return as_int(cells.memory.cells.get(("signals.pending", cells.memory.me), 0))


def interruptible(
    can: Callable[[LockCells], bool],
    take: Step,
    least: int,
    errno: str = "EINTR",
    undo: Step | None = None,
    *,
    at_once: bool = True,
) -> Step:
    """Return a verb that takes, or gives up while a signal of at least this rank is pending (`at_once`: instead)."""

    def verb(cells: LockCells) -> int:
        if ("signals.pending", 0) not in cells.memory.cells:
            take(cells)
            return 0
        gives_up = pending(cells) >= least and (at_once or not can(cells))
        options = [0] * can(cells) + [1] * gives_up
        if not options:
            raise BlockedError
        if cells.memory.pick(options):
            if undo is not None:
                undo(cells)
            return ERRNO.members.index(errno)
        take(cells)
        return 0

    return verb
