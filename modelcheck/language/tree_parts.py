"""The parts that the parser hands to the builder of the syntax tree, and the places they stand at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from modelcheck.language import syntax as s
from modelcheck.language.tokens import Token
from modelcheck.source import NOWHERE, Span

Built = Any
"""Whatever a rule of the grammar was made into: a node, a list, None for what was left out."""


class Text(NamedTuple):
    """A string literal: its value, and the token for the place."""

    value: str
    token: Token


def _places(part: object) -> Iterable[Token | Span]:
    """Yield the places in one part, in source order; a part that was left out has none."""
    if isinstance(part, Token):
        yield part
    elif isinstance(part, s.Node):
        yield part.span
    elif isinstance(part, tuple):
        for each in part:
            yield from _places(each)


def span_of(parts: list[Any]) -> Span:
    """Return the place from the first token of some parts to the last."""
    first = next((place for part in parts for place in _places(part)), NOWHERE)
    for part in reversed(parts):
        places = tuple(_places(part))
        if places:
            return Span(first.source, first.start, places[-1].end)
    return NOWHERE


def construct(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method be called with the place of the construct and those of its parts that are no bare tokens."""

    def build(self: object, parts: list[Built]) -> Built:
        return method(self, span_of(parts), *[part for part in parts if type(part) is not Token])

    return build
