"""Inlining an op: arguments, contracts, body, result. Locations stay those of a call stack (SEMANTICS A1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from modelcheck.diagnostics import an, counted
from modelcheck.language import assignments, jumps, statements, syntax
from modelcheck.language.body import Body, one_line
from modelcheck.language.context import Context
from modelcheck.language.expressions import coerce, lower, reads_shared, wanted
from modelcheck.language.frame import Entered, Exit, Flow, Way, Work, closing, jump
from modelcheck.language.graph import END
from modelcheck.language.model import (
    Assign,
    Call,
    Const,
    Crossing,
    Effect,
    Effects,
    Location,
    Lock,
    LockAt,
    Ref,
)
from modelcheck.language.operations import described
from modelcheck.language.places import any_type_of, lock_at, resolve, type_of
from modelcheck.language.scope import (
    ConstantBinding,
    LockBinding,
    OpBinding,
    Place,
    Scope,
    Storage,
    StorageBinding,
)
from modelcheck.language.types import Record, bounds
from modelcheck.language.values import NOTHING
from modelcheck.language.variables import declared_by, lock_fields, unknown_kind
from modelcheck.locks import KINDS, PRIMITIVES
from modelcheck.source import Span


@dataclass
class Arguments:
    """The parameters of a call in a scope of their own, and what copies the arguments into them."""

    scope: Scope
    effects: list[Effect] = field(default_factory=list)
    parameters: list[Ref | None] = field(default_factory=list)


def inline(work: Work, node: syntax.Call, way: Way) -> Ref | None:
    """Lower a call of an op; return the local that has its result, if it has one."""
    entered = _enter(work, node)
    if isinstance(entered, syntax.Op):
        if work.ctx.kept:
            work.go(way, node.span)
        else:  # not looked into: a loop around it is not blamed for taking no step
            here = Location.of(node.span, one_line(node.span.text), jump(way.following))
            work.body.step(work.ctx, way.entry, here)
        return _result(work.body, work.ctx, entered)
    work.body.unit.calls.append(entered.call)
    first, last = work.new(), work.new()
    effects = (*entered.effects, Crossing(entered.call, leaves=False))
    if any(isinstance(e, Assign) and reads_shared(e.value) for e in effects):
        here = Location.of(node.span, one_line(node.span.text), (*effects, *jump(first)))
        work.body.step(work.ctx, way.entry, here)
    else:
        work.go(Way(way.entry, first), node.span, effects)
    returns = Exit(way.following, 0, entered.call)
    inside = replace(entered.work, flow=replace(entered.work.flow, returns=returns))
    statements.block(inside, entered.op.body, Way(first, last))
    jumps.leave(inside, last, returns, closing(entered.op.body.span))
    return entered.result


def in_one_step(
    work: Work,
    node: syntax.Call,
    inside: Callable[[Entered, Callable[[Span], Effects]], Effects],
    after: Callable[[Ref | None], Effects],
    *,
    initial: bool = False,
) -> Effects:
    """Return the effects of a call within one step: arguments, the body as `inside` lowers it, then `after`.

    `inside` is given what yields the effects of a return, by its place. Before time (`initial`) there is no thread that
    could be seen to call.
    """
    entered = _enter(work, node)
    if isinstance(entered, syntax.Op):
        return after(_result(work.body, work.ctx, entered))
    call = entered.call
    if initial:
        work.body.unit.within_steps.add(call.op)
        return (*entered.effects, *inside(entered, lambda _: after(entered.result)))
    work.body.unit.calls.append(call)

    def leave(at: Span) -> Effects:
        return (Crossing(call, leaves=True, at=at), *after(entered.result))

    return (*entered.effects, Crossing(call, leaves=False), *inside(entered, leave))


def _enter(work: Work, node: syntax.Call) -> Entered | syntax.Op:
    """Bind the arguments; return the op alone where the call is wrong, or in code that is not kept."""
    binding = work.ctx.scope.find(node.name)
    assert isinstance(binding, OpBinding)
    op = binding.op
    if len(node.arguments) != len(op.parameters):
        message = f"`{op.name}` takes {counted(len(op.parameters), 'argument')}, {len(node.arguments)} given"
        work.ctx.error("MC024", node.span, message, f"declared at {op.span}")
        return op
    if op.name in work.body.unit.recursive:
        return op
    call = Call(op.name, node.span, len(work.body.unit.calls), work.body.call)
    body = replace(work.body, call=call)
    result = _result(body, work.ctx, op)
    given = _bind(replace(work, body=body), node, op)
    if not work.ctx.kept:
        return op
    contracts = _contracts(work.ctx, op, given.scope)
    body.call = replace(call, parameters=tuple(given.parameters), contracts=contracts, result=result)
    cleared = (Assign(result, Const(bounds(result.var.type)[0]), node.span),) if result else ()
    ctx = replace(work.ctx, scope=given.scope, accesses=[], unguarded=False)
    flow = Flow(jumps.collect_labels(body, op.body, None), Exit(END, 0), result, op)
    return Entered(op, body.call, Work(body, ctx, flow), result, (*given.effects, *cleared))


def _result(body: Body, ctx: Context, op: syntax.Op) -> Ref | None:
    """Return the local of the op's result."""
    if op.result is None:
        return None
    kind = type_of(replace(ctx, scope=body.unit.globals), op.result)
    inside = body if body.frame == op.name else replace(body, call=Call(op.name, op.span, -1))
    return None if kind is None else inside.hidden(ctx, "return", op, kind)


