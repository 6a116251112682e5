"""What keeps a lock-order cycle apart, by taking one thing away at a time (SEMANTICS A6)."""

from __future__ import annotations

from modelcheck.analysis.removal import locks_taken, waits_and_conditions, without
from modelcheck.analysis.trials import STATES_IN_ALL, Trials, trials
from modelcheck.diagnostics import SpecError
from modelcheck.engine import reference
from modelcheck.engine.engine import Limits
from modelcheck.engine.first import first_circular_wait
from modelcheck.language.elaborate import elaborate
from modelcheck.language.model import Model
from modelcheck.language.parser import parse
from modelcheck.pipeline import locks
from modelcheck.report.contents import LocksReport
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import CircularWaits, LocalViews
from modelcheck.semantics.transition_system import transition_system
from modelcheck.source import Source
from tests.random_models import REFUSED, numbered

ORDERS = """
op forth() { mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); }
op back() { mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); }
"""


def looked_at(text: str) -> LocksReport:
    return locks(elaborate((parse(Source("test.mck", "model m; mutex a; mutex b;\n" + ORDERS + text)),)))


def tried(text: str) -> Trials:
    (found,) = looked_at(text).trials.values()
    return found


def breaking(text: str) -> dict[tuple[str, str], int]:
    """Return what makes the cycle a deadlock: what is left out, and where, to the length of the trace."""
    found = {}
    for trial in tried(text).breaking:
        assert trial.finding is not None
        assert trial.finding.certified
        assert trial.finding.trace is not None
        found[trial.removal.what, trial.removal.where] = len(trial.finding.trace.steps)
    return found


def gated(first: str, second: str, more: str = "") -> str:
    return f"mutex gate; {more} thread one {{ {first} }} thread two {{ {second} }}"


# --- who breaks it -------------------------------------------------------------------------------


def test_each_side_that_forgets_the_gate_breaks_it() -> None:
    text = gated(
        "mutex_lock(gate); forth(); mutex_unlock(gate);", "mutex_lock(gate); back(); mutex_unlock(gate);"
    )
    assert breaking(text) == {("gate", "one"): 4, ("gate", "two"): 4}


def test_a_gate_that_is_taken_by_a_try_is_left_out_as_if_it_had_been_got() -> None:
    text = gated(
        "while (!mutex_trylock(gate)) { } forth(); mutex_unlock(gate);",
        "mutex_lock(gate); back(); mutex_unlock(gate);",
    )
    assert breaking(text) == {("gate", "one"): 4, ("gate", "two"): 4}


def test_a_gate_in_an_op_is_left_out_in_the_op_whoever_calls_it() -> None:
    text = gated(
        "both();",
        "mutex_lock(gate); back(); mutex_unlock(gate);",
        "op both() { guard(mutex)(gate); forth(); }",
    )
    assert breaking(text) == {("gate", "both"): 4, ("gate", "two"): 4}


def test_every_caller_that_takes_the_gate_for_a_shared_op_is_found() -> None:
    text = gated(
        "mutex_lock(gate); forth(); mutex_unlock(gate);",
        "mutex_lock(gate); back(); mutex_unlock(gate);",
        "thread three { mutex_lock(gate); forth(); mutex_unlock(gate); }",
    )
    assert set(breaking(text)) == {("gate", "one"), ("gate", "two"), ("gate", "three")}


def test_an_interruptible_gate_is_left_out_with_its_result() -> None:
    text = gated(
        "var err: Errno; err = mutex_lock_interruptible(gate); if (err == 0) { forth(); mutex_unlock(gate); }",
        "mutex_lock(gate); back(); mutex_unlock(gate);",
    )
    assert ("gate", "one") in breaking(text)


def test_a_writer_s_two_steps_are_left_out_together() -> None:
    text = """
        percpu_rwsem gate;
        thread one { percpu_down_write(gate); forth(); percpu_up_write(gate); }
        thread two { percpu_down_read(gate); back(); percpu_up_read(gate); }
    """
    assert breaking(text) == {("gate", "one"): 5, ("gate", "two"): 5}


def test_of_two_gates_each_of_which_suffices_nobody_breaks_the_cycle_alone() -> None:
    text = """
        mutex gate; mutex other;
        thread one { mutex_lock(gate); mutex_lock(other); forth(); mutex_unlock(other); mutex_unlock(gate); }
        thread two { mutex_lock(gate); mutex_lock(other); back(); mutex_unlock(other); mutex_unlock(gate); }
    """
    found = tried(text)
    assert len(found.trials) == 4
    assert found.breaking == ()
    assert found.is_decided


def test_who_insists_on_the_gate_that_is_left_out_does_not_end_the_search() -> None:
    text = gated(
        "mutex_lock(gate); lockdep_assert_held(gate); forth(); mutex_unlock(gate);",
        "mutex_lock(gate); back(); mutex_unlock(gate);",
    )
    assert ("gate", "one") in breaking(text)


