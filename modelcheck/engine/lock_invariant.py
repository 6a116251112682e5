"""Lock invariants: what holds whenever a lock is free, proved for any number of threads (SEMANTICS H21).

If `e` holds at the start, if nobody writes what `e` reads without the lock, and if every critical section that starts
with `e` ends with `e`, then `e` holds whenever the lock is free: one sequential proof a section, whatever the other
threads do and however many they are. (The rule is that of S. Owicki and D. Gries for resources: Verifying properties
of parallel programs, CACM 19 (1976), section 4.)

A section is followed on the program graph, by symbolic execution, from the statement that takes the lock for writing
until it is given back. It starts from any values within the types. Before each of its steps, whatever is not guarded
by a lock that the section holds gets any value: that is all that other threads can do. Where another lock is taken
inside, its own invariants may be assumed; then this proof stands only if theirs do. Ways are merged where they meet,
so the cost is the length of a section, and not the number of its paths; ranges may be as large as page frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from modelcheck.engine.engine import Limits
from modelcheck.engine.queries import Asking, Budget, GaveUpError
from modelcheck.engine.watch import StoppedError
from modelcheck.language.model import (
    Access,
    At,
    Const,
    Enabled,
    Expr,
    Location,
    LockAt,
    Mover,
    Property,
    Thread,
    Variable,
    refs,
    subexpressions,
)
from modelcheck.language.types import ThreadRef
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


@dataclass(frozen=True)
class Proof:
    """What is known of one lock invariant. `reason` is "" if it is proved; `assumes` names other lock invariants."""

    name: str
    lock: str
    sections: int
    reason: str = ""
    assumes: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """How it was proved, for a report."""
        kept = (
            f"each of the {self.sections} critical sections"
            if self.sections != 1
            else "the one critical section"
        )
        given = f"{self.lock} keeps it, for any number of threads, given that guarded_by holds"
        also = f" and so do {', '.join(sorted(self.assumes))}" if self.assumes else ""
        return f"lock invariant: {kept} of {given}{also}"


def lock_invariants(system: TransitionSystem, limits: Limits) -> dict[str, Proof]:
    """Return what is known of every `invariant when free(l)` of the model, by name."""
    wanted = [p for p in system.model.properties if p.when_free is not None]
    budget = Budget(limits)
    proofs = {p.name: _prove(system, p, wanted, budget) for p in wanted}
    while True:
        failed = {name for name, proof in proofs.items() if proof.reason}
        leaning = [proof for proof in proofs.values() if not proof.reason and proof.assumes & failed]
        if not leaning:
            return proofs
        for proof in leaning:
            why = f"it leans on {', '.join(sorted(proof.assumes & failed))}, which is not proved"
            proofs[proof.name] = Proof(proof.name, proof.lock, proof.sections, why)


def _prove(
    system: TransitionSystem, wanted: Property, all_wanted: Sequence[Property], budget: Budget
) -> Proof:
    assert wanted.when_free is not None
    lock = wanted.when_free.lock.name
    reason = _not_provable(system, wanted)
    if reason:
        return Proof(wanted.name, lock, 0, reason)
    work = _Work(system, wanted, all_wanted, budget)
    count = 0
    try:
        reason = work.start()
        for thread in system.model.threads:
            for location in thread.locations:
                if not reason and _takes(system, thread, location, wanted.when_free):
                    count += 1
                    reason = work.section(thread, location)
    except (GaveUpError, StoppedError) as gave_up:
        reason = str(gave_up)
    return Proof(wanted.name, lock, count, reason, frozenset(work.assumed))


# --- what the rule needs -------------------------------------------------------------------------


def _not_provable(system: TransitionSystem, wanted: Property) -> str:
    """Return why the rule does not apply: what the invariant speaks of, or who may write it without the lock."""
    assert wanted.when_free is not None
    if any(isinstance(e, At | Enabled | Mover) for e in subexpressions(wanted.expr)):
        return "it speaks of where threads are"
    for ref in refs(wanted.expr):
        if ref.var.kind != "shared":
            return f"it speaks of `{ref.var.name}`, which is no shared variable"
        if not all(_guards(system, cell, ref.var, wanted.when_free) for cell in cells_denoted(system, ref)):
            return f"`{ref.var.name}` is not declared guarded_by {wanted.when_free.lock.name}"
    for location, access in _writes(system):
        if access.unguarded and access.ref.var in {ref.var for ref in refs(wanted.expr)}:
            return f"{location.span} writes `{access.ref.var.name}` unguarded"
    return ""


def _writes(system: TransitionSystem) -> Iterator[tuple[Location, Access]]:
    for thread in system.model.threads:
        for location in thread.locations:
            yield from ((location, access) for access in location.accesses if access.writes)


def _guards(system: TransitionSystem, cell: int, variable: Variable, lock: LockAt) -> bool:
    """Tell whether writing the cell needs the lock."""
    return any(_same(each, lock) for each in _guardians(system, cell, variable))


def _guardians(system: TransitionSystem, cell: int, variable: Variable) -> Iterator[LockAt]:
    """Yield the lock instances that writing the cell needs."""
    index = tuple(Const(value) for value in system.cells[cell].index)
    for rule in variable.guards:
        for lock in rule.locks:
            yield LockAt(lock.lock, tuple(substitute(each, index) for each in lock.index))


def _same(one: LockAt, other: LockAt) -> bool:
    return one.lock is other.lock and one.index == other.index


def _instance_cells(system: TransitionSystem, variable: Variable, lock: LockAt) -> Iterator[int]:
    """Yield the cells of a lock's variable that belong to one instance."""
    index = tuple(each.value for each in lock.index if isinstance(each, Const))
    first = system.offsets[variable]
    for number in range(first, first + len(variable.initial)):
        if system.cells[number].index[: len(index)] == index:
            yield number


