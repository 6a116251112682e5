"""Every test of the command line runs in a folder of its own, with the specifications of running.py in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import write_all


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_all(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
