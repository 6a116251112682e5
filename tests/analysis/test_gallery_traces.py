"""The trace of each bug of the gallery is the interleaving that was published of it (gallery_traces.toml)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import modelcheck
from modelcheck.analysis.finding import Finding
from modelcheck.analysis.waiting import Explainer
from modelcheck.report.steps import rows, statement
from tests.transcript import ROOT

GALLERY = ROOT / "specs" / "gallery"
TABLE = tomllib.loads((Path(__file__).parent / "gallery_traces.toml").read_text(encoding="utf-8"))["bug"]
IDS = [" ".join(bug[key] for key in ("number", "file", "scenario", "property")) for bug in TABLE]

RANKED = {
    "A": [1, 2, 3, 4, 5, 6, 7, 9, 10, 15, 17, 19, 23, 24],
    "A/B": [11, 30],
    "B": [8, 12, 13, 16, 21, 26, 28, 29, 31, 32, 34],
    "C": [14, 33],
    "candidate": [35],
}
"""The numbers of the list of bugs, which has gaps, by rank."""


def shown(explainer: Explainer, finding: Finding) -> list[tuple[str, set[str]]]:
    """Return for each step of the trace its thread, and what can be said of it."""
    assert finding.trace is not None
    steps = rows(explainer, finding.trace)
    return [(row.thread, {row.text, row.op, row.waits, *row.locks, *row.changes}) for row in steps]


def follows(published: list[str], steps: list[tuple[str, set[str]]]) -> str:
    """Return the first published step that the trace does not show after the ones before it, "" if it shows all."""
    left = iter(steps)
    for each in published:
        thread, what = each.split(": ", 1)
        if not any(mover == thread and what in said for mover, said in left):
            return each
    return ""


def ending(explainer: Explainer, finding: Finding) -> set[str]:
    """Return what is so in the last state: who waits for what, holds what, is where, has finished."""
    assert finding.trace is not None
    threads = explainer.interpreter.system.model.threads
    situation = explainer.situation(finding.trace, finding.members)
    said = [(w.thread, f"waits for {w.shown}" if w.shown else w.phrase) for w in situation.waits]
    said += [(h.thread, f"holds {h.shown}") for h in situation.holds if not h.bars]
    said += [(t, f"is at {statement(location)}") for t, location in situation.standing]
    said += [(t, "finished") for t in situation.finished]
    return {f"{threads[thread].name}: {what}" for thread, what in said}


def without_places(line: str) -> str:
    """Return a line about a side of a lock order without the places."""
    return re.sub(r",? (taken )?at \S+\.mck:\d+", "", line)


@pytest.mark.parametrize("bug", TABLE, ids=IDS)
def test_the_trace_of_a_bug_is_the_published_interleaving(bug: dict[str, Any]) -> None:
    report = modelcheck.check(modelcheck.load(GALLERY / f"{bug['file']}.mck", scenario=bug["scenario"]))
    named = [f for f in report.findings if bug["property"] in (f.check, f.name)]
    finding = named[bug.get("finding", 1) - 1]
    if "sides" in bug:
        assert finding.weight == "note"
        assert sorted(map(without_places, finding.details)) == sorted(bug["sides"])
        return
    assert finding.certified
    assert follows(bug["steps"], shown(report.explainer, finding)) == ""
    assert set(bug.get("ends", ())) - ending(report.explainer, finding) == set()


@pytest.mark.parametrize("bug", TABLE, ids=IDS)
def test_the_head_of_a_specification_names_where_the_bug_is_from(bug: dict[str, Any]) -> None:
    text = (GALLERY / f"{bug['file']}.mck").read_text(encoding="utf-8")
    head = " ".join(line[2:].strip() for line in text.split("\n") if line.startswith("//"))
    assert bug["reference"] in head
    assert ("CANDIDATE" in head) == bug["file"].startswith("candidate_")


def test_each_bug_of_the_list_has_a_specification_and_each_specification_a_bug() -> None:
    found: dict[str, set[int]] = {}
    for bug in TABLE:
        found.setdefault(bug["rank"], set()).add(int(bug["number"].removeprefix("B")))
    assert {rank: sorted(numbers) for rank, numbers in found.items()} == RANKED
    assert {bug["file"] for bug in TABLE} == {path.stem for path in GALLERY.glob("*.mck")}
