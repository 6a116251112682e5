"""Interrupt handlers as threads: when one starts, whom it keeps from running, how it returns (SEMANTICS H2).

A handler waits until it may start, runs its body, and waits again. It starts on the CPU of one of its threads, with
interrupts enabled there: where that thread runs (it has a step, or spins) it is interrupted, and takes no step until
the handler returns; where it sleeps or has finished nobody is, and the thread may go on meanwhile, on another CPU
(decision 0009). No two handlers of one kind run on one CPU, and an `irq` handler may interrupt a `softirq` handler,
never the other way round.
Source: kernel/softirq.c, include/linux/irqflags.h (6.1); handlers run with interrupts off since 2.6.36.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.diagnostics import near_miss
from modelcheck.language import statements, syntax
from modelcheck.language.context import Unit
from modelcheck.language.declarations import Gathered
from modelcheck.language.frame import Exit, Way, Work, closing, jump
from modelcheck.language.instances import Instance
from modelcheck.language.model import (
    TRUE,
    Assign,
    Assume,
    At,
    Compare,
    Const,
    Effects,
    Either,
    Enabled,
    Expr,
    Handler,
    Location,
    Obstacle,
    Ref,
    Thread,
    Variable,
    Wait,
)
from modelcheck.language.naming import named
from modelcheck.language.scope import ThreadBinding
from modelcheck.language.types import Bool
from modelcheck.language.values import conjunction, disjunction, negation
from modelcheck.locks.primitive import field_of
from modelcheck.source import Span

STARTS, RETURNS = "wait for an interrupt", "return from interrupt"
"""The labels of the steps that start and end a handler; no label in a text can be called so."""


def lower_handler(work: Work, node: syntax.Thread, entry: int) -> None:
    """Lower a handler: the step that interrupts a thread, its body, the step that returns, and round again."""
    body, unit = work.body, work.body.unit
    on = unit.interrupting[body.me]
    first, last = work.new(), work.new()
    idle = unit.idle[body.me]
    starts = {t: _may_start(unit, body.me, t) for t in unit.interrupted[body.me]}
    branches = tuple(
        (
            Assume(may),
            Assign(
                idle, negation(_occupied(unit, body.me, t))
            ),  # before the handler is there, and keeps it from running
            Assign(on, Const(t + 1)),
            *_switched(unit, body.me, 1),
            *jump(first),
        )
        for t, may in starts.items()
    )
    head = Span(node.span.source, node.span.start, node.body.span.start)
    others = tuple(h for h in unit.interrupted if h != body.me)
    waiting = Wait((Obstacle(movers=(*starts, *others)),), rests=True)
    starting = Location.of(head, f"{node.name} interrupts", (Either(branches, head),))
    body.step(work.ctx, entry, replace(starting, guard=disjunction(starts.values()), wait=waiting))
    inside = replace(work.fresh(), flow=replace(work.flow, returns=Exit(last, 0)))
    statements.block(inside, node.body, Way(first, last))
    done: Effects = (Assign(on, Const(0)), Assign(idle, Const(0)), *_switched(unit, body.me, 0), *jump(entry))
    body.step(work.fresh().ctx, last, Location.of(closing(node.body.span), RETURNS, done))
    body.graph.loops.append((entry, entry, len(body.graph.nodes)))
    body.graph.labels.setdefault(RETURNS, set()).add(last)
    body.graph.labels.setdefault(STARTS, set()).add(entry)


def declare_handlers(unit: Unit, found: Gathered, instances: list[Instance]) -> None:
    """Declare the handlers that run, with the threads that they may interrupt; report what is no thread."""
    groups: dict[str, tuple[int, ...]] = {}
    for node in found.handlers.values():
        numbers: list[int] = []
        for name in node.threads:
            binding = unit.globals.find(name)
            if not isinstance(binding, ThreadBinding) or name in found.handlers:
                known = [d.name for d in found.of(syntax.Thread) if d.name not in found.handlers]
                message = f"`{name}` is no thread that `{node.name}` could interrupt"
                unit.collector.error("MC010", named(node, name), message, near_miss(name, known))
            else:
                numbers += [n for n in binding.group.numbers if n not in numbers]
        groups[node.name] = tuple(numbers)
    own = {i.number: i.group.declaration for i in instances if i.number in unit.handlers}
    on = {number: groups[node.name] for number, node in own.items()}
    _declare_variables(unit, on, {number: node.span for number, node in own.items()})


def _declare_variables(unit: Unit, on: dict[int, tuple[int, ...]], spans: dict[int, Span]) -> None:
    """Add, for each handler, on whose CPU it runs and whether that was idle; `on`: where it may run."""
    for number, threads in on.items():
        name, span = unit.thread_names[number], spans[number]
        place = Variable(f"{name}.on", unit.thread_type, (), (0,), "lock", span=span)
        idle = Variable(f"{name}.idle", Bool(), (), (0,), "lock", span=span)
        unit.variables += [place, idle]
        unit.interrupted[number] = threads
        unit.interrupting[number] = Ref(place)
        unit.idle[number] = Ref(idle)


def with_interrupts(unit: Unit, thread: Thread) -> Thread:
    """Return the thread with the handlers that may run in its place, and with what it is itself."""
    kind = unit.handlers.get(thread.number)
    keeping = tuple(
        (h, conjunction((_on(unit, h, thread.number), negation(unit.idle[h]))))
        for h, on in unit.interrupted.items()
        if thread.number in on
    )
    if kind == "softirq":
        own = unit.interrupted[thread.number]
        for h in _handlers(unit, "irq"):
            both = [t for t in unit.interrupted[h] if t in own]
            over = disjunction(conjunction((_on(unit, h, t), _on(unit, thread.number, t))) for t in both)
            keeping += ((h, over),) if both else ()
    if kind is None:
        return replace(thread, interrupted_by=keeping)
    assert kind in ("irq", "softirq")
    starts, returns = (thread.labels.get(label, frozenset()) for label in (STARTS, RETURNS))
    handler = Handler(kind, unit.interrupted[thread.number], starts, returns)  # type: ignore[arg-type]
    return replace(thread, interrupted_by=keeping, handler=handler)


def _handlers(unit: Unit, kind: str) -> list[int]:
    return [number for number, each in unit.handlers.items() if each == kind]


def _on(unit: Unit, handler: int, thread: int) -> Expr:
    return Compare("==", unit.interrupting[handler], Const(thread + 1))


def _may_start(unit: Unit, me: int, thread: int) -> Expr:
    """Return when the handler may start on the thread's CPU: interrupts are on there, and no handler bars it."""
    there = {h: _on(unit, h, thread) for h, on in unit.interrupted.items() if thread in on}
    if unit.handlers[me] == "softirq":
        on = (negation(_off(unit, kind, thread)) for kind in ("irq", "softirq"))
        return conjunction((*on, *map(negation, there.values())))
    hard = (negation(there[h]) for h in _handlers(unit, "irq") if h in there)
    softly = [h for h in _handlers(unit, "softirq") if h in there]
    # A soft interrupt handler may have switched interrupts off itself; else it is the thread that may have.
    open_ = (disjunction((negation(there[h]), negation(_off(unit, "irq", h)))) for h in softly)
    alone = conjunction(negation(there[h]) for h in softly)
    own = (
        disjunction((negation(alone), negation(_off(unit, "irq", thread))))
        if softly
        else negation(_off(unit, "irq", thread))
    )
    return conjunction((own, *hard, *open_))


