"""Lock invariants: each critical section on its own, for any number of threads (SEMANTICS H21)."""

from __future__ import annotations

import pytest

import modelcheck
from modelcheck.engine.engine import Limits
from modelcheck.engine.lock_invariant import lock_invariants
from modelcheck.language.elaborate import elaborate
from modelcheck.language.parser import parse
from modelcheck.semantics.transition_system import transition_system
from modelcheck.source import Source
from tests.transcript import ROOT

PAGES = """
model pages;
const FRAMES = 1 << 36;
type Frame = 0 .. FRAMES;
percpu_rwsem mem_hotplug_lock;
mutex other;
var start: Frame = 0 guarded_by mem_hotplug_lock;
var end: Frame = 0 guarded_by mem_hotplug_lock;
var present: Frame = 0 guarded_by mem_hotplug_lock;
var hint: 0 .. 9 = 0 guarded_by other;
op grow(n: 0 .. 65536) {
    percpu_down_write(mem_hotplug_lock);
    if (end + n <= FRAMES) {
        end += n;
        BODY
    }
    percpu_up_write(mem_hotplug_lock);
}
thread adder { grow(65536); }
invariant when free(mem_hotplug_lock) span: start <= end && present == end - start;
"""


def proof(text: str, name: str = "span") -> str:
    system = transition_system(elaborate((parse(Source("pages.mck", text)),)))
    return lock_invariants(system, Limits())[name].reason


def test_a_section_over_ranges_as_large_as_page_frames_is_proved() -> None:
    assert proof(PAGES.replace("BODY", "present += n;")) == ""


def test_a_section_that_forgets_a_counter_is_not() -> None:
    assert "can end without it" in proof(PAGES.replace("BODY", "skip;"))


def test_what_another_lock_guards_may_change_at_any_moment() -> None:
    text = PAGES.replace("BODY", "mutex_lock(other); hint = 1; mutex_unlock(other); present += n;")
    assert proof(text) == ""
    wrong = text.replace("&& present ==", "&& hint == 0 && present ==")
    assert "is not declared guarded_by mem_hotplug_lock" in proof(wrong)


def test_an_unguarded_write_refutes_the_premise() -> None:
    text = PAGES.replace("BODY", "present += n;") + 'thread early { unguarded("boot") present = 0; }'
    assert "writes `present` unguarded" in proof(text)


def test_a_loop_that_is_not_followed_to_its_end_proves_nothing() -> None:
    body = "present += n; while (hint < 9) { skip; }"
    assert "has a loop" in proof(PAGES.replace("BODY", body))


def test_an_invariant_that_leans_on_one_that_is_not_proved_is_not_proved() -> None:
    text = """
model nested;
mutex a;
mutex b;
var x: 0 .. 9 = 0 guarded_by a;
var y: 0 .. 9 = 0 guarded_by b;
thread t {
    mutex_lock(a);
    mutex_lock(b);
    x = y;
    mutex_unlock(b);
    mutex_unlock(a);
}
thread u { mutex_lock(b); y = LIMIT; mutex_unlock(b); }
invariant when free(a) small_x: x < 5;
invariant when free(b) small_y: y < 5;
"""
    good = text.replace("LIMIT", "4")
    assert (proof(good, "small_x"), proof(good, "small_y")) == ("", "")
    bad = text.replace("LIMIT", "5")
    assert "can end without it" in proof(bad, "small_y")
    assert "leans on small_y" in proof(bad, "small_x")


@pytest.mark.parametrize(("scenario", "proved"), [("adjacent", True), ("test_forgotten", False)])
def test_zone_adjacency_is_proved_where_it_is_tested(scenario: str, *, proved: bool) -> None:
    model = modelcheck.load(ROOT / "specs" / "zone_adjacency.mck", scenario=scenario)
    reason = lock_invariants(transition_system(model), Limits())["zones_adjacent"].reason
    assert (reason == "") is proved


