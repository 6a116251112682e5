"""wait_event and its forms: the kernel's loop, step by step; and spin_until, which waits without sleeping.

`wait_event(q, e)`: prepare to wait on q; test e; if it does not hold, schedule, and again from the start; at last
finish. So a waker that makes e true and then wakes q is never missed, while one that forgets to wake q, or wakes it
too early, is. The interruptible and killable forms give up with -ERESTARTSYS where e does not hold while a signal is
pending: the condition wins. wait_event_timeout may give up at any moment, tests e once more, and returns whether it
held. The kernel tests e once before it prepares; that is left out, since it can be seen only as a shorter wait.
Source: include/linux/wait.h (6.1): ___wait_event, ___wait_cond_timeout; kernel/sched/wait.c: prepare_to_wait_event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from modelcheck.diagnostics import an, counted
from modelcheck.language import syntax
from modelcheck.language.body import one_line
from modelcheck.language.context import Context
from modelcheck.language.expressions import condition, reads_shared
from modelcheck.language.frame import VerbArguments, Way, Work, jump, waiting_on
from modelcheck.language.model import FALSE, Assume, Effects, Either, Expr, Location, LockAt, Test, VerbUse
from modelcheck.language.naming import callee
from modelcheck.language.places import constant_number, lock_at
from modelcheck.language.types import ERRNO, Bool, Scalar
from modelcheck.language.verbs import Finish, here_of
from modelcheck.locks.primitive import Here, VerbStep, put
from modelcheck.locks.signals import pending
from modelcheck.locks.task import (
    INTERRUPTIBLE,
    KILLABLE,
    RUNNING,
    UNINTERRUPTIBLE,
    scheduled,
    scheduled_timeout,
    state_of,
)
from modelcheck.locks.waitqueue import left, prepared
from modelcheck.source import Span

GIVEN_UP = ERRNO.members.index("ERESTARTSYS")


@dataclass(frozen=True)
class Form:
    """A form of wait_event: in which state it sleeps, what it returns, whether it takes a time."""

    state: int
    result: Scalar | None = None
    timed: bool = False

    @property
    def got(self) -> int | None:
        """What it returns when the condition held."""
        return None if self.result is None else int(self.timed)


FORMS = {
    "wait_event": Form(UNINTERRUPTIBLE),
    "wait_event_interruptible": Form(INTERRUPTIBLE, ERRNO),
    "wait_event_killable": Form(KILLABLE, ERRNO),
    "wait_event_timeout": Form(UNINTERRUPTIBLE, Bool(), timed=True),
}


@dataclass(frozen=True)
class _Loop:
    """One wait_event: the queue as it is kept, where its steps stand, the condition with its accesses."""

    work: Work
    form: Form
    name: str
    at: LockAt
    span: Span
    text: str
    tested: Work
    condition: Expr

    @property
    def here(self) -> Here:
        """What the rules of the queue and of sleeping need to know."""
        return here_of(self.work.body, self.at, VerbArguments())

    def step(self, node: int, part: str, effects: Effects, work: Work | None = None) -> None:
        """Add a step that is over at once."""
        self.add(node, part, Location.of(self.span, f"{self.text}: {part}", effects), work)

    def add(self, node: int, part: str, location: Location, work: Work | None = None) -> None:
        """Add a step."""
        order = ("prepare", "test", "schedule", "finish")
        use = VerbUse(self.name, self.at, "test", "write", order.index(part) + 1, len(order))
        sleeps = part in ("prepare", "schedule")
        body = self.work.body
        body.step((work or self.work.fresh()).ctx, node, replace(location, verb=use, sleeps=sleeps))


def run_wait_event(
    work: Work, call: syntax.Call, place: tuple[Span, str], entry: int, finish: Finish
) -> bool:
    """Lower a form of wait_event at `entry`; `finish` says what its result does. False: something was reported."""
    form = FORMS[call.name]
    if not _fits(work.ctx, call, form):
        return False
    at = lock_at(work.ctx, call.arguments[0])
    tested = work.fresh()
    test = condition(tested.ctx, call.arguments[1])
    if at is None or (form.timed and constant_number(work.ctx, call.arguments[2]) is None):
        return False
    if at.lock.kind != "waitqueue":
        message = f"`{call.name}` is for a waitqueue, but `{at.lock.name}` is {an(at.lock.kind)}"
        work.ctx.error("MC030", callee(call), message, "declare one: `waitqueue q;`")
        return False
    keeping: Effects = ()
    if any(reads_shared(index) for index in at.index):
        at, keeping = work.body.kept_index(work.ctx, at, call)
    loop = _Loop(work, form, call.name, at, *place, tested, test)
    _lower(loop, keeping, entry, finish)
    return True


def _fits(ctx: Context, call: syntax.Call, form: Form) -> bool:
    wanted = 2 + form.timed
    if len(call.arguments) == wanted:
        return True
    message = f"`{call.name}` takes {counted(wanted, 'argument')}, {len(call.arguments)} given"
    hint = "the waitqueue, the condition" + (", how long" if form.timed else "")
    ctx.error("MC024", call.span, message, hint)
    return False


def _lower(loop: _Loop, keeping: Effects, entry: int, finish: Finish) -> None:
    new = loop.work.new
    head, test, sleep, got, gave_up = entry, new(), new(), new(), new()
    prepare = (*prepared(loop.here, state=loop.form.state), *jump(test))
    loop.step(entry, "prepare", (*keeping, *prepare), loop.work)
    if keeping:  # the queue is chosen once: the loop comes back behind that
        head = new()
        loop.step(head, "prepare", prepare)
    loop.step(test, "test", _tested(loop, got, sleep, gave_up), loop.tested)
    if loop.form.timed:
        _sleep_for_a_time(loop, sleep, (head, got, gave_up))
    else:
        _sleep(loop, sleep, head)
    results = ((got, loop.form.got), (gave_up, 0 if loop.form.timed else GIVEN_UP))
    for node, result in results[: 1 + _may_give_up(loop)]:
        loop.step(node, "finish", (*left(loop.here), *finish(result)))


def _may_give_up(loop: _Loop) -> bool:
    fatal = loop.form.state == KILLABLE
    return loop.form.timed or (loop.form.result is not None and pending(loop.here, fatal=fatal) != FALSE)


def _tested(loop: _Loop, got: int, sleep: int, gave_up: int) -> Effects:
    """Return the effects of the test: the condition wins over a signal."""
    otherwise = jump(sleep)
    if not loop.form.timed and _may_give_up(loop):
        otherwise = (Test(pending(loop.here, fatal=loop.form.state == KILLABLE), jump(gave_up), otherwise),)
    return (Test(loop.condition, jump(got), otherwise),)


def _sleep(loop: _Loop, node: int, head: int) -> None:
    step = scheduled(loop.here)
    location = _sleeping(loop, step, (*step.outcomes[0].updates, *jump(head)))
    loop.add(node, "schedule", location)


def _sleep_for_a_time(loop: _Loop, node: int, leads: tuple[int, int, int]) -> None:
    """Sleep until woken or, at any moment, no longer: then the condition is tested once more."""
    head, got, gave_up = leads
    step, late, last = scheduled_timeout(loop.here), loop.work.new(), loop.work.new()
    runs = (put(state_of(loop.here), RUNNING),)
    assert step.wait.patience is not None
    woken: Effects = (Assume(step.wait.patience), *runs, *jump(head))
    loop.add(node, "schedule", _sleeping(loop, step, (Either((woken, (*runs, *jump(late)))),)))
    loop.step(late, "prepare", (*prepared(loop.here, state=loop.form.state), *jump(last)))
    loop.step(last, "test", (Test(loop.condition, jump(got), jump(gave_up)),), loop.tested)


def _sleeping(loop: _Loop, step: VerbStep, effects: Effects) -> Location:
    location = Location.of(loop.span, f"{loop.text}: schedule", effects)
    return replace(location, guard=step.guard, wait=step.wait)


# --- waiting without sleeping --------------------------------------------------------------------


def spin_until(work: Work, call: syntax.Call, way: Way) -> None:
    """Lower `spin_until(e);`: one step when e holds, as `await`, but it does not sleep and never rests."""
    if len(call.arguments) != 1:
        work.ctx.error("MC024", call.span, f"`{call.name}` takes one argument", "the condition")
        work.go(way, call.span)
        return
    guard = condition(work.ctx, call.arguments[0])
    here = Location.of(call.span, one_line(call.span.text), jump(way.following))
    work.body.step(work.ctx, way.entry, replace(here, guard=guard, wait=waiting_on(guard)))
