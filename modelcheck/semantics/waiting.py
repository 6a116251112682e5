"""Whom a blocked thread waits for, and who is lost in a circular wait (SEMANTICS A3).

What keeps a blocked thread is a number of obstacles, all of which must go. An obstacle goes when *all of* a set of
threads have stepped, or when *any of* a set of threads outside which nobody can remove it does so; some have both ways
out. An obstacle is closed if every way out is. D, the largest set of blocked threads each with a closed obstacle, is
an AND-OR knot: no thread of D ever moves again, as only the holder releases. A *circular wait* is a ring in D, not all
of it at rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from modelcheck.language.model import By, Location, Obstacle, Ref, Thread, jump_targets
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import Action, State, TransitionSystem, cells_denoted

Edges = dict[int, tuple[int, ...]]

Change = int | tuple[str, int]
"""A cell that is written; or a lock verb (or "", an unnamed one inside `atomic`) and the cell that it writes."""


@dataclass(frozen=True)
class Tables:
    """What the program graphs say about waiting, whatever the state.

    `writes[t][n]`: changes that thread t's statement at location n can make.
    `may_write[t][n]`: changes that thread t can still make from location n on, the statement there included.
    `awaited[t][n]`: for each obstacle at location n the changes that can remove it; None: only owners can.
    """

    writes: tuple[tuple[frozenset[Change], ...], ...]
    may_write: tuple[tuple[frozenset[Change], ...], ...]
    awaited: tuple[tuple[tuple[frozenset[Change] | None, ...], ...], ...]


@dataclass(frozen=True)
class Ring:
    """A circular wait: the threads of a ring in its order, and all whose waiting upholds it (the ring included)."""

    threads: tuple[int, ...]
    members: tuple[int, ...]


@dataclass(frozen=True)
class Knot:
    """The set D of a state, its edges (whom each member waits for in D), its rings, and who waits for a ring.

    `caught` are the members of D that are in a ring or wait, directly or not, for one; the other members are stuck
    because nobody is left to wake somebody. A ring of daemons that are all at rest is none.
    """

    members: frozenset[int]
    edges: Edges
    rings: tuple[Ring, ...]
    caught: frozenset[int]


@dataclass(frozen=True)
class Way:
    """An obstacle as it is in a state: whom each way out of it waits for; None: there is no such way."""

    owners: frozenset[int] | None
    wakers: frozenset[int] | None

    def closed(self, members: set[int] | frozenset[int]) -> bool:
        """Tell whether every way out leads to members only. Who has finished writes nothing, so is no waker."""
        if self.owners is None and self.wakers is None:
            return False
        owned = self.owners is None or not self.owners.isdisjoint(members)
        return owned and (self.wakers is None or self.wakers <= members)


_NOBODY: frozenset[int] = frozenset()
EMPTY = Knot(frozenset(), {}, (), frozenset())


# --- tables --------------------------------------------------------------------------------------


def tables(system: TransitionSystem) -> Tables:
    """Return the tables of a system."""
    threads = system.model.threads
    writes = tuple(tuple(_changes(system, a) for a in system.actions[t.number]) for t in threads)
    return Tables(
        writes,
        tuple(_may_write(thread, writes[thread.number]) for thread in threads),
        tuple(
            tuple(
                tuple(_awaited(system, obstacle) for obstacle in location.wait.obstacles)
                for location in thread.locations
            )
            for thread in threads
        ),
    )


def _awaited(system: TransitionSystem, obstacle: Obstacle) -> frozenset[Change] | None:
    if obstacle.any_of is None:
        return None
    changes: set[Change] = set()
    for each in obstacle.any_of:
        match each:
            case Ref():
                changes.update(cells_denoted(system, each))
            case By(ref, verbs):
                cells = cells_denoted(system, ref)
                changes.update((verb, cell) for verb in ("", *verbs) for cell in cells)
    return frozenset(changes)


def _may_write(thread: Thread, writes: tuple[frozenset[Change], ...]) -> tuple[frozenset[Change], ...]:
    """Return the least solution of: what is written here, or from a location that can follow."""
    written = list(writes)
    following = [jump_targets(location.effects) for location in thread.locations]
    changed = True
    while changed:
        changed = False
        for number in reversed(range(len(written))):
            now = written[number].union(*(written[target] for target in following[number]))
            changed = changed or now != written[number]
            written[number] = now
    return tuple(written)


def _changes(system: TransitionSystem, action: Action | None) -> frozenset[Change]:
    if action is None:
        return frozenset()
    verb = action.location.verb.verb if action.location.verb else ""
    cells = {cell for ref in action.writes for cell in cells_denoted(system, ref)}
    return frozenset((*cells, *((verb, cell) for cell in cells)))


# --- states --------------------------------------------------------------------------------------


class Waiting:
    """Answers about states of one system: who waits for whom."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = self._interpreter = interpreter
        self._threads = interpreter.system.model.threads
        self._cells = interpreter.system.location_cells
        self.tables = tables(interpreter.system)

    def ways(self, state: State, thread: int) -> tuple[Way, ...]:
        """Return the obstacles that are in the way of a blocked thread now."""
        return tuple(self._ways(state, thread))

    def _ways(self, state: State, thread: int) -> Iterator[Way]:
        interpreter = self._interpreter
        handlers = interpreter.interrupting(state, thread)
        if handlers:
            yield Way(handlers, None)
            if interpreter.could_step(state, thread):
                return
        location = interpreter.location(state, thread)
        awaited = self.tables.awaited[thread][state[self._cells[thread]]]
        for obstacle, changes in zip(location.wait.obstacles, awaited, strict=True):
            if interpreter.satisfied(obstacle.when, state):
                yield self._way(state, thread, obstacle, changes)

    def _way(self, state: State, thread: int, obstacle: Obstacle, awaited: frozenset[Change] | None) -> Way:
        owners = None
        if obstacle.all_of:
            owners = frozenset(t for t, c in obstacle.all_of if self._interpreter.satisfied(c, state))
        wakers = None
        if awaited is not None or obstacle.movers:
            movers = {t for t in obstacle.movers if not self._interpreter.finished(state, t)}
            wakers = frozenset(movers) | self._writers(state, awaited or frozenset()) - {thread}
        return Way(owners, wakers)

    def _writers(self, state: State, awaited: frozenset[Change]) -> frozenset[int]:
        may_write = self.tables.may_write
        return frozenset(
            t.number
            for t in self._threads
            if not awaited.isdisjoint(may_write[t.number][state[self._cells[t.number]]])
        )

    def all_of(self, state: State, thread: int) -> frozenset[int] | None:
        """Return the threads of which each must step before the blocked thread can; None: it waits for no owner."""
        owners = [way.owners for way in self.ways(state, thread) if way.owners is not None]
        return frozenset[int]().union(*owners) if owners else None

    def any_of(self, state: State, thread: int) -> frozenset[int] | None:
        """Return the other threads of which one must step before the blocked thread can; None: only for owners."""
        wakers = [way.wakers for way in self.ways(state, thread) if way.wakers is not None]
        return frozenset[int]().union(*wakers) if wakers else None

    def awaited_now(self, state: State, thread: int) -> frozenset[Change]:
        """Return the changes of which one must happen before the blocked thread can step; none: only owners help."""
        obstacles = self._interpreter.location(state, thread).wait.obstacles
        awaited = self.tables.awaited[thread][state[self._cells[thread]]]
        here = (
            changes
            for obstacle, changes in zip(obstacles, awaited, strict=True)
            if changes is not None and self._interpreter.satisfied(obstacle.when, state)
        )
        return frozenset[Change]().union(*here)

    def knot(self, state: State, blocked: frozenset[int] | None = None) -> Knot:
        """Return D of the state, the largest set as A3 defines it; `blocked` are its blocked threads if known."""
        if blocked is None:
            blocked = frozenset(t.number for t in self._threads if self._interpreter.blocked(state, t.number))
        ways = {t: self.ways(state, t) for t in blocked}
        members = set(blocked)
        free: list[int] = [-1]
        while free:
            free = [t for t in members if not any(way.closed(members) for way in ways[t])]
            members.difference_update(free)
        if not members:
            return EMPTY
        closed = {t: [way for way in ways[t] if way.closed(members)] for t in sorted(members)}
        return self._with_rings(state, closed)

    def impatient(self, state: State) -> frozenset[int]:
        """Return the threads that would wait here if they did not give up (SEMANTICS A5)."""
        return frozenset(t.number for t in self._threads if self._gives_up(state, t.number))

    def _gives_up(self, state: State, thread: int) -> bool:
        patience = self._interpreter.location(state, thread).wait.patience
        return patience is not None and not self._interpreter.satisfied(patience, state)

    def knot_of_time_outs(self, state: State) -> Knot:
        """Return D as it would be if nobody gave up; its rings are those that only a time-out breaks."""
        impatient = self.impatient(state)
        if not impatient:
            return EMPTY
        threads = (t.number for t in self._threads)
        waiting = impatient.union(t for t in threads if self._interpreter.blocked(state, t))
        knot = self.knot(state, waiting)
        return replace(knot, rings=tuple(r for r in knot.rings if not impatient.isdisjoint(r.members)))

    def _with_rings(self, state: State, ways: dict[int, list[Way]]) -> Knot:
        members = frozenset(ways)
        owners = {t: _within(members, (way.owners for way in ways[t])) for t in ways}
        wakers = {t: _within(members, (way.wakers for way in ways[t])) for t in ways}
        edges = {t: tuple(sorted({*owners[t], *wakers[t]})) for t in ways}
        rings: dict[frozenset[int], Ring] = {}
        for thread in edges:
            threads = () if self._interpreter.resting(state, thread) else _shortest_ring(edges, thread)
            if threads:
                upheld = _upheld_by(threads, owners, wakers)
                rings.setdefault(frozenset(upheld), Ring(threads, upheld))
        caught = _leading_to(frozenset(t for ring in rings.values() for t in ring.threads), edges)
        return Knot(members, edges, _smallest(rings), caught)


