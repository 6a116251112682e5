"""Which engine: the reference engine for what it does at once, the native one for the rest.

Both give the same answers, traces included (tests/agreement/test_native.py), so that the choice shows in the time only.
To compile takes a fraction of a second, in which the reference engine looks at some thousand states. Where there is
nothing to compile with, the native engine leaves the model to the reference engine and says so.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.engine import reference
from modelcheck.engine.engine import Answers, Limits, Progress
from modelcheck.engine.watch import INTERRUPTED
from modelcheck.semantics.questions import Question
from modelcheck.semantics.transition_system import TransitionSystem

QUICKLY = 1_500
"""States that the reference engine looks at before it is given up."""


def explore(
    system: TransitionSystem,
    questions: tuple[Question, ...],
    limits: Limits,
    progress: Progress | None = None,
) -> Answers:
    """Look at every reachable state, and answer the questions."""
    if limits.states is not None and limits.states <= QUICKLY:
        return reference.explore(system, questions, limits, progress)
    first = reference.explore(system, questions, replace(limits, states=QUICKLY), progress)
    if first.statistics.states < QUICKLY or first.stopped in ("", INTERRUPTED):
        return first
    from modelcheck.engine import native

    spent = replace(limits, spent=first.statistics.seconds)
    return native.explore(system, questions, spent, progress)
