"""Progress: on a terminal while a search is long, nowhere else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.cli.running import program
from tests.transcript import ROOT

SHOWN = re.compile(
    r"[\d,]+ states, [\d,]+ transitions, depth \d+, [\d,]+ to expand, [\d,]+ states/s, [\d.]+ MiB"
)


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """Return what a command writes to stderr if that is a terminal 200 columns wide."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "TERM": "xterm", "NO_COLOR": "1"}
    running = subprocess.Popen(
        [sys.executable, "-m", "modelcheck", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=folder,
        env=environment,
    )
    os.close(theirs)
    written = b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            more = os.read(ours, 1 << 16)
        except OSError:
            break  # the other end is closed
        if not more:
            break
        written += more
    os.close(ours)
    running.wait(timeout=60)
    return written.decode()


def test_progress_is_shown_on_a_terminal(folder: Path) -> None:
    for engine in ("native", "reference"):
        told = on_a_terminal(folder, "check", "large.mck", "--engine", engine, "--time-limit", "3")
        assert SHOWN.search(told), (engine, told)


def test_with_json_there_is_no_progress(folder: Path) -> None:
    assert on_a_terminal(folder, "check", "large.mck", "--json", "--time-limit", "2") == ""


def test_where_nobody_looks_there_is_no_progress(folder: Path) -> None:
    running = program("check", "large.mck", "--time-limit", "2", cwd=folder)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (3, "")
    assert "undecided: limit of 2 seconds" in out
