"""From what the solver found to a trace: read off who moved and what was chosen, and do it again on Python values.

Each step is looked up among the interpreter's steps of that state; that there is one, with the same target, is
checked every time. So a trace of the symbolic engine has been replayed once before anybody else replays it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from modelcheck.engine.queries import Asking
from modelcheck.language.model import Choose, Effect, Effects, Either, Test, walk_effects
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.symbolic import Frame, Going, Start
from modelcheck.semantics.symbolic_effects import Pick
from modelcheck.semantics.transition_system import State, Step

MANY = 1000
"""A `choose` over more values than this is not enumerated: only the value that was chosen is tried."""


def decoded(
    asking: Asking,
    interpreter: Interpreter,
    frames: Sequence[Frame],
    goings: Sequence[Going],
    *,
    broken: bool,
) -> Trace:
    """Return the run that the solver found through the frames; if `broken` its last step is an error step."""
    initial = _state(asking, frames[0])
    steps: list[Step] = []
    state = initial
    for time, going in enumerate(goings):
        target = None if broken and time == len(goings) - 1 else _state(asking, frames[time + 1])
        step = _step(asking, interpreter, state, going, target)
        steps.append(step)
        if target is not None:
            state = target
    return Trace(initial, tuple(steps))


def decoded_failure(asking: Asking, interpreter: Interpreter, start: Start) -> Trace:
    """Return the error before time that the solver found."""
    choices = _choices(asking, start.picks)
    step = next(s for s in interpreter.before_time if s.breach is not None and s.choices == choices)
    return Trace(interpreter.system.declared, (step,))


def _state(asking: Asking, frame: Frame) -> State:
    return tuple(asking.value(cell) for cell in frame.cells)


def _choices(asking: Asking, picks: Sequence[Pick]) -> tuple[int, ...]:
    return tuple(asking.value(pick.value) for pick in picks if asking.is_true(pick.reached))


def _step(asking: Asking, interpreter: Interpreter, state: State, going: Going, target: State | None) -> Step:
    thread = asking.value(going.mover)
    location = state[interpreter.system.location_cells[thread]]
    picks = going.picks[thread, location]
    choices = _choices(asking, picks)
    chosen = {id(p.effect): asking.value(p.value) for p in picks if asking.is_true(p.reached)}
    runner = _pinned(interpreter, thread, location, chosen)
    found = [s for s in runner.steps_of(state, thread) if s.choices == choices and s.target == target]
    assert found, (
        f"z3 takes a step that the interpreter does not: {thread=} {location=} {choices=} {state=} {target=}"
    )
    return found[0]


def _pinned(interpreter: Interpreter, thread: int, location: int, chosen: dict[int, int]) -> Interpreter:
    """Return an interpreter for which each large `choose` of the statement has only the value chosen."""
    system = interpreter.system
    here = system.model.threads[thread].locations[location]
    if not any(isinstance(e, Choose) and e.high - e.low >= MANY for e in walk_effects(here.effects)):
        return interpreter
    place = replace(here, effects=_with_choices(here.effects, chosen))
    own = system.model.threads[thread]
    owner = replace(own, locations=tuple(place if each is here else each for each in own.locations))
    threads = tuple(owner if each is own else each for each in system.model.threads)
    return Interpreter(replace(system, model=replace(system.model, threads=threads)))


def _with_choices(effects: Effects, chosen: dict[int, int]) -> Effects:
    return tuple(_with_choice(effect, chosen) for effect in effects)


def _with_choice(effect: Effect, chosen: dict[int, int]) -> Effect:
    match effect:
        case Choose() if id(effect) in chosen:
            return replace(effect, low=chosen[id(effect)], high=chosen[id(effect)])
        case Choose():
            return replace(effect, high=effect.low)  # on a path that is not taken
        case Test(condition, then, otherwise):
            return Test(condition, _with_choices(then, chosen), _with_choices(otherwise, chosen))
        case Either(branches, span):
            return Either(tuple(_with_choices(branch, chosen) for branch in branches), span)
        case _:
            return effect
