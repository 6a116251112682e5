"""The state graph as a file: GraphML, DOT or node-link JSON, chosen by the name's ending."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelcheck.diagnostics import Diagnostic, SpecError
from modelcheck.report.saving import save
from modelcheck.source import Source, Span

if TYPE_CHECKING:
    from networkx import MultiDiGraph

ENDINGS = (".graphml", ".dot", ".json")


def save_graph(path: str | Path, graph: MultiDiGraph[int]) -> None:
    """Write the graph in the form that the name's ending says."""
    check_ending(path)
    match Path(path).suffix:
        case ".graphml":
            save(path, graphml(graph))
        case ".dot":
            save(path, dot(graph))
        case _:
            save(path, node_link(graph))


def check_ending(path: str | Path) -> None:
    """Raise SpecError if the name does not say which form is wanted; before the search, not after it."""
    if Path(path).suffix not in ENDINGS:
        name = str(path)
        message = f"a graph is written as {', '.join(ENDINGS)}: choose one as the file's ending"
        raise SpecError([Diagnostic("MC007", message, Span(Source(name, ""), 0, 0))])


def graphml(graph: MultiDiGraph[int]) -> str:
    """Return GraphML, with every attribute of states and steps."""
    import networkx as nx

    buffer = BytesIO()
    nx.write_graphml(graph, buffer)
    return buffer.getvalue().decode("utf-8") + "\n"


def node_link(graph: MultiDiGraph[int]) -> str:
    """Return the node-link form that networkx, D3 and others read."""
    import networkx as nx

    return json.dumps(nx.node_link_data(graph, edges="edges"), indent=1, ensure_ascii=False) + "\n"


def dot(graph: MultiDiGraph[int]) -> str:
    """Return DOT: a box a state with what differs from the state before, an arrow a step with thread and statement."""
    return "\n".join(_dot_lines(graph)) + "\n"


def _dot_lines(graph: MultiDiGraph[int]) -> Iterator[str]:
    yield f"digraph {_quoted(str(graph.graph.get('name', 'states')))} {{"
    yield "  rankdir=TB; node [shape=box, fontname=monospace, fontsize=10]; edge [fontname=monospace, fontsize=9];"
    if graph.graph.get("stopped"):
        yield f"  label={_quoted('incomplete: ' + str(graph.graph['stopped']))};"
    for number, attributes in graph.nodes(data=True):
        yield f"  {number} [{_state(graph, number, attributes)}];"
    for source, target, attributes in graph.edges(data=True):
        label = f"{attributes.get('thread', '')}: {attributes.get('action', '')}"
        yield f"  {source} -> {target} [label={_quoted(' '.join(label.split()))}];"
    yield "}"


_OWN = ("level", "initial", "errors")


def _state(graph: MultiDiGraph[int], number: int, attributes: dict[str, Any]) -> str:
    """Return the attributes of a state: its number and, but for the initial one, what the first way to it changed."""
    before = next(iter(sorted(graph.predecessors(number))), None)
    known = {} if attributes.get("initial") or before is None or before >= number else graph.nodes[before]
    changed = [f"{k}={v}" for k, v in attributes.items() if k not in _OWN and known.get(k) != v]
    lines = [str(number), *changed, *([f"! {attributes['errors']}"] if attributes.get("errors") else [])]
    text = _quoted("\n".join(lines))
    colour = ", color=red" if attributes.get("errors") else ""
    return f"label={text}{', penwidth=2' if attributes.get('initial') else ''}{colour}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\l")
    return f'"{escaped}"'
