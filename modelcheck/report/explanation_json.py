"""What `modelcheck explain` prints with --json: the report's envelope, with one entry of its own."""

from __future__ import annotations

from modelcheck.diagnostics import CHECKS, CODES
from modelcheck.explanations import Explanation, Place, sections
from modelcheck.report.explanation_text import Explained
from modelcheck.report.json_report import Json, finding_json, run_json


def explanation_json(explained: Explained) -> str:
    """Return one code explained; `findings` are what the specification shows now."""
    report = explained.report
    content: Json = {
        **_entry(explained.code),
        "explanation": None if explained.explanation is None else _words(explained.explanation),
        "findings": [finding_json(scenario.explainer, each) for scenario, each in explained.shown],
        "vacuity": [each.message for each in report.vacuous]
        if report is not None and explained.name == "vacuity"
        else [],
        "example": explained.example,
        "said": list(explained.said),
    }
    return run_json("explanation", content, 0)


def list_json() -> str:
    """Return all that can be explained, in groups."""
    groups = [{"title": title, "codes": [_entry(each) for each in codes]} for title, _, codes in sections()]
    return run_json("explanations", {"groups": groups}, 0)


def _entry(code: str) -> Json:
    name = next((each for each, its in CHECKS.items() if its == code), None)
    return {"code": code, "title": CODES[code].title, "advice": CODES[code].advice, "check": name}


def _words(words: Explanation) -> Json:
    return {
        "idea": words.idea,
        "reported": words.reported,
        "not_reported": words.silent,
        "what_to_do": words.advice,
        "lesson": _place(words.lesson),
        "others": [{**_place(place), "what": what} for place, what in words.others],
    }


def _place(place: Place) -> Json:
    return {"specification": place.specification, "scenario": place.scenario or None}
