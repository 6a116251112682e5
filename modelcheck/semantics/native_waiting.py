"""Who waits for whom in a state, as LLVM IR (the meaning is waiting.py's).

`@waits(state, number, moving)` finds D, the largest set of blocked threads none of which can ever move again, and adds
it with all that its diagnosis depends on; it returns the index of what it added plus one, 0 if D is empty.
`@time_outs(state, number, moving)` does so for the threads that would wait if nobody gave up, where some would give up.
`@resting(state, blocked)` returns which of the blocked threads are daemons at rest.

A way out of an obstacle is a pair of sets: closed if a member of D is among `owners`, and no thread outside D among
`wakers`. Where there are no owners to wait for that set is all ones, without wakers it is empty.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.language.model import TRUE as ALWAYS
from modelcheck.language.model import Location, Obstacle, Thread
from modelcheck.semantics.native_code import Code, Operand
from modelcheck.semantics.native_expressions import Expressions, among
from modelcheck.semantics.native_steps import Writing
from modelcheck.semantics.native_words import Words
from modelcheck.semantics.waiting import Change, Tables, tables

LOCATION_BITS = 20
"""The language refuses threads with more locations."""


@dataclass(frozen=True)
class _Kind:
    """A set of knots: the function that finds them, the set that they are added to, whether nobody gives up."""

    function: str
    added: str
    patient: bool


_WAITS, _TIME_OUTS = _Kind("waits", "knots", False), _Kind("time_outs", "time_outs", True)


def waiting_functions(writing: Writing, *, time_outs: bool) -> list[str]:
    """Return `@waits`, `@resting`, and what they use; `@time_outs` if that is asked for."""
    known = tables(writing.system)
    most = max(
        (
            len(location.wait.obstacles) + bool(thread.interrupted_by)
            for thread in writing.threads
            for location in thread.locations
        ),
        default=0,
    )
    ways = [_ways(writing, known, thread) for thread in writing.threads]
    most *= len(writing.threads)
    texts = [*ways, _resting(writing), _waits(writing, most, _WAITS)]
    return [*texts, _waits(writing, most, _TIME_OUTS)] if time_outs else texts


def key_words(writing: Writing, *, time_outs: bool = False) -> int:
    """Return how many words what `@waits` adds has: D, and for each thread where it is and whom it waits for.

    Where there are interrupts, then also for each thread by whom it is interrupted. For time-outs, who gives up.
    """
    return 1 + len(writing.threads) * (1 + _interrupted(writing)) + time_outs


def _interrupted(writing: Writing) -> bool:
    return any(thread.interrupted_by for thread in writing.threads)


def place_functions(writing: Writing) -> list[str]:
    """Return `@places(state, moving)`, which sets a flag for each blocked thread and its location."""
    code = Code("places", "ptr %s, i64 %moving", "void")
    words = Words.at(code, "%s", writing.layout.words)
    blocked = _blocked(writing, code, words)
    first = 0
    for thread in writing.threads:
        with code.when(code.compare("ne", code.both(blocked, 1 << thread.number), 0)):
            flag = code.add(writing.location(words, thread.number), first)
            code.set(code.at("@waited", flag, "i8"), 1, "i8")
        first += len(thread.locations)
    code.ret(None)
    return [code.text()]


def _blocked(writing: Writing, code: Code, words: Words) -> Operand:
    """Write the set of threads that have not finished and do not move."""
    blocked = code.both(code.flip("%moving"), (1 << len(writing.threads)) - 1)
    for thread in writing.threads:
        ended = code.compare("eq", writing.location(words, thread.number), thread.end)
        blocked = code.both(blocked, code.flip(code.left(code.wide(ended), thread.number)))
    return blocked


# --- the ways out of one thread's obstacles ------------------------------------------------------


def _ways(writing: Writing, known: Tables, thread: Thread) -> str:
    """Return the function that writes (thread, owners, wakers) of each way behind the first n and returns the end."""
    code = Code(f"ways_{thread.number}", "ptr %s, ptr %ways, i64 %n")
    code.do("%count = alloca i64")
    code.set("%count", "%n")
    words = Words.at(code, "%s", writing.layout.words)
    x = writing.expressions(code, words)
    end = code.label()
    if thread.interrupted_by:
        _suspended(code, x, thread, end)
    places = {place.number: code.label() for place in thread.locations if place.wait.obstacles}
    code.switch(writing.location(words, thread.number), places, end)
    for number, label in places.items():
        code.start(label)
        _obstacles(writing, known, x, thread, thread.locations[number])
        code.jump(end)
    code.start(end)
    code.ret(code.get("%count"))
    return code.text()


def _handlers(x: Expressions, thread: Thread) -> Operand:
    """Write the set of handlers that run in the thread's place."""
    handlers: Operand = "0"
    for handler, runs in thread.interrupted_by:
        handlers = x.code.either(handlers, x.code.left(x.code.wide(x.truth(runs)), handler))
    return handlers


