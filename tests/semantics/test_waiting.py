"""Who waits for whom, and who is in a circular wait (SEMANTICS A3), on states that are set by hand."""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language import model as m
from modelcheck.language.model import Wait
from modelcheck.language.types import Range
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State, TransitionSystem
from modelcheck.semantics.waiting import Change, Knot, Waiting, standing, tables
from tests.models import (
    BOOL,
    Built,
    Code,
    Line,
    branch,
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

NAMES = ("t", "u", "v")
X, Y = shared("x", BOOL), shared("y", BOOL)
CELLS = shared("c", BOOL, 0, (Range(0, 2),))


def knot_after(built: TransitionSystem, *movers: int) -> tuple[Knot, State]:
    """Let the threads move in this order, and look at the state that they reach."""
    interpreter = Interpreter(built)
    ((state, _, _),) = interpreter.initial_states()
    for mover in movers:
        assert state is not None
        (step,) = interpreter.steps_of(state, mover)
        state = step.target
    assert state is not None
    return Waiting(interpreter).knot(state), state


def threads(
    *codes: list[Line], locks: tuple[m.Lock, ...] = (), daemons: tuple[int, ...] = ()
) -> TransitionSystem:
    coded = [
        Code(name, lines, daemon=n in daemons)
        for n, (name, lines) in enumerate(zip(NAMES, codes, strict=False))
    ]
    return system(Built(coded, [X, Y, CELLS], list(locks)))


def cells(changes: frozenset[Change]) -> set[int]:
    return {change for change in changes if isinstance(change, int)}


def test_two_mutexes_in_opposite_orders() -> None:
    a, b = lock("a", "mutex", NAMES), lock("b", "mutex", NAMES)
    built = threads(
        [*verb("mutex_lock", a, 0, NAMES), *verb("mutex_lock", b, 0, NAMES)],
        [*verb("mutex_lock", b, 1, NAMES), *verb("mutex_lock", a, 1, NAMES)],
        [*verb("mutex_lock", a, 2, NAMES)],
        locks=(a, b),
    )
    knot, state = knot_after(built, 0, 1)
    assert knot.members == {0, 1, 2}
    assert knot.edges == {0: (1,), 1: (0,), 2: (0,)}
    assert [(ring.threads, ring.members) for ring in knot.rings] == [((0, 1), (0, 1))]
    assert knot.caught == {0, 1, 2}
    assert standing(Interpreter(built), state, 1) == f"u {line_of(103)} a"


def test_one_thread_that_can_still_move_leaves_nobody_caught() -> None:
    a, b = lock("a", "mutex", NAMES), lock("b", "mutex", NAMES)
    built = threads(
        [*verb("mutex_lock", a, 0, NAMES), *verb("mutex_lock", b, 0, NAMES)],
        [*verb("mutex_lock", b, 1, NAMES), skip()],
        locks=(a, b),
    )
    knot, _ = knot_after(built, 0, 1)
    assert knot == Knot(frozenset(), {}, (), frozenset())


def test_a_reader_behind_a_writer_that_waits_for_another_reader() -> None:
    p, a = lock("p", "percpu_rwsem", NAMES), lock("a", "mutex", NAMES)
    built = threads(
        [*verb("percpu_down_read", p, 0, NAMES), *verb("mutex_lock", a, 0, NAMES)],
        verb("percpu_down_write", p, 1, NAMES),
        [*verb("mutex_lock", a, 2, NAMES), *verb("percpu_down_read", p, 2, NAMES)],
        locks=(p, a),
    )
    knot, _ = knot_after(built, 0, 2, 1)
    assert [ring.threads for ring in knot.rings] == [(0, 2, 1)]
    assert knot.edges == {0: (2,), 1: (0,), 2: (1,)}


def test_a_thread_that_waits_for_itself_is_a_ring_of_one() -> None:
    p = lock("p", "percpu_rwsem", NAMES)
    built = threads(
        [*verb("percpu_down_read", p, 0, NAMES), *verb("percpu_down_write", p, 0, NAMES)], locks=(p,)
    )
    knot, _ = knot_after(built, 0, 0)
    assert [ring.threads for ring in knot.rings] == [(0,)]


def test_waiting_for_a_thread_that_has_finished_with_the_lock_is_no_circular_wait() -> None:
    a = lock("a", "mutex", NAMES)
    built = threads(verb("mutex_lock", a, 0, NAMES), verb("mutex_lock", a, 1, NAMES), locks=(a,))
    knot, state = knot_after(built, 0)
    assert Interpreter(built).blocked(state, 1)
    assert knot.members == frozenset()


def test_any_of_needs_every_waker_inside() -> None:
    waits = [wait_for(ref(X))]
    other = [wait_for(ref(Y)), put(X, 1)]
    closed = threads(waits, other, [wait_for(ref(X)), put(Y, 1)])
    knot, _ = knot_after(closed)
    assert knot.members == {0, 1, 2}
    assert [(ring.threads, ring.members) for ring in knot.rings] == [((1, 2), (1, 2))]
    assert knot.caught == {0, 1, 2}
    free = threads(waits, other, [skip(), put(Y, 1)])
    assert knot_after(free)[0].members == frozenset()


def test_a_ring_is_upheld_by_all_who_could_break_it() -> None:
    # t and u wait for each other, but v could set x too: it is lost in a lock that u holds.
    a = lock("a", "mutex", NAMES)
    built = threads(
        [wait_for(ref(X)), put(Y, 1)],
        [*verb("mutex_lock", a, 1, NAMES), wait_for(ref(Y)), put(X, 1)],
        [*verb("mutex_lock", a, 2, NAMES), put(X, 1)],
        locks=(a,),
    )
    knot, _ = knot_after(built, 1)
    assert [(ring.threads, ring.members) for ring in knot.rings] == [((0, 1), (0, 1, 2))]


def test_nobody_left_to_wake_is_in_the_knot_but_in_no_ring() -> None:
    built = threads([wait_for(ref(X))], [put(X, 1)], [wait_for(ref(X)), wait_for(ref(Y))])
    knot, _ = knot_after(built, 1, 2)
    # t can step since x is set; v waits for y, which nobody writes.
    assert knot.members == {2}
    assert knot.rings == ()
    assert knot.caught == frozenset()


def test_the_wait_is_ended_only_by_statements_that_can_still_come() -> None:
    built = threads([wait_for(ref(X))], [skip(), put(X, 1), skip()])
    assert knot_after(built, 1)[0].members == frozenset()
    assert cells(tables(built).may_write[1][0]) == cells(tables(built).may_write[1][1]) == {0}
    assert tables(built).may_write[1][2] == frozenset()


def test_elements_count_where_both_indexes_are_constant_else_the_whole_array() -> None:
    built = threads(
        [wait_for(ref(CELLS, 1))],
        [put(ref(CELLS, 0), 1)],
        [put(ref(CELLS, ref(X)), 1)],
    )
    known = tables(built)
    assert known.awaited[0][0] == (frozenset({3}),)
    assert cells(known.may_write[1][0]) == {2}
    assert cells(known.may_write[2][0]) == {2, 3, 4}
    assert known.awaited[1] == ((), ())
    interpreter = Interpreter(built)
    assert Waiting(interpreter).any_of(built.declared, 0) == {2}


def test_a_loop_can_still_write_what_stands_before() -> None:
    built = threads([put(X, 1), skip(), branch(equal(ref(Y), 0), 0, 3)])
    assert [sorted(cells(changes)) for changes in tables(built).may_write[0]] == [[0], [0], [0], []]


def test_daemons_at_rest_are_no_ring_but_may_be_part_of_one() -> None:
    resting = [wait_for(ref(X)), put(Y, 1)]
    both_rest = threads(resting, [wait_for(ref(Y)), put(X, 1)], daemons=(0, 1))
    knot, _ = knot_after(both_rest)
    assert knot.members == {0, 1}
    assert knot.rings == ()
    one_rests = threads(resting, [wait_for(ref(Y)), put(X, 1)], daemons=(0,))
    knot, _ = knot_after(one_rests)
    assert [ring.threads for ring in knot.rings] == [(1, 0)]


def test_an_interruptible_wait_must_be_caught_both_ways() -> None:
    a = lock("a", "mutex", NAMES)
    (taking,) = verb("mutex_lock", a, 1, NAMES)
    (owned,) = taking.wait.obstacles
    either_way = replace(taking, wait=Wait((replace(owned, any_of=(ref(X),)),)))
    holder = [*verb("mutex_lock", a, 0, NAMES), wait_for(ref(Y))]
    knot, _ = knot_after(threads(holder, [either_way, put(Y, 1)], [skip(), put(X, 1)], locks=(a,)), 0)
    assert knot.members == frozenset()
    knot, _ = knot_after(threads(holder, [either_way, put(Y, 1)], locks=(a,)), 0)
    assert [ring.threads for ring in knot.rings] == [(0, 1)]


def test_two_rings_in_one_state_are_both_seen() -> None:
    names = ("t", "u", "v", "w")
    locks = [lock(name, "mutex", names) for name in "abcd"]
    a, b, c, d = locks
    orders = [(a, b), (b, a), (c, d), (d, c)]
    codes = [
        Code(name, [*verb("mutex_lock", first, n, names), *verb("mutex_lock", second, n, names)])
        for n, (name, (first, second)) in enumerate(zip(names, orders, strict=True))
    ]
    knot, _ = knot_after(system(Built(codes, [], locks)), 0, 1, 2, 3)
    assert [ring.threads for ring in knot.rings] == [(0, 1), (2, 3)]


def test_one_owner_inside_is_enough_to_be_caught() -> None:
    # u waits for two readers; t is one of them and waits for u, v is the other and is free to go.
    p, a = lock("p", "percpu_rwsem", NAMES), lock("a", "mutex", NAMES)
    built = threads(
        [*verb("percpu_down_read", p, 0, NAMES), *verb("mutex_lock", a, 0, NAMES)],
        [*verb("mutex_lock", a, 1, NAMES), *verb("percpu_down_write", p, 1, NAMES)],
        [*verb("percpu_down_read", p, 2, NAMES), skip()],
        locks=(p, a),
    )
    knot, _ = knot_after(built, 0, 2, 1, 1)
    assert knot.members == {0, 1}
    assert [ring.threads for ring in knot.rings] == [(0, 1)]


def test_one_waker_outside_is_enough_to_be_free() -> None:
    both = [wait_for(ref(X)), put(Y, 1)]
    knot, _ = knot_after(threads(both, [wait_for(ref(Y)), put(X, 1)], [skip(), put(X, 1)]))
    assert knot.members == frozenset()


def test_a_thread_that_is_blocked_for_no_known_reason_is_not_caught() -> None:
    knot, state = knot_after(threads([Line((), guard=ref(X))]))
    assert knot.members == frozenset()
    assert state == (0, 0, 0, 0, 0, 0)


def test_a_ring_that_leans_on_another_is_not_named_beside_it() -> None:
    # u waits for both readers t and v; each of them waits for u, v only by way of t.
    p, a, b = lock("p", "percpu_rwsem", NAMES), lock("a", "mutex", NAMES), lock("b", "mutex", NAMES)
    built = threads(
        [
            *verb("percpu_down_read", p, 0, NAMES),
            *verb("mutex_lock", b, 0, NAMES),
            *verb("mutex_lock", a, 0, NAMES),
        ],
        [*verb("mutex_lock", a, 1, NAMES), *verb("percpu_down_write", p, 1, NAMES)],
        [*verb("percpu_down_read", p, 2, NAMES), *verb("mutex_lock", b, 2, NAMES)],
        locks=(p, a, b),
    )
    knot, _ = knot_after(built, 0, 0, 2, 1, 1)
    assert knot.edges == {0: (1,), 1: (0, 2), 2: (0,)}
    assert [ring.threads for ring in knot.rings] == [(0, 1)]
    assert knot.caught == {0, 1, 2}


def test_what_a_thread_would_write_itself_later_wakes_nobody() -> None:
    knot, _ = knot_after(threads([wait_for(ref(X)), put(X, 1)]))
    assert knot.members == {0}
    assert knot.rings == ()
