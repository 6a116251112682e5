"""All syntax errors of a text that does not follow the grammar, each with a sentence for a human reader.

The text is read again, from the start, without building anything. Where the grammar does not allow a token a small
repair is looked for (repairs.py: a missing `;`, a keyword as a name). If none lets the text go on, the statement or
declaration is given up (recovery.py).
"""

from __future__ import annotations

from collections import Counter

from modelcheck.diagnostics import Collector, near_miss
from modelcheck.language.brackets import balance
from modelcheck.language.expectations import expected, found
from modelcheck.language.grammar import grammar
from modelcheck.language.recovery import Recovery
from modelcheck.language.repairs import Repair, advice, repairs
from modelcheck.language.tokens import END, NAME, Token
from modelcheck.locks import KINDS
from modelcheck.source import Source, Span

MOST_ERRORS = 100
"""Errors after which a file is taken for something else than a specification."""

_LOOK_AHEAD = 3
"""Tokens that must be readable after a repair for it to be believed."""

_MOST_VISITS = 20
"""How often reading may come back to one token: getting over an error may lead before it, but not for ever."""

_SENSELESS = {"LPAR": "primary", "SEMICOLON": "body"}
"""What is not missing where an expression, or a statement, is."""

_AFTER_TARGET = frozenset({"=", "(", "[", ".", "++", "--", "+=", "-="})


def diagnose(source: Source, tokens: tuple[Token, ...], problems: Collector) -> None:
    """Report all syntax errors of a list of tokens that cannot be parsed."""
    tables = grammar().tables
    declaring = frozenset(tables.actions[tables.start]) & grammar().vocabulary.soft
    swallowed = any(each.message.startswith("this string") for each in problems.errors)
    balanced = balance(tokens, declaring, Collector() if swallowed else problems)
    last = balanced[-1].end if balanced else len(source.text)
    _Reader((*balanced, Token(END, "", source, last, last)), problems).read()


