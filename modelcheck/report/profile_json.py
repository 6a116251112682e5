"""What `modelcheck profile --json` prints: the report's envelope, with the profile under `profile`."""

from __future__ import annotations

from modelcheck.analysis.advice import Advice
from modelcheck.analysis.profile import Pair, Spread, Standing
from modelcheck.report.contents import ProfileReport
from modelcheck.report.json_report import Json, place_json, run_json, statistics_json, timing_json
from modelcheck.semantics.questions import Size


def profile_json(file: str, report: ProfileReport) -> str:
    """Return the profile of a model."""
    profile = report.profile
    content: Json = {
        "file": file,
        "model": profile.model.name,
        "scenario": profile.model.scenario.name,
        "parameters": dict(profile.model.parameters),
        "stopped": profile.stopped,
        "statistics": statistics_json(profile.statistics),
        "timing": timing_json(profile.statistics),
        "levels": list(profile.levels),
        "components": [_component(each) for each in profile.spreads],
        "pairs": [_pair(each) for each in profile.pairs],
        "sample": profile.sample,
        "places": [_standing(each) for each in profile.standings],
        "advice": [_advice(each) for each in report.advice],
    }
    return run_json("profile", content, report.exit_code)


def _size(size: Size) -> Json:
    return {"count": size.count, "exact": size.exact}


def _component(spread: Spread) -> Json:
    return {
        "kind": spread.component.kind,
        "name": spread.component.name,
        "adds": round(spread.factor, 4),
        "distinct": _size(spread.distinct),
        "values": spread.values,
        "follows_from": spread.follows or None,
    }


def _pair(pair: Pair) -> Json:
    return {"threads": list(pair.names), "together": _size(pair.distinct), "product": pair.product}


def _standing(standing: Standing) -> Json:
    return {
        "threads": standing.declaration,
        "statement": standing.text,
        "place": place_json(standing.span),
        "share": round(standing.share, 4),
    }


def _advice(advice: Advice) -> Json:
    return {
        "kind": advice.kind,
        "about": advice.about,
        "message": advice.message,
        "factor": round(advice.factor, 4),
        "measured": advice.measure,
        "place": place_json(advice.span),
    }
