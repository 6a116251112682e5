"""What `modelcheck locks --json` prints: the report's envelope, with the lock order under `locks`."""

from __future__ import annotations

from collections.abc import Mapping

from modelcheck.analysis.lock_order import Cycle, Edge, Order, Request, nesting
from modelcheck.analysis.order_records import RecordedOrder
from modelcheck.analysis.order_requests import ModelWords
from modelcheck.analysis.order_words import Words, described, described_writer
from modelcheck.analysis.trials import Trial, Trials
from modelcheck.report.contents import LocksReport
from modelcheck.report.json_report import (
    Json,
    checked_json,
    finding_json,
    run_json,
    statistics_json,
    timing_json,
    trace_json,
)


def locks_json(file: str, reports: list[LocksReport], code: int) -> str:
    """Return the lock order of every scenario of a file."""
    content: Json = {"file": file, "scenarios": [_scenario(each) for each in reports], "records": None}
    return run_json("locks", content, code)


def records_json(recorded: RecordedOrder, code: int) -> str:
    """Return the lock order of a file of records."""
    content: Json = {
        "rows": recorded.rows,
        "threads": list(recorded.words.threads),
        "held_before": recorded.before,
        "not_understood": recorded.unknown,
        **_order(recorded.order, recorded.words, recorded.times, {}),
    }
    return run_json("locks", {"file": recorded.file, "scenarios": [], "records": content}, code)


def _scenario(report: LocksReport) -> Json:
    scenario = report.scenario
    return {
        "model": scenario.model.name,
        "scenario": scenario.model.scenario.name,
        "parameters": dict(scenario.model.parameters),
        "exit_code": report.exit_code,
        "stopped": scenario.stopped,
        "statistics": statistics_json(scenario.statistics),
        "timing": timing_json(scenario.statistics),
        "findings": [finding_json(scenario.explainer, each) for each in scenario.findings],
        "expectations": [checked_json(each) for each in scenario.checked],
        **_order(scenario.judgement.order, ModelWords(scenario.explainer.interpreter), None, report.trials),
    }


def _order(
    order: Order,
    words: Words,
    times: Mapping[Request, int] | None,
    trials: Mapping[tuple[str, ...], Trials],
) -> Json:
    return {
        "edges": [_edge(words, each, times) for each in order.edges],
        "cycles": [_cycle(words, each, trials.get(each.classes, Trials(()))) for each in order.cycles],
        "read_again": [described(words, each) for each in order.recursive],
        "capped": order.capped,
    }


def _edge(words: Words, edge: Edge, times: Mapping[Request, int] | None) -> Json:
    request = edge.request
    return {
        "from": edge.held.lock,
        "to": request.wants[0],
        "thread": words.thread(request.thread),
        "op": words.op(request),
        "holds": {"lock": words.lock(edge.source), "mode": edge.held.mode, "taken_at": words.taken(edge)},
        "asks_for": {"lock": words.lock(request.wants), "mode": request.mode, "at": words.place(request)},
        "also_holds": [
            {"lock": words.lock((h.lock, h.index)), "mode": h.mode} for h in request.held if h != edge.held
        ],
        "nesting": nesting(edge),
        "times": None if times is None else times[request],
    }


def _cycle(words: Words, cycle: Cycle, tried: Trials) -> Json:
    way = cycle.shown
    return {
        "locks": list(cycle.classes),
        "verdict": cycle.verdict,
        "gates": list(cycle.gates),
        "each_gate_suffices": cycle.verdict == "gated" and cycle.is_gated_by_one,
        "holders": [
            {"lock": words.lock(gate), "thread": words.thread(request.thread), "mode": held.mode}
            for gate in sorted(way.gates)
            for request, held in way.holders(gate)
        ],
        "ways": len(cycle.ways),
        "threads": [words.thread(thread) for thread in way.threads],
        "edges": [
            *(described(words, edge) for edge in way.edges),
            *(described_writer(words, each) for each in way.writers),
        ],
        "trials": [_trial(each) for each in tried.trials],
        "not_tried": tried.left_out,
    }


def _trial(trial: Trial) -> Json:
    removal, finding = trial.removal, trial.finding
    result = "deadlock" if finding is not None else "no deadlock" if trial.is_decided else "undecided"
    trace = finding.trace if finding is not None else None
    return {
        "kind": removal.kind,
        "without": removal.what,
        "in": removal.where,
        "place": str(removal.span),
        "result": result,
        "stopped": trial.stopped,
        "certified": finding is not None and finding.certified,
        "trace": trace_json(trial.explainer, trace) if trace is not None else None,
    }
