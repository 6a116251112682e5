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
