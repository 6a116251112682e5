"""`explore`, `simulate`, `fmt`, `specs`, `explain` and the group itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

from tests.cli.running import modelcheck, program
from tests.transcript import ROOT

Captured = pytest.CaptureFixture[str]


def test_help_lists_every_command(capsys: Captured) -> None:
    assert modelcheck("--help") == 0
    printed = capsys.readouterr().out
    for command in ("check", "explain", "explore", "fmt", "replay", "simulate", "specs"):
        assert f"  {command}" in printed


@pytest.mark.parametrize("command", ["check", "explain", "explore", "fmt", "replay", "simulate", "specs"])
def test_every_command_has_help(command: str, capsys: Captured) -> None:
    assert modelcheck(command, "--help") == 0
    assert "Usage: modelcheck" in capsys.readouterr().out


def test_an_unknown_command_says_what_was_meant(capsys: Captured) -> None:
    assert modelcheck("chek") == 2
    assert "did you mean `check`?" in capsys.readouterr().err


# --- explore -------------------------------------------------------------------------------------


def test_explore_counts(capsys: Captured) -> None:
    assert modelcheck("explore", "deadlock.mck", "--scenario", "wrong") == 0
    assert capsys.readouterr().out.startswith("abba: 19 states, 22 transitions, depth 8, ")


def test_explore_takes_parameters(capsys: Captured) -> None:
    modelcheck("explore", "deadlock.mck", "-p", "BOTH_WAYS=false")
    assert "17 states" in capsys.readouterr().out


def test_the_graph_has_every_state_and_transition(folder: Path) -> None:
    assert modelcheck("explore", "deadlock.mck", "--graph", "g.graphml") == 0
    graph = nx.read_graphml(folder / "g.graphml")
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (19, 22)
    assert modelcheck("explore", "deadlock.mck", "--graph", "g.json") == 0
    document = json.loads((folder / "g.json").read_text(encoding="utf-8"))
    assert (len(document["nodes"]), len(document["edges"])) == (19, 22)
    assert modelcheck("explore", "deadlock.mck", "--graph", "g.dot") == 0
    assert (folder / "g.dot").read_text(encoding="utf-8").count(" -> ") == 22


def test_a_graph_that_cannot_be_written_is_a_diagnostic(capsys: Captured) -> None:
    assert modelcheck("explore", "holds.mck", "--graph", "no/such/folder/g.dot") == 2
    assert "MC007" in capsys.readouterr().err


# --- simulate ------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_run(capsys: Captured) -> None:
    texts = []
    for seed in ("1", "1", "2"):
        modelcheck("simulate", "large.mck", "--seed", seed, "--steps", "20")
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_a_run_has_the_length_that_was_asked_for(capsys: Captured) -> None:
    modelcheck("simulate", "large.mck", "--steps", "7", "--runs", "3")
    assert capsys.readouterr().out.startswith("3 runs, 21 steps")


def test_a_run_can_be_directed(folder: Path) -> None:
    running = program("simulate", "-i", "holds.mck", cwd=folder, stdin=-1)
    out, err = running.communicate("2\nu\n7\nnonsense\n1\n1\nq\n", timeout=60)
    assert running.returncode == 3
    assert "step 1: two  mutex_lock(l)  +l" in out
    assert "back after step 0" in out
    assert "`7` is no choice" in out
    assert "`nonsense` is no choice" in out
    assert "step 2: one  x = 1  x=1" in out
    assert "Traceback" not in err


def test_a_directed_run_ends_with_its_input(folder: Path) -> None:
    running = program("simulate", "-i", "holds.mck", cwd=folder, stdin=-1)
    running.communicate("", timeout=60)
    assert running.returncode == 3


def test_a_directed_run_into_an_error_step_is_a_violation(folder: Path) -> None:
    (folder / "bad.mck").write_text("model bad; var x: 0..1 marked; thread t { x = 1; assert(x == 0); }")
    running = program("simulate", "-i", "bad.mck", cwd=folder, stdin=-1)
    out, _ = running.communicate("1\n1\nq\n", timeout=60)
    assert running.returncode == 1
    assert "assertion does not hold" in out


# --- fmt -----------------------------------------------------------------------------------------

UGLY = "model ugly;var  x:bool=false marked;\nthread t{x=true ;}\n"


def test_fmt_rewrites_the_file_and_keeps_its_permissions(folder: Path) -> None:
    path = folder / "ugly.mck"
    path.write_text(UGLY, encoding="utf-8")
    path.chmod(0o640)
    assert modelcheck("fmt", "ugly.mck") == 0
    text = path.read_text(encoding="utf-8")
    assert "var x: bool = false marked;" in text
    assert path.stat().st_mode & 0o777 == 0o640
    assert modelcheck("fmt", "ugly.mck") == 0
    assert path.read_text(encoding="utf-8") == text
    assert sorted(os.listdir(folder)) == sorted({*os.listdir(folder), "ugly.mck"})


def test_fmt_writes_through_a_link(folder: Path) -> None:
    (folder / "ugly.mck").write_text(UGLY, encoding="utf-8")
    (folder / "link.mck").symlink_to("ugly.mck")
    assert modelcheck("fmt", "link.mck") == 0
    assert (folder / "link.mck").is_symlink()
    assert "var x: bool" in (folder / "ugly.mck").read_text(encoding="utf-8")


def test_fmt_diff_writes_nothing(folder: Path, capsys: Captured) -> None:
    (folder / "ugly.mck").write_text(UGLY, encoding="utf-8")
    assert modelcheck("fmt", "--diff", "ugly.mck") == 1
    assert "+var x: bool = false marked;" in capsys.readouterr().out
    assert (folder / "ugly.mck").read_text(encoding="utf-8") == UGLY


def test_fmt_reads_stdin(folder: Path) -> None:
    running = program("fmt", "-", cwd=folder, stdin=-1)
    out, _ = running.communicate(UGLY, timeout=60)
    assert running.returncode == 0
    assert out.startswith("model ugly;\n")


def test_fmt_leaves_a_file_with_mistakes_alone_and_goes_on(folder: Path, capsys: Captured) -> None:
    (folder / "broken.mck").write_text("model broken; thread {", encoding="utf-8")
    (folder / "ugly.mck").write_text(UGLY, encoding="utf-8")
    assert modelcheck("fmt", "broken.mck", "ugly.mck") == 2
    assert "MC001" in capsys.readouterr().err
    assert (folder / "broken.mck").read_text(encoding="utf-8") == "model broken; thread {"
    assert (folder / "ugly.mck").read_text(encoding="utf-8") != UGLY


# --- specs, explain ------------------------------------------------------------------------------


def test_specs_lists_what_ships_with_its_description(capsys: Captured) -> None:
    assert modelcheck("specs") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("design_example") and "add_memory()" in line for line in lines)


def test_specs_prints_one(capsys: Captured) -> None:
    assert modelcheck("specs", "design_example") == 0
    assert capsys.readouterr().out.startswith("model memory_hotplug;")


def test_what_specs_names_can_be_checked(capsys: Captured) -> None:
    assert modelcheck("specs", "design_example", "--path") == 0
    path = capsys.readouterr().out.strip()
    assert modelcheck("check", "-q", path) == 0


def test_an_unknown_specification_says_what_was_meant(capsys: Captured) -> None:
    assert modelcheck("specs", "design_exampel") == 2
    assert "did you mean `design_example`?" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["MC102", "mc102", "circular_wait"])
def test_explain_knows_codes_and_checks(name: str, capsys: Captured) -> None:
    assert modelcheck("explain", name) == 0
    assert capsys.readouterr().out.startswith("MC102: circular wait (check `circular_wait`)")


def test_explain_of_an_unknown_code_says_what_was_meant(capsys: Captured) -> None:
    assert modelcheck("explain", "circular_wiat") == 2
    assert "did you mean `circular_wait`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", "--help"], ["simulate", "--help"], ["--version"]]
)
def test_help_imports_nothing_heavy(arguments: list[str], folder: Path) -> None:
    program_ = (
        "import sys; from modelcheck.cli import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program_, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert not loaded & {"z3", "networkx", "numpy", "rich", "lark"}
