"""The reference engine: exact counts, what it finds and how it names it, limits, the graph (SEMANTICS A1, A4, A7)."""

from __future__ import annotations

import pytest

from modelcheck.engine import closing
from modelcheck.engine.closing import bottom_component, closed_set
from modelcheck.engine.engine import Answers, Found, Limits
from modelcheck.engine.memory import size_shown
from modelcheck.engine.reference import explore, graph
from modelcheck.engine.space import Space
from modelcheck.language import model as m
from modelcheck.language.elaborate import elaborate
from modelcheck.language.parser import parse
from modelcheck.language.types import Range
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import (
    ActionCounts,
    CannotFinish,
    CircularWaits,
    Crossings,
    ErrorSteps,
    Held,
    LocalViews,
    Question,
    StatePredicate,
    StepPredicate,
    StuckForEver,
)
from modelcheck.semantics.transition_system import INIT, TransitionSystem, transition_system
from modelcheck.source import NOWHERE, Source
from tests.models import (
    BOOL,
    Built,
    Code,
    Line,
    branch,
    claim,
    const,
    either,
    equal,
    line_of,
    lock,
    put,
    ref,
    shared,
    skip,
    system,
    verb,
    wait_for,
)

NAMES = ("t", "u")
X, Y = shared("x"), shared("y", BOOL)
LOSSES: tuple[Question, ...] = (ErrorSteps(), CircularWaits(), StuckForEver(), CannotFinish())

EXAMPLE = """
model memory_hotplug;
param ADD_TAKES_HOTPLUG_LOCK: bool = true;
enum State { OFFLINE, GOING_OFFLINE, ONLINE }
mutex        device_hotplug_lock;
mutex        device_lock;
percpu_rwsem mem_hotplug_lock;
var visible: bool = false marked "kernfs orders creation and lookup";
var state: State = OFFLINE guarded_by device_lock;
op device_online() -> Errno {
    mutex_lock(device_lock);
    if (state != OFFLINE) {
        mutex_unlock(device_lock);
        return -EINVAL;
    }
    percpu_down_write(mem_hotplug_lock);
    either { state = ONLINE; } or { skip; }
    percpu_up_write(mem_hotplug_lock);
    mutex_unlock(device_lock);
    return 0;
}
op add_memory() {
    if (ADD_TAKES_HOTPLUG_LOCK) { mutex_lock(device_hotplug_lock); }
    percpu_down_write(mem_hotplug_lock);
    visible = true;
    mutex_lock(device_lock);
    mutex_unlock(device_lock);
    percpu_up_write(mem_hotplug_lock);
    if (ADD_TAKES_HOTPLUG_LOCK) { mutex_unlock(device_hotplug_lock); }
}
thread acpi { add_memory(); }
thread udev {
    await(visible);
    guard(mutex)(device_hotplug_lock);
    device_online();
}
"""


def answers(built: TransitionSystem, *questions: Question, limits: Limits = Limits()) -> Answers:  # noqa: B008
    return explore(built, questions, limits)


def only(found: Answers) -> Found:
    (each,) = found.found
    return each


def counts(found: Answers) -> tuple[int, int, int]:
    return found.statistics.states, found.statistics.transitions, found.statistics.depth


def code(
    *threads: list[Line], locks: tuple[m.Lock, ...] = (), daemons: tuple[int, ...] = ()
) -> TransitionSystem:
    names = ("t", "u", "v")
    coded = [
        Code(name, lines, daemon=n in daemons)
        for n, (name, lines) in enumerate(zip(names, threads, strict=False))
    ]
    return system(Built(coded, [X, Y], list(locks)))


# --- counts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("takes_lock", "states", "transitions"), [(False, 33, 40), (True, 29, 32)])
def test_the_example_of_the_design_has_exactly_these_counts(takes_lock, states, transitions) -> None:
    parsed = parse(Source("example.mck", EXAMPLE))
    built = transition_system(elaborate((parsed,), {"ADD_TAKES_HOTPLUG_LOCK": takes_lock}))
    found = answers(built, *LOSSES)
    assert (found.statistics.states, found.statistics.transitions) == (states, transitions)
    assert [type(each.question) for each in found.found] == ([] if takes_lock else [CircularWaits])


def test_independent_threads_multiply() -> None:
    assert counts(answers(code([skip(), skip()], [skip(), skip(), skip()]))) == (12, 17, 5)


def test_transitions_with_the_same_target_count_twice() -> None:
    assert counts(answers(code([either(1, 1)]))) == (2, 2, 1)


