"""docs/seed.md: every specification and scenario that it names is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import modelcheck
from tests.transcript import ROOT

DOCUMENT = ROOT / "docs/seed.md"
FAMILY = ROOT / "specs/memory_hotplug"

_NAMES = re.compile(r"`([\w./]+)`|\b(\w+_\w+|e\d\w*|waiting|cleared|script)\b")


def rows() -> Iterator[tuple[str, str, str]]:
    """Yield the cells "modelled by", "shown by" and the first one of each row of a table."""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and cells[0] not in ("the text says", "---"):
            yield cells[0], cells[1], cells[2]


def specification(name: str) -> Path | None:
    """Return the file that a name in the document stands for."""
    name = name.removesuffix(".mck")
    for folder in (FAMILY, ROOT / "specs", ROOT):
        if (folder / f"{name}.mck").exists():
            return folder / f"{name}.mck"
    return None


def shown() -> Iterator[tuple[str, str, str]]:
    """Yield row, specification and scenario for each scenario that the column "shown by" names."""
    for row, model, cell in rows():
        name = next(iter(re.findall(r"`(\w+)\.mck`", model)), "")
        for file, scenario in _NAMES.findall(re.sub(r"\[.*?\]\(.*?\)", "", cell)):
            name = file or name
            if scenario:
                yield row, name, scenario


def test_every_row_names_where_it_is_modelled_or_shown() -> None:
    found = list(rows())
    assert len(found) > 45
    for row, model, cell in found:
        assert model, row
        assert cell or "gallery.md" in model, row


@pytest.mark.parametrize("column", [1, 2])
def test_every_file_that_is_named_is_there(column: int) -> None:
    named = {
        name
        for row in rows()
        for name in re.findall(r"`([\w/]+\.mck|specs/[\w/.]+|gallery/\w+)`", row[column])
    }
    assert named
    assert {name for name in named if specification(name) is None} == set()


def test_every_scenario_that_is_named_is_there() -> None:
    found = list(shown())
    assert len(found) > 90
    missing = []
    for row, name, scenario in found:
        file = specification(name)
        if file is None or scenario not in modelcheck.scenarios(file):
            missing.append((row, name, scenario))
    assert missing == []
