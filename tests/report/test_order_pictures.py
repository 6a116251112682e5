"""The order graph as a picture."""

from __future__ import annotations

import re
from itertools import combinations

import modelcheck
from modelcheck.report.order_graph import Arrow, Picture, of_model, order_dot
from modelcheck.report.order_svg import order_svg
from tests.transcript import ROOT

Box = tuple[float, float, float, float]

_BOX = re.compile(r'<rect x="(-?\d+)" y="(-?\d+)" width="(\d+)" height="(\d+)"')


def boxes(svg: str) -> list[Box]:
    """Return the boxes of labels and nodes; the first is the background."""
    found = [(float(x), float(y), float(w), float(h)) for x, y, w, h in _BOX.findall(svg)]
    return found[1:]


def overlap(a: Box, b: Box) -> bool:
    return (
        a[0] + 1 < b[0] + b[2]
        and b[0] + 1 < a[0] + a[2]
        and a[1] + 1 < b[1] + b[3]
        and b[1] + 1 < a[1] + a[3]
    )


def three() -> Picture:
    model = modelcheck.load(ROOT / "specs/lock_order_of_three.mck", scenario="with_the_gate")
    return of_model([modelcheck.lock_order(model)])


def test_in_the_picture_of_three_threads_and_eight_locks_nothing_covers_anything() -> None:
    found = boxes(order_svg(three()))
    assert len(found) > 16
    assert [pair for pair in combinations(found, 2) if overlap(*pair)] == []


def test_every_lock_is_a_node_and_every_pair_an_arrow() -> None:
    picture = three()
    assert len(picture.nodes) == 8
    assert len(picture.arrows) == 24
    assert picture.verdicts == ("kept apart", "gated", None)


def test_the_same_graph_is_the_same_picture() -> None:
    assert order_svg(three()) == order_svg(three())


def test_an_arrow_on_no_cycle_that_follows_from_others_is_left_out_of_the_svg_only() -> None:
    arrows = tuple(Arrow(a, b, ("W → W: t",), None) for a, b in (("a", "b"), ("b", "c"), ("a", "c")))
    picture = Picture("t", ("a", "b", "c"), arrows)
    assert order_svg(picture).count("marker-end") == 2
    assert "1 arrow on no cycle left out" in order_svg(picture)
    assert order_dot(picture).count(" -> ") == 3


def test_names_are_escaped() -> None:
    picture = Picture('a<b>&"', ("x<y",), (Arrow("x<y", "x<y", ("W → W: <t>",), "gated"),))
    assert "<t>" not in order_svg(picture)
    assert '"a<b>&\\""' in order_dot(picture)


def test_a_graph_without_arrows_is_a_picture_too() -> None:
    assert order_svg(Picture("empty", (), ())).startswith("<svg ")
