"""What would make a state space smaller: each piece of advice with the factor that was measured for it.

A factor is either `searched` (a smaller model was searched), or read off the profile: for a component that nothing
depends on, and for a statement that is merged with the one before it, it is what the smaller model would have
(`about`, as shares are taken from a sample); for all else the smaller model may lose less (`at most`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from modelcheck.analysis.profile import Pair, Profile, Spread, Standing
from modelcheck.language.model import (
    TRUE,
    Arith,
    Assign,
    Assume,
    Choose,
    Effect,
    Emit,
    Expr,
    Location,
    Model,
    Require,
    Sum,
    Test,
    Thread,
    Variable,
    jump_targets,
    refs,
    subexpressions,
    walk_effects,
)
from modelcheck.language.types import Range
from modelcheck.semantics.transition_system import TransitionSystem
from modelcheck.source import NOWHERE, Span

Measure = Literal["searched", "about", "at most"]
Kind = Literal["parameter", "unread", "counter", "local", "atomic", "lock", "thread"]

LEAST = 1.1
"""Advice that saves less is not given."""

_OF_A_KIND = 3
_FEW = 3
_FREE = 0.4
"""From this share of their pairs on two threads are said to run side by side."""


@dataclass(frozen=True)
class Advice:
    """What to do, and by what factor there would be fewer states."""

    kind: Kind
    about: str
    message: str
    factor: float
    measure: Measure
    span: Span = field(default=NOWHERE, compare=False)


def advice(system: TransitionSystem, profile: Profile) -> tuple[Advice, ...]:
    """Return what the profile itself advises, the most useful first of each kind."""
    found = [
        *_variables(system.model, profile),
        *_locals(system, profile),
        *_merges(system, profile),
        *_side_by_side(profile),
        *_threads(profile),
    ]
    kept: dict[Kind, list[Advice]] = {}
    for each in sorted(found, key=lambda one: -one.factor):
        kept.setdefault(each.kind, []).append(each)
    return tuple(one for ones in kept.values() for one in ones[:_OF_A_KIND] if one.factor >= LEAST)


# --- variables -----------------------------------------------------------------------------------


def _variables(model: Model, profile: Profile) -> Iterator[Advice]:
    """Yield variables on which nothing that runs depends, and of the others those that are counted up or down."""
    places = [place for thread in model.threads for place in thread.locations]
    needed = {name for place in places for name in _needed(place)}
    counted = {name for place in places for name in _counted(place)}
    for spread in profile.of_kind("variable"):
        name, where = spread.component.name, spread.component.span
        if name not in needed:
            message = f"leave `{name}` out where you can: {_nobody(model, name)}"
            yield Advice("unread", name, message, spread.factor, "about", where)
        elif name in counted and spread.distinct.count > _FEW:
            message = f"bound the counter `{name}`, which takes {spread.values}"
            yield Advice("counter", name, message, spread.factor, "at most", where)


def _nobody(model: Model, name: str) -> str:
    named = any(ref.var.name == name for each in model.properties for ref in refs(each.expr))
    return "only properties and assertions read it" if named else "no statement depends on it"


def _needed(place: Location) -> Iterator[str]:
    """Yield the variables that decide what a statement does to others; an assertion only looks."""
    yield from (ref.var.name for ref in refs(place.guard))
    for effect in walk_effects(place.effects):
        own = effect.target.var if isinstance(effect, Assign) else None
        yield from (ref.var.name for expr in _read(effect) for ref in refs(expr) if ref.var is not own)


def _read(effect: Effect) -> tuple[Expr, ...]:
    match effect:
        case Assign(target, value):
            return (value, *target.index)
        case Choose(target, _, _, where):
            return (where, *target.index)
        case Test(condition) | Assume(condition):
            return (condition,)
        case Require(condition, breach) if breach.check != "assertion":
            return (condition,)
        case Emit(_, arguments):
            return arguments
        case _:
            return ()


def _counted(place: Location) -> Iterator[str]:
    """Yield the variables that a statement sets to a sum with themselves."""
    for effect in walk_effects(place.effects):
        if isinstance(effect, Assign) and isinstance(effect.target.var.type, Range):
            sums = any(isinstance(each, Sum | Arith) for each in subexpressions(effect.value))
            if sums and any(ref.var is effect.target.var for ref in refs(effect.value)):
                yield effect.target.var.name


def _locals(system: TransitionSystem, profile: Profile) -> Iterator[Advice]:
    """Yield locals that add states: they are kept while others move. An op's parameter is what its caller chose."""
    passed = {ref.var for call in system.model.calls for ref in call.parameters if ref is not None}
    for spread in profile.of_kind("local"):
        assert spread.component.thread is not None
        thread = system.model.threads[spread.component.thread]
        variable = system.cells[spread.component.cells[0]].variable
        assert variable is not None
        if variable in passed:
            continue
        live = sum(_is_live(system, thread, place, spread) for place in thread.locations)
        chosen = _chosen_at(thread, variable)
        how = (
            f"choose `{variable.name}` later" if chosen else f"set `{variable.name}` later, or use it sooner"
        )
        kept = f"it is kept through {live} of {len(thread.locations)} statements"
        yield Advice(
            "local", variable.name, f"{how}: {kept}", spread.factor, "at most", chosen or variable.span
        )


