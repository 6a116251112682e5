"""`modelcheck locks`: in which order the locks are taken, every cycle in that, and what keeps each apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelcheck.cli.console import Console
from modelcheck.cli.options import free_memory, given, limit_options, model_options
from modelcheck.cli.progress import progress

if TYPE_CHECKING:
    from modelcheck import pipeline
    from modelcheck.report.contents import LocksReport


@click.command(name="locks")
@click.argument("file", required=False)
@model_options
@limit_options
@click.option(
    "--records", metavar="FILE", help="Read a kernel's lock records (JSON lines) instead of a model."
)
@click.option("--strict", is_flag=True, help="Warnings count as violations.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document.")
@click.option("--dot", metavar="FILE", help="Write the order graph for Graphviz.")
@click.option("--svg", metavar="FILE", help="Write the order graph as a picture.")
@click.pass_obj
def command(
    console: Console, file: str | None, parameters: tuple[tuple[str, str], ...], scenario: str | None,
    max_states: int | None, max_memory: int | None, time_limit: float | None, workers: int | None, records: str | None,
    strict: bool, json_: bool, dot: str | None, svg: str | None,
) -> int:  # fmt: skip
    """Show the lock order of every scenario of FILE, each cycle in it, and what keeps the cycle from a deadlock.

    A gate is left out where it is taken, and an await, a condition or another lock taken away, one at a time, to see
    whether the cycle is a deadlock then.
    """
    from modelcheck import pipeline
    from modelcheck.engine.engine import Limits

    console.json = json_
    if (file is None) == (records is None):
        raise click.UsageError("name either a specification or, with --records, a file of lock records")
    if records is not None:
        if parameters or scenario is not None:
            raise click.UsageError("records have no parameters and no scenarios")
        return _records(console, records, dot, svg)
    assert file is not None
    memory = free_memory() if max_memory is None else max_memory
    limits = Limits(states=max_states, memory=memory, seconds=time_limit, workers=workers)
    options = pipeline.Options(given(parameters), scenario, limits=limits, strict=strict)
    return _model(console, file, options, dot, svg)


def _model(console: Console, file: str, options: pipeline.Options, dot: str | None, svg: str | None) -> int:
    from modelcheck import pipeline
    from modelcheck.report.contents import gravest
    from modelcheck.report.locks_json import locks_json
    from modelcheck.report.locks_text import locks_text
    from modelcheck.report.order_graph import of_model

    reports: list[LocksReport] = []
    for model in pipeline.models(pipeline.load(file), options):
        with progress(wanted=not console.json) as shown:
            reports.append(pipeline.locks(model, options, shown))
        if not console.json:
            console.write(locks_text(file, reports[-1]) + "\n")
        if reports[-1].exit_code == INTERRUPTED:
            break
    code = gravest([report.exit_code for report in reports])
    if console.json:
        console.write(locks_json(file, reports, code))
    if len(reports) > 1 and (dot or svg):
        console.note("the picture is of all scenarios together; --scenario chooses one")
    _draw(console, of_model(reports), dot, svg)
    return code


INTERRUPTED = 130
UNDECIDED = 3


def _records(console: Console, file: str, dot: str | None, svg: str | None) -> int:
    from modelcheck import records
    from modelcheck.report.locks_json import records_json
    from modelcheck.report.locks_text import records_text
    from modelcheck.report.order_graph import of_records

    recorded = records.locks_of_records(file)
    open_ = recorded.order.capped or any(c.verdict == "undecided" for c in recorded.order.cycles)
    code = UNDECIDED if open_ else 0
    console.write(records_json(recorded, code) if console.json else records_text(recorded))
    _draw(console, of_records(recorded), dot, svg)
    return code


def _draw(console: Console, picture: object, dot: str | None, svg: str | None) -> None:
    from modelcheck.report.order_graph import Picture, order_dot
    from modelcheck.report.order_svg import order_svg
    from modelcheck.report.saving import save

    assert isinstance(picture, Picture)
    for path, text in ((dot, order_dot), (svg, order_svg)):
        if path is not None:
            save(path, text(picture))
            console.note(f"wrote {path}")
