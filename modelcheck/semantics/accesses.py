"""Data races and guarded_by, as state predicates: both speak of the statement that a thread is about to run.

*Data race* (SEMANTICS A2): two threads are at statements, enabled or not, that access the same element of a
shared variable, one of them writing, and at least one of the accesses is not marked. Without a race,
statement-sized steps show every behaviour that single accesses would; that is why the check is not optional.
*guarded_by* (H4): at the statement about to run, the running thread itself holds the locks that the variable's
declaration names. A variable with such a rule is race-free where the rule is kept (any two accesses that the
rule allows exclude each other), so the race check looks only at the accesses that the rule exempts. Where a read is
allowed beside a write (`write_guarded_by`, `rcu_guarded_by`) it counts as marked: see `_warn_of_two` in body.py.

Cost: one predicate for each pair of (thread, statement) and (thread, source line) that may collide; each is
asked only in states where the first thread is at the statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from modelcheck.language.model import (
    FALSE,
    Access,
    And,
    Arith,
    At,
    Bound,
    Compare,
    Const,
    Expr,
    GuardRule,
    Ite,
    Location,
    LockAt,
    Not,
    Or,
    Ref,
    Sum,
    Thread,
    Variable,
    subexpressions,
)
from modelcheck.language.values import negation
from modelcheck.locks import PRIMITIVES
from modelcheck.semantics.definedness import conjunction, defined, disjunction
from modelcheck.semantics.questions import LOCKS, StatePredicate
from modelcheck.semantics.transition_system import TransitionSystem, index_values
from modelcheck.source import NOWHERE, Span


@dataclass(frozen=True)
class Site:
    """One access of one statement of one thread."""

    thread: Thread
    location: Location
    access: Access

    @property
    def span(self) -> Span:
        """The place of the access, or of its statement if the access has none of its own."""
        return self.location.span if self.access.span is NOWHERE else self.access.span

    @property
    def verb(self) -> str:
        """`writes` or `reads`."""
        return "writes" if self.access.writes else "reads"


def sites(system: TransitionSystem) -> dict[Variable, list[Site]]:
    """Return every access of the model by variable, in the order of threads and locations."""
    found: dict[Variable, list[Site]] = {}
    for thread in system.model.threads:
        for location in thread.locations:
            for access in location.accesses:
                found.setdefault(access.ref.var, []).append(Site(thread, location, access))
    return found


# --- races ---------------------------------------------------------------------------------------


def race_questions(system: TransitionSystem) -> tuple[StatePredicate, ...]:
    """Return one predicate for each thread at a statement and each line of another thread that it may collide with."""
    asked: list[StatePredicate] = []
    for variable, accesses in sites(system).items():
        asked += _races_of(variable, accesses)
    return tuple(asked)


def _races_of(variable: Variable, accesses: list[Site]) -> Iterator[StatePredicate]:
    pairs: dict[tuple[int, int, int, Span, Span, bool, bool], list[tuple[Site, Site]]] = {}
    for one, other in product(accesses, accesses):
        if one.thread.number < other.thread.number and _may_race(variable, one, other):
            key = (
                one.thread.number,
                one.location.number,
                other.thread.number,
                one.span,
                other.span,
                one.access.writes,
                other.access.writes,
            )
            pairs.setdefault(key, []).append((one, other))
    for same in pairs.values():
        collides = disjunction(tuple(_collide(one, other) for one, other in same))
        if collides != FALSE:
            yield _race(variable, *same[0], collides)


def _may_race(variable: Variable, one: Site, other: Site) -> bool:
    conflict = one.access.writes or other.access.writes
    unmarked = not (one.access.marked and other.access.marked)
    checked = not variable.guards or one.access.unguarded or other.access.unguarded
    return conflict and unmarked and checked


def _collide(one: Site, other: Site) -> Expr:
    """The second thread is at its statement, and both access one element."""
    there = At(other.thread.number, frozenset((other.location.number,)))
    if one.access.anywhere or other.access.anywhere:
        return there
    here = (defined(one.access.ref), defined(other.access.ref))
    pairs = zip(one.access.ref.index, other.access.ref.index, strict=True)
    return conjunction((there, *here, *(_equal(left, right) for left, right in pairs)))


def _equal(left: Expr, right: Expr) -> Expr:
    if isinstance(left, Const) and isinstance(right, Const):
        return Const(int(left.value == right.value))
    return Compare("==", left, right)


def _race(variable: Variable, one: Site, other: Site, collides: Expr) -> StatePredicate:
    lines = tuple(sorted((str(one.span), str(other.span))))
    unmarked = " and ".join(dict.fromkeys(str(s.span) for s in (one, other) if not s.access.marked))
    message = (
        f"`{variable.name}`: {one.thread.name} {one.verb} it at {one.span} while {other.thread.name} "
        f"{other.verb} it at {other.span} (not marked: {unmarked})"
    )
    return StatePredicate(
        check="race",
        name="race",
        expr=collides,
        cause=("race", variable.name, *lines),
        message=message,
        thread=one.thread.number,
        location=one.location.number,
        span=one.span,
    )


# --- guarded_by ----------------------------------------------------------------------------------


def guard_questions(system: TransitionSystem) -> tuple[StatePredicate, ...]:
    """Return one predicate for each access that a rule of its variable may forbid."""
    asked = []
    sections = tuple(LockAt(lock) for lock in system.model.locks if lock.kind == "rcu")
    for variable, accesses in sites(system).items():
        for site, rule in product(accesses, variable.guards):
            missing = negation(_allowed(site, rule, sections))
            if not site.access.unguarded and missing != FALSE:
                asked.append(_unguarded(variable, site, rule, missing))
    return tuple(asked)


def _allowed(site: Site, rule: GuardRule, sections: tuple[LockAt, ...]) -> Expr:
    """What the running thread must hold for the access; where the element does not exist nothing is accessed.

    `sections` is the domain of RCU read sections, if the model has any: `rcu_guarded_by` lets readers be in one.
    """
    me, access = site.thread.number, site.access
    if rule.kind == "write_guarded_by" and not access.writes and access.marked:
        return Const(1)
    instances = [_instances(lock, access) for lock in rule.locks]
    if access.writes:
        held = conjunction(tuple(holds(at, me, "write") for each in instances for at in each))
    else:
        instances += [(at,) for at in sections if rule.kind == "rcu_guarded_by"]
        held = disjunction(tuple(conjunction(tuple(holds_any(at, me) for at in each)) for each in instances))
    exists = Const(1) if access.anywhere else defined(access.ref)
    return disjunction((negation(exists), held))


def _instances(lock: LockAt, access: Access) -> tuple[LockAt, ...]:
    """Return the instance that guards the accessed element; all of the class where the element is not known.

    It is not known where the statement itself changes the index before it uses it: then all have to be held.
    """
    index = access.ref.index
    if not access.anywhere or not any(
        isinstance(e, Bound) for each in lock.index for e in subexpressions(each)
    ):
        return (LockAt(lock.lock, tuple(substitute(each, index) for each in lock.index)),)
    return instances_of(lock)


def instances_of(at: LockAt) -> tuple[LockAt, ...]:
    """Return every instance of the lock's class."""
    return tuple(LockAt(at.lock, tuple(map(Const, each))) for each in index_values(at.lock.dimensions))


