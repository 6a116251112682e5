"""The protocol that every kind of lock follows: its variables, its verbs as guarded steps, its meaning.

A primitive is data. An engine sees variables and guarded steps and no lock; what a primitive adds beside
them is meaning for the diagnosis: who holds what in which mode, and whom a blocked thread waits for.
A new kind of lock is a new file that builds a `Primitive`, and a line in locks/__init__.py.

Some kinds are nobody's declaration but a *domain* of the whole model (`rcu`, the threads' signals): there is one of
them, and only if the text uses its verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from modelcheck.language.model import (
    FINISHED,
    TRUE,
    And,
    Assign,
    At,
    Breach,
    By,
    Compare,
    Const,
    Expr,
    Lock,
    LockAt,
    Not,
    Or,
    Ref,
    Require,
    Wait,
)
from modelcheck.language.types import Bool, Range, Scalar, ThreadRef, bounds

Mode = Literal["write", "read"]
Argument = Literal["lock", "thread", "subclass", "number", "state", "flag"]
"""What a verb is given: a lock of its kind, a thread, a constant, a state to sleep in, a condition."""

Told = Callable[[str, str, str], str]
"""What a trace says of a changed field: of the lock's name, the new value, and whose it is ("": the mover's own).
Nothing is said where that is ""."""

STATES = ("TASK_RUNNING", "TASK_INTERRUPTIBLE", "TASK_KILLABLE", "TASK_UNINTERRUPTIBLE")
"""The states of a thread: running, or asleep until woken, or until a (fatal) signal comes too."""

DEEPEST = 7
"""How often one thread may hold a lock for reading at once; one more is a leak of read locks, and reported."""


# --- variables -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Declared:
    """What a lock's variables depend on: the threads, what its declaration says, which domains the model has."""

    threads: tuple[str, ...]
    bound: tuple[int, int] | None = None
    initial: int | None = None
    says: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Field:
    """A variable of a lock: its type, and whether each thread has one of its own.

    `only`: it is there only if the declaration says this word or the model has this domain. `initial`: its first
    value if that is not the lowest of its type. `changed_by` is what proofs about critical sections rest on: "thread"
    if only the thread itself changes its own, "owner" if only the thread does that the lock's single ThreadRef names.
    `told`: how a trace tells a change of it; None: it is hidden (what is held shows by itself).
    """

    name: str
    type: Callable[[Declared], Scalar]
    per_thread: bool = False
    only: str = ""
    initial: Callable[[Declared], int] | None = None
    changed_by: Literal["anybody", "owner", "thread"] = "anybody"
    told: Told | None = None


def thread_reference(declared: Declared) -> Scalar:
    """Return the type of a field that is none or a thread."""
    return ThreadRef(declared.threads)


def flag(_: Declared) -> Scalar:
    """Return the type of a field that is false or true."""
    return Bool()


def nesting(_: Declared) -> Scalar:
    """Return the type of a field that counts how often one thread holds something."""
    return Range(0, DEEPEST)


