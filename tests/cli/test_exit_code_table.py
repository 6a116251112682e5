"""The table of exit codes (SEMANTICS H14), over every pair of outcomes, as scenarios and as files, with --strict."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from tests.cli.running import modelcheck

BODY = """
param CASE: 0..9 = 0;
mutex l;
mutex one;
mutex two;
percpu_rwsem s;
var x: 0..9 guarded_by l;
thread a {
    mutex_lock(l); x = 1; mutex_unlock(l);
    if (CASE == 1) { mutex_lock(one); mutex_lock(two); mutex_unlock(two); mutex_unlock(one); }
    if (CASE == 2) { percpu_down_read(s); percpu_down_read(s); percpu_up_read(s); percpu_up_read(s); }
}
thread b {
    mutex_lock(l); x = 2; mutex_unlock(l);
    if (CASE == 1) { mutex_lock(two); mutex_lock(one); mutex_unlock(one); mutex_unlock(two); }
}
"""

SCENARIOS = {
    "as_expected": ("expect holds;", 0),
    "expected_violation": ("CASE = 1; expect deadlock;", 0),
    "unexpected_violation": ("CASE = 1;", 1),
    "unmet": ("expect deadlock;", 1),
    "stale_exception": ("expect holds except race;", 1),
    "undecided": ("limit states 3; expect holds;", 3),
    "undecided_and_expected": ("limit states 3; expect undecided;", 0),
    "violated_before_the_limit": ("CASE = 1; limit states 70; expect holds;", 1),
    "warned": ("CASE = 2;", 0),
    "expected_warning": ("CASE = 2; expect lock_order;", 0),
}
"""What a scenario says, and its exit code without --strict."""

GRAVEST = (2, 1, 3, 0)


def model(*names: str) -> str:
    scenarios = (f"scenario {name} {{ {SCENARIOS[name][0]} }}" for name in names)
    return f"model table;\n{BODY}\n{' '.join(scenarios)}\n"


def gravest(*codes: int) -> int:
    return next(code for code in GRAVEST if code in codes)


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_outcome_has_its_code(name: str, folder: Path) -> None:
    (folder / "one.mck").write_text(model(name), encoding="utf-8")
    assert modelcheck("check", "-q", "one.mck") == SCENARIOS[name][1]


@pytest.mark.parametrize("pair", list(itertools.combinations(SCENARIOS, 2)), ids="+".join)
def test_of_two_scenarios_the_graver_code_stands(pair: tuple[str, str], folder: Path) -> None:
    (folder / "two.mck").write_text(model(*pair), encoding="utf-8")
    assert modelcheck("check", "-q", "two.mck") == gravest(*(SCENARIOS[name][1] for name in pair))


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("other", ["holds.mck", "mistake.mck", "missing.mck"])
def test_of_two_files_the_graver_code_stands(
    name: str, other: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "one.mck").write_text(model(name), encoding="utf-8")
    expected = gravest(SCENARIOS[name][1], 0 if other == "holds.mck" else 2)
    assert modelcheck("check", "--json", "one.mck", other) == expected
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == expected
    assert [file["exit_code"] for file in document["files"]] == [
        SCENARIOS[name][1],
        0 if other == "holds.mck" else 2,
    ]


QUIET = """
model quiet;
mutex l;
var x: 0..2 guarded_by l;
thread a { mutex_lock(l); x = 1; mutex_unlock(l); }
thread b { mutex_lock(l); x = 2; mutex_unlock(l); }
invariant i: x <= 1 || x == 2;
"""

WARNED = {
    "nothing": (QUIET, 0),
    "vacuity": (QUIET.replace("x = 2", "if (x == 2) { x = 2; }"), 1),
    "recursive read": (
        QUIET + "percpu_rwsem s; thread c { percpu_down_read(s); percpu_down_read(s); percpu_up_read(s); "
        "percpu_up_read(s); } thread d { percpu_down_write(s); percpu_up_write(s); }\n"
        "scenario e { expect circular_wait; expect lock_order; }",
        0,
    ),
    "two marked accesses": (QUIET.replace("x = 2;", "x = 2; y = 1 - y;") + "var y: 0..1 marked;", 1),
    "gated cycle, a note": (
        QUIET + "mutex g; mutex m; thread c { mutex_lock(g); mutex_lock(m); mutex_lock(l); mutex_unlock(l); "
        "mutex_unlock(m); mutex_unlock(g); } "
        "thread d { mutex_lock(g); mutex_lock(l); mutex_lock(m); mutex_unlock(m); mutex_unlock(l); "
        "mutex_unlock(g); } thread e { mutex_lock(m); mutex_unlock(m); }",
        0,
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_with_strict_warnings_are_violations_and_notes_are_not(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, strictly = WARNED[name]
    (folder / "warned.mck").write_text(text, encoding="utf-8")
    assert modelcheck("check", "warned.mck") == 0
    told = capsys.readouterr().out
    assert ("warning" in told) == bool(strictly)
    assert modelcheck("check", "--strict", "-q", "warned.mck") == strictly


def test_an_undefined_property_is_a_mistake_of_the_model(folder: Path) -> None:
    text = QUIET.replace("x <= 1 || x == 2", "4 / (x - 2) < 4")
    (folder / "undefined.mck").write_text(text, encoding="utf-8")
    assert modelcheck("check", "-q", "undefined.mck", "deadlock.mck", "large.mck", "--max-states", "900") == 2


def test_findings_of_a_check_beyond_the_limit_are_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "\n".join("x = 1;" for _ in range(4))
    text = f"model races; var x: 0..1; thread a {{ {lines} }} thread b {{ x = 0; }}"
    (folder / "races.mck").write_text(text, encoding="utf-8")
    counts = {}
    for most in ("1", "3", "4"):
        assert modelcheck("check", "--max-findings", most, "races.mck") == 1
        told = capsys.readouterr().out
        counts[most] = (
            told.count("violation MC108"),
            "and 3 more of race with other causes" in told,
            "more of race" in told,
        )
    assert counts == {"1": (1, True, True), "3": (3, False, True), "4": (4, False, False)}
    assert modelcheck("check", "--json", "--max-findings", "1", "races.mck") == 1
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert [f["check"] for f in file["scenarios"][0]["findings"]] == ["race"] * 4
