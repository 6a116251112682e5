"""Every limit, and Ctrl-C at every moment, ends in what is known: unknown for the rest, never a crash."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from modelcheck import pipeline
from modelcheck.analysis import judge as judging
from modelcheck.analysis.lock_order import lock_order
from modelcheck.engine import memory, native, native_answers, reference
from modelcheck.engine.engine import Answers, Limits
from modelcheck.engine.kernel.store import Store
from modelcheck.engine.memory import _of_groups, free_memory, resident_memory
from modelcheck.engine.watch import INTERRUPTED, StoppedError, Watch
from modelcheck.semantics.asking import questions
from tests.checking import checked
from tests.engine.test_native import system_of

ENGINES = pytest.mark.parametrize("engine", [reference, native], ids=["reference", "native"])

FINDINGS = """model findings; mutex a; mutex b; var x: 0..9 marked; var y: 0..9 marked;
invariant near: x < 2; invariant far: x < 7; reachable there: x == 5;
thread one { for (i: 0..8) { x++; } mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); }
thread two { for (i: 0..8) { y++; } mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); }"""

FAR_ONLY = FINDINGS.replace("invariant near: x < 2; ", "")


def explored(engine: object, text: str, limits: Limits | None = None) -> Answers:
    system = system_of(text)
    answers = engine.explore(system, questions(system), limits or Limits())  # type: ignore[attr-defined]
    assert isinstance(answers, Answers)
    return answers


def interrupt(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


def once(act: Callable[..., None], wrapped: Callable[..., object], at: int = 1) -> Callable[..., object]:
    """Return the function, which the `at`-th time does something else first."""
    calls = 0

    def called(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at:
            act()
        return wrapped(*arguments, **named)

    return called


# --- Ctrl-C --------------------------------------------------------------------------------------


def causes(answers: Answers) -> list[str]:
    return [getattr(found.question, "name", type(found.question).__name__) for found in answers.found]


ALL = ["near", "there", "far", "CircularWaits", "CannotFinish"]


@ENGINES
def test_without_an_interrupt_everything_is_found(engine: object) -> None:
    answers = explored(engine, FINDINGS)
    assert (answers.stopped, set(causes(answers))) == ("", set(ALL[:4]))


@ENGINES
def test_an_interrupt_of_the_search_keeps_what_was_found(
    engine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelcheck.engine.watch._LOOK_EVERY", 1)
    monkeypatch.setattr(Watch, "look_closely", once(interrupt, Watch.look_closely, at=20))
    answers = explored(engine, FINDINGS)
    assert answers.stopped == INTERRUPTED
    assert "near" in causes(answers)
    assert len(answers.found[0].trace.steps) == 2


@ENGINES
def test_an_interrupt_of_the_look_back_keeps_what_was_found(
    engine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = "note_losses" if engine is reference else "look_back"
    monkeypatch.setattr(engine, target, once(interrupt, getattr(engine, target)))
    answers = explored(engine, FINDINGS)
    assert answers.stopped == INTERRUPTED
    assert set(causes(answers)) == set(ALL[:4])


@ENGINES
def test_an_interrupt_of_the_traces_keeps_those_that_were_made(
    engine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = reference if engine is reference else native_answers
    monkeypatch.setattr(where, "_found", once(interrupt, where._found, at=2))
    answers = explored(engine, FINDINGS)
    assert (answers.stopped, causes(answers)) == (INTERRUPTED, ["near", "there"])


@ENGINES
def test_a_second_interrupt_is_heard_at_once(engine: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice() -> None:
        interrupt()
        interrupt()

    where = reference if engine is reference else native_answers
    monkeypatch.setattr(where, "_found", once(twice, where._found, at=2))
    answers = explored(engine, FINDINGS)
    assert (answers.stopped, causes(answers)) == (INTERRUPTED, ["near"])


@ENGINES
def test_after_an_interrupt_traces_take_no_more_than_some_seconds(
    engine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelcheck.engine.watch._TELLING_AFTER_AN_INTERRUPT", 0.0)
    target = "note_losses" if engine is reference else "look_back"
    monkeypatch.setattr(engine, target, once(interrupt, getattr(engine, target)))
    answers = explored(engine, FINDINGS)
    assert (answers.stopped, causes(answers)) == (INTERRUPTED, ["near"])


def test_an_interrupt_while_the_table_gets_another_size_waits_until_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # In between states stand where nobody looks for them.
    monkeypatch.setattr(Store, "_set_sizes", once(interrupt, Store._set_sizes, at=3))
    text = """model m marked; var a: 0..59; var b: 0..59; var c: 0..59; invariant low: a < 3;
    thread one { loop { a = (a + 1) % 60; } } thread two { loop { b = (b + 1) % 60; } }
    thread three { loop { c = (c + 1) % 60; } }"""
    answers = explored(native, text)
    assert (answers.stopped, causes(answers)) == (INTERRUPTED, ["low"])


@ENGINES
def test_afterwards_an_interrupt_is_what_it_was_before(engine: object) -> None:
    before = signal.getsignal(signal.SIGINT)
    explored(engine, FINDINGS)
    assert signal.getsignal(signal.SIGINT) is before is signal.default_int_handler


def test_in_a_thread_that_gets_no_signals_a_search_runs_too() -> None:
    found: list[Answers] = []
    running = threading.Thread(target=lambda: found.append(explored(native, FINDINGS)))
    running.start()
    running.join()
    assert found[0].stopped == ""


def test_an_interrupt_of_the_judging_keeps_what_the_engine_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(judging, "lock_order", once(interrupted, lock_order))
    report = checked(FINDINGS)
    assert report.stopped == INTERRUPTED
    assert {f.name for f in report.violations} == {"near", "far", "circular_wait"}
    assert all(f.certified for f in report.violations)
    assert report.undecided["lock_rules"] == INTERRUPTED


def test_an_interrupt_that_cannot_wait_leaves_the_scenarios_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "model m marked; var x: 0..3; thread t { x = 1; } scenario a { expect holds; } scenario b { expect holds; }"
    path = tmp_path / "two.mck"
    path.write_text(text, encoding="utf-8")

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "check_model", once(interrupted, pipeline.check_model, at=2))
    report = pipeline.check(path)
    assert [each.model.scenario.name for each in report.scenarios] == ["a"]
    assert (report.interrupted, report.exit_code) == (True, 130)


# --- time ----------------------------------------------------------------------------------------


def late_after(seconds: float) -> Callable[[Watch], float]:
    """Return a clock on which so much time has gone once the search is over."""
    return lambda _watch: seconds


@ENGINES
def test_a_time_limit_that_the_traces_exceed_keeps_the_nearest(
    engine: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = "note_losses" if engine is reference else "look_back"
    original = getattr(engine, target)

    def slow(*arguments: object) -> object:
        answer = original(*arguments)
        monkeypatch.setattr(Watch, "seconds", property(late_after(900.0)))
        return answer

    monkeypatch.setattr(engine, target, slow)
    answers = explored(engine, FINDINGS, Limits(seconds=400))
    assert (answers.stopped, causes(answers)) == ("limit of 400 seconds", ["near"])


@ENGINES
def test_a_time_limit_ends_the_look_back(engine: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelcheck.engine.watch._LOOK_EVERY", 1)
    target = "note_losses" if engine is reference else "look_back"
    original = getattr(engine, target)

    def slow(*arguments: object) -> object:
        monkeypatch.setattr(Watch, "seconds", property(late_after(500.0)))
        return original(*arguments)

    monkeypatch.setattr(engine, target, slow)
    answers = explored(engine, FINDINGS, Limits(seconds=400))
    assert answers.stopped == "limit of 400 seconds"
    assert causes(answers) == ["near", "there", "far", "CircularWaits"]


def test_time_that_was_spent_before_counts() -> None:
    watch = Watch(Limits(seconds=10, spent=10))
    with pytest.raises(StoppedError, match=r"^limit of 10 seconds$"):
        watch.look_closely(1, 1, 1, 1)


# --- memory --------------------------------------------------------------------------------------


def test_the_search_leaves_room_for_the_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[int] = []
    monkeypatch.setattr(Watch, "need", lambda _watch, size: wanted.append(size))
    answers = explored(native, FAR_ONLY)
    deepest = max(found.level for found in answers.found)
    levels = [node["level"] for _, node in reference.graph(system_of(FAR_ONLY)).nodes(data=True)]
    before = [sum(level <= deepest + more for level in levels) for more in (0, 1)]
    # Four bytes for each state up to the deepest finding; ten for each that is on a way to it, counted as an eighth.
    assert 6 * before[0] <= max(wanted) <= 6 * before[1]


def test_a_trace_that_does_not_fit_in_memory_is_left_out_and_the_rest_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("modelcheck.engine.watch.free_memory", lambda: 40)
    answers = explored(native, FINDINGS)
    assert (answers.stopped, causes(answers)) == ("limit of the memory of this machine", ["near"])


def test_telling_may_exceed_the_limit_where_the_machine_has_the_memory() -> None:
    watch = Watch(Limits(memory=1))
    watch.need_to_tell(1000)
    with pytest.raises(StoppedError, match=r"^limit of 1 byte of memory$"):
        watch.need(0)


GROUPS = {
    "version 2": ("0::/pod/c", "pod/c", {"memory.max": "3000", "memory.high": "max", "memory.current": "1000"}, 2000),
    "its parent": ("0::/pod/c", "pod", {"memory.max": "500", "memory.current": "100"}, 400),
    "a container's own": ("0::/", "", {"memory.max": "700", "memory.current": "100"}, 600),
    "throttled before": (
        "0::/p", "p", {"memory.max": "9000", "memory.high": "500", "memory.current": "100"}, 400,
    ),
    "with a cache": (
        "0::/p", "p",
        {"memory.max": "900", "memory.current": "800", "memory.stat": "anon 3\ninactive_file 300\n"}, 400,
    ),
    "more used than allowed": ("0::/p", "p", {"memory.max": "900", "memory.current": "950"}, 0),
    "version 1": (
        "9:cpu,memory:/job", "memory/job",
        {"memory.limit_in_bytes": "5000", "memory.usage_in_bytes": "1000", "memory.stat": "total_inactive_file 50\n"},
        4050,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GROUPS)
def test_free_memory_is_that_of_the_control_group(name: str, tmp_path: Path) -> None:
    line, folder, files, left = GROUPS[name]
    (tmp_path / "cgroup").write_text(f"1:name=systemd:/x\n{line}\n", encoding="utf-8")
    inside = tmp_path / "fs" / folder
    inside.mkdir(parents=True)
    for file, content in files.items():
        (inside / file).write_text(content, encoding="utf-8")
    assert min(_of_groups(tmp_path / "cgroup", tmp_path / "fs")) == left


def test_without_a_limit_or_without_groups_the_machine_decides(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("0::/\n4:memory:/\nnonsense\n", encoding="utf-8")
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712", encoding="utf-8")
    (tmp_path / "memory" / "memory.usage_in_bytes").write_text("1000", encoding="utf-8")
    assert list(_of_groups(tmp_path / "cgroup", tmp_path)) == []
    assert list(_of_groups(tmp_path / "absent", tmp_path)) == []


def test_the_least_that_is_free_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_of_the_machine", lambda: iter([4000]))
    monkeypatch.setattr(memory, "_of_groups", lambda: iter([9000, 3000]))
    assert free_memory() == 3000
    monkeypatch.setattr(memory, "_of_the_machine", lambda: iter([]))
    monkeypatch.setattr(memory, "_of_groups", lambda: iter([]))
    assert free_memory() is None
    assert resident_memory() > 1 << 20
