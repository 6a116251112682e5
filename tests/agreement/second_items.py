"""What the stack of the second opinion is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from modelcheck.language import syntax as s
from tests.agreement.second_values import Env, Globals, Key, Value

LONGEST = 3000


class EndlessError(Exception):
    """A cycle without a step."""


class ForkError(Exception):
    """There is a choice to make."""

    def __init__(self, options: list[int]) -> None:
        self.options = options


class Item(NamedTuple):
    """Something to do. `node` is the identity of a syntax node: equal text elsewhere is another place."""

    kind: str
    node: int
    env: Env
    extra: tuple[object, ...] = ()


Stack = tuple[Item, ...]
Local = tuple[tuple[Key, Value], ...]


@dataclass
class Code:
    """What all runs share: the globals, and the syntax nodes by identity."""

    globals: Globals
    nodes: dict[int, s.Node]
    blocks: dict[int, s.Block]
    threads: int

    def block(self, node: s.Node) -> s.Block:
        if isinstance(node, s.Block):
            return node
        if id(node) not in self.blocks:
            made = self.blocks[id(node)] = s.Block((node,), span=node.span)  # type: ignore[arg-type]
            self.nodes[id(made)] = made
        return self.blocks[id(node)]


def unwrapped(node: s.Node | None) -> s.Node | None:
    while isinstance(node, s.Paren):
        node = node.inner
    return node
