"""The parts that the parser hands to the builder of the syntax tree, and the places they stand at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from modelcheck.language import syntax as s
from modelcheck.language.tokens import Token
from modelcheck.source import NOWHERE, Span

Built = Any
"""Whatever a rule of the grammar was made into: a node, a list, None for what was left out."""


class Grown(list[Built]):
    """What was found so far of an `x*` or `x+` of the grammar."""


def grown(parts: list[Built]) -> Grown:
    """Return a list with more parts; the list itself grows, as nobody else has it."""
    so_far = parts[0] if type(parts[0]) is Grown else Grown(parts[:1])
    for part in parts[1:]:
        if type(part) is Grown:
            so_far.extend(part)
        else:
            so_far.append(part)
    return so_far


def flat(build: Callable[[list[Built]], Built]) -> Callable[[list[Built]], Built]:
    """Let a rule be built from its parts and those of the lists among them."""
    return lambda parts: build(grown([Grown(), *parts]))


def only(parts: list[Built]) -> Built:
    """Return the only part of an alternative."""
    return parts[0]


class Text(NamedTuple):
    """A string literal: its value, and the token for the place."""

    value: str
    token: Token


def _place(part: Built, end: int) -> Token | Span | None:
    """Return the first place in a part (the last, if `end` is -1); None for a part that was left out."""
    if type(part) is Token:
        return part
    if isinstance(part, s.Node):
        return part.span
    if isinstance(part, tuple):
        return next((place for each in part[:: end or 1] if (place := _place(each, end))), None)
    return None


def span_of(parts: list[Built]) -> Span:
    """Return the place from the first token of some parts to the last."""
    first = next((place for part in parts if (place := _place(part, 0))), None)
    last = next((place for part in reversed(parts) if (place := _place(part, -1))), None)
    return Span(first.source, first.start, last.end) if first and last else NOWHERE


def construct(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method be called with the place of the construct and those of its parts that are no bare tokens."""

    def build(self: object, parts: list[Built]) -> Built:
        return method(self, span_of(parts), *[part for part in parts if type(part) is not Token])

    return build
