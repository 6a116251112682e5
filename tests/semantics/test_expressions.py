"""What expressions mean on integers: one truth table, and what is undefined (SEMANTICS H6)."""

from __future__ import annotations

import pytest

from modelcheck.language import model as m
from modelcheck.language.types import Enum, Range
from modelcheck.semantics.interpreter import Interpreter, Undefined
from tests.models import BOOL, SMALL, Built, Code, const, equal, put, ref, shared, skip, system, wait_for

X = shared("x", Range(-9, 9), 5)
ARRAY = shared("a", SMALL, 2, (Range(1, 3, "Block"), BOOL))
SYSTEM = system(Built([Code("t", [skip()]), Code("u", [wait_for(equal(ref(X), 9))])], [X, ARRAY]))
NOTHING = m.Arith("/", const(1), const(0))


def value(expr: m.Expr) -> int:
    return Interpreter(SYSTEM).value(expr, SYSTEM.declared)


@pytest.mark.parametrize(
    ("operator", "left", "right", "result"),
    [
        ("+", 7, -9, -2),
        ("-", 7, 9, -2),
        ("*", -3, 4, -12),
        ("/", 7, 2, 3),
        ("/", -7, 2, -3),
        ("/", 7, -2, -3),
        ("/", -7, -2, 3),
        ("/", 0, -2, 0),
        ("%", 7, 2, 1),
        ("%", -7, 2, -1),
        ("%", 7, -2, 1),
        ("%", -7, -2, -1),
        ("&", 12, 10, 8),
        ("|", 12, 10, 14),
        ("^", 12, 10, 6),
        ("<<", 3, 62, 3 << 62),
        (">>", 12, 2, 3),
        (">>", 12, 62, 0),
    ],
)
def test_arithmetic_is_exact_and_truncates_towards_zero(operator, left, right, result) -> None:
    assert value(m.Arith(operator, const(left), const(right))) == result


@pytest.mark.parametrize(
    ("operator", "left", "right", "reason"),
    [
        ("/", 1, 0, "division by zero"),
        ("%", 1, 0, "division by zero"),
        ("&", -1, 1, "`&` of a negative number"),
        ("|", 1, -1, "`|` of a negative number"),
        ("^", -1, -1, "`^` of a negative number"),
        ("<<", 1, 63, "`<<` by 63, more than 62"),
        (">>", 1, 63, "`>>` by 63, more than 62"),
        ("<<", -1, 1, "`<<` of a negative number"),
        (">>", 1, -1, "`>>` of a negative number"),
    ],
)
def test_what_has_no_value_says_why(operator, left, right, reason) -> None:
    with pytest.raises(Undefined) as undefined:
        value(m.Arith(operator, const(left), const(right)))
    assert undefined.value.reason == reason


@pytest.mark.parametrize(
    ("operator", "results"),
    [
        ("==", (0, 1, 0)),
        ("!=", (1, 0, 1)),
        ("<", (1, 0, 0)),
        ("<=", (1, 1, 0)),
        (">", (0, 0, 1)),
        (">=", (0, 1, 1)),
    ],
)
def test_comparisons_of_less_equal_and_greater(operator, results) -> None:
    found = tuple(value(m.Compare(operator, const(left), const(5))) for left in (4, 5, 6))
    assert found == results
    assert all(type(each) is int for each in found)


@pytest.mark.parametrize(
    ("expr", "result"),
    [
        (m.Not(const(0)), 1),
        (m.Not(const(1)), 0),
        (m.And(()), 1),
        (m.Or(()), 0),
        (m.And((const(1), const(1))), 1),
        (m.And((const(0), NOTHING)), 0),
        (m.Or((const(0), const(0))), 0),
        (m.Or((const(1), NOTHING)), 1),
        (m.Ite(const(1), const(4), NOTHING), 4),
        (m.Ite(const(0), NOTHING, const(6)), 6),
        (m.Sum(()), 0),
        (m.Sum((const(1), ref(X), const(-2))), 4),
    ],
)
def test_logic_stops_early_and_counts_add_up(expr, result) -> None:
    assert value(expr) == result


@pytest.mark.parametrize(
    "expr", [m.And((const(1), NOTHING)), m.Or((const(0), NOTHING)), m.Sum((const(0), NOTHING))]
)
def test_what_is_evaluated_must_be_defined(expr) -> None:
    with pytest.raises(Undefined):
        value(expr)


def test_an_element_is_found_by_its_index_row_major() -> None:
    state = (5, 0, 1, 2, 3, 2, 1, 0, 0)
    interpreter = Interpreter(SYSTEM)
    cells = [interpreter.value(ref(ARRAY, i, j), state) for i in (1, 2, 3) for j in (0, 1)]
    assert cells == [0, 1, 2, 3, 2, 1]
    computed = ref(ARRAY, m.Arith("-", ref(X), const(3)), m.Compare("==", ref(X), const(5)))
    assert interpreter.value(computed, state) == 3


@pytest.mark.parametrize("index", [const(0), const(4), ref(X), m.Arith("-", ref(X), const(6))])
def test_an_index_outside_its_dimension_is_undefined(index) -> None:
    number = value(index)
    with pytest.raises(Undefined) as undefined:
        value(ref(ARRAY, index, const(0)))
    assert undefined.value.reason == f"index {number} is outside Block (1 .. 3)"


def test_a_dimension_without_a_name_is_named_by_its_type() -> None:
    colour = shared("c", SMALL, 0, (Enum("Colour", ("RED", "BLUE")),))
    built = system(Built([Code("t", [skip()])], [colour]))
    with pytest.raises(Undefined, match="index 2 is outside Colour"):
        Interpreter(built).value(ref(colour, 2), built.declared)


def test_a_step_property_reads_both_states_and_who_moved() -> None:
    interpreter = Interpreter(SYSTEM)
    before = (5, *(2,) * 6, 0, 0)
    after = (6, *(1,) * 6, 1, 0)
    both = m.Arith("-", m.Ref(X, (), primed=True), ref(X))
    assert interpreter.value(both, before, after, mover=1) == 1
    assert interpreter.value(m.Ref(ARRAY, (const(3), const(1)), primed=True), before, after, mover=0) == 1
    moved_index = m.Ref(ARRAY, (m.Arith("-", m.Ref(X, (), primed=True), const(3)), const(0)), primed=True)
    assert interpreter.value(moved_index, before, after, mover=0) == 1
    assert [interpreter.value(m.Mover(2), before, after, mover=t) for t in (0, 1)] == [1, 2]


def test_locations_and_enabledness_are_conditions() -> None:
    interpreter = Interpreter(SYSTEM)
    state = SYSTEM.declared
    assert interpreter.satisfied(m.At(0, frozenset({0})), state)
    assert not interpreter.satisfied(m.At(0, frozenset({1})), state)
    assert interpreter.satisfied(m.Enabled(0), state)
    assert not interpreter.satisfied(m.Enabled(1), state)
    assert interpreter.satisfied(m.Enabled(1), (9, *state[1:]))
    done = (*state[:-2], 1, 1)
    assert not interpreter.satisfied(m.Enabled(0), done)
    assert interpreter.satisfied(m.And((m.Enabled(0), m.Not(m.Enabled(1)))), state, state, mover=0)


def test_a_thread_before_an_error_step_is_enabled() -> None:
    built = system(Built([Code("t", [put(X, NOTHING)]), Code("u", [wait_for(NOTHING)])], [X]))
    interpreter = Interpreter(built)
    assert interpreter.satisfied(m.And((m.Enabled(0), m.Enabled(1))), built.declared)
