"""Which return of a call goes with which entry (SEMANTICS C1): a search over states, each with the locks held at entry.

The sets of locks that were seen at a call's entries and at its returns do not say which belong together. Where that
matters, this search does: breadth first over pairs of a state and the lock set with which the call was last entered.
Cost: as many times the states as the call has lock sets at its entry, for each call that has several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelcheck.language.model import Call
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Held
from modelcheck.semantics.transition_system import INIT, State, Step
from modelcheck.source import Span

AT_MOST = 1_000_000
"""A search with more pairs than this is given up: lock_rules is then unknown."""

Locks = tuple[Held, ...]
Node = tuple[State, Locks | None]


@dataclass(frozen=True)
class Passage:
    """A way through a call: the locks held at its entry and at its return, and where it returned."""

    entry: Locks
    held: Locks
    at: Span


def passages(interpreter: Interpreter, call: Call) -> dict[Passage, Trace] | None:
    """Return every way through the call, each with a shortest run that takes it; None if that is too much."""
    came_from: dict[Node, tuple[Node, Step] | None] = {}
    found: dict[Passage, Trace] = {}
    level: list[Node] = []
    for step in interpreter.before_time:
        if step.target is not None:
            *ways, (entry, last) = followed(interpreter, call, None, step)
            assert last is None
            found |= {way: Trace(step.target, ()) for _, way in ways if way is not None}
            _reach(came_from, level, (step.target, entry), None)
    while level:
        following: list[Node] = []
        for node in level:
            for step in interpreter.successors(node[0]):
                if step.target is None:
                    continue
                for entry, way in followed(interpreter, call, node[1], step):
                    if way is None:
                        _reach(came_from, following, (step.target, entry), (node, step))
                    elif way not in found:
                        found[way] = _run(came_from, node, step)
            if len(came_from) > AT_MOST:
                return None
        level = following
    return found


def followed(
    interpreter: Interpreter, call: Call, entry: Locks | None, step: Step
) -> Iterator[tuple[Locks | None, Passage | None]]:
    """Yield each way through the call that the step completes, then the locks of the entry after it."""
    for crossing, cells in step.crossings:
        if crossing.call.number == call.number:
            held = () if step.thread == INIT else interpreter.held(cells, step.thread)
            if not crossing.leaves:
                entry = held
            elif entry is not None:
                yield None, Passage(entry, held, crossing.at)
                entry = None
    yield entry, None


def takes(interpreter: Interpreter, call: Call, wanted: Passage, trace: Trace) -> bool:
    """Tell whether the last step of the run (or what is before time) completes the way through the call."""
    before = tuple(s for s in interpreter.before_time if s.target == trace.initial)[:1]
    entry: Locks | None = None
    completed: list[Passage] = []
    for step in (*before, *trace.steps):
        *ways, (entry, _) = followed(interpreter, call, entry, step)
        completed = [way for _, way in ways if way is not None]
    return wanted in completed


def _reach(
    came_from: dict[Node, tuple[Node, Step] | None],
    level: list[Node],
    node: Node,
    by: tuple[Node, Step] | None,
) -> None:
    if node not in came_from:
        came_from[node] = by
        level.append(node)


def _run(came_from: dict[Node, tuple[Node, Step] | None], node: Node, last: Step) -> Trace:
    steps = [last]
    by = came_from[node]
    while by is not None:
        node, step = by
        steps.append(step)
        by = came_from[node]
    return Trace(node[0], tuple(reversed(steps)))
