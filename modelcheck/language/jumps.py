"""Leaving a scope: the releases of its guards; labels, goto, break, continue and return."""

from __future__ import annotations

from modelcheck.diagnostics import near_miss
from modelcheck.language import calls, guards, syntax
from modelcheck.language.body import Body, clear, local_type, one_line
from modelcheck.language.context import Context
from modelcheck.language.expressions import coerce, lower, reads_shared, unwrapped
from modelcheck.language.frame import Exit, Flow, Label, Labels, Way, Work, jump
from modelcheck.language.graph import END
from modelcheck.language.model import Assign, Crossing, Effects, Location, Ref
from modelcheck.language.naming import named
from modelcheck.language.places import type_of
from modelcheck.language.scope import StorageBinding
from modelcheck.language.types import Scalar, Type
from modelcheck.source import Span


def leave(work: Work, entry: int, to: Exit, left_by: Span) -> None:
    """Release the guards beyond those that stay held at the exit, innermost first, then go there."""
    at = entry
    for guarding in reversed(work.flow.guards[to.guards :]):
        after = work.new()
        guards.release(work, guarding, Way(at, after), left_by)
        at = after
    left: Effects = () if to.call is None else (Crossing(to.call, leaves=True, at=left_by),)
    work.go(Way(at, to.node), left_by, left)


Declared = list[syntax.Local | syntax.Choose]


def collect_labels(body: Body, node: syntax.Block, parent: Labels | None) -> Labels:
    """Return the labels of a body, each with a node of its own; `for` bodies keep theirs to themselves."""
    found: dict[str, Label] = {}
    elsewhere: set[str] = set()

    def visit(each: syntax.Node, around: tuple[syntax.Node, ...], declared: Declared) -> None:
        match each:
            case syntax.Label(name):
                if name in found:
                    message = f"label `{name}` is declared twice in one op or thread"
                    body.unit.collector.error("MC043", each.span, message)
                    return
                found[name] = Label(body.graph.new(), around, tuple(declared))
            case syntax.Local() | syntax.Choose():
                declared.append(each)
            case syntax.For():
                elsewhere.update(n.name for n in each.walk() if isinstance(n, syntax.Label))
            case syntax.Block(statements):
                inner = list(declared)
                for one in statements:
                    visit(one, around, inner)
            case syntax.ScopedGuard(_, _, inside, fail):
                visit(inside, (*around, each), list(declared))
                if fail is not None:
                    visit(fail, around, list(declared))
            case _:
                for child in each.children():
                    visit(child, around, list(declared))

    visit(node, (), [])
    return Labels(parent, found, frozenset(elsewhere))


def label(work: Work, node: syntax.Label, way: Way) -> None:
    """Lower a label: a node that gotos lead to."""
    graph, known = work.body.graph, work.flow.labels.here.get(node.name)
    if known is None or known.node >= len(graph.nodes) or graph.nodes[known.node] is not None:
        work.go(way, node.span)
        return
    work.go(Way(way.entry, known.node), node.span)
    work.go(Way(known.node, way.following), node.span)
    frame = work.body.frame
    for name in (node.name, f"{frame}.{node.name}") if frame else (node.name,):
        graph.labels.setdefault(name, set()).add(known.node)


def leap(work: Work, node: syntax.Goto | syntax.Break | syntax.Continue, entry: int) -> None:
    """Lower `goto`, `break` or `continue`."""
    if isinstance(node, syntax.Goto):
        found = work.flow.labels.find(node.label)
        if found is None:
            _no_label(work, node)
            work.go(Way(entry, END), node.span)
        else:
            _goto(work, node, found, entry)
        return
    to = work.flow.breaks if isinstance(node, syntax.Break) else work.flow.continues
    if to is None:
        word = type(node).__name__.lower()
        work.ctx.error("MC045", node.span, f"`{word}` is not inside a loop")
        to = Exit(END, len(work.flow.guards))
    leave(work, entry, to, node.span)


