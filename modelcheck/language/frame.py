"""Where a statement stands while a thread is lowered: its way in the graph, what is held, where jumps lead."""

from __future__ import annotations

from dataclasses import dataclass, replace

from modelcheck.language import syntax
from modelcheck.language.body import Body
from modelcheck.language.context import Context
from modelcheck.language.model import TRUE, Call, Effects, Expr, Jump, LockAt, Ref, Require, Wait, refs
from modelcheck.locks.primitive import Verb
from modelcheck.source import Span


@dataclass(frozen=True)
class Way:
    """The node where a statement begins and the node that follows it."""

    entry: int
    following: int


@dataclass(frozen=True)
class Fork:
    """The node where a test is made, and the nodes that follow if it is true and if it is not."""

    entry: int
    then: int
    otherwise: int


@dataclass(frozen=True)
class Guarding:
    """A lock to be released when a scope is left: which, by which verb, and the guard statement."""

    at: LockAt
    release: Verb
    node: syntax.Guard | syntax.ScopedGuard


@dataclass(frozen=True)
class Label:
    """A label of an op or thread: its node, the scoped guards around it, and the locals declared before it."""

    node: int
    guards: tuple[syntax.Node, ...]
    locals: tuple[syntax.Local | syntax.Choose, ...]


@dataclass(frozen=True)
class Labels:
    """The labels of a body, and of the bodies around it (a `for` body has its own in each copy)."""

    parent: Labels | None
    here: dict[str, Label]
    elsewhere: frozenset[str] = frozenset()

    def find(self, name: str) -> Label | None:
        """Return the label that a goto from here means."""
        return self.here.get(name) or (self.parent.find(name) if self.parent else None)

    def names(self) -> set[str]:
        """Return every label that can be jumped to from here."""
        return set(self.here) | (self.parent.names() if self.parent else set())


@dataclass(frozen=True)
class Exit:
    """Where `break`, `continue` or `return` leads, and how many guards of the frame stay held there.

    `call` is the call that a `return` leaves.
    """

    node: int
    guards: int
    call: Call | None = None


@dataclass(frozen=True)
class Flow:
    """Where the statement may jump to, and which guards of its op or thread are held there, outermost first."""

    labels: Labels
    returns: Exit
    result: Ref | None = None
    op: syntax.Op | None = None
    guards: tuple[Guarding, ...] = ()
    breaks: Exit | None = None
    continues: Exit | None = None


@dataclass(frozen=True)
class Work:
    """The lowering of a statement: the thread's body, the context of its expressions, its flow."""

    body: Body
    ctx: Context
    flow: Flow

    def fresh(self) -> Work:
        """Return the same place with an empty list of accesses: each step has its own."""
        return replace(self, ctx=replace(self.ctx, accesses=[]))

    def inner(self) -> Work:
        """Return the same place in a new scope."""
        return replace(self, ctx=self.ctx.inner())

    def holding(self, *guards: Guarding) -> Work:
        """Return the same place with more guards held."""
        return replace(self, flow=replace(self.flow, guards=(*self.flow.guards, *guards)))

    def looping(self, breaks: int, continues: int) -> Work:
        """Return the place inside a loop whose `break` and `continue` lead to the nodes given."""
        stay = len(self.flow.guards)
        return replace(
            self, flow=replace(self.flow, breaks=Exit(breaks, stay), continues=Exit(continues, stay))
        )

    def go(self, way: Way, span: Span, effects: Effects = ()) -> None:
        """Make the way a passage that takes no step."""
        self.body.graph.silent(way.entry, effects, way.following, span)

    def new(self) -> int:
        """Return a new node."""
        return self.body.graph.new()


@dataclass(frozen=True)
class VerbArguments:
    """What a verb is given beside its lock, as locks/primitive.Here has it; `rules`: what must hold of that."""

    targets: tuple[tuple[int, Expr], ...] = ()
    rules: tuple[Require, ...] = ()
    state: str = ""
    flag: Expr = TRUE
    number: int = 0


@dataclass(frozen=True)
class VerbCall:
    """A lock verb where it is used. `kept`: the lock with its index in locals, and what puts it there."""

    verb: Verb
    at: LockAt
    span: Span
    text: str
    subclass: int = 0
    kept: tuple[LockAt, Effects] | None = None
    left_by: Span | None = None
    given: VerbArguments = VerbArguments()


@dataclass(frozen=True)
class Entered:
    """An op about to be lowered in place of a call: where its body stands, and what happens on the way in."""

    op: syntax.Op
    call: Call
    work: Work
    result: Ref | None
    effects: Effects


def jump(node: int) -> Effects:
    """Return the end of a step: arrive at a node."""
    return (Jump(node),)


def waiting_on(guard: Expr, *, rests: bool = False) -> Wait:
    """Return the wait of a statement that waits for a condition: any that can still write one of its cells."""
    cells = tuple(dict.fromkeys(r for r in refs(guard) if r.var.kind != "local"))
    return Wait.for_writers(cells, rests=rests)


def as_block(node: syntax.Statement) -> syntax.Block:
    """Return the statement as a block: a body without braces has a scope of its own too."""
    return node if isinstance(node, syntax.Block) else syntax.Block((node,), span=node.span)


def closing(span: Span) -> Span:
    """Return the place where a block ends."""
    return Span(span.source, max(span.start, span.end - 1), span.end)
