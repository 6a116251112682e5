"""`modelcheck fmt`: the canonical form of specifications."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from modelcheck.cli.check import collected
from modelcheck.cli.console import Console

if TYPE_CHECKING:
    from modelcheck.source import Source


@click.command(name="fmt")
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIR...")
@click.option("--check", "check_", is_flag=True, help="Write nothing; exit 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
@click.pass_obj
def command(console: Console, files: tuple[str, ...], check_: bool, diff: bool) -> int:
    """Rewrite the files in canonical form; `-` reads stdin and prints the result."""
    from modelcheck.diagnostics import SpecError
    from modelcheck.language.printer import format_source

    code = 0
    for source in _sources(console, files):
        try:
            text = format_source(source)
        except SpecError as error:
            console.diagnostics(error.diagnostics, 2)
            code = 2
            continue
        if _report(console, source, text, check=check_, diff=diff) and code == 0:
            code = 1
    return code


def _sources(console: Console, files: tuple[str, ...]) -> Iterator[Source]:
    from modelcheck.language.parser import read
    from modelcheck.source import Source

    for name in files:
        if name == "-":
            yield Source("<stdin>", console.read())
        else:
            yield from (read(path) for path, _ in collected((name,)))


def _report(console: Console, source: Source, text: str, *, check: bool, diff: bool) -> bool:
    """Write or show the new text; True if the file is not in its form and was not brought into it."""
    from modelcheck.report.saving import save

    changed = text != source.text
    if diff:
        before, after = source.text.splitlines(), text.splitlines()
        lines = difflib.unified_diff(before, after, source.name, f"{source.name} (formatted)", lineterm="")
        if changed:
            console.write("\n".join(lines))
        return changed
    if check:
        if changed:
            console.note(f"{source.name} is not in canonical form")
        return changed
    if source.name == "<stdin>":
        console.write(text.removesuffix("\n"))
    elif changed:
        save(source.name, text)
        console.note(f"formatted {source.name}")
    return False