def _within(members: frozenset[int], sets: Iterable[frozenset[int] | None]) -> tuple[int, ...]:
    return tuple(sorted(members.intersection(_NOBODY.union(*(each or _NOBODY for each in sets)))))


def _shortest_ring(edges: Edges, start: int) -> tuple[int, ...]:
    """Return a shortest ring through the thread, the lowest numbers first; () if there is none."""
    paths: list[tuple[int, ...]] = [(start,)]
    seen: set[int] = set()
    while paths:
        longer: list[tuple[int, ...]] = []
        for path in paths:
            for thread in edges[path[-1]]:
                if thread == start:
                    return path
                if thread not in seen:
                    seen.add(thread)
                    longer.append((*path, thread))
        paths = longer
    return ()


def _upheld_by(ring: tuple[int, ...], owners: Edges, wakers: Edges) -> tuple[int, ...]:
    """Return the ring and all that it needs: every waker of an *any of* waiter, one owner of an *all of* waiter."""
    members = set(ring)
    todo = list(ring)
    while todo:
        thread = todo.pop()
        needed = set(wakers[thread])
        if owners[thread] and (members | needed).isdisjoint(owners[thread]):
            needed.add(owners[thread][0])
        todo += sorted(needed - members)
        members |= needed
    return tuple(sorted(members))