def _suspended(code: Code, x: Expressions, thread: Thread, end: str) -> None:
    handlers = _handlers(x, thread)
    with code.when(code.compare("ne", handlers, 0)):
        _add(code, thread.number, handlers, "0")
        on = code.label()
        code.branch(code.call(f"ready_{thread.number}", "ptr %s", "i1"), end, on)
        code.start(on)


def _add(code: Code, thread: int, owners: Operand, wakers: Operand) -> None:
    number = code.get("%count")
    place = code.at("%ways", code.mul(number, 3))
    for n, value in enumerate((str(1 << thread), owners, wakers)):
        code.set(code.at(place, n), value)
    code.set("%count", code.add(number, 1))


def _obstacles(writing: Writing, known: Tables, x: Expressions, thread: Thread, place: Location) -> None:
    awaited = known.awaited[thread.number][place.number]
    for obstacle, changes in zip(place.wait.obstacles, awaited, strict=True):
        if not obstacle.all_of and changes is None and not obstacle.movers:
            continue  # nothing is said about it: it is never closed
        if obstacle.when == ALWAYS:
            _add(x.code, thread.number, *_way(writing, known, x, thread, (obstacle, changes)))
        else:
            with x.code.when(x.truth(obstacle.when)):
                _add(x.code, thread.number, *_way(writing, known, x, thread, (obstacle, changes)))


def _way(
    writing: Writing,
    known: Tables,
    x: Expressions,
    thread: Thread,
    wanted: tuple[Obstacle, frozenset[Change] | None],
) -> tuple[Operand, Operand]:
    code, (obstacle, changes) = x.code, wanted
    owners: Operand = "-1"
    if obstacle.all_of:
        owners = "0"
        for number, holds in obstacle.all_of:
            owners = code.either(owners, code.left(code.wide(x.truth(holds)), number))
    wakers: Operand = "0"
    for other in writing.threads:
        location = writing.location(x.now, other.number)
        able: set[int] = set()
        if changes is not None and other.number != thread.number:
            able |= {n for n, can in enumerate(known.may_write[other.number]) if not changes.isdisjoint(can)}
        if other.number in obstacle.movers:
            able |= set(range(other.end))
        if able:
            wakers = code.either(wakers, code.left(code.wide(among(code, location, able)), other.number))
    return owners, wakers


# --- D -------------------------------------------------------------------------------------------


def _waits(writing: Writing, most: int, kind: _Kind) -> str:
    code = Code(kind.function, "ptr %s, i64 %number, i64 %moving")
    words = Words.at(code, "%s", writing.layout.words)
    x = writing.expressions(code, words)
    blocked = _blocked(writing, code, words)
    candidates, impatient = blocked, "0"
    if kind.patient:
        impatient = _impatient(writing, x)
        candidates = code.either(blocked, impatient)
        with code.when(code.compare("eq", impatient, 0)):
            code.ret(0)
    with code.when(code.compare("eq", candidates, 0)):
        code.ret(0)
    ways, count = code.slot(f"[{max(3 * most, 1)} x i64]"), code.slot()
    code.set(count, 0)
    for thread in writing.threads:
        with code.when(code.compare("ne", code.both(candidates, 1 << thread.number), 0)):
            number = code.call(f"ways_{thread.number}", f"ptr %s, ptr {ways}, i64 {code.get(count)}")
            code.set(count, number)
    members = _largest(code, ways, code.get(count), candidates)
    with code.when(code.compare("eq", members, 0)):
        code.ret(0)
    size = key_words(writing, time_outs=kind.patient)
    key = code.slot(f"[{size} x i64]")
    _stands(writing, x, (members, code.both(members, blocked)), key)
    _edges(code, (ways, code.get(count)), members, key)
    if _interrupted(writing):
        _interrupts(writing, x, members, key)
    if kind.patient:
        code.set(code.at(key, size - 1), code.both(members, impatient))
    code.ret(code.call(f"{kind.added}_add", f"ptr {key}, i64 %number"))
    return code.text()


def _stands(writing: Writing, x: Expressions, members: tuple[Operand, Operand], key: Operand) -> None:
    """Write D and the members' locations into the key, and who rests of those that are blocked."""
    code = x.code
    resting = code.call("resting", f"ptr %s, i64 {members[1]}")
    code.set(code.at(key, 0), members[0])
    for thread in writing.threads:
        place = code.at(key, 1 + thread.number)
        code.set(place, 0)
        with code.when(code.compare("ne", code.both(members[0], 1 << thread.number), 0)):
            rests = code.both(code.right(resting, thread.number), 1)
            where = code.left(writing.location(x.now, thread.number), 1)
            code.set(place, code.either(where, rests))


