"""The product of a system with the positions in a log's sequences: configurations, their moves, and answers.

A configuration is a state with, for each thread, how many of its items are explained. A step whose visible events are
the next ones of its thread moves on; a step without visible events moves the state alone; an observation moves its
thread on where the state has the values. Less is looked at, without losing a run:

* NOTE(local-until-seen). A thread that, until its next visible event, reads and writes nothing but its own cells does
  not move before that event can be the next one: its steps commute with all others (the classical argument for
  independent actions; Godefroid, Partial-Order Methods, 1996, chapter 3).
* NOTE(chosen-by-the-log). Where a `choose` decides an argument of the call that the same step enters, only the value
  that the log states is tried: the others would be compared and dropped (narrowing.py).
* NOTE(nothing-ahead). Where the program graph says that the thread cannot show its next event before another one, no
  run goes on from there (seen_next.py).

What is found is taken again, step by step, from an initial state, before anybody is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from modelcheck.engine.engine import Limits
from modelcheck.engine.narrowing import Narrowed
from modelcheck.engine.seen_next import events_ahead, is_told_of_threads, kind_and_name, local_until_seen
from modelcheck.language.model import Crossing, walk_effects
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.observable import Observable, Observer
from modelcheck.semantics.transition_system import State, Step, TransitionSystem

Positions = tuple[int, ...]

MOST_SHOWN = 1000
"""Configurations kept for the report of a failure."""


@dataclass(frozen=True)
class Expected:
    """One item of a log. `thread`: of the model. `event`, or `values` of observations. `after`: earlier items."""

    thread: int
    event: str = ""
    values: tuple[tuple[str, str], ...] = ()
    after: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Link:
    """The last step of a run: thread and choices (None: an observation was made), and the run before it."""

    before: Link | None
    thread: int
    choices: tuple[int, ...] | None


@dataclass(frozen=True)
class Configuration:
    """A state, how far each thread of the model is in its sequence, and how that was reached."""

    state: State
    positions: Positions
    link: Link | None


@dataclass(frozen=True)
class Conformance:
    """The answer. `run`: the steps that produce the log, if one was found. `stopped`: the limit that was hit.

    `explained` items were explained at most; `there` are configurations where that was so, `allowed` the events that
    the system could have done next there, with their threads.
    """

    conforms: bool
    explained: int
    visited: int
    run: tuple[tuple[State, Step], ...] = ()
    there: tuple[Configuration, ...] = ()
    allowed: tuple[tuple[int, str], ...] = ()
    stopped: str = ""


@dataclass
class Search:
    """What the two searches share."""

    system: TransitionSystem
    items: tuple[Expected, ...]
    hidden: frozenset[str]
    limits: Limits
    interpreter: Interpreter = field(init=False)
    visited: int = 0
    explained: int = -1
    given_up: list[Configuration] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.interpreter = Interpreter(self.system)
        self.observer = Observer(self.interpreter)
        self.observations = {each.name: each for each in self.system.model.observations}
        threads = self.system.model.threads
        self.sequences: tuple[list[int], ...] = tuple([] for _ in threads)
        self.place: list[tuple[int, int]] = []
        for number, item in enumerate(self.items):
            self.place.append((item.thread, len(self.sequences[item.thread])))
            self.sequences[item.thread].append(number)
        told = is_told_of_threads(self.system)
        self.waits = tuple(
            frozenset() if told else local_until_seen(self.system, t.number, self.hidden) for t in threads
        )
        self.ahead = tuple(events_ahead(self.system, t.number, self.hidden) for t in threads)
        self.kinds = tuple(kind_and_name(item.event) for item in self.items)
        self.refusals = tuple(self._refusals(sequence) for sequence in self.sequences)
        self.narrowed = Narrowed(self.interpreter)

    def _refusals(self, sequence: list[int]) -> list[int]:
        """Return for each position how many refused tries a thread still shows."""
        left = [0]
        for number in reversed(sequence):
            left.append(left[-1] + (self.kinds[number][0] == "!"))
        return left[::-1]

    def starts(self) -> Iterator[Configuration]:
        """Yield the initial configurations; what `init` and the threads' starts emit or enter counts."""
        for step in self.interpreter.before_time:
            if step.target is None:
                continue
            seen = self.before_time(step)
            positions = self.matched((0,) * len(self.sequences), seen)
            if positions is not None:
                yield Configuration(step.target, positions, Link(None, -1, step.choices))

    def before_time(self, step: Step) -> list[tuple[int, Observable]]:
        """Return what is seen of the start, with whose it is."""
        owners = {
            effect.call: thread.number
            for thread in self.system.model.threads
            for effect in walk_effects(thread.start)
            if isinstance(effect, Crossing)
        }
        return [
            (owners.get(crossing.call, 0), self.observer.crossing(crossing, cells))
            for crossing, cells in step.crossings
        ]

    def matched(self, positions: Positions, seen: list[tuple[int, Observable]]) -> Positions | None:
        """Return the positions after these events; None if the log has others."""
        for thread, event in seen:
            if event.name in self.hidden:
                continue
            number = self.next_of(positions, thread)
            if number is None or self.items[number].event != event.text or not self.ready(positions, number):
                return None
            positions = self.advance(positions, thread)
        return positions

    def next_of(self, positions: Positions, thread: int) -> int | None:
        """Return the number of the thread's next item."""
        sequence, position = self.sequences[thread], positions[thread]
        return sequence[position] if position < len(sequence) else None

    def ready(self, positions: Positions, number: int) -> bool:
        """Tell whether all that happened before the item is explained."""
        return all(positions[t] > p for t, p in (self.place[each] for each in self.items[number].after))

    def moves(self, here: Configuration, thread: int) -> Iterator[Configuration]:
        """Yield the configurations after one step of the thread, and after an observation of it."""
        number = self.next_of(here.positions, thread)
        item = self.items[number] if number is not None else None
        can_be_next = number is not None and self.ready(here.positions, number)
        if item is not None and item.values:
            if can_be_next and self.holds(item, here.state):
                following = self.advance(here.positions, thread)
                yield Configuration(here.state, following, Link(here.link, thread, None))
            wanted = None
        else:
            wanted = item.event if item is not None else None
        location = here.state[self.system.location_cells[thread]]
        if location in self.waits[thread] and not (can_be_next and wanted):
            return
        for step in self.narrowed.steps_of(here.state, thread, wanted, self.hidden):
            if step.target is None:
                continue
            seen = [(thread, event) for event in self.observer.events(here.state, step)]
            positions = self.matched(here.positions, seen) if seen else here.positions
            if positions is None:
                continue
            there = Configuration(step.target, positions, Link(here.link, thread, step.choices))
            if self.can_go_on(step.target, positions, thread):
                yield there
            else:
                self._give_up(there)

    def _give_up(self, there: Configuration) -> None:
        """Keep what was explained before no run could go on, for the report."""
        explained = sum(there.positions)
        if explained > self.explained:
            self.explained, self.given_up = explained, []
        if explained == self.explained and len(self.given_up) < MOST_SHOWN:
            self.given_up.append(there)

    def can_go_on(self, state: State, positions: Positions, thread: int) -> bool:
        """Tell whether the thread's next event is ahead of it, as far as the program graph says."""
        number = self.next_of(positions, thread)
        if number is None or not self.items[number].event:
            return True
        return self.kinds[number] in self.ahead[thread][state[self.system.location_cells[thread]]]

    def next_of_lock(self, positions: Positions, thread: int) -> tuple[str, str]:
        """Return kind and name of the next lock event of the thread; ("", "") if there is none."""
        sequence, position = self.sequences[thread], positions[thread]
        while position < len(sequence):
            kind = self.kinds[sequence[position]]
            if kind[0] in "+-!" and kind[0]:
                return kind
            position += 1
        return "", ""

    def holds(self, item: Expected, state: State) -> bool:
        """Tell whether the state has the values that the item states."""
        return all(
            self.observer.value(self.observations[name], state) == value for name, value in item.values
        )

    def advance(self, positions: Positions, thread: int) -> Positions:
        """Return the positions with one more item of the thread explained."""
        return (*positions[:thread], positions[thread] + 1, *positions[thread + 1 :])

    def exceeded(self) -> str:
        """Return the limit that is hit, "" if none is."""
        if self.limits.states is not None and self.visited > self.limits.states:
            return f"{self.limits.states} configurations"
        if self.limits.seconds is not None and time.monotonic() - self.started > self.limits.seconds:
            return f"{self.limits.seconds:g} seconds"
        return ""


