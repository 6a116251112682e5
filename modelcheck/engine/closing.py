"""The closed set behind a trace: all that can follow its last state (SEMANTICS A4, certificate)."""

from __future__ import annotations

from dataclasses import replace

from modelcheck.engine.space import Stored
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State, Step

LARGEST_CLOSED_SET = 200_000


def closed_set(
    interpreter: Interpreter, space: Stored, trace: Trace, limit: int = LARGEST_CLOSED_SET
) -> tuple[Trace, frozenset[State]]:
    """Return the trace and all states that follow it.

    If these are more than `limit`: a bottom strongly connected component that can follow, and the trace made longer
    so that it ends there; it is then no longer the shortest.
    """
    start = space.number(trace.last)
    assert start is not None
    following = _following(space, start, limit)
    if following is not None:
        return trace, frozenset(space.state(n) for n in following)
    bottom = bottom_component(space, start)
    longer = _path(interpreter, space, start, bottom)
    states = frozenset(space.state(n) for n in bottom)
    return replace(trace, steps=(*trace.steps, *longer), shortest=not longer and trace.shortest), states


def _following(space: Stored, start: int, limit: int) -> set[int] | None:
    found = {start}
    todo = [start]
    while todo:
        for _, target in space.edges(todo.pop()):
            if target not in found:
                if len(found) >= limit:
                    return None
                found.add(target)
                todo.append(target)
    return found


def bottom_component(space: Stored, start: int) -> frozenset[int]:
    """Return a bottom strongly connected component that can be reached: the first that Tarjan's algorithm closes.

    R. Tarjan: Depth-first search and linear graph algorithms, SIAM J. Comput. 1 (1972); with a stack of our own.
    """
    index = {start: 0}
    low = {start: 0}
    path = [start]
    edges = {start: space.edges(start)}
    while True:
        state = path[-1]
        for _, target in edges[state]:
            if target not in index:
                index[target] = low[target] = len(index)
                edges[target] = space.edges(target)
                path.append(target)
                break
            low[state] = min(low[state], index[target])
        else:
            if low[state] == index[state]:
                return frozenset(n for n in index if index[n] >= index[state])
            path.pop()
            low[path[-1]] = min(low[path[-1]], low[state])


def _path(interpreter: Interpreter, space: Stored, start: int, goal: frozenset[int]) -> tuple[Step, ...]:
    """Return the steps of a shortest way into the set."""
    came_from = {start: (start, 0)}
    level = [start]
    while goal.isdisjoint(level):
        following: list[int] = []
        for number in level:
            for thread, target in space.edges(number):
                if target not in came_from:
                    came_from[target] = (number, thread)
                    following.append(target)
        level = following
    reached = next(number for number in level if number in goal)
    steps: list[Step] = []
    while reached != start:
        before, thread = came_from[reached]
        choices = interpreter.steps_of(space.state(before), thread)
        steps.append(next(step for step in choices if step.target == space.state(reached)))
        reached = before
    return tuple(reversed(steps))
