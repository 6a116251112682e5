"""All syntax errors of a text that does not follow the grammar.

The text is read again, from the start, without building anything. Where the grammar does not allow a token a small
repair is looked for (repairs.py: a missing `;`, a keyword as a name). If none lets the text go on, the statement or
declaration is given up: the parser's stack is cut back to where it began, and reading goes on behind it. This is
yacc's `error` token, without writing it into the grammar (A. V. Aho, R. Sethi, J. D. Ullman, Compilers, 4.9).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from modelcheck.diagnostics import Collector
from modelcheck.language.brackets import balance, partners
from modelcheck.language.expectations import expected, found
from modelcheck.language.grammar import choices, grammar
from modelcheck.language.repairs import Repair, advice, repairs
from modelcheck.language.tokens import END, NAME, Token
from modelcheck.source import Source, Span

_RESUMING = ("statement", "body", "scenario_item", "field", "declaration")
"""Rules that can be given up, and be taken as read."""

_SENSELESS = {("LPAR",): "primary", ("SEMICOLON",): "body"}
"""What is not missing where an expression or a statement is."""

_LOOK_AHEAD = 3
"""Tokens that must be readable after a repair for it to be believed."""

_MOST = 100
"""Errors after which a file is taken for something else than a specification."""

_IF = ("IF", "LPAR", NAME, "RPAR")
_HEADS = {
    **dict.fromkeys(("op", "thread", "daemon", "unfair", "override", "irq", "init"), ("INIT",)),
    **dict.fromkeys(("if", "while", "for", "loop", "scoped_guard", "scoped_cond_guard", "unguarded"), _IF),
    "scenario": ("SCENARIO", NAME),
}
"""First word of a construct with a block -> what is read instead of a head that is wrong, to get at the block."""


class _Read(NamedTuple):
    """A token as it lies on the parser's stack: its terminal and its position in the list of tokens."""

    type: str
    position: int


def diagnose(source: Source, tokens: tuple[Token, ...], problems: Collector) -> None:
    """Report all syntax errors of a list of tokens that cannot be parsed."""
    keywords = grammar().vocabulary.keywords.values()
    declaring = frozenset(choices(grammar().start())).intersection(keywords) - {"VAR"}
    balanced = balance(tokens, declaring, problems)
    last = balanced[-1].end if balanced else len(source.text)
    _Reader((*balanced, Token(END, "", source, last, last)), problems).read()


