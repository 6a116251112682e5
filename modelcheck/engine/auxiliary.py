"""Facts about reachable states that are cheap to guess and to prove: what induction needs to know beside the property.

"This cell never has this value while that cell has that one": who owns a lock where, who else can be in a section,
what a flag says behind its test, what is true while a lock is free. Guessed from states that were seen (a short
breadth-first search and random runs): every pair of values that was never seen together. Then the largest inductive
set of the guesses is kept: those that fail in a successor of a state in which all hold are dropped, until none
fails (C. Flanagan, K. R. M. Leino: Houdini, an Annotation Assistant for ESC/Java, FME 2001). A wrong guess costs
time, never soundness.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

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
"""Nothing is guessed about cells with more values."""

MOST_LITERALS = 700

FOLLOWED = 400
"""How many states are looked at behind one that refutes a guess."""


@dataclass(frozen=True)
class Facts:
    """Pairs of values that exclude each other.

    `literals`: (cell, value). `excluded[i]`: a bit for each literal that is never true together with literal i,
    for i and the literals behind it; its own bit says that literal i is never true.
    """

    literals: tuple[tuple[int, int], ...] = ()
    excluded: tuple[int, ...] = ()

    @property
    def never(self) -> int:
        """The literals that are never true."""
        return sum(1 << i for i, mask in enumerate(self.excluded) if mask >> i & 1)

    @property
    def count(self) -> int:
        """How many there are, not counting what follows from others."""
        never = self.never
        pairs = (mask & ~never for i, mask in enumerate(self.excluded) if not never >> i & 1)
        return never.bit_count() + sum(mask.bit_count() for mask in pairs)

    def without_those_refuted(self, state: State) -> Facts:
        """Return the facts that are true in the state."""
        true = bits(self.literals, state)
        kept = (mask & ~true if true >> i & 1 else mask for i, mask in enumerate(self.excluded))
        return replace(self, excluded=tuple(kept))


def bits(literals: Sequence[tuple[int, int]], state: State) -> int:
    """Return which literals are true in a state."""
    return sum(1 << i for i, (cell, value) in enumerate(literals) if state[cell] == value)


def positions(mask: int) -> Iterator[int]:
    """Yield the positions of the bits."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


# --- guessing ------------------------------------------------------------------------------------


def guessed(interpreter: Interpreter) -> Facts:
    """Return what is true of all the states that were seen."""
    literals = tuple(_literals(interpreter.system))[:MOST_LITERALS]
    if not literals or _chooses_among_many(interpreter.system):
        return Facts()
    seen_with = [0] * len(literals)
    for state in _seen(interpreter):
        true = bits(literals, state)
        for i in positions(true):
            seen_with[i] |= true
    everything = (1 << len(literals)) - 1
    excluded = []
    for i, mask in enumerate(seen_with):
        pairs = everything & ~mask & ~((1 << i) - 1) & ~_same_cell(literals, i)
        excluded.append(pairs if mask else pairs | 1 << i)
    return Facts(literals, tuple(excluded))


def _literals(system: TransitionSystem) -> Iterator[tuple[int, int]]:
    """Yield the values of locations, then of locks, then of the other cells that have few."""

    def rank(number: int) -> int:
        variable = system.cells[number].variable
        return 0 if variable is None else ("lock", "local", "shared").index(variable.kind) + 1

    for number in sorted(range(len(system.cells)), key=rank):
        cell = system.cells[number]
        if cell.variable is None or cell.high - cell.low < FEW_VALUES:
            yield from ((number, value) for value in range(cell.low, cell.high + 1) if cell.low < cell.high)


def _same_cell(literals: Sequence[tuple[int, int]], number: int) -> int:
    """Return the other values of the same cell: that they exclude each other needs no proof."""
    cell, _ = literals[number]
    return sum(1 << i for i, (other, _) in enumerate(literals) if other == cell)


