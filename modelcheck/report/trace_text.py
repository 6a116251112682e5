"""A trace as text: a line a step, only what changed, and what the last state means (DESIGN 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelcheck.analysis.awaited import SLEEPS
from modelcheck.analysis.finding import Finding, listed
from modelcheck.analysis.waiting import Explainer, Hold, Situation, Wait
from modelcheck.language.model import Location, Thread
from modelcheck.report.steps import Row, rows, statement, values
from modelcheck.result.trace import Trace
from modelcheck.semantics.transition_system import INIT

_HEADS = ("step", "thread", "place", "statement", "what changed")


def trace_lines(explainer: Explainer, trace: Trace) -> Iterator[str]:
    """Yield the steps as a table."""
    yield from _started(explainer, trace)
    shown = [_cells(row) for row in _joined(rows(explainer, trace))]
    if not shown:
        yield "in the initial state"
        return
    table = [_HEADS, *(cells for cells, _ in shown)]
    widths = [max(len(cells[column]) for cells in table) for column in range(4)]
    yield _line(_HEADS, widths)
    for cells, below in shown:
        yield _line(cells, widths)
        yield from (" " * (sum(widths[:3]) + 6) + each for each in below)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    number = cells[0].rjust(widths[0])
    others = (cell.ljust(width) for cell, width in zip(cells[1:4], widths[1:], strict=True))
    return "  ".join((number, *others, cells[4])).rstrip()


def _started(explainer: Explainer, trace: Trace) -> Iterator[str]:
    """Say what `init` chose, if there is one that chooses."""
    system = explainer.interpreter.system
    if system.model.initial:
        declared, first = values(explainer, system.declared), values(explainer, trace.initial)
        changed = [f"{name}={value}" for name, value in first.items() if declared[name] != value]
        if changed:
            yield f"init: {', '.join(changed)}"


def _cells(row: Row) -> tuple[tuple[str, ...], list[str]]:
    """Return the columns of a row, and what stands below it."""
    what = f"{row.op}: {row.text}" if row.op else row.text
    if row.left_by is not None:
        what += f"  (left at line {row.left_by.line})"
    changes = ", ".join(filter(None, (*row.locks, *row.changes, row.waits)))
    below = ["^ here"] if row.breach else []
    return (row.steps, row.thread, str(row.span), what, changes), below


def _joined(all_rows: tuple[Row, ...]) -> Iterator[Row]:
    """Show the two steps of a write lock as one where the writer did not have to wait in between (SEMANTICS A9)."""
    waiting = list(all_rows)
    while waiting:
        row = waiting.pop(0)
        if row.announces and waiting and waiting[0].thread == row.thread and waiting[0].span == row.span:
            row = row.joined_with(waiting.pop(0))
        yield row


# --- the last state ------------------------------------------------------------------------------


def ending_lines(explainer: Explainer, finding: Finding) -> Iterator[str]:
    """Yield what the last state of a finding's trace means."""
    trace = finding.trace
    assert trace is not None
    if trace.steps and trace.steps[0].location == INIT:
        yield "before the first step"
        return
    yield _headline(trace, finding)
    lost = finding.members if finding.check == "stuck" else ()
    yield from situation_lines(explainer, explainer.situation(trace, finding.members), lost)


def situation_lines(explainer: Explainer, situation: Situation, lost: tuple[int, ...] = ()) -> Iterator[str]:
    """Yield who holds what, who waits for whom, who could go on, who has finished; `lost` wait in vain."""
    threads = explainer.interpreter.system.model.threads
    yield from _holds(threads, situation.holds)
    for wait in _in_order(situation):
        if wait.thread in situation.ring or not _is_idle(threads[wait.thread], wait.location):
            never = ", but never does" if wait.helps and wait.thread in lost else ""
            yield _waits(threads, situation, wait) + never
    for number, location in situation.standing:
        if not _is_idle(threads[number], location):
            yield f"{threads[number].name} is at {location.span}: {statement(location)}"
    if situation.finished:
        yield f"{listed([threads[t].name for t in situation.finished])} {_has(situation.finished)} finished"


