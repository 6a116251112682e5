"""The house rules that other tools check: style, types, and that the documents and the scripts agree."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.transcript import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Spelled in two parts, so that this file does not find itself.
HOSTS = re.compile("pypi" + r"\.org|pythonhosted" + r"\.org|registry" + r"\.npmjs|://[^/\s]*/simple\b")
HOME_OF_SOMEBODY = re.compile(r"(?<![\w.])/(?:home|root|work|opt|farm|Users)/\w")


def tree() -> list[Path]:
    """Return the text files of the repository that people write."""
    folders = ["modelcheck", "grammars", "specs", "tests", "examples", "docs", "benchmarks", ".ci"]
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    found += [path for path in ROOT.iterdir() if path.is_file() and not path.match("modelcheck-bug-*")]
    return sorted(path for path in found if not {"__pycache__", "_data", "node_modules"} & set(path.parts))


def readable(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize(
    "arguments",
    [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]],
    ids=["ruff check", "ruff format", "mypy"],
)
def test_style_and_types(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(arguments)}:\n{done.stdout}", pytrace=False)


def test_every_ignored_rule_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ignored = re.findall(r'^ +"[A-Z]+[0-9]*",.*$', text, re.MULTILINE)
    assert len(ignored) > 10
    assert [line for line in ignored if not re.search(r"# \S+ \S+", line)] == []


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in script if line.endswith("-m pytest")]
    assert len(commands) == 1
    assert commands[0] in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert script[-1] == commands[0]


def test_constraints_cover_the_dependencies_with_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", line)] == []
    pinned = {plain(line.split("==")[0]) for line in lines}
    groups = PROJECT["dependency-groups"]
    wanted = [*PROJECT["project"]["dependencies"], *groups["test"], *groups["lint"]]
    assert {plain(re.split(r"[<>=!~ ]", name)[0]) for name in wanted} <= pinned


def plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def test_every_dependency_is_explained() -> None:
    text = (ROOT / "docs/decisions/0001-dependencies.md").read_text(encoding="utf-8")
    names = [re.split(r"[<>=!~ ]", name)[0] for name in PROJECT["project"]["dependencies"]]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_repository_names_no_machine_and_no_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in tree()
        for number, line in enumerate(readable(path).splitlines(), 1)
        if HOSTS.search(line) or HOME_OF_SOMEBODY.search(line)
    ]
    assert not found, "\n".join(found)


def test_architecture_fits_on_a_page() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 80


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
