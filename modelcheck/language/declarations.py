"""Names at the top of a file: gathering them over imports, overriding, and evaluating what is constant.

Constants and types may be declared in any order: each is evaluated when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from modelcheck.diagnostics import an, near_miss
from modelcheck.language import syntax
from modelcheck.language.body import dimension_types, one_line
from modelcheck.language.context import Context, Unit
from modelcheck.language.expressions import coerce
from modelcheck.language.model import Const, Lock
from modelcheck.language.naming import check_name, check_property_name, named
from modelcheck.language.places import any_type_of, constant_value, type_of
from modelcheck.language.scope import (
    Binding,
    ConstantBinding,
    LockBinding,
    OpBinding,
    Scope,
    Storage,
    StorageBinding,
    ThreadBinding,
    ThreadGroup,
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
    SetOf,
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
    """Every declaration of a file and its imports, overriding done. `overridden` lists what was replaced.

    `handlers` has the interrupt handlers, which are among the threads too. `later` has the names of properties that
    this version cannot look at.
    """

    named: dict[str, Named] = field(default_factory=dict)
    inits: list[syntax.Init] = field(default_factory=list)
    properties: dict[str, syntax.Property] = field(default_factory=dict)
    observations: dict[str, syntax.Observation] = field(default_factory=dict)
    handlers: dict[str, syntax.IrqHandler] = field(default_factory=dict)
    orders: list[syntax.LockOrder] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
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
            message = f"temporal property `{name}`: not available in this version"
            unit.collector.error("MC006", named(node, name), message, "invariant, step and reachable are")
            found.later.append(name)
        case syntax.Property() | syntax.Observation():
            _add_property(found, unit, node)
        case syntax.LockOrder():
            found.orders.append(node)
        case syntax.Init():
            found.inits.append(node)
        case syntax.IrqHandler(name, _, body):
            found.handlers.setdefault(name, node)
            _add_named(found, unit, syntax.Thread(name, None, None, ("daemon",), body, span=node.span))
        case syntax.Without(name):
            _without(found, unit, node)
        case syntax.Import() | syntax.Scenario():
            pass
        case _:
            _add_named(found, unit, node)


def _add_property(found: Gathered, unit: Unit, node: syntax.Property | syntax.Observation) -> None:
    first: syntax.Node
    if isinstance(node, syntax.Property):
        check_property_name(unit.collector, node, node.name, ())
        first = found.properties.setdefault(node.name, node)
    else:
        first = found.observations.setdefault(node.name, node)
    if first is not node:
        message = f"{type(node).__name__.lower()} `{node.name}` is declared twice, first at {first.span}"
        unit.collector.error("MC011", named(node, node.name), message)


def _without(found: Gathered, unit: Unit, node: syntax.Without) -> None:
    other = found.named.get(node.thread)
    if isinstance(other, syntax.Thread) and other.span.source != node.span.source:
        del found.named[node.thread]
        found.overridden.append(f"without thread {node.thread}")
        return
    threads = (n for n, d in found.named.items() if isinstance(d, syntax.Thread))
    message = f"`without thread {node.thread}`: no such thread is imported"
    unit.collector.error("MC062", named(node, node.thread), message, near_miss(node.thread, threads))


def _add_named(found: Gathered, unit: Unit, node: Named) -> None:
    other = found.named.get(node.name)
    if not getattr(node, "override", False):
        check_name(unit.collector, node, node.name)
        if other is not None:
            imported = other.span.source != node.span.source
            hint = "write `override` to replace what is imported" if imported else ""
            message = f"`{node.name}` is declared twice, first at {other.span}"
            unit.collector.error("MC011", named(node, node.name), message, hint)
        found.named.setdefault(node.name, node)
        return
    if other is None or type(other) is not type(node) or other.span.source == node.span.source:
        _overrides_nothing(found, unit, node, other)
        return
    found.overridden.append(f"{type(node).__name__.lower()} {node.name}")
    found.named[node.name] = _overriding(unit, node, other)


def _overrides_nothing(found: Gathered, unit: Unit, node: Named, other: Named | None) -> None:
    word = type(node).__name__.lower()
    if other is None:
        hint = near_miss(node.name, (n for n, d in found.named.items() if type(d) is type(node)))
        message = f"`override {word} {node.name}`: nothing of this name is imported"
    elif type(other) is type(node):
        message, hint = f"`override {word} {node.name}`: it is declared in this file", "change it there"
    else:
        kind = type(other).__name__.lower()
        message, hint = f"`override {word} {node.name}`: what is imported is {an(kind)}", f"see {other.span}"
    unit.collector.error("MC062", named(node, node.name), message, hint)
    if other is None:
        found.named[node.name] = node


def _overriding(unit: Unit, node: Named, other: Named) -> Named:
    if isinstance(node, syntax.Param) and isinstance(other, syntax.Param):
        return replace(node, type=node.type or other.type)
    if not isinstance(node, syntax.Op) or not isinstance(other, syntax.Op):
        return node
    if (node.parameters, node.result) == (other.parameters, other.result):
        return node
    message = f"op `{node.name}` has another signature than what it overrides"
    signature = Span(other.span.source, other.span.start, other.body.span.start).text
    unit.collector.error(
        "MC062", named(node, node.name), message, f"at {other.span}: `{one_line(signature)}`"
    )
    return other


@dataclass
class Globals(Scope):
    """The outermost scope; constants and types are evaluated when first found.

    `later` stands for variables, locks and threads that are not declared yet: no constant can be made from them.
    """

    pending: dict[str, Callable[[], Binding | None]] = field(default_factory=dict)
    later: dict[str, Binding] = field(default_factory=dict)
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
        return found or self.later.get(name)

    def visible(self) -> set[str]:
        """Return every global name."""
        return set(self.names) | set(self.pending) | set(self.later)

    def _cycle(self, name: str) -> Binding | None:
        assert self.unit is not None
        message, hint = f"`{name}` is declared by means of itself", "one of the ring needs a value of its own"
        self.unit.collector.error("MC040", self.spans[name], message, hint)
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
        other = scope.names.get(node.name)
        if (
            other is not None
            and node.name not in ERRNO.members
            and not isinstance(node, syntax.EnumDeclaration)
        ):
            where = getattr(other, "span", node.span)
            message = f"`{node.name}` is declared twice: it is a value of an enum at {where}"
            ctx.error("MC011", named(node, node.name), message)
        scope.spans[node.name] = named(node, node.name)
        evaluate = _evaluation(ctx, node, settings)
        if evaluate is not None:
            scope.pending[node.name] = evaluate
        elif isinstance(node, syntax.Op):
            scope.names[node.name] = OpBinding(node, node.span)
        elif not isinstance(node, syntax.EnumDeclaration):
            scope.later[node.name] = _later(node)
    shown: dict[str, str] = {}
    for node in found.named.values():
        binding = scope.find(node.name)
        if isinstance(node, syntax.Param) and isinstance(binding, ConstantBinding):
            value = binding.value
            shown[node.name] = show(value.type, value.constant or 0) if value.type is not None else "?"
    return shown


def _later(node: Named) -> Binding:
    """Return what stands for a variable, lock or thread while constants are evaluated."""
    match node:
        case syntax.Lock():
            return LockBinding(Lock(node.name, node.kind, (), {}, span=node.span), None, node.span)
        case syntax.Thread():
            return ThreadBinding(ThreadGroup(node, None, ()), node.span)
        case _:
            return StorageBinding(Storage(node.name, (), Range(0, 0)), node.span)


def _declare_enum(ctx: Context, node: syntax.EnumDeclaration) -> None:
    kind = Enum(node.name, tuple(m.id for m in node.members))
    ctx.declare(node.name, TypeBinding(kind, node.span), named(node, node.name))
    for number, member in enumerate(node.members):
        check_name(ctx.unit.collector, member, member.id)
        if member.id not in ERRNO.members:
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
    return None if kind is None else TypeBinding(kind, node.span)


def _record(ctx: Context, node: syntax.RecordDeclaration) -> Binding | None:
    fields: list[RecordField] = []
    for each in node.fields:
        kind, dimensions = any_type_of(ctx, each.type), dimension_types(ctx, each.dimensions)
        if kind is None or dimensions is None:
            continue
        if any(f.name == each.name for f in fields):
            ctx.error("MC011", named(each, each.name), f"field `{each.name}` is declared twice")
        else:
            fields.append(RecordField(each.name, dimensions, kind))
    return TypeBinding(Record(node.name, tuple(fields)), node.span)


# --- parameters ----------------------------------------------------------------------------------


def _parameter(ctx: Context, node: syntax.Param, given: Setting | None) -> Binding | None:
    kind = type_of(ctx, node.type) if node.type is not None else None
    if kind is None:
        constant_value(ctx, node.default)
        return None
    default = constant_value(ctx, node.default, kind)
    inside = replace(ctx, kept=False)  # out of range is reported as MC060 below
    if default is not None:
        default = coerce(inside, default, kind, node.default.span, f"the default of `{node.name}`")
    if given is None:
        chosen, span = default, node.default.span
    elif isinstance(given, str | int | bool):
        chosen, span = _from_outside(ctx, node, kind, given), named(node, node.name)
    else:
        raw = constant_value(ctx, given, kind)
        chosen, span = (
            (None if raw is None else coerce(inside, raw, kind, given.span, f"`{node.name}`")),
            given.span,
        )
    places = ((default, node.default.span), (chosen, span)) if given is not None else ((default, span),)
    good = [_within(ctx, node, kind, value, place) for value, place in places]
    if not all(good) or chosen is None or chosen.constant is None:
        return None
    return ConstantBinding(Value(Const(chosen.constant), kind), node.span)


def _within(ctx: Context, node: syntax.Param, kind: Scalar, value: Value | None, span: Span) -> bool:
    """Whether a value is one of the parameter's; report one that is outside."""
    if value is None or value.type is None or value.constant is None:
        return False
    low, high = bounds(kind)
    if not isinstance(kind, SetOf) and not low <= value.constant <= high:
        ctx.error("MC060", span, f"`{node.name}` is {low} .. {high}, not {value.constant}")
        return False
    return True


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
    match kind:
        case Bool():
            wanted = "true or false"
        case Enum(_, members):
            wanted = f"one of {', '.join(members)}"
        case SetOf():
            wanted = "a set, and only a scenario can set it"
        case _:
            wanted = f"a number, {bounds(kind)[0]} .. {bounds(kind)[1]}"
    ctx.error("MC060", named(node, node.name), f"`{node.name}` cannot be `{text}`: it is {wanted}")
    return None
