"""What commands print, and the files that hold it: compared, or written anew."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Run:
    """What one command did: everything it printed, in the order of printing, and its exit code."""

    output: str
    code: int


_TIMES = [
    # A rate first: it contains what looks like a duration.
    (re.compile(r"\d[\d_,.]*(?: ?[kM])? ?states(?:/s| per second)"), "N states/s"),
    (re.compile(r"(?<![\w.])\d+(?:\.\d+)? ?(?:ms|s|min|seconds)(?!\w)"), "T s"),
    (re.compile(r"(?<![\w.])\d+(?:\.\d+)? ?[kMG]i?B(?!\w)"), "M MB"),
]


def normalised(text: str) -> str:
    """Return the text without what differs from run to run: times, rates, memory."""
    for pattern, instead in _TIMES:
        text = pattern.sub(instead, text)
    return text


def matches(expected: str, actual: str) -> bool:
    """Tell whether two texts agree; a line `...` in the expected one stands for any lines, or none."""
    pieces = re.split(r"^\.\.\.\n", normalised(expected), flags=re.MULTILINE)
    pattern = r"(?:.*\n)*".join(re.escape(piece) for piece in pieces)
    return re.fullmatch(pattern, normalised(actual)) is not None


def difference(expected: str, actual: str, what: str) -> str:
    """Return both texts line by line, without times, for the message of a failed test."""
    old, new = normalised(expected).splitlines(), normalised(actual).splitlines()
    lines = difflib.unified_diff(old, new, f"{what} (expected)", "printed now", lineterm="")
    return "\n".join(["", *lines, "", "If what is printed now is right: pytest --update-golden"])


@dataclass(frozen=True)
class Golden:
    """Files that hold what the tool must print: compared, or with `--update-golden` written."""

    updating: bool

    def check(self, path: Path, actual: str) -> None:
        """Compare `actual` with the file, or write it there."""
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        kept = self.kept(expected, actual)
        if kept is None:
            pytest.fail(difference(expected, actual, path.name), pytrace=False)
        if kept != expected or not path.exists():
            path.write_text(kept, encoding="utf-8")

    def kept(self, expected: str, actual: str) -> str | None:
        """Return the text that should stand in the file, or None if the two texts disagree."""
        if matches(expected, actual):
            return expected
        return actual if self.updating else None


Tool = Callable[[str, Path], Run]
