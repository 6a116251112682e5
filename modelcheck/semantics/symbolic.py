"""The transition system as z3 terms: Init, Trans, and what holds at time k.

The terms of a step are built from the terms of the state before it, in the manner of symbolic execution (Clarke,
Kroening, Lerda: A Tool for Checking ANSI-C Programs, TACAS 2004). What is known at a depth (a lock that nobody can
have taken yet, where a thread can be, how far a counter can have come) is a constant or a tight bound there and
never reaches the solver. Once that knowledge stops changing, the terms of a step are those of an earlier one under
other names, and are copied.

One step is one choice of a mover and of the values of its statement's `choose` and `either`, all free variables;
a model of the solver therefore names the run, and `decode` only has to read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from modelcheck.language.intervals import Interval
from modelcheck.language.model import Breach, Location
from modelcheck.semantics.symbolic_effects import Execution, Exit, Failure, Path, Pick, can_step, countable
from modelcheck.semantics.symbolic_numbers import Arithmetic, Number, Renaming, constant
from modelcheck.semantics.symbolic_terms import Moment, Terms
from modelcheck.semantics.symbolic_truth import Truth, conjunction, disjunction, negation
from modelcheck.semantics.transition_system import TransitionSystem

Places = tuple[frozenset[int], ...]
Shape = tuple[Places, tuple[Interval, ...]]


@dataclass(frozen=True)
class Frame:
    """A state as terms: its cells, and for each thread the locations that it can be at."""

    cells: tuple[Number, ...]
    places: Places

    @property
    def moment(self) -> Moment:
        """The state as what an expression reads."""
        return Moment(self.cells, places=self.places)

    @property
    def shape(self) -> Shape:
        """What decides how the terms of the state look, their names aside."""
        return self.places, tuple(cell.bounds for cell in self.cells)


@dataclass(frozen=True)
class Start:
    """The initial states.

    `facts` hold of the free variables; `defines` says what the first frame is, and that no error came before.
    """

    frame: Frame
    facts: tuple[Truth, ...]
    defines: tuple[Truth, ...]
    failures: tuple[Failure, ...]
    picks: tuple[Pick, ...]


@dataclass(frozen=True)
class Taken:
    """One way in which a step can go: who moves, when, and what the cells are then."""

    thread: int
    exit: Exit


@dataclass(frozen=True)
class Broken:
    """One way in which a step can be an error step. `breach` None: undefined, or a value outside its type."""

    thread: int
    location: int
    breach: Breach | None
    condition: Truth


Free = dict[tuple[int, int, int], Number]
"""The free variables of a step's choices: by (number within the statement, low, high). Statements share them."""


@dataclass(frozen=True)
class Going:
    """All steps that can be made from a frame.

    `facts` hold of the free variables, whether or not a step is made; `moves` is true if one is that is no error.
    `after` is the next frame, and `defines` says what it is. `picks`: the choices of each thread's statement.
    """

    mover: Number
    free: Free
    broken: tuple[Broken, ...]
    picks: dict[tuple[int, int], tuple[Pick, ...]]
    facts: tuple[Truth, ...]
    moves: Truth
    after: Frame
    defines: tuple[Truth, ...]


