"""The native engine by itself: exact counts, limits, sizes of states and tables, choices that are hard to compile."""

from __future__ import annotations

import builtins
import re
import signal
import sys
import tomllib
from typing import Any

import pytest

import modelcheck
from modelcheck import pipeline
from modelcheck.engine import auto, native, reference
from modelcheck.engine.engine import Answers, Limits
from modelcheck.engine.kernel.store import Store
from modelcheck.engine.kernel.worker import Sizes
from modelcheck.engine.memory import resident_memory
from modelcheck.language.elaborate import elaborate
from modelcheck.language.parser import parse
from modelcheck.report.json_report import report_document
from modelcheck.report.text import file_text
from modelcheck.result.verdict import Statistics
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import CannotFinish, StuckForEver
from modelcheck.semantics.transition_system import TransitionSystem, transition_system
from modelcheck.source import Source
from tests.agreement import shapes
from tests.agreement.test_native import TINY, differs, native_differs
from tests.cli.running import LARGE
from tests.transcript import ROOT

VERY_LARGE = 5_000_000


def system_of(text: str) -> TransitionSystem:
    return transition_system(elaborate((parse(Source("test.mck", text)),), {}, None))


def explored(text: str, limits: Limits | None = None, sizes: Sizes | None = None) -> Answers:
    system = system_of(text)
    assert native.fitting_text(Interpreter(system), ()) is not None
    return native.explore(system, questions(system), limits or Limits(), None, sizes)


def counts(answers: Answers) -> tuple[int, int, int]:
    found = answers.statistics
    return found.states, found.transitions, found.depth


def agrees(text: str, sizes: Sizes | None = None) -> None:
    """Assert that both engines say the same."""
    system = system_of(text)
    ours = reference.explore(system, questions(system), Limits())
    assert differs(ours, explored(text, sizes=sizes)) == ""


# --- counts --------------------------------------------------------------------------------------


def _counted() -> list[Any]:
    rows = tomllib.loads((ROOT / "benchmarks" / "counts.toml").read_text(encoding="utf-8"))["count"]
    cases = []
    for row in rows:
        chosen = row.get("scenario") or " ".join(f"{k}={v}" for k, v in row.get("parameters", {}).items())
        marks = [pytest.mark.slow] if row["states"] > VERY_LARGE else []
        cases.append(pytest.param(row, id=f"{row['file']} {chosen}".strip(), marks=marks))
    return cases


@pytest.mark.parametrize("row", _counted())
def test_a_model_has_exactly_the_states_and_transitions_that_were_derived(row: dict[str, Any]) -> None:
    model = modelcheck.load(ROOT / row["file"], scenario=row.get("scenario"), **row.get("parameters", {}))
    answers = native.explore(transition_system(model), (), Limits())
    assert counts(answers)[:2] == (row["states"], row["transitions"])
    if "depth" in row:
        assert answers.statistics.depth == row["depth"]


def test_a_state_of_one_word_takes_at_most_twenty_bytes() -> None:
    system = transition_system(modelcheck.load(ROOT / "benchmarks" / "twin.mck", NT=4))
    assert native.explore(system, (), Limits()).statistics.bytes_per_state <= 20
    assert 18 < native.explore(system, questions(system), Limits()).statistics.bytes_per_state <= 20


@pytest.mark.parametrize("last", [700, 800, 900, 999])
def test_a_state_takes_twelve_bytes_more_than_its_words_though_all_threads_are_lost(last: int) -> None:
    answers = explored(
        f"""model m marked; var a: 0 .. {last}; var b: 0 .. {last}; var wide: 0 .. {(1 << 62) - 1};
        thread one {{ while (a < {last}) {{ a++; }} await(wide == 1); }}
        thread two {{ while (b < {last}) {{ b++; }} await(wide == 1); }}"""
    )
    (one, two) = answers.found
    assert isinstance(one.question, StuckForEver)
    assert isinstance(two.question, StuckForEver)
    assert (one.level, one.states, two.states) == (2 * last + 1, 2 * (last + 1), 2 * (last + 1))
    assert answers.statistics.bytes_per_state <= 16 + 12


