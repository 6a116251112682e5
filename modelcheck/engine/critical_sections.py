"""The critical sections of one lock, each followed by symbolic execution from the statement that takes it (H21).

A section starts from any values within the types. Before each of its steps, whatever is not guarded by a lock that
the section holds gets any value: that is all that other threads can do, however many they are. Ways are merged where
they meet, so the cost is the length of a section, and not the number of its paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from modelcheck.engine.queries import Asking, Budget
from modelcheck.language.model import (
    Const,
    Expr,
    Location,
    Lock,
    LockAt,
    Property,
    Thread,
    Variable,
    refs,
)
from modelcheck.language.types import ThreadRef, show
from modelcheck.locks import PRIMITIVES
from modelcheck.semantics.accesses import substitute
from modelcheck.semantics.symbolic import Relation
from modelcheck.semantics.symbolic_effects import Execution, Exit, Path
from modelcheck.semantics.symbolic_numbers import BitVectors, Number, constant
from modelcheck.semantics.symbolic_terms import Moment
from modelcheck.semantics.symbolic_truth import Truth, conjunction, negation
from modelcheck.semantics.transition_system import TransitionSystem, cells_denoted

AROUND = 40
"""A section with so many more steps than its thread has locations goes round a loop, and is given up.

From as many steps as there are locations on, z3 is asked whether a way can be gone at all, so that a loop with a
bound comes to its end.
"""


def guardians(system: TransitionSystem, cell: int, variable: Variable) -> Iterator[LockAt]:
    """Yield the lock instances that writing the cell needs."""
    index = tuple(Const(value) for value in system.cells[cell].index)
    for rule in variable.guards:
        for lock in rule.locks:
            yield LockAt(lock.lock, tuple(substitute(each, index) for each in lock.index))


def same(one: LockAt, other: LockAt) -> bool:
    """Tell whether both are the same instance, by constant indexes."""
    return one.lock is other.lock and one.index == other.index


def instance_cells(system: TransitionSystem, variable: Variable, lock: LockAt) -> Iterator[int]:
    """Yield the cells of a lock's variable that belong to one instance."""
    index = tuple(each.value for each in lock.index if isinstance(each, Const))
    first = system.offsets[variable]
    for number in range(first, first + len(variable.initial)):
        if system.cells[number].index[: len(index)] == index:
            yield number


