"""What the threads of a model ask for while they hold locks, from their local views (SEMANTICS A6, A7)."""

from __future__ import annotations

from dataclasses import dataclass

from modelcheck.analysis.finding import instance_name
from modelcheck.analysis.lock_order import Edge, Instance, Request, canonical
from modelcheck.language.model import Location, Lock, Thread, jump_targets
from modelcheck.locks import PRIMITIVES
from modelcheck.semantics.expressions import Undefined
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Held, LocalView
from modelcheck.semantics.transition_system import State, index_values
from modelcheck.source import Span


def requests_of(interpreter: Interpreter, views: frozenset[LocalView]) -> tuple[Request, ...]:
    """Return the requests that the local views show. What is no lock to wait for is neither asked for nor held."""
    found: dict[Request, None] = {}
    model = interpreter.system.model
    ordered = {lock.name for lock in model.locks if PRIMITIVES[lock.kind].ordered}
    for view in sorted(
        views, key=lambda v: (v.thread, v.location, v.locals, [(h.lock, h.index, h.mode) for h in v.held])
    ):
        location = model.threads[view.thread].locations[view.location]
        verb = location.verb
        if verb is None or verb.action not in ("acquire", "announce") or verb.at.lock.name not in ordered:
            continue
        held = tuple(h for h in view.held if h.lock in ordered)
        for index in _indexes(interpreter, view, location):
            wants = (verb.at.lock.name, index)
            queues = _queues(model.threads[view.thread], verb.at.lock, view.held)
            found[Request(view.thread, location, wants, verb.mode, held, verb.bars, queues)] = None
    return tuple(found)


def _queues(thread: Thread, lock: Lock, held: tuple[Held, ...]) -> bool:
    """Tell whether a reader waits here behind a writer that waits: who is in interrupt context may pass it."""
    in_interrupt = thread.handler is not None or PRIMITIVES["softirq"].domain in {h.lock for h in held}
    barred = PRIMITIVES[lock.kind].bars
    return barred == "all" or (barred == "threads" and not in_interrupt)


def _indexes(interpreter: Interpreter, view: LocalView, location: Location) -> tuple[tuple[int, ...], ...]:
    """Evaluate the index of the lock in the view; an index that reads shared data may be any."""
    assert location.verb is not None
    at = location.verb.at
    reads_shared = any(a.ref.var.kind == "shared" for a in location.accesses)
    if reads_shared:
        return tuple(index_values(at.lock.dimensions))
    state = list(interpreter.system.declared)
    for cell, value in view.locals:
        state[cell] = value
    state[interpreter.system.location_cells[view.thread]] = view.location
    try:
        return (tuple(interpreter.value(each, tuple(state)) for each in at.index),)
    except Undefined:
        return ()


def ring_of_classes(interpreter: Interpreter, state: State, ring: tuple[int, ...]) -> tuple[str, ...]:
    """Return a circular wait as a cycle of lock classes; () if some wait in it is not for a lock."""
    wanted: list[Instance] = []
    for thread in ring:
        verb = interpreter.location(state, thread).verb
        if verb is None or interpreter.finished(state, thread):
            return ()
        try:
            index = tuple(interpreter.value(each, state) for each in verb.at.index)
        except Undefined:
            index = ()
        wanted.append((verb.at.lock.name, index))
    # A writer between two readers of one lock is no lock of its own in the cycle.
    apart = [lock for i, lock in enumerate(wanted) if len(wanted) == 1 or lock != wanted[i - 1]] or wanted[:1]
    return canonical(tuple(lock for lock, _ in apart))


def taken_at(interpreter: Interpreter, edge: Edge) -> tuple[Location, ...]:
    """Return where the thread may have taken what it holds: the nearest acquisitions before the request.

    Found by walking the program graph backwards; a release of the lock ends the walk.
    """
    assert isinstance(edge.request.place, Location)
    start = edge.request.place.number
    asked_for = "write" if edge.held.alone else edge.held.mode
    before: dict[int, list[Location]] = {}
    for location in interpreter.system.model.threads[edge.request.thread].locations:
        for target in jump_targets(location.effects):
            before.setdefault(target, []).append(location)
    seen, todo = {start}, [start]
    found: dict[int, Location] = {}
    while todo:
        for location in before.get(todo.pop(), []):
            verb = location.verb
            mine = verb if verb is not None and verb.at.lock.name == edge.held.lock else None
            if mine is not None and mine.action in ("acquire", "try") and mine.mode == asked_for:
                found[location.number] = location
            elif (mine is None or mine.action != "release") and location.number not in seen:
                seen.add(location.number)
                todo.append(location.number)
    return tuple(found[number] for number in sorted(found))


def lines_taken(interpreter: Interpreter, edge: Edge) -> tuple[Span, ...]:
    """Return the lines of these places, each once."""
    spans = dict.fromkeys(location.span for location in taken_at(interpreter, edge))
    return tuple(sorted(spans, key=lambda span: (span.source.name, span.start)))


@dataclass(frozen=True)
class ModelWords:
    """How a reader is told about the lock order of a model."""

    interpreter: Interpreter

    def thread(self, number: int) -> str:
        """Return the thread's name."""
        return self.interpreter.system.model.threads[number].name

    def task(self, number: int) -> str:
        """Return the thread's name and number."""
        return f"{self.thread(number)}/{number}"

    def lock(self, instance: Instance, mode: str = "") -> str:
        """Return the instance as it is written in the language, with its mode where the lock has more than one."""
        lock = next(lock for lock in self.interpreter.system.model.locks if lock.name == instance[0])
        several = len(PRIMITIVES[lock.kind].modes) > 1
        return instance_name(lock, instance[1]) + (f":{mode}" if mode and several else "")

    def op(self, request: Request) -> str:
        """Return the op in which the thread asks; "" in the thread's own body."""
        assert isinstance(request.place, Location)
        return request.place.call.op if request.place.call else ""

    def place(self, request: Request) -> str:
        """Return the line where the thread asks."""
        assert isinstance(request.place, Location)
        return str(request.place.span)

    def taken(self, edge: Edge) -> str:
        """Return the lines where the thread took what it holds."""
        return ", ".join(str(span) for span in lines_taken(self.interpreter, edge)) or "unknown"
