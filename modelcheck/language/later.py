"""What the language has and this version does not (MC006): it is known by name, so that nobody looks for a typo."""

from __future__ import annotations

from modelcheck.diagnostics import near_miss
from modelcheck.language import syntax
from modelcheck.language.context import Context
from modelcheck.language.scope import ConstantBinding
from modelcheck.locks import KINDS as KINDS_KNOWN
from modelcheck.locks import PRIMITIVES
from modelcheck.source import Span

KINDS: dict[str, str] = {
    "rwsem": "down_read up_read down_write up_write down_read_trylock down_write_trylock downgrade_write "
    "down_read_killable down_write_killable down_read_interruptible",
    "rwlock": "read_lock read_unlock write_lock write_unlock read_trylock write_trylock",
    "seqlock": "read_seqbegin read_seqretry write_seqlock write_sequnlock",
    "rcu": "rcu_read_lock rcu_read_unlock synchronize_rcu",
    "srcu": "srcu_read_lock srcu_read_unlock synchronize_srcu",
    "semaphore": "down up down_trylock down_interruptible down_killable",
    "completion": "complete complete_all wait_for_completion reinit_completion",
    "waitqueue": "prepare_to_wait schedule finish_wait wake_up wake_up_all wake_up_process wait_event",
    "refcount": "refcount_inc refcount_inc_not_zero refcount_dec_and_test",
    "active_ref": "kernfs_get_active kernfs_put_active kernfs_drain",
    "work": "queue_work flush_work cancel_work_sync",
    "signal": "signal fatal_signal signal_pending",
}
"""Each kind without a primitive (SEMANTICS A5, H1), with its verbs."""

_OTHERS = "join kthread_stop kthread_should_stop msleep spin_until"
_TEMPORAL = "always eventually until leads_to"
_GUARDS = "rwsem_read rwsem_write rcu"

VERBS = {verb: kind for kind, verbs in KINDS.items() if kind not in PRIMITIVES for verb in verbs.split()}
GUARDS = frozenset(_GUARDS.split())
FUNCTIONS = frozenset((*_TEMPORAL.split(), *_OTHERS.split()))


def report(ctx: Context, span: Span, name: str) -> None:
    """Report a kind, verb, guard or function that comes later."""
    kind = VERBS.get(name)
    message = f"`{name}`{f' ({kind})' if kind else ''} is not available in this version"
    locks = f"locks are {' and '.join(sorted(KINDS_KNOWN))}; `await` waits for anything"
    temporal = name in _TEMPORAL.split()
    ctx.error("MC006", span, message, "properties are invariant, step and reachable" if temporal else locks)


def unknown_kind(ctx: Context, kind: str, span: Span) -> None:
    """Report a kind of lock that this version does not have, in an op's parameter; `span` starts with it."""
    place = Span(span.source, span.start, span.start + len(kind))
    if kind in KINDS:
        report(ctx, place, kind)
    else:
        ctx.error("MC010", place, f"there is no kind of lock `{kind}`", near_miss(kind, KINDS_KNOWN))


def is_later(name: str) -> bool:
    """Whether a verb or function comes later."""
    return name in VERBS or name in FUNCTIONS


def is_reported(ctx: Context, node: syntax.Expression) -> bool:
    """Whether an expression is a name, with or without index, whose declaration was found wrong."""
    while isinstance(node, syntax.Index | syntax.Unary | syntax.Paren):
        match node:
            case syntax.Index(base):
                node = base
            case syntax.Unary(_, inner) | syntax.Paren(inner):
                node = inner
    binding = ctx.scope.find(node.id) if isinstance(node, syntax.Name) else None
    return isinstance(binding, ConstantBinding) and binding.value.type is None
