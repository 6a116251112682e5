"""What no scenario of a file ever does (SEMANTICS H13)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelcheck.pipeline import Options, check
from modelcheck.report.contents import FileReport
from modelcheck.report.json_report import report_json
from modelcheck.report.text import VACUOUS, file_text
from tests.checking import all_checked, checked

TEXT = """
model vacuous;
param TRIES: bool = true;
var x: 0..3 marked;
op never(n: 0..3) { x = n; }
thread t {
    x = 1;
    if (x == 2) { never(2); }
    if (TRIES) { x = 3; } else { x = 0; }
}
invariant small: x <= 3;
"""


def vacuous(text: str, options: Options | None = None) -> list[str]:
    return [each.message for each in FileReport("test.mck", all_checked(text, options)).vacuous]


def of_thread(body: str, declarations: str = "var x: 0..3 marked; invariant i: x <= 3;") -> list[str]:
    return vacuous(f"model m; {declarations} thread t {{ {body} }}")


# --- statements, branches, choices, ops ----------------------------------------------------------


def test_what_cannot_happen_is_told_with_what_leads_there() -> None:
    assert vacuous(TEXT) == ["op `never` is never called (1 statement in it)", "`x == 2` is never true"]


def test_what_some_scenario_does_is_not_listed() -> None:
    text = TEXT.replace("x = 1;", "choose n: 1..2; x = n;")
    assert vacuous(text) == []


def test_a_statement_that_is_reached_and_never_runs_is_listed() -> None:
    assert of_thread("await(x == 1); x = 2;") == ["`await(x == 1)` never runs", "`x = 2` never runs"]


def test_what_a_parameter_removes_counts_in_the_scenarios_that_keep_it() -> None:
    assert not any("x = 0" in told for told in vacuous(TEXT))
    assert not any("x = 0" in told for told in vacuous(TEXT + "scenario a { } scenario b { TRIES = false; }"))


def test_a_condition_that_is_constant_in_one_scenario_has_its_value_there() -> None:
    text = """
        model m; param P: bool = true; var x: 0..1 marked; invariant i: x <= 1;
        thread t { x = 0; if (P || x == 1) { return; } }
        scenario without { P = false; }
    """
    assert vacuous(text) == ["`P || x == 1` is never true"]
    assert vacuous(text + "scenario with { }") == []


def test_inlined_copies_are_one_statement() -> None:
    text = TEXT.replace("never(2);", "never(2); never(3);").replace("x = 1;", "x = 1; never(1);")
    assert vacuous(text) == ["`x == 2` is never true"]


@pytest.mark.parametrize("body", ["if (x == 0) { return; }", "atomic { if (x == 0) { return; } }"])
def test_a_branch_without_a_statement_is_looked_at_too(body: str) -> None:
    assert of_thread(body + " x = 1;") == ["`x == 0` is never false", "`x = 1` never runs"]


def test_a_loop_that_never_ends_or_never_begins() -> None:
    assert of_thread("while (x == 1) { x = 0; }") == ["`x == 1` is never true (1 statement in it)"]
    assert of_thread("while (x <= 2) { x = 1; }") == ["`x <= 2` is never false"]


def test_a_try_that_always_succeeds() -> None:
    text = "mutex m; var x: 0..1 marked; invariant i: x <= 1;"
    assert of_thread("if (mutex_trylock(m)) { mutex_unlock(m); } x = 1;", text) == [
        "`m` never made anybody wait: not needed, or the contention is not in the model",
        "`mutex_trylock(m)` always has the same result",
    ]


def test_the_result_of_an_op_as_a_condition() -> None:
    text = "var x: 0..1 marked; invariant i: x <= 1; op f() -> bool { x = 1; return true; }"
    assert of_thread("if (!f()) { x = 0; }", text) == ["`!f()` is never true", "`x = 0` never runs"]


def test_a_branch_of_either_that_an_empty_choice_removes() -> None:
    body = "atomic { either { x = 1; } or { choose n: 0..1 where n == x + 2; x = n; } }"
    assert of_thread(body) == ["branch 2 of `either` is never taken"]


def test_a_value_of_an_enum_that_is_never_chosen() -> None:
    text = "enum State { OFF, GOING, ON } var s: State marked; invariant i: s != ON;"
    assert of_thread("choose n: State where n != ON; s = n;", text) == [
        "`choose n: State where n != ON` never chooses ON"
    ]


def test_what_init_decides_counts() -> None:
    text = """
        model m; enum State { OFF, GOING, ON } var s: State marked; invariant i: s != ON;
        init { choose n: State where n != ON; if (n == ON) { s = ON; } else { s = n; } }
        thread t { skip; }
    """
    assert vacuous(text) == ["`choose n: State where n != ON` never chooses ON", "`n == ON` is never true"]


def test_an_op_that_only_an_atomic_block_calls_is_called() -> None:
    text = "var x: 0..1 marked; invariant i: x <= 1; op f() { x = 1; }"
    assert of_thread("atomic { f(); }", text) == []


def test_a_call_in_an_atomic_block_that_never_runs_is_no_call() -> None:
    text = "var x: 0..1 marked; invariant i: x <= 1; op f() { x = 1; }"
    told = of_thread("if (x == 1) { atomic { f(); } }", text)
    assert "op `f` is never called" in told
    assert "`x == 1` is never true (1 statement in it)" in told


def test_of_an_imported_file_the_ops_and_variables_are_left_out(tmp_path: Path) -> None:
    base = "model base; var y: 0..1; op unused() { y = 1; } thread r { skip; }"
    (tmp_path / "base.mck").write_text(base, encoding="utf-8")
    text = 'model m; import "base.mck"; var x: 0..1 marked; invariant i: x <= 1; thread t { x = 1; }'
    (tmp_path / "m.mck").write_text(text, encoding="utf-8")
    assert check(tmp_path / "m.mck").vacuous == ()
    assert [each.message for each in check(tmp_path / "base.mck").vacuous] == [
        "`y` is neither read nor written",
        "op `unused` is never called",
    ]


# --- waiting, variables, properties --------------------------------------------------------------


def test_of_a_file_without_threads_nothing_is_said() -> None:
    library = "model m; mutex l; var x: bool; op f() { mutex_lock(l); x = true; mutex_unlock(l); }"
    assert vacuous(library) == []
    assert vacuous(f"{library} thread t {{ x = false; }}") == [
        "`x` is never read",
        "op `f` is never called",
    ]


def test_an_await_that_never_waits() -> None:
    assert of_thread("x = 1; await(x == 1);") == ["`await(x == 1)` never had to wait"]


def test_an_await_that_waits_once() -> None:
    text = "model m; var x: 0..1 marked; thread a { await(x == 1); } thread b { x = 1; }"
    assert vacuous(text) == []


LOCKS = """
    model m; mutex used; mutex idle; var x: 0..1 guarded_by used;
    thread a { mutex_lock(used); mutex_lock(idle); x = 1; mutex_unlock(idle); mutex_unlock(used); }
    thread b { mutex_lock(used); x = 0; mutex_unlock(used); }
    invariant i: x <= 1;
