"""Data races (SEMANTICS A2) and guarded_by (H4): what is found, what is not, and how it is told."""

from __future__ import annotations

import pytest

from modelcheck.result.verdict import Unknown
from tests.checking import checked, found, names

RACE = """
model race;
var x: 0..3;
thread one {{ {one} }}
thread two {{ {two} }}
"""


def racing(one: str, two: str) -> int:
    return len(found(checked(RACE.format(one=one, two=two)), "race"))


def test_two_writes_race() -> None:
    assert racing("x = 1;", "x = 2;") == 1


def test_a_read_and_a_write_race() -> None:
    assert racing("x = 1;", "var y: 0..3; y = x;") == 1


def test_two_reads_do_not_race() -> None:
    assert racing("var y: 0..3; y = x;", "var y: 0..3; y = x;") == 0


def test_the_test_of_an_if_is_an_access() -> None:
    assert racing("x = 1;", "if (x == 1) { skip; }") == 1


def test_the_condition_of_an_await_is_an_access_even_while_it_waits() -> None:
    """`T1: a=1; a=0; b=1;  T2: await(a && b)`: no two enabled statements conflict, and still it races (X9)."""
    report = checked("""
        model wait;
        var a: bool; var b: bool; var bad: bool marked;
        thread one { a = true; a = false; b = true; }
        daemon thread two { await(a && b); bad = true; }
    """)
    assert {finding.cause[1] for finding in found(report, "race")} == {"a", "b"}


def test_a_marked_read_still_races_with_a_plain_write() -> None:
    assert racing("x = 1;", "var y: 0..3; y = READ_ONCE(x);") == 1


def test_two_marked_accesses_do_not_race() -> None:
    assert racing("WRITE_ONCE(x, 1);", "var y: 0..3; y = READ_ONCE(x);") == 0


def test_a_marked_variable_does_not_race() -> None:
    report = checked("model m; var x: 0..3 marked; thread one { x = 1; } thread two { x = 2; }")
    assert names(report) == set()


def test_a_model_that_is_marked_has_no_race() -> None:
    report = checked("model m marked; var x: 0..3; thread one { x = 1; } thread two { x = 2; }")
    assert names(report) == set()


def test_statements_that_are_never_reached_together_do_not_race() -> None:
    report = checked("""
        model apart;
        mutex l; var x: 0..3;
        thread one { mutex_lock(l); x = 1; mutex_unlock(l); }
        thread two { mutex_lock(l); x = 2; mutex_unlock(l); }
    """)
    assert names(report) == set()


def test_different_elements_do_not_race() -> None:
    report = checked("""
        model elements;
        type Index = 0 .. 1;
        var x[Index]: bool;
        thread worker[Index] { x[self] = true; }
    """)
    assert names(report) == set()


def test_the_same_element_by_a_computed_index_races() -> None:
    report = checked("""
        model elements;
        type Index = 0 .. 1;
        var x[Index]: bool;
        thread worker[Index] { x[(self + 1) % 2] = true; x[self] = false; }
    """)
    (finding,) = found(report, "race")
    assert finding.cause == ("race", "x", "test.mck:5", "test.mck:5")


def test_an_index_outside_the_array_accesses_nothing() -> None:
    report = checked("""
        model bounds;
        type Index = 0 .. 1;
        var x[Index]: bool;
        thread one { var i: 0..2; i = 2; if (i < 2 && x[i]) { skip; } }
        thread two { var i: 0..2; i = 2; if (i < 2) { x[i] = true; } }
    """)
    assert names(report) == set()


def test_findings_with_one_cause_are_one_whoever_the_threads_are() -> None:
    report = checked("model m; var x: 0..3; thread p[3] { x = 1; }")
    (finding,) = found(report, "race")
    assert finding.states > 1
    assert "p[0]" in finding.message


def test_a_race_names_both_threads_and_both_lines() -> None:
    report = checked("model m;\nvar x: 0..3;\nthread one { x = 1; }\nthread two { x = 2; }\n")
    (finding,) = found(report, "race")
    assert "one writes it at test.mck:3" in finding.message
    assert "two writes it at test.mck:4" in finding.message


GUARDED = """
model guarded;
mutex l; mutex m;
percpu_rwsem s;
var x: 0..3 {rule};
thread one {{ {body} }}
"""


