"""Lock order: edges, cycles, and what keeps a cycle from being a deadlock (SEMANTICS A6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modelcheck.analysis.lock_order import Cycle, Recorded, Request, canonical, lock_order, nesting
from modelcheck.analysis.order_requests import requests_of
from modelcheck.engine.engine import Limits
from modelcheck.engine.reference import explore
from modelcheck.language.elaborate import elaborate
from modelcheck.language.parser import parse
from modelcheck.locks import PRIMITIVES
from modelcheck.report.contents import ScenarioReport
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Held, LocalViews
from modelcheck.semantics.transition_system import transition_system
from modelcheck.source import Source
from tests.checking import ABBA, checked, found

GATED = """
model gated;
mutex gate; mutex a; mutex b;
thread one { mutex_lock(gate); mutex_lock(a); mutex_lock(b);
             mutex_unlock(b); mutex_unlock(a); mutex_unlock(gate); }
thread two { mutex_lock(gate); mutex_lock(b); mutex_lock(a);
             mutex_unlock(a); mutex_unlock(b); mutex_unlock(gate); }
"""


def only_cycle(report: ScenarioReport) -> Cycle:
    (cycle,) = report.judgement.order.cycles
    return cycle


def test_an_edge_goes_from_each_lock_held_to_the_one_asked_for() -> None:
    report = checked(ABBA.partition("thread two")[0])
    (edge,) = report.judgement.order.edges
    assert (edge.source, edge.request.wants) == (("a", ()), ("b", ()))


def test_a_cycle_that_is_reached_is_a_violation_with_the_trace_of_the_circular_wait() -> None:
    report = checked(ABBA)
    assert only_cycle(report).verdict == "reachable"
    (finding,) = found(report, "lock_order")
    assert finding.weight == "violation"
    assert finding.trace == found(report, "circular_wait")[0].trace


def test_a_lock_that_both_sides_hold_exclusively_is_a_gate() -> None:
    report = checked(GATED)
    cycle = only_cycle(report)
    assert (cycle.verdict, cycle.gates) == ("gated", ("gate",))
    (finding,) = found(report, "lock_order")
    assert finding.weight == "note"
    assert report.exit_code == 0


def test_a_lock_that_both_sides_hold_for_reading_is_no_gate() -> None:
    """The project's own records name two common locks, of which one is held for reading on both sides (X12)."""
    text = GATED.replace("mutex gate;", "mutex gate; percpu_rwsem cpus;")
    text = text.replace("{ mutex_lock(gate);", "{ mutex_lock(gate); percpu_down_read(cpus);")
    text = text.replace("mutex_unlock(gate); }", "percpu_up_read(cpus); mutex_unlock(gate); }")
    assert only_cycle(checked(text)).gates == ("gate",)


def test_a_seqlock_that_both_sides_hold_without_writing_is_a_gate_but_a_read_section_is_none() -> None:
    def ring(take: str, release: str) -> str:
        sides = (("one", "a", "b"), ("two", "b", "a"))
        bodies = (
            f"thread {name} {{ {take} spin_lock({x}); spin_lock({y}); spin_unlock({y}); spin_unlock({x}); {release} }}"
            for name, x, y in sides
        )
        return f"model excl; seqlock gate; spinlock a; spinlock b; {' '.join(bodies)}"

    kept = only_cycle(checked(ring("read_seqlock_excl(gate);", "read_sequnlock_excl(gate);")))
    assert (kept.verdict, kept.gates) == ("gated", ("gate",))
    open_to_both = ring("read_seqbegin(gate);", "if (read_seqretry(gate)) { skip; }")
    assert only_cycle(checked(open_to_both)).verdict == "reachable"


def test_a_seqlock_held_without_writing_is_told_with_the_line_that_took_it() -> None:
    report = checked("""model excl; seqlock g; spinlock a;
        thread one { read_seqlock_excl(g); spin_lock(a); spin_unlock(a); read_sequnlock_excl(g); }
        thread two { spin_lock(a); read_seqlock_excl(g); read_sequnlock_excl(g); spin_unlock(a); }""")
    (finding,) = found(report, "lock_order")
    assert "one asks for a at test.mck:2 while it holds g:read, taken at test.mck:2" in finding.details


def test_another_instance_of_the_same_class_is_no_gate() -> None:
    text = GATED.replace("mutex gate;", "type Two = 0 .. 1; mutex gate[Two];")
    one, two = text.split("thread two")
    report = checked(one.replace("(gate)", "(gate[0])") + "thread two" + two.replace("(gate)", "(gate[1])"))
    assert only_cycle(report).verdict == "reachable"


def test_what_counts_is_what_is_held_when_the_second_lock_is_asked_for() -> None:
    text = GATED.replace("mutex_unlock(a); mutex_unlock(gate); }", "mutex_unlock(a); }")
    text = text.replace(
        "mutex_lock(gate); mutex_lock(a);", "mutex_lock(gate); mutex_lock(a); mutex_unlock(gate);"
    )
    assert only_cycle(checked(text)).verdict == "reachable"


