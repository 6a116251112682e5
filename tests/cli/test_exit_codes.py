"""Each exit code of SEMANTICS H14: 70 > 130 > 2 > 1 > 3 > 0."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from modelcheck import pipeline
from modelcheck.report.contents import gravest
from tests.cli.running import modelcheck, program


def test_0_when_everything_is_as_expected() -> None:
    assert modelcheck("check", "holds.mck") == 0
    assert modelcheck("check", "deadlock.mck") == 0


def test_1_for_a_violation() -> None:
    assert modelcheck("check", "deadlock.mck", "-p", "BOTH_WAYS=true") == 1


def test_1_for_an_expectation_that_is_not_met(folder: Path) -> None:
    text = (folder / "holds.mck").read_text(encoding="utf-8") + "scenario s { expect deadlock; }"
    (folder / "unmet.mck").write_text(text, encoding="utf-8")
    assert modelcheck("check", "unmet.mck") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", "mistake.mck"],
        ["check", "no_such_file.mck"],
        ["check", "holds.mck", "--no-such-option"],
        ["check", "holds.mck", "--engine", "magic"],
        ["check", "holds.mck", "--max-memory", "much"],
        ["check", "holds.mck", "--max-states", "0"],
        ["check", "holds.mck", "--workers", "0"],
        ["explore", "holds.mck", "--workers", "17"],
        ["locks", "holds.mck", "--workers", "many"],
        ["check", "holds.mck", "-p", "X"],
        ["check", "holds.mck", "-p", "NO_SUCH=1"],
        ["check", "holds.mck", "--scenario", "none"],
        ["check", "holds.mck", "--property", "none"],
        ["check", "deadlock.mck", "--scenario", "right", "-p", "BOTH_WAYS=true"],
        ["check", "deadlock.mck", "-p", "BOTH_WAYS=maybe"],
        ["check", "deadlock.mck", "-p", "BOTH_WAYS=true", "-p", "BOTH_WAYS=false"],
        ["no_such_command"],
        ["explain", "MC999"],
        ["specs", "no_such_specification"],
        ["replay", "holds.mck", "holds.mck"],
        ["explore", "holds.mck", "--graph", "graph.png"],
        ["fmt"],
    ],
    ids=" ".join,
)
def test_2_when_the_specification_or_the_command_line_is_wrong(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert modelcheck(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    assert "error" in printed.err


def test_3_when_a_limit_was_hit() -> None:
    assert modelcheck("check", "large.mck", "--max-states", "1000") == 3
    assert modelcheck("explore", "large.mck", "--max-states", "1000") == 3


def test_3_when_time_ran_out() -> None:
    assert modelcheck("check", "large.mck", "--time-limit", "0.2") == 3


@pytest.mark.parametrize("time", ["nan", "inf", "0", "-1", "soon"])
def test_2_when_a_limit_is_no_time(time: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert modelcheck("check", "large.mck", "--time-limit", time) == 2
    assert f"`{time}` is not a time: write a number of seconds above 0" in capsys.readouterr().err


def test_3_when_memory_ran_out() -> None:
    assert modelcheck("check", "large.mck", "--max-memory", "1M") == 3


def test_70_for_an_internal_error_with_a_file_that_reproduces_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("two and two are five")

    monkeypatch.setattr(pipeline, "check_specification", broken)
    assert modelcheck("check", "holds.mck", "--quiet") == 70
    assert "two and two are five" in capsys.readouterr().err
    text = (folder / "modelcheck-bug-1.txt").read_text(encoding="utf-8")
    assert "'holds.mck', '--quiet'" in text
    assert "RuntimeError: two and two are five" in text
    assert "model holds;" in text


def test_70_with_json_prints_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pipeline, "check_specification", lambda *_: 1 / 0)
    assert modelcheck("check", "holds.mck", "--json") == 70
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == 70
    assert "ZeroDivisionError" in document["error"]


def test_an_older_reproducer_is_not_written_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "modelcheck-bug-1.txt").write_text("mine", encoding="utf-8")
    monkeypatch.setattr(pipeline, "check_specification", lambda *_: 1 / 0)
    modelcheck("check", "holds.mck")
    assert (folder / "modelcheck-bug-1.txt").read_text(encoding="utf-8") == "mine"
    assert (folder / "modelcheck-bug-2.txt").exists()


def test_130_on_an_interrupt_after_printing_what_is_known(folder: Path) -> None:
    running = program("check", "deadlock.mck", "large.mck", "holds.mck", cwd=folder)
    assert running.stdout is not None
    assert running.stdout.readline().startswith("deadlock.mck: scenario wrong")
    time.sleep(2)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "large.mck: large: undecided: interrupted" in out
    assert "holds.mck" not in out
    assert "interrupted: not checked: holds.mck" in err
    assert "Traceback" not in err


def test_130_outside_a_search_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "check_specification", interrupted)
    assert modelcheck("check", "holds.mck") == 130


@pytest.mark.parametrize(
    ("codes", "code"),
    [([], 0), ([0, 3], 3), ([3, 1, 0], 1), ([1, 2, 3], 2), ([2, 130], 130), ([130, 70], 70)],
)
def test_the_gravest_code_stands_for_all(codes: list[int], code: int) -> None:
    assert gravest(codes) == code


def test_the_gravest_of_several_files() -> None:
    assert modelcheck("check", "holds.mck", "mistake.mck") == 2
    assert modelcheck("check", ".", "--max-states", "500") == 2


def test_strict_makes_a_warning_a_violation(folder: Path) -> None:
    body = "percpu_down_read(s); percpu_down_read(s); percpu_up_read(s); percpu_up_read(s);"
    text = f"model m; percpu_rwsem s; thread a {{ {body} }}"
    (folder / "warning.mck").write_text(text, encoding="utf-8")
    assert modelcheck("check", "warning.mck") == 0
    assert modelcheck("check", "--strict", "warning.mck") == 1


def test_simulate_decides_nothing() -> None:
    assert modelcheck("simulate", "holds.mck") == 3


def test_simulate_that_comes_across_a_violation() -> None:
    assert modelcheck("simulate", "deadlock.mck", "-p", "BOTH_WAYS=true", "--runs", "50") == 1


def test_fmt_check_tells_what_would_change(folder: Path) -> None:
    assert modelcheck("fmt", "holds.mck") == 0
    assert modelcheck("fmt", "--check", "holds.mck") == 0
    (folder / "holds.mck").write_text("model   holds;", encoding="utf-8")
    assert modelcheck("fmt", "--check", "holds.mck") == 1
