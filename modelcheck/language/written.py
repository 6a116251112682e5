"""What the user wrote between the tokens of a text: comments and line ends.

The canonical tokens are laid beside the written ones. Both are the same, but for braces that were left out and
separators that stand for nothing; so what the user has between two tokens is found between the same two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from modelcheck.language.canonical_statements import Gap
from modelcheck.language.pieces import Piece
from modelcheck.language.syntax import Comment
from modelcheck.language.tokens import END, Token

_DROPPED = (";", ",", '""')
"""What may be left out of a text without a change of meaning."""


@dataclass
class Written:
    """What the user has before a token: comments with the number of line ends before each, and those before the token.

    `lines` is -1 where nobody wrote anything.
    """

    comments: list[tuple[int, Comment]] = field(default_factory=list)
    lines: int = -1


def unwritten(tokens: Sequence[Piece]) -> list[Written]:
    """Return that the user has nothing at all before some tokens, and before the end."""
    return [Written() for _ in (*tokens, None)]


def written(
    pieces: Sequence[Piece], tokens: Sequence[Token], comments: Sequence[Comment]
) -> list[Written] | None:
    """Return what the user has before each token and before the end; None if the tokens are not the user's."""
    places = _align(pieces, tokens)
    if places is None:
        return None
    found = unwritten(pieces)
    rest = list(reversed(comments))
    if not tokens and not comments:
        return found
    source = tokens[0].source if tokens else comments[0].span.source
    text, end = source.text, 0
    for i, token in enumerate((*places, Token(END, "", source, len(source.text), len(source.text)))):
        if token is None:
            continue
        while rest and rest[-1].span.start < token.start:
            comment = rest.pop()
            breaks = text.count("\n", end, comment.span.start)
            at = i if breaks or found[i].comments else _behind(pieces, i)
            found[at].comments.append((breaks, comment))
            end = comment.span.end
        found[i].lines = text.count("\n", end, token.start)
        end = token.end
    return found


def _align(pieces: Sequence[Piece], tokens: Sequence[Token]) -> list[Token | None] | None:
    """Return the written token of each canonical one; None for an added brace."""
    places: list[Token | None] = []
    j = 0
    for piece in pieces:
        if piece.added:
            places.append(None)
            continue
        while j < len(tokens) and tokens[j].text != piece.text and tokens[j].text in _DROPPED:
            j += 1
        if j == len(tokens) or tokens[j].text != piece.text:
            return None
        places.append(tokens[j])
        j += 1
    return places if all(token.text in _DROPPED for token in tokens[j:]) else None


def _behind(pieces: Sequence[Piece], i: int) -> int:
    """Return the token before which a comment goes that trails what is written before token `i`.

    That is `i`, unless closing braces were added in between: the comment belongs to what they close.
    """
    while i and pieces[i - 1].added and pieces[i - 1].text == "}" and pieces[i - 1].gap is Gap.LINE:
        i -= 1
    return i
