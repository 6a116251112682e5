"""Lock invariants: what holds whenever a lock is free, proved for any number of threads (SEMANTICS H21).

If `e` holds at the start, if nobody writes what `e` reads without the lock, and if every critical section that starts
with `e` ends with `e`, then `e` holds whenever the lock is free: one sequential proof a section, whatever the other
threads do and however many of them run these sections (with `self` and the parameters as they are here). The rule is
that of S. Owicki and D. Gries for resources: Verifying properties of parallel programs, CACM 19 (1976), section 4.

A section is followed on the program graph, by symbolic execution, from the statement that takes the lock for writing
until it is given back. It starts from any values within the types. Before each of its steps, whatever is not guarded
by a lock that the section holds gets any value: that is all that other threads can do. Where another lock is taken
inside, its own invariants may be assumed; then this proof stands only if theirs do. Ways are merged where they meet,
so the cost is the length of a section, and not the number of its paths; ranges may be as large as page frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelcheck.engine.critical_sections import Sections, guardians, same
from modelcheck.engine.engine import Limits
from modelcheck.engine.queries import Budget, GaveUpError
from modelcheck.engine.watch import StoppedError
from modelcheck.language.model import (
    Access,
    At,
    Enabled,
    Location,
    LockAt,
    Mover,
    Property,
    Thread,
    Variable,
    refs,
    subexpressions,
)
from modelcheck.semantics.transition_system import TransitionSystem, cells_denoted


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
        given = f"{self.lock} keeps it, for any number of threads that run them, given that guarded_by holds"
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
    work = Sections(system, wanted, all_wanted, budget)
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
    return any(same(each, lock) for each in guardians(system, cell, variable))


def _takes(system: TransitionSystem, thread: Thread, location: Location, lock: LockAt) -> bool:
    """Tell whether the statement can take the lock for writing, maybe another instance of its class.

    An `atomic` has no verb of its own, but may try a lock.
    """
    verb = location.verb
    if verb is not None:
        return verb.at.lock is lock.lock and verb.mode == "write" and verb.action in ("acquire", "try")
    action = system.actions[thread.number][location.number]
    return action is not None and any(ref.var in lock.lock.fields.values() for ref in action.writes)
