"""The simple cycles of a small directed graph, of one length after the other: a search that never strays too far.

A cycle is found from its least node: by a depth-first search over greater nodes that goes on only where the way back,
were no node of the path in its way, is short enough for the length that is asked for.
Source of the idea: D. Johnson, Finding all the elementary circuits of a directed graph, SIAM J. Comput. 4 (1975): one
root after the other, the search kept from where no circuit is. Bounding the way back stands in for his blocking, as
lengths are bounded here by the number of threads. Cost: with the number of paths of that length that can still close.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

Node = Any
"""Nodes are hashable, and can be put in order."""

Successors = Mapping[Node, AbstractSet[Node]]


def cyclic_part(edges: Iterable[tuple[Node, Node]]) -> Successors:
    """Return the successors of each node that has some and is one, without those that have none, and so on."""
    left = set(edges)
    while True:
        inner = {a for a, _ in left} & {b for _, b in left}
        kept = {(a, b) for a, b in left if a in inner and b in inner}
        if len(kept) == len(left):
            return _successors(kept)
        left = kept


def largest_component(graph: Successors) -> int:
    """Return how many nodes the largest strongly connected component has."""
    after = {node: _distances(graph, node) for node in graph}
    return max((sum(node in after[other] for other in after[node]) for node in graph), default=0)


def cycles_of_length(graph: Successors, length: int) -> Iterator[tuple[Node, ...]]:
    """Yield every simple cycle of exactly this length once, from its least node on, in lexical order."""
    for root in sorted(graph):
        inside = {node: {n for n in graph[node] if n >= root} for node in graph if node >= root}
        backwards = _successors((target, node) for node, targets in inside.items() for target in targets)
        way_back = _distances(backwards, root) if root in backwards else {}
        yield from _closing(inside, way_back, (root,), length)


def _closing(
    graph: Successors, way_back: Mapping[Node, int], path: tuple[Node, ...], length: int
) -> Iterator[tuple[Node, ...]]:
    """Yield the cycles of the length that go on from a path; its first node is the least."""
    if len(path) == length:
        if path[0] in graph[path[-1]]:
            yield path
        return
    for node in sorted(graph[path[-1]]):
        if node not in path and way_back.get(node, length) <= length - len(path):
            yield from _closing(graph, way_back, (*path, node), length)


def _successors(edges: Iterable[tuple[Node, Node]]) -> dict[Node, set[Node]]:
    found: dict[Node, set[Node]] = {}
    for source, target in edges:
        found.setdefault(source, set()).add(target)
        found.setdefault(target, set())
    return found


def _distances(graph: Successors, start: Node) -> dict[Node, int]:
    """Return how many steps it is at least from a node to each that can be reached, 0 to itself."""
    found, frontier, steps = {start: 0}, [start], 0
    while frontier:
        steps += 1
        frontier = list(dict.fromkeys(n for node in frontier for n in graph[node] if n not in found))
        found |= dict.fromkeys(frontier, steps)
    return found
