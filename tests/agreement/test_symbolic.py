"""The z3 engine against the explicit search: the same verdict a question, at the same depth; what is proved holds."""

from __future__ import annotations

import pytest

from modelcheck.engine import reference, symbolic
from modelcheck.engine.aims import rule_of
from modelcheck.engine.engine import Answers, Found, Limits
from modelcheck.result.certify import certify
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import CannotFinish, CircularWaits, ErrorSteps, StuckForEver
from tests.agreement.cases import CHUNKS, MOST, Case, examine

LIMITS = Limits(seconds=2.0, query_seconds=1.0, depth=6)
EVERY_LEVEL = MOST
Cause = tuple[str, tuple[str, ...]]


def name_of(found: Found) -> str:
    """Return the name under which the z3 engine reports the question."""
    match found.question:
        case CircularWaits():
            return "circular_wait"
        case ErrorSteps():
            return rule_of(found.trace.steps[-1].breach)
        case question:
            return str(getattr(question, "name", type(question).__name__))


def earliest(answers: Answers, most: int) -> dict[Cause, int]:
    """Return after how many steps each cause is first seen, as far as both engines looked."""
    lengths: dict[Cause, int] = {}
    for each in answers.found:
        cause, length = (name_of(each), each.cause), len(each.trace.steps)
        if length <= most and not isinstance(each.question, StuckForEver | CannotFinish):
            lengths[cause] = min(length, lengths.get(cause, length))
    return lengths


def shortest(lengths: dict[Cause, int], name: str) -> int | None:
    return min((length for (other, _), length in lengths.items() if other == name), default=None)


def z3_differs(case: Case) -> str:
    """Return how the z3 engine differs from the explicit search about a model."""
    asked = questions(case.system)
    ours = reference.explore(case.system, asked, Limits(states=MOST))
    theirs = symbolic.explore(case.system, asked, LIMITS)
    if ours.stopped:
        return ""
    for each in theirs.found:
        certify(Interpreter(case.system), each.trace, each.question, each.members)
    names = {name_of(each) for each in ours.found} | {name_of(each) for each in theirs.found}
    violated = earliest(ours, EVERY_LEVEL)
    for name in sorted(names - theirs.open.keys()):
        if name in theirs.proofs and shortest(violated, name) is not None:
            return f"{name} is proved by {theirs.proofs[name]}, and violated: {violated}"
    looked_at = theirs.statistics.depth - bool(theirs.stopped.startswith("limit"))
    expected, found = earliest(ours, EVERY_LEVEL), earliest(theirs, EVERY_LEVEL)
    for name in sorted(names - theirs.open.keys()):
        here, there = shortest(expected, name), shortest(found, name)
        if here is None and there is None:
            continue
        if there is not None and there != here:
            return f"{name}: first after {here} steps, by z3 after {there}"
        if there is None and here is not None and (here <= looked_at or not theirs.stopped):
            return f"{name}: first after {here} steps; z3 looked at {looked_at} ({theirs.stopped}) and saw nothing"
    return ""


@pytest.mark.parametrize("chunk", CHUNKS)
def test_z3_finds_the_same_at_the_same_depth(chunk: int) -> None:
    assert examine(chunk, z3_differs, properties=True) > 0
