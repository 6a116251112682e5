"""Syntax tree -> canonical text: `modelcheck fmt`, and the lines of traces.

`parse(to_text(parse(text)))` is `parse(text)` with every comment in its place, and printing that gives the same text.
"""

from __future__ import annotations

from modelcheck.diagnostics import Collector
from modelcheck.language import syntax as s
from modelcheck.language.grammar import grammar
from modelcheck.language.layout import text_of
from modelcheck.language.parser import parse
from modelcheck.language.pieces import one_line, pieces
from modelcheck.language.tokens import scan
from modelcheck.language.written import unwritten, written
from modelcheck.source import Source

_LONGEST = 100
"""A block longer than this is shown as `{ ... }` where a statement must be one line."""


def format_source(source: Source) -> str:
    """Return the canonical text of a file. Raises SpecError if it has syntax errors."""
    return to_text(parse(source))


def to_text(spec: s.Specification) -> str:
    """Return the canonical text of a specification.

    A tree that was changed, or made by a program, has its comments and blank lines nowhere, and gets none.
    """
    tokens = pieces(spec)
    source = spec.span.source
    user = None
    if source.text:
        user = written(tokens, scan(source, grammar().vocabulary, Collector()).tokens, spec.comments)
    return text_of(tokens, user or unwritten(tokens))


def expression_text(expression: s.Expression) -> str:
    """Return an expression, in one line."""
    return one_line(expression)


def statement_text(statement: s.Statement) -> str:
    """Return what a statement does as a step, in one line: the head of a compound one, all of a short `atomic`."""
    match statement:
        case s.If(condition=condition):
            return f"if ({one_line(condition)})"
        case s.While(condition=condition):
            return f"while ({one_line(condition)})"
        case s.For(name=name, type=type_):
            return f"for ({name}: {one_line(type_)})"
        case s.ScopedGuard():
            return one_line(s.ScopedGuard(statement.kind, statement.arguments, s.Block(()), statement.fail))[
                : -len(" { }")
            ]
        case s.Loop() | s.Either():
            return type(statement).__name__.lower()
        case s.Unguarded(body=body):
            return statement_text(body)
        case s.Block() | s.Atomic():
            text = one_line(statement)
            return text if len(text) <= _LONGEST else text[: text.index("{")] + "{ ... }"
        case _:
            return one_line(statement)
