"""What is said of a step before it is taken, on every step of generated models: what it can show, and what it must."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from modelcheck.analysis.conformity import conforming
from modelcheck.analysis.lock_sequences import Automaton, compared, letter
from modelcheck.diagnostics import SpecError
from modelcheck.engine.engine import Limits
from modelcheck.engine.narrowing import Narrowed
from modelcheck.engine.seen_next import events_ahead, kind_and_name
from modelcheck.language.model import Model
from modelcheck.language.parser import parse
from modelcheck.logs.log import read_log
from modelcheck.pipeline import Options, models
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.observable import Observer
from modelcheck.semantics.transition_system import State, Step, transition_system
from modelcheck.source import Source
from tests.conform.test_conform import model_of, verdict
from tests.random_models import numbered

CHUNK = 25
STATES = 150


def generated(chunk: int) -> Iterator[tuple[int, Model]]:
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        try:
            yield seed, models((parse(Source("generated.mck", numbered(seed).text)),), Options())[0]
        except SpecError:
            continue  # a cycle without a step


def steps_of(interpreter: Interpreter) -> Iterator[tuple[State, Step]]:
    """Yield the steps of the first states."""
    waiting = [step.target for step in interpreter.before_time if step.target is not None]
    found = set(waiting)
    for _ in range(STATES):
        if not waiting:
            return
        state = waiting.pop()
        for step in interpreter.successors(state):
            if step.target is None:
                continue
            yield state, step
            if step.target not in found:
                found.add(step.target)
                waiting.append(step.target)


@pytest.mark.parametrize("chunk", range(8))
def test_no_step_shows_what_it_was_said_not_to_show(chunk: int) -> None:
    hidden = frozenset[str]()
    wrong, looked_at = [], 0
    for seed, model in generated(chunk):
        system = transition_system(model, results=True)
        interpreter = Interpreter(system)
        observer, narrowed = Observer(interpreter), Narrowed(interpreter)
        ahead = [events_ahead(system, thread.number, hidden) for thread in model.threads]
        for state, step in steps_of(interpreter):
            looked_at += 1
            location = model.threads[step.thread].locations[step.location]
            events = observer.events(state, step)
            first = events[0].text if events else None
            assert step.target is not None
            after = ahead[step.thread][step.target[system.location_cells[step.thread]]]
            here = ahead[step.thread][step.location]
            told = kind_and_name(first) in here if first is not None else after <= here
            taken = narrowed.steps_of(state, step.thread, first, hidden)
            if not told or all(each.target != step.target for each in taken):
                wrong.append((seed, location.text, [each.text for each in events]))
    assert looked_at > CHUNK * 50
    assert wrong == []


CALLS = """
    model m;
    mutex l;
    rwsem r;
    rwlock rw;
    refcount rc = 1;
    semaphore sem = 1;
    op f(n: 0 .. 1) { skip; }
    op unseen() { refcount_inc(rc); refcount_dec(rc); if (!down_trylock(sem)) { up(sem); } }
    thread user { mutex_lock(l); f(1); mutex_unlock(l); }
    thread writer { down_write(r); downgrade_write(r); up_read(r); }
    thread other { skip; unseen(); local_irq_disable(); local_irq_disable(); local_irq_enable(); local_irq_enable(); }
    thread nested { read_lock(rw); read_lock_irq(rw); read_unlock_irq(rw); read_unlock(rw); }
"""


@pytest.mark.parametrize("chunk", range(4))
def test_what_a_run_shows_of_a_thread_is_a_sequence_of_its_program_graph(chunk: int) -> None:
    wrong, looked_at = [], 0
    for seed, model in generated(chunk):
        system = transition_system(model, results=True)
        interpreter = Interpreter(system)
        observer = Observer(interpreter)
        automata = [Automaton(thread, model.locks, frozenset()) for thread in model.threads]
        for state, step in steps_of(interpreter):
            looked_at += 1
            assert step.target is not None
            target = step.target[system.location_cells[step.thread]]
            events = tuple(letter(each.text) for each in observer.events(state, step))
            if (events, target) not in automata[step.thread].outcomes[step.location]:
                wrong.append((seed, model.threads[step.thread].locations[step.location].text, events))
    assert looked_at > CHUNK * 50
    assert wrong == []


EVENTS = pytest.mark.parametrize(
    ("thread", "events"),
    [
        ("user", ["+l", "f(1)", "f=", "-l"]),
        ("writer", ["+r", "-r", "+r:read", "-r"]),
        ("other", ["unseen()", "unseen=", "+interrupts_off", "-interrupts_off"]),
        ("nested", ["+rw:read", "+interrupts_off", "+rw:read", "-interrupts_off", "-rw", "-rw"]),
    ],
)


@EVENTS
def test_the_order_alone_has_a_lock_made_weaker_and_nothing_of_what_nobody_holds(
    thread: str, events: list[str]
) -> None:
    rows = [{"log": 1}, *({"thread": thread, "event": event} for event in events)]
    logs = read_log(Source("log.jsonl", "\n".join(map(json.dumps, rows))))
    found = compared(model_of(CALLS), logs)
    assert (found.mismatches, found.only_log) == ((), ())


@pytest.mark.parametrize("order", ["total", "threads"])
@EVENTS
def test_a_lock_and_a_call_in_one_step_a_lock_made_weaker_and_what_nobody_holds(
    thread: str, events: list[str], order: str
) -> None:
    assert verdict(CALLS, [(thread, event) for event in events], order) == ("conforms", len(events))


def test_a_set_that_the_log_states_is_chosen() -> None:
    text = (
        "model m; enum E { A, B, C } op f(x: set of E) { skip; } thread t { skip; choose x: set of E; f(x); }"
    )
    assert verdict(text, [("t", "f({A, C})"), ("t", "f=")])[0] == "conforms"


def test_a_call_that_a_thread_enters_at_its_start_is_told_where_the_log_lacks_it() -> None:
    text = "model m; op f() { skip; skip; } thread a { f(); } thread b { f(); }"
    (log,) = read_log(Source("log.jsonl", '{"log": 1}\n{"thread": "a", "event": "f()"}'))
    report = conforming(model_of(text), log, Limits())
    assert (report.verdict, report.allowed) == ("differs", ("a: f()", "b: f()"))