def _is_idle(thread: Thread, location: Location) -> bool:
    """Of a handler that waits for an interrupt nothing need be said."""
    return location.number in thread.idle


def _headline(trace: Trace, finding: Finding) -> str:
    count = len(trace.steps)
    lost = f", unavoidable since step {finding.lost_since}" if _lost_earlier(trace, finding) else ""
    return f"after {count} step{'s' * (count != 1)}{lost}:"


def _lost_earlier(trace: Trace, finding: Finding) -> bool:
    return finding.lost_since is not None and finding.lost_since < len(trace.steps)


def _has(threads: tuple[int, ...]) -> str:
    return "has" if len(threads) == 1 else "have"


def _holds(threads: tuple[Thread, ...], holds: Iterable[Hold]) -> Iterator[str]:
    for hold in holds:
        what = "has announced itself for" if hold.bars else "holds"
        since = f"since step {hold.step}, {hold.span}" if hold.step else "from the start"
        yield f"{threads[hold.thread].name} {what} {hold.shown}, {since}"


def _in_order(situation: Situation) -> Iterator[Wait]:
    """The ring first, from the thread that was last to enter it; then the others."""
    waits = {wait.thread: wait for wait in situation.waits}
    yield from (waits[t] for t in situation.ring if t in waits)
    yield from (wait for thread, wait in waits.items() if thread not in situation.ring)


def _waits(threads: tuple[Thread, ...], situation: Situation, wait: Wait) -> str:
    name, place = threads[wait.thread].name, wait.location.span
    handlers = listed([threads[t].name for t in wait.interrupted_by])
    if wait.only_interrupted:
        return f"{name} is interrupted by {handlers} at {place}"
    name += f", interrupted by {handlers}," if handlers else ""
    if _is_idle(threads[wait.thread], wait.location):
        handler = threads[wait.thread].handler
        assert handler is not None
        nobody = " and ".join(threads[t].name for t in handler.interrupts)
        return f"{name} cannot begin: it can interrupt only {nobody}"
    if wait.resting:
        return f"{name} rests at {place}: {statement(wait.location)}"
    what = f"waits for {wait.shown}" if wait.shown else wait.phrase
    until = ", unless it gives up" if wait.timed else ""
    return f"{name} {what} at {place}{_for_whom(threads, situation, wait)}{until}"


def _for_whom(threads: tuple[Thread, ...], situation: Situation, wait: Wait) -> str:
    names = [threads[t].name for t in wait.for_threads if t not in situation.finished]
    if not names and wait.for_threads:
        kept = listed([threads[t].name for t in wait.for_threads])
        return f": {kept} kept it and {_has(wait.for_threads)} finished"
    end = "wake it" if wait.phrase.startswith(SLEEPS) else "end the wait"
    if not names:
        return f": nobody is left to {end}"
    if wait.any_of:
        return f": only {_by_what(threads, wait, end)}"
    holders = {h.thread: h for h in situation.holds if h.lock == wait.lock}
    if wait.phrase.startswith("waits for the end"):
        return ""
    parts = [_holder(threads[t].name, holders.get(t)) for t in wait.for_threads]
    return f": {listed(parts)}" + (f"; or {_by_what(threads, wait, end)}" if wait.helps else "")


def _by_what(threads: tuple[Thread, ...], wait: Wait, end: str) -> str:
    """Say who can still end a wait, and by which statement."""
    by: dict[int, list[str]] = {t: [] for t in ([h.thread for h in wait.helps] or wait.for_threads)}
    for each in wait.helps:
        by[each.thread].append(f"{statement(each.location)} at {each.location.span}")
    if len(by) == 1:
        ((thread, ways),) = by.items()
        return f"{threads[thread].name} can still {end}" + (f", by {' or '.join(ways)}" if ways else "")
    parts = [threads[t].name + (f" ({' or '.join(ways)})" if ways else "") for t, ways in by.items()]
    return f"{listed(parts)} can still {end}"


def _holder(name: str, hold: Hold | None) -> str:
    if hold is None:
        return f"{name} is in the way"
    return f"{name} {'has announced itself' if hold.bars else 'holds it'} ({hold.span})"
