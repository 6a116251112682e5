"""The tables made from grammars/mck.lark, and their cache."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import lark
import pytest

from modelcheck.data import grammar_text
from modelcheck.language import grammar as grammar_module


def test_the_grammar_has_one_ambiguity_the_else(caplog: pytest.LogCaptureFixture) -> None:
    lark.logger.setLevel(logging.DEBUG)
    lark.logger.addHandler(caplog.handler)
    try:
        lark.Lark(grammar_text("mck.lark"), parser="lalr", start="specification")
    finally:
        lark.logger.setLevel(logging.CRITICAL)
        lark.logger.removeHandler(caplog.handler)
    conflicts = {record.getMessage() for record in caplog.records if "onflict" in record.getMessage()}
    assert conflicts == {"Shift/Reduce conflict for terminal ELSE: (resolving as shift)"}


def test_lark_alone_reads_the_language_too() -> None:
    plain = lark.Lark(grammar_text("mck.lark"), parser="lalr", start="specification")
    assert plain.parse("mutex a; op f(b: T) { if (b) mutex_lock(a); else { state = next + 1; } } // done")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


def fresh() -> None:
    """Make or load the tables anew, and see that they work."""
    made = grammar_module.grammar.__wrapped__()
    assert "while" in made.vocabulary.reserved
    assert "MODEL" in made.tables.actions[made.tables.start]


def test_the_tables_are_cached(cache: Path) -> None:
    fresh()
    (file,) = cache.iterdir()
    before = file.stat().st_mtime_ns
    fresh()
    assert file.stat().st_mtime_ns == before
    assert list(cache.iterdir()) == [file]


@pytest.mark.parametrize("damage", ["", "nonsense", "half", "other digest", "no grammar"])
def test_a_damaged_cache_is_written_anew(cache: Path, damage: str) -> None:
    fresh()
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    damaged = {
        "half": whole[: len(whole) // 2],
        "other digest": b"0" + whole[1:],
        "no grammar": hashlib.sha256(b"[]").hexdigest().encode() + b"\n[]",
    }
    file.write_bytes(damaged.get(damage, damage.encode()))
    fresh()
    assert grammar_module._load(file) is not None
    assert list(cache.iterdir()) == [file]


def test_the_tables_from_the_cache_are_those_that_were_made(cache: Path) -> None:
    made = grammar_module.grammar.__wrapped__()
    assert grammar_module.grammar.__wrapped__() == made


def test_a_cache_that_cannot_be_written_does_no_harm(cache: Path) -> None:
    cache.write_text("a file where the folder should be", encoding="utf-8")
    fresh()


def test_a_cache_in_no_absolute_place_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: Path("~"))
    fresh()
    assert list(tmp_path.iterdir()) == []
