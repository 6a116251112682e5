"""What the verbs that wait without a lock do in every state (SEMANTICS A5, G14), as tables to be read."""

from __future__ import annotations

import pytest

from tests.locks.tables import check_table, model_of_any_verb
from tests.transcript import Golden

TABLES = {
    "task": (
        "",
        (
            "set_current_state(TASK_UNINTERRUPTIBLE)",
            "set_current_state(TASK_KILLABLE)",
            "schedule()",
            "schedule_timeout()",
            "wake_up_process(b)",
            "signal(a)",
        ),
    ),
    "waitqueue": (
        "waitqueue q;",
        ("prepare_to_wait(q)", "schedule()", "wake_up(q)", "finish_wait(q)"),
    ),
    "waitqueue_exclusive": (
        "waitqueue q;",
        (
            "prepare_to_wait_exclusive(q)",
            "prepare_to_wait(q, TASK_INTERRUPTIBLE)",
            "wake_up(q)",
            "wake_up_all(q)",
        ),
    ),
    "completion": (
        "completion c: 0 .. 2;",
        (
            "complete(c)",
            "complete_all(c)",
            "wait_for_completion(c)",
            "wait_for_completion_timeout(c)",
            "try_wait_for_completion(c)",
            "reinit_completion(c)",
        ),
    ),
    "completion_signals": (
        "completion c: 0 .. 1;",
        (
            "complete(c)",
            "wait_for_completion_interruptible(c)",
            "wait_for_completion_killable(c)",
            "signal(a)",
        ),
    ),
    "semaphore": (
        "semaphore s: 0 .. 2 = 1;",
        ("down(s)", "down_timeout(s)", "down_trylock(s)", "up(s)"),
    ),
    "semaphore_signals": (
        "semaphore s: 0 .. 1 = 1;",
        ("down_interruptible(s)", "down_killable(s)", "up(s)", "fatal_signal(a)"),
    ),
    "kthread": ("", ("kthread_stop(b)", "join(b)", "join(a)")),
}


@pytest.mark.parametrize("name", TABLES)
def test_each_verb_does_what_its_table_says(name: str, golden: Golden) -> None:
    declaration, calls = TABLES[name]
    check_table(name, model_of_any_verb(declaration, calls), update=golden.updating)


def test_a_wake_up_wakes_all_who_are_not_exclusive_and_one_who_is(golden: Golden) -> None:
    calls = ("prepare_to_wait_exclusive(q)", "prepare_to_wait(q)", "wake_up(q)")
    text = model_of_any_verb("waitqueue q;", calls, ("a", "b", "c"))
    check_table("waitqueue_of_three", text, update=golden.updating)