# --- who is lost -------------------------------------------------------------------------------

# Neither thread can step where the other can, so that no state by itself shows that both may.
IN_TURN = """model m marked; var turn: 0..1; var a: 0..3; var b: 0..3; var over: bool;
    daemon thread one { loop { await(turn == 0 && !over); a = (a + 1) % 4; turn = 1; } }
    daemon thread two { loop { await(turn == 1 && !over); b = (b + a) % 4; turn = 0; } }
    """

# Once `quit` has happened, which can be in every round, nobody comes back.
QUITS = IN_TURN + "thread quit { await(a == 3 && b == 2); over = true; await(b == 3); }"

# A thread retries for ever, but may also succeed.
RETRIES = """model m marked; mutex l; var lost: bool;
    thread one { mutex_lock(l); either { lost = true; loop { skip; } } or { skip; } mutex_unlock(l); }
    thread two { while (!mutex_trylock(l)) { skip; } mutex_unlock(l); }
    thread three { mutex_lock(l); mutex_unlock(l); }
    """


@pytest.mark.parametrize("walks", [1, 1 << 20])
@pytest.mark.parametrize("text", [IN_TURN, QUITS, RETRIES], ids=["in turn", "quits", "retries"])
def test_who_is_lost_does_not_depend_on_what_random_walks_show(text: str, walks: int) -> None:
    agrees(text, Sizes(walks=walks))
    agrees(text, Sizes(walks=walks, batch=1))


def test_few_losses_are_found_among_many_states() -> None:
    """`quit` is lost where `one` looks again before it goes: alone, or with `two` still on its way, or after it."""
    answers = explored(
        """model m marked; var a: 0 .. 399; var b: 0 .. 399; var gone: bool;
        daemon thread one { loop { await(!gone); a = (a + 1) % 400; } }
        daemon thread two { loop { await(!gone); b = (b + 1) % 400; } }
        thread quit { atomic { await(a == 399 && b == 399); gone = true; } await(a == 0); }"""
    )
    assert [(type(found.question).__name__, found.level, found.states) for found in answers.found] == [
        ("StuckForEver", 1597, 3)
    ]


@pytest.mark.parametrize("threads", [10, 11, 21])
def test_who_is_lost_is_told_of_many_threads(threads: int) -> None:
    """The last one could wake all others, and never does."""
    last = threads - 1
    system = system_of(
        f"""model m marked; var turn: 0 .. {last}; var wakes: bool;
        thread t[{last}] {{ await(turn == self); either {{ turn = self + 1; }} or {{ while (!wakes) {{ skip; }} }} }}
        daemon thread one {{ loop {{ if (wakes) {{ turn = 0; }} }} }}"""
    )
    found = native.explore(system, questions(system), Limits()).found
    assert {type(each.question) for each in found} == {StuckForEver, CannotFinish}
    assert native_differs(system) == ""


# --- traces --------------------------------------------------------------------------------------


def test_more_findings_than_share_a_sweep_have_the_traces_of_the_reference_engine() -> None:
    apart = "".join(f"invariant no{n}: !(a == {n % 9} && b == {n // 9}); " for n in range(1, 75))
    text = f"""model m marked; var a: 0 .. 8; var b: 0 .. 8; {apart}
        thread one {{ loop {{ a = (a + 1) % 9; assert(a + b != 7); }} }}
        thread two {{ loop {{ either {{ b = (b + 1) % 9; }} or {{ b = (b + 2) % 9; }} assert(a * b != 12); }} }}"""
    system = system_of(text)
    assert len(native.explore(system, questions(system), Limits()).found) == 76
    assert native_differs(system) == ""


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [1, 2])
def test_a_state_may_be_all_ones(words: int) -> None:
    parts = [f"x{n}" for n in range(8 * words - 1)]
    variables = " ".join(f"var {name}: 0..255 = 255;" for name in parts)
    flips = " ".join(f"thread t{n} {{ {name} = 0; skip; {name} = 255; }}" for n, name in enumerate(parts[:2]))
    # The last byte: four bits of y, and two for the place of each thread, which is 3 before its last statement.
    text = f"model ones marked; {variables} var y: 0..15 = 15; {flips}"
    system = system_of(text)
    program = native.fitting_text(Interpreter(system), ())
    assert program is not None
    states = shapes.explored(system, 100).steps
    assert max(tuple(program.layout.pack(state)) for state in states) == (2**64 - 1,) * words
    agrees(text)
    agrees(text, TINY)


