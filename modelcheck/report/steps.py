"""A trace as rows for a reader: who ran what where, and only what that changed.

Internal variables of locks and dead locals are hidden: a lock that was got is `+lock:mode`, one that was released
`-lock`. Text, JSON and every picture of a trace are made from these rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from modelcheck.analysis.awaited import SLEEPS
from modelcheck.analysis.finding import instance_name, listed
from modelcheck.analysis.waiting import Explainer
from modelcheck.language.model import Choose, Either, Location, Test, jump_targets, walk_effects
from modelcheck.language.types import show
from modelcheck.locks import PRIMITIVES
from modelcheck.locks.task import DIRECTLY, QUEUED
from modelcheck.result.trace import Trace
from modelcheck.semantics.questions import Held
from modelcheck.semantics.transition_system import INIT, State, Step, index_values
from modelcheck.source import Span


@dataclass(frozen=True)
class Row:
    """One step. `span` is the statement's place, `left_by` the place that left the scope of a guard, at its release."""

    number: int
    thread: str
    span: Span
    op: str
    text: str
    changes: tuple[str, ...]
    locks: tuple[str, ...]
    waits: str = ""
    breach: str = ""
    left_by: Span | None = None
    choices: tuple[int, ...] = ()
    announces: bool = False
    until: int = 0

    @property
    def steps(self) -> str:
        """The number of the step, or of the first and the last that the row stands for."""
        return f"{self.number}-{self.until}" if self.until else str(self.number)

    def joined_with(self, following: Row) -> Row:
        """Return one row for this step and the next one of the same statement."""
        locks, changes = (*self.locks, *following.locks), (*self.changes, *following.changes)
        return replace(following, number=self.number, until=following.number, locks=locks, changes=changes)


def rows(explainer: Explainer, trace: Trace) -> tuple[Row, ...]:
    """Return the steps of the trace, numbered from 1."""
    return tuple(_rows(explainer, trace))


def _rows(explainer: Explainer, trace: Trace) -> Iterator[Row]:
    before = trace.initial
    for number, step in enumerate(trace.steps, 1):
        if step.location == INIT:
            yield _before_time(explainer, number, step)
            continue
        location = explainer.place(step)
        thread = explainer.interpreter.system.model.threads[step.thread]
        after = before if step.target is None else step.target
        yield Row(
            number=number,
            thread=thread.name,
            span=location.span,
            op=location.call.op if location.call else "",
            text=statement(location)
            if step.location not in thread.idle
            else _interrupts(explainer, before, step),
            changes=(
                *_outcome(explainer, location, step),
                *_choices(location, step, _changes(explainer, before, after, step)),
            )
            if step.location not in thread.idle
            else (),
            locks=_lock_events(explainer, before, after, step),
            waits=_waits(explainer, after, step),
            breach=step.breach.message if step.breach else "",
            left_by=location.left_by,
            choices=step.choices,
            announces=location.verb is not None and location.verb.action in ("announce", "prepare"),
        )
        before = after


def _interrupts(explainer: Explainer, before: State, step: Step) -> str:
    """Say whom a handler interrupts: the thread, or the handler that already runs in its place."""
    threads = explainer.interpreter.system.model.threads
    handler = threads[step.thread].handler
    assert handler is not None
    thread = handler.interrupts[step.choices[0]]
    (running,) = explainer.interpreter.interrupting(before, thread) or (thread,)
    return f"{threads[step.thread].name} interrupts {threads[running].name}"


def _before_time(explainer: Explainer, number: int, step: Step) -> Row:
    threads = explainer.interpreter.system.model.threads
    name = "init" if step.thread == INIT else threads[step.thread].name
    assert step.breach is not None
    return Row(
        number, name, step.breach.span, "", "before the first step", (), (), breach=step.breach.message
    )


def statement(location: Location) -> str:
    """Return the statement's text on one line, with the values of the enclosing `for` variables."""
    text = " ".join(location.text.split())
    inside = ", ".join(f"{name} = {value}" for name, value in location.unrolled)
    return f"{text}  [{inside}]" if inside else text


def values(explainer: Explainer, state: State) -> dict[str, str]:
    """Return the shared variables of a state, by name, as they are written."""
    cells = zip(explainer.interpreter.system.cells, state, strict=True)
    return {c.name: show(c.variable.type, v) for c, v in cells if c.variable and c.variable.kind == "shared"}


def lock_shown(explainer: Explainer, held: Held) -> str:
    """Return a held lock; with its mode where the lock has more than one."""
    lock = next(each for each in explainer.interpreter.system.model.locks if each.name == held.lock)
    name = instance_name(lock, held.index)
    return f"{name}:{held.mode}" if len(PRIMITIVES[lock.kind].modes) > 1 else name


