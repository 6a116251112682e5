"""Syntax trees as the parser makes them, for Hypothesis: every construct of the grammar is drawn.

A tree of the parser has parentheses where precedence wants them, braces around the bodies of loops, and no negative
number; apart from that everything goes, names that are keywords elsewhere included.

Drawn by plain functions and not by combining strategies: those that refer to each other a hundred times take minutes
only to be printed.
"""

# The join of unlike nodes is no union for mypy: `one_of` returns Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

from modelcheck.language import syntax as s
from modelcheck.language.grammar import grammar
from modelcheck.language.operators import BINARY, CONDITIONAL, UNARY

T = TypeVar("T")

WORDS = grammar().vocabulary
SOFT_WORDS = sorted({word for word, kind in WORDS.keywords.items() if kind in WORDS.soft} - {"or"})
"""Keywords of few places. `or` is left out because a statement behind an `either` cannot start with it."""

RANGE_BOUND = BINARY["<<"].binding
NAMES = st.sampled_from(["a", "b", "lock", "x1", "_y", "state", *SOFT_WORDS])
PLAIN = st.sampled_from(["a", "b", "deadlock", "circular_wait", "x_1"])
KINDS = st.sampled_from(["mutex", "rwsem", "percpu_rwsem", "mutx", "completion"])
STRINGS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
NUMBERS = st.integers(0, 12) | st.integers(0, 2**64)
ASSIGNING = ("=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>=")
ATTRIBUTES = ("novalidate", "handover", "owned")


def fit(node: s.Expression, binding: int) -> s.Expression:
    """Put an operand in parentheses if it binds weaker than its place wants."""
    match node:
        case s.Binary(operator=operator):
            weak = BINARY[operator].binding < binding
        case s.Conditional():
            weak = binding > CONDITIONAL
        case s.Unary():
            weak = binding > UNARY
        case _:
            weak = False
    return s.Paren(node) if weak else node


def starts_with_set(node: s.Expression) -> bool:
    """Whether a text starts with `{`: a set is no bound, and not taken for one where a type is missing."""
    match node:
        case s.SetLiteral():
            return True
        case (
            s.Binary(left=first) | s.Index(base=first) | s.Member(base=first) | s.Conditional(condition=first)
        ):
            return starts_with_set(first)
        case _:
            return False


