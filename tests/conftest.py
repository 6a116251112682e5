"""What all tests share: running the tool as a user does, and comparing text with a file that holds it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.transcript import ROOT, Golden, Run, Tool

# `make check-all` asks for many more generated models than `make check`. Both are deterministic: what is
# red for one is red for everybody.
settings.register_profile(
    "modelcheck",
    max_examples=int(os.environ.get("MODELCHECK_EXAMPLES", "50")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("modelcheck")

# A shell that starts the tests in the background has them ignore Ctrl-C, which is among what they test.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what the tool prints now into tests/golden and into the documents, instead of comparing",
    )


@pytest.fixture(scope="session")
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(updating=request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """Return a function that runs one command line, `modelcheck ...`, in a folder."""
    cache = tmp_path_factory.mktemp("cache")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MODELCHECK_")},
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
        "TERM": "dumb",
        "XDG_CACHE_HOME": str(cache),
    }

    def run(command: str, folder: Path) -> Run:
        program, *arguments = shlex.split(command)
        assert program == "modelcheck", f"not a command of ours: {command}"
        done = subprocess.run(
            [sys.executable, "-m", "modelcheck", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        return Run(done.stdout, done.returncode)

    return run


@pytest.fixture
def in_folder(tmp_path: Path) -> Iterator[Path]:
    """Make an empty folder the current one for the time of a test."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)
