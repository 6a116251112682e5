"""What a step can show of locks, by its assignments: read off a program graph, whatever the state.

A lock is got or given back where the variables change that say who holds it (`Primitive.holds`); which way, an
assignment shows as a rule: to a number or one less. What nobody holds has no such variables, and never shows.
"""

from __future__ import annotations

from modelcheck.language.model import Arith, Assign, Const, Expr, Ite, Lock, LockAt, Variable, VerbUse, refs
from modelcheck.locks import PRIMITIVES

BOTH = frozenset({"+", "-"})


def modes_of(lock: Lock) -> dict[Variable, frozenset[str]]:
    """Return the variables that say who holds the lock, each with the modes that it speaks of."""
    primitive = PRIMITIVES[lock.kind]
    at = LockAt(lock, tuple(Const(0) for _ in lock.dimensions))
    found: dict[Variable, frozenset[str]] = {}
    for mode in primitive.modes:
        for ref in refs(primitive.holds(at, 0, mode)):
            found[ref.var] = found.get(ref.var, frozenset()) | {mode}
    return found


def signs(assign: Assign) -> frozenset[str]:
    """Return "+" if the assignment can make somebody a holder, "-" if it can end that."""
    return _signs(assign.value)


def _signs(value: Expr) -> frozenset[str]:
    match value:
        case Const(number):
            return frozenset("+" if number else "-")
        case Arith("+" | "-" as operator, _, Const(1)):
            return frozenset(operator)
        case Ite(_, then, otherwise):
            return _signs(then) | _signs(otherwise)
        case _:
            return BOTH


def is_domain(lock: Lock) -> bool:
    """Tell whether it belongs to no lock of the text: switching it on again, or off, may change nothing."""
    return bool(PRIMITIVES[lock.kind].domain)


def can_be_refused(verb: VerbUse) -> bool:
    """Tell whether the verb is a try that says whether it got the lock; some that never wait are none."""
    primitive = PRIMITIVES[verb.at.lock.kind]
    tries = verb.action == "try" and not primitive.domain
    return tries and primitive.verbs[verb.verb].result is not None
