"""A breadth-first search for one circular wait: it ends with the first level that has it.

For the question "what if": would this cycle be a deadlock in a model that lacks one thing? Many such models are looked
at, and nothing else is asked of them. Source: the same search as reference.py. Cost: the states up to that level; all
of them if there is no such wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelcheck.engine.engine import Limits
from modelcheck.engine.shortest import shortest_trace
from modelcheck.engine.sightings import Target
from modelcheck.engine.space import Space
from modelcheck.engine.watch import StoppedError, Watch
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State, Step
from modelcheck.semantics.waiting import Ring, Waiting


@dataclass(frozen=True)
class Sought:
    """What the search came to: a shortest trace to the wait and its threads, or None.

    `states` were found by then, in so many `seconds`. `stopped` is the limit that was hit, "" if none was. `errors`:
    some error steps were met, and what would have come behind them is not known.
    """

    trace: Trace | None
    members: tuple[int, ...]
    ring: tuple[int, ...]
    states: int
    seconds: float
    stopped: str = ""
    errors: bool = False


def first_circular_wait(
    interpreter: Interpreter, is_wanted: Callable[[State, Ring], bool], limits: Limits
) -> Sought:
    """Search for a circular wait of which `is_wanted` is true."""
    space = Space(len(interpreter.system.model.threads))
    waiting = Waiting(interpreter)
    watch = Watch(limits)
    targets: list[Target] = []
    rings: dict[tuple[int, tuple[int, ...]], Ring] = {}
    stopped = ""
    try:
        for step in interpreter.before_time:
            _visit(space, watch, step)
        while space.expanded < len(space) and not targets:
            level = space.start_level()
            for number in level:
                watch.look(len(space), space.transitions, space.depth, len(space) - number)
                state = space.states[number]
                steps = interpreter.successors(state)
                space.start_edges()
                for step in steps:
                    if step.target is None:
                        space.add_error()
                    else:
                        space.add_edge(step.thread, _visit(space, watch, step))
                for ring in _rings(interpreter, waiting, state, steps):
                    if is_wanted(state, ring):
                        targets.append(Target(number, None, ring.members))
                        rings[number, ring.members] = ring
    except StoppedError as stop:
        stopped = str(stop)
    except KeyboardInterrupt:
        stopped = "interrupted"
    errors = bool(space.error_states)
    if not targets:
        return Sought(None, (), (), len(space), watch.seconds, stopped, errors)
    trace, target = shortest_trace(interpreter, space, targets)
    ring = rings[target.number, target.members]
    return Sought(trace, ring.members, ring.threads, len(space), watch.seconds, "", errors)


def _visit(space: Space, watch: Watch, step: Step) -> int:
    """Return the number of the state that a step leads to; -1 for an error before time."""
    if step.target is None:
        return -1
    number = space.numbers.get(step.target)
    if number is None:
        watch.admit(len(space))
        number = space.add(step.target)
    return number


def _rings(
    interpreter: Interpreter, waiting: Waiting, state: State, steps: tuple[Step, ...]
) -> tuple[Ring, ...]:
    moving = {step.thread for step in steps}
    blocked = frozenset(
        t.number
        for t in interpreter.system.model.threads
        if t.number not in moving and not interpreter.finished(state, t.number)
    )
    return waiting.knot(state, blocked).rings if blocked else ()