def _chooses_among_many(system: TransitionSystem) -> bool:
    effects = (e for t in system.model.threads for place in t.locations for e in walk_effects(place.effects))
    return any(isinstance(e, Choose) and e.high - e.low > FOLLOWED for e in (*effects, *system.model.initial))


def _seen(interpreter: Interpreter) -> list[State]:
    """Return the states nearest to the start, and some farther away; the same ones each time."""
    starts = [state for state, _, _ in interpreter.initial_states() if state is not None]
    seen, finished = _following(interpreter, starts, SEEN_BREADTH_FIRST)
    if finished:
        return list(seen)
    chance = random.Random(0)
    for _ in range(RUNS):
        state = chance.choice(starts)
        for _ in range(RUN_LENGTH):
            targets = [step.target for step in interpreter.successors(state) if step.target is not None]
            if not targets:
                break
            state = chance.choice(targets)
            seen[state] = None
    return list(seen)


def _following(
    interpreter: Interpreter, starts: Sequence[State], most: int
) -> tuple[dict[State, None], bool]:
    """Return states that follow, the nearest first, and whether these are all."""
    seen = dict.fromkeys(starts)
    todo = list(seen)
    for state in todo:
        if len(seen) >= most:
            return seen, False
        for step in interpreter.successors(state):
            if step.target is not None and step.target not in seen:
                seen[step.target] = None
                todo.append(step.target)
    return seen, True


# --- proving -------------------------------------------------------------------------------------


def terms(relation: Relation, facts: Facts, frame: Frame) -> list[Truth]:
    """Return the facts as terms over a frame, and what is known of dead locals: all of them hold together."""
    true = [relation.numbers.compare("==", frame.cells[c], constant(value)) for c, value in facts.literals]
    false = [negation(each) for each in true]
    never = facts.never
    found = list(_dead(relation, frame))
    for i, mask in enumerate(facts.excluded):
        if mask >> i & 1:
            found.append(false[i])
        elif mask & ~never:
            found.append(implication(true[i], conjunction(false[j] for j in positions(mask & ~never))))
    return found


def _dead(relation: Relation, frame: Frame) -> Iterator[Truth]:
    """Yield that a local which is dead where its thread stands has its first value (SEMANTICS A1)."""
    for thread, places in enumerate(frame.places):
        for place in sorted(places):
            resets = relation.system.resets[thread][place]
            if resets:
                first = (relation.numbers.compare("==", frame.cells[c], constant(v)) for c, v in resets)
                here = relation.terms.stands(frame.moment, thread, frozenset((place,)))
                yield implication(here, conjunction(first))


def inductive(interpreter: Interpreter, relation: Relation, facts: Facts, budget: Budget) -> Facts:
    """Return the largest set of the facts that holds at the start and is kept by every step."""
    facts = _true_at_the_start(relation, facts, budget)
    frame, types = relation.anything("before")
    going = relation.step(frame, 0)
    asking = Asking(relation.numbers, budget)
    asking.add((*types, *going.facts, going.moves, *going.defines))
    turn = 0
    while facts.count:
        turn += 1
        fails = disjunction(map(negation, terms(relation, facts, going.after)))
        if not asking.possible(f"facts, round {turn}", *terms(relation, facts, frame), fails):
            break
        state = tuple(asking.value(cell) for cell in going.after.cells)
        # What is left is true in that state, so it is true in all that follows if it is inductive: nothing is lost.
        for following in _following(interpreter, (state,), FOLLOWED)[0]:
            facts = facts.without_those_refuted(following)
    return facts


def _true_at_the_start(relation: Relation, facts: Facts, budget: Budget) -> Facts:
    start = relation.start()
    asking = Asking(relation.numbers, budget)
    asking.add((*start.facts, *start.defines))
    while facts.count:
        fails = disjunction(map(negation, terms(relation, facts, start.frame)))
        if not asking.possible("facts at the start", fails):
            break
        facts = facts.without_those_refuted(tuple(asking.value(cell) for cell in start.frame.cells))
    return facts