def holds(at: LockAt, thread: int, mode: str) -> Expr:
    """Return the condition that the thread holds the lock exclusively ("write") or at all (any other mode)."""
    primitive = PRIMITIVES[at.lock.kind]
    modes = ("write",) if mode == "write" else primitive.modes
    return disjunction(tuple(primitive.holds(at, thread, each) for each in modes))


def holds_any(at: LockAt, thread: int) -> Expr:
    """Return the condition that the thread holds the lock in any mode."""
    return holds(at, thread, "any")


def _unguarded(variable: Variable, site: Site, rule: GuardRule, missing: Expr) -> StatePredicate:
    wanted = LOCKS if len(rule.locks) == 1 else f"{'all' if site.access.writes else 'any'} of ({LOCKS})"
    how = " for writing" if site.access.writes and any("read" in _modes(lock) for lock in rule.locks) else ""
    message = f"{site.thread.name} {site.verb} `{variable.name}` at {site.span} without holding {wanted}{how}"
    if rule.kind == "write_guarded_by" and not site.access.writes:
        message += ", and the read is not marked (READ_ONCE)"
    if rule.kind == "rcu_guarded_by" and not site.access.writes:
        message += " and in no RCU read section"
    return StatePredicate(
        check="guarded_by",
        name="guarded_by",
        expr=missing,
        cause=("guarded_by", variable.name, str(site.span)),
        message=message,
        thread=site.thread.number,
        location=site.location.number,
        span=site.span,
        locks=tuple(_named(lock, site.access) for lock in rule.locks),
    )


def _named(lock: LockAt, access: Access) -> LockAt:
    """Return the one instance that guards the element; where all of them do, the class, without an index."""
    instances = _instances(lock, access)
    return instances[0] if len(instances) == 1 else LockAt(lock.lock)


def _modes(lock: LockAt) -> tuple[str, ...]:
    return PRIMITIVES[lock.lock.kind].modes


def substitute(expr: Expr, index: tuple[Expr, ...]) -> Expr:
    """Return the expression with each Bound position replaced by the index expression of the access."""

    def each(part: Expr) -> Expr:
        return substitute(part, index)

    match expr:
        case Bound(number):
            return index[number]
        case Ref(var, own, primed):
            return Ref(var, tuple(map(each, own)), primed)
        case Not(inner):
            return Not(each(inner))
        case And(parts):
            return And(tuple(map(each, parts)))
        case Or(parts):
            return Or(tuple(map(each, parts)))
        case Sum(parts):
            return Sum(tuple(map(each, parts)))
        case Compare(operator, left, right):
            return Compare(operator, each(left), each(right))
        case Arith(operator, left, right):
            return Arith(operator, each(left), each(right))
        case Ite(condition, then, otherwise):
            return Ite(each(condition), each(then), each(otherwise))
        case _:
            return expr
