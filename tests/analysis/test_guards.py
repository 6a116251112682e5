"""Under which locks each variable is accessed, and the notes that follow from it (SEMANTICS H4, C20)."""

from __future__ import annotations

import json

import pytest

from modelcheck.analysis.guards import told
from modelcheck.pipeline import Options
from modelcheck.report.contents import FileReport
from modelcheck.report.json_report import report_json
from modelcheck.report.text import file_text
from tests.checking import all_checked, checked, found

LOCKS = "mutex h; mutex g; percpu_rwsem s; mutex d[0..1];"

KINDS = f"""
model kinds;
{LOCKS}
var x: 0..3 guarded_by h;
thread a {{
    mutex_lock(h); percpu_down_write(s);
    x = 1;
    x = 2;
    percpu_up_write(s);
    x = 3;
    mutex_unlock(h);
    x = 0;
}}
"""


def tables(text: str) -> dict[str, str]:
    return {each.name: told(each.uses) for each in checked(text).judgement.guards}


def notes(text: str, options: Options | None = None) -> list[str]:
    return [note.message for note in FileReport("test.mck", all_checked(text, options)).notes]


def test_each_lock_set_is_counted_by_lines() -> None:
    assert tables(KINDS) == {"x": "written under {h, s:write} twice, under {} once, under {h} once"}


def test_a_line_that_runs_under_two_lock_sets_counts_in_both() -> None:
    text = (
        f"model m; {LOCKS} var x: 0..1 marked; op f() {{ x = 1; }} thread a {{ f(); mutex_lock(h);\n f(); }}"
    )
    assert tables(text) == {"x": "written under {} once, under {h} once"}


def test_the_instance_of_the_accessed_element_is_named_so() -> None:
    text = f"""model m; {LOCKS} var x[0..1]: 0..1 marked;
        op right(i: 0..1) {{ mutex_lock(d[i]); x[i] = 1; mutex_unlock(d[i]); }}
        op wrong(i: 0..1) {{
            mutex_lock(d[1 - i]);
            x[i] = 0;
            mutex_unlock(d[1 - i]);
        }}
        thread a {{ right(0); right(1); wrong(0); wrong(1); }}"""
    assert tables(text) == {"x": "written under {d[0]} once, under {d[1]} once, under {d[same index]} once"}


def test_an_index_that_reads_shared_data_leaves_the_instance_open() -> None:
    text = f"model m; {LOCKS} var i: 0..1 marked; var x[0..1]: 0..1 marked; thread a {{ mutex_lock(d[0]); x[i] = 1; }}"
    assert tables(text)["x"] == "written under {d[?]} once"


def test_a_violation_of_guarded_by_shows_the_table_of_its_variable() -> None:
    (finding,) = found(checked(KINDS), "guarded_by")
    assert finding.details == (
        "`x` is written under {h, s:write} twice, under {} once, here, under {h} once",
    )


def test_verbose_shows_the_table_of_every_variable() -> None:
    report = FileReport("test.mck", (checked(KINDS),))
    line = "    `x` is written under {h, s:write} twice, under {} once, under {h} once"
    assert line in file_text(report, verbose=True).splitlines()
    assert line not in file_text(report).splitlines()


def test_json_has_the_places() -> None:
    (file,) = json.loads(report_json([FileReport("test.mck", (checked(KINDS),))]))["files"]
    (table,) = file["scenarios"][0]["guards"]
    assert table["variable"] == "x"
    assert [(use["locks"], [p["line"] for p in use["places"]]) for use in table["writes"]] == [
        (["h", "s:write"], [7, 8]),
        ([], [12]),
        (["h"], [10]),
    ]
    assert table["reads"] == []


# --- what is proposed ----------------------------------------------------------------------------


def two(first: str, second: str, variable: str = "var x: 0..3;") -> str:
    return f"model m; {LOCKS} {variable} thread a {{ {first} }} thread b {{ {second} }} thread c {{ mutex_lock(g); }}"