"""


def test_a_lock_that_never_made_anybody_wait() -> None:
    why = "not needed, or the contention is not in the model"
    assert vacuous(LOCKS) == [f"`idle` never made anybody wait: {why}"]


def test_a_lock_that_made_somebody_wait_in_one_scenario() -> None:
    text = LOCKS.replace(
        "{ mutex_lock(used); x", "{ mutex_lock(used); mutex_lock(idle); mutex_unlock(idle); x"
    )
    assert len(vacuous(text)) == 1
    assert vacuous(LOCKS + "thread c { mutex_lock(idle); mutex_unlock(idle); } scenario s { }") == []


def test_variables_that_are_never_written_or_never_read() -> None:
    declarations = "var written: 0..1; var read: 0..1; var unused: 0..1; var ghost: 0..1;"
    told = of_thread("written = 1; ghost = 1; await(read == 0);", declarations + "invariant i: ghost <= 1;")
    assert told == [
        "`written` is never read",
        "`read` is never written",
        "`unused` is neither read nor written",
        "`await(read == 0)` never had to wait",
    ]


def test_a_variable_that_init_writes_is_written() -> None:
    text = "var x: 0..1; init { choose n: 0..1; x = n; }"
    assert of_thread("if (x == 1) { skip; }", text) == []


def test_a_premise_that_is_never_true() -> None:
    text = TEXT.replace("x <= 3;", "x == 0 implies x <= 2;\ninvariant big: x == 2 implies x > 1;")
    assert "invariant big: `x == 2`" not in vacuous(text)
    assert vacuous(text)[-1] == "invariant `big`: `x == 2` is never true"
    assert len(vacuous(text)) == 3


def test_a_premise_that_is_true_for_one_element() -> None:
    text = "var x[0..2]: 0..1 marked; invariant i: forall k: 0..2 { x[k] == 1 implies k == 2 };"
    assert of_thread("x[2] = 1;", text) == []
    assert of_thread("x[2] = 0;", text) == ["invariant `i`: `x[k] == 1` is never true"]


def test_a_premise_of_a_step_counts_where_something_changes() -> None:
    text = "var x: 0..3 marked; var y: 0..1 marked; step s: x == 1 implies next(x) == 2; invariant i: y <= 1;"
    assert of_thread("x = 1; x = 2; y = 1;", text) == []
    assert of_thread("x = 1; y = 1;", text) == ["step `s`: `x == 1` is never true"]


def test_a_premise_of_a_lock_invariant_counts_where_the_lock_is_free() -> None:
    text = "mutex m; var x: 0..1 guarded_by m; invariant when free(m) i: x == 1 implies x != 0;"
    body = "mutex_lock(m); x = 1; x = 0; mutex_unlock(m);"
    assert "invariant `i`: `x == 1` is never true" in of_thread(body, text)


def test_a_property_that_cannot_fail() -> None:
    text = "var x: 0..1 marked; const N = 3; invariant i: N == 3; invariant j: N == 2 implies x == 1;"
    assert of_thread("x = 1; await(x == 1);", text)[:2] == [
        "invariant `i` is always true, whatever the threads do",
        "invariant `j` is always true, whatever the threads do",
    ]


# --- when nothing is said ------------------------------------------------------------------------


def test_a_search_that_was_stopped_says_nothing() -> None:
    assert FileReport("test.mck", (checked(TEXT, states=2),)).vacuous == ()


def test_what_was_not_asked_for_is_not_said() -> None:
    assert FileReport("test.mck", all_checked(TEXT, Options(properties=("small",)))).vacuous == ()


def test_z3_says_it_where_the_states_can_be_counted_beside_it() -> None:
    assert vacuous(TEXT, Options(engine="z3")) == vacuous(TEXT)


def test_what_is_expected_not_to_be_reached_is_silent() -> None:
    text = TEXT.replace("{ never(2); }", "{ x = 0; missed: x = 2; x = 3; }")
    text = text.replace("op never(n: 0..3) { x = n; }", "")
    assert vacuous(text) == ["`x == 2` is never true (3 statements in it)"]
    assert vacuous(text + "scenario s { expect not reached missed; }") == ["`x = 0` never runs"]


def test_one_scenario_alone_says_nothing_about_what_others_may_call() -> None:
    text = TEXT + "var unused: 0..1; op uncalled() { x = 1; } scenario a { } scenario b { }"
    reports = all_checked(text, Options(scenario="a"))
    told = [each.message for each in FileReport("test.mck", reports, partial=True).vacuous]
    assert told == vacuous(TEXT)
    assert len(FileReport("test.mck", reports).vacuous) == len(told) + 2


# --- how it is told ------------------------------------------------------------------------------


def test_it_is_a_warning_that_strict_makes_a_violation() -> None:
    assert FileReport("test.mck", all_checked(TEXT)).exit_code == 0
    assert FileReport("test.mck", all_checked(TEXT, Options(strict=True))).exit_code == 1


def test_it_is_told_at_the_end_by_place() -> None:
    told = file_text(FileReport("test.mck", all_checked(TEXT)))
    assert told.splitlines()[-3:] == [
        "test.mck: warning MC111 vacuity: 2 things never happen here",
        "  test.mck:5: op `never` is never called (1 statement in it)",
        "  test.mck:8: `x == 2` is never true",
    ]


def test_a_long_list_is_cut_and_json_has_all() -> None:
    body = " ".join(f"x = {n % 4};" for n in range(VACUOUS + 2))
    text = f"model m; var x: 0..3 marked; daemon thread t {{ await(x == 1); {body} }}"
    report = FileReport("test.mck", all_checked(text))
    assert file_text(report).splitlines()[-1] == "  and 3 more (--json has all)"
    (file,) = json.loads(report_json([report]))["files"]
    assert len(file["vacuity"]) == VACUOUS + 3
    assert file["vacuity"][0] == {
        "kind": "statement",
        "message": "`await(x == 1)` never runs",
        "place": {"file": "test.mck", "line": 1, "column": 48},
        "within": [],
    }


def test_a_verb_that_can_only_succeed_is_no_sign_of_missing_contention() -> None:
    put = "if (refcount_dec_and_test(r)) { skip; } else { skip; }"
    text = f"model m; refcount r = 1; thread t {{ refcount_inc(r); {put} {put} }}"
    assert [message for message in vacuous(text) if "made anybody wait" in message] == []