# --- kept apart by -------------------------------------------------------------------------------


def test_an_await_keeps_apart() -> None:
    text = "var done: bool marked; thread one { forth(); done = true; } thread two { await(done); back(); }"
    assert breaking(text) == {("await(done)", "two"): 3}


def test_a_condition_keeps_apart() -> None:
    text = "var done: bool marked; thread one { forth(); done = true; } thread two { if (done) { back(); } }"
    assert breaking(text) == {("if (done)", "two"): 3}


def test_a_choice_of_what_is_there_keeps_apart() -> None:
    text = """
        var ready: bool marked;
        thread one { forth(); ready = true; }
        thread two { choose x: 0 .. 1 where ready; back(); }
    """
    assert set(breaking(text)) == {("choose x: 0 .. 1 where ready", "two")}


BEHALF = """
    mutex gate; var work: 0 .. 2 marked;
    thread boss { mutex_lock(gate); work = 1; await(work == 2); mutex_unlock(gate); }
    daemon thread worker { await(work == 1); forth(); work = 2; }
    thread other { mutex_lock(gate); back(); mutex_unlock(gate); }
"""


def test_a_lock_that_another_thread_holds_meanwhile_keeps_apart() -> None:
    found = breaking(BEHALF)
    assert {("gate", "boss"), ("gate", "other")} <= set(found)
    assert ("await(work == 1)", "worker") in found


def test_what_two_things_keep_apart_is_no_single_one_s_doing() -> None:
    found = tried("""
        var x: bool marked; var y: bool marked;
        thread one { forth(); x = true; y = true; }
        thread two { await(x); await(y); back(); }
    """)
    assert len(found.trials) == 2
    assert found.breaking == ()
    assert found.is_decided


def test_a_limit_leaves_trials_undecided() -> None:
    report = looked_at(BEHALF)
    (cycle,) = report.scenario.judgement.order.cycles
    found = trials(report.scenario.explainer, cycle, Limits(states=3))
    assert not found.is_decided
    assert {trial.stopped for trial in found.trials} == {"limit of 3 states"}
    assert found.left_out == 0


def test_error_steps_leave_a_trial_undecided() -> None:
    found = tried("""
        var n: 0 .. 1 marked; var z: 0 .. 1 marked; var x: bool marked; var y: bool marked;
        thread one { forth(); x = true; n = 1; y = true; }
        thread two { await(x); await(y); z = n - 1; back(); }
    """)
    assert found.breaking == ()
    assert not found.is_decided


def test_a_reachable_cycle_needs_no_trial() -> None:
    assert tried("thread one { forth(); } thread two { back(); }") == Trials(())


def test_what_is_tried_is_bounded_by_a_number_of_states() -> None:
    assert STATES_IN_ALL == 200_000


# --- models that lack something ------------------------------------------------------------------


def generated(seed: int) -> Model | None:
    """Return a generated model; None if it is refused, as a few are."""
    try:
        return elaborate((parse(Source("test.mck", numbered(seed).text)),))
    except SpecError as error:
        if {each.code for each in error.diagnostics} <= REFUSED:
            return None
        raise


def test_the_search_for_one_circular_wait_agrees_with_the_reference_engine() -> None:
    compared = waits = 0
    for seed in range(70):
        model = generated(seed)
        if model is None:
            continue
        system = transition_system(model)
        answers = reference.explore(system, (CircularWaits(),), Limits(states=1_500))
        if answers.stopped:
            continue
        sought = first_circular_wait(Interpreter(system), lambda _state, _ring: True, Limits())
        nearest = min((found.level for found in answers.found), default=None)
        assert (len(sought.trace.steps) if sought.trace else None) == nearest, seed
        compared += 1
        waits += nearest is not None
    assert compared > 20
    assert waits > 3


def test_whatever_is_left_out_of_a_model_a_model_remains() -> None:
    looked = 0
    for seed in range(40):
        model = generated(seed)
        if model is None:
            continue
        for removal in (*locks_taken(model), *waits_and_conditions(model))[:4]:
            changed = without(model, removal)
            answers = reference.explore(transition_system(changed), (), Limits(states=200))
            assert answers.statistics.states > 0 or "init" in numbered(seed).text
            looked += 1
    assert looked > 60


def test_an_acquisition_that_is_left_out_is_never_held() -> None:
    """What is left out in every op that takes a lock is held by nobody, in any state."""
    model = looked_at(gated("mutex_lock(gate); forth(); mutex_unlock(gate);", "back();")).scenario.model
    (removal,) = (r for r in locks_taken(model) if r.lock == "gate")
    system = transition_system(without(model, removal))
    answers = reference.explore(system, (LocalViews(),), Limits())
    assert {held.lock for view in answers.views for held in view.held} == {"a", "b"}
