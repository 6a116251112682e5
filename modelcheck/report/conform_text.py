"""What `conform` tells: which logs conform, and where another one leaves the specification."""

from __future__ import annotations

from collections.abc import Iterator

from modelcheck.analysis.conformity import ConformReport, Ending, LogReport
from modelcheck.analysis.lock_sequences import Edge, OrderReport
from modelcheck.diagnostics import counted

MOST_LISTED = 12
"""How many statements, records or events are listed where there may be hundreds."""


def conform_text(report: ConformReport) -> str:
    """Return the text for the logs of a file."""
    lines: list[str] = []
    for each in report.logs:
        lines += _of_log(report, each)
    lines += _left_out(report)
    if report.logs and any(each.verdict == "conforms" for each in report.logs):
        lines += _coverage(report)
    if len(report.logs) > 1:
        verdicts = [each.verdict for each in report.logs]
        parts = (
            (verdicts.count("conforms"), "conform"),
            (verdicts.count("differs"), "do not"),
            (verdicts.count("undecided"), "undecided"),
        )
        told = ", ".join(f"{number} {what}" for number, what in parts if number)
        events = f"{sum(e.explained for e in report.logs)} of {sum(e.events for e in report.logs)}"
        lines.append(f"{counted(len(report.logs), 'log')}: {told}; {events} items explained")
    if report.left:
        lines.append(f"interrupted: {counted(report.left, 'log')} not compared")
    return "\n".join(lines)


def _of_log(report: ConformReport, each: LogReport) -> Iterator[str]:
    name = f"{report.file}: {each.log.name}" if each.log.name else report.file
    parameters = ", ".join(f"{key}={value}" for key, value in each.log.parameters.items())
    told = f" ({parameters})" if parameters else ""
    match each.verdict:
        case "conforms":
            yield f"{name}{told}: conforms: {counted(each.events, 'item')}, by a run of {each.steps} steps"
        case "undecided":
            yield f"{name}{told}: undecided: limit of {each.stopped}"
            yield f"  at most {each.explained} of {each.events} items were explained"
        case _:
            yield f"{name}{told}: does not conform: {each.explained} of {each.events} items are explained"
    if each.verdict != "conforms":
        yield from _where(report, each)


def _where(report: ConformReport, each: LogReport) -> Iterator[str]:
    for item in each.next_items:
        place = f"{report.file}:{item.line}"
        if item.event:
            yield f"  next in the log, at {place}: {item.thread}: {item.event}"
        else:
            yield f"  next in the log, at {place}: what {item.thread} saw"
    for number, ending in enumerate(each.endings, 1):
        yield from _ending(each, ending, number)
    if each.allowed:
        yield "  the specification could have done, after steps that the log does not show:"
        yield from (f"    {event}" for event in each.allowed[:MOST_LISTED])
        if len(each.allowed) > MOST_LISTED:
            yield f"    and {len(each.allowed) - MOST_LISTED} more"


def _ending(each: LogReport, ending: Ending, number: int) -> Iterator[str]:
    which = f" {number}" if len(each.endings) > 1 else ""
    for name, model, log in ending.wrong[:MOST_LISTED]:
        yield f"  state{which}: {name} is {model}, the log says {log}"
    if not ending.wrong and ending.values:
        values = ", ".join(f"{name}={value}" for name, value in ending.values[:MOST_LISTED])
        more = ", ..." if len(ending.values) > MOST_LISTED else ""
        yield f"  state{which}: {values}{more}"
    yield from (f"  state{which}: {thread} is at {doing}" for thread, doing in ending.doing)


def _left_out(report: ConformReport) -> Iterator[str]:
    unmapped: dict[str, int] = {}
    for each in report.logs:
        for text, times in each.log.unmapped.items():
            unmapped[text] = unmapped.get(text, 0) + times
    ignored = sum(each.log.ignored for each in report.logs)
    left_out = sum(each.log.left_out for each in report.logs)
    if left_out:
        yield f"{counted(left_out, 'row')} left out, in which several threads were active, or a value was in flux"
    if ignored:
        yield f"{counted(ignored, 'record')} ignored, as the mapping says"
    if unmapped:
        yield f"{counted(sum(unmapped.values()), 'record')} not mapped, and left out:"
        for text, times in list(unmapped.items())[:MOST_LISTED]:
            yield f"  {times} x {text[:100]}"


def _coverage(report: ConformReport) -> Iterator[str]:
    every = len(dict.fromkeys(each for log in report.logs for each in log.statements))
    yield f"{every - len(report.never)} of {every} statements of {report.specification} were taken; never taken:"
    yield from (f"  {place}: {text}" for place, text in report.never[:MOST_LISTED])
    if len(report.never) > MOST_LISTED:
        yield f"  and {len(report.never) - MOST_LISTED} more"
    if not report.never:
        yield "  none"


def order_text(specification: str, file: str, report: OrderReport) -> str:
    """Return the text of a comparison of lock sequences and lock order."""
    lines = [
        f"{file}: {counted(report.logs, 'log')}, {counted(report.events, 'event')}, against {specification}"
    ]
    if not report.mismatches:
        lines.append("  every sequence of locks is one of the specification's")
    for each, times in zip(report.mismatches, report.times, strict=True):
        lines.append(f"  no such sequence in the specification ({times} x, first at {file}:{each.line}):")
        lines.append(f"    {each.thread}: {' '.join(each.events)}")
        lines.append(f"    instead of the last: {', '.join(each.allowed) or 'nothing more'}")
    lines += _edges("lock order in both", report.edges)
    lines += _edges("lock order only in the log", report.only_log)
    lines += _edges("lock order only in the specification", report.only_model)
    return "\n".join(lines)


def _edges(what: str, edges: tuple[Edge, ...]) -> Iterator[str]:
    if edges:
        yield f"  {what}:"
        yield from (f"    {first} -> {second}" for first, second in edges)
