"""A syntax tree -> the tokens of its canonical text, each with the gap before it and its indentation."""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.language import syntax as s
from modelcheck.language.canonical import parts_of
from modelcheck.language.canonical_statements import LINES, SPACED, Added, Broken, Gap, Part, Shift

WIDTH = 120
"""A statement with a block stays on one line, if that is how it was written, up to this column."""

INDENT = 4


@dataclass
class Piece:
    """One token; `indent` is in columns; `added` if it is a brace that the user left out."""

    text: str
    gap: Gap
    indent: int
    added: bool = False
    outdented: bool = False
    """A label: it stands one level further left, as in the kernel."""


def pieces(root: s.Node) -> list[Piece]:
    """Return the tokens of a tree, in lines where its gaps say so."""
    return _Unfolding(flat=False).run(root)


def one_line(root: s.Node) -> str:
    """Return the canonical text of a tree, all in one line."""
    return _joined(_Unfolding(flat=True).run(root))


def _joined(tokens: list[Piece]) -> str:
    return "".join((" " if i and piece.gap in SPACED else "") + piece.text for i, piece in enumerate(tokens))


class _Unfolding:
    """Takes nodes apart with a stack of its own; `flat` is how many enclosing nodes stand on one line."""

    def __init__(self, *, flat: bool) -> None:
        self.always_flat = flat
        self.flat = 0
        self.level = 0
        self.gap = Gap.NONE
        self.outdented = False
        self.in_lines: set[int] = set()
        """Blocks of what does not stand on one line: they do not either."""
        self.out: list[Piece] = []

    def run(self, root: s.Node) -> list[Piece]:
        stack: list[Part | None] = [root]
        while stack:
            part = stack.pop()
            if part is None:
                self.flat -= 1
            elif isinstance(part, Gap):
                one_line = self.flat or self.always_flat
                self.gap = Gap.SPACE if one_line and part in LINES else part
            elif isinstance(part, Shift):
                self.level += part.value
            elif isinstance(part, str | Added):
                self._token(part)
            else:
                self._open(part, stack)
        return self.out

    def _token(self, part: str | Added) -> None:
        text, added = (part.text, True) if isinstance(part, Added) else (part, False)
        self.out.append(Piece(text, self.gap, self.level * INDENT, added, self.outdented))
        self.gap, self.outdented = Gap.NONE, False

    def _open(self, node: s.Node, stack: list[Part | None]) -> None:
        if isinstance(node, Broken) and not self.flat and not self.always_flat:
            if id(node) not in self.in_lines and self._fits(node):
                self.flat += 1
                stack.append(None)
            elif not isinstance(node, s.Block):
                self.in_lines |= {id(each) for each in node.children() if isinstance(each, s.Block)}
        self.outdented = isinstance(node, s.Label)
        stack.extend(reversed(parts_of(node)))

    def _fits(self, node: s.Node) -> bool:
        """Whether a node with a block was written on one line, and still fits on one."""
        written = node.span.text
        if not written or "\n" in written or len(written) > 8 * WIDTH:
            return False
        return self.level * INDENT + len(one_line(node)) <= WIDTH
