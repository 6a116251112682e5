"""The statements of generated models that wait without a lock, and wake: semaphores, completions, queues, signals."""

from __future__ import annotations

from dataclasses import replace

from tests.random_bodies import Place
from tests.random_expressions import Scope
from tests.random_lock_statements import LockStatements

DECLARED = {
    "sem": "semaphore sem: 0 .. 2 = 1;",
    "done": "completion done: 0 .. 1;",
    "q": "waitqueue q;",
    "sig": "",
}
SOME_THREAD = "@T"
"""Stands for a thread until all are known."""

PLAIN = {
    "sem": ("down(sem);", "up(sem);", "down_timeout(sem);", "down(sem);\nskip;\nup(sem);"),
    "done": (
        "complete(done);",
        "complete_all(done);",
        "wait_for_completion(done);",
        "wait_for_completion_timeout(done, 5);",
        "reinit_completion(done);",
    ),
    "q": (
        "prepare_to_wait(q);\nschedule();\nfinish_wait(q);",
        "prepare_to_wait_exclusive(q);",
        "prepare_to_wait(q, TASK_INTERRUPTIBLE);",
        "set_current_state(TASK_KILLABLE);",
        "schedule();",
        "schedule_timeout();",
        "wake_up(q);",
        "wake_up_all(q);",
        "cond_resched();\ncpu_relax();\nmsleep(5);",
        f"wake_up_process({SOME_THREAD});",
    ),
    "sig": (f"signal({SOME_THREAD});", f"fatal_signal({SOME_THREAD});", "flush_signals();"),
}
TESTED = {
    "sem": ("down_trylock(sem)", "down_interruptible(sem)", "down_killable(sem)"),
    "done": (
        "try_wait_for_completion(done)",
        "wait_for_completion_interruptible(done)",
        "wait_for_completion_killable(done)",
    ),
}

EVENTS = ("wait_event_interruptible(q, {})", "wait_event_killable(q, {})", "wait_event_timeout(q, {}, 5)")
THREADS = (f"join({SOME_THREAD});", f"kthread_stop({SOME_THREAD});", "spin_until({});")
READINGS = ("kthread_should_stop()", "signal_pending()", "fatal_signal_pending()", "irqs_disabled()")
"""Of each thread or domain; those of a queue or a completion follow."""
READINGS_OF = {"q": "waitqueue_active(q)", "done": "completion_done(done)"}


class Waits(LockStatements):
    """Waiting and waking; nothing of that inside `atomic`."""

    def _other(self, scope: Scope, place: Place) -> str:
        """Return what the second interpreter does not know: other threads' ends, events, what can be read of them."""
        word = self.pen.one(("thread", "event", "reading", "handover"))
        if word == "thread":
            return self.pen.one(THREADS).format(self.x.truth(scope, 1))
        if word == "event" and "q" in self.waits:
            if self.pen.chance(40):
                return f"wait_event(q, {self.x.truth(scope, 1)});"
            test = self.pen.one(("", "!")) + self.pen.one(EVENTS).format(self.x.truth(scope, 1))
            return f"if ({test}) {self.block(scope, replace(place, depth=0), 1)}"
        if word == "reading":
            known = (*READINGS, *(READINGS_OF[name] for name in self.waits if name in READINGS_OF))
            return f"if ({self.pen.one(known)}) {self.block(scope, replace(place, depth=0), 1)}"
        lock = self.some_lock(scope, ("rwsem",))
        return "" if lock is None else f"up_read_non_owner({self.instance(scope, lock)});"

    def _waiting(self, scope: Scope, place: Place) -> str:
        kinds = tuple(kind for kind in self.waits if kind in DECLARED)
        if not kinds:
            return ""
        kind = self.pen.one(kinds)
        self.pen.tag(f"waits-{kind}")
        if kind in TESTED and self.pen.chance(30):
            self.pen.tag("waits-tested")
            test = self.pen.one(("", "!")) + self.pen.one(TESTED[kind])
            return f"if ({test}) {self.block(scope, replace(place, depth=0), 1)}"
        return self.pen.one(PLAIN[kind])
