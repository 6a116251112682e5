"""What `modelcheck locks` prints: the lock order of a scenario, or of records, and what keeps its cycles apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelcheck.analysis.finding import Finding, listed
from modelcheck.analysis.lock_order import Cycle
from modelcheck.analysis.order_records import RecordedOrder
from modelcheck.analysis.order_requests import ModelWords
from modelcheck.analysis.trials import Trial, Trials
from modelcheck.diagnostics import counted
from modelcheck.report.contents import LocksReport
from modelcheck.report.order_text import cycle_lines, edge_lines, no_cycle_told, recursive_lines
from modelcheck.report.text import expectation_lines, finding_lines, headline, statistics_line
from modelcheck.report.trace_text import ending_lines, trace_lines

UNKNOWN_AT_MOST = 5
"""So many events of records that were not understood are named."""


def locks_text(file: str, report: LocksReport) -> str:
    """Return the report on one scenario."""
    scenario = report.scenario
    lines = [f"{file}: {headline(scenario)}", *_indented(_scenario_lines(report))]
    return "\n".join(lines).rstrip()


def records_text(recorded: RecordedOrder) -> str:
    """Return the report on a file of records."""
    order, words = recorded.order, recorded.words
    size = f"{counted(recorded.rows, 'row')} of {counted(len(words.threads), 'thread')}"
    lines = [f"{recorded.file}: {size}, {counted(sum(recorded.times.values()), 'acquisition')} seen"]
    lines += _indented(_not_understood(recorded))
    lines += ["", *_indented(edge_lines(order, words, recorded.times))]
    lines += _indented(_capped(capped=order.capped))
    for cycle in order.cycles:
        lines += ["", *_indented(cycle_lines(cycle, order, words))]
    if not order.cycles:
        lines += ["", f"  {no_cycle_told(order)}"]
    return "\n".join(lines)


def _not_understood(recorded: RecordedOrder) -> Iterator[str]:
    for name, times in recorded.before.items():
        rows = counted(times, "row")
        yield f"{name}: released in {rows} that had not got it: held from the start, in a mode that is not known"
    if recorded.unknown:
        shown = ", ".join(f"`{event}`" for event in list(recorded.unknown)[:UNKNOWN_AT_MOST])
        more = "" if len(recorded.unknown) <= UNKNOWN_AT_MOST else ", ..."
        yield f"{counted(sum(recorded.unknown.values()), 'event')} not understood and left out: {shown}{more}"


def _capped(*, capped: bool) -> Iterator[str]:
    if capped:
        yield "there are more cycles than were looked at: some may be missing below"


def _scenario_lines(report: LocksReport) -> Iterator[str]:
    scenario = report.scenario
    order, words = scenario.judgement.order, ModelWords(scenario.explainer.interpreter)
    yield statistics_line(scenario.statistics, scenario.stopped)
    yield ""
    yield from edge_lines(order, words)
    again = list(recursive_lines(order, words))
    yield from ["", *again] if again else []
    yield from _capped(capped=order.capped)
    for finding in scenario.violations:
        if not finding.is_cycle_reached:
            yield ""
            yield from finding_lines(scenario, finding)
    for cycle in order.cycles:
        yield ""
        yield from cycle_lines(cycle, order, words)
        yield from _why(report, cycle)
    if not order.cycles:
        yield ""
        yield no_cycle_told(order)
    yield ""
    yield from expectation_lines(scenario)


def _why(report: LocksReport, cycle: Cycle) -> Iterator[str]:
    """Yield the run that leads into a deadlock, or what keeps the cycle apart."""
    reached = next(
        (f for f in report.scenario.findings if f.is_cycle_reached and f.cause == cycle.classes), None
    )
    tried = report.trials.get(cycle.classes)
    if reached is not None and reached.trace is not None:
        yield ""
        yield "a shortest run into it:"
        yield from _run(report.scenario.explainer, reached)
    if cycle.verdict == "gated" and tried is not None:
        yield from _who_breaks_it(tried)
    if cycle.verdict == "kept apart" and not cycle.smaller and tried is not None:
        yield from _kept_apart_by(tried)


def _run(explainer: object, finding: Finding) -> Iterator[str]:
    from modelcheck.analysis.waiting import Explainer

    assert isinstance(explainer, Explainer)
    assert finding.trace is not None
    yield from (f"  {line}" for line in trace_lines(explainer, finding.trace))
    first, *others = ending_lines(explainer, finding)
    yield f"  {first}"
    yield from (f"    {line}" for line in others)


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {part}".rstrip() for line in lines for part in line.split("\n")]


# --- what was taken away -------------------------------------------------------------------------


def _who_breaks_it(tried: Trials) -> Iterator[str]:
    """Yield, for each gate and op, what happens if the op forgets it."""
    yield ""
    yield "who breaks it, by leaving out a gate (each run is one of the model without it):"
    for trial in tried.trials:
        removal = trial.removal
        yield f"  {removal.where} without {removal.what} ({removal.span}): {_came_of(trial)}"
        if trial.finding is not None:
            yield from (f"  {line}" for line in _run(trial.explainer, trial.finding))
    yield from _left_out(tried)


def _came_of(trial: Trial) -> str:
    if trial.finding is not None:
        assert trial.finding.trace is not None
        return f"a deadlock in {counted(len(trial.finding.trace.steps), 'step')}"
    if not trial.is_decided:
        return f"undecided, {_reason(trial)}"
    return "still no deadlock along this cycle"


def _reason(trial: Trial) -> str:
    return trial.stopped or "errors end some of its runs early"


def _kept_apart_by(tried: Trials) -> Iterator[str]:
    """Yield what alone keeps a cycle apart that no lock keeps apart, and the shortest run without one of these."""
    yield ""
    breaking = tried.breaking
    if breaking:
        yield "kept apart by what, taken away alone, makes it a deadlock:"
        yield from (f"  {told(trial)}: {_came_of(trial)}" for trial in breaking)
        shortest = min(breaking, key=_length)
        yield f"the run without {told(shortest)}:"
        assert shortest.finding is not None
        yield from _run(shortest.explainer, shortest.finding)
    elif tried.is_decided:
        yield "no single await, condition or lock keeps it apart: taken away one at a time, none makes it a deadlock"
    unsure = [told(trial) for trial in tried.trials if not trial.is_decided]
    if unsure:
        yield f"undecided of {listed(unsure)}: a limit was hit, or errors end some runs early"
    yield from _left_out(tried)


def _left_out(tried: Trials) -> Iterator[str]:
    if tried.left_out:
        yield f"a limit was hit: {counted(tried.left_out, 'thing')} not taken away"


def _length(trial: Trial) -> int:
    assert trial.finding is not None
    assert trial.finding.trace is not None
    return len(trial.finding.trace.steps)


def told(trial: Trial) -> str:
    """Return what was taken away, for a reader."""
    removal = trial.removal
    if removal.kind == "lock":
        return f"{removal.what}, which {removal.where} takes ({removal.span})"
    return f"`{removal.what}` in {removal.where} ({removal.span})"