@pytest.mark.parametrize(("scenario", "proved"), [("e0_alone", True), ("test_forgotten", False)])
def test_zone_adjacency_is_proved_with_removal_too(scenario: str, *, proved: bool) -> None:
    model = modelcheck.load(ROOT / "specs" / "memory_hotplug" / "zones.mck", scenario=scenario)
    reason = lock_invariants(transition_system(model), Limits())["zones_adjacent"].reason
    assert (reason == "") is proved


HEAD = "model m; mutex l; var x: 0 .. 9 = 0 guarded_by l;\n"
TAIL = "\ninvariant when free(l) span: x == 0;"


@pytest.mark.parametrize(
    "body",
    [
        "mutex_lock(l); x = VALUE; mutex_unlock(l);",
        "guard(mutex)(l); x = VALUE;",
        "if (mutex_lock_interruptible(l)) { return; } x = VALUE; mutex_unlock(l);",
        "if (mutex_trylock(l)) { x = VALUE; mutex_unlock(l); }",
        "var got: bool; got = mutex_trylock(l); if (got) { x = VALUE; mutex_unlock(l); }",
        "var got: bool; atomic { got = mutex_trylock(l); } if (got) { x = VALUE; mutex_unlock(l); }",
        "mutex_lock(l); atomic { x = 7; x = VALUE; } atomic { mutex_unlock(l); }",
        "mutex_lock(l); x = 7; x = VALUE; mutex_unlock(l);",
    ],
)
def test_however_a_lock_is_taken_and_given_back_its_section_is_looked_at(body: str) -> None:
    text = HEAD + "thread t { " + body + " }" + TAIL
    assert proof(text.replace("VALUE", "0")) == ""
    assert proof(text.replace("VALUE", "5")).endswith("can end without it: x = 0 before, x = 5 after")


def test_every_element_that_may_be_meant_needs_the_lock() -> None:
    text = """
model m;
type B = 0 .. 1;
mutex l[B];
var i: B = 1 guarded_by l[0];
var x[b: B]: 0 .. 9 = 0 guarded_by l[b];
thread t { mutex_lock(l[1]); x[1] = 5; mutex_unlock(l[1]); }
invariant when free(l[0]) span: x[i] == 0;
"""
    assert "`x` is not declared guarded_by l" in proof(text)


def test_an_instance_that_is_chosen_at_run_time_is_followed() -> None:
    text = """
model m;
type B = 0 .. 1;
mutex l[B];
var x[b: B]: 0 .. 9 = 0 guarded_by l[b];
var y[b: B]: 0 .. 9 = 0 guarded_by l[b];
thread t { choose b: B; mutex_lock(l[b]); x[b] = 5; y[b] = VALUE; mutex_unlock(l[b]); }
invariant when free(l[0]) span: x[0] == y[0];
"""
    assert proof(text.replace("VALUE", "5")) == ""
    assert "can end without it" in proof(text.replace("VALUE", "4"))


def test_no_time_is_no_proof_and_no_crash() -> None:
    text = HEAD + "thread t { mutex_lock(l); mutex_unlock(l); }" + TAIL
    system = transition_system(elaborate((parse(Source("pages.mck", text)),)))
    assert "0 seconds" in lock_invariants(system, Limits(seconds=0))["span"].reason


DOWNGRADED = """
rwsem s;
var a: 0 .. 100000 = 0 guarded_by s;
var b: 0 .. 100000 = 0 guarded_by s;
thread w { down_write(s); if (a < 100000) { a++; BODY } downgrade_write(s); up_read(s); }
thread k { if (down_write_killable(s)) return; b = a; up_write(s); }
thread r { down_read(s); up_read(s); fatal_signal(k); }
invariant when free(s) same: a == b;
"""


def test_a_section_that_ends_in_a_downgrade_is_proved_or_not_where_it_stops_writing() -> None:
    assert proof(DOWNGRADED.replace("BODY", "b++;"), "same") == ""
    assert "can end without it" in proof(DOWNGRADED.replace("BODY", "skip;"), "same")
