"""Calls: lock verbs as the steps that their primitive says, and ops inlined, in the four places where they stand."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from modelcheck.diagnostics import an, near_miss
from modelcheck.language import assignments, inlining, later, syntax
from modelcheck.language.body import one_line
from modelcheck.language.context import Context
from modelcheck.language.expressions import coerce, reads_shared
from modelcheck.language.frame import Fork, Way, Work, jump
from modelcheck.language.model import (
    Assign,
    Breach,
    Const,
    Effects,
    Expr,
    Jump,
    Location,
    Ref,
    Require,
    Test,
)
from modelcheck.language.naming import FUNCTIONS, THREAD_NAMES, WAIT_EVENTS, callee
from modelcheck.language.operations import described
from modelcheck.language.places import lock_at, resolve
from modelcheck.language.scope import KINDS, LockBinding, OpBinding, Place, is_reported
from modelcheck.language.types import ERRNO, Bool, Scalar
from modelcheck.language.values import Value, comparison, disjunction, negation
from modelcheck.language.verbs import Finish, run_verb, verb_call
from modelcheck.language.wait_event import FORMS, run_wait_event, spin_until
from modelcheck.locks import PRIMITIVES, READINGS, VERBS
from modelcheck.source import Span

ASSERTED = {
    "lockdep_assert_held": ("write", "read"),
    "lockdep_assert_held_write": ("write",),
    "lockdep_assert_held_read": ("read",),
    "lockdep_assert_not_held": ("write", "read"),
}
"""Statements that look like calls, and the modes in which the lock must be held (or not be held)."""

MIGHT_SLEEP = "might_sleep"
"""A statement that does nothing, and may not stand where nothing may sleep."""


def takes_steps(ctx: Context, call: syntax.Call) -> bool:
    """True of a call of an op or a lock verb; other calls are functions of expressions."""
    return call.name in VERBS or call.name in WAIT_EVENTS or isinstance(ctx.scope.find(call.name), OpBinding)


def takes_one_step(ctx: Context, call: syntax.Call, where: str) -> bool:
    """Tell whether a call can be looked into for one step; report one that waits for a condition, or means nothing."""
    if call.name in WAIT_EVENTS or call.name == "spin_until":
        message = f"`{call.name}` cannot stand inside {where}"
        ctx.error("MC044", call.span, message, "what may wait stays outside: it is one step")
    elif takes_steps(ctx, call):
        return True
    else:
        unknown(ctx, call)
    return False


# --- calls in their four places ------------------------------------------------------------------


def call_statement(work: Work, call: syntax.Call, way: Way) -> None:
    """Lower `f(arguments);`: a verb or an op whose result is dropped, or a statement that looks like a call."""
    special = _special(work, call)
    if special is not None:
        here = Location.of(call.span, one_line(call.span.text), (*special, *jump(way.following)))
        work.body.step(work.ctx, way.entry, replace(here, sleeps=call.name == MIGHT_SLEEP))
    elif call.name == "spin_until":
        spin_until(work, call, way)
    elif call.name in VERBS or call.name in WAIT_EVENTS:
        if not _run(work, call, (call.span, ""), way.entry, lambda _: jump(way.following)):
            work.go(way, call.span)
    elif takes_steps(work.ctx, call):
        inlining.inline(work, call, way)
    else:
        unknown(work.ctx, call)
        work.go(way, call.span)


def _run(work: Work, call: syntax.Call, shown: tuple[Span, str], entry: int, finish: Finish) -> bool:
    """Lower a verb; `shown`: the place and, if it is not the call alone, the text. False: something was reported."""
    span, text = shown
    if call.name in WAIT_EVENTS:
        return run_wait_event(work, call, (span, text or one_line(call.span.text)), entry, finish)
    verb = verb_call(work.ctx, call, text)
    if verb is None:
        return False
    run_verb(work, replace(verb, span=span), entry, finish)
    return True


def _result_of(call: syntax.Call) -> Scalar | None:
    return FORMS[call.name].result if call.name in FORMS else VERBS[call.name][1].result


def _special(work: Work, call: syntax.Call) -> Effects | None:
    if call.name == "WRITE_ONCE":
        return write_once(work.ctx, call)
    if call.name == MIGHT_SLEEP:
        if call.arguments:
            work.ctx.error("MC024", call.span, f"`{MIGHT_SLEEP}` takes no argument")
        return ()
    return asserted(work, call) if call.name in ASSERTED else None


def unknown(ctx: Context, call: syntax.Call) -> None:
    """Report a call of nothing."""
    if any(is_reported(ctx.scope, each) for each in call.arguments):
        return
    binding = ctx.scope.find(call.name)
    lock = next((at.lock for at in map(partial(_lock_named, ctx), call.arguments) if at is not None), None)
    if binding is not None:
        ctx.error("MC012", callee(call), f"`{call.name}` is {KINDS[type(binding)]}, not an op or a verb")
    elif call.name in FUNCTIONS or call.name in READINGS:
        message = f"`{call.name}` has a value and does nothing"
        ctx.error("MC012", callee(call), message, "use it in a condition")
    elif lock is not None:
        own = PRIMITIVES[lock.kind].verbs
        hint = near_miss(call.name, [*own, *ASSERTED]) or f"{an(lock.kind)} has {', '.join(own)}"
        ctx.error("MC010", callee(call), f"there is no verb `{call.name}` of {an(lock.kind)}", hint)
    elif call.name in later.TEMPORAL:
        later.report(ctx, callee(call), call.name)
        return
    else:
        ops = {n for n in ctx.scope.visible() if isinstance(ctx.scope.find(n), OpBinding)}
        hint = near_miss(call.name, [*VERBS, *WAIT_EVENTS, *ASSERTED, "WRITE_ONCE", "spin_until", *ops])
        ctx.error("MC010", callee(call), f"there is no op or verb `{call.name}`", hint)
    check_names(ctx, call)


def _lock_named(ctx: Context, node: syntax.Expression) -> LockBinding | None:
    while isinstance(node, syntax.Index | syntax.Unary):
        node = node.base if isinstance(node, syntax.Index) else node.operand
    binding = ctx.scope.find(node.id) if isinstance(node, syntax.Name) else None
    return binding if isinstance(binding, LockBinding) else None


def check_names(ctx: Context, call: syntax.Call) -> None:
    """Report the unknown names among the arguments of a call that means nothing itself."""
    for argument in call.arguments:
        nodes = list(argument.walk())
        bound = {b.name for b in nodes if isinstance(b, syntax.Binder)}
        for each in nodes:
            if isinstance(each, syntax.Name) and each.id not in {*bound, *THREAD_NAMES}:
                ctx.find(each.id, each.span)


def write_once(ctx: Context, call: syntax.Call) -> Effects:
    """Return the effects of `WRITE_ONCE(x, v)`: an assignment by a marked access."""
    if len(call.arguments) != 2:
        ctx.error("MC024", call.span, "`WRITE_ONCE` takes a variable and a value")
        return ()
    target, value = call.arguments
    before = len(ctx.accesses)
    effects = assignments.assignment(ctx, syntax.Assign(target, "=", value, span=call.span))
    ctx.accesses[before:] = [replace(a, marked=a.marked or a.writes) for a in ctx.accesses[before:]]
    return effects


def asserted(work: Work, call: syntax.Call) -> Effects:
    """Return the effect of `lockdep_assert_held(l)`: an error step unless the running thread holds the lock."""
    if len(call.arguments) != 1:
        work.ctx.error("MC024", call.span, f"`{call.name}` takes one lock")
        return ()
    at = lock_at(work.ctx, call.arguments[0])
    if at is None:
        return ()
    primitive = PRIMITIVES[at.lock.kind]
    modes = [mode for mode in primitive.modes if mode in ASSERTED[call.name]]
    held = disjunction([primitive.holds(at, work.body.me, mode) for mode in modes])
    wanted = call.name != "lockdep_assert_not_held"
    message = f"{one_line(call.span.text)}: {'not held' if wanted else 'held'}"
    breach = Breach("lock_rules", message, "", call.span, at)
    return (Require(held if wanted else negation(held), breach),)


def truth(ctx: Context, call: syntax.Call, result: Ref | None) -> Expr | None:
    """Return the condition that a call's result is; report one that is none."""
    if result is None:
        if not declares_result(ctx, call):
            ctx.error("MC032", callee(call), f"`{call.name}` has no result to test", with_result(call))
    elif isinstance(result.var.type, Bool):
        return result
    elif result.var.type == ERRNO:
        return comparison("!=", result, Const(0))
    else:
        message = f"the result of `{call.name}` is {described(result.var.type)}, not a condition"
        ctx.error("MC021", call.span, message, "assign it to a local variable, and compare that")
    return None


