"""What may have been meant where a text does not follow the grammar: small repairs, each with the sentence to say.

The repairs are tried in the order given; the first after which the text goes on well is taken, as a human reader would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelcheck.language.tokens import NAME, Token, Vocabulary


@dataclass(frozen=True)
class Repair:
    """Read the terminal `instead` (none, if empty) in place of the next `dropped` tokens.

    Where `message` is empty the sentence is "expected ..., found ...". What is `missing` is so behind the token before.
    """

    instead: str
    dropped: int
    message: str = ""
    hint: str = ""
    missing: bool = False


def repairs(token: Token, vocabulary: Vocabulary, *, starts_line: bool) -> Iterator[Repair]:
    """Yield what may have been meant at a token that the grammar does not allow in its place."""
    operators = vocabulary.operators
    yield from _replacements(token, vocabulary, starts_line)
    for text in (";", ")", "]", ",", ":", "(", "="):
        yield Repair(operators[text], 0, f"missing `{text}`", missing=True)
    yield Repair(NAME, 0)
    yield Repair("", 1)
    for text in (";", ",", ":", ")"):
        yield Repair(operators[text], 1)


def _replacements(token: Token, vocabulary: Vocabulary, starts_line: bool) -> Iterator[Repair]:  # noqa: FBT001
    """Yield what a token is often confused with."""
    operators = vocabulary.operators
    if token.text in vocabulary.reserved and not starts_line:
        yield Repair(NAME, 1, f"`{token.text}` is a keyword and cannot be used as a name")
    if token.text == "=":
        hint = "an assignment is a statement and has no value"
        yield Repair(operators["=="], 1, "`=` assigns; a comparison is written `==`", hint)
    if token.text == "==":
        yield Repair(operators["="], 1, "`==` compares; an assignment is written `=`")
    if token.text == "->":
        yield Repair(operators["."], 1, "there are no pointers: a field is written `record.field`")
    if token.text in ("and", "or", "xor"):
        meant = {"and": "&&", "or": "||", "xor": "^"}[token.text]
        yield Repair(operators[meant], 1, f"`{token.text}` is written `{meant}`")
    if token.text == "else":
        hint = "only one statement stands between `if (...)` and `else`: use braces"
        yield Repair("", 1, "this `else` has no `if`", hint)
    if token.text == "or" and "OR" in vocabulary.soft:
        yield Repair("", 1, "this `or` has no `either`")


FOREIGN = {
    "not": "write `!`",
    "elif": "write `else if`",
    "fn": "write `op`",
    "def": "write `op`",
    "function": "write `op`",
    "void": "write `op`",
    "inline": "write `op`",
    "proctype": "write `thread`",
    "process": "write `thread`",
    "struct": "write `record`",
    "switch": "there is no `switch`: use `if` and `else if`",
    "do": "write `loop { ... if (!e) break; }`",
    "include": 'write `import "file.mck";`',
    "define": "write `const NAME = value;` or an `op`",
}
"""Words of other languages, and what to do in this one."""


def advice(before: Token | None, token: Token, first: Token) -> str:
    """Return a hint for an error without a repair: `first` is the first token of the statement or declaration."""
    for word in (first.text, before.text if before else "", token.text):
        if word in FOREIGN and first.text != "expect":
            return FOREIGN[word]
    if first.text == "for":
        return "`for (x: T)` takes each value of a type; to count, use `while`"
    if token.text == "," and first.start < token.start:
        return "one declaration declares one name"
    if token.text == "var":
        return "a declaration needs a block around it: write the braces"
    if token.text == ":" and before == first and first.type == NAME:
        return "a label needs a block around it: write the braces"
    if token.text == "=" and before and before.text == ":":
        return "an assignment is written `=`"
    if token.text in ("++", "--"):
        return f"`{token.text}` is a statement of its own and has no value"
    return ""