@pytest.mark.parametrize("words", range(1, 9))
def test_a_state_may_take_several_words(words: int) -> None:
    size = 1 << 20
    cells = 3 * words - 2
    text = f"""model wide marked; type Cell = 0 .. {cells - 1};
        var x[Cell]: 0 .. {size - 1} = {size - 1}; var sum: 0 .. 3;
        thread one {{ choose n: Cell; x[n] = x[n] - 1; x[{cells - 1} - n] = n; assert(x[n] != n); }}
        thread two {{ choose n: Cell; if (x[n] == {size - 1}) {{ sum++; }} await(x[0] == 7 || sum == 0); }}
        """
    program = native.fitting_text(Interpreter(system_of(text)), ())
    assert program is not None
    assert program.layout.words == words
    agrees(text, TINY if words % 2 else None)


def test_an_element_is_never_split_between_words() -> None:
    system = system_of(
        "model m marked; var x[0 .. 40]: 0..6; var y[0 .. 20]: 0 .. 1000000; thread t { x[3] = 1; }"
    )
    text = native.fitting_text(Interpreter(system), ())
    assert text is not None
    assert all(field.shift + field.bits <= 64 for field in text.layout.fields)
    words = text.layout.pack(system.declared)
    assert text.layout.unpack(words) == system.declared


def test_a_thread_and_a_lock_lie_in_one_word() -> None:
    model = modelcheck.load(ROOT / "specs" / "zone_adjacency.mck", scenario="adjacent")
    system = transition_system(model)
    text = native.fitting_text(Interpreter(system), ())
    assert text is not None
    for thread in model.threads:
        own = {
            f.word for f, c in zip(text.layout.fields, system.cells, strict=True) if c.thread == thread.number
        }
        assert len(own) == 1, thread.name
    assert text.layout.words == 2


def test_the_table_grows_twenty_times_and_then_makes_room_for_the_sweeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    real = Store._resize_table

    def resize_table(store: Store, size: int) -> None:
        sizes.append(size)
        real(store, size)

    monkeypatch.setattr(Store, "_resize_table", resize_table)
    text = LARGE.replace("999", "49").replace("1000", "50")
    answers = explored(text, sizes=Sizes(table=1, growth=1.2, guarded=True))
    assert counts(answers) == (50**3, 3 * 50**3, 3 * 49)
    *growing, last = sizes
    assert len(growing) > 20
    assert growing == sorted(growing)
    assert 50**3 < last < growing[-1]


def test_a_level_may_have_a_million_states() -> None:
    answers = explored(
        """model m marked; var x: 0 .. 999999;
        thread t { atomic { choose n: 0 .. 999; choose k: 0 .. 999; x = 1000 * n + k; } }"""
    )
    assert counts(answers) == (1 + 1_000_000, 1_000_000, 1)


@pytest.mark.slow
def test_there_may_be_a_million_initial_states() -> None:
    system = system_of(
        """model m marked; var x: 0 .. 999; var y: 0 .. 999; var moved: bool;
        init { choose n: 0 .. 999; choose k: 0 .. 999; x = n; y = k; }
        thread t { moved = true; }"""
    )
    assert counts(native.explore(system, (), Limits())) == (2_000_000, 1_000_000, 1)


def test_what_is_seen_in_very_many_states_at_once_is_counted() -> None:
    answers = explored(
        """model m marked; var x: 0 .. 99999; invariant small: x < 10;
        thread t { atomic { choose n: 0 .. 99; choose k: 0 .. 999; x = 1000 * n + k; } }"""
    )
    (found,) = answers.found
    assert (found.level, found.states, found.trace.steps[0].choices) == (1, 99_990, (0, 10))


