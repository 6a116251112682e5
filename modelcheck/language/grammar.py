"""grammars/mck.lark, compiled to LALR tables, and the words and operators it has.

Lark takes half a second to compile it, so the tables are kept in the user's cache folder; with them lark is not even
imported. A cache that cannot be read or written, or holds nonsense, costs that half second and nothing else.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelcheck.data import grammar_text
from modelcheck.language.lr import Production, Tables
from modelcheck.language.tokens import Vocabulary

if TYPE_CHECKING:
    from lark import Lark
    from lark.grammar import Rule

_START = "specification"
_FORMAT = "1"
"""Changes whenever what is in the cache changes its meaning."""

_WORD = re.compile(r"[A-Za-z_]\w*")

LIST, SAME = "", "="
"""Names of productions that nobody builds: a list that lark made of `x*`, and an alternative that is just its part."""


@dataclass(frozen=True)
class Grammar:
    """The parser's tables, and the vocabulary that the scanner needs."""

    tables: Tables
    vocabulary: Vocabulary


@functools.cache
def grammar() -> Grammar:
    """Return the grammar of the language."""
    text = grammar_text("mck.lark")
    file = _cache_file(text)
    cached = _load(file) if file else None
    if cached:
        return cached
    compiled = compile_grammar(text)
    if file:
        _save(file, compiled)
    return compiled


def compile_grammar(text: str) -> Grammar:
    """Return a grammar made from its text."""
    from lark import Lark

    lark = Lark(text, parser="lalr", lexer="basic", start=_START)
    table = lark.parse_interactive().parser_state.parse_conf.parse_table
    numbers = {rule: i for i, rule in enumerate(lark.rules)}
    actions: list[dict[str, int]] = [{} for _ in table.states]
    gotos: list[dict[str, int]] = [{} for _ in table.states]
    for state, choices in table.states.items():
        for symbol, (_, target) in choices.items():
            place = actions if symbol.isupper() else gotos
            place[state][symbol] = target if isinstance(target, int) else -1 - numbers[target]
    productions = tuple(_production(rule) for rule in lark.rules)
    start, end = table.start_states[_START], table.end_states[_START]
    return Grammar(Tables(tuple(actions), tuple(gotos), productions, start, end), _vocabulary(lark))


def _production(rule: Rule) -> Production:
    origin = str(rule.origin.name)
    if origin.startswith("__"):
        name = LIST
    elif rule.options.expand1 and not rule.alias and len(rule.expansion) == 1:
        name = SAME
    else:
        name = rule.alias or origin
    has_list = any(symbol.name.startswith("__") and not symbol.is_term for symbol in rule.expansion)
    return Production(origin, len(rule.expansion), name, has_list)


def _vocabulary(lark: Lark) -> Vocabulary:
    literals = {str(t.pattern.value): str(t.name) for t in lark.terminals if t.pattern.type == "str"}
    names = next(re.compile(t.pattern.to_regexp()) for t in lark.terminals if t.name == "NAME")
    keywords = {text: name for text, name in literals.items() if _WORD.fullmatch(text)}
    operators = {text: name for text, name in literals.items() if text not in keywords}
    reserved = frozenset(word for word in keywords if not names.fullmatch(word))
    soft = frozenset(name for word, name in keywords.items() if word not in reserved)
    return Vocabulary(operators, keywords, reserved, soft)


# --- the cache -----------------------------------------------------------------------------------


def _cache_file(text: str) -> Path | None:
    """Return where the tables of a grammar are kept, or None where there is no good place."""
    try:
        from platformdirs import user_cache_path

        folder = user_cache_path("modelcheck")
    except (ImportError, OSError, RuntimeError):
        return None
    key = hashlib.sha256(f"{_FORMAT}\n{text}".encode()).hexdigest()[:16]
    return folder / f"mck-{key}.json" if folder.is_absolute() else None


def _load(file: Path) -> Grammar | None:
    """Return the grammar in a file; None if the file is not there or not as it was written."""
    try:
        digest, _, content = file.read_bytes().partition(b"\n")
        if digest != _digest(content):
            return None
        return _from_json(json.loads(content))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _save(file: Path, compiled: Grammar) -> None:
    """Write a grammar to a file, or leave it; whoever reads meanwhile finds all of it or nothing."""
    content = json.dumps(asdict(compiled), default=sorted, separators=(",", ":")).encode()
    draft = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(_digest(content) + b"\n" + content)
        draft.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _from_json(data: dict[str, Any]) -> Grammar:
    tables, words = data["tables"], data["vocabulary"]
    productions = tuple(Production(**each) for each in tables["productions"])
    actions, gotos = tuple(tables["actions"]), tuple(tables["gotos"])
    vocabulary = Vocabulary(
        words["operators"], words["keywords"], frozenset(words["reserved"]), frozenset(words["soft"])
    )
    return Grammar(Tables(actions, gotos, productions, tables["start"], tables["end"]), vocabulary)
