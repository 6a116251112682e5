"""What a name stands for at a place: bindings, and the chain of scopes they are looked up in."""

from __future__ import annotations

from dataclasses import dataclass, field

from modelcheck.language import syntax
from modelcheck.language.model import Const, Expr, LockAt, Variable
from modelcheck.language.model import Lock as LockClass
from modelcheck.language.types import Scalar, Type
from modelcheck.language.values import Value
from modelcheck.source import NOWHERE, Span


@dataclass(frozen=True, eq=False)
class Storage:
    """A declared variable or a part of one: a scalar with its Variable, or a record with a Storage a field.

    `dimensions` are all index types needed to reach one element, those of enclosing records first.
    """

    name: str
    dimensions: tuple[Scalar, ...]
    type: Type
    variable: Variable | None = None
    fields: dict[str, Storage] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Every Variable in it."""
        if self.variable is not None:
            return (self.variable,)
        return tuple(v for part in self.fields.values() for v in part.variables)


@dataclass(frozen=True)
class ThreadGroup:
    """A thread declaration and the numbers of its instances in this model."""

    declaration: syntax.Thread
    index_type: Scalar | None
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """A variable, or a part of it, reached by index expressions."""

    storage: Storage
    index: tuple[Expr, ...] = ()

    @property
    def complete(self) -> bool:
        """True if every index is given."""
        return len(self.index) == len(self.storage.dimensions)


@dataclass(frozen=True)
class LockPlace:
    """A lock class with index expressions, maybe not all of them yet."""

    at: LockAt


@dataclass(frozen=True)
class ThreadPlace:
    """A thread declaration (thread < 0: it has several instances and none was chosen) or an instance."""

    group: ThreadGroup
    thread: int


@dataclass(frozen=True)
class ConstantBinding:
    """A parameter, constant, enum member, `self` or a `for` variable."""

    value: Value
    span: Span = NOWHERE


@dataclass(frozen=True)
class StorageBinding:
    """A variable, shared or local. `assigned` is false of what cannot be written (none so far)."""

    storage: Storage
    span: Span = NOWHERE
    declared_by: syntax.Node | None = None


@dataclass(frozen=True)
class LockBinding:
    """A lock declaration, or a lock parameter that is bound to an instance."""

    lock: LockClass
    at: LockAt | None = None
    span: Span = NOWHERE


@dataclass(frozen=True)
class TypeBinding:
    """A declared type."""

    type: Type
    span: Span = NOWHERE


@dataclass(frozen=True)
class OpBinding:
    """An op."""

    op: syntax.Op
    span: Span = NOWHERE


@dataclass(frozen=True)
class ThreadBinding:
    """A thread declaration."""

    group: ThreadGroup
    span: Span = NOWHERE


Binding = ConstantBinding | StorageBinding | LockBinding | TypeBinding | OpBinding | ThreadBinding

KINDS = {
    ConstantBinding: "a constant",
    StorageBinding: "a variable",
    LockBinding: "a lock",
    TypeBinding: "a type",
    OpBinding: "an op",
    ThreadBinding: "a thread",
}


@dataclass
class Scope:
    """Names declared in a block, and the scope around it."""

    parent: Scope | None = None
    names: dict[str, Binding] = field(default_factory=dict)

    def find(self, name: str) -> Binding | None:
        """Return what the name stands for here, or None."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def visible(self) -> set[str]:
        """Return every name that can be used here."""
        around = self.parent.visible() if self.parent else set()
        return around | set(self.names)

    def child(self) -> Scope:
        """Return a scope inside this one."""
        return Scope(self)


def constant(value: int, kind: Scalar, *, firm: bool = True, span: Span = NOWHERE) -> ConstantBinding:
    """Return the binding of a constant of a type."""
    return ConstantBinding(Value(Const(value), kind, firm), span)


def is_reported(scope: Scope, node: syntax.Expression) -> bool:
    """Whether an expression is a name, with or without index, whose declaration was found wrong."""
    while isinstance(node, syntax.Index | syntax.Unary | syntax.Paren):
        match node:
            case syntax.Index(base):
                node = base
            case syntax.Unary(_, inner) | syntax.Paren(inner):
                node = inner
    binding = scope.find(node.id) if isinstance(node, syntax.Name) else None
    return isinstance(binding, ConstantBinding) and binding.value.type is None
