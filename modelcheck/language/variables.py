"""Declarations of variables and locks -> Variables and Lock classes of the Model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from modelcheck.diagnostics import an, near_miss
from modelcheck.language import syntax
from modelcheck.language.body import MOST_CELLS, count_cells, dimension_types
from modelcheck.language.context import Context, Unit
from modelcheck.language.expressions import coerce, unrolled
from modelcheck.language.model import Bound, GuardRule, Lock, LockAt, Variable
from modelcheck.language.naming import named
from modelcheck.language.places import (
    any_type_of,
    constant_number,
    constant_value,
    index_value,
    lock_at,
    type_of,
)
from modelcheck.language.scope import ConstantBinding, LockBinding, Storage, StorageBinding, is_reported
from modelcheck.language.types import Enum, Range, Record, Scalar, Type, bounds
from modelcheck.language.values import Value
from modelcheck.locks import KINDS, PRIMITIVES
from modelcheck.locks.primitive import Declared, Primitive
from modelcheck.source import Span

FOREIGN = {
    **dict.fromkeys(("model", "header"), "`model NAME;` stands once, at the top of the file"),
    **dict.fromkeys(
        ("int", "unsigned", "long", "char", "u32", "u64", "size_t", "atomic_t", "bool", "Errno"),
        "a variable is declared `var x: 0 .. 7;`, `var x: bool;`",
    ),
    **dict.fromkeys(
        ("static", "extern", "struct", "volatile"), "a variable is declared `var x: T;`, without `static`"
    ),
}
"""Words that start a declaration elsewhere, and what to write here."""


def declare_lock(unit: Unit, node: syntax.Lock) -> None:
    """Add a lock class and its variables to the unit."""
    ctx = Context(unit, unit.globals, "constant")
    primitive = PRIMITIVES[node.kind] if node.kind in KINDS else None
    dimensions = dimension_types(ctx, node.dimensions)
    if primitive is None or dimensions is None:
        if primitive is None:
            _unknown_kind(ctx, node)
        return
    declared = _declared(ctx, node, primitive)
    if declared is None or not _small_enough(ctx, dimensions, node, node.name):
        return
    fields = lock_fields(node.name, primitive, dimensions, declared, node.span)
    lock = Lock(
        node.name,
        node.kind,
        dimensions,
        fields,
        "novalidate" in node.attributes,
        "handover" in node.attributes,
        node.span,
    )
    unit.locks.append(lock)
    unit.variables.extend(fields.values())
    unit.globals.names[node.name] = LockBinding(lock, None, node.span)


def _declared(ctx: Context, node: syntax.Lock, primitive: Primitive) -> Declared | None:
    """Return what the declaration says of the lock's variables; report what its kind does not have."""
    for part in (node.bound, node.initial):
        if part is not None and not primitive.bounded:
            hint = "it starts free" if part is node.initial else ""
            ctx.error("MC012", part.span, f"{an(node.kind)} has neither bound nor initial value", hint)
    known = ("novalidate", *sorted(primitive.says))
    for attribute in node.attributes:
        if attribute not in known:
            message = f"{an(node.kind)} cannot be `{attribute}`"
            ctx.error("MC012", named(node, attribute), message, f"{' and '.join(known)} can be said")
    declared = declared_by(ctx.unit, node.attributes)
    if not primitive.bounded:
        return declared
    if node.bound is not None:
        kind = type_of(ctx, node.bound)
        if not isinstance(kind, Range) or kind.low < 0:
            if kind is not None:
                ctx.error("MC020", node.bound.span, "the bound is a range of numbers from 0 on: `0..4`")
            return None
        declared = replace(declared, bound=bounds(kind))
    if node.initial is not None:
        initial = constant_number(ctx, node.initial)
        if initial is None:
            return None
        low, high = declared.bound or (0, max(initial, len(declared.threads)))
        if not low <= initial <= high:
            ctx.error(
                "MC027", node.initial.span, f"`{node.name}` starts at {initial}, outside {low} .. {high}"
            )
            return None
        declared = replace(declared, initial=initial)
    return declared


