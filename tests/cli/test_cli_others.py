"""`explore`, `simulate`, `fmt`, `specs`, `explain` and the group itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
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
def test_every_command_has_help_that_cites_nothing_a_user_does_not_have(
    command: str, capsys: Captured
) -> None:
    assert modelcheck(command, "--help") == 0
    printed = capsys.readouterr().out
    assert "Usage: modelcheck" in printed
    assert not [word for word in ("SEMANTICS", "DESIGN") if word in printed]


def test_an_unknown_command_says_what_was_meant(capsys: Captured) -> None:
    assert modelcheck("chek") == 2
    assert "did you mean `check`?" in capsys.readouterr().err


# --- explore -------------------------------------------------------------------------------------


def test_explore_counts(capsys: Captured) -> None:
    assert modelcheck("explore", "deadlock.mck", "--scenario", "wrong") == 0
    assert capsys.readouterr().out.startswith("abba: scenario wrong: 19 states, 22 transitions, depth 8, ")


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


def test_explore_names_the_scenario_and_what_was_set_from_outside(folder: Path, capsys: Captured) -> None:
    (folder / "two.mck").write_text(TWO_PARAMETERS, encoding="utf-8")
    modelcheck("explore", "two.mck", "-p", "N=3", "--scenario", "s")
    assert capsys.readouterr().out.startswith("two: scenario s (N=3): 3 states")
    modelcheck("simulate", "two.mck", "-p", "N=3", "--scenario", "s")
    assert capsys.readouterr().out.startswith("two: scenario s (N=3): 1 run, 2 steps")
    modelcheck("check", "-q", "two.mck", "-p", "N=3", "--scenario", "s")
    assert capsys.readouterr().out == "two.mck: scenario s (N=3): as expected\n"


TWO_PARAMETERS = """
model two; param N: 1..3 = 2; param M: 1..3 = 1; var x: 0..3 marked;
thread t { x = N; x = M; } scenario s { M = 2; }
"""


def test_the_graph_of_a_search_that_was_stopped_says_that_it_is_incomplete(
    folder: Path, capsys: Captured
) -> None:
    for name in ("g.json", "g.dot", "g.graphml"):
        assert modelcheck("explore", "large.mck", "--max-states", "50", "--graph", name) == 3
        assert f"wrote {name} (incomplete: limit of 50 states)" in capsys.readouterr().err
    attributes = json.loads((folder / "g.json").read_text(encoding="utf-8"))["graph"]
    assert (attributes["complete"], attributes["stopped"]) == (False, "limit of 50 states")
    assert "incomplete: limit of 50 states" in (folder / "g.dot").read_text(encoding="utf-8")
    assert nx.read_graphml(folder / "g.graphml").graph["complete"] is False


def test_an_interrupted_search_writes_the_graph_that_it_knows(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    from modelcheck.engine.watch import Watch

    def interrupt(*arguments: object) -> None:
        if arguments[1] == 30:
            raise KeyboardInterrupt

    monkeypatch.setattr(Watch, "look", interrupt)
    assert modelcheck("explore", "large.mck", "--graph", "g.json") == 130
    assert "wrote g.json (incomplete: interrupted)" in capsys.readouterr().err
    assert len(json.loads((folder / "g.json").read_text(encoding="utf-8"))["nodes"]) == 30


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
    assert capsys.readouterr().out.startswith("large: 3 runs, 21 steps")


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


def test_a_directed_run_into_a_deadlock_is_told_as_a_random_one(folder: Path) -> None:
    running = program("simulate", "-i", "deadlock.mck", cwd=folder, stdin=-1)
    out, _ = running.communicate("1\n2\nq\n", timeout=60)
    assert running.returncode == 1
    assert "violation MC102 circular wait: two and one wait for each other" in out
    assert "one holds a, since step 1, deadlock.mck:6" in out
    assert "one waits for b at deadlock.mck:6: two holds it (deadlock.mck:8)" in out


def test_a_run_that_ends_with_a_thread_that_nobody_can_wake_is_a_violation(
    folder: Path, capsys: Captured
) -> None:
    text = "model bad; var go: bool marked; thread t { skip; await(go); } daemon thread d { await(go); }"
    (folder / "bad.mck").write_text(text, encoding="utf-8")
    assert modelcheck("simulate", "bad.mck") == 1
    printed = capsys.readouterr().out
    assert "violation MC103 stuck for ever: t is blocked" in printed
    assert "d is blocked" not in printed
    running = program("simulate", "-i", "bad.mck", cwd=folder, stdin=-1)
    out, _ = running.communicate("1\nq\n", timeout=60)
    assert running.returncode == 1
    assert "violation MC103 stuck for ever: t is blocked" in out


def test_a_directed_run_tells_a_finding_once(folder: Path) -> None:
    text = "model bad; var x: 0..3 marked; invariant zero: x == 0; thread t { x = 1; skip; skip; }"
    (folder / "bad.mck").write_text(text, encoding="utf-8")
    running = program("simulate", "-i", "bad.mck", cwd=folder, stdin=-1)
    out, _ = running.communicate("1\n1\n1\nq\n", timeout=60)
    assert out.count("violation MC120") == 1


# --- json ----------------------------------------------------------------------------------------

JSON = {
    "explore": ["explore", "deadlock.mck"],
    "explore, limited": ["explore", "large.mck", "--max-states", "9"],
    "explore, graph": ["explore", "deadlock.mck", "--graph", "g.json"],
    "profile": ["profile", "deadlock.mck"],
    "profile, limited": ["profile", "large.mck", "--max-states", "9000"],
    "profile, before the start": ["profile", "fails.mck"],
    "simulate": ["simulate", "deadlock.mck", "--seed", "3", "--runs", "20"],
    "simulate, one run": ["simulate", "holds.mck"],
    "replay": ["replay", "deadlock.mck", "trace.json"],
    "replay, other model": ["replay", "holds.mck", "trace.json"],
    "mistake": ["explore", "mistake.mck"],
    "interactive": ["simulate", "-i", "holds.mck"],
}


@pytest.mark.parametrize("name", JSON)
def test_with_json_there_is_one_document_that_follows_the_schema(name: str, capsys: Captured) -> None:
    modelcheck("check", "-q", "deadlock.mck", "--scenario", "wrong", "--save-trace", "trace.json")
    text = "model fails marked; var x: 0..1; init { assert(false); } thread t { x = 1; }"
    Path("fails.mck").write_text(text, encoding="utf-8")
    capsys.readouterr()
    code = modelcheck(*JSON[name], "--json")
    document = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "docs/reference/report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    assert document["exit_code"] == code
    if code != 2:
        assert document.keys() & {"exploration", "profile", "simulation", "replay", "conformance"}


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
