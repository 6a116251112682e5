"""The lock kinds of generated models, and their words: pairs, tries, guards, tests."""

from __future__ import annotations

FORMS = (("", ""), ("_irqsave", "_irqrestore"), ("_irq", "_irq"), ("_bh", "_bh"))
"""The forms of a spinning lock's verbs, and of those that give back."""
PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    "mutex": (("mutex_lock", "mutex_unlock"),),
    "percpu_rwsem": (("percpu_down_read", "percpu_up_read"), ("percpu_down_write", "percpu_up_write")),
    "spinlock": tuple((f"spin_lock{form}", f"spin_unlock{back}") for form, back in FORMS),
    "rwsem": (("down_read", "up_read"), ("down_write", "up_write")),
    "rwlock": tuple(
        (f"{mode}_lock{form}", f"{mode}_unlock{back}") for form, back in FORMS for mode in ("read", "write")
    ),
    "seqlock": tuple(
        (f"{side}{form}", f"{side.replace('lock', 'unlock')}{back}")
        for form, back in FORMS
        for side in ("write_seqlock", "read_seqlock_excl")
    ),
    "srcu": (("srcu_read_lock", "srcu_read_unlock"),),
    "refcount": (("refcount_inc", "refcount_dec"),),
    "active_ref": (("kernfs_get_active", "kernfs_put_active"),),
    "work": (("start_work", "finish_work"),),
}
NESTED = ("mutex_lock", "spin_lock", "down_read", "down_write")
SPINNING = ("spinlock", "rwlock", "seqlock")
IRQS = ("local_irq_disable", "local_irq_enable", "local_irq_save", "local_bh_disable", "local_bh_enable")
TRIES: dict[str, tuple[tuple[str, str], ...]] = {
    "mutex": (("mutex_trylock", "mutex_unlock"),),
    "percpu_rwsem": (("percpu_down_read_trylock", "percpu_up_read"),),
    "spinlock": (("spin_trylock", "spin_unlock"),),
    "rwsem": (("down_read_trylock", "up_read"), ("down_write_trylock", "up_write")),
    "rwlock": (("read_trylock", "read_unlock"), ("write_trylock", "write_unlock")),
    "refcount": (("refcount_inc_not_zero", "refcount_dec"),),
    "active_ref": (("kernfs_get_active", "kernfs_put_active"),),
    "work": (("try_start_work", "finish_work"),),
}
INTERRUPTIBLE: dict[str, tuple[tuple[str, str], ...]] = {
    "mutex": (("mutex_lock_interruptible", "mutex_unlock"), ("mutex_lock_killable", "mutex_unlock")),
    "rwsem": (
        ("down_read_interruptible", "up_read"),
        ("down_read_killable", "up_read"),
        ("down_write_killable", "up_write"),
    ),
}
TESTS: dict[str, tuple[str, ...]] = {
    "mutex": ("mutex_is_locked",),
    "percpu_rwsem": ("percpu_is_write_locked", "percpu_is_read_locked"),
    "spinlock": ("spin_is_locked",),
    "rwsem": ("rwsem_is_locked",),
}
GUARDS: dict[str, tuple[str, ...]] = {
    "mutex": ("mutex", "device"),
    "percpu_rwsem": ("percpu_read", "percpu_write"),
    "spinlock": ("spinlock", "spinlock_irq", "spinlock_irqsave", "spinlock_bh"),
    "rwsem": ("rwsem_read", "rwsem_write"),
    "rwlock": tuple(f"{mode}_lock{form}" for mode in ("read", "write") for form in ("", "_irq", "_irqsave")),
    "srcu": ("srcu",),
    "work": ("work",),
}
GUARDS_THAT_MAY_FAIL: dict[str, tuple[str, ...]] = {
    "mutex": ("mutex_try", "mutex_intr", "mutex_kill"),
    "spinlock": ("spinlock_try",),
    "rwsem": ("rwsem_read_try", "rwsem_read_intr", "rwsem_write_try", "rwsem_write_kill"),
}
OTHERS: dict[str, tuple[str, ...]] = {
    "srcu": ("srcu_read_unlock({})",),
    "refcount": ("refcount_dec_and_test({})", "refcount_set({}, 2)", "refcount_inc_not_zero({})"),
    "active_ref": (
        "kernfs_activate({})",
        "kernfs_activate({})",
        "kernfs_break_active_protection({})",
        "kernfs_unbreak_active_protection({})",
    ),
    "work": ("queue_work({})", "queue_work({})", "try_start_work({})"),
    "rcu": ("rcu_read_lock()", "rcu_read_unlock()"),
}
"""Verbs without a partner that never wait; below those that may."""
WAITS: dict[str, tuple[str, ...]] = {
    "srcu": ("synchronize_srcu({})",),
    "refcount": ("await(refcount_read({}) == 1)",),
    "active_ref": ("kernfs_drain({})",),
    "work": ("flush_work({})", "cancel_work_sync({})"),
    "rcu": ("synchronize_rcu()",),
}
READINGS: dict[str, tuple[str, ...]] = {
    "refcount": ("refcount_read({}) == 1",),
    "work": ("work_pending({})", "work_busy({})"),
    "rcu": ("rcu_read_lock_held()",),
}
PARAMETERS = ("mutex", "percpu_rwsem", "spinlock", "rwsem", "rwlock", "seqlock")
"""The kinds that an op of a generated model may be given."""
KINDS = {
    "mutex": (("l", ""), ("k", ""), ("la", "[Small]")),
    "percpu_rwsem": (("p", ""), ("pa", "[bool]")),
    "spinlock": (("s", ""),),
    "rwsem": (("r", ""),),
    "rwlock": (("rl", ""),),
    "seqlock": (("sq", ""),),
    "srcu": (("sr", ""),),
    "refcount": (("rc", ""),),
    "active_ref": (("ar", ""),),
    "work": (("wk", ""),),
}
"""The locks of a kind that a model may have, with their indexes."""
SAYS = {"rwsem": "handover", "percpu_rwsem": "handover", "refcount": "owned"}
"""What a declaration may say, where a test wants every verb."""
DRAWN = (
    *KINDS,
    *("mutex",) * 4,
    *("percpu_rwsem",) * 2,
    *("spinlock",) * 2,
    *("rwsem", "rwlock", "seqlock"),
    *("sem", "done", "q", "sig", "rcu"),
)
"""What a model draws a few of: a model of all kinds would be large, and little would happen between two of them."""
