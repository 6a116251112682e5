"""The trace that is shown: shortest, then with the fewest context switches, then the first (SEMANTICS H10).

One sweep back over the levels of the search, without parent pointers. For a state s of the cone, `after[s][t]`
is the fewest switches from s to a target along a shortest path, if thread t moves first; a step into s by u costs
one more where u differs from t. Ties go to the lower thread, then location, then choices, so the trace is the same
for every engine. Cost: the edges of the levels before the targets, once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from modelcheck.engine.sightings import Target, before_time
from modelcheck.engine.space import Space, Stored
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import Step

Costs = dict[int, dict[int, int]]


def shortest_trace(interpreter: Interpreter, space: Space, targets: Sequence[Target]) -> tuple[Trace, Target]:
    """Return the best trace to one of the targets, which all lie at one level, and that target."""
    first = targets[0]
    if before_time(first):
        return trace_before_time(interpreter, first)
    after = _costs(space, targets)
    return best_trace(
        interpreter,
        space,
        space.level_of(first.number),
        lambda number: after.get(number, {}),
        lambda number: [target for target in targets if target.number == number],
    )


def trace_before_time(interpreter: Interpreter, target: Target) -> tuple[Trace, Target]:
    """Return the trace to an error before time: that one step."""
    assert target.step is not None
    return Trace(interpreter.system.declared, (target.step,)), target


def best_trace(
    interpreter: Interpreter,
    space: Stored,
    level: int,
    after: Callable[[int], dict[int, int]],
    targets_at: Callable[[int], Sequence[Target]],
) -> tuple[Trace, Target]:
    """Return the best trace to a target at the level, by the costs of the states on the way, and that target."""
    start = min(space.level(0), key=lambda number: min(after(number).values(), default=level + 1))
    number, steps = start, list[Step]()
    for depth in range(level):
        costs = after(number)
        thread = _best_thread(costs, steps)
        choices = interpreter.steps_of(space.state(number), thread)
        number, step = _next(space, space.level(depth + 1), choices, after, costs[thread])
        steps.append(step)
    ending = _last_step(targets_at(number), _best_thread(after(number), steps))
    if ending.step is not None:
        steps.append(ending.step)
    return Trace(space.state(start), tuple(steps)), ending


def _costs(space: Space, targets: Sequence[Target]) -> Costs:
    after: Costs = {}
    for target in targets:
        costs = after.setdefault(target.number, {})
        if target.step is None:
            costs[-1] = 0  # nobody needs to move
        else:
            costs[target.step.thread] = 0
    for depth in reversed(range(space.level_of(targets[0].number))):
        nearer = space.level(depth + 1)
        for number in space.level(depth):
            costs = {}
            for thread, following in space.edges(number):
                if following in nearer and following in after:
                    cost = cost_behind(after[following], thread)
                    costs[thread] = min(cost, costs.get(thread, cost))
            if costs:
                after[number] = costs
    return after


def cost_behind(costs: dict[int, int], mover: int) -> int:
    """Return the fewest switches from a state on, if `mover` made the step into it."""
    return min(cost + (thread not in (mover, -1)) for thread, cost in costs.items())


def _next(
    space: Stored, level: range, steps: Sequence[Step], after: Callable[[int], dict[int, int]], cost: int
) -> tuple[int, Step]:
    """Return the first step to the level that keeps the cost, and the number of the state that it leads to."""
    for step in steps:
        following = space.number(step.target) if step.target is not None else None
        if following in level:
            assert following is not None
            costs = after(following)
            if costs and cost_behind(costs, step.thread) == cost:
                return following, step
    raise AssertionError("a state of the cone has a step that stays in it")


def _best_thread(costs: dict[int, int], steps: list[Step]) -> int:
    mover = steps[-1].thread if steps else None
    return min(costs, key=lambda thread: (costs[thread] + (thread not in (mover, None, -1)), thread))


def _last_step(here: Sequence[Target], thread: int) -> Target:
    """Return the target at a state: the state itself, or the first step of the thread that is one."""
    return next(target for target in here if target.step is None or target.step.thread == thread)