# --- arguments -----------------------------------------------------------------------------------


def _bind(work: Work, node: syntax.Call, op: syntax.Op) -> Arguments:
    """Bind the parameters in a scope outside the caller's; arguments are lowered in the caller's."""
    unit = work.body.unit
    given = Arguments(unit.globals.child())
    here = replace(work.ctx, scope=given.scope)
    for parameter, argument in zip(op.parameters, node.arguments, strict=True):
        if isinstance(parameter, syntax.LockParameter):
            at = _lock_argument(work, parameter, argument, given.effects)
            known = (
                ConstantBinding(NOTHING, parameter.span)
                if at is None
                else LockBinding(at.lock, at, parameter.span)
            )
            here.declare(parameter.name, known, parameter.span)
            given.parameters.append(None)
            continue
        kind = any_type_of(replace(work.ctx, scope=unit.globals), parameter.type)
        if kind is None:
            here.declare(parameter.name, ConstantBinding(NOTHING, parameter.span), parameter.span)
            given.parameters.append(None)
            continue
        storage = work.body.storage(work.ctx, parameter.name, parameter, (kind, ()))
        here.declare(parameter.name, StorageBinding(storage, parameter.span, parameter), parameter.span)
        given.effects += _copied(work.ctx, parameter, argument, storage)
        given.parameters.append(Ref(storage.variable) if storage.variable else None)
    return given


def _copied(
    ctx: Context, parameter: syntax.ValueParameter, argument: syntax.Expression, storage: Storage
) -> Effects:
    if isinstance(storage.type, Record):
        source = resolve(ctx, argument)
        if isinstance(source, Place) and source.storage.type == storage.type and source.complete:
            return assignments.copied(ctx, Place(storage), source, argument.span)
        if source is not None:
            ctx.error(
                "MC020", argument.span, f"`{parameter.name}` is {described(storage.type)}; one is needed here"
            )
        return ()
    assert storage.variable is not None
    kind = storage.variable.type
    what = f"the argument for `{parameter.name}`"
    value = coerce(ctx, lower(ctx, argument, kind), kind, argument.span, what)
    return (Assign(Ref(storage.variable), value.expr, argument.span),)


def _lock_argument(
    work: Work, parameter: syntax.LockParameter, argument: syntax.Expression, effects: list[Effect]
) -> LockAt | None:
    """Return the instance that a lock parameter stands for; its index is evaluated at the call, as C does."""
    if parameter.kind not in KINDS:
        unknown_kind(work.ctx, parameter.kind, parameter.span)
        return None
    at = lock_at(work.ctx, argument)
    if at is None:
        return None
    if at.lock.kind != parameter.kind:
        message = f"`{parameter.name}` is {an(parameter.kind)}, `{at.lock.name}` {an(at.lock.kind)}"
        hint = f"op parameter `{parameter.kind} {parameter.name}` at {parameter.span}"
        work.ctx.error("MC030", argument.span, message, hint)
        return None
    kept, keeping = work.body.kept_index(work.ctx, at, parameter)
    effects += keeping
    return kept


def _contracts(ctx: Context, op: syntax.Op, scope: Scope) -> tuple[tuple[str, LockAt], ...]:
    here = replace(ctx, scope=scope, accesses=[])
    found = [(c, lock_at(here, c.lock)) for c in op.contracts]
    return tuple((c.kind, at) for c, at in found if wanted(here, c.when) and at is not None)


# --- ops that nobody calls -----------------------------------------------------------------------


def check_op(body: Body, ctx: Context, op: syntax.Op) -> None:
    """Lower the body of an op with parameters of any value: only its diagnostics matter."""
    body.call = Call(op.name, op.span, -1)
    scope = body.unit.globals.child()
    here = replace(ctx, scope=scope)
    for parameter in op.parameters:
        if isinstance(parameter, syntax.LockParameter):
            _any_lock(here, parameter)
            continue
        kind = any_type_of(replace(ctx, scope=body.unit.globals), parameter.type)
        if kind is None:
            here.declare(parameter.name, ConstantBinding(NOTHING, parameter.span), parameter.span)
            continue
        storage = body.storage(ctx, parameter.name, parameter, (kind, ()))
        here.declare(parameter.name, StorageBinding(storage, parameter.span, parameter), parameter.span)
    _contracts(here, op, scope)
    flow = Flow(jumps.collect_labels(body, op.body, None), Exit(END, 0), _result(body, ctx, op), op)
    statements.block(Work(body, here, flow), op.body, Way(body.graph.new(), END))


def _any_lock(ctx: Context, parameter: syntax.LockParameter) -> None:
    """Bind a lock parameter to a lock of its kind that no model has."""
    primitive = PRIMITIVES[parameter.kind] if parameter.kind in KINDS else None
    if primitive is None:
        unknown_kind(ctx, parameter.kind, parameter.span)
        ctx.declare(parameter.name, ConstantBinding(NOTHING, parameter.span), parameter.span)
        return
    fields = lock_fields(parameter.name, primitive, (), declared_by(ctx.unit), parameter.span)
    lock = Lock(parameter.name, parameter.kind, (), fields, span=parameter.span)
    ctx.declare(parameter.name, LockBinding(lock, LockAt(lock), parameter.span), parameter.span)
