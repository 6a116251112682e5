"""Functions of expressions: READ_ONCE and data_race, held and free, and what only properties may say.

SEMANTICS A2 (marked accesses), H7 (next, mover), H8 (held, free, at, inside), G13 (finished, blocked).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from modelcheck.diagnostics import an, counted, near_miss
from modelcheck.language import expressions, later, places, syntax
from modelcheck.language.context import Context
from modelcheck.language.model import At, Compare, Const, Enabled, Expr, LockAt, Mover, Ref
from modelcheck.language.naming import FUNCTIONS, STATEMENTS, WAIT_EVENTS, callee
from modelcheck.language.scope import KINDS, OpBinding
from modelcheck.language.types import Bool, Scalar
from modelcheck.language.values import NOTHING, Value, comparison, conjunction, disjunction, negation
from modelcheck.locks import PRIMITIVES, READINGS, VERBS
from modelcheck.locks.primitive import Here, Mode

Arguments = tuple[syntax.Expression, ...]


def call(ctx: Context, node: syntax.Call, expected: Scalar | None) -> Value:
    """Return the meaning of `name(arguments)` inside an expression."""
    if node.name in ("READ_ONCE", "data_race"):
        return _marked_read(ctx, node, expected)
    if node.name == "next":
        return _next(ctx, node, expected)
    if node.name in READINGS:
        return _reading(ctx, node)
    known = _PREDICATES.get(node.name)
    if known is None:
        return _not_a_function(ctx, node)
    low, high, meaning, anywhere = known
    if not low <= len(node.arguments) <= high:
        message = f"`{node.name}` takes {_how_many(low, high)}, {len(node.arguments)} given"
        ctx.error("MC024", node.span, message, _USES[node.name])
        return NOTHING
    if not anywhere and ctx.mode not in ("property", "step"):
        hint = "in code `held(l)` is true if the running thread holds it" if node.name == "free" else ""
        ctx.error("MC051", callee(node), f"`{node.name}` can be used in properties only", hint)
        return NOTHING
    if ctx.primed:
        message = f"`{node.name}` speaks of the state before the step and cannot stand in next(...)"
        ctx.error("MC050", callee(node), message, "what holds in every state is an invariant")
        return NOTHING
    expr = meaning(ctx, node)
    return NOTHING if expr is None else Value(expr, Bool())


def _how_many(low: int, high: int) -> str:
    return counted(low, "argument") if low == high else f"{low} or {counted(high, 'argument')}"


def _not_a_function(ctx: Context, node: syntax.Call) -> Value:
    for argument in node.arguments:
        if not isinstance(argument, syntax.Name | syntax.Index | syntax.Unary):
            expressions.lower(ctx, argument)
    binding = ctx.scope.find(node.name)
    place = callee(node)
    if node.name in VERBS or node.name in WAIT_EVENTS or isinstance(binding, OpBinding):
        if ctx.mode != "code":
            message = f"`{node.name}` takes steps: it cannot be part of a property or a constant"
            ctx.error("MC052", place, message, "let a thread call it, and look at what it did")
        else:
            message = f"`{node.name}` takes steps: it cannot be called in the middle of an expression"
            ctx.error("MC031", place, message, "assign its result to a local variable first")
    elif node.name in STATEMENTS:
        ctx.error("MC031", place, f"`{node.name}` has no value", "it is a statement of its own")
    elif binding is not None:
        ctx.error("MC012", place, f"`{node.name}` is {KINDS[type(binding)]}, not a function")
    elif node.name in later.TEMPORAL:
        later.report(ctx, place, node.name)
    else:
        ops = {name for name in ctx.scope.visible() if isinstance(ctx.scope.find(name), OpBinding)}
        hint = near_miss(node.name, [*FUNCTIONS, *READINGS, *VERBS, *ops])
        ctx.error("MC010", place, f"there is no function, op or verb `{node.name}`", hint)
    return NOTHING


def _marked_read(ctx: Context, node: syntax.Call, expected: Scalar | None) -> Value:
    if len(node.arguments) != 1:
        ctx.error("MC024", node.span, f"`{node.name}` takes one argument")
        return NOTHING
    exempt = True if node.name == "data_race" else None
    with ctx.setting(marked=True, unguarded=exempt):
        return expressions.lower(ctx, node.arguments[0], expected)


def _next(ctx: Context, node: syntax.Call, expected: Scalar | None) -> Value:
    if ctx.mode != "step":
        ctx.error("MC050", callee(node), "`next` is the value after a step", "use it in a `step` property")
        return NOTHING
    if ctx.primed:
        ctx.error("MC050", callee(node), "`next` inside `next`: there is one step", "leave one of them out")
        return NOTHING
    if len(node.arguments) != 1:
        ctx.error("MC024", node.span, "`next` takes one argument")
        return NOTHING
    with ctx.setting(primed=True):
        return expressions.lower(ctx, node.arguments[0], expected)


# --- locks ---------------------------------------------------------------------------------------


def _reading(ctx: Context, node: syntax.Call) -> Value:
    """Return a function of a lock's variables, or of the running thread's; in properties a thread is named."""
    primitive, reading = READINGS[node.name]
    whose = reading.of_thread and ctx.me is None
    if len(node.arguments) != int(whose or not reading.of_thread):
        wanted = "the thread" if whose else "no argument" if reading.of_thread else "the lock"
        ctx.error("MC024", node.span, f"`{node.name}` takes {wanted}, {len(node.arguments)} given")
        return NOTHING
    if ctx.mode == "constant":
        ctx.error("MC025", node.span, f"`{node.name}` is no constant")
        return NOTHING
    if ctx.primed:
        message = f"`{node.name}` speaks of the state before the step and cannot stand in next(...)"
        ctx.error("MC050", callee(node), message, "what holds in every state is an invariant")
        return NOTHING
    me = -1 if ctx.me is None else ctx.me
    if whose:
        group = expressions.thread_group(ctx, node.arguments[0])
        if group is None:
            return NOTHING
        if len(group[1]) != 1:
            ctx.error("MC024", node.arguments[0].span, f"`{node.name}` is about one thread: say which")
            return NOTHING
        me = group[1][0]
    at = ctx.unit.domains.get(primitive.kind) if primitive.domain else places.lock_at(ctx, node.arguments[0])
    if at is None:
        return NOTHING
    if at.lock.kind != primitive.kind:
        message = f"`{node.name}` is for {an(primitive.kind)}, but `{at.lock.name}` is {an(at.lock.kind)}"
        own = [each.name for each in PRIMITIVES[at.lock.kind].readings]
        hint = (
            f"of {an(at.lock.kind)} there is {', '.join(own)}"
            if own
            else f"{an(at.lock.kind)} has no value that can be read"
        )
        ctx.error("MC030", callee(node), message, hint)
        return NOTHING
    here = Here(at, me, ctx.unit.thread_names, domains=ctx.unit.domains)
    return Value(reading.value(here), reading.type(at))


def _holding(at: LockAt, threads: Iterable[int], modes: tuple[Mode, ...]) -> Expr:
    primitive = PRIMITIVES[at.lock.kind]
    wanted = [m for m in modes if m in primitive.modes]
    return disjunction([primitive.holds(at, t, m) for t in threads for m in wanted])


def _held(modes: tuple[Mode, ...]) -> Callable[[Context, syntax.Call], Expr | None]:
    def meaning(ctx: Context, node: syntax.Call) -> Expr | None:
        at = places.lock_at(ctx, node.arguments[0])
        if at is None:
            return None
        if ctx.me is not None:
            if len(node.arguments) == 1:
                return _holding(at, [ctx.me], modes)
            ctx.error(
                "MC051",
                node.span,
                "in thread code `held` is the running thread's own",
                "leave the thread out",
            )
            return None
        everybody = range(len(ctx.unit.thread_names))
        if len(node.arguments) == 2:
            group = expressions.thread_group(ctx, node.arguments[1])
            return None if group is None else _holding(at, group[1], modes)
        if ctx.mode == "step":
            mover = Mover(len(everybody))
            return disjunction(
                [
                    conjunction((Compare("==", mover, Const(t + 1)), _holding(at, [t], modes)))
                    for t in everybody
                ]
            )
        return _holding(at, everybody, modes)

    return meaning


def free(ctx: Context, at: LockAt) -> Expr:
    """Return the condition that nobody holds the lock in any mode."""
    return negation(_holding(at, range(len(ctx.unit.thread_names)), ("write", "read")))


def _free(ctx: Context, node: syntax.Call) -> Expr | None:
    at = places.lock_at(ctx, node.arguments[0])
    return None if at is None else free(ctx, at)


# --- locations -----------------------------------------------------------------------------------


def _at(ctx: Context, node: syntax.Call) -> Expr | None:
    group = expressions.thread_group(ctx, node.arguments[0])
    label = node.arguments[1]
    if group is None:
        return None
    name = _dotted(label)
    if name is None:
        ctx.error("MC043", label.span, "a label is needed here")
        return None
    known: set[str] = set()
    parts: list[Expr] = []
    for number in group[1]:
        thread = ctx.unit.threads[number]
        known |= set(thread.labels)
        if name in thread.labels:
            parts.append(At(number, thread.labels[name]))
    if not parts and group[1]:
        ctx.error(
            "MC043",
            label.span,
            f"`{group[0].declaration.name}` has no label `{name}`",
            near_miss(name, known),
        )
        return None
    return disjunction(parts)


def _dotted(node: syntax.Expression) -> str | None:
    match node:
        case syntax.Name(name):
            return name
        case syntax.Member(syntax.Name(base), name):
            return f"{base}.{name}"
        case _:
            return None


def _inside(ctx: Context, node: syntax.Call) -> Expr | None:
    target = node.arguments[0]
    binding = ctx.scope.find(target.id) if isinstance(target, syntax.Name) else None
    if not isinstance(binding, OpBinding):
        if isinstance(target, syntax.Name) and binding is None:
            ctx.find(target.id, target.span)
        else:
            ctx.error("MC012", target.span, f"`{target.span.text}` is not an op")
        return None
    given = node.arguments[1:]
    if len(given) > len(binding.op.parameters):
        message = (
            f"`{binding.op.name}` has {counted(len(binding.op.parameters), 'parameter')}, {len(given)} given"
        )
        ctx.error("MC024", node.span, message)
        return None
    parts: list[Expr] = []
    for thread in ctx.unit.threads:
        for one in ctx.unit.calls:
            here = (
                frozenset(x.number for x in thread.locations if x.call is not None and one in x.call.stack)
                if one.op == binding.op.name
                else frozenset()
            )
            if here:
                parts.append(conjunction((At(thread.number, here), *_same(ctx, one.parameters, given))))
    return disjunction(parts)


def _same(ctx: Context, parameters: tuple[object, ...], given: Arguments) -> list[Expr]:
    """Return the conditions that the parameters of a call have the given values."""
    tests: list[Expr] = []
    for parameter, argument in zip(parameters, given, strict=False):
        if isinstance(parameter, Ref):
            value = expressions.lower(ctx, argument, parameter.var.type)
            checked = expressions.coerce(ctx, value, parameter.var.type, argument.span)
            tests.append(comparison("==", parameter, checked.expr))
        else:
            ctx.error("MC012", argument.span, "this parameter is a lock or a record; compare the others only")
    return tests


def _finished(ctx: Context, node: syntax.Call) -> Expr | None:
    group = expressions.thread_group(ctx, node.arguments[0])
    if group is None:
        return None
    ends = [At(n, frozenset({ctx.unit.threads[n].end})) for n in group[1]]
    return conjunction(ends) if ends else Const(0)


def _blocked(ctx: Context, node: syntax.Call) -> Expr | None:
    group = expressions.thread_group(ctx, node.arguments[0])
    if group is None:
        return None
    return disjunction(
        [
            conjunction((negation(Enabled(n)), negation(At(n, frozenset({ctx.unit.threads[n].end})))))
            for n in group[1]
        ]
    )


_PREDICATES: dict[str, tuple[int, int, Callable[[Context, syntax.Call], Expr | None], bool]] = {
    "held": (1, 2, _held(("write", "read")), True),
    "held_read": (1, 2, _held(("read",)), True),
    "held_write": (1, 2, _held(("write",)), True),
    "free": (1, 1, _free, False),
    "at": (2, 2, _at, False),
    "inside": (1, 99, _inside, False),
    "finished": (1, 1, _finished, False),
    "blocked": (1, 1, _blocked, False),
}
"""Name -> least and most arguments, meaning, and whether thread code may say it too."""

_USES = {
    **dict.fromkeys(("held", "held_read", "held_write"), "the lock, and in properties maybe a thread"),
    "free": "the lock",
    "at": "a thread and a label",
    "inside": "an op, and maybe arguments",
    **dict.fromkeys(("finished", "blocked"), "a thread"),
}
