"""z3 for what is a matter of one state or one step, the explorer for what is a matter of all of them.

Who is stuck, who cannot finish, the lock order and the balance of calls speak of every reachable state, and no solver
query has them; nor has one the evidence that something is never reached. Where the states can be counted quickly, a
complete search answers just these questions, so that a verdict does not depend on the engine that was chosen. Where
they cannot, these questions stay open and the answers say so.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.engine import reference, symbolic
from modelcheck.engine.engine import Answers, Limits, Progress
from modelcheck.engine.lock_invariant import lock_invariants
from modelcheck.engine.watch import INTERRUPTED
from modelcheck.semantics.questions import (
    ActionCounts,
    CannotFinish,
    CircularWaits,
    Crossings,
    LocalViews,
    Occurrences,
    Question,
    StatePredicate,
    StuckForEver,
    TimeOutWaits,
)
from modelcheck.semantics.transition_system import TransitionSystem

QUICKLY = 50_000
"""A model with more states than this is not enumerated beside z3."""

OF_ALL_STATES = (
    TimeOutWaits,
    StuckForEver,
    CannotFinish,
    LocalViews,
    Crossings,
    ActionCounts,
    Occurrences,
)


def explore(
    system: TransitionSystem,
    questions: tuple[Question, ...],
    limits: Limits,
    progress: Progress | None = None,
) -> Answers:
    """Answer what z3 can by z3, and the rest by a complete search if that is small."""
    answers = _explored(system, questions, limits, progress)
    answers = replace(answers, statistics=replace(answers.statistics, engine="z3"))
    return (
        answers
        if answers.stopped == INTERRUPTED
        else _with_lock_invariants(system, questions, limits, answers)
    )


def _explored(
    system: TransitionSystem, questions: tuple[Question, ...], limits: Limits, progress: Progress | None
) -> Answers:
    of_all = tuple(q for q in questions if isinstance(q, OF_ALL_STATES))
    if not of_all:
        return symbolic.explore(system, questions, limits, progress)
    reachable = tuple(q for q in questions if isinstance(q, StatePredicate) and q.check == "reachable")
    few = replace(limits, states=min(limits.states or QUICKLY, QUICKLY))
    rings = tuple(
        q for q in questions if isinstance(q, CircularWaits)
    )  # the lock order speaks of all of them
    complete = reference.explore(system, (*of_all, *reachable, *rings), few, progress)
    if complete.stopped:
        return symbolic.explore(system, questions, limits, progress)
    others = tuple(q for q in questions if not isinstance(q, OF_ALL_STATES))
    solved = symbolic.explore(system, others, limits, progress)
    return _joined(complete, solved, {q.name for q in reachable})


def _joined(complete: Answers, solved: Answers, reachable: set[str]) -> Answers:
    """Return what both say. Every reachable state was looked at, so what is never reached is known to be so."""
    seen = tuple(f for f in complete.found if isinstance(f.question, OF_ALL_STATES))
    known = {f.question for f in solved.found if not isinstance(f.question, CircularWaits)}
    causes = {f.cause for f in solved.found if isinstance(f.question, CircularWaits)}
    seen += tuple(
        f for f in complete.found if f not in seen and f.question not in known and f.cause not in causes
    )
    statistics = replace(
        complete.statistics,
        seconds=complete.statistics.seconds + solved.statistics.seconds,
        peak_memory=max(complete.statistics.peak_memory, solved.statistics.peak_memory),
        queries=solved.statistics.queries,
    )
    return replace(
        solved,
        statistics=statistics,
        stopped="",
        found=tuple(sorted((*solved.found, *seen), key=lambda found: found.level)),
        views=complete.views,
        crossings=complete.crossings,
        counts=complete.counts,
        occurred=complete.occurred,
        open={name: why for name, why in solved.open.items() if name not in reachable},
        bounds={name: depth for name, depth in solved.bounds.items() if name not in reachable},
    )


def _with_lock_invariants(
    system: TransitionSystem, questions: tuple[Question, ...], limits: Limits, answers: Answers
) -> Answers:
    """Add the proofs of lock invariants. They rest on guarded_by: where that is broken they say nothing."""
    asked = {q.name for q in questions if isinstance(q, StatePredicate) and q.check == "invariant"}
    broken = {f.question.check for f in answers.found if isinstance(f.question, StatePredicate)}
    refuted = {f.question.name for f in answers.found if isinstance(f.question, StatePredicate)}
    guards = any(isinstance(q, StatePredicate) and q.check == "guarded_by" for q in questions)
    if "guarded_by" in broken or (guards and "guarded_by" not in answers.proofs):
        return answers
    proved = {
        name: proof.text
        for name, proof in lock_invariants(system, limits).items()
        if name in asked and name not in refuted and not proof.reason
    }
    return replace(
        answers,
        proofs={**answers.proofs, **proved},
        bounds={name: depth for name, depth in answers.bounds.items() if name not in proved},
        open={name: why for name, why in answers.open.items() if name not in proved},
    )
