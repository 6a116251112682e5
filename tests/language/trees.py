"""Syntax trees as the parser makes them, for Hypothesis: every construct of the grammar is drawn.

A tree of the parser has parentheses where precedence wants them, braces around the bodies of loops, and no negative
number; apart from that everything goes, names that are keywords elsewhere included.
"""

from __future__ import annotations

from hypothesis import strategies as st

from modelcheck.language import syntax as s
from modelcheck.language.operators import BINARY, CONDITIONAL, UNARY

RANGE_BOUND = BINARY["<<"].binding

names = st.sampled_from(
    "a b lock x1 _y state next step count set in model order run holds except gated by states steps limit expect "
    "type init op thread on when where as free kept one not reached marked param const daemon".split()
)
plain = st.sampled_from(["a", "b", "deadlock", "circular_wait", "x_1"])
kinds = st.sampled_from(["mutex", "rwsem", "percpu_rwsem", "mutx", "completion"])
strings = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
reasons = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=8)


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


def _binary(operator: str, left: s.Expression, right: s.Expression) -> s.Binary:
    binding = BINARY[operator].binding
    is_right = BINARY[operator].right
    return s.Binary(operator, fit(left, binding + is_right), fit(right, binding + (not is_right)))


def _conditional(condition: s.Expression, then: s.Expression, otherwise: s.Expression) -> s.Conditional:
    return s.Conditional(fit(condition, CONDITIONAL + 1), then, fit(otherwise, CONDITIONAL))


def tuples(items: st.SearchStrategy, least: int = 0, most: int = 3) -> st.SearchStrategy:
    return st.lists(items, min_size=least, max_size=most).map(tuple)


