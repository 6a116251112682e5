"""The native engine against the reference engine: equal answers, traces included, on generated models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

import modelcheck
from modelcheck import pipeline
from modelcheck.engine import native, reference
from modelcheck.engine.engine import Answers, Limits
from modelcheck.engine.kernel.program import refusal
from modelcheck.engine.kernel.worker import Sizes
from modelcheck.language.naming import WAIT_EVENTS
from modelcheck.language.parser import parse
from modelcheck.locks import GUARDS, READINGS, VERBS
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Census
from modelcheck.semantics.transition_system import TransitionSystem, transition_system
from modelcheck.source import Source
from tests.agreement.cases import CHUNK, CHUNKS, MOST, Case, examine, refused
from tests.random_models import numbered
from tests.shipped import FEW, stated_states
from tests.transcript import ROOT

TINY = Sizes(
    table=1, batch=3, tuples=1, growth=1.2, guarded=True, slice=1, joint=1, start=1, share=0, walks=1 << 20
)
"""Everything must grow, whoever writes beside a buffer is found out; a slice is one state, and what is safe is seldom
shown by a walk."""

SLOW = {
    ("hotplug_blocks", "since_4_20"),
    ("qrcu", "single_sum"),
    ("qrcu", "two_updaters"),
    ("twin", None),
}

ENDLESS = ("lock_sequences", "sysfs_answers")
"""Without a log these have no end."""

MEASURED = ("seconds", "peak_memory", "bytes_per_state", "engine", "fallback", "workers")


def differs(ours: Answers, theirs: Answers) -> str:
    """Return what is not the same in two answers, but for what was measured."""
    for each in fields(ours.statistics):
        if each.name not in MEASURED:
            here, there = getattr(ours.statistics, each.name), getattr(theirs.statistics, each.name)
            if here != there:
                return f"{each.name}: {here} and {there}"
    for each in fields(ours):
        here, there = getattr(ours, each.name), getattr(theirs, each.name)
        if each.name not in ("statistics", "found") and here != there:
            return f"{each.name}: {here} and {there}"
    if len(ours.found) != len(theirs.found):
        return f"{len(ours.found)} findings and {len(theirs.found)}"
    return next((f"{a} and {b}" for a, b in zip(ours.found, theirs.found, strict=True) if a != b), "")


def parts_of(system: TransitionSystem) -> tuple[tuple[int, ...], ...]:
    """Whole states; each cell; all but that cell; nothing."""
    every = tuple(range(len(system.cells)))
    return (every, *((n,) for n in every), *(tuple(c for c in every if c != n) for n in every), ())


def native_differs(system: TransitionSystem, sizes: Sizes | None = None, crews: Sequence[int] = (1,)) -> str:
    """Return how the engines differ about a system, asked everything; the native one with so many workers each time."""
    assert native.fitting_text(Interpreter(system), ()) is not None, refusal(system)
    asked = (*questions(system), Census(parts_of(system), parts_of(system), most=5))
    ours = reference.explore(system, asked, Limits())
    theirs = ((n, native.explore(system, asked, Limits(workers=n), None, sizes)) for n in crews)
    found = ((n, differs(ours, answers)) for n, answers in theirs)
    return next((f"with {n} workers: {difference}" for n, difference in found if difference), "")


@pytest.mark.parametrize("chunk", CHUNKS)
def test_the_answers_are_those_of_the_reference_engine(chunk: int) -> None:
    def check(case: Case) -> str:
        assert len(case.graph.level) >= 0  # too many states are noticed here
        if chunk % 2:
            return native_differs(case.system, TINY, (1, 2, 3))
        return native_differs(case.system)

    assert examine(chunk, check, properties=True, every=True) == CHUNK


def test_every_verb_reading_and_guard_is_drawn() -> None:
    """All words of all kinds of locks stand in the models that are compared above by `make check-all`."""
    drawn: set[str] = set()
    for seed in range(2000):
        text = numbered(seed, properties=True, every=True).text
        drawn |= {*re.findall(r"\w+(?=\()", text), *re.findall(r"guard\(\w+", text)}
    words = {*VERBS, *READINGS, *WAIT_EVENTS, "spin_until", *(f"guard({kind}" for kind in GUARDS)}
    assert words - drawn == set()


def test_models_with_errors_and_states_of_several_words_are_drawn() -> None:
    words: set[int] = set()
    wrong = 0
    for text in (numbered(seed, properties=True, every=True).text for seed in range(60)):
        if not refused(text):
            system = Case(text).system
            program = native.fitting_text(Interpreter(system), ())
            assert program is not None
            words.add(program.layout.words)
            found = reference.explore(system, questions(system), Limits(states=MOST)).found
            wrong += any(each.trace.steps and each.trace.steps[-1].target is None for each in found)
    assert words >= {1, 2, 3, 4}
    assert wrong >= 20


def specified() -> list[ParameterSet]:
    """Return each scenario of the specifications and benchmarks; the slow ones take the interpreter a minute."""
    cases = []
    paths = [*sorted((ROOT / "specs").rglob("*.mck")), *sorted((ROOT / "benchmarks").glob("*.mck"))]
    for path in (path for path in paths if path.stem not in ENDLESS):
        stated = stated_states(path)
        for name in modelcheck.scenarios(path) or (None,):
            many = name is not None and path.parent.name == "memory_hotplug" and stated.get(name, 0) > FEW
            marks = (pytest.mark.slow,) if many or (path.stem, name) in SLOW else ()
            cases.append(pytest.param(path, name, id=f"{path.stem} {name}", marks=marks))
    return cases


@pytest.mark.parametrize(("path", "scenario"), specified())
def test_the_answers_are_the_same_for_the_models_that_come_along(path: Path, scenario: str | None) -> None:
    smaller = {"NT": 3} if path.stem == "twin" else {}
    system = transition_system(modelcheck.load(path, scenario=scenario, **smaller))
    if system.model.threads:
        assert native_differs(system) == ""
    else:
        assert refusal(system) == "it has no threads"


@pytest.mark.slow
@pytest.mark.parametrize("name", ENDLESS)
def test_what_is_found_before_a_limit_is_the_same(name: str) -> None:
    """Only the transitions may be more: those of the states that were looked at together with the last one."""
    model = modelcheck.load(ROOT / "specs" / "memory_hotplug" / f"{name}.mck", scenario="start")
    system = transition_system(model)
    asked, limits = questions(system), Limits(states=1000)
    ours = reference.explore(system, asked, limits)
    theirs = native.explore(system, asked, limits, None, TINY)
    for each in (ours, theirs):
        assert (each.statistics.states, each.stopped) == (1000, "limit of 1000 states")
    assert ours.statistics.depth == theirs.statistics.depth
    assert ours.views <= theirs.views
    assert [(f.question, f.cause, f.trace) for f in ours.found] == [
        (f.question, f.cause, f.trace) for f in theirs.found
    ]


def test_each_way_through_calls_in_an_atomic_block_crosses_with_its_own_locks() -> None:
    """Nested calls, each left in two places, on paths that part and hold different locks."""
    text = """
    model crossed;
    mutex a;
    mutex b;
    var x: 0..3;
    op inner(n: 0..3) -> bool releases a { if (n > 1) { mutex_unlock(a); return true; } x = n; return false; }
    op outer(n: 0..3) releases a releases b { if (inner(n)) { return; } mutex_unlock(b); }
    thread one {
        mutex_lock(a);
        mutex_lock(b);
        atomic { choose n: 0..3; either { outer(n); } or { outer(3 - n); x = 0; } }
    }
    thread two { mutex_lock(b); x = 3; mutex_unlock(b); }
    """
    (model,) = pipeline.models((parse(Source("crossed.mck", text)),), pipeline.Options())
    system = transition_system(model)
    crossings = reference.explore(system, questions(system), Limits()).crossings
    assert {len(held) for _, leaves, held, _ in crossings if leaves} == {1, 2}
    assert [native_differs(system), native_differs(system, TINY)] == ["", ""]
