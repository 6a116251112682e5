"""Domains: the locks that nobody declares, of which a model has one if it uses their verbs (locks/primitive.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelcheck.language import syntax
from modelcheck.language.context import Unit
from modelcheck.language.declarations import Gathered
from modelcheck.language.model import Lock, LockAt
from modelcheck.language.naming import WAIT_EVENTS
from modelcheck.language.scope import LockBinding
from modelcheck.language.variables import declared_by, lock_fields
from modelcheck.locks import GUARDS, PRIMITIVES, READINGS, VERBS
from modelcheck.locks.primitive import domains_of
from modelcheck.source import NOWHERE


def domains_used(found: Gathered) -> Iterator[str]:
    """Yield the kinds of domains that the text uses, by verbs, guards, functions or handlers."""
    nodes = (*found.named.values(), *found.properties.values(), *found.observations.values(), *found.inits)
    for each in (inner for node in nodes for inner in node.walk()):
        match each:
            case syntax.Call(name) if name in READINGS:
                yield from domains_of(READINGS[name][0])
            case syntax.Call(name) if name in VERBS:
                yield from domains_of(*VERBS[name])
            case syntax.Call(name) if name in WAIT_EVENTS:
                yield "task"
            case syntax.Guard(name) | syntax.ScopedGuard(name) if name in GUARDS:
                primitive, verb = GUARDS[name]
                assert verb.release is not None
                yield from (
                    *domains_of(primitive, verb),
                    *domains_of(primitive, primitive.verbs[verb.release]),
                )
            case _:
                pass
    for handler in found.handlers.values():
        yield from ("irq", "softirq") if handler.kind == "softirq" else ("irq",)


def declare_domains(unit: Unit, used: Iterable[str]) -> None:
    """Add the domains of these kinds: locks of the whole model that nobody declares."""
    for kind in sorted(used):
        unit.domains[kind] = LockAt(Lock(kind, kind, (), {}))
    for kind in sorted(used):
        primitive = PRIMITIVES[kind]
        fields = lock_fields(primitive.domain, primitive, (), declared_by(unit), NOWHERE)
        lock = Lock(primitive.domain, kind, (), fields)
        unit.domains[kind] = LockAt(lock)
        unit.locks.append(lock)
        unit.variables.extend(fields.values())
        unit.globals.names.setdefault(primitive.domain, LockBinding(lock, None))