class _Reader:
    """Reads a list of tokens to its end, whatever it holds."""

    def __init__(self, tokens: tuple[Token, ...], problems: Collector) -> None:
        self.vocabulary = grammar().vocabulary
        self.tokens = tokens
        self.partners = partners(tokens)
        self.problems = problems
        self.unreadable = [each.span.start for each in problems.diagnostics]
        self.doubtful = -1  # up to this token an error may be a consequence of the last one
        self.state = grammar().start()
        self.state.parse_conf = copy.copy(self.state.parse_conf)
        self.state.parse_conf.callbacks = {}
        self.states: Any = self.state.parse_conf.states

    def read(self) -> None:
        """Read all tokens, reporting and getting over each error."""
        i, stuck = 0, 0
        while i < len(self.tokens):
            if len(self.problems.errors) >= _MOST:
                message = f"{_MOST} errors so far: the rest of the file was not looked at"
                self.problems.error("MC001", self.tokens[i].span, message)
                return
            if self._feed(self.state, self.tokens[i].type, i):
                i += 1
                continue
            self._settle()
            repair = None if self._starts_with_two_names(i) else self._repair(i)
            if repair is None:
                self._report_unexpected(i)
                after = self._give_up(i, stuck)
                stuck = stuck + 1 if after == i else 0
            else:
                self._apply(i, repair)
                after, stuck = i + repair.dropped, 0
            if repair is None or not repair.message:
                self.doubtful = i + 1
            i = after

    def _feed(self, state: Any, kind: str, index: int) -> bool:  # noqa: ANN401 - lark's state, or a copy of it
        """Let a parser read a terminal; return whether it could."""
        from lark.exceptions import UnexpectedToken

        if kind in self.vocabulary.soft and kind not in choices(state):
            kind = NAME
        if kind == "LBRACE" and "type" in choices(state):
            return False  # a block, where a type is missing; the grammar would read a set that starts a range
        try:
            state.feed_token(_Read(kind, index), kind == END)
        except UnexpectedToken:
            return False
        return True

    def _settle(self) -> None:
        """Do the reductions that are due whatever comes, so that the state tells what may begin here."""
        while True:
            actions = {action for kind, action in choices(self.state).items() if kind.isupper()}
            rules = {rule for action, rule in actions if action.name == "Reduce"}
            if len(actions) != 1 or not rules:
                return
            (rule,) = rules
            size = len(rule.expansion)
            parts = self.state.value_stack[len(self.state.value_stack) - size :]
            del self.state.state_stack[len(self.state.state_stack) - size :]
            del self.state.value_stack[len(self.state.value_stack) - size :]
            self._push(rule.origin.name, parts)

    def _push(self, rule: str, parts: list[Any]) -> None:
        """Take a rule as read."""
        _, after = choices(self.state)[rule]
        self.state.state_stack.append(after)
        self.state.value_stack.append(parts)

    # --- repairs

    def _repair(self, i: int) -> Repair | None:
        """Return the first repair that helps."""
        candidates = repairs(self.tokens[i], self.vocabulary, starts_line=self._starts_line(i))
        return next((repair for repair in candidates if self._helps(i, repair)), None)

    def _apply(self, i: int, repair: Repair) -> None:
        """Report what was repaired, and read what should have been there."""
        if not repair.message:
            self._report_unexpected(i)
        elif repair.missing:
            before = self.tokens[max(0, i - 1)]
            if not any(before.start <= place < before.end for place in self.unreadable):
                place = Span(before.source, before.end, before.end)
                self.problems.error("MC001", place, repair.message, repair.hint)
        elif not self._is_consequence(i):
            span = self.tokens[i].span
            self.problems.error("MC001", span, repair.message, repair.hint)
        for kind in repair.instead:
            self._feed(self.state, kind, i)

    def _helps(self, i: int, repair: Repair) -> bool:
        """Whether the text goes on well after a repair."""
        if repair.dropped and not repair.message and self.tokens[i].text in self.vocabulary.reserved:
            return False  # a statement begins here
        if repair.dropped and self.tokens[i].text in ("", "{", "}"):
            return False
        if repair.instead in _SENSELESS and _SENSELESS[repair.instead] in choices(self.state):
            return False
        if repair.instead == ("COLON",) and self._is_lone_name(i):
            return False  # that would make it a label
        ends = (self.tokens[i].text == ";" and not repair.dropped) or (
            repair.instead == ("SEMICOLON",) and self._starts_line(i)
        )
        enough = 1 if ends else _LOOK_AHEAD
        rest = self.tokens[i + repair.dropped :][:enough]
        state = self.state.copy(deepcopy_values=False)
        return all(self._feed(state, kind, i) for kind in (*repair.instead, *(token.type for token in rest)))

    def _is_lone_name(self, i: int) -> bool:
        """Whether a name that starts a statement stands before a token."""
        below = self.state.state_stack[-2:-1]
        is_name = self.tokens[i - 1].type == NAME or self.tokens[i - 1].type in self.vocabulary.soft
        return is_name and any("target" in self.states[state] for state in below)

    def _starts_with_two_names(self, i: int) -> bool:
        """Whether a statement starts as `int x` does, or `op f`."""
        names = [
            token
            for token in self.tokens[max(0, i - 1) : i + 1]
            if token.text not in self.vocabulary.reserved
        ]
        return len(names) == 2 and names[1].text.isidentifier() and self._is_lone_name(i)

    # --- giving up

    def _give_up(self, i: int, skipped: int) -> int:
        """Cut the stack back to the start of a statement or declaration, take that as read, return where to go on.

        `skipped` is how many such places have been tried in vain.
        """
        for depth, rule in self._places_to_resume():
            if not skipped:
                return self._resume(rule, depth, i)
            skipped -= 1
        return len(self.tokens)

    def _places_to_resume(self) -> Iterator[tuple[int, str]]:
        """Yield where on the stack something could begin that can be given up, innermost first."""
        for depth in range(len(self.state.state_stack) - 1, -1, -1):
            possible = self.states[self.state.state_stack[depth]]
            rule = next((rule for rule in _RESUMING if rule in possible), None)
            if rule is not None:
                yield depth, rule

    def _resume(self, rule: str, depth: int, i: int) -> int:
        first = min(_indices(self.state.value_stack[depth:]), default=i)
        end = self._end(first, i, is_declaration=rule == "declaration")
        del self.state.state_stack[depth + 1 :], self.state.value_stack[depth:]
        head = _HEADS.get(self.tokens[first].text, ())
        block = self._block(first, i, end)
        if block is not None and head and head[0] in choices(self.state):
            for kind in head:
                self._feed(self.state, kind, first)
            return block
        self._push(rule, [])
        return end

    def _end(self, first: int, i: int, *, is_declaration: bool) -> int:
        """Return the index behind the statement or declaration that starts at `first` and is wrong at `i`."""
        j = first
        while self.tokens[j].type != END:
            text = self.tokens[j].text
            if text == "}" or (
                j > i and self._starts_line(j) and self._begins(j, is_declaration=is_declaration)
            ):
                return j
            if text == ";" and j >= i and self.tokens[j + 1].text != "or":
                return j + 1
            j = self.partners.get(j, j) + 1
            if text == "{" and j > i and self.tokens[j].text not in (";", "else", "or", ")", "]", ",", "}"):
                return j
        return j

    def _begins(self, j: int, *, is_declaration: bool) -> bool:
        """Whether a token at the start of a line begins something new."""
        if is_declaration:
            return self.tokens[j].type in choices(grammar().start()) and self.tokens[j].type != NAME
        return self.tokens[j].text in self.vocabulary.reserved - {
            "else",
            "true",
            "false",
            "forall",
            "exists",
            "implies",
        }

    def _block(self, first: int, i: int, end: int) -> int | None:
        """Return the index of the `{` of the block that ends behind `i`, where the error is."""
        j = first
        while j < end:
            if self.tokens[j].text == "{" and self.partners.get(j, -1) >= i:
                return j
            j = self.partners.get(j, j) + 1
        return None

    # --- reporting

    def _starts_line(self, i: int) -> bool:
        before = self.tokens[i - 1].end if i else 0
        return "\n" in self.tokens[i].source.text[before : self.tokens[i].start]

    def _report_unexpected(self, i: int) -> None:
        if self._is_consequence(i):
            return
        token = self.tokens[i]
        first, rule = self._construct(i)
        message, hint = "", advice(self.tokens[i - 1] if i else None, token, self.tokens[first])
        if self._starts_with_two_names(i):
            message, hint = self._two_names(i)
        elif self._is_lone_name(i):
            name = self.tokens[i - 1].text
            message = f"`{name}` alone is no statement"
            hint = hint or f"call it, `{name}(...);`, or assign to it, `{name} = ...;`"
        elif rule == "declaration" and self._looks_like_statement(first, i):
            message = "a statement can stand only in an `op`, a `thread`, an `irq handler` or `init`"
        if message:
            end = token.end if token.text.isidentifier() or i == first else self.tokens[i - 1].end
            place = Span(token.source, self.tokens[first].start, end)
            self.problems.error("MC001", place, message, hint)
            return
        what = self._expected()
        message = f"expected {what}, found {found(token)}" if what else f"{found(token)} cannot stand here"
        self.problems.error("MC001", token.span, message, hint)

    def _two_names(self, i: int) -> tuple[str, str]:
        """Return what to say of a statement that starts with two names."""
        first, second = self.tokens[i - 1].text, self.tokens[i].text
        if self.vocabulary.keywords.get(first) in choices(grammar().start()):
            return "a declaration cannot stand inside a block", "is a `}` missing before it?"
        hint = f"a local variable is declared `var {second}: T;`; locks are declared outside"
        return f"`{first} {second}` is no statement", hint

    def _is_consequence(self, i: int) -> bool:
        """Whether an error is at a brace that was put in, or at or right behind one that was reported."""
        token = self.tokens[i]
        start = self.tokens[i - 1].end if i else 0
        scanned = any(start <= place < token.end for place in self.unreadable)
        return scanned or i <= self.doubtful or (token.start == token.end and token.type != END)

    def _construct(self, i: int) -> tuple[int, str]:
        """Return the first token of the statement or declaration that is wrong at `i`, and the rule it is of."""
        for depth, rule in self._places_to_resume():
            return min(_indices(self.state.value_stack[depth:]), default=i), rule
        return i, ""

    def _looks_like_statement(self, first: int, i: int) -> bool:
        if first == i:
            return self.tokens[i].text in self.vocabulary.reserved
        return first == i - 1 and self.tokens[i].text in ("=", "(", "[", ".", "++", "--", "+=", "-=")

    def _expected(self) -> str:
        possible = choices(self.state)
        terminals = [kind for kind in possible if kind.isupper()]
        readable = [kind for kind in terminals if self._feed(self.state.copy(deepcopy_values=False), kind, 0)]
        return expected((rule for rule in possible if not rule.isupper()), readable, self.vocabulary)


def _indices(values: list[Any]) -> list[int]:
    """Return the positions of the tokens in values from the parser's stack."""
    found_so_far: list[int] = []
    rest = list(values)
    while rest:
        value = rest.pop()
        if isinstance(value, _Read):
            found_so_far.append(value.position)
        else:
            rest.extend(value)
    return found_so_far
