"""The comparison that golden tests and documents rest on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transcript import Golden, matches, normalised


@pytest.mark.parametrize(
    ("expected", "actual", "agree"),
    [
        ("", "", True),
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\n", "a\nb\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a\n...\n", "a\nb\n", True),
        ("...\nd\n", "c\nd\n", True),
        ("a\n...\nd\n", "a\nb\nc\n", False),
        ("a...\n", "abc\n", False),
        ("found (1.2 s)\n", "found (12 ms)\n", True),
        ("29 states, 32 transitions\n", "29 states, 33 transitions\n", False),
    ],
    ids=repr,
)
def test_three_dots_stand_for_lines_and_times_do_not_count(expected: str, actual: str, agree: bool) -> None:
    assert matches(expected, actual) is agree


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("in 0.03 s, 1_200_000 states/s, 12.5 MB", "in T s, N states/s, M MB"),
        ("step 3 s1 of 29 states", "step 3 s1 of 29 states"),
        ("after 14 steps", "after 14 steps"),
    ],
)
def test_only_what_differs_from_run_to_run_is_normalised(text: str, instead: str) -> None:
    assert normalised(text) == instead


def test_updating_writes_what_disagrees_and_keeps_what_agrees(tmp_path: Path) -> None:
    path = tmp_path / "a.expect"
    path.write_text("a\n...\n")
    Golden(updating=True).check(path, "a\nb\n")
    assert path.read_text() == "a\n...\n"
    Golden(updating=True).check(path, "c\n")
    assert path.read_text() == "c\n"


def test_without_updating_a_difference_fails_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.expect"
    with pytest.raises(pytest.fail.Exception):
        Golden(updating=False).check(path, "c\n")
    assert not path.exists()
