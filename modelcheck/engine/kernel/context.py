"""The numbers and addresses that compiled code and Python share: the global array `@g`, one slot each."""

from __future__ import annotations

from enum import IntEnum, auto, unique

from modelcheck.semantics.native_code import Code, Operand


@unique
class Slot(IntEnum):
    """A slot of `@g`.

    The arena holds the states in breadth-first order; COUNT of them are stored, HEAD are expanded, END is where the
    level ends. TABLE has CAPACITY entries. STOP: return before this state is expanded; GROW_AT: return when so many
    states could be exceeded; LIMIT: the most states. OUT, AUX, HASHES: the buffers of a batch; RECENT: states seen
    last. LOG: triples of note,
    state and aux; LOG_ROOM: return when more are used. FATES: bits of each state; CAUGHT: of each knot.
    CONES: bits of each state, one for a finding; MEMBERS: the numbers of the states of one cone; COSTS: of each member.
    The table has PARTS parts of PART entries, with TAG_BITS beside the number; a part begins STRIDE entries behind the
    one before it, and is nearly full with PART_FULL. WORKER: who owns this array.
    SHARED: what the workers tell each other (kernel/shared.py). In a joint search a worker expands SLICE states at
    once; OFFERS and NEWS have ROOM entries for each pair of workers, TRACKS for each worker. LATELY: states of the own
    part that were looked up last. YIELD: the function that lets others run.
    """

    ARENA = 0
    TABLE = auto()
    CAPACITY = auto()
    PARTS = auto()
    PART = auto()
    STRIDE = auto()
    TAG_BITS = auto()
    PART_FULL = auto()
    COUNT = auto()
    HEAD = auto()
    END = auto()
    STOP = auto()
    GROW_AT = auto()
    LIMIT = auto()
    OUT = auto()
    AUX = auto()
    HASHES = auto()
    RECENT = auto()
    BATCH = auto()
    LOG = auto()
    LOG_USED = auto()
    LOG_ROOM = auto()
    NOTING = auto()
    DEPTH = auto()
    FATES = auto()
    CAUGHT = auto()
    CONES = auto()
    MEMBERS = auto()
    MEMBERS_USED = auto()
    COSTS = auto()
    VIEWS = auto()
    VIEWS_INDEX = auto()
    VIEWS_MASK = auto()
    VIEWS_USED = auto()
    VIEWS_ROOM = auto()
    CROSSINGS = auto()
    CROSSINGS_INDEX = auto()
    CROSSINGS_MASK = auto()
    CROSSINGS_USED = auto()
    CROSSINGS_ROOM = auto()
    KNOTS = auto()
    KNOTS_INDEX = auto()
    KNOTS_MASK = auto()
    KNOTS_USED = auto()
    KNOTS_ROOM = auto()
    TIME_OUTS = auto()
    TIME_OUTS_INDEX = auto()
    TIME_OUTS_MASK = auto()
    TIME_OUTS_USED = auto()
    TIME_OUTS_ROOM = auto()
    WORKER = auto()
    SHARED = auto()
    YIELD = auto()
    SLICE = auto()
    OFFERS = auto()
    TRACKS = auto()
    LATELY = auto()
    NEWS = auto()
    ROOM = auto()


SLOTS = len(Slot)

ENTRIES_OF_A_BATCH = 1024
"""The buffers of a batch hold at least so many."""


@unique
class Status(IntEnum):
    """Why the search returned: the level is done, a budget is used, a buffer must grow, the limit of states is hit.

    LEFT: another worker did not come.
    """

    LEVEL = 0
    STOP = 1
    GROW = 2
    ROOM = 3
    LIMIT = 4
    LEFT = 5


def load(code: Code, slot: int, kind: str = "i64") -> Operand:
    """Read a slot."""
    return code.get(code.at("@g", slot), kind)


def store(code: Code, slot: int, value: Operand | int) -> None:
    """Write a slot."""
    code.set(code.at("@g", slot), value)
