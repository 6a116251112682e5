"""`observe name[b: T]: e;` -> what a log may state of a state, one observation for each combination of index values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from modelcheck.language import syntax
from modelcheck.language.body import MOST_CELLS, count_cells, dimension_types
from modelcheck.language.context import Context, Unit
from modelcheck.language.declarations import Gathered
from modelcheck.language.expressions import lower
from modelcheck.language.model import Observation
from modelcheck.language.naming import named
from modelcheck.language.places import index_value
from modelcheck.language.scope import Scope
from modelcheck.language.types import Scalar, bounds, show


def observations_of(unit: Unit, found: Gathered) -> tuple[Observation, ...]:
    """Return the observations that are declared; report what is wrong with them."""
    return tuple(each for node in found.observations.values() for each in _of_one(unit, node))


def _of_one(unit: Unit, node: syntax.Observation) -> Iterator[Observation]:
    ctx = Context(unit, unit.globals, "property")
    dimensions = dimension_types(ctx, node.dimensions)
    if dimensions is None:
        return
    for each in node.dimensions:
        if each.binder is None:
            hint = "write for example `observe state[b: Block]: ...;`"
            ctx.error("MC010", each.span, "the index of an observation needs a name", hint)
            return
    if count_cells(dimensions) > MOST_CELLS:
        message = f"`{node.name}` would have {count_cells(dimensions)} values"
        ctx.error("MC028", named(node, node.name), message, f"at most {MOST_CELLS} can be observed")
        return
    yield from _instances(ctx, node, dimensions, "", 0)


def _instances(
    ctx: Context, node: syntax.Observation, dimensions: tuple[Scalar, ...], name: str, position: int
) -> Iterator[Observation]:
    if position == len(dimensions):
        value = lower(ctx, node.expression)
        if value.type is not None:
            yield Observation(node.name + name, node.name, value.expr, value.type, node.span)
        return
    dimension, kind = node.dimensions[position], dimensions[position]
    low, high = bounds(kind)
    for index in range(low, high + 1):
        inner = replace(ctx, scope=Scope(parent=ctx.scope))
        assert dimension.binder is not None
        inner.scope.names[dimension.binder] = index_value(index, kind, dimension.span)
        yield from _instances(inner, node, dimensions, f"{name}[{show(kind, index)}]", position + 1)


def observed(found: Gathered) -> frozenset[tuple[str, str]]:
    """Return the op parameters and the thread locals that properties and observations name: those are always live."""
    names: set[tuple[str, str]] = set()
    spoken: list[syntax.Property | syntax.Observation] = [*found.properties.values()]
    for node in (*spoken, *found.observations.values()):
        for each in node.expression.walk():
            match each:
                case syntax.Call("inside", (syntax.Name(op), *given)):
                    declared = found.named.get(op)
                    if isinstance(declared, syntax.Op):
                        names |= {(op, p.name) for p in declared.parameters[: len(given)]}
                case syntax.Member(syntax.Name(thread) | syntax.Index(syntax.Name(thread)), local):
                    names.add((thread, local))
                case _:
                    pass
    return frozenset(names)
