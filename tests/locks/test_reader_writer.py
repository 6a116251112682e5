"""What sets rwsem, rwlock, seqlock and percpu_rwsem apart, on small models (SEMANTICS A9, H1)."""

from __future__ import annotations

import pytest

from modelcheck.pipeline import Options
from tests.checking import checked, names
from tests.locks.reader_writer_models import EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_violated_is_what_the_kind_of_lock_says(name: str) -> None:
    example = EXAMPLES[name]
    report = checked(example.text)
    assert (example.violated, "") == (names(report), report.stopped)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_warned_of_is_what_the_lock_order_says(name: str) -> None:
    example = EXAMPLES[name]
    if not example.violated:
        assert example.warned == {w.name for w in checked(example.text).warnings if w.name != "vacuity"}


SPEAKS = frozenset({"circular_wait", "lock_rules", "assertion", "guarded_by"})
"""What z3 is asked as well; a thread that is stuck for ever is a question about all continuations."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_z3_finds_what_the_complete_search_finds(name: str) -> None:
    example = EXAMPLES[name]
    assert example.violated & SPEAKS == names(checked(example.text, Options(engine="z3"))) & SPEAKS


WRITES = "thread {} {{ down_write(l); up_write(l); }}"
SPINS = "thread writer { write_lock(l); write_unlock(l); } thread reader { read_lock(l); read_unlock(l); }"
LOOKS = "thread writer { write_seqlock(l); write_sequnlock(l); } thread reader { read_seqbegin(l); read_seqretry(l); }"


@pytest.mark.parametrize(
    ("text", "states"),
    [
        # Before, announced, holding, after.
        ("rwsem l;" + WRITES.format("a"), 4),
        # All pairs of these, but for both holding it.
        ("rwsem l;" + WRITES.format("a") + WRITES.format("b"), 15),
        # Four places of the writer, three of the reader, but for both holding it.
        ("rwlock l;" + SPINS, 11),
        # The writer is before, inside or after its section; three of each where the reader is before or after its own.
        # Inside it is clean before the writer's, dirty within, and either after, as it began before or after.
        ("seqlock l;" + LOOKS, 3 + 3 + 1 + 1 + 2),
    ],
)
def test_the_states_are_those_that_one_counts_by_hand(text: str, states: int) -> None:
    assert states == checked(text).statistics.states
