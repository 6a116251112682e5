"""The engines agree on every specification that ships: same verdicts, same lengths of traces, same expectations."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

import modelcheck
from modelcheck.report.contents import ScenarioReport
from modelcheck.result.verdict import Proved, word
from tests.transcript import ROOT

QUICK = {"design_example"}

BY_ITSELF = "memory_hotplug"
"""A folder of specifications that z3 would need days for: tests/test_memory_hotplug.py has two engines look at them."""

BY_ITSELF = "memory_hotplug"
"""A folder of specifications that z3 would need days for: tests/test_memory_hotplug.py has two engines look at them."""


def scenarios() -> list[ParameterSet]:
    cases = []
    for path in sorted((ROOT / "specs").rglob("*.mck")):
        if path.parent.name == BY_ITSELF:
            continue
        for name in modelcheck.scenarios(path) or (None,):
            quick = path.stem in QUICK or path.parent.name in ("gallery", "lessons")
            marks = () if quick else (pytest.mark.slow,)
            cases.append(pytest.param(path, name, id=f"{path.stem} {name}", marks=marks))
    return cases


def verdicts(report: ScenarioReport) -> dict[str, str]:
    """Return the verdict on each check and property; what is proved holds."""
    outcomes = report.judgement.outcomes
    return {o.name: "holds" if isinstance(o.verdict, Proved) else word(o.verdict) for o in outcomes}


def lengths(report: ScenarioReport) -> dict[str, int]:
    """Return the length of the shortest trace of each check and property that is violated."""
    found: dict[str, int] = {}
    for finding in report.violations:
        if finding.trace is not None:
            known = found.get(finding.name, len(finding.trace.steps))
            found[finding.name] = min(known, len(finding.trace.steps))
    return found


@pytest.mark.parametrize(("path", "scenario"), scenarios())
def test_z3_and_the_explorer_say_the_same_of_a_specification(path: Path, scenario: str | None) -> None:
    model = modelcheck.load(path, scenario=scenario)
    explored = modelcheck.check(model, engine="reference")
    solved = modelcheck.check(model, engine="z3")
    assert ["met"] * len(explored.checked) == [c.status for c in explored.checked]
    decided = {name: said for name, said in verdicts(solved).items() if said not in ("bounded", "unknown")}
    assert decided == {name: verdicts(explored)[name] for name in decided}
    assert lengths(solved).items() <= lengths(explored).items()
    assert [c.status for c in solved.checked] == [
        c.status for c in explored.checked
    ] or "unknown" in verdicts(solved).values()
