"""Values, names and expressions of the second opinion: read from SEMANTICS H6 and the syntax tree alone.

A bool is a bool, a number and an enum value an int, a set a frozenset, an Errno 0 or its name. Nothing is typed
statically: only what is assigned is checked against the type of the place.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from modelcheck.language import syntax as s
from modelcheck.language.types import ERRNO, Bool, Enum, Range, Record, RecordField, Scalarset, SetOf, Type

Value = int | str | frozenset[int]
Key = tuple[object, ...]
"""A cell: (name or slot, index, index, ...)."""


class WrongError(Exception):
    """This is an error step: out of range, undefined, an assertion, a lock rule."""


class VariesError(Exception):
    """The expression is not constant."""


@dataclass(frozen=True)
class Storage:
    """A variable: its base key, its index types and type; `shared` or of a frame."""

    base: object
    dims: tuple[Type, ...]
    type: Type
    shared: bool


@dataclass(frozen=True)
class LockStorage:
    """A lock class, or (of a parameter) the instance that was given."""

    kind: str
    name: str
    dims: tuple[Type, ...]
    index: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Fixed:
    """A constant: a parameter, an enum value, `self`, a `for` variable."""

    value: Value


Binding = Storage | LockStorage | Fixed


class Env(NamedTuple):
    """Who runs, how deep in calls, and the names in scope, innermost last."""

    me: int
    depth: int
    names: tuple[tuple[str, Binding], ...]

    def plus(self, name: str, binding: Binding) -> Env:
        return self._replace(names=(*self.names, (name, binding)))


def as_int(value: Value) -> int:
    assert isinstance(value, int)
    return value


def quotient(left: int, right: int) -> int:
    if right == 0:
        raise WrongError
    return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)


def bits(apply: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def checked(left: int, right: int) -> int:
        if left < 0 or right < 0:
            raise WrongError
        return apply(left, right)

    return checked


NUMBERS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": quotient,
    "%": lambda a, b: a - b * quotient(a, b),
    "&": bits(operator.and_),
    "|": bits(operator.or_),
    "^": bits(operator.xor),
    "<<": bits(operator.lshift),
    ">>": bits(operator.rshift),
}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TRANSPARENT = ("READ_ONCE", "data_race")


@dataclass
class Globals:
    """What the file declares."""

    types: dict[str, Type] = field(default_factory=lambda: {"bool": Bool(), "Errno": ERRNO})
    names: dict[str, Binding] = field(default_factory=lambda: {n: Fixed(n) for n in ERRNO.members[1:]})
    ops: dict[str, s.Op] = field(default_factory=dict)
    first: dict[Key, Value] = field(default_factory=dict)

    # --- names and types -------------------------------------------------------------------------

    def find(self, name: str, env: Env) -> Binding:
        return next((b for n, b in reversed(env.names) if n == name), None) or self.names[name]

    def type_of(self, node: s.TypeExpression, env: Env) -> Type:
        match node:
            case s.NamedType(name):
                return self.types[name]
            case s.RangeType(low, high):
                return Range(as_int(self.constant(low, env)), as_int(self.constant(high, env)))
            case s.SetType(element):
                inner = self.type_of(element, env)
                assert isinstance(inner, Bool | Range | Enum | Scalarset)
                return SetOf(inner)

    def record(self, node: s.RecordDeclaration, env: Env) -> Record:
        fields: list[RecordField] = []
        for each in node.fields:
            dims = [
                kind for d in each.dimensions if not isinstance(kind := self.type_of(d.type, env), Record)
            ]
            fields.append(RecordField(each.name, tuple(dims), self.type_of(each.type, env)))
        return Record(node.name, tuple(fields))

    def cells(self, storage: Storage) -> Iterator[tuple[Key, Type]]:
        """Yield every cell: a record's field is part of the base."""
        if isinstance(storage.type, Record):
            for each in storage.type.fields:
                yield from self.cells(self.member(storage, each.name))
            return
        for index in product(*(values(d) for d in storage.dims)):
            yield (storage.base, *index), storage.type

    def member(self, storage: Storage, name: str) -> Storage:
        assert isinstance(storage.type, Record)
        found = next(f for f in storage.type.fields if f.name == name)
        return Storage((storage.base, name), (*storage.dims, *found.dimensions), found.type, storage.shared)

    # --- expressions -----------------------------------------------------------------------------

    def constant(self, node: s.Expression, env: Env) -> Value:
        """Return the value of a constant expression, or raise VariesError."""
        return self.value(node, env, None)

    def is_constant(self, node: s.Expression, env: Env) -> bool:
        try:
            self.constant(node, env)
        except (VariesError, WrongError):
            return False
        return True

    def reads_shared(self, node: s.Node, env: Env) -> bool:
        """Tell whether evaluating this reads shared data, after folding what is constant."""
        if isinstance(node, s.Name):
            found = (
                self.names.get(node.id)
                if all(n != node.id for n, _ in env.names)
                else self.find(node.id, env)
            )
            return isinstance(found, Storage) and found.shared
        if isinstance(node, s.Expression) and self.is_constant(node, env):
            return False
        if isinstance(node, s.Call) and node.name.startswith("held"):
            return True
        if isinstance(node, s.Binary) and node.operator in ("&&", "||", "implies"):
            sides = [x for x in (node.left, node.right) if not self.is_constant(x, env)]
            return any(self.reads_shared(x, env) for x in sides)
        if isinstance(node, s.Conditional) and self.is_constant(node.condition, env):
            return self.reads_shared(node.then if self.constant(node.condition, env) else node.otherwise, env)
        if isinstance(node, s.Quantifier):
            return any(self.reads_shared(node.body, one) for one in self.instances(node.binders, env))
        return any(self.reads_shared(child, env) for child in node.children())

    def instances(self, binders: tuple[s.Binder, ...], env: Env) -> Iterator[Env]:
        if not binders:
            yield env
            return
        for value in values(self.type_of(binders[0].type, env)):
            yield from self.instances(binders[1:], env.plus(binders[0].name, Fixed(value)))

    def value(self, node: s.Expression, env: Env, read: Callable[[Key, bool], Value] | None) -> Value:
        """Return the value; `read` looks a cell up, None for constants only."""
        match node:
            case s.Number(number):
                return number
            case s.Boolean(truth):
                return truth
            case s.Paren(inner):
                return self.value(inner, env, read)
            case s.Name() | s.Index() | s.Member():
                return self._cell(node, env, read)
            case s.Unary("!", inner):
                return not self.value(inner, env, read)
            case s.Unary(_, inner):
                value = self.value(inner, env, read)
                return value if isinstance(value, str) else -as_int(value)
            case s.Binary():
                return self._binary(node, env, read)
            case s.Conditional(test, then, otherwise):
                return self.value(then if self.value(test, env, read) else otherwise, env, read)
            case s.SetLiteral(elements):
                return frozenset(as_int(self.value(e, env, read)) for e in elements)
            case s.Quantifier(kind, binders, body):
                return self._quantifier(kind, binders, body, env, read)
            case s.Call(name, (inner, *_)) if name in TRANSPARENT:
                return self.value(inner, env, read)
            case s.Call(name, (lock, *_)):
                if name == "held_read" and self.lock_kind(lock, env) in ("mutex", "spinlock"):
                    return False
                if read is None:
                    raise VariesError
                return self.held(name, self.instance(lock, env, read), env.me, read)
            case _:
                raise AssertionError(node)

    def _binary(self, node: s.Binary, env: Env, read: Callable[[Key, bool], Value] | None) -> Value:
        left = self.value(node.left, env, read)
        match node.operator:
            case "&&":
                return bool(left) and bool(self.value(node.right, env, read))
            case "||":
                return bool(left) or bool(self.value(node.right, env, read))
            case "implies":
                return not left or bool(self.value(node.right, env, read))
        right = self.value(node.right, env, read)
        if node.operator == "in":
            assert isinstance(right, frozenset)
            return left in right
        if node.operator in COMPARISONS:
            return COMPARISONS[node.operator](left, right)
        if isinstance(left, frozenset) and isinstance(right, frozenset):
            by = {"|": left | right, "&": left & right, "^": left ^ right, "-": left - right}
            return by[node.operator]
        return NUMBERS[node.operator](as_int(left), as_int(right))

    def _quantifier(
        self,
        kind: str,
        binders: tuple[s.Binder, ...],
        body: s.Expression,
        env: Env,
        read: Callable[[Key, bool], Value] | None,
    ) -> Value:
        each = (bool(self.value(body, one, read)) for one in self.instances(binders, env))
        return all(each) if kind == "forall" else any(each) if kind == "exists" else sum(each)

    def _cell(self, node: s.Expression, env: Env, read: Callable[[Key, bool], Value] | None) -> Value:
        if isinstance(node, s.Member) and isinstance(node.base, s.Name):
            kind = self.types.get(node.base.id)
            if isinstance(kind, Enum):
                return kind.members.index(node.field)
        if isinstance(node, s.Name) and isinstance(found := self.find(node.id, env), Fixed):
            return found.value
        if read is None:
            raise VariesError
        storage, index = self.place(node, env, read)
        return read((storage.base, *index), storage.shared)

    def place(
        self, node: s.Expression, env: Env, read: Callable[[Key, bool], Value]
    ) -> tuple[Storage, tuple[int, ...]]:
        """Return the storage and index values of a place."""
        match node:
            case s.Paren(inner):
                return self.place(inner, env, read)
            case s.Name(name):
                found = self.find(name, env)
                assert isinstance(found, Storage)
                return found, ()
            case s.Member(base, name):
                storage, index = self.place(base, env, read)
                return self.member(storage, name), index
            case s.Index(base, at):
                storage, index = self.place(base, env, read)
                return storage, (*index, within(self.value(at, env, read), storage.dims[len(index)]))
            case _:
                raise AssertionError(node)

    # --- locks -----------------------------------------------------------------------------------

    def instance(self, node: s.Expression, env: Env, read: Callable[[Key, bool], Value]) -> LockStorage:
        match node:
            case s.Paren(inner) | s.Unary("&", inner):
                return self.instance(inner, env, read)
            case s.Name(name):
                found = self.find(name, env)
                assert isinstance(found, LockStorage)
                return (
                    found if found.index is not None else LockStorage(found.kind, found.name, found.dims, ())
                )
            case s.Index(base, at):
                lock = self.instance(base, env, read)
                index = lock.index or ()
                value = within(self.value(at, env, read), lock.dims[len(index)])
                return LockStorage(lock.kind, lock.name, lock.dims, (*index, value))
            case _:
                raise AssertionError(node)

    def lock_kind(self, node: s.Expression, env: Env) -> str:
        while not isinstance(node, s.Name):
            assert isinstance(node, s.Paren | s.Unary | s.Index)
            node = (
                node.inner
                if isinstance(node, s.Paren)
                else node.operand
                if isinstance(node, s.Unary)
                else node.base
            )
        found = self.find(node.id, env)
        assert isinstance(found, LockStorage)
        return found.kind

    def held(self, name: str, lock: LockStorage, me: int, read: Callable[[Key, bool], Value]) -> bool:
        def field_of(part: str, *more: int) -> Value:
            return read((f"{lock.name}.{part}", *(lock.index or ()), *more), True)

        if lock.kind in ("mutex", "spinlock"):
            return name not in ("held_read", "lockdep_assert_held_read") and field_of("owner") == me + 1
        reading = as_int(field_of("readers", me)) > 0
        writing = field_of("block") == me + 1 and bool(field_of("writing"))
        return (reading and "write" not in name) or (writing and "read" not in name)


def values(kind: Type) -> range:
    """Return the values of an index, `for` or `choose` type."""
    match kind:
        case Bool():
            return range(2)
        case Range(low, high) | Scalarset(_, low, high):
            return range(low, high + 1)
        case Enum(_, members):
            return range(len(members))
        case _:
            raise AssertionError(kind)


def first_value(kind: Type) -> Value:
    return frozenset() if isinstance(kind, SetOf) else values(kind)[0]


def within(value: Value, kind: Type) -> int:
    number = as_int(value)
    if number not in values(kind):
        raise WrongError
    return int(number)


def checked(value: Value, kind: Type) -> Value:
    """Return the value if the type has it."""
    if isinstance(kind, SetOf):
        assert isinstance(value, frozenset)
        if not value <= frozenset(values(kind.element)):
            raise WrongError
        return value
    return value if kind == ERRNO else within(value, kind)


def encoded(value: Value, kind: Type) -> int:
    """Return the integer that the product uses for a value."""
    if isinstance(kind, SetOf):
        assert isinstance(value, frozenset)
        return sum(1 << (v - values(kind.element)[0]) for v in value)
    if kind == ERRNO:
        return ERRNO.members.index(str(value))
    return int(as_int(value))
