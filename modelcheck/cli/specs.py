"""`modelcheck specs`: the specifications that come with the program."""

from __future__ import annotations

from pathlib import Path

import click

from modelcheck.cli.console import Console


@click.command(name="specs")
@click.argument("name", required=False)
@click.option("--path", "path_", is_flag=True, help="Print the file's path instead of its text.")
@click.pass_obj
def command(console: Console, name: str | None, path_: bool) -> int:
    """List the specifications that come with the program, or print the one called NAME."""
    from modelcheck.data import specs_folder

    folder = specs_folder()
    found = {str(path.relative_to(folder).with_suffix("")): path for path in sorted(folder.rglob("*.mck"))}
    if name is None:
        _list(console, found, folder if path_ else None)
        return 0
    path = found.get(name.removesuffix(".mck"))
    if path is None:
        from modelcheck.diagnostics import near_miss

        hint = near_miss(name, found) or "`modelcheck specs` lists them"
        raise click.UsageError(f"there is no specification `{name}`: {hint}")
    console.write(str(path) if path_ else path.read_text(encoding="utf-8").removesuffix("\n"))
    return 0


def _list(console: Console, found: dict[str, Path], folder: Path | None) -> None:
    from modelcheck.language.parser import parse, read

    if folder is not None:
        console.write(str(folder))
        return
    width = max(map(len, found), default=0)
    for name, path in found.items():
        spec = parse(read(path))
        description = " ".join(spec.description.split())
        console.write(f"{name.ljust(width)}  {description}".rstrip())
    console.note(
        "\n`modelcheck specs NAME` prints one, `modelcheck check $(modelcheck specs NAME --path)` checks it."
    )
