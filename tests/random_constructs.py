"""The constructs of generated models: a run of the generator must have drawn each of them."""

from __future__ import annotations

CONSTRUCTS = """
READ_ONCE WRITE_ONCE alive-verb alive-wait and array-1 array-2 array-of-records assert assign at atomic
atomic-await await bits blocked break break-in-atomic call call-condition call-condition-in-atomic call-in-atomic
call-into-local call-into-shared choose choose-in-atomic choose-maybe-empty choose-where compound const
constant-condition continue continue-in-atomic copy-array copy-record count daemon data_race dead-thread division
down_read down_write downgrade either either-in-atomic element-read element-written else else-if emit
errno-condition error-path exists finished for for-break-in-atomic for-in-atomic forall free goto guard
guard-device guard-mutex guard-percpu_read guard-percpu_write guard-read_lock guard-read_lock_irq
guard-read_lock_irqsave guard-rwsem_read guard-rwsem_write guard-spinlock guard-spinlock_bh guard-spinlock_irq
guard-spinlock_irqsave guard-srcu guard-work guard-write_lock guard-write_lock_irq guard-write_lock_irqsave
guarded_by guarded_by-both held held-by held-in-code if if-in-atomic implies in increment index-by-scalarset
index-out-of-range init init-choose initial-by-index inside inside-argument invariant irq-handler irqs-off
irqs-saved kernfs_get_active local local-array local-from-call local-from-try local-initialised local-record
lock-argument lock-array lock-interruptible lock-nested lock-reading lockdep_assert_held lone-lock lone-release
loop loop-for-ever marked model-marked mover mutex_lock nested-call next op-lock-parameter op-record-parameter
op-result or param percpu_down_read percpu_down_write rcu-section rcu_guarded_by reachable read_lock read_lock_bh
read_lock_irq read_lock_irqsave read_seqlock_excl read_seqlock_excl_bh read_seqlock_excl_irq
read_seqlock_excl_irqsave record refcount_inc release-in-atomic return return-call return-in-atomic return-value
scalarset scalarset-equal scoped_cond_guard scoped_guard scoped_guard-try seqlock-section set-operation shift skip
softirq-handler spin_lock spin_lock_bh spin_lock_irq spin_lock_irqsave srcu_read_lock start_work step subset
ternary test-verb thread-array thread-array-by-type thread-local try try-assigned try-assigned-shared try-condition
try-in-atomic try-negated try-while two-binders two-guards unbraced unfair unguarded waits-done waits-q waits-sem
waits-sig waits-tested when-free while while-call write_guarded_by write_lock write_lock_bh write_lock_irq
write_lock_irqsave write_seqlock write_seqlock_bh write_seqlock_irq write_seqlock_irqsave
"""
ALL_TAGS = frozenset(CONSTRUCTS.split())
