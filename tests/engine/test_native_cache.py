"""The cache of compiled code: what is not exactly as it was written is compiled anew, never loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelcheck.engine.kernel import compiling

ANSWER = "@x = global [1 x i64] zeroinitializer\ndefine i64 @answer(i64 %n) {\n  %m = add i64 %n, 1\n  ret i64 %m\n}\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "modelcheck"


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []
    real = compiling.compiled

    def compiled(text: str, here: compiling.Machine) -> bytes:
        done.append(text)
        return real(text, here)

    monkeypatch.setattr(compiling, "compiled", compiled)
    return done


def answer(text: str = ANSWER) -> int:
    return int(compiling.load(text, ("answer",)).function("answer", 1)(41))


def test_code_is_compiled_once(cache: Path, compilations: list[str]) -> None:
    assert [answer(), answer()] == [42, 42]
    assert len(compilations) == 1
    assert len(list(cache.glob("native-*.o"))) == 1


def test_another_text_is_another_entry(cache: Path, compilations: list[str]) -> None:
    assert [answer(), answer(ANSWER.replace("%n, 1", "%n, 2"))] == [42, 43]
    assert len(compilations) == len(list(cache.glob("native-*.o"))) == 2


@pytest.mark.parametrize("cut", [0, 5, 30, 60, 200])
def test_an_entry_that_was_cut_is_ignored(cache: Path, compilations: list[str], cut: int) -> None:
    answer()
    (file,) = cache.glob("native-*.o")
    file.write_bytes(file.read_bytes()[:cut])
    assert answer() == 42
    assert len(compilations) == 2


@pytest.mark.parametrize("place", [0, 25, -1])
def test_an_entry_that_was_changed_is_ignored(cache: Path, compilations: list[str], place: int) -> None:
    answer()
    (file,) = cache.glob("native-*.o")
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(bytes(content))
    assert answer() == 42
    assert len(compilations) == 2


def test_a_folder_that_cannot_be_written_costs_the_compilation_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert answer() == 42


def test_old_entries_go_when_there_are_too_many(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_KEPT", 4)
    for number in range(6):
        answer(ANSWER.replace("%n, 1", f"%n, {number}"))
    assert len(list(cache.glob("native-*.o"))) <= 5
