"""The JSON report follows its published schema, whatever was found (docs/reference/report.schema.json)."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from modelcheck.diagnostics import Diagnostic, SpecError
from modelcheck.language.parser import parse
from modelcheck.report.contents import FileReport
from modelcheck.report.json_report import error_json, report_json
from modelcheck.source import Source
from tests.checking import ABBA, all_checked, checked
from tests.transcript import ROOT

SCHEMA = json.loads((ROOT / "docs/reference/report.schema.json").read_text(encoding="utf-8"))

TEXTS = {
    "deadlock": ABBA,
    "expected": ABBA + "scenario s { expect deadlock; }",
    "pending writer": """
        model pending; percpu_rwsem s; mutex m;
        thread a { mutex_lock(m); percpu_down_read(s); percpu_up_read(s); mutex_unlock(m); }
        thread b { percpu_down_read(s); mutex_lock(m); mutex_unlock(m); percpu_up_read(s); }
        thread w { percpu_down_write(s); percpu_up_write(s); }
    """,
    "gate": """
        model gated; mutex g; mutex a; mutex b;
        thread one { mutex_lock(g); mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); mutex_unlock(g); }
        thread two { mutex_lock(g); mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); mutex_unlock(g); }
    """,
    "properties": """
        model properties; param N: 1..3 = 2; var x: 0..3 marked;
        invariant low: x < 2; step rises: next(x) > x; reachable two: x == 2; reachable three: x == 3;
        thread one { x = 1; x = N; x = 0; }
    """,
    "undefined": """
        model undefined; var x: 0..3 = 1 marked; invariant q: 6 / x >= 2; thread one { x = 2; x = 0; }
    """,
    "races": """
        model races; mutex l; type I = 0 .. 1; var x: 0..3; var y[i: I]: bool guarded_by l;
        thread one { x = 1; y[0] = true; } thread two { x = 2; }
    """,
    "stuck": "model stuck; var go: bool marked; daemon thread rests { await(go); } thread t { await(go); }",
    "retry": "model retry; var go: bool marked; thread t { while (!go) { skip; } }",
    "guard": """
        model scope; mutex l; var x: 0..3 guarded_by l;
        op f() { guard(mutex)(l); x = 1; }
        thread t { for (i: 0 .. 1) { f(); } assert(x == 0); }
    """,
    "init": "model start; var x: 0..1 marked; init { choose y: 1..2; x = y; } thread t { skip; }",
    "unbalanced": "model unbalanced; mutex l; op f() { mutex_lock(l); } thread t { f(); }",
}


def document(text: str, *, reproducible: bool = False, states: int | None = None) -> Any:
    reports = (checked(text, states=states),)
    return json.loads(report_json([FileReport("test.mck", reports)], reproducible=reproducible))


@pytest.mark.parametrize("name", TEXTS)
def test_every_report_follows_the_schema(name: str) -> None:
    jsonschema.validate(document(TEXTS[name]), SCHEMA)


def test_the_schema_itself_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_stopped_search_follows_the_schema() -> None:
    found = document(ABBA, states=3)
    jsonschema.validate(found, SCHEMA)
    assert found["exit_code"] == 3
    assert found["files"][0]["scenarios"][0]["stopped"] == "limit of 3 states"


def test_mistakes_follow_the_schema() -> None:
    with pytest.raises(SpecError) as raised:
        parse(Source("test.mck", "model m; thread {"))
    report = FileReport("test.mck", diagnostics=raised.value.diagnostics)
    found = json.loads(report_json([report]))
    jsonschema.validate(found, SCHEMA)
    assert found["exit_code"] == 2
    assert found["files"][0]["diagnostics"][0]["place"] == {"file": "test.mck", "line": 1, "column": 17}


def test_errors_of_the_command_line_follow_the_schema() -> None:
    with pytest.raises(SpecError) as raised:
        parse(Source("test.mck", "model m; thread {"))
    diagnostics: tuple[Diagnostic, ...] = raised.value.diagnostics
    jsonschema.validate(json.loads(error_json(diagnostics, 2)), SCHEMA)
    jsonschema.validate(json.loads(error_json((), 130, "interrupted")), SCHEMA)


def test_times_stand_apart_and_can_be_left_out() -> None:
    scenario = document(ABBA)["files"][0]["scenarios"][0]
    assert set(scenario["timing"]) == {
        "seconds",
        "states_per_second",
        "bytes_per_state",
        "peak_memory",
        "workers",
    }
    scenario = document(ABBA, reproducible=True)["files"][0]["scenarios"][0]
    assert "timing" not in scenario


def test_each_verdict_has_its_evidence() -> None:
    verdicts = {v["name"]: v for v in document(TEXTS["properties"])["files"][0]["scenarios"][0]["verdicts"]}
    assert verdicts["low"]["trace"]["length"] == 2
    assert verdicts["two"]["verdict"] == "holds"
    assert verdicts["two"]["trace"]["length"] == 2
    assert verdicts["three"] == {
        "kind": "reachable",
        "name": "three",
        "verdict": "violated",
        "evidence": "exhausted",
        "searched": {"states": 4, "transitions": 3},
    }


def test_a_trace_says_who_did_what_where() -> None:
    found = document(ABBA)["files"][0]["scenarios"][0]["findings"][0]
    assert [(s["thread"], s["place"]["line"], s["locks"]) for s in found["trace"]["steps"]] == [
        ("one", 5, ["+a"]),
        ("two", 6, ["+b"]),
    ]
    assert {(w["thread"], w["lock"], tuple(w["for"])) for w in found["ending"]["waits"]} == {
        ("one", "b", ("two",)),
        ("two", "a", ("one",)),
    }


def test_the_lock_order_has_its_edges_and_gates() -> None:
    order = document(TEXTS["gate"])["files"][0]["scenarios"][0]["lock_order"]
    assert order["cycles"][0]["gates"] == ["g"]
    assert {(e["holds"]["lock"], e["asks_for"]["lock"]) for e in order["edges"]} == {
        ("g", "a"),
        ("g", "b"),
        ("a", "b"),
        ("b", "a"),
    }


def test_several_scenarios_stand_in_their_order() -> None:
    reports = all_checked(TEXTS["properties"] + "scenario a { expect undecided; } scenario b { N = 1; }")
    found = json.loads(report_json([FileReport("test.mck", reports)]))
    jsonschema.validate(found, SCHEMA)
    assert [(s["scenario"], s["parameters"]) for s in found["files"][0]["scenarios"]] == [
        ("a", {"N": "2"}),
        ("b", {"N": "1"}),
    ]