def _occupied(unit: Unit, me: int, thread: int) -> Expr:
    """Return whether something runs on the thread's CPU that the handler interrupts: a soft one, or the thread."""
    softly = [
        h for h in _handlers(unit, "softirq") if thread in unit.interrupted[h] and unit.handlers[me] == "irq"
    ]
    # Over a soft interrupt handler the CPU was idle if it was when that one started.
    over = (conjunction((_on(unit, h, thread), negation(unit.idle[h]))) for h in softly)
    free = conjunction(negation(_on(unit, h, thread)) for h in softly)
    return disjunction((*over, conjunction((free, _runs(unit, thread)))))


def _runs(unit: Unit, thread: int) -> Expr:
    """Return when the thread has the CPU: it has a step, or spins; a `choose` that finds nothing is as an `await`."""
    one = unit.threads[thread]
    spins = frozenset(
        x.number for x in one.locations if x.wait.obstacles and not x.sleeps and x.guard != TRUE
    )
    return disjunction((Enabled(thread), *((At(thread, spins),) if spins else ())))


def _off(unit: Unit, kind: str, thread: int) -> Expr:
    at = unit.domains.get(kind)
    return Const(0) if at is None else Compare("!=", field_of(at, "off", thread), Const(0))


def _switched(unit: Unit, me: int, value: int) -> Effects:
    """Return what a handler switches off on the way in, and back on the way out."""
    kinds = ("irq", "softirq") if unit.handlers[me] == "irq" else ("softirq",)
    found = (unit.domains[kind] for kind in kinds if kind in unit.domains)
    return tuple(Assign(field_of(at, "off", me), Const(value)) for at in found)