def _takes(system: TransitionSystem, thread: Thread, location: Location, lock: LockAt) -> bool:
    """Tell whether the statement can take the lock for writing, maybe another instance of its class.

    An `atomic` has no verb of its own, but may try a lock.
    """
    verb = location.verb
    if verb is not None:
        return verb.at.lock is lock.lock and verb.mode == "write" and verb.action in ("acquire", "try")
    action = system.actions[thread.number][location.number]
    return action is not None and any(ref.var in lock.lock.fields.values() for ref in action.writes)


# --- one invariant -------------------------------------------------------------------------------


@dataclass
class _Work:
    """The proof of one invariant."""

    system: TransitionSystem
    wanted: Property
    all_wanted: Sequence[Property]
    budget: Budget
    relation: Relation = field(init=False)
    last: Asking = field(init=False)
    facts: list[Truth] = field(default_factory=list)
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
        cells = [self.anything(cell) for cell in range(len(self.system.cells))]
        before = negation(self.held(self.lock, thread.number, cells))
        here = Path(conjunction((before, self.holds(self.wanted.expr, cells))), cells)
        ways: dict[int, Path] = {}
        for way in self.exits(thread, entry, here):
            taken = conjunction((way.condition, self.held(self.lock, thread.number, way.cells)))
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
        if condition is False or not self.possible("taking it", condition):
            return settled
        numbers = self.relation.numbers
        for field_ in self.lock.lock.fields.values():
            for number in _instance_cells(self.system, field_, self.lock):
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
            inside = self.held(self.lock, thread.number, way.cells)
            released = conjunction((way.condition, negation(inside)))
            broken = conjunction((released, negation(self.holds(self.wanted.expr, way.cells))))
            if broken is not False and self.possible(f"{entry.span} to {location.span}", broken):
                return f"the section from {entry.span} to {location.span} can end without it"
            self.join(following, Exit(conjunction((way.condition, inside)), way.target, way.cells))
        return ""

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
            and _same(each.when_free, verb.at)
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
                    for lock in _guardians(self.system, number, variable)
                )
            else:
                kept = self.own_lock(number, thread, cells)
            if not kept:
                result[number] = self.anything(number)
        return result

    def own_lock(self, number: int, thread: int, cells: Sequence[Number]) -> bool:
        """Tell whether only the thread changes a lock's cell: the cell or the lock is its own."""
        cell = self.system.cells[number]
        for lock in self.system.model.locks:
            if cell.variable not in lock.fields.values() or lock.handover:
                continue
            assert cell.variable is not None
            instance = cell.index[: len(lock.dimensions)]
            if len(cell.index) > len(lock.dimensions):
                return cell.index[-1] == thread
            owners = (
                self.system.offsets[each] + number - self.system.offsets[cell.variable]
                for each in lock.fields.values()
                if isinstance(each.type, ThreadRef) and len(each.dimensions) == len(instance)
            )
            return any(cells[owner].is_constant and cells[owner].low == thread + 1 for owner in owners)
        return False

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
