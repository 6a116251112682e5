"""SEMANTICS A2: without a race, statement-sized steps end in the same valuations as single accesses do."""

from __future__ import annotations

from collections import Counter

import pytest

from modelcheck.engine.engine import Limits
from modelcheck.engine.reference import explore
from modelcheck.semantics.accesses import race_questions
from modelcheck.semantics.transition_system import transition_system
from tests.agreement.cases import CHUNKS, seeds_of
from tests.agreement.race_free import twins
from tests.agreement.shapes import Explored, TooManyStatesError, explored, model_of

MOST = 20_000


def endings(found: Explored) -> set[tuple[int, ...]]:
    """Return the shared valuations in which every thread has finished."""
    shared = [
        n for n, cell in enumerate(found.system.cells) if cell.variable and cell.variable.kind == "shared"
    ]
    threads = range(len(found.system.model.threads))
    return {
        tuple(state[n] for n in shared)
        for state in found.steps
        if all(found.interpreter.finished(state, t) for t in threads)
    }


def is_race_free(whole: str) -> bool:
    system = transition_system(model_of(whole))
    return not explore(system, race_questions(system), Limits(states=MOST)).found


def examined(seed: int) -> str:
    """Return "racy" or "too large", "same", or what differs."""
    whole, split = twins(seed)
    try:
        ours = explored(transition_system(model_of(whole)), MOST)
        if not is_race_free(whole):
            return "racy"
        theirs = explored(transition_system(model_of(split)), MOST)
    except TooManyStatesError:
        return "too large"
    if endings(ours) == endings(theirs):
        return "same"
    only = sorted(endings(theirs) ^ endings(ours))[:3]
    return f"seed {seed}: the endings differ by {only}\n{whole}\n{split}"


@pytest.mark.parametrize("chunk", CHUNKS)
def test_race_free_programs_end_alike_with_single_accesses(chunk: int) -> None:
    results = Counter(examined(1000 + seed) for seed in seeds_of(chunk))
    assert set(results) <= {"racy", "too large", "same"}, "\n".join(results)


def test_enough_programs_are_race_free_and_racy_ones_can_differ() -> None:
    results = Counter(examined(seed) for seed in range(60))
    assert results["same"] > 5
    assert results["racy"] > 5
