"""The gallery of bugs: each scenario finds what it says, with the number of states it says."""

from __future__ import annotations

from pathlib import Path

import pytest

import modelcheck
from tests.transcript import ROOT

GALLERY = sorted((ROOT / "specs" / "gallery").glob("*.mck"))


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_a_specification_of_the_gallery_says_what_it_finds(path: Path) -> None:
    names = modelcheck.scenarios(path)
    assert names
    for name in names:
        report = modelcheck.check(modelcheck.load(path, scenario=name))
        stated = {e.kind for e in report.model.scenario.expectations}
        assert "count" in stated, name
        assert [(c.text, c.status) for c in report.checked if c.status != "met"] == [], name
