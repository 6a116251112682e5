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
from modelcheck.engine.sightings import Sighting, Target
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Question, StuckForEver
from modelcheck.semantics.transition_system import State, Step, TransitionSystem
from modelcheck.semantics.waiting import standing

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
            _note_stuck(collector, walk, at)
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


def _note_stuck(collector: Collector, walk: Walk, at: int) -> None:
    """Note who is stuck where nobody has a step: not finished, not at rest, not in a circular wait."""
    interpreter = walk.interpreter
    question = next((q for q in collector.questions if isinstance(q, StuckForEver)), None)
    if question is None:
        return
    caught = collector.caught.get(at, frozenset())
    for number in range(len(interpreter.system.model.threads)):
        idle = interpreter.finished(walk.state, number) or interpreter.resting(walk.state, number)
        if not idle and number not in caught:
            cause = (standing(interpreter, walk.state, number),)
            collector.sightings.add(question, cause, at, Target(at, None, (number,)))


def seen_at_the_end(walk: Walk, questions: Sequence[Question]) -> tuple[Found, ...]:
    """Return what the last step of a directed run shows, and the state where it is now."""
    interpreter, trace = walk.interpreter, walk.trace
    collector = Collector(interpreter, questions)
    at = len(trace.steps)
    if trace.steps:
        before = trace.states[-1 if trace.steps[-1].target is None else -2]
        collector.expanded(at - 1, before, at - 1, interpreter.successors(before))
    if not trace.steps or trace.steps[-1].target is not None:
        steps = interpreter.successors(walk.state)
        collector.found(at, walk.state, at, trace.steps[-1].thread if trace.steps else None)
        collector.expanded(at, walk.state, at, steps)
        if not steps:
            _note_stuck(collector, walk, at)
    found: list[Found] = []
    for sighting in collector.sightings.all:
        for target in sighting.targets:
            taken = target.number == at - 1 and bool(trace.steps) and target.step == trace.steps[-1]
            if taken or (target.number == at and target.step is None):
                found.append(_shown(sighting, target, trace))
                break
    return tuple(found)


def _found(collector: Collector, trace: Trace) -> list[Found]:
    """Return what the run came across, each with the run up to there; the last step may be one not taken."""
    found: list[Found] = []
    for sighting in collector.sightings.all:
        target = sighting.targets[0]
        steps = trace.steps[: max(target.number, 0)]
        if target.step is not None:
            steps = (*steps, target.step)
        found.append(_shown(sighting, target, Trace(trace.initial, steps, shortest=False)))
    return found


def _shown(sighting: Sighting, target: Target, trace: Trace) -> Found:
    return Found(
        question=sighting.question,
        cause=sighting.cause,
        level=sighting.level,
        states=sighting.states,
        trace=trace,
        members=target.members,
        closed=frozenset({trace.last}) if isinstance(sighting.question, StuckForEver) else None,
        undefined=target.undefined,
    )


class Walk:
    """A run that somebody directs, step by step, and can take back."""

    def __init__(self, interpreter: Interpreter, initial: State | None = None) -> None:
        self.interpreter = interpreter
        self.initial = self.starts[0] if initial is None else initial
        self.steps: list[Step] = []
        self._states = [self.initial]

    @property
    def starts(self) -> tuple[State, ...]:
        """The initial states."""
        return tuple(state for state, _, _ in self.interpreter.initial_states() if state is not None)

    @property
    def state(self) -> State:
        """Where the run is; after an error step, where it was before."""
        return self._states[-1]

    @property
    def enabled(self) -> tuple[Step, ...]:
        """The steps that can be taken; none after an error step."""
        broken = bool(self.steps) and self.steps[-1].target is None
        return () if broken else self.interpreter.successors(self.state)

    @property
    def trace(self) -> Trace:
        """The run so far."""
        return Trace(self.initial, tuple(self.steps), shortest=False)

    @property
    def all_finished(self) -> bool:
        """True if every thread is at its end."""
        threads = self.interpreter.system.model.threads
        return all(self.interpreter.finished(self.state, thread.number) for thread in threads)

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