def _leading_to(threads: frozenset[int], edges: Edges) -> frozenset[int]:
    found = threads
    while True:
        more = found | {t for t, following in edges.items() if not found.isdisjoint(following)}
        if more == found:
            return found
        found = more


def _smallest(rings: dict[frozenset[int], Ring]) -> tuple[Ring, ...]:
    """Return the rings whose members do not contain another's."""
    return tuple(ring for members, ring in rings.items() if not any(other < members for other in rings))


def standing(
    interpreter: Interpreter, state: State, thread: int, members: Collection[int] = frozenset()
) -> str:
    """Return where a thread waits as a cause names it (SEMANTICS H20): declaration, source line, lock class.

    Where a thread is interrupted is no part of the cause, if it waits for nothing else or the handler is one of the
    `members` of the ring.
    """
    handlers = interpreter.interrupting(state, thread)
    interrupted = bool(handlers) and (
        interpreter.could_step(state, thread) or not handlers.isdisjoint(members)
    )
    named = interpreter.system.model.threads[thread]
    return told_standing(named, interpreter.location(state, thread), interrupted=interrupted)


def told_standing(thread: Thread, location: Location, *, interrupted: bool) -> str:
    """Return the words for where a thread waits, or is interrupted."""
    if interrupted:
        return f"{thread.declaration} interrupted"
    lock = location.verb.at.lock.name if location.verb else ""
    return " ".join(filter(None, (thread.declaration, str(location.span), lock)))