def _is_live(system: TransitionSystem, thread: Thread, place: Location, spread: Spread) -> bool:
    dead = {cell for cell, _ in system.resets[thread.number][place.number]}
    return not dead.issuperset(spread.component.cells)


def _chosen_at(thread: Thread, variable: Variable) -> Span | None:
    """Return where a local is first chosen."""
    for place in thread.locations:
        if any(isinstance(e, Choose) and e.target.var is variable for e in walk_effects(place.effects)):
            return place.span
    return None


# --- statements ----------------------------------------------------------------------------------


def _merges(system: TransitionSystem, profile: Profile) -> Iterator[Advice]:
    """Yield statements of which no other thread can tell when they run: they can run with the one before them."""
    quiet = _quiet(system)
    for standing in profile.standings:
        told = quiet.get((standing.declaration, standing.span), "")
        if told and standing.share < 1:
            message = f"put `{standing.text}` into one `atomic` with the statement before it: {told}"
            factor = 1 / (1 - standing.share)
            yield Advice("atomic", _about(standing), message, factor, "about", standing.span)


def _about(standing: Standing) -> str:
    return f"{standing.declaration} at {standing.span}"


def _quiet(system: TransitionSystem) -> dict[tuple[str, Span], str]:
    """Return the statements that can run with the one before them, all copies of them, with the reason."""
    found: dict[tuple[str, Span], str] = {}
    loud: set[tuple[str, Span]] = set()
    for thread in system.model.threads:
        joinable = _joinable(thread)
        for place in thread.locations:
            key = (thread.declaration, place.span)
            reason = _reason(system, thread, place) if place.number in joinable else ""
            if reason:
                found[key] = max(found.get(key, ""), reason)
            else:
                loud.add(key)
    return {key: reason for key, reason in found.items() if key not in loud}


def _joinable(thread: Thread) -> set[int]:
    """Return the locations before which one statement stands, which leads on here and may stand in `atomic`."""
    before: dict[int, list[Location]] = {target: [] for target in jump_targets(thread.start)}
    for place in thread.locations:
        for target in jump_targets(place.effects):
            before.setdefault(target, []).append(place)
    return {
        number
        for number, places in before.items()
        if len(places) == 1
        and places[0].number < number
        and len(jump_targets(places[0].effects)) == 1
        and (places[0].verb is None or places[0].verb.action == "release")
        and number not in jump_targets(thread.start)
    }


def _reason(system: TransitionSystem, thread: Thread, place: Location) -> str:
    """Return why no other thread can tell when a statement runs, "" if one may, or if it does not simply lead on."""
    action = system.actions[thread.number][place.number]
    leads_on = len(jump_targets(place.effects)) == 1 and place.guard == TRUE and place.verb is None
    speaks = any(isinstance(effect, Emit) for effect in walk_effects(place.effects))
    if action is None or not leads_on or speaks or place.wait.obstacles or place.number in thread.goals:
        return ""
    shared = [ref.var for ref in (*action.reads, *action.writes) if ref.var.kind != "local"]
    if not shared:
        return "it touches locals only"
    free = any(access.unguarded or access.marked for access in place.accesses)
    guarded = all(any(rule.kind == "guarded_by" for rule in variable.guards) for variable in shared)
    return "what it touches is guarded, so that only a property can tell" if guarded and not free else ""


# --- threads -------------------------------------------------------------------------------------


def _side_by_side(profile: Profile) -> Iterator[Advice]:
    """Yield the two threads of which most pairs of own states occur."""
    own = {s.component.thread: s.distinct.count for s in profile.of_kind("thread")}
    for pair in _freest(profile.pairs):
        one, other = (own[thread] for thread in pair.threads)
        apart = one + other - 1
        told = f"{pair.distinct.count} of {pair.product} pairs of their own states occur"
        message = (
            f"if a lock of the kernel keeps {pair.names[0]} and {pair.names[1]} apart, let the model take it: "
            f"{told}, one at a time it would be {apart}"
        )
        yield Advice("lock", " and ".join(pair.names), message, pair.distinct.count / apart, "at most")


def _freest(pairs: Iterable[Pair]) -> list[Pair]:
    return sorted((p for p in pairs if p.share >= _FREE), key=lambda p: -p.distinct.count)[:1]


def _threads(profile: Profile) -> Iterator[Advice]:
    """Yield the thread that adds most."""
    for spread in profile.of_kind("thread")[:1]:
        message = f"look at a scenario without {spread.component.name} first"
        where = spread.component.span
        yield Advice("thread", spread.component.name, message, spread.factor, "at most", where)
