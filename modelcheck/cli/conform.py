"""`modelcheck conform`: does some run of a specification produce a log of a running system?"""

from __future__ import annotations

import click

from modelcheck.cli.console import Console
from modelcheck.cli.options import Seconds, given, model_options


@click.command(name="conform")
@click.argument("file", metavar="SPEC")
@click.argument("log")
@click.option("--mapping", metavar="FILE", help="Which records of LOG are which events (TOML).")
@click.option("--order", is_flag=True, help="Only compare lock sequences and lock order: no search.")
@model_options
@click.option("--max-states", type=click.IntRange(min=1), metavar="N", help="Give up a log after N states.")
@click.option("--time-limit", type=Seconds(), metavar="SECONDS", help="Give up a log after this time.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    console: Console, file: str, log: str, mapping: str | None, order: bool,
    parameters: tuple[tuple[str, str], ...], scenario: str | None, max_states: int | None,
    time_limit: float | None, json_: bool,
) -> int:  # fmt: skip
    """Tell whether some run of SPEC produces each log in LOG, and where not, what it could have done instead.

    Exit code 0 if all conform, 1 if one does not, 3 if a limit was hit, 130 if interrupted.
    """
    from modelcheck import pipeline, records
    from modelcheck.engine.engine import Limits
    from modelcheck.report.conform_json import conform_json, order_json
    from modelcheck.report.conform_text import conform_text, order_text

    console.json = json_
    limits = Limits(states=max_states, seconds=time_limit)
    options = pipeline.Options(given(parameters), scenario, limits=limits)
    if order:
        compared = records.compared_order(file, log, mapping, options)
        console.write(order_json(file, log, compared) if json_ else order_text(file, log, compared))
        return compared.exit_code
    report = records.conform(file, log, mapping, options)
    console.write(conform_json(report) if json_ else conform_text(report))
    return report.exit_code
