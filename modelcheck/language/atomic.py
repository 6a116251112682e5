"""`atomic { }` and `init { }`: a whole block as the effects of one step.

Statements become a tree of effects in continuation style: `then` yields what follows a statement, and is asked
for more than once only where a `break`, `continue` or `return` leaves a branch early.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from modelcheck.language import assignments, calls, guards, inlining, jumps, statements, syntax, verbs
from modelcheck.language.body import one_line
from modelcheck.language.expressions import coerce, condition
from modelcheck.language.frame import Entered, Exit, Way, Work, as_block, closing, jump, waiting_on
from modelcheck.language.graph import Graph
from modelcheck.language.model import (
    Assign,
    Call,
    Choose,
    Const,
    Effects,
    Either,
    Expr,
    Location,
    Ref,
    Test,
    walk_effects,
)
from modelcheck.language.operations import described
from modelcheck.language.places import index_value, resolve, type_of
from modelcheck.language.scope import Place
from modelcheck.language.types import bounds, show
from modelcheck.language.values import Value, conjunction
from modelcheck.locks import VERBS
from modelcheck.source import Span

Then = Callable[[], Effects]
LONGEST = 100
"""An atomic block is shown in traces with at most so many characters."""

MOST_STATEMENTS = 1_000
"""An atomic block may be unrolled into so many: its effects are one tree, and trees are walked recursively."""


@dataclass(frozen=True)
class Atomic:
    """Where a statement of the block stands. `guards` gathers the conditions under which the block can run.

    `entered` is the op in which the block stands, `lowered` has every statement of it so far, unrolled ones each time.
    `exits`: where the ways out of the block begin, by the jump; all copies of a jump share it.
    """

    work: Work
    guards: list[Expr] = field(default_factory=list)
    locks: set[str] = field(default_factory=set)
    initial: bool = False
    entered: Call | None = None
    lowered: list[syntax.Node] = field(default_factory=list)
    exits: dict[tuple[object, ...], int] = field(default_factory=dict)
    leading: bool = True
    breaks: Then | None = None
    continues: Then | None = None
    returns: Callable[[Atomic, syntax.Return], Effects] | None = None

    def at(self, work: Work) -> Atomic:
        """Return the same place with another work: a scope, a removed branch."""
        return replace(self, work=work)


def lower_atomic(work: Work, node: syntax.Atomic, way: Way) -> None:
    """Lower `atomic { }`: one step, with one transition for each combination of its choices."""
    place = Atomic(work, entered=work.body.call)
    effects = block(place, node.body, lambda: jump(way.following))
    guards.check_atomic(work.ctx, place.locks)
    head = Span(node.span.source, node.span.start, node.span.start + len("atomic"))
    text = one_line(node.span.text)
    shown = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
    where = (e.where for e in walk_effects(effects) if isinstance(e, Choose))
    wait = waiting_on(conjunction((*place.guards, *where)), rests=True)
    here = replace(Location.of(head, shown, effects), guard=conjunction(place.guards), wait=wait)
    here = replace(here, sleeps=bool(place.guards))
    work.body.step(work.ctx, way.entry, here, atomic=True)


def block(place: Atomic, node: syntax.Block, then: Then) -> Effects:
    """Return the effects of a block's statements, then of what follows."""
    inner = place.at(place.work.inner())

    def following(position: int) -> Effects:
        if position == len(node.statements):
            return then()
        here = inner if position == 0 else replace(inner, leading=False)
        return _apart(
            here, lambda: _statement(here, node.statements[position], lambda: following(position + 1))
        )

    return following(0)


def _apart(place: Atomic, lower: Then) -> Effects:
    """Lower something. What it declares is no name of the branches that are lowered after it."""
    names = place.work.ctx.scope.names
    before = dict(names)
    effects = lower()
    names.clear()
    names.update(before)
    return effects