def test_a_cycle_that_only_a_condition_keeps_apart_is_a_warning() -> None:
    report = checked("""
        model fragile;
        mutex a; mutex b; var done: bool marked;
        thread one { mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); done = true; }
        thread two { await(done); mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); }
    """)
    assert only_cycle(report).verdict == "kept apart"
    (finding,) = found(report, "lock_order")
    assert finding.weight == "warning"
    assert report.exit_code == 0


def test_a_cycle_of_one_thread_is_a_note() -> None:
    report = checked("""
        model alone;
        mutex a; mutex b;
        thread one { mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a);
                     mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); }
    """)
    assert only_cycle(report).verdict == "one thread"
    assert found(report, "lock_order")[0].weight == "note"


def test_a_search_that_was_stopped_decides_no_cycle() -> None:
    report = checked(GATED, states=8)
    assert {cycle.verdict for cycle in report.judgement.order.cycles} <= {"undecided"}
    assert report.exit_code == 3


def test_a_try_gives_no_edge_to_what_it_tries() -> None:
    """sysfs takes device_hotplug_lock by trylock: the fix of a deadlock must not look like one."""
    report = checked("""
        model tried;
        mutex a; mutex b;
        thread one { mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); }
        thread two { mutex_lock(b); if (mutex_trylock(a)) { mutex_unlock(a); } mutex_unlock(b); }
    """)
    assert report.judgement.order.cycles == ()


def test_what_was_got_by_a_try_is_held_like_any_other() -> None:
    report = checked("""
        model tried;
        mutex a; mutex b;
        thread one { mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); }
        thread two { if (mutex_trylock(b)) { mutex_lock(a); mutex_unlock(a); mutex_unlock(b); } }
    """)
    assert only_cycle(report).verdict == "reachable"


INSTANCES = """
model instances;
type Index = 0 .. 1;
mutex l[Index];
thread one {{ mutex_lock(l[{0}]); mutex_lock(l[{1}]); mutex_unlock(l[{1}]); mutex_unlock(l[{0}]); }}
thread two {{ mutex_lock(l[{2}]); mutex_lock(l[{3}]); mutex_unlock(l[{3}]); mutex_unlock(l[{2}]); }}
"""


def test_instances_in_rising_order_are_no_cycle() -> None:
    report = checked(INSTANCES.format(0, 1, 0, 1))
    assert report.judgement.order.cycles == ()
    assert {nesting(edge) for edge in report.judgement.order.edges} == {"rising index"}


def test_instances_in_both_orders_are_a_cycle_of_the_class() -> None:
    report = checked(INSTANCES.format(0, 1, 1, 0))
    assert only_cycle(report).classes == ("l", "l")
    assert only_cycle(report).verdict == "reachable"


PENDING = """
model pending;
percpu_rwsem s; mutex m;
thread a {{ mutex_lock(m); percpu_down_read(s); percpu_up_read(s); mutex_unlock(m); }}
thread b {{ percpu_down_read(s); mutex_lock(m); mutex_unlock(m); percpu_up_read(s); }}
{writer}
"""


def test_two_readers_are_no_cycle_without_a_writer() -> None:
    assert checked(PENDING.format(writer="")).judgement.order.cycles == ()


def test_a_writer_between_two_readers_is_one_more_thread_of_the_ring() -> None:
    report = checked(PENDING.format(writer="thread w { percpu_down_write(s); percpu_up_write(s); }"))
    cycle = only_cycle(report)
    assert cycle.verdict == "reachable"
    assert sorted(cycle.shown.threads) == [0, 1, 2]
    (finding,) = found(report, "lock_order")
    assert any("w wants to write s" in line for line in finding.details)


def test_reading_again_is_reported_even_if_nobody_writes() -> None:
    report = checked("""
        model recursive;
        percpu_rwsem s;
        thread a { percpu_down_read(s); percpu_down_read(s); percpu_up_read(s); percpu_up_read(s); }
    """)
    (finding,) = found(report, "lock_order")
    assert finding.weight == "warning"
    assert "any writer in between" in finding.message
    assert report.exit_code == 0


def test_a_lock_that_another_holds_on_a_thread_s_behalf_keeps_apart_without_being_a_gate() -> None:
    """`boss` holds the gate and waits for the worker: what each thread holds by itself does not show it."""
    report = checked("""
        model behalf;
        mutex gate; mutex a; mutex b; var work: 0..2 marked;
        thread boss { mutex_lock(gate); work = 1; await(work == 2); mutex_unlock(gate); }
        daemon thread worker { await(work == 1); mutex_lock(a); mutex_lock(b);
                               mutex_unlock(b); mutex_unlock(a); work = 2; }
        thread other { mutex_lock(gate); mutex_lock(b); mutex_lock(a);
                       mutex_unlock(a); mutex_unlock(b); mutex_unlock(gate); }
    """)
    assert only_cycle(report).verdict == "kept apart"


def test_the_details_name_both_source_lines_and_all_else_that_is_held() -> None:
    (finding,) = found(checked(GATED), "lock_order")
    assert len(finding.details) == 2
    assert all("taken at test.mck:" in line and "it also holds gate" in line for line in finding.details)


