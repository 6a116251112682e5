"""The report as one JSON document; its schema is docs/reference/report.schema.json.

`version` rises when a reader of the old form would be misled. Times and memory differ from run to run: they stand
under `timing`, which `--reproducible` leaves out (SEMANTICS C17).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, assert_never

from modelcheck import __version__
from modelcheck.analysis.expectations import Checked
from modelcheck.analysis.finding import Finding, Outcome
from modelcheck.analysis.guards import Guards, Note
from modelcheck.analysis.lock_order import Edge
from modelcheck.analysis.order_requests import ModelWords, lines_taken
from modelcheck.analysis.order_words import described
from modelcheck.analysis.vacuity import Point
from modelcheck.analysis.waiting import Explainer, Situation
from modelcheck.diagnostics import Diagnostic
from modelcheck.language.model import Location
from modelcheck.report.contents import FileReport, ScenarioReport, gravest
from modelcheck.report.steps import rows, statement, values
from modelcheck.result.trace import ClosedSet, Exhausted, Trace, Witnesses
from modelcheck.result.verdict import (
    Bounded,
    Failed,
    Holds,
    Proved,
    Statistics,
    Unknown,
    Verdict,
    Violated,
    word,
)
from modelcheck.semantics.transition_system import INIT
from modelcheck.source import Span

VERSION = 1

Json = dict[str, Any]


def report_json(reports: Iterable[FileReport], *, reproducible: bool = False) -> str:
    """Return the document about several files."""
    return _text(report_document(tuple(reports), reproducible=reproducible))


def error_json(diagnostics: Iterable[Diagnostic], code: int, message: str = "") -> str:
    """Return the document for a run that came to nothing: what is wrong with the command line, or with us."""
    document = _document((), code)
    document["diagnostics"] = [diagnostic_json(each) for each in diagnostics]
    if message:
        document["error"] = message
    return _text(document)


def report_document(reports: tuple[FileReport, ...], *, reproducible: bool = False) -> Json:
    """Return the document as Python values."""
    return _document(
        [_file(report, reproducible=reproducible) for report in reports],
        gravest([r.exit_code for r in reports]),
    )


def run_json(kind: str, content: Json, code: int) -> str:
    """Return the document of a command that checks no file: its content stands under its kind."""
    return _text({**_document((), code), kind: content})


def _document(files: Iterable[Json], code: int) -> Json:
    return {
        "schema": "modelcheck-report",
        "version": VERSION,
        "tool": {"name": "modelcheck", "version": __version__},
        "exit_code": code,
        "files": list(files),
        "diagnostics": [],
    }


def _text(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _file(report: FileReport, *, reproducible: bool) -> Json:
    return {
        "file": report.file,
        "exit_code": report.exit_code,
        "interrupted": report.interrupted,
        "diagnostics": [diagnostic_json(each) for each in report.diagnostics],
        "scenarios": [scenario_document(each, reproducible=reproducible) for each in report.scenarios],
        "vacuity": [
            {**_point(each.point), "within": [_point(point) for point in each.within]}
            for each in report.vacuous
        ],
        "notes": [_note(each) for each in report.notes],
    }


def _note(note: Note) -> Json:
    return {"message": note.message, "place": place_json(note.span)}


def _guards(each: Guards) -> Json:
    """Return the lock sets seen at the reads and the writes of a variable, each with its places."""
    uses = {"writes": True, "reads": False}
    return {
        "variable": each.name,
        "place": place_json(each.span),
        **{
            kind: [
                {"locks": list(use.locks), "places": [place_json(span) for span in use.places]}
                for use in each.uses
                if use.writes == writes
            ]
            for kind, writes in uses.items()
        },
    }


def _point(point: Point) -> Json:
    return {"kind": point.kind, "message": point.message, "place": place_json(point.span)}


def diagnostic_json(diagnostic: Diagnostic) -> Json:
    """Return a diagnostic: its code, place, message and hint."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "place": place_json(diagnostic.span),
    }