def test_an_error_step_is_a_transition_without_a_target() -> None:
    assert counts(answers(code([claim(m.FALSE), skip()]))) == (1, 1, 0)


def test_a_state_that_violates_something_is_expanded_like_every_other() -> None:
    built = code([put(X, 1), put(X, 2), put(X, 3)])
    violated = StatePredicate("invariant", "small", equal(ref(X), 1), ("invariant", "small"), "")
    assert counts(answers(built, violated)) == (4, 3, 3)


def test_each_distinct_outcome_of_init_is_an_initial_state() -> None:
    built = system(Built([Code("t", [skip()])], [X], initial=(m.Choose(ref(X), 0, 2),)))
    assert counts(answers(built)) == (6, 3, 1)


def test_a_model_without_an_initial_state_has_no_state() -> None:
    built = system(Built([Code("t", [skip()])], [X], initial=(m.Choose(ref(X), 0, 2, m.FALSE),)))
    assert counts(answers(built, *LOSSES, LocalViews())) == (0, 0, 0)


# --- predicates ----------------------------------------------------------------------------------


def test_a_state_predicate_is_found_where_it_is_first_true() -> None:
    built = code([put(X, 1), put(X, 2)], [skip()])
    found = only(answers(built, StatePredicate("reachable", "p", equal(ref(X), 2), ("reachable", "p"), "")))
    assert (found.level, found.states, found.cause) == (2, 2, ("reachable", "p"))
    assert [step.thread for step in found.trace.steps] == [0, 0]


def test_a_predicate_of_a_thread_at_a_location_is_looked_at_only_there() -> None:
    built = code([skip(), put(X, 1), skip()])
    at = StatePredicate("guarded_by", "x", m.TRUE, ("x",), "", thread=0, location=1)
    found = only(answers(built, at))
    assert (found.level, found.states, found.members) == (1, 1, (0,))


def test_an_undefined_predicate_is_neither_true_nor_false() -> None:
    built = code([put(X, 1), skip()])
    inverse = StatePredicate("invariant", "p", equal(m.Arith("/", const(1), ref(X)), 1), ("p",), "")
    undefined, shown = answers(built, inverse).found
    assert (undefined.undefined, undefined.level, undefined.states) == ("division by zero", 0, 1)
    assert (shown.undefined, shown.level, shown.states) == ("", 1, 2)


def rises(variable: m.Variable, *index: m.Expr) -> StepPredicate:
    now, later = m.Ref(variable, index), m.Ref(variable, index, primed=True)
    mentions = tuple(dict.fromkeys(m.Ref(each.var, each.index) for each in m.refs(m.And((now, later)))))
    return StepPredicate("rises", m.Compare(">", later, now), mentions)


def test_a_step_property_speaks_only_of_steps_that_change_what_it_mentions() -> None:
    built = code([put(X, 1), skip(), put(X, 0)], [put(Y, 1), skip()])
    found = only(answers(built, rises(X)))
    assert (found.level, found.states) == (3, 3)
    assert [step.thread for step in found.trace.steps] == [0, 0, 0]
    assert answers(code([put(X, 0), skip(), put(X, 2)]), rises(X)).found == ()


def test_an_element_named_by_a_variable_changes_when_its_value_does() -> None:
    cells, at = shared("c", BOOL, 0, (Range(0, 1),)), shared("at", BOOL)
    lines = [put(ref(cells, 1), 1), put(ref(cells, 0), 1), put(at, 1), put(ref(cells, 0), 0)]
    built = system(Built([Code("t", lines)], [cells, at]))
    found = only(answers(built, rises(cells, ref(at))))
    # Setting c[1] is not spoken of while at = 0; moving `at` from one true element to another is, and c does not rise.
    assert (found.level, found.states) == (3, 1)


def test_a_step_property_knows_who_moved_and_error_steps_satisfy_it() -> None:
    mine = StepPredicate("mine", m.Compare("==", m.Mover(2), const(1)), (ref(X),))
    built = code([put(X, 1)], [put(X, 2), claim(m.FALSE)])
    found = only(answers(built, mine))
    assert (found.level, found.members) == (1, (1,))


def test_an_undefined_step_property_is_reported_as_such() -> None:
    odd = StepPredicate("odd", m.Arith("/", const(1), ref(X)), (ref(X),))
    found = only(answers(code([put(X, 1)]), odd))
    assert found.undefined == "division by zero"
    assert len(found.trace.steps) == 1


# --- error steps ---------------------------------------------------------------------------------


