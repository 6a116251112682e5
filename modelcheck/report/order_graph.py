"""The order graph as a picture: its nodes, its arrows with modes and threads, coloured by the verdicts; and as DOT.

Nodes are lock classes. A class of which several instances are taken one inside the other has an arrow to itself, which
says in which order; instances are nodes of their own where two of one class are part of a cycle, and they are few.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modelcheck.analysis.lock_order import Edge, Order, Verdict, nesting
from modelcheck.analysis.order_records import RecordedOrder
from modelcheck.analysis.order_requests import ModelWords
from modelcheck.analysis.order_words import Words
from modelcheck.report.contents import LocksReport
from modelcheck.report.order_text import few

NAMES_ON_AN_ARROW = 2
"""Longer labels than two names make hide other arrows."""

COLOURS: dict[Verdict | None, str] = {
    "reachable": "#c62828",
    "undecided": "#8e24aa",
    "kept apart": "#ef6c00",
    "gated": "#1565c0",
    "one thread": "#2e7d32",
    None: "#757575",
}
"""Of the arrows of a cycle, the gravest first; of an arrow that is on no cycle last."""

MEANINGS: dict[Verdict | None, str] = {
    "reachable": "a reachable deadlock",
    "undecided": "a cycle, not decided",
    "kept apart": "a cycle that no lock keeps apart",
    "gated": "a cycle under a gate",
    "one thread": "a cycle of one thread only",
    None: "on no cycle",
}


INSTANCES_AT_MOST = 4
"""Of a class with more instances the class is one node."""


@dataclass(frozen=True)
class Arrow:
    """From what is held to what is asked for; `lines` are its label, `verdict` that of the gravest cycle it is on."""

    source: str
    target: str
    lines: tuple[str, ...]
    verdict: Verdict | None


@dataclass(frozen=True)
class Picture:
    """The graph to draw."""

    title: str
    nodes: tuple[str, ...]
    arrows: tuple[Arrow, ...]

    @property
    def verdicts(self) -> tuple[Verdict | None, ...]:
        """The verdicts that occur, the gravest first."""
        found = {arrow.verdict for arrow in self.arrows}
        return tuple(verdict for verdict in COLOURS if verdict in found)


def of_model(reports: Iterable[LocksReport]) -> Picture:
    """Return the picture of one or more scenarios of a file."""
    orders: list[tuple[Order, Words]] = []
    titles: list[str] = []
    for report in reports:
        scenario = report.scenario
        orders.append((scenario.judgement.order, ModelWords(scenario.explainer.interpreter)))
        titles.append(" ".join(filter(None, (scenario.model.name, scenario.model.scenario.name))))
    return _picture(few(titles), orders)


def of_records(recorded: RecordedOrder) -> Picture:
    """Return the picture of a file of records."""
    return _picture(recorded.file, [(recorded.order, recorded.words)])


def _picture(title: str, orders: list[tuple[Order, Words]]) -> Picture:
    several = {
        name for order, _ in orders for c in order.cycles for name in c.classes if c.classes.count(name) > 1
    }
    several = {name for name in several if _instances(name, orders) <= INSTANCES_AT_MOST}
    verdicts: dict[tuple[str, str], Verdict] = {}
    labels: dict[tuple[str, str], dict[str, list[str]]] = {}
    for order, words in orders:
        for cycle in order.cycles:
            for edge in (edge for way in cycle.ways for edge in way.edges):
                pair = _ends(edge, words, several)
                verdicts[pair] = _graver(verdicts.get(pair), cycle.verdict)
        for edge in order.edges:
            modes = f"{_letter(edge.held.mode)} \N{RIGHTWARDS ARROW} {_letter(edge.request.mode)}"
            order_of = f" ({nesting(edge)})" if nesting(edge) and edge.held.lock not in several else ""
            names = labels.setdefault(_ends(edge, words, several), {}).setdefault(modes + order_of, [])
            names.append(words.thread(edge.request.thread))
    arrows = tuple(
        Arrow(
            *pair,
            tuple(f"{modes}: {few(names, NAMES_ON_AN_ARROW)}" for modes, names in each.items()),
            verdicts.get(pair),
        )
        for pair, each in sorted(labels.items())
    )
    nodes = dict.fromkeys(name for arrow in arrows for name in (arrow.source, arrow.target))
    return Picture(title, tuple(nodes), arrows)


def _instances(name: str, orders: list[tuple[Order, Words]]) -> int:
    edges = [edge for order, _ in orders for edge in order.edges]
    return len({i for e in edges for i in (e.source, e.request.wants) if i[0] == name})


def _ends(edge: Edge, words: Words, several: set[str]) -> tuple[str, str]:
    held, asked = edge.source, edge.request.wants
    return (
        words.lock(held) if held[0] in several else held[0],
        words.lock(asked) if asked[0] in several else asked[0],
    )


def _letter(mode: str) -> str:
    return {"read": "R", "write": "W"}.get(mode, "?")


def _graver(one: Verdict | None, other: Verdict) -> Verdict:
    ranks = list(COLOURS)
    return other if one is None else min(one, other, key=ranks.index)


def order_dot(picture: Picture) -> str:
    """Return the picture in Graphviz's language; the layout is Graphviz's own."""
    return "\n".join(_dot_lines(picture)) + "\n"


def _dot_lines(picture: Picture) -> Iterator[str]:
    legend = "; ".join(f"{COLOURS[verdict]}: {MEANINGS[verdict]}" for verdict in picture.verdicts)
    yield f"digraph {_quoted(picture.title)} {{"
    yield f"  label={_quoted(f'{picture.title}{chr(10)}{legend}')};"
    yield "  node [shape=box, style=rounded, fontname=monospace]; edge [fontname=monospace, fontsize=9];"
    yield from (f"  {_quoted(node)};" for node in picture.nodes)
    for arrow in picture.arrows:
        colour = COLOURS[arrow.verdict]
        width = 2 if arrow.verdict is not None else 1
        label = _quoted("\n".join(arrow.lines))
        ends = f"{_quoted(arrow.source)} -> {_quoted(arrow.target)}"
        yield f'  {ends} [label={label}, color="{colour}", fontcolor="{colour}", penwidth={width}];'
    yield "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
