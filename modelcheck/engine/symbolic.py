"""The symbolic engine: bounded model checking for what is wrong, k-induction for what is right, by z3.

It decides the questions that are a matter of one state or of one step. It looks at runs of 0, 1, 2, ... steps, and
before each further step tries to prove what is still undecided, so a short bug and a shallow proof both come early.
Names in `proofs`, `bounds` and `open` are those of the checks and properties: of circular_wait, of the checks that
an error step violates (assertion, lock_rules, range), and of each predicate.

What it cannot decide by itself is `open`, with the reason: stuck and cannot_finish speak of all continuations; the
lock order, the balance of calls and vacuity need what is collected at every state. A `reachable` that is proved to
be unreachable is open too, since only a complete search has the evidence that it asks for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from modelcheck.engine.aims import Aim, Hunt, aims_of
from modelcheck.engine.auxiliary import Fact, guessed, inductive
from modelcheck.engine.bounded import Bounded
from modelcheck.engine.engine import Answers, Limits, Progress
from modelcheck.engine.induction import Certificate, Induction, recheck
from modelcheck.engine.queries import Budget, GaveUpError
from modelcheck.engine.watch import StoppedError, peak_memory
from modelcheck.result.verdict import Statistics
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Crossings, Question, StatePredicate
from modelcheck.semantics.symbolic import Relation
from modelcheck.semantics.symbolic_numbers import BitVectors
from modelcheck.semantics.symbolic_questions import Asked
from modelcheck.semantics.transition_system import TransitionSystem

DEEPEST = 60
"""How long the runs are that are looked at, if the limits say nothing."""

MOST_STEPS_OF_INDUCTION = 12


def explore(
    system: TransitionSystem,
    questions: tuple[Question, ...],
    limits: Limits,
    progress: Progress | None = None,
) -> Answers:
    """Answer what can be answered; `stopped` is "" if every reachable state was covered."""
    run = _Run(system, questions, limits, progress)
    try:
        run.go()
    except (StoppedError, GaveUpError) as reason:
        run.stopped = str(reason)
    except KeyboardInterrupt:
        run.stopped = "interrupted"
    return run.answers()
