"""Lock verbs: what a call of one means, and the steps that its primitive says (locks/primitive.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from modelcheck.diagnostics import an, counted, near_miss
from modelcheck.language import syntax
from modelcheck.language.body import Body, one_line
from modelcheck.language.context import Context
from modelcheck.language.expressions import condition, reads_shared
from modelcheck.language.frame import VerbArguments, VerbCall, Work, jump
from modelcheck.language.model import (
    FALSE,
    TRUE,
    Assume,
    Breach,
    Const,
    Effects,
    Either,
    Expr,
    Location,
    LockAt,
    Ref,
    Require,
    Test,
    VerbUse,
    Wait,
    refs,
)
from modelcheck.language.naming import callee
from modelcheck.language.places import constant_number, index_of, is_another_kind, lock_at, thread_instance
from modelcheck.language.scope import ThreadBinding, ThreadGroup
from modelcheck.language.types import bounds
from modelcheck.language.values import comparison, conjunction
from modelcheck.locks import PRIMITIVES, VERBS
from modelcheck.locks.primitive import STATES, Argument, Here, Primitive, Verb, VerbStep

Finish = Callable[[int | None], Effects]
"""What a verb's result leads to: effects that end in a jump."""


def verb_call(ctx: Context, call: syntax.Call, text: str = "") -> VerbCall | None:
    """Return what a call of a verb means; report arguments and kinds that do not fit."""
    primitive, verb = VERBS[call.name]
    least, most = len(verb.arguments) - verb.optional, len(verb.arguments)
    if not least <= len(call.arguments) <= most:
        wanted = counted(most, "argument") if least == most else f"{least} or {counted(most, 'argument')}"
        message = f"`{verb.name}` takes {wanted}, {len(call.arguments)} given"
        ctx.error("MC024", call.span, message, _WANTED[verb.arguments[-1]] if verb.arguments else "")
        return None
    at = ctx.unit.domains.get(primitive.kind) if primitive.domain else lock_at(ctx, call.arguments[0])
    given = _Given(ctx, call)
    for kind, argument in zip(verb.arguments, call.arguments, strict=False):
        given.take(kind, argument)
    if at is None or given.wrong:
        return None
    if at.lock.kind != primitive.kind:
        message = f"`{verb.name}` is for {an(primitive.kind)}, but `{at.lock.name}` is {an(at.lock.kind)}"
        ctx.error("MC030", callee(call), message, _alike(verb, PRIMITIVES[at.lock.kind]))
        return None
    shown = text or one_line(call.span.text)
    return VerbCall(verb, at, call.span, shown, given.subclass, given=given.arguments)


_WANTED = {
    "lock": "the lock",
    "thread": "a thread",
    "subclass": "the lock, and a constant subclass",
    "state": f"one of {', '.join(STATES)}",
    "flag": "what was saved",
    "number": "a constant number",
}


@dataclass
class _Given:
    """The arguments of a verb beside its lock, taken one after the other."""

    ctx: Context
    call: syntax.Call
    subclass: int = 0
    arguments: VerbArguments = field(default_factory=VerbArguments)
    wrong: bool = False

    def take(self, kind: Argument, node: syntax.Expression) -> None:
        match kind:
            case "lock":
                pass
            case "subclass":
                number = constant_number(self.ctx, node)
                self.subclass, self.wrong = number or 0, self.wrong or number is None
            case "thread":
                self.thread(node)
            case "state":
                name = node.id if isinstance(node, syntax.Name) else ""
                if name not in STATES:
                    hint = near_miss(name, STATES) or f"there are {', '.join(STATES)}"
                    self.ctx.error("MC012", node.span, f"`{node.span.text}` is no state to sleep in", hint)
                    self.wrong = True
                self.arguments = replace(self.arguments, state=name)
            case "flag":
                self.arguments = replace(self.arguments, flag=condition(self.ctx, node))
            case "number":
                number = constant_number(self.ctx, node)
                self.arguments = replace(self.arguments, number=number or 0)
                self.wrong = self.wrong or number is None
            case _:
                assert_never(kind)

    def thread(self, node: syntax.Expression) -> None:
        found = thread_targets(self.ctx, node)
        if found is None:
            self.wrong = True
            return
        if VERBS[self.call.name][1].blocks and any(reads_shared(when) for _, when in found.targets):
            message = "which thread is waited for cannot change meanwhile"
            self.ctx.error("MC025", node.span, message, "copy the index to a local variable first")
            self.wrong = True
        self.arguments = replace(self.arguments, targets=found.targets, rules=found.rules)


def _alike(verb: Verb, primitive: Primitive) -> str:
    """Return a hint: the verbs of another kind of lock that do what this one does, or all of them."""

    def purpose(one: Verb) -> tuple[bool, bool]:
        return one.release is None, one.result is None

    own = primitive.verbs.values()
    alike = [v.name for v in own if purpose(v) == purpose(verb)] or [v.name for v in own]
    return f"{an(primitive.kind)} has {', '.join(alike)}"


def step_effects(step: VerbStep, finish: Finish) -> Effects:
    """Return the effects of one step of a verb: its rules, then the first outcome that applies (any if it is free)."""
    if step.free:
        branches = tuple((Assume(o.when), *o.updates, *finish(o.result)) for o in step.outcomes)
        return (*step.requires, Either(branches))
    *earlier, last = step.outcomes
    effects: Effects = (*last.updates, *finish(last.result))
    for outcome in reversed(earlier):
        effects = (Test(outcome.when, (*outcome.updates, *finish(outcome.result)), effects),)
    return (*step.requires, *effects)


