"""Syntax trees -> Model: parameters bound, ops inlined, locks turned into variables and steps.

The whole flow of one elaboration is `elaborate`; what it calls lies in the files beside this one.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from modelcheck.diagnostics import near_miss
from modelcheck.language import atomic, jumps, statements, syntax
from modelcheck.language.body import Body, clear, one_line
from modelcheck.language.context import Context, Unit
from modelcheck.language.declarations import Gathered, Setting, declare_constants, gather
from modelcheck.language.domains import declare_domains, domains_used
from modelcheck.language.expressions import condition
from modelcheck.language.frame import Exit, Flow, Way, Work, closing
from modelcheck.language.graph import END, MOST_LOCATIONS, freeze
from modelcheck.language.inlining import check_op
from modelcheck.language.instances import Instance, thread_instances
from modelcheck.language.interrupts import declare_handlers, lower_handler, with_interrupts
from modelcheck.language.lock_orders import declared_orders
from modelcheck.language.model import Effects, Location, Model, Mover, Property, Thread
from modelcheck.language.naming import callee, check_property_name, named
from modelcheck.language.observing import observations_of, observed
from modelcheck.language.places import index_value, lock_at
from modelcheck.language.scenarios import resolve_scenario, scenarios_of
from modelcheck.language.scope import ConstantBinding, ThreadBinding
from modelcheck.language.types import bounds
from modelcheck.language.values import NOTHING, Value
from modelcheck.language.variables import declare_guards, declare_lock, declare_variable
from modelcheck.source import Span

sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))
"""Lowering, evaluating and printing recurse over trees as deep as tree_depth.DEEPEST_TREE allows."""


def scenario_names(specs: tuple[syntax.Specification, ...]) -> tuple[str, ...]:
    """Return the names of a file's scenarios, in order; without any there is one unnamed scenario."""
    return tuple(s.name for s in scenarios_of(specs))


def elaborate(
    specs: tuple[syntax.Specification, ...],
    parameters: Mapping[str, str | int | bool] | None = None,
    scenario: str | None = None,
) -> Model:
    """Return the closed Model of a file (`specs[0]`, then what it imports) in one scenario.

    `parameters` overrides defaults, with values as text or as Python's. `scenario` None or "" means none.

    Raises:
        SpecError: with every diagnostic of the phase that found errors.

    """
    unit, whole = Unit(all_marked=specs[0].marked), Span(specs[0].span.source, 0, 0)
    _check_anything(unit, specs, whole)
    chosen, found = _chosen(unit, specs, scenario), gather(specs, unit)
    shown = declare_constants(unit, found, _settings(unit, found, chosen, parameters or {}, whole))
    if parameters:
        unit.collector.raise_errors()  # one from outside that is wrong is not the file's mistake
    instances = _instances(unit, found, chosen)
    _declare_storage(unit, found)
    _lower_threads(unit, found, instances)
    _check_unused(unit, found, instances)
    initial, properties = _initial(unit, found), _properties(unit, found)
    orders, observations = declared_orders(unit, found.orders), observations_of(unit, found)
    resolved = resolve_scenario(unit, found, chosen)
    unit.collector.raise_errors()
    return Model(
        name=specs[0].name or Path(specs[0].span.source.name).name,
        description=specs[0].description,
        parameters=tuple(shown.items()),
        variables=tuple(unit.variables),
        locks=tuple(unit.locks),
        threads=tuple(unit.threads),
        initial=initial,
        properties=properties,
        scenario=resolved,
        all_marked=unit.all_marked,
        calls=tuple(unit.calls),
        overridden=tuple(found.overridden),
        warnings=tuple(d.render() for d in unit.collector.warnings),
        file=specs[0].span.source.name,
        given=tuple(parameters or ()),
        ops=tuple(_ops(unit, found)),
        settled=frozenset(unit.settled),
        orders=orders,
        observations=observations,
    )


def _ops(unit: Unit, found: Gathered) -> Iterator[tuple[str, Span]]:
    """Yield the ops whose calls can be seen (those of `init` are not), with their places."""
    for node in found.named.values():
        if isinstance(node, syntax.Op) and node.name not in unit.within_steps:
            yield node.name, node.span


def _instances(unit: Unit, found: Gathered, chosen: syntax.Scenario | None) -> list[Instance]:
    runs = [i for i in chosen.items if isinstance(i, syntax.Run)] if chosen else []
    # Handlers come after all threads, and after the handlers that they may interrupt: they speak of their locations.
    rank = {"softirq": 1, "irq": 2}
    threads = [d for d in found.named.values() if isinstance(d, syntax.Thread)]
    kinds = {name: node.kind for name, node in found.handlers.items()}
    threads.sort(key=lambda d: rank.get(kinds.get(d.name, ""), 0))
    instances = thread_instances(unit, threads, runs)
    unit.thread_names = tuple(i.name for i in instances)
    running = [i for i in instances if i.group.declaration.name in kinds]
    unit.handlers = {i.number: kinds[i.group.declaration.name] for i in running}
    return instances


