"""What sets the reader-writer kinds apart, as small models; beside each the names of what is violated."""

from __future__ import annotations

from dataclasses import dataclass

CIRCULAR = frozenset({"circular_wait", "lock_order"})
"""A circular wait over locks is also a cycle of the lock order."""
ALONE = frozenset({"circular_wait"})
"""No cycle of the lock order: a ring of one, with a handler or a condition in it, or with a lock handed over."""
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Example:
    """A model; what is violated; what is warned of."""

    text: str
    violated: frozenset[str] = NOTHING
    warned: frozenset[str] = NOTHING


RWSEM = {
    "a reader that comes again behind a writer": Example(
        """rwsem s;
        thread reader { down_read(s); down_read(s); up_read(s); up_read(s); }
        thread writer { down_write(s); up_write(s); }""",
        CIRCULAR,
    ),
    "a reader that comes again without a writer": Example(
        """rwsem s;
        thread reader { down_read(s); down_read(s); up_read(s); up_read(s); }
        thread other { down_read(s); up_read(s); }""",
        warned=frozenset({"lock_order"}),
    ),
    "a reader that tries again behind a writer": Example(
        """rwsem s;
        thread reader { down_read(s); if (down_read_trylock(s)) { up_read(s); } up_read(s); }
        thread writer { down_write(s); up_write(s); }""",
    ),
    "a reader that wants to write": Example(
        "rwsem s; thread a { down_read(s); down_write(s); up_write(s); up_read(s); }", ALONE
    ),
    "a writer that wants to write": Example(
        "rwsem s; thread a { down_write(s); down_write(s); up_write(s); up_write(s); }", ALONE
    ),
    "a writer that wants to read": Example(
        "rwsem s; thread a { down_write(s); down_read(s); up_read(s); up_write(s); }", ALONE
    ),
    "a writer that downgrades": Example(
        """rwsem s; var x: 0..2 guarded_by s;
        thread a { down_write(s); x = 1; downgrade_write(s); assert(x == 1); up_read(s); }
        thread b { down_write(s); x = 2; up_write(s); }""",
    ),
    "a writer that gives up and takes the lock again for reading": Example(
        """rwsem s; var x: 0..2 guarded_by s;
        thread a { down_write(s); x = 1; up_write(s); down_read(s); assert(x == 1); up_read(s); }
        thread b { down_write(s); x = 2; up_write(s); }""",
        frozenset({"assertion"}),
    ),
    "a reader that downgrades": Example(
        "rwsem s; thread a { down_read(s); downgrade_write(s); up_read(s); }", frozenset({"lock_rules"})
    ),
    "a downgrade lets readers in that no writer bars": Example(
        """rwsem s;
        thread a { down_write(s); downgrade_write(s); down_read(s); up_read(s); up_read(s); }
        thread b { down_read(s); up_read(s); }""",
        warned=frozenset({"lock_order"}),
    ),
    "a downgrade does not let readers pass a writer": Example(
        """rwsem s;
        thread a { down_write(s); downgrade_write(s); down_read(s); up_read(s); up_read(s); }
        thread b { down_write(s); up_write(s); }""",
        CIRCULAR,
    ),
    "a reader released by another thread": Example(
        "rwsem s; thread a { down_read(s); } thread b { up_read(s); }", frozenset({"lock_rules"})
    ),
    "a hand-over that is not declared": Example(
        "rwsem s; thread a { down_read(s); up_read_non_owner(s); }", frozenset({"lock_rules"})
    ),
}

HANDED_OVER = {
    "the reader that is to release is stuck at the lock": Example(
        """rwsem s handover;
        var handed: bool marked;
        thread giver { down_read(s); handed = true; }
        thread writer { await(handed); down_write(s); up_write(s); up_read_non_owner(s); }""",
        frozenset({"stuck"}),
    ),
    "the reader that is to release goes on": Example(
        """rwsem s handover;
        var handed: bool marked;
        thread giver { down_read(s); handed = true; }
        thread taker { await(handed); up_read_non_owner(s); }
        thread writer { down_write(s); up_write(s); }""",
    ),
    "who is to release waits for the writer": Example(
        """rwsem s handover; mutex m;
        var handed: bool marked;
        thread giver { down_read(s); handed = true; }
        thread taker { await(handed); mutex_lock(m); up_read_non_owner(s); mutex_unlock(m); }
        thread writer { mutex_lock(m); await(handed); down_write(s); up_write(s); mutex_unlock(m); }""",
        ALONE,
    ),
    "a percpu_rwsem whose releaser waits for the writer": Example(
        """percpu_rwsem s handover; mutex m;
        var handed: bool marked;
        thread giver { percpu_down_read(s); handed = true; }
        thread taker { await(handed); mutex_lock(m); percpu_up_read(s); mutex_unlock(m); }
        thread writer { mutex_lock(m); await(handed); percpu_down_write(s); percpu_up_write(s); mutex_unlock(m); }""",
        ALONE,
    ),
    "a percpu_rwsem written by one thread and released by another": Example(
        """percpu_rwsem s handover;
        var handed: bool marked;
        thread giver { percpu_down_write(s); handed = true; }
        thread taker { await(handed); percpu_up_write(s); }
        thread reader { percpu_down_read(s); percpu_up_read(s); }""",
    ),
}

