"""Names at the top of a file: gathering them over imports, overriding, and evaluating what is constant.

Constants and types may be declared in any order: each is evaluated when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from modelcheck.diagnostics import near_miss
from modelcheck.language import syntax
from modelcheck.language.body import dimension_types
from modelcheck.language.context import Context, Unit
from modelcheck.language.expressions import coerce
from modelcheck.language.model import Const
from modelcheck.language.places import any_type_of, constant_value, type_of
from modelcheck.language.scope import (
    KINDS,
    Binding,
    ConstantBinding,
    OpBinding,
    Scope,
    TypeBinding,
    constant,
)
from modelcheck.language.types import (
    ERRNO,
    Bool,
    Enum,
    Range,
    Record,
    RecordField,
    Scalar,
    Scalarset,
    bounds,
    show,
)
from modelcheck.language.values import NOTHING, Value
from modelcheck.source import Span

Given = str | int | bool
"""A parameter's value from the command line or the API."""
Setting = Given | syntax.Expression

NAMED = (
    syntax.Param,
    syntax.Const,
    syntax.TypeDeclaration,
    syntax.EnumDeclaration,
    syntax.RecordDeclaration,
    syntax.Variable,
    syntax.Lock,
    syntax.Op,
    syntax.Thread,
)
Named = (
    syntax.Param
    | syntax.Const
    | syntax.TypeDeclaration
    | syntax.EnumDeclaration
    | syntax.RecordDeclaration
    | syntax.Variable
    | syntax.Lock
    | syntax.Op
    | syntax.Thread
)


@dataclass
class Gathered:
    """Every declaration of a file and its imports, overriding done. `overridden` lists what was replaced."""

    named: dict[str, Named] = field(default_factory=dict)
    inits: list[syntax.Init] = field(default_factory=list)
    properties: dict[str, syntax.Property] = field(default_factory=dict)
    overridden: list[str] = field(default_factory=list)

    def of(self, kind: type[Named]) -> list[Named]:
        """Return the named declarations of one kind, imported ones first."""
        return [d for d in self.named.values() if isinstance(d, kind)]


def gather(specs: tuple[syntax.Specification, ...], unit: Unit) -> Gathered:
    """Collect the declarations of a file (specs[0]) and of everything it imports."""
    found = Gathered()
    for spec in (*reversed(specs[1:]), specs[0]):
        for node in spec.declarations:
            _gather_one(found, unit, node)
    return found


def _gather_one(found: Gathered, unit: Unit, node: syntax.Declaration) -> None:
    match node:
        case syntax.Property("property", name):
            unit.collector.error(
                "MC006",
                node.span,
                f"temporal property `{name}`: not available in this version",
                "invariant, step and reachable are",
            )
        case syntax.Property():
            _add_property(found, unit, node)
        case syntax.Init():
            found.inits.append(node)
        case syntax.IrqHandler(name):
            unit.collector.error("MC006", node.span, f"irq handler `{name}`: not available in this version")
        case syntax.Without(name):
            if not isinstance(found.named.pop(name, None), syntax.Thread):
                unit.collector.error(
                    "MC062", node.span, f"`without thread {name}`: no such thread is imported"
                )
            found.overridden.append(f"without thread {name}")
        case syntax.Import() | syntax.Scenario():
            pass
        case _:
            _add_named(found, unit, node)


def _add_property(found: Gathered, unit: Unit, node: syntax.Property) -> None:
    if node.name in found.properties:
        where = found.properties[node.name].span
        unit.collector.error(
            "MC011", node.span, f"property `{node.name}` is declared twice, first at {where}"
        )
    found.properties[node.name] = node


def _add_named(found: Gathered, unit: Unit, node: Named) -> None:
    other = found.named.get(node.name)
    if not getattr(node, "override", False):
        if other is not None:
            unit.collector.error(
                "MC011", node.span, f"`{node.name}` is declared twice, first at {other.span}"
            )
        found.named[node.name] = node
        return
    if other is None or type(other) is not type(node):
        word = type(node).__name__.lower()
        unit.collector.error(
            "MC062",
            node.span,
            f"`override {word} {node.name}`: nothing of this name is imported",
            near_miss(node.name, (n for n, d in found.named.items() if type(d) is type(node))),
        )
        found.named[node.name] = node
        return
    found.overridden.append(f"{type(node).__name__.lower()} {node.name}")
    found.named[node.name] = _overriding(unit, node, other)