def scenario_document(report: ScenarioReport, *, reproducible: bool = False) -> Json:
    """Return one scenario as Python values."""
    statistics = report.statistics
    document: Json = {
        "model": report.model.name,
        "description": report.model.description,
        "scenario": report.model.scenario.name,
        "parameters": dict(report.model.parameters),
        "overridden": list(report.model.overridden),
        "engine": report.engine,
        "exit_code": report.exit_code,
        "stopped": report.stopped,
        "statistics": statistics_json(statistics),
        "verdicts": [_outcome(report.explainer, each) for each in report.judgement.outcomes],
        "findings": [finding_json(report.explainer, each) for each in report.findings],
        "lock_order": _order(report),
        "guards": [_guards(each) for each in report.judgement.guards],
        "notes": [_note(each) for each in report.judgement.notes],
        "expectations": [checked_json(each) for each in report.checked],
        "warnings": list(report.model.warnings),
    }
    if not reproducible:
        document["timing"] = timing_json(statistics)
    return document


def statistics_json(statistics: Statistics) -> Json:
    """Return how large a search was."""
    return {
        "states": statistics.states,
        "transitions": statistics.transitions,
        "depth": statistics.depth,
        "queries": len(statistics.queries),
        "engine": statistics.engine,
        "fallback": statistics.fallback or None,
    }


def timing_json(statistics: Statistics) -> Json:
    """Return what differs from run to run."""
    return {
        "seconds": round(statistics.seconds, 6),
        "states_per_second": round(statistics.states_per_second, 1),
        "bytes_per_state": round(statistics.bytes_per_state, 1),
        "peak_memory": statistics.peak_memory,
        "workers": statistics.workers,
    }


def place_json(span: Span) -> Json | None:
    """Return a place in a text; None for what is in none."""
    if not span.source.text and not span.end:
        return {"file": span.source.name, "line": 0, "column": 0} if span.source.name[:1] != "<" else None
    return {"file": span.source.name, "line": span.line, "column": span.column}


def checked_json(checked: Checked) -> Json:
    """Return an expectation and what became of it."""
    return {
        "expectation": checked.text,
        "status": checked.status,
        "why": checked.why,
        "place": place_json(checked.span),
    }


# --- verdicts and findings -----------------------------------------------------------------------


def _outcome(explainer: Explainer, outcome: Outcome) -> Json:
    return {"kind": outcome.kind, "name": outcome.name, **_verdict(explainer, outcome.verdict)}


def _verdict(explainer: Explainer, verdict: Verdict) -> Json:
    """Return the verdict in words, what it rests on, and its trace if it has one."""
    document: Json = {"verdict": word(verdict)}
    match verdict:
        case Holds(trace):
            document |= {"trace": trace_json(explainer, trace)} if trace else {}
        case Violated(evidence):
            document |= _evidence(explainer, evidence)
        case Proved(method, scope):
            document |= {"method": method, "scope": scope}
        case Bounded(depth):
            document |= {"bound": depth}
        case Unknown(reason):
            document |= {"reason": reason}
        case Failed(reason, trace):
            document |= {"reason": reason, "trace": trace_json(explainer, trace)}
        case _:
            assert_never(verdict)
    return document


def _evidence(explainer: Explainer, evidence: Trace | ClosedSet | Witnesses | Exhausted) -> Json:
    match evidence:
        case Trace():
            return {"evidence": "trace", "trace": trace_json(explainer, evidence)}
        case ClosedSet(trace, states):
            return {
                "evidence": "closed set",
                "closed_states": len(states),
                "trace": trace_json(explainer, trace),
            }
        case Witnesses(traces):
            return {"evidence": "witnesses", "traces": [trace_json(explainer, each) for each in traces]}
        case Exhausted(states, transitions):
            return {"evidence": "exhausted", "searched": {"states": states, "transitions": transitions}}
        case _:
            assert_never(evidence)


