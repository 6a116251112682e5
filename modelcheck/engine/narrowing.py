"""The steps of a thread that can show a given event: where the log states an argument, no other is tried.

A step that enters `op(x)` with an `x` that a `choose` of the same step decides has one outcome for each value of x.
Only one of them shows the event that the log has next, so the others are not computed: the step is built with that
value alone. This is for steps whose effects are one sequence as far as the call; all others are taken as they are.
"""

from __future__ import annotations

import re
from dataclasses import replace

from modelcheck.language.model import (
    Assign,
    Choose,
    Crossing,
    Effect,
    Effects,
    Emit,
    Location,
    Ref,
    Variable,
    walk_effects,
)
from modelcheck.language.types import Scalar, bounds, show
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State, Step

_CALL = re.compile(r"(\w+)\((.*)\)")
_ARGUMENT = re.compile(r"\{[^}]*\}|[^,{} ][^,{}]*")


class Narrowed:
    """The steps of one interpreter, with those left out that cannot show what is wanted."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._narrow: dict[tuple[int, int, str | None], Location | bool | None] = {}

    def steps_of(
        self, state: State, thread: int, wanted: str | None, hidden: frozenset[str]
    ) -> tuple[Step, ...]:
        """Return the steps of the thread; some that show another event than `wanted` first may be missing."""
        system = self._interpreter.system
        place = state[system.location_cells[thread]]
        if place == system.model.threads[thread].end:
            return ()
        key = (thread, place, wanted)
        if key not in self._narrow:
            self._narrow[key] = _narrowed(system.model.threads[thread].locations[place], wanted, hidden)
        found = self._narrow[key]
        if found is True:
            return self._interpreter.steps_of(state, thread)
        if not isinstance(found, Location):
            return ()
        return self._interpreter.steps_as(state, thread, found)

    def called(self, state: State, thread: int, hidden: frozenset[str]) -> str:
        """Return the visible op that every step of the thread enters first, with arguments that it chooses; or ""."""
        system = self._interpreter.system
        place = state[system.location_cells[thread]]
        location = system.model.threads[thread].locations[place]
        if location.is_end or _narrowed(location, None, hidden) is not None:
            return ""
        return next(e.call.op for e in location.effects if isinstance(e, Crossing))


def _narrowed(location: Location, wanted: str | None, hidden: frozenset[str]) -> Location | bool | None:
    """Return the statement with fewer choices, None if it cannot show what is wanted, True to take it as it is."""
    if any(map(_shows_before_calls, walk_effects(location.effects))):
        return True
    chosen: dict[Variable, int] = {}  # the choice that a variable's value comes from, by its position
    effects: list[Effect] = list(location.effects)
    for position, effect in enumerate(effects):
        match effect:
            case Choose(Ref(var, ())):
                chosen[var] = position
            case Assign(Ref(var, ()), Ref(source, ())) if source in chosen:
                chosen[var] = chosen[source]
            case Assign(Ref(var, ())):
                chosen.pop(var, None)
            case Crossing(call, leaves=False) if call.op not in hidden:
                break
            case _:
                return True
    else:
        return True
    match = _CALL.fullmatch(wanted or "")
    if match is None or match[1] != call.op:
        return None
    return _with_values(location, effects, call.parameters, chosen, _ARGUMENT.findall(match[2]))


def _shows_before_calls(effect: Effect) -> bool:
    """Tell whether an effect may be seen, and then before any call of its step, wherever it stands."""
    match effect:
        case Assign(Ref(var)):
            return var.kind == "lock"
        case _:
            return isinstance(effect, Emit)


def _with_values(
    location: Location,
    effects: list[Effect],
    parameters: tuple[Ref | None, ...],
    chosen: dict[Variable, int],
    texts: list[str],
) -> Location | None:
    """Return the statement with the chosen values, at the positions in `chosen`, that make the arguments the texts."""
    shown = [ref for ref in parameters if ref is not None]
    if len(texts) != len(shown):
        return None
    for ref, text in zip(shown, texts, strict=False):
        position = chosen.get(ref.var)
        if position is None:
            continue
        effect = effects[position]
        assert isinstance(effect, Choose)
        value = _value(ref.var.type, text)
        if value is None or not effect.low <= value <= effect.high:
            return None
        effects[position] = replace(effect, low=value, high=value)
    narrowed: Effects = tuple(effects)
    return replace(location, effects=narrowed)


def _value(kind: Scalar, text: str) -> int | None:
    low, high = bounds(kind)
    return next((value for value in range(low, high + 1) if show(kind, value) == text), None)
