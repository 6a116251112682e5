"""Checking a model by the explorer and by z3: what z3 decides is what the explorer says."""

from __future__ import annotations

from modelcheck.pipeline import Options
from modelcheck.report.contents import ScenarioReport
from modelcheck.result.verdict import Proved, word
from tests.checking import checked


def verdicts(report: ScenarioReport) -> dict[str, str]:
    """Return the verdict on each check and property; what is proved holds."""
    outcomes = report.judgement.outcomes
    return {o.name: "holds" if isinstance(o.verdict, Proved) else word(o.verdict) for o in outcomes}


def agreed(text: str) -> set[str]:
    """Return the names of what is violated, after asking both engines."""
    explored, solved = verdicts(checked(text)), verdicts(checked(text, Options(engine="z3")))
    decided = {name: said for name, said in solved.items() if said not in ("bounded", "unknown")}
    assert decided
    assert decided == {name: explored[name] for name in decided}
    return {name for name, said in explored.items() if said == "violated"}
