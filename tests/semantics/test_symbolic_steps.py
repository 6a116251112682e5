"""The z3 meaning of statements is the interpreter's: from every state the same steps, and the same states at the start.

All solutions of one step's terms are enumerated and compared with the interpreter's list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from modelcheck.engine.engine import Limits
from modelcheck.engine.queries import Asking, Budget
from modelcheck.language import model as m
from modelcheck.language.types import Range
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import StatePredicate, StepPredicate
from modelcheck.semantics.symbolic import Frame, Going, Relation
from modelcheck.semantics.symbolic_effects import Pick
from modelcheck.semantics.symbolic_numbers import BitVectors, Number, constant
from modelcheck.semantics.symbolic_questions import Asked
from modelcheck.semantics.symbolic_truth import Truth, conjunction, disjunction, negation
from modelcheck.semantics.transition_system import State, TransitionSystem
from modelcheck.semantics.waiting import Waiting
from tests.models import BOOL, Built, Code, Line, const, equal, local, put, ref, shared, system
from tests.random_systems import random_system

Outcome = tuple[int, tuple[int, ...], State | None]
SEEDS = range(40)


def known(built: TransitionSystem, state: State) -> Frame:
    """Return a state of which everything is known."""
    places = tuple(frozenset((state[cell],)) for cell in built.location_cells)
    return Frame(tuple(map(constant, state)), places)


def chosen(asking: Asking, picks: Sequence[Pick]) -> tuple[int, ...]:
    return tuple(asking.value(pick.value) for pick in picks if asking.is_true(pick.reached))


def solutions(relation: Relation, facts: Sequence[Truth], free: Sequence[Number]) -> Iterator[Asking]:
    """Yield the solver at each solution, told apart by the values of the free variables."""
    asking = Asking(relation.numbers, Budget(Limits()))
    asking.add(facts)
    while asking.possible("the next one"):
        values = [(number, asking.value(number)) for number in free]
        yield asking
        same = conjunction(relation.numbers.compare("==", n, constant(v)) for n, v in values)
        asking.add((negation(same),))


def by_z3(relation: Relation, frame: Frame) -> set[Outcome]:
    """Return who can step, with which choices, to which state; None: an error step."""
    going = relation.step(frame, 0)
    free = [going.mover, *going.free.values()]
    found: set[Outcome] = set()
    for asking in solutions(relation, (*going.facts, *going.defines, going.moves), free):
        found.add(outcome(relation, going, frame, asking, broken=False))
    wrong = disjunction(broken.condition for broken in going.broken)
    for asking in solutions(relation, (*going.facts, wrong), free):
        found.add(outcome(relation, going, frame, asking, broken=True))
    return found


def outcome(relation: Relation, going: Going, frame: Frame, asking: Asking, *, broken: bool) -> Outcome:
    thread = asking.value(going.mover)
    place = asking.value(frame.cells[relation.system.location_cells[thread]])
    choices = chosen(asking, going.picks[thread, place])
    return thread, choices, None if broken else tuple(map(asking.value, going.after.cells))


def by_interpreter(interpreter: Interpreter, state: State) -> set[Outcome]:
    return {(step.thread, step.choices, step.target) for step in interpreter.successors(state)}


def reachable(interpreter: Interpreter, most: int) -> list[State]:
    found = dict.fromkeys(state for state, _, _ in interpreter.initial_states() if state is not None)
    todo = list(found)
    for state in todo:
        if len(found) >= most:
            break
        for step in interpreter.successors(state):
            if step.target is not None and step.target not in found:
                found[step.target] = None
                todo.append(step.target)
    return list(found)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_steps_from_a_state_are_the_interpreters(seed):
    built = random_system(seed, asserts=True)
    interpreter = Interpreter(built)
    relation = Relation(built, BitVectors())
    for state in reachable(interpreter, 60)[::4]:
        assert by_z3(relation, known(built, state)) == by_interpreter(interpreter, state)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_initial_states_are_the_interpreters(seed):
    built = random_system(seed)
    relation = Relation(built, BitVectors())
    start = relation.start()
    free = [pick.value for pick in start.picks]
    found = {
        tuple(map(asking.value, start.frame.cells))
        for asking in solutions(relation, (*start.facts, *start.defines), free)
    }
    assert found == {state for state, _, _ in Interpreter(built).initial_states()}


@pytest.mark.parametrize("seed", SEEDS)
def test_who_has_a_step_and_who_is_in_a_ring_is_as_the_interpreter_says(seed):
    built = random_system(seed, asserts=True)
    interpreter = Interpreter(built)
    waiting = Waiting(interpreter)
    asked = Asked(Relation(built, BitVectors()))
    for state in reachable(interpreter, 120):
        frame = known(built, state)
        for thread in range(len(built.model.threads)):
            steps = asked.relation.enabled(frame.moment, thread)
            assert steps is bool(interpreter.steps_of(state, thread))
        assert asked.circular(frame) is bool(waiting.knot(state).rings)


# --- the order in which things go wrong ----------------------------------------------------------

X = shared("x", Range(0, 3))
ROW = shared("row", Range(0, 3), dimensions=(Range(0, 1),))
FLAG = shared("flag", BOOL)


def outcomes(line: Line, *values: int) -> tuple[set[Outcome], set[Outcome]]:
    """Return the outcomes of one statement from x, row[0], row[1], flag = values, by both."""
    built = system(Built([Code("t", [line])], [X, ROW, FLAG]))
    state = (*values, 0)
    found = by_z3(Relation(built, BitVectors()), known(built, state))
    assert found == by_interpreter(Interpreter(built), state)
    return found, by_interpreter(Interpreter(built), state)


@pytest.mark.parametrize("x", range(4))
def test_a_value_is_looked_at_before_the_index_and_the_index_before_the_range(x):
    outcomes(put(ref(ROW, m.Ref(X)), m.Arith("/", const(6), m.Ref(X))), x, 0, 0, 0)


@pytest.mark.parametrize("x", range(4))
def test_what_stands_behind_a_deciding_operand_need_not_be_defined(x):
    guarded = m.And((m.Compare("<", m.Ref(X), const(2)), equal(ref(ROW, m.Ref(X)), 0)))
    outcomes(Line((), guard=guarded), x, 0, 1, 0)
    outcomes(Line((), guard=m.Or((m.Not(m.Compare("<", m.Ref(X), const(2))), guarded))), x, 0, 1, 0)


def test_an_undefined_guard_is_an_error_step():
    found, _ = outcomes(Line((), guard=equal(ref(ROW, const(2)), 0)), 0, 0, 0, 0)
    assert found == {(0, (), None)}


def test_choices_in_branches_come_in_the_order_in_which_they_are_made():
    inner = m.Test(
        equal(m.Ref(FLAG), 0),
        (m.Choose(ref(X), 0, 2),),
        (m.Either(((m.Assign(ref(X), const(3)),), (m.Choose(ref(X), 1, 2),))),),
    )
    line = Line((inner, m.Either(((), (m.Assign(ref(FLAG), const(1)),)))))
    assert len(outcomes(line, 0, 0, 0, 0)[0]) == 6
    assert len(outcomes(line, 0, 0, 0, 1)[0]) == 6


def test_a_choice_that_leaves_nothing_is_no_step_and_one_that_is_undefined_is_an_error_step():
    where = m.Compare(">", m.Arith("/", const(3), m.Ref(X)), const(2))
    found, _ = outcomes(Line((m.Choose(ref(X), 0, 3, where),)), 2, 0, 0, 0)
    assert {choices for _, choices, _ in found} == {(0,), (1,)}
    assert outcomes(Line((m.Choose(ref(X), 2, 3, where),)), 2, 0, 0, 0)[0] == set()


def test_merged_branches_of_one_step_keep_their_values_apart():
    both = m.Test(equal(m.Ref(FLAG), 1), (m.Assign(ref(X), const(3)),), (m.Assign(ref(ROW, 0), const(2)),))
    after = m.Assign(ref(ROW, 1), m.Arith("-", m.Ref(X), ref(ROW, 0)))
    assert len(outcomes(Line((both, after)), 2, 0, 0, 1)[0]) == 1
    assert outcomes(Line((both, after)), 1, 0, 0, 0)[0] == {(0, (), None)}


def test_a_dead_local_takes_its_first_value_where_it_is_no_longer_read():
    own = local("n", 0, Range(0, 3), 2)
    built = system(Built([Code("t", [put(own, 3), put(X, m.Ref(own)), put(X, 1)], locals=(own,))], [X]))
    relation = Relation(built, BitVectors())
    frame = relation.start().frame
    values = []
    for time in range(3):
        frame = relation.step(frame, time).after
        values.append([cell.low for cell in frame.cells[:2]])
        assert all(cell.is_constant for cell in frame.cells)
    assert values == [[0, 3], [3, 0], [1, 0]]


def test_an_undefined_predicate_is_told_apart_from_a_false_one():
    built = system(Built([Code("t", [put(X, 2)])], [X, ROW, FLAG]))
    asked = Asked(Relation(built, BitVectors()))
    predicate = StatePredicate("invariant", "p", equal(ref(ROW, m.Ref(X)), 0), (), "")
    assert asked.state(predicate, known(built, (0, 0, 0, 0, 0))) == (True, False)
    assert asked.state(predicate, known(built, (0, 1, 0, 0, 0))) == (False, False)
    assert asked.state(predicate, known(built, (2, 0, 0, 0, 0))) == (False, True)


def test_a_step_that_changes_nothing_that_is_mentioned_satisfies_a_step_property():
    built = system(Built([Code("t", [put(X, 1), put(FLAG, 1)])], [X, FLAG]))
    asked = Asked(Relation(built, BitVectors()))
    never = StepPredicate("never", m.Compare("==", m.Ref(X), m.Ref(X, (), primed=True)), (m.Ref(X),))
    first, second = known(built, (0, 0, 0)), known(built, (1, 0, 1))
    assert asked.step(never, first, asked.relation.step(first, 0))[0] is not False
    assert asked.step(never, second, asked.relation.step(second, 0))[0] is False
