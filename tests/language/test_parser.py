"""Text to syntax tree, and files to texts."""

from __future__ import annotations

import pytest

from modelcheck.diagnostics import SpecError
from modelcheck.language import syntax as s
from modelcheck.language.parser import parse
from modelcheck.language.printer import expression_text
from modelcheck.source import Source
from tests.language.trees import SOFT_WORDS

A, B, C = s.Name("a"), s.Name("b"), s.Name("c")
T = s.NamedType("T")


def tree(text: str) -> s.Specification:
    return parse(Source("model.mck", text))


def declaration(text: str) -> s.Declaration:
    (found,) = tree(text).declarations
    return found


def statements(text: str) -> tuple[s.Statement, ...]:
    op = declaration(f"op f() {{ {text} }}")
    assert isinstance(op, s.Op)
    return op.body.statements


def expression(text: str) -> s.Expression:
    const = declaration(f"const A = {text};")
    assert isinstance(const, s.Const)
    return const.value


def error(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        tree(text)
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.code} {diagnostic.message}"


# --- declarations --------------------------------------------------------------------------------


def test_a_file_may_have_a_name_a_mark_and_a_description() -> None:
    assert tree("") == s.Specification(None, "", marked=False, declarations=())
    assert tree('model m;\n"Why."') == s.Specification("m", "Why.", marked=False, declarations=())
    assert tree("model m marked;") == s.Specification("m", "", marked=True, declarations=())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('import "a/b.mck";', s.Import("a/b.mck")),
        ("param N: 1..8 = 1;", s.Param("N", s.RangeType(s.Number(1), s.Number(8)), s.Number(1))),
        ("override param N = 3;", s.Param("N", None, s.Number(3), override=True)),
        ("const A = a;", s.Const("A", A)),
        ("override const A = a;", s.Const("A", A, override=True)),
        ("type X = T;", s.TypeDeclaration("X", T)),
        ("type X = set of set of T;", s.TypeDeclaration("X", s.SetType(s.SetType(T)))),
        ("scalarset X = a .. b;", s.TypeDeclaration("X", s.RangeType(A, B), scalarset=True)),
        ("enum E { a, b, }", s.EnumDeclaration("E", (A, B))),
        ("record R { x: T; };", s.RecordDeclaration("R", (s.Field("x", (), T),))),
        ("var x: T;", s.Variable("x", (), T, None)),
        ("var x[T]: bool = a marked;", s.Variable("x", (s.Dimension(None, T),), s.NamedType("bool"), A, "")),
        ('var x: T marked "why";', s.Variable("x", (), T, None, "why")),
        (
            "var x[i: T]: T = a guarded_by l[i];",
            s.Variable(
                "x",
                (s.Dimension("i", T),),
                T,
                A,
                None,
                (s.GuardedBy("guarded_by", (s.Index(s.Name("l"), s.Name("i")),)),),
            ),
        ),
        (
            "var x: T guarded_by (a, b) write_guarded_by c;",
            s.Variable(
                "x",
                (),
                T,
                None,
                None,
                (s.GuardedBy("guarded_by", (A, B)), s.GuardedBy("write_guarded_by", (C,))),
            ),
        ),
        (
            "var x: T rcu_guarded_by a;",
            s.Variable("x", (), T, None, None, (s.GuardedBy("rcu_guarded_by", (A,)),)),
        ),
        ("mutex a;", s.Lock("mutex", "a")),
        ("mutx a;", s.Lock("mutx", "a")),
        ("mutex a[T][x: T];", s.Lock("mutex", "a", (s.Dimension(None, T), s.Dimension("x", T)))),
        ("semaphore s = 1;", s.Lock("semaphore", "s", (), None, s.Number(1))),
        (
            "refcount r: 0..4 = 1 owned handover;",
            s.Lock(
                "refcount", "r", (), s.RangeType(s.Number(0), s.Number(4)), s.Number(1), ("owned", "handover")
            ),
        ),
        ("mutex a novalidate;", s.Lock("mutex", "a", attributes=("novalidate",))),
        ("op f() { }", s.Op("f", (), None, (), s.Block(()))),
        (
            "override op f(b: T, mutex l) -> T acquires a releases b must_hold c { }",
            s.Op(
                "f",
                (s.ValueParameter("b", T), s.LockParameter("mutex", "l")),
                T,
                (s.Contract("acquires", A), s.Contract("releases", B), s.Contract("must_hold", C)),
                s.Block(()),
                override=True,
            ),
        ),
        ("thread t { }", s.Thread("t", None, None, (), s.Block(()))),
        ("thread t[a] when b { }", s.Thread("t", A, B, (), s.Block(()))),
        ("thread t[a .. b] { }", s.Thread("t", s.RangeType(A, B), None, (), s.Block(()))),
        (
            "override daemon unfair thread t { }",
            s.Thread("t", None, None, ("daemon", "unfair"), s.Block(()), override=True),
        ),
        ("observe o: a;", s.Observation("o", (), A)),
        ("observe o[b: T]: a;", s.Observation("o", (s.Dimension("b", s.NamedType("T")),), A)),
        ("without thread t;", s.Without("t")),
        ("irq handler h on a, b { }", s.IrqHandler("h", ("a", "b"), s.Block(()))),
        ("order a < b < c;", s.LockOrder((s.Name("a"), s.Name("b"), s.Name("c")))),
        ("mutex order;", s.Lock("mutex", "order")),
        ("init { skip; }", s.Init(s.Block((s.Skip(),)))),
        ("invariant i: a;", s.Property("invariant", "i", A)),
        ("invariant when free(l[b]) i: a;", s.Property("invariant", "i", A, s.Index(s.Name("l"), B))),
        ("step i: next(a);", s.Property("step", "i", s.Call("next", (A,)))),
        ("reachable i: a;", s.Property("reachable", "i", A)),
        ("property i: always(a);", s.Property("property", "i", s.Call("always", (A,)))),
    ],
)
def test_each_declaration(text: str, expected: s.Declaration) -> None:
    assert declaration(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run a, b*2;", s.Run((s.RunItem("a", None), s.RunItem("b", s.Number(2))))),
        ("A = a;", s.Setting("A", A)),
        ("limit states 1_000_000;", s.Limit("states", s.Number(1000000))),
        ("expect holds;", s.ExpectHolds()),
        ("expect holds except a, b;", s.ExpectHolds(("a", "b"))),
        ("expect deadlock;", s.ExpectViolated("deadlock")),
        ("expect circular_wait(a, b);", s.ExpectViolated("circular_wait", (A, B))),
        ("expect race();", s.ExpectViolated("race", ())),
        ("expect order(a, b);", s.ExpectOrder((A, B), "")),
        ("expect order(a, b) gated by c, a;", s.ExpectOrder((A, B), "gated", (C, A))),
        ("expect order(a, b) reachable;", s.ExpectOrder((A, B), "reachable")),
        ("expect order(a, b) kept apart;", s.ExpectOrder((A, B), "kept apart")),
        ("expect order(a, b) one thread;", s.ExpectOrder((A, B), "one thread")),
        ("expect in 14 steps;", s.ExpectCount("steps", s.Number(14))),
        ("expect states 3;", s.ExpectCount("states", s.Number(3))),
        ("expect transitions N * 2;", s.ExpectCount("transitions", s.Binary("*", s.Name("N"), s.Number(2)))),
        ("expect depth 3;", s.ExpectCount("depth", s.Number(3))),
        ("expect not reached a;", s.ExpectNotReached(A)),
        ("expect not reached f.a;", s.ExpectNotReached(s.Member(s.Name("f"), "a"))),
        ("expect undecided;", s.ExpectUndecided()),
    ],
)
def test_each_item_of_a_scenario(text: str, expected: s.Node) -> None:
    assert declaration(f'scenario s "why" {{ {text} }}') == s.Scenario("s", "why", (expected,))  # type: ignore[arg-type]


