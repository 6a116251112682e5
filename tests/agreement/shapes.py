"""The explorer's states and steps in the terms of the second opinion, and the comparison of the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelcheck.diagnostics import SpecError
from modelcheck.language.elaborate import elaborate
from modelcheck.language.model import Location, Model
from modelcheck.language.parser import parse
from modelcheck.language.syntax import Specification
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State, Step, TransitionSystem, transition_system
from modelcheck.source import Source
from tests.agreement.second_opinion import Opinion, SecondOpinion, Shape
from tests.agreement.second_steps import END, Place

if TYPE_CHECKING:
    from collections.abc import Iterable


class TooManyStatesError(Exception):
    """The model is larger than a test wants."""


@dataclass(frozen=True)
class Explored:
    """All states of a system by the interpreter, in breadth-first order, with their steps."""

    interpreter: Interpreter
    steps: dict[State, tuple[Step, ...]]
    level: dict[State, int]

    @property
    def system(self) -> TransitionSystem:
        return self.interpreter.system

    @property
    def transitions(self) -> int:
        return sum(map(len, self.steps.values()))


def tree_of(text: str) -> Specification:
    return parse(Source("generated.mck", text))


def model_of(text: str) -> Model:
    return elaborate((tree_of(text),), {}, None)


def explored(system: TransitionSystem, most: int) -> Explored:
    """Return the whole graph, found without the engine."""
    interpreter = Interpreter(system)
    level = {state: 0 for state, _, _ in interpreter.initial_states() if state is not None}
    steps: dict[State, tuple[Step, ...]] = {}
    frontier = list(level)
    while frontier:
        following: list[State] = []
        for state in frontier:
            steps[state] = interpreter.successors(state)
            for step in steps[state]:
                if step.target is not None and step.target not in level:
                    level[step.target] = level[state] + 1
                    following.append(step.target)
            if len(level) > most:
                raise TooManyStatesError
        frontier = following
    return Explored(interpreter, steps, level)


def place_of(location: Location) -> Place:
    if location.is_end:
        return END
    word = "test" if location.text.startswith(("if (", "while (")) else ""
    phase = location.verb.step if location.verb else 0
    left = location.left_by.start if location.left_by else None
    calls = tuple(c.span.start for c in location.call.stack) if location.call else ()
    return (location.span.start, location.span.end, word, phase, left, calls, location.unrolled)


class Shapes:
    """Projects a state on shared variables, locks and places."""

    def __init__(self, system: TransitionSystem, names: Iterable[tuple[str, tuple[int, ...]]]) -> None:
        numbers = {
            (cell.variable.name, cell.index): n
            for n, cell in enumerate(system.cells)
            if cell.variable is not None
        }
        self.cells = [numbers[name] for name in names]
        shared = {
            n for n, c in enumerate(system.cells) if c.variable is not None and c.variable.kind != "local"
        }
        assert set(self.cells) == shared
        self.places = [[place_of(x) for x in thread.locations] for thread in system.model.threads]
        for places in self.places:
            assert len(set(places)) == len(places), "two locations cannot be told apart"
        self.at = system.location_cells

    def of(self, state: State) -> Shape:
        values = tuple(state[n] for n in self.cells)
        return values, tuple(self.places[t][state[cell]] for t, cell in enumerate(self.at))


def opinion_of_explorer(found: Explored, names: list[tuple[str, tuple[int, ...]]]) -> Opinion:
    """Return what the explorer found, projected."""
    shapes = Shapes(found.system, names)
    opinion = Opinion(names)
    for state, _, _ in found.interpreter.initial_states():
        opinion.initial.add(None if state is None else shapes.of(state))
    for state, steps in found.steps.items():
        moves = opinion.moves.setdefault(shapes.of(state), set())
        for step in steps:
            target = None if step.target is None else shapes.of(step.target)
            moves.add((step.thread, step.choices, target))
    return opinion


def disagreement(text: str, most: int) -> str:
    """Return the first difference between the two interpreters, or "" if there is none."""
    tree = tree_of(text)
    model = elaborate((tree,), {}, None)
    ours = explored(transition_system(model), most)
    second = SecondOpinion(tree)
    theirs = second.explore(20 * most)
    return difference(opinion_of_explorer(ours, theirs.cell_names), theirs)


def difference(ours: Opinion, theirs: Opinion) -> str:
    if ours.initial != theirs.initial:
        return f"initial states: {sorted_differences(ours.initial, theirs.initial)}"
    for shape in sorted(ours.moves.keys() | theirs.moves.keys(), key=repr):
        if shape in ours.moves and shape in theirs.moves and ours.moves[shape] != theirs.moves[shape]:
            return f"from {shape}: {sorted_differences(ours.moves[shape], theirs.moves[shape])}"
    if ours.moves.keys() != theirs.moves.keys():
        return f"states: {sorted_differences(set(ours.moves), set(theirs.moves))}"
    return ""


def sorted_differences(ours: set[Any], theirs: set[Any]) -> str:
    return f"explorer only {sorted(ours - theirs, key=repr)[:3]}; second only {sorted(theirs - ours, key=repr)[:3]}"


__all__ = ["Explored", "SpecError", "disagreement", "explored", "model_of"]
