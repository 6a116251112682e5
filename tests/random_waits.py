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
        f"wake_up_process({SOME_THREAD});",
    ),
    "sig": (f"signal({SOME_THREAD});", f"fatal_signal({SOME_THREAD});", "flush_signals();"),
}
TESTED = {
    "sem": ("down_trylock(sem)", "down_interruptible(sem)", "down_killable(sem)"),
    "done": ("try_wait_for_completion(done)", "wait_for_completion_interruptible(done)"),
}


class Waits(LockStatements):
    """Waiting and waking; nothing of that inside `atomic`."""

    def _waiting(self, scope: Scope, place: Place) -> str:
        if not self.waits:
            return ""
        kind = self.pen.one(self.waits)
        self.pen.tag(f"waits-{kind}")
        if kind in TESTED and self.pen.chance(30):
            self.pen.tag("waits-tested")
            test = self.pen.one(("", "!")) + self.pen.one(TESTED[kind])
            return f"if ({test}) {self.block(scope, replace(place, depth=0), 1)}"
        return self.pen.one(PLAIN[kind])