PERCPU = {
    "B9: cpu_hotplug_lock and mem_hotplug_lock with a writer that waits": Example(
        """percpu_rwsem cpu_hotplug_lock; percpu_rwsem mem_hotplug_lock;
        thread acpi_add { guard(percpu_write)(mem_hotplug_lock); guard(percpu_read)(cpu_hotplug_lock); skip; }
        thread slab_create { guard(percpu_read)(cpu_hotplug_lock); guard(percpu_read)(mem_hotplug_lock); skip; }
        thread cpu_up { guard(percpu_write)(cpu_hotplug_lock); skip; }""",
        CIRCULAR,
    ),
    "B9 without the writer that waits": Example(
        """percpu_rwsem cpu_hotplug_lock; percpu_rwsem mem_hotplug_lock;
        thread acpi_add { guard(percpu_write)(mem_hotplug_lock); guard(percpu_read)(cpu_hotplug_lock); skip; }
        thread slab_create { guard(percpu_read)(cpu_hotplug_lock); guard(percpu_read)(mem_hotplug_lock); skip; }""",
    ),
    "B9 mended: the writer of memory reads the CPUs' lock first": Example(
        """percpu_rwsem cpu_hotplug_lock; percpu_rwsem mem_hotplug_lock;
        thread acpi_add { guard(percpu_read)(cpu_hotplug_lock); guard(percpu_write)(mem_hotplug_lock); skip; }
        thread slab_create { guard(percpu_read)(cpu_hotplug_lock); guard(percpu_read)(mem_hotplug_lock); skip; }
        thread cpu_up { guard(percpu_write)(cpu_hotplug_lock); skip; }""",
    ),
    "B24: get_online_mems twice with a writer between": Example(
        """percpu_rwsem mem_hotplug_lock;
        op get_online_mems() acquires mem_hotplug_lock { percpu_down_read(mem_hotplug_lock); }
        op put_online_mems() releases mem_hotplug_lock { percpu_up_read(mem_hotplug_lock); }
        op inner() { get_online_mems(); put_online_mems(); }
        thread reader { get_online_mems(); inner(); put_online_mems(); }
        thread writer { percpu_down_write(mem_hotplug_lock); percpu_up_write(mem_hotplug_lock); }""",
        CIRCULAR,
    ),
    "B24: the writer calls the read side": Example(
        """percpu_rwsem mem_hotplug_lock;
        thread writer {
            guard(percpu_write)(mem_hotplug_lock);
            percpu_down_read(mem_hotplug_lock); percpu_up_read(mem_hotplug_lock);
        }""",
        ALONE,
    ),
}

KILLABLE = {
    "a killed writer withdraws, and the reader comes again": Example(
        """rwsem s;
        thread reader { down_read(s); fatal_signal(writer); down_read(s); up_read(s); up_read(s); }
        thread writer { if (down_write_killable(s)) return; up_write(s); }""",
        warned=frozenset({"lock_order"}),
    ),
    "a writer whom nobody kills": Example(
        """rwsem s;
        thread reader { down_read(s); down_read(s); up_read(s); up_read(s); fatal_signal(writer); }
        thread writer { if (down_write_killable(s)) return; up_write(s); }""",
        CIRCULAR,
    ),
    "a writer whom a common signal does not kill": Example(
        """rwsem s;
        thread reader { down_read(s); signal(writer); down_read(s); up_read(s); up_read(s); }
        thread writer { if (down_write_killable(s)) return; up_write(s); }""",
        CIRCULAR,
    ),
    "an interrupted reader gets EINTR and no lock": Example(
        """rwsem s; var wait: bool marked; var gone: bool marked;
        thread writer { down_write(s); wait = true; signal(reader); await(gone); up_write(s); }
        thread reader { var r: Errno; await(wait);
            r = down_read_interruptible(s); assert(r == EINTR); gone = true; }""",
    ),
}