# --- statements ----------------------------------------------------------------------------------

SKIP = s.Block((s.Skip(),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("var x: T;", s.Local("x", (), T, None)),
        ("var x[T]: T = a;", s.Local("x", (s.Dimension(None, T),), T, A)),
        ("a = b;", s.Assign(A, "=", B)),
        ("a[b].x = c;", s.Assign(s.Member(s.Index(A, B), "x"), "=", C)),
        ("a++;", s.Assign(A, "++", None)),
        ("if (a) skip;", s.If(A, SKIP, None)),
        ("if (a) { skip; } else skip;", s.If(A, SKIP, SKIP)),
        ("if (a) skip; else if (b) skip; else skip;", s.If(A, SKIP, s.If(B, SKIP, SKIP))),
        ("while (a) skip;", s.While(A, SKIP)),
        ("while (a) ;", s.While(A, s.Block((s.Empty(),)))),
        ("loop skip;", s.Loop(SKIP)),
        ("for (x: T) skip;", s.For("x", T, SKIP)),
        ("choose x: T;", s.Choose("x", T, None)),
        ("choose x: T where a;", s.Choose("x", T, A)),
        ("either { skip; } or { } or { }", s.Either((SKIP, s.Block(()), s.Block(())))),
        ("await(a);", s.Await(A)),
        ("assert(a);", s.Assert(A, None)),
        ("assert(a) as b;", s.Assert(A, "b")),
        ("atomic { skip; }", s.Atomic(SKIP)),
        ("break;", s.Break()),
        ("continue;", s.Continue()),
        ("return;", s.Return(None)),
        ("return -EBUSY;", s.Return(s.Unary("-", s.Name("EBUSY")))),
        ("goto out;", s.Goto("out")),
        ("out:", s.Label("out")),
        (";", s.Empty()),
        ("f();", s.CallStatement(s.Call("f", ()))),
        ("mutex_lock(&a);", s.CallStatement(s.Call("mutex_lock", (s.Unary("&", A),)))),
        ("guard(mutex)(a);", s.Guard("mutex", (A,))),
        ("guard(rcu)();", s.Guard("rcu", ())),
        ("scoped_guard(mutex, a) skip;", s.ScopedGuard("mutex", (A,), SKIP)),
        ("scoped_guard(rcu) { }", s.ScopedGuard("rcu", (), s.Block(()))),
        (
            "scoped_cond_guard(mutex_intr, return -EINTR, a) { }",
            s.ScopedGuard("mutex_intr", (A,), s.Block(()), s.Return(s.Unary("-", s.Name("EINTR")))),
        ),
        (
            "scoped_cond_guard(mutex_try, { skip; }, a) { }",
            s.ScopedGuard("mutex_try", (A,), s.Block(()), SKIP),
        ),
        ("emit e(a, b);", s.Emit("e", (A, B))),
        ('unguarded("new") a = b;', s.Unguarded("new", s.Assign(A, "=", B))),
        ('unguarded("new") { skip; }', s.Unguarded("new", SKIP)),
        (
            "if (!mutex_trylock(a)) return -EBUSY;",
            s.If(
                s.Unary("!", s.Call("mutex_trylock", (A,))),
                s.Block((s.Return(s.Unary("-", s.Name("EBUSY"))),)),
                None,
            ),
        ),
    ],
)
def test_each_statement(text: str, expected: s.Statement) -> None:
    assert statements(text) == (expected,)


