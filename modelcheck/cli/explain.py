"""`modelcheck explain`: what a code or a check means, from the one table of codes."""

from __future__ import annotations

import click

from modelcheck.cli.console import Console
from modelcheck.diagnostics import CHECKS, CODES, near_miss


@click.command(name="explain")
@click.argument("code")
@click.pass_obj
def command(console: Console, code: str) -> int:
    """Tell what CODE (for example MC102) or a check (for example circular_wait) means."""
    wanted = CHECKS.get(code, code).upper()
    if wanted not in CODES:
        hint = near_miss(code.upper(), CODES) or near_miss(code, CHECKS)
        raise click.UsageError(f"there is no code or check `{code}`" + (f": {hint}" if hint else ""))
    names = [name for name, each in CHECKS.items() if each == wanted]
    named = f" (check `{names[0]}`)" if names else ""
    console.write(f"{wanted}: {CODES[wanted].title}{named}\n{CODES[wanted].advice}")
    return 0