class Relation:
    """Init and Trans of one system in one arithmetic."""

    def __init__(self, system: TransitionSystem, numbers: Arithmetic) -> None:
        self.system = system
        self.numbers = numbers
        self.terms = Terms(system, numbers, self.enabled)
        self._known: dict[Shape, tuple[Frame, Going]] = {}

    def enabled(self, moment: Moment, thread: int) -> Truth:
        """Return whether the thread has a step, an error step included."""
        locations = self.system.model.threads[thread].locations
        places = range(len(locations)) if moment.places is None else sorted(moment.places[thread])
        somewhere = disjunction(
            conjunction(
                (
                    self.terms.stands(moment, thread, frozenset((n,))),
                    can_step(self.terms, locations[n], moment),
                )
            )
            for n in places
            if not locations[n].is_end
        )
        return conjunction((negation(self.terms.interrupted(thread, moment)), somewhere))

    @property
    def uncountable(self) -> tuple[Location, ...]:
        """The locations of which `enabled` cannot tell whether they have a step: too many values to choose from."""
        return tuple(each for t in self.system.model.threads for each in t.locations if not countable(each))

    # --- states ----------------------------------------------------------------------------------

    def start(self) -> Start:
        """Return the initial states: `init`, then each thread's start, on the declared values."""
        execution = Execution(self.terms, _Choices(self.numbers, "init"))
        path = Path(True, [constant(value) for value in self.system.declared])
        end: Path | None = execution.effects(-1, self.system.model.initial, path)
        for thread in self.system.model.threads:
            if end is not None:
                execution.outcomes.exits.clear()
                execution.effects(thread.number, thread.start, end)
                end = self._joined(execution.outcomes.exits)
        outcomes = execution.outcomes
        last = end or Path(False, path.cells)
        cells, defines = self._named(last.cells, 0)
        places = tuple(
            frozenset((cells[cell].low,)) if cells[cell].is_constant else self._everywhere(thread)
            for thread, cell in enumerate(self.system.location_cells)
        )
        return Start(
            frame=Frame(cells, places),
            facts=tuple(outcomes.facts),
            defines=(last.condition, *defines),
            failures=tuple(outcomes.failures),
            picks=tuple(outcomes.picks),
        )

    def anything(self, name: str) -> tuple[Frame, tuple[Truth, ...]]:
        """Return a state of which only the types of its cells are known, and that fact."""
        cells = tuple(self.numbers.variable(f"{c.name}@{name}", c.low, c.high) for c in self.system.cells)
        places = tuple(map(self._everywhere, range(len(self.system.location_cells))))
        return Frame(cells, places), tuple(map(self.numbers.valid, cells))

    def _everywhere(self, thread: int) -> frozenset[int]:
        return frozenset(range(len(self.system.model.threads[thread].locations)))

    def _joined(self, exits: Sequence[Exit]) -> Path | None:
        """Return the ways on as one; their conditions exclude each other."""
        if not exits:
            return None
        cells = exits[0].cells
        for each in exits[1:]:
            cells = [
                old if new is old else self.numbers.choose(each.condition, new, old)
                for new, old in zip(each.cells, cells, strict=True)
            ]
        return Path(disjunction(each.condition for each in exits), cells)

    def _named(self, cells: Sequence[Number], time: int) -> tuple[tuple[Number, ...], list[Truth]]:
        """Return a variable for each cell that is no constant, and what defines it."""
        named: list[Number] = []
        defines: list[Truth] = []
        for cell, value in zip(self.system.cells, cells, strict=True):
            variable = self.numbers.variable(f"{cell.name}@{time}", value.low, value.high)
            named.append(variable)
            defines.append(self.numbers.compare("==", variable, value))
        return tuple(named), defines

    # --- steps -----------------------------------------------------------------------------------

    def step(self, frame: Frame, time: int) -> Going:
        """Return all steps from the frame, which is the state at that time."""
        known = self._known.get(frame.shape)
        if known is None:
            going = self._step(frame, time)
            self._known[frame.shape] = frame, going
            return going
        return self._renamed(*known, frame, time)

    def _step(self, frame: Frame, time: int) -> Going:
        threads = self.system.model.threads
        mover = self._mover(time)
        taken: list[Taken] = []
        broken: list[Broken] = []
        picks: dict[tuple[int, int], tuple[Pick, ...]] = {}
        facts = [self.numbers.valid(mover)]
        free = _Choices(self.numbers, str(time))
        for thread, places in enumerate(frame.places):
            moves = self.numbers.compare("==", mover, constant(thread))
            for number in sorted(places - {threads[thread].end}):
                stands = self.terms.stands(frame.moment, thread, frozenset((number,)))
                execution = Execution(self.terms, free)
                here = Path(conjunction((moves, stands)), list(frame.cells))
                execution.statement(thread, threads[thread].locations[number], here)
                outcomes = execution.outcomes
                taken += (Taken(thread, each) for each in outcomes.exits)
                broken += (Broken(thread, number, each.breach, each.condition) for each in outcomes.failures)
                picks[thread, number] = tuple(outcomes.picks)
                facts += outcomes.facts
        after, defines = self._after(frame, taken, time + 1)
        return Going(
            mover=mover,
            free=free.made,
            broken=tuple(broken),
            picks=picks,
            facts=tuple(facts),
            moves=disjunction(each.exit.condition for each in taken),
            after=after,
            defines=tuple(defines),
        )

    def _mover(self, time: int) -> Number:
        return self.numbers.variable(f"mover@{time}", 0, max(len(self.system.model.threads) - 1, 0))

    def _renamed(self, before: Frame, known: Going, frame: Frame, time: int) -> Going:
        """Return the steps from a frame of the same shape as one whose steps are known: other names, the same terms."""
        free = {(n, low, high): _choice(self.numbers, n, low, high, str(time)) for n, low, high in known.free}
        mover = self._mover(time)
        cells: list[Number] = []
        for cell, old, after, now in zip(
            self.system.cells, before.cells, known.after.cells, frame.cells, strict=True
        ):
            same = now if after is old else self.numbers.variable(f"{cell.name}@{time + 1}", *after.bounds)
            cells.append(same)
        names = Renaming(
            [known.mover, *before.cells, *known.after.cells, *known.free.values()],
            [mover, *frame.cells, *cells, *free.values()],
        )
        return Going(
            mover=mover,
            free=free,
            broken=tuple(replace(b, condition=names.truth(b.condition)) for b in known.broken),
            picks={
                place: tuple(
                    replace(p, reached=names.truth(p.reached), value=names.number(p.value)) for p in made
                )
                for place, made in known.picks.items()
            },
            facts=tuple(map(names.truth, known.facts)),
            moves=names.truth(known.moves),
            after=Frame(tuple(cells), known.after.places),
            defines=tuple(map(names.truth, known.defines)),
        )

    def _after(self, frame: Frame, taken: Sequence[Taken], time: int) -> tuple[Frame, list[Truth]]:
        """Return the next frame: each cell is what the step that is taken makes of it, or as before."""
        cells: list[Number] = []
        defines: list[Truth] = []
        for number, before in enumerate(frame.cells):
            written = [(each.exit.condition, each.exit.cells[number]) for each in taken]
            changed = [(condition, value) for condition, value in written if value is not before]
            value = before
            if changed and len(changed) == len(written):
                value = changed.pop()[1]  # every step writes it: if it is none of the others, it is this one
            for condition, new in changed:
                value = self.numbers.choose(condition, new, value)
            if value is not before:
                variable = self.numbers.variable(
                    f"{self.system.cells[number].name}@{time}", value.low, value.high
                )
                defines.append(self.numbers.compare("==", variable, value))
                value = variable
            cells.append(value)
        alone = len(frame.places) == 1
        places = tuple(
            (frozenset() if alone else before) | {each.exit.target for each in taken if each.thread == thread}
            for thread, before in enumerate(frame.places)
        )
        return Frame(tuple(cells), places), defines


@dataclass(frozen=True)
class _Choices:
    """Makes the free variables for the choices of one step. One statement runs, so all statements share them."""

    numbers: Arithmetic
    time: str
    made: Free = field(default_factory=dict)

    def __call__(self, number: int, low: int, high: int) -> Number:
        key = (number, low, high)
        if key not in self.made:
            self.made[key] = _choice(self.numbers, *key, self.time)
        return self.made[key]


def _choice(numbers: Arithmetic, number: int, low: int, high: int, time: str) -> Number:
    return numbers.variable(f"choice{number}({low}..{high})@{time}", low, high)
