"""Tokens and comments -> lines of canonical text.

Spaces, indentation and the lines of statements are the form's; the blank lines (at most one), the line breaks inside
expressions and lists, and the comments are the user's (written.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelcheck.language.canonical_statements import BREAKABLE, LINES, SPACED, Gap
from modelcheck.language.pieces import INDENT, Piece
from modelcheck.language.syntax import Comment
from modelcheck.language.written import Written

_ALIGNED = 80
"""Trailing comments of adjacent lines start in one column, behind lines up to this length."""

_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
_EDGE = Piece("", Gap.LINE, 0)


@dataclass
class _Line:
    """A line in the making; `trailing` is the comment at its end, kept apart to be aligned."""

    indent: int
    text: str = ""
    trailing: str = ""

    @property
    def column(self) -> int:
        """Where the next character goes."""
        *above, last = self.text.split("\n")
        return len(last) + (0 if above else self.indent)


def text_of(tokens: Sequence[Piece], before: Sequence[Written]) -> str:
    """Return the text of some tokens; `before` has what the user has before each, and before the end."""
    layout = _Layout()
    previous = _EDGE
    for token, after, user in zip((*tokens, _EDGE), (*tokens, _EDGE, _EDGE)[1:], before, strict=True):
        layout.add(token, user, previous)
        layout.track(token, is_block=after.gap in LINES)
        previous = token
    return _rendered([*layout.lines, layout.line])


class _Layout:
    """The lines made so far, the one being made, and the line indents of the brackets open in this statement."""

    def __init__(self) -> None:
        self.lines: list[_Line] = []
        self.line = _Line(0)
        self.brackets: list[int] = []
        self.trailing_column = 0  # where the trailing comment of this line stands in the user's text

    def add(self, token: Piece, user: Written, previous: Piece) -> None:
        """Add a token, and before it what the user has there.

        A comment starts a line if it does so in the user's text. The token does so where the form says so (unless the
        user has a comment before it in its line), or where the form allows it and the user has it so.
        """
        is_line = _is_line(token, user)
        margin, indent = self._indents(token, previous, is_line=is_line)
        opened = is_line and previous.text == "{"
        beside = False
        for k, (breaks, comment) in enumerate(user.comments):
            if breaks or self._is_empty:
                self._own_line(comment, indent, blank=is_line and breaks > 1 and not (opened and k == 0))
                beside = True
            else:
                last = k + 1 == len(user.comments)
                ends = (user.lines if last else user.comments[k + 1][0]) > 0 or (
                    last and is_line and not beside
                )
                self._same_line(comment, ends=ends, tight=previous.text in _OPENING and k == 0)
        allowed = token.gap in BREAKABLE or bool(user.comments)
        if user.lines > 0 and allowed if not is_line else user.lines > 0 or not beside:
            starts = not token.text or token.text == "}" or (opened and not user.comments)
            blank = user.lines > 1 or (user.lines < 0 and token.gap is Gap.PARAGRAPH)
            self.start_line(margin, blank=is_line and blank and not starts)
        elif token.gap in SPACED or (
            user.comments and previous.text in _OPENING and token.text not in _CLOSING
        ):
            self.line.text += " "
        self.line.text += token.text

    def track(self, token: Piece, *, is_block: bool) -> None:
        """Keep the open brackets up to date; a block's braces show in its statements' indentation."""
        if token.text in _OPENING and not is_block:
            self.brackets.append(self.line.indent)
        elif token.text in _CLOSING and token.gap not in LINES and self.brackets:
            self.brackets.pop()

    def start_line(self, indent: int, *, blank: bool = False) -> None:
        """End the line, if anything is on it, and start one."""
        if self.lines or not self._is_empty:
            self.lines.append(self.line)
            self.lines += [_Line(0)] if blank else []
        self.line = _Line(indent)

    @property
    def _is_empty(self) -> bool:
        return not self.line.text and not self.line.trailing

    def _indents(self, token: Piece, previous: Piece, *, is_line: bool) -> tuple[int, int]:
        """Return the indentation of a token, if it starts a line, and of the comments before it."""
        inside = INDENT if token.text in _CLOSING else 0
        if is_line or (token.text in ("else", "or") and previous.text == "}"):
            return max(0, token.indent - INDENT * token.outdented), token.indent + inside
        if not self.brackets:
            return token.indent + INDENT, token.indent + INDENT
        return self.brackets[-1] + INDENT - inside, self.brackets[-1] + INDENT

    def _own_line(self, comment: Comment, indent: int, *, blank: bool) -> None:
        column = _column(comment)
        continued = self.line.trailing and not blank and column == self.trailing_column and column != indent
        self.start_line(indent, blank=blank)
        if continued:
            self.line.trailing = comment.text
        else:
            self.line.text += _moved(comment, indent)

    def _same_line(self, comment: Comment, *, ends: bool, tight: bool) -> None:
        if ends and "\n" not in comment.text:
            self.line.trailing, self.trailing_column = comment.text, _column(comment)
        else:
            self.line.text += "" if tight else " "
            self.line.text += _moved(comment, self.line.column)


def _is_line(token: Piece, user: Written) -> bool:
    """Whether the form has a token start a line."""
    if token.gap is Gap.ITEM and user.lines == 0:
        return bool(user.comments)
    if token.gap is Gap.EMPTY:
        return any(breaks or comment.text.startswith("//") for breaks, comment in user.comments)
    return token.gap in LINES


def _column(comment: Comment) -> int:
    return comment.span.column - 1


def _moved(comment: Comment, column: int) -> str:
    """Return a comment's text, its further lines moved as far as its first."""
    first, *rest = (line.rstrip() for line in comment.text.split("\n"))
    shift = column - _column(comment)
    moved = (
        " " * shift + line if shift > 0 and line else line[min(-shift, _indentation(line)) :] for line in rest
    )
    return "\n".join((first, *moved))


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _rendered(lines: Sequence[_Line]) -> str:
    """Return the text of lines, with the trailing comments of adjacent ones in one column."""
    out: list[str] = []
    i = 0
    while i < len(lines):
        group = [line for line in _run(lines, i) if line.column <= _ALIGNED]
        column = max((line.column for line in group if line.text), default=0)
        for line in _run(lines, i) or [lines[i]]:
            code = " " * line.indent + line.text if line.text else ""
            out.append(f"{code:{column}}  {line.trailing}" if line.trailing else code)
            i += 1
    return "\n".join(out).rstrip("\n") + "\n" if any(out) else ""


def _run(lines: Sequence[_Line], start: int) -> list[_Line]:
    """Return the adjacent lines from `start` that have a trailing comment."""
    end = start
    while end < len(lines) and lines[end].trailing:
        end += 1
    return list(lines[start:end])