def _statement(place: Atomic, node: syntax.Statement, then: Then) -> Effects:
    """Return the effects of a statement, then of what follows. What may wait or repeat is refused."""
    later, ctx = replace(place, leading=False), place.work.ctx
    if len(place.lowered) >= MOST_STATEMENTS:
        message = f"`{_word(place)}` is unrolled here into more than {MOST_STATEMENTS} statements"
        hint = "it is one step: split it, or make its loops shorter"
        ctx.error("MC046", place.lowered[0].span, message, hint)
        return ()
    place.lowered.append(node)
    match node:
        case syntax.Block():
            return block(place, node, then)
        case syntax.Await():
            return _await(place, node, then)
        case syntax.Assign() | syntax.Local() | syntax.Choose():
            return _assigning(later, node, then)
        case syntax.Either():
            return _either(later, node, then)
        case syntax.If():
            return _if(later, node, then)
        case syntax.For():
            return _for(later, node, then)
        case syntax.Assert():
            return (statements.required(ctx, node), *then())
        case syntax.Emit():
            return (statements.emitted(ctx, node), *then())
        case syntax.CallStatement(call):
            return _call(later, call, then, lambda _: ())
        case syntax.Skip() | syntax.Empty():
            return then()
        case syntax.Unguarded(_, inner):
            exempt = replace(place.work, ctx=replace(ctx, unguarded=True))
            return (*_statement(later.at(exempt), inner, tuple), *then())
        case syntax.Break() | syntax.Continue() | syntax.Return():
            return _leave(later, node)
        case _:
            written = "a label" if isinstance(node, syntax.Label) else f"`{_keyword(node)}`"
            hint = "it is one step: what may wait or repeat stays outside"
            ctx.error("MC044", node.span, f"{written} cannot stand inside {_where(place)}", hint)
            return then()


def _word(place: Atomic) -> str:
    return "init" if place.initial else "atomic"


def _where(place: Atomic) -> str:
    """Return what a statement stands in, in words; with the call by which it got there."""
    call = place.work.body.call
    if call is None or call is place.entered:
        return f"`{_word(place)}`"
    while call.parent is not None and call.parent is not place.entered:
        call = call.parent
    return f"`{_word(place)}`, which calls this op at {call.span}"


def _keyword(node: syntax.Statement) -> str:
    return re.split(r"\W", node.span.text, maxsplit=1)[0]


def _await(place: Atomic, node: syntax.Await, then: Then) -> Effects:
    expr, ctx = condition(place.work.ctx, node.condition), place.work.ctx
    if place.initial:
        hint = "nothing runs before `init` that could end the wait"
        ctx.error("MC044", node.span, "`await` cannot stand inside `init`", hint)
    elif not place.leading:
        hint = "blocking later would let the others see half of the block"
        ctx.error("MC044", node.span, "`await` can only be the first statement of `atomic`", hint)
    else:
        place.guards.append(expr)
    return then()


def _assigning(place: Atomic, node: syntax.Assign | syntax.Local | syntax.Choose, then: Then) -> Effects:
    work = place.work
    match node:
        case syntax.Choose():
            made = assignments.choose_parts(work, node)
            return then() if made is None else (made[0], *then())
        case syntax.Local():
            return _local(place, node, then)
        case syntax.Assign():
            call = assignments.call_in(work.ctx, node.value) if node.operator == "=" else None
            target = resolve(work.ctx, node.target) if call is not None else None
            if call is None:
                return (*assignments.assignment(work.ctx, node), *then())
            if not isinstance(target, Place) or not target.complete or target.storage.variable is None:
                message = f"`{node.target.span.text}` cannot take the result of a call"
                work.ctx.error("MC012", node.target.span, message)
                return then()
            ref = Ref(target.storage.variable, target.index)
            work.ctx.record(ref, node.target.span, writes=True)
            return _call(place, call, then, _into(place, call, ref))


