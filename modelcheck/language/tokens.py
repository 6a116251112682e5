"""Source text -> tokens and comments, with a diagnostic for every character that belongs to neither.

The scanner goes on after an error, so that one reading of a file tells of all. Which words are keywords is said by the
grammar, of which `Vocabulary` is made; a word that is a keyword only in some places is marked `soft`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from modelcheck.diagnostics import Collector
from modelcheck.language.syntax import Comment
from modelcheck.source import Source, Span

NAME, NUMBER, STRING, END = "NAME", "NUMBER", "STRING", "$END"

LONGEST_NUMBER = 40
"""Digits of a literal; 63 bits need 19 (SEMANTICS H6), and Python refuses to read numbers without end."""


class Token(NamedTuple):
    """A word, number, string or operator, with the name of its terminal in the grammar."""

    type: str
    text: str
    source: Source
    start: int
    end: int

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.source, self.start, self.end)


@dataclass(frozen=True)
class Vocabulary:
    """The terminals of the grammar: text of an operator or keyword -> name of its terminal.

    `reserved` has the words that are keywords everywhere, `soft` the terminals of the words that are so in places.
    """

    operators: dict[str, str]
    keywords: dict[str, str]
    reserved: frozenset[str]
    soft: frozenset[str]


class Scan(NamedTuple):
    """What a text consists of."""

    tokens: tuple[Token, ...]
    comments: tuple[Comment, ...]


_PATTERN = re.compile(
    r"""
      (?P<white> [ \t\r\n\f\v]+ )
    | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
    | (?P<number> [0-9][A-Za-z0-9_]*(?:\.[0-9]+)? )
    | (?P<comment> //[^\r\n]* | /\*(?s:.*?)\*/ )
    | (?P<string> "(?:[^"\\\r\n]|\\[^\r\n])*" )
    | (?P<open_comment> /\*(?s:.*) )
    | (?P<open_string> "[^\r\n]* )
    | (?P<operator>
        <<= | >>= | \.\. | -> | \+\+ | -- | && | \|\| | << | >> | [-+*/%|&^=!<>]= | [-+*/%|&^=!<>~?:;,.(){}\[\]]
      )
    | (?P<unknown> [^\sA-Za-z0-9_"/] | [^\S\ \t\r\n\f\v]+ | . )
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|[0-9]+(?:_[0-9]+)*")
_ESCAPE = re.compile(r"\\(.)")

_LOOKALIKES = {
    "≠": "!=", "≤": "<=", "≥": ">=", "→": "->", "⇒": "implies", "∧": "&&", "∨": "||", "¬": "!", "∀": "forall",
    "∃": "exists", "∈": "in", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "−": "-", "×": "*", "…": "..",
    "'": '"', "’": '"', "‘": '"', "#": "//", "\xa0": " ", "∪": "|", "∩": "&",
}  # fmt: skip


def scan(source: Source, vocabulary: Vocabulary, problems: Collector) -> Scan:
    """Return the tokens and comments of a text; what is neither goes to `problems`."""
    tokens: list[Token] = []
    comments: list[Comment] = []
    keywords, operators = vocabulary.keywords, vocabulary.operators
    for match in _PATTERN.finditer(source.text):
        kind = match.lastgroup
        start, end = match.span()
        if kind == "white":
            continue
        text = match.group()
        if kind == "word":
            tokens.append(Token(keywords.get(text, NAME), text, source, start, end))
        elif kind == "operator" and text in operators:
            tokens.append(Token(operators[text], text, source, start, end))
        elif kind == "comment":
            comments.append(
                Comment(text.rstrip(), _stands_alone(source.text, start), span=Span(source, start, end))
            )
        else:
            tokens.extend(_unusual(kind or "", Token("", text, source, start, end), problems))
    return Scan(tuple(tokens), tuple(comments))


def string_value(token_text: str) -> str:
    """Return what a string literal stands for."""
    return _ESCAPE.sub(r"\1", token_text[1:-1])


def string_text(value: str) -> str:
    """Return the literal for a string: the inverse of `string_value`."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number_value(token_text: str) -> int:
    """Return what a number literal stands for."""
    digits = token_text.replace("_", "")
    return int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits)


def is_number(text: str) -> bool:
    """Whether a text is a number literal of the grammar."""
    return _NUMBER.fullmatch(text) is not None


def _stands_alone(text: str, start: int) -> bool:
    """Whether nothing but white space stands before an offset in its line."""
    return not text[text.rfind("\n", 0, start) + 1 : start].strip()


def _unusual(kind: str, raw: Token, problems: Collector) -> Iterator[Token]:
    """Yield the token of a number or string, checked, or of what was meant to be one."""
    if kind == "number":
        problem, hint = _number_problem(raw.text)
        if problem:
            problems.error("MC001", raw.span, problem, hint)
        yield raw._replace(type=NUMBER, text="0" if problem else raw.text)
    elif kind == "string":
        _check_escapes(raw, problems)
        yield raw._replace(type=STRING)
    elif kind == "open_string":
        stop = raw.start + len(raw.text.rstrip())
        problems.error(
            "MC001", Span(raw.source, raw.start, stop), 'this string has no closing `"` in its line'
        )
        yield raw._replace(type=STRING, text='""', end=stop)
    elif kind == "open_comment":
        problems.error(
            "MC001", Span(raw.source, raw.start, raw.start + 2), "this comment has no closing `*/`"
        )
    else:
        _report_unknown(raw, problems)


def _number_problem(text: str) -> tuple[str, str]:
    """Return what is wrong with a number literal, and what to do; empty if it is well formed."""
    digits = text.replace("_", "")
    if "." in text:
        return f"`{text}` is not a number", "all numbers are integers"
    if not is_number(text):
        if re.fullmatch(r"(0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]+", digits):
            return f"`{text}` is not a number", "numbers have no suffix here: integers are exact"
        return f"`{text}` is not a number", "numbers are decimal or 0x..., with single `_` between digits"
    if len(digits) > 1 and digits[0] == "0" and digits.isdigit():
        return f"`{text}` has a leading zero", "C would read it as octal; write it in decimal or with 0x"
    if len(digits) > LONGEST_NUMBER:
        return f"this number has {len(digits)} digits", f"at most {LONGEST_NUMBER} are read"
    return "", ""


def _check_escapes(raw: Token, problems: Collector) -> None:
    for escape in _ESCAPE.finditer(raw.text):
        if escape.group(1) not in '"\\':
            span = Span(raw.source, raw.start + escape.start(), raw.start + escape.end())
            problems.error(
                "MC001", span, f"unknown escape `{escape.group()}`", 'a string knows \\" and \\\\ only'
            )


def _report_unknown(raw: Token, problems: Collector) -> None:
    char = raw.text[0]
    shown = f"`{char}`" if char.isprintable() and not char.isspace() else f"U+{ord(char):04X}"
    if char.isalpha():
        hint = "names consist of the letters a-z, A-Z, digits and `_`"
    else:
        hint = f"write `{_LOOKALIKES[char]}`" if char in _LOOKALIKES else ""
    problems.error("MC001", raw.span, f"unknown character {shown}", hint)
