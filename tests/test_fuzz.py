"""Specifications with a few words changed: whatever is typed ends in a model or in diagnostics, and soon."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelcheck.diagnostics import CODES
from modelcheck.source import Source
from tests.transcript import ROOT
from tests.wrong_inputs import inside, options_of, read_all

FOLDERS = ("specs", "benchmarks", "tests/wrong")
SECONDS = 20
TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|\"[^\"\n]*\"|\w+|\s+|[-+*/%&|^<>=!.]+|.", re.DOTALL)

WORDS = """
0 1 2 3 7 -1 62 63 20001 4611686018427387903 0..3 1..0 true false self mover next held free at inside finished blocked
mutex percpu_rwsem spinlock mutex_lock mutex_unlock mutex_trylock percpu_down_read percpu_up_write guard(mutex)(l);
( ) [ ] { } ; , : = == != < <= > >= && || ! ~ & | ^ + - * / % << >> ? . .. -> implies in ++ -- += |=
var param const type enum record scalarset op thread daemon unfair init invariant step reachable property scenario
if else while loop for choose where either or await assert atomic skip break continue return goto label: set of bool
Errno EBUSY -EBUSY expect holds deadlock run limit states override without import marked guarded_by when acquires
READ_ONCE WRITE_ONCE data_race lockdep_assert_held forall exists count as emit scoped_guard unguarded unknown é \0
"""
"""What is put in: words of the language, and what people write by mistake."""


@cache
def files() -> tuple[Path, ...]:
    return tuple(sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.mck")))


@cache
def tokens_of(path: Path) -> tuple[str, ...]:
    return tuple(TOKEN.findall(path.read_text(encoding="utf-8")))


def meant(tokens: list[str]) -> list[int]:
    """Return the positions of the tokens that mean something."""
    found = [i for i, each in enumerate(tokens) if not each.isspace() and not each.startswith(("//", "/*"))]
    return found or [0]


Change = tuple[str, int, int, int]
"""What is done, two positions (taken modulo the number of words), and which word is put in."""

CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["delete", "double", "swap", "replace", "insert", "copy", "cut", "move"]),
        st.integers(0, 1 << 16),
        st.integers(0, 1 << 16),
        st.integers(0, 1 << 10),
    ),
    min_size=1,
    max_size=5,
)


def changed(tokens: tuple[str, ...], changes: list[Change]) -> str:
    """Return the text with some of its words changed."""
    result = list(tokens)
    for each in changes:
        if result:
            result = changed_once(result, each)
    return "".join(result)


def changed_once(tokens: list[str], change: Change) -> list[str]:
    kind, first, second, word = change
    places = meant(tokens)
    i, j = places[first % len(places)], places[second % len(places)]
    put = f" {WORDS.split()[word % len(WORDS.split())]} "
    match kind:
        case "delete":
            return [*tokens[:i], *tokens[i + 1 :]]
        case "double":
            return [*tokens[: i + 1], " ", *tokens[i:]]
        case "swap":
            swapped = list(tokens)
            swapped[i], swapped[j] = tokens[j], tokens[i]
            return swapped
        case "replace":
            return [*tokens[:i], put, *tokens[i + 1 :]]
        case "insert":
            return [*tokens[:i], put, *tokens[i:]]
        case "copy":
            return [*tokens[:i], tokens[j], *tokens[i + 1 :]]
        case "cut":
            return [*tokens[:i], *tokens[i + word % 12 :]]
        case _:
            return [*tokens[:j], *tokens[i : i + word % 12], *tokens[j:]]


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Fail what takes more processor time: a loop without an end would say nothing."""

    def stop(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"reading takes more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def read_changed(path: Path, changes: list[Change]) -> None:
    text = changed(tokens_of(path), changes)
    outside = text if options_of(path.read_text(encoding="utf-8")) != ({}, None) else ""
    with inside(path.parent), limited(SECONDS):
        models, found = read_all(Source(path.name, text), outside)
        shown = [each.render() for each in found]
    assert models or found
    assert all(each.code in CODES for each in found)
    assert all(0 <= each.span.start <= each.span.end <= len(each.span.source.text) for each in found)
    assert len(set(shown)) == len(shown)


@given(st.sampled_from(files()), CHANGES)
@settings(max_examples=200)
def test_a_specification_with_changed_words_is_a_model_or_diagnostics(
    path: Path, changes: list[Change]
) -> None:
    read_changed(path, changes)


@pytest.mark.slow
@given(st.sampled_from(files()), CHANGES)
@settings(max_examples=8000)
def test_many_specifications_with_changed_words_are_models_or_diagnostics(
    path: Path, changes: list[Change]
) -> None:
    read_changed(path, changes)
