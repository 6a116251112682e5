"""`modelcheck locks`: exit codes, JSON by its schema, pictures, records."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from tests.cli.running import modelcheck
from tests.transcript import ROOT

Captured = pytest.CaptureFixture[str]

SCHEMA = json.loads((ROOT / "docs/reference/report.schema.json").read_text(encoding="utf-8"))
RECORDS = ROOT / "examples/lock_records.jsonl"
THREE = ROOT / "specs/lock_order_of_three.mck"

UNGATED = '{"task": "a", "pid": 1, "seq": ["+a", "+b"]}\n{"task": "b", "pid": 2, "seq": ["+b", "+a"]}\n'


def test_a_deadlock_that_a_scenario_expects_is_exit_0_and_one_that_nobody_expects_is_1(
    capsys: Captured,
) -> None:
    assert modelcheck("locks", "deadlock.mck") == 0
    assert modelcheck("locks", "deadlock.mck", "-p", "BOTH_WAYS=true") == 1
    printed = capsys.readouterr().out
    assert "a reachable deadlock (MC106)" in printed
    assert "a shortest run into it:" in printed


def test_a_limit_is_exit_3(capsys: Captured) -> None:
    assert modelcheck("locks", "deadlock.mck", "-p", "BOTH_WAYS=true", "--max-states", "5") == 3
    assert "undecided" in capsys.readouterr().out


def test_that_there_is_no_cycle_is_not_claimed_after_a_limit(capsys: Captured) -> None:
    assert modelcheck("locks", "deadlock.mck", "-p", "BOTH_WAYS=true", "--max-states", "2") == 3
    assert "in what was seen; the search is not complete" in capsys.readouterr().out


def test_a_mistake_is_exit_2(capsys: Captured) -> None:
    assert modelcheck("locks", "mistake.mck") == 2
    assert "MC010" in capsys.readouterr().err


def test_a_cycle_that_no_lock_keeps_apart_is_exit_1_only_if_strict() -> None:
    arguments = ("locks", str(THREE), "-p", "ADD_TAKES_HOTPLUG_LOCK=true")
    assert modelcheck(*arguments) == 0
    assert modelcheck(*arguments, "--strict") == 1


@pytest.mark.parametrize("arguments", [("deadlock.mck",), ("holds.mck",), (str(THREE),)])
def test_json_follows_the_schema(arguments: tuple[str, ...], capsys: Captured) -> None:
    code = modelcheck("locks", "--json", *arguments)
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SCHEMA)
    assert document["exit_code"] == code
    assert len(document["locks"]["scenarios"]) > 0


def test_json_says_who_breaks_a_gate(capsys: Captured) -> None:
    modelcheck("locks", "--json", str(THREE), "--scenario", "with_the_gate")
    (scenario,) = json.loads(capsys.readouterr().out)["locks"]["scenarios"]
    cycles = {tuple(cycle["locks"]): cycle for cycle in scenario["cycles"]}
    inversion = cycles["device_lock", "mem_hotplug_lock"]
    assert (inversion["verdict"], inversion["gates"]) == ("gated", ["device_hotplug_lock"])
    assert {(t["in"], t["result"], t["certified"]) for t in inversion["trials"]} == {
        ("online", "deadlock", True),
        ("add", "deadlock", True),
    }
    fragile = cycles["pcp_batch_high_lock", "slab_mutex"]
    results = {(t["kind"], t["without"]): t["result"] for t in fragile["trials"]}
    assert results["await", "await(booted)"] == "deadlock"
    assert "no deadlock" in results.values()


def test_json_of_records_follows_the_schema(capsys: Captured) -> None:
    assert modelcheck("locks", "--json", "--records", str(RECORDS)) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SCHEMA)
    assert document["locks"]["records"]["rows"] == 6


def test_a_picture_has_every_lock_and_a_legend(folder: Path, capsys: Captured) -> None:
    assert (
        modelcheck("locks", str(THREE), "--scenario", "with_the_gate", "--svg", "o.svg", "--dot", "o.dot")
        == 0
    )
    assert capsys.readouterr().err == "wrote o.dot\nwrote o.svg\n"
    root = ET.parse(folder / "o.svg").getroot()  # noqa: S314  (it is ours)
    texts = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"device_hotplug_lock", "slab_mutex", "a cycle under a gate"} <= texts
    dot = (folder / "o.dot").read_text(encoding="utf-8")
    assert dot.count(" -> ") == 24
    assert '"device_lock" -> "mem_hotplug_lock" [label="W → W: online", color="#1565c0"' in dot


def test_a_picture_that_cannot_be_written_is_a_diagnostic(capsys: Captured) -> None:
    assert modelcheck("locks", "deadlock.mck", "--svg", "no/such/folder/o.svg") == 2
    assert "MC007" in capsys.readouterr().err


def test_records_without_a_gate_are_undecided(folder: Path, capsys: Captured) -> None:
    (folder / "r.jsonl").write_text(UNGATED, encoding="utf-8")
    assert modelcheck("locks", "--records", "r.jsonl") == 3
    assert "no lock keeps the threads apart in these records" in capsys.readouterr().out


def test_records_are_told_by_line_and_function(capsys: Captured) -> None:
    shutil.copy(RECORDS, "r.jsonl")
    assert modelcheck("locks", "--records", "r.jsonl", "--svg", "r.svg") == 0
    printed = capsys.readouterr().out
    assert "kworker/u4:1/25 is trying to acquire lock:\n    memory48.dev_mutex, at line 1\n" in printed
    assert "cpu_hotplug_lock, " not in "".join(line for line in printed.splitlines() if "gate " in line)


def test_a_line_that_is_no_record_is_exit_2(folder: Path, capsys: Captured) -> None:
    (folder / "r.jsonl").write_text(UNGATED + "{\n", encoding="utf-8")
    assert modelcheck("locks", "--records", "r.jsonl") == 2
    assert "r.jsonl:3:1: error MC008: line 3: this is not JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("deadlock.mck", "--records", "r.jsonl"),
        ("--records", "r.jsonl", "-p", "A=1"),
        ("--records", "r.jsonl", "--scenario", "s"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(arguments: tuple[str, ...], capsys: Captured) -> None:
    assert modelcheck("locks", *arguments) == 2
    assert "error: " in capsys.readouterr().err


def test_a_file_that_is_missing_is_exit_2(capsys: Captured) -> None:
    assert modelcheck("locks", "--records", "none.jsonl") == 2
    assert "MC002" in capsys.readouterr().err