def found(search: Search, last: Configuration) -> Conformance:
    """Return the answer for a configuration that explains the whole log."""
    links: list[Link] = []
    link = last.link
    while link is not None:
        links.append(link)
        link = link.before
    links.reverse()
    return Conformance(
        conforms=True,
        explained=len(search.items),
        visited=search.visited,
        run=tuple(_retaken(search, links)),
    )


def _retaken(search: Search, links: list[Link]) -> Iterator[tuple[State, Step]]:
    """Take the steps of a run again, by the definition, and see that they show the log."""
    first, *rest = links
    step = next(s for s in search.interpreter.before_time if s.choices == first.choices)
    assert step.target is not None
    state, positions = step.target, (0,) * len(search.sequences)
    reached = search.matched(positions, search.before_time(step))
    assert reached is not None
    positions = reached
    for link in rest:
        number = search.next_of(positions, link.thread)
        if link.choices is None:
            assert number is not None
            assert search.ready(positions, number)
            assert search.holds(search.items[number], state)
            positions = search.advance(positions, link.thread)
            continue
        wanted = search.items[number].event if number is not None else None
        steps = search.narrowed.steps_of(state, link.thread, wanted, search.hidden)
        step = next(s for s in steps if s.choices == link.choices)
        seen = [(link.thread, event) for event in search.observer.events(state, step)]
        reached = search.matched(positions, seen)
        assert reached is not None
        assert step.target is not None
        yield state, step
        state, positions = step.target, reached
    assert sum(positions) == len(search.items)


