"""Our counts and times beside SPIN's: `make bench`, or `python benchmarks/bench.py [--large] [--runs N] [NAME ...]`.

Runs what counts.toml lists with a Promela twin. All sides must have the states and transitions that the file says
(SPIN prints one transition more, for the initial state); otherwise the row is marked and the exit code is 1.
`count` is our native engine when it is asked nothing, as SPIN is here; `checks` is all that `modelcheck check` asks,
with the judgement of what was found and the certificates of all traces. Neither holds reading, compiling (our code
comes from the cache, as in a second run) or SPIN's C compiler. Without spin and gcc our half is printed.
`--table` writes the tables of docs/performance.md anew (tables.py).
"""

from __future__ import annotations

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

# The checkout comes before an installed version.
from modelcheck.engine import native  # noqa: E402
from modelcheck.engine.engine import Limits  # noqa: E402
from modelcheck.engine.kernel.program import loaded  # noqa: E402
from modelcheck.language.model import Model  # noqa: E402
from modelcheck.pipeline import Options, check_model, chosen_model, load  # noqa: E402
from modelcheck.result.verdict import Statistics  # noqa: E402
from modelcheck.semantics.asking import questions  # noqa: E402
from modelcheck.semantics.interpreter import Interpreter  # noqa: E402
from modelcheck.semantics.transition_system import transition_system  # noqa: E402

SPIN_FLAGS = ("-o3",)  # no merging of statements: it would change the counts
PAN_FLAGS = ("-O3", "-march=native", "-DSAFETY", "-DNOREDUCE", "-DMEMLIM=16000")
PAN_RUN = ("-E", "-A")  # go on after a deadlock or a failed assertion: the whole space

TELLING = 10_000
"""A model with fewer states is over before there is anything to compare."""


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

    @property
    def model(self) -> Model:
        """The model, read and elaborated."""
        return chosen_model(load(FOLDER / f"{self.name}.mck"), self.options)


@dataclass(frozen=True)
class Measured:
    """What one tool said about one row: seconds on the clock, seconds of processors, bytes for each state."""

    states: int
    transitions: int
    seconds: float
    processor: float
    size: float

    def time(self, *, processor: bool) -> float:
        """Return the seconds that were asked for."""
        return self.processor if processor else self.seconds


@dataclass(frozen=True)
class Result:
    """A row with what was measured."""

    row: Row
    count: Measured
    checks: Measured
    spin: Measured | None

    @property
    def wrong(self) -> tuple[str, ...]:
        """Who says something else than counts.toml."""
        sides = (("count", self.count), ("checks", self.checks), ("SPIN", self.spin))
        return tuple(
            f"{who} says {found.states:,} / {found.transitions:,}"
            for who, found in sides
            if found is not None
            and (found.states, found.transitions) != (self.row.states, self.row.transitions)
        )


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


# --- running -------------------------------------------------------------------------------------


def result(one: Row, runs: int, workers: int = 1) -> Result:
    """Measure a row; of several runs, in turn, the medians."""
    model, spin = one.model, Spin(one)
    system = transition_system(model)
    for asked in ((), questions(system)):
        text = native.fitting_text(Interpreter(system), asked)
        if text is not None:
            loaded(text)  # from now on it is in the cache
    counted, checked, spun = [], [], []
    limits = Limits(workers=workers)
    for _ in range(runs):
        counted.append(timed(lambda: native.explore(system, (), limits).statistics))
        checked.append(timed(lambda: check_model(model, replace(one.options, limits=limits)).statistics))
        spun += spin.runs()
    spin.close()
    return Result(one, middle(counted), middle(checked), middle(spun) if spun else None)


def timed(run: Callable[[], Statistics]) -> Measured:
    """Run something of ours."""
    seconds, processor = time.perf_counter(), time.process_time()
    found = run()
    seconds, processor = time.perf_counter() - seconds, time.process_time() - processor
    return Measured(found.states, found.transitions, seconds, processor, found.bytes_per_state)


def middle(runs: list[Measured]) -> Measured:
    """Return the median of several runs; where they count differently, the one with the wrong count."""
    if len({(each.states, each.transitions) for each in runs}) > 1:
        return max(runs, key=lambda each: (each.states, each.transitions))
    one = runs[0]
    return Measured(
        one.states,
        one.transitions,
        median(each.seconds for each in runs),
        median(each.processor for each in runs),
        one.size,
    )


