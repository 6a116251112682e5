"""What expression and statement lowering share: where we are, and where to report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from modelcheck.diagnostics import Collector, near_miss
from modelcheck.language.model import Access, Call, LockAt, Premise, Ref, Thread, Variable
from modelcheck.language.model import Lock as LockClass
from modelcheck.language.scope import KINDS, Binding, Scope, Storage
from modelcheck.language.types import ThreadRef
from modelcheck.source import Span

Mode = Literal["constant", "code", "property", "step"]


@dataclass
class Unit:
    """One elaboration: what all its parts add to and look things up in.

    `observed`: (thread declaration, local) and (op, parameter) that properties name. `recursive`: ops that lead
    back to themselves; they are reported once and not inlined. `thread_locals`: each thread's own, by name.
    `domains`: the locks that nobody declares, by kind. `handlers`: the numbers of interrupt handlers, with their kind;
    `interrupted`: the threads on whose CPUs each may run; `interrupting` and `idle`: the variables that say on which
    one it does, and whether that CPU was idle.
    `settled`: conditions of `if` and `while` that are constant here, with their value. `premises`: of each `implies`
    in a property. `within_steps`: ops that `init` calls.
    """

    collector: Collector = field(default_factory=Collector)
    globals: Scope = field(default_factory=Scope)
    thread_names: tuple[str, ...] = ()
    variables: list[Variable] = field(default_factory=list)
    locks: list[LockClass] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    observed: frozenset[tuple[str, str]] = frozenset()
    recursive: frozenset[str] = frozenset()
    thread_locals: dict[int, dict[str, Storage]] = field(default_factory=dict)
    settled: set[tuple[Span, bool]] = field(default_factory=set)
    premises: list[Premise] = field(default_factory=list)
    within_steps: set[str] = field(default_factory=set)
    all_marked: bool = False
    domains: dict[str, LockAt] = field(default_factory=dict)
    handlers: dict[int, str] = field(default_factory=dict)
    interrupted: dict[int, tuple[int, ...]] = field(default_factory=dict)
    interrupting: dict[int, Ref] = field(default_factory=dict)
    idle: dict[int, Ref] = field(default_factory=dict)

    @property
    def thread_type(self) -> ThreadRef:
        """The type of a reference to a thread of this model."""
        return ThreadRef(self.thread_names)


@dataclass
class Context:
    """Where an expression stands. `accesses` gathers what it reads of shared variables.

    `me` is the number of the running thread in code. `kept` is false in code that a constant condition removes:
    it is checked, but values out of range are no mistake there.
    """

    unit: Unit
    scope: Scope
    mode: Mode
    me: int | None = None
    accesses: list[Access] = field(default_factory=list)
    kept: bool = True
    marked: bool = False
    unguarded: bool = False
    primed: bool = False

    def error(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Report an error."""
        self.unit.collector.error(code, span, message, hint)

    def inner(self) -> Context:
        """Return a context in a new scope; accesses go to the same list."""
        return replace(self, scope=self.scope.child())

    @contextmanager
    def setting(
        self, *, marked: bool | None = None, unguarded: bool | None = None, primed: bool | None = None
    ) -> Iterator[None]:
        """Change how reads are understood, for a part of an expression."""
        before = self.marked, self.unguarded, self.primed
        self.marked = self.marked if marked is None else marked
        self.unguarded = self.unguarded if unguarded is None else unguarded
        self.primed = self.primed if primed is None else primed
        yield
        self.marked, self.unguarded, self.primed = before

    def record(self, ref: Ref, span: Span, *, writes: bool) -> None:
        """Note an access of the running statement to a shared variable."""
        if self.mode != "code" or ref.var.kind != "shared":
            return
        marked = self.marked or self.unit.all_marked or ref.var.marked is not None
        self.accesses.append(Access(ref, writes, marked, self.unguarded, span=span))

    def find(self, name: str, span: Span, wanted: str = "") -> Binding | None:
        """Look a name up; report it if it is unknown."""
        found = self.scope.find(name)
        if found is None:
            hint = near_miss(name, self.scope.visible())
            self.error("MC010", span, f"`{name}` is not declared{wanted}", hint)
        return found

    def declare(self, name: str, binding: Binding, span: Span) -> None:
        """Add a name to the innermost scope; report it if the scope has it already."""
        other = self.scope.names.get(name)
        if other is not None:
            where = f" at {other.span}" if other.span.end else ""
            self.error("MC011", span, f"`{name}` is declared twice: it is {KINDS[type(other)]}{where}")
        self.scope.names[name] = binding