def _check_anything(unit: Unit, specs: tuple[syntax.Specification, ...], whole: Span) -> None:
    """Refuse files that declare nothing: they would hold."""
    if all(isinstance(d, syntax.Import) for spec in specs for d in spec.declarations):
        unit.collector.error("MC064", whole, "nothing is declared here, so there is nothing to check")


# --- scenario and parameters ---------------------------------------------------------------------


def _chosen(unit: Unit, specs: tuple[syntax.Specification, ...], name: str | None) -> syntax.Scenario | None:
    scenarios: dict[str, syntax.Scenario] = {}
    for node in scenarios_of(specs):
        first = scenarios.setdefault(node.name, node)
        if first is not node:
            message = f"scenario `{node.name}` is declared twice, first at {first.span}"
            unit.collector.error("MC011", named(node, node.name), message)
    if not name:
        return None
    if name not in scenarios:
        whole = Span(specs[0].span.source, 0, 0)
        unit.collector.error(
            "MC061",
            whole,
            f"there is no scenario `{name}`",
            near_miss(name, scenarios) or f"there are: {', '.join(scenarios) or 'none'}",
        )
        unit.collector.raise_errors()
    return scenarios[name]


def _settings(
    unit: Unit,
    found: Gathered,
    chosen: syntax.Scenario | None,
    parameters: Mapping[str, str | int | bool],
    whole: Span,
) -> dict[str, Setting]:
    """Return what overrides the parameters' defaults: the scenario's own settings, then those from outside.

    `whole` is the place of what the text is not to blame for.
    """
    known = {d.name: d for d in found.named.values() if isinstance(d, syntax.Param)}
    settings: dict[str, Setting] = {}
    for item in chosen.items if chosen else ():
        if not isinstance(item, syntax.Setting):
            continue
        here = named(item, item.name)
        if item.name not in known:
            unit.collector.error(
                "MC061", here, f"there is no parameter `{item.name}`", _parameters(item.name, known)
            )
        if item.name in settings:
            unit.collector.error("MC011", here, f"`{item.name}` is set twice in this scenario")
        settings[item.name] = item.value
    for name, value in parameters.items():
        own = settings.get(name)
        if name not in known:
            unit.collector.error("MC061", whole, f"there is no parameter `{name}`", _parameters(name, known))
        elif isinstance(own, syntax.Node) and chosen is not None:
            message = f"scenario `{chosen.name}` sets `{name}` itself"
            unit.collector.error("MC063", own.span, message, "leave out the scenario, or the parameter")
        else:
            settings[name] = value
    return settings


def _parameters(name: str, known: Mapping[str, syntax.Param]) -> str:
    return near_miss(name, known) or f"there are: {', '.join(known) or 'none'}"


# --- variables, locks ----------------------------------------------------------------------------


def _declare_storage(unit: Unit, found: Gathered) -> None:
    declare_domains(unit, set(domains_used(found)))
    unit.observed = observed(found)
    for node in found.named.values():
        if isinstance(node, syntax.Lock):
            declare_lock(unit, node)
        elif isinstance(node, syntax.Variable):
            declare_variable(unit, node)
    for node in found.named.values():
        if isinstance(node, syntax.Lock | syntax.Variable) and node.name not in unit.globals.names:
            unit.globals.names[node.name] = ConstantBinding(NOTHING, node.span)
        elif isinstance(node, syntax.Variable):
            declare_guards(unit, node)


# --- threads -------------------------------------------------------------------------------------


def _lower_threads(unit: Unit, found: Gathered, instances: list[Instance]) -> None:
    _check_bodies(unit, found)
    declare_handlers(unit, found, instances)
    for instance in instances:
        unit.threads.append(_lower_thread(unit, instance))
    unit.threads = [with_interrupts(unit, thread) for thread in unit.threads]


def _lower_thread(unit: Unit, instance: Instance, *, kept: bool = True) -> Thread:
    node = instance.group.declaration
    body = Body(unit, instance.number, instance.name, node.name)
    ctx = Context(unit, unit.globals.child(), "code", me=instance.number, kept=kept)
    if instance.own is not None and instance.group.index_type is not None:
        ctx.scope.names["self"] = index_value(instance.own, instance.group.index_type, node.span)
    entry = body.graph.new()
    flow = Flow(jumps.collect_labels(body, node.body, None), Exit(END, 0))
    work = Work(body, ctx, flow)
    if kept and instance.number in unit.handlers:
        lower_handler(work, node, entry)
    else:
        statements.block(work, node.body, Way(entry, END))
    if body.graph.too_large:
        often = Counter(c.op for c in unit.calls).most_common(5)
        ops = ", ".join(f"`{op}` {times} times" for op, times in often if times > 1)
        message = f"thread `{instance.name}` has more than {MOST_LOCATIONS} locations"
        hint = f"ops are inlined wherever they are called: {ops}" if ops else ""
        unit.collector.error("MC046", named(node, node.name), message, hint)
        unit.collector.raise_errors()
    end = Location.of(closing(node.body.span), "end", ())
    frozen = freeze(body.graph, entry, end, unit.collector)
    return Thread(
        number=instance.number,
        name=instance.name,
        declaration=node.name,
        daemon="daemon" in node.attributes,
        unfair="unfair" in node.attributes,
        locations=frozen.locations,
        start=frozen.start,
        goals=frozen.goals,
        locals=tuple(v for v in unit.variables if v.thread == instance.number),
        labels=frozen.labels,
        span=node.span,
    )