def _local(place: Atomic, node: syntax.Local, then: Then) -> Effects:
    work = place.work
    storage, call = assignments.local_storage(work, node), assignments.call_in(work.ctx, node.initial)
    if storage is None:
        return then()

    def declared() -> Effects:
        assignments.declare_local(work, node, storage)
        return then()

    if call is not None and storage.variable is not None:
        return _call(place, call, lambda: _apart(place, declared), _into(place, call, Ref(storage.variable)))
    value = assignments.initial_value(work.ctx, node)
    return (*assignments.local_effects(work.ctx, node, storage, value), *declared())


def _leaves_early(node: syntax.Node) -> bool:
    """True if a break, continue or return inside may skip what follows the node."""
    return any(isinstance(n, syntax.Break | syntax.Continue | syntax.Return) for n in node.walk())


def _either(place: Atomic, node: syntax.Either, then: Then) -> Effects:
    early = _leaves_early(node)
    arms = tuple(block(place, arm, then if early else tuple) for arm in node.branches)
    return (Either(arms, node.span), *(() if early else then()))


def _if(place: Atomic, node: syntax.If, then: Then) -> Effects:
    early = _leaves_early(node)
    follow: Then = then if early else tuple

    def arm(*, taken: bool) -> Effects:
        chosen = node.then if taken else node.otherwise
        return follow() if chosen is None else block(place, as_block(chosen), follow)

    call, negated = statements.asked(place.work.ctx, node.condition)
    if call is not None:
        made = _call(place, call, tuple, _tested(place, call, lambda yes: arm(taken=yes != negated)))
    elif isinstance(test := statements.tested(place.work.ctx, node.condition), Const):
        _check_removed(place, node.otherwise if test.value else node.then)
        made = arm(taken=bool(test.value))
    else:
        made = (statements.test_of(node, test, arm(taken=True), arm(taken=False)),)
    return made if early else (*made, *then())


def _check_removed(place: Atomic, node: syntax.Statement | None) -> None:
    """Check the branch that a constant condition removes."""
    if node is None:
        return
    work = place.work
    body, ctx = replace(work.body, graph=Graph()), replace(work.ctx, kept=False, accesses=[])
    aside = replace(work, body=body, ctx=ctx)
    block(replace(place.at(aside), guards=[], exits={}), as_block(node), tuple)


def _for(place: Atomic, node: syntax.For, then: Then) -> Effects:
    kind = type_of(place.work.ctx, node.type)
    if kind is None:
        return then()
    low, high = bounds(kind)
    if high - low >= MOST_STATEMENTS:
        message = f"the body of this `for` would be unrolled {high - low + 1} times in one step"
        place.work.ctx.error("MC046", node.type.span, message, "loops inside each other multiply")
        return then()
    early = _leaves_early(node.body)
    after: Then = then if early else tuple

    def copy(value: int) -> Effects:
        if value > high:
            return after()
        copies = (*place.work.body.unrolled, (node.name, show(kind, value)))
        here = replace(place.work, body=replace(place.work.body, unrolled=copies)).inner()
        here.ctx.scope.names[node.name] = index_value(value, kind, node.span)

        def following() -> Effects:
            return copy(value + 1)

        inside = replace(place.at(here), breaks=after, continues=following)
        return block(inside, as_block(node.body), following)

    return copy(low) if early else (*copy(low), *then())


def _leave(place: Atomic, node: syntax.Break | syntax.Continue | syntax.Return) -> Effects:
    match node:
        case syntax.Return():
            if place.returns is not None:
                return place.returns(place, node)
            return _outside(place, node, None if place.initial else place.work.flow.returns)
        case syntax.Break():
            return place.breaks() if place.breaks else _outside(place, node, place.work.flow.breaks)
        case syntax.Continue():
            return place.continues() if place.continues else _outside(place, node, place.work.flow.continues)


