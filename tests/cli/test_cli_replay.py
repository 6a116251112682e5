"""A trace is saved by `check` and taken again by `replay`, also after the specification was changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import modelcheck

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def trace(folder: Path, capsys: Captured) -> Path:
    assert (
        modelcheck("check", "-q", "deadlock.mck", "-p", "BOTH_WAYS=true", "--save-trace", "trace.json") == 1
    )
    capsys.readouterr()
    return folder / "trace.json"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_saved_trace_shows_the_same_again(trace: Path, capsys: Captured) -> None:
    assert modelcheck("replay", "deadlock.mck", str(trace)) == 1
    assert "wait for each other" in capsys.readouterr().out


def test_an_edit_elsewhere_does_no_harm(folder: Path, trace: Path, capsys: Captured) -> None:
    change(folder / "deadlock.mck", "mutex a;", "// a comment\n\nmutex a;")
    assert modelcheck("replay", "deadlock.mck", str(trace)) == 1
    assert "has changed since" in capsys.readouterr().err


def test_a_repaired_specification_says_where_the_trace_ends(
    folder: Path, trace: Path, capsys: Captured
) -> None:
    change(folder / "deadlock.mck", "mutex_lock(b); mutex_lock(a);", "mutex_lock(a); mutex_lock(b);")
    assert modelcheck("replay", "deadlock.mck", str(trace)) == 3
    assert "step 2 cannot be taken" in capsys.readouterr().out


def test_a_trace_of_a_scenario_remembers_it(folder: Path, capsys: Captured) -> None:
    modelcheck("check", "-q", "deadlock.mck", "--save-trace", "trace.json")
    assert json.loads((folder / "trace.json").read_text(encoding="utf-8"))["scenario"] == "wrong"
    assert modelcheck("replay", "deadlock.mck", "trace.json") == 1
    assert "saved trace.json" in capsys.readouterr().err


def test_a_trace_can_be_taken_in_a_renamed_copy(folder: Path, trace: Path, capsys: Captured) -> None:
    text = (folder / "deadlock.mck").read_text(encoding="utf-8")
    (folder / "copy.mck").write_text(text.replace("model abba", "model copy"), encoding="utf-8")
    assert modelcheck("replay", "copy.mck", str(trace)) == 1
    printed = capsys.readouterr()
    assert "warning: the trace is of the model `abba`, this file is `copy`" in printed.err
    assert "wait for each other" in printed.out


def test_a_trace_of_another_model_says_which_step_does_not_fit(
    folder: Path, trace: Path, capsys: Captured
) -> None:
    (folder / "other.mck").write_text("model other; thread t { skip; }", encoding="utf-8")
    change(trace, '"BOTH_WAYS": "true"', "")
    assert modelcheck("replay", "other.mck", str(trace)) == 3
    printed = capsys.readouterr()
    assert "warning: the trace is of the model `abba`" in printed.err
    assert "step 1 cannot be taken: there is no thread `one`" in printed.out


def test_without_a_violation_no_trace_is_written(folder: Path, capsys: Captured) -> None:
    assert modelcheck("check", "-q", "holds.mck", "--save-trace", "trace.json") == 0
    assert "was not written" in capsys.readouterr().err
    assert not (folder / "trace.json").exists()


def test_a_trace_that_cannot_be_written_is_a_diagnostic(capsys: Captured) -> None:
    arguments = ["check", "-q", "deadlock.mck", "--save-trace", "no/folder/trace.json"]
    assert modelcheck(*arguments) == 2
    assert "MC007" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"schema": "modelcheck-trace"}',
        '{"schema": "modelcheck-trace", "version": 99}',
        '{"schema": "modelcheck-trace", "version": 1}',
        '{"schema": "modelcheck-trace", "version": 1, "specification": 3}',
        "[" * 100_000,
    ],
    ids=["empty", "cut", "list", "bare", "no version", "version", "nothing else", "wrong", "deep"],
)
def test_what_is_no_trace_is_a_diagnostic(folder: Path, text: str, capsys: Captured) -> None:
    (folder / "bad.json").write_text(text, encoding="utf-8")
    assert modelcheck("replay", "holds.mck", "bad.json") == 2
    printed = capsys.readouterr().err
    assert "MC009" in printed
    assert "Traceback" not in printed


def test_with_json_there_is_one_document_even_if_the_trace_cannot_be_written(capsys: Captured) -> None:
    assert modelcheck("check", "--json", "deadlock.mck", "--save-trace", "no/folder/trace.json") == 2
    document = json.loads(capsys.readouterr().out)
    assert document["diagnostics"][0]["code"] == "MC007"


VIOLATIONS = {
    "invariant": "var x: 0..3 marked; invariant small: x < 2; thread t { x = 1; x = 2; }",
    "step": "var x: 0..3 marked; step rises: next(x) > x; thread t { x = 1; x = 0; }",
    "assertion": "var x: 0..3 marked; thread t { x = 1; assert(x == 2); }",
    "range": "var x: 0..1 marked; thread t { x++; x++; }",
    "race": "var x: 0..3; thread one { x = 1; } thread two { x = 2; }",
    "guarded_by": "mutex l; var x: 0..3 guarded_by l; thread t { x = 1; }",
    "lock_rules": "mutex l; thread t { mutex_lock(l); mutex_lock(l); }",
    "unbalanced": "mutex l; op f() { mutex_lock(l); } thread t { skip; f(); mutex_unlock(l); }",
    "must_hold": "mutex l; op f() must_hold l { skip; } thread t { f(); }",
    "still held": "mutex l; thread t { mutex_lock(l); }",
    "stuck": "var go: bool marked; thread t { skip; await(go); }",
    "cannot_finish": "var go: bool marked; thread t { while (!go) { skip; } }",
    "init": "var x: 0..1 marked; init { choose y: 1..2; x = y; } thread t { skip; }",
    "chosen": "var x: 0..2 marked; init { choose y: 0..2; x = y; } thread t { assert(x != 2); }",
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_every_kind_of_violation_can_be_replayed(folder: Path, name: str) -> None:
    (folder / "bad.mck").write_text(f"model bad; {VIOLATIONS[name]}", encoding="utf-8")
    assert modelcheck("check", "-q", "bad.mck", "--save-trace", "trace.json") == 1
    assert modelcheck("replay", "bad.mck", "trace.json") == 1
