"""The Python interface: what README.md and the examples use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import modelcheck
from tests.transcript import ROOT

TEXT = """
model counted;
param N: 1..3 = 2;
var x: 0..3 marked;
invariant low: x < 3;
thread t { x = N; }
scenario three { N = 3; expect low; }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "counted.mck"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_model_is_loaded_with_parameters(path: Path) -> None:
    assert modelcheck.load(path).parameters == (("N", "2"),)
    assert modelcheck.load(path, N=3).parameters == (("N", "3"),)


def test_a_model_is_loaded_in_a_scenario(path: Path) -> None:
    assert modelcheck.scenarios(path) == ("three",)
    assert modelcheck.load(path, scenario="three").scenario.name == "three"


def test_check_returns_findings_verdicts_and_expectations(path: Path) -> None:
    assert modelcheck.check(modelcheck.load(path)).ok
    report = modelcheck.check(modelcheck.load(path, N=3))
    assert [finding.name for finding in report.violations] == ["low"]
    assert not report.ok
    assert modelcheck.check(modelcheck.load(path, scenario="three")).ok


def test_check_file_checks_every_scenario(path: Path) -> None:
    assert modelcheck.check_file(path).exit_code == 0
    assert modelcheck.check_file(path, N=3).exit_code == 1


def test_explore_returns_a_networkx_graph(path: Path) -> None:
    graph = modelcheck.explore(modelcheck.load(path))
    assert graph.number_of_nodes() == 2
    assert [data["action"] for *_, data in graph.edges(data=True)] == ["x = N"]


def test_simulate_and_replay(path: Path, tmp_path: Path) -> None:
    from modelcheck.report.trace_file import as_json, saved_trace

    model = modelcheck.load(path, N=3)
    assert [finding.name for finding in modelcheck.simulate(model).findings] == ["low"]
    report = modelcheck.check(model)
    saved = saved_trace(report.explainer, report.violations[0], (), {})
    (tmp_path / "t.json").write_text(as_json(saved), encoding="utf-8")
    assert [finding.name for finding in modelcheck.replay(model, tmp_path / "t.json").findings] == ["low"]


def test_what_is_wrong_is_a_spec_error_with_diagnostics(path: Path) -> None:
    with pytest.raises(modelcheck.SpecError) as raised:
        modelcheck.load(path, N=9)
    assert raised.value.diagnostics[0].code == "MC060"
    with pytest.raises(modelcheck.SpecError):
        modelcheck.load("no_such_file.mck")


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        modelcheck.nonsense  # noqa: B018
    assert set(modelcheck.__all__) <= set(dir(modelcheck))


def test_importing_the_package_imports_nothing_else() -> None:
    program = "import sys, modelcheck; print([n for n in sys.modules if n.startswith('modelcheck.')])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_the_examples_run(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(example)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
