"""A parser that can go on behind an error.

Where nothing else helps, the statement or declaration with the error is given up: the parser's stack is cut back to
where it began, it is taken as read, and reading goes on behind it. This is yacc's `error` token, without writing it
into the grammar (A. V. Aho, R. Sethi, J. D. Ullman, Compilers, section 4.9).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelcheck.language.brackets import partners
from modelcheck.language.grammar import grammar
from modelcheck.language.lr import Parser, Value
from modelcheck.language.tokens import END, NAME, Token

RESUMING = ("statement", "body", "scenario_item", "field", "declaration")
"""Rules that can be given up, and be taken as read."""

_IF = ("IF", "LPAR", NAME, "RPAR")
_HEADS = {
    **dict.fromkeys(("op", "thread", "daemon", "unfair", "override", "irq", "softirq", "init"), ("INIT",)),
    **dict.fromkeys(("if", "while", "for", "loop", "scoped_guard", "scoped_cond_guard", "unguarded"), _IF),
    "scenario": ("SCENARIO", NAME),
}
"""First word of a construct with a block -> what is read instead of a head that is wrong, to get at the block."""

_GOING_ON = frozenset({";", "else", "or", ")", "]", ",", "}"})
"""What may follow a closing brace without anything new beginning."""

_VALUES = frozenset({"true", "false", "forall", "exists", "implies", "else"})
"""Reserved words that do not begin a statement."""


def _first(parts: list[Value]) -> Value:
    """Return where a part of the text begins; None if it is empty."""
    return next((part for part in parts if part is not None), None)


class Recovery:
    """Reads a list of tokens, the last of which is the end; the values on its stack are positions in that list."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        tables = grammar().tables
        self.tokens = tokens
        self.vocabulary = grammar().vocabulary
        self.parser = Parser(tables, [_first] * len(tables.productions))
        self.declaring = frozenset(tables.actions[tables.start])
        self.partners = partners(tokens)

    def feed(self, kind: str, i: int, parser: Parser | None = None) -> bool:
        """Read a terminal in the place of token `i`; return whether the grammar allows it."""
        parser = parser or self.parser
        if kind in self.vocabulary.soft and not parser.reads(kind):
            kind = NAME
        if kind == "LBRACE" and self.may_begin("type", parser):
            return False  # a block, where a type is missing; the grammar would read a set that starts a range
        if kind == END:
            return parser.reads(END)
        return parser.reads(kind) and parser.feed(kind, i)

    def may_begin(self, rule: str, parser: Parser | None = None) -> bool:
        """Whether a rule may begin here."""
        parser = parser or self.parser
        return rule in parser.tables.gotos[parser.states[-1]]

    def settle(self) -> None:
        """Do the reductions that are due whatever comes, so that the state tells what may begin here."""
        while True:
            actions = set(self.parser.tables.actions[self.parser.states[-1]].values())
            if len(actions) != 1 or min(actions) >= 0:
                return
            self.parser.reduce(-1 - actions.pop())

    def construct(self, i: int) -> tuple[int, str]:
        """Return the first token of the statement or declaration that is wrong at token `i`, and the rule it is of."""
        for depth, rule in self._places():
            return self._begin(depth, i), rule
        return i, ""

    def is_lone_name(self, i: int) -> bool:
        """Whether before token `i` stands a name that starts a statement."""
        below = self.parser.states[-2:-1]
        is_name = self.tokens[i - 1].type == NAME or self.tokens[i - 1].type in self.vocabulary.soft
        return is_name and any("target" in self.parser.tables.gotos[state] for state in below)

    def starts_line(self, i: int) -> bool:
        """Whether a token is the first of its line."""
        before = self.tokens[i - 1].end if i else 0
        return "\n" in self.tokens[i].source.text[before : self.tokens[i].start]

    # --- giving up

    def give_up(self, i: int, skipped: int) -> int:
        """Give up the statement or declaration that is wrong at token `i`; return where to go on.

        `skipped` is how many possible beginnings have been tried in vain.
        """
        for depth, rule in self._places():
            if not skipped:
                return self._resume(rule, depth, i)
            skipped -= 1
        return len(self.tokens)

    def _places(self) -> Iterator[tuple[int, str]]:
        """Yield where on the stack something could begin that can be given up, innermost first."""
        for depth in range(len(self.parser.states) - 1, -1, -1):
            possible = self.parser.tables.gotos[self.parser.states[depth]]
            rule = next((rule for rule in RESUMING if rule in possible), None)
            if rule is not None:
                yield depth, rule

    def _begin(self, depth: int, i: int) -> int:
        """Return the first token above a place on the stack; `i` if there is none."""
        first = _first(self.parser.values[depth:])
        return i if first is None else first

    def _resume(self, rule: str, depth: int, i: int) -> int:
        first = self._begin(depth, i)
        end = self._end(first, i, is_declaration=rule == "declaration")
        del self.parser.states[depth + 1 :], self.parser.values[depth:]
        head = _HEADS.get(self.tokens[first].text, ())
        block = self._block(first, i, end)
        if block is not None and head and self.parser.reads(head[0]):
            for kind in head:
                self.feed(kind, first)
            return block
        self.parser.push(rule, first)
        return end

    def _end(self, first: int, i: int, *, is_declaration: bool) -> int:
        """Return the index behind the statement or declaration that starts at `first` and is wrong at `i`."""
        j = first
        while self.tokens[j].type != END:
            text = self.tokens[j].text
            if text == "}" or (
                j > i and self.starts_line(j) and self._begins(j, is_declaration=is_declaration)
            ):
                return j
            if text == ";" and j >= i and self.tokens[j + 1].text != "or":
                return j + 1
            j = self.partners.get(j, j) + 1
            if text == "{" and j > i and self.tokens[j].text not in _GOING_ON:
                return j
        return j

    def _begins(self, j: int, *, is_declaration: bool) -> bool:
        """Whether a token at the start of a line begins something new."""
        if is_declaration:
            return self.tokens[j].type in self.declaring and self.tokens[j].type != NAME
        return self.tokens[j].text in self.vocabulary.reserved - _VALUES

    def _block(self, first: int, i: int, end: int) -> int | None:
        """Return the index of the `{` of the block that ends behind `i`, where the error is."""
        j = first
        while j < end:
            if self.tokens[j].text == "{" and self.partners.get(j, -1) >= i:
                return j
            j = self.partners.get(j, j) + 1
        return None
