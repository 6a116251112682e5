"""Files to texts, and the imports between them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelcheck.diagnostics import SpecError
from modelcheck.language.loading import LARGEST_FILE
from modelcheck.language.parser import parse_with_imports, read
from modelcheck.source import Source


def test_a_file_is_named_as_the_caller_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.mck").write_bytes(b"\xef\xbb\xbfmutex a;\n")
    assert read("a.mck") == Source("a.mck", "mutex a;\n")


def unreadable(path: str | Path) -> str:
    with pytest.raises(SpecError) as caught:
        read(path)
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.code} {diagnostic.message}"


def test_what_is_no_text_cannot_be_read(tmp_path: Path) -> None:
    assert unreadable(tmp_path / "none.mck") == "MC002 cannot read the file: there is no such file"
    assert unreadable(tmp_path) == "MC002 cannot read the file: this is a directory"
    assert unreadable("a\0b") == "MC002 cannot read the file: embedded null byte"
    (tmp_path / "latin.mck").write_bytes(b"mutex a;\n// caf\xe9\n")
    assert unreadable(tmp_path / "latin.mck") == "MC002 cannot read the file: line 2 is not UTF-8 (byte 0xe9)"
    (tmp_path / "nul.mck").write_bytes(b"mutex a;\0")
    assert (
        unreadable(tmp_path / "nul.mck")
        == "MC002 cannot read the file: line 1 has a NUL byte: this is not a text file"
    )
    (tmp_path / "large.mck").write_bytes(b" " * (LARGEST_FILE + 10))
    assert (
        unreadable(tmp_path / "large.mck") == "MC003 the file has 1_048_586 bytes; at most 1_048_576 are read"
    )


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions bind others than root only")
def test_a_file_that_may_not_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.mck").touch(mode=0)
    assert unreadable(tmp_path / "a.mck") == "MC002 cannot read the file: Permission denied"


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name}.mck"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "main.mck"


def test_imports_are_followed_relative_to_the_importing_file_and_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    main = written(
        tmp_path, main='import "sub/a.mck"; import "b.mck"; import "./sub/../b.mck";', b="mutex b;"
    )
    (tmp_path / "sub" / "a.mck").write_text('import "../b.mck"; mutex a;', encoding="utf-8")
    found = parse_with_imports(main)
    assert [Path(each.span.source.name).name for each in found] == ["main.mck", "a.mck", "b.mck"]
    assert parse_with_imports(read(main)) == found


def test_a_ring_of_imports_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path(), main='import "a.mck";', a='\nimport "b.mck";', b='import "a.mck";')
    with pytest.raises(SpecError) as caught:
        parse_with_imports("main.mck")
    assert str(caught.value) == (
        "b.mck:1:1: error MC005: import cycle: `a.mck` imports `b.mck` imports `a.mck`\n"
        '    1 | import "a.mck";\n'
        "      | ^^^^^^^^^^^^^^^"
    )


def test_a_file_that_imports_itself_is_a_ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path(), main='import "main.mck";')
    with pytest.raises(SpecError, match=r"import cycle: `main\.mck` imports `main\.mck`"):
        parse_with_imports("main.mck")


def test_a_missing_import_is_reported_where_it_is_named_with_the_errors_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path(), main='import "a.mck";\nimport "none.mck";\n', a="mutex")
    with pytest.raises(SpecError) as caught:
        parse_with_imports("main.mck")
    assert [(d.code, str(d.span), d.message) for d in caught.value.diagnostics] == [
        ("MC001", "a.mck:1", "expected a name, found the end of the file"),
        ("MC004", "main.mck:2", "cannot import `none.mck`: there is no such file"),
    ]


def test_a_chain_of_imports_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for i in range(1000):
        Path(f"f{i}.mck").write_text(f'import "f{i + 1}.mck";', encoding="utf-8")
    with pytest.raises(SpecError, match="imports are nested more than 100 levels deep"):
        parse_with_imports("f0.mck")
