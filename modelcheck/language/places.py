"""Names with indexes and fields -> what they stand for: a cell, a lock instance, a thread, a constant, a type."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from modelcheck.diagnostics import counted, near_miss
from modelcheck.language import expressions, operations, syntax
from modelcheck.language.context import Context
from modelcheck.language.model import Const, Expr, LockAt
from modelcheck.language.scope import (
    KINDS,
    ConstantBinding,
    LockBinding,
    LockPlace,
    OpBinding,
    Place,
    Storage,
    StorageBinding,
    ThreadBinding,
    ThreadGroup,
    ThreadPlace,
    TypeBinding,
)
from modelcheck.language.types import (
    ERRNO,
    Bool,
    Enum,
    Range,
    Record,
    Scalar,
    SetOf,
    Type,
    bounds,
    show,
)
from modelcheck.language.values import Value
from modelcheck.source import Span

LARGEST_SET = 62

FOREIGN_TYPES = {
    **dict.fromkeys(("int", "unsigned", "long", "u32", "u64", "size_t"), "a number has a range: `0 .. 7`"),
    **dict.fromkeys(("boolean", "_Bool"), "write `bool`"),
    **dict.fromkeys(
        ("atomic_t", "atomic"), "a number has a range, and may be `marked`: `var x: 0 .. 7 marked;`"
    ),
}
"""Types of other languages, and what to write in this one."""

Resolved = Value | Place | LockPlace | ThreadPlace


def resolve(ctx: Context, node: syntax.Expression, *, threads: bool = False) -> Resolved | None:
    """Return what a name, index or member stands for; None after reporting an error.

    `threads`: a thread declaration with several instances is meant as all of them.
    """
    found = _resolved(ctx, node, threads=threads)
    return None if isinstance(found, Value) and found.type is None else found


def _resolved(ctx: Context, node: syntax.Expression, *, threads: bool) -> Resolved | None:
    match node:
        case syntax.Paren(inner) | syntax.Unary("&", inner):
            return resolve(ctx, inner, threads=threads)
        case syntax.Name():
            return _name(ctx, node, threads=threads)
        case syntax.Index(base, index):
            return _indexed(ctx, node, resolve(ctx, base, threads=True), index)
        case syntax.Member():
            return _member(ctx, node)
        case _:
            return expressions.lower(ctx, node)


def _name(ctx: Context, node: syntax.Name, *, threads: bool) -> Resolved | None:
    if node.id in ("mover", "self") and ctx.scope.find(node.id) is None:
        if node.id == "mover":
            ctx.error(
                "MC050",
                node.span,
                "`mover` is the thread that moved in a step",
                "use it in a `step` property",
            )
        else:
            hint = "threads declared `thread name[N]` have one; an op gets it as an argument"
            message = "`self` is the number of the running thread: there is none here"
            ctx.error("MC052", node.span, message, hint)
        return None
    binding = ctx.find(node.id, node.span)
    match binding:
        case None:
            return None
        case ConstantBinding(value):
            return value
        case StorageBinding(storage):
            return _visible(ctx, storage, node.span)
        case LockBinding(lock, at):
            return LockPlace(at or LockAt(lock))
        case ThreadBinding(group):
            return _thread(ctx, group, node.span, several=threads)
        case TypeBinding() | OpBinding():
            hint = "call it in a statement of its own" if isinstance(binding, OpBinding) else ""
            ctx.error("MC012", node.span, f"`{node.id}` is {KINDS[type(binding)]}, not a value", hint)
            return None
        case _:
            assert_never(binding)


def _visible(ctx: Context, storage: Storage, span: Span) -> Place | None:
    if ctx.mode == "constant":
        ctx.error("MC025", span, f"`{storage.name}` is a variable; a constant is needed here")
        return None
    return Place(storage)


def _thread(ctx: Context, group: ThreadGroup, span: Span, *, several: bool) -> ThreadPlace | None:
    if ctx.mode in ("code", "constant"):
        ctx.error("MC051", span, f"`{group.declaration.name}` is a thread: only properties name threads")
        return None
    if group.index_type is None:
        return ThreadPlace(group, group.numbers[0] if group.numbers else -1)
    if not several:
        ctx.error(
            "MC024",
            span,
            f"there are {len(group.numbers)} threads `{group.declaration.name}`: say which one",
            f"`{group.declaration.name}[0]`, or a name bound by forall or exists",
        )
        return None
    return ThreadPlace(group, -1)


def _indexed(
    ctx: Context, node: syntax.Index, base: Resolved | None, index: syntax.Expression
) -> Resolved | None:
    match base:
        case None:
            expressions.lower(ctx, index)
            return None
        case Place(storage, given):
            if len(given) >= len(storage.dimensions):
                _no_index(ctx, storage.name, index, more=bool(given))
                return None
            expr = index_of(ctx, index, storage.dimensions[len(given)])
            return None if expr is None else Place(storage, (*given, expr))
        case LockPlace(LockAt(lock, given)):
            if len(given) >= len(lock.dimensions):
                _no_index(ctx, lock.name, index, more=bool(given))
                return None
            expr = index_of(ctx, index, lock.dimensions[len(given)])
            return None if expr is None else LockPlace(LockAt(lock, (*given, expr)))
        case ThreadPlace(group, _):
            return thread_instance(ctx, group, index)
        case Value():
            ctx.error("MC020", node.span, f"`{node.base.span.text}` is not an array")
            return None
        case _:
            assert_never(base)


def _no_index(ctx: Context, name: str, index: syntax.Expression, *, more: bool) -> None:
    expressions.lower(ctx, index)
    ctx.error("MC020", index.span, f"`{name}` has no {'further index' if more else 'index: it is no array'}")


def index_of(ctx: Context, node: syntax.Expression, kind: Scalar) -> Expr | None:
    """Return an index expression of the index type; report one that does not fit."""
    # An index is read as of now, even inside next(...) of the indexed variable: next() covers all it contains.
    value = expressions.lower(ctx, node, kind)
    checked = expressions.coerce(ctx, value, kind, node.span, "this index")
    return None if checked.type is None else checked.expr


def thread_instance(ctx: Context, group: ThreadGroup, index: syntax.Expression) -> ThreadPlace | None:
    """Return the thread that a constant index chooses from a group; report anything else."""
    if group.index_type is None:
        ctx.error("MC020", index.span, f"there is one thread `{group.declaration.name}`; it has no index")
        return None
    given = expressions.lower(ctx, index, group.index_type)
    inside = replace(ctx, kept=False)  # one outside is reported below
    value = expressions.coerce(inside, given, group.index_type, index.span)
    if value.constant is None:
        if value.type is not None:
            hint = "inside forall and exists the bound name is one"
            ctx.error("MC025", index.span, "which thread is meant must be a constant", hint)
        return None
    if not group.numbers:
        return ThreadPlace(group, -1)
    position = value.constant - bounds(group.index_type)[0]
    if not 0 <= position < len(group.numbers):
        name = group.declaration.name
        known = counted(len(group.numbers), "thread")
        message = f"`{name}[{index.span.text}]` goes beyond the {known} `{name}`"
        ctx.error("MC027", index.span, message)
        return None
    return ThreadPlace(group, group.numbers[position])


def _member(ctx: Context, node: syntax.Member) -> Resolved | None:
    if isinstance(node.base, syntax.Name):
        binding = ctx.scope.find(node.base.id)
        if isinstance(binding, TypeBinding):
            return _enum_member(ctx, node, binding.type)
    base = resolve(ctx, node.base)
    match base:
        case None:
            return None
        case Place(storage, index) if isinstance(storage.type, Record):
            part = storage.fields.get(node.field)
            if part is None:
                hint = near_miss(node.field, storage.fields) or f"it has {', '.join(storage.fields)}"
                message = f"record `{storage.type.name}` has no field `{node.field}`"
                ctx.error("MC010", _field(node), message, hint)
                return None
            if not base.complete:
                message = f"`{storage.name}` is an array of records: say which one"
                ctx.error("MC020", node.base.span, message, f"`{storage.name}[...].{node.field}`")
                return None
            return Place(part, index)
        case ThreadPlace(group, thread):
            return _thread_local(ctx, node, group, thread)
        case _:
            ctx.error("MC020", _field(node), f"`{node.base.span.text}` has no fields")
            return None


def _field(node: syntax.Member) -> Span:
    return Span(node.span.source, node.span.end - len(node.field), node.span.end)


def _enum_member(ctx: Context, node: syntax.Member, kind: Type) -> Value | None:
    if isinstance(kind, Enum) and node.field in kind.members:
        return Value(Const(kind.members.index(node.field)), kind)
    if isinstance(kind, Enum):
        hint = near_miss(node.field, kind.members)
        ctx.error("MC010", _field(node), f"enum `{kind.name}` has no value `{node.field}`", hint)
    else:
        ctx.error("MC012", node.base.span, f"`{node.base.span.text}` is a type, and no enum")
    return None


def _thread_local(ctx: Context, node: syntax.Member, group: ThreadGroup, thread: int) -> Resolved | None:
    if ctx.mode not in ("property", "step"):
        ctx.error("MC051", _field(node), "a thread's locals can be named in properties only")
        return None
    if thread < 0:
        ctx.error(
            "MC024", node.base.span, f"`{group.declaration.name}` does not run here, or has several instances"
        )
        return None
    own = ctx.unit.thread_locals.get(thread, {})
    if node.field not in own:
        message = f"thread `{group.declaration.name}` has no local `{node.field}`"
        ctx.error("MC010", _field(node), message, near_miss(node.field, own))
        return None
    return Place(own[node.field])


def lock_at(ctx: Context, node: syntax.Expression) -> LockAt | None:
    """Return the lock instance that an expression names, with all its indexes; report anything else."""
    if is_another_kind(ctx, node, "a lock"):
        return None
    found = resolve(ctx, node)
    if found is None:
        return None
    if not isinstance(found, LockPlace):
        ctx.error("MC012", node.span, f"`{node.span.text}` is not a lock")
        return None
    lock = found.at.lock
    if len(found.at.index) < len(lock.dimensions):
        hint = f"`{lock.name}{'[...]' * len(lock.dimensions)}`"
        ctx.error("MC020", node.span, f"`{lock.name}` is an array of locks: say which one", hint)
        return None
    return found.at


def is_another_kind(ctx: Context, node: syntax.Expression, wanted: str) -> bool:
    """Report a name that is declared as something else than the wanted lock or thread, and is no value either."""
    inner = node.operand if isinstance(node, syntax.Unary) and node.operator == "&" else node
    binding = ctx.scope.find(inner.id) if isinstance(inner, syntax.Name) else None
    if not isinstance(binding, OpBinding | TypeBinding | ThreadBinding | LockBinding):
        return False
    if KINDS[type(binding)] == wanted:
        return False
    ctx.error("MC012", inner.span, f"`{inner.span.text}` is {KINDS[type(binding)]}, not {wanted}")
    return True


def type_of(ctx: Context, node: syntax.TypeExpression) -> Scalar | None:
    """Return the scalar type that a type expression denotes; report what is wrong with it."""
    found = any_type_of(ctx, node)
    if isinstance(found, Record):
        ctx.error("MC012", node.span, f"`{found.name}` is a record; a simple type is needed here")
        return None
    return found


def any_type_of(ctx: Context, node: syntax.TypeExpression) -> Type | None:
    """Return the type that a type expression denotes, records included."""
    match node:
        case syntax.NamedType("bool"):
            return Bool()
        case syntax.NamedType("Errno"):
            return ERRNO
        case syntax.NamedType():
            return _named_type(ctx, node)
        case syntax.RangeType():
            return _range(ctx, node)
        case syntax.SetType(element):
            inner = type_of(ctx, element)
            if inner is None:
                return None
            if not isinstance(inner, SetOf) and bounds(inner)[1] - bounds(inner)[0] < LARGEST_SET:
                return SetOf(inner)  # type: ignore[arg-type]
            ctx.error(
                "MC028",
                node.span,
                f"a set can have at most {LARGEST_SET} possible elements, and no sets in it",
            )
            return None
        case _:
            assert_never(node)


def _named_type(ctx: Context, node: syntax.NamedType) -> Type | None:
    binding = ctx.scope.find(node.name)
    if isinstance(binding, TypeBinding):
        return binding.type
    if binding is None:
        types = {n for n in ctx.scope.visible() if isinstance(ctx.scope.find(n), TypeBinding)}
        hint = FOREIGN_TYPES.get(node.name) or near_miss(node.name, {*types, "bool", "Errno"})
        ctx.error("MC010", node.span, f"there is no type `{node.name}`", hint)
    elif not (isinstance(binding, ConstantBinding) and binding.value.type is None):  # that was reported
        hint = "a size is a range: `0 .. N - 1`" if isinstance(binding, ConstantBinding) else ""
        ctx.error("MC012", node.span, f"`{node.name}` is {KINDS[type(binding)]}, not a type", hint)
    return None


def _range(ctx: Context, node: syntax.RangeType) -> Range | None:
    low, high = constant_number(ctx, node.low), constant_number(ctx, node.high)
    if low is None or high is None:
        return None
    if low > high:
        ctx.error("MC026", node.span, f"the range {low} .. {high} is empty")
        return None
    return Range(low, high)


def constant_number(ctx: Context, node: syntax.Expression) -> int | None:
    """Return the value of a constant integer expression; report anything else."""
    value = constant_value(ctx, node)
    if value is None or value.type is None:
        return None
    if not isinstance(value.type, Range):
        ctx.error("MC020", node.span, f"a number is needed here, this is {operations.described(value.type)}")
        return None
    return value.constant


def constant_value(ctx: Context, node: syntax.Expression, expected: Scalar | None = None) -> Value | None:
    """Return a constant expression's value; report an expression that is not constant."""
    inner = Context(ctx.unit, ctx.scope, "constant", kept=ctx.kept)
    value = expressions.lower(inner, node, expected)
    if value.type is not None and value.constant is None:
        ctx.error(
            "MC025", node.span, "a constant is needed here", "literals, parameters and constants can be used"
        )
        return None
    return value if value.type is not None else None


def index_value(value: int, kind: Scalar, span: Span) -> ConstantBinding:
    """Return the binding of a `for` or quantifier variable in one copy of its body."""
    return ConstantBinding(Value(Const(value), kind, firm=False), span)


def shown(kind: Scalar, value: int) -> str:
    """Return a constant as the reader writes it."""
    return show(kind, value)
