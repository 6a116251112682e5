"""Taking one thing away from a model: an acquisition with its release, a wait, a condition (SEMANTICS A6).

The result is a model like any other, for the question whether a cycle would then be a deadlock, and for nothing else:
its assertions are left out, since they may rest on what is missing. What is taken away leaves its place: the statement
still takes a step, which only leads on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from modelcheck.language.model import (
    TRUE,
    Assign,
    Assume,
    Choose,
    Effect,
    Effects,
    Either,
    Location,
    LockAt,
    Model,
    Require,
    Test,
    Thread,
    VerbUse,
    Wait,
    walk_effects,
)
from modelcheck.language.types import Bool
from modelcheck.locks import PRIMITIVES, VERBS
from modelcheck.locks.primitive import Here
from modelcheck.source import Span

Kind = Literal["lock", "await", "condition"]

TAKES = ("acquire", "announce", "try")


@dataclass(frozen=True)
class Removal:
    """What is taken away: in `where` (an op, or a thread's own body) a lock, or the statement `what`.

    `locations` are its copies, as thread and location; `lock` is the class if it is one.
    """

    kind: Kind
    what: str
    where: str
    span: Span
    locations: frozenset[tuple[int, int]]
    lock: str = ""


def place_of(thread: Thread, location: Location) -> str:
    """Return the op that a statement stands in, or the declaration of the thread whose body it is part of."""
    return location.call.op if location.call else thread.declaration


# --- what can be taken away ----------------------------------------------------------------------


def locks_taken(model: Model) -> tuple[Removal, ...]:
    """Return, for each lock class and each op or thread body that takes it, blocking or by a try, what that is."""
    found: dict[tuple[str, str], dict[tuple[int, int], Location]] = {}
    for thread in model.threads:
        for location in thread.locations:
            verb = location.verb
            if verb is None or verb.action not in TAKES or not PRIMITIVES[verb.at.lock.kind].ordered:
                continue
            key = (verb.at.lock.name, place_of(thread, location))
            found.setdefault(key, {})[thread.number, location.number] = location
    return tuple(
        Removal("lock", lock, where, _first(copies.values()), frozenset(copies), lock)
        for (lock, where), copies in found.items()
    )


def waits_and_conditions(model: Model) -> tuple[Removal, ...]:
    """Return every `await`, and every test of an `if`, `while` or `choose ... where`, each with all its copies."""
    found: dict[Span, tuple[Kind, str, dict[tuple[int, int], Location]]] = {}
    for thread in model.threads:
        for location in thread.locations:
            kind = _kind_of(location)
            if kind is not None:
                where = place_of(thread, location)
                found.setdefault(location.span, (kind, where, {}))[2][thread.number, location.number] = (
                    location
                )
    return tuple(
        Removal(kind, " ".join(next(iter(copies.values())).text.split()), where, span, frozenset(copies))
        for span, (kind, where, copies) in found.items()
    )


def _kind_of(location: Location) -> Kind | None:
    if location.is_end or location.verb is not None:
        return None
    if location.wait.obstacles and location.guard != TRUE:
        return "await"
    if any(_decides(effect) for effect in walk_effects(location.effects)):
        return "condition"
    return None


def _decides(effect: Effect) -> bool:
    return isinstance(effect, Test) or (isinstance(effect, Choose) and effect.where != TRUE)


def _first(locations: Iterable[Location]) -> Span:
    return min((location.span for location in locations), key=lambda span: (span.source.name, span.start))


# --- taking it away ------------------------------------------------------------------------------


def without(model: Model, removal: Removal) -> Model:
    """Return the model that lacks it."""
    threads = []
    for thread in model.threads:
        concerned = any(number == thread.number for number, _ in removal.locations)
        locations = tuple(
            _changed(model, thread, each, removal, concerned=concerned) for each in thread.locations
        )
        threads.append(replace(thread, locations=locations))
    return replace(model, threads=tuple(threads))


def _changed(
    model: Model, thread: Thread, location: Location, removal: Removal, *, concerned: bool
) -> Location:
    location = replace(location, effects=tuple(_rewritten(location.effects, _without_assertion)))
    if (thread.number, location.number) in removal.locations:
        match removal.kind:
            case "lock":
                return _not_taken(model, thread, location, removal.lock)
            case "await":
                text = f"{location.text}  // left out"
                return replace(location, guard=TRUE, effects=_freed(location.effects), text=text)
            case "condition":
                text = f"{location.text}  // a free choice"
                return replace(location, effects=_freed(location.effects), text=text)
    return _tolerant(location, removal.lock) if concerned and removal.lock else location


def _rewritten(effects: Effects, change: Callable[[Effect], Effects]) -> Iterator[Effect]:
    """Yield the effects, each changed, those in branches first."""
    for effect in effects:
        match effect:
            case Test(condition, then, otherwise):
                branches = tuple(_rewritten(then, change)), tuple(_rewritten(otherwise, change))
                yield from change(Test(condition, *branches))
            case Either(several, span):
                yield from change(Either(tuple(tuple(_rewritten(b, change)) for b in several), span))
            case _:
                yield from change(effect)


def _without_assertion(effect: Effect) -> Effects:
    return () if isinstance(effect, Require) and effect.breach.check == "assertion" else (effect,)


def _freed(effects: Effects) -> Effects:
    """Make every test a free choice."""

    def free(effect: Effect) -> Effects:
        match effect:
            case Test(_, then, otherwise):
                return (Either((then, otherwise)),)
            case Choose():
                return (replace(effect, where=TRUE),)
            case _:
                return (effect,)

    return tuple(_rewritten(effects, free))


def _not_taken(model: Model, thread: Thread, location: Location, lock: str) -> Location:
    """Let the verb go on as if it had got the lock, without touching it."""
    assert location.verb is not None
    domains = {lock.kind: LockAt(lock) for lock in model.locks if PRIMITIVES[lock.kind].domain}
    here = Here(location.verb.at, thread.number, tuple(t.name for t in model.threads), domains)
    got = tuple(_outcome(location.effects, _number_of_success(location.verb, here)))
    effects, text = _untouched(got, lock), f"{location.text}  // left out"
    return replace(location, guard=TRUE, effects=effects, wait=Wait(), text=text)


def _number_of_success(use: VerbUse, here: Here) -> int:
    """Return which outcome of the verb's step gets the lock: one that changes it, and returns no error."""
    verb = VERBS[use.verb][1]
    step = verb.steps(here)[use.step - 1]
    numbered = list(enumerate(step.outcomes))
    changing = [number for number, outcome in numbered if outcome.updates]
    good = [number for number, outcome in numbered if isinstance(verb.result, Bool) or not outcome.result]
    return next((number for number in changing if number in good), (changing or good or [0])[0])


def _outcome(effects: Effects, number: int) -> Iterator[Effect]:
    """Yield the effects of one outcome: a verb's outcomes are a chain of tests, each but the last behind its own."""
    for effect in effects:
        match effect:
            case Test(_, then, otherwise):
                yield from then if number == 0 else _outcome(otherwise, number - 1)
            case Either(branches):
                yield from (e for e in branches[number] if not isinstance(e, Assume))
            case _:
                yield effect


def _touches(effect: Effect, lock: str) -> bool:
    return isinstance(effect, Assign) and effect.target.var.name.startswith(f"{lock}.")


def _untouched(effects: Effects, lock: str) -> Effects:
    """Return a verb's effects without what they do to the lock, and without its rules."""

    def untouched(effect: Effect) -> Effects:
        return () if _touches(effect, lock) or _is_about(effect, lock) else (effect,)

    return tuple(_rewritten(effects, untouched))


def _is_about(effect: Effect, lock: str) -> bool:
    at = effect.breach.lock if isinstance(effect, Require) else None
    return at is not None and at.lock.name == lock


def _tolerant(location: Location, lock: str) -> Location:
    """Let a release of what was never taken do nothing, and let nobody insist that the lock is held."""
    rules = [e for e in location.effects if isinstance(e, Require) and _is_about(e, lock)]
    verb = location.verb
    if not rules or (verb is not None and verb.action in TAKES):
        return location
    effects = tuple(e for e in location.effects if not _is_about(e, lock))
    if verb is not None and verb.at.lock.name == lock:
        for rule in reversed(rules):
            effects = (Test(rule.condition, effects, _untouched(effects, lock)),)
    return replace(location, effects=effects)