def finding_json(explainer: Explainer, finding: Finding) -> Json:
    """Return a finding with its evidence and what the last state of its trace means."""
    threads = explainer.interpreter.system.model.threads
    document: Json = {
        "check": finding.check,
        "name": finding.name,
        "code": finding.code,
        "severity": finding.weight,
        "message": finding.message,
        "cause": list(finding.cause),
        "states": finding.states,
        "threads": [threads[t].name for t in finding.members],
        "ring": [threads[t].name for t in finding.ring],
        "place": place_json(finding.span),
        "lost_since": finding.lost_since,
        "details": list(finding.details),
        "certified": finding.certified,
        "consequences": list(finding.consequences),
    }
    if finding.evidence is not None:
        document |= _evidence(explainer, finding.evidence)
    if finding.trace is not None and not any(step.location == INIT for step in finding.trace.steps):
        document["ending"] = _situation(explainer, explainer.situation(finding.trace, finding.members))
    return document


def trace_json(explainer: Explainer, trace: Trace) -> Json:
    """Return a trace: its initial values and its steps, each with what it changed."""
    return {
        "length": len(trace.steps),
        "switches": trace.switches,
        "shortest": trace.shortest,
        "initial": values(explainer, trace.initial),
        "steps": [
            {
                "number": row.number,
                "thread": row.thread,
                "place": place_json(row.span),
                "op": row.op,
                "statement": row.text,
                "choices": list(row.choices),
                "locks": list(row.locks),
                "changes": list(row.changes),
                "waits": row.waits,
                "breach": row.breach,
                "left_by": place_json(row.left_by) if row.left_by else None,
            }
            for row in rows(explainer, trace)
        ],
    }


def _situation(explainer: Explainer, situation: Situation) -> Json:
    threads = explainer.interpreter.system.model.threads
    return {
        "holds": [
            {
                "thread": threads[h.thread].name,
                "lock": h.lock,
                "mode": h.mode,
                "announced": h.bars,
                "since_step": h.step,
                "place": place_json(h.span),
            }
            for h in situation.holds
        ],
        "waits": [
            {
                "thread": threads[w.thread].name,
                "place": place_json(w.location.span),
                "statement": statement(w.location),
                "lock": w.lock,
                "mode": w.mode,
                "for": [threads[t].name for t in w.for_threads],
                "any_of": w.any_of,
                "what": w.phrase,
                "timed": w.timed,
                "by": [_help(threads[h.thread].name, h.location) for h in w.helps],
                "resting": w.resting,
                "interrupted_by": [threads[t].name for t in w.interrupted_by],
            }
            for w in situation.waits
        ],
        "ring": [threads[t].name for t in situation.ring],
        "finished": [threads[t].name for t in situation.finished],
    }


def _help(thread: str, location: Location) -> Json:
    return {"thread": thread, "statement": statement(location), "place": place_json(location.span)}


# --- lock order ----------------------------------------------------------------------------------


def _order(report: ScenarioReport) -> Json:
    order, interpreter = report.judgement.order, report.explainer.interpreter
    return {
        "edges": [_edge(report, edge) for edge in order.edges],
        "cycles": [
            {
                "locks": list(cycle.classes),
                "verdict": cycle.verdict,
                "gates": list(cycle.gates),
                "ways": len(cycle.ways),
                "edges": [described(ModelWords(interpreter), edge) for edge in cycle.shown.edges],
            }
            for cycle in order.cycles
        ],
    }


def _edge(report: ScenarioReport, edge: Edge) -> Json:
    interpreter = report.explainer.interpreter
    assert isinstance(edge.request.place, Location)
    return {
        "thread": interpreter.system.model.threads[edge.request.thread].name,
        "holds": {"lock": edge.held.lock, "index": list(edge.held.index), "mode": edge.held.mode},
        "taken_at": [place_json(span) for span in lines_taken(interpreter, edge)],
        "asks_for": {
            "lock": edge.request.wants[0],
            "index": list(edge.request.wants[1]),
            "mode": edge.request.mode,
        },
        "place": place_json(edge.request.place.span),
        "also_holds": [
            {"lock": h.lock, "index": list(h.index), "mode": h.mode}
            for h in edge.request.held
            if h != edge.held
        ],
    }
