"""Brackets, before anything is parsed: how deep they nest, and which of them have no partner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from modelcheck.diagnostics import Collector, Diagnostic, SpecError
from modelcheck.language.tokens import STRING, Token

DEEPEST_NESTING = 200
"""Brackets inside each other. A kernel function that needs more than a handful is rewritten."""

_CLOSER = {"(": ")", "[": "]", "{": "}"}


def check_nesting(tokens: Sequence[Token]) -> None:
    """Raise SpecError if brackets nest deeper than anybody would write by hand."""
    depth = 0
    for token in tokens:
        if token.text in _CLOSER:
            depth += 1
            if depth > DEEPEST_NESTING:
                message = f"brackets are nested more than {DEEPEST_NESTING} levels deep"
                hint = "move inner parts into an `op` or a `const`"
                raise SpecError([Diagnostic("MC003", message, token.span, hint)])
        elif token.text in (")", "]", "}"):
            depth = max(0, depth - 1)


def partners(tokens: Sequence[Token]) -> dict[int, int]:
    """Return, for each opening bracket that has one, the index of the closing one.

    No round or square bracket reaches over a `;` or a closing brace; one that would has no partner. (C's
    `for (;;)` may, so that it is one mistake and not three.)
    """
    found: dict[int, int] = {}
    stack: list[int] = []
    for i, token in enumerate(tokens):
        if token.text in _CLOSER:
            stack.append(i)
        elif token.text in (";", "}"):
            while (
                stack
                and tokens[stack[-1]].text != "{"
                and not (token.text == ";" and _is_for(tokens, stack[-1]))
            ):
                stack.pop()
        if stack and token.text == _CLOSER[tokens[stack[-1]].text]:
            found[stack.pop()] = i
    return found


def _is_for(tokens: Sequence[Token], i: int) -> bool:
    return i > 0 and tokens[i - 1].text == "for"


def balance(tokens: Sequence[Token], declaring: frozenset[str], problems: Collector) -> tuple[Token, ...]:
    """Return the tokens with as many closing as opening braces, having reported those without a partner.

    `declaring` has the words that start a declaration. Where braces do not balance the indentation tells which one is
    to blame: a closing brace belongs to the line that is indented like it, and nothing is declared inside a block. What
    is put in stands for no character (its start is its end).
    """
    count = Counter(token.text for token in tokens if token.text in ("{", "}") and token.type != STRING)
    if count["{"] == count["}"] and sum(tokens[i].text == "{" for i in partners(tokens)) == count["{"]:
        return tuple(tokens)
    repair = _Balance(problems, too_many=count["}"] > count["{"])
    for i, token in enumerate(tokens):
        column = _indentation(token)
        first = i == 0 or "\n" in token.source.text[tokens[i - 1].end : token.start]
        if (
            first
            and token.type in declaring
            and i + 1 < len(tokens)
            and tokens[i + 1].type in (STRING, "NAME")
        ):
            repair.close_down_to(column)
        repair.take(token, column if first else None)
    repair.close_down_to(-1)
    return tuple(repair.tokens)


def _indentation(token: Token) -> int:
    """Return the column of the first character of the line in which a token stands."""
    line = token.source.line(token.span.line)
    return len(line) - len(line.lstrip())


@dataclass
class _Balance:
    """The braces that are open while the tokens are copied, each with the indentation of its line."""

    problems: Collector
    too_many: bool
    tokens: list[Token] = field(default_factory=list)
    open: list[tuple[Token, int]] = field(default_factory=list)

    def take(self, token: Token, column: int | None) -> None:
        """Copy one token; `column` is its indentation if it is the first of its line."""
        if token.text == "{":
            self.open.append((token, _indentation(token)))
        elif token.text == "}":
            if column is not None and any(indent == column for _, indent in self.open):
                self.close_down_to(column + 1)
            misplaced = self.too_many and column is not None and self.open and column > self.open[-1][1]
            if misplaced or not self.open:
                self.problems.error("MC001", token.span, "this `}` closes nothing")
                return
            self.open.pop()
        self.tokens.append(token)

    def close_down_to(self, column: int) -> None:
        """Close, and report, the innermost open braces of lines that are indented to `column` or deeper."""
        while self.open and self.open[-1][1] >= column:
            opening, _ = self.open.pop()
            self.problems.error("MC001", opening.span, "this `{` is never closed")
            end = self.tokens[-1].end
            self.tokens.append(Token("RBRACE", "}", opening.source, end, end))
