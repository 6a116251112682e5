"""`modelcheck replay`: a saved trace, taken again step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelcheck.cli.console import Console

if TYPE_CHECKING:
    from modelcheck.analysis.replay import SavedTrace
    from modelcheck.language.syntax import Specification


@click.command(name="replay")
@click.argument("file")
@click.argument("trace")
@click.pass_obj
def command(console: Console, file: str, trace: str) -> int:
    """Take the steps of TRACE (saved by `check --save-trace`) in FILE again.

    Exit code 1 if its end still shows a violation, 3 if it does not, or if a step can no longer be taken.
    """
    from modelcheck import pipeline
    from modelcheck.report.simulation_text import finding_with_trace
    from modelcheck.report.trace_file import load_trace
    from modelcheck.report.trace_text import trace_lines

    saved = load_trace(trace)
    specs = pipeline.load(file)
    _compare(console, specs, saved)
    options = pipeline.Options(dict(saved.parameters), saved.scenario or None)
    explainer, replay = pipeline.replayed(pipeline.chosen_model(specs, options), saved)
    for finding in replay.findings:
        console.write("\n".join(finding_with_trace(explainer, finding)))
    if replay.findings:
        return 1
    console.write("\n".join(trace_lines(explainer, replay.trace)))
    console.write(replay.problem or f"the trace can be taken, but its end no longer shows: {saved.message}")
    return 3


def _compare(console: Console, specs: tuple[Specification, ...], saved: SavedTrace) -> None:
    """Say so if this is another specification, or not as it was; a trace of another model is refused."""
    from modelcheck.diagnostics import Diagnostic, SpecError
    from modelcheck.report.trace_file import digest
    from modelcheck.source import Span

    name = specs[0].name or ""
    if name != saved.model:
        message = f"the trace is of the model `{saved.model}`, this file is `{name}`"
        raise SpecError([Diagnostic("MC009", message, Span(specs[0].span.source, 0, 0))])
    if digest(specs) != saved.digest:
        console.note("the specification has changed since the trace was saved")