@pytest.mark.parametrize("operator", ["=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>="])
def test_each_assignment(operator: str) -> None:
    assert statements(f"a {operator} b;") == (s.Assign(A, operator, B),)


def test_an_else_belongs_to_the_nearest_if() -> None:
    (outer,) = statements("if (a) if (b) skip; else break;")
    assert outer == s.If(A, s.Block((s.If(B, SKIP, s.Block((s.Break(),))),)), None)


def test_a_label_may_end_a_block() -> None:
    assert statements("goto out; { out: }") == (s.Goto("out"), s.Block((s.Label("out"),)))


# --- expressions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a implies b implies c", "a implies (b implies c)"),
        ("a ? b : c implies d", "(a ? b : c) implies d"),
        ("a ? b : c ? d : e", "a ? b : (c ? d : e)"),
        ("a || b ? c : d", "(a || b) ? c : d"),
        ("a || b && c", "a || (b && c)"),
        ("a && b | c", "a && (b | c)"),
        ("a | b ^ c", "a | (b ^ c)"),
        ("a ^ b & c", "a ^ (b & c)"),
        ("a & b == c", "a & (b == c)"),
        ("a == b < c", "a == (b < c)"),
        ("a == b in c", "a == (b in c)"),
        ("a < b << c", "a < (b << c)"),
        ("a << b + c", "a << (b + c)"),
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b % c", "(a / b) % c"),
        ("-a * b", "(-a) * b"),
        ("!a[b].c", "!(a[b].c)"),
        ("a < b < c", "(a < b) < c"),
    ],
)
def test_operators_bind_as_in_c(text: str, grouped: str) -> None:
    assert expression_text(expression(text)) == expression_text(without_parentheses(expression(grouped)))
    assert expression(text) == without_parentheses(expression(grouped))


