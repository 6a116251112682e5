"""What a search notes of what ever occurs, so that vacuity can be told (SEMANTICS H13).

Cost: a look at each step; a condition is evaluated only until it was true once.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelcheck.semantics.interpreter import Interpreter, Undefined
from modelcheck.semantics.questions import Condition, Occurred, Occurrences, Question
from modelcheck.semantics.transition_system import State, Step, cells_mentioned


class Occurring:
    """Collects the answer to `Occurrences`; without the question it does nothing."""

    def __init__(self, interpreter: Interpreter, questions: Sequence[Question]) -> None:
        asked = [q for q in questions if isinstance(q, Occurrences)]
        self.wanted = bool(asked)
        self._interpreter = interpreter
        self._cells = interpreter.system.location_cells
        self._outcomes: set[tuple[int, int, tuple[int, ...], tuple[bool, ...]]] = set()
        self._waited: set[tuple[int, int]] = set()
        self._true: set[int] = set()
        self._of_states: dict[int, Condition] = {}
        self._of_steps: dict[int, tuple[Condition, frozenset[int]]] = {}
        for number, condition in enumerate(asked[0].conditions if asked else ()):
            if condition.mentions is None:
                self._of_states[number] = condition
            else:
                mentioned = (cells_mentioned(interpreter.system, ref) for ref in condition.mentions)
                self._of_steps[number] = condition, frozenset().union(*mentioned)

    @property
    def all(self) -> Occurred | None:
        """What occurred so far; None if nobody asked."""
        if not self.wanted:
            return None
        return Occurred(frozenset(self._outcomes), frozenset(self._waited), frozenset(self._true))

    def visited(self, state: State) -> None:
        """Note which conditions are true in a new state."""
        for number, condition in tuple(self._of_states.items()):
            if self._is_true(condition, state, None):
                self._true.add(number)
                del self._of_states[number]

    def waited(self, state: State, blocked: frozenset[int]) -> None:
        """Note where the blocked threads of a state stand."""
        if self.wanted:
            self._waited.update((thread, state[self._cells[thread]]) for thread in blocked)

    def stepped(self, state: State | None, step: Step) -> None:
        """Note what a step decided on its way; one before time has no state."""
        if not self.wanted:
            return
        if step.choices or step.tests:
            self._outcomes.add((step.thread, step.location, step.choices, step.tests))
        if state is None or step.target is None:
            return
        for number, (condition, cells) in tuple(self._of_steps.items()):
            changes = any(state[cell] != step.target[cell] for cell in cells)
            if changes and self._is_true(condition, state, step):
                self._true.add(number)
                del self._of_steps[number]

    def _is_true(self, condition: Condition, state: State, step: Step | None) -> bool:
        """Tell whether the condition is true; where it is undefined it is not asked for."""
        try:
            if step is None:
                return self._interpreter.satisfied(condition.expr, state)
            return self._interpreter.satisfied(condition.expr, state, step.target, step.thread)
        except Undefined:
            return False
