"""What a step is: outcomes in order, choices, error steps, who is blocked, held locks, local views."""

from __future__ import annotations

import pytest

from modelcheck.language import model as m
from modelcheck.language.types import Range
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Held, LocalView
from modelcheck.semantics.transition_system import INIT, Step, TransitionSystem
from tests.models import (
    BOOL,
    SMALL,
    STATE,
    Built,
    Code,
    Line,
    branch,
    claim,
    const,
    either,
    equal,
    line_of,
    local,
    lock,
    put,
    ref,
    shared,
    skip,
    system,
    verb,
    wait_for,
)

X = shared("x")
Y = shared("y", Range(0, 8), 8)
A = shared("a", SMALL, 0, (Range(0, 2, "Block"),))
PLUS_ONE = m.Arith("+", ref(Y), const(1))


def one(*lines: Line, **more) -> TransitionSystem:
    return system(Built([Code("t", list(lines), **more)], [X, Y, A]))


def first_steps(built: TransitionSystem) -> tuple[Step, ...]:
    interpreter = Interpreter(built)
    ((state, _, _),) = interpreter.initial_states()
    assert state is not None
    return interpreter.successors(state)


def changed(built: TransitionSystem, step: Step) -> dict[str, int]:
    """Return what the step changed, by name of the cell."""
    assert step.target is not None
    cells = zip(built.cells, built.declared, step.target, strict=True)
    return {cell.name: after for cell, before, after in cells if before != after}


def test_effects_run_in_sequence_and_end_at_the_next_location() -> None:
    built = one(Line((m.Assign(ref(X), const(2)), m.Assign(ref(A, ref(X)), ref(X)))))
    (step,) = first_steps(built)
    assert changed(built, step) == {"x": 2, "a[2]": 2, "t": 1}
    assert (step.thread, step.location, step.choices, step.breach) == (0, 0, (), None)


def test_a_value_outside_its_range_is_an_error_step() -> None:
    (step,) = first_steps(one(put(Y, PLUS_ONE)))
    assert step.target is None
    assert step.breach is not None
    assert step.breach.check == "range"
    assert (
        step.breach.message == "`y` left its range 0..8 with 9: a bug, or the bound of the model is too small"
    )
    assert step.breach.span == line_of(2)


def test_an_index_outside_its_dimension_is_an_error_step_and_the_value_comes_first() -> None:
    (outside,) = first_steps(one(put(ref(A, 3), 0)))
    assert outside.breach is not None
    assert outside.breach.message == "index 3 is outside Block (0 .. 2)"
    (divided,) = first_steps(one(put(ref(A, 3), m.Arith("/", const(1), const(0)))))
    assert divided.breach is not None
    assert divided.breach.message == "division by zero"


def test_the_span_of_an_assignment_is_where_it_fails() -> None:
    (step,) = first_steps(one(Line((m.Assign(ref(Y), PLUS_ONE, line_of(77)),))))
    assert step.breach is not None
    assert step.breach.span == line_of(77)


def test_an_undefined_guard_is_an_error_step_and_a_false_one_is_none() -> None:
    (step,) = first_steps(one(wait_for(m.Arith("%", ref(X), ref(X)))))
    assert step.breach is not None
    assert first_steps(one(wait_for(ref(X)))) == ()


def test_a_broken_rule_is_an_error_step_with_its_breach() -> None:
    built = one(
        Line((m.Assign(ref(X), const(1)), m.Require(equal(ref(X), 0), m.Breach("assertion", "no", "p"))))
    )
    (step,) = first_steps(built)
    assert step.target is None
    assert step.breach == m.Breach("assertion", "no", "p")
    assert step.breach is not None
    assert step.breach.span == line_of(2)
    (undefined,) = first_steps(one(claim(m.Arith("/", const(1), ref(X)))))
    assert undefined.breach == m.Breach("range", "division by zero")


def test_choose_has_an_outcome_for_each_value_that_fits_in_rising_order() -> None:
    odd = m.Compare("==", m.Arith("%", ref(Y), const(2)), const(1))
    steps = first_steps(one(Line((m.Choose(ref(Y), 0, 6, odd),))))
    assert [step.choices for step in steps] == [(1,), (3,), (5,)]
    assert [step.target[1] for step in steps if step.target] == [1, 3, 5]


