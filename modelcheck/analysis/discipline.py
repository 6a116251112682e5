"""Ops that return with other locks than they were entered with (SEMANTICS C1), from the locks seen at each call.

`acquires l` allows an op to return with l, `releases l` without it, and asks that it was held at the call, as
`must_hold l` does. sparse calls the same thing a context imbalance. A lock still held where a thread ends is asked
for in semantics/asking.py, as a predicate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from modelcheck.analysis.finding import Finding, instance_name, listed
from modelcheck.analysis.pairing import Passage, passages, takes
from modelcheck.engine.shortest import shortest_trace
from modelcheck.engine.sightings import Target
from modelcheck.engine.space import Space
from modelcheck.language.model import Call, Const, LockAt, Model
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Held
from modelcheck.semantics.transition_system import INIT, State, Step
from modelcheck.source import NOWHERE, Span

LockSet = frozenset[Held]
Crossed = tuple[int, bool, tuple[Held, ...], Span]


@dataclass(frozen=True)
class Imbalance:
    """A call that breaks its contract: at its entry or at a return, with these locks held; and what is wrong."""

    call: Call
    leaves: bool
    held: tuple[Held, ...]
    message: str
    classes: tuple[str, ...]
    at: Span = NOWHERE

    @property
    def cause(self) -> tuple[str, ...]:
        """The same op at the same lines with the same locks is one finding, whichever thread calls it."""
        word = "unbalanced" if self.leaves else "not held"
        return (word, self.call.op, str(self.call.span), str(self.at), *self.classes)


def discipline(
    interpreter: Interpreter, crossings: frozenset[Crossed], *, complete: bool
) -> tuple[tuple[Finding, ...], str]:
    """Return one finding for each cause, with the shortest run that shows it (one more search each).

    The text says why some call could not be decided, "" if all were.
    """
    model, undecided = interpreter.system.model, ""
    first: dict[tuple[str, ...], Imbalance] = {}
    for imbalance in imbalances(model, crossings):
        first.setdefault(imbalance.cause, imbalance)
    found = {cause: _finding(interpreter, each, run_to(interpreter, each)) for cause, each in first.items()}
    for call in model.calls if complete else ():
        if _is_unclear(call, crossings):
            ways = passages(interpreter, call)
            if ways is None:
                undecided = f"too many states to pair the returns of `{call.op}`, called at {call.span}"
            for finding in _paired(interpreter, call, ways or {}):
                found.setdefault(finding.cause, finding)
    return tuple(found.values()), undecided


def _is_unclear(call: Call, crossings: frozenset[Crossed]) -> bool:
    """Tell whether some return is balanced with one entry of the call and not with another."""
    mine = [crossed for crossed in crossings if crossed[0] == call.number]
    entered = [frozenset(held) for _, leaves, held, _ in mine if not leaves]
    left = [frozenset(held) for _, leaves, held, _ in mine if leaves]
    return any(len({_balanced(call, entry, held) for entry in entered}) > 1 for held in left)


def _paired(interpreter: Interpreter, call: Call, ways: Mapping[Passage, Trace]) -> Iterator[Finding]:
    """Yield the ways through the call that are not balanced, of each return the shortest."""
    for way, trace in ways.items():
        if not _balanced(call, frozenset(way.entry), frozenset(way.held)):
            imbalance = _returned_with(interpreter.system.model, call, [way.entry], way.held, way.at)
            claim = partial(takes, interpreter, call, way)
            yield replace(_finding(interpreter, imbalance, trace), claim=claim)


def shown_by(interpreter: Interpreter, trace: Trace) -> Iterator[Finding]:
    """Yield what the last step of a run shows, seen by itself."""
    before = tuple(step for step in interpreter.before_time if step.target == trace.initial)[:1]
    crossings = frozenset(
        (crossing.call.number, crossing.leaves, _held(interpreter, step, cells), crossing.at)
        for step in (*before, *trace.steps)
        for crossing, cells in step.crossings
    )
    for imbalance in imbalances(interpreter.system.model, crossings):
        if _shows(interpreter, imbalance, trace):
            yield _finding(interpreter, imbalance, trace)


def _finding(interpreter: Interpreter, imbalance: Imbalance, trace: Trace) -> Finding:
    return Finding(
        check="lock_rules",
        name="lock_rules",
        weight="violation",
        message=imbalance.message,
        cause=imbalance.cause,
        evidence=trace,
        members=(trace.steps[-1].thread,) if trace.steps else (),
        span=imbalance.at if imbalance.leaves else imbalance.call.span,
        claim=partial(_shows, interpreter, imbalance),
    )


def imbalances(model: Model, crossings: frozenset[Crossed]) -> Iterator[Imbalance]:
    """Yield every broken contract, by call."""
    for call in model.calls:
        mine = [crossed for crossed in crossings if crossed[0] == call.number]
        entered = sorted({held for _, leaves, held, _ in mine if not leaves}, key=_key)
        left = sorted({(at, held) for _, leaves, held, at in mine if leaves}, key=_by_place)
        for held in entered:
            yield from _called_without(call, held)
        for at, held in left:
            if not any(_balanced(call, frozenset(entry), frozenset(held)) for entry in entered):
                yield _returned_with(model, call, entered, held, at)


def _key(held: tuple[Held, ...]) -> tuple[tuple[str, tuple[int, ...], str], ...]:
    return tuple((h.lock, h.index, h.mode) for h in held)


def _by_place(left: tuple[Span, tuple[Held, ...]]) -> tuple[object, ...]:
    return left[0].source.name, left[0].start, _key(left[1])


def _called_without(call: Call, held: tuple[Held, ...]) -> Iterator[Imbalance]:
    for kind, at in call.contracts:
        if kind in ("must_hold", "releases") and not any(_means(at, each) for each in held):
            message = (
                f"`{call.op}` is called at {call.span} without {at.lock.name}, which it says it {_says(kind)}"
            )
            yield Imbalance(call, leaves=False, held=held, message=message, classes=("without", at.lock.name))


def _says(kind: str) -> str:
    return "must hold" if kind == "must_hold" else kind


def _balanced(call: Call, entry: LockSet, exit_: LockSet) -> bool:
    more, less = exit_ - entry, entry - exit_
    return all(_allowed(call, "acquires", h) for h in more) and all(
        _allowed(call, "releases", h) for h in less
    )


def _allowed(call: Call, kind: str, held: Held) -> bool:
    return any(contract == kind and _means(at, held) for contract, at in call.contracts)


def _means(at: LockAt, held: Held) -> bool:
    """A contract with an index that is not constant is compared by class."""
    if at.lock.name != held.lock:
        return False
    pairs = zip(at.index, held.index, strict=True)
    return all(not isinstance(expr, Const) or expr.value == value for expr, value in pairs)


def _returned_with(
    model: Model, call: Call, entered: list[tuple[Held, ...]], held: tuple[Held, ...], at: Span
) -> Imbalance:
    exit_ = frozenset(held)
    entry = min((frozenset(e) for e in entered), key=lambda e: len(e ^ exit_), default=frozenset[Held]())
    more = [h for h in held if h not in entry and not _allowed(call, "acquires", h)]
    less = [h for h in entry if h not in exit_ and not _allowed(call, "releases", h)]
    parts = []
    if more:
        parts.append(f"with {_names(model, more)}, which it did not hold when it was called")
    if less:
        parts.append(f"without {_names(model, less)}, which it held when it was called")
    message = f"`{call.op}`, called at {call.span}, returns at {at} {' and '.join(parts)}"
    classes = (*sorted({f"+{h.lock}" for h in more}), *sorted({f"-{h.lock}" for h in less}))
    return Imbalance(call, leaves=True, held=held, message=message, classes=classes, at=at)


def _names(model: Model, held: list[Held]) -> str:
    locks = {lock.name: lock for lock in model.locks}
    return listed(sorted(instance_name(locks[h.lock], h.index) for h in held))


def run_to(interpreter: Interpreter, imbalance: Imbalance) -> Trace:
    """Return the shortest run that makes the crossing with these locks; the search has seen it, so there is one."""
    space = Space(len(interpreter.system.model.threads))
    for step in interpreter.before_time:
        if step.target is not None and step.target not in space.numbers:
            space.add(step.target)
            if _makes(interpreter, step, imbalance):
                return Trace(step.target, ())
    targets: list[Target] = []
    while not targets:
        assert space.expanded < len(space), f"no run shows {imbalance.cause}"
        for number in space.start_level():
            space.start_edges()
            for step in interpreter.successors(space.states[number]):
                if _makes(interpreter, step, imbalance):
                    targets.append(Target(number, step, (step.thread,)))
                elif step.target is not None:
                    known = space.numbers.get(step.target)
                    space.add_edge(step.thread, space.add(step.target) if known is None else known)
    return shortest_trace(interpreter, space, targets)[0]


def _shows(interpreter: Interpreter, imbalance: Imbalance, trace: Trace) -> bool:
    """Tell whether the last step of the trace (or, without steps, what is before time) makes the crossing."""
    last = trace.steps[-1:] or tuple(s for s in interpreter.before_time if s.target == trace.initial)
    return any(_makes(interpreter, step, imbalance) for step in last)


def _makes(interpreter: Interpreter, step: Step, imbalance: Imbalance) -> bool:
    return any(
        crossing.call.number == imbalance.call.number
        and crossing.leaves == imbalance.leaves
        and crossing.at == imbalance.at
        and _held(interpreter, step, cells) == imbalance.held
        for crossing, cells in step.crossings
    )


def _held(interpreter: Interpreter, step: Step, cells: State) -> tuple[Held, ...]:
    """Return what the thread holds at a crossing; before time nobody holds a lock."""
    return () if step.thread == INIT else interpreter.held(cells, step.thread)