def declared_by(unit: Unit, attributes: Iterable[str] = ()) -> Declared:
    """Return what the variables of a lock without bound and initial value depend on."""
    return Declared(unit.thread_names or ("none",), says=frozenset((*attributes, *unit.domains)))


def lock_fields(
    name: str, primitive: Primitive, dimensions: tuple[Scalar, ...], declared: Declared, span: Span
) -> dict[str, Variable]:
    """Return the variables of a lock by their names in its primitive."""
    fields: dict[str, Variable] = {}
    for each in primitive.fields:
        if each.only and each.only not in declared.says:
            continue
        kind = each.type(declared)
        index = (*dimensions, Enum("thread", declared.threads)) if each.per_thread else dimensions
        first = bounds(kind)[0] if each.initial is None else each.initial(declared)
        initial = (first,) * count_cells(index)
        fields[each.name] = Variable(f"{name}.{each.name}", kind, index, initial, "lock", span=span)
    return fields


def unknown_kind(ctx: Context, kind: str, span: Span) -> None:
    """Report a kind of lock that there is not, in an op's parameter; `span` starts with it."""
    place = Span(span.source, span.start, span.start + len(kind))
    ctx.error("MC010", place, f"there is no kind of lock `{kind}`", near_miss(kind, KINDS))


def _unknown_kind(ctx: Context, node: syntax.Lock) -> None:
    place = Span(node.span.source, node.span.start, node.span.start + len(node.kind))
    if node.kind in PRIMITIVES:
        hint = f"there is one for the whole model, with {', '.join(PRIMITIVES[node.kind].verbs)}"
        ctx.error("MC012", place, f"`{node.kind}` is not declared", hint)
        return
    words = "var param const type enum record scalarset thread op invariant step reachable scenario import"
    hint = FOREIGN.get(node.kind) or near_miss(node.kind, [*KINDS, *words.split()])
    ctx.error("MC010", place, f"there is no kind of lock or declaration `{node.kind}`", hint)


def _small_enough(ctx: Context, dimensions: tuple[Scalar, ...], node: syntax.Node, name: str) -> bool:
    if count_cells(dimensions) <= MOST_CELLS:
        return True
    message = f"`{name}` would have {count_cells(dimensions)} elements"
    ctx.error("MC028", named(node, name), message, f"at most {MOST_CELLS} can be declared")
    return False


def declare_variable(unit: Unit, node: syntax.Variable) -> None:
    """Add a shared variable to the unit, one Variable for each field of a record."""
    ctx = Context(unit, unit.globals, "constant")
    kind, dimensions = any_type_of(ctx, node.type), dimension_types(ctx, node.dimensions)
    if kind is None or dimensions is None or not _small_enough(ctx, dimensions, node, node.name):
        return
    storage = _storage(unit, node, node.name, kind, dimensions)
    if node.initial is not None:
        storage = _initialised(ctx, node, storage, dimensions)
    unit.variables.extend(storage.variables)
    unit.globals.names[node.name] = StorageBinding(storage, node.span, node)


def _storage(
    unit: Unit, node: syntax.Variable, name: str, kind: Type, dimensions: tuple[Scalar, ...]
) -> Storage:
    if isinstance(kind, Record):
        parts = {
            f.name: _storage(unit, node, f"{name}.{f.name}", f.type, (*dimensions, *f.dimensions))
            for f in kind.fields
        }
        return Storage(name, dimensions, kind, None, parts)
    initial = (bounds(kind)[0],) * count_cells(dimensions)
    marked = node.marked if node.marked is not None else ("model marked" if unit.all_marked else None)
    variable = Variable(name, kind, dimensions, initial, "shared", marked=marked, span=node.span)
    return Storage(name, dimensions, kind, variable)


