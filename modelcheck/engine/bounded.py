"""Bounded model checking: is there a run of k steps that shows it?, for k = 0, 1, 2, ...

A. Biere, A. Cimatti, E. Clarke, Y. Zhu: Symbolic Model Checking without BDDs, TACAS 1999. One solver, to which one
step after the other is added (N. Eén, N. Sörensson: Temporal induction by incremental SAT solving, BMC 2003). Since
every length is decided before the next one, what is found is found by a shortest run; among those one with the
fewest context switches is asked for afterwards, a few queries more (SEMANTICS H10).

It can come to an end: no run has more than k steps, or no run of k steps is free of a repeated state (each state
that can be reached is reached without one; Biere et al., section 3, "completeness threshold"). Then every reachable
state was looked at.

Cost: the terms of one step are built in Python, in the time of symbolically executing every statement that can run
at that depth; the solver's part can grow exponentially with the depth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from modelcheck.engine.aims import Aim, Hunt, rule_of
from modelcheck.engine.decoding import decoded, decoded_failure
from modelcheck.engine.queries import Asking, Budget, GaveUpError
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.symbolic import Broken, Frame, Going
from modelcheck.semantics.symbolic_questions import Asked
from modelcheck.semantics.symbolic_truth import Truth, disjunction, implication

Wanted = Sequence[tuple[Aim, Truth]]


class Bounded:
    """The runs from the initial states, one step longer each time.

    `level` is the length of the runs that were looked at, -1 at first. `complete` says why no longer one has to be,
    "" if that is not so. `gave_up` has the queries that z3 did not decide, by the name that was asked about.
    """

    def __init__(self, interpreter: Interpreter, asked: Asked, hunt: Hunt, budget: Budget) -> None:
        self.level = -1
        self.complete = ""
        self.gave_up: dict[str, str] = {}
        self._interpreter = interpreter
        self._asked = asked
        self._relation = asked.relation
        self._hunt = hunt
        self._asking = Asking(self._relation.numbers, budget)
        self._frames: list[Frame] = []
        self._goings: list[Going] = []
        self._looks_for_repetition = True
        self._simple = self._relation.numbers.truth(self._relation.numbers.variable("simple", 0, 1))

    def deepen(self) -> None:
        """Look at the runs of one step more."""
        if self.level < 0:
            self._begin()
        else:
            self._step()

    def _begin(self) -> None:
        start = self._relation.start()
        self._asking.add(start.facts)
        for check in {rule_of(failure.breach) for failure in start.failures}:
            aims = [aim for aim in self._hunt.aims if aim.name == check and aim.is_step]
            term = disjunction(f.condition for f in start.failures if rule_of(f.breach) == check)
            for aim in aims:
                if self._is_possible(f"bmc {check}@0", check, term):
                    self._hunt.note(aim, decoded_failure(self._asking, self._interpreter, start))
        self._asking.add(start.defines)
        self.level = 0
        self._frames.append(start.frame)
        if not self._asking.possible("bmc init@0"):
            self.complete = "there is no initial state"
            return
        self._search_states()

    def _step(self) -> None:
        frame = self._frames[-1]
        going = self._relation.step(frame, self.level)
        self._asking.add(going.facts)
        self._goings.append(going)
        self._search(lambda: self._hunt.in_error(going), self.level + 1, broken=True)
        if not self._asking.possible(f"bmc step@{self.level + 1}", going.moves):
            self.complete = f"no run has more than {self.level} steps"
            return
        self._asking.add((going.moves, *going.defines))
        self._frames.append(going.after)
        self.level += 1
        self._search(lambda: self._hunt.in_step(frame, going), self.level, broken=False)
        self._search_states()
        self._look_for_repetition()

    # --- looking for what was asked --------------------------------------------------------------

    def _search_states(self) -> None:
        self._search(lambda: self._hunt.in_state(self._frames[-1]), self.level, broken=False)

    def _search(self, look: Callable[[], Wanted], level: int, *, broken: bool) -> None:
        """Find everything that shows in runs of this length, cause by cause."""
        while True:
            wanted = [(a, term) for a, term in look() if term is not False and a.name not in self.gave_up]
            found = self._one_of(wanted, level)
            if found is None:
                return
            aim, term = found
            trace, wrong = self._trace(aim, term, level, broken=broken)
            self._hunt.note(aim, trace, wrong)

    def _one_of(self, wanted: Wanted, level: int) -> tuple[Aim, Truth] | None:
        """Return one of what is wanted that shows; z3 then holds a run that shows it."""
        names = tuple(dict.fromkeys(aim.name for aim, _ in wanted))
        if len(names) > 1:
            try:
                if not self._asking.possible(f"bmc any@{level}", disjunction(term for _, term in wanted)):
                    return None
            except GaveUpError:
                pass  # name by name, to say which it was
            else:
                return next((a, term) for a, term in wanted if self._asking.is_true(term))
        for name in names:
            here = [(a, term) for a, term in wanted if a.name == name]
            if self._is_possible(f"bmc {name}@{level}", name, disjunction(term for _, term in here)):
                return next((a, term) for a, term in here if self._asking.is_true(term))
        return None

    def _is_possible(self, query: str, name: str, *facts: Truth) -> bool:
        """Ask; if z3 gives up, remember so for that name."""
        try:
            return self._asking.possible(query, *facts)
        except GaveUpError as reason:
            self.gave_up[name] = str(reason)
            return False

    def _trace(self, aim: Aim, term: Truth, level: int, *, broken: bool) -> tuple[Trace, Broken | None]:
        """Return a run that shows it, of this length and with the fewest switches."""
        movers = [going.mover for going in self._goings]
        numbers = self._relation.numbers
        switches = [numbers.compare("!=", one, other) for one, other in pairwise(movers)]
        fewest = True
        while (count := sum(map(self._asking.is_true, switches))) > 0:
            query = f"bmc {aim.name}@{level}, fewer than {count} switches"
            try:
                if not self._asking.possible(query, term, self._asking.at_most(switches, count - 1)):
                    break
            except GaveUpError:
                fewest = False
                break
        trace = decoded(self._asking, self._interpreter, self._frames, self._goings, broken=broken)
        wrong = (
            next((b for b in self._goings[-1].broken if self._asking.is_true(b.condition)), None)
            if broken
            else None
        )
        return replace(trace, shortest=fewest), wrong

    # --- coming to an end ------------------------------------------------------------------------

    def _look_for_repetition(self) -> None:
        """See whether every run of this length visits a state twice."""
        if not self._looks_for_repetition:
            return
        last = self._frames[-1]
        self._asking.add(
            implication(self._simple, self._asked.different(each, last)) for each in self._frames[:-1]
        )
        try:
            if not self._asking.possible(f"bmc new state@{self.level}", self._simple):
                self.complete = f"every state is reached in less than {self.level} steps"
        except GaveUpError:
            self._looks_for_repetition = False
