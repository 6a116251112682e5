"""Files of a specification: reading one, and following its imports."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from modelcheck.diagnostics import Collector, Diagnostic, SpecError
from modelcheck.language.syntax import Import, Specification
from modelcheck.source import Source, Span

_CANNOT_READ = "cannot read the file: "

LARGEST_FILE = 1 << 20
"""Bytes; also characters of a text that is no file. A specification that people wrote has a hundredth of it."""

DEEPEST_IMPORT = 100
"""Files that import each other in a chain."""


def read(path: str | Path, largest: int = LARGEST_FILE) -> Source:
    """Return the text of a file, named as the caller named it. Raises SpecError if it is no readable text."""
    name = str(path)
    try:
        content = _content(Path(path), name, largest)
    except FileNotFoundError:
        raise _unreadable(name, "there is no such file") from None
    except IsADirectoryError:
        raise _unreadable(name, "this is a directory", "name a file in it, `*.mck`") from None
    except OSError as error:
        raise _unreadable(name, error.strerror or str(error)) from None
    except ValueError as error:  # a NUL in the path
        raise _unreadable(name.replace("\0", "\\0"), str(error)) from None
    return _text(name, content)


def check_size(source: Source) -> None:
    """Raise SpecError if a text is larger than a file may be."""
    if len(source.text) > LARGEST_FILE:
        raise _too_large(source.name, len(source.text))


def follow_imports(main: Source, parse: Callable[[Source], Specification]) -> tuple[Specification, ...]:
    """Return the trees of a file and all that it imports, directly or not, each once and in the order of the imports.

    Paths are relative to the importing file. What is wrong in several files is reported together.
    """
    walk = _Imports(parse)
    walk.visit(main, _identity(main.name), ())
    walk.problems.raise_errors()
    return tuple(walk.trees)


class _Imports:
    """A depth-first walk over the files; `way` is the chain of imports that led to the present one."""

    def __init__(self, parse: Callable[[Source], Specification]) -> None:
        self.parse = parse
        self.trees: list[Specification] = []
        self.seen: set[str] = set()
        self.problems = Collector()

    def visit(self, source: Source, identity: str, way: tuple[tuple[str, str], ...]) -> None:
        self.seen.add(identity)
        try:
            tree = self.parse(source)
        except SpecError as error:
            _keep(self.problems, error)
            return
        self.trees.append(tree)
        for declaration in tree.declarations:
            if isinstance(declaration, Import):
                self._import(declaration, source, (*way, (identity, source.name)))

    def _import(self, declaration: Import, source: Source, way: tuple[tuple[str, str], ...]) -> None:
        name = os.path.normpath(Path(source.name).parent / declaration.path)
        identity = _identity(name)
        ring = [shown for known, shown in way[_index(way, identity) :]]
        if ring:
            chain = " imports ".join(f"`{each}`" for each in (*ring, name))
            self.problems.error("MC005", declaration.span, f"import cycle: {chain}")
        elif len(way) > DEEPEST_IMPORT:
            self.problems.error(
                "MC003", declaration.span, f"imports are nested more than {DEEPEST_IMPORT} levels deep"
            )
        elif identity not in self.seen:
            imported = self._read(name, declaration.span)
            if imported is not None:
                self.visit(imported, identity, way)

    def _read(self, name: str, span: Span) -> Source | None:
        try:
            return read(name)
        except SpecError as error:
            for each in error.diagnostics:
                why = each.message.removeprefix(_CANNOT_READ)
                self.problems.error("MC004", span, f"cannot import `{name}`: {why}", each.hint)
            return None


def _index(way: tuple[tuple[str, str], ...], identity: str) -> int:
    """Return the position of a file in a chain of imports, or its length."""
    return next((i for i, (known, _) in enumerate(way) if known == identity), len(way))


def _identity(name: str) -> str:
    """Return what two names of one file have in common."""
    return os.path.realpath(name)


def _keep(problems: Collector, error: SpecError) -> None:
    for each in error.diagnostics:
        problems.error(each.code, each.span, each.message, each.hint)


def _content(path: Path, name: str, largest: int) -> bytes:
    """Return at most one byte more than a file may have: enough to see that it is too large."""
    with path.open("rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise _too_large(name, path.stat().st_size, largest)
    return content


def _text(name: str, content: bytes) -> Source:
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise _unreadable(name, f"line {line} has a NUL byte: this is not a text file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        what = f"line {line} is not UTF-8 (byte 0x{content[error.start]:02x})"
        raise _unreadable(name, what, "save the file as UTF-8") from None
    return Source(name, re.sub(r"\r(?!\n)", "\n", text))  # lines that end in a lone CR are lines too


def _too_large(name: str, size: int, largest: int = LARGEST_FILE) -> SpecError:
    message = f"the file has {size:,} bytes; at most {largest:,} are read".replace(",", "_")
    return SpecError([Diagnostic("MC003", message, Span(Source(name, ""), 0, 0), "split it with `import`")])


def _unreadable(name: str, message: str, hint: str = "") -> SpecError:
    return SpecError([Diagnostic("MC002", _CANNOT_READ + message, Span(Source(name, ""), 0, 0), hint)])
