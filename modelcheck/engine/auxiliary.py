"""Facts about reachable states that are cheap to guess and to prove: what induction needs to know beside the property.

"While thread t stands at location n, this cell has none of these values": who owns a lock where, who else can be in
the section, what a flag says behind its test. Guessed from states that were seen (a short breadth-first search and
random runs), then the largest inductive set of the guesses is kept: those that fail in some successor of a state in
which all hold are dropped, until none fails (C. Flanagan, K. R. M. Leino: Houdini, FME 2001). A wrong guess costs
time, never soundness.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from modelcheck.engine.queries import Asking, Budget
from modelcheck.language.model import Choose, walk_effects
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.symbolic import Frame, Relation
from modelcheck.semantics.symbolic_numbers import constant
from modelcheck.semantics.symbolic_truth import Truth, conjunction, disjunction, implication, negation
from modelcheck.semantics.transition_system import State, TransitionSystem

SEEN_BREADTH_FIRST = 1500
RUNS, RUN_LENGTH = 40, 60
FEW_VALUES = 9
"""A cell with more values gets no fact for each value, but one for its least and one for its greatest."""

MOST_FACTS = 12_000

FOLLOWED = 400
"""How many states are looked at behind one that refutes a guess."""


@dataclass(frozen=True)
class Fact:
    """While the thread stands at the location (None: always), the cell lies outside low..high."""

    thread: int | None
    location: int | None
    cell: int
    low: int
    high: int


def guessed(interpreter: Interpreter) -> list[Fact]:
    """Return facts that hold in all the states that were seen."""
    system = interpreter.system
    if any(
        isinstance(e, Choose) and e.high - e.low > 1000
        for t in system.model.threads
        for place in t.locations
        for e in walk_effects(place.effects)
    ):
        return []
    states = _seen(interpreter)
    facts = list(_facts(system, None, None, states))
    for thread in system.model.threads:
        cell = system.location_cells[thread.number]
        for place in thread.locations:
            here = [state for state in states if state[cell] == place.number]
            if here:
                facts += _facts(system, thread.number, place.number, here)
    return facts[:MOST_FACTS]


def _facts(
    system: TransitionSystem, thread: int | None, location: int | None, states: Sequence[State]
) -> Iterable[Fact]:
    for number, cell in enumerate(system.cells):
        if thread is not None and cell.thread == thread and cell.variable is None:
            continue
        seen = {state[number] for state in states}
        if cell.variable is None or cell.high - cell.low < FEW_VALUES:
            missing = (value for value in range(cell.low, cell.high + 1) if value not in seen)
            yield from (Fact(thread, location, number, value, value) for value in missing)
        else:
            if min(seen) > cell.low:
                yield Fact(thread, location, number, cell.low, min(seen) - 1)
            if max(seen) < cell.high:
                yield Fact(thread, location, number, max(seen) + 1, cell.high)


def _seen(interpreter: Interpreter) -> list[State]:
    """Return the states nearest to the start, and some farther away; the same ones each time."""
    starts = [state for state, _, _ in interpreter.initial_states() if state is not None]
    seen = dict.fromkeys(starts)
    todo = list(seen)
    for state in todo:
        if len(seen) >= SEEN_BREADTH_FIRST:
            break
        for step in interpreter.successors(state):
            if step.target is not None and step.target not in seen:
                seen[step.target] = None
                todo.append(step.target)
    else:
        return list(seen)
    chance = random.Random(0)
    for _ in range(RUNS):
        state = chance.choice(starts)
        for _ in range(RUN_LENGTH):
            following = [step.target for step in interpreter.successors(state) if step.target is not None]
            if not following:
                break
            state = chance.choice(following)
            seen[state] = None
    return list(seen)


class Terms:
    """Facts as terms over one frame: one term for each place, built again only when a fact of the place is dropped."""

    def __init__(self, relation: Relation, frame: Frame) -> None:
        self._relation = relation
        self._frame = frame
        self._known: dict[tuple[Fact, ...], Truth] = {}

    def of(self, facts: Iterable[Fact]) -> list[Truth]:
        """Return terms whose conjunction says that all the facts hold."""
        places: dict[tuple[int | None, int | None], list[Fact]] = {}
        for fact in facts:
            places.setdefault((fact.thread, fact.location), []).append(fact)
        return [self._at_place(tuple(group)) for group in places.values()]

    def _at_place(self, group: tuple[Fact, ...]) -> Truth:
        if group not in self._known:
            here: Truth = True
            thread, location = group[0].thread, group[0].location
            if thread is not None and location is not None:
                here = self._relation.terms.stands(self._frame.moment, thread, frozenset((location,)))
            self._known[group] = implication(here, conjunction(map(self._outside, group)))
        return self._known[group]

    def _outside(self, fact: Fact) -> Truth:
        numbers = self._relation.numbers
        cell = self._frame.cells[fact.cell]
        if fact.low == fact.high:
            return numbers.compare("!=", cell, constant(fact.low))
        return negation(numbers.within(cell, fact.low, fact.high))


class Index:
    """Facts by where their thread stands: to find quickly those that a state refutes."""

    def __init__(self, system: TransitionSystem, facts: Iterable[Fact]) -> None:
        self._cells = system.location_cells
        self._by_place: dict[tuple[int, int] | None, list[Fact]] = {}
        for fact in facts:
            place = None if fact.thread is None or fact.location is None else (fact.thread, fact.location)
            self._by_place.setdefault(place, []).append(fact)

    def refuted(self, state: State) -> set[Fact]:
        """Return the facts that are false in the state."""
        places = (None, *((thread, state[cell]) for thread, cell in enumerate(self._cells)))
        return {
            fact
            for place in places
            for fact in self._by_place.get(place, ())
            if fact.low <= state[fact.cell] <= fact.high
        }


def inductive(interpreter: Interpreter, relation: Relation, facts: Sequence[Fact], budget: Budget) -> list[Fact]:
    """Return the largest set of the facts that holds at the start and is kept by every step."""
    kept = _true_at_the_start(relation, facts, budget)
    frame, types = relation.anything("before")
    going = relation.step(frame, 0)
    asking = Asking(relation.numbers, budget)
    asking.add((*types, *going.facts, going.moves, *going.defines))
    now, then = Terms(relation, frame), Terms(relation, going.after)
    turn = 0
    while kept:
        turn += 1
        fails = disjunction(map(negation, then.of(kept)))
        if not asking.possible(f"facts, round {turn}", *now.of(kept), fails):
            return kept
        state = tuple(asking.value(cell) for cell in going.after.cells)
        kept = _without_what_fails_after(interpreter, kept, state)
    return kept


def _without_what_fails_after(interpreter: Interpreter, facts: list[Fact], state: State) -> list[Fact]:
    """Drop what fails in the state or in one that follows it.

    All that is left is true in the state, so it is true in what follows if it is inductive: nothing is lost.
    """
    index = Index(interpreter.system, facts)
    dropped = index.refuted(state)
    assert dropped
    seen = {state}
    todo = [state]
    for here in todo:
        if len(seen) > FOLLOWED:
            break
        for step in interpreter.successors(here):
            if step.target is not None and step.target not in seen:
                seen.add(step.target)
                todo.append(step.target)
                dropped |= index.refuted(step.target)
    return [fact for fact in facts if fact not in dropped]


def _true_at_the_start(relation: Relation, facts: Sequence[Fact], budget: Budget) -> list[Fact]:
    start = relation.start()
    asking = Asking(relation.numbers, budget)
    asking.add((*start.facts, *start.defines))
    kept = list(facts)
    terms = Terms(relation, start.frame)
    while kept:
        fails = disjunction(map(negation, terms.of(kept)))
        if not asking.possible("facts at the start", fails):
            return kept
        refuted = Index(relation.system, kept).refuted(tuple(asking.value(cell) for cell in start.frame.cells))
        kept = [fact for fact in kept if fact not in refuted]
    return kept