def test_choose_without_a_value_blocks() -> None:
    built = one(Line((m.Choose(ref(X), 0, 3, m.FALSE),)))
    assert first_steps(built) == ()
    assert Interpreter(built).blocked(built.declared, 0)


def test_the_condition_of_choose_may_be_undefined_for_a_value() -> None:
    steps = first_steps(one(Line((m.Choose(ref(X), 0, 1, m.Arith("/", const(1), ref(X))),))))
    assert [(step.choices, step.target is None) for step in steps] == [((0,), True), ((1,), False)]


def test_choices_multiply_in_their_order_and_equal_targets_stay_apart() -> None:
    twice = (m.Choose(ref(X), 0, 1), m.Either(((m.Assign(ref(X), const(0)),), (), ())))
    steps = first_steps(one(Line(twice)))
    assert [step.choices for step in steps] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert len({step.target for step in steps}) == 2


def test_either_commits_to_a_branch_that_blocks() -> None:
    built = one(either(1, 2), wait_for(m.FALSE), skip())
    steps = first_steps(built)
    assert [step.choices for step in steps] == [(0,), (1,)]
    assert steps[0].target is not None
    assert Interpreter(built).blocked(steps[0].target, 0)


def test_a_branch_may_go_on_or_jump() -> None:
    inside = m.Test(equal(ref(X), 0), (m.Assign(ref(X), const(1)), m.Jump(2)), (m.Assign(ref(X), const(2)),))
    built = one(Line((inside, m.Assign(ref(X), const(3)))), skip(), skip())
    (step,) = first_steps(built)
    assert changed(built, step) == {"x": 1, "t": 2}


def test_a_path_of_many_conditions_needs_no_deep_stack() -> None:
    many = tuple(m.Test(equal(ref(X), 0), (m.Assign(ref(Y), const(i % 9)),), ()) for i in range(5000))
    built = one(Line(many))
    (step,) = first_steps(built)
    assert changed(built, step) == {"y": 4999 % 9, "t": 1}


def test_events_show_their_arguments_as_the_language_writes_them() -> None:
    emitted = (m.Assign(ref(X), const(1)), m.Emit("seen", (ref(X), ref(X), ref(Y)), (STATE, BOOL, SMALL)))
    (step,) = first_steps(one(Line(emitted)))
    assert step.events == (("seen", ("ONLINE", "true", "8")),)


def test_a_crossing_keeps_the_cells_of_its_moment() -> None:
    call = m.Call("f", line_of(5), 0)
    path = (
        m.Crossing(call, False),
        m.Assign(ref(X), const(1)),
        m.Crossing(call, True),
        m.Assign(ref(X), const(2)),
    )
    (step,) = first_steps(one(Line(path)))
    assert [(each.leaves, cells[0]) for each, cells in step.crossings] == [(False, 0), (True, 1)]


def test_a_finished_thread_has_no_step_and_is_not_blocked() -> None:
    built = one(skip())
    interpreter = Interpreter(built)
    (step,) = first_steps(built)
    assert step.target is not None
    assert interpreter.finished(step.target, 0)
    assert interpreter.successors(step.target) == ()
    assert not interpreter.blocked(step.target, 0)


def test_steps_come_by_thread_and_then_by_choice() -> None:
    codes = [Code(name, [either(1, 1), skip()]) for name in ("t", "u")]
    steps = first_steps(system(Built(codes)))
    assert [(step.thread, step.choices) for step in steps] == [(0, (0,)), (0, (1,)), (1, (0,)), (1, (1,))]


def test_init_and_the_starts_make_the_initial_states() -> None:
    n = local("n", 1)
    codes = [Code("t", [skip()]), Code("u", [put(X, ref(n))], locals=(n,), start=(m.Choose(ref(n), 1, 2),))]
    built = system(Built(codes, [X], initial=(m.Either(((), (m.Assign(ref(X), const(1)),), ())),)))
    found = Interpreter(built).initial_states()
    assert found == (
        ((0, 1, 0, 0), None, (0, 1)),
        ((0, 2, 0, 0), None, (0, 2)),
        ((1, 1, 0, 0), None, (1, 1)),
        ((1, 2, 0, 0), None, (1, 2)),
    )