RWLOCK = {
    "a reader that comes again behind a writer": Example(
        """rwlock l;
        thread reader { read_lock(l); read_lock(l); read_unlock(l); read_unlock(l); }
        thread writer { write_lock(l); write_unlock(l); }""",
        CIRCULAR,
    ),
    "a handler that reads what the thread under it reads": Example(
        """rwlock l;
        thread reader { read_lock(l); read_unlock(l); }
        thread writer { write_lock_irq(l); write_unlock_irq(l); }
        irq handler tick on reader { read_lock(l); read_unlock(l); }""",
    ),
    "a handler that reads what the thread under it writes": Example(
        """rwlock l;
        thread writer { write_lock(l); write_unlock(l); }
        irq handler tick on writer { read_lock(l); read_unlock(l); }""",
        ALONE,
    ),
    "a handler on the CPU of a writer that has switched it off": Example(
        """rwlock l;
        thread writer { write_lock_irqsave(l); write_unlock_irqrestore(l); }
        irq handler tick on writer { read_lock(l); read_unlock(l); }""",
    ),
    "a reader with soft interrupts off passes a writer that waits": Example(
        """rwlock l;
        thread reader {
            local_bh_disable(); read_lock(l); read_lock(l); read_unlock(l); read_unlock(l); local_bh_enable(); }
        thread writer { write_lock(l); write_unlock(l); }""",
    ),
    "a holder that sleeps": Example(
        "rwlock l; mutex m; thread a { read_lock(l); mutex_lock(m); mutex_unlock(m); read_unlock(l); }",
        frozenset({"lock_rules"}),
    ),
    "a try behind a writer that waits": Example(
        """rwlock l;
        thread reader { read_lock(l); if (read_trylock(l)) { read_unlock(l); } read_unlock(l); }
        thread writer { write_lock(l); write_unlock(l); }""",
    ),
    "reading nests, and each end puts interrupts back as they were": Example(
        """rwlock l;
        thread a {
            var off: bool;
            local_irq_disable();
            read_lock_irqsave(l); read_lock_irqsave(l); read_unlock_irqrestore(l); read_unlock_irqrestore(l);
            off = irqs_disabled();
            assert(off);
            local_irq_enable();
        }""",
        warned=frozenset({"lock_order"}),
    ),
}

PAIR = """seqlock q;
var left: 0..1 marked write_guarded_by q;
var right: 0..1 marked write_guarded_by q;
thread writer { write_seqlock(q); left = 1; right = 1; write_sequnlock(q); }
"""

SEQLOCK = {
    "a reader that does not ask sees a torn pair": Example(
        PAIR
        + "thread reader { var a: 0..1; var b: 0..1; read_seqbegin(q); a = left; b = right; assert(a == b); }",
        frozenset({"assertion"}),
    ),
    "a reader that asks and looks again sees a whole pair": Example(
        PAIR
        + """thread reader { var a: 0..1; var b: 0..1;
            loop { read_seqbegin(q); a = left; b = right; if (!read_seqretry(q)) break; }
            assert(a == b); }""",
    ),
    "a nested section vouches for nothing before it": Example(
        PAIR
        + """thread reader { var a: 0..1; var b: 0..1;
            read_seqbegin(q); a = left; read_seqbegin(q); b = right;
            if (!read_seqretry(q)) { assert(a == b); } }""",
        frozenset({"assertion"}),
    ),
    "a section that ended is not asked again": Example(
        "seqlock q; thread a { read_seqbegin(q); read_seqretry(q); read_seqretry(q); }",
        frozenset({"lock_rules"}),
    ),
    "a reader in a handler on the writer's CPU spins for ever": Example(
        PAIR + "irq handler tick on writer { read_seqbegin(q); read_seqretry(q); }", ALONE
    ),
    "a writer with interrupts off is not disturbed": Example(
        """seqlock q;
        thread writer { write_seqlock_irqsave(q); write_sequnlock_irqrestore(q); }
        irq handler tick on writer { read_seqbegin(q); read_seqretry(q); }""",
    ),
    "a writer that writes again": Example(
        "seqlock q; thread a { write_seqlock(q); write_seqlock(q); }", frozenset({"lock_rules"})
    ),
    "a writer that reads": Example(
        "seqlock q; thread a { write_seqlock(q); read_seqbegin(q); read_seqretry(q); write_sequnlock(q); }",
        ALONE,
    ),
    "a writer that sleeps": Example(
        "seqlock q; mutex m; thread a { write_seqlock(q); mutex_lock(m); mutex_unlock(m); write_sequnlock(q); }",
        frozenset({"lock_rules"}),
    ),
    "readers neither wait for who only excludes writers nor retry": Example(
        """seqlock q;
        thread a { read_seqlock_excl(q); read_sequnlock_excl(q); }
        thread b { var again: bool; read_seqbegin(q); again = read_seqretry(q); assert(!again); }""",
    ),
    "who only excludes writers may not write": Example(
        """seqlock q; var x: 0..1 guarded_by q;
        thread a { read_seqlock_excl(q); x = 1; read_sequnlock_excl(q); }""",
        frozenset({"guarded_by"}),
    ),
    "two locks that both only exclude writers, in two orders": Example(
        """seqlock p; seqlock q;
        thread a { read_seqlock_excl(p); read_seqlock_excl(q); read_sequnlock_excl(q); read_sequnlock_excl(p); }
        thread b { read_seqlock_excl(q); read_seqlock_excl(p); read_sequnlock_excl(p); read_sequnlock_excl(q); }""",
        CIRCULAR,
    ),
}

EXAMPLES = {
    f"{kind}: {name}": example
    for kind, examples in (
        ("rwsem", RWSEM),
        ("handover", HANDED_OVER),
        ("percpu_rwsem", PERCPU),
        ("killable", KILLABLE),
        ("rwlock", RWLOCK),
        ("seqlock", SEQLOCK),
    )
    for name, example in examples.items()
}