def _overriding(unit: Unit, node: Named, other: Named) -> Named:
    if isinstance(node, syntax.Param) and isinstance(other, syntax.Param):
        return replace(node, type=node.type or other.type)
    if isinstance(node, syntax.Op) and isinstance(other, syntax.Op):
        same = (node.parameters, node.result) == (other.parameters, other.result)
        if not same:
            unit.collector.error(
                "MC062",
                node.span,
                f"op `{node.name}` has another signature than at {other.span}",
                "parameters and result must be the same",
            )
    return node


@dataclass
class Globals(Scope):
    """The outermost scope; constants and types are evaluated when first found."""

    pending: dict[str, Callable[[], Binding | None]] = field(default_factory=dict)
    unit: Unit | None = None
    spans: dict[str, Span] = field(default_factory=dict)

    def find(self, name: str) -> Binding | None:
        """Return what the name stands for, evaluating its declaration if that was not done yet."""
        found = self.names.get(name)
        if found is None and name in self.pending:
            evaluate, self.pending[name] = self.pending[name], lambda: self._cycle(name)
            found = evaluate()
            self.pending.pop(name, None)
            self.names[name] = found or ConstantBinding(NOTHING, self.spans[name])
            return self.names[name]
        return found

    def visible(self) -> set[str]:
        """Return every global name."""
        return set(self.names) | set(self.pending)

    def _cycle(self, name: str) -> Binding | None:
        assert self.unit is not None
        self.unit.collector.error("MC040", self.spans[name], f"`{name}` is declared by means of itself")
        return None


def declare_constants(unit: Unit, found: Gathered, settings: Mapping[str, Setting]) -> dict[str, str]:
    """Bind parameters, constants, types, enums and ops; return the shown value of each parameter."""
    scope = Globals(unit=unit)
    unit.globals = scope
    ctx = Context(unit, scope, "constant")
    for number, name in enumerate(ERRNO.members[1:], start=1):
        scope.names[name] = constant(number, ERRNO)
    enums = [n for n in found.named.values() if isinstance(n, syntax.EnumDeclaration)]
    for enum in enums:
        _declare_enum(ctx, enum)
    for node in found.named.values():
        if node.name in scope.names and not isinstance(node, syntax.EnumDeclaration):
            ctx.error(
                "MC011",
                node.span,
                f"`{node.name}` is already the name of {KINDS[type(scope.names[node.name])]}",
            )
        scope.spans[node.name] = node.span
        evaluate = _evaluation(ctx, node, settings)
        if evaluate is not None:
            scope.pending[node.name] = evaluate
        elif isinstance(node, syntax.Op):
            scope.names[node.name] = OpBinding(node, node.span)
    shown: dict[str, str] = {}
    for node in found.named.values():
        binding = scope.find(node.name)
        if isinstance(node, syntax.Param) and isinstance(binding, ConstantBinding):
            value = binding.value
            shown[node.name] = show(value.type, value.constant or 0) if value.type is not None else "?"
    return shown


def _declare_enum(ctx: Context, node: syntax.EnumDeclaration) -> None:
    if not node.members:
        ctx.error("MC026", node.span, f"enum `{node.name}` has no values")
    kind = Enum(node.name, tuple(m.id for m in node.members) or ("none",))
    ctx.declare(node.name, TypeBinding(kind, node.span), node.span)
    for number, member in enumerate(node.members):
        ctx.declare(member.id, constant(number, kind, span=member.span), member.span)


