"""How large and how deep a specification may be."""

from __future__ import annotations

import pytest

from modelcheck.diagnostics import SpecError
from modelcheck.language import syntax as s
from modelcheck.language.loading import LARGEST_FILE
from modelcheck.language.parser import parse
from modelcheck.language.printer import format_source
from modelcheck.source import Source


def error(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse(Source("model.mck", text))
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.code} {diagnostic.message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "const A = " + "(" * 10_000 + "a" + ")" * 10_000 + ";",
            "brackets are nested more than 200 levels deep",
        ),
        ("op f() " + "{" * 10_000 + "}" * 10_000, "brackets are nested more than 200 levels deep"),
        ("const A = " + "(" * 10_000, "brackets are nested more than 200 levels deep"),
        ("const A = " + " + ".join("a" * 10_000) + ";", "this is nested more than 500 levels deep"),
        ("const A = " + "!" * 10_000 + "a;", "this is nested more than 500 levels deep"),
        ("op f() { " + "if (a) { } else " * 10_000 + "{ } }", "this is nested more than 500 levels deep"),
        ("op f() { " + "if (a) " * 10_000 + "skip; }", "blocks are nested more than 200 levels deep"),
    ],
    ids=["parentheses", "blocks", "open", "sum", "not", "else if", "if if"],
)
def test_what_is_nested_too_deep_is_refused_clearly(text: str, message: str) -> None:
    assert error(text) == f"MC003 {message}"


def test_long_is_not_deep() -> None:
    text = "const A = " + " + ".join("a" * 400) + ";\nop f() {\n" + "    x = 1;\n" * 2_000 + "}\n"
    op = parse(Source("model.mck", text)).declarations[1]
    assert isinstance(op, s.Op)
    assert len(op.body.statements) == 2_000
    assert format_source(Source("model.mck", text)) == text


def test_a_text_that_is_too_large_is_refused() -> None:
    assert error(" " * (LARGEST_FILE + 1)) == "MC003 the file has 1_048_577 bytes; at most 1_048_576 are read"
