"""Running the command line: in this process, which is quick, or as a program, where signals and pipes matter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from modelcheck.cli import run
from modelcheck.cli.console import Console
from tests.transcript import ROOT

HOLDS = """
model holds;
mutex l;
var x: 0..3 guarded_by l;
invariant small: x < 3;
thread one { mutex_lock(l); x = 1; mutex_unlock(l); }
thread two { mutex_lock(l); x = 2; mutex_unlock(l); }
"""

DEADLOCK = """
model abba;
param BOTH_WAYS: bool = true;
mutex a;
mutex b;
thread one { mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); }
thread two {
    if (BOTH_WAYS) { mutex_lock(b); mutex_lock(a); } else { mutex_lock(a); mutex_lock(b); }
    mutex_unlock(a);
    mutex_unlock(b);
}
scenario wrong { expect deadlock; }
scenario right { BOTH_WAYS = false; expect holds; }
"""

MISTAKE = "model mistake;\nthread one { mutex_lock(l); }\n"

LARGE = """
model large marked;
var a: 0..999; var b: 0..999; var c: 0..999;
thread one { loop { a = (a + 1) % 1000; } }
thread two { loop { b = (b + 1) % 1000; } }
thread three { loop { c = (c + 1) % 1000; } }
"""

TEXTS = {"holds": HOLDS, "deadlock": DEADLOCK, "mistake": MISTAKE, "large": LARGE}


def write_all(folder: Path) -> None:
    """Write the specifications into a folder."""
    for name, text in TEXTS.items():
        (folder / f"{name}.mck").write_text(text, encoding="utf-8")


def modelcheck(*arguments: str) -> int:
    """Run one command in this process, and return its exit code."""
    return run(list(arguments), Console())


def program(*arguments: str, **more: object) -> subprocess.Popen[str]:
    """Start the program."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    started: subprocess.Popen[str] = subprocess.Popen(
        [sys.executable, "-m", "modelcheck", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        encoding="utf-8",
        **more,  # type: ignore[call-overload]
    )
    return started
