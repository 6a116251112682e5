"""What each check means, at length, and the specification that shows it; `modelcheck explain` tells it.

It goes with the table of codes (diagnostics.py), which has the titles and a line of advice for every code. The traces
are not written down here: the specification named is checked when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelcheck.diagnostics import CODES

SECTIONS = (
    ("MC001", "The text of a file, and files", ""),
    ("MC010", "Names", ""),
    ("MC020", "Types and values", ""),
    ("MC030", "Calls and locks", ""),
    ("MC040", "Control flow", ""),
    ("MC050", "Properties", ""),
    ("MC060", "Scenarios, parameters, imports", ""),
    (
        "MC070",
        "Warnings about a specification",
        "They are shown, and the specification is checked all the same.",
    ),
    (
        "MC101",
        "What is checked without being asked",
        "The name in the last column is what `expect` takes; `vacuity` is told of a file, and cannot be expected.",
    ),
    ("MC120", "Properties that do not hold", ""),
)
"""First code of a section, its title, and what is said of all of it."""


def sections() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the title of each section, what is said of all of it, and its codes."""
    ends = (*(first for first, _, _ in SECTIONS[1:]), "MC999")
    for (first, title, note), end in zip(SECTIONS, ends, strict=True):
        yield title, note, tuple(code for code in CODES if first <= code < end)


@dataclass(frozen=True)
class Place:
    """A scenario of a specification that ships; "" means all scenarios of the file."""

    specification: str
    scenario: str


@dataclass(frozen=True)
class Explanation:
    """The idea of a check, when it is reported and when not, what to do, and where it can be seen.

    `lesson` shows it; `others` show another form of it, each with what it is.
    """

    idea: str
    reported: str
    silent: str
    advice: str
    lesson: Place
    others: tuple[tuple[Place, str], ...] = ()


