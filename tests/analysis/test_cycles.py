"""The simple cycles of a graph, against networkx."""

from __future__ import annotations

import random

import networkx as nx
import pytest

from modelcheck.analysis.cycles import cycles_of_length, cyclic_part, largest_component


@pytest.mark.parametrize("nodes", range(1, 8))
def test_each_cycle_is_found_once_from_its_least_node(nodes: int) -> None:
    for seed in range(30):
        chance = random.Random(seed)
        every = [(a, b) for a in range(nodes) for b in range(nodes)]
        edges = chance.sample(every, chance.randint(0, min(len(every), 3 * nodes)))
        graph: nx.DiGraph[int] = nx.DiGraph(edges)
        known = [tuple(c[c.index(min(c)) :] + c[: c.index(min(c))]) for c in nx.simple_cycles(graph)]
        part = cyclic_part(edges)
        found = [cycle for length in range(1, nodes + 1) for cycle in cycles_of_length(part, length)]
        assert found == sorted(known, key=lambda cycle: (len(cycle), cycle))
        if known:
            assert largest_component(part) == max(map(len, nx.strongly_connected_components(graph)))


def test_a_graph_without_cycles_has_nothing_left() -> None:
    assert cyclic_part([(1, 2), (2, 3), (1, 3), (4, 1)]) == {}
    assert largest_component({}) == 0


def test_a_long_path_beside_a_cycle_is_not_walked() -> None:
    """Two cycles of two, with a ladder of 2^40 paths from one to the other."""
    ladder = [(n, m) for n in range(2, 82, 2) for m in (n + 2, n + 3)]
    ladder += [(n + 1, m) for n, m in ladder]
    part = cyclic_part([(0, 1), (1, 0), (1, 2), *ladder, (82, 90), (83, 90), (90, 91), (91, 90)])
    assert list(cycles_of_length(part, 2)) == [(0, 1), (90, 91)]
    assert [list(cycles_of_length(part, length)) for length in (1, 3, 60)] == [[], [], []]
