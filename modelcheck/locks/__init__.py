"""Every kind of lock that the language knows. A new kind is a file beside these and a line here."""

from __future__ import annotations

from modelcheck.locks.active_ref import ACTIVE_REF
from modelcheck.locks.completion import COMPLETION
from modelcheck.locks.interrupts import IRQ, SOFTIRQ
from modelcheck.locks.kthread import KTHREAD
from modelcheck.locks.mutex import MUTEX
from modelcheck.locks.percpu_rwsem import PERCPU_RWSEM
from modelcheck.locks.primitive import Primitive, Reading, Verb
from modelcheck.locks.rcu import RCU, SRCU
from modelcheck.locks.refcount import REFCOUNT
from modelcheck.locks.rwlock import RWLOCK
from modelcheck.locks.rwsem import RWSEM
from modelcheck.locks.semaphore import SEMAPHORE
from modelcheck.locks.seqlock import SEQLOCK
from modelcheck.locks.signals import SIGNAL
from modelcheck.locks.spinlock import SPINLOCK
from modelcheck.locks.task import TASK
from modelcheck.locks.waitqueue import WAITQUEUE
from modelcheck.locks.work import WORK

_ALL = (
    *(MUTEX, SPINLOCK, RWSEM, RWLOCK, PERCPU_RWSEM, SEQLOCK),
    *(RCU, SRCU, REFCOUNT, ACTIVE_REF, WORK),
    *(SEMAPHORE, COMPLETION, WAITQUEUE),
    *(TASK, KTHREAD, SIGNAL, IRQ, SOFTIRQ),
)
PRIMITIVES: dict[str, Primitive] = {p.kind: p for p in _ALL}

KINDS: tuple[str, ...] = tuple(kind for kind, p in PRIMITIVES.items() if not p.domain)
"""The kinds that can be declared; the others are domains of the whole model."""

VERBS: dict[str, tuple[Primitive, Verb]] = {
    verb.name: (primitive, verb) for primitive in PRIMITIVES.values() for verb in primitive.verbs.values()
}

READINGS: dict[str, tuple[Primitive, Reading]] = {
    reading.name: (primitive, reading) for primitive in PRIMITIVES.values() for reading in primitive.readings
}

GUARDS: dict[str, tuple[Primitive, Verb]] = {
    kind: (primitive, verb) for primitive, verb in VERBS.values() for kind in verb.guards
}
"""Each kind of guard(kind)(l), with the verb that it takes the lock by."""

__all__ = ["GUARDS", "KINDS", "PRIMITIVES", "READINGS", "VERBS", "Primitive", "Reading", "Verb"]
