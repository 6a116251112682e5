"""Generated models for the agreement tests: read, elaborated, explored; and smaller ones where a test fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count

import pytest

from modelcheck.diagnostics import SpecError
from modelcheck.language.model import Model
from modelcheck.semantics.transition_system import TransitionSystem, transition_system
from tests.agreement.shapes import Explored, TooManyStatesError, explored, model_of
from tests.random_models import EXAMPLES, REFUSED, numbered, shrunk

MOST = 600
"""Models with more states are left out."""
CHUNK = 10
INSTEAD = 1_000_000
"""From here on seeds are those of models that stand in for others."""
CHUNKS = range(-(-EXAMPLES // CHUNK))


@dataclass(frozen=True)
class Case:
    """A generated model that elaboration accepts."""

    text: str

    @cached_property
    def model(self) -> Model:
        return model_of(self.text)

    @cached_property
    def system(self) -> TransitionSystem:
        return transition_system(self.model)

    @cached_property
    def graph(self) -> Explored:
        return explored(self.system, MOST)


Check = Callable[[Case], str]
"""Returns what is wrong with a model, "" if nothing is."""


def refused(text: str) -> bool:
    """Tell whether elaboration refuses a model for a reason that the generator cannot avoid; others are failures."""
    try:
        model_of(text)
    except SpecError as problem:
        codes = {each.code for each in problem.diagnostics}
        if not codes <= REFUSED:
            raise
        return True
    return False


def seeds_of(chunk: int) -> Iterator[int]:
    yield from range(chunk * CHUNK, (chunk + 1) * CHUNK)


def examine(chunk: int, check: Check, *, properties: bool = False, every: bool = False) -> int:
    """Run a check on the models of a chunk; fail with a small model. Returns how many were looked at.

    In the place of a model that is left out another one is drawn.
    """
    looked_at = 0
    for seed in chain(seeds_of(chunk), count(INSTEAD * (chunk + 1))):
        if looked_at == CHUNK:
            break
        text = numbered(seed, properties=properties, every=every).text
        wrong = verdict(check, text)
        if wrong is None:
            continue
        looked_at += 1
        if wrong:
            small = shrunk(seed, lambda t: bool(verdict(check, t)), properties=properties, every=every)
            pytest.fail(
                f"seed {seed}, made smaller:\n{small.text}\n{verdict(check, small.text)}", pytrace=False
            )
    return looked_at


def verdict(check: Check, text: str) -> str | None:
    """Return what is wrong with a model, None if it is left out."""
    if refused(text):
        return None
    try:
        return check(Case(text))
    except TooManyStatesError:
        return None
