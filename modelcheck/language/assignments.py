"""Assignments, declarations of locals, and `choose`."""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language import calls, syntax
from modelcheck.language.body import MOST_CELLS, clear, count_cells, leaves, local_type, one_line
from modelcheck.language.context import Context
from modelcheck.language.expressions import LARGEST_EXPANSION, coerce, condition, lower, unrolled, unwrapped
from modelcheck.language.frame import Way, Work, jump, waiting_on
from modelcheck.language.model import TRUE, Assign, Choose, Effects, Expr, Location, Ref
from modelcheck.language.naming import check_name, named
from modelcheck.language.places import Resolved, index_value, resolve, type_of
from modelcheck.language.scope import ConstantBinding, LockPlace, Place, Storage, StorageBinding, ThreadPlace
from modelcheck.language.types import Record, Scalar, bounds
from modelcheck.language.values import NOTHING, Value, disjunction
from modelcheck.source import Span


def call_in(ctx: Context, node: syntax.Expression | None) -> syntax.Call | None:
    """Return the call that an expression is, if it is one that takes steps."""
    inner = unwrapped(node)
    return inner if isinstance(inner, syntax.Call) and calls.takes_steps(ctx, inner) else None


def assigning(work: Work, node: syntax.Local | syntax.Assign | syntax.Choose, way: Way) -> None:
    """Lower a statement that gives a variable a value."""
    match node:
        case syntax.Local():
            _local(work, node, way)
        case syntax.Assign():
            _assign(work, node, way)
        case syntax.Choose():
            _choose(work, node, way)


def _assign(work: Work, node: syntax.Assign, way: Way) -> None:
    """Lower an assignment: of an expression in one step, of a call's result after the call."""
    call = call_in(work.ctx, node.value)
    if call is not None and node.operator == "=":
        calls.assigned_call(work, call, node.target, node, way)
        return
    effects = (*assignment(work.ctx, node), *jump(way.following))
    work.body.step(work.ctx, way.entry, Location.of(node.span, one_line(node.span.text), effects))


def assignment(ctx: Context, node: syntax.Assign) -> Effects:
    """Return the effects of an assignment of an expression, whole records and arrays included."""
    target = resolve(ctx, node.target)
    if not isinstance(target, Place):
        if target is not None:
            report_target(ctx, target, node.target)
        if node.value is not None:
            lower(ctx, node.value)
        return ()
    if not target.complete or target.storage.variable is None:
        return _copy(ctx, node, target)
    ref = Ref(target.storage.variable, target.index)
    kind = target.storage.variable.type
    if node.operator == "=":
        assert node.value is not None
        value = coerce(ctx, lower(ctx, node.value, kind), kind, node.value.span)
    else:
        value = _compound(ctx, node, ref, kind)
    ctx.record(ref, node.target.span, writes=True)
    return (Assign(ref, value.expr, node.span),)


def report_target(ctx: Context, found: Resolved, node: syntax.Expression) -> None:
    """Report what stands on the left of an assignment and is no variable, or is more than one."""
    text = one_line(node.span.text)
    match found:
        case Place(storage):
            _report_whole(ctx, storage, node.span)
        case LockPlace():
            ctx.error(
                "MC012",
                node.span,
                f"`{text}` is a lock and cannot be assigned",
                "locks change by their verbs",
            )
        case ThreadPlace():
            ctx.error("MC012", node.span, f"`{text}` is a thread and cannot be assigned")
        case Value():
            ctx.error("MC012", node.span, f"`{text}` is not a variable and cannot be assigned")


def _report_whole(ctx: Context, storage: Storage, span: Span) -> None:
    kind, hint = "a record", f"assign its fields: {', '.join(storage.fields)}"
    if storage.dimensions:
        kind, hint = "an array", f"say which element, `{storage.name}[...]`, or assign each in a `for`"
    message = f"`{storage.name}` is {kind}: only another of its type can be copied to it"
    ctx.error("MC020", span, message, hint)


def _compound(ctx: Context, node: syntax.Assign, ref: Ref, kind: Scalar) -> Value:
    """Return what `x += e` or `x++` assigns; it is one access, an atomic read-modify-write (SEMANTICS A2)."""
    symbol = node.operator.removesuffix("=") if node.operator.endswith("=") else node.operator[0]
    given: syntax.Expression = node.value or syntax.Number(1, span=node.span)
    tree = syntax.Binary(symbol, node.target, syntax.Paren(given, span=given.span), span=node.span)
    before = len(ctx.accesses)
    value = coerce(ctx, lower(ctx, tree, kind), kind, node.span)
    own = next((a for a in ctx.accesses[before:] if a.ref == ref and not a.writes), None)
    if own is not None:
        ctx.accesses.remove(own)
    return value


def _copy(ctx: Context, node: syntax.Assign, target: Place) -> Effects:
    """Return the effects of copying a record or an array, cell by cell, in one step."""
    source = resolve(ctx, node.value) if node.value is not None else None
    rest = target.storage.dimensions[len(target.index) :]
    if (
        isinstance(source, Place)
        and node.operator == "="
        and source.storage.type == target.storage.type
        and source.storage.dimensions[len(source.index) :] == rest
    ):
        return copied(ctx, target, source, node.span)
    if source is not None or node.value is None:
        _report_whole(ctx, target.storage, node.target.span)
    return ()