@pytest.mark.parametrize(
    ("rule", "body", "bad"),
    [
        ("guarded_by l", "x = 1;", True),
        ("guarded_by l", "mutex_lock(l); x = 1; mutex_unlock(l);", False),
        ("guarded_by l", "mutex_lock(m); x = 1; mutex_unlock(m);", True),
        ("guarded_by l", "if (x == 0) { skip; }", True),
        ("guarded_by l", "if (READ_ONCE(x) == 0) { skip; }", True),
        ("guarded_by l", "if (data_race(x) == 0) { skip; }", False),
        ("guarded_by l", 'unguarded("not published") x = 1;', False),
        ("guarded_by s", "percpu_down_read(s); x = 1; percpu_up_read(s);", True),
        ("guarded_by s", "percpu_down_write(s); x = 1; percpu_up_write(s);", False),
        ("guarded_by s", "percpu_down_read(s); if (x == 0) { skip; } percpu_up_read(s);", False),
        ("guarded_by (l, m)", "mutex_lock(l); x = 1; mutex_unlock(l);", True),
        (
            "guarded_by (l, m)",
            "mutex_lock(l); mutex_lock(m); x = 1; mutex_unlock(m); mutex_unlock(l);",
            False,
        ),
        ("guarded_by (l, m)", "mutex_lock(m); if (x == 0) { skip; } mutex_unlock(m);", False),
        ("guarded_by (l, m)", "if (x == 0) { skip; }", True),
        ("write_guarded_by l", "x = 1;", True),
        ("write_guarded_by l", "if (READ_ONCE(x) == 0) { skip; }", False),
        ("write_guarded_by l", "if (x == 0) { skip; }", True),
        ("write_guarded_by l", "mutex_lock(l); if (x == 0) { skip; } mutex_unlock(l);", False),
    ],
)
def test_what_a_guard_allows(rule: str, body: str, bad: bool) -> None:
    report = checked(GUARDED.format(rule=rule, body=body))
    assert bool(found(report, "guarded_by")) is bad


def test_the_lock_of_an_element_is_the_element_s() -> None:
    report = checked("""
        model elements;
        type Index = 0 .. 1;
        mutex l[Index];
        var x[i: Index]: bool guarded_by l[i];
        thread one { mutex_lock(l[0]); x[0] = true; mutex_unlock(l[0]); }
        thread two { mutex_lock(l[0]); x[1] = true; mutex_unlock(l[0]); }
    """)
    (finding,) = found(report, "guarded_by")
    assert finding.message.startswith("two writes `x`")


def test_a_lock_that_another_thread_holds_does_not_guard() -> None:
    report = checked("""
        model other;
        mutex l; var x: 0..3 guarded_by l; var go: bool marked;
        thread one { mutex_lock(l); go = true; await(!go); mutex_unlock(l); }
        thread two { await(go); x = 1; go = false; }
    """)
    assert names(report) == {"guarded_by"}


def test_what_is_exempt_from_its_guard_falls_under_the_race_check() -> None:
    report = checked("""
        model published;
        mutex l; var x: 0..3 guarded_by l;
        thread one { unguarded("not yet published") x = 1; }
        thread two { mutex_lock(l); x = 2; mutex_unlock(l); }
    """)
    assert names(report) == {"race"}


@pytest.mark.parametrize(
    ("thread", "missing"),
    [
        ("choose c: Block where c == 1; set(c);", "device_lock[1]"),
        ("mutex_lock(device_lock[1]); set(0); mutex_unlock(device_lock[1]);", "device_lock[0]"),
        ("both[1] = 2;", "all of (m, device_lock[1]) for writing"),
        ("data = 2;", "device_lock[1]"),
    ],
)
def test_the_missing_lock_is_told_with_the_index_that_it_would_have(thread: str, missing: str) -> None:
    report = checked(f"""
        model g; type Block = 0..1; mutex device_lock[Block]; percpu_rwsem m;
        var state[b: Block]: 0..3 = 0 guarded_by device_lock[b];
        var both[b: Block]: 0..3 = 0 guarded_by (m, device_lock[b]);
        var data: 0..3 = 0 guarded_by device_lock[1];
        op set(b: Block) {{ state[b] = 1; }}
        thread t {{ {thread} }}
    """)
    (finding,) = found(report, "guarded_by")
    assert finding.message.endswith(f" without holding {missing}")


@pytest.mark.parametrize(
    ("guard", "why"),
    [
        ("", "it reads `x`, which two threads access at once: see the data race"),
        ("guarded_by l", "it reads `x`, whose guard is not kept: see guarded_by"),
    ],
)
def test_of_what_is_not_protected_no_property_is_said_to_hold(guard: str, why: str) -> None:
    report = checked(f"""
        model claimed;
        mutex l;
        var x: 0..3 = 0 {guard};
        thread one {{ x = 1; }}
        thread two {{ x = 1; }}
        invariant small: x <= 1;
    """)
    (verdict,) = [o.verdict for o in report.judgement.outcomes if o.name == "small"]
    assert verdict == Unknown(why)
