"""What a person reads: a line a scenario, then what was found with its trace, then what was expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelcheck.analysis.expectations import Checked, told_reasons
from modelcheck.analysis.finding import Finding, Outcome, listed
from modelcheck.analysis.guards import told
from modelcheck.diagnostics import CODES, counted
from modelcheck.language.model import Model
from modelcheck.report.contents import FileReport, ScenarioReport
from modelcheck.report.trace_text import ending_lines, trace_lines
from modelcheck.result.trace import ClosedSet, Exhausted, Witnesses
from modelcheck.result.verdict import Bounded, Failed, Holds, Proved, Statistics, Unknown, Violated, word

FINDINGS_OF_A_CHECK = 5
"""SEMANTICS H20: more findings of one check are counted, not shown, unless `--max-findings` says otherwise."""

VACUOUS = 10
"""Likewise for what never happens in a file."""


def file_text(
    report: FileReport, *, quiet: bool = False, verbose: bool = False, most: int = FINDINGS_OF_A_CHECK
) -> str:
    """Return the report on a file, with so many findings of each check; if verbose, with the guards seen.

    Warnings about the text are the same in every scenario, and told once.
    """
    warnings = dict.fromkeys(warning for scenario in report.scenarios for warning in scenario.model.warnings)
    lines = [] if quiet else [*warnings, *([""] if warnings else [])]
    for scenario in report.scenarios:
        lines += [f"{report.file}: {headline(scenario)}"]
        if not quiet:
            lines += [*_indented(scenario_lines(scenario, most, verbose=verbose)), ""]
    lines += () if quiet else (f"{note.span}: note: {note.message}" for note in report.notes)
    vacuous = list(vacuity_lines(report))
    lines += vacuous[:1] if quiet and report.strict else [] if quiet else vacuous
    return "\n".join(lines).rstrip("\n")


def vacuity_lines(report: FileReport) -> Iterator[str]:
    """Yield what no scenario of the file does."""
    things = report.vacuous
    if things:
        where = "in any scenario" if len(report.scenarios) > 1 else "here"
        what = f"{counted(len(things), 'thing')} never happen{'s' * (len(things) == 1)} {where}"
        yield f"{report.file}: warning MC111 vacuity: {what}"
        yield from (f"  {each.point.span}: {each.message}" for each in things[:VACUOUS])
        if len(things) > VACUOUS:
            yield f"  and {len(things) - VACUOUS} more (--json has all)"


def scenario_text(report: ScenarioReport) -> str:
    """Return the report on one scenario."""
    return "\n".join((*report.model.warnings, headline(report), *_indented(scenario_lines(report))))


def scenario_lines(
    report: ScenarioReport, most: int = FINDINGS_OF_A_CHECK, *, verbose: bool = False
) -> Iterator[str]:
    """Yield all that is said about a scenario below its first line, with so many findings of each check."""
    mattered = report.stopped in report.undecided.values()
    yield statistics_line(report.statistics, report.stopped if mattered else "")
    if mattered and report.statistics.states and report.stopped.startswith("limit of"):
        yield f"what makes it so many states: {_profiling(report.model)}"
    shown: list[Finding] = []
    for finding in _shown(report.findings, most):
        yield ""
        yield from finding_lines(report, finding, shown)
        shown.append(finding)
    yield from _not_shown(report.findings, most)
    yield ""
    yield from _verdicts(report.judgement.outcomes)
    yield from expectation_lines(report)
    yield from (f"note: {note.message}" for note in report.judgement.notes)
    if verbose and report.judgement.guards:
        yield from ("", "locks held at the accesses of each variable, by lines:")
        yield from (f"  `{each.name}` is {told(each.uses)}" for each in report.judgement.guards)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {part}".rstrip() for line in lines for part in line.split("\n"))


# --- the first line ------------------------------------------------------------------------------


def headline(report: ScenarioReport) -> str:
    """Return which scenario it is, or which parameters, and in a word what came of it."""
    which = scenario_shown(report.model) if report.model.scenario.name else model_shown(report.model)
    return f"{which}: {_in_a_word(report)}"


def model_shown(model: Model) -> str:
    """Return the model's name and its scenario; without a scenario all its parameters."""
    if model.scenario.name:
        return f"{model.name}: {scenario_shown(model)}"
    return f"{model.name}{_in_brackets(model.parameters)}"


def scenario_shown(model: Model) -> str:
    """Return the scenario's name, and the parameters that were set from outside."""
    given = tuple((name, value) for name, value in model.parameters if name in model.given)
    return f"scenario {model.scenario.name}{_in_brackets(given)}"


def _in_brackets(parameters: tuple[tuple[str, str], ...]) -> str:
    return f" ({', '.join(f'{name}={value}' for name, value in parameters)})" if parameters else ""


def _in_a_word(report: ScenarioReport) -> str:
    names = list(dict.fromkeys(f.check if f.name == f.check else f.name for f in report.violations))
    told = f"violated: {listed(names)}" if names else ""
    if not told and report.exit_code == 1 and report.strict and (report.warnings or report.model.warnings):
        kinds = [*(f.check for f in report.warnings), *("the text" for _ in report.model.warnings)]
        told = f"warnings: {listed(list(dict.fromkeys(kinds)))}"
    behind = f" ({told})" if told else ""
    match report.exit_code:
        case 0 if report.model.scenario.name:
            return f"as expected{behind}"
        case 1 if report.model.scenario.name:
            return f"NOT as expected{behind}"
        case 0:
            return "holds"
        case 1:
            return told or "not as expected"
        case 2:
            return "error: a property is undefined"
        case _:
            return f"undecided: {told_reasons(report.undecided)}"


