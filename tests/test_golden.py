"""Transcripts: tests/golden/NAME.mck begins with the commands, NAME.expect holds what they print.

What other models import, and what has no command of its own, lives in tests/golden/imported/.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.transcript import Golden, Tool

FOLDER = Path(__file__).parent / "golden"
COMMAND = "// $ "


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the folder: a model may import another, a command may write a file."""
    return Path(shutil.copytree(FOLDER, tmp_path_factory.mktemp("golden"), dirs_exist_ok=True))


def commands(text: str) -> list[str]:
    """Return the commands in the first lines of a model."""
    found = []
    for line in text.splitlines():
        if not line.startswith(COMMAND):
            break
        found.append(line.removeprefix(COMMAND).strip())
    return found


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.mck")))
def test_what_the_tool_prints_is_what_it_printed_before(
    name: str, golden: Golden, tool: Tool, models: Path
) -> None:
    wanted = commands((FOLDER / f"{name}.mck").read_text(encoding="utf-8"))
    assert wanted, f"{name}.mck: the first line is a command, `{COMMAND}modelcheck ...`"
    transcript = ""
    for command in wanted:
        run = tool(command, models)
        assert run.code != 70, run.output
        transcript += f"$ {command}\n{ending_in_newline(run.output)}exit {run.code}\n"
    golden.check(FOLDER / f"{name}.expect", transcript)


def ending_in_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def test_every_expectation_has_its_model() -> None:
    models = {path.stem for path in FOLDER.glob("*.mck")}
    assert {path.stem for path in FOLDER.glob("*.expect")} <= models
