"""The canonical text: `modelcheck fmt`."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelcheck.diagnostics import Collector, SpecError
from modelcheck.language import syntax as s
from modelcheck.language.grammar import grammar
from modelcheck.language.parser import parse
from modelcheck.language.printer import expression_text, format_source, statement_text, to_text
from modelcheck.language.tokens import scan
from modelcheck.source import Source
from tests.language.trees import expressions, specifications, statements
from tests.transcript import ROOT


def source(text: str) -> Source:
    return Source("model.mck", text)


def formatted(text: str) -> str:
    once = format_source(source(text))
    assert format_source(source(once)) == once, "formatting twice is formatting once"
    assert parse(source(once)) == parse(source(text)), "formatting keeps the meaning"
    return once


def statement(text: str) -> s.Statement:
    (op,) = parse(source(f"op f() {{ {text} }}")).declarations
    assert isinstance(op, s.Op)
    return op.body.statements[0]


# --- for all trees -------------------------------------------------------------------------------


@given(specifications())
def test_the_text_of_a_tree_is_read_as_that_tree(tree: s.Specification) -> None:
    text = to_text(tree)
    assert parse(source(text)) == tree
    assert format_source(source(text)) == text


@given(expressions())
def test_the_text_of_an_expression_is_one_line(expression: s.Expression) -> None:
    text = expression_text(expression)
    assert "\n" not in text
    (const,) = parse(source(f"const A = {text};")).declarations
    assert const == s.Const("A", expression)


@given(statements())
def test_the_text_of_a_statement_is_one_line(each: s.Statement) -> None:
    assert "\n" not in statement_text(each)


def sprinkled(draw: st.DrawFn, text: str) -> str:
    """Put comments and line ends between the tokens of a text."""
    out, end = [], 0
    for i, token in enumerate(scan(source(text), grammar().vocabulary, Collector()).tokens):
        out.append(text[end : token.start])
        between = [
            "",
            "",
            "",
            "",
            "\n",
            "\n\n\n",
            f" /* {i} */ ",
            f" // {i}\n",
            f"\n/* {i} */\n",
            f"\n  // {i}\n\n",
        ]
        out.append(draw(st.sampled_from([*between, f"/* {i}\n     more */", f" /* {i} */ // {i}\n// {i}\n"])))
        out.append(token.text)
        end = token.end
    return "".join(out) + draw(st.sampled_from([text[end:], " // last", "\n\n/* last */\n\n", " /* last */"]))


def comments(text: str) -> list[str]:
    """Return the comments of a text, without the indentation of their lines."""
    return [re.sub(r"\n\s*", "\n", comment.text) for comment in parse(source(text)).comments]


@given(specifications(), st.data())
def test_comments_and_line_ends_anywhere_change_no_tree_and_no_comment_is_lost(
    tree: s.Specification, data: st.DataObject
) -> None:
    text = data.draw(st.composite(sprinkled)(to_text(tree)))
    assert parse(source(text)) == tree
    once = format_source(source(text))
    assert parse(source(once)) == tree
    assert comments(once) == comments(text)
    assert format_source(source(once)) == once


@given(specifications())
def test_braces_that_the_user_left_out_keep_the_comments_in_place(tree: s.Specification) -> None:
    text = re.sub(r"\{ ([a-z0-9_]+\(\);) \}", r"\1 // trailing\n", to_text(tree))
    assert comments(format_source(source(text))) == comments(text)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("specs/**/*.mck")) + sorted(ROOT.glob("benchmarks/*.mck")), ids=str
)
def test_our_own_specifications_keep_their_meaning_and_their_comments(path) -> None:
    text = path.read_text(encoding="utf-8")
    assert comments(formatted(text)) == comments(text)


# --- the form ------------------------------------------------------------------------------------


def test_a_statement_has_a_line_and_a_block_is_indented_by_four() -> None:
    text = "op f(b:Block)->Errno{mutex_lock(l[b]);if(x==0){return -EBUSY;}else if(y){x+=1;}else{x--;}\nreturn 0;}"
    assert (
        formatted(text)
        == """\
