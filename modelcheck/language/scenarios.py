"""Scenarios: what a scenario sets and runs, and what it expects, resolved against the names of the model."""

from __future__ import annotations

from collections.abc import Iterable

from modelcheck.diagnostics import CHECKS, near_miss
from modelcheck.language import syntax
from modelcheck.language.body import one_line
from modelcheck.language.context import Context, Unit
from modelcheck.language.declarations import Gathered
from modelcheck.language.model import Expectation, Scenario
from modelcheck.language.naming import named
from modelcheck.language.places import constant_number, is_another_kind, lock_at, resolve
from modelcheck.language.scope import LockBinding, LockPlace, ThreadBinding

LIMITS = ("states",)


def scenarios_of(specs: tuple[syntax.Specification, ...]) -> tuple[syntax.Scenario, ...]:
    """Return the scenarios of the file itself; those of imported files are not run."""
    return tuple(d for d in specs[0].declarations if isinstance(d, syntax.Scenario))


def resolve_scenario(unit: Unit, found: Gathered, node: syntax.Scenario | None) -> Scenario:
    """Return the scenario with its expectations resolved; without a scenario, `expect holds`."""
    if node is None:
        return Scenario("", "", (Expectation("holds", text="expect holds"),))
    known, labels = _known(found), _labels(found)
    expectations: list[Expectation] = []
    states: int | None = None
    ctx = Context(unit, unit.globals, "property")
    for item in node.items:
        match item:
            case syntax.Run() | syntax.Setting():
                continue
            case syntax.Limit(what, value):
                if what not in LIMITS:
                    hint = f"there are: {', '.join(LIMITS)}"
                    ctx.error("MC061", named(item, what), f"there is no limit `{what}`", hint)
                states = constant_number(ctx, value)
            case _:
                made = _expectation(ctx, known, labels, item)
                if made is not None:
                    expectations.append(made)
    if not expectations:
        expectations.append(Expectation("holds", span=node.span, text="expect holds"))
    return Scenario(node.name, node.description, tuple(expectations), states, node.span)


def _known(found: Gathered) -> set[str]:
    """Return everything that can be violated: checks, properties, named assertions."""
    bodies = [d for d in found.named.values() if isinstance(d, syntax.Op | syntax.Thread)]
    asserted = {
        n.name for body in bodies for n in body.walk() if isinstance(n, syntax.Assert) and n.name is not None
    }
    return set(CHECKS) | set(found.properties) | set(found.later) | asserted


def _labels(found: Gathered) -> set[str]:
    """Return every label, alone and with the op or thread that it is in."""
    bodies = [d for d in found.named.values() if isinstance(d, syntax.Op | syntax.Thread)]
    pairs = [(body.name, n.name) for body in bodies for n in body.walk() if isinstance(n, syntax.Label)]
    return {label for _, label in pairs} | {f"{body}.{label}" for body, label in pairs}


def _expectation(
    ctx: Context, known: set[str], labels: set[str], node: syntax.Expectation
) -> Expectation | None:
    text = one_line(node.span.text)
    match node:
        case syntax.ExpectHolds(exceptions):
            _check_names(ctx, known, exceptions, node)
            return Expectation("holds", exceptions, span=node.span, text=text)
        case syntax.ExpectViolated(name, arguments):
            _check_names(ctx, known, (name,), node)
            shown = tuple(_argument(ctx, name, a) for a in arguments or ())
            return Expectation("violated", (name,), shown, span=node.span, text=text)
        case syntax.ExpectOrder(locks, verdict, gates):
            classes = tuple(_class(ctx, one) for one in locks)
            keys = tuple(_instance(ctx, one) for one in gates)
            return Expectation("order", classes, verdict=verdict, gates=keys, span=node.span, text=text)
        case syntax.ExpectCount(what, value):
            number = constant_number(ctx, value)
            return (
                None
                if number is None
                else Expectation("count", what=what, number=number, span=node.span, text=text)
            )
        case syntax.ExpectNotReached(label):
            place = one_line(label.span.text)
            if place not in labels:
                ctx.error("MC061", label.span, f"there is no label `{place}`", near_miss(place, labels))
            return Expectation("not_reached", (place,), span=node.span, text=text)
        case syntax.ExpectUndecided():
            return Expectation("undecided", span=node.span, text=text)


def _check_names(ctx: Context, known: set[str], names: Iterable[str], node: syntax.Node) -> None:
    for name in names:
        if name not in known:
            message = f"there is no check, property or named assertion `{name}`"
            ctx.error("MC061", named(node, name), message, near_miss(name, known))
        elif name == "vacuity":
            message = "vacuity is told of a file and not of a scenario, which cannot expect it"
            ctx.error(
                "MC061", named(node, name), message, "`expect not reached LABEL` can be said of a scenario"
            )


def _argument(ctx: Context, check: str, node: syntax.Expression) -> str:
    """Return the name of an argument of `expect check(...)`: a thread declaration, a variable, a lock."""
    name = node.id if isinstance(node, syntax.Name) else one_line(node.span.text)
    if isinstance(node, syntax.Name):
        binding = ctx.find(name, node.span)
        wants_threads = check in ("circular_wait", "deadlock", "stuck", "cannot_finish")
        if binding is not None and wants_threads and not isinstance(binding, ThreadBinding):
            ctx.error("MC012", node.span, f"`{name}` is not a thread")
    return name


def _class(ctx: Context, node: syntax.Expression) -> str:
    """Return the name of a lock class; an instance's index is not looked at."""
    base = node
    while isinstance(base, syntax.Index):
        base = base.base
    binding = ctx.scope.find(base.id) if isinstance(base, syntax.Name) else None
    if isinstance(binding, LockBinding):
        return binding.lock.name
    if not is_another_kind(ctx, base, "a lock") and resolve(ctx, base) is not None:
        ctx.error("MC012", node.span, f"`{one_line(node.span.text)}` is not a lock")
    return ""


def _instance(ctx: Context, node: syntax.Expression) -> str:
    """Return a gate's name as reports write it: the class, with the index if one is given."""
    found = None if is_another_kind(ctx, node, "a lock") else resolve(ctx, node)
    if not isinstance(found, LockPlace):
        if found is not None:
            ctx.error("MC012", node.span, f"`{one_line(node.span.text)}` is not a lock")
        return ""
    if not found.at.index:
        return found.at.lock.name
    lock_at(ctx, node)
    return one_line(node.span.text)
