"""`modelcheck replay`: a saved trace, taken again step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from modelcheck.cli.console import Console

if TYPE_CHECKING:
    from modelcheck.analysis.replay import Replay, SavedTrace
    from modelcheck.analysis.waiting import Explainer
    from modelcheck.language.syntax import Specification


@click.command(name="replay")
@click.argument("file")
@click.argument("trace")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(console: Console, file: str, trace: str, json_: bool) -> int:
    """Take the steps of TRACE (saved by `check --save-trace`) in FILE again.

    Exit code 1 if its end still shows a violation, 3 if it does not, or if a step can no longer be taken.
    """
    from modelcheck import pipeline
    from modelcheck.report.json_runs import replay_json
    from modelcheck.report.trace_file import load_trace

    console.json = json_
    saved = load_trace(trace)
    specs = pipeline.load(file)
    options = pipeline.Options(dict(saved.parameters), saved.scenario or None)
    model = pipeline.chosen_model(specs, options)
    warnings = list(_differences(specs, saved, model.name))
    explainer, replay = pipeline.replayed(model, saved)
    code = 1 if replay.findings else 3
    if json_:
        console.write(replay_json(explainer, replay, warnings, code))
    else:
        for warning in warnings:
            console.note(f"warning: {warning}")
        console.write("\n".join(_lines(explainer, replay, saved)))
    return code


def _lines(explainer: Explainer, replay: Replay, saved: SavedTrace) -> Iterator[str]:
    from modelcheck.report.simulation_text import findings_with_traces
    from modelcheck.report.trace_text import trace_lines

    yield from findings_with_traces(explainer, replay.findings)
    if not replay.findings:
        yield from trace_lines(explainer, replay.trace)
        yield replay.problem or f"the trace can be taken, but its end no longer shows: {saved.message}"


def _differences(specs: tuple[Specification, ...], saved: SavedTrace, model: str) -> Iterator[str]:
    """Say so if this is another specification, or not as it was; the replay says what that changes."""
    from modelcheck.report.trace_file import digest

    if model != saved.model:
        yield f"the trace is of the model `{saved.model}`, this file is `{model}`"
    elif digest(specs) != saved.digest:
        yield "the specification has changed since the trace was saved"
