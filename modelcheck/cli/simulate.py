"""`modelcheck simulate`: random runs from a seed, or one run that the user directs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelcheck.cli.console import Console
from modelcheck.cli.options import given, model_options

if TYPE_CHECKING:
    from modelcheck.language.model import Model

UNDECIDED = 3


@click.command(name="simulate")
@click.argument("file")
@model_options
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same runs.")
@click.option(
    "--steps", type=click.IntRange(min=0), default=200, show_default=True, help="The length of a run."
)
@click.option("--runs", type=click.IntRange(min=1), default=1, show_default=True, help="How many runs.")
@click.option("--interactive", "-i", is_flag=True, help="Choose each step: a number, u to undo, q to quit.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    console: Console, file: str, parameters: tuple[tuple[str, str], ...], scenario: str | None,
    seed: int, steps: int, runs: int, interactive: bool, json_: bool,
) -> int:  # fmt: skip
    """Walk through FILE. Exit code 1 if a run shows a violation, else 3: a simulation decides nothing."""
    from modelcheck import pipeline

    console.json = json_
    if interactive and json_:
        raise click.UsageError("--interactive asks on the terminal: it cannot be combined with --json")
    options = pipeline.Options(given(parameters), scenario)
    model = pipeline.chosen_model(pipeline.load(file), options)
    if interactive:
        return _directed(console, model)
    return _random(console, model, options, (seed, steps, runs))


def _random(console: Console, model: Model, options: object, numbers: tuple[int, int, int]) -> int:
    from modelcheck import pipeline
    from modelcheck.report.json_runs import simulation_json
    from modelcheck.report.simulation_text import simulation_text

    assert isinstance(options, pipeline.Options)
    done = pipeline.simulation(model, options, *numbers)
    code = 1 if done.findings else UNDECIDED
    if console.json:
        console.write(simulation_json(done.explainer, done.simulation, done.findings, numbers[0], code))
    else:
        console.write(simulation_text(done.explainer, done.simulation, done.findings))
    return code


def _directed(console: Console, model: Model) -> int:
    """Ask for each step on stdin, until the run or the input ends."""
    from modelcheck.report.simulation_text import Directed

    directed = Directed(model)
    console.write(directed.start())
    while True:
        console.write(directed.menu())
        answer = console.ask("step, u(ndo), q(uit)> ")
        if answer is None or answer in ("q", "quit"):
            break
        console.write(directed.answer(answer))
    console.write("")
    return 1 if directed.broken else UNDECIDED