def _outside(place: Atomic, node: syntax.Break | syntax.Continue | syntax.Return, to: Exit | None) -> Effects:
    """Return the jump out of the block to a place around it, by way of the releases that stand there."""
    work = place.work
    if to is None:
        if isinstance(node, syntax.Return):
            hint = "it ends where its text ends"
            work.ctx.error("MC044", node.span, f"`return` cannot stand inside `{_word(place)}`", hint)
        else:
            work.ctx.error("MC045", node.span, f"`{_keyword(node)}` is not inside a loop")
        return ()
    effects = _result(work, node) if isinstance(node, syntax.Return) else ()
    key = node.span, work.body.unrolled
    if key not in place.exits:
        place.exits[key] = work.new()
        jumps.leave(work, place.exits[key], to, node.span)
    return (*effects, *jump(place.exits[key]))


def _result(work: Work, node: syntax.Return) -> Effects:
    """Return the assignment of what is returned, if something is and should be."""
    if node.value is not None and work.flow.result is not None:
        return jumps.returned(work, work.flow.result, node)
    jumps.check_result(work, node, work.flow, has_value=node.value is not None)
    return ()


Use = Callable[[Value | int | None], Effects]
"""What is done with a call's result: an int of a verb, a Value of an op, None if there is none."""


def _into(place: Atomic, call: syntax.Call, ref: Ref) -> Use:
    def store(result: Value | int | None) -> Effects:
        if isinstance(result, int):
            given = VERBS[call.name][1].result
            if given is not None and given != ref.var.type:
                made, needed = described(given), described(ref.var.type)
                message = f"`{call.name}` returns {made}, but {needed} is needed here"
                place.work.ctx.error("MC020", call.span, message)
            return (Assign(ref, Const(result), call.span),)
        if result is None:
            place.work.ctx.error("MC032", call.span, f"`{call.name}` has no result", calls.with_result(call))
            return ()
        value = coerce(place.work.ctx, result, ref.var.type, call.span)
        return (Assign(ref, value.expr, call.span),)

    return store


def _tested(place: Atomic, call: syntax.Call, arm: Callable[[bool], Effects]) -> Use:
    def test(result: Value | int | None) -> Effects:
        if isinstance(result, int):
            return arm(bool(result))
        expr = result.expr if result is not None else None
        truth = calls.truth(place.work.ctx, call, expr if isinstance(expr, Ref) else None)
        return () if truth is None else (Test(truth, arm(True), arm(False)),)

    return test


def _call(place: Atomic, call: syntax.Call, then: Then, use: Use) -> Effects:
    """Return the effects of a call: a verb that cannot wait, or an op whose body could stand here."""
    work = place.work
    if call.name == "WRITE_ONCE":
        return (*calls.write_once(work.ctx, call), *then())
    if call.name in calls.ASSERTED and not place.initial:
        return (*calls.asserted(work, call), *then())
    if not calls.takes_one_step(work.ctx, call, _where(place)):
        return then()
    if call.name in VERBS:
        return (*_verb(place, call, use), *then())

    def inside(entered: Entered, leave: Callable[[Span], Effects]) -> Effects:
        def returns(at: Atomic, node: syntax.Return) -> Effects:
            return (*_result(at.work, node), *leave(node.span))

        shared = replace(entered.work, ctx=replace(entered.work.ctx, accesses=work.ctx.accesses))
        body = replace(place.at(shared), breaks=None, continues=None, returns=returns)
        return block(body, entered.op.body, lambda: leave(closing(entered.op.body.span)))

    def after(result: Ref | None) -> Effects:
        return (*use(None if result is None else Value(result, result.var.type)), *then())

    return inlining.in_one_step(work, call, inside, after, initial=place.initial)


def _verb(place: Atomic, call: syntax.Call, use: Use) -> Effects:
    work = place.work
    found = verbs.verb_call(work.ctx, call)
    if found is None:
        return ()
    if found.verb.blocks or place.initial:
        can = "unlock and try verbs can stand inside atomic, others may wait"
        hint = "every lock is free when the threads start" if place.initial else can
        work.ctx.error("MC044", call.span, f"`{call.name}` cannot stand inside {_where(place)}", hint)
        return ()
    place.locks.add(found.at.lock.name)
    (step,) = verbs.verb_steps(work.body, found, found.at)
    return verbs.step_effects(step, use)
