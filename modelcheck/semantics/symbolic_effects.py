"""What the effects of a statement do, as terms: symbolic execution of the effect tree.

One run of the tree follows all its paths at once. A path is a condition and the cells as they are on it; where
two branches of a test go on to the same effect they are merged, each cell becoming a choice between the two, so
that a long `atomic` costs its length and not the number of its paths. Choices (`choose`, `either`) are free
variables: one step has one value for each, and a model of the solver says which.

The order of evaluation is the interpreter's (semantics/effects.py): value, index, range; the first thing that
goes wrong on a path makes it an error step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

from modelcheck.language.model import (
    TRUE,
    Assign,
    Assume,
    Breach,
    Choose,
    Crossing,
    Effect,
    Effects,
    Either,
    Emit,
    Jump,
    Location,
    Require,
    Test,
    walk_effects,
)
from modelcheck.language.types import bounds
from modelcheck.semantics.symbolic_numbers import Number, constant
from modelcheck.semantics.symbolic_terms import Moment, Terms
from modelcheck.semantics.symbolic_truth import Truth, choice, conjunction, disjunction, negation

MOST_VALUES_TRIED = 4096
"""Whether a `choose ... where` can go on at all is asked value by value; above this nobody waits for the answer."""


@dataclass(frozen=True)
class Path:
    """The condition under which execution gets here, and the cells then."""

    condition: Truth
    cells: list[Number]


@dataclass(frozen=True)
class Exit:
    """The thread arrives at a location: under this condition, with these cells."""

    condition: Truth
    target: int
    cells: list[Number]


@dataclass(frozen=True)
class Failure:
    """An error step: when, and which rule it breaks; None: undefined, or a value outside its type."""

    condition: Truth
    breach: Breach | None


@dataclass(frozen=True)
class Pick:
    """A choice that the step makes if `reached` is true: the effect that asks for it, and the value chosen."""

    reached: Truth
    effect: Choose | Either
    value: Number


@dataclass
class Outcomes:
    """All that a statement can do. `facts` hold the free variables within their ranges."""

    exits: list[Exit] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    picks: list[Pick] = field(default_factory=list)
    facts: list[Truth] = field(default_factory=list)


Free = Callable[[int, int, int], Number]
"""(how many choices stand before it in the statement, low, high) -> a free variable."""


class Execution:
    """Symbolic execution of the statements of one thread, or (thread None) of `init`."""

    def __init__(self, terms: Terms, free: Free) -> None:
        self._terms = terms
        self._numbers = terms.arithmetic
        self._free = free
        self.outcomes = Outcomes()

    def statement(self, thread: int, location: Location, path: Path) -> None:
        """Run the statement of a location: its guard, then its effects."""
        going = negation(self._terms.interrupted(thread, Moment(path.cells)))
        path = Path(conjunction((path.condition, going)), path.cells)
        enabled, defined = self._terms.truth(location.guard, Moment(path.cells))
        path = self._unless(negation(defined), path)
        self.effects(thread, location.effects, Path(conjunction((path.condition, enabled)), path.cells))

    def effects(self, thread: int, effects: Effects, path: Path) -> Path | None:
        """Run effects; return where they end without a Jump."""
        for effect in effects:
            if path.condition is False:
                return None
            following = self._effect(thread, effect, path)
            if following is None:
                return None
            path = following
        return path

    def _effect(self, thread: int, effect: Effect, path: Path) -> Path | None:
        match effect:
            case Assign():
                return self._assign(effect, path)
            case Require(condition, breach):
                holds, defined = self._terms.truth(condition, Moment(path.cells))
                return self._unless(negation(holds), self._unless(negation(defined), path), breach)
            case Assume(condition):
                holds, defined = self._terms.truth(condition, Moment(path.cells))
                path = self._unless(negation(defined), path)
                return Path(conjunction((path.condition, holds)), path.cells)
            case Emit(_, arguments):
                defined = conjunction(self._terms.value(e, Moment(path.cells))[1] for e in arguments)
                return self._unless(negation(defined), path)
            case Crossing():
                return path
            case Test():
                return self._test(thread, effect, path)
            case Choose():
                return self._choose(effect, path)
            case Either():
                return self._either(thread, effect, path)
            case Jump(target):
                self._jump(thread, target, path)
                return None
            case _:
                assert_never(effect)

    def _unless(self, wrong: Truth, path: Path, breach: Breach | None = None) -> Path:
        """Go on where nothing is wrong; elsewhere it is an error step."""
        condition = conjunction((path.condition, wrong))
        if condition is not False:
            self.outcomes.failures.append(Failure(condition, breach))
        return Path(conjunction((path.condition, negation(wrong))), path.cells)

    def _assign(self, effect: Assign, path: Path) -> Path:
        moment = Moment(path.cells)
        value, has_value = self._terms.value(effect.value, moment)
        places, has_place = self._terms.places(effect.target, moment)
        low, high = bounds(effect.target.var.type)
        fits = self._numbers.within(value, low, high)
        path = self._unless(negation(conjunction((has_value, has_place, fits))), path)
        return self._written(places, self._numbers.clip(value, low, high), path)

    def _written(self, places: list[tuple[int, Truth]], value: Number, path: Path) -> Path:
        cells = path.cells.copy()
        for place, condition in places:
            cells[place] = self._numbers.choose(condition, value, cells[place])
        return Path(path.condition, cells)

    def _pick(self, effect: Choose | Either, path: Path) -> Number:
        low, high = (effect.low, effect.high) if isinstance(effect, Choose) else (0, len(effect.branches) - 1)
        value = self._free(len(self.outcomes.picks), low, high)
        self.outcomes.facts.append(self._numbers.valid(value))
        self.outcomes.picks.append(Pick(path.condition, effect, value))
        return value

    def _choose(self, effect: Choose, path: Path) -> Path:
        places, has_place = self._terms.places(effect.target, Moment(path.cells))
        path = self._unless(negation(has_place), path)
        path = self._written(places, self._pick(effect, path), path)
        allowed, defined = self._terms.truth(effect.where, Moment(path.cells))
        path = self._unless(negation(defined), path)
        return Path(conjunction((path.condition, allowed)), path.cells)

    def _test(self, thread: int, effect: Test, path: Path) -> Path | None:
        holds, defined = self._terms.truth(effect.condition, Moment(path.cells))
        path = self._unless(negation(defined), path)
        yes = self.effects(thread, effect.then, Path(conjunction((path.condition, holds)), path.cells))
        no = self.effects(
            thread, effect.otherwise, Path(conjunction((path.condition, negation(holds))), path.cells)
        )
        return self.merged(holds, yes, no)

    def _either(self, thread: int, effect: Either, path: Path) -> Path | None:
        chosen = self._pick(effect, path)
        result: Path | None = None
        for number, effects in enumerate(effect.branches):
            taken = self._numbers.compare("==", chosen, constant(number))
            start = Path(conjunction((path.condition, taken)), path.cells)
            result = self.merged(taken, self.effects(thread, effects, start), result)
        return result

    def _jump(self, thread: int, target: int, path: Path) -> None:
        if path.condition is False:
            return
        cells = path.cells.copy()
        cells[self._terms.system.location_cells[thread]] = constant(target)
        for dead, first in self._terms.system.resets[thread][target]:
            cells[dead] = constant(first)
        self.outcomes.exits.append(Exit(path.condition, target, cells))

    def merged(self, first: Truth, one: Path | None, other: Path | None) -> Path | None:
        """Return two paths as one; on `one` the condition `first` is true, on `other` it is false."""
        if one is None or one.condition is False:
            return other
        if other is None or other.condition is False:
            return one
        cells = [
            a if a is b else self._numbers.choose(first, a, b)
            for a, b in zip(one.cells, other.cells, strict=True)
        ]
        return Path(disjunction((one.condition, other.condition)), cells)


def can_step(terms: Terms, location: Location, moment: Moment) -> Truth:
    """Return whether the statement has a step, an error step included, whatever is chosen, interrupts aside.

    Only a `choose ... where` or an assumption can have none once the guard is true; then every value is tried.
    """
    if location.is_end:
        return False
    enabled, defined = terms.truth(location.guard, moment)
    inner = _has_outcome(terms, location.effects, Path(True, list(moment.cells)))
    return disjunction((negation(defined), conjunction((enabled, inner))))


def _has_outcome(terms: Terms, effects: Effects, path: Path) -> Truth:
    """Return whether some choice leads from here to a Jump or an error step; nothing is merged."""
    if not any(_may_have_none(effect) for effect in walk_effects(effects)):
        return True
    first, rest = effects[0], effects[1:]
    match first:
        case Test(condition, then, otherwise):
            holds, defined = terms.truth(condition, Moment(path.cells))
            yes, no = (_has_outcome(terms, (*branch, *rest), path) for branch in (then, otherwise))
            return disjunction((negation(defined), choice(holds, yes, no)))
        case Either(branches):
            return disjunction(_has_outcome(terms, (*branch, *rest), path) for branch in branches)
        case Choose():
            return _some_value(terms, first, rest, path)
        case Assume(condition):
            holds, defined = terms.truth(condition, Moment(path.cells))
            return disjunction((negation(defined), conjunction((holds, _has_outcome(terms, rest, path)))))
        case _:
            execution = Execution(terms, _never)
            after = execution.effects(0, (first,), path)
            failed = disjunction(failure.condition for failure in execution.outcomes.failures)
            if after is None:
                return True
            return disjunction((failed, _has_outcome(terms, rest, Path(True, after.cells))))


def _may_have_none(effect: Effect) -> bool:
    return isinstance(effect, Assume) or (isinstance(effect, Choose) and effect.where != TRUE)


def _some_value(terms: Terms, effect: Choose, rest: Effects, path: Path) -> Truth:
    assert effect.high - effect.low < MOST_VALUES_TRIED, "asked only where `countable` is true"
    places, has_place = terms.places(effect.target, Moment(path.cells))
    ways = [negation(has_place)]
    for value in range(effect.low, effect.high + 1):
        cells = path.cells.copy()
        for place, condition in places:
            cells[place] = terms.arithmetic.choose(condition, constant(value), cells[place])
        allowed, defined = terms.truth(effect.where, Moment(cells))
        following = _has_outcome(terms, rest, Path(True, cells))
        ways += [negation(defined), conjunction((allowed, following))]
    return disjunction(ways)


def countable(location: Location) -> bool:
    """Tell whether `can_step` can be asked of the location: no `choose ... where` over too many values."""
    return all(
        not isinstance(effect, Choose) or effect.where == TRUE or effect.high - effect.low < MOST_VALUES_TRIED
        for effect in walk_effects(location.effects)
    )


def _never(number: int, low: int, high: int) -> Number:
    raise AssertionError(f"choice {number} from {low}..{high} where none is made")
