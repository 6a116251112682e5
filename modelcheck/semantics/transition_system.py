"""The transition system that a Model denotes: frozen data, and one successor function (interpreter.py).

A state is a tuple of integers: the cells of all variables in the order of the model, then the location of
each thread. What an engine needs beside the model is here: where a cell lies, what is dead where, what a
statement may read and write.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from modelcheck.language.model import (
    FINISHED,
    Assign,
    Assume,
    At,
    Breach,
    Choose,
    Const,
    Crossing,
    Effects,
    Emit,
    Enabled,
    Expr,
    Location,
    Model,
    Ref,
    Require,
    Test,
    Thread,
    Variable,
    refs,
    walk_effects,
)
from modelcheck.language.types import Scalar, bounds, show
from modelcheck.semantics.liveness import live_locals

State = tuple[int, ...]

INIT: Final = -1
"""The `thread` and `location` of an error step before time: in `init`, or in a thread's start."""


@dataclass(frozen=True)
class Cell:
    """One integer of the state: a variable with its index values, or (variable None) a thread's location."""

    variable: Variable | None
    index: tuple[int, ...]
    thread: int | None
    low: int
    high: int
    name: str


@dataclass(frozen=True, eq=False)
class Action:
    """The statement of one location of one thread, with what it may read and write (lvalue expressions).

    `reads` and `writes` list cells of shared and lock variables and of locals, guards included.
    """

    thread: int
    location: Location
    reads: tuple[Ref, ...]
    writes: tuple[Ref, ...]


@dataclass(frozen=True, eq=False)
class TransitionSystem:
    """A Model made ready for engines.

    `offsets`: number of the first cell of each variable. `location_cells[t]`: number of the cell that holds
    the location of thread t. `actions[t][n]`: the action at location n of thread t (None at its end).
    `resets[t][n]`: (cell, first value) of every local of thread t that is not live at location n; a step that
    arrives at n assigns them (SEMANTICS A1, dead locals). `declared`: the state before `init`; the location
    cells hold nothing yet (0).
    """

    model: Model
    cells: tuple[Cell, ...]
    offsets: dict[Variable, int]
    location_cells: tuple[int, ...]
    actions: tuple[tuple[Action | None, ...], ...]
    resets: tuple[tuple[tuple[tuple[int, int], ...], ...], ...]
    declared: State


@dataclass(frozen=True)
class Step:
    """One transition: who moved, from which location, with which choices, to which state.

    `choices` holds the value of each `choose` and the branch number of each `either`, in the order in which
    they were made. An error step has a breach and no target. `events` are the observable ones of the step.
    `crossings` pairs each call that is entered or left with all cells as they are at that moment: inside
    `atomic` a lock may change hands between two of them. `tests` has the outcome of each Test, in the order in which
    they were made. An error before time has `INIT` as thread and location.
    """

    thread: int
    location: int
    choices: tuple[int, ...]
    target: State | None
    breach: Breach | None = None
    events: tuple[tuple[str, tuple[str, ...]], ...] = ()
    crossings: tuple[tuple[Crossing, State], ...] = ()
    tests: tuple[bool, ...] = field(default=(), compare=False)


def transition_system(model: Model, *, results: bool = False) -> TransitionSystem:
    """Return the transition system of the model; `results` keeps what an op returns until it is left."""
    cells: list[Cell] = []
    offsets: dict[Variable, int] = {}
    for variable in model.variables:
        offsets[variable] = len(cells)
        cells += _cells_of(variable)
    location_cells = tuple(len(cells) + thread.number for thread in model.threads)
    cells += (Cell(None, (), t.number, 0, t.end, t.name) for t in model.threads)
    values = itertools.chain.from_iterable(variable.initial for variable in model.variables)
    return TransitionSystem(
        model=model,
        cells=tuple(cells),
        offsets=offsets,
        location_cells=location_cells,
        actions=tuple(tuple(_action(t.number, place) for place in t.locations) for t in model.threads),
        resets=tuple(_resets(thread, offsets, results) for thread in model.threads),
        declared=(*values, *(0 for _ in model.threads)),
    )


def index_values(dimensions: tuple[Scalar, ...]) -> Iterator[tuple[int, ...]]:
    """Yield every combination of index values, row-major; one empty combination if there is no dimension."""
    intervals = (bounds(dimension) for dimension in dimensions)
    return itertools.product(*(range(low, high + 1) for low, high in intervals))


def cells_denoted(system: TransitionSystem, ref: Ref) -> range:
    """Return the numbers of the cells that a reference can mean: all elements unless its index is constant."""
    first = system.offsets[ref.var]
    count = len(ref.var.initial)
    if not all(isinstance(i, Const) for i in ref.index):
        return range(first, first + count)
    number = 0
    for position, dimension in zip(ref.index, ref.var.dimensions, strict=True):
        low, high = bounds(dimension)
        assert isinstance(position, Const)
        if not low <= position.value <= high:
            return range(0)
        number = number * (high - low + 1) + position.value - low
    return range(first + number, first + number + 1)


def cells_mentioned(system: TransitionSystem, mention: Ref | At | Enabled) -> range:
    """Return the numbers of the cells whose change can change the value of what is mentioned."""
    match mention:
        case Ref():
            return cells_denoted(system, mention)
        case At(thread):
            return range(system.location_cells[thread], system.location_cells[thread] + 1)
        case Enabled():
            return range(len(system.cells))


def places_of(system: TransitionSystem, at: At) -> frozenset[int]:
    """Return the locations that an At names, by their numbers."""
    end = system.model.threads[at.thread].end
    return frozenset(end if place == FINISHED else place for place in at.locations)


def _cells_of(variable: Variable) -> Iterator[Cell]:
    low, high = bounds(variable.type)
    for index in index_values(variable.dimensions):
        shown = zip(variable.dimensions, index, strict=True)
        name = variable.name + "".join(f"[{show(dimension, value)}]" for dimension, value in shown)
        yield Cell(variable, index, variable.thread, low, high, name)


def _resets(
    thread: Thread,
    offsets: dict[Variable, int],
    results: bool,  # noqa: FBT001  (handed on)
) -> tuple[tuple[tuple[int, int], ...], ...]:
    def dead(live: frozenset[Variable]) -> Iterator[tuple[int, int]]:
        for local in thread.locals:
            if local not in live:
                first = offsets[local]
                yield from ((first + i, bounds(local.type)[0]) for i in range(len(local.initial)))

    return tuple(tuple(dead(live)) for live in live_locals(thread, results=results))


def _action(thread: int, location: Location) -> Action | None:
    if location.is_end:
        return None
    reads, writes = _reads_and_writes(location.effects)
    reads = [*(_plain(ref) for ref in refs(location.guard)), *reads]
    return Action(thread, location, tuple(dict.fromkeys(reads)), tuple(dict.fromkeys(writes)))


def _reads_and_writes(effects: Effects) -> tuple[list[Ref], list[Ref]]:
    read: list[Expr] = []
    writes: list[Ref] = []
    for effect in walk_effects(effects):
        match effect:
            case Assign(target, value):
                read += (value, *target.index)
                writes.append(target)
            case Choose(target, _, _, where):
                read += (*target.index, where)
                writes.append(target)
            case Test(condition) | Require(condition) | Assume(condition):
                read.append(condition)
            case Emit(_, arguments):
                read += arguments
            case _:
                pass
    return [_plain(ref) for expr in read for ref in refs(expr)], writes


def _plain(ref: Ref) -> Ref:
    return replace(ref, primed=False) if ref.primed else ref
