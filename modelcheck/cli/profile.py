"""`modelcheck profile`: where the states come from, and what would make them fewer."""

from __future__ import annotations

import click

from modelcheck.cli.console import Console
from modelcheck.cli.options import free_memory, given, limit_options, model_options
from modelcheck.cli.progress import progress


@click.command(name="profile")
@click.argument("file")
@model_options
@click.option(
    "--engine",
    type=click.Choice(["auto", "native", "reference"]),
    default="auto",
    show_default=True,
    help="How to search.",
)
@limit_options
@click.option("--json", "json_", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    console: Console, file: str, parameters: tuple[tuple[str, str], ...], scenario: str | None, engine: str,
    max_states: int | None, max_memory: int | None, time_limit: float | None, workers: int | None, json_: bool,
) -> int:  # fmt: skip
    """Show where the states of FILE come from: with its parameters' defaults, -p, or one scenario.

    States by depth, what each thread, variable, lock and local adds, pairs of threads, where threads stand, and what
    would make the model smaller, each with its factor. Also where a limit ends the search: then of what was seen.
    """
    from modelcheck import pipeline
    from modelcheck.engine.engine import Limits
    from modelcheck.report.profile_json import profile_json
    from modelcheck.report.profile_text import profile_text

    console.json = json_
    memory = free_memory() if max_memory is None else max_memory
    limits = Limits(states=max_states, memory=memory, seconds=time_limit, workers=workers)
    options = pipeline.Options(given(parameters), scenario, engine=engine, limits=limits)
    specs = pipeline.load(file)
    with progress(wanted=not json_) as shown:
        report = pipeline.profile(specs, options, shown)
    console.write(profile_json(file, report) if json_ else profile_text(report))
    return report.exit_code
