"""Source text -> syntax tree, by the LALR tables of grammars/mck.lark.

Tokens are fed to the parser one by one. A word that is a keyword only in some places (`state`, `order`, `run`) is one
where the grammar allows the keyword, and a name elsewhere: that is all there is to contextual keywords.

A file with errors is read a second time by syntax_errors.py, which finds all of them; what is parsed here is correct.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast

from modelcheck.diagnostics import Collector
from modelcheck.language.brackets import check_nesting
from modelcheck.language.grammar import LIST, SAME, grammar
from modelcheck.language.loading import check_size, follow_imports, read
from modelcheck.language.lr import Build, Parser
from modelcheck.language.syntax import Specification
from modelcheck.language.syntax_errors import diagnose
from modelcheck.language.tokens import END, NAME, Token, scan
from modelcheck.language.tree_builder import TreeBuilder
from modelcheck.language.tree_depth import check_depth
from modelcheck.language.tree_parts import flat, grown, only
from modelcheck.source import Source, Span

__all__ = ["parse", "parse_with_imports", "read"]


def parse(source: Source) -> Specification:
    """Return the syntax tree of one file; its imports are not followed. Raises SpecError with all its syntax errors."""
    problems = Collector()
    check_size(source)
    tokens, comments = scan(source, grammar().vocabulary, problems)
    if any("*/" in each.message for each in problems.errors):
        problems.raise_errors()  # what the text is behind an open comment nobody knows
    check_nesting(tokens)
    tree = _tree(tokens)
    if tree is None:
        diagnose(source, tokens, problems)
    problems.raise_errors()
    assert tree is not None, "a file that cannot be parsed has at least one error"
    check_depth(tree)
    return replace(tree, comments=comments, span=Span(source, 0, len(source.text)))


def parse_with_imports(main: Source | str | Path) -> tuple[Specification, ...]:
    """Return the syntax trees of a file and of all that it imports, each once, the file itself first."""
    return follow_imports(main if isinstance(main, Source) else read(main), parse)


def _tree(tokens: Sequence[Token]) -> Specification | None:
    """Return the tree of a list of tokens, or None if they do not follow the grammar."""
    parser = Parser(grammar().tables, _build())
    soft = grammar().vocabulary.soft
    for token in tokens:
        kind = token.type
        if kind in soft and not parser.reads(kind):
            kind = NAME
        if not parser.feed(kind, token):
            return None
    return cast("Specification", parser.values[0]) if parser.finish(END) else None


@cache
def _build() -> tuple[Build, ...]:
    """Return what makes the value of each production."""
    builder = TreeBuilder()
    build: list[Build] = []
    for production in grammar().tables.productions:
        if production.name in (LIST, SAME):
            build.append(grown if production.name == LIST else only)
        else:
            method = getattr(builder, production.name)
            build.append(flat(method) if production.has_list else method)
    return tuple(build)
