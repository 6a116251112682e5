"""`modelcheck explore`: how large the state space is, and the state space itself as a graph."""

from __future__ import annotations

import click

from modelcheck.cli.console import Console
from modelcheck.cli.options import free_memory, given, limit_options, model_options
from modelcheck.cli.progress import progress


@click.command(name="explore")
@click.argument("file")
@model_options
@limit_options
@click.option("--graph", metavar="FILE", help="Write the state graph: .graphml, .dot or .json.")
@click.pass_obj
def command(
    console: Console, file: str, parameters: tuple[tuple[str, str], ...], scenario: str | None,
    max_states: int | None, max_memory: int | None, time_limit: float | None, graph: str | None,
) -> int:  # fmt: skip
    """Count the reachable states and transitions of FILE, with its parameters' defaults, -p, or one scenario."""
    from modelcheck import pipeline
    from modelcheck.engine.engine import Limits
    from modelcheck.report.graph import check_ending, save_graph
    from modelcheck.report.text import statistics_line

    if graph is not None:
        check_ending(graph)
    memory = free_memory() if max_memory is None else max_memory
    limits = Limits(states=max_states, memory=memory, seconds=time_limit)
    options = pipeline.Options(given(parameters), scenario, limits=limits)
    model = pipeline.chosen_model(pipeline.load(file), options)
    with progress(wanted=True) as shown:
        answers = pipeline.count(model, options, shown)
    console.write(f"{model.name}: {statistics_line(answers.statistics, answers.stopped)}")
    if graph is not None and answers.stopped != pipeline.INTERRUPTED:
        save_graph(graph, pipeline.graph(model, options))
        console.note(f"wrote {graph}")
    if answers.stopped == pipeline.INTERRUPTED:
        return 130
    return 3 if answers.stopped else 0
