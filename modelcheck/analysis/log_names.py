"""The names and values of a log against a specification: what is not there can never be seen, which is no difference.

Checked before any search: threads, locks with their indexes and modes, ops and events with their arguments and results,
observations with their values (MC008, with the line).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from modelcheck.diagnostics import Collector, an, near_miss
from modelcheck.language.model import Const, Emit, Lock, LockAt, Model, walk_effects
from modelcheck.language.types import Bool, Enum, Range, Scalar, Scalarset, show, type_name
from modelcheck.locks import PRIMITIVES
from modelcheck.logs.log import Item, Log
from modelcheck.semantics.observable import EXCLUSIVE
from modelcheck.source import Source, Span

_NAME = re.compile(r"(?:emit )?[+!-]?(\w+)")
_LOCK = re.compile(r"([+!-])(\w+)((?:\[[^\]]*\])*)(?::(\w+))?")
_ENTERED = re.compile(r"(?:emit )?(\w+)\((.*)\)", re.DOTALL)
_LEFT = re.compile(r"(\w+)=(.*)", re.DOTALL)
_INDEX = re.compile(r"\[([^\]]*)\]")
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_PARTS = re.compile(r"(?:[^,{]|\{[^}]*\})+")

HIDDEN = ("what is hidden is seen all the same", "`hidden` is what the log does not record")

Kinds = tuple[Scalar, ...]


@dataclass
class _Known:
    """What a model has, by name: the types that may stand where."""

    locks: dict[str, Lock] = field(default_factory=dict)
    events: dict[str, set[Kinds]] = field(default_factory=dict)
    emitted: dict[str, set[Kinds]] = field(default_factory=dict)
    results: dict[str, set[Kinds]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


def check_names(model: Model, log: Log) -> None:
    """Report every name and value of the log that the specification has not. Raises SpecError (MC008)."""
    problems = Collector()
    threads = [thread.name for thread in model.threads]
    observations = {each.name: each.type for each in model.observations}
    known = _known(model)
    reported: set[str] = set()

    def report(line: int, problem: str, hint: str) -> None:
        if problem not in reported:
            reported.add(problem)
            problems.error("MC008", _line(log.source, line), f"line {line}: {problem}", hint)

    def missing(line: int, what: str, name: str, among: Iterable[str]) -> None:
        hint = near_miss(name, among) or f"there are: {', '.join(sorted(among)[:12]) or 'none'}"
        report(line, f"there is no {what} `{name}`", hint)

    at = log.hidden_at or _line(log.source, 1)
    for name in sorted(log.hidden - known.names - {name for name, _ in model.ops}):
        hint = near_miss(name, known.names)
        problems.error("MC008", at, f"there is no lock, op or event `{name}` to be hidden", hint)
    for item in log.items:
        if item.thread not in threads:
            missing(item.line, "thread", item.thread, threads)
        for name, value in item.values:
            if name not in observations:
                missing(item.line, "observation", name, observations)
            elif not _is_value(observations[name], value):
                report(item.line, f"`{name}={value}`: {_no_value(observations[name], value)}", "")
        named = _NAME.match(item.event)
        name = named[1] if named else item.event
        if item.event and name not in known.names:
            missing(item.line, "lock, op or event", name, known.names)
        elif item.event:
            problem, hint = HIDDEN if name in log.hidden else _wrong_in(known, item)
            if problem:
                report(item.line, f"`{item.event}`: {problem}", hint)
    problems.raise_errors()


def _known(model: Model) -> _Known:
    """Collect the names of all locks, ops and events of a model."""
    known = _Known({lock.name: lock for lock in model.locks})
    for call in model.calls:
        given = tuple(ref.var.type for ref in call.parameters if ref is not None)
        known.events.setdefault(call.op, set()).add(given)
        known.results.setdefault(call.op, set()).add((call.result.var.type,) if call.result else ())
    for thread in model.threads:
        for location in thread.locations:
            for effect in walk_effects(location.effects):
                if isinstance(effect, Emit):
                    known.emitted.setdefault(effect.event, set()).add(effect.types)
    known.names = {*known.locks, *known.events, *known.emitted}
    return known


def _wrong_in(known: _Known, item: Item) -> tuple[str, str]:
    """Return what is wrong with an event whose name is known, and a hint; two empty texts if nothing is."""
    lock = _LOCK.fullmatch(item.event)
    if lock is not None and lock[2] in known.locks:
        return _wrong_lock(known.locks[lock[2]], lock)
    entered, left = _ENTERED.fullmatch(item.event), _LEFT.fullmatch(item.event)
    among = known.emitted if item.event.startswith("emit ") else known.events
    if entered is not None and entered[1] in among:
        parts = _parts(entered[2])
        wrong = _wrong_values(among[entered[1]], parts, "argument")
        spoilt = not wrong[0] and entered[2] != ", ".join(parts)
        return (f"it is written `{entered[1]}({', '.join(parts)})`", "") if spoilt else wrong
    if left is not None and left[1] in known.results:
        return _wrong_values(known.results[left[1]], [left[2]] if left[2] else [], "result")
    return (
        "this is no event",
        "an event is `+lock`, `-lock`, `!lock`, `op(arguments)`, `op=result` or `emit event(arguments)`",
    )


def _wrong_lock(lock: Lock, event: re.Match[str]) -> tuple[str, str]:
    sign, index, mode = event[1], _INDEX.findall(event[3]), event[4]
    if len(index) != len(lock.dimensions):
        wanted = len(lock.dimensions)
        return f"`{lock.name}` has {wanted or 'no'} index{'es' * (wanted > 1)}", ""
    for kind, value in zip(lock.dimensions, index, strict=True):
        if not _is_value(kind, value):
            return _no_value(kind, value), ""
    primitive = PRIMITIVES[lock.kind]
    if sign != "!" and not _has_holders(lock):
        return (
            f"nobody holds {an(lock.kind)}: what is taken and given back of it is not seen",
            "leave such events out of the log",
        )
    if mode is not None and sign != "+":
        return "the mode is told where the lock is got", f"write `{event[0].rpartition(':')[0]}`"
    modes = [each for each in primitive.modes if each != EXCLUSIVE]
    if mode is not None and mode not in modes:
        return f"{an(lock.kind)} has no mode `{mode}`", f"there are: {', '.join(modes)}" if modes else ""
    return "", ""


def _has_holders(lock: Lock) -> bool:
    """Whether a thread can ever be said to hold it: not so of semaphores and of refcounts that are not `owned`."""
    primitive = PRIMITIVES[lock.kind]
    at = LockAt(lock, tuple(Const(0) for _ in lock.dimensions))
    return any(primitive.holds(at, 0, mode) != Const(0) for mode in primitive.modes)


def _wrong_values(allowed: set[Kinds], values: list[str], what: str) -> tuple[str, str]:
    """Return what is wrong with arguments, or a result, that may be of one of several lists of types."""
    said: list[str] = []
    for kinds in allowed:
        if len(kinds) != len(values):
            said.append(f"it has {len(kinds)} {what}{'s' * (len(kinds) != 1)}")
            continue
        wrong = [_no_value(k, v) for k, v in zip(kinds, values, strict=True) if not _is_value(k, v)]
        if not wrong:
            return "", ""
        said.append(wrong[0])
    return min(said), ""


def _parts(text: str) -> list[str]:
    return [each.strip() for each in _PARTS.findall(text)]


def _is_value(kind: Scalar, text: str) -> bool:
    match kind:
        case Bool() | Enum():
            return any(show(kind, value) == text for value in _all(kind))
        case Range(low, high) | Scalarset(_, low, high):
            return _NUMBER.fullmatch(text) is not None and low <= int(text) <= high
        case _:
            return True


def _all(kind: Bool | Enum) -> Iterator[int]:
    yield from range(len(kind.members) if isinstance(kind, Enum) else 2)


def _no_value(kind: Scalar, text: str) -> str:
    return f"`{text}` is no value of {type_name(kind)}"


def _line(source: Source, number: int) -> Span:
    lines = source.text.split("\n")
    start = sum(len(line) + 1 for line in lines[: number - 1])
    return Span(source, start, start + max(len(lines[number - 1]), 1))