class Spin:
    """SPIN's verifier of a twin; where SPIN or gcc is not installed, none."""

    def __init__(self, one: Row) -> None:
        self.folder = tempfile.TemporaryDirectory()
        # A stack as deep as there are states, a table of twice their number: no larger, it would cost time to clear.
        self.room = (f"-m{max(10_000, one.states)}", f"-w{max(16, one.states.bit_length() + 1)}")
        self.here = is_spin_here()
        if self.here:
            self._run("spin", "-a", *SPIN_FLAGS, *one.defines, str(FOLDER / f"{one.name}.pml"))
            self._run("gcc", *PAN_FLAGS, "-o", "pan", "pan.c")

    def _run(self, *command: str) -> str:
        folder = self.folder.name
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, encoding="utf-8").stdout

    def runs(self) -> list[Measured]:
        """Return what one run says."""
        if not self.here:
            return []
        seconds, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        printed = self._run(f"{self.folder.name}/pan", *self.room, *PAN_RUN)
        seconds, after = time.perf_counter() - seconds, resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        states = int(number(r"(\d+) states, stored", printed))
        megabytes = sum(
            number(rf"([\d.]+)\s+{kind}", printed)
            for kind in ("actual memory usage for states", "memory used for hash table")
        )
        transitions = int(number(r"(\d+) transitions", printed)) - 1
        return [Measured(states, transitions, seconds, processor, megabytes * (1 << 20) / states)]

    def close(self) -> None:
        """Remove what was generated."""
        self.folder.cleanup()


def is_spin_here() -> bool:
    """Tell whether SPIN can run."""
    return bool(shutil.which("spin") and shutil.which("gcc"))


def number(pattern: str, text: str) -> float:
    """Return the number that a tool printed."""
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in:\n{text}"
    return float(found[1])


# --- the table -----------------------------------------------------------------------------------

HEAD = (
    "model",
    "setting",
    "states",
    "transitions",
    "count s",
    "checks s",
    "SPIN s",
    "ratio",
    "bytes",
    "SPIN's",
)
WIDTHS = (24, 18, 12, 13, 9, 9, 9, 7, 6, 7)


def cells(found: Result, *, processor: bool) -> tuple[str, ...]:
    """Return the cells of a line; small models have no ratio and no bytes, as these would say nothing."""
    one, spin = found.row, found.spin
    telling = one.states >= TELLING
    return (
        one.name,
        one.setting,
        f"{one.states:,}",
        f"{one.transitions:,}",
        f"{found.count.time(processor=processor):.3f}",
        f"{found.checks.time(processor=processor):.3f}",
        f"{spin.time(processor=processor):.3f}" if spin else "-",
        ratio(spin, found.count, processor=processor) if telling else "-",
        f"{found.count.size:.1f}" if telling else "-",
        f"{spin.size:.1f}" if spin and telling else "-",
    )


def ratio(theirs: Measured | None, ours: Measured, *, processor: bool) -> str:
    """Return how many times as long they took as we did."""
    return f"{theirs.time(processor=processor) / ours.time(processor=processor):.1f}" if theirs else "-"


def line(of: tuple[str, ...]) -> str:
    """Return a line for the terminal: words to the left, numbers to the right."""
    parts = [
        each.ljust(n) if i < 2 else each.rjust(n) for i, (each, n) in enumerate(zip(of, WIDTHS, strict=True))
    ]
    return " ".join(parts).rstrip()


LEGEND = f"""
count: our engine, asked nothing; checks: with all checks; ratio: SPIN's time through that of count
bytes: memory for each state, with its share of the table; no ratio and no bytes below {TELLING:,} states"""


def main() -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description="Counts and times beside SPIN's.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these models")
    parser.add_argument("--large", action="store_true", help="also the entries that counts.toml calls large")
    parser.add_argument(
        "--runs", type=int, default=1, metavar="N", help="the median of so many runs (default: 1)"
    )
    parser.add_argument(
        "--processor-time", action="store_true", help="seconds of processors, not of the clock"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="ours with N workers (1)")
    parser.add_argument("--table", action="store_true", help="write the tables of docs/performance.md")
    chosen = parser.parse_args()
    if chosen.table:
        from benchmarks import tables

        return tables.write(chosen.runs, processor=chosen.processor_time)
    every = list(rows())
    unknown = sorted(set(chosen.names) - {one.name for one in every})
    if unknown:
        parser.error(f"no model {', '.join(unknown)}; there are {', '.join(sorted({o.name for o in every}))}")
    print(line(HEAD))
    right = True
    for one in every:
        if (chosen.names and one.name not in chosen.names) or (one.large and not chosen.large):
            continue
        found = result(one, chosen.runs, chosen.workers)
        wrong = "   WRONG: " + "; ".join(found.wrong) if found.wrong else ""
        print(line(cells(found, processor=chosen.processor_time)) + wrong, flush=True)
        right = right and not found.wrong
    print(
        LEGEND
        if is_spin_here()
        else f"{LEGEND}\nSPIN's half is left out: spin and gcc are not both installed"
    )
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