# --- choices, tests and errors within one step ---------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "atomic { choose n: 0..2; if (n == 1) { choose k: 0..1; x = k; } y = n; x = x + y; }",
        "atomic { either { choose n: 0..2; x = n; } or { y = 1; } either { x++; } or { y++; } assert(x < 3); }",
        "atomic { choose n: 0..3 where n != x; choose k: 0..3 where k > n; x = k; y = n; }",
        "atomic { if (x == 0) { either { x = 1; } or { x = 2; } } else { choose n: 0..2; y = n; } x = (x + y) % 3; }",
        "atomic { either { assert(y == 0); y = 1; } or { choose n: 0..1; a[n] = 3 / x; } x = a[x % 2]; }",
        "a[x - 1] = 1; x = a[0] << y; y = a[y] / x; x = (x - 3) & y;",
    ],
)
def test_outcomes_of_one_step_are_those_of_the_interpreter(body: str) -> None:
    text = f"""model m marked; var x: 0..3; var y: 0..3; var a[0..1]: 0..3;
    thread one {{ {body} }} thread two {{ x = 2; y = 1; {body} }}"""
    agrees(text)
    agrees(text, TINY)


def test_crossings_of_a_path_that_fails_are_not_noted() -> None:
    agrees(
        """model m marked; mutex l; var x: 0..1;
        op f() { mutex_lock(l); either { assert(x == 1); } or { x = 1; } mutex_unlock(l); }
        thread one { f(); } thread two { f(); }"""
    )


# --- limits --------------------------------------------------------------------------------------


def test_a_limit_of_states_is_kept_exactly() -> None:
    answers = explored(LARGE, Limits(states=100_000))
    assert (answers.statistics.states, answers.stopped) == (100_000, "limit of 100000 states")


def test_what_was_found_before_a_limit_is_kept() -> None:
    answers = explored(LARGE + "invariant small: a < 3;", Limits(states=50_000))
    (found,) = answers.found
    assert (answers.stopped, found.level, len(found.trace.steps)) == ("limit of 50000 states", 3, 3)


def test_a_limit_of_time_is_kept() -> None:
    assert explored(LARGE, Limits(seconds=0.3)).stopped == "limit of 0.3 seconds"


def test_a_limit_of_memory_is_kept() -> None:
    answers = explored(LARGE, Limits(memory=resident_memory() + (40 << 20)))
    assert answers.stopped.endswith("of memory")
    assert answers.statistics.states > 100_000


def test_an_interrupt_keeps_what_is_known() -> None:
    system = system_of(LARGE + "invariant small: a < 3;")

    def interrupt(_statistics: Statistics, _frontier: int) -> None:
        signal.raise_signal(signal.SIGINT)

    answers = native.explore(system, questions(system), Limits(), interrupt)
    assert answers.stopped == "interrupted"
    assert [found.level for found in answers.found] == [3]


def test_progress_is_told() -> None:
    told: list[int] = []
    system = system_of(LARGE)
    native.explore(system, (), Limits(seconds=1.5), lambda statistics, _: told.append(statistics.states))
    assert told == sorted(told)
    assert told


# --- which engine --------------------------------------------------------------------------------


def test_a_model_that_does_not_fit_is_left_to_the_reference_engine() -> None:
    text = "model m marked; var x: 0..30; thread t[30] { x = 1; } scenario s { limit states 100; }"
    system = system_of(text)
    assert native.fitting_text(Interpreter(system), ()) is None
    answers = native.explore(system, (), Limits(states=100))
    assert differs(reference.explore(system, (), Limits(states=100)), answers) == ""


@pytest.mark.parametrize("states", [10, 12])
def test_auto_says_what_both_engines_say(monkeypatch: pytest.MonkeyPatch, states: int) -> None:
    monkeypatch.setattr(auto, "QUICKLY", states)
    text = """model m; mutex a; mutex b;
    thread one { mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); }
    thread two { mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); }"""
    system = system_of(text)
    expected = reference.explore(system, questions(system), Limits())
    assert differs(expected, auto.explore(system, questions(system), Limits())) == ""


