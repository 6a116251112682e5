"""What no scenario of a file ever does (SEMANTICS H13)."""

from __future__ import annotations

from modelcheck.pipeline import Options
from modelcheck.report.contents import FileReport
from modelcheck.report.text import file_text
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
"""


def never_run(text: str, options: Options | None = None) -> list[str]:
    return [each.text for each in FileReport("test.mck", all_checked(text, options)).never_run]


def test_a_statement_that_never_runs_is_listed() -> None:
    assert never_run(TEXT) == ["x = n"]


def test_what_some_scenario_runs_is_not_listed() -> None:
    text = TEXT.replace("x = 1;", "choose n: 1..2; x = n;")
    assert never_run(text) == []


def test_what_a_parameter_removes_counts_in_the_scenarios_that_keep_it() -> None:
    assert "x = 0" not in never_run(TEXT)
    assert "x = 0" not in never_run(TEXT + "scenario a { } scenario b { TRIES = false; }")


def test_inlined_copies_are_one_statement() -> None:
    text = TEXT.replace("never(2);", "never(2); never(3);").replace("x = 1;", "x = 1; never(1);")
    assert never_run(text) == []


def test_a_search_that_was_stopped_says_nothing() -> None:
    assert FileReport("test.mck", (checked(TEXT, states=2),)).never_run == ()


def test_what_is_expected_not_to_be_reached_is_silent() -> None:
    text = TEXT.replace("{ never(2); }", "{ missed: x = 2; }")
    assert never_run(text) == ["x = 2"]
    assert never_run(text + "scenario s { expect not reached missed; }") == []


def test_it_is_a_warning_that_strict_makes_a_violation() -> None:
    assert FileReport("test.mck", all_checked(TEXT)).exit_code == 0
    assert FileReport("test.mck", all_checked(TEXT, Options(strict=True))).exit_code == 1


def test_it_is_told_at_the_end() -> None:
    told = file_text(FileReport("test.mck", all_checked(TEXT)))
    assert told.splitlines()[-2:] == [
        "test.mck: warning MC111 vacuity: 1 statement never run here",
        "  test.mck:5: x = n",
    ]
