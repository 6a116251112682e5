"""The lessons: short, alone, true, and each question has the answer that a reader finds by changing one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

import modelcheck
from modelcheck.language.parser import parse
from modelcheck.language.syntax import Import
from modelcheck.pipeline import Options, check_model, check_specification, models
from modelcheck.source import Source
from tests.checking import names
from tests.transcript import ROOT

LESSONS = sorted((ROOT / "specs" / "lessons").glob("*.mck"))

LOCK_INSIDE = "    if (LOCKED) { mutex_lock(zone_lock); }\n    old = zone_pages;\n    zone_pages = old + 1;\n"
UNLOCK_H, LOCK_D = "    mutex_unlock(hotplug_lock);\n", "    mutex_lock(device_lock);\n"
RELEASE = "    if (GATE) { mutex_unlock(device_hotplug_lock); }\n"
WRITE = "    percpu_down_write(mem_hotplug_lock);\n"

ANSWERS = [
    ("01_lost_update", "broken", LOCK_INSIDE, "    zone_pages++;\n", {"race"}),
    (
        "02_ab_ba",
        "broken",
        LOCK_D + "    mutex_unlock(device_lock);\n" + UNLOCK_H,
        UNLOCK_H + LOCK_D + "    mutex_unlock(device_lock);\n",
        set[str](),
    ),
    ("03_lock_order_and_gate", "repaired", WRITE + RELEASE, RELEASE + WRITE, {"circular_wait", "lock_order"}),
    (
        "04_recursive_read",
        "reads_again",
        "{ run show;",
        "{ run show, online;",
        {"circular_wait", "lock_order"},
    ),
    (
        "05_pending_writer",
        "broken",
        "thread offline {",
        "thread offline { guard(mutex)(slab_mutex);",
        {"circular_wait", "lock_order"},
    ),
    ("06_try_and_restart", "broken", "", "", {"stuck", "cannot_finish"}),
    (
        "07_lost_wake_up",
        "repaired",
        "    pages_free = true;\n    wake_up(offline_wait);\n",
        "    wake_up(offline_wait);\n    pages_free = true;\n",
        {"stuck"},
    ),
    (
        "08_guarded_by",
        "broken",
        "        if (free_pages == 0) { return; }\n",
        "        if (data_race(free_pages) == 0) { return; }\n",
        {"race", "range"},
    ),
    (
        "09_rcu",
        "repaired",
        "    section = false;\n    if (WAITS) { synchronize_rcu(); }\n",
        "    if (WAITS) { synchronize_rcu(); }\n    section = false;\n",
        {"assertion"},
    ),
    (
        "10_reference_counts",
        "broken",
        "        refcount_inc(block);\n",
        "        if (allocated) { refcount_inc(block); }\n",
        {"lock_rules", "not_freed"},
    ),
]
"""Lesson, the scenario to look at, the text that the question changes, how, and what is violated then."""


def test_there_are_ten_in_order_and_each_has_its_question_answered() -> None:
    assert [path.stem for path in LESSONS] == [lesson for lesson, *_ in ANSWERS]
    assert [path.stem[:2] for path in LESSONS] == [f"{number:02}" for number in range(1, 11)]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_short_and_alone_and_asks_something(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 30
    assert text.count("// Question: ") == 1
    tree = parse(Source(path.name, text))
    assert not [each for each in tree.declarations if isinstance(each, Import)]
    assert tree.description.startswith(f"Lesson {int(path.stem[:2])}, ")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_shows_the_broken_and_the_repaired_design(path: Path) -> None:
    report = modelcheck.check_file(path)
    found = {scenario.model.scenario.name: scenario for scenario in report.scenarios}
    assert found["broken"].violations
    assert not found["repaired"].violations
    for name, scenario in found.items():
        assert "count" in {each.kind for each in scenario.model.scenario.expectations}, name
        assert [(c.text, c.status) for c in scenario.checked if c.status != "met"] == [], name


def test_nothing_in_a_lesson_is_vacuous_but_what_its_comment_explains() -> None:
    told = {path.stem: [each.message for each in modelcheck.check_file(path).vacuous] for path in LESSONS}
    assert {lesson: messages for lesson, messages in told.items() if messages} == {
        "09_rcu": ["`device_lock` never made anybody wait: not needed, or the contention is not in the model"]
    }


@pytest.mark.parametrize(
    ("lesson", "scenario", "before", "after", "violated"), ANSWERS, ids=[answer[0] for answer in ANSWERS]
)
def test_the_question_of_a_lesson_has_this_answer(
    lesson: str, scenario: str, before: str, after: str, violated: set[str]
) -> None:
    text = (ROOT / "specs" / "lessons" / f"{lesson}.mck").read_text(encoding="utf-8")
    assert before in text
    changed = text.replace(before, after, 1) if before else text
    (model,) = models((parse(Source("lesson.mck", changed)),), Options(scenario=scenario))
    assert names(check_model(model)) == violated


def test_a_second_remover_ends_the_warning_of_the_lesson_on_rcu() -> None:
    text = (ROOT / "specs" / "lessons" / "09_rcu.mck").read_text(encoding="utf-8")
    two = text.replace("thread remove {", "thread remove[2] {")
    assert check_specification((parse(Source("two.mck", two)),), "two.mck").vacuous == ()