@dataclass
class Sections:
    """The sections of the lock of one invariant. `assumed`: the other lock invariants that were leant on."""

    system: TransitionSystem
    wanted: Property
    all_wanted: Sequence[Property]
    budget: Budget
    relation: Relation = field(init=False)
    last: Asking = field(init=False)
    facts: list[Truth] = field(default_factory=list)
    before: list[Number] = field(default_factory=list)
    assumed: set[str] = field(default_factory=set)
    fresh: int = 0

    def __post_init__(self) -> None:
        """Start with terms of its own."""
        self.relation = Relation(self.system, BitVectors())

    @property
    def lock(self) -> LockAt:
        """The lock that the invariant is about."""
        assert self.wanted.when_free is not None
        return self.wanted.when_free

    def start(self) -> str:
        """Return "" if the invariant holds in every initial state."""
        start = self.relation.start()
        asking = Asking(self.relation.numbers, self.budget)
        asking.add((*start.facts, *start.defines))
        holds = self.holds(self.wanted.expr, start.frame.cells)
        if asking.possible(f"lock invariant {self.wanted.name}: start", negation(holds)):
            return "it does not hold at the start"
        return ""

    def holds(self, expr: Expr, cells: Sequence[Number]) -> Truth:
        """Return that the condition is defined and true."""
        truth, defined = self.relation.terms.truth(expr, Moment(cells))
        return conjunction((truth, defined))

    def section(self, thread: Thread, entry: Location) -> str:
        """Return "" if the section that starts at the statement keeps the invariant, else what is wrong."""
        self.facts = []
        cells = self.before = [self.anything(cell) for cell in range(len(self.system.cells))]
        before = negation(self.held(self.lock, thread.number, cells))
        here = Path(conjunction((before, self.holds(self.wanted.expr, cells))), cells)
        ways: dict[int, Path] = {}
        for way in self.exits(thread, entry, here):
            if self.breaks(thread, way, f"{entry.span} alone"):
                return f"the section within {entry.span} can end without it: {self.example(way.cells)}"
            taken = conjunction((way.condition, self.held(self.lock, thread.number, way.cells)))
            if self.possible(f"{entry.span} takes it", taken):
                self.join(ways, Exit(taken, way.target, self.settled(taken, way.cells)))
        steps = 1
        while ways:
            if steps > len(thread.locations) + AROUND:
                return f"the section that starts at {entry.span} has a loop that was not followed to its end"
            following: dict[int, Path] = {}
            for number, path in sorted(ways.items()):
                around = steps > len(thread.locations)
                if around and not self.possible(f"step {steps} after {entry.span}", path.condition):
                    continue
                if thread.locations[number].is_end:
                    continue  # it ends with the lock in hand: that is a finding of its own
                reason = self.follow(thread, thread.locations[number], path, following, entry)
                if reason:
                    return reason
            ways = following
            steps += 1
        return ""

    def settled(self, condition: Truth, cells: list[Number]) -> list[Number]:
        """Return the cells with those of the lock as constants, where holding the lock leaves them one value."""
        settled = list(cells)
        numbers = self.relation.numbers
        for field_ in self.lock.lock.fields.values():
            for number in instance_cells(self.system, field_, self.lock):
                if settled[number].is_constant or not self.possible("taking it", condition):
                    continue
                value = constant(self.last.value(settled[number]))
                other = negation(numbers.compare("==", settled[number], value))
                if not self.possible("holding it", conjunction((condition, other))):
                    settled[number] = value
        return settled

    def follow(
        self, thread: Thread, location: Location, path: Path, following: dict[int, Path], entry: Location
    ) -> str:
        """Take the statement's step; check the invariant on the ways that give the lock back, keep the others."""
        disturbed = Path(path.condition, self.disturbed(thread.number, path.cells))
        for way in self.exits(thread, location, disturbed):
            if self.breaks(thread, way, f"{entry.span} to {location.span}"):
                values = self.example(way.cells)
                return f"the section from {entry.span} to {location.span} can end without it: {values}"
            inside = self.held(self.lock, thread.number, way.cells)
            self.join(following, Exit(conjunction((way.condition, inside)), way.target, way.cells))
        return ""

    def breaks(self, thread: Thread, way: Exit, what: str) -> bool:
        """Tell whether the way can leave the thread without the lock, and the invariant false."""
        released = conjunction((way.condition, negation(self.held(self.lock, thread.number, way.cells))))
        broken = conjunction((released, negation(self.holds(self.wanted.expr, way.cells))))
        return broken is not False and self.possible(what, broken)

    def example(self, after: Sequence[Number]) -> str:
        """Return the values, where the section starts and where it ends, that z3 found for what the invariant reads."""
        spoken = dict.fromkeys(c for ref in refs(self.wanted.expr) for c in cells_denoted(self.system, ref))

        def values(cells: Sequence[Number]) -> str:
            kinds = ((self.system.cells[c], self.last.value(cells[c])) for c in spoken)
            return ", ".join(f"{c.name} = {show(c.variable.type, v)}" for c, v in kinds if c.variable)

        return f"{values(self.before)} before, {values(after)} after"

    def exits(self, thread: Thread, location: Location, path: Path) -> list[Exit]:
        """Return the ways on from a statement; where it takes another lock, that lock's invariants are known."""
        self.fresh += 1
        step = self.fresh

        def free(number: int, low: int, high: int) -> Number:
            return self.relation.numbers.variable(f"choice{number}({low}..{high})@{step}", low, high)

        cells = list(path.cells)
        cells[self.system.location_cells[thread.number]] = constant(location.number)
        execution = Execution(self.relation.terms, free)
        execution.statement(thread.number, location, Path(path.condition, cells))
        self.facts += execution.outcomes.facts
        known = self.known_of_others(thread.number, location, cells)
        return [
            Exit(conjunction((way.condition, *known(way))), way.target, way.cells)
            for way in execution.outcomes.exits
        ]

    def known_of_others(
        self, thread: int, location: Location, cells: Sequence[Number]
    ) -> Callable[[Exit], list[Truth]]:
        """Return what is known on a way that takes a lock here: the invariants of that lock held before."""
        verb = location.verb
        others = [
            each
            for each in self.all_wanted
            if verb is not None
            and verb.action in ("acquire", "try")
            and each.when_free is not None
            and each is not self.wanted
            and same(each.when_free, verb.at)
        ]

        def known(way: Exit) -> list[Truth]:
            found = []
            for each in others:
                assert each.when_free is not None
                if self.held(each.when_free, thread, way.cells) is True:
                    self.assumed.add(each.name)
                    found.append(self.holds(each.expr, cells))
            return found

        return known

    def join(self, ways: dict[int, Path], way: Exit) -> None:
        """Add a way to those that lead to the same location."""
        if way.condition is False:
            return
        here = Path(way.condition, way.cells)
        other = ways.get(way.target)
        if other is not None:
            merged = Execution(self.relation.terms, _none).merged(way.condition, here, other)
            assert merged is not None
            here = merged
        ways[way.target] = here

    def possible(self, what: str, condition: Truth) -> bool:
        """Ask z3 whether a way can be gone."""
        self.last = Asking(self.relation.numbers, self.budget)
        self.last.add(self.facts)
        return self.last.possible(f"lock invariant {self.wanted.name}: {what}", condition)

    # --- what other threads can do ---------------------------------------------------------------

    def disturbed(self, thread: int, cells: Sequence[Number]) -> list[Number]:
        """Return the cells after anything that other threads can do: what no lock in hand protects is any value."""
        result = list(cells)
        for number, cell in enumerate(self.system.cells):
            variable = cell.variable
            if cell.thread == thread or (variable is not None and variable.kind == "local"):
                continue
            if variable is None:
                kept = False
            elif variable.kind == "shared":
                kept = any(
                    self.held(lock, thread, cells, any_mode=True) is True
                    for lock in guardians(self.system, number, variable)
                )
            else:
                kept = self.own_lock(number, thread, cells)
            if not kept:
                result[number] = self.anything(number)
        return result

    def own_lock(self, number: int, thread: int, cells: Sequence[Number]) -> bool:
        """Tell whether only the thread changes a lock's cell, by what its primitive says of the field."""
        cell = self.system.cells[number]
        for lock in self.system.model.locks:
            names = [name for name, variable in lock.fields.items() if variable is cell.variable]
            if not names or lock.handover:
                continue
            assert cell.variable is not None
            (field_,) = (f for f in PRIMITIVES[lock.kind].fields if f.name == names[0])
            match field_.changed_by:
                case "anybody":
                    return False
                case "thread":
                    return cell.index[-1] == thread
                case "owner":
                    return any(
                        cells[owner].is_constant and cells[owner].low == thread + 1
                        for owner in self._owners(lock, cell.index)
                    )
        return False

    def _owners(self, lock: Lock, index: tuple[int, ...]) -> Iterator[int]:
        """Yield the cells of the instance that name its owner."""
        at = LockAt(lock, tuple(Const(value) for value in index))
        for variable in lock.fields.values():
            if isinstance(variable.type, ThreadRef) and len(variable.dimensions) == len(index):
                yield from instance_cells(self.system, variable, at)

    def held(self, at: LockAt, thread: int, cells: Sequence[Number], *, any_mode: bool = False) -> Truth:
        """Return whether the thread holds the lock for writing, or in any mode."""
        primitive = PRIMITIVES[at.lock.kind]
        modes = primitive.modes if any_mode else ("write",)
        truths = [
            self.relation.terms.truth(primitive.holds(at, thread, mode), Moment(cells))[0] for mode in modes
        ]
        if any(truth is True for truth in truths):
            return True
        return truths[0] if len(truths) == 1 else False

    def anything(self, number: int) -> Number:
        """Return a new variable for a cell: any value of its type."""
        self.fresh += 1
        cell = self.system.cells[number]
        made = self.relation.numbers.variable(f"{cell.name}@any{self.fresh}", cell.low, cell.high)
        self.facts.append(self.relation.numbers.valid(made))
        return made


def _none(number: int, low: int, high: int) -> Number:
    raise AssertionError(f"no choice {number} from {low}..{high} is made where ways meet")
