"""What is asked of states and steps, as terms: predicates, step properties, circular waits.

A predicate has two answers, for it can itself be undefined: where it shows, and where it is undefined.
The definitions are those of engine/collecting.py and semantics/waiting.py, which work on Python values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from modelcheck.language.model import At, Const, Enabled, Expr, Location, LockAt, Ref
from modelcheck.locks import PRIMITIVES
from modelcheck.semantics.questions import StatePredicate, StepPredicate
from modelcheck.semantics.symbolic import Frame, Going, Relation, Shape
from modelcheck.semantics.symbolic_effects import can_step
from modelcheck.semantics.symbolic_numbers import Renaming, Row, constant
from modelcheck.semantics.symbolic_terms import Moment
from modelcheck.semantics.symbolic_truth import Truth, conjunction, disjunction, implication, negation
from modelcheck.semantics.transition_system import cells_mentioned, index_values
from modelcheck.semantics.waiting import Change, Tables, tables

Shows = tuple[Truth, Truth]
"""Where the answer is yes, and where the question is undefined."""


class Asked:
    """The terms of questions about one relation."""

    def __init__(self, relation: Relation) -> None:
        self.relation = relation
        self._terms = relation.terms
        self._rows: dict[Frame, Row] = {}
        self._rings: dict[Shape, tuple[Frame, Truth]] = {}

    def state(self, predicate: StatePredicate, frame: Frame) -> Shows:
        """Return where the predicate is true, and where it is undefined."""
        there: Truth = True
        if predicate.thread is not None and predicate.location is not None:
            there = self._terms.stands(frame.moment, predicate.thread, frozenset((predicate.location,)))
            if there is False:
                return False, False
        truth, defined = self._terms.truth(predicate.expr, frame.moment)
        return conjunction((there, defined, truth)), conjunction((there, negation(defined)))

    def step(self, predicate: StepPredicate, frame: Frame, going: Going) -> Shows:
        """Return on which steps the property is false, and on which it is undefined (SEMANTICS H7)."""
        changes = disjunction(self._changes(ref, frame, going.after) for ref in predicate.mentions)
        cells = (c for ref in predicate.mentions for c in cells_mentioned(self.relation.system, ref))
        changes = conjunction((going.moves, changes, self._differ(frame, going.after, tuple(cells))))
        if changes is False:
            return False, False
        mover = self.relation.numbers.operate("+", going.mover, constant(1))
        moment = Moment(frame.cells, going.after.cells, mover, frame.places)
        truth, defined = self._terms.truth(predicate.expr, moment)
        return conjunction((changes, defined, negation(truth))), conjunction((changes, negation(defined)))

    def _changes(self, ref: Ref | At | Enabled, frame: Frame, after: Frame) -> Truth:
        """Return whether the reference has another value after the step; undefined counts as changed."""
        one, first = self._terms.value(ref, Moment(frame.cells, frame.cells))
        other, second = self._terms.value(ref, Moment(after.cells, after.cells))
        differs = self.relation.numbers.compare("!=", one, other)
        return disjunction((negation(first), negation(second), differs))

    def _differ(self, frame: Frame, after: Frame, cells: tuple[int, ...]) -> Truth:
        return disjunction(
            self.relation.numbers.compare("!=", frame.cells[c], after.cells[c])
            for c in dict.fromkeys(cells)
            if frame.cells[c] is not after.cells[c]
        )

    def different(self, one: Frame, other: Frame) -> Truth:
        """Return whether two states differ."""
        pairs = zip(one.cells, other.cells, strict=True)
        if any(a.high < b.low or b.high < a.low for a, b in pairs):
            return True
        return self.relation.numbers.unequal(self._row(one), self._row(other))

    def _row(self, frame: Frame) -> Row:
        if frame not in self._rows:
            types = [(cell.low, cell.high) for cell in self.relation.system.cells]
            self._rows[frame] = self.relation.numbers.row(frame.cells, types)
        return self._rows[frame]

    def circular(self, frame: Frame) -> Truth:
        """Return whether there is a circular wait in the state."""
        known = self._rings.get(frame.shape)
        if known is None:
            known = self._rings[frame.shape] = frame, _Knot(self, frame).has_ring
        return Renaming(known[0].cells, frame.cells).truth(known[1])

    def holds(self, thread: int, moment: Moment) -> Truth:
        """Return whether the thread holds any lock in any mode."""
        return disjunction(
            self._terms.truth(
                PRIMITIVES[lock.kind].holds(LockAt(lock, tuple(map(Const, index))), thread, mode), moment
            )[0]
            for lock in self.relation.system.model.locks
            for index in index_values(lock.dimensions)
            for mode in PRIMITIVES[lock.kind].modes
        )

    @cached_property
    def tables(self) -> Tables:
        """What the program graphs say about waiting: what is still written, what is awaited."""
        return tables(self.relation.system)


@dataclass(frozen=True)
class _Wait:
    """An obstacle in the way of a thread at one location: when, and under which conditions it waits for whom."""

    blocked: Truth
    owners: dict[int, Truth] | None
    wakers: dict[int, Truth] | None
    awake: Truth


class _Knot:
    """D of one state, and whether there is a ring in it (SEMANTICS A3; semantics/waiting.py)."""

    def __init__(self, asked: Asked, frame: Frame) -> None:
        self._asked = asked
        self._frame = frame
        self._terms = asked.relation.terms
        self._threads = asked.relation.system.model.threads
        self._waits = [self._waits_of(t.number) for t in self._threads]
        members = [disjunction(w.blocked for w in waits) for waits in self._waits]
        for _ in self._threads:  # the largest set is reached after as many rounds as there are threads
            members = [disjunction(_caught(w, members) for w in waits) for waits in self._waits]
        self.has_ring = self._ring(members)

    def _waits_of(self, thread: int) -> list[_Wait]:
        found: list[_Wait] = []
        for number in sorted(self._frame.places[thread]):
            location = self._threads[thread].locations[number]
            if not location.is_end:
                found += self._at(thread, location)
        if self._threads[thread].interrupted_by:
            found.append(self._interrupted(thread))
        return [wait for wait in found if wait.blocked is not False]

    def _at(self, thread: int, location: Location) -> Iterator[_Wait]:
        """Yield the obstacles of a location; where a statement could run none of them is in the way."""
        if not location.wait.obstacles:
            return
        moment = self._frame.moment
        stands = self._terms.stands(moment, thread, frozenset((location.number,)))
        stuck = conjunction((stands, negation(can_step(self._terms, location, moment))))
        awake: Truth = True
        if location.number in self._threads[thread].idle:
            awake = False
        elif self._threads[thread].daemon and location.wait.rests:
            awake = disjunction((self._asked.holds(thread, moment), self._terms.interrupted(thread, moment)))
        awaited = self._asked.tables.awaited[thread][location.number]
        for obstacle, changes in zip(location.wait.obstacles, awaited, strict=True):
            owners = None
            if obstacle.all_of:
                owners = self._when(obstacle.all_of)
            wakers = None
            if changes is not None or obstacle.movers:
                wakers = self._wakers(thread, changes or frozenset(), obstacle.movers)
            present = conjunction(self._terms.truth(obstacle.when, moment))
            yield _Wait(conjunction((stuck, present)), owners, wakers, awake)

    def _when(self, threads: Iterable[tuple[int, Expr]]) -> dict[int, Truth]:
        """Return when each thread is one of those; it may be named several times, for several reasons."""
        found: dict[int, Truth] = {}
        for thread, condition in threads:
            here = conjunction(self._terms.truth(condition, self._frame.moment))
            found[thread] = disjunction((found.get(thread, False), here))
        return found

    def _interrupted(self, thread: int) -> _Wait:
        moment, one = self._frame.moment, self._threads[thread]
        handlers = self._when(one.interrupted_by)
        unfinished = negation(self._terms.stands(moment, thread, frozenset((one.end,))))
        return _Wait(conjunction((unfinished, disjunction(handlers.values()))), handlers, None, True)

    def _wakers(self, thread: int, awaited: frozenset[Change], movers: tuple[int, ...]) -> dict[int, Truth]:
        """Return when each other thread can still remove an obstacle; who has finished cannot."""
        may_write = self._asked.tables.may_write
        found: dict[int, Truth] = {}
        for other in self._threads:
            helps = frozenset(
                n
                for n, changes in enumerate(may_write[other.number])
                if not awaited.isdisjoint(changes) or (other.number in movers and n != other.end)
            )
            if other.number != thread:
                found[other.number] = self._terms.stands(self._frame.moment, other.number, helps)
        return found

    def _ring(self, members: list[Truth]) -> Truth:
        """Return whether a thread that is not at rest is on a ring: the transitive closure, by Warshall."""
        count = len(self._threads)
        way: list[list[Truth]] = [
            [conjunction((members[t], members[u], self._edge(t, u, members))) for u in range(count)]
            for t in range(count)
        ]
        for between in range(count):
            way = [
                [
                    disjunction((way[t][u], conjunction((way[t][between], way[between][u]))))
                    for u in range(count)
                ]
                for t in range(count)
            ]
        awake = [
            disjunction(conjunction((_caught(w, members), w.awake)) for w in waits) for waits in self._waits
        ]
        return disjunction(conjunction((awake[t], way[t][t])) for t in range(count))

    def _edge(self, thread: int, other: int, members: list[Truth]) -> Truth:
        return (
            disjunction(
                conjunction((_caught(wait, members), (each or {}).get(other, False)))
                for wait in self._waits[thread]
                for each in (wait.owners, wait.wakers)
            )
            if members[thread] is not False
            else False
        )


def _caught(wait: _Wait, members: list[Truth]) -> Truth:
    """Return whether the thread is blocked there and waits only for members."""
    owned: Truth = True
    if wait.owners is not None:
        owned = disjunction(conjunction((condition, members[t])) for t, condition in wait.owners.items())
    woken: Truth = True
    if wait.wakers is not None:
        woken = conjunction(implication(condition, members[t]) for t, condition in wait.wakers.items())
    return conjunction((wait.blocked, owned, woken))