def test_an_error_before_time_is_a_breach_without_a_thread() -> None:
    plus_one = m.Assign(ref(X), m.Arith("+", ref(X), const(1)))
    built = system(Built([Code("t", [skip()])], [X], initial=(m.Choose(ref(X), 2, 3), plus_one)))
    interpreter = Interpreter(built)
    (good, bad) = interpreter.initial_states()
    assert good[:2] == ((3, 0), None)
    assert bad[0] is None
    assert bad[1] is not None
    assert bad[1].check == "range"
    assert [(step.thread, step.location) for step in interpreter.before_time] == [(INIT, INIT), (INIT, INIT)]


def test_a_start_may_lead_anywhere() -> None:
    code = Code("t", [skip(), skip()], start=(m.Jump(1),))
    ((state, _, _),) = Interpreter(system(Built([code]))).initial_states()
    assert state == (1,)


NAMES = ("t", "u")


def locked() -> tuple[TransitionSystem, Interpreter]:
    per_block = lock("l", "mutex", NAMES, (Range(0, 1),))
    percpu = lock("p", "percpu_rwsem", NAMES)
    n = local("n", 0, value=1)
    second = m.LockAt(per_block, (ref(n),))
    code = [
        *verb("mutex_lock", second, 0, NAMES),
        *verb("percpu_down_read", percpu, 0, NAMES),
        put(X, ref(n)),
    ]
    other = [*verb("percpu_down_write", percpu, 1, NAMES)]
    built = system(Built([Code("t", code, locals=(n,)), Code("u", other)], [X], [per_block, percpu]))
    return built, Interpreter(built)


def test_held_locks_are_found_with_instance_and_mode() -> None:
    _, interpreter = locked()
    ((state, _, _),) = interpreter.initial_states()
    for _ in range(2):
        assert state is not None
        state = interpreter.steps_of(state, 0)[0].target
    assert state is not None
    assert interpreter.held(state, 0) == (Held("l", (1,), "write"), Held("p", (), "read"))
    assert interpreter.held(state, 1) == ()
    announced = interpreter.steps_of(state, 1)[0].target
    assert announced is not None
    assert interpreter.held(announced, 1) == ()
    assert interpreter.blocked(announced, 1)


def test_a_local_view_has_the_live_locals_only() -> None:
    built, interpreter = locked()
    ((state, _, _),) = interpreter.initial_states()
    assert state is not None
    number = next(i for i, cell in enumerate(built.cells) if cell.name == "n")
    assert interpreter.local_view(state, 0) == LocalView(0, 0, ((number, 1),), ())
    for _ in range(3):
        state = interpreter.steps_of(state, 0)[0].target
        assert state is not None
    held = (Held("l", (1,), "write"), Held("p", (), "read"))
    assert interpreter.local_view(state, 0) == LocalView(0, 3, (), held)


@pytest.mark.parametrize(
    ("daemon", "rests", "holds", "expected"),
    [
        (True, True, False, True),
        (False, True, False, False),
        (True, False, False, False),
        (True, True, True, False),
    ],
)
def test_only_a_daemon_that_waits_for_work_with_empty_hands_is_at_rest(
    daemon, rests, holds, expected
) -> None:
    mutex = lock("l", "mutex", ("t",))
    lines = [*(verb("mutex_lock", mutex, 0, ("t",)) if holds else [skip()]), wait_for(ref(X), rests=rests)]
    built = system(Built([Code("t", lines, daemon=daemon)], [X], [mutex]))
    interpreter = Interpreter(built)
    ((state, _, _),) = interpreter.initial_states()
    assert state is not None
    assert not interpreter.resting(state, 0)
    state = interpreter.successors(state)[0].target
    assert state is not None
    assert interpreter.resting(state, 0) is expected


def test_a_try_goes_both_ways() -> None:
    mutex = lock("l", "mutex", NAMES)
    tried = verb("mutex_trylock", mutex, 0, NAMES, otherwise=1)
    built = system(
        Built([Code("t", [*tried, skip()]), Code("u", verb("mutex_lock", mutex, 1, NAMES))], [], [mutex])
    )
    interpreter = Interpreter(built)
    got = interpreter.steps_of((0, 0, 0), 0)
    refused = interpreter.steps_of((2, 0, 1), 0)
    assert [step.target for step in got] == [(1, 1, 0)]
    assert [step.target for step in refused] == [(2, 1, 1)]


def test_a_condition_chooses_the_location() -> None:
    built = one(branch(equal(ref(X), 0), 2, 1), skip(), skip())
    (step,) = first_steps(built)
    assert changed(built, step) == {"t": 2}