def declares_result(ctx: Context, call: syntax.Call) -> bool:
    """Whether a call is of an op with a result (whose type may be wrong)."""
    binding = ctx.scope.find(call.name)
    return isinstance(binding, OpBinding) and binding.op.result is not None


def with_result(call: syntax.Call) -> str:
    """Return a hint for a call that has no result and needs one."""
    if call.name in WAIT_EVENTS:
        return f"these have one: {', '.join(n for n, form in FORMS.items() if form.result is not None)}"
    if call.name not in VERBS:
        return f"declare it: `op {call.name}(...) -> Errno`"
    own = [v.name for v in VERBS[call.name][0].verbs.values() if v.result is not None]
    return f"these have one: {', '.join(own)}" if own else "write it as a statement of its own"


def tested_call(work: Work, call: syntax.Call, text: str, fork: Fork, *, negated: bool) -> None:
    """Lower a call that is the whole condition of an `if` or `while`: one step for a verb."""

    def finish(result: int | None) -> Effects:
        return jump(fork.then if bool(result) != negated else fork.otherwise)

    if call.name in VERBS or call.name in WAIT_EVENTS:
        if not _run(work, call, (call.span, text), fork.entry, finish):
            work.go(Way(fork.entry, fork.then), call.span)
        elif _result_of(call) is None:
            work.ctx.error("MC032", callee(call), f"`{call.name}` has no result to test", with_result(call))
        return
    after = work.new()
    result = inlining.inline(work, call, Way(fork.entry, after))
    test = truth(work.ctx, call, result)
    if test is None:
        work.go(Way(after, fork.then), call.span)
        return
    whole = negation(test) if negated else test
    effects: Effects = (Test(whole, jump(fork.then), jump(fork.otherwise)),)
    work.body.step(work.fresh().ctx, after, Location.of(call.span, text, effects))


