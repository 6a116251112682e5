"""`modelcheck explain`: what a code or a check means, and a trace that shows it."""

from __future__ import annotations

import click

from modelcheck.cli.console import Console


@click.command(name="explain")
@click.argument("code", nargs=-1, metavar="[CODE]")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(console: Console, code: tuple[str, ...], json_: bool) -> int:
    """Tell what CODE (for example MC044) or a check (for example circular_wait) means.

    Of a check a specification that comes with the program is checked and its trace shown. Without CODE, list all.
    """
    from modelcheck.explaining import explained
    from modelcheck.report.explanation_json import explanation_json, list_json
    from modelcheck.report.explanation_text import code_list

    console.json = json_
    if not code:
        console.write(list_json() if json_ else code_list())
        return 0
    told = explained(" ".join(code))
    console.write(explanation_json(told) if json_ else str(told))
    return 0
