"""Small models built by hand, for tests of what stands below the language.

A thread is a list of statements; each is one location. A statement goes on to the next one unless it says `to`.
The last location is the thread's end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from modelcheck.language import model as m
from modelcheck.language.types import Bool, Enum, Range, Scalar, ThreadRef, cardinality
from modelcheck.locks import PRIMITIVES, VERBS
from modelcheck.locks.primitive import Declared, Here, VerbStep
from modelcheck.semantics.transition_system import TransitionSystem, transition_system
from modelcheck.source import Source, Span

SMALL = Range(0, 3)
BOOL = Bool()
STATE = Enum("State", ("OFFLINE", "ONLINE"))


@dataclass(frozen=True)
class Line:
    """One statement. `to` is where it leads: None the next one, else a number; -1 is the end."""

    effects: m.Effects = ()
    guard: m.Expr = m.TRUE
    wait: m.Wait = m.Wait()
    to: int | None = None
    verb: m.VerbUse | None = None
    otherwise: int | None = None
    text: str = ""


@dataclass
class Code:
    """One thread instance. `lines_from` is the source line before its first one, 100 for each thread if not given."""

    name: str
    lines: list[Line]
    daemon: bool = False
    declaration: str = ""
    locals: tuple[m.Variable, ...] = ()
    start: m.Effects = ()
    goals: frozenset[int] | None = None
    lines_from: int | None = None


@dataclass
class Built:
    """What a model consists of so far."""

    threads: list[Code]
    variables: list[m.Variable] = field(default_factory=list)
    locks: list[m.Lock] = field(default_factory=list)
    initial: m.Effects = ()
    properties: tuple[m.Property, ...] = ()


def line_of(number: int) -> Span:
    """Return a place in a file of a thousand lines of one character."""
    return Span(_FILE, 2 * number, 2 * number + 1)


_FILE = Source("built.mck", "x\n" * 1000)


def shared(
    name: str, kind: Scalar = SMALL, value: int = 0, dimensions: tuple[Scalar, ...] = ()
) -> m.Variable:
    return m.Variable(name, kind, dimensions, (value,) * _count(dimensions), "shared", span=line_of(1))


def local(name: str, thread: int, kind: Scalar = SMALL, value: int = 0, **more: object) -> m.Variable:
    dimensions: tuple[Scalar, ...] = more.get("dimensions", ())  # type: ignore[assignment]
    return m.Variable(
        name,
        kind,
        dimensions,
        (value,) * _count(dimensions),
        "local",
        thread=thread,
        always_live=bool(more.get("always_live")),
        span=line_of(1),
    )


def _count(dimensions: Sequence[Scalar]) -> int:
    count = 1
    for dimension in dimensions:
        count *= cardinality(dimension)
    return count


def lock(name: str, kind: str, threads: Sequence[str], dimensions: tuple[Scalar, ...] = ()) -> m.Lock:
    names = tuple(threads)
    fields = {}
    for each in PRIMITIVES[kind].fields:
        if each.only:
            continue
        own = (Range(0, len(names) - 1),) if each.per_thread else ()
        variable = shared(f"{name}.{each.name}", each.type(Declared(names)), 0, (*dimensions, *own))
        fields[each.name] = replace(variable, kind="lock")
    return m.Lock(name, kind, dimensions, fields, span=line_of(1))


# --- statements ----------------------------------------------------------------------------------


def ref(variable: m.Variable, *index: m.Expr | int) -> m.Ref:
    return m.Ref(variable, tuple(m.Const(i) if isinstance(i, int) else i for i in index))


def const(value: int) -> m.Const:
    return m.Const(value)


def equal(left: m.Expr, right: m.Expr | int) -> m.Compare:
    return m.Compare("==", left, m.Const(right) if isinstance(right, int) else right)


def put(target: m.Ref | m.Variable, value: m.Expr | int, **more: int) -> Line:
    place = target if isinstance(target, m.Ref) else m.Ref(target)
    stored = m.Const(value) if isinstance(value, int) else value
    return Line((m.Assign(place, stored),), to=more.get("to"), text=f"{place.var.name} = ...")


def skip(to: int | None = None) -> Line:
    return Line((), to=to, text="skip")


def wait_for(condition: m.Expr, *, rests: bool = True) -> Line:
    wait = m.Wait.for_writers(tuple(m.refs(condition)), rests=rests)
    return Line((), guard=condition, wait=wait, text="await")


def branch(condition: m.Expr, then: int, otherwise: int) -> Line:
    return Line((m.Test(condition, (m.Jump(then),), (m.Jump(otherwise),)),), text="if")


def claim(condition: m.Expr, name: str = "") -> Line:
    return Line(
        (m.Require(condition, m.Breach("assertion", "the assertion does not hold", name)),), text="assert"
    )


def either(*targets: int) -> Line:
    return Line((m.Either(tuple((m.Jump(target),) for target in targets)),), text="either")


def verb(
    name: str, at: m.Lock | m.LockAt, me: int, threads: Sequence[str], otherwise: int | None = None
) -> list[Line]:
    """Return the steps of a lock verb; a try goes on if it got the lock, else to `otherwise`."""
    place = at if isinstance(at, m.LockAt) else m.LockAt(at)
    _, found = VERBS[name]
    steps = found.steps(Here(place, me, tuple(threads)))
    lines = []
    for number, step in enumerate(steps, 1):
        use = m.VerbUse(name, place, step.action, found.mode, number, len(steps))
        lines.append(
            Line(_effects(step, otherwise), step.guard, step.wait, verb=use, text=name, otherwise=otherwise)
        )
    return lines


def _effects(step: VerbStep, otherwise: int | None) -> m.Effects:
    after: m.Effects = ()
    for outcome in reversed(step.outcomes):
        refused: m.Effects = (m.Jump(otherwise),) if outcome.result == 0 and otherwise is not None else ()
        done: m.Effects = (*outcome.updates, *refused)
        after = done if outcome.when == m.TRUE else (m.Test(outcome.when, done, after),)
    return (*step.requires, *after)


# --- models --------------------------------------------------------------------------------------


def model(built: Built) -> m.Model:
    """Return the Model."""
    threads = tuple(_thread(number, code) for number, code in enumerate(built.threads))
    lock_variables = tuple(v for each in built.locks for v in each.fields.values())
    return m.Model(
        name="built",
        description="",
        parameters=(),
        variables=(*built.variables, *lock_variables, *(v for code in built.threads for v in code.locals)),
        locks=tuple(built.locks),
        threads=threads,
        initial=built.initial,
        properties=built.properties,
        scenario=m.Scenario("", "", ()),
        all_marked=False,
        calls=(),
    )


def system(built: Built) -> TransitionSystem:
    """Return the transition system of the model."""
    return transition_system(model(built))


def _thread(number: int, code: Code) -> m.Thread:
    end = len(code.lines)
    first = 100 * number if code.lines_from is None else code.lines_from
    locations = [
        m.Location(
            number=place,
            span=line_of(first + place + 2),
            text=line.text,
            call=None,
            guard=line.guard,
            effects=(*line.effects, m.Jump(_target(line, place, end))),
            wait=line.wait,
            verb=line.verb,
        )
        for place, line in enumerate(code.lines)
    ]
    last = m.Location(end, line_of(first + end + 2), "end", None)
    return m.Thread(
        number=number,
        name=code.name,
        declaration=code.declaration or code.name,
        daemon=code.daemon,
        unfair=False,
        locations=(*(replace(each, effects=_targets(each.effects, end)) for each in locations), last),
        start=(*code.start, m.Jump(0)),
        goals=frozenset({end}) if code.goals is None else code.goals,
        locals=code.locals,
        labels={},
        span=line_of(first + 1),
    )


def _target(line: Line, place: int, end: int) -> int:
    to = place + 1 if line.to is None else line.to
    return end if to == -1 else to


def _targets(effects: m.Effects, end: int) -> m.Effects:
    """Return the effects with every jump out of the code, -1 included, led to the end."""
    found: list[m.Effect] = []
    for effect in effects:
        match effect:
            case m.Jump(target):
                found.append(m.Jump(target if 0 <= target < end else end))
            case m.Test(condition, then, otherwise):
                found.append(m.Test(condition, _targets(then, end), _targets(otherwise, end)))
            case m.Either(branches):
                found.append(m.Either(tuple(_targets(branch, end) for branch in branches)))
            case _:
                found.append(effect)
    return tuple(found)


def thread_reference(names: Sequence[str]) -> ThreadRef:
    return ThreadRef(tuple(names))