# --- verbs ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """One way a step can go: updates, and the verb's result (1/0 of a try, an errno) if it has one.

    The outcomes of a step are tried in order and the first whose condition holds is taken; if the step is `free`,
    any whose condition holds can be. Where there are two results, the first outcome is that of the true one (not 0).
    """

    when: Expr = TRUE
    updates: tuple[Assign, ...] = ()
    result: int | None = None


@dataclass(frozen=True)
class VerbStep:
    """One step of a verb: enabled when `guard` holds; broken rules first, then an outcome."""

    guard: Expr
    outcomes: tuple[Outcome, ...]
    requires: tuple[Require, ...] = ()
    wait: Wait = Wait()
    action: Literal["acquire", "release", "announce", "prepare", "try", "test"] = "test"
    free: bool = False


@dataclass(frozen=True)
class Here:
    """Where a verb runs: the lock instance, the number of the running thread, all thread names, its other arguments.

    `domains`: the model's domains by kind. `in_handler`: the running thread is an interrupt handler. `targets`: the
    threads that a thread argument may mean, each with the condition under which it does. `state`: what was given to
    sleep in. `flag`: what was given as a condition. `number`: the constant that was given. `locks`: all locks of the
    model, for who may wait at any of them.
    """

    at: LockAt
    me: int
    threads: tuple[str, ...]
    domains: Mapping[str, LockAt] = field(default_factory=dict)
    in_handler: bool = False
    targets: tuple[tuple[int, Expr], ...] = ()
    state: str = ""
    flag: Expr = TRUE
    number: int = 0
    locks: tuple[Lock, ...] = ()

    def field(self, name: str, thread: int | None = None) -> Ref:
        """Return the cell of the instance's variable, of one thread if it is per thread."""
        return field_of(self.at, name, thread)

    def mine(self, name: str) -> Ref:
        """Return the running thread's own cell of the instance's variable."""
        return field_of(self.at, name, self.me)

    def own(self, domain: str, name: str) -> Ref | None:
        """Return the running thread's cell of a domain's variable; None if the model has no such domain."""
        at = self.domains.get(domain)
        return None if at is None else field_of(at, name, self.me)

    def instances(self, kind: str) -> tuple[LockAt, ...]:
        """Return every lock instance of a kind in the model."""
        return tuple(
            LockAt(lock, index)
            for lock in self.locks
            if lock.kind == kind
            for index in product(
                *(map(Const, range(low, high + 1)) for low, high in map(bounds, lock.dimensions))
            )
        )

    @property
    def everybody(self) -> tuple[int, ...]:
        """Every thread's number, the running one included: a thread can wait for itself."""
        return tuple(range(len(self.threads)))

    def breach(self, message: str) -> Breach:
        """Return a broken lock rule of this lock."""
        return Breach("lock_rules", message, lock=self.at)

    @property
    def hands_over(self) -> bool:
        """Whether the lock is declared `handover`: who releases it need not be who took it."""
        return self.at.lock.handover


@dataclass(frozen=True)
class Verb:
    """A verb of a primitive: what it is called, what it needs, and its steps.

    `blocks`: may wait, so it is refused inside `atomic`. `sleeps`: may sleep (not allowed under a spinlock).
    `result`: None, or the type of what it returns. `release`: the verb that gives back what this one takes.
    `guards`: its kinds in `guard(kind)(l)`. `arguments`: what it is given; the last `optional` may be left out.
    `needs`: the kinds of domains that it works on beside its own lock.
    """

    name: str
    mode: Mode
    steps: Callable[[Here], tuple[VerbStep, ...]]
    blocks: bool = False
    sleeps: bool = False
    result: Scalar | None = None
    release: str | None = None
    guards: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ("lock",)
    optional: int = 0
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A function of expressions over a lock's variables: `refcount_read(r)`, `signal_pending()`.

    `value` says what it is for the running thread (in properties: for the thread given); `type` its type at an
    instance. `of_thread`: it is about the running thread, not about a lock: in properties a thread is given.
    """

    name: str
    value: Callable[[Here], Expr]
    type: Callable[[LockAt], Scalar]
    of_thread: bool = False


@dataclass(frozen=True)
class Primitive:
    """A kind of lock: its name in the language, its variables, its verbs, and who holds it.

    `holds(at, thread, mode)` is the condition that the thread (by number) holds the instance in that mode.
    `domain`: it is not declared; the model has one, under this name, if it uses its verbs. `says`: the attributes
    that its declaration may have beside `novalidate`. `bounded`: it may have a bound and an initial value.
    `no_sleep`: the modes in which a holder may not sleep. `ordered`: it takes part in the lock order; false where
    holding it keeps nobody out. `bars`: whom a writer that waits keeps from reading: nobody, all readers, or only those
    outside interrupt context. `one_holder`: one thread at most holds it, whatever the mode says of the data.
    Sources (kernel file, version) stand in the module's docstring.
    """

    kind: str
    fields: tuple[Field, ...]
    verbs: Mapping[str, Verb]
    holds: Callable[[LockAt, int, Mode], Expr]
    modes: tuple[Mode, ...] = ("write",)
    readings: tuple[Reading, ...] = ()
    domain: str = ""
    says: frozenset[str] = frozenset()
    bounded: bool = False
    no_sleep: frozenset[Mode] = frozenset()
    ordered: bool = True
    bars: Literal["nobody", "threads", "all"] = "nobody"
    one_holder: bool = False


def domains_of(primitive: Primitive, verb: Verb | None = None) -> Iterator[str]:
    """Yield the kinds of domains that a verb, or a reading of the primitive, works on."""
    if primitive.domain:
        yield primitive.kind
    yield from verb.needs if verb is not None else ()


# --- words that the kinds share ------------------------------------------------------------------


def by_name(*verbs: Verb) -> dict[str, Verb]:
    """Return verbs by their names."""
    return {verb.name: verb for verb in verbs}


def field_of(at: LockAt, name: str, thread: int | None = None) -> Ref:
    """Return a cell of the lock instance; `thread` selects the thread's own where the field is per thread."""
    own = () if thread is None else (Const(thread),)
    return Ref(at.lock.fields[name], (*at.index, *own))


