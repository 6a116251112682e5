"""The tables of docs/performance.md: measured anew and written there by `python benchmarks/bench.py --table`.

With --processor-time the ratios are of seconds of processors, which say more on a machine that does other things too,
and hide that a program used two processors at once.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import bench

ROOT = bench.FOLDER.parent
DOCUMENT = ROOT / "docs" / "performance.md"

SMALL = ("peterson", "dekker", "bakery", "filter_lock", "philosophers_left_first", "readers_writers", "qrcu")
"""What `small` measures: the first entry of each in counts.toml, with the scenario that is named there."""


def write(runs: int, *, processor: bool) -> int:
    """Measure everything, and write it into the document; return the exit code."""
    right = True
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, table in (("race", race), ("small", small)):
        lines = []
        for each in table(runs, processor=processor):
            print(each, flush=True)
            lines.append(each)
            right = right and "WRONG" not in each
        lines += ["", f"Seconds {'of processors' if processor else 'on the clock'}; medians of {runs}."]
        text = replaced(text, name, "\n".join(lines))
    DOCUMENT.write_text(text, encoding="utf-8")
    print(f"wrote {DOCUMENT.relative_to(ROOT)}")
    return 0 if right else 1


def replaced(text: str, name: str, table: str) -> str:
    """Return the document with the table of this name in the place of what was there."""
    start, end = f"<!-- table: {name} -->\n", "<!-- end -->"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    assert len(pattern.findall(text)) == 1, f"one table {name} in {DOCUMENT.name}"
    return pattern.sub(lambda _: f"{start}{table}\n{end}", text)


def written(*cells: str) -> str:
    """Return a line of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


# --- the race ------------------------------------------------------------------------------------


def race(runs: int, *, processor: bool) -> Iterator[str]:
    """Yield the table of the models that are large enough to race with."""
    yield written("model", "states", "transitions", "SPIN / count", "SPIN / checks", "bytes", "SPIN's bytes")
    yield written("---", *["---:"] * 6)
    for row in bench.rows():
        if row.states >= bench.TELLING:
            found = bench.result(row, runs)
            yield written(
                f"{row.name} {row.setting}",
                f"{row.states:,}",
                f"{row.transitions:,}",
                bench.ratio(found.spin, found.count, processor=processor),
                bench.ratio(found.spin, found.checks, processor=processor),
                f"{found.count.size:.1f}",
                f"{found.spin.size:.1f}" if found.spin else "-",
            ) + "".join(f" WRONG: {each}" for each in found.wrong)


# --- small models --------------------------------------------------------------------------------


def small(runs: int, *, processor: bool) -> Iterator[str]:
    """Yield the table of whole commands on small models."""
    yield written("model", "states", "SPIN / ours", "SPIN / ours, the first time")
    yield written("---", *["---:"] * 3)
    first: dict[str, bench.Row] = {}
    for row in bench.rows():
        first.setdefault(row.name, row)
    for row in (first[name] for name in SMALL):
        with tempfile.TemporaryDirectory() as folder:
            caches = [Path(folder) / str(n) for n in range(runs)]
            once = median(command(row, cache, processor=processor) for cache in caches)
            again = median(command(row, cache, processor=processor) for cache in caches)
        spins = [spin(row, processor=processor) for _ in range(runs)] if bench.is_spin_here() else []
        ratios = [f"{median(spins) / ours:.1f}" if spins else "-" for ours in (again, once)]
        yield written(f"{row.name} {row.setting}", f"{row.states:,}", *ratios)


def seconds(*, processor: bool) -> float:
    """Return the time now: of the clock, or of the processors in commands that have ended."""
    used = os.times()
    return used.children_user + used.children_system if processor else time.perf_counter()


def command(row: bench.Row, cache: Path, *, processor: bool) -> float:
    """Return how long `modelcheck check` takes, with what is cached there, Python's own byte code too."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPYCACHEPREFIX": str(cache / "python")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPATH"] = str(ROOT)
    chosen = [f"--scenario={row.options.scenario}"] if row.options.scenario else []
    given = [f"-p{name}={value}" for name, value in row.options.parameters.items()]
    file = str(bench.FOLDER / f"{row.name}.mck")
    start = seconds(processor=processor)
    called = [sys.executable, "-m", "modelcheck", "check", *chosen, *given, file]
    subprocess.run(called, env=environment, check=False, capture_output=True)
    return seconds(processor=processor) - start


def spin(row: bench.Row, *, processor: bool) -> float:
    """Return how long SPIN, gcc and the verifier take together."""
    start = seconds(processor=processor)
    verifier = bench.Spin(row)
    verifier.runs()
    verifier.close()
    return seconds(processor=processor) - start
