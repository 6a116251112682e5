"""The protocol that every kind of lock follows: its variables, its verbs as guarded steps, its meaning.

A primitive is data. An engine sees variables and guarded steps and no lock; what a primitive adds beside
them is meaning for the diagnosis: who holds what in which mode, and whom a blocked thread waits for.
A new kind of lock is a new file that builds a `Primitive`, and a line in locks/__init__.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from modelcheck.language.model import TRUE, Assign, Breach, Compare, Const, Expr, LockAt, Ref, Require, Wait
from modelcheck.language.types import Scalar

Mode = Literal["write", "read"]


@dataclass(frozen=True)
class Field:
    """A variable of a lock: its type for a number of threads, and whether each thread has one of its own."""

    name: str
    type: Callable[[tuple[str, ...]], Scalar]
    per_thread: bool = False


@dataclass(frozen=True)
class Outcome:
    """One way a step can go: updates, and the verb's result (1/0 of a try, an errno) if it has one.

    The outcomes of a step are tried in order; the first whose condition holds is taken.
    """

    when: Expr = TRUE
    updates: tuple[Assign, ...] = ()
    result: int | None = None


@dataclass(frozen=True)
class VerbStep:
    """One step of a verb: enabled when `guard` holds; broken rules first, then the outcome."""

    guard: Expr
    outcomes: tuple[Outcome, ...]
    requires: tuple[Require, ...] = ()
    wait: Wait = Wait()
    action: Literal["acquire", "release", "announce", "try", "test"] = "test"


@dataclass(frozen=True)
class Here:
    """Where a verb runs: the lock instance, the number of the running thread, all thread names."""

    at: LockAt
    me: int
    threads: tuple[str, ...]

    def field(self, name: str, thread: int | None = None) -> Ref:
        """Return the cell of the instance's variable, of one thread if it is per thread."""
        return field_of(self.at, name, thread)

    @property
    def everybody(self) -> tuple[int, ...]:
        """Every thread's number, the running one included: a thread can wait for itself."""
        return tuple(range(len(self.threads)))

    def breach(self, message: str) -> Breach:
        """Return a broken lock rule of this lock."""
        return Breach("lock_rules", message, lock=self.at)


@dataclass(frozen=True)
class Verb:
    """A verb of a primitive: what it is called, what it needs, and its steps.

    `blocks`: may wait, so it is refused inside `atomic`. `sleeps`: waits by sleeping (not allowed under a spinlock).
    `result`: None, or the type of what it returns. `release`: the verb that gives back what this one takes.
    `guards`: its kinds in `guard(kind)(l)`. `nested`: takes a constant subclass as second argument.
    """

    name: str
    mode: Mode
    steps: Callable[[Here], tuple[VerbStep, ...]]
    blocks: bool = False
    sleeps: bool = False
    result: Scalar | None = None
    release: str | None = None
    guards: tuple[str, ...] = ()
    nested: bool = False


@dataclass(frozen=True)
class Primitive:
    """A kind of lock: its name in the language, its variables, its verbs, and who holds it.

    `holds(at, thread, mode)` is the condition that the thread (by number) holds the instance in that mode.
    `ordered`: one thread can wait for another because of it, so that it has a place in the lock order; what is
    only a state of the running thread (interrupts are off) is neither an edge nor a gate there.
    Sources (kernel file, version) stand in the module's docstring.
    """

    kind: str
    fields: tuple[Field, ...]
    verbs: Mapping[str, Verb]
    holds: Callable[[LockAt, int, Mode], Expr]
    modes: tuple[Mode, ...] = ("write",)
    ordered: bool = True


def field_of(at: LockAt, name: str, thread: int | None = None) -> Ref:
    """Return a cell of the lock instance; `thread` selects the thread's own where the field is per thread."""
    own = () if thread is None else (Const(thread),)
    return Ref(at.lock.fields[name], (*at.index, *own))


def is_thread(ref: Ref, thread: int) -> Expr:
    """Return the condition that a thread reference names the thread."""
    return Compare("==", ref, Const(thread + 1))