WRITE, READ = "mutex_lock(h); x = 1; mutex_unlock(h);", "mutex_lock(h); await(x <= 3); mutex_unlock(h);"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (two(WRITE, READ), ["`x`: every access holds h: say `guarded_by h` where it is declared"]),
        (
            two("mutex_lock(g);" + WRITE, "mutex_lock(g);" + READ),
            ["`x`: every access holds h and g: say `guarded_by h` where it is declared"],
        ),
        (
            two(WRITE, "await(READ_ONCE(x) <= 3);").replace("x = 1", "WRITE_ONCE(x, 1)"),
            ["`x`: every write holds h: say `write_guarded_by h` where it is declared"],
        ),
        (
            two(WRITE, "await(x <= 3);"),
            [
                "`x`: every write holds h: say `write_guarded_by h` where it is declared, and mark its reads",
            ],
        ),
        (
            two(
                "percpu_down_write(s); x = 1; percpu_up_write(s);",
                "percpu_down_read(s); await(x <= 3); percpu_up_read(s);",
            ),
            ["`x`: every access holds s: say `guarded_by s` where it is declared"],
        ),
        (two("percpu_down_read(s); x = 1;", "percpu_down_read(s); x = 2;"), []),
        (two(WRITE, "mutex_lock(g); x = 2;"), []),
        (two(READ, READ), []),
        (two(WRITE + READ, "skip;"), []),
        (two(WRITE, READ, "var x: 0..3 marked;"), []),
        (two(WRITE, READ, "var x: 0..3 guarded_by h;"), []),
        (two(WRITE, READ).replace("model m;", "model m marked;"), []),
        (
            two(
                "mutex_lock(d[0]); x[0] = 1; mutex_unlock(d[0]);",
                "for (i: 0..1) { mutex_lock(d[i]); x[i] = 0; mutex_unlock(d[i]); }",
                "var x[0..1]: 0..3;",
            ),
            [
                "`x`: every access holds d[same index]: say `guarded_by d[i]` with its index as i where it is declared"
            ],
        ),
    ],
)
def test_a_rule_that_all_accesses_keep_is_proposed(text: str, expected: list[str]) -> None:
    assert notes(text) == expected


def test_a_rule_is_proposed_only_if_every_scenario_keeps_it() -> None:
    text = "param P: bool = true;" + two(WRITE, f"if (P) {{ {READ} }} else {{ mutex_lock(g); x = 2; }}")[9:]
    text = f"model m; {text}"
    assert len(notes(text + "scenario one { }")) == 1
    assert notes(text + "scenario one { } scenario other { P = false; expect race; }") == []


def test_nothing_is_proposed_after_a_search_that_was_stopped_or_of_a_part() -> None:
    text = two(WRITE, READ)
    assert FileReport("test.mck", (checked(text, states=3),)).notes == ()
    assert FileReport("test.mck", (checked(text),), partial=True).notes == ()


def test_a_proposal_is_told_and_is_no_warning() -> None:
    report = FileReport("test.mck", all_checked(two(WRITE, READ), Options(strict=True)))
    note = "test.mck:1: note: `x`: every access holds h: say `guarded_by h` where it is declared"
    assert note in file_text(report).splitlines()
    assert [scenario.exit_code for scenario in report.scenarios] == [1]  # thread c keeps g


# --- locks that are only read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "percpu_down_read(s); percpu_up_read(s);",
            ["no thread of this scenario takes s for writing: its readers never wait"],
        ),
        ("percpu_down_read(s); percpu_up_read(s); percpu_down_write(s); percpu_up_write(s);", []),
        ("mutex_lock(h); mutex_unlock(h);", []),
        (
            "if (percpu_down_read_trylock(s)) { percpu_up_read(s); }",
            ["no thread of this scenario takes s for writing: its readers never wait"],
        ),
    ],
)
def test_a_lock_that_is_only_read_is_noted(body: str, expected: list[str]) -> None:
    report = checked(f"model m; {LOCKS} thread a {{ {body} }}")
    assert [note.message for note in report.judgement.notes] == expected


def test_the_note_is_of_one_scenario() -> None:
    text = f"""model m; {LOCKS} param P: bool = true;
        thread a {{ percpu_down_read(s); percpu_up_read(s); if (P) {{ percpu_down_write(s); percpu_up_write(s); }} }}
        scenario with {{ }} scenario without {{ P = false; }}"""
    assert [len(report.judgement.notes) for report in all_checked(text)] == [0, 1]


def test_interrupts_switched_off_are_proposed_as_nobodys_guard() -> None:
    text = """
        model off; var x: 0..2;
        thread t { local_irq_disable(); x = 1; local_irq_enable(); }
        irq handler h on t { x = 0; }
    """
    assert notes(text) == []
