"""Exact numbers of states and transitions: they are part of the definition (SEMANTICS A1).

benchmarks/counts.toml says for each where it comes from: a closed form, an enumeration by hand, SPIN; never from this
tool. `make bench` compares with SPIN again.
"""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

import modelcheck
from modelcheck.engine import reference
from modelcheck.engine.engine import Limits
from modelcheck.semantics.transition_system import transition_system
from tests.transcript import ROOT

LARGE = 15_000


def _counted() -> list[Any]:
    rows = tomllib.loads((ROOT / "benchmarks" / "counts.toml").read_text(encoding="utf-8"))["count"]
    cases = []
    for row in rows:
        chosen = row.get("scenario") or " ".join(f"{k}={v}" for k, v in row.get("parameters", {}).items())
        marks = [pytest.mark.slow] if row["states"] > LARGE else []
        cases.append(pytest.param(row, id=f"{row['file']} {chosen}".strip(), marks=marks))
    return cases


@pytest.mark.parametrize("row", _counted())
def test_a_model_has_exactly_the_states_and_transitions_that_were_derived(row: dict[str, Any]) -> None:
    model = modelcheck.load(ROOT / row["file"], scenario=row.get("scenario"), **row.get("parameters", {}))
    statistics = reference.explore(transition_system(model), (), Limits()).statistics
    assert (statistics.states, statistics.transitions) == (row["states"], row["transitions"])
    if "depth" in row:
        assert statistics.depth == row["depth"]
