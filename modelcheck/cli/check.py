"""`modelcheck check`: every scenario of every file, and whether it is as expected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelcheck.cli.console import Console
from modelcheck.cli.options import free_memory, given, limit_options, model_options
from modelcheck.cli.progress import progress

if TYPE_CHECKING:
    from modelcheck import pipeline
    from modelcheck.report.contents import FileReport


@dataclass(frozen=True)
class _Wanted:
    """What to check and how to tell it."""

    files: tuple[str, ...]
    options: pipeline.Options
    quiet: bool
    reproducible: bool
    save_trace: str | None
    most: int
    verbose: bool


@click.command(name="check")
@click.argument("files", nargs=-1, metavar="FILE|DIR...")
@model_options
@click.option("--property", "properties", multiple=True, metavar="NAME", help="Only this check or property.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "native", "reference", "z3"]),
    default="auto",
    show_default=True,
    help="How to search.",
)
@limit_options
@click.option(
    "--depth", type=click.IntRange(min=0), metavar="N", help="How many steps the engine z3 looks ahead."
)
@click.option(
    "--max-findings",
    type=click.IntRange(min=1),
    metavar="N",
    default=5,
    show_default=True,
    help="Show so many findings of each check, and count the rest.",
)
@click.option("--strict", is_flag=True, help="Warnings count as violations.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document.")
@click.option("--reproducible", is_flag=True, help="Leave times out of the JSON.")
@click.option("--save-trace", metavar="FILE", help="Save the first violation's trace, for `replay`.")
@click.option("--quiet", "-q", is_flag=True, help="One line a scenario.")
@click.option(
    "--verbose", "-v", is_flag=True, help="Also show the locks held at the accesses of each variable."
)
@click.pass_obj
def command(
    console: Console, files: tuple[str, ...], parameters: tuple[tuple[str, str], ...], scenario: str | None,
    properties: tuple[str, ...], engine: str, max_states: int | None, max_memory: int | None,
    time_limit: float | None, workers: int | None, depth: int | None, max_findings: int, strict: bool, json_: bool,
    reproducible: bool, save_trace: str | None, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Check every scenario of the files, and of all *.mck in the folders.

    A scenario says what it expects; without scenarios nothing may be violated. With -p the parameters are checked
    instead of the scenarios; with -p and --scenario, that scenario with these parameters.
    """
    from modelcheck.engine.engine import Limits
    from modelcheck.pipeline import Options

    if not files:
        raise click.UsageError("no file to check; `modelcheck specs` lists those that come with the program")
    console.json = json_
    memory = free_memory() if max_memory is None else max_memory
    limits = Limits(states=max_states, memory=memory, seconds=time_limit, depth=depth, workers=workers)
    options = Options(given(parameters), scenario, properties, engine, limits, strict)
    if save_trace is not None and save_trace.endswith(".mck"):
        raise click.UsageError(f"--save-trace {save_trace}: this names a specification, which would be lost")
    return _check(
        console, _Wanted(files, options, quiet, reproducible, save_trace, max_findings, verbose and not quiet)
    )


def _check(console: Console, wanted: _Wanted) -> int:
    from modelcheck.report.contents import gravest

    reports: list[FileReport] = []
    todo = collected(wanted.files)
    while todo:
        path, named = todo.pop(0)
        report = _one(console, wanted, path, named=named)
        if report is None:
            continue
        reports.append(report)
        if report.interrupted:
            break
    if not console.json:
        _summary(console, reports)
        if not wanted.quiet:
            _where_explained(console, reports)
    if todo:
        console.note(f"interrupted: not checked: {', '.join(path for path, _ in todo)}")
    if wanted.save_trace:
        _save_trace(console, wanted, reports)
    if console.json:
        from modelcheck.report.json_report import report_json

        console.write(report_json(reports, reproducible=wanted.reproducible))
    return gravest([report.exit_code for report in reports])


def collected(names: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Return the files, with whether each was named or found in a folder."""
    found: list[tuple[str, bool]] = []
    for name in names:
        if name and is_folder(name):
            inside = sorted(Path(name).rglob("*.mck"))
            if not inside:
                raise click.UsageError(f"there is no specification (*.mck) in the folder `{name}`")
            found += [(str(each), False) for each in inside]
        else:
            found.append((name, True))
    return found


def is_folder(path: str) -> bool:
    """Tell whether the path is a folder; a path that cannot be is none."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def _one(console: Console, wanted: _Wanted, path: str, *, named: bool) -> FileReport | None:
    """Check one file; what a folder holds only for others to import is left out."""
    from modelcheck import pipeline
    from modelcheck.diagnostics import SpecError
    from modelcheck.report.contents import FileReport
    from modelcheck.report.text import file_text

    try:
        specs = pipeline.load(path)
        if not named and specs[0].name is None:
            return None
        with progress(wanted=not console.json) as shown:
            report = pipeline.check_specification(specs, path, wanted.options, shown)
    except SpecError as error:
        if not console.json:
            console.diagnostics(error.diagnostics, 2)
        return FileReport(path, diagnostics=error.diagnostics)
    if not console.json:
        console.write(file_text(report, quiet=wanted.quiet, verbose=wanted.verbose, most=wanted.most))
        if not wanted.quiet:
            console.write("")
    return report


def _summary(console: Console, reports: list[FileReport]) -> None:
    """Print a last line where there is more than one scenario."""
    from modelcheck.diagnostics import counted

    scenarios = [scenario for report in reports for scenario in report.scenarios]
    if any(report.interrupted for report in reports):
        console.note("interrupted: what is not told above is undecided")
    if len(scenarios) > 1 or (len(reports) > 1 and scenarios):
        codes = [scenario.exit_code for scenario in scenarios]
        broken = sum(bool(report.diagnostics) for report in reports)
        parts = [
            (codes.count(0), "as expected"),
            (codes.count(1), "not as expected"),
            (codes.count(3), "undecided"),
            (codes.count(2), "with an undefined property"),
            (broken, f"file{'s' * (broken != 1)} with mistakes"),
        ]
        told = ", ".join(f"{number} {what}" for number, what in parts if number)
        console.write(f"{counted(len(scenarios), 'scenario')} in {counted(len(reports), 'file')}: {told}")


def _where_explained(console: Console, reports: list[FileReport]) -> None:
    """Say, after all else, how to read about the first violation of a scenario that is not as expected."""
    for report in reports:
        for scenario in report.scenarios:
            if scenario.exit_code == 1 and scenario.violations:
                console.note(f"`modelcheck explain {scenario.violations[0].check}` tells the idea behind it")
                return


def _save_trace(console: Console, wanted: _Wanted, reports: list[FileReport]) -> None:
    from modelcheck import pipeline
    from modelcheck.report.saving import save
    from modelcheck.report.trace_file import as_json, saved_trace

    assert wanted.save_trace is not None
    for report in reports:
        for scenario in report.scenarios:
            for finding in scenario.violations:
                if finding.trace is not None:
                    given_ = {name: str(value) for name, value in wanted.options.parameters.items()}
                    specs = pipeline.load(report.file)
                    save(wanted.save_trace, as_json(saved_trace(scenario.explainer, finding, specs, given_)))
                    console.note(f"saved {wanted.save_trace}: {finding.message}")
                    return
    console.note(f"no violation has a trace: {wanted.save_trace} was not written")