def copied(ctx: Context, target: Place, source: Place, span: Span) -> Effects:
    """Return the assignments, cell by cell, of one place to another of the same type and indexes."""
    effects: list[Assign] = []
    for to, of in zip(leaves(target), leaves(source), strict=True):
        ctx.record(of, span, writes=False)
        ctx.record(to, span, writes=True)
        effects.append(Assign(to, of, span))
    return tuple(effects)


# --- locals --------------------------------------------------------------------------------------


def local_storage(work: Work, node: syntax.Local) -> Storage | None:
    """Return the storage of a local that is about to be declared; None if its declaration is wrong."""
    ctx, place = work.ctx, named(node, node.name)
    check_name(ctx.unit.collector, node, node.name)
    typed = local_type(ctx, node)
    if typed is not None and count_cells(typed[1]) > MOST_CELLS:
        message = f"`{node.name}` would have {count_cells(typed[1])} elements"
        ctx.error("MC028", place, message, f"at most {MOST_CELLS} can be declared")
        typed = None
    if typed is None:
        ctx.scope.names[node.name] = ConstantBinding(NOTHING, node.span)
        return None
    return work.body.storage(ctx, node.name, node, typed)


def declare_local(work: Work, node: syntax.Local, storage: Storage) -> None:
    """Declare a local in the scope: its initialiser was lowered before, and sees what the name meant till now."""
    work.ctx.declare(node.name, StorageBinding(storage, node.span, node), named(node, node.name))


def _local(work: Work, node: syntax.Local, way: Way) -> None:
    """Lower the declaration of a local: a constant initialiser takes no step (SEMANTICS C4)."""
    storage, call = local_storage(work, node), call_in(work.ctx, node.initial)
    if storage is None:
        work.go(way, node.span)
        return
    if call is not None:
        _called(work, node, storage, call, way)
    else:
        value = initial_value(work.ctx, node)
        effects = local_effects(work.ctx, node, storage, value)
        if value is None or value.constant is not None:
            work.go(way, node.span, effects)
        else:
            here = Location.of(node.span, one_line(node.span.text), (*effects, *jump(way.following)))
            work.body.step(work.ctx, way.entry, here)
    declare_local(work, node, storage)


def _called(work: Work, node: syntax.Local, storage: Storage, call: syntax.Call, way: Way) -> None:
    if storage.variable is None or storage.dimensions:
        work.ctx.error(
            "MC020", node.span, f"`{node.name}` is not a single value: it cannot take the result of a call"
        )
        work.go(way, node.span)
        return
    calls.call_into(work, call, Ref(storage.variable), node, way)


def initial_value(ctx: Context, node: syntax.Local) -> Value | None:
    """Return the value of a local's initialiser, if it has one."""
    if node.initial is None:
        return None
    typed = local_type(ctx, node)
    return lower(ctx, node.initial, None if typed is None or isinstance(typed[0], Record) else typed[0])


def local_effects(ctx: Context, node: syntax.Local, storage: Storage, value: Value | None) -> Effects:
    """Return the assignments that a local's declaration makes."""
    if value is None or value.type is None:
        return clear(storage, node.span)
    if storage.variable is None:
        assert node.initial is not None
        ctx.error("MC020", node.initial.span, "a record is initialised field by field", "leave the value out")
        return ()
    assert node.initial is not None
    checked = coerce(ctx, value, storage.variable.type, node.initial.span)
    return tuple(Assign(ref, checked.expr, node.span) for ref in leaves(Place(storage)))


# --- choose --------------------------------------------------------------------------------------


def choose_parts(work: Work, node: syntax.Choose) -> tuple[Choose, Expr] | None:
    """Declare the chosen local; return the effect, and an expression over all that the choice may wait for."""
    ctx = work.ctx
    check_name(ctx.unit.collector, node, node.name)
    kind = type_of(ctx, node.type)
    low, high = bounds(kind) if kind is not None else (0, 0)
    if high - low >= LARGEST_EXPANSION:
        ctx.error("MC028", node.type.span, f"`choose` has more than {LARGEST_EXPANSION} values to try")
        kind = None
    if kind is None:
        ctx.scope.names[node.name] = ConstantBinding(NOTHING, node.span)
        return None
    storage = work.body.storage(ctx, node.name, node, (kind, ()))
    assert storage.variable is not None
    ref = Ref(storage.variable)
    ctx.declare(node.name, StorageBinding(storage, node.span, node), named(node, node.name))
    if node.where is None:
        return Choose(ref, low, high, TRUE, node.span), TRUE
    options: list[Expr] = []
    for value in range(low, high + 1):
        one = replace(ctx, scope=unrolled(ctx.scope, high - low + 1), accesses=[])
        one.scope.names[node.name] = index_value(value, kind, node.span)
        options.append(condition(one, node.where))
    return Choose(ref, low, high, condition(ctx, node.where), node.span), disjunction(options)


def _choose(work: Work, node: syntax.Choose, way: Way) -> None:
    """Lower `choose x: T where e`: one transition a value, blocked while there is none.

    There is no guard: a value for which `e` is undefined is an error step of its own, and no other's business.
    """
    made = choose_parts(work, node)
    if made is None:
        work.go(way, node.span)
        return
    effect, awaited = made
    here = Location.of(node.span, one_line(node.span.text), (effect, *jump(way.following)))
    work.body.step(work.ctx, way.entry, replace(here, wait=waiting_on(awaited)))
