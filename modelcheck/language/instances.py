"""Which threads a model has: declarations, their sizes and conditions, and what the scenario runs (SEMANTICS A10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelcheck.diagnostics import near_miss
from modelcheck.language import syntax
from modelcheck.language.context import Context, Unit
from modelcheck.language.expressions import wanted
from modelcheck.language.naming import named
from modelcheck.language.places import constant_number, type_of
from modelcheck.language.scope import ThreadBinding, ThreadGroup, TypeBinding
from modelcheck.language.types import Range, Scalar, bounds, show

MOST_THREADS = 62


@dataclass(frozen=True)
class Instance:
    """One thread to be lowered: its name, and the value of `self` (None if the declaration has no size)."""

    group: ThreadGroup
    number: int
    name: str
    own: int | None


def thread_instances(unit: Unit, threads: Iterable[syntax.Thread], runs: list[syntax.Run]) -> list[Instance]:
    """Declare every thread in the global scope; return those that run, in the order of their declaration."""
    declared = list(threads)
    copies = _copies(unit, declared, runs)
    instances: list[Instance] = []
    for node in declared:
        ctx = Context(unit, unit.globals, "constant")
        index_type, own, present = _size(ctx, node)
        count = copies.get(node.name, 0) if runs else 1
        names: list[tuple[str, int | None]] = []
        for value, label in own if present else ():
            copy_names = [f"#{copy}" if count > 1 else "" for copy in range(1, count + 1)]
            names += [(f"{node.name}{label}{copy}", value) for copy in copy_names]
        if count > 1 and node.size is not None:
            message = f"`{node.name}` has a size already, and cannot be run in {count} copies"
            place = next((i.span for r in runs for i in r.threads if i.thread == node.name), node.span)
            unit.collector.error("MC024", place, message, "make its size a parameter, and set that here")
        elif count > 1:
            index_type = Range(1, count)
        first = len(instances)
        group = ThreadGroup(node, index_type, tuple(range(first, first + len(names))))
        instances += [Instance(group, first + i, name, value) for i, (name, value) in enumerate(names)]
        unit.globals.names[node.name] = ThreadBinding(group, node.span)
    if len(instances) > MOST_THREADS:
        place = named(declared[-1], declared[-1].name)
        unit.collector.error(
            "MC046", place, f"{len(instances)} threads in all; at most {MOST_THREADS} can run"
        )
        instances = instances[:MOST_THREADS]
    return instances


def _copies(unit: Unit, declared: list[syntax.Thread], runs: list[syntax.Run]) -> dict[str, int]:
    known = {t.name for t in declared}
    copies: dict[str, int] = {}
    for item in (i for run in runs for i in run.threads):
        if item.thread not in known:
            hint = near_miss(item.thread, known) or f"there are: {', '.join(sorted(known)) or 'none'}"
            unit.collector.error(
                "MC061", named(item, item.thread), f"there is no thread `{item.thread}`", hint
            )
            continue
        ctx = Context(unit, unit.globals, "constant")
        count = 1 if item.copies is None else constant_number(ctx, item.copies)
        if item.thread in copies:
            message = f"`{item.thread}` is run twice"
            unit.collector.error("MC011", item.span, message, f"for two copies write `{item.thread}*2`")
        if item.copies is not None and count is not None and not 0 <= count <= MOST_THREADS:
            unit.collector.error("MC027", item.copies.span, f"{count} copies; 0 to {MOST_THREADS} can run")
            count = 1
        copies[item.thread] = count or 0
    return copies


def _size(ctx: Context, node: syntax.Thread) -> tuple[Scalar | None, list[tuple[int | None, str]], bool]:
    """Return the type of `self`, the values with their labels, and whether the `when` condition lets it run."""
    present = wanted(ctx, node.when)
    if node.size is None:
        return None, [(None, "")], present
    kind = _index_type(ctx, node.size)
    if kind is None:
        return Range(0, 0), [], present
    low, high = bounds(kind)
    if high - low + 1 > MOST_THREADS:
        ctx.error("MC046", node.size.span, f"{high - low + 1} threads; at most {MOST_THREADS} can run")
        high = low
    return kind, [(v, f"[{show(kind, v)}]") for v in range(low, high + 1)], present


def _index_type(ctx: Context, size: syntax.Expression | syntax.TypeExpression) -> Scalar | None:
    """Return the type of `self`: the named type, or 0 .. n - 1 for a number."""
    if isinstance(size, syntax.RangeType | syntax.SetType):
        return type_of(ctx, size)
    name = (
        size.id if isinstance(size, syntax.Name) else size.name if isinstance(size, syntax.NamedType) else ""
    )
    if name in ("bool", "Errno") or isinstance(ctx.scope.find(name), TypeBinding):
        return type_of(ctx, syntax.NamedType(name, span=size.span))
    number = constant_number(
        ctx, syntax.Name(name, span=size.span) if isinstance(size, syntax.NamedType) else size
    )
    if number is None:
        return None
    if number < 0:
        ctx.error("MC026", size.span, f"{number} threads: the number cannot be negative")
        return None
    return Range(0, number - 1) if number else None