EXPLANATIONS: dict[str, Explanation] = {
    "MC101": Explanation(
        idea="One name for all the ways in which threads come to no end: a circular wait, a thread that is "
        "stuck for ever, a thread that cannot finish, and a lock order that is a reachable deadlock.",
        reported="Never under this name. `expect deadlock` and `--property deadlock` speak of all of them at "
        "once.",
        silent="Threads that have finished and daemons at rest are no deadlock.",
        advice="Look at the name that the finding has, and have that explained.",
        lesson=Place("lessons/02_ab_ba", "broken"),
    ),
    "MC102": Explanation(
        idea="Threads wait for each other in a ring. None of them can ever take a step again, whatever all "
        "others do. In a kernel something can always run, so the ring is looked for, not a machine that "
        "stands still.",
        reported="A state can be reached in which each thread of a set waits, and waits for a thread of the "
        "set: for a lock, for readers to leave, for a writer that waits and bars new readers, for whoever "
        "alone could wake it. A thread that waits for itself is a ring, too. If only a time-out ends the "
        "wait, it is a warning.",
        silent="A try waits for nobody. A thread that several others could wake is in the ring only if all of "
        "these are. Two lock orders that never meet are no ring: that is lock order.",
        advice="Read the last lines of the trace as a ring and choose where to cut it: one order for all, let "
        "go before waiting, try and begin again, or a third lock around both.",
        lesson=Place("lessons/02_ab_ba", "broken"),
        others=(
            (Place("lessons/04_recursive_read", "broken"), "a thread that waits for itself"),
            (Place("lessons/05_pending_writer", "broken"), "through a writer that waits"),
            (Place("lessons/06_try_and_restart", "waits"), "through a sysfs file"),
            (Place("gallery/hyperv_waits_for_user_space", "before"), "ended by a time-out only, a warning"),
        ),
    ),
    "MC103": Explanation(
        idea="A thread waits, and nothing that can still happen will let it go on: the wake-up came too "
        "early, or nobody is left to give it.",
        reported="A state can be reached in which a thread is blocked and takes no step in any continuation.",
        silent="A daemon at rest may wait for ever. A thread that would go on if others ran long enough is "
        "not stuck. Where a circular wait is what makes it wait, that is told instead. Where an error can "
        "still be reached, a failed assertion or a broken rule, nothing is said.",
        advice="See who should have ended the wait, and whether it could do so before the wait began. Get on "
        "the queue first, then look at the condition.",
        lesson=Place("lessons/07_lost_wake_up", "broken"),
    ),
    "MC104": Explanation(
        idea="A thread runs, and will run for ever without coming to its end: it tries again and again what "
        "can no longer succeed.",
        reported="A state can be reached from which no continuation brings the thread to its end, or, if it "
        "is an endless loop, back to the head of the loop.",
        silent="A thread that only might go round for ever, while some continuation ends, is not told: that "
        "is a question of luck. Daemons need not end. Where an error can still be reached nothing is said.",
        advice="See what the retry waits for, and who holds it. A retry helps only if everything is given "
        "back before it.",
        lesson=Place("lessons/06_try_and_restart", "broken"),
    ),
    "MC105": Explanation(
        idea="Each kind of lock has rules that the kernel's own debugging would complain about, or that break "
        "the lock.",
        reported="A thread locks what it has, releases what it does not hold, ends with a lock in hand; an op "
        "returns with other locks than it was called with and does not say so; somebody sleeps under a "
        "spinlock, in a read section or in a handler; a reference is taken from zero or put too often; a "
        "handler takes a lock that is held elsewhere with interrupts enabled.",
        silent="An op that says `acquires l` or `releases l` may do so. A lock declared `handover` may be "
        "released by another thread. To wait is no breach, even for ever.",
        advice="The trace ends at the statement that breaks the rule; the fault is often earlier, on an error "
        "path.",
        lesson=Place("lessons/10_reference_counts", "broken"),
        others=(
            (Place("gallery/unlock_without_lock", "before_5_1"), "a lock released that was not taken"),
            (Place("gallery/home_made_mem_hotplug_lock", "self_deadlock"), "a mutex taken twice"),
            (Place("gallery/poison_lookup", "self_deadlock"), "a mutex taken twice, through a call"),
        ),
    ),
    "MC106": Explanation(
        idea="Who holds one lock and asks for another one makes an order. Two threads with contradictory "
        "orders are a deadlock, unless something keeps them apart.",
        reported="The orders that occur have a cycle. It is a violation if a deadlock along it can be "
        "reached; a note if a lock that both hold, the gate, keeps them apart; a warning if something else "
        "does, which may change tomorrow; a warning, too, if a thread reads what it reads already. Against a "
        "declared order (`order a < b;`) one request is enough.",
        silent="A try asks for nothing, so it makes no order into what it tries. Readers do not wait for "
        "readers, unless some thread writes. What one thread alone does is never a deadlock, and a note at "
        "most.",
        advice="Take the locks in one order, or keep the gate and say so: `expect order(a, b) gated by g;`. "
        "`modelcheck locks` shows who breaks it by forgetting the gate.",
        lesson=Place("lessons/03_lock_order_and_gate", "broken"),
        others=(
            (Place("lessons/03_lock_order_and_gate", "repaired"), "gated: a note"),
            (Place("lessons/04_recursive_read", "reads_again"), "read again: a warning"),
        ),
    ),
    "MC107": Explanation(
        idea="A variable says which lock protects it. Whoever reads or writes it must hold that lock: then "
        "what was seen stays true while the lock is held.",
        reported="A thread stands before an access without the lock, or with the lock in a mode that does not "
        "do. Whether anything goes wrong by it in this model does not matter.",
        silent="`init` and properties are exempt. `data_race(x)` and `unguarded(...)` exempt one access, and "
        "the race check then looks at it.",
        advice="Take the lock around the access and around what is decided by it. If that is too much, weaken "
        "the rule: `write_guarded_by` with marked reads, `rcu_guarded_by`.",
        lesson=Place("lessons/08_guarded_by", "broken"),
        others=(
            (Place("gallery/memmap_after_the_lock", "before_6_7"), "a write after the lock was released"),
        ),
    ),
    "MC108": Explanation(
        idea="Two threads are about to access one variable at the same time, one of them writing. The "
        "compiler and the machine may then do more than any order of the two lines says, and so more than "
        "this search sees.",
        reported="A state can be reached in which two threads stand at such accesses, able to run or not, and "
        "at least one of the two is not marked.",
        silent="Not if both are marked: a variable declared `marked`, READ_ONCE, WRITE_ONCE, atomics. Not "
        "where a lock keeps the two apart. A variable with a rule is looked at by guarded_by first.",
        advice="Protect it with a lock and say `guarded_by`; or mark both accesses, if the race is meant, and "
        "see what else is then found.",
        lesson=Place("lessons/01_lost_update", "broken"),
    ),
    "MC109": Explanation(
        idea="Every type is finite, and a value that leaves its type is told, not wrapped around.",
        reported="A step would write a value outside of the declared range, use an index outside of the "
        "array, divide by zero, or otherwise compute what is not defined.",
        silent="What is computed in between may be outside: only what is stored, passed or used as an index "
        "is looked at.",
        advice="Ask first whether the bound of the model is too small. If not, it is a bug: a count that was "
        "tested outside the lock, a put too many.",
        lesson=Place("lessons/08_guarded_by", "broken"),
    ),
    "MC110": Explanation(
        idea="`assert(e)` says what a thread relies on at that line.",
        reported="A thread can come to the line in a state in which the condition is false. With `as name` it "
        "is told under that name.",
        silent="An assertion that no thread reaches is not violated; the vacuity warning says that it never "
        "runs.",
        advice="Go back from the last step to the one that made the condition false, and see what the thread "
        "held then.",
        lesson=Place("lessons/09_rcu", "broken"),
    ),
    "MC111": Explanation(
        idea='"Holds" is worth little if what matters never happened. So it is told what no scenario of the '
        "file does.",
        reported="A warning, after complete searches of every scenario: a statement that never runs, a "
        "condition that is never true, a lock that never makes anybody wait, a property that cannot be false.",
        silent="What some scenario does is not told, nor what `expect not reached` names. Nothing is told "
        "after a search that a limit stopped. A scenario cannot expect it: it is told of a file.",
        advice="Add the thread or the scenario in which it happens, or take out what is not needed; or say in "
        "a comment why it is right.",
        lesson=Place("lessons/09_rcu", ""),
    ),
    "MC120": Explanation(
        idea="An invariant says what is true always, whatever the threads are in the middle of.",
        reported="A state can be reached in which it is false. The values that it reads in that state are "
        "told.",
        silent="What it says of states that cannot be reached is of no matter. If it reads a variable with a "
        "data race, that it holds is not claimed.",
        advice="Look at the last step. If it is only for a moment and under a lock: `invariant when free(l)`.",
        lesson=Place("lessons/01_lost_update", "broken"),
    ),
    "MC121": Explanation(
        idea="A step property compares what is before a step with what is after it: `next(x)`.",
        reported="A step can be taken that changes something it speaks of, and makes it false.",
        silent="A step that changes nothing of it is not looked at, nor is what happens over several steps.",
        advice="The last step is the culprit. Ask what the thread had read, and what has changed since.",
        lesson=Place("lessons/01_lost_update", "broken"),
    ),
    "MC122": Explanation(
        idea="A good design must also do something. `reachable` says what must be possible, and proves that "
        "the model is not empty where it matters.",
        reported="Every reachable state was looked at, and none satisfies it. So there is no trace.",
        silent="One state in one run is enough. That it always comes to pass is not asked.",
        advice="See what stops the threads before: another finding, a condition that is never true, a thread "
        "that does not run in this scenario.",
        lesson=Place("gallery/hot_add_and_online", "wrong_fix"),
    ),
}
"""Code of a check or kind of property -> its explanation."""

OTHER_NAMES = {
    "invariant": "MC120",
    "step": "MC121",
    "reachable": "MC122",
    "assert": "MC110",
    "gate": "MC106",
    "usage": "MC105",
}
"""Further names by which a check or kind of property can be asked for, beside CHECKS and the titles."""
