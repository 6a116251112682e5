"""What `explore`, `simulate` and `replay` print with --json: the report's envelope, with one entry of their own."""

from __future__ import annotations

from modelcheck.analysis.finding import Finding
from modelcheck.analysis.replay import Replay
from modelcheck.analysis.waiting import Explainer
from modelcheck.engine.engine import Answers
from modelcheck.engine.simulation import Simulation
from modelcheck.language.model import Model
from modelcheck.report.json_report import (
    Json,
    finding_json,
    run_json,
    statistics_json,
    timing_json,
    trace_json,
)


def exploration_json(model: Model, answers: Answers, graph: str | None, code: int) -> str:
    """Return how large the state space is; `graph` is the file that the graph was written to."""
    content: Json = {
        **_model(model),
        "stopped": answers.stopped,
        "statistics": statistics_json(answers.statistics),
        "timing": timing_json(answers.statistics),
        "graph": graph,
    }
    return run_json("exploration", content, code)


def simulation_json(
    explainer: Explainer, simulation: Simulation, findings: tuple[Finding, ...], seed: int, code: int
) -> str:
    """Return what the runs came across; of a single run the run too."""
    runs = simulation.runs
    content: Json = {
        **_model(explainer.interpreter.system.model),
        "seed": seed,
        "runs": [{"number": r.number, "ending": r.ending, "steps": len(r.trace.steps)} for r in runs],
        "findings": [finding_json(explainer, each) for each in findings],
        "trace": trace_json(explainer, runs[0].trace) if len(runs) == 1 else None,
    }
    return run_json("simulation", content, code)


def replay_json(explainer: Explainer, replay: Replay, warnings: list[str], code: int) -> str:
    """Return how far the trace could be taken, and what its end shows."""
    content: Json = {
        **_model(explainer.interpreter.system.model),
        "problem": replay.problem,
        "warnings": warnings,
        "findings": [finding_json(explainer, each) for each in replay.findings],
        "trace": trace_json(explainer, replay.trace),
    }
    return run_json("replay", content, code)


def _model(model: Model) -> Json:
    return {
        "model": model.name,
        "scenario": model.scenario.name,
        "parameters": dict(model.parameters),
    }