def verb_steps(body: Body, call: VerbCall, at: LockAt) -> tuple[VerbStep, ...]:
    """Return the steps of a verb on a lock instance, for the thread of the body."""
    first, *others = call.verb.steps(here_of(body, at, call.given))
    return (replace(first, requires=(*call.given.rules, *first.requires)), *others)


def here_of(body: Body, at: LockAt, given: VerbArguments) -> Here:
    """Return where a verb runs: on a lock instance, in the thread of the body."""
    unit = body.unit
    return Here(
        at,
        body.me,
        unit.thread_names,
        domains=unit.domains,
        in_handler=body.me in unit.handlers,
        targets=given.targets,
        state=given.state,
        flag=given.flag,
        locks=tuple(unit.locks),
        number=given.number,
    )


def run_verb(work: Work, call: VerbCall, entry: int, finish: Finish) -> None:
    """Add the steps of a verb; after the last, `finish` says what its result does and where it leads.

    The lock's index is evaluated in the first step; where a shared variable is in it, later steps use what was kept.
    """
    steps = verb_steps(work.body, call, call.at)
    if call.kept is None and len(steps) > 1 and any(reads_shared(e) for e in call.at.index):
        key = syntax.Name(call.text, span=call.span)
        call = replace(call, kept=work.body.kept_index(work.ctx, call.at, key))
    at, keeping = call.kept or (call.at, ())
    steps = (steps[0], *verb_steps(work.body, call, at)[1:])
    here, node = work, entry
    for number, step in enumerate(steps, start=1):
        after = work.new()
        leads = finish if number == len(steps) else lambda _, to=after: jump(to)
        effects = (*(keeping if number == 1 else ()), *step_effects(step, leads))
        location = Location.of(call.span, call.text, effects)
        location = replace(location, guard=step.guard, left_by=call.left_by, sleeps=call.verb.sleeps)
        use = _use(call, at if number > 1 else call.at, steps, number)
        here.body.step(here.ctx, node, replace(location, wait=_wait(step, use.at), verb=use))
        here, node = work.fresh(), after


def _use(call: VerbCall, at: LockAt, steps: tuple[VerbStep, ...], number: int) -> VerbUse:
    return VerbUse(
        call.verb.name,
        at,
        steps[number - 1].action,
        call.verb.mode,
        number,
        len(steps),
        call.subclass,
        bars=any(step.action == "announce" for step in steps[: number - 1]),
    )


def _wait(step: VerbStep, at: LockAt) -> Wait:
    """Return whom a thread blocked here waits for: who holds the lock, and whoever can still make it another lock."""
    moving = tuple(r for index in at.index for r in refs(index) if r.var.kind != "local")
    if not moving:
        return step.wait
    obstacles = tuple(replace(each, any_of=(*(each.any_of or ()), *moving)) for each in step.wait.obstacles)
    return replace(step.wait, obstacles=obstacles)


@dataclass(frozen=True)
class Targets:
    """The threads that an argument may mean, each with its condition, and the rule that it means one of them."""

    targets: tuple[tuple[int, Expr], ...]
    rules: tuple[Require, ...] = ()


def thread_targets(ctx: Context, node: syntax.Expression) -> Targets | None:
    """Return the threads that an argument of a verb may mean; None after reporting an error.

    A thread that does not run in this scenario is none. An index may be any expression of the group's index type; a
    value outside it is an error step, as with any other index.
    """
    inner = node.inner if isinstance(node, syntax.Paren) else node
    name = inner.base if isinstance(inner, syntax.Index) else inner
    if is_another_kind(ctx, name, "a thread"):
        return None
    binding = ctx.find(name.id, name.span) if isinstance(name, syntax.Name) else None
    if not isinstance(binding, ThreadBinding):
        if binding is not None or not isinstance(name, syntax.Name):
            ctx.error("MC012", node.span, f"`{node.span.text}` is not a thread")
        return None
    group = binding.group
    if isinstance(inner, syntax.Index):
        return _chosen(ctx, group, inner)
    if group.index_type is not None and len(group.numbers) > 1:
        message = f"there are {len(group.numbers)} threads `{group.declaration.name}`: say which one"
        ctx.error("MC024", node.span, message, f"`{group.declaration.name}[...]`")
        return None
    return Targets(tuple((number, TRUE) for number in group.numbers))


def _chosen(ctx: Context, group: ThreadGroup, node: syntax.Index) -> Targets | None:
    """Return the threads that `name[index]` may mean."""
    if group.index_type is None:
        thread_instance(ctx, group, node.index)
        return None
    expr = index_of(ctx, node.index, group.index_type)
    if expr is None:
        return None
    low, high = bounds(group.index_type)
    chosen = ((n, comparison("==", expr, Const(low + i))) for i, n in enumerate(group.numbers))
    targets = tuple((n, when) for n, when in chosen if when != FALSE)
    within = conjunction((comparison(">=", expr, Const(low)), comparison("<=", expr, Const(high))))
    said = f"`{one_line(node.span.text)}` is no thread: its index is outside {low} .. {high}"
    sure = isinstance(expr, Ref) and low <= bounds(expr.var.type)[0] and bounds(expr.var.type)[1] <= high
    rules = () if within == TRUE or sure else (Require(within, Breach("range", said, span=node.span)),)
    return Targets(targets, rules)