op f(b: Block) -> Errno {
    mutex_lock(l[b]);
    if (x == 0) { return -EBUSY; } else if (y) { x += 1; } else { x--; }
    return 0;
}
"""
    )


def test_a_block_written_in_several_lines_has_a_line_for_each_statement() -> None:
    text = "op f() { if (x)\n mutex_lock(a); else { y = 1; z = 2;\n } while (!mutex_trylock(l)) ; }"
    assert (
        formatted(text)
        == """\
op f() {
    if (x) {
        mutex_lock(a);
    } else {
        y = 1;
        z = 2;
    }
    while (!mutex_trylock(l)) { ; }
}
"""
    )


def test_a_block_on_one_line_stays_there_while_it_fits() -> None:
    short = "thread t { mutex_lock(a); mutex_unlock(a); }\n"
    assert formatted(short) == short
    statement_that_is_long = "mutex_lock(a_lock_with_a_long_name); " * 4
    assert formatted(f"thread t {{ {statement_that_is_long}}}").count("\n") == 6


def test_at_most_one_blank_line_stays_and_none_inside_braces() -> None:
    text = "mutex a;\nmutex b;\n\n\n\nop f() {\n\n    x = 1;\n\n\n    y = 2;\n\n}\n\n\n"
    assert formatted(text) == "mutex a;\nmutex b;\n\nop f() {\n    x = 1;\n\n    y = 2;\n}\n"


def test_a_line_break_inside_an_expression_stays_and_is_indented() -> None:
    text = "invariant i:\nforall b: Block {\na[b] &&\n      f(b,\nc)\n};\n"
    assert (
        formatted(text)
        == """\
invariant i:
    forall b: Block {
        a[b] &&
        f(b,
            c)
    };
"""
    )


def test_trailing_comments_of_adjacent_lines_are_aligned() -> None:
    text = "mutex a; // one\nmutex long_name;// two\n// own line\nmutex b; // three\n"
    assert (
        formatted(text)
        == """\
mutex a;          // one
mutex long_name;  // two
// own line
mutex b;  // three
"""
    )


def test_a_trailing_comment_that_goes_on_in_the_next_line_stays_together() -> None:
    text = "mutex a;   // one,\n           // and more\nmutex b;\n"
    assert formatted(text) == "mutex a;  // one,\n          // and more\nmutex b;\n"


def test_a_comment_that_only_happens_to_stand_below_another_is_not_taken_for_its_second_line() -> None:
    text = "const A = f(\n    ((  // one\n        // two\n        a) ? b : c));\n"
    assert formatted(text) == text


def test_a_comment_after_a_condition_goes_into_the_block_that_gets_braces() -> None:
    text = "op f() {\n    if (x) // why\n        return; // done\n    y = 1;\n}\n"
    assert (
        formatted(text)
        == """\
op f() {
    if (x) {     // why
        return;  // done
    }
    y = 1;
}
"""
    )


def test_comments_inside_expressions_stay_where_they_are() -> None:
    text = "const A = /* one */ 1 + // plus\n 2 /* two */;\nop f(/* none */) { g(/* first */ a, b /* second */); }\n"
    assert (
        formatted(text)
        == """\
const A = /* one */ 1 +  // plus
    2 /* two */;
