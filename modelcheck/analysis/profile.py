"""Where the states of a model come from: which threads and variables multiply them, and where threads stand.

What a component of the state (a thread with its locals, a variable, a lock, a local) adds is measured: by how much the
number of states falls when states that differ in it alone are counted as one. That is what the model would have without
it if nothing depended on it, so as a saving it is an estimate; a component that follows from the others adds nothing,
whatever values it takes. Threads multiply each other by the pairs of their own states that occur together.

All of this is of the states that were seen, so it can be asked of a search that a limit ended, which is when one asks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import Literal

from modelcheck.engine.engine import Answers
from modelcheck.language.model import Model, Variable
from modelcheck.language.types import Range, bounds, show
from modelcheck.result.verdict import Statistics
from modelcheck.semantics.questions import Census, Counted, Size, Tally
from modelcheck.semantics.transition_system import TransitionSystem
from modelcheck.source import NOWHERE, Span

Kind = Literal["thread", "variable", "lock", "local"]

VALUES_SHOWN = 6
_TELLING = 3
"""What follows from another has one value for each of the other's, each seen in so many states on average."""


@dataclass(frozen=True)
class Component:
    """A part of the state that a reader knows by name. `thread` is the number of the thread that it belongs to."""

    kind: Kind
    name: str
    cells: tuple[int, ...]
    thread: int | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Spread:
    """What a component adds: `factor` times the states that there are without it.

    `distinct` values of it were seen, `values` shows some of them; `follows` names a component that determines it.
    """

    component: Component
    distinct: Size
    factor: float
    values: str = ""
    follows: str = ""


@dataclass(frozen=True)
class Pair:
    """Two threads: how many pairs of their own states occur together, of how many that could."""

    threads: tuple[int, int]
    names: tuple[str, str]
    distinct: Size
    product: int

    @property
    def share(self) -> float:
        """The part of all pairs that occurs: near 1 the threads do not hold each other up."""
        return min(self.distinct.count / self.product, 1.0)


@dataclass(frozen=True)
class Standing:
    """The share of the states in which a thread of this declaration stands at this statement."""

    declaration: str
    span: Span
    text: str
    share: float


@dataclass(frozen=True)
class Profile:
    """Where the states come from. `spreads` and `pairs`: the largest first; `levels`: states at each distance.

    `sample`: so many states, a fair choice, tell what follows from what and where threads stand.
    """

    model: Model = field(repr=False)
    statistics: Statistics
    stopped: str
    levels: tuple[int, ...]
    spreads: tuple[Spread, ...]
    pairs: tuple[Pair, ...]
    standings: tuple[Standing, ...]
    sample: int

    @property
    def complete_levels(self) -> tuple[int, ...]:
        """The levels of which every state was seen."""
        return self.levels[:-1] if self.stopped else self.levels

    def of_kind(self, *kinds: Kind) -> tuple[Spread, ...]:
        """Return the components of these kinds."""
        return tuple(each for each in self.spreads if each.component.kind in kinds)


# --- what is asked -------------------------------------------------------------------------------


def components(system: TransitionSystem) -> tuple[Component, ...]:
    """Return the components of a state; of threads of one declaration the first stands for all locals."""
    groups: dict[tuple[Kind, str], list[int]] = defaultdict(list)
    found: dict[tuple[Kind, str], Variable] = {}
    first = {t.declaration: t.number for t in reversed(system.model.threads)}
    for number, cell in enumerate(system.cells):
        variable = cell.variable
        if cell.low == cell.high or variable is None:
            continue
        if variable.kind == "local":
            assert variable.thread is not None
            if first[system.model.threads[variable.thread].declaration] != variable.thread:
                continue
        key: tuple[Kind, str] = (
            ("lock", variable.name.rpartition(".")[0])
            if variable.kind == "lock"
            else ("local" if variable.kind == "local" else "variable", variable.name)
        )
        groups[key].append(number)
        found.setdefault(key, variable)
    return (
        *(_thread(system, number) for number in range(len(system.model.threads))),
        *(Component(*k, tuple(cells), found[k].thread, found[k].span) for k, cells in groups.items()),
    )


def _thread(system: TransitionSystem, number: int) -> Component:
    thread = system.model.threads[number]
    own = (n for n, c in enumerate(system.cells) if c.variable and c.variable.thread == number)
    return Component("thread", thread.name, (*own, system.location_cells[number]), number, thread.span)


def pairs_of_threads(model: Model) -> tuple[tuple[int, int], ...]:
    """Return one pair of threads for each pair of declarations."""
    members: dict[str, list[int]] = defaultdict(list)
    for thread in model.threads:
        members[thread.declaration].append(thread.number)
    found = []
    for one, other in combinations_with_replacement(members.values(), 2):
        if one is not other:
            found.append((one[0], other[0]))
        elif len(one) > 1:
            found.append((one[0], one[1]))
    return tuple(found)


