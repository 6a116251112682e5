"""Interrupt handlers as threads: when one starts, whom it keeps from running, how it returns (SEMANTICS H2).

A handler waits until it may interrupt one of its threads, runs its body in that thread's place, and waits again. It
starts on the CPU of a thread that runs (it has a step, or spins) with interrupts enabled; no two handlers of one kind
run on one CPU, and an `irq` handler may interrupt a `softirq` handler, never the other way round. While a handler
runs the interrupted thread takes no step.

A sleeping thread is not interrupted: when it is woken it may go on on another CPU. So this holds:
    spinlock l;
    var x: bool = false marked;  var y: bool = false marked;
    thread t { await(x); y = true; }
    thread u { spin_lock(l); x = true; while (!y) { } spin_unlock(l); }
    irq handler tick on t { if (!x) { spin_lock(l); spin_unlock(l); } }
A handler that began while t sleeps would see x false, spin for the lock of u, and keep t from running, for which u
waits. What is lost is the interrupt that finds its CPU idle, as the one that wakes t: it needs a thread that runs,
`daemon thread idle { loop { skip; } }`.
Source: kernel/softirq.c, include/linux/irqflags.h (6.1); handlers run with interrupts off since 2.6.36.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language import statements, syntax
from modelcheck.language.context import Unit
from modelcheck.language.frame import Exit, Way, Work, closing, jump
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
    starts = {t: _may_start(unit, body.me, t) for t in unit.interrupted[body.me]}
    branches = tuple(
        (Assume(may), Assign(on, Const(t + 1)), *_switched(unit, body.me, 1), *jump(first))
        for t, may in starts.items()
    )
    head = Span(node.span.source, node.span.start, node.body.span.start)
    waiting = Wait((Obstacle(movers=tuple(starts)),), rests=True)
    idle = Location.of(head, f"{node.name} interrupts", (Either(branches, head),))
    body.step(work.ctx, entry, replace(idle, guard=disjunction(starts.values()), wait=waiting))
    inside = replace(work.fresh(), flow=replace(work.flow, returns=Exit(last, 0)))
    statements.block(inside, node.body, Way(first, last))
    done: Effects = (Assign(on, Const(0)), *_switched(unit, body.me, 0), *jump(entry))
    body.step(work.fresh().ctx, last, Location.of(closing(node.body.span), RETURNS, done))
    body.graph.loops.append((entry, entry, len(body.graph.nodes)))
    body.graph.labels.setdefault(RETURNS, set()).add(last)
    body.graph.labels.setdefault(STARTS, set()).add(entry)


def declare_handlers(unit: Unit, on: dict[int, tuple[int, ...]], spans: dict[int, Span]) -> None:
    """Add, for each handler, the variable that says whom it interrupts now; `on`: whom it may."""
    for number, threads in on.items():
        name = f"{unit.thread_names[number]}.on"
        variable = Variable(name, unit.thread_type, (), (0,), "lock", span=spans[number])
        unit.variables.append(variable)
        unit.interrupted[number] = threads
        unit.interrupting[number] = Ref(variable)


def with_interrupts(unit: Unit, thread: Thread) -> Thread:
    """Return the thread with the handlers that may run in its place, and with what it is itself."""
    kind = unit.handlers.get(thread.number)
    keeping = tuple(
        (h, _on(unit, h, thread.number)) for h, on in unit.interrupted.items() if thread.number in on
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
    """Return when the handler may interrupt the thread: it runs, with interrupts on, and no such handler is there."""
    softly = [h for h in _handlers(unit, "softirq") if thread in unit.interrupted[h]]
    if unit.handlers[me] == "softirq":
        there = [_on(unit, h, thread) for h in unit.interrupted if thread in unit.interrupted[h]]
        on = (negation(_off(unit, kind, thread)) for kind in ("irq", "softirq"))
        return conjunction((*on, *map(negation, there), _runs(unit, thread)))
    hard = [_on(unit, h, thread) for h in _handlers(unit, "irq") if thread in unit.interrupted[h]]
    alone = conjunction((*(negation(_on(unit, h, thread)) for h in softly), _runs(unit, thread)))
    over = (
        conjunction((_on(unit, h, thread), negation(_off(unit, "irq", h)), _runs(unit, h))) for h in softly
    )
    on_cpu = conjunction((negation(_off(unit, "irq", thread)), *map(negation, hard)))
    return conjunction((on_cpu, disjunction((alone, *over))))


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
