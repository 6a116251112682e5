"""Several workers: the same answers as one gives, object for object; limits, interrupts and failures between them."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from modelcheck import pipeline
from modelcheck.engine import native
from modelcheck.engine.engine import Answers, Limits
from modelcheck.engine.kernel import crew, store
from modelcheck.engine.kernel.program import Program, again
from modelcheck.engine.kernel.worker import Sizes
from modelcheck.engine.memory import resident_memory
from modelcheck.result.verdict import Statistics, Unknown
from modelcheck.semantics.asking import questions
from modelcheck.semantics.transition_system import TransitionSystem, transition_system
from tests.agreement.test_native import TINY, differs
from tests.cli.running import LARGE
from tests.engine.test_native import counts, system_of
from tests.transcript import ROOT

SMALL = Sizes(slice=64, joint=1, start=1, share=0, guarded=True)
"""All workers search each level, some states at a time."""

AT_ONCE = Sizes(joint=1, start=1, share=0)
"""All workers search each level, as many states at a time as otherwise."""

BROKEN = """
model broken; mutex a; mutex b; var x: 0..5; var done: bool; var held: 0..3 guarded_by a;
invariant small: x < 4; step grows: next(x) >= x; reachable far: x == 5;
thread one { mutex_lock(a); mutex_lock(b); held = 1; x = x + 2; mutex_unlock(b); mutex_unlock(a); done = true; }
thread two { mutex_lock(b); mutex_lock(a); x = x + 1; mutex_unlock(a); mutex_unlock(b); held = 2; x = 0; }
thread three { choose n: 0..5; assert(n != 3); x = n; await(done); assert(x < 5); }
"""
"""Everything goes wrong here."""


def explored(
    system: TransitionSystem, workers: int, sizes: Sizes | None = None, limits: Limits | None = None
) -> Answers:
    """Ask everything."""
    limits = replace(limits or Limits(), workers=workers)
    return native.explore(system, questions(system), limits, None, sizes)


def benchmark(name: str, **parameters: int) -> TransitionSystem:
    options = pipeline.Options(parameters)
    return transition_system(
        pipeline.chosen_model(pipeline.load(ROOT / "benchmarks" / f"{name}.mck"), options)
    )


SYSTEMS: list[Any] = [
    pytest.param(lambda: system_of(BROKEN), SMALL, id="broken"),
    pytest.param(lambda: benchmark("qrcu"), SMALL, id="qrcu"),
    pytest.param(lambda: benchmark("twin", NT=3), SMALL, id="twin"),
    pytest.param(lambda: benchmark("hotplug_blocks"), AT_ONCE, id="hotplug_blocks, of several words"),
]


# --- the same answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(("system", "sizes"), SYSTEMS)
def test_the_answers_do_not_depend_on_the_number_of_workers(system: Any, sizes: Sizes) -> None:
    model = system()
    one = explored(model, 1)
    assert one.stopped == ""
    for workers in (2, 3, 4):
        several = explored(model, workers, sizes)
        assert (workers, several.statistics.workers, differs(one, several)) == (workers, workers, "")


def test_with_slices_of_one_state_the_answers_are_the_same() -> None:
    system = system_of(BROKEN)
    one = explored(system, 1)
    assert len(one.found) == 19
    for workers in (2, 3, 4, 16):
        assert (workers, differs(one, explored(system, workers, TINY))) == (workers, "")


def test_two_workers_and_one_find_exactly_the_states_of_a_large_model() -> None:
    system = benchmark("twin", NT=4)
    one, two = explored(system, 1), explored(system, 2)
    assert counts(two)[:2] == (849_920, 3_276_288)
    assert (one.statistics.workers, two.statistics.workers) == (1, 2)
    assert differs(one, two) == ""
    assert two.statistics.bytes_per_state <= 20


def test_the_table_grows_twenty_times_between_batches_of_several_workers() -> None:
    system = system_of(LARGE.replace("999", "49").replace("1000", "50"))
    for workers in (2, 3):
        answers = explored(system, workers, replace(SMALL, table=1, tuples=1, growth=1.2))
        assert counts(answers) == (50**3, 3 * 50**3, 3 * 49)


def test_what_is_seen_in_very_many_states_of_one_level_is_counted_once() -> None:
    system = system_of(
        """model m marked; var x: 0 .. 9999; var go: 0..1; invariant small: x < 10;
        thread t { choose g: 0..1; go = g; atomic { choose n: 0 .. 9; choose k: 0 .. 999; x = 1000 * n + k; } }"""
    )
    one = explored(system, 1)
    assert [found.states for found in one.found] == [2 * 9_990]
    assert differs(one, explored(system, 2, AT_ONCE)) == ""


def test_a_state_that_many_find_at_once_is_the_first_ones() -> None:
    """Each worker reaches the same few states from all of its own."""
    system = system_of(
        """model m marked; var x: 0 .. 999; var y: 0 .. 6; invariant low: y < 6 || x > 0;
        thread one { choose n: 0 .. 999; x = n; x = x % 7; y = x; x = 0; }
        thread two { y = 6; y = 0; }"""
    )
    one = explored(system, 1)
    assert len(one.found) == 1
    for workers in (2, 3):
        for sizes in (SMALL, TINY):
            assert differs(one, explored(system, workers, sizes)) == ""


def test_a_small_model_has_one_worker() -> None:
    assert explored(benchmark("qrcu"), 4).statistics.workers == 1


# --- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("states", [1, 2, 100, 777, 1000])
def test_a_limit_of_states_is_hit_at_the_same_step(states: int) -> None:
    for system in (system_of(BROKEN), benchmark("twin", NT=3)):
        one = explored(system, 1, limits=Limits(states=states))
        for workers in (2, 3):
            for sizes in (SMALL, TINY):
                several = explored(system, workers, sizes, Limits(states=states))
                assert differs(one, several) == ""


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_more_states_than_can_be_numbered_are_unknown(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    monkeypatch.setattr(store, "MOST_STATES", 60_000)
    told = "limit of 60000 states, the most that the native engine numbers"
    for limits in (Limits(), Limits(states=1 << 40)):
        answers = explored(system_of(LARGE), workers, AT_ONCE, limits)
        assert (answers.statistics.states, answers.stopped) == (60_000, told)
        assert answers.statistics.workers == workers
    options = pipeline.Options(engine="native", limits=Limits(workers=workers))
    report = pipeline.check_model(system_of(LARGE).model, options)
    assert {outcome.verdict for outcome in report.judgement.outcomes if outcome.name == "deadlock"} <= {
        Unknown(told)
    }
    assert report.exit_code == 3


def test_a_limit_of_time_is_kept_by_several() -> None:
    answers = explored(system_of(LARGE), 2, limits=Limits(seconds=0.5))
    assert (answers.stopped, answers.statistics.workers) == ("limit of 0.5 seconds", 2)


def test_a_limit_of_memory_is_kept_by_several() -> None:
    answers = explored(system_of(LARGE), 2, limits=Limits(memory=resident_memory() + (60 << 20)))
    assert answers.stopped.endswith("of memory")
    assert answers.statistics.workers == 2


# --- interrupts and failures ---------------------------------------------------------------------


def test_an_interrupt_of_several_keeps_what_is_known() -> None:
    system = system_of(LARGE + "invariant small: a < 3;")

    def interrupt(statistics: Statistics, _frontier: int) -> None:
        if statistics.depth > 9:
            signal.raise_signal(signal.SIGINT)

    answers = native.explore(system, questions(system), Limits(workers=2), interrupt, AT_ONCE)
    assert (answers.stopped, answers.statistics.workers) == ("interrupted", 2)
    assert [(found.level, len(found.trace.steps)) for found in answers.found] == [(3, 3)]


@pytest.mark.parametrize("after", [0.2, 0.25, 0.3, 0.35])
def test_an_interrupt_may_come_while_several_search(after: float) -> None:
    system = system_of(LARGE + "invariant small: a < 3;")
    timer = threading.Timer(after, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    answers = native.explore(system, questions(system), Limits(workers=3), None, AT_ONCE)
    assert answers.stopped == "interrupted"
    timer.join()


def test_a_worker_that_fails_does_not_leave_the_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(program: Program) -> Program:
        def fail() -> int:
            raise MemoryError

        copy = again(program)
        return replace(copy, functions={**copy.functions, "search_jointly": fail})

    monkeypatch.setattr(crew, "again", failing)
    with pytest.raises((MemoryError, AssertionError)):
        explored(system_of(LARGE), 3, AT_ONCE)


def test_without_room_for_more_there_is_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(_program: Program) -> Program:
        raise OSError

    monkeypatch.setattr(crew, "again", refusing)
    system = benchmark("twin", NT=3)
    answers = explored(system, 3, SMALL)
    assert (answers.statistics.workers, differs(explored(system, 1), answers)) == (1, "")


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_workers_that_get_no_processors_leave_the_search_to_one(
    monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    alone: list[int] = []
    search = store.Store._search

    def noting(self: store.Store) -> object:
        alone.append(len(self))
        return search(self)

    monkeypatch.setattr(store.Store, "_search", noting)
    monkeypatch.setattr(time, "process_time", lambda: 0.0)
    monkeypatch.setattr(crew, "_WORTH_JUDGING", 0.001)
    system = benchmark("twin", NT=3)
    answers = explored(system, 2, replace(SMALL, share=share))
    assert (answers.statistics.workers, bool(alone)) == (2, share > 0)
    assert differs(explored(system, 1), answers) == ""


def test_there_are_as_many_workers_as_processors_unless_somebody_says_how_many() -> None:
    assert [crew.wanted_workers(n) for n in (1, 3, 16, 99)] == [1, 3, 16, 16]
    assert crew.wanted_workers(None) == min(len(os.sched_getaffinity(0)), crew.USEFUL)