def _impatient(writing: Writing, x: Expressions) -> Operand:
    """Write the set of threads that would wait where they are if they did not give up."""
    code = x.code
    found = code.slot()
    code.set(found, 0)
    for thread in writing.threads:
        places = {p.number: code.label() for p in thread.locations if p.wait.patience is not None}
        end = code.label()
        code.switch(writing.location(x.now, thread.number), places, end)
        for number, label in places.items():
            code.start(label)
            patience = thread.locations[number].wait.patience
            assert patience is not None
            bit = code.select(x.truth(patience), 0, 1 << thread.number)
            code.set(found, code.either(code.get(found), bit))
            code.jump(end)
        code.start(end)
    return code.get(found)


def _largest(code: Code, ways: Operand, count: Operand, blocked: Operand) -> Operand:
    """Write the greatest fixed point: those stay that have a closed way."""
    members, stay = code.slot(), code.slot()
    code.set(members, blocked)
    with code.loop() as (head, end):
        code.set(stay, 0)
        now = code.get(members)
        with code.count_up(0, count) as n:
            thread, owners, wakers = _read(code, ways, n)
            owned = code.compare("ne", code.both(owners, now), 0)
            helped = code.compare("eq", code.both(wakers, code.flip(now)), 0)
            closed = code.op(f"and i1 {owned}, {helped}")
            code.set(stay, code.either(code.get(stay), code.select(closed, thread, 0)))
        kept = code.both(now, code.get(stay))
        code.set(members, kept)
        code.branch(code.compare("eq", kept, now), end, head)
    return code.get(members)


def _read(code: Code, ways: Operand, number: Operand) -> tuple[Operand, Operand, Operand]:
    place = code.at(ways, code.mul(number, 3))
    return code.get(code.at(place, 0)), code.get(code.at(place, 1)), code.get(code.at(place, 2))


def _edges(code: Code, ways: tuple[Operand, Operand], members: Operand, key: Operand) -> None:
    """Write into the key whom each member waits for in D, over its closed ways."""
    with code.count_up(0, ways[1]) as n:
        thread, owners, wakers = _read(code, ways[0], n)
        helped = code.compare("eq", code.both(wakers, code.flip(members)), 0)
        owned = code.compare("ne", code.both(owners, members), 0)
        member = code.compare("ne", code.both(thread, members), 0)
        closed = code.op(f"and i1 {code.op(f'and i1 {helped}, {owned}')}, {member}")
        with code.when(closed):
            number = code.call("llvm.cttz.i64", f"i64 {thread}, i1 true")
            place = code.at(key, code.add(number, 1))
            nobody = code.compare("eq", owners, -1)
            inside = code.select(nobody, 0, code.both(owners, members))
            edges = code.either(
                code.left(inside, LOCATION_BITS + 1), code.left(wakers, LOCATION_BITS + 1 + 21)
            )
            code.set(place, code.either(code.get(place), edges))


def _interrupts(writing: Writing, x: Expressions, members: Operand, key: Operand) -> None:
    """Write into the key who interrupts each member, and whether it could step but for that."""
    code = x.code
    for thread in writing.threads:
        place = code.at(key, 1 + len(writing.threads) + thread.number)
        code.set(place, 0)
        if thread.interrupted_by:
            with code.when(code.compare("ne", code.both(members, 1 << thread.number), 0)):
                ready = code.wide(code.call(f"ready_{thread.number}", "ptr %s", "i1"))
                code.set(place, code.either(code.left(_handlers(x, thread), 1), ready))


# --- rest ----------------------------------------------------------------------------------------


def _resting(writing: Writing) -> str:
    code = Code("resting", "ptr %s, i64 %blocked")
    words = Words.at(code, "%s", writing.layout.words)
    x = writing.expressions(code, words)
    found = code.slot()
    code.set(found, 0)
    for thread in writing.threads:
        places = {place.number for place in thread.locations if place.wait.rests and thread.daemon}
        if not places and not thread.idle:
            continue
        with code.when(code.compare("ne", code.both("%blocked", 1 << thread.number), 0)):
            place = writing.location(words, thread.number)
            calm = code.op(f"xor i1 {writing.interrupted(x, thread.number)}, true")
            rests = code.op(f"and i1 {among(code, place, places)}, {calm}")
            busy: Operand = "0"
            for word in writing.held(x, thread.number):
                busy = code.either(busy, word)
            rests = code.op(f"and i1 {rests}, {code.compare('eq', busy, 0)}")
            rests = code.op(f"or i1 {rests}, {among(code, place, thread.idle)}")
            bit = code.select(rests, 1 << thread.number, 0)
            code.set(found, code.either(code.get(found), bit))
    code.ret(code.get(found))
    return code.text()
