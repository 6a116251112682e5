"""Statements -> nodes of a program graph. What is a step is decided here, by SEMANTICS A1."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from modelcheck.language import assignments, atomic, calls, guards, jumps, syntax
from modelcheck.language.body import one_line
from modelcheck.language.context import Context
from modelcheck.language.expressions import LARGEST_EXPANSION, condition, lower, unrolled, unwrapped
from modelcheck.language.frame import Exit, Flow, Fork, Way, Work, as_block, closing, jump, waiting_on
from modelcheck.language.graph import END, Graph
from modelcheck.language.model import Breach, Const, Effects, Either, Emit, Expr, Location, Require, Test
from modelcheck.language.places import index_value, shown, type_of
from modelcheck.language.scope import ConstantBinding
from modelcheck.language.types import bounds
from modelcheck.language.values import NOTHING
from modelcheck.source import NOWHERE, Span


def block(work: Work, node: syntax.Block, way: Way) -> None:
    """Lower the statements of a block; what its guards hold is released where it ends."""
    inner, outer = work.inner(), len(work.flow.guards)
    at = way.entry
    for each in node.statements:
        after = work.new()
        inner = replace(inner, flow=statement(inner, each, Way(at, after)))
        at = after
        if work.body.graph.too_large:
            break
    jumps.leave(inner, at, Exit(way.following, outer), closing(node.span))


def statement(work: Work, node: syntax.Statement, way: Way) -> Flow:
    """Lower one statement; the flow returned is that of the statements after it (a guard may be held)."""
    here = work.fresh()
    if isinstance(node, syntax.Guard):
        return guards.guard(here, node, way)
    _plain(here, node, way)
    return work.flow


def _plain(work: Work, node: syntax.Statement, way: Way) -> None:
    match node:
        case syntax.Block():
            block(work, node, way)
        case syntax.Empty():
            work.go(way, node.span)
        case syntax.Local() | syntax.Assign() | syntax.Choose():
            assignments.assigning(work, node, way)
        case syntax.Skip() | syntax.Assert() | syntax.Emit() | syntax.Await():
            _simple(work, node, way)
        case syntax.If():
            _if(work, node, way)
        case syntax.While():
            _while(work, node, way)
        case syntax.Loop():
            _loop(work, node, way)
        case syntax.For():
            _for(work, node, way)
        case syntax.Either():
            _either(work, node, way)
        case syntax.Atomic():
            atomic.lower_atomic(work, node, way)
        case syntax.CallStatement(call):
            calls.call_statement(work, call, way)
        case syntax.ScopedGuard():
            guards.scoped_guard(work, node, way)
        case syntax.Unguarded(_, inner):
            exempt = replace(work, ctx=replace(work.ctx, unguarded=True))
            statement(exempt, inner, way)
        case syntax.Label():
            jumps.label(work, node, way)
        case syntax.Goto() | syntax.Break() | syntax.Continue():
            jumps.leap(work, node, way.entry)
        case syntax.Return():
            jumps.give_back(work, node, way.entry)
        case syntax.Guard():
            guards.guard(work, node, way)
        case _:
            assert_never(node)


# --- one step each -------------------------------------------------------------------------------


def _simple(work: Work, node: syntax.Skip | syntax.Assert | syntax.Emit | syntax.Await, way: Way) -> None:
    """Lower a statement that is one step and goes on to the next."""
    text, onwards = one_line(node.span.text), jump(way.following)
    match node:
        case syntax.Skip():
            here = Location.of(node.span, text, onwards)
        case syntax.Assert():
            here = Location.of(node.span, text, (required(work.ctx, node), *onwards))
        case syntax.Emit():
            here = Location.of(node.span, text, (emitted(work.ctx, node), *onwards))
        case syntax.Await():
            guard = condition(work.ctx, node.condition)
            wait = waiting_on(guard, rests=True)
            here = replace(Location.of(node.span, text, onwards), guard=guard, wait=wait, sleeps=True)
        case _:
            assert_never(node)
    work.body.step(work.ctx, way.entry, here)


def required(ctx: Context, node: syntax.Assert) -> Require:
    """Return the effect of an assertion."""
    name = node.name or ""
    text = one_line(node.condition.span.text)
    message = f"assertion `{name}` does not hold: {text}" if name else f"assertion does not hold: {text}"
    return Require(condition(ctx, node.condition), Breach("assertion", message, name, node.span))


def emitted(ctx: Context, node: syntax.Emit) -> Emit:
    """Return the effect of `emit`."""
    values = [lower(ctx, a) for a in node.arguments]
    known = [v for v in values if v.type is not None]
    return Emit(node.event, tuple(v.expr for v in known), tuple(v.type for v in known if v.type is not None))


# --- control flow --------------------------------------------------------------------------------


def asked(ctx: Context, test: syntax.Expression) -> tuple[syntax.Call | None, bool]:
    """Return the call that a whole condition is, and whether it is negated; None if it is no call."""
    inner = unwrapped(test)
    negated = isinstance(inner, syntax.Unary) and inner.operator == "!"
    operand = inner.operand if isinstance(inner, syntax.Unary) and negated else inner
    return assignments.call_in(ctx, operand), negated


def tested(ctx: Context, test: syntax.Expression) -> Expr:
    """Return the condition of an `if` or `while`; one that is constant in this scenario is noted, for vacuity."""
    expr = condition(ctx, test)
    if isinstance(expr, Const) and ctx.kept:
        ctx.unit.settled.add((test.span, bool(expr.value)))
    return expr


def test_of(node: syntax.If | syntax.While, expr: Expr, then: Effects, otherwise: Effects) -> Test:
    """Return the test of an `if` or `while`, with its condition and its arms in the text."""
    arms = (node.body.span, NOWHERE) if isinstance(node, syntax.While) else (node.then.span, NOWHERE)
    if isinstance(node, syntax.If) and node.otherwise is not None:
        arms = (node.then.span, node.otherwise.span)
    return Test(expr, then, otherwise, node.condition.span, arms)


def branch(work: Work, node: syntax.If | syntax.While, word: str, fork: Fork) -> bool | None:
    """Lower a condition that leads two ways; return its value if it is constant and takes no step."""
    test = node.condition
    call, negated = asked(work.ctx, test)
    text = f"{word} ({one_line(test.span.text)})"
    if call is not None:
        calls.tested_call(work, call, text, fork, negated=negated)
        return None
    expr = tested(work.ctx, test)
    if isinstance(expr, Const):
        work.go(Way(fork.entry, fork.then if expr.value else fork.otherwise), test.span)
        return bool(expr.value)
    effects: Effects = (test_of(node, expr, jump(fork.then), jump(fork.otherwise)),)
    work.body.step(work.ctx, fork.entry, Location.of(test.span, text, effects))
    return None


def _arm(work: Work, node: syntax.Statement, way: Way, *, kept: bool) -> None:
    """Lower one arm of a test. One that a constant condition removes is only checked, unless a goto enters it."""
    if kept or any(isinstance(n, syntax.Label) for n in node.walk()):
        block(work, as_block(node), way)
        return
    aside = replace(work.body, graph=Graph())
    removed = replace(work, body=aside, ctx=replace(work.ctx, kept=False))
    block(removed, as_block(node), Way(aside.graph.new(), END))


def _if(work: Work, node: syntax.If, way: Way) -> None:
    then, otherwise = work.new(), work.new()
    fixed = branch(work, node, "if", Fork(way.entry, then, otherwise))
    _arm(work, node.then, Way(then, way.following), kept=fixed is not False)
    if node.otherwise is None:
        work.go(Way(otherwise, way.following), node.span)
    else:
        _arm(work, node.otherwise, Way(otherwise, way.following), kept=fixed is not True)


def _while(work: Work, node: syntax.While, way: Way) -> None:
    inside = work.new()
    fixed = branch(work, node, "while", Fork(way.entry, inside, way.following))
    around = work.looping(breaks=way.following, continues=way.entry)
    _arm(around, node.body, Way(inside, way.entry), kept=fixed is not False)
    if fixed:
        work.body.graph.loops.append((inside, inside, len(work.body.graph.nodes)))


def _loop(work: Work, node: syntax.Loop, way: Way) -> None:
    head = work.new()
    work.go(Way(way.entry, head), node.span)
    block(work.looping(breaks=way.following, continues=head), as_block(node.body), Way(head, head))
    work.body.graph.loops.append((head, head, len(work.body.graph.nodes)))


def _for(work: Work, node: syntax.For, way: Way) -> None:
    """Unroll `for (x: T)`: a copy of the body for each value, with labels of its own."""
    kind = type_of(work.ctx, node.type)
    low, high = bounds(kind) if kind is not None else (0, 0)
    scope = unrolled(work.ctx.scope, high - low + 1)
    if scope.times > LARGEST_EXPANSION:
        message = f"the body of this `for` would be unrolled {scope.times} times"
        work.ctx.error("MC046", node.type.span, message, "loops inside each other multiply")
        high = low
    inside, at = as_block(node.body), way.entry
    for value in range(low, high + 1):
        if work.body.graph.too_large:
            break
        after = way.following if value == high else work.new()
        written = shown(kind, value) if kind is not None else ""
        body = replace(work.body, unrolled=(*work.body.unrolled, (node.name, written)))
        copy = replace(work, body=body, ctx=replace(work.ctx, scope=unrolled(work.ctx.scope, high - low + 1)))
        unknown = ConstantBinding(NOTHING, node.span)
        copy.ctx.scope.names[node.name] = unknown if kind is None else index_value(value, kind, node.span)
        labels = jumps.collect_labels(copy.body, inside, work.flow.labels)
        copy = copy.looping(breaks=way.following, continues=after)
        block(replace(copy, flow=replace(copy.flow, labels=labels)), inside, Way(at, after))
        at = after


def _either(work: Work, node: syntax.Either, way: Way) -> None:
    """Lower `either`: the step picks a branch, whether or not its first statement can run."""
    heads = [work.new() for _ in node.branches]
    head = Span(node.span.source, node.span.start, node.span.start + len("either"))
    effects: Effects = (Either(tuple(jump(h) for h in heads), node.span),)
    work.body.step(work.ctx, way.entry, Location.of(head, "either", effects))
    for first, each in zip(heads, node.branches, strict=True):
        block(work, each, Way(first, way.following))
