"""The specifications that come along, and how many states their scenarios say that they have."""

from __future__ import annotations

import re
from pathlib import Path

FEW = 1_500
"""A scenario of more states is looked at step by step with the slow tests only."""

_SCENARIO = re.compile(r"^scenario (\w+)[^{]*\{[^}]*?expect states ([\d_]+);", re.MULTILINE)


def stated_states(path: Path) -> dict[str, int]:
    """Return for each scenario of a file the number of states that it expects."""
    return {m[1]: int(m[2]) for m in _SCENARIO.finditer(path.read_text(encoding="utf-8"))}
