"""k-induction: no k steps from the start show it, and no k steps from anywhere without it lead to where it shows.

M. Sheeran, S. Singh, G. Stålmarck: Checking Safety Properties Using Induction and a SAT-Solver, FMCAD 2000, with
their restriction to runs that repeat no state, which makes the method complete for finite systems. What is changed:

- all that is undecided is proved together, each an assumption for the others; what fails in the step case is taken
  out, with its assumption, until the rest is closed (it may succeed for the next k);
- auxiliary facts, proved before (auxiliary.py), hold in every state of the step case;
- nothing is believed from one solver: `recheck` does a proof again, with fresh terms, and with z3's general solver
  in place of its SAT solver.

The first case is the bounded search's (bounded.py): it has looked at all runs of k steps before k is tried here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from modelcheck.engine.aims import Aim, rule_of, shows
from modelcheck.engine.auxiliary import Facts, terms
from modelcheck.engine.queries import Asking, Budget
from modelcheck.semantics.questions import ErrorSteps
from modelcheck.semantics.symbolic import Frame, Going, Relation
from modelcheck.semantics.symbolic_numbers import BitVectors
from modelcheck.semantics.symbolic_questions import Asked
from modelcheck.semantics.symbolic_truth import Truth, disjunction, implication, negation
from modelcheck.semantics.transition_system import TransitionSystem


class Induction:
    """The step case for k = 0, 1, 2, ...: one solver, to which one step after the other is added."""

    def __init__(
        self, asked: Asked, aims: Sequence[Aim], facts: Facts, budget: Budget, *, plain: bool = False
    ) -> None:
        self._asked = asked
        self._relation = asked.relation
        self._facts = facts
        self._aims = tuple(aims)
        self._known: set[str] = set()
        self._asking = Asking(self._relation.numbers, budget, plain=plain)
        numbers = self._relation.numbers
        names = dict.fromkeys(aim.name for aim in aims)
        self._assumed = {name: numbers.truth(numbers.variable(f"not {name}", 0, 1)) for name in names}
        self._frames: list[Frame] = []
        self._going: Going
        self._shows: dict[str, Truth]
        frame, types = self._relation.anything("0")
        self._asking.add(types)
        self._enter(frame)

    @property
    def k(self) -> int:
        """How many steps there are before the state that is looked at."""
        return len(self._frames) - 1

    def _enter(self, frame: Frame) -> None:
        """Add a state at the end of the run, and what can be done from there."""
        self._asking.add(terms(self._relation, self._facts, frame))
        self._asking.add(self._asked.different(each, frame) for each in self._frames)
        going = self._relation.step(frame, len(self._frames))
        self._asking.add((*going.facts, *going.defines))
        self._shows = {
            name: disjunction(shows(self._asked, a, frame, going) for a in self._aims if a.name == name)
            for name in self._assumed
        }
        self._going = going
        self._frames.append(frame)
        self._asking.add(negation(self._shows[name]) for name in self._known)

    def lengthen(self) -> None:
        """Go from k to k + 1: what is looked at shows one step later, and not before."""
        self._asking.add(implication(self._assumed[n], negation(shown)) for n, shown in self._shows.items())
        self._asking.add((self._going.moves,))
        self._enter(self._going.after)

    def proved(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of the names that the step case proves for this k, together, if the first case holds for all."""
        kept = list(names)
        turn = 0
        while kept:
            turn += 1
            last = disjunction(self._shows[name] for name in kept)
            query = f"induction k={self.k}, round {turn}"
            if last is False or not self._asking.possible(query, *(self._assumed[n] for n in kept), last):
                return tuple(kept)
            kept = [name for name in kept if not self._asking.is_true(self._shows[name])]
        return ()

    def believe(self, names: Iterable[str]) -> None:
        """Use what was proved (and checked again) in every state from now on."""
        self._known |= set(names)
        self._asking.add(self._assumed[name] for name in names)
        self._asking.add(negation(self._shows[name]) for name in names)


@dataclass(frozen=True)
class Certificate:
    """What is needed to do a proof again: what never shows, k, and what helps: facts, and what was proved before."""

    aims: tuple[Aim, ...]
    k: int
    facts: Facts
    before: tuple[Aim, ...] = ()


def recheck(system: TransitionSystem, certificate: Certificate, budget: Budget) -> None:
    """Do the proof again, from the system on; an answer that differs is our bug (AssertionError)."""
    relation = Relation(system, BitVectors())
    asked = Asked(relation)
    _recheck_facts(relation, certificate.facts, budget)
    _recheck_first_case(asked, certificate, budget)
    induction = Induction(
        asked, (*certificate.before, *certificate.aims), certificate.facts, budget, plain=True
    )
    induction.believe(tuple(dict.fromkeys(aim.name for aim in certificate.before)))
    while induction.k < certificate.k:
        induction.lengthen()
    names = tuple(dict.fromkeys(aim.name for aim in certificate.aims))
    assert induction.proved(names) == names, "a proof by induction fails the second time"


def _recheck_facts(relation: Relation, facts: Facts, budget: Budget) -> None:
    start = relation.start()
    asking = Asking(relation.numbers, budget, plain=True)
    asking.add((*start.facts, *start.defines))
    wrong = disjunction(map(negation, terms(relation, facts, start.frame)))
    assert not asking.possible("recheck facts at the start", wrong), "a fact fails at the start"
    frame, types = relation.anything("before")
    going = relation.step(frame, 0)
    asking = Asking(relation.numbers, budget, plain=True)
    asking.add((*types, *going.facts, going.moves, *going.defines, *terms(relation, facts, frame)))
    wrong = disjunction(map(negation, terms(relation, facts, going.after)))
    assert not asking.possible("recheck facts", wrong), "a fact is not inductive"


def _recheck_first_case(asked: Asked, certificate: Certificate, budget: Budget) -> None:
    """See again that nothing shows in the first k states, nor in the steps from there, nor before time."""
    relation = asked.relation
    start = relation.start()
    asking = Asking(relation.numbers, budget, plain=True)
    asking.add(start.facts)
    checks = {aim.name for aim in certificate.aims if isinstance(aim.question, ErrorSteps)}
    early = disjunction(f.condition for f in start.failures if rule_of(f.breach) in checks)
    assert not asking.possible("recheck before time", early), "an error before time was overlooked"
    asking.add(start.defines)
    frame = start.frame
    for time in range(certificate.k):
        going = relation.step(frame, time)
        asking.add((*going.facts, *going.defines))
        shown = disjunction(shows(asked, aim, frame, going) for aim in certificate.aims)
        assert not asking.possible(f"recheck first case@{time}", shown), (
            "the first case fails the second time"
        )
        asking.add((going.moves,))
        frame = going.after