op f(/* none */) { g(/* first */ a, b /* second */); }
"""
    )


def test_the_lines_of_a_block_comment_move_together() -> None:
    text = "op f() {\n  /* one\n   * two\n   */\n  x = 1;\n}\n"
    assert formatted(text) == "op f() {\n    /* one\n     * two\n     */\n    x = 1;\n}\n"


def test_a_label_stands_one_level_further_left() -> None:
    text = "op f() {\n    goto out;\n    out:\n    x = 1;\n}\n"
    assert formatted(text) == "op f() {\n    goto out;\nout:\n    x = 1;\n}\n"


def test_numbers_stay_as_they_were_written() -> None:
    text = "const A = 0x1000 + 1_000_000;\n"
    assert formatted(text) == text


def test_ranges_of_numbers_are_tight_and_others_and_declared_ones_have_room() -> None:
    text = "type T = 0..3;\nvar x: 0 .. 3;\nvar y: 0..N - 1;\n"
    assert formatted(text) == "type T = 0 .. 3;\nvar x: 0..3;\nvar y: 0 .. N - 1;\n"


def test_settings_of_a_scenario_may_share_a_line() -> None:
    text = "scenario s {\n    A = 1; B = 2;\n    expect holds;\n}\n"
    assert formatted(text) == text


def test_what_stands_for_nothing_is_left_out() -> None:
    assert formatted('enum E { A, B, };;\nscenario s "" { ; }\n') == "enum E { A, B }\nscenario s { }\n"


def test_carriage_returns_and_missing_line_ends_are_made_regular() -> None:
    assert formatted("mutex a; // x\r\nmutex b;") == "mutex a;  // x\nmutex b;\n"


def test_an_empty_file_stays_empty() -> None:
    assert formatted("") == ""
    assert formatted(" \n\n") == ""
    assert formatted("\n// only this\n\n\n") == "// only this\n"


def test_a_tree_that_was_changed_is_printed_without_its_comments() -> None:
    tree = parse(source("mutex a; // gone\n\n\nmutex b;\n"))
    assert to_text(replace(tree, declarations=tree.declarations[:1])) == "mutex a;\n"


def test_formatting_a_file_with_errors_reports_them() -> None:
    with pytest.raises(SpecError):
        format_source(source("mutex a"))


# --- one line ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x[b]  =y+1;", "x[b] = y + 1"),
        ("mutex_lock( &l );", "mutex_lock(&l)"),
        ("if (a) { x = 1; } else { y = 2; }", "if (a)"),
        ("while (!mutex_trylock(l)) { }", "while (!mutex_trylock(l))"),
        ("for (b: 0..3) { skip; }", "for (b: 0..3)"),
        ("loop { skip; }", "loop"),
        ("either { skip; } or { x = 1; }", "either"),
        ("scoped_guard(mutex, l) { x = 1; }", "scoped_guard(mutex, l)"),
        (
            "scoped_cond_guard(mutex_intr, return -EINTR, l) { }",
            "scoped_cond_guard(mutex_intr, return -EINTR, l)",
        ),
        ('unguarded("not yet published") x = 1;', "x = 1"),
        ("atomic { await(!x);\n x = true; }", "atomic { await(!x); x = true; }"),
        ("atomic { " + "x = x + 1; " * 20 + "}", "atomic { ... }"),
        ("assert(x)  as y;", "assert(x) as y"),
        ("return;", "return"),
        ("choose x: T where x != y;", "choose x: T where x != y"),
    ],
)
def test_a_step_is_shown_in_one_line(text: str, shown: str) -> None:
    assert statement_text(statement(text)) == shown


def test_a_tree_made_by_a_program_gets_the_parentheses_it_needs() -> None:
    a, b, c = s.Name("a"), s.Name("b"), s.Name("c")
    assert expression_text(s.Binary("*", s.Binary("+", a, b), c)) == "(a + b) * c"
    assert expression_text(s.Binary("-", a, s.Binary("-", b, c))) == "a - (b - c)"
    assert expression_text(s.Binary("implies", s.Binary("implies", a, b), c)) == "(a implies b) implies c"
    assert expression_text(s.Unary("!", s.Conditional(a, b, c))) == "!(a ? b : c)"
    assert expression_text(s.Unary("-", s.Unary("-", a))) == "- -a"
