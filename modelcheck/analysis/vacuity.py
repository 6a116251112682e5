"""What no scenario of a file ever does (SEMANTICS H13): "holds" is only worth something with this beside it.

Statements are source statements, not their inlined copies. One that a constant parameter removes counts in the
scenarios that keep it. Only complete searches say that something never runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelcheck.engine.engine import Answers
from modelcheck.language.model import Location, Model
from modelcheck.source import Span


@dataclass(frozen=True)
class Statement:
    """A source statement: where, and its text."""

    span: Span
    text: str


@dataclass(frozen=True)
class Coverage:
    """The statements that one scenario has, those that ran, and whether every reachable state was looked at."""

    present: frozenset[Statement]
    ran: frozenset[Statement]
    complete: bool


def coverage(model: Model, answers: Answers) -> Coverage:
    """Return what ran, from the counts of the actions. What is expected not to be reached counts as run."""
    expected = {name for e in model.scenario.expectations if e.kind == "not_reached" for name in e.names}
    present, ran = set(), set()
    run = {(thread, place) for (thread, place, _), count in answers.counts.items() if count}
    for thread in model.threads:
        silenced = {place for name in expected for place in thread.labels.get(name, ())}
        for location in thread.locations:
            if not location.is_end:
                present.add(_statement(location))
                if (thread.number, location.number) in run or location.number in silenced:
                    ran.add(_statement(location))
    return Coverage(frozenset(present), frozenset(ran), complete=bool(answers.counts) and not answers.stopped)


def _statement(location: Location) -> Statement:
    return Statement(location.span, " ".join(location.text.split()))


def never_run(coverages: Iterable[Coverage]) -> tuple[Statement, ...]:
    """Return the statements that no scenario ran, by place; none if some search was not complete."""
    known = tuple(coverages)
    if not all(each.complete for each in known):
        return ()
    present = frozenset[Statement]().union(*(each.present for each in known))
    ran = frozenset[Statement]().union(*(each.ran for each in known))
    return tuple(sorted(present - ran, key=lambda s: (s.span.source.name, s.span.start, s.text)))