def test_a_report_does_not_depend_on_the_engine_but_says_which_it_was() -> None:
    def told(engine: str) -> list[str]:
        report = pipeline.check(ROOT / "specs" / "lock_inversion.mck", pipeline.Options(engine=engine))
        lines = file_text(report).splitlines()
        assert [", native engine, " in line for line in lines[1:2]] == [engine == "native"]
        return [re.sub(r"(native engine, )?[\d.]+ s\b", "T s", line) for line in lines]

    assert told("native") == told("reference") == told("auto")


# --- what is said when another engine answers ----------------------------------------------------

MANY_THREADS = "model m marked; var x: 0..30; thread t[30] { x = 1; }"
LARGE_STATE = "model m marked; type C = 0 .. 99; var x[C]: 0 .. 4000000000; thread t { x[3] = 1; }"
SMALL = "model m marked; var x: 0..3; thread t { x = 1; }"


def answered(text: str, engine: str, states: int | None = None) -> tuple[str, str]:
    options = pipeline.Options(engine=engine, limits=Limits(states=states))
    (model,) = pipeline.models((parse(Source("test.mck", text)),), options)
    statistics = pipeline.check_model(model, options).statistics
    return statistics.engine, statistics.fallback


@pytest.mark.parametrize("engine", ["native", "auto"])
def test_a_fallback_is_told_with_its_reason(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "QUICKLY", 1)
    assert answered(MANY_THREADS, engine, 50) == (
        "reference",
        "it has 30 threads, and 21 at most are supported",
    )
    assert answered(LARGE_STATE, engine) == (
        "reference",
        "a state takes 51 words of 64 bits, and at most 32 are supported",
    )
    assert answered(SMALL, engine) == ("native", "")


def test_where_the_reference_engine_is_wanted_there_is_no_fallback() -> None:
    assert answered(MANY_THREADS, "reference", 50) == ("reference", "")
    assert answered(SMALL, "auto") == ("reference", "")
    assert answered(SMALL, "z3") == ("z3", "")


@pytest.mark.parametrize("engine", ["native", "auto"])
@pytest.mark.parametrize("problem", ["missing", "broken", "no target"])
def test_a_compiler_that_cannot_be_used_is_told(
    engine: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "QUICKLY", 1)

    def no_target() -> None:
        raise RuntimeError("Unable to find target for this triple (no targets are registered)\nmore")

    def broken(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "llvmlite":
            raise OSError("Could not find/load shared object file")
        return imported(name, *rest)

    imported = builtins.__import__
    if problem == "missing":
        monkeypatch.setitem(sys.modules, "llvmlite", None)
        monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    elif problem == "broken":
        monkeypatch.setattr(builtins, "__import__", broken)
    else:
        monkeypatch.setattr("llvmlite.binding.initialize_native_target", no_target)
    by, why = answered(SMALL, engine)
    reasons = {
        "missing": "llvmlite cannot be used (import of llvmlite.binding halted; None in sys.modules)",
        "broken": "llvmlite cannot be used (Could not find/load shared object file)",
        "no target": "llvmlite cannot be used (Unable to find target for this triple (no targets are registered))",
    }
    assert (by, why) == ("reference", reasons[problem])


def test_no_memory_for_the_buffers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError("Cannot allocate memory")

    monkeypatch.setattr("modelcheck.engine.kernel.store.Buffer", refused)
    monkeypatch.setattr("modelcheck.engine.kernel.memory.Buffer", refused)
    assert answered(SMALL, "native") == ("reference", "there is no memory for its buffers")


def test_the_report_says_which_engine_answered_and_why() -> None:
    options = pipeline.Options(engine="native", limits=Limits(states=50))
    specs = (parse(Source("test.mck", MANY_THREADS)),)
    report = pipeline.check_specification(specs, "test.mck", options)
    told = file_text(report).splitlines()
    assert told[2] == (
        "  by the reference engine, not the native one: it has 30 threads, and 21 at most are supported"
    )
    (scenario,) = report_document((report,))["files"][0]["scenarios"]
    assert (scenario["engine"], scenario["statistics"]["engine"]) == ("native", "reference")
    assert scenario["statistics"]["fallback"] == "it has 30 threads, and 21 at most are supported"