def test_an_error_step_has_one_cause_a_place_and_declaration() -> None:
    count = m.Arith("+", ref(X), const(3))
    lines = [either(1, 1), put(X, count), put(X, count)]
    built = system(Built([Code(f"t{n}", lines, declaration="t") for n in range(2)], [X]))
    found = answers(built, ErrorSteps()).found
    assert {each.cause[-1] for each in found} == {"t"}
    assert {each.cause[-2] for each in found} == {str(line_of(n)) for n in (3, 4, 103, 104)}
    assert {each.cause[2].partition(":")[0] for each in found} == {"`x` left its range N..N with N"}
    first = found[0]
    assert (first.level, len(first.trace.steps), first.members) == (3, 3, (0,))
    assert first.trace.steps[-1].target is None


def test_an_error_before_time_is_found_with_a_run_of_one_step() -> None:
    built = system(Built([Code("t", [skip()])], [X], initial=(m.Assign(ref(X), const(9)),)))
    found = only(answers(built, ErrorSteps()))
    assert found.cause[-1] == "init"
    assert (found.trace.initial, found.level) == (built.declared, 1)
    assert [(step.thread, step.location) for step in found.trace.steps] == [(INIT, INIT)]


# --- circular waits, stuck, cannot finish --------------------------------------------------------


def inverted(
    third: list[Line] | None = None, daemons: tuple[int, ...] = (), *, follows: bool = False
) -> TransitionSystem:
    """Return two threads that take two mutexes in opposite orders; a third one may take the first of them."""
    a, b = lock("a", "mutex", ("t", "u", "v")), lock("b", "mutex", ("t", "u", "v"))
    names = ("t", "u", "v")
    orders = ((a, b), (b, a))
    threads = [
        [line for taken in order for line in verb("mutex_lock", taken, n, names)]
        + [line for taken in order for line in verb("mutex_unlock", taken, n, names)]
        for n, order in enumerate(orders)
    ]
    if follows:
        third = [*verb("mutex_lock", a, 2, names), *verb("mutex_unlock", a, 2, names)]
    return code(*threads, *([third] if third else []), locks=(a, b), daemons=daemons)


def test_a_circular_wait_is_found_though_another_thread_still_runs() -> None:
    found = only(answers(inverted([skip(to=0)], daemons=(2,)), *LOSSES))
    assert isinstance(found.question, CircularWaits)
    assert (found.level, found.states, found.members) == (2, 1, (0, 1))
    assert found.cause == (f"t {line_of(3)} b", f"u {line_of(103)} a")


def test_who_waits_for_a_circular_wait_is_not_called_stuck() -> None:
    found = only(answers(inverted(follows=True), *LOSSES))
    assert isinstance(found.question, CircularWaits)
    assert (found.members, found.states) == ((0, 1), 2)


def pairs(count: int) -> TransitionSystem:
    """Return pairs of threads of two declarations, each pair with two locks of one class, in opposite orders."""
    names = tuple(f"{kind}{n}" for n in range(count) for kind in "tu")
    locks = lock("l", "mutex", names, (Range(0, 2 * count - 1),))
    codes = []
    for me, name in enumerate(names):
        first, second = (m.LockAt(locks, (const(i),)) for i in (me, me + 1 - 2 * (me % 2)))
        lines = [*verb("mutex_lock", first, me, names), *verb("mutex_lock", second, me, names)]
        codes.append(Code(name, lines, declaration=name[0], lines_from=100 * (me % 2)))
    return system(Built(codes, [], [locks]))


def test_two_rings_of_one_cause_count_a_state_once() -> None:
    alone, both = answers(pairs(1), CircularWaits()), answers(pairs(2), CircularWaits())
    states = alone.statistics.states
    assert both.statistics.states == states * states
    assert only(alone).cause == only(both).cause == (f"t {line_of(3)} l", f"u {line_of(103)} l")
    assert (only(alone).states, only(both).states) == (1, 2 * states - 1)
    assert only(both).members == (0, 1)


def test_a_lost_condition_is_stuck_with_the_closed_set_behind_it() -> None:
    built = code([wait_for(ref(Y))], [skip(to=0)], daemons=(1,))
    found = only(answers(built, *LOSSES))
    assert isinstance(found.question, StuckForEver)
    assert (found.level, found.states, found.members) == (0, 1, (0,))
    assert found.cause == (f"t {line_of(2)}",)
    assert found.closed == {found.trace.last}


def test_a_daemon_at_rest_is_fine_and_who_waits_for_it_is_stuck() -> None:
    rests = [wait_for(ref(Y)), put(X, 1, to=0)]
    assert answers(code(rests, daemons=(0,)), *LOSSES).found == ()
    found = only(answers(code(rests, [wait_for(equal(ref(X), 1))], daemons=(0,)), *LOSSES))
    assert isinstance(found.question, StuckForEver)
    assert found.members == (1,)


