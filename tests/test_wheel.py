"""What `pip install` gives: the package with its grammars and specifications, usable from anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.transcript import ROOT

pytestmark = pytest.mark.slow


def build(kind: str, project: Path, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(into)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (built,) = into.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def data_files() -> set[str]:
    return {
        f"modelcheck/_data/{path.relative_to(ROOT)}"
        for folder in ("grammars", "specs")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".lark", ".mck"}
    }


def test_the_wheel_holds_the_grammars_and_the_specifications(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert data_files() <= names
    outside = {name for name in names if not name.startswith(("modelcheck/", "modelcheck-"))}
    assert not outside


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    archive = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(archive) as unpacked:
        unpacked.extractall(tmp_path, filter="data")
    (project,) = tmp_path.glob("modelcheck-*")
    again = build("wheel", project, tmp_path / "again")
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_the_installed_tool_finds_its_data_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
    ]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def python(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-P", *arguments],
            cwd=elsewhere,
            env=environment,
            check=True,
            capture_output=True,
            encoding="utf-8",
        ).stdout

    where = python("-c", "import modelcheck.data as d; print(d.__file__); print(d.specs_folder())")
    assert all(line.startswith(str(site)) for line in where.splitlines()), where
    listed = python("-m", "modelcheck", "specs")
    assert "lock_inversion" in listed
