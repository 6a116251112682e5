"""What no scenario of a file ever does (SEMANTICS H13): "holds" is only worth something with this beside it.

A *point* is something in the text that may happen: a statement runs, a condition is true, a lock makes somebody wait.
Points are source text, not inlined copies. Collected per scenario, told for the file: what no scenario does. What a
constant parameter removes counts in the scenarios that keep it. Only complete searches say that something never
happens. What cannot happen because an arm or an op is never entered is told with that arm or op.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from modelcheck.engine.engine import Answers
from modelcheck.language.model import (
    TRUE,
    Assign,
    Choose,
    Const,
    Effect,
    Effects,
    Either,
    Expr,
    Jump,
    Location,
    Model,
    Property,
    Test,
    Thread,
    Variable,
    VerbUse,
    refs,
    walk_effects,
)
from modelcheck.language.types import Enum, show
from modelcheck.locks import VERBS
from modelcheck.semantics.questions import Occurred
from modelcheck.semantics.transition_system import INIT
from modelcheck.source import NOWHERE, Span


@dataclass(frozen=True)
class Point:
    """Something that may happen, where, and what is said if it never does. `extent`: the text that goes with it."""

    kind: str
    span: Span
    message: str
    extent: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Coverage:
    """The points that one scenario has, those that happened, and whether every reachable state was looked at.

    `declared` are the points of declarations, of which only all scenarios together can say that they never happen.
    """

    present: frozenset[Point]
    happened: frozenset[Point]
    complete: bool
    declared: frozenset[Point] = frozenset()


@dataclass(frozen=True)
class Vacuous:
    """A point that no scenario reaches, and those that cannot happen because it does not."""

    point: Point
    within: tuple[Point, ...] = ()

    @property
    def message(self) -> str:
        """What is told: the point, with the number of statements that go with it."""
        number = sum(each.kind == "statement" for each in self.within)
        behind = f" ({number} statement{'s' * (number != 1)} in it)" if number else ""
        return self.point.message + behind


def coverage(model: Model, answers: Answers) -> Coverage:
    """Return what happened; what is expected not to be reached counts as if it had."""
    if answers.occurred is None or answers.stopped:
        return Coverage(frozenset(), frozenset(), complete=False)
    if not model.threads:  # a file to be imported: that nothing runs there is no finding
        return Coverage(frozenset(), frozenset(), complete=True)
    seen = _Seen(model, answers, answers.occurred)
    points = dict[Point, bool]()
    for point, here in seen.points():
        points[point] = points.get(point, False) or here
    happened = {point for point, once in points.items() if once} | _silenced(model, points)
    declared = {point for point in points if seen.only_declares(point)}
    present = frozenset(points) - declared
    return Coverage(present, frozenset(happened), complete=True, declared=frozenset(declared))


def never(coverages: Iterable[Coverage], *, whole: bool = True) -> tuple[Vacuous, ...]:
    """Return the points that no scenario reaches, by place; none if some search was not complete.

    `whole`: every scenario of the file was looked at.
    """
    known = tuple(coverages)
    if not all(each.complete for each in known):
        return ()
    present = frozenset[Point]().union(*(each.present for each in known))
    happened = frozenset[Point]().union(*(each.happened for each in known))
    declared = frozenset[Point]().union(*(each.declared for each in known if whole))
    missing = sorted(
        (present | declared) - happened, key=lambda p: (p.span.source.name, p.span.start, p.message)
    )
    return tuple(_told(_joined(missing)))


def _joined(missing: list[Point]) -> list[Point]:
    """Say once that a variable is neither read nor written."""
    unread = {p.span: p for p in missing if p.kind == "read"}
    joined = []
    for point in missing:
        if point.kind == "written" and point.span in unread:
            name = point.message.split("`")[1]
            joined.append(Point("variable", point.span, f"`{name}` is neither read nor written"))
        elif point.kind != "read" or not any(p.kind == "written" and p.span == point.span for p in missing):
            joined.append(point)
    return joined


def _told(missing: list[Point]) -> Iterator[Vacuous]:
    folded = {inner for outer in missing for inner in missing if _goes_with(inner, outer)}
    for point in missing:
        if point not in folded:
            yield Vacuous(point, tuple(each for each in missing if _goes_with(each, point)))


def _goes_with(inner: Point, outer: Point) -> bool:
    return inner is not outer and _inside(inner.span, outer.extent)


def _inside(span: Span, extent: Span) -> bool:
    return extent.end > 0 and span.source == extent.source and extent.start <= span.start < extent.end


def _silenced(model: Model, points: Iterable[Point]) -> set[Point]:
    """Return what `expect not reached` silences: the statement, the arm or op that it stands in, what follows there."""
    expected = {name for e in model.scenario.expectations if e.kind == "not_reached" for name in e.names}
    spans = {
        thread.locations[place].span
        for thread in model.threads
        for name in expected
        for place in thread.labels.get(name.removeprefix(f"{thread.declaration}."), ())
    }
    silent: set[Point] = set()
    for span in spans:
        around = [p.extent for p in points if _inside(span, p.extent)]
        smallest = min(around, key=lambda e: e.end - e.start, default=span)
        silent |= {p for p in points if p.span == span or p.extent in around}
        silent |= {p for p in points if _inside(p.span, smallest) and p.span.start >= span.start}
    return silent


# --- the points of one scenario ------------------------------------------------------------------


class _Seen:
    """What one scenario has, and what of it happened."""

    def __init__(self, model: Model, answers: Answers, occurred: Occurred) -> None:
        self._model = model
        self._waited = occurred.waited
        self._true = occurred.true
        self._ran = {(thread, place) for (thread, place, _), count in answers.counts.items() if count}
        self._entered = {number for number, leaves, *_ in answers.crossings if not leaves}
        self._taken: dict[tuple[int, int], set[tuple[int, int]]] = {}
        for thread, place, choices, tests in occurred.outcomes:
            effects = model.initial if place == INIT else model.threads[thread].locations[place].effects
            taken = self._taken.setdefault((thread, place), set())
            path = followed(effects, iter(choices), iter(tests))
            taken.update((id(effect), outcome) for effect, outcome in path)

    def points(self) -> Iterator[tuple[Point, bool]]:
        """Yield every point with whether it happened; copies of one statement yield one point several times."""
        for thread in self._model.threads:
            for location in thread.locations:
                if not location.is_end:
                    yield from self._statement(thread, location)
        for effect in walk_effects(self._model.initial):
            yield from self._decisions(INIT, INIT, effect, None)
        for span, value in self._model.settled:
            yield _condition(span, text_of(span), NOWHERE, value=value), True
        yield from self._locks()
        yield from self._ops()
        yield from self._variables()
        yield from self._properties()

    def only_declares(self, point: Point) -> bool:
        """Tell whether the scenario has no code at the point: a variable, or an op that no running thread calls."""
        called = {f"op `{call.op}` is never called" for call in self._model.calls}
        return point.kind in ("written", "read") or (point.kind == "op" and point.message not in called)

    def _statement(self, thread: Thread, location: Location) -> Iterator[tuple[Point, bool]]:
        here = (thread.number, location.number)
        text = " ".join(location.text.split())
        yield Point("statement", location.span, f"`{text}` never runs"), here in self._ran
        if here not in self._ran:
            return
        handler_waits = thread.handler is not None and location.number in thread.handler.starts
        if location.verb is None and location.guard != TRUE and not handler_waits:
            yield Point("await", location.span, f"`{text}` never had to wait"), here in self._waited
        for effect in walk_effects(location.effects):
            yield from self._decisions(*here, effect, location)

    def _decisions(
        self, thread: int, place: int, effect: Effect, location: Location | None
    ) -> Iterator[tuple[Point, bool]]:
        taken = self._taken.get((thread, place), set())
        match effect:
            case Test(span=span, arms=arms) if span.end:
                for value, arm in zip((True, False), arms, strict=True):
                    yield _condition(span, text_of(span), arm, value=value), (id(effect), value) in taken
            case Test() if location is not None and effect is _first_test(location.effects):
                yield from _result(location, {value for number, value in taken if number == id(effect)})
            case Either(branches, span) if span.end:  # those without a place are a lock verb's own
                for number in range(len(branches)):
                    message = f"branch {number + 1} of `either` is never taken"
                    yield Point("branch", span, message), (id(effect), number) in taken
            case Choose(target, low, high, _, span) if isinstance(target.var.type, Enum):
                for member in range(low, high + 1):
                    message = f"`{text_of(span)}` never chooses {show(target.var.type, member)}"
                    yield Point("value", span, message), (id(effect), member) in taken
            case _:
                pass

    def _locks(self) -> Iterator[tuple[Point, bool]]:
        why = "not needed, or the contention is not in the model"
        for thread in self._model.threads:
            for location in thread.locations:
                here, verb = (thread.number, location.number), location.verb
                if here in self._ran and verb is not None and verb.action in ("acquire", "announce", "try"):
                    lock = verb.at.lock
                    if verb.action == "try" and _first_test(location.effects) is None:
                        continue  # it can only succeed: refcount_inc
                    refused = {value for _, value in self._taken.get(here, ()) if verb.action == "try"}
                    point = Point("lock", lock.span, f"`{lock.name}` never made anybody wait: {why}")
                    yield point, here in self._waited or len(refused) > 1

    def _ops(self) -> Iterator[tuple[Point, bool]]:
        called = {call.op for call in self._model.calls if call.number in self._entered}
        for name, span in self._model.ops:
            if span.source.name == self._model.file:
                yield Point("op", span, f"op `{name}` is never called", span), name in called

    def _variables(self) -> Iterator[tuple[Point, bool]]:
        """A variable that only properties read is read; one that only `init` writes is written.

        One that only a statement that never runs would access is told with that statement.
        """
        read, written = _outside(self._model)
        for thread in self._model.threads:
            for location in thread.locations:
                for access in location.accesses:
                    (written if access.writes else read).add(access.ref.var)
        for variable in self._model.variables:
            if variable.kind == "shared" and variable.span.source.name == self._model.file:
                name = variable.name
                yield Point("written", variable.span, f"`{name}` is never written"), variable in written
                yield Point("read", variable.span, f"`{name}` is never read"), variable in read

    def _properties(self) -> Iterator[tuple[Point, bool]]:
        number = 0
        for wanted in self._model.properties:
            message = f"{wanted.kind} `{wanted.name}` is always true, whatever the threads do"
            constant = isinstance(wanted.expr, Const) and wanted.expr.value != 0
            yield Point("property", wanted.span, message, wanted.span), not constant
            for premise in wanted.premises:
                message = f"{wanted.kind} `{wanted.name}`: `{text_of(premise.span)}` is never true"
                yield Point("premise", premise.span, message), number in self._true
                number += 1


def followed(effects: Effects, choices: Iterator[int], tests: Iterator[bool]) -> Iterator[tuple[Effect, int]]:
    """Yield the tests and choices of one way through a statement, each with its outcome."""
    for effect in effects:
        outcome = next(tests if isinstance(effect, Test) else choices, None) if _decides(effect) else 0
        if outcome is None or isinstance(effect, Jump):
            return
        match effect:
            case Test(_, then, otherwise):
                yield effect, outcome
                yield from followed(then if outcome else otherwise, choices, tests)
            case Either(branches):
                yield effect, outcome
                yield from followed(branches[outcome], choices, tests)
            case Choose():
                yield effect, outcome
            case _:
                pass


def _decides(effect: Effect) -> bool:
    return isinstance(effect, Test | Either | Choose)


def _condition(span: Span, text: str, arm: Span, *, value: bool) -> Point:
    return Point("condition", span, f"`{text}` is never {'true' if value else 'false'}", arm)


def _result(location: Location, outcomes: set[int]) -> Iterator[tuple[Point, bool]]:
    """A test without a place of its own: of a call's result, or within a lock verb that may be refused."""
    text = text_of(location.span)
    condition = location.text.startswith(("if (", "while ("))
    if location.verb is not None and _has_result(location.verb):
        if location.verb.action != "try" and not condition:
            return  # whoever drops the result of a verb that tells something does not ask for it
        yield Point("result", location.span, f"`{text}` always has the same result"), len(outcomes) > 1
    elif location.verb is None and condition:
        whole = location.text.partition("(")[2].removesuffix(")")  # a call may be negated in it
        for value in (True, False):
            yield _condition(location.span, whole, NOWHERE, value=value), value in outcomes


def _has_result(use: VerbUse) -> bool:
    return use.verb in VERBS and VERBS[use.verb][1].result is not None


def _first_test(effects: Effects) -> Test | None:
    return next((effect for effect in effects if isinstance(effect, Test)), None)


def _outside(model: Model) -> tuple[set[Variable], set[Variable]]:
    """Return the variables that properties or `init` read, and those that `init` writes."""
    read = {ref.var for wanted in model.properties for expr in _spoken(wanted) for ref in refs(expr)}
    written = set[Variable]()
    for effect in walk_effects(model.initial):
        match effect:
            case Assign(target, value) | Choose(target, _, _, value):
                written.add(target.var)
                read |= {ref.var for ref in refs(value)}
            case Test(condition):
                read |= {ref.var for ref in refs(condition)}
            case _:
                pass
    return read, written


def _spoken(wanted: Property) -> tuple[Expr, ...]:
    return (wanted.expr, *(wanted.when_free.index if wanted.when_free is not None else ()))


def text_of(span: Span) -> str:
    """Return the text of a place on one line."""
    return " ".join(span.text.split()).removesuffix(";")