def test_a_retry_that_never_succeeds_cannot_finish() -> None:
    built = code([branch(ref(Y), 1, 0), skip()], [skip()])
    found = only(answers(built, *LOSSES))
    assert isinstance(found.question, CannotFinish)
    assert (found.level, found.states, found.members, found.cause) == (0, 2, (0,), ("t",))
    assert found.closed is not None
    assert len(found.closed) == 2


def test_the_head_of_a_loop_that_cannot_be_left_is_a_goal() -> None:
    turns = [put(X, 1), put(X, 2, to=0)]
    lost = answers(system(Built([Code("t", turns)], [X])), *LOSSES)
    assert isinstance(only(lost).question, CannotFinish)
    fine = system(Built([Code("t", turns, goals=frozenset({0, 2}))], [X]))
    assert answers(fine, *LOSSES).found == ()


def test_a_daemon_may_run_for_ever() -> None:
    assert answers(code([skip(to=0)], daemons=(0,)), *LOSSES).found == ()


def test_nothing_is_concluded_where_an_error_step_can_still_come() -> None:
    built = code([wait_for(ref(Y))], [skip(), claim(m.FALSE)])
    assert [type(each.question) for each in answers(built, *LOSSES).found] == [ErrorSteps]
    avoided = code([wait_for(ref(Y))], [either(1, 2), claim(m.FALSE), skip()])
    found = answers(avoided, *LOSSES).found
    assert [(type(each.question), each.level) for each in found] == [(StuckForEver, 1), (ErrorSteps, 2)]


def test_one_who_may_get_stuck_is_not_also_called_unable_to_finish() -> None:
    built = code([either(1, 2), wait_for(ref(Y)), skip(to=2)])
    found = answers(built, *LOSSES).found
    # At the start it may get stuck, so that is said; once it spins it cannot, and that is a finding of its own.
    assert [(type(each.question), each.level, each.states) for each in found] == [
        (StuckForEver, 1, 1),
        (CannotFinish, 1, 1),
    ]


def test_a_closed_set_that_is_too_large_gives_way_to_a_bottom_component(monkeypatch) -> None:
    built = code([wait_for(ref(Y))], [skip(), skip(), put(X, 1), put(X, 2, to=2)])
    whole = only(answers(built, StuckForEver()))
    assert whole.closed is not None
    assert len(whole.closed) == 5
    monkeypatch.setattr(closing.closed_set, "__defaults__", (3,))
    small = only(answers(built, StuckForEver()))
    assert small.closed is not None
    assert small.closed < whole.closed
    assert small.trace.last in small.closed
    assert (whole.trace.shortest, small.trace.shortest) == (True, False)


def test_a_bottom_component_is_the_first_that_cannot_be_left() -> None:
    space = Space(1)
    edges = {0: (1, 2), 1: (0, 3), 2: (0,), 3: (4,), 4: (5, 3), 5: (4,)}
    for number in edges:
        space.add((number,))
    for targets in edges.values():
        space.start_edges()
        for target in targets:
            space.add_edge(0, target)
    assert bottom_component(space, 0) == {3, 4, 5}
    assert bottom_component(space, 5) == {3, 4, 5}


def test_a_path_into_the_component_is_a_run() -> None:
    built = code([wait_for(ref(Y))], [skip(), skip(), put(X, 1), put(X, 2, to=2)])
    interpreter = Interpreter(built)
    space = Space(2)
    space.add(built.declared)
    while space.expanded < len(space):
        for number in space.start_level():
            space.start_edges()
            for step in interpreter.successors(space.states[number]):
                assert step.target is not None
                known = space.numbers.get(step.target)
                space.add_edge(step.thread, space.add(step.target) if known is None else known)
    trace, states = closed_set(interpreter, space, Trace(built.declared, ()), limit=1)
    assert [step.location for step in trace.steps] == [0, 1, 2]
    assert len(states) == 2


# --- collections ---------------------------------------------------------------------------------


def test_action_counts_tell_where_each_step_led() -> None:
    built = code([branch(equal(ref(X), 0), 1, 2), claim(m.FALSE), skip()], [put(X, 1)])
    found = answers(built, ActionCounts())
    assert found.counts == {(0, 0, 1): 1, (0, 0, 2): 1, (0, 1, -1): 2, (0, 2, 3): 1, (1, 0, 1): 2}
    assert sum(found.counts.values()) == found.statistics.transitions


