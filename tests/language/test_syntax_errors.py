"""What a user is told about a text that does not follow the grammar: syntax_errors.txt has it all, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelcheck.diagnostics import SpecError
from modelcheck.language import syntax as s
from modelcheck.language.parser import parse
from modelcheck.language.printer import to_text
from modelcheck.language.syntax_errors import MOST_ERRORS
from modelcheck.source import Source
from tests.language.trees import specifications
from tests.transcript import Golden

CASES = Path(__file__).with_name("syntax_errors.txt")


def errors(text: str) -> str:
    try:
        parse(Source("model.mck", text))
    except SpecError as error:
        return str(error)
    return "no error"


def messages(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse(Source("model.mck", text))
    return [f"{each.span.line}: {each.message}" for each in caught.value.diagnostics]


def test_the_sentences(golden: Golden) -> None:
    """A case is a text and, behind a line of dashes, the errors; cases are separated by a line of equals signs."""
    bar, rule = f"\n{'=' * 100}\n", f"\n{'-' * 100}\n"
    texts = [case.split(rule)[0] for case in CASES.read_text(encoding="utf-8").rstrip("\n").split(bar)]
    golden.check(CASES, bar.join(f"{text}{rule}{errors(text)}" for text in texts) + "\n")


def test_errors_in_several_declarations_and_statements_are_all_reported() -> None:
    text = """
        mutex a
        op f() {
            if (x = 1) { skip; }
            y = ;
            mutex_unlock(a;
        }
        enum E { A B }
        scenario s { expect hold expect holds; run ; }
        thread t(x) { z == 3; }
    """
    assert messages(text) == [
        "2: missing `;`",
        "4: `=` assigns; a comparison is written `==`",
        "5: expected an expression, found `;`",
        "6: missing `)`",
        "8: missing `,`",
        "9: missing `;`",
        "9: expected a name, found `;`",
        "10: expected `when` or `{`, found `(`",
        "10: `==` compares; an assignment is written `=`",
    ]


def test_characters_and_words_are_reported_together() -> None:
    assert messages("mutex a§;\nvar x: bool = 08;\nop f() { x = ; }\n") == [
        "1: unknown character `§`",
        "2: `08` has a leading zero",
        "3: expected an expression, found `;`",
    ]


def test_one_open_brace_is_one_error_and_the_rest_of_the_file_is_read() -> None:
    text = "op f() {\n    if (a) {\n        x = 1;\n    y = 2;\n}\n\nop g() {\n    x = ;\n}\n"
    assert messages(text) == ["2: this `{` is never closed", "8: expected an expression, found `;`"]


def test_a_file_of_something_else_gives_up_after_many_errors() -> None:
    found = messages("op f() {" + "x = ;\n" * 10_000 + "}")
    assert len(found) == MOST_ERRORS + 1
    assert found[-1] == "101: 100 errors so far: the rest of the file was not looked at"


@pytest.mark.parametrize(
    "junk", [") ", "} ", "a ", "= ", "{ ", "op f( ", "'", '"', "else ", "/*", "; ", "\\ ", "if ( "]
)
def test_junk_is_refused_at_once_and_clearly(junk: str) -> None:
    text = junk * 100
    assert errors(text) == "no error" if junk == "; " else messages(text)


@given(specifications(), st.data())
def test_a_text_with_something_missing_or_doubled_is_read_to_its_end(
    tree: s.Specification, data: st.DataObject
) -> None:
    text = to_text(tree)
    at = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 6))
    piece = data.draw(
        st.sampled_from(["", "", ";", "}", "{", "(", ")", "else", "op f() {", "x", '"', "=", "§", "/*"])
    )
    for each in errors(text[:at] + piece + text[at + length :]).split("\n"):
        assert "Traceback" not in each


WORDS = [
    *";,:(){}[]=+-<>.&|!/* \n",
    '"',
    "op ",
    "if ",
    "else ",
    "x ",
    "1 ",
    "in ",
    "thread ",
    "expect ",
    "forall ",
]


@given(st.lists(st.sampled_from(WORDS), max_size=60).map("".join))
def test_any_sequence_of_words_is_read_or_refused(text: str) -> None:
    assert errors(text)
