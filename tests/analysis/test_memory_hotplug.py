"""The eras of memory hotplug and their switches, what a configuration leaves out, and the whole of each era.

Every scenario is looked at in tests/test_memory_hotplug.py; the large ones there are slow tests.
"""

from __future__ import annotations

import re

import pytest

import modelcheck
from modelcheck import pipeline
from tests.transcript import ROOT

FOLDER = ROOT / "specs" / "memory_hotplug"
SWITCHES = ("M_KIND", "ADD_TAKES_H", "M_IN", "REMOVE_DEVICES", "AUTOONLINE", "NID_SET", "NOTIFIERS")
ERAS = {
    "E0": ("HOME_MADE", "false", "IN_STORE", "INSIDE_M", "UNDER_M_DIRECT", "NODE_ZERO_FIRST", "ONE_CHAIN"),
    "E1": ("PERCPU", "false", "IN_STORE", "INSIDE_M", "UNDER_M", "NODE_ZERO_FIRST", "ONE_CHAIN"),
    "E2": ("PERCPU", "true", "IN_CORE", "INSIDE_M", "AFTER_M", "NODE_ZERO_FIRST", "ONE_CHAIN"),
    "E4": ("PERCPU", "true", "IN_CORE", "BEFORE_M", "AFTER_M", "NO_NODE_FIRST", "ONE_CHAIN"),
    "E6": ("PERCPU", "true", "IN_BLOCK", "INSIDE_M", "AFTER_M", "AT_CREATION", "NODE_CHAIN"),
}


@pytest.mark.parametrize("scenario", ["e0", "e1", "e2", "e4", "e6"])
def test_the_whole_of_an_era_is_looked_at_every_time(scenario: str) -> None:
    report = modelcheck.check(modelcheck.load(FOLDER / "whole.mck", scenario=scenario))
    assert [(c.text, c.status) for c in report.checked if c.status != "met"] == []
    assert any("states" in c.text for c in report.checked)
    assert report.exit_code == 0


def test_every_era_has_scenarios_of_the_whole() -> None:
    names = modelcheck.scenarios(FOLDER / "whole.mck")
    assert {name.partition("_")[0] for name in names} == {"e0", "e1", "e2", "e4", "e6"}


@pytest.mark.parametrize("era", ERAS)
def test_an_era_is_one_word(era: str) -> None:
    parameters = dict(modelcheck.load(FOLDER / "eras.mck", ERA=era).parameters)
    assert tuple(parameters[switch] for switch in SWITCHES) == ERAS[era]


def test_every_switch_of_the_eras_is_looked_at_by_a_specification() -> None:
    switches = dict(modelcheck.load(FOLDER / "eras.mck").parameters)
    said = " ".join(p.read_text(encoding="utf-8") for p in FOLDER.glob("*.mck") if p.stem != "eras")
    code = re.sub(r"//[^\n]*", "", said)
    assert {name for name in switches if not re.search(rf"\b{name}\b", code)} == set()


def test_a_switch_can_be_set_alone() -> None:
    era = dict(modelcheck.load(FOLDER / "eras.mck", ERA="E4").parameters)
    changed = dict(modelcheck.load(FOLDER / "eras.mck", ERA="E4", REMOVE_DEVICES="INSIDE_M").parameters)
    assert {name for name in era if era[name] != changed[name]} == {"REMOVE_DEVICES"}


@pytest.mark.parametrize(
    ("option", "gone"),
    [
        ("MEMORY_HOTREMOVE", {"acpi", "driver", "admin"}),
        ("MIGRATION", {"acpi", "driver", "admin"}),
        ("ACPI_HOTPLUG_MEMORY", {"acpi"}),
    ],
)
def test_what_is_not_configured_has_no_threads(option: str, gone: set[str]) -> None:
    path = FOLDER / "eject.mck"
    without = pipeline.chosen_model(pipeline.load(path), pipeline.Options({option: False}))
    there = {thread.declaration for thread in modelcheck.load(path).threads}
    assert there - {thread.declaration for thread in without.threads} == gone


def test_every_mistake_is_found() -> None:
    """A scenario of mutants.mck that finds nothing says so in its text; it is no mistake."""
    text = (FOLDER / "mutants.mck").read_text(encoding="utf-8")
    harmless = re.findall(r"scenario (\w+)[^{]*\{[^}]*expect holds;", text)
    assert set(harmless) == {"none", "none_two_blocks", "none_rival", "devices_inside_m"}
    assert len(modelcheck.scenarios(FOLDER / "mutants.mck")) - len(harmless) >= 11
