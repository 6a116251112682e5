"""Text -> tree -> text -> tree on generated models: the same tree, and the same model."""

from __future__ import annotations

import pytest

from modelcheck.language.printer import to_text
from modelcheck.semantics.transition_system import transition_system
from tests.agreement.cases import CHUNKS, MOST, Case, examine
from tests.agreement.shapes import explored, model_of, tree_of


def reprinted_differs(case: Case) -> str:
    """Return how a model changes when it is printed and read again."""
    tree = tree_of(case.text)
    text = to_text(tree)
    again = tree_of(text)
    if again != tree:
        return f"another tree:\n{text}"
    if to_text(again) != text:
        return f"printed otherwise the second time:\n{text}"
    graph = explored(transition_system(model_of(text)), MOST)
    counts = [(len(g.steps), g.transitions, max(g.level.values(), default=0)) for g in (case.graph, graph)]
    return "" if counts[0] == counts[1] else f"counts {counts}:\n{text}"


@pytest.mark.parametrize("chunk", CHUNKS)
def test_printing_and_reading_again_changes_nothing(chunk: int) -> None:
    assert examine(chunk, reprinted_differs, properties=True) > 0
