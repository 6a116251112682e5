"""Bounded model checking by z3 against the explicit search: the same verdict a question, at the same depth."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from modelcheck.engine.aims import Hunt, aims_of
from modelcheck.engine.bounded import Bounded
from modelcheck.engine.engine import Found, Limits
from modelcheck.engine.queries import Budget
from modelcheck.engine.reference import explore
from modelcheck.engine.watch import StoppedError
from modelcheck.result.certify import certify
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import CannotFinish, CircularWaits, ErrorSteps, StuckForEver
from modelcheck.semantics.symbolic import Relation
from modelcheck.semantics.symbolic_numbers import Arithmetic, BitVectors, Integers
from modelcheck.semantics.symbolic_questions import Asked
from tests.agreement.cases import CHUNKS, MOST, Case, examine

DEEPEST = 6
LIMITS = Limits(seconds=4.0, query_seconds=2.0)
Key = tuple[str, tuple[str, ...]]


def bounded(case: Case, numbers: Arithmetic) -> tuple[Hunt, Bounded]:
    """Return what z3 finds within a few steps and seconds."""
    interpreter = Interpreter(case.system)
    relation = Relation(case.system, numbers)
    asked = Asked(relation)
    aims, _ = aims_of(relation, questions(case.system))
    hunt = Hunt(interpreter, asked, aims)
    search = Bounded(interpreter, asked, hunt, Budget(LIMITS))
    try:
        while search.level < DEEPEST and not search.complete:
            search.deepen()
    except StoppedError:
        search.level -= 1  # the level that was not finished does not count
    return hunt, search


def key(found: Found) -> Key:
    name = getattr(found.question, "name", type(found.question).__name__)
    return name, found.cause


def earliest(found: list[Found], most: int) -> dict[Key, int]:
    """Return at which level each cause is first seen, up to a level; errors by rule, not by message."""
    levels: dict[Key, int] = {}
    for each in found:
        length = len(each.trace.steps)
        if length <= most and not isinstance(each.question, StuckForEver | CannotFinish):
            levels[key(each)] = min(length, levels.get(key(each), length))
    return levels


def z3_differs(numbers: Callable[[], Arithmetic]) -> Callable[[Case], str]:
    def check(case: Case) -> str:
        answers = explore(case.system, questions(case.system), Limits(states=MOST))
        if answers.stopped:
            return ""
        hunt, search = bounded(case, numbers())
        for each in hunt.found:
            certify(Interpreter(case.system), each.trace, each.question, each.members)
        if search.gave_up:
            return ""
        most = MOST if search.complete else search.level
        ours, theirs = (earliest(list(f), most) for f in (answers.found, hunt.found))
        rings = {k for k in ours | theirs if k[0] == CircularWaits.__name__}
        errors = {k for k in ours | theirs if k[0] == ErrorSteps.__name__}
        for one in sorted((ours.keys() | theirs.keys()) - rings - errors):
            if ours.get(one) != theirs.get(one):
                return f"{one}: level {ours.get(one)}, by z3 {theirs.get(one)} (looked at {search.level})"
        for group in (rings, errors):
            if min((ours[k] for k in group if k in ours), default=None) != min(
                (theirs[k] for k in group if k in theirs), default=None
            ):
                return f"{sorted(group)}: {ours} against {theirs}"
            if any(k not in ours or ours[k] > theirs[k] for k in group if k in theirs):
                return f"z3 sees more: {sorted(group)}: {ours} against {theirs}"
        if search.complete and answers.statistics.depth > search.level:
            return f"z3 says {search.complete}, but there are states at depth {answers.statistics.depth}"
        return ""

    return check


@pytest.mark.slow
@pytest.mark.parametrize("chunk", CHUNKS)
def test_z3_finds_the_same_at_the_same_depth(chunk: int) -> None:
    assert examine(chunk, z3_differs(BitVectors), properties=True) > 0


@pytest.mark.parametrize("chunk", CHUNKS[:2])
def test_z3_finds_the_same_at_the_same_depth_in_a_few_models(chunk: int) -> None:
    assert examine(chunk, z3_differs(BitVectors if chunk else Integers), properties=True) > 0
