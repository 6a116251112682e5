"""What the program graph of a thread says of the events that can be seen of it next, whatever the others do."""

from __future__ import annotations

from collections.abc import Callable

from modelcheck.language.model import (
    Assign,
    Assume,
    At,
    Choose,
    Crossing,
    Effect,
    Effects,
    Either,
    Emit,
    Enabled,
    Expr,
    Jump,
    Require,
    Test,
    jump_targets,
    refs,
    subexpressions,
    walk_effects,
)
from modelcheck.semantics.seen_of_locks import can_be_refused, is_domain, modes_of, signs
from modelcheck.semantics.transition_system import Action, TransitionSystem

KindAndName = tuple[str, str]


def kind_and_name(event: str) -> KindAndName:
    """Return the kind (as in semantics/observable.py) and the name of an event that a log has."""
    if event[:1] in ("+", "-", "!"):
        return event[0], event[1:].partition("[")[0].partition(":")[0]
    if event.startswith("emit "):
        return "emit", event[5:].partition("(")[0]
    name, bracket, _ = event.partition("(")
    if bracket and "=" not in name:
        return "enter", name
    return "leave", event.partition("=")[0]


def events_ahead(
    system: TransitionSystem, thread: int, hidden: frozenset[str]
) -> tuple[frozenset[KindAndName], ...]:
    """Return for each location the visible events that a thread can show first from there, or more than these."""
    actions = system.actions[thread]
    own = [_events_of(action, hidden) if action else frozenset() for action in actions]
    passes = [action is not None and not _always_shows(action, hidden) for action in actions]
    ahead = list(own)
    changed = True
    while changed:
        changed = False
        for place in reversed(range(len(actions))):
            action = actions[place]
            if action is None or not passes[place]:
                continue
            more = ahead[place].union(*(ahead[target] for target in jump_targets(action.location.effects)))
            changed = changed or more != ahead[place]
            ahead[place] = more
    return tuple(ahead)


def _events_of(action: Action, hidden: frozenset[str]) -> frozenset[KindAndName]:
    """Return every visible event that a statement may show."""
    found: set[KindAndName] = set()
    for effect in walk_effects(action.location.effects):
        match effect:
            case Crossing(call, leaves) if call.op not in hidden:
                found.add(("leave" if leaves else "enter", call.op))
            case Emit(event) if event not in hidden:
                found.add(("emit", event))
            case Assign(target) if target.var.kind == "lock":
                name = target.var.name.rpartition(".")[0]
                if name not in hidden:
                    found |= {(sign, name) for sign in signs(effect)}
            case _:
                pass
    verb = action.location.verb
    if verb is not None and can_be_refused(verb) and verb.at.lock.name not in hidden:
        found.add(("!", verb.at.lock.name))
    return frozenset(found)


def _always_shows(action: Action, hidden: frozenset[str]) -> bool:
    """Tell whether the thread cannot pass the statement unseen. What a signal ends is passed without the lock."""
    verb = action.location.verb
    lock = verb.at.lock if verb is not None else None
    if verb is None or lock is None or lock.name in hidden or is_domain(lock) or not modes_of(lock):
        return _shows(action, hidden)
    if verb.action == "acquire" or (verb.action == "release" and not lock.handover):
        holding = modes_of(lock)
        effects = action.location.effects
        return _on_every_path(effects, lambda e: isinstance(e, Assign) and e.target.var in holding)
    return can_be_refused(verb) or _shows(action, hidden)


def local_until_seen(system: TransitionSystem, thread: int, hidden: frozenset[str]) -> frozenset[int]:
    """Return the locations from which a thread does nothing but local steps until its next visible event."""
    actions = system.actions[thread]
    shown = {place for place, action in enumerate(actions) if action and _shows(action, hidden)}
    spoiled = {
        place
        for place, action in enumerate(actions)
        if action and place not in shown and not _is_local(action)
    }
    before: dict[int, set[int]] = {place: set() for place in range(len(actions))}
    for place, action in enumerate(actions):
        for target in jump_targets(action.location.effects) if action else ():
            before[target].add(place)
    bad, waiting = set(spoiled), list(spoiled)
    while waiting:
        for place in before[waiting.pop()] - bad - shown:
            bad.add(place)
            waiting.append(place)
    return frozenset(range(len(actions))) - bad


def is_told_of_threads(system: TransitionSystem) -> bool:
    """Tell whether a statement or an observation looks where threads are, or into their locals."""
    model = system.model
    seen = [each.expr for each in model.observations]
    if any(ref.var.kind == "local" for expr in seen for ref in refs(expr)):
        return True
    for thread in model.threads:
        if thread.interrupted_by or thread.handler is not None:
            return True
        for location in thread.locations:
            seen.append(location.guard)
            for effect in walk_effects(location.effects):
                seen += _expressions(effect)
    return any(isinstance(inner, At | Enabled) for expr in seen for inner in subexpressions(expr))


def _expressions(effect: Effect) -> tuple[Expr, ...]:
    """Return what an effect evaluates, indexes left out: no index is a location."""
    match effect:
        case Assign(_, value):
            return (value,)
        case Choose(where=where):
            return (where,)
        case Test(condition) | Require(condition) | Assume(condition):
            return (condition,)
        case Emit(_, arguments):
            return arguments
        case _:
            return ()


def _is_local(action: Action) -> bool:
    refs = (*action.reads, *action.writes)
    return action.location.verb is None and all(ref.var.kind == "local" for ref in refs)


def _shows(action: Action, hidden: frozenset[str]) -> bool:
    """Tell whether every way through the statement shows a call or an emitted event."""

    def shows(effect: Effect) -> bool:
        match effect:
            case Crossing(call):
                return call.op not in hidden
            case Emit(event):
                return event not in hidden
            case _:
                return False

    return _on_every_path(action.location.effects, shows)


def _on_every_path(effects: Effects, wanted: Callable[[Effect], bool]) -> bool:
    """Tell whether every path through the effects has one that is wanted."""
    for effect in effects:
        if wanted(effect):
            return True
        match effect:
            case Test(_, then, otherwise):
                branches: tuple[Effects, ...] = (then, otherwise)
            case Either(inner):
                branches = inner
            case _:
                continue
        found = [_on_every_path(branch, wanted) for branch in branches]
        if all(found):
            return True
        jumping = (any(isinstance(each, Jump) for each in walk_effects(branch)) for branch in branches)
        if any(jumps and not has for jumps, has in zip(jumping, found, strict=True)):
            return False
    return False
