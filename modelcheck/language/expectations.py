"""What the grammar allows in a place, in words: `expected a name or `;`, found `}``."""

from __future__ import annotations

from collections.abc import Iterable

from modelcheck.language.operators import BINARY
from modelcheck.language.tokens import END, NAME, NUMBER, STRING, Token, Vocabulary

_RULES = (
    ("declaration", "a declaration"),
    ("scenario_item", "`run`, `expect`, `limit` or a parameter's value"),
    ("statement", "a statement"),
    ("body", "a statement"),
    ("type", "a type"),
    ("primary", "an expression"),
    ("field", "a field"),
    ("text", "a string"),
    ("name", "a name"),
)
"""Rules that say it all where they may begin, most comprehensive first."""

_ASSIGNING = ("=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>=", "++", "--")
_OPTIONAL = (
    "acquires",
    "releases",
    "must_hold",
    "handover",
    "novalidate",
    "owned",
    "rcu_guarded_by",
    "write_guarded_by",
)
_CONTINUING = frozenset((*BINARY, *_ASSIGNING, *_OPTIONAL, ".", "..", "[", "(", "?"))
"""What may follow in too many places to be worth saying."""

_MOST = 5


def expected(rules: Iterable[str], terminals: list[str], vocabulary: Vocabulary) -> str:
    """Return what may stand in a place, given the rules that may begin there and the terminals it allows."""
    allowed = set(rules)
    for rule, words in _RULES:
        if rule in allowed:
            return words
    texts = {kind: text for text, kind in (vocabulary.operators | vocabulary.keywords).items()}
    special = {NAME: "a name", NUMBER: "a number", STRING: "a string", END: "the end of the file"}
    if NAME in terminals:  # words that are keywords in few places: NAME says it
        terminals = [kind for kind in terminals if texts.get(kind) not in ("set", "count")]
    kinds = [kind for kind in terminals if texts.get(kind) not in _CONTINUING]
    kinds = kinds or [kind for kind in terminals if texts[kind] in ("=", "..")] or terminals
    words_of = sorted(
        {special.get(kind) or f"`{texts[kind]}`" for kind in kinds}, key=lambda w: (w[0] == "`", w)
    )
    if len(words_of) > _MOST:
        return ""
    return " or ".join(filter(None, (", ".join(words_of[:-1]), words_of[-1])))


def found(token: Token) -> str:
    """Return a token in words."""
    if token.type == END:
        return "the end of the file"
    return "a string" if token.type == STRING else f"`{token.text}`"
