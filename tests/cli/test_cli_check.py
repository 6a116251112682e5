"""`modelcheck check`: files, folders, options, and what is printed where."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelcheck.engine.kernel.crew import wanted_workers
from tests.cli.running import modelcheck, program
from tests.transcript import ROOT

Captured = pytest.CaptureFixture[str]


def test_without_a_file_it_points_to_what_ships(capsys: Captured) -> None:
    assert modelcheck("check") == 2
    assert "`modelcheck specs`" in capsys.readouterr().err


def test_what_nobody_expected_is_told_with_the_command_that_explains_it(capsys: Captured) -> None:
    hint = "`modelcheck explain circular_wait` tells the idea behind it\n"
    assert modelcheck("check", "deadlock.mck", "-p", "BOTH_WAYS=true") == 1
    assert capsys.readouterr().err == hint
    assert modelcheck("check", "deadlock.mck", "-p", "BOTH_WAYS=true", "--quiet") == 1
    assert capsys.readouterr().err == ""
    assert modelcheck("check", "deadlock.mck", "-p", "BOTH_WAYS=true", "--json") == 1
    assert capsys.readouterr().err == ""
    assert modelcheck("check", "deadlock.mck") == 0
    assert capsys.readouterr().err == ""


def test_quiet_is_one_line_a_scenario(capsys: Captured) -> None:
    modelcheck("check", "-q", "deadlock.mck")
    assert capsys.readouterr().out.splitlines() == [
        "deadlock.mck: scenario wrong: as expected (violated: circular_wait and lock_order)",
        "deadlock.mck: scenario right: as expected",
        "2 scenarios in 1 file: 2 as expected",
    ]


def test_one_scenario_can_be_chosen(capsys: Captured) -> None:
    assert modelcheck("check", "-q", "deadlock.mck", "--scenario", "right") == 0
    assert capsys.readouterr().out == "deadlock.mck: scenario right: as expected\n"


def test_parameters_are_run_instead_of_the_scenarios(capsys: Captured) -> None:
    assert modelcheck("check", "-q", "deadlock.mck", "-p", "BOTH_WAYS=false") == 0
    assert capsys.readouterr().out == "deadlock.mck: abba (BOTH_WAYS=false): holds\n"


def test_what_a_scenario_sets_cannot_be_set_beside_it(capsys: Captured) -> None:
    assert modelcheck("check", "deadlock.mck", "--scenario", "right", "-p", "BOTH_WAYS=true") == 2
    assert "MC063" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("BOTH_WAYS", "NAME=VALUE"),
        ("BOTH_WAYS:true", "did you mean `BOTH_WAYS=true`?"),
        ("BOTH_WAYS true", "did you mean `BOTH_WAYS=true`?"),
        ("BOTH_WAYS=", "BOTH_WAYS=VALUE"),
        ("=3", "is not the name of a parameter"),
        ("BOTHWAYS=true", "did you mean `BOTH_WAYS`?"),
    ],
)
def test_a_wrong_parameter_says_what_was_meant(text: str, hint: str, capsys: Captured) -> None:
    assert modelcheck("check", "deadlock.mck", "-p", text) == 2
    assert hint in capsys.readouterr().err


def test_an_unknown_property_says_what_was_meant(capsys: Captured) -> None:
    assert modelcheck("check", "holds.mck", "--property", "smal") == 2
    assert "did you mean `small`?" in capsys.readouterr().err


def test_an_unknown_scenario_says_what_was_meant(capsys: Captured) -> None:
    assert modelcheck("check", "deadlock.mck", "--scenario", "wrng") == 2
    assert "did you mean `wrong`?" in capsys.readouterr().err


def test_only_one_property_is_looked_at() -> None:
    assert modelcheck("check", "deadlock.mck", "-p", "BOTH_WAYS=true", "--property", "race") == 0
    assert modelcheck("check", "deadlock.mck", "-p", "BOTH_WAYS=true", "--property", "deadlock") == 1


def test_a_folder_stands_for_its_specifications(folder: Path, capsys: Captured) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "b.mck").write_text("model b; thread t { skip; }", encoding="utf-8")
    (inner / "a.mck").write_text("model a; thread t { skip; }", encoding="utf-8")
    assert modelcheck("check", "-q", "inner") == 0
    assert capsys.readouterr().out.splitlines() == [
        "inner/a.mck: a: holds",
        "inner/b.mck: b: holds",
        "2 scenarios in 2 files: 2 as expected",
    ]


def test_what_a_folder_holds_only_to_be_imported_is_left_out(folder: Path, capsys: Captured) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "part.mck").write_text("mutex l;", encoding="utf-8")
    (inner / "all.mck").write_text('model all; import "part.mck"; thread t { skip; }', encoding="utf-8")
    assert modelcheck("check", "-q", "inner") == 0
    assert capsys.readouterr().out == "inner/all.mck: all: holds\n"


def test_an_empty_folder_is_a_mistake(folder: Path, capsys: Captured) -> None:
    (folder / "empty").mkdir()
    assert modelcheck("check", "empty") == 2
    assert "no specification" in capsys.readouterr().err


def test_the_other_files_are_checked_after_a_mistake(capsys: Captured) -> None:
    assert modelcheck("check", "-q", "mistake.mck", "holds.mck") == 2
    printed = capsys.readouterr()
    assert "holds.mck: holds: holds" in printed.out
    assert "mistake.mck:2:25: error MC010" in printed.err


def test_results_go_to_stdout_and_mistakes_to_stderr(capsys: Captured) -> None:
    modelcheck("check", "mistake.mck")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("mistake.mck:2:")


@pytest.mark.parametrize(
    "name",
    ["", "\0", "a" * 5000, "~nobody/x.mck", "con\nfused.mck", "/dev/null/x.mck"],
    ids=["empty", "nul", "long", "home", "line", "below a file"],
)
def test_a_bad_path_is_a_diagnostic(name: str, capsys: Captured) -> None:
    assert modelcheck("check", name) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_file_that_is_no_text_is_a_diagnostic(folder: Path, capsys: Captured) -> None:
    (folder / "binary.mck").write_bytes(b"\xff\xfe\x00model")
    assert modelcheck("check", "binary.mck") == 2
    assert "MC002" in capsys.readouterr().err


def test_a_file_that_may_not_be_read_is_a_diagnostic(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    assert modelcheck("check", str(folder / "holds.mck")) == 2
    assert "Permission denied" in capsys.readouterr().err


def test_with_json_nothing_but_json_is_on_stdout(capsys: Captured) -> None:
    assert modelcheck("check", "--json", "deadlock.mck", "mistake.mck") == 2
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert printed.err == ""
    assert [file["file"] for file in document["files"]] == ["deadlock.mck", "mistake.mck"]
    assert document["files"][1]["diagnostics"][0]["code"] == "MC010"


@pytest.mark.parametrize(
    "arguments",
    [["check", "--json"], ["check", "--json", "--bad"], ["check", "--json", "holds.mck", "-p", "X"]],
)
def test_with_json_a_usage_error_is_json_too(arguments: list[str], capsys: Captured) -> None:
    assert modelcheck(*arguments) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == 2
    assert document["error"]


def test_reproducible_json_is_the_same_twice(capsys: Captured) -> None:
    texts = []
    for _ in range(2):
        modelcheck("check", "--json", "--reproducible", "deadlock.mck")
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "timing" not in texts[0]


def test_a_reader_that_goes_away_does_no_harm(folder: Path) -> None:
    running = program("check", "deadlock.mck", cwd=folder)
    assert running.stdout is not None
    running.stdout.close()
    assert running.stderr is not None
    assert "Traceback" not in running.stderr.read()
    assert "BrokenPipe" not in running.stderr.read()
    assert running.wait(timeout=60) == 0
    running.stderr.close()


def test_a_limit_says_which(capsys: Captured) -> None:
    modelcheck("check", "-q", "large.mck", "--max-states", "1000")
    assert capsys.readouterr().out == "large.mck: large: undecided: limit of 1000 states\n"


def test_a_violation_is_found_before_the_limit(folder: Path) -> None:
    text = (folder / "large.mck").read_text(encoding="utf-8") + "invariant small: a < 3;"
    (folder / "large.mck").write_text(text, encoding="utf-8")
    assert modelcheck("check", "large.mck", "--max-states", "1000") == 1


def test_the_program_starts_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "modelcheck", "--version"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout.startswith("modelcheck, version 0.")


def test_z3_finds_and_proves_what_is_a_matter_of_one_state(capsys: Captured) -> None:
    arguments = ["--engine", "z3", "--property", "circular_wait"]
    assert modelcheck("check", "deadlock.mck", "-p", "BOTH_WAYS=true", *arguments) == 1
    assert "wait for each other" in capsys.readouterr().out
    assert modelcheck("check", "deadlock.mck", "-p", "BOTH_WAYS=false", *arguments) == 0
    assert "circular_wait: proved by" in capsys.readouterr().out


def test_z3_and_a_complete_search_answer_together(capsys: Captured) -> None:
    assert modelcheck("check", "holds.mck", "--engine", "z3") == 0
    printed = capsys.readouterr().out
    assert "invariant small: proved by" in printed
    assert "holds: stuck, cannot_finish," in printed


def test_z3_says_what_it_does_not_decide_where_the_states_are_too_many(capsys: Captured) -> None:
    assert modelcheck("check", "holds.mck", "--engine", "z3", "--max-states", "5") == 3
    printed = capsys.readouterr().out
    assert "invariant small: proved by" in printed
    assert "unknown: stuck, cannot_finish (" in printed


def test_z3_looks_only_as_far_as_it_is_told(capsys: Captured) -> None:
    arguments = [
        "check",
        "deadlock.mck",
        "-p",
        "BOTH_WAYS=true",
        "--engine",
        "z3",
        "--property",
        "circular_wait",
    ]
    assert modelcheck(*arguments, "--depth", "1") == 3
    assert "not violated within 1 step;" in capsys.readouterr().out


def test_one_is_told_in_the_singular(folder: Path, capsys: Captured) -> None:
    modelcheck("check", "-q", "deadlock.mck", "mistake.mck")
    assert capsys.readouterr().out.endswith("2 scenarios in 2 files: 2 as expected, 1 file with mistakes\n")
    modelcheck("check", "-q", "large.mck", "--max-states", "1")
    assert capsys.readouterr().out == "large.mck: large: undecided: limit of 1 state\n"


@pytest.mark.parametrize("workers", ["1", "2", "auto"])
def test_how_many_search_is_said_in_the_json(folder: Path, capsys: Captured, workers: str) -> None:
    large = ["large.mck", "--engine", "native", "--max-states", "200000"]
    assert modelcheck("check", *large, "--json", "--workers", workers) == 3
    (scenario,) = json.loads(capsys.readouterr().out)["files"][0]["scenarios"]
    assert scenario["statistics"]["states"] == 200_000
    assert scenario["timing"]["workers"] == wanted_workers(None if workers == "auto" else int(workers))


def test_what_is_printed_does_not_depend_on_the_workers(folder: Path, capsys: Captured) -> None:
    printed = set()
    for workers in ("1", "2", "3"):
        arguments = ["large.mck", "--engine", "native", "--max-states", "100000", "--workers", workers]
        assert modelcheck("check", *arguments, "--json", "--reproducible") == 3
        printed.add(capsys.readouterr().out)
    assert len(printed) == 1
