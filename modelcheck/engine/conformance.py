"""Does some run of a system produce a log? Two searches of the product (product.py; SEMANTICS H11).

* A log in the order of time: the set of configurations is computed item by item (the subset construction), so that
  whatever the environment chose is kept until an observation decides it, and only one layer is in memory.
* A log with an order inside each thread only: depth first, every configuration visited once in an attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from modelcheck.engine.engine import Limits
from modelcheck.engine.product import (
    MOST_SHOWN,
    Configuration,
    Conformance,
    Expected,
    Positions,
    Search,
    failed,
    found,
)
from modelcheck.semantics.transition_system import State, TransitionSystem


def conformance(
    system: TransitionSystem,
    items: tuple[Expected, ...],
    limits: Limits,
    *,
    hidden: frozenset[str] = frozenset(),
    total: bool = True,
) -> Conformance:
    """Look for a run of the system that produces the items; `system` was made with `results`.

    `hidden` are locks, ops and events that the log does not record. `total`: the items are in the order of time.
    """
    search = Search(system, items, hidden, limits)
    return _layers(search) if total else _depth_first(search)


def _layers(search: Search) -> Conformance:
    """Compute the configurations item by item."""
    layers: dict[int, dict[tuple[State, Positions], Configuration]] = {0: {}}
    for start in search.starts():
        layers.setdefault(sum(start.positions), {})[start.state, start.positions] = start
    best: tuple[Configuration, ...] = ()
    level = 0
    while layers:
        layer = layers.pop(level, {})
        if not layer and layers:
            level += 1
            continue
        if level == len(search.items) and layer:
            return found(search, next(iter(layer.values())))
        stopped = _close(search, layer, layers, level)
        best = tuple(layer.values()) or best
        if stopped:
            return Conformance(
                conforms=False,
                explained=level,
                visited=search.visited,
                there=best[:MOST_SHOWN],
                stopped=stopped,
            )
        level += 1
    return failed(search, best)


def _close(
    search: Search,
    layer: dict[tuple[State, Positions], Configuration],
    layers: dict[int, dict[tuple[State, Positions], Configuration]],
    level: int,
) -> str:
    """Add to a layer whatever is reached without an item of the log, and to later ones what is reached with some."""
    waiting = list(layer.values())
    while waiting:
        here = waiting.pop()
        search.visited += 1
        stopped = search.exceeded()
        if stopped:
            return stopped
        for thread in range(len(search.sequences)):
            for there in search.moves(here, thread):
                explained = sum(there.positions)
                known = layer if explained == level else layers.setdefault(explained, {})
                if (there.state, there.positions) not in known:
                    known[there.state, there.positions] = there
                    if explained == level:
                        waiting.append(there)
    return ""


PREFERENCES = (1, 0, -1)
"""Who goes first where several wait for a lock: who will be refused most often, whoever comes first, or least often."""

FIRST_BUDGET = 3000
"""Configurations of the first attempt; each later round may visit four times as many."""


def _depth_first(search: Search) -> Conformance:
    """Search depth first by each preference in turn, with growing budgets (restarts: Luby, Sinclair, Zuckerman, 1993).

    A search that comes to its end within its budget has decided, whatever the preference.
    """
    budget = FIRST_BUDGET
    most: Conformance | None = None
    while True:
        for preference in PREFERENCES:
            answer = _attempt(search, preference, search.visited + budget)
            if answer.conforms or not answer.stopped:
                return answer
            if most is None or answer.explained > most.explained:
                most = answer
            if answer.stopped != OVER_BUDGET:
                return replace(most, visited=search.visited, stopped=answer.stopped)
        budget *= 4


OVER_BUDGET = "budget"


def _attempt(search: Search, preference: int, budget: int) -> Conformance:
    """Visit each configuration once, the most promising one first."""
    seen: set[tuple[State, Positions]] = set()
    stack = list(search.starts())
    best: list[Configuration] = []
    most, goal = -1, len(search.items)
    while stack:
        here = stack.pop()
        if (here.state, here.positions) in seen:
            continue
        seen.add((here.state, here.positions))
        search.visited += 1
        explained = sum(here.positions)
        if explained == goal:
            return found(search, here)
        if explained > most:
            most, best = explained, []
        if explained == most and len(best) < MOST_SHOWN:
            best.append(here)
        stopped = search.exceeded() or (OVER_BUDGET if search.visited > budget else "")
        if stopped:
            return Conformance(
                conforms=False, explained=most, visited=search.visited, there=tuple(best), stopped=stopped
            )
        stack += _ranked(search, here, preference)
    return failed(search, tuple(best))


def _ranked(search: Search, here: Configuration, preference: int) -> list[Configuration]:
    """Return what can follow, the most urgent one last: it is taken first.

    First what a thread does alone until something is seen of it; single unseen steps only if that comes to nothing.
    A try is refused while another holds the lock, so a release waits for those whose next lock event is a refused try,
    and among those who want the lock the preference decides: the others' turns are what some need later.
    """
    ahead = [search.next_of_lock(here.positions, thread) for thread in range(len(search.sequences))]
    refused = {name for kind, name in ahead if kind == "!"}
    ranked: list[tuple[tuple[int, ...], int, Configuration]] = []
    for thread, (kind, name) in enumerate(ahead):
        left = preference * search.refusals[thread][here.positions[thread]]
        if kind == "!":
            urgency = 3
        elif kind == "-" and name in refused:
            urgency = 0
        else:
            urgency = 1 if kind == "+" and name in refused else 2
        single = list(search.moves(here, thread))
        for there in single:
            if there.positions == here.positions:
                ranked.append(((-1, urgency, left, -thread), len(ranked), there))
        for there in _until_seen(search, here, thread, single):
            ranked.append(((urgency, left, -thread), len(ranked), there))
    ranked.sort(key=lambda each: each[:2])
    return [there for _, _, there in ranked]


MOST_UNSEEN = 500
"""Configurations that one thread may pass alone before it is left to the search of single steps."""


def _until_seen(
    search: Search, here: Configuration, thread: int, single: list[Configuration]
) -> Iterator[Configuration]:
    """Yield what the thread can reach alone with its next item explained, given its single steps."""
    passed = {here.state}
    waiting = single
    while waiting and len(passed) < MOST_UNSEEN:
        unseen: list[Configuration] = []
        for there in waiting:
            if there.positions != here.positions:
                yield there
            elif there.state not in passed:
                passed.add(there.state)
                unseen.append(there)
        waiting = [after for there in unseen for after in search.moves(there, thread)]