def test_crossings_tell_the_locks_held_at_the_moment_inside_a_step_too() -> None:
    a = lock("a", "mutex", NAMES)
    call = m.Call("f", line_of(9), 7)
    (taking,) = verb("mutex_lock", a, 0, NAMES)
    (releasing,) = verb("mutex_unlock", a, 0, NAMES)
    body = (
        *taking.effects,
        m.Crossing(call, leaves=False),
        *releasing.effects,
        m.Crossing(call, leaves=True),
    )
    built = system(Built([Code("t", [Line(body, taking.guard)]), Code("u", [skip()])], [], [a]))
    held = (Held("a", (), "write"),)
    assert answers(built, Crossings()).crossings == {
        (7, False, held, NOWHERE),
        (7, True, (), NOWHERE),
    }


def test_calls_that_are_entered_before_time_hold_nothing() -> None:
    start = (m.Crossing(m.Call("f", line_of(9), 0), leaves=False), m.Jump(0))
    built = system(Built([Code("t", [skip()], start=start)]))
    assert answers(built, Crossings()).crossings == {(0, False, (), NOWHERE)}


def test_views_are_collected_only_when_asked() -> None:
    built = code([skip()])
    assert answers(built).views == frozenset()
    assert len(answers(built, LocalViews()).views) == 2


# --- limits --------------------------------------------------------------------------------------


def long() -> TransitionSystem:
    return code([skip()] * 60, [skip()] * 60)


def test_a_limit_of_states_stops_the_search_with_what_is_known() -> None:
    violated = StatePredicate("invariant", "p", m.At(0, frozenset({1})), ("p",), "")
    found = answers(long(), violated, *LOSSES, limits=Limits(states=100))
    assert found.stopped == "limit of 100 states"
    assert found.statistics.states == 100
    assert found.statistics.depth == 11
    assert [type(each.question) for each in found.found] == [StatePredicate]


def test_a_search_that_just_fits_is_complete() -> None:
    assert answers(code([skip()]), limits=Limits(states=2)).stopped == ""
    assert answers(code([skip()]), limits=Limits(states=1)).stopped == "limit of 1 state"


def test_time_and_memory_are_limits_too() -> None:
    assert answers(long(), limits=Limits(seconds=0)).stopped == "limit of 0 seconds"
    assert answers(long(), limits=Limits(memory=1)).stopped == "limit of 1 byte of memory"


def test_an_interrupt_ends_the_search_and_not_the_answers(monkeypatch) -> None:
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Interpreter, "successors", interrupted)
    found = answers(long(), *LOSSES)
    assert (found.stopped, found.statistics.states) == ("interrupted", 1)


def test_progress_is_told_now_and_then(monkeypatch) -> None:
    monkeypatch.setattr("modelcheck.engine.watch._REPORT_EVERY", 0.0)
    told = []
    explore(long(), (), Limits(), lambda statistics, frontier: told.append((statistics.states, frontier)))
    assert len(told) == 61 * 61 // 64
    assert told == sorted(told, key=lambda pair: pair[0])


# --- the graph -----------------------------------------------------------------------------------


def test_the_graph_carries_values_and_steps() -> None:
    built = code([put(X, 2), claim(m.FALSE)])
    drawn = graph(built)
    assert {number: drawn.nodes[number] for number in drawn} == {
        0: {"x": 0, "y": False, "t": "built.mck:3: x = ...", "level": 0, "initial": True, "errors": ""},
        1: {
            "x": 2,
            "y": False,
            "t": "built.mck:4: assert",
            "level": 1,
            "initial": False,
            "errors": "t: assert: the assertion does not hold",
        },
    }
    assert list(drawn.edges(data=True)) == [
        (0, 1, {"thread": "t", "action": "x = ...", "line": 3, "choices": ""})
    ]
    assert (drawn.graph["states"], drawn.graph["transitions"], drawn.graph["stopped"]) == (2, 2, "")


def test_a_graph_that_is_too_large_says_so() -> None:
    drawn = graph(long(), Limits(states=10))
    assert drawn.number_of_nodes() == 10
    assert drawn.graph["stopped"] == "limit of 10 states"


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (1, "1 byte"),
        (1000, "1000 bytes"),
        (10 << 20, "10 MiB"),
        (1536 << 20, "1.5 GiB"),
        (1023 << 10, "1023 KiB"),
    ],
)
def test_an_amount_of_memory_is_told_with_its_unit(size: int, shown: str) -> None:
    assert size_shown(size) == shown
