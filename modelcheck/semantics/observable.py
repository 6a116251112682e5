"""What can be seen of a run from outside: the observable events of its steps, and observed values (SEMANTICS H11).

Events: `+lock` got (`+lock:read` in a mode that is not the exclusive one), `-lock` released, `!lock` a try refused,
`op(arguments)` entered, `op=result` left, `emit event(arguments)`. In one step they come in this order: what happens to
locks, what is emitted, calls that are left and entered. A step of an `atomic` block may take and release several locks:
those that it holds before and after are compared, so one that it takes and gives back is not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modelcheck.language.model import Crossing, Lock, Observation, VerbUse
from modelcheck.language.types import show
from modelcheck.semantics.interpreter import Interpreter, Undefined
from modelcheck.semantics.questions import Held
from modelcheck.semantics.seen_of_locks import can_be_refused
from modelcheck.semantics.transition_system import State, Step, TransitionSystem

Kind = Literal["+", "-", "!", "enter", "leave", "emit"]

EXCLUSIVE = "write"


@dataclass(frozen=True)
class Observable:
    """One event. `name`: of the lock's declaration, the op, or the event. `text`: as a reader writes it."""

    kind: Kind
    name: str
    text: str


def got(lock: str, mode: str) -> str:
    """Return how it is written that a lock was got: the exclusive mode needs no word."""
    return f"+{lock}" if mode == EXCLUSIVE else f"+{lock}:{mode}"


class Observer:
    """Sees the events of the steps of one transition system; made with `results`, so that results can be seen."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._system = interpreter.system
        self._locks = {lock.name: lock for lock in self._system.model.locks}
        self._numbers = {lock.name: number for number, lock in enumerate(self._system.model.locks)}
        self._cells = {
            lock.name: frozenset(_cells_of(self._system, lock)) for lock in self._system.model.locks
        }

    def events(self, state: State, step: Step) -> tuple[Observable, ...]:
        """Return what is seen of a step that has a target."""
        assert step.target is not None
        emitted = tuple(
            Observable("emit", name, f"emit {name}({', '.join(arguments)})")
            for name, arguments in step.events
        )
        crossed = tuple(self.crossing(crossing, cells) for crossing, cells in step.crossings)
        return (*self._of_locks(state, step), *emitted, *crossed)

    def values(self, state: State) -> dict[str, str]:
        """Return every observed value, by name; one that is undefined is left out."""
        found: dict[str, str] = {}
        for each in self._system.model.observations:
            value = self.value(each, state)
            if value is not None:
                found[each.name] = value
        return found

    def value(self, observation: Observation, state: State) -> str | None:
        """Return an observed value as it is written in the language; None if it is undefined."""
        try:
            return show(observation.type, self._interpreter.value(observation.expr, state))
        except Undefined:
            return None

    def _of_locks(self, state: State, step: Step) -> tuple[Observable, ...]:
        location = self._system.model.threads[step.thread].locations[step.location]
        assert step.target is not None
        if location.verb is None and not _touches_locks(self._cells.values(), state, step.target):
            return ()
        before = self._interpreter.held(state, step.thread)
        after = self._interpreter.held(step.target, step.thread)
        lost = [held for held in before if held not in after]
        gained = [held for held in after if held not in before]
        if location.verb is not None and location.verb.at.lock.name not in {h.lock for h in lost + gained}:
            kind, held = self._again(state, step, location.verb)
            if kind == "!":
                return (self._seen(kind, held),)
            if kind:
                kept = lost if kind == "-" else gained
                kept.append(held)
                kept.sort(key=lambda each: self._numbers[each.lock])
        return (*(self._seen("-", each) for each in lost), *(self._seen("+", each) for each in gained))

    def _again(self, state: State, step: Step, verb: VerbUse) -> tuple[Kind | Literal[""], Held]:
        """Return what a verb did that leaves its lock held, or not, as it was: a refused try, or a lock taken again."""
        assert step.target is not None
        lock = verb.at.lock
        index = tuple(self._interpreter.value(each, state) for each in verb.at.index)
        held = Held(lock.name, index, verb.mode)
        changed = any(state[cell] != step.target[cell] for cell in self._cells[lock.name])
        if can_be_refused(verb) and not changed:
            return "!", held
        if changed and held in self._interpreter.held(state, step.thread):
            if verb.action in ("acquire", "try"):
                return "+", held
            if verb.action == "release":
                return "-", held
        return "", held

    def _seen(self, kind: Literal["+", "-", "!"], held: Held) -> Observable:
        lock = self._locks[held.lock]
        shown = held.lock + "".join(
            f"[{show(dimension, value)}]"
            for dimension, value in zip(lock.dimensions, held.index, strict=True)
        )
        return Observable(kind, held.lock, got(shown, held.mode) if kind == "+" else kind + shown)

    def crossing(self, crossing: Crossing, cells: State) -> Observable:
        """Return what is seen of a call that is entered or left, from the cells at that moment."""
        call = crossing.call
        if not crossing.leaves:
            given = (
                show(ref.var.type, cells[self._system.offsets[ref.var]])
                for ref in call.parameters
                if ref is not None
            )
            return Observable("enter", call.op, f"{call.op}({', '.join(given)})")
        if call.result is None:
            return Observable("leave", call.op, f"{call.op}=")
        value = show(call.result.var.type, cells[self._system.offsets[call.result.var]])
        return Observable("leave", call.op, f"{call.op}={value}")


def _cells_of(system: TransitionSystem, lock: Lock) -> list[int]:
    return [
        system.offsets[variable] + i
        for variable in lock.fields.values()
        for i in range(len(variable.initial))
    ]


def _touches_locks(cells: object, state: State, target: State) -> bool:
    assert hasattr(cells, "__iter__")
    return any(state[cell] != target[cell] for each in cells for cell in each)
