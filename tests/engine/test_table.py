"""The table of visited states: whatever its size was and becomes, every state is found, and no other."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelcheck.engine.engine import Limits
from modelcheck.engine.kernel import refilling
from modelcheck.engine.kernel import store as kernel_store
from modelcheck.engine.kernel.context import Slot
from modelcheck.engine.kernel.program import loaded, program_text
from modelcheck.engine.kernel.store import Store
from modelcheck.engine.kernel.visited import ENTRY, tag_bits
from modelcheck.engine.kernel.worker import Sizes
from modelcheck.engine.watch import Watch
from modelcheck.language.elaborate import elaborate
from modelcheck.language.parser import parse
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State, transition_system
from modelcheck.source import Source

TEXT = """model m marked; var a: 0..29; var b: 0..29; var c: 0..29;
thread one { loop { a = (a + 1) % 29; } } thread two { loop { b = (b + 1) % 29; } }
thread three { loop { c = (c + 1) % 29; } }"""

STATES = 29**3


def searched(text: str = TEXT, *, workers: int = 1) -> Store:
    """Return the store after the whole search."""
    interpreter = Interpreter(transition_system(elaborate((parse(Source("test.mck", text)),))))
    program = loaded(program_text(interpreter, ()))
    sizes = Sizes(slice=64, joint=1, start=1, share=0, guarded=True)
    with Watch(Limits(workers=workers), None) as watch:
        store = Store(program, interpreter, watch, sizes)
        store.begin(step.target for step in interpreter.before_time if step.target is not None)
        while store.level_up():
            while not store.advance(1 << 20):
                pass
    return store


@pytest.fixture(scope="module", params=[1, 2, 3], ids="of {} parts".format)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    made = searched(workers=request.param)
    assert len(made.crew.workers) == request.param
    yield made
    made.close()


def find_all(store: Store) -> None:
    """Each state has its number; one that was not reached has none."""
    for number in range(0, len(store), 11):
        assert store.number(store.state(number)) == number
    for number in range(0, len(store), 1000):
        assert store.number(unreached(store.state(number))) is None


def unreached(state: State) -> State:
    """Return the state with 29 in place of a counter's value: a value of its type that it never has."""
    changed = list(state)
    changed[0] = 29
    return tuple(changed)


def taken(store: Store) -> int:
    """Count the entries that are not empty."""
    g, count = store.crew.first.g, 0
    for n in range(int(g[Slot.PARTS])):
        whole = store._buffers[Slot.TABLE].read(n * int(g[Slot.STRIDE]) * ENTRY, int(g[Slot.PART]) * ENTRY)
        count += sum(whole[k : k + ENTRY] != bytes(ENTRY) for k in range(0, len(whole), ENTRY))
    return count


@settings(max_examples=12)
@given(st.lists(st.floats(1.02, 6), min_size=1, max_size=4))
def test_a_table_of_any_other_size_has_the_same_states(store: Store, spaces: list[float]) -> None:
    for space in spaces:
        fullest = max(store.crew.used()) * len(store.crew.workers)
        store._resize_table(int(fullest * space) + 8 * len(store.crew.workers))
        assert taken(store) == len(store) == STATES
        find_all(store)


def test_a_full_table_grows_and_shrinks_where_it_lies(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_replace_table", None)
    address = int(store.crew.first.g[Slot.TABLE])
    for capacity in (30_000, 40_000, 90_000, 1_000_000, 50_000, 31_000):
        store._resize_table(capacity)
        g = store.crew.first.g
        assert store._buffers[Slot.TABLE].size == store._end_of_table()
        assert capacity <= g[Slot.CAPACITY] == g[Slot.PARTS] * g[Slot.PART] < capacity + g[Slot.PARTS]
        find_all(store)
    assert int(store.crew.first.g[Slot.TABLE]) == address


@pytest.mark.parametrize(
    "large", [False, True], ids=["more has to be put aside than there is room", "too large"]
)
def test_where_that_cannot_be_it_is_filled_from_the_arena(
    large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(kernel_store, "MOST_RESIZED", 0)
    else:
        monkeypatch.setattr(refilling, "ASIDE", 1)
    replaced: list[int] = []

    def replace(size: int) -> None:
        replaced.append(size)
        real(size)

    store = searched()
    real = store._replace_table
    monkeypatch.setattr(store, "_replace_table", replace)
    for capacity in (26_000, 27_000, 200_000, 26_000):
        store._resize_table(capacity)
        assert taken(store) == STATES
        find_all(store)
    assert replaced
    store.close()


@given(st.integers(2, 1 << 32))
def test_the_number_and_what_an_entry_tells_of_the_hash_have_room(capacity: int) -> None:
    bits = tag_bits(capacity)
    assert capacity < 1 << 8 * ENTRY - bits
    assert 7 <= bits <= 38
    # Place and low bits together tell 34 bits of the hash.
    assert (capacity - 1).bit_length() + bits - 5 >= 34


def test_every_hash_is_told_by_its_place_and_low_bits() -> None:
    """The arithmetic of `hash_told`, in Python, for many hashes and capacities."""
    pick = random.Random(1)
    for _ in range(20_000):
        capacity = pick.randrange(2, 1 << pick.randrange(2, 31))
        mixed = pick.randrange(1 << 34)
        place, low = divmod(mixed * capacity, 1 << 34)
        left_out = 8 * ENTRY - 1 - tag_bits(capacity)
        least = (place << 34) | (low >> left_out << left_out)
        assert least + capacity - 1 < 1 << 64
        assert (least + capacity - 1) // capacity == mixed
