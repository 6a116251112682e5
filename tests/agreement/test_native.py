"""The native engine against the reference engine: equal answers, traces included, on generated models."""

from __future__ import annotations

from dataclasses import fields

import pytest

from modelcheck import pipeline
from modelcheck.engine import native, reference
from modelcheck.engine.engine import Answers, Limits
from modelcheck.engine.kernel.program import refusal
from modelcheck.engine.kernel.store import Sizes
from modelcheck.language.parser import parse
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Census
from modelcheck.semantics.transition_system import TransitionSystem, transition_system
from modelcheck.source import Source
from tests.agreement.cases import CHUNKS, Case, examine
from tests.transcript import ROOT

TINY = Sizes(table=1, batch=3, tuples=1, growth=1.2, guarded=True, walks=1 << 20)
"""Everything must grow, and whoever writes beside a buffer is found out; what is safe is seldom shown by a walk."""

MEASURED = ("seconds", "peak_memory", "bytes_per_state", "engine", "fallback")


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


def native_differs(system: TransitionSystem, sizes: Sizes | None = None) -> str:
    """Return how the engines differ about a system, asked everything."""
    assert native.fitting_text(Interpreter(system), ()) is not None, refusal(system)
    asked = (*questions(system), Census(parts_of(system), parts_of(system), most=5))
    ours = reference.explore(system, asked, Limits())
    return differs(ours, native.explore(system, asked, Limits(), None, sizes))


@pytest.mark.parametrize("chunk", CHUNKS)
def test_the_answers_are_those_of_the_reference_engine(chunk: int) -> None:
    def check(case: Case) -> str:
        assert len(case.graph.level) >= 0  # too many states are noticed here
        return native_differs(case.system, TINY if chunk % 2 else None)

    assert examine(chunk, check, properties=True) > 0


@pytest.mark.parametrize("file", sorted((ROOT / "specs").glob("*.mck")), ids=lambda file: file.stem)
def test_the_answers_are_the_same_for_the_specifications_that_come_along(file: object) -> None:
    specs = pipeline.load(str(file))
    systems = [transition_system(model) for model in pipeline.models(specs, pipeline.Options())]
    assert [native_differs(system) for system in systems] == [""] * len(systems)


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
