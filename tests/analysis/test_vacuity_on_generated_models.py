"""The way through a statement that its choices and tests name is the one that the statement took (SEMANTICS H13)."""

from __future__ import annotations

import pytest

from modelcheck.analysis.vacuity import followed
from modelcheck.language import model as m
from modelcheck.semantics.interpreter import Interpreter
from tests.random_systems import random_system


@pytest.mark.parametrize("seed", range(40))
def test_every_decision_of_a_step_is_followed(seed: int) -> None:
    system = random_system(seed)
    interpreter = Interpreter(system)
    todo = [state for state, _, _ in interpreter.initial_states() if state is not None]
    seen = set(todo)
    while todo and len(seen) < 300:
        for step in interpreter.successors(todo.pop()):
            effects = system.model.threads[step.thread].locations[step.location].effects
            path = list(followed(effects, iter(step.choices), iter(step.tests)))
            assert tuple(bool(o) for e, o in path if isinstance(e, m.Test)) == step.tests
            assert tuple(o for e, o in path if isinstance(e, m.Choose | m.Either)) == step.choices
            if step.target is not None:
                assert step.target[system.location_cells[step.thread]] in m.jump_targets(effects)
                if step.target not in seen:
                    seen.add(step.target)
                    todo.append(step.target)
    assert seen
