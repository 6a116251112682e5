"""Our counts and times beside SPIN's: `make bench`, or `python benchmarks/bench.py [--large] [--bare] [NAME ...]`.

Runs what counts.toml lists with a Promela twin. Both sides must have the states and transitions that the file
says (SPIN prints one transition more, for the initial state); otherwise the row is marked and the exit code is 1.
Times are of the search alone: not of reading, nor of SPIN's C compiler; what our compiler takes is in ours, unless the
model was compiled before. With --bare our native engine only counts states, as SPIN does here. Without spin and gcc our
half is printed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

# The checkout comes before an installed version.
from modelcheck.engine import native  # noqa: E402
from modelcheck.engine.engine import Limits  # noqa: E402
from modelcheck.pipeline import Options, check, chosen_model, load  # noqa: E402
from modelcheck.semantics.transition_system import transition_system  # noqa: E402

SPIN_FLAGS = ("-o3",)  # no merging of statements: it would change the counts
PAN_FLAGS = ("-O2", "-DSAFETY", "-DNOREDUCE", "-DMEMLIM=16000")
PAN_RUN = ("-E", "-A")  # go on after a deadlock or a failed assertion: the whole space


@dataclass(frozen=True)
class Row:
    """One entry of counts.toml that has a twin."""

    name: str
    setting: str
    options: Options
    states: int
    transitions: int
    defines: tuple[str, ...]
    large: bool


@dataclass(frozen=True)
class Measured:
    """What one tool said about one row."""

    states: int
    transitions: int
    seconds: float


def rows() -> Iterator[Row]:
    """Yield the entries of counts.toml that have a twin."""
    for entry in tomllib.loads((FOLDER / "counts.toml").read_text(encoding="utf-8"))["count"]:
        if "spin" in entry:
            yield row(entry)


def row(entry: dict[str, Any]) -> Row:
    """Return one entry as a row."""
    scenario, parameters = entry.get("scenario"), entry.get("parameters", {})
    shown = scenario or " ".join(f"{name}={value}" for name, value in parameters.items())
    return Row(
        name=Path(entry["file"]).stem,
        setting=shown,
        options=Options(parameters=parameters, scenario=scenario),
        states=entry["states"],
        transitions=entry["transitions"],
        defines=tuple(entry["spin"]["defines"].split()),
        large=entry.get("note", "").startswith("large"),
    )


def ours(one: Row, *, bare: bool) -> Measured:
    """Check the model with everything that is asked by default, or only count its states."""
    file = FOLDER / f"{one.name}.mck"
    if bare:
        system = transition_system(chosen_model(load(file), one.options))
        found = native.explore(system, (), Limits()).statistics
    else:
        (report,) = check(file, one.options).scenarios
        found = report.statistics
    return Measured(found.states, found.transitions, found.seconds)


def spins(one: Row) -> Measured | None:
    """Let SPIN search the twin; None if it is not installed."""
    if not (shutil.which("spin") and shutil.which("gcc")):
        return None
    with tempfile.TemporaryDirectory() as folder:

        def run(*command: str) -> str:
            return subprocess.run(
                command, cwd=folder, check=True, capture_output=True, encoding="utf-8"
            ).stdout

        # A stack as deep as there are states, a table of twice their number: no larger, it would cost time to clear.
        room = (f"-m{max(10_000, one.states)}", f"-w{max(16, one.states.bit_length() + 1)}")
        run("spin", "-a", *SPIN_FLAGS, *one.defines, str(FOLDER / f"{one.name}.pml"))
        run("gcc", *PAN_FLAGS, "-o", "pan", "pan.c")
        before = time.perf_counter()
        printed = run(f"{folder}/pan", *room, *PAN_RUN)
        seconds = time.perf_counter() - before
    return Measured(
        number(r"(\d+) states, stored", printed), number(r"(\d+) transitions", printed) - 1, seconds
    )


def number(pattern: str, text: str) -> int:
    """Return the number that a tool printed."""
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in:\n{text}"
    return int(found[1])


def line(one: Row, us: Measured, spin: Measured | None) -> tuple[str, bool]:
    """Return a line of the table, and whether all counts are the expected ones."""
    wanted = (one.states, one.transitions)
    wrong = [
        f"{who} says {found.states:,} / {found.transitions:,}"
        for who, found in (("modelcheck", us), ("SPIN", spin))
        if found is not None and (found.states, found.transitions) != wanted
    ]
    theirs = (
        f"{spin.seconds:9.3f} {us.seconds / spin.seconds:8.1f}"
        if spin and spin.seconds
        else f"{'-':>9} {'-':>8}"
    )
    text = f"{one.name:24} {one.setting:18} {one.states:11,} {one.transitions:12,} {us.seconds:9.3f} {theirs}"
    return text + ("   WRONG: " + "; ".join(wrong) if wrong else ""), not wrong


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description="Counts and times beside SPIN's.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these models")
    parser.add_argument("--large", action="store_true", help="also the entries that counts.toml calls large")
    parser.add_argument("--bare", action="store_true", help="ask nothing: only count")
    chosen = parser.parse_args()
    print(
        f"{'model':24} {'setting':18} {'states':>11} {'transitions':>12} {'ours s':>9} {'SPIN s':>9} {'ratio':>8}"
    )
    right = True
    for one in rows():
        if (chosen.names and one.name not in chosen.names) or (one.large and not chosen.large):
            continue
        text, as_expected = line(one, ours(one, bare=chosen.bare), spins(one))
        print(text, flush=True)
        right = right and as_expected
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