def failed(search: Search, there: tuple[Configuration, ...]) -> Conformance:
    """Return the answer for a search that came to an end; `there`: where most was explained."""
    explained = sum(there[0].positions) if there else 0
    if search.explained >= explained:
        further = tuple(search.given_up)
        there = further if search.explained > explained else (*there, *further)
        explained = search.explained
    allowed: dict[tuple[int, str], None] = {}
    if not there:  # what is seen of the start is not what the log begins with
        starts = [search.before_time(s) for s in search.interpreter.before_time if s.target is not None]
        seen = [(t, event) for start in starts for t, event in start if event.name not in search.hidden]
        allowed = dict.fromkeys((thread, event.text) for thread, event in seen)
    for here in there[:50]:
        allowed.update(dict.fromkeys(_possible(search, here)))
    return Conformance(
        conforms=False,
        explained=explained,
        visited=search.visited,
        there=there[:MOST_SHOWN],
        allowed=tuple(allowed),
    )


def _possible(search: Search, here: Configuration) -> Iterator[tuple[int, str]]:
    """Yield the visible events that could come next, whatever the log says."""
    for thread in range(len(search.sequences)):
        if search.next_of(here.positions, thread) is None:
            continue  # the log says nothing more of it
        called = search.narrowed.called(here.state, thread, search.hidden)
        if called:
            yield thread, f"{called}(...)"
            continue
        for step in search.interpreter.steps_of(here.state, thread):
            if step.target is None:
                continue
            seen = [e for e in search.observer.events(here.state, step) if e.name not in search.hidden]
            if seen:
                yield thread, ", ".join(each.text for each in seen)
