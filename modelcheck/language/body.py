"""The program graph and the locals of one thread instance while it is lowered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from modelcheck.language import syntax
from modelcheck.language.context import Context, Unit
from modelcheck.language.graph import Graph, assigned
from modelcheck.language.model import (
    Access,
    Assign,
    Call,
    Const,
    Effect,
    Effects,
    Expr,
    Location,
    LockAt,
    Ref,
    Variable,
    refs,
)
from modelcheck.language.places import any_type_of, type_of
from modelcheck.language.scope import Place, Storage
from modelcheck.language.types import Record, Scalar, Type, bounds, cardinality
from modelcheck.source import Span

MOST_CELLS = 100_000
"""No variable may have more elements than this."""


@dataclass
class Body:
    """One thread instance. What is lowered under a context that is not `kept` leaves nothing in the model."""

    unit: Unit
    me: int
    name: str
    declaration: str
    graph: Graph = field(default_factory=Graph)
    call: Call | None = None
    unrolled: tuple[tuple[str, str], ...] = ()
    locals: dict[tuple[str, int, str], Storage] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    @property
    def frame(self) -> str:
        """The op that is being lowered, or "" in the thread's own code."""
        return self.call.op if self.call else ""

    def step(self, ctx: Context, node: int, location: Location, *, atomic: bool = False) -> None:
        """Make the node a statement that takes a step, with the accesses gathered in the context."""
        accesses = _accesses(ctx.accesses, location.effects)
        if not atomic:
            _warn_of_two(ctx, accesses, location.span)
        here = replace(location, call=self.call, unrolled=self.unrolled, accesses=accesses)
        self.graph.step(node, here)

    def storage(
        self, ctx: Context, name: str, key: syntax.Node, typed: tuple[Type, tuple[Scalar, ...]]
    ) -> Storage:
        """Return the storage of a local: the same one in every inlined copy of its op."""
        slot = (self.frame, id(key), name)
        if slot not in self.locals or not ctx.kept:
            made = self._make(ctx, name, typed, key.span)
            if not ctx.kept:
                return made
            self.locals[slot] = made
            if not self.frame:
                self.unit.thread_locals.setdefault(self.me, {}).setdefault(name, made)
        return self.locals[slot]

    def _make(self, ctx: Context, name: str, typed: tuple[Type, tuple[Scalar, ...]], span: Span) -> Storage:
        kind, dimensions = typed
        if isinstance(kind, Record):
            parts = {
                f.name: self._make(ctx, f"{name}.{f.name}", (f.type, (*dimensions, *f.dimensions)), span)
                for f in kind.fields
            }
            return Storage(name, dimensions, kind, None, parts)
        full = ".".join(part for part in (self.name, self.frame, name) if part)
        while full in self.names:
            full += "'"
        cells = count_cells(dimensions)
        if cells > MOST_CELLS:
            ctx.error("MC028", span, f"`{name}` would have {cells} elements")
            cells = 1
        live = (self.frame or self.declaration, name.partition(".")[0]) in self.unit.observed
        initial = (bounds(kind)[0],) * cells
        variable = Variable(
            full, kind, dimensions, initial, "local", self.me, self.frame, always_live=live, span=span
        )
        if ctx.kept:
            self.names.add(full)
            self.unit.variables.append(variable)
        return Storage(name, dimensions, kind, variable)

    def hidden(self, ctx: Context, name: str, key: syntax.Node, kind: Scalar) -> Ref:
        """Return a local that the text does not name: a result, or an index that must be kept."""
        storage = self.storage(ctx, name, key, (kind, ()))
        assert storage.variable is not None
        return Ref(storage.variable)

    def kept_index(self, ctx: Context, at: LockAt, key: syntax.Node) -> tuple[LockAt, Effects]:
        """Return the lock with its index values kept in locals, and the assignments that keep them.

        A guard releases the instance that it took, whatever happens to the index meanwhile.
        """
        index: list[Expr] = []
        keeping: list[Effect] = []
        for position, (expr, kind) in enumerate(zip(at.index, at.lock.dimensions, strict=True)):
            if isinstance(expr, Const):
                index.append(expr)
                continue
            ref = self.hidden(ctx, f"{at.lock.name}[{position}]", key, kind)
            index.append(ref)
            keeping.append(Assign(ref, expr, key.span))
        return LockAt(at.lock, tuple(index)), tuple(keeping)


def count_cells(dimensions: tuple[Scalar, ...]) -> int:
    """Return the number of cells of an array with these index types."""
    cells = 1
    for each in dimensions:
        cells *= cardinality(each)
    return cells


def dimension_types(ctx: Context, dimensions: tuple[syntax.Dimension, ...]) -> tuple[Scalar, ...] | None:
    """Return the index types of a declaration, or None if one is wrong (and was reported)."""
    kinds = [type_of(ctx, d.type) for d in dimensions]
    return None if any(k is None for k in kinds) else tuple(k for k in kinds if k is not None)


def local_type(ctx: Context, node: syntax.Local) -> tuple[Type, tuple[Scalar, ...]] | None:
    """Return the type and index types of a local, or None if something was reported."""
    kind, dimensions = any_type_of(ctx, node.type), dimension_types(ctx, node.dimensions)
    return None if kind is None or dimensions is None else (kind, dimensions)


def clear(storage: Storage, span: Span) -> Effects:
    """Return the assignments of its first value to every cell of a local."""
    return tuple(
        Assign(ref, Const(bounds(ref.var.type)[0]), span)
        for variable in storage.variables
        for ref in leaves(Place(Storage(variable.name, variable.dimensions, variable.type, variable)))
    )


def leaves(place: Place) -> list[Ref]:
    """Return every cell of a place, in declaration order."""
    found: list[Ref] = []
    for variable in place.storage.variables:
        rows: list[tuple[Expr, ...]] = [place.index]
        for each in variable.dimensions[len(place.index) :]:
            low, high = bounds(each)
            rows = [(*row, Const(v)) for row in rows for v in range(low, high + 1)]
        found += [Ref(variable, row) for row in rows]
    return found


def _accesses(found: list[Access], effects: Effects) -> tuple[Access, ...]:
    """Return the accesses without repetition; one whose index the step itself assigns may be of any element."""
    changed = assigned(effects)
    result: dict[Access, None] = {}
    for each in found:
        moving = any(r.var in changed for part in each.ref.index for r in refs(part))
        result[replace(each, anywhere=moving)] = None
    return tuple(result)


def _warn_of_two(ctx: Context, accesses: tuple[Access, ...], span: Span) -> None:
    # A read in an RCU section counts as marked (rcu_dereference); who writes has the lock, and may read what it writes.
    written = {a.ref.var for a in accesses if a.writes}
    rcu = {a.ref.var for a in accesses if any(rule.kind == "rcu_guarded_by" for rule in a.ref.var.guards)}
    marked = [
        a for a in accesses if a.marked or (a.ref.var in rcu and (a.writes or a.ref.var not in written))
    ]
    if len(marked) > 1 and ctx.kept:
        names = ", ".join(sorted({f"`{a.ref.var.name}`" for a in marked}))
        ctx.unit.collector.warning(
            "MC070",
            span,
            f"two accesses to marked variables ({names}) are one step here and two in the kernel",
            "split the statement, or say `atomic { }`",
        )


def one_line(text: str) -> str:
    """Return source text on one line, without a trailing semicolon."""
    return " ".join(text.split()).removesuffix(";")