def _check_bodies(unit: Unit, found: Gathered) -> None:
    """Refuse goto together with guard() in one body (SEMANTICS H15), and ops that lead back to themselves."""
    bodies = [d for d in found.named.values() if isinstance(d, syntax.Op | syntax.Thread)]
    for node in bodies:
        jumps_ = [n for n in node.walk() if isinstance(n, syntax.Goto)]
        guards = [n for n in node.walk() if isinstance(n, syntax.Guard)]
        if jumps_ and guards:
            message = f"`{node.name}` has both goto and guard (at {guards[0].span})"
            unit.collector.error(
                "MC042", jumps_[0].span, message, "convert all of it to guards, or none of it"
            )
    ops = {d.name: d for d in bodies if isinstance(d, syntax.Op)}
    rings: set[str] = set()
    unit.recursive = frozenset(name for name in ops if _check_recursion(unit, ops, name, rings))
    for each in (n for body in bodies for n in body.walk() if isinstance(n, syntax.Assert) and n.name):
        check_property_name(unit.collector, each, each.name or "", found.properties)


def _check_recursion(unit: Unit, ops: dict[str, syntax.Op], name: str, rings: set[str]) -> bool:
    """Report the call by which an op leads back to itself, if there is one; a shortest chain is shown.

    `rings` has the ops whose chain was shown.
    """
    chains: list[tuple[tuple[str, ...], Span]] = [((name,), ops[name].span)]
    seen: set[str] = set()
    for chain, first in chains:
        for each in ops[chain[-1]].body.walk():
            if not isinstance(each, syntax.Call) or each.name not in ops:
                continue
            place = callee(each) if len(chain) == 1 else first
            if each.name == name:
                message = f"`{name}` calls itself: {' -> '.join((*chain, name))}"
                if name not in rings:
                    unit.collector.error(
                        "MC040", place, message, "ops are inlined and cannot recur: write a loop"
                    )
                rings.update(chain)
                return True
            if each.name not in seen:
                seen.add(each.name)
                chains.append(((*chain, each.name), place))
    return False


def _check_unused(unit: Unit, found: Gathered, instances: list[Instance]) -> None:
    """Check the text of ops that nobody calls and of threads that do not run."""
    running = {i.group.declaration.name for i in instances}
    for node in found.named.values():
        if isinstance(node, syntax.Thread) and node.name not in running:
            binding = unit.globals.find(node.name)
            assert isinstance(binding, ThreadBinding)
            group = binding.group
            own = None if group.index_type is None else bounds(group.index_type)[0]
            _lower_thread(unit, Instance(group, 0, node.name, own), kept=False)
    called = {c.op for c in unit.calls}
    for node in found.named.values():
        if isinstance(node, syntax.Op) and node.name not in called:
            _check_op(unit, node)


def _check_op(unit: Unit, op: syntax.Op) -> None:
    """Lower a call of the op from nowhere: only its diagnostics matter."""
    body = Body(unit, 0, "", "")
    ctx = Context(unit, unit.globals.child(), "code", me=0, kept=False)
    check_op(body, ctx, op)


def _initial(unit: Unit, found: Gathered) -> Effects:
    """Return the effects of every `init { }`, in order; its locals end with their first value."""
    effects: Effects = ()
    for node in found.inits:
        body = Body(unit, -1, "init", "")
        ctx = Context(unit, unit.globals.child(), "code")
        flow = Flow(jumps.collect_labels(body, node.body, None), Exit(END, 0))
        effects += atomic.block(atomic.Atomic(Work(body, ctx, flow), initial=True), node.body, tuple)
        for storage in body.locals.values():
            effects += clear(storage, node.span)
    return effects


# --- properties ----------------------------------------------------------------------------------


def _properties(unit: Unit, found: Gathered) -> tuple[Property, ...]:
    lowered = (_property(unit, node) for node in found.properties.values())
    return tuple(each for each in lowered if each is not None)


def _property(unit: Unit, node: syntax.Property) -> Property | None:
    ctx = Context(unit, unit.globals, "step" if node.kind == "step" else "property")
    if node.kind == "step":
        ctx.scope = unit.globals.child()
        mover = Value(Mover(len(unit.thread_names)), unit.thread_type)
        ctx.scope.names["mover"] = ConstantBinding(mover, node.span)
    free = lock_at(ctx, node.when) if node.when is not None else None
    expr = condition(ctx, node.expression)
    text = one_line(node.expression.span.text)
    premises, unit.premises = tuple(unit.premises), []
    assert node.kind != "property"
    return Property(node.kind, node.name, expr, free, node.span, text, premises)  # type: ignore[arg-type]