class Trees:
    """Draws nodes; `left` is how many more may have parts that are drawn."""

    def __init__(self, draw: st.DrawFn, left: int) -> None:
        self.draw = draw
        self.left = left

    def name(self) -> str:
        return self.draw(NAMES)

    def one_of(self, *options: Callable[[], Any]) -> Any:
        """Draw by one of some functions: the first when not much may be drawn any more."""
        self.left -= 1
        return options[self.draw(st.integers(0, len(options) - 1)) if self.left > 0 else 0]()

    def word(self, *words: str) -> str:
        return self.draw(st.sampled_from(words))

    def maybe(self, option: Callable[[], T]) -> T | None:
        return option() if self.draw(st.booleans()) else None

    def some(self, option: Callable[[], T], least: int = 0, most: int = 3) -> tuple[T, ...]:
        most = most if self.left > 0 else least
        return tuple(option() for _ in range(self.draw(st.integers(least, most))))

    # --- expressions and types

    def expression(self) -> s.Expression:
        return self.one_of(
            lambda: s.Name(self.name()),
            lambda: s.Number(self.draw(NUMBERS)),
            lambda: s.Boolean(self.draw(st.booleans())),
            self.binary,
            self.binary,
            lambda: s.Conditional(
                self.operand(CONDITIONAL + 1), self.expression(), self.operand(CONDITIONAL)
            ),
            lambda: s.Unary(self.word("!", "-", "~", "&"), self.operand(UNARY)),
            lambda: s.Paren(self.expression()),
            lambda: s.Index(self.operand(UNARY + 1), self.expression()),
            lambda: s.Member(self.operand(UNARY + 1), self.name()),
            self.call,
            lambda: s.SetLiteral(self.expressions()),
            self.quantifier,
        )

    def expressions(self, least: int = 0, most: int = 3) -> tuple[s.Expression, ...]:
        return self.some(self.expression, least, most)

    def operand(self, binding: int = UNARY) -> s.Expression:
        return fit(self.expression(), binding)

    def binary(self) -> s.Expression:
        operator = BINARY[self.word(*sorted(BINARY))]
        left = self.operand(operator.binding + operator.right)
        return s.Binary(operator.symbol, left, self.operand(operator.binding + (not operator.right)))

    def call(self) -> s.Call:
        return s.Call(self.name(), self.expressions())

    def quantifier(self) -> s.Expression:
        binders = self.some(lambda: s.Binder(self.draw(PLAIN), self.type()), 1, 2)
        return s.Quantifier(self.word("forall", "exists", "count"), binders, self.expression())

    def type(self) -> s.TypeExpression:
        return self.one_of(lambda: s.NamedType(self.name()), self.range, lambda: s.SetType(self.type()))

    def range(self) -> s.RangeType:
        low = self.operand(RANGE_BOUND)
        return s.RangeType(s.Paren(low) if starts_with_set(low) else low, self.operand(RANGE_BOUND))

    def dimensions(self) -> tuple[s.Dimension, ...]:
        return self.some(lambda: s.Dimension(self.maybe(self.name), self.type()), 0, 2)

    # --- statements

    def block(self) -> s.Block:
        return s.Block(self.some(lambda: self.one_of(self.body, self.local, lambda: s.Label(self.name()))))

    def local(self) -> s.Statement:
        return s.Local(self.name(), self.dimensions(), self.type(), self.maybe(self.expression))

    def body(self) -> s.Statement:
        return self.one_of(
            self.simple,
            self.simple,
            s.Empty,
            self.block,
            self.conditional,
            lambda: s.While(self.expression(), self.block()),
            lambda: s.Loop(self.block()),
            lambda: s.For(self.name(), self.type(), self.block()),
            lambda: s.Either(self.some(self.block, 2)),
            lambda: s.Atomic(self.block()),
            lambda: s.ScopedGuard(self.name(), self.expressions(0, 2), self.block()),
            lambda: s.ScopedGuard(self.name(), self.expressions(0, 2), self.block(), self.fail()),
            lambda: s.Unguarded(self.draw(STRINGS), self.body()),
        )

    def fail(self) -> s.Statement:
        return self.one_of(self.simple, self.block)

    def conditional(self) -> s.If:
        otherwise = self.one_of(lambda: None, self.block, self.conditional)
        return s.If(self.expression(), self.block(), otherwise)

    def target(self) -> s.Expression:
        return self.one_of(
            lambda: s.Name(self.name()),
            self.call,
            lambda: s.Index(self.target(), self.expression()),
            lambda: s.Member(self.target(), self.name()),
        )

    def simple(self) -> s.Statement:
        return self.one_of(
            lambda: s.CallStatement(s.Call(self.name(), ())),
            lambda: s.Assign(self.target(), self.word(*ASSIGNING), self.expression()),
            lambda: s.Assign(self.target(), self.word("++", "--"), None),
            lambda: s.CallStatement(self.call()),
            lambda: s.Choose(self.name(), self.type(), self.maybe(self.expression)),
            lambda: s.Await(self.expression()),
            lambda: s.Assert(self.expression(), self.maybe(self.name)),
            s.Skip,
            s.Break,
            s.Continue,
            lambda: s.Return(self.maybe(self.expression)),
            lambda: s.Goto(self.name()),
            lambda: s.Guard(self.name(), self.expressions(0, 2)),
            lambda: s.Emit(self.name(), self.expressions()),
        )

    # --- declarations

    def declaration(self) -> s.Declaration:
        return self.one_of(
            lambda: s.Import(self.draw(STRINGS)),
            lambda: s.Param(self.name(), self.type(), self.expression()),
            lambda: s.Param(self.name(), None, self.expression(), override=True),
            lambda: s.Const(self.name(), self.expression(), self.draw(st.booleans())),
            lambda: s.TypeDeclaration(self.name(), self.type()),
            lambda: s.TypeDeclaration(self.name(), self.range(), scalarset=True),
            lambda: s.EnumDeclaration(self.name(), self.some(lambda: s.Name(self.name()), 1)),
            lambda: s.RecordDeclaration(self.name(), self.some(self.field, 1)),
            self.variable,
            self.lock,
            self.op,
            self.thread,
            lambda: s.IrqHandler(self.name(), self.some(self.name, 1), self.block()),
            lambda: s.Init(self.block()),
            lambda: s.Property(self.word("step", "reachable", "property"), self.name(), self.expression()),
            lambda: s.Property("invariant", self.draw(PLAIN), self.expression(), self.maybe(self.expression)),
            lambda: s.Observation(self.name(), self.dimensions(), self.expression()),
            lambda: s.Without(self.name()),
            lambda: s.LockOrder(self.some(lambda: s.Name(self.name()), 2, 4)),
            lambda: s.Scenario(self.name(), self.draw(STRINGS), self.some(self.scenario_item, 0, 4)),
        )

    def field(self) -> s.Field:
        return s.Field(self.name(), self.dimensions(), self.type())

    def variable(self) -> s.Variable:
        marked = self.draw(st.none() | st.just("") | STRINGS)
        name, dimensions, type_ = self.name(), self.dimensions(), self.type()
        return s.Variable(
            name, dimensions, type_, self.maybe(self.expression), marked, self.some(self.guarded_by, 0, 2)
        )

    def guarded_by(self) -> s.GuardedBy:
        locks = self.one_of(lambda: (self.operand(),), lambda: self.expressions(2))
        return s.GuardedBy(self.word("guarded_by", "write_guarded_by", "rcu_guarded_by"), locks)

    def lock(self) -> s.Lock:
        attributes = self.some(lambda: self.word(*ATTRIBUTES), 0, 2)
        kind, dimensions, bound = self.draw(KINDS), self.dimensions(), self.maybe(self.type)
        return s.Lock(kind, self.name(), dimensions, bound, self.maybe(self.expression), attributes)

    def op(self) -> s.Op:
        parameters = self.some(
            lambda: self.one_of(
                lambda: s.LockParameter(self.draw(KINDS), self.name()),
                lambda: s.ValueParameter(self.name(), self.type()),
            )
        )
        contracts = self.some(
            lambda: s.Contract(
                self.word("acquires", "releases", "must_hold"), self.operand(), self.maybe(self.expression)
            ),
            0,
            2,
        )
        result, body = self.maybe(self.type), self.block()
        return s.Op(self.name(), parameters, result, contracts, body, self.draw(st.booleans()))

    def thread(self) -> s.Thread:
        attributes = self.some(lambda: self.word("daemon", "unfair"), 0, 2)
        size = self.one_of(lambda: None, self.expression, self.range)
        when, body = self.maybe(self.expression), self.block()
        return s.Thread(self.name(), size, when, attributes, body, self.draw(st.booleans()))

    def scenario_item(self) -> s.Run | s.Setting | s.Limit | s.Expectation:
        return self.one_of(
            s.ExpectUndecided,
            lambda: s.Run(self.some(lambda: s.RunItem(self.name(), self.maybe(self.operand)), 1)),
            lambda: s.Setting(self.name(), self.expression()),
            lambda: s.Limit(self.name(), self.expression()),
            lambda: s.ExpectHolds(self.some(self.name)),
            lambda: s.ExpectViolated(self.draw(PLAIN), self.maybe(self.expressions)),
            lambda: s.ExpectOrder(
                self.expressions(2, 2), self.word("", "reachable", "kept apart", "one thread")
            ),
            lambda: s.ExpectOrder(self.expressions(2, 2), "gated", self.expressions(1)),
            lambda: s.ExpectCount(self.word("steps", "states", "transitions", "depth"), self.expression()),
            lambda: s.ExpectNotReached(s.Name(self.name())),
            lambda: s.ExpectNotReached(s.Member(s.Name(self.name()), self.name())),
        )

    def specification(self) -> s.Specification:
        declarations = self.some(self.declaration, 0, 4)
        if self.draw(st.booleans()):
            return s.Specification(None, "", marked=False, declarations=declarations)
        return s.Specification(self.name(), self.draw(STRINGS), self.draw(st.booleans()), declarations)


@st.composite
def expressions(draw: st.DrawFn) -> s.Expression:
    return Trees(draw, 12).expression()


@st.composite
def statements(draw: st.DrawFn) -> s.Statement:
    return Trees(draw, 20).body()


@st.composite
def specifications(draw: st.DrawFn) -> s.Specification:
    return Trees(draw, 60).specification()
