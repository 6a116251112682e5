"""The reference engine: breadth-first search over the interpreter, the oracle for every other engine.

It visits every state that can be reached, also behind states that violate something, so that its counts do not depend
on what it finds (SEMANTICS A1). Breadth-first: what is found first is found by a shortest trace.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modelcheck.engine.census import census_of_space
from modelcheck.engine.closing import closed_set
from modelcheck.engine.collecting import Collector
from modelcheck.engine.endings import note_losses
from modelcheck.engine.engine import Answers, Found, Limits, Progress
from modelcheck.engine.memory import peak_memory
from modelcheck.engine.shortest import shortest_trace
from modelcheck.engine.sightings import Sighting, Sightings
from modelcheck.engine.space import Space
from modelcheck.engine.watch import INTERRUPTED, StoppedError, Watch
from modelcheck.language.types import Bool, Range, Scalarset, show
from modelcheck.result.verdict import Statistics
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import CannotFinish, Question, StuckForEver
from modelcheck.semantics.transition_system import State, TransitionSystem

if TYPE_CHECKING:
    from networkx import MultiDiGraph


def explore(
    system: TransitionSystem,
    questions: tuple[Question, ...],
    limits: Limits,
    progress: Progress | None = None,
) -> Answers:
    """Look at every reachable state, and answer the questions."""
    interpreter = Interpreter(system)
    space = Space(len(system.model.threads))
    collector = Collector(interpreter, questions)
    with Watch(limits, progress) as watch:
        stopped = _search(interpreter, space, watch, collector)
        statistics = _statistics(space, watch, stopped)
        stopped = stopped or _look_back(interpreter, space, watch, collector)
        found, untold = _told(interpreter, space, watch, collector.sightings, stopped)
        counted = census_of_space(system, space, questions, watch)
        stopped = stopped or untold or watch.interruption()
    return Answers(
        statistics=replace(statistics, seconds=watch.seconds, peak_memory=peak_memory()),
        stopped=stopped,
        found=found,
        views=frozenset(collector.views),
        crossings=frozenset(collector.crossings),
        counts=dict(collector.counts),
        occurred=collector.occurrences.all,
        census=counted,
    )


def _search(interpreter: Interpreter, space: Space, watch: Watch, collector: Collector) -> str:
    """Fill the space level by level; return why the search stopped, or "" if it came to its end."""

    def visit(state: State, depth: int, mover: int | None) -> int:
        number = space.numbers.get(state)
        if number is None:
            watch.admit(len(space))
            number = space.add(state)
            collector.found(number, state, depth, mover)
        return number

    try:
        for step in interpreter.before_time:
            collector.before_time(step)
            if step.target is not None:
                visit(step.target, 0, None)
        while space.expanded < len(space):
            level = space.start_level()
            depth = space.depth
            for number in level:
                watch.look(len(space), space.transitions, depth, len(space) - number)
                state = space.states[number]
                steps = interpreter.successors(state)
                collector.expanded(number, state, depth, steps)
                space.start_edges()
                for step in steps:
                    if step.target is None:
                        space.add_error()
                    else:
                        space.add_edge(step.thread, visit(step.target, depth + 1, step.thread))
    except StoppedError as stop:
        return str(stop)
    except KeyboardInterrupt:
        return INTERRUPTED
    return ""


def _look_back(interpreter: Interpreter, space: Space, watch: Watch, collector: Collector) -> str:
    """Look at what every continuation has in common; only possible after a complete search."""

    def heed() -> None:
        watch.look(len(space), space.transitions, space.depth, 0)

    try:
        note_losses(interpreter, space, collector, heed)
    except StoppedError as stop:
        return str(stop)
    except KeyboardInterrupt:
        return INTERRUPTED
    return ""


def _told(
    interpreter: Interpreter, space: Space, watch: Watch, seen: Sightings, stopped: str
) -> tuple[tuple[Found, ...], str]:
    """Return the findings with their traces, the nearest first; and why some are left out, if some are."""
    found: list[Found] = []
    end = watch.end_of_telling(stopped)
    try:
        for sighting in seen.all:
            watch.heed()
            if found and watch.seconds >= end:
                return tuple(found), stopped or watch.out_of_time
            found.append(_found(interpreter, space, sighting))
    except KeyboardInterrupt:
        return tuple(found), INTERRUPTED
    return tuple(found), ""


def _statistics(space: Space, watch: Watch, stopped: str) -> Statistics:
    # A level that was not finished is not counted.
    depth = space.depth - 1 if stopped else space.depth
    return Statistics(
        len(space), space.transitions, max(depth, 0), watch.seconds, peak_memory(), engine="reference"
    )


def _found(interpreter: Interpreter, space: Space, sighting: Sighting) -> Found:
    trace, target = shortest_trace(interpreter, space, sighting.targets)
    closed = None
    if isinstance(sighting.question, StuckForEver | CannotFinish):
        trace, closed = closed_set(interpreter, space, trace)
    return Found(
        question=sighting.question,
        cause=sighting.cause,
        level=sighting.level,
        states=sighting.states,
        trace=trace,
        members=target.members,
        closed=closed,
        undefined=target.undefined,
    )


def graph(system: TransitionSystem, limits: Limits | None = None) -> MultiDiGraph[int]:
    """Return the state graph for networkx: a node a state, an edge a step.

    A node is the state's number in breadth-first order; its attributes are the cells by name (for a thread, where
    it is), `level`, `initial`, and `errors`: the error steps that leave the state, one a line. They have no target,
    so they are no edges, and the graph has exactly the states of the model. The graph's own attributes are `states`,
    `transitions` (error steps included), `complete`, and `stopped`: why the search ended before its end.
    """
    return counted_graph(system, limits or Limits())[1]


def counted_graph(
    system: TransitionSystem, limits: Limits, progress: Progress | None = None
) -> tuple[Answers, MultiDiGraph[int]]:
    """Return how large the state space is, and the state graph, of one search."""
    interpreter = Interpreter(system)
    space = Space(len(system.model.threads))
    with Watch(limits, progress) as watch:
        stopped = _search(interpreter, space, watch, Collector(interpreter, ()))
        answers = Answers(_statistics(space, watch, stopped), stopped or watch.interruption())
    return answers, _drawn(interpreter, space, stopped)


def _drawn(interpreter: Interpreter, space: Space, stopped: str) -> MultiDiGraph[int]:
    import networkx as nx

    system = interpreter.system
    drawn: MultiDiGraph[int] = nx.MultiDiGraph(
        name=system.model.name,
        states=len(space),
        transitions=space.transitions,
        complete=not stopped,
        stopped=stopped,
    )
    for number, state in enumerate(space.states):
        level = space.level_of(number)
        drawn.add_node(number, **valuation(system, state), level=level, initial=level == 0, errors="")
    for number in range(space.expanded):
        _draw_steps(interpreter, space, drawn, number)
    return drawn


def valuation(system: TransitionSystem, state: State) -> dict[str, int | str]:
    """Return the cells by name as a reader writes them: other values than numbers and bools, and locations, as text."""
    shown: dict[str, int | str] = {}
    for cell, value in zip(system.cells, state, strict=True):
        if cell.variable is None:
            assert cell.thread is not None
            location = system.model.threads[cell.thread].locations[value]
            shown[cell.name] = "finished" if location.is_end else f"{location.span}: {location.text}"
        elif isinstance(cell.variable.type, Bool):
            shown[cell.name] = bool(value)
        elif isinstance(cell.variable.type, Range | Scalarset):
            shown[cell.name] = value
        else:
            shown[cell.name] = show(cell.variable.type, value)
    return shown


def _draw_steps(interpreter: Interpreter, space: Space, drawn: MultiDiGraph[int], number: int) -> None:
    errors: list[str] = []
    for step in interpreter.successors(space.states[number]):
        thread = interpreter.system.model.threads[step.thread]
        location = thread.locations[step.location]
        if step.breach is not None:
            errors.append(f"{thread.name}: {location.text}: {step.breach.message}")
        elif step.target in space.numbers:
            drawn.add_edge(
                number,
                space.numbers[step.target],
                thread=thread.name,
                action=location.text,
                line=location.span.line,
                choices=" ".join(map(str, step.choices)),
            )
    drawn.nodes[number]["errors"] = "\n".join(errors)
