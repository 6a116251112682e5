"""Walks through a system: random ones from a seed, and one that a reader directs.

A random run picks a thread that can step, each alike, and then one of its steps. It looks at what each state and each
step that could be taken there shows, so it may find a violation without running into it. It decides nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from modelcheck.engine.collecting import Collector
from modelcheck.engine.engine import Found
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Question
from modelcheck.semantics.transition_system import State, Step, TransitionSystem

Ending = Literal["finished", "blocked", "error", "long enough"]


@dataclass(frozen=True)
class RandomRun:
    """One run, and why it ended: everybody has finished, nobody can step, an error step, or it was long enough."""

    number: int
    trace: Trace
    ending: Ending


@dataclass(frozen=True)
class Simulation:
    """The runs, and for each cause the shortest evidence that one of them came across."""

    runs: tuple[RandomRun, ...]
    found: tuple[Found, ...] = ()


def simulate(
    system: TransitionSystem, seed: int, steps: int, runs: int, questions: Sequence[Question] = ()
) -> Simulation:
    """Walk at random; the same seed gives the same runs, and run n does not depend on how many there are."""
    interpreter = Interpreter(system)
    done: list[RandomRun] = []
    found: dict[tuple[Question, tuple[str, ...], bool], Found] = {}
    for number in range(1, runs + 1):
        collector = Collector(interpreter, questions)
        run = _random_run(interpreter, collector, random.Random(f"{seed}/{number}"), number, steps)
        done.append(run)
        for each in _found(collector, run.trace):
            key = (each.question, each.cause, bool(each.undefined))
            if key not in found or each.level < found[key].level:
                found[key] = each
    return Simulation(tuple(done), tuple(sorted(found.values(), key=lambda each: each.level)))


def _random_run(
    interpreter: Interpreter, collector: Collector, chance: random.Random, number: int, length: int
) -> RandomRun:
    first = chance.choice(interpreter.before_time) if interpreter.before_time else None
    if first is None or first.target is None:
        taken = () if first is None else (first,)
        for step in taken:
            collector.before_time(step)
        return RandomRun(
            number, Trace(interpreter.system.declared, taken, shortest=False), "error" if taken else "blocked"
        )
    state = first.target
    collector.found(0, state, 0, None)
    walk = Walk(interpreter, state)
    for at in range(length + 1):
        enabled = walk.enabled
        collector.expanded(at, walk.state, at, enabled)
        if not enabled:
            return RandomRun(number, walk.trace, "finished" if walk.all_finished else "blocked")
        if at == length:
            break
        thread = chance.choice(sorted({step.thread for step in enabled}))
        step = chance.choice([step for step in enabled if step.thread == thread])
        walk.take(step)
        if step.target is None:
            return RandomRun(number, walk.trace, "error")
        collector.found(at + 1, walk.state, at + 1, thread)
    return RandomRun(number, walk.trace, "long enough")


def _found(collector: Collector, trace: Trace) -> list[Found]:
    """Return what the run came across, each with the run up to there; the last step may be one not taken."""
    found: list[Found] = []
    for sighting in collector.sightings.all:
        target = sighting.targets[0]
        steps = trace.steps[: max(target.number, 0)]
        if target.step is not None:
            steps = (*steps, target.step)
        shown = Trace(trace.initial, steps, shortest=False)
        found.append(
            Found(
                question=sighting.question,
                cause=sighting.cause,
                level=sighting.level,
                states=sighting.states,
                trace=shown,
                members=target.members,
                undefined=target.undefined,
            )
        )
    return found


class Walk:
    """A run that somebody directs, step by step, and can take back."""

    def __init__(self, interpreter: Interpreter, initial: State | None = None) -> None:
        self._interpreter = interpreter
        self.initial = self.starts[0] if initial is None else initial
        self.steps: list[Step] = []
        self._states = [self.initial]

    @property
    def starts(self) -> tuple[State, ...]:
        """The initial states."""
        return tuple(state for state, _, _ in self._interpreter.initial_states() if state is not None)

    @property
    def state(self) -> State:
        """Where the run is; after an error step, where it was before."""
        return self._states[-1]

    @property
    def enabled(self) -> tuple[Step, ...]:
        """The steps that can be taken; none after an error step."""
        broken = bool(self.steps) and self.steps[-1].target is None
        return () if broken else self._interpreter.successors(self.state)

    @property
    def trace(self) -> Trace:
        """The run so far."""
        return Trace(self.initial, tuple(self.steps), shortest=False)

    @property
    def all_finished(self) -> bool:
        """True if every thread is at its end."""
        threads = self._interpreter.system.model.threads
        return all(self._interpreter.finished(self.state, thread.number) for thread in threads)

    def take(self, step: Step) -> None:
        """Take one of the enabled steps."""
        assert step in self.enabled
        self.steps.append(step)
        if step.target is not None:
            self._states.append(step.target)

    def undo(self) -> bool:
        """Take the last step back; False if there is none."""
        if not self.steps:
            return False
        if self.steps.pop().target is not None:
            self._states.pop()
        return True
