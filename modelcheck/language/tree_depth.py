"""The limit on how deep a syntax tree may be: whoever reads a tree may do so recursively."""

from __future__ import annotations

from modelcheck.diagnostics import Diagnostic, SpecError
from modelcheck.language.brackets import DEEPEST_NESTING
from modelcheck.language.syntax import Block, Node, Specification

DEEPEST_TREE = 500
"""Nodes on a path from the root: `a + a + ...` of about 500 terms, an `else if` chain of as many branches."""


def check_depth(tree: Specification) -> None:
    """Raise SpecError if some path of the tree is longer than the limit; level by level, to need no deep stack.

    Blocks count as brackets whether or not their braces are written, so that the canonical text can be read again.
    """
    level: list[tuple[Node, int]] = [(tree, 0)]
    for _ in range(DEEPEST_TREE):
        below = [
            (child, blocks + isinstance(child, Block)) for node, blocks in level for child in node.children()
        ]
        deep = next((node for node, blocks in below if blocks > DEEPEST_NESTING), None)
        if deep:
            message = f"blocks are nested more than {DEEPEST_NESTING} levels deep"
            raise SpecError([Diagnostic("MC003", message, deep.span, "move inner parts into an `op`")])
        if not below:
            return
        level = below
    message = f"this is nested more than {DEEPEST_TREE} levels deep"
    hint = "split it: a long sum or chain of conditions can be cut into named parts or be a quantifier"
    raise SpecError([Diagnostic("MC003", message, level[0][0].span, hint)])