def without_parentheses(node: s.Expression) -> s.Expression:
    match node:
        case s.Paren(inner=inner):
            return without_parentheses(inner)
        case s.Binary(operator=operator, left=left, right=right):
            return s.Binary(operator, without_parentheses(left), without_parentheses(right))
        case s.Unary(operator=operator, operand=operand):
            return s.Unary(operator, without_parentheses(operand))
        case s.Conditional(condition=test, then=then, otherwise=other):
            return s.Conditional(*map(without_parentheses, (test, then, other)))
        case _:
            return node


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0x1F", s.Number(31)),
        ("1_000_000", s.Number(1000000)),
        ("true", s.Boolean(value=True)),
        ("(a)", s.Paren(A)),
        ("{ }", s.SetLiteral(())),
        ("{ a, b }", s.SetLiteral((A, B))),
        ("f(a)(b)", None),
        ("State.ONLINE", s.Member(s.Name("State"), "ONLINE")),
        ("forall b: T { a }", s.Quantifier("forall", (s.Binder("b", T),), A)),
        ("exists b: T, c: 0..a { b }", None),
        ("count b: T { a } + 1", s.Binary("+", s.Quantifier("count", (s.Binder("b", T),), A), s.Number(1))),
        ("count + count(b)", s.Binary("+", s.Name("count"), s.Call("count", (B,)))),
    ],
)
def test_each_expression(text: str, expected: s.Expression | None) -> None:
    if expected is not None:
        assert expression(text) == expected
    elif "f(a)(b)" in text:
        assert error(f"const A = {text};").startswith("MC001")
    else:
        kind = expression(text)
        assert isinstance(kind, s.Quantifier)
        assert [binder.name for binder in kind.binders] == ["b", "c"]


@pytest.mark.parametrize("word", SOFT_WORDS)
def test_a_word_that_is_a_keyword_in_few_places_is_a_name_everywhere_else(word: str) -> None:
    text = f"""
        model {word};
        param {word}: {word} = {word};
        type {word} = {word} .. {word} + 1;
        enum {word} {{ {word}, {word} }}
        record {word} {{ {word}: {word}; }}
        mutex {word}[{word}][{word}: {word}];
        var {word}[{word}]: {word} = {word} guarded_by {word};
        op {word}({word}: {word}, mutex {word}) -> {word} acquires {word} {{
            var {word}: {word} = {word} in {word};
            {word}: {word} = {word}({word}) + {word}[{word}].{word};
            {word}.{word}++;
            goto {word};
            choose {word}: {word} where {word};
            for ({word}: {word}) {word}({word});
            assert({word} ? {word} : {word}) as {word};
            guard({word})({word});
            emit {word}({word});
            return {word};
        }}
        thread {word}[{word}] when {word} {{ }}
        irq handler {word} on {word}, {word} {{ }}
        step {word}: next({word}) == {word} implies {{ {word} }} == {word};
        scenario {word} {{
            run {word}*{word}, {word};
            {word} = {word};
            limit {word} {word};
            expect holds except {word}, {word};
            expect in {word} steps;
            expect not reached {word}.{word};
            expect order({word}, {word}) gated by {word}, {word};
        }}
    """
    assert tree(text).name == word


# --- places --------------------------------------------------------------------------------------


def test_every_node_has_the_place_of_its_text() -> None:
    text = "op f(b: T) {\n    x[b] = y + (1);  // why\n    if (x) z(); else skip;\n}\nmutex a ;\n"
    places = {type(node).__name__: node.span.text for node in tree(text).walk()}
    assert places["Op"] == text[: text.index("}") + 1]
    assert places["Assign"] == "x[b] = y + (1)"
    assert places["Binary"] == "y + (1)"
    assert places["Paren"] == "(1)"
    assert places["Index"] == "x[b]"
    assert places["CallStatement"] == "z()"
    assert places["If"] == "if (x) z(); else skip"
    assert places["ValueParameter"] == "b: T"
    assert places["Lock"] == "mutex a ;"


def test_all_nodes_of_the_example_have_places_inside_their_parents() -> None:
    text = "thread t[3] when a { atomic { await(!x); } either { x++; } or { } }\nscenario s { expect holds; }"
    for node in tree(text).walk():
        for child in node.children():
            assert node.span.start <= child.span.start <= child.span.end <= node.span.end


def test_comments_are_kept_beside_the_tree() -> None:
    found = tree("// one\nmutex a; /* two */ // three\n").comments
    assert found == (
        s.Comment("// one", own_line=True),
        s.Comment("/* two */", own_line=False),
        s.Comment("// three", own_line=False),
    )
    assert [comment.span.line for comment in found] == [1, 2, 2]
