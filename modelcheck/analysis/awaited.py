"""What a blocked thread waits for, in words, and by which statements others could still end that (SEMANTICS A3).

Who could is semantics/waiting.py's; here it gets the nearest statement that each of them can still come to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from modelcheck.language.model import Location, VerbUse, jump_targets
from modelcheck.locks import PRIMITIVES
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State
from modelcheck.semantics.waiting import Change, Waiting

SLEEPS = "sleeps"
"""With this word begins what is said of a thread that is asleep until somebody wakes it."""


@dataclass(frozen=True)
class Help:
    """A thread that could end a wait, and the statement by which it would."""

    thread: int
    location: Location


def phrase(waiting: Waiting, state: State, thread: int, named: Callable[[VerbUse, State], str]) -> str:
    """Return what the thread does where it is blocked: "waits for completion c", "sleeps on q"."""
    interpreter = waiting.interpreter
    location = interpreter.location(state, thread)
    verb = location.verb
    text = " ".join(location.text.split())
    if verb is None:
        return f"waits for {text}"
    kind = verb.at.lock.kind
    if kind in ("task", "waitqueue"):
        queues = tuple(_queues(interpreter, state, thread))
        return f"{SLEEPS} on {', '.join(queues)}" if queues else SLEEPS
    if kind == "kthread":
        threads = interpreter.system.model.threads
        still = sorted(waiting.all_of(state, thread) or ())
        return f"waits for the end of {', '.join(threads[t].name for t in still)}"
    primitive = PRIMITIVES[kind]
    if primitive.domain:
        return f"waits for {text}"
    return f"waits for {'' if primitive.ordered else kind + ' '}{named(verb, state)}"


def _queues(interpreter: Interpreter, state: State, thread: int) -> Iterator[str]:
    """Yield the queues that the thread is on."""
    system = interpreter.system
    for lock in system.model.locks:
        if lock.kind == "waitqueue":
            variable = lock.fields["waiting"]
            count = len(system.model.threads)
            first = system.offsets[variable]
            for number in range(thread, len(variable.initial), count):
                if state[first + number]:
                    yield system.cells[first + number].name.replace(".waiting", "").rpartition("[")[0]


def helps(waiting: Waiting, state: State, thread: int, wakers: Iterable[int]) -> tuple[Help, ...]:
    """Return by which statements the wakers could end the wait: of each the nearest, and its nearest signal."""
    system = waiting.interpreter.system
    signals = {
        cell
        for lock in system.model.locks
        if lock.kind == "signal"
        for variable in lock.fields.values()
        for cell in range(system.offsets[variable], system.offsets[variable] + len(variable.initial))
    }
    changes = waiting.awaited_now(state, thread)
    sent = frozenset(c for c in changes if (c[1] if isinstance(c, tuple) else c) in signals)
    found: dict[Help, None] = {}
    for waker in sorted(wakers):
        for wanted in (changes - sent, sent):
            place = _nearest(waiting, state, waker, wanted)
            if place is not None:
                found[Help(waker, place)] = None
    return tuple(found)


def _nearest(waiting: Waiting, state: State, thread: int, wanted: frozenset[Change]) -> Location | None:
    """Return the first statement, breadth first from where the thread is, that makes one of these changes."""
    if not wanted:
        return None
    locations = waiting.interpreter.system.model.threads[thread].locations
    todo = [waiting.interpreter.location(state, thread).number]
    for number in todo:
        if not wanted.isdisjoint(waiting.tables.writes[thread][number]):
            return locations[number]
        todo += [t for t in dict.fromkeys(jump_targets(locations[number].effects)) if t not in todo]
    return None
