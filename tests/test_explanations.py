"""`modelcheck explain`: every code can be explained, and what an explanation names shows what it says."""

from __future__ import annotations

import json

import jsonschema
import pytest

import modelcheck
from modelcheck.analysis.finding import CODES_OF_PROPERTIES
from modelcheck.cli import run
from modelcheck.cli.console import Console
from modelcheck.data import specs_folder
from modelcheck.diagnostics import CHECKS, CODES
from modelcheck.explaining import names
from modelcheck.explanations import EXPLANATIONS, Place
from modelcheck.mistakes import MISTAKES, NOT_IN_A_TEXT
from modelcheck.report.text import finding_lines
from tests.transcript import ROOT, normalised

SCHEMA = json.loads((ROOT / "docs/reference/report.schema.json").read_text(encoding="utf-8"))
KINDS = {**CHECKS, **CODES_OF_PROPERTIES}
OTHERS = [
    pytest.param(code, place, id=f"{code} {place.specification} {place.scenario}")
    for code, each in EXPLANATIONS.items()
    for place, _ in each.others
]


def test_each_kind_of_finding_and_nothing_else_is_explained_at_length() -> None:
    assert set(EXPLANATIONS) == set(KINDS.values())


def test_each_other_code_has_an_example_or_a_reason_why_not() -> None:
    tables = (EXPLANATIONS, MISTAKES, NOT_IN_A_TEXT)
    assert [code for code in CODES if sum(code in table for table in tables) != 1] == []
    assert {code for table in tables for code in table} == set(CODES)


@pytest.mark.parametrize("kind", KINDS)
def test_the_lesson_of_a_kind_of_finding_shows_it(kind: str) -> None:
    told = modelcheck.explain(kind)
    assert told.code == KINDS[kind]
    assert told.report is not None
    if kind == "vacuity":
        assert len(told.report.vacuous) == 1
        assert "warning MC111 vacuity: 1 thing never happens in any scenario\n" in str(told)
        return
    scenario, finding = told.shown[0]
    assert finding.weight == "violation"
    assert finding.certified
    assert kind == "deadlock" or finding.code == told.code
    assert (finding.trace is None) == (kind == "reachable")
    assert "\n".join(f"  {line}".rstrip() for line in finding_lines(scenario, finding)) in str(told)


@pytest.mark.parametrize(("code", "place"), OTHERS)
def test_what_an_explanation_names_besides_shows_the_same_kind_of_finding(code: str, place: Place) -> None:
    model = modelcheck.load(specs_folder() / f"{place.specification}.mck", scenario=place.scenario)
    assert code in {finding.code for finding in modelcheck.check(model).findings}


def test_each_explanation_is_of_a_lesson_or_of_the_gallery() -> None:
    folders = {each.lesson.specification.partition("/")[0] for each in EXPLANATIONS.values()}
    assert folders == {"lessons", "gallery"}
    used = {each.lesson.specification for each in EXPLANATIONS.values()}
    used |= {place.specification for each in EXPLANATIONS.values() for place, _ in each.others}
    lessons = {f"lessons/{path.stem}" for path in (ROOT / "specs/lessons").glob("*.mck")}
    assert lessons <= used


@pytest.mark.parametrize("code", MISTAKES)
def test_the_example_of_a_mistake_has_it_and_no_other(code: str) -> None:
    told = modelcheck.explain(code)
    assert len(told.said) == 1
    assert f" {code}: " in told.said[0].partition("\n")[0]
    assert told.said[0] in str(told)


def test_no_explanation_names_the_folder_where_the_specifications_lie() -> None:
    assert [code for code in CODES if str(ROOT) in str(modelcheck.explain(code))] == []


def test_codes_names_and_titles_lead_to_the_explanation() -> None:
    asked = {
        "mc106": "MC106",
        "lock_order": "MC106",
        "lock order": "MC106",
        "Lock-Order": "MC106",
        "data race": "MC108",
        "stuck for ever": "MC103",
        "step": "MC121",
        "step property": "MC121",
        "assert": "MC110",
        "usage": "MC105",
        "recursion": "MC040",
    }
    assert {name: modelcheck.explain(name).code for name in asked} == asked
    assert set(names().values()) == set(CODES)


def test_what_is_not_known_is_told_with_the_closest_names() -> None:
    with pytest.raises(modelcheck.SpecError, match="did you mean `lock_order` or "):
        modelcheck.explain("lock_ordr")
    with pytest.raises(modelcheck.SpecError, match="`modelcheck explain` lists them"):
        modelcheck.explain("xyzzy")


def test_without_a_code_all_of_them_are_listed_the_checks_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain"], Console()) == 0
    text = capsys.readouterr().out
    assert text.startswith("What is checked without being asked\n  MC101  deadlock\n")
    assert [code for code in CODES if text.count(f"  {code}  ") != 1] == []
    assert [name for name in CHECKS if name not in text] == []


@pytest.mark.parametrize("arguments", [[], ["data", "race"], ["vacuity"], ["MC122"], ["MC044"], ["MC002"]])
def test_the_json_of_an_explanation_follows_the_schema(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", *arguments, "--json"], Console()) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SCHEMA)
    assert ("explanations" in document) == (not arguments)


def test_an_unknown_code_is_exit_code_2_in_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "MC999", "--json"], Console()) == 2
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SCHEMA)
    assert [each["code"] for each in document["diagnostics"]] == ["MC010"]


def test_the_same_is_said_each_time() -> None:
    assert normalised(str(modelcheck.explain("MC102"))) == normalised(str(modelcheck.explain("MC102")))
