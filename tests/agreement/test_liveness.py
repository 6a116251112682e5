"""Dead locals: resetting them changes no verdict, merges states, and merges exactly those that the definition says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modelcheck.language import model as m
from modelcheck.language.types import bounds
from modelcheck.semantics.transition_system import State, TransitionSystem
from tests.agreement.cases import CHUNKS, MOST, Case, examine
from tests.agreement.shapes import Explored, explored

USED = -1
"""Stands for "read before it is written" among the places that a path leads to."""


def without_resets(system: TransitionSystem) -> TransitionSystem:
    return replace(system, resets=tuple(tuple(() for _ in places) for places in system.resets))


def reads(local: m.Variable, *exprs: m.Expr) -> bool:
    return any(ref.var is local for expr in exprs for ref in m.refs(expr))


def leads_to(effects: m.Effects, local: m.Variable) -> set[int]:
    """Return where the local arrives unread and unwritten; USED if some path reads it first. No jump: FELL."""
    return _paths(effects, local, lambda: {FELL})


FELL = -2


def _paths(effects: m.Effects, local: m.Variable, rest: object) -> set[int]:
    if not effects:
        return rest()  # type: ignore[operator, no-any-return]
    first, after = effects[0], effects[1:]

    def more() -> set[int]:
        return _paths(after, local, rest)

    match first:
        case m.Jump(target):
            return {target}
        case m.Assign(target, value):
            if reads(local, value, *target.index):
                return {USED}
            return set() if target.var is local and not local.dimensions else more()
        case m.Choose(target, _, _, where):
            if target.var is local and not local.dimensions:
                return {USED} if reads(local, *target.index) else set()
            return {USED} if reads(local, where, *target.index) else more()
        case m.Test(condition, then, otherwise):
            if reads(local, condition):
                return {USED}
            return _paths(then, local, more) | _paths(otherwise, local, more)
        case m.Either(branches):
            return set().union(*(_paths(branch, local, more) for branch in branches))
        case m.Require(condition):
            return {USED} if reads(local, condition) else more()
        case m.Emit(_, arguments):
            return {USED} if reads(local, *arguments) else more()
        case _:
            return more()


def live_at(thread: m.Thread, local: m.Variable) -> set[int]:
    """Return the locations from which some path reads the local before it writes all of it."""
    if local.always_live:
        return set(range(len(thread.locations)))
    follow = {x.number: leads_to(x.effects, local) for x in thread.locations}
    follow = {n: {USED} if reads(local, thread.locations[n].guard) else to for n, to in follow.items()}
    live = {number for number, to in follow.items() if USED in to}
    while more := {number for number, to in follow.items() if to & live} - live:
        live |= more
    return live


def merged(system: TransitionSystem, state: State, live: dict[m.Variable, set[int]]) -> State:
    """Return the state with every dead local at its first value."""
    cells = list(state)
    for thread, place in zip(system.model.threads, system.location_cells, strict=True):
        for local in thread.locals:
            if state[place] not in live[local]:
                start = system.offsets[local]
                cells[start : start + len(local.initial)] = [bounds(local.type)[0]] * len(local.initial)
    return tuple(cells)


def breaches(found: Explored) -> set[str]:
    return {f"{x.thread} {x.location} {x.breach}" for xs in found.steps.values() for x in xs if x.breach}


def resets_differ(case: Case) -> str:
    """Return how resetting dead locals differs from not doing so, beyond merging states."""
    system, with_resets = case.system, case.graph
    plain = explored(without_resets(system), 4 * MOST)
    live = {local: live_at(thread, local) for thread in system.model.threads for local in thread.locals}
    expected = {merged(system, state, live) for state in plain.steps}
    if expected != set(with_resets.steps):
        only = sorted(expected ^ set(with_resets.steps))[:2]
        return f"{len(expected)} states by definition, {len(with_resets.steps)} by the explorer; for example {only}"
    if len(plain.steps) < len(with_resets.steps):
        return "resetting made more states"
    return "" if breaches(plain) == breaches(with_resets) else "other error steps"


@pytest.mark.parametrize("chunk", CHUNKS)
def test_states_are_merged_exactly_where_locals_are_dead(chunk: int) -> None:
    assert examine(chunk, resets_differ, properties=True) > 0
