"""The specifications of memory hotplug: each scenario is as it says, and nothing in a file is vacuous.

Scenarios of few states are looked at each time, the rest with the slow tests, by both engines that search.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

import modelcheck
from tests.agreement.test_specs import BY_ITSELF, lengths, verdicts
from tests.shipped import FEW, stated_states
from tests.transcript import ROOT

FILES = sorted((ROOT / "specs" / BY_ITSELF).glob("*.mck"))


def scenarios() -> list[ParameterSet]:
    cases = []
    for path in FILES:
        counted = stated_states(path)
        for name in modelcheck.scenarios(path):
            marks = () if counted.get(name, FEW + 1) <= FEW else (pytest.mark.slow,)
            cases.append(pytest.param(path, name, id=f"{path.stem} {name}", marks=marks))
    return cases


@pytest.mark.parametrize(("path", "scenario"), scenarios())
def test_a_scenario_is_as_it_says(path: Path, scenario: str) -> None:
    report = modelcheck.check(modelcheck.load(path, scenario=scenario), engine="reference")
    assert [(c.text, c.status) for c in report.checked if c.status != "met"] == []


@pytest.mark.slow
@pytest.mark.parametrize(("path", "scenario"), scenarios())
def test_the_compiled_search_says_the_same(path: Path, scenario: str) -> None:
    model = modelcheck.load(path, scenario=scenario)
    one = modelcheck.check(model, engine="reference")
    other = modelcheck.check(model, engine="native")
    assert verdicts(one) == verdicts(other)
    assert lengths(one) == lengths(other)
    assert one.statistics.states == other.statistics.states


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_in_a_file_is_vacuous(path: Path) -> None:
    assert [each.message for each in modelcheck.check_file(path).vacuous] == []
