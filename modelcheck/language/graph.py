"""Building a thread's program graph: nodes that take a step, and silent passages between them.

While a thread is lowered its graph has two kinds of nodes: steps, and silent ones (copies for a call, constant
initialisers, entering and leaving an op), which SEMANTICS A1 says take no step. `freeze` attaches what is silent
to the step before it and numbers the locations in the order of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from modelcheck.diagnostics import Collector
from modelcheck.language.model import (
    Assign,
    Choose,
    Effect,
    Effects,
    Either,
    Jump,
    Location,
    Test,
    Variable,
    jump_targets,
    walk_effects,
)
from modelcheck.source import Span

MOST_LOCATIONS = 20_000
"""Above this, inlining has multiplied the ops and the model is refused (SEMANTICS H16)."""

END = 0
"""The node where the thread has finished."""


@dataclass(frozen=True)
class Silent:
    """Effects that take no step, then the next node."""

    effects: Effects
    following: int
    span: Span


@dataclass
class Graph:
    """Nodes by number; node 0 is the end. A Location here has Jumps to node numbers, not to location numbers."""

    nodes: list[Location | Silent | None] = field(default_factory=lambda: [None])
    order: list[int] = field(default_factory=list)
    loops: list[tuple[int, int, int]] = field(default_factory=list)
    labels: dict[str, set[int]] = field(default_factory=dict)

    def new(self) -> int:
        """Return the number of a new, empty node."""
        self.nodes.append(None)
        return len(self.nodes) - 1

    def step(self, node: int, location: Location) -> None:
        """Make the node a statement that takes a step."""
        assert self.nodes[node] is None
        self.nodes[node] = location
        self.order.append(node)

    def silent(self, node: int, effects: Iterable[Effect], following: int, span: Span) -> None:
        """Make the node a passage that takes no step."""
        assert self.nodes[node] is None
        self.nodes[node] = Silent(tuple(effects), following, span)

    @property
    def too_large(self) -> bool:
        """True if there are more locations than a thread may have."""
        return len(self.order) > MOST_LOCATIONS


@dataclass(frozen=True)
class Frozen:
    """A finished program graph."""

    locations: tuple[Location, ...]
    start: Effects
    goals: frozenset[int]
    labels: dict[str, frozenset[int]]


def freeze(graph: Graph, entry: int, end: Location, collector: Collector) -> Frozen:
    """Return the graph with its silent nodes gone, unreachable steps dropped, and locations numbered."""
    passages = Passages(graph, collector)
    reached = _reachable(graph, passages, entry)
    kept = [node for node in graph.order if node in reached]
    numbers = {node: position for position, node in enumerate(kept)} | {END: len(kept)}

    def arrive(node: int) -> Effects:
        effects, last = passages.of(node)
        return (*effects, Jump(numbers[last]))

    locations = [
        replace(
            _location(graph, node),
            number=numbers[node],
            effects=_redirect(_location(graph, node).effects, arrive),
        )
        for node in kept
    ]
    labels = {
        name: frozenset(numbers[passages.of(n)[1]] for n in nodes if n in passages.passed or n in numbers)
        for name, nodes in graph.labels.items()
    }
    ended = replace(end, number=len(kept), effects=())
    goals = frozenset({len(kept)} | _endless(graph, passages, numbers, locations))
    return Frozen((*locations, ended), arrive(entry), goals, labels)


def _location(graph: Graph, node: int) -> Location:
    location = graph.nodes[node]
    assert isinstance(location, Location)
    return location


class Passages:
    """What happens silently from a node on, found when asked for: only code that is reached counts."""

    def __init__(self, graph: Graph, collector: Collector) -> None:
        """Start with nothing found."""
        self._graph = graph
        self._collector = collector
        self._found: dict[int, tuple[Effects, int]] = {}
        self.passed: set[int] = set()

    def of(self, node: int) -> tuple[Effects, int]:
        """Return the silent effects from a node on, and the node with the next step (or the end)."""
        if node not in self._found:
            self._found[node] = self._follow(node)
        return self._found[node]

    def _follow(self, node: int) -> tuple[Effects, int]:
        effects: list[Effect] = []
        seen: set[int] = set()
        while isinstance(current := self._graph.nodes[node], Silent):
            if node in seen:
                self._collector.error(
                    "MC041",
                    current.span,
                    "this can go round for ever without taking a step",
                    "put a statement into the loop, for example an await",
                )
                return tuple(effects), END
            seen.add(node)
            effects.extend(current.effects)
            node = current.following
        self.passed |= seen
        return tuple(effects), node


def _reachable(graph: Graph, passages: Passages, entry: int) -> set[int]:
    reached: set[int] = set()
    stack = [passages.of(entry)[1]]
    while stack:
        node = stack.pop()
        if node in reached or node == END:
            continue
        reached.add(node)
        stack.extend(passages.of(target)[1] for target in jump_targets(_location(graph, node).effects))
    return reached


def _redirect(effects: Effects, arrive: Callable[[int], Effects]) -> Effects:
    """Replace the jumps to nodes by the silent passage from there and a jump to a location."""
    result: list[Effect] = []
    for effect in effects:
        match effect:
            case Jump(target):
                result.extend(arrive(target))
            case Test(_, then, otherwise):
                arms = _redirect(then, arrive), _redirect(otherwise, arrive)
                result.append(replace(effect, then=arms[0], otherwise=arms[1]))
            case Either(branches, span):
                result.append(Either(tuple(_redirect(b, arrive) for b in branches), span))
            case _:
                result.append(effect)
    return tuple(result)


def _endless(
    graph: Graph, passages: Passages, numbers: dict[int, int], locations: list[Location]
) -> set[int]:
    """Return the heads of the loops that the thread cannot leave: all that can follow lies in the loop's body."""
    heads: set[int] = set()
    for head, first, last in graph.loops:
        if head not in passages.passed and head not in numbers:
            continue
        start = passages.of(head)[1]
        if start == END:
            continue
        body = {numbers[n] for n in range(first, last) if n in numbers}
        follow, stack = set[int](), [numbers[start]]
        while stack:
            number = stack.pop()
            if number in follow:
                continue
            follow.add(number)
            if number < len(locations):
                stack.extend(jump_targets(locations[number].effects))
        if follow <= body:
            heads.add(numbers[start])
    return heads


def assigned(effects: Effects) -> frozenset[Variable]:
    """Return every variable that the effects assign."""
    return frozenset(e.target.var for e in walk_effects(effects) if isinstance(e, Assign | Choose))
