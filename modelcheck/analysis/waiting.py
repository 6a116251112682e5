"""Explains the last state of a trace: who holds what since when, who waits for whom and for what (SEMANTICS A3).

The definitions are semantics/waiting.py's; here they get source lines and the numbers of steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.analysis.awaited import Help, helps, phrase
from modelcheck.analysis.finding import instance_name
from modelcheck.language.model import Location, Lock, VerbUse
from modelcheck.locks import PRIMITIVES
from modelcheck.result.trace import Trace
from modelcheck.semantics.expressions import Undefined
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Held
from modelcheck.semantics.transition_system import INIT, State, Step
from modelcheck.semantics.waiting import Knot, Waiting
from modelcheck.source import Span

LOOKED_AT = 3_000
"""How many states `lost_since` looks at before it gives up."""


@dataclass(frozen=True)
class Hold:
    """A thread holds a lock since a step (0: from the start) and a place; `bars`: it waits for it and bars others."""

    thread: int
    lock: str
    mode: str
    step: int
    span: Span
    bars: bool = False
    several_modes: bool = False

    @property
    def shown(self) -> str:
        """The lock, with its mode where the lock has more than one."""
        return f"{self.lock}:{self.mode}" if self.several_modes else self.lock


@dataclass(frozen=True)
class Wait:
    """A blocked thread: where, for what (a lock, or "" for a condition), for whom; `any_of`: one of them is enough.

    `phrase` says in words what it does. `helps` are the statements by which others could end the wait.
    `since` is the step with which it got there. `caught`: it is part of the circular wait or waits for it.
    `interrupted_by`: the handlers that run in its place; if it waits for nothing else, `for_threads` are these.
    `timed`: it can give up at any moment.
    """

    thread: int
    location: Location
    lock: str
    mode: str
    for_threads: tuple[int, ...]
    any_of: bool
    resting: bool
    since: int
    caught: bool
    several_modes: bool = False
    interrupted_by: tuple[int, ...] = ()
    phrase: str = ""
    helps: tuple[Help, ...] = ()
    timed: bool = False

    @property
    def only_interrupted(self) -> bool:
        """Whether the thread could go on if no handler ran in its place."""
        return bool(self.interrupted_by) and self.for_threads == self.interrupted_by

    @property
    def shown(self) -> str:
        """The lock, with its mode where the lock has more than one; "" for a condition."""
        return f"{self.lock}:{self.mode}" if self.several_modes else self.lock


@dataclass(frozen=True)
class Situation:
    """What the last state of a trace looks like. `ring` begins with the thread that was last to enter it."""

    holds: tuple[Hold, ...]
    waits: tuple[Wait, ...]
    ring: tuple[int, ...]
    finished: tuple[int, ...]
    standing: tuple[tuple[int, Location], ...]


class Explainer:
    """Answers about the last states of traces of one system."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.waiting = Waiting(interpreter)
        self._locks: dict[str, Lock] = {lock.name: lock for lock in interpreter.system.model.locks}

    def situation(self, trace: Trace, members: tuple[int, ...] = ()) -> Situation:
        """Explain the last state; of several rings in it, the one of these members."""
        state = trace.last
        knot, impatient = self._knot(state, members)
        threads = self.interpreter.system.model.threads
        blocked = [
            t.number for t in threads if t.number in impatient or self.interpreter.blocked(state, t.number)
        ]
        finished = tuple(t.number for t in threads if self.interpreter.finished(state, t.number))
        standing = tuple(
            (t.number, self.interpreter.location(state, t.number))
            for t in threads
            if t.number not in blocked and t.number not in finished
        )
        return Situation(
            holds=tuple(h for t in threads for h in self.holds(trace, t.number)),
            waits=tuple(self._wait(trace, knot, number) for number in blocked),
            ring=self._ring(trace, knot, members),
            finished=finished,
            standing=standing,
        )

    def _knot(self, state: State, members: tuple[int, ...]) -> tuple[Knot, frozenset[int]]:
        """Return D, and who counts as blocked though it could give up: nobody, unless these wait only for a time."""
        timed = self.waiting.knot_of_time_outs(state)
        if members and any(set(ring.members) == set(members) for ring in timed.rings):
            return timed, self.waiting.impatient(state)
        return self.waiting.knot(state), frozenset()

    def holds(self, trace: Trace, thread: int) -> tuple[Hold, ...]:
        """Return what the thread holds in the last state, and what it has announced itself for."""
        held = [self._hold(trace, thread, each) for each in self.interpreter.held(trace.last, thread)]
        barred = self.announced(trace.last, thread)
        if barred is not None:
            step, span = self._arrived(trace, thread)
            held.append(
                Hold(
                    thread,
                    self.lock_name(barred, trace.last),
                    barred.mode,
                    step,
                    span,
                    bars=True,
                    several_modes=True,
                )
            )
        return tuple(held)

    def announced(self, state: State, thread: int) -> VerbUse | None:
        """Return the verb that the thread is in the middle of, if it has announced itself and waits for the lock."""
        verb = self.interpreter.location(state, thread).verb
        return (
            verb if verb is not None and verb.bars and not self.interpreter.finished(state, thread) else None
        )

    def lock_name(self, verb: VerbUse, state: State) -> str:
        """Return the lock instance of a verb as it is written in the language."""
        at = verb.at
        try:
            return instance_name(at.lock, tuple(self.interpreter.value(each, state) for each in at.index))
        except Undefined:
            return f"{at.lock.name}[?]"

    def lost_since(self, trace: Trace, members: tuple[int, ...]) -> int | None:
        """Return the first step after which some member can never step again, whatever happens; None if not known.

        Never to step again is stable, so the trace is searched from its end; each state costs one search of what
        follows it, which ends at once where a member still steps.
        """
        first = None
        budget = LOOKED_AT
        undecided = set(members)
        for number in range(len(trace.states) - 1, -1, -1):
            lost = set()
            for thread in sorted(undecided):
                answer, spent = self._never_steps(trace.states[number], thread, budget)
                budget -= spent
                if budget <= 0:
                    return None
                lost |= {thread} if answer else set()
            if not lost:
                break
            first, undecided = number, lost
        return first

    def _never_steps(self, state: State, thread: int, budget: int) -> tuple[bool, int]:
        seen, stack = {state}, [state]
        while stack and len(seen) <= budget:
            current = stack.pop()
            if self.interpreter.steps_of(current, thread):
                return False, len(seen)
            for step in self.interpreter.successors(current):
                if step.target is not None and step.target not in seen:
                    seen.add(step.target)
                    stack.append(step.target)
        return True, len(seen)

    def _hold(self, trace: Trace, thread: int, held: Held) -> Hold:
        """Find the step since which the thread has held the lock without a break."""
        number = len(trace.states) - 1
        while number > 0 and held in self.interpreter.held(trace.states[number - 1], thread):
            number -= 1
        threads = self.interpreter.system.model.threads
        span = threads[thread].span
        if number:
            step = trace.steps[number - 1]
            span = threads[step.thread].locations[step.location].span
        lock = self._locks[held.lock]
        shown = instance_name(lock, held.index)
        return Hold(thread, shown, held.mode, number, span, several_modes=_several_modes(lock))

    def _wait(self, trace: Trace, knot: Knot, thread: int) -> Wait:
        state = trace.last
        location = self.interpreter.location(state, thread)
        owners = self.waiting.all_of(state, thread)
        wakers = self.waiting.any_of(state, thread)
        handlers = self.interpreter.interrupting(state, thread)
        verb = location.verb
        if handlers and self.interpreter.could_step(state, thread):
            verb = None
        else:
            owners = None if owners is None else owners - handlers
        return Wait(
            thread=thread,
            location=location,
            lock=self.lock_name(verb, state) if verb and PRIMITIVES[verb.at.lock.kind].ordered else "",
            mode=verb.mode if verb else "",
            for_threads=tuple(sorted(owners or wakers or ())),
            any_of=not owners and wakers is not None,
            resting=self.interpreter.resting(state, thread),
            since=self._arrived(trace, thread)[0],
            caught=thread in knot.caught,
            several_modes=verb is not None and _several_modes(verb.at.lock),
            interrupted_by=tuple(sorted(handlers)),
            phrase=self.phrase(state, thread),
            helps=helps(self.waiting, state, thread, wakers or ()),
            timed=not self.interpreter.blocked(state, thread),
        )

    def phrase(self, state: State, thread: int) -> str:
        """Return what the thread waits for, in words."""
        return phrase(self.waiting, state, thread, self.lock_name)

    def _arrived(self, trace: Trace, thread: int) -> tuple[int, Span]:
        """Return the last step of the thread (0: none) and the place of that statement."""
        for number in range(len(trace.steps), 0, -1):
            step = trace.steps[number - 1]
            if step.thread == thread and step.location != INIT:
                return number, self.place(step).span
        return 0, self.interpreter.system.model.threads[thread].span

    def place(self, step: Step) -> Location:
        """Return the location whose statement the step runs."""
        return self.interpreter.system.model.threads[step.thread].locations[step.location]

    def _ring(self, trace: Trace, knot: Knot, members: tuple[int, ...]) -> tuple[int, ...]:
        rings = [ring.threads for ring in knot.rings if not members or set(ring.members) == set(members)]
        if not rings:
            return ()
        ring = rings[0]
        last = max(ring, key=lambda thread: self._arrived(trace, thread)[0])
        at = ring.index(last)
        return (*ring[at:], *ring[:at])


def _several_modes(lock: Lock) -> bool:
    return len(PRIMITIVES[lock.kind].modes) > 1
