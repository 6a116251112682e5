"""What ships says how large it is, and the gallery of bugs finds what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

import modelcheck
from modelcheck import pipeline
from tests.transcript import ROOT

SPECS = sorted((ROOT / "specs").rglob("*.mck"))
GALLERY = [path for path in SPECS if path.parent.name == "gallery"]


def without_its_size(path: Path) -> list[str]:
    """Return what the file's scenarios leave out: each ends with a number of states, by count or by a limit of its own.

    A file without a header is only there to be imported.
    """
    names = modelcheck.scenarios(path)
    if not names and pipeline.load(path)[0].name is not None:
        return [f"{path.relative_to(ROOT)}: no scenario, and so nothing says how many states it has"]
    missing = []
    for name in names:
        scenario = modelcheck.load(path, scenario=name).scenario
        counted = any(e.kind == "count" and e.what == "states" for e in scenario.expectations)
        if not counted and scenario.max_states is None:
            missing.append(
                f"{path.relative_to(ROOT)}: scenario {name}: write `expect states N;`, or `limit states N;`"
            )
    return missing


def test_each_scenario_that_ships_says_how_many_states_it_has() -> None:
    missing = [line for path in SPECS for line in without_its_size(path)]
    assert not missing, "\n".join(missing)


def test_a_scenario_without_a_number_of_states_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    text = "model m;\nthread t { skip; }\n"
    few = (
        "scenario few { limit states 1; expect undecided; }\nscenario all { expect holds; expect depth 1; }\n"
    )
    (tmp_path / "none.mck").write_text(text, encoding="utf-8")
    (tmp_path / "some.mck").write_text(text + few, encoding="utf-8")
    (tmp_path / "part.mck").write_text("type Block = 0..1;\n", encoding="utf-8")
    assert without_its_size(tmp_path / "none.mck") == [
        "none.mck: no scenario, and so nothing says how many states it has"
    ]
    assert without_its_size(tmp_path / "some.mck") == [
        "some.mck: scenario all: write `expect states N;`, or `limit states N;`"
    ]
    assert without_its_size(tmp_path / "part.mck") == []


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_a_specification_of_the_gallery_says_what_it_finds(path: Path) -> None:
    for name in modelcheck.scenarios(path):
        report = modelcheck.check(modelcheck.load(path, scenario=name))
        assert [(c.text, c.status) for c in report.checked if c.status != "met"] == [], name