def _initialised(
    ctx: Context, node: syntax.Variable, storage: Storage, dimensions: tuple[Scalar, ...]
) -> Storage:
    """Return the storage with the value of the initialiser for each element; it may use the index (SEMANTICS G2)."""
    variable = storage.variable
    assert node.initial is not None
    if variable is None:
        ctx.error("MC020", node.initial.span, "a record is initialised in `init { }`, field by field")
        return storage
    values: list[int] = []

    def fill(inner: Context, position: int) -> None:
        if position == len(dimensions):
            assert node.initial is not None
            value = constant_value(inner, node.initial, variable.type)
            if value is not None:
                value = coerce(
                    inner, value, variable.type, node.initial.span, f"the initial value of `{node.name}`"
                )
            values.append(value.constant if value is not None and value.constant is not None else 0)
            return
        low, high = bounds(dimensions[position])
        for index in range(low, high + 1):
            deeper = replace(inner, scope=unrolled(inner.scope, high - low + 1))
            binder = node.dimensions[position].binder
            if binder is not None:
                # Firm: an initial value outside its type is a mistake in the text for whatever element it is.
                one = index_value(index, dimensions[position], node.span)
                deeper.scope.names[binder] = replace(one, value=replace(one.value, firm=True))
            fill(deeper, position + 1)

    fill(ctx, 0)
    return replace(storage, variable=replace(variable, initial=tuple(values)))


def declare_guards(unit: Unit, node: syntax.Variable) -> None:
    """Resolve the `guarded_by` of a variable; locks may be declared after it, so this comes last."""
    binding = unit.globals.find(node.name)
    if not isinstance(binding, StorageBinding) or not node.guards:
        return
    ctx = Context(unit, unit.globals.child(), "property")
    storage = binding.storage
    for position, (dimension, kind) in enumerate(zip(node.dimensions, storage.dimensions, strict=False)):
        if dimension.binder is not None:
            low, high = bounds(kind)
            ctx.scope.names[dimension.binder] = ConstantBinding(
                Value(Bound(position, low, high), kind), dimension.span
            )
    rules: list[GuardRule] = []
    for guard in node.guards:
        found = [_guarding(ctx, node, each) for each in guard.locks]
        if all(at is not None for at in found):
            rules.append(GuardRule(guard.kind, tuple(at for at in found if at is not None), guard.span))  # type: ignore[arg-type]
    _replace(unit, binding, tuple(rules))


def _guarding(ctx: Context, node: syntax.Variable, lock: syntax.Expression) -> LockAt | None:
    """Return the lock that guards a variable; its index is given by the names that the declaration binds."""
    own = [n for n in lock.walk() if isinstance(n, syntax.Name) and n.id == node.name]
    if own and isinstance(lock, syntax.Index) and not is_reported(ctx.scope, own[0]):
        hint = f"name the index: `var {node.name}[i: T]: ... guarded_by l[i]`"
        ctx.error("MC012", own[0].span, f"`{node.name}` is the guarded variable itself", hint)
        return None
    at = lock_at(ctx, lock)
    if at is not None and not PRIMITIVES[at.lock.kind].ordered:
        hint = "name a lock; what only one CPU touches needs no guard"
        ctx.error("MC012", lock.span, f"`{lock.span.text}` keeps nobody out, so it guards nothing", hint)
        return None
    return at


def _replace(unit: Unit, binding: StorageBinding, rules: tuple[GuardRule, ...]) -> None:
    def guarded(storage: Storage) -> Storage:
        if storage.variable is None:
            return replace(storage, fields={name: guarded(part) for name, part in storage.fields.items()})
        variable = replace(storage.variable, guards=rules)
        unit.variables[unit.variables.index(storage.variable)] = variable
        return replace(storage, variable=variable)

    unit.globals.names[binding.storage.name] = replace(binding, storage=guarded(binding.storage))
