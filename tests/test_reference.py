"""The generated pages of docs/reference are what docs/generate.py writes now."""

from __future__ import annotations

import pytest

from docs.generate import FOLDER, pages
from modelcheck.diagnostics import CHECKS, CODES
from modelcheck.explanations import SECTIONS
from modelcheck.language.operators import BINARY
from tests.transcript import Golden


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_page_is_current(name: str, golden: Golden) -> None:
    golden.check(FOLDER / name, pages()[name])


def test_every_code_and_every_operator_is_on_its_page() -> None:
    written = pages()
    assert [code for code in CODES if written["codes.md"].count(f"| {code} |") != 1] == []
    assert [name for name in CHECKS if f"`{name}`" not in written["codes.md"]] == []
    symbols = [symbol.replace("|", r"\|") for symbol in BINARY]
    assert [symbol for symbol in symbols if f"`{symbol}`" not in written["operators.md"]] == []


def test_the_sections_are_in_order_and_none_is_empty() -> None:
    starts = [first for first, _, _ in SECTIONS]
    assert starts == sorted(starts)
    assert set(starts) <= set(CODES)