def _profiling(model: Model) -> str:
    """Return the command that shows where the states come from."""
    given = (f"-p {name}={value}" for name, value in model.parameters if name in model.given)
    scenario = [f"--scenario {model.scenario.name}"] if model.scenario.name else []
    return " ".join(["modelcheck profile", model.file, *scenario, *given])


def statistics_line(statistics: Statistics, stopped: str) -> str:
    """Return how large the search was."""
    size = [
        counted(statistics.states, "state"),
        counted(statistics.transitions, "transition"),
        f"depth {statistics.depth}",
    ]
    if statistics.queries and not statistics.states:
        size = [f"{statistics.depth} steps ahead"]
    if statistics.queries:
        size.append(counted(len(statistics.queries), "question") + " to z3")
    if statistics.engine == "native":
        size.append("native engine")
    told = ", ".join([*size, f"{statistics.seconds:.2f} s"]) + (f"; stopped: {stopped}" if stopped else "")
    if statistics.fallback:
        told += f"\nby the reference engine, not the native one: {statistics.fallback}"
    return told


# --- findings ------------------------------------------------------------------------------------


def _shown(findings: tuple[Finding, ...], most: int) -> Iterator[Finding]:
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.check] = counts.get(finding.check, 0) + 1
        if counts[finding.check] <= most:
            yield finding


def _not_shown(findings: tuple[Finding, ...], most: int) -> Iterator[str]:
    for check in dict.fromkeys(f.check for f in findings):
        more = sum(f.check == check for f in findings) - most
        if more > 0:
            yield f"and {more} more of {check} with other causes (--max-findings shows them, --json has all)"


def finding_lines(report: ScenarioReport, finding: Finding, above: Sequence[Finding] = ()) -> Iterator[str]:
    """Yield one finding: what it is, its trace unless it stands above, and what its last state means."""
    title = CODES[finding.code].title
    name = f" `{finding.name}`" if finding.name != finding.check else ""
    many = f" (in {finding.states} states)" if finding.states > 1 else ""
    yield f"{finding.weight} {finding.code} {title}{name}: {finding.message}{many}"
    if not isinstance(finding.evidence, Witnesses):
        yield from (f"  {line}" for line in finding.details)
    told_elsewhere = finding.is_cycle_reached and any(f.check == "circular_wait" for f in report.findings)
    if finding.trace is not None and not told_elsewhere:
        before = next((f for f in above if same_run(f, finding)), None)
        if before is None:
            yield from (f"  {line}" for line in trace_lines(report.explainer, finding.trace))
        else:
            yield "  same run as above"
        ending = list(_ending(report, finding))
        yield from ending if before is None or ending != list(_ending(report, before)) else ()
    match finding.evidence:
        case Exhausted(states):
            yield f"  every reachable state was looked at: {counted(states, 'state')}"
        case Witnesses(traces):
            for trace, shown in zip(traces, finding.details, strict=True):
                yield f"  a shortest run after which {shown}:"
                yield from (f"    {line}" for line in trace_lines(report.explainer, trace))
        case ClosedSet(_, states):
            yield f"  {counted(len(states), 'state')} can follow, and it is so in all of them"
        case _:
            pass


def same_run(one: Finding, other: Finding) -> bool:
    """Tell whether two findings are shown by the same steps; a trace that is told elsewhere was not shown."""
    if one.trace is None or other.trace is None or one.is_cycle_reached:
        return False
    return (one.trace.initial, one.trace.steps) == (other.trace.initial, other.trace.steps)


def _ending(report: ScenarioReport, finding: Finding) -> Iterator[str]:
    first, *others = ending_lines(report.explainer, finding)
    yield f"  {first}"
    yield from (f"    {line}" for line in others)


# --- verdicts and expectations -------------------------------------------------------------------


def _verdicts(outcomes: tuple[Outcome, ...]) -> Iterator[str]:
    """Yield a line for each property; what holds, or is unknown for the same reason, shares a line with its kind."""
    holding: list[str] = []
    unknown: dict[tuple[str, str], list[str]] = {}
    apart: list[Outcome] = []
    for outcome in outcomes:
        match outcome.verdict:
            case Holds() if outcome.kind == "check":
                holding.append(outcome.name)
            case Unknown(reason) if not outcome.unclaimed:
                unknown.setdefault((outcome.kind, reason), []).append(outcome.name)
            case _:
                apart.append(outcome)
    if holding:
        yield f"holds: {', '.join(holding)}"
    yield from (
        f"unknown: {'' if kind == 'check' else f'{kind} '}{', '.join(names)} ({reason})"
        for (kind, reason), names in unknown.items()
    )
    yield from (f"{outcome.kind} {outcome.name}: {_verdict(outcome)}" for outcome in apart)


def _verdict(outcome: Outcome) -> str:
    match outcome.verdict:
        case Holds(trace) if trace is not None:
            return f"holds, reached in {counted(len(trace.steps), 'step')}"
        case Holds() | Violated():
            return word(outcome.verdict)
        case Proved(method, scope):
            return f"proved by {method}{f', for {scope}' if scope else ''}"
        case Bounded(depth):
            return f"not violated within {counted(depth, 'step')}; nothing is known beyond"
        case Unknown(reason):
            return f"unknown: {reason}"
        case Failed(reason):
            return f"error: {reason}"


def expectation_lines(report: ScenarioReport) -> Iterator[str]:
    """Yield what became of each expectation."""
    yield from map(_expectation, report.checked)


def _expectation(checked: Checked) -> str:
    why = f" ({checked.why})" if checked.why else ""
    return f"{checked.text}: {checked.status}{why}"
