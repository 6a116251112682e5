"""Whom a blocked thread waits for, and who is lost in a circular wait (SEMANTICS A3).

A wait is *all of* a set of threads, each of which must step first, or *any of* a set of threads outside which
nobody can end it, or both. D, the largest set of blocked threads that wait only for each other, is an AND-OR knot:
no thread of D ever moves again, as only the holder releases. A *circular wait* is a ring in D, not all at rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.language.model import Thread, jump_targets
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State, TransitionSystem, cells_denoted

Edges = dict[int, tuple[int, ...]]


@dataclass(frozen=True)
class Tables:
    """What the program graphs say about waiting, whatever the state.

    `may_write[t][n]`: cells that thread t can still write from location n on, the statement there included.
    `awaited[t][n]`: cells whose change can end the wait at location n; None if the wait there is for owners only.
    """

    may_write: tuple[tuple[frozenset[int], ...], ...]
    awaited: tuple[tuple[frozenset[int] | None, ...], ...]


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


_NOBODY: frozenset[int] = frozenset()
EMPTY = Knot(frozenset(), {}, (), frozenset())


def tables(system: TransitionSystem) -> Tables:
    """Return the tables of a system."""
    threads = system.model.threads
    return Tables(
        tuple(_may_write(system, thread) for thread in threads),
        tuple(
            tuple(
                None
                if location.wait.any_of is None
                else frozenset(c for ref in location.wait.any_of for c in cells_denoted(system, ref))
                for location in thread.locations
            )
            for thread in threads
        ),
    )


def _may_write(system: TransitionSystem, thread: Thread) -> tuple[frozenset[int], ...]:
    """Return the least solution of: what is written here, or from a location that can follow."""
    written = [
        frozenset(cell for ref in action.writes for cell in cells_denoted(system, ref))
        if action
        else frozenset()
        for action in system.actions[thread.number]
    ]
    following = [jump_targets(location.effects) for location in thread.locations]
    changed = True
    while changed:
        changed = False
        for number in reversed(range(len(written))):
            now = written[number].union(*(written[target] for target in following[number]))
            changed = changed or now != written[number]
            written[number] = now
    return tuple(written)


class Waiting:
    """Answers about states of one system: who waits for whom."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._threads = interpreter.system.model.threads
        self._cells = interpreter.system.location_cells
        self.tables = tables(interpreter.system)

    def all_of(self, state: State, thread: int) -> frozenset[int] | None:
        """Return the threads of which each must step before the blocked thread can; None: it waits for no owner."""
        wait = self._interpreter.location(state, thread).wait
        if not wait.all_of:
            return None
        return frozenset(t for t, condition in wait.all_of if self._interpreter.satisfied(condition, state))

    def any_of(self, state: State, thread: int) -> frozenset[int] | None:
        """Return the other threads of which one must step before the blocked thread can; None: only for owners."""
        awaited = self.tables.awaited[thread][state[self._cells[thread]]]
        if awaited is None:
            return None
        may_write = self.tables.may_write
        return frozenset(
            t.number
            for t in self._threads
            if t.number != thread
            and not awaited.isdisjoint(may_write[t.number][state[self._cells[t.number]]])
        )

    def knot(self, state: State, blocked: frozenset[int] | None = None) -> Knot:
        """Return D of the state, the largest set as A3 defines it; `blocked` are its blocked threads if known."""
        if blocked is None:
            blocked = frozenset(t.number for t in self._threads if self._interpreter.blocked(state, t.number))
        owners = {t: self.all_of(state, t) for t in blocked}
        wakers = {t: self.any_of(state, t) for t in blocked}
        members = set(blocked)
        free: list[int] = [-1]
        while free:
            free = [t for t in members if not _is_caught(owners[t], wakers[t], members)]
            members.difference_update(free)
        if not members:
            return EMPTY
        by_owners = {t: tuple(sorted((owners[t] or _NOBODY) & members)) for t in sorted(members)}
        by_wakers = {t: tuple(sorted(wakers[t] or ())) for t in by_owners}
        return self._with_rings(state, by_owners, by_wakers)

    def _with_rings(self, state: State, owners: Edges, wakers: Edges) -> Knot:
        edges = {t: tuple(sorted({*owners[t], *wakers[t]})) for t in owners}
        rings: dict[frozenset[int], Ring] = {}
        for thread in edges:
            threads = () if self._interpreter.resting(state, thread) else _shortest_ring(edges, thread)
            if threads:
                members = _upheld_by(threads, owners, wakers)
                rings.setdefault(frozenset(members), Ring(threads, members))
        caught = _leading_to(frozenset(t for ring in rings.values() for t in ring.threads), edges)
        return Knot(frozenset(edges), edges, _smallest(rings), caught)


def _is_caught(owners: frozenset[int] | None, wakers: frozenset[int] | None, members: set[int]) -> bool:
    """Tell whether a blocked thread waits only for members. Who has finished writes nothing, so is no waker."""
    if owners is None and wakers is None:
        return False
    return (owners is None or not owners.isdisjoint(members)) and (wakers is None or wakers <= members)


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


def standing(interpreter: Interpreter, state: State, thread: int) -> str:
    """Return where a thread waits as a cause names it (SEMANTICS H20): declaration, source line, lock class."""
    location = interpreter.location(state, thread)
    lock = location.verb.at.lock.name if location.verb else ""
    return " ".join(
        filter(None, (interpreter.system.model.threads[thread].declaration, str(location.span), lock))
    )
