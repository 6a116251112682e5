"""Walk over all reachable states with networkx.

Run it in any folder: `python examples/explore_a_graph.py`.
"""

from __future__ import annotations

import itertools

import networkx as nx

import modelcheck
from modelcheck.data import specs_folder

model = modelcheck.load(specs_folder() / "design_example.mck", ADD_TAKES_HOTPLUG_LOCK=False)
graph = modelcheck.explore(model)
print(f"{graph.number_of_nodes()} states, {graph.number_of_edges()} steps")

# States without a successor: where everybody has finished, and the deadlock.
(start,) = [state for state, values in graph.nodes(data=True) if values["initial"]]
for state in graph:
    if graph.out_degree(state) == 0:
        way = nx.shortest_path(graph, start, state)
        print(f"state {state}, {len(way) - 1} steps from the start:")
        for one, other in itertools.pairwise(way):
            step = graph[one][other][0]
            print(f"  {step['thread']}: line {step['line']}: {step['action']}")

# How many states are still open to each thread's last step?
threads = {step["thread"] for _, _, step in graph.edges(data=True)}
for thread in sorted(threads):
    steps = [(one, other) for one, other, step in graph.edges(data=True) if step["thread"] == thread]
    print(f"{thread} makes {len(steps)} of the steps")
