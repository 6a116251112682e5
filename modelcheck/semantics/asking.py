"""What is asked of every model: the checks of DESIGN section 3 and its own properties, as questions (SEMANTICS A7).

This file stands below the engines; analysis/judge.py says what the answers mean. Races and guarded_by have
their definitions in accesses.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from modelcheck.language.model import (
    FALSE,
    At,
    Compare,
    Const,
    DeclaredOrder,
    Enabled,
    Expr,
    Location,
    Lock,
    LockAt,
    Property,
    Ref,
    Thread,
    subexpressions,
)
from modelcheck.language.values import negation
from modelcheck.locks import PRIMITIVES
from modelcheck.locks.primitive import Mode
from modelcheck.semantics.accesses import guard_questions, holds_any, instances_of, race_questions
from modelcheck.semantics.definedness import conjunction, disjunction
from modelcheck.semantics.questions import (
    ActionCounts,
    CannotFinish,
    CircularWaits,
    Condition,
    Crossings,
    ErrorSteps,
    LocalViews,
    Occurrences,
    Question,
    StatePredicate,
    StepPredicate,
    StuckForEver,
    TimeOutWaits,
)
from modelcheck.semantics.transition_system import TransitionSystem

DECLARED_ORDER = "declared order"
"""With these words begins the cause of a finding about a lock that is taken against a declared order."""


def questions(system: TransitionSystem) -> tuple[Question, ...]:
    """Return all that is asked of a model when nothing else is said."""
    return (
        ErrorSteps(),
        CircularWaits(),
        *_time_outs(system),
        StuckForEver(),
        CannotFinish(),
        LocalViews(),
        Crossings(),
        ActionCounts(),
        Occurrences(tuple(premise_conditions(system))),
        *(_property(system, each) for each in system.model.properties),
        *race_questions(system),
        *guard_questions(system),
        *_still_held(system),
        *_asleep(system),
        *_not_running(system),
        *_against_order(system),
    )


def _time_outs(system: TransitionSystem) -> Iterator[TimeOutWaits]:
    """Ask about cycles that only a time-out breaks, where somebody waits for a time."""
    places = (place for thread in system.model.threads for place in thread.locations)
    if any(place.wait.patience is not None for place in places):
        yield TimeOutWaits()


def _property(system: TransitionSystem, wanted: Property) -> StatePredicate | StepPredicate:
    match wanted.kind:
        case "invariant":
            broken = negation(wanted.expr)
            if wanted.when_free is not None:
                broken = conjunction((free(system, wanted.when_free), broken))
            return _predicate(wanted, broken, f"it does not hold: {wanted.text}")
        case "reachable":
            return _predicate(wanted, wanted.expr, f"it is reached: {wanted.text}")
        case "step":
            return StepPredicate(wanted.name, wanted.expr, mentions(wanted.expr), wanted.span)


def _predicate(wanted: Property, expr: Expr, message: str) -> StatePredicate:
    return StatePredicate(
        wanted.kind, wanted.name, expr, (wanted.kind, wanted.name), message, span=wanted.span
    )


def premise_conditions(system: TransitionSystem) -> Iterator[Condition]:
    """Yield the premise of each `implies` of each property, in order (SEMANTICS H13)."""
    for wanted in system.model.properties:
        mentioned = mentions(wanted.expr) if wanted.kind == "step" else None
        known = () if wanted.when_free is None else (free(system, wanted.when_free),)
        for premise in wanted.premises:
            yield Condition(conjunction((*known, premise.expr)), mentioned)


def free(system: TransitionSystem, at: LockAt) -> Expr:
    """Return the condition that no thread holds the lock in any mode."""
    return conjunction(tuple(negation(holds_any(at, t.number)) for t in system.model.threads))


def mentions(expr: Expr) -> tuple[Ref | At | Enabled, ...]:
    """Return what a step property speaks of, each once, as of the state before the step."""
    spoken = (e for e in subexpressions(expr) if isinstance(e, Ref | At | Enabled))
    return tuple(dict.fromkeys(Ref(e.var, e.index) if isinstance(e, Ref) else e for e in spoken))


def _still_held(system: TransitionSystem) -> Iterator[StatePredicate]:
    """Ask whether a thread can end, or a handler return, with a lock in its hands (DESIGN 3, check 3)."""
    for thread, lock in product(system.model.threads, system.model.locks):
        if lock.handover or not PRIMITIVES[lock.kind].modes:
            continue
        if thread.handler is None:
            yield _held_at_end(thread, lock, thread.end)
        elif PRIMITIVES[lock.kind].ordered:
            yield from (_held_at_end(thread, lock, place) for place in sorted(thread.handler.returns))


def _against_order(system: TransitionSystem) -> Iterator[StatePredicate]:
    """Ask whether a thread can ask for a lock while it holds one that the declared order puts behind it.

    The thread gets to the verb, whether or not it has to wait there; a try asks for nothing (SEMANTICS A6).
    """
    locks = {lock.name: lock for lock in system.model.locks}
    for thread in system.model.threads:
        for place in thread.locations:
            verb = place.verb
            if verb is None or verb.bars or verb.action not in ("acquire", "announce"):
                continue
            for order in system.model.orders:
                if order.first == verb.at.lock.name:
                    yield _held_where_asked(thread, place, order, locks[order.then])


def _held_where_asked(thread: Thread, place: Location, order: DeclaredOrder, held: Lock) -> StatePredicate:
    message = f"{thread.name} asks for {order.first} at {place.span} while it holds {order.then}"
    return StatePredicate(
        check="lock_order",
        name="lock_order",
        expr=_holds_some(thread, held, PRIMITIVES[held.kind].modes),
        cause=(DECLARED_ORDER, order.then, order.first, str(place.span)),
        message=f"{message}, against the declared order {order.first} < {order.then} ({order.span})",
        thread=thread.number,
        location=place.number,
        span=place.span,
    )


def _held_at_end(thread: Thread, lock: Lock, place: int) -> StatePredicate:
    ends = "ends" if thread.handler is None else "returns"
    return StatePredicate(
        check="lock_rules",
        name="lock_rules",
        expr=_holds_some(thread, lock, PRIMITIVES[lock.kind].modes),
        cause=("still held", thread.declaration, lock.name),
        message=f"{thread.name} {ends} while it still holds {lock.name}",
        thread=thread.number,
        location=place,
        span=thread.locations[place].span,
    )


def _holds_some(thread: Thread, lock: Lock, modes: Iterable[Mode]) -> Expr:
    instances = instances_of(LockAt(lock, tuple(Const(0) for _ in lock.dimensions)))
    holds = PRIMITIVES[lock.kind].holds
    return disjunction(tuple(holds(at, thread.number, mode) for at in instances for mode in modes))


def _asleep(system: TransitionSystem) -> Iterator[StatePredicate]:
    """Ask whether a thread can get to a statement that may sleep while it holds what forbids that (H1, H2)."""
    forbidding = [lock for lock in system.model.locks if PRIMITIVES[lock.kind].no_sleep]
    for thread, lock in product(system.model.threads, forbidding):
        expr = _holds_some(thread, lock, sorted(PRIMITIVES[lock.kind].no_sleep))
        for location in thread.locations:
            if location.sleeps and expr != FALSE:
                yield StatePredicate(
                    check="lock_rules",
                    name="lock_rules",
                    expr=expr,
                    cause=("sleeps", str(location.span), lock.name),
                    message=f"{thread.name} may sleep at {location.span} ({location.text}) with {lock.name} held",
                    thread=thread.number,
                    location=location.number,
                    span=location.span,
                )


def _not_running(system: TransitionSystem) -> Iterator[StatePredicate]:
    """Ask whether a thread that has prepared to sleep can get to a statement that may sleep for something else.

    That would set its state back to TASK_RUNNING, and schedule() would not sleep (kernel/sched/core.c, 6.1:
    __might_sleep warns of it).
    """
    tasks = [lock for lock in system.model.locks if lock.kind == "task"]
    for thread, lock in product(system.model.threads, tasks):
        state = Ref(lock.fields["state"], (Const(thread.number),))
        for location in thread.locations:
            own = location.verb is not None and location.verb.at.lock.kind in ("task", "waitqueue")
            if location.sleeps and not own:
                where = f"{location.span} ({location.text})"
                yield StatePredicate(
                    check="lock_rules",
                    name="lock_rules",
                    expr=Compare("!=", state, Const(0)),
                    cause=("not running", str(location.span)),
                    message=f"{thread.name} may sleep at {where} although it has prepared to sleep for something else",
                    thread=thread.number,
                    location=location.number,
                    span=location.span,
                )
