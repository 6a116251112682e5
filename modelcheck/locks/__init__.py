"""Every kind of lock that the language knows. A new kind is a file beside these and a line here."""

from __future__ import annotations

from modelcheck.locks.mutex import MUTEX
from modelcheck.locks.percpu_rwsem import PERCPU_RWSEM
from modelcheck.locks.primitive import Primitive, Verb

PRIMITIVES: dict[str, Primitive] = {p.kind: p for p in (MUTEX, PERCPU_RWSEM)}

VERBS: dict[str, tuple[Primitive, Verb]] = {
    verb.name: (primitive, verb) for primitive in PRIMITIVES.values() for verb in primitive.verbs.values()
}

__all__ = ["PRIMITIVES", "VERBS", "Primitive", "Verb"]
