"""`make bench`: SPIN's twins have our counts, the table can be read without SPIN, and the document has all of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bench, tables
from tests.transcript import ROOT


def run(*arguments: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "benchmarks/bench.py", *arguments]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False
    )


def test_there_are_at_least_eight_models_with_twins() -> None:
    names = {row.name for row in bench.rows()}
    assert len(names) >= 8
    assert all((ROOT / "benchmarks" / f"{name}.pml").is_file() for name in names)


def test_without_spin_our_half_is_printed(tmp_path: Path) -> None:
    done = run("peterson", path=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    head, *lines = done.stdout.splitlines()
    assert head == bench.line(bench.HEAD)
    assert [each.split()[:4] for each in lines[:2]] == [
        ["peterson", "correct", "48", "96"],
        ["peterson", "turn_first", "96", "192"],
    ]
    assert lines[-1] == "SPIN's half is left out: spin and gcc are not both installed"


def test_a_model_that_is_not_there_is_a_usage_error() -> None:
    done = run("petersen")
    assert done.returncode == 2
    assert "no model petersen" in done.stderr


def test_a_wrong_count_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    entry = {"file": "benchmarks/peterson.mck", "scenario": "correct", "states": 48, "transitions": 97}
    monkeypatch.setattr(bench, "rows", lambda: iter([bench.row({**entry, "spin": {"defines": ""}})]))
    monkeypatch.setattr(bench, "is_spin_here", lambda: False)
    monkeypatch.setattr(sys, "argv", ["bench.py"])
    assert bench.main() == 1
    assert "WRONG: count says 48 / 96; checks says 48 / 96" in capsys.readouterr().out


@pytest.mark.skipif(not bench.is_spin_here(), reason="spin and gcc are not both installed")
@pytest.mark.parametrize("name", ["peterson", "philosophers_left_first"])
def test_spin_counts_the_same(name: str) -> None:
    one = next(row for row in bench.rows() if row.name == name)
    assert bench.result(one, 1).wrong == ()


def test_the_document_has_the_table_of_every_large_model() -> None:
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- table: race -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert table is not None
    lines = [[cell.strip() for cell in each.split("|")[1:4]] for each in table[1].splitlines() if "," in each]
    assert lines == [
        [f"{row.name} {row.setting}", f"{row.states:,}", f"{row.transitions:,}"]
        for row in bench.rows()
        if row.states >= bench.TELLING
    ]


def test_a_table_is_put_into_its_place_only() -> None:
    text = "a\n<!-- table: x -->\nold\n<!-- end -->\nb\n<!-- table: y -->\n<!-- end -->\n"
    assert tables.replaced(text, "x", "| new |") == text.replace("old", "| new |")
