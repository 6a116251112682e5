"""The native engine: the search of reference.py in machine code made for the model, at the speed of the machine.

The successor function, the predicates and the loop over them are compiled (semantics/native_*.py, engine/kernel/); a
state is a few words. What is seen on the way is noted by number and counted; the interpreter says afterwards, at one
state for each number, what it means. States are numbered as by the reference engine, so that the answers are the same,
traces included. A model that does not fit is left to the reference engine, and the answers say why.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from modelcheck.engine import reference
from modelcheck.engine.census import census_of_store
from modelcheck.engine.collecting import Collector
from modelcheck.engine.engine import Answers, Limits, Progress
from modelcheck.engine.kernel.compiling import compiler_problem
from modelcheck.engine.kernel.noted import merged_counts
from modelcheck.engine.kernel.program import (
    MOST_FLAGS,
    MOST_SUCCESSORS,
    MOST_WORDS,
    Text,
    loaded,
    program_text,
    refusal,
)
from modelcheck.engine.kernel.store import Store
from modelcheck.engine.kernel.worker import Sizes, Worker
from modelcheck.engine.memory import peak_memory
from modelcheck.engine.native_answers import Reading, room_to_tell, told, views_and_crossings
from modelcheck.engine.native_endings import look_back
from modelcheck.engine.native_occurred import flags, occurred
from modelcheck.engine.watch import INTERRUPTED, StoppedError, Watch
from modelcheck.result.verdict import Statistics
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import ActionCounts, Question
from modelcheck.semantics.transition_system import TransitionSystem

_AT_ONCE = 0.1
"""Seconds between looks at the clock."""

_FIRST = 1 << 12


def explore(
    system: TransitionSystem,
    questions: tuple[Question, ...],
    limits: Limits,
    progress: Progress | None = None,
    sizes: Sizes | None = None,
) -> Answers:
    """Look at every reachable state, and answer the questions."""
    with Watch(limits, progress) as watch:
        reading = _made(Interpreter(system), questions, watch, sizes)
        if not isinstance(reading, str):
            try:
                return _explored(reading, watch)
            finally:
                reading.store.close()
    spent = replace(limits, spent=watch.seconds)
    answers = reference.explore(system, questions, spent, progress)
    return replace(answers, statistics=replace(answers.statistics, fallback=reading))


def _made(
    interpreter: Interpreter, questions: tuple[Question, ...], watch: Watch, sizes: Sizes | None
) -> Reading | str:
    """Return the program with an empty store; or why there is none."""
    text, reason = fitted(interpreter, questions)
    reason = reason or compiler_problem()
    if text is None or reason:
        return reason
    program = loaded(text)
    try:
        store = Store(program, interpreter, watch, sizes)
    except OSError:
        return "there is no memory for its buffers"
    return Reading(interpreter, questions, program, store)


def fitting_text(interpreter: Interpreter, questions: tuple[Question, ...]) -> Text | None:
    """Return the program for a system, or None if it does not fit."""
    return fitted(interpreter, questions)[0]


def fitted(interpreter: Interpreter, questions: tuple[Question, ...]) -> tuple[Text | None, str]:
    """Return the program for a system; None with the reason if it does not fit."""
    reason = refusal(interpreter.system)
    if reason:
        return None, reason
    text = program_text(interpreter, questions)
    if text.layout.words > MOST_WORDS:
        return (
            None,
            f"a state takes {text.layout.words} words of 64 bits, and at most {MOST_WORDS} are supported",
        )
    if text.registry.flags > MOST_FLAGS:
        return None, "a statement has too many outcomes to tell apart"
    if text.successors > MOST_SUCCESSORS:
        return (
            None,
            f"a state may have {text.successors} successors, and at most {MOST_SUCCESSORS} are supported",
        )
    return text, ""


def _explored(reading: Reading, watch: Watch) -> Answers:
    store, program = reading.store, reading.program
    before = Collector(reading.interpreter, reading.questions)
    stopped = _search(reading, before, watch)
    # What is noted from here on would be noted twice.
    counted = counts(store.crew.workers)
    transitions = store.transitions
    seen = flags(store.crew.workers)
    reading.close_notes()
    depth = store.depth - 1 if stopped else store.depth
    if not stopped:
        stopped = _guarded_look_back(reading, watch)
    found, untold = told(reading, before.sightings, watch, stopped)
    views, crossings = views_and_crossings(reading)
    census = census_of_store(program, store, reading.questions)
    size = store.bytes_of_states / len(store) if len(store) else 0.0
    return Answers(
        statistics=Statistics(
            states=len(store),
            transitions=transitions,
            depth=max(depth, 0),
            seconds=watch.seconds,
            peak_memory=peak_memory(),
            bytes_per_state=size,
            engine="native",
            workers=len(store.crew.workers),
        ),
        stopped=stopped or untold or watch.interruption(),
        found=found,
        views=frozenset(views),
        crossings=frozenset(crossings | before.crossings),
        occurred=occurred(reading, before.occurrences.all, seen),
        counts=counted if any(isinstance(q, ActionCounts) for q in reading.questions) else {},
        census=census,
    )


def counts(workers: Sequence[Worker]) -> dict[tuple[int, int, int], int]:
    """Return how often each action ran."""
    found = merged_counts(workers)
    return {key: found[n] for key, n in workers[0].program.text.registry.counts.items() if found[n]}


def _search(reading: Reading, before: Collector, watch: Watch) -> str:
    """Fill the store level by level; return why the search stopped, or "" if it came to its end."""
    store, states = reading.store, _FIRST
    try:
        for step in reading.interpreter.before_time:
            before.before_time(step)
        targets = (step.target for step in reading.interpreter.before_time)
        store.begin(target for target in targets if target is not None)
        while store.level_up():
            done = False
            while not done:
                start = time.monotonic()
                done = store.advance(states)
                if store.frontier:
                    watch.need(room_to_tell(reading))
                    watch.look_closely(len(store), store.transitions, store.depth, store.frontier)
                if not done:
                    states = max(_FIRST, int(states * min(_AT_ONCE / (time.monotonic() - start + 1e-6), 4.0)))
    except StoppedError as stop:
        return str(stop)
    except KeyboardInterrupt:
        return INTERRUPTED
    return ""


def _guarded_look_back(reading: Reading, watch: Watch) -> str:
    """Look at what every continuation has in common; only possible after a complete search."""
    try:
        look_back(reading, watch)
    except StoppedError as stop:
        return str(stop)
    except KeyboardInterrupt:
        return INTERRUPTED
    return ""