def maybe(items: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | items


atoms = (
    st.builds(s.Name, names) | st.builds(s.Number, st.integers(0, 2**64)) | st.builds(s.Boolean, st.booleans())
)


def _larger(inner: st.SearchStrategy) -> st.SearchStrategy:
    postfix = inner.map(lambda e: fit(e, UNARY + 1))
    binders = tuples(st.builds(s.Binder, names.filter(lambda n: n != "count"), _types(inner)), 1, 2)
    return st.one_of(
        st.builds(_binary, st.sampled_from(sorted(BINARY)), inner, inner),
        st.builds(_conditional, inner, inner, inner),
        st.builds(s.Unary, st.sampled_from("!-~&"), inner.map(lambda e: fit(e, UNARY))),
        st.builds(s.Paren, inner),
        st.builds(s.Index, postfix, inner),
        st.builds(s.Member, postfix, names),
        st.builds(s.Call, names, tuples(inner)),
        st.builds(s.SetLiteral, tuples(inner)),
        st.builds(s.Quantifier, st.sampled_from(["forall", "exists", "count"]), binders, inner),
    )


def _ranges(inner: st.SearchStrategy) -> st.SearchStrategy:
    bound = inner.map(lambda e: fit(e, RANGE_BOUND))
    return st.builds(s.RangeType, bound.filter(lambda e: not _starts_with_set(e)), bound)


def _starts_with_set(node: s.Expression) -> bool:
    """Whether a text starts with `{`: a set is no bound, and not taken for one where a type is missing."""
    match node:
        case s.SetLiteral():
            return True
        case s.Binary(left=first) | s.Index(base=first) | s.Member(base=first) | s.Conditional(condition=first):
            return _starts_with_set(first)
        case _:
            return False


def _types(inner: st.SearchStrategy) -> st.SearchStrategy:
    named = st.builds(s.NamedType, names)
    return named | _ranges(inner) | st.builds(s.SetType, named | _ranges(inner) | st.builds(s.SetType, named))


expressions = st.recursive(atoms, _larger, max_leaves=6)
operands = expressions.map(lambda e: fit(e, UNARY))
types = _types(expressions)
dimensions = tuples(st.builds(s.Dimension, maybe(names), types), 0, 2)
targets = st.recursive(
    st.builds(s.Name, names) | st.builds(s.Call, names, tuples(expressions, 0, 1)),
    lambda inner: st.builds(s.Index, inner, expressions) | st.builds(s.Member, inner, names),
    max_leaves=3,
)
COMPOUND = ("=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>=")
simple = st.one_of(
    st.builds(s.Assign, targets, st.sampled_from(COMPOUND), expressions),
    st.builds(s.Assign, targets, st.sampled_from(["++", "--"]), st.none()),
    st.builds(s.CallStatement, st.builds(s.Call, names, tuples(expressions))),
    st.builds(s.Choose, names, types, maybe(expressions)),
    st.builds(s.Await, expressions),
    st.builds(s.Assert, expressions, maybe(names)),
    st.sampled_from([s.Skip(), s.Break(), s.Continue()]),
    st.builds(s.Return, maybe(expressions)),
    st.builds(s.Goto, names),
    st.builds(s.Guard, names, tuples(expressions, 0, 2)),
    st.builds(s.Emit, names, tuples(expressions)),
)


def _blocks(inner: st.SearchStrategy) -> st.SearchStrategy:
    local = st.builds(s.Local, names, dimensions, types, maybe(expressions))
    return st.builds(s.Block, tuples(inner | local | st.builds(s.Label, names)))


def _compound(inner: st.SearchStrategy) -> st.SearchStrategy:
    block = _blocks(inner)
    chain = st.builds(s.If, expressions, block, maybe(block))
    guards = tuples(expressions, 0, 2)
    return st.one_of(
        block,
        chain,
        st.builds(s.If, expressions, block, chain),
        st.builds(s.While, expressions, block),
        st.builds(s.Loop, block),
        st.builds(s.For, names, types, block),
        st.builds(s.Either, tuples(block, 2)),
        st.builds(s.Atomic, block),
        st.builds(s.ScopedGuard, names, guards, block),
        st.builds(s.ScopedGuard, names, guards, block, simple | block),
        st.builds(s.Unguarded, strings, inner),
    )


statements = st.recursive(simple | st.just(s.Empty()), _compound, max_leaves=5)
blocks = _blocks(statements)


def _thread(  # noqa: PLR0913, PLR0917
    name: str, size: object, when: s.Expression | None, attributes: tuple[str, ...], body: s.Block, *, override: bool
) -> s.Thread:
    return s.Thread(name, size, when, attributes, body, override)  # type: ignore[arg-type]


guarded_by = st.builds(
    s.GuardedBy,
    st.sampled_from(["guarded_by", "write_guarded_by", "rcu_guarded_by"]),
    tuples(operands, 1, 1) | tuples(expressions, 2, 3),
)
parameters = st.builds(s.ValueParameter, names, types) | st.builds(s.LockParameter, kinds, names)
contracts = st.builds(s.Contract, st.sampled_from(["acquires", "releases", "must_hold"]), operands)
properties = st.builds(s.Property, st.sampled_from(["step", "reachable", "property"]), names, expressions)
invariants = st.builds(
    s.Property, st.just("invariant"), names.filter(lambda n: n != "when"), expressions, maybe(expressions)
)
code = st.one_of(
    st.builds(s.Op, names, tuples(parameters), maybe(types), tuples(contracts), blocks, st.booleans()),
    st.builds(
        _thread,
        names,
        maybe(expressions | _ranges(expressions)),
        maybe(expressions),
        tuples(st.sampled_from(["daemon", "unfair"]), 0, 2),
        blocks,
        override=st.booleans(),
    ),
    st.builds(s.IrqHandler, names, tuples(names, 1), blocks),
    st.builds(s.Init, blocks),
)
scenario_items = st.one_of(
    st.builds(s.Run, tuples(st.builds(s.RunItem, names, maybe(operands)), 1)),
    st.builds(s.Setting, names, expressions),
    st.builds(s.Limit, names, expressions),
    st.builds(s.ExpectHolds, tuples(names)),
    st.builds(s.ExpectViolated, plain, maybe(tuples(expressions))),
    st.builds(
        s.ExpectOrder, tuples(expressions, 2, 2), st.sampled_from(["", "reachable", "kept apart", "one thread"])
    ),
    st.builds(s.ExpectOrder, tuples(expressions, 2, 2), st.just("gated"), tuples(expressions, 1)),
    st.builds(s.ExpectCount, st.sampled_from(["steps", "states", "transitions", "depth"]), expressions),
    st.builds(
        s.ExpectNotReached, st.builds(s.Name, names) | st.builds(s.Member, st.builds(s.Name, names), names)
    ),
    st.just(s.ExpectUndecided()),
)
declarations = st.one_of(
    st.builds(s.Import, strings),
    st.builds(s.Param, names, types, expressions),
    st.builds(s.Param, names, st.none(), expressions, st.just(True)),
    st.builds(s.Const, names, expressions, st.booleans()),
    st.builds(s.TypeDeclaration, names, types),
    st.builds(s.TypeDeclaration, names, _ranges(expressions), st.just(True)),
    st.builds(s.EnumDeclaration, names, tuples(st.builds(s.Name, names), 1)),
    st.builds(s.RecordDeclaration, names, tuples(st.builds(s.Field, names, dimensions, types), 1)),
    st.builds(
        s.Variable,
        names,
        dimensions,
        types,
        maybe(expressions),
        st.none() | st.just("") | reasons,
        tuples(guarded_by, 0, 2),
    ),
    st.builds(
        s.Lock,
        kinds,
        names,
        dimensions,
        maybe(types),
        maybe(expressions),
        tuples(st.sampled_from(["novalidate", "handover", "owned"]), 0, 2),
    ),
    code,
    properties,
    invariants,
    st.builds(s.Without, names),
    st.builds(s.Scenario, names, strings, tuples(scenario_items, 0, 4)),
)
specifications = st.builds(s.Specification, names, strings, st.booleans(), tuples(declarations, 0, 4)) | st.builds(
    s.Specification, st.none(), st.just(""), st.just(value=False), tuples(declarations, 0, 4)
)