def _outcome(explainer: Explainer, location: Location, step: Step) -> tuple[str, ...]:
    """Return which way a test went, where the location it arrived at tells that."""
    part = location.text.endswith(": test")
    is_test = part or location.text.startswith(("if ", "if(", "while ", "while("))
    if step.target is None or not is_test:
        return ()
    arrived = step.target[explainer.interpreter.system.location_cells[step.thread]]
    match location.effects:
        case [*_, Test(_, then, otherwise)] if not any(
            isinstance(e, Test) for e in walk_effects(location.effects[:-1])
        ):
            ways = (arrived in jump_targets(then), arrived in jump_targets(otherwise))
            if location.verb is not None and re.match(r"(if|while) ?\(\(*!", location.text) and not part:
                ways = ways[::-1]  # the first outcome of a verb is that of a true result (locks/primitive.py)
            return {(True, False): ("true",), (False, True): ("false",)}.get(ways, ())
        case _:
            return ()


def _choices(location: Location, step: Step, changes: tuple[str, ...]) -> tuple[str, ...]:
    """Put before the changes what was chosen, where it does not show in them: a value, or a branch by its number."""
    if not step.choices or location.verb is not None:
        return changes  # whom a verb chose shows in what it changed
    match [e for e in walk_effects(location.effects) if isinstance(e, Choose | Either)]:
        case [Choose(target)]:
            return changes or (f"chooses {show(target.var.type, step.choices[0])}",)
        case [Either()]:
            return (f"takes branch {step.choices[0] + 1}", *changes)
        case _:
            return (f"chooses {', '.join(map(str, step.choices))}", *changes)


def _told(explainer: Explainer, before: State, after: State, step: Step) -> Iterator[str]:
    """Yield what the locks' own variables that a reader knows of have become: who is woken, what was completed."""
    system = explainer.interpreter.system
    for lock in system.model.locks:
        for field in PRIMITIVES[lock.kind].fields:
            if field.told is not None and field.name in lock.fields:
                variable = lock.fields[field.name]
                first = system.offsets[variable]
                for number, index in enumerate(index_values(variable.dimensions)):
                    old, new = before[first + number], after[first + number]
                    if old != new:
                        own = index[-1] == step.thread if field.per_thread else True
                        whose = "" if own else system.model.threads[index[-1]].name
                        name = instance_name(lock, index[:-1] if field.per_thread else index)
                        yield field.told(name, show(variable.type, new), whose)
    verb = explainer.place(step).verb
    if (
        verb is not None
        and verb.verb in (*QUEUED, *DIRECTLY)
        and before == _moved(explainer, before, after, step)
    ):
        yield "wakes nobody"


def _moved(explainer: Explainer, before: State, after: State, step: Step) -> State:
    """Return the state after a step as far as others see it: without where its thread stands."""
    cell = explainer.interpreter.system.location_cells[step.thread]
    return (*after[:cell], before[cell], *after[cell + 1 :])


def _changes(explainer: Explainer, before: State, after: State, step: Step) -> tuple[str, ...]:
    """Return the variables that changed, as `name=value`, and the observable events."""
    system = explainer.interpreter.system
    arrived = after[system.location_cells[step.thread]]
    dead = {cell for cell, _ in system.resets[step.thread][arrived]}
    changed = []
    for number, cell in enumerate(system.cells):
        if cell.variable is None or cell.variable.kind == "lock" or before[number] == after[number]:
            continue
        if number not in dead:
            changed.append(f"{cell.name}={show(cell.variable.type, after[number])}")
    changed += filter(None, _told(explainer, before, after, step))
    events = (f"emits {name}({', '.join(arguments)})" for name, arguments in step.events)
    return (*changed, *events)


def _lock_events(explainer: Explainer, before: State, after: State, step: Step) -> tuple[str, ...]:
    interpreter = explainer.interpreter
    events = []
    for thread in interpreter.system.model.threads:
        had, has = interpreter.held(before, thread.number), interpreter.held(after, thread.number)
        whose = "" if thread.number == step.thread else f"{thread.name}: "
        events += [f"{whose}-{lock_shown(explainer, each)}" for each in had if each not in has]
        events += [f"{whose}+{lock_shown(explainer, each)}" for each in has if each not in had]
    return tuple(events)


def _waits(explainer: Explainer, after: State, step: Step) -> str:
    """Say what the thread that moved waits for now, if it does."""
    interpreter = explainer.interpreter
    if step.target is None or not interpreter.blocked(after, step.thread):
        return ""
    location = interpreter.location(after, step.thread)
    what = explainer.phrase(after, step.thread)
    if what.startswith(SLEEPS):
        return what.replace(SLEEPS, "falls asleep", 1)
    if location.verb is None or not PRIMITIVES[location.verb.at.lock.kind].ordered:
        return what
    threads = interpreter.system.model.threads
    owners = explainer.waiting.all_of(after, step.thread)
    holders = listed([threads[t].name for t in sorted(owners or ())])
    return what + (f", held by {holders}" if holders else "")
