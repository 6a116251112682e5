"""What one step is, shown on the smallest models (SEMANTICS A1). The numbers were counted by hand."""

from __future__ import annotations

import pytest

import modelcheck
from modelcheck.engine import reference
from modelcheck.engine.engine import Limits
from modelcheck.semantics.transition_system import transition_system
from tests.transcript import ROOT

COUNTED = {
    "args_local": (5, 4),  # arguments of locals take no step
    "args_shared": (4, 3),  # one step evaluates arguments that read shared variables
    "atomic_comb": (4, 4),  # a transition for each combination of choices
    "calls_not_run": (2, 1),  # a thread of no instances loops around a call that nobody looks into
    "choose_none": (11, 12),  # blocked while no value fits
    "drop_result": (8, 8),  # `return ret` is a use of ret, though the caller drops the result
    "error_step": (4, 6),  # an error step is a transition without a target
    "for_break": (4, 3),  # conditions on a `for` variable are constant
    "goto_err": (11, 10),  # two copies of an op; jumps and returns of locals take no step
    "guard_return": (8, 7),  # value first, then two releases, innermost first
    "ifelse_atomic_local": (11, 12),  # the test of a local is a step, after which it is dead
    "init_choice": (7, 5),  # five distinct initial states
    "recursive_percpu": (17, 19),  # down_write takes two steps
    "same_target": (3, 5),  # four choices that lead to one state are four transitions
    "while_trylock": (8, 9),  # a verb that is a whole condition is one step
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_small_model_has_the_states_and_transitions_counted_by_hand(name: str) -> None:
    model = modelcheck.load(ROOT / "tests" / "steps" / f"{name}.mck")
    statistics = reference.explore(transition_system(model), (), Limits()).statistics
    assert (statistics.states, statistics.transitions) == COUNTED[name]