def _evaluation(
    ctx: Context, node: Named, settings: Mapping[str, Setting]
) -> Callable[[], Binding | None] | None:
    """Return what evaluates a declaration when its name is first used, if it is a constant or a type."""
    match node:
        case syntax.Param():
            return lambda: _parameter(ctx, node, settings.get(node.name))
        case syntax.Const(_, value):
            return lambda: _bound(constant_value(ctx, value), node.span)
        case syntax.TypeDeclaration():
            return lambda: _named_type(ctx, node)
        case syntax.RecordDeclaration():
            return lambda: _record(ctx, node)
        case _:
            return None


def _bound(value: Value | None, span: Span) -> Binding | None:
    return None if value is None else ConstantBinding(value, span)


def _named_type(ctx: Context, node: syntax.TypeDeclaration) -> Binding | None:
    kind = any_type_of(ctx, node.type)
    if isinstance(kind, Range) and node.scalarset:
        return TypeBinding(Scalarset(node.name, kind.low, kind.high), node.span)
    if isinstance(kind, Range):
        return TypeBinding(Range(kind.low, kind.high, node.name), node.span)
    if kind is not None and node.scalarset:
        ctx.error("MC020", node.span, "a scalarset is a range: `scalarset Node = 0 .. 3;`")
    return None if kind is None else TypeBinding(kind, node.span)


def _record(ctx: Context, node: syntax.RecordDeclaration) -> Binding | None:
    fields: list[RecordField] = []
    for each in node.fields:
        kind, dimensions = any_type_of(ctx, each.type), dimension_types(ctx, each.dimensions)
        if kind is None or dimensions is None:
            continue
        if any(f.name == each.name for f in fields):
            ctx.error("MC011", each.span, f"field `{each.name}` is declared twice")
        fields.append(RecordField(each.name, dimensions, kind))
    if not node.fields:
        ctx.error("MC026", node.span, f"record `{node.name}` has no fields")
    return TypeBinding(Record(node.name, tuple(fields)), node.span)


# --- parameters ----------------------------------------------------------------------------------


def _parameter(ctx: Context, node: syntax.Param, given: Setting | None) -> Binding | None:
    kind = type_of(ctx, node.type) if node.type is not None else None
    if kind is None:
        constant_value(ctx, node.default)
        return None
    default = constant_value(ctx, node.default, kind)
    if default is not None:
        default = coerce(ctx, default, kind, node.default.span, f"the default of `{node.name}`")
    if given is None:
        chosen, span = default, node.default.span
    elif isinstance(given, str | int | bool):
        chosen, span = _from_outside(ctx, node, kind, given), node.span
    else:
        raw = constant_value(ctx, given, kind)
        inside = replace(ctx, kept=False)  # out of range is reported as MC060 below
        chosen, span = (
            (None if raw is None else coerce(inside, raw, kind, given.span, f"`{node.name}`")),
            given.span,
        )
    if chosen is None or chosen.type is None or chosen.constant is None:
        return None
    low, high = bounds(kind)
    if not low <= chosen.constant <= high:
        if given is not None:
            ctx.error("MC060", span, f"`{node.name}` is {low} .. {high}, not {chosen.constant}")
        return None
    return ConstantBinding(Value(Const(chosen.constant), kind), node.span)


def _from_outside(ctx: Context, node: syntax.Param, kind: Scalar, given: Given) -> Value | None:
    """Return a value from the command line or the API; report what does not fit."""
    text = str(given).strip()
    match kind:
        case Bool() if text.lower() in ("true", "false", "1", "0"):
            return Value(Const(int(text.lower() in ("true", "1"))), kind)
        case Enum(_, members) if text.removeprefix("-") in members:
            return Value(Const(members.index(text.removeprefix("-"))), kind)
        case Range() | Scalarset():
            try:
                return Value(Const(int(text, 0)), kind)
            except ValueError:
                pass
        case _:
            pass
    wanted = {
        Bool: "true or false",
        Enum: "one of " + ", ".join(kind.members) if isinstance(kind, Enum) else "",
    }
    ctx.error(
        "MC060", node.span, f"`{node.name}` cannot be `{text}`: it is {wanted.get(type(kind), 'a number')}"
    )
    return None
