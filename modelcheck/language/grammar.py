"""grammars/mck.lark, made into LALR tables once, and the words and operators it has.

Making the tables takes about half a second, so they are kept in the user's cache folder. A cache that cannot be read or
written, or that holds nonsense, costs that half second and nothing else.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelcheck.data import grammar_text
from modelcheck.language.tokens import Vocabulary
from modelcheck.language.tree_builder import TreeBuilder

if TYPE_CHECKING:
    from lark import Lark
    from lark.parsers.lalr_parser_state import ParserState

_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Grammar:
    """The parser's tables, and the vocabulary that the scanner needs."""

    lark: Lark
    vocabulary: Vocabulary

    def start(self) -> ParserState[int]:
        """Return the state of a parser that has read nothing yet."""
        return self.lark.parse_interactive().parser_state


def choices(state: ParserState[int]) -> dict[str, Any]:
    """Return what a parser can go on with: terminals (in capitals) and rules, each with what it would do."""
    return state.parse_conf.states[state.position]


@functools.cache
def grammar() -> Grammar:
    """Return the grammar of the language."""
    text = grammar_text("mck.lark")
    lark = _with_cache(text) or _make(text, "")
    return Grammar(lark, _vocabulary(lark))


def _vocabulary(lark: Lark) -> Vocabulary:
    literals = {t.pattern.value: t.name for t in lark.terminals if t.pattern.type == "str"}
    names = next(re.compile(t.pattern.to_regexp()) for t in lark.terminals if t.name == "NAME")
    keywords = {text: name for text, name in literals.items() if _WORD.fullmatch(text)}
    operators = {text: name for text, name in literals.items() if text not in keywords}
    reserved = frozenset(word for word in keywords if not names.fullmatch(word))
    soft = frozenset(name for word, name in keywords.items() if word not in reserved)
    return Vocabulary(operators, keywords, reserved, soft)


def _make(text: str, cache: str) -> Lark:
    """Return lark's parser of a grammar. Its lexer is not used: tokens are fed one by one (see parser.py)."""
    from lark import Lark

    options: dict[str, Any] = {"parser": "lalr", "lexer": "basic", "start": "specification"}
    options |= {"keep_all_tokens": True, "maybe_placeholders": False}
    return Lark(text, cache=cache or False, transformer=TreeBuilder(), **options)


def _with_cache(text: str) -> Lark | None:
    """Return the parser by way of the cache, or None where there is no usable cache.

    Lark writes its file in place; it is written beside and moved, so that nobody ever reads half of one. Lark itself
    notices a file that belongs to another grammar, lark or Python, or that is damaged, and writes it anew.
    """
    try:
        from platformdirs import user_cache_path

        folder = user_cache_path("modelcheck")
        if not folder.is_absolute():
            return None
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"mck-{hashlib.sha256(text.encode()).hexdigest()[:16]}.lalr"
        if path.exists():
            return _make(text, str(path))
        return _write(text, path)
    except Exception:  # noqa: BLE001 - whatever is wrong with a cache, there is a way without it
        return None


def _write(text: str, path: Path) -> Lark:
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    lark = _make(text, str(draft))
    with contextlib.suppress(OSError):  # lark says nothing where it cannot write
        draft.replace(path)
    return lark