def _no_label(work: Work, node: syntax.Goto) -> None:
    labels = work.flow.labels
    if node.label in labels.elsewhere:
        message = f"label `{node.label}` stands inside a `for`: no jump enters it from outside"
        work.ctx.error("MC043", named(node, node.label), message)
        return
    hint = near_miss(node.label, labels.names())
    message = f"there is no label `{node.label}` in this op or thread"
    work.ctx.error("MC043", named(node, node.label), message, hint)


def _goto(work: Work, node: syntax.Goto, found: Label, entry: int) -> None:
    """Jump to a label: release the guards that are left; locals of scopes that are entered get first values."""
    held = tuple(g.node for g in work.flow.guards)
    stay = len(found.guards)
    if held[:stay] != found.guards:
        message = f"label `{node.label}` is inside a scoped guard: no jump enters it from outside"
        work.ctx.error("MC043", named(node, node.label), message)
        work.go(Way(entry, END), node.span)
        return
    effects: Effects = ()
    for local in found.locals:
        binding = work.ctx.scope.find(local.name)
        if isinstance(binding, StorageBinding) and binding.declared_by is local:
            continue
        typed = _typed(work.ctx, local)
        if typed is not None:
            effects += clear(work.body.storage(work.ctx, local.name, local, typed), local.span)
    after = work.new()
    leave(work, entry, Exit(after, stay), node.span)
    work.go(Way(after, found.node), node.span, effects)


def _typed(ctx: Context, node: syntax.Local | syntax.Choose) -> tuple[Type, tuple[Scalar, ...]] | None:
    if isinstance(node, syntax.Local):
        return local_type(ctx, node)
    kind = type_of(ctx, node.type)
    return None if kind is None else (kind, ())


def give_back(work: Work, node: syntax.Return, entry: int) -> None:
    """Lower `return`: take the value, release the guards of the op or thread, go back."""
    value, after = unwrapped(node.value), work.new()
    way = Way(entry, after)
    if value is None or work.flow.result is None:
        check_result(work, node, work.flow, has_value=value is not None)
        work.go(way, node.span)
    elif isinstance(value, syntax.Call) and calls.takes_steps(work.ctx, value):
        calls.call_into(work, value, work.flow.result, node, way)
    else:
        _value(work, work.flow.result, node, way)
    leave(work, after, work.flow.returns, node.span)


def check_result(work: Work, node: syntax.Return, flow: Flow, *, has_value: bool) -> None:
    """Report a `return` with a value where there is no result, or without one where there is."""
    if has_value and flow.op is not None and flow.op.result is not None:
        return  # its type is unknown, and that was reported
    if has_value:
        word = f"op `{flow.op.name}` declares no result" if flow.op else "a thread has no result"
        hint = f"declare it: `op {flow.op.name}(...) -> Errno`" if flow.op else "write `return;`"
        work.ctx.error("MC033", node.span, f"`return` with a value, but {word}", hint)
    elif flow.op is not None and flow.op.result is not None:
        message = f"`return` without a value, but op `{flow.op.name}` has a result"
        work.ctx.error("MC033", node.span, message, "write `return e;`")


def _value(work: Work, result: Ref, node: syntax.Return, way: Way) -> None:
    effects = returned(work, result, node)
    (assign,) = effects
    assert isinstance(assign, Assign)
    if reads_shared(assign.value):
        here = Location.of(node.span, one_line(node.span.text), (*effects, *jump(way.following)))
        work.body.step(work.ctx, way.entry, here)
    else:
        work.go(way, node.span, effects)


def returned(work: Work, result: Ref, node: syntax.Return) -> Effects:
    """Return the assignment of a returned expression to the result."""
    assert node.value is not None
    kind = result.var.type
    given = lower(work.ctx, node.value, kind)
    value = coerce(work.ctx, given, kind, node.value.span, "what is returned")
    return (Assign(result, value.expr, node.span),)