@pytest.mark.parametrize(
    ("cycle", "expected"), [((), ()), (("b", "a"), ("a", "b")), (("c", "a", "b"), ("a", "b", "c"))]
)
def test_a_cycle_begins_with_its_smallest_name(cycle: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert canonical(cycle) == expected


def test_what_nobody_waits_for_is_neither_an_edge_nor_a_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state of the running thread, such as interrupts off, may be written as a lock (locks/primitive.py)."""
    kind = PRIMITIVES["percpu_rwsem"]
    monkeypatch.setitem(PRIMITIVES, "percpu_rwsem", replace(kind, ordered=False))
    text = GATED.replace("mutex gate;", "percpu_rwsem gate;")
    text = text.replace("mutex_lock(gate)", "percpu_down_write(gate)")
    order = checked(text.replace("mutex_unlock(gate)", "percpu_up_write(gate)")).judgement.order
    assert {name for edge in order.edges for name in edge.classes} == {"a", "b"}
    assert [cycle.gates for cycle in order.cycles] == [()]


def test_threads_that_do_the_same_are_one_way_to_put_a_cycle_together() -> None:
    text = GATED.replace("thread one", "thread one[5]").replace("thread two", "thread two[2]")
    model = elaborate((parse(Source("test.mck", text)),))
    views = explore(transition_system(model), (LocalViews(),), Limits(states=20_000)).views
    order = lock_order(requests_of(Interpreter(transition_system(model)), views), frozenset())
    assert [(c.verdict, c.gates, len(c.ways)) for c in order.cycles] == [("gated", ("gate",), 1)]


def test_a_lock_held_in_two_modes_by_one_thread_is_no_gate() -> None:
    held = (Held("a", (), "write"), Held("g", (), "read"), Held("g", (), "write"))
    place = Recorded("f", 1)
    one = Request(0, place, ("b", ()), "write", held)
    two = Request(1, place, ("a", ()), "write", (Held("b", (), "write"),))
    (cycle,) = lock_order((one, two), frozenset()).cycles
    assert (cycle.verdict, cycle.gates) == ("kept apart", ())


def test_more_cycles_than_are_looked_at_are_told() -> None:
    """Among 16 locks, each taken under each, there are more rings of some length than the cap."""
    locks = [(f"l{number}", ()) for number in range(16)]
    requests = tuple(
        Request(thread, Recorded("f", 1), wants, "write", (Held(*held, "write"),))
        for thread, wants in enumerate(locks)
        for held in locks
        if held != wants
    )
    assert lock_order(requests, frozenset()).capped


def test_a_ring_that_only_comes_with_a_smaller_one_is_not_said_to_be_out_of_reach() -> None:
    report = checked("""
        model nested;
        mutex hotplug;
        mutex data;
        active_ref file;
        var added: bool = false marked;
        thread user[2] {
            await(added);
            if (!kernfs_get_active(file)) { return; }
            mutex_lock(data);
            mutex_lock(hotplug);
            mutex_unlock(hotplug);
            mutex_unlock(data);
            kernfs_put_active(file);
        }
        thread eject {
            kernfs_activate(file);
            added = true;
            mutex_lock(hotplug);
            kernfs_drain(file);
            mutex_unlock(hotplug);
        }
    """)
    larger, smaller = report.judgement.order.cycles
    assert (larger.classes, larger.verdict) == (("data", "hotplug", "file"), "kept apart")
    assert larger.smaller == smaller.classes == ("file", "hotplug")
    told = [f.message for f in report.findings if f.weight == "warning"]
    beginning = "data, hotplug and file are taken in contradictory orders: "
    assert told == [
        f"{beginning}no deadlock is reachable but that of file and hotplug; no lock keeps the threads apart"
    ]


TWO_GATES = """
model two_gates; mutex g; mutex h; mutex a; mutex b;
thread t { mutex_lock(g); mutex_lock(h); mutex_lock(a); mutex_lock(b);
    mutex_unlock(b); mutex_unlock(a); mutex_unlock(h); mutex_unlock(g); }
thread u { mutex_lock(g); mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); mutex_unlock(g); }
"""
AND_ANOTHER = """
thread v { mutex_lock(h); mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); mutex_unlock(h); }
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TWO_GATES, "gated by g"),
        (TWO_GATES + AND_ANOTHER, "gated by g and h, in each way by one of them"),
        (
            TWO_GATES.replace("u { mutex_lock(g);", "u { mutex_lock(g); mutex_lock(h);").replace(
                "mutex_unlock(b); mutex_unlock(g); }", "mutex_unlock(b); mutex_unlock(h); mutex_unlock(g); }"
            ),
            "gated by g and h, each of which suffices",
        ),
    ],
)
def test_several_gates_are_told_with_what_each_of_them_does(text: str, told: str) -> None:
    report = checked(text + "scenario s { expect order(a, b) gated by a; }")
    (finding,) = (each for each in found(report, "lock_order") if set(each.cause) == {"a", "b"})
    assert finding.message == f"a and b are taken in contradictory orders: never a deadlock, {told}"
    assert [each.why for each in report.checked] == [told]
