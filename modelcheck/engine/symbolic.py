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

from modelcheck.engine.aims import Aim, Hunt, aims_of
from modelcheck.engine.auxiliary import Facts, guessed, inductive
from modelcheck.engine.bounded import Bounded
from modelcheck.engine.engine import Answers, Limits, Progress
from modelcheck.engine.induction import Certificate, Induction, recheck
from modelcheck.engine.memory import peak_memory
from modelcheck.engine.queries import Budget, GaveUpError
from modelcheck.engine.watch import StoppedError
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


class _Run:
    """One search: what it works on, and what it knows."""

    def __init__(
        self,
        system: TransitionSystem,
        questions: tuple[Question, ...],
        limits: Limits,
        progress: Progress | None,
    ) -> None:
        self.stopped = ""
        self._system = system
        self._questions = questions
        self._deepest = DEEPEST if limits.depth is None else limits.depth
        self._progress = progress
        self._budget = Budget(limits)
        self._interpreter = Interpreter(system)
        self._asked = Asked(Relation(system, BitVectors()))
        self._aims, self._open = aims_of(self._asked.relation, questions)
        self._hunt = Hunt(self._interpreter, self._asked, self._aims)
        self._bounded = Bounded(self._interpreter, self._asked, self._hunt, self._budget)
        self._facts = Facts()
        self._induction: Induction | None = None
        self._inducing = True
        self._proofs: dict[str, str] = {}

    def go(self) -> None:
        """Look and prove, one step deeper each time."""
        while self._undecided and not self._bounded.complete:
            if self._bounded.level >= self._deepest:
                self.stopped = f"depth limit of {self._deepest} steps"
                return
            self._bounded.deepen()
            if self._progress is not None:
                self._progress(self._statistics, len(self._undecided))
            self._induce()
        if self._bounded.complete:
            self._proofs.update(dict.fromkeys(self._undecided, self._bounded.complete))
        elif self._bounded.gave_up:
            self.stopped = next(iter(self._bounded.gave_up.values()))
        else:
            self.stopped = f"all that was asked is decided, at depth {self._bounded.level}"

    @property
    def _undecided(self) -> tuple[str, ...]:
        decided = {*self._hunt.violated, *self._proofs, *self._bounded.gave_up}
        return tuple(dict.fromkeys(aim.name for aim in self._aims if aim.name not in decided))

    def _induce(self) -> None:
        """Try the step case for a k as deep as the bounded search has come; stop trying where z3 gives up."""
        level_is_fit = 1 <= self._bounded.level <= MOST_STEPS_OF_INDUCTION
        if not self._inducing or not self._undecided or self._bounded.complete or not level_is_fit:
            return
        try:
            if self._induction is None:
                self._facts = inductive(
                    self._interpreter, self._asked.relation, guessed(self._interpreter), self._budget
                )
                self._induction = Induction(self._asked, self._aims, self._facts, self._budget)
            while self._induction.k < self._bounded.level:
                self._induction.lengthen()
            self._believe(self._induction, self._induction.proved(self._undecided))
        except GaveUpError:
            self._inducing = False

    def _believe(self, induction: Induction, names: tuple[str, ...]) -> None:
        """Do the proof again; then use it."""
        if not names:
            return
        certificate = Certificate(
            aims=self._aims_named(names),
            k=induction.k,
            facts=self._facts,
            before=self._aims_named(tuple(self._proofs)),
        )
        recheck(self._system, certificate, self._budget)
        induction.believe(names)
        helped = f", with {self._facts.count} auxiliary facts" if self._facts.count else ""
        self._proofs.update(dict.fromkeys(names, f"k-induction, k = {induction.k}{helped}"))
        self._hunt.aims = [aim for aim in self._hunt.aims if aim.name not in names]

    def _aims_named(self, names: tuple[str, ...]) -> tuple[Aim, ...]:
        return tuple(aim for aim in self._aims if aim.name in names)

    # --- what is known ---------------------------------------------------------------------------

    @property
    def _statistics(self) -> Statistics:
        return Statistics(
            depth=max(self._bounded.level, 0),
            seconds=self._budget.seconds,
            peak_memory=peak_memory(),
            queries=tuple(self._budget.queries),
        )

    def answers(self) -> Answers:
        """Return what was found, proved, looked at up to a depth, and left open."""
        level = max(self._bounded.level, 0)
        proofs = dict(self._proofs)
        bounds = dict.fromkeys(self._undecided, level)
        left = {**self._open, **self._bounded.gave_up}
        left = {name: why for name, why in left.items() if name not in self._hunt.violated}
        for name, why in self._half_decided():
            said = proofs.pop(name, "") or f"not in the first {bounds.pop(name, level)} steps"
            left[name] = why.format(said)
        return Answers(
            statistics=self._statistics,
            stopped=self.stopped,
            found=tuple(sorted(self._hunt.found, key=lambda found: found.level)),
            proofs=proofs,
            bounds=bounds,
            open=left,
        )

    def _half_decided(self) -> list[tuple[str, str]]:
        """Return the names of which a proof or a bound says only half, and what it leaves."""
        found = []
        if any(isinstance(q, Crossings) for q in self._questions) and self._system.model.calls:
            found.append(
                ("lock_rules", "error steps: {}; whether each call gives back its locks was not looked at")
            )
        for question in self._questions:
            reachable = isinstance(question, StatePredicate) and question.check == "reachable"
            if isinstance(question, StatePredicate) and reachable and question.name in self._proofs:
                found.append((question.name, "never reached ({}); a complete search has the evidence"))
        return [
            (name, why) for name, why in found if name not in self._hunt.violated | set(self._bounded.gave_up)
        ]