def is_thread(ref: Ref, thread: int) -> Expr:
    """Return the condition that a thread reference names the thread."""
    return Compare("==", ref, Const(thread + 1))


def is_none(ref: Ref) -> Expr:
    """Return the condition that a cell is none, false, zero or empty."""
    return Compare("==", ref, Const(0))


def is_some(ref: Ref) -> Expr:
    """Return the condition that a cell is not none, false, zero or empty."""
    return Compare("!=", ref, Const(0))


def put(ref: Ref, value: int | Expr) -> Assign:
    """Return the update that gives a cell a value."""
    return Assign(ref, Const(value) if isinstance(value, int) else value)


def held_by_nobody(_at: LockAt, _thread: int, _mode: Mode) -> Expr:
    """Return the condition of holding something that nobody holds."""
    return Const(0)


def finished(thread: int) -> Expr:
    """Return the condition that a thread is at its end."""
    return At(thread, frozenset({FINISHED}))


def owned(holder: Ref, here: Here) -> tuple[tuple[int, Expr], ...]:
    """Return who is in the way of a thread that waits for a cell to name nobody."""
    return tuple((t, is_thread(holder, t)) for t in here.everybody)


def nobody_else(here: Here, name: str) -> Expr:
    """Return the condition that a per-thread field is zero for every thread, the running one included."""
    return And(tuple(is_none(here.field(name, t)) for t in here.everybody))


def always(*updates: Assign, result: int | None = None) -> tuple[Outcome, ...]:
    """Return the outcomes of a step that can go one way only."""
    return (Outcome(TRUE, updates, result),)


def tested(condition: Expr) -> tuple[VerbStep, ...]:
    """Return the steps of a verb that only tells whether a condition holds."""
    return (VerbStep(TRUE, (Outcome(condition, result=1), Outcome(result=0)), action="test"),)


def required(condition: Expr, here: Here, message: str) -> tuple[Require, ...]:
    """Return the rule that a condition holds, with what is said where it does not."""
    return (Require(condition, here.breach(message)),)


def either(*conditions: Expr) -> Expr:
    """Return the disjunction."""
    return Or(conditions)


def both(*conditions: Expr) -> Expr:
    """Return the conjunction."""
    return And(conditions)


def neither(*conditions: Expr) -> Expr:
    """Return the condition that none of them holds."""
    return Not(Or(conditions))


def by(ref: Ref, *verbs: str) -> By:
    """Return the writes of a cell by these verbs, as what a waiter waits for."""
    return By(ref, frozenset(verbs))
