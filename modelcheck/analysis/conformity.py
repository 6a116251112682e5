"""A log and a specification: the log's names checked, the search, and what is told of its answer (SEMANTICS H11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelcheck.analysis.log_names import check_names
from modelcheck.engine.conformance import conformance
from modelcheck.engine.engine import Limits
from modelcheck.engine.product import Configuration, Conformance, Expected
from modelcheck.language.model import Model
from modelcheck.logs.log import Item, Log
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.observable import Observer
from modelcheck.semantics.transition_system import TransitionSystem, transition_system

SHOWN_STATES = 3
"""How many of the states where the explanation ends are shown."""


@dataclass(frozen=True)
class Ending:
    """A state where the explanation of a log ends: the values observed there, and those that the log states instead.

    `wrong`: (name, the model's value, the log's) of the observation that comes next. `doing`: for each thread, where
    it is.
    """

    values: tuple[tuple[str, str], ...]
    wrong: tuple[tuple[str, str, str], ...]
    doing: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LogReport:
    """What is known of one log. `verdict`: conforms, differs, undecided.

    `next_items` are the items of the log that come next, `allowed` what the model could do instead.
    `taken`: the statements (place, text) of the specification that the run takes; `statements`: all there are.
    """

    log: Log
    model: Model
    verdict: str
    explained: int
    visited: int
    steps: int = 0
    stopped: str = ""
    next_items: tuple[Item, ...] = ()
    allowed: tuple[str, ...] = ()
    endings: tuple[Ending, ...] = ()
    taken: frozenset[tuple[str, str]] = frozenset()
    statements: tuple[tuple[str, str], ...] = ()

    @property
    def events(self) -> int:
        """How many items the log has."""
        return len(self.log.items)


@dataclass(frozen=True)
class ConformReport:
    """A specification and the logs of a file. `left`: how many an interrupt has left."""

    specification: str
    file: str
    logs: tuple[LogReport, ...] = ()
    left: int = 0

    @property
    def exit_code(self) -> int:
        """0: all conform; 1: one does not; 3: one is undecided; 130: interrupted."""
        verdicts = {each.verdict for each in self.logs}
        return 130 if self.left else 1 if "differs" in verdicts else 3 if "undecided" in verdicts else 0

    @property
    def ok(self) -> bool:
        """Whether all logs conform."""
        return self.exit_code == 0

    @property
    def never(self) -> tuple[tuple[str, str], ...]:
        """The statements (place, text) that no log of the file made the specification take."""
        taken = frozenset[tuple[str, str]]().union(*(each.taken for each in self.logs))
        every = dict.fromkeys(each for log in self.logs for each in log.statements)
        return tuple(each for each in every if each not in taken)


def conforming(model: Model, log: Log, limits: Limits) -> LogReport:
    """Say whether some run of the model produces the log. Raises SpecError (MC008) if it names what is not there."""
    check_names(model, log)
    system = transition_system(model, results=True)
    items = expected_items(model, log)
    answer = conformance(system, items, limits, hidden=log.hidden, total=log.total)
    if answer.conforms:
        return LogReport(
            log,
            model,
            "conforms",
            answer.explained,
            answer.visited,
            len(answer.run),
            taken=frozenset(_taken(system, answer)),
            statements=_statements(model),
        )
    verdict = "undecided" if answer.stopped else "differs"
    there = answer.there
    next_items = tuple(_next_items(model, log, there[0])) if there else ()
    names = [thread.name for thread in model.threads]
    return LogReport(
        log,
        model,
        verdict,
        answer.explained,
        answer.visited,
        stopped=answer.stopped,
        next_items=next_items,
        allowed=tuple(f"{names[thread]}: {event}" for thread, event in answer.allowed),
        endings=tuple(_endings(system, there, next_items)),
        statements=_statements(model),
    )


def expected_items(model: Model, log: Log) -> tuple[Expected, ...]:
    """Return the items of the log with the threads' numbers; in a total order each comes after the one before."""
    numbers = {thread.name: thread.number for thread in model.threads}
    return tuple(
        Expected(
            numbers[item.thread],
            item.event,
            item.values,
            ((position - 1,) if log.total and position else ()) + item.after,
        )
        for position, item in enumerate(log.items)
    )


# --- what is told --------------------------------------------------------------------------------


def _next_items(model: Model, log: Log, there: Configuration) -> list[Item]:
    """Return the next item of each thread; in a total order only the one that comes next."""
    if log.total:
        explained = sum(there.positions)
        return list(log.items[explained : explained + 1])
    found: list[Item] = []
    for thread in model.threads:
        own = [item for item in log.items if item.thread == thread.name]
        found += own[there.positions[thread.number] :][:1]
    return found


def _endings(
    system: TransitionSystem, there: tuple[Configuration, ...], next_items: tuple[Item, ...]
) -> list[Ending]:
    """Return the states where the explanation ends, the closest to what the log says first."""
    interpreter = Interpreter(system)
    observer = Observer(interpreter)
    stated = dict(pair for item in next_items for pair in item.values)
    found: dict[tuple[tuple[str, str], ...], Ending] = {}
    for here in there:
        values = observer.values(here.state)
        wrong = tuple(
            (name, values.get(name, "undefined"), value)
            for name, value in stated.items()
            if values.get(name) != value
        )
        doing = tuple(
            (thread.name, _doing(interpreter, here, thread.number)) for thread in system.model.threads
        )
        ending = Ending(tuple(values.items()), wrong, doing)
        found.setdefault(ending.values, ending)
    return sorted(found.values(), key=lambda each: len(each.wrong))[:SHOWN_STATES]


def _doing(interpreter: Interpreter, here: Configuration, thread: int) -> str:
    if interpreter.finished(here.state, thread):
        return "finished"
    location = interpreter.location(here.state, thread)
    where = f"{location.call.op}: " if location.call else ""
    held = ", ".join(each.lock for each in interpreter.held(here.state, thread))
    return f"{where}{location.text} at {location.span}" + (f", holding {held}" if held else "")


def _taken(system: TransitionSystem, answer: Conformance) -> Iterator[tuple[str, str]]:
    """Yield the statements that a run takes, as places and texts."""
    for _, step in answer.run:
        location = system.model.threads[step.thread].locations[step.location]
        yield str(location.span), location.text


def _statements(model: Model) -> tuple[tuple[str, str], ...]:
    """Return all statements of a model, as places and texts, in the order of the threads."""
    every = (
        (str(location.span), location.text)
        for thread in model.threads
        for location in thread.locations
        if not location.is_end
    )
    return tuple(dict.fromkeys(every))
