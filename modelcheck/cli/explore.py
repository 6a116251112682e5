"""`modelcheck explore`: how large the state space is, and the state space itself as a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelcheck.cli.console import Console
from modelcheck.cli.options import free_memory, given, limit_options, model_options
from modelcheck.cli.progress import progress

if TYPE_CHECKING:
    from modelcheck.engine.engine import Answers, Progress
    from modelcheck.language.model import Model
    from modelcheck.pipeline import Options


@click.command(name="explore")
@click.argument("file")
@model_options
@limit_options
@click.option("--graph", metavar="FILE", help="Write the state graph: .graphml, .dot or .json.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    console: Console, file: str, parameters: tuple[tuple[str, str], ...], scenario: str | None,
    max_states: int | None, max_memory: int | None, time_limit: float | None, workers: int | None, graph: str | None,
    json_: bool,
) -> int:  # fmt: skip
    """Count the reachable states and transitions of FILE, with its parameters' defaults, -p, or one scenario."""
    from modelcheck import pipeline
    from modelcheck.engine.engine import Limits
    from modelcheck.engine.watch import INTERRUPTED
    from modelcheck.report.graph import check_ending

    console.json = json_
    if graph is not None:
        check_ending(graph)
    memory = free_memory() if max_memory is None else max_memory
    limits = Limits(states=max_states, memory=memory, seconds=time_limit, workers=workers)
    options = pipeline.Options(given(parameters), scenario, limits=limits)
    model = pipeline.chosen_model(pipeline.load(file), options)
    with progress(wanted=not json_) as shown:
        if graph is None:
            answers = pipeline.count(model, options, shown)
        else:
            answers = _drawn(console, model, options, graph, shown)
    code = 130 if answers.stopped == INTERRUPTED else 3 if answers.stopped else 0
    _told(console, model, answers, graph, code)
    return code


def _drawn(console: Console, model: Model, options: Options, graph: str, shown: Progress | None) -> Answers:
    """Count, and write the graph: after an interrupt or a limit what is known of it, marked as incomplete."""
    from modelcheck import pipeline
    from modelcheck.report.graph import save_graph

    try:
        answers, drawn = pipeline.count_and_draw(model, options, shown)
        save_graph(graph, drawn)
    except KeyboardInterrupt:
        console.note(f"{graph} was not written")
        raise
    incomplete = f" (incomplete: {answers.stopped})" if answers.stopped else ""
    console.note(f"wrote {graph}{incomplete}")
    return answers


def _told(console: Console, model: Model, answers: Answers, graph: str | None, code: int) -> None:
    from modelcheck.report.json_runs import exploration_json
    from modelcheck.report.text import model_shown, statistics_line

    if console.json:
        console.write(exploration_json(model, answers, graph, code))
    else:
        console.write(f"{model_shown(model)}: {statistics_line(answers.statistics, answers.stopped)}")
