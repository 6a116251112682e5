"""The search by several workers, which numbers the states exactly as one worker does (SEMANTICS H18, H10).

A batch is a piece of the level; worker i expands the i-th slice of it. Each part of the table has one worker, its
owner. The batch takes three rounds, with a barrier before the second and before the third:

1. `@offer(first, last)`: expand the slice; write each successor to the list for the owner of its place in the table,
   and beside the list for this worker only who moved from where, and the position among all its successors. What this
   worker has offered lately is left out: it has a number, or is offered before.
2. `@claim(count)`: look up what is offered, worker after worker, each list in order; what was looked up lately is
   there. A state that is missing is entered with a number from `count` on that says where it is offered; so the first
   of several equal ones is the new one.
3. `@number_new(count)`: the new states among a worker's successors get their numbers, in the order of their positions,
   after those of the workers before it. They are stored, and what shows at them is noted. The owner writes the numbers
   into the table (`@enter_numbers()`) before it looks up anything else.

Each word is written by one worker between two barriers, so that who is quicker cannot be seen in anything. A new state
is compared where it is offered until it has its number; so a batch must not outgrow the lists: a slice is as long as
the most successors allow. Between workers goes as little as can be: a line of the cache that another processor has
written costs as much as one from memory.

Shared hash tables with compare-and-swap (Laarman, van de Pol, Weber 2010) need no owners; but there it depends on who
is quicker which of two parents a state has, and which number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from modelcheck.engine.engine import MOST_WORKERS
from modelcheck.engine.kernel.context import Slot, Status, load, store
from modelcheck.engine.kernel.search import Shape, expand_slice, wants_room
from modelcheck.engine.kernel.shared import NEW, OFFERED, USED, WANTS, told
from modelcheck.engine.kernel.visited import Table, hash_of, recent, share, unseen, words_at
from modelcheck.semantics.native_code import Code, Operand

_AT_ONCE = 256
"""States of a list that are looked up together."""

TRACK_WORDS = 2
"""Of a state that is offered, for the worker that offers it: who moved from where, and the position."""

NEWS_WORDS = 2
"""Of a new state: its place in the list, and later its number; and the address of its entry."""

_OFFERED_LATELY = 1 << 16
LOOKED_UP_LATELY = 1 << 20
"""Bytes of the states that a worker has offered last, and of those that an owner has looked up last."""


class _Lists:
    """Writes access to the lists of states that one worker offers to another, and of the new ones among them."""

    def __init__(self, code: Code, words: int) -> None:
        self._code = code
        self._words = words
        self.workers = load(code, Slot.PARTS)
        self.room = load(code, Slot.ROOM)
        self._offers = load(code, Slot.OFFERS, "ptr")
        self._tracks = load(code, Slot.TRACKS, "ptr")
        self._news = load(code, Slot.NEWS, "ptr")

    def first(self, owner: Operand, source: Operand) -> Operand:
        """Return the number of the first place of a list, among all places."""
        code = self._code
        return code.mul(code.add(code.mul(owner, self.workers), source), self.room)

    def offered(self, place: Operand) -> Operand:
        """Return the address of a state that is offered."""
        return self._code.at(self._offers, self._code.mul(place, self._words))

    def track(self, owner: Operand, nth: Operand) -> Operand:
        """Return the address of what this worker keeps beside the nth state that it offers to an owner."""
        code = self._code
        return code.at(self._tracks, code.mul(code.add(code.mul(owner, self.room), nth), TRACK_WORDS))

    def new(self, place: Operand) -> Operand:
        """Return the address of what is said of a new state."""
        return self._code.at(self._news, self._code.mul(place, NEWS_WORDS))


_AUX, _POSITION = range(TRACK_WORDS)


class _Claims(Table):
    """The table while new states are claimed: numbers from `count` on are places among those offered to the owner."""

    def __init__(self, code: Code, words: int, lists: _Lists, count: Operand) -> None:
        super().__init__(code, words)
        self._count = count
        self._lists = lists
        self._first = lists.first(load(code, Slot.WORKER), "0")

    def state(self, number: Operand) -> Operand:
        """Return the address of a state."""
        code = self.code
        offered = self._lists.offered(code.add(self._first, code.sub(number, self._count)))
        stored = code.compare("ult", number, self._count)
        return code.op(f"select i1 {stored}, ptr {super().state(number)}, ptr {offered}")


def joint_search(shape: Shape) -> list[str]:
    """Return `@search_jointly()` and what it calls; all workers call it, and it returns the same to all of them."""
    words = shape.words
    return [_offer(shape), _claim(words), _number_new(shape), _enter_numbers(words), _search_jointly()]


def _search_jointly() -> str:
    code = Code("search_jointly", public=True)
    me, workers = load(code, Slot.WORKER), load(code, Slot.PARTS)
    stop, end, grow_at, full = (
        load(code, slot) for slot in (Slot.STOP, Slot.END, Slot.GROW_AT, Slot.PART_FULL)
    )
    most = code.mul(load(code, Slot.SLICE), workers)
    wanted, fullest = code.slot(), code.slot()
    code.set(wanted, 0)
    code.set(fullest, 0)
    with code.loop():
        head, count = load(code, Slot.HEAD), load(code, Slot.COUNT)
        for condition, status in (
            (("uge", head, end), Status.LEVEL),
            (("uge", head, stop), Status.STOP),
            (("ugt", count, grow_at), Status.GROW),
            (("ugt", code.get(fullest), full), Status.GROW),
            (("ne", code.get(wanted), "0"), Status.ROOM),
        ):
            with code.when(code.compare(*condition)):
                _meet(code)
                code.do("call void @enter_numbers()")
                code.ret(status)
        left = code.sub(end, head)
        states = code.select(code.compare("ult", left, most), left, most)
        bounds = [
            code.add(head, code.op(f"udiv i64 {code.mul(states, each)}, {workers}"))
            for each in (me, code.add(me, 1))
        ]
        code.do(f"call void @offer(i64 {bounds[0]}, i64 {bounds[1]})")
        _meet(code)
        code.set(wanted, code.call("claim", f"i64 {count}"))
        _meet(code)
        code.set(fullest, code.call("number_new", f"i64 {count}"))
        store(code, Slot.HEAD, code.add(head, states))
    code.ret(0)
    return code.text()


def _meet(code: Code) -> None:
    with code.when(code.compare("ne", code.call("barrier", ""), 0)):
        code.ret(Status.LEFT)


# --- first round -----------------------------------------------------------------------------------


def _offer(shape: Shape) -> str:
    code = Code("offer", "i64 %first, i64 %last", "void")
    me, workers, head, position = load(code, Slot.WORKER), load(code, Slot.PARTS), code.slot(), code.slot()
    lists = _Lists(code, shape.words)
    with code.count_up(0, workers) as owner:
        code.set(told(code, me, code.add(owner, OFFERED)), 0)
    code.set(head, "%first")
    code.set(position, 0)
    with code.loop() as (_, leave):
        on = code.label()
        code.branch(code.compare("ult", code.get(head), "%last"), on, leave)
        code.start(on)
        filled = expand_slice(code, shape, head, "%last")
        _sift(code, shape.words, lists, filled, position)
    code.set(told(code, me, WANTS), wants_room(code, shape))
    code.ret(None)
    return code.text()


def _sift(code: Code, words: int, lists: _Lists, filled: Operand, position: Operand) -> None:
    """Write: offer what lies in the buffer, but for what was offered lately.

    Everything is written, and counted if it is offered: there is no telling which way a branch would go.
    """
    out, aux, lately = (load(code, slot, "ptr") for slot in (Slot.OUT, Slot.AUX, Slot.RECENT))
    me, size = load(code, Slot.WORKER), recent(words, _OFFERED_LATELY)
    with code.count_up(0, filled) as n:
        here = words_at(code, code.at(out, code.mul(n, words)), words)
        mixed = hash_of(code, here)
        new = code.wide(unseen(code, lately, size, here, mixed))
        owner = share(code, mixed, lists.workers)
        filled_to = told(code, me, code.add(owner, OFFERED))
        to = code.get(filled_to)
        code.set(filled_to, code.add(to, new))
        kept, track = lists.offered(code.add(lists.first(owner, me), to)), lists.track(owner, to)
        for each, word in enumerate(here):
            code.set(code.at(kept, each), word)
        code.set(code.at(track, _AUX), code.get(code.at(aux, n)))
        code.set(code.at(track, _POSITION), code.get(position))
        code.set(position, code.add(code.get(position), new))


# --- second round ----------------------------------------------------------------------------------


def _claim(words: int) -> str:
    """Return `@claim(count)`; it returns whether some worker wants room."""
    code = Code("claim", "i64 %count")
    me, wanted = load(code, Slot.WORKER), code.slot()
    lists = _Lists(code, words)
    table = _Claims(code, words, lists, "%count")
    code.set(wanted, 0)
    code.do("call void @enter_numbers()")
    used = told(code, me, USED)
    with code.count_up(0, lists.workers) as source:
        wants = code.get(told(code, source, WANTS))
        code.set(wanted, code.either(code.get(wanted), wants))
        offered, found = code.get(told(code, source, code.add(me, OFFERED))), code.slot()
        code.set(found, 0)
        with _in_pieces(code, offered) as (low, high):
            _look_up(code, table, lists, (source, low, high), found)
        new = code.get(found)
        code.set(told(code, me, code.add(source, NEW)), new)
        code.set(used, code.add(code.get(used), new))
    code.ret(code.get(wanted))
    return code.text()


@contextmanager
def _in_pieces(code: Code, count: Operand) -> Iterator[tuple[Operand, Operand]]:
    """Write what runs for each piece of the numbers below `count`."""
    low = code.slot()
    code.set(low, 0)
    with code.loop() as (_, leave):
        first, on = code.get(low), code.label()
        code.branch(code.compare("ult", first, count), on, leave)
        code.start(on)
        last = code.add(first, _AT_ONCE)
        last = code.select(code.compare("ult", last, count), last, count)
        yield first, last
        code.set(low, last)


def _look_up(
    code: Code, table: _Claims, lists: _Lists, span: tuple[Operand, Operand, Operand], found: Operand
) -> None:
    """Write the three passes over a piece of a list (kernel/visited.py); what is new goes to the list of the new.

    The buffers of a batch are free in this round: they hold hashes and places of what was not looked up lately.
    """
    source, low, high = span
    words = table.words
    hashes, places, lately = (load(code, slot, "ptr") for slot in (Slot.HASHES, Slot.AUX, Slot.LATELY))
    begin, left = lists.first(load(code, Slot.WORKER), source), code.slot()
    place_of_list = code.mul(source, lists.room)
    code.set(left, 0)
    with code.count_up(low, high) as n:
        here = words_at(code, lists.offered(code.add(begin, n)), words)
        mixed = hash_of(code, here)
        new = unseen(code, lately, recent(words, LOOKED_UP_LATELY), here, mixed)
        entry = table.entry(table.place(mixed))
        table.prefetch(code.op(f"select i1 {new}, ptr {entry}, ptr {hashes}"))
        to = code.get(left)
        code.set(code.at(hashes, to), mixed)
        code.set(code.at(places, to), n)
        code.set(left, code.add(to, code.wide(new)))
    with code.count_up(0, code.get(left)) as k:
        table.prefetch_state(code.get(code.at(hashes, k)))
    with code.count_up(0, code.get(left)) as k:
        mixed, n = code.get(code.at(hashes, k)), code.get(code.at(places, k))

        def missing(entry: Operand, tag: Operand, n: Operand = n) -> None:
            table.put(entry, code.add("%count", code.add(place_of_list, n)), tag)
            new = lists.new(code.add(begin, code.get(found)))
            code.set(code.at(new, 0), n)
            code.set(code.at(new, 1), entry, "ptr")
            code.set(found, code.add(code.get(found), 1))

        here = words_at(code, lists.offered(code.add(begin, n)), words)
        table.probe(mixed, here, lambda _number: None, missing)


def _enter_numbers(words: int) -> str:
    """Return `@enter_numbers()`: write into the own part of the table the numbers that the last new states got."""
    code = Code("enter_numbers", "", "void")
    me, lists, table = load(code, Slot.WORKER), _Lists(code, words), Table(code, words)
    with code.count_up(0, lists.workers) as source:
        begin, count = lists.first(me, source), told(code, me, code.add(source, NEW))
        with code.count_up(0, code.get(count)) as nth:
            new = lists.new(code.add(begin, nth))
            table.renumber(code.get(code.at(new, 1), "ptr"), code.get(code.at(new, 0)))
        code.set(count, 0)
    code.ret(None)
    return code.text()


# --- third round -----------------------------------------------------------------------------------


def _number_new(shape: Shape) -> str:
    """Return `@number_new(count)`; it adds the new states to COUNT and returns how full the fullest part is."""
    code = Code("number_new", "i64 %count")
    me = load(code, Slot.WORKER)
    lists, table = _Lists(code, shape.words), Table(code, shape.words)
    number, after, fullest = code.slot(), code.slot(), code.slot()
    code.set(number, "%count")
    code.set(after, "%count")
    code.set(fullest, 0)
    with code.count_up(0, lists.workers) as owner:
        used = code.get(told(code, owner, USED))
        most = code.get(fullest)
        code.set(fullest, code.select(code.compare("ugt", used, most), used, most))
        with code.count_up(0, lists.workers) as source:
            new = code.get(told(code, owner, code.add(source, NEW)))
            code.set(after, code.add(code.get(after), new))
            before_mine = code.select(code.compare("ult", source, me), new, 0)
            code.set(number, code.add(code.get(number), before_mine))
    _number_in_order(code, shape, lists, table, number)
    store(code, Slot.COUNT, code.get(after))
    code.ret(code.get(fullest))
    return code.text()


def _number_in_order(code: Code, shape: Shape, lists: _Lists, table: Table, number: Operand) -> None:
    """Write: merge the lists of this worker's new states by position, and store these states."""
    me = load(code, Slot.WORKER)
    taken, position = (code.slot(f"[{MOST_WORKERS} x i64]") for _ in range(2))

    def look(owner: Operand) -> None:
        """Remember the position of the next new state that an owner found."""
        left = code.get(told(code, owner, code.add(me, NEW)))
        next_one = code.get(code.at(taken, owner))
        here = code.at(position, owner)
        code.set(here, -1)
        with code.when(code.compare("ult", next_one, left)):
            new = lists.new(code.add(lists.first(owner, me), next_one))
            track = lists.track(owner, code.get(code.at(new, 0)))
            code.set(here, code.get(code.at(track, _POSITION)))

    with code.count_up(0, lists.workers) as owner:
        code.set(code.at(taken, owner), 0)
        look(owner)
    best, whose = code.slot(), code.slot()
    with code.loop() as (_, leave):
        code.set(best, -1)
        code.set(whose, 0)
        with code.count_up(0, lists.workers) as owner:
            here, least = code.get(code.at(position, owner)), code.get(best)
            sooner = code.compare("ult", here, least)
            code.set(best, code.select(sooner, here, least))
            code.set(whose, code.select(sooner, owner, code.get(whose)))
        on, owner = code.label(), code.get(whose)
        code.branch(code.compare("eq", code.get(best), -1), leave, on)
        code.start(on)
        at = code.at(taken, owner)
        _keep(code, shape, lists, (table, owner, code.get(at)), number)
        code.set(at, code.add(code.get(at), 1))
        look(owner)


def _keep(
    code: Code, shape: Shape, lists: _Lists, found: tuple[Table, Operand, Operand], number: Operand
) -> None:
    """Write: store the nth new state that an owner found under the next number."""
    table, owner, nth = found
    own, begin = code.get(number), lists.first(owner, load(code, Slot.WORKER))
    new = lists.new(code.add(begin, nth))
    offered = code.get(code.at(new, 0))
    place = table.state(own)
    for n, word in enumerate(words_at(code, lists.offered(code.add(begin, offered)), shape.words)):
        code.set(code.at(place, n), word)
    code.set(code.at(new, 0), own)
    code.set(number, code.add(own, 1))
    if shape.sees:
        came = code.get(code.at(lists.track(owner, offered), _AUX))
        code.do(f"call void @found(ptr {place}, i64 {own}, i64 {came})")
