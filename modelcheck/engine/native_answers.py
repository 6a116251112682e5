"""From what compiled code noted to the answers of the reference engine: causes, traces, local views.

A note has a number; what the number means is known from when the code was written, or (a circular wait) is found by
the interpreter at one state that shows it. Every trace ends where the interpreter, too, sees what it is a trace of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelcheck.engine.closing import closed_set
from modelcheck.engine.collecting import Collector, cause_of_error, causes_of
from modelcheck.engine.engine import Found
from modelcheck.engine.kernel.context import Slot
from modelcheck.engine.kernel.noted import Noted, logged_rows, merged_rows, noted
from modelcheck.engine.kernel.program import Program
from modelcheck.engine.kernel.store import Store
from modelcheck.engine.native_shortest import Ending, size_of_ways, ways_to
from modelcheck.engine.shortest import best_trace, trace_before_time
from modelcheck.engine.sightings import Sighting, Sightings, Target
from modelcheck.engine.watch import INTERRUPTED, StoppedError, Watch
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.native_registry import (
    MOVER_BITS,
    NOBODY,
    ErrorNote,
    Note,
    PredicateNote,
    StuckNote,
    UnableNote,
)
from modelcheck.semantics.questions import (
    CannotFinish,
    CircularWaits,
    ErrorSteps,
    Held,
    LocalView,
    Question,
    StatePredicate,
    StepPredicate,
    StuckForEver,
    TimeOutWaits,
)
from modelcheck.semantics.waiting import Waiting, told_standing
from modelcheck.source import Span

Crossed = tuple[int, bool, tuple[Held, ...], Span]
Key = tuple[Question, tuple[str, ...], bool]


@dataclass
class Seen:
    """One cause: how many states (or error steps) show it, and where it is first seen: (number, aux) in rising order.

    `level` is that of the state; a step that shows it makes the trace one longer.
    """

    key: Key
    level: int
    states: int = 0
    places: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_step(self) -> bool:
        """Whether it is a step that shows it."""
        return isinstance(self.key[0], ErrorSteps | StepPredicate)

    @property
    def found_level(self) -> int:
        """The length of its trace."""
        return self.level + self.is_step

    @property
    def ending(self) -> Ending:
        """Where its traces end."""
        return Ending(
            self.level, [(number, aux & NOBODY if self.is_step else NOBODY) for number, aux in self.places]
        )


class Reading:
    """What a native search noted, ready to be read."""

    def __init__(
        self, interpreter: Interpreter, questions: Sequence[Question], program: Program, store: Store
    ) -> None:
        self.interpreter = interpreter
        self.questions = tuple(questions)
        self.program = program
        self.store = store
        self.waiting = Waiting(interpreter)
        self._notes: dict[int, Noted] = {}
        self._rings: dict[str, list[tuple[tuple[int, ...], Noted]]] = {}

    def close_notes(self) -> None:
        """Take over what was noted; from here on nothing is noted any more."""
        self.program.g[Slot.NOTING] = 0
        self.take_notes()
        workers = self.store.crew.workers
        kinds = [kind for kind in self.program.text.shape.sets if kind.logged is not None]
        self._rings = {kind.name: logged_rows(workers, kind) for kind in kinds}
        if len(workers) > 1:
            # The sweeps go by their numbers.
            for kind in kinds:
                rows = [(*key, ring.count, ring.level) for key, ring in self._rings[kind.name]]
                for worker in workers:
                    worker.replace_tuples(kind, rows)

    def take_notes(self) -> None:
        """Take over what was noted so far."""
        self._notes = noted(self.store.crew.workers)

    def caught(self) -> list[int]:
        """Return for each knot the set of threads that are lost in a circular wait, as bits."""
        states = (self.store.state(ring.places[0][0]) for _, ring in self._rings.get("knots", ()))
        return [sum(1 << thread for thread in self.waiting.knot(state).caught) for state in states]

    # --- causes ----------------------------------------------------------------------------------

    def seen(self) -> dict[Key, Seen]:
        """Return what was seen, by question and cause."""
        found: dict[Key, Seen] = {}
        registry = self.program.text.registry
        for number, seen in self._notes.items():
            for key in self._keys(registry.notes[number]):
                # New states are noted while the level before them is expanded.
                deeper = isinstance(key[0], StatePredicate)
                _add(found, key, (seen.level + deeper, seen.count), seen.places)
        self._add_rings(found, "knots")
        self._add_rings(found, "time_outs")
        for each in found.values():
            each.places.sort()
        return found

    def _add_rings(self, found: dict[Key, Seen], name: str) -> None:
        """Add the circular waits, or those that only a time-out breaks."""
        wanted: type[Question] = CircularWaits if name == "knots" else TimeOutWaits
        asked = [question for question in self.questions if isinstance(question, wanted)]
        for _, ring in self._rings.get(name, ()):
            state = self.store.state(ring.places[0][0])
            knot = self.waiting.knot(state) if name == "knots" else self.waiting.knot_of_time_outs(state)
            for cause in causes_of(self.interpreter, knot, state):
                for question in asked:
                    _add(found, (question, cause, False), (ring.level, ring.count), ring.places)

    def _keys(self, note: Note) -> Iterator[Key]:
        threads = self.interpreter.system.model.threads
        match note:
            case PredicateNote(question, undefined):
                cause = question.cause if isinstance(question, StatePredicate) else (question.name,)
                yield question, cause, undefined
            case ErrorNote(thread, _, breach):
                cause = cause_of_error(breach, threads[thread].declaration)
                yield from ((q, cause, False) for q in self.questions if isinstance(q, ErrorSteps))
            case StuckNote(thread, location, interrupted):
                cause = (
                    told_standing(
                        threads[thread], threads[thread].locations[location], interrupted=interrupted
                    ),
                )
                yield from ((q, cause, False) for q in self.questions if isinstance(q, StuckForEver))
            case UnableNote(thread):
                cause = (threads[thread].declaration,)
                yield from ((q, cause, False) for q in self.questions if isinstance(q, CannotFinish))

    # --- the order in which the reference engine finds them ------------------------------------------

    def when(self, each: Seen) -> tuple[Any, ...]:
        """Return what sorts findings of one level as they come in a search that looks at one state after the other."""
        number, aux = each.places[0]
        parent = (aux >> MOVER_BITS) - 1
        match each.key[0]:
            case StuckForEver() | CannotFinish():
                threads = self._lost(each, number)
                return (1, self.questions.index(each.key[0]), number, threads[0])
            case StatePredicate():
                return (0, parent, 1, number, self._rank(each, number))
            case _:
                return (0, number, 0, number, self._rank(each, number))

    def _rank(self, each: Seen, number: int) -> int:
        collector = self._looked(self.questions, number, new=isinstance(each.key[0], StatePredicate))
        return list(collector.sightings.keys).index(each.key)

    def _lost(self, each: Seen, number: int) -> list[int]:
        """Return the threads that are stuck, or cannot finish, in a state with that cause."""
        return sorted(
            note.thread
            for n, note in enumerate(self.program.text.registry.notes)
            if isinstance(note, StuckNote | UnableNote)
            and each.key in self._keys(note)
            and n in self._notes
            and any(place == number for place, _ in self._notes[n].places)
        )

    # --- traces ----------------------------------------------------------------------------------

    def targets_at(self, each: Seen, number: int) -> list[Target]:
        """Return the targets at a state, as the interpreter sees them."""
        if isinstance(each.key[0], StuckForEver | CannotFinish):
            return [Target(number, None, (thread,)) for thread in self._lost(each, number)]
        new = isinstance(each.key[0], StatePredicate)
        collector = self._looked((each.key[0],), number, new=new)
        return collector.sightings.targets(each.key)

    def _looked(self, questions: Sequence[Question], number: int, *, new: bool) -> Collector:
        collector = Collector(self.interpreter, questions)
        state = self.store.state(number)
        if new:
            collector.found(number, state, 0, None)
        else:
            collector.expanded(number, state, 0, self.interpreter.successors(state))
        return collector


def _add(
    found: dict[Key, Seen], key: Key, counted: tuple[int, int], places: Sequence[tuple[int, int]]
) -> None:
    level, states = counted
    each = found.setdefault(key, Seen(key, level))
    if level < each.level:
        each.level, each.places = level, []
    each.states += states
    if level == each.level:
        each.places += places


def told(reading: Reading, before: Sightings, watch: Watch, stopped: str) -> tuple[tuple[Found, ...], str]:
    """Return the findings with their traces, the nearest first and in the order of the reference engine.

    And why some are left out, if some are: traces take sweeps over the states before them, and memory for each.
    """
    found: list[Found] = []
    end = watch.end_of_telling(stopped)
    todo: list[tuple[tuple[Any, ...], Sighting | Seen]] = [
        ((sighting.level, -1, n), sighting) for n, sighting in enumerate(before.all)
    ]
    todo += (((each.found_level, *reading.when(each)), each) for each in reading.seen().values())
    todo.sort(key=lambda pair: pair[0])
    endings = [each.ending for _, each in todo if isinstance(each, Seen)]
    ways = ways_to(reading.program, reading.store, endings, watch.need_to_tell)
    try:
        for _, each in todo:
            watch.heed()
            if found and watch.seconds >= end:
                return tuple(found), stopped or watch.out_of_time
            if isinstance(each, Seen):
                found.append(_found(reading, each, next(ways)))
            else:
                found.append(_before_time(reading, each))
    except StoppedError as stop:
        return tuple(found), str(stop)
    except KeyboardInterrupt:
        return tuple(found), INTERRUPTED
    finally:
        ways.close()
    return tuple(found), ""


def _before_time(reading: Reading, sighting: Sighting) -> Found:
    trace, target = trace_before_time(reading.interpreter, sighting.targets[0])
    return Found(sighting.question, sighting.cause, sighting.level, sighting.states, trace, target.members)


def room_to_tell(reading: Reading) -> int:
    """Return the memory that the traces of what has been noted so far will take: that of the deepest."""
    store, levels = reading.store, []
    for worker in store.crew.workers:
        program = worker.program
        levels += [
            int(level)
            for count, level in zip(program.note_counts, program.note_levels, strict=True)
            if count and level < 1 << 63
        ]
        for kind in program.text.shape.sets:
            if kind.logged is not None:
                levels += (int(row[-1]) for row in worker.tuples(kind, -1))
    # A new state is noted while the level before it is expanded.
    deepest = max(levels, default=-1) + 1
    return size_of_ways(program, store, min(deepest, store.depth + 1)) if levels else 0


def _found(reading: Reading, each: Seen, after: Callable[[int], dict[int, int]]) -> Found:
    interpreter, store = reading.interpreter, reading.store
    trace, target = best_trace(
        interpreter, store, each.level, after, lambda number: reading.targets_at(each, number)
    )
    question, cause, _ = each.key
    closed = None
    if isinstance(question, StuckForEver | CannotFinish):
        trace, closed = closed_set(interpreter, store, trace)
    return Found(
        question=question,
        cause=cause,
        level=each.found_level,
        states=each.states,
        trace=trace,
        members=target.members,
        closed=closed,
        undefined=target.undefined,
    )


# --- collections ---------------------------------------------------------------------------------


def views_and_crossings(
    reading: Reading,
) -> tuple[set[LocalView], set[Crossed]]:
    """Return the local views and the crossings that occurred."""
    interpreter, store, workers = reading.interpreter, reading.store, reading.store.crew.workers
    kinds = {kind.name: kind for kind in reading.program.text.shape.sets}
    views: set[LocalView] = set()
    crossings: set[Crossed] = set()
    if "views" in kinds:
        rows = merged_rows(workers, kinds["views"])
        views = {interpreter.local_view(store.state(row[-1]), row[0]) for row in rows}
    if "crossings" in kinds:
        names = [held for held, _ in interpreter.holdings[0]]
        known = list(reading.program.text.registry.crossings)
        for what, *words, _ in merged_rows(workers, kinds["crossings"]):
            held = tuple(name for n, name in enumerate(names) if words[n // 64] >> n % 64 & 1)
            call, leaves, at = known[what]
            crossings.add((call, leaves, held, at))
    return views, crossings