def assigned_call(
    work: Work, call: syntax.Call, target: syntax.Expression, node: syntax.Node, way: Way
) -> None:
    """Lower `target = f(...)`: into a local directly, into a shared variable by one more step after the call."""
    ctx = work.ctx
    to = resolve(ctx, target)
    if not isinstance(to, Place) or not to.complete or to.storage.variable is None:
        if to is not None:
            assignments.report_target(ctx, to, target)
        call_statement(work, call, way)
        return
    ref = Ref(to.storage.variable, to.index)
    if ref.var.kind == "local" and not any(reads_shared(e) for e in ref.index):
        call_into(work, call, ref, node, way)
        return
    kept, after = work.body.hidden(ctx, f"{call.name}()", call, ref.var.type), work.new()
    index = list(ctx.accesses)
    call_into(work.fresh(), call, kept, node, Way(way.entry, after))
    ctx.accesses[:] = index
    ctx.record(ref, target.span, writes=True)
    effects = (Assign(ref, kept, node.span), *jump(way.following))
    work.body.step(ctx, after, Location.of(node.span, one_line(node.span.text), effects))


def call_into(work: Work, call: syntax.Call, to: Ref, node: syntax.Node, way: Way) -> None:
    """Lower a call whose result goes into a local."""
    if call.name not in VERBS and call.name not in WAIT_EVENTS:
        after = work.new()
        result = inlining.inline(work, call, Way(way.entry, after))
        work.go(Way(after, way.following), node.span, stored(work.ctx, call, to, result))
        return

    def finish(result: int | None) -> Effects:
        return (Assign(to, Const(result or 0), node.span), Jump(way.following))

    if _run(work, call, (node.span, one_line(node.span.text)), way.entry, finish):
        _check_fit(work.ctx, call, to.var.type)
    else:
        work.go(way, call.span)


def _check_fit(ctx: Context, call: syntax.Call, wanted: Scalar) -> None:
    given = _result_of(call)
    if given is None:
        ctx.error("MC032", call.span, f"`{call.name}` has no result", with_result(call))
    elif given != wanted:
        message = f"`{call.name}` returns {described(given)}, but {described(wanted)} is needed here"
        ctx.error("MC020", call.span, message)


def stored(ctx: Context, call: syntax.Call, to: Ref, result: Ref | None) -> Effects:
    """Return the copy of a call's result into a cell."""
    if result is None:
        if not declares_result(ctx, call):
            ctx.error("MC032", call.span, f"op `{call.name}` has no result", with_result(call))
        return ()
    given = Value(result, result.var.type)
    value = coerce(ctx, given, to.var.type, call.span, f"the result of `{call.name}`")
    return (Assign(to, value.expr, call.span),)