def census(system: TransitionSystem) -> Census:
    """Return the question: whole states and each component; how many without it, and of pairs of threads."""
    every = tuple(range(len(system.cells)))
    known = components(system)
    without = (tuple(cell for cell in every if cell not in set(each.cells)) for each in known)
    pairs = pairs_of_threads(system.model)
    together = ((*known[one].cells, *known[other].cells) for one, other in pairs)
    return Census((every, *(each.cells for each in known)), (*without, *together))


# --- what was counted ----------------------------------------------------------------------------


def profile_of(system: TransitionSystem, answers: Answers) -> Profile:
    """Return what the answer to the census means."""
    asked = census(system)
    nothing = Counted((), tuple(Tally({}) for _ in asked.parts), tuple(Size(0) for _ in asked.sizes))
    counted = answers.census or nothing
    known, (whole, *tallies) = components(system), counted.tallies
    states = answers.statistics.states
    follows = _follows(known, tuple(whole.values))
    spreads = []
    for each, tally, without in zip(known, tallies, counted.sizes, strict=False):
        factor = max(states / without.count, 1.0) if without.count else 1.0
        shown = "" if each.kind == "thread" else _values(system, each, tally)
        spreads.append(Spread(each, tally.size, factor, shown, follows.get(each, "")))
    return Profile(
        model=system.model,
        statistics=answers.statistics,
        stopped=answers.stopped,
        levels=counted.levels,
        spreads=tuple(sorted(spreads, key=lambda s: (-s.factor, -s.distinct.count))),
        pairs=tuple(_pairs(system.model, tallies, counted.sizes[len(known) :])),
        standings=tuple(_standings(system, tuple(whole.values))),
        sample=len(whole.values),
    )


def _pairs(model: Model, own: Sequence[Tally], together: Sequence[Size]) -> list[Pair]:
    found = []
    for (one, other), size in zip(pairs_of_threads(model), together, strict=True):
        product = own[one].size.count * own[other].size.count
        names = (model.threads[one].name, model.threads[other].name)
        found.append(Pair((one, other), names, size, max(product, 1)))
    return sorted(found, key=lambda pair: (-pair.distinct.count, pair.threads))


def _values(system: TransitionSystem, component: Component, tally: Tally) -> str:
    """Return the values of a component with one type as they are written: all, or the first and the last."""
    variable = system.cells[component.cells[0]].variable
    if variable is None or component.kind == "lock":
        return ""
    seen = sorted({value for values in tally.values for value in values})
    written = [show(variable.type, value) for value in seen]
    if isinstance(variable.type, Range) and len(seen) > 2 and seen == list(range(seen[0], seen[-1] + 1)):
        text = f"{written[0]} .. {written[-1]}"
    elif len(written) > VALUES_SHOWN:
        text = f"{', '.join(written[: VALUES_SHOWN - 1])}, ... {written[-1]}"
    else:
        text = ", ".join(written)
    low, high = bounds(variable.type)
    more = f" of {show(variable.type, low)} .. {show(variable.type, high)}"
    less = isinstance(variable.type, Range) and (seen[:1], seen[-1:]) != ([low], [high])
    each = f" in each of {len(component.cells)}" if len(component.cells) > 1 else ""
    return text + (more if less and seen else "") + each


def _follows(known: Sequence[Component], states: Sequence[tuple[int, ...]]) -> dict[Component, str]:
    """Return for each component another one whose value decides its own in every state of the sample."""
    values = {each: [tuple(state[c] for c in each.cells) for state in states] for each in known}
    sizes = {each: len(set(seen)) for each, seen in values.items()}
    found: dict[Component, str] = {}
    for each in known:
        if each.kind in ("thread", "local") or sizes[each] < 2:
            continue
        for other in sorted(known, key=lambda one: (one.kind != "thread", sizes[one])):
            telling = sizes[each] <= sizes[other] and _TELLING * sizes[other] <= len(states)
            if other is each or other.kind == "local" or not telling:
                continue
            if len(set(zip(values[each], values[other], strict=True))) == sizes[other]:
                found[each] = other.name
                break
    return found


def _standings(system: TransitionSystem, states: Sequence[tuple[int, ...]]) -> Iterator[Standing]:
    """Yield where threads stand, the most frequent first; copies of a statement count as one."""
    times: dict[tuple[str, Span, str], int] = defaultdict(int)
    threads = tuple(zip(system.model.threads, system.location_cells, strict=True))
    for state in states:
        here = set()
        for thread, cell in threads:
            place = thread.locations[state[cell]]
            if not place.is_end:
                here.add((thread.declaration, place.span, place.text))
        for key in here:
            times[key] += 1
    for (declaration, span, text), number in sorted(times.items(), key=lambda item: -item[1]):
        yield Standing(declaration, span, " ".join(text.split()), number / len(states))
