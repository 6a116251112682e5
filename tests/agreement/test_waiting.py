"""Circular waits, stuck for ever and cannot finish against brute force on the whole graph of generated models."""

from __future__ import annotations

from collections import Counter

import pytest

from modelcheck.engine.engine import Limits
from modelcheck.engine.reference import explore
from modelcheck.semantics.questions import CannotFinish, CircularWaits, StuckForEver
from tests.agreement.cases import CHUNKS, Case, examine
from tests.agreement.futures import Futures

TALLY: Counter[str] = Counter()


def falsely_caught(case: Case) -> str:
    """Return a member of a circular wait that moves again; nothing is said where an error step may come."""
    futures = Futures(case.graph)
    for state, knot in futures.knots.items():
        for thread in knot.members:
            if futures.moves[state] >> thread & 1:
                return f"thread {thread} is in {knot} of state {state}, and moves later"
    return ""


def wrongly_lost(case: Case) -> str:
    """Return how the engine's stuck threads differ from those of brute force."""
    futures = Futures(case.graph)
    answers = explore(case.system, (CircularWaits(), StuckForEver(), CannotFinish()), Limits())
    if (
        len(case.graph.steps) != answers.statistics.states
        or case.graph.transitions != answers.statistics.transitions
    ):
        return f"other counts: {answers.statistics}"
    TALLY["circular"] += any(isinstance(f.question, CircularWaits) for f in answers.found)
    for kind, is_lost in ((StuckForEver, futures.is_stuck), (CannotFinish, futures.cannot_finish)):
        lost = {(s, t) for s in case.graph.steps for t in futures.threads if is_lost(s, t)}
        found = [each for each in answers.found if isinstance(each.question, kind)]
        TALLY[kind.__name__] += bool(found)
        if sum(each.states for each in found) != len(lost):
            return f"{kind.__name__}: {[(f.cause, f.states) for f in found]}, but by brute force {sorted(lost)[:5]}"
        for each in found:
            if (each.trace.last, *each.members) not in lost:
                return f"{kind.__name__}: {each.members} in {each.trace.last}, not by brute force"
    return ""


def share_of_circular(case: Case) -> str:
    """Count the models with a thread that never moves again, and those where a state shows that by its knot."""
    futures = Futures(case.graph)
    lost = [
        thread in futures.knots[state].members
        for state, steps in case.graph.steps.items()
        if steps and not futures.errs[state]
        for thread in futures.threads
        if not futures.moves[state] >> thread & 1 and not futures.interpreter.finished(state, thread)
    ]
    # A model counts once: one alone may have most of the states.
    TALLY["a thread never moves again"] += bool(lost)
    TALLY["of these with one in a knot"] += any(lost)
    return ""


@pytest.mark.parametrize("chunk", CHUNKS)
def test_no_member_of_a_circular_wait_ever_moves_again(chunk: int) -> None:
    assert examine(chunk, falsely_caught) > 0


@pytest.mark.parametrize("chunk", CHUNKS)
def test_stuck_and_cannot_finish_are_what_brute_force_says(chunk: int) -> None:
    assert examine(chunk, wrongly_lost) > 0


def test_most_models_with_a_thread_that_never_moves_again_show_it_in_a_state_itself() -> None:
    TALLY.clear()
    for chunk in range(4):
        examine(chunk, share_of_circular)
    assert TALLY["of these with one in a knot"] > 0.5 * TALLY["a thread never moves again"] > 0