class _Reader:
    """Reads a list of tokens to its end, whatever it holds."""

    def __init__(self, tokens: tuple[Token, ...], problems: Collector) -> None:
        self.tokens = tokens
        self.problems = problems
        self.unreadable = [each.span.start for each in problems.diagnostics]
        self.text = Recovery(tokens)
        self.vocabulary = self.text.vocabulary
        self.doubtful = -1  # up to this token an error may be a consequence of the last one

    def read(self) -> None:
        """Read all tokens, reporting and getting over each error."""
        i, stuck = 0, 0
        visits: Counter[int] = Counter()
        while i < len(self.tokens):
            if self.text.feed(self.tokens[i].type, i):
                i += 1
                continue
            visits[i] += 1
            if visits[i] > _MOST_VISITS:
                self.problems.error("MC001", self.tokens[i].span, "from here on the text makes no sense")
                return
            if len(self.problems.errors) >= MOST_ERRORS:
                message = f"{MOST_ERRORS} errors so far: the rest of the file was not looked at"
                self.problems.error("MC001", self.tokens[i].span, message)
                return
            self.text.settle()
            hopeless = self._starts_with_two_names(i) or bool(self._misspelt(i))
            repair = None if hopeless else self._repair(i)
            if repair is None:
                self._report_unexpected(i)
                after = self.text.give_up(i, stuck)
                stuck = stuck + 1 if after == i else 0
            else:
                self._apply(i, repair)
                after, stuck = i + repair.dropped, 0
            if repair is None or not repair.message:
                self.doubtful = i + 1
            i = after

    # --- repairs

    def _repair(self, i: int) -> Repair | None:
        """Return the first repair that helps."""
        candidates = repairs(self.tokens[i], self.vocabulary, starts_line=self.text.starts_line(i))
        return next(
            (each for each in candidates if self._is_sensible(i, each) and self._helps(i, each)), None
        )

    def _is_sensible(self, i: int, repair: Repair) -> bool:
        text = self.tokens[i].text
        if repair.dropped and (
            text in ("", "{", "}") or (not repair.message and text in self.vocabulary.reserved)
        ):
            return False  # braces balance already, and a reserved word begins a statement
        if repair.instead == "COLON" and self.text.is_lone_name(i):
            return False  # that would make it a label
        missing = _SENSELESS.get(repair.instead)
        return missing is None or not self.text.may_begin(missing)

    def _helps(self, i: int, repair: Repair) -> bool:
        """Whether the text goes on well after a repair; a `;` at the end of a line is believed at once."""
        ends_line = repair.instead == "SEMICOLON" and self.text.starts_line(i)
        certain = ends_line or (self.tokens[i].text == ";" and not repair.dropped)
        rest = self.tokens[i + repair.dropped :][: 1 if certain else _LOOK_AHEAD]
        parser = self.text.parser.copy()
        kinds = [*([repair.instead] if repair.instead else []), *(token.type for token in rest)]
        return all(self.text.feed(kind, i, parser) for kind in kinds)

    def _apply(self, i: int, repair: Repair) -> None:
        """Report what was repaired, and read what should have been there."""
        before = self.tokens[max(0, i - 1)]
        if not repair.message:
            self._report_unexpected(i)
        elif not repair.missing:
            self._report(i, self.tokens[i].span, repair.message, repair.hint)
        elif not any(before.start <= place < before.end for place in self.unreadable):
            place = Span(before.source, before.end, before.end)
            self.problems.error("MC001", place, repair.message, repair.hint)
        if repair.instead:
            self.text.feed(repair.instead, i)

    def _starts_with_two_names(self, i: int) -> bool:
        """Whether a statement starts as `int x` does, or `op f`."""
        texts = [token.text for token in self.tokens[max(0, i - 1) : i + 1]]
        are_names = all(text.isidentifier() and text not in self.vocabulary.reserved for text in texts)
        return are_names and len(texts) == 2 and self.text.is_lone_name(i)

    def _misspelt(self, i: int) -> str:
        """Return what the first word of the declaration at token `i` should be, if it is none and close to one."""
        first, rule = self.text.construct(i)
        word = self.tokens[first].text
        known = word in self.vocabulary.keywords or word in KINDS
        if rule != "declaration" or first == i or not word.isidentifier() or known:
            return ""
        declaring = [w for w, kind in self.vocabulary.keywords.items() if kind in self.text.declaring]
        return near_miss(word, [*declaring, *KINDS])

    # --- reporting

    def _report(self, i: int, place: Span, message: str, hint: str) -> None:
        """Report an error at a token, if it is not the consequence of another.

        That is one at a brace that was put in, or at or right behind what was reported already.
        """
        token = self.tokens[i]
        start = self.tokens[i - 1].end if i else 0
        scanned = any(start <= known < token.end for known in self.unreadable)
        if not (scanned or i <= self.doubtful or (token.start == token.end and token.type != END)):
            self.problems.error("MC001", place, message, hint)

    def _report_unexpected(self, i: int) -> None:
        token = self.tokens[i]
        first, rule = self.text.construct(i)
        if misspelt := self._misspelt(i):
            message = f"there is no declaration or kind of lock `{self.tokens[first].text}`"
            self._report(i, self.tokens[first].span, message, misspelt)
            return
        hint = advice(self.tokens[i - 1] if i else None, token, self.tokens[first])
        message, better = self._no_statement(first, i, rule)
        if message:
            end = token.end if token.text.isidentifier() or i == first else self.tokens[i - 1].end
            self._report(i, Span(token.source, self.tokens[first].start, end), message, hint or better)
            return
        what = self._expected()
        message = f"expected {what}, found {found(token)}" if what else f"{found(token)} cannot stand here"
        self._report(i, token.span, message, hint)

    def _no_statement(self, first: int, i: int, rule: str) -> tuple[str, str]:
        """Return what to say, with a hint, of what is no statement, or not where statements are; else nothing."""
        before, here = self.tokens[i - 1].text, self.tokens[i].text
        if self._starts_with_two_names(i):
            if self.vocabulary.keywords.get(before) in self.text.declaring:
                return "a declaration cannot stand inside a block", "is a `}` missing before it?"
            hint = f"a local variable is declared `var {here}: T;`; locks are declared outside"
            return f"`{before} {here}` is no statement", hint
        if self.text.is_lone_name(i):
            hint = f"call it, `{before}(...);`, or assign to it, `{before} = ...;`"
            return f"`{before}` alone is no statement", hint
        begins = here in self.vocabulary.reserved if first == i else here in _AFTER_TARGET
        if (
            rule == "declaration"
            and first >= i - 1
            and begins
            and self.tokens[first].type not in self.text.declaring - {NAME}
        ):
            return "a statement can stand only in an `op`, a `thread`, an `irq handler` or `init`", ""
        return "", ""

    def _expected(self) -> str:
        """Return what the grammar allows now, in words."""
        rules = self.text.parser.tables.gotos[self.text.parser.states[-1]]
        return expected(rules, self.text.parser.allowed(), self.vocabulary)
