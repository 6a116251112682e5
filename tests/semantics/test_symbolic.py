"""The z3 meaning of expressions and effects is the interpreter's: same values, same definedness, same steps."""

from __future__ import annotations

import pytest
import z3
from hypothesis import given
from hypothesis import strategies as st

from modelcheck.language.intervals import interval, widest
from modelcheck.language.model import (
    And,
    Arith,
    At,
    Compare,
    Const,
    Enabled,
    Expr,
    Ite,
    Jump,
    Location,
    Model,
    Not,
    Or,
    Ref,
    Scenario,
    Sum,
    Thread,
    Variable,
)
from modelcheck.language.types import Bool, Enum, Range
from modelcheck.semantics.interpreter import Interpreter, Undefined
from modelcheck.semantics.symbolic import Relation
from modelcheck.semantics.symbolic_numbers import Arithmetic, BitVectors, constant
from modelcheck.semantics.symbolic_terms import Moment
from modelcheck.semantics.symbolic_truth import formula
from modelcheck.semantics.transition_system import TransitionSystem, transition_system
from modelcheck.source import NOWHERE
from tests.semantics.symbolic_integers import Integers

X = Variable("x", Range(-3, 4), (), (0,), "shared")
Y = Variable("y", Range(0, 70), (), (0,), "shared")
B = Variable("b", Bool(), (), (0,), "shared")
E = Variable("e", Enum("State", ("OFF", "GOING", "ON")), (), (0,), "shared")
A = Variable("a", Range(-2, 5), (Range(-1, 1), Bool()), (0,) * 6, "shared")
BIG = Variable("big", Range(0, 1 << 36), (), (0,), "shared")
VARIABLES = (X, Y, B, E, A, BIG)


def one_thread(*variables: Variable, locations: tuple[Location, ...] | None = None) -> TransitionSystem:
    """Return a system with these variables and one thread; without locations it takes one step."""
    end = Location(1, NOWHERE, "end", None)
    body = locations or (
        Location(0, NOWHERE, "step", None, guard=Compare("<", Ref(X), Const(2)), effects=(Jump(1),)),
        end,
    )
    thread = Thread(0, "t", "t", False, False, body, (Jump(0),), frozenset({1}), (), {}, NOWHERE)
    return transition_system(
        Model("m", "", (), variables, (), (thread,), (), (), Scenario("", "", ()), False, ())
    )


SYSTEM = one_thread(*VARIABLES)
INTERPRETER = Interpreter(SYSTEM)
STATES = st.tuples(*(st.integers(c.low, c.high) for c in SYSTEM.cells))


def expressions() -> st.SearchStrategy[Expr]:
    """Return expressions over the cells of SYSTEM; also undefined ones."""
    small = st.integers(-4, 66).map(Const)
    plain = st.sampled_from((Ref(X), Ref(Y), Ref(B), Ref(E), Ref(BIG)))
    other = st.sampled_from((At(0, frozenset((0,))), At(0, frozenset((1,))), Enabled(0)))
    return st.recursive(st.one_of(small, plain, plain, other), compound, max_leaves=8)


def compound(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    compared = st.builds(Compare, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), inner, inner)
    known: st.SearchStrategy[Expr] = st.sampled_from((Ref(B), At(0, frozenset((0,)))))
    truths: st.SearchStrategy[Expr] = st.one_of(compared, known)
    conditions: st.SearchStrategy[Expr] = st.one_of(truths, st.builds(Not, truths))
    some = st.lists(conditions, max_size=3)
    return st.one_of(
        conditions,
        some.map(lambda parts: And(tuple(parts))),
        some.map(lambda parts: Or(tuple(parts))),
        st.builds(Arith, st.sampled_from(("+", "-", "*", "/", "%", "&", "|", "^")), inner, inner),
        st.builds(
            Arith, st.sampled_from(("<<", ">>")), inner, st.sampled_from((Ref(X), Ref(Y), Const(1), Const(3)))
        ),
        st.lists(inner, max_size=3).map(lambda parts: Sum(tuple(parts))),
        st.builds(Ite, conditions, inner, inner),
        st.builds(lambda i, j: Ref(A, (i, j)), inner, st.one_of(inner, st.just(Ref(B)))),
        st.builds(
            lambda i: Ref(A, (i, Ref(B))), st.sampled_from((Ref(X), Const(-1), Arith("-", Ref(E), Const(1))))
        ),
    )


def meant(expr: Expr, state: tuple[int, ...]) -> int | None:
    """Return the interpreter's value; None: undefined."""
    try:
        return INTERPRETER.value(expr, state)
    except Undefined:
        return None


def solved(numbers: Arithmetic, expr: Expr, state: tuple[int, ...]) -> int | None:
    """Return the value in the state by the solver, the cells being variables."""
    relation = Relation(SYSTEM, numbers)
    frame, facts = relation.anything("0")
    value, defined = relation.terms.value(expr, frame.moment)
    solver = z3.Solver(ctx=numbers.context)
    solver.add(*(formula(fact, numbers.context) for fact in facts))
    pairs = zip(frame.cells, state, strict=True)
    solver.add(*(formula(numbers.compare("==", cell, constant(n)), numbers.context) for cell, n in pairs))
    assert solver.check() == z3.sat
    model = solver.model()
    if not z3.is_true(model.eval(formula(defined, numbers.context), model_completion=True)):
        return None
    return numbers.value(model, value)


@pytest.mark.parametrize("encoding", [BitVectors, Integers])
@given(expr=expressions(), state=STATES)
def test_a_term_has_the_value_that_the_interpreter_gives(encoding, expr, state):
    assert solved(encoding(), expr, state) == meant(expr, state)


@pytest.mark.parametrize("encoding", [BitVectors, Integers])
@given(expr=expressions(), state=STATES)
def test_known_cells_are_folded_to_the_same_value_without_a_solver(encoding, expr, state):
    relation = Relation(SYSTEM, encoding())
    value, defined = relation.terms.value(expr, Moment([constant(n) for n in state]))
    assert isinstance(defined, bool)
    assert (value.low if defined else None) == meant(expr, state)
    assert not defined or value.is_constant


@given(expr=expressions(), state=STATES)
def test_a_defined_value_lies_in_the_interval(expr, state):
    value = meant(expr, state)
    low, high = interval(expr)
    assert widest(expr)[0] <= low <= high <= widest(expr)[1]
    assert value is None or low <= value <= high
