"""Checking a specification that is written in the test itself."""

from __future__ import annotations

from dataclasses import replace

from modelcheck.analysis.finding import Finding
from modelcheck.engine.engine import Limits
from modelcheck.language.parser import parse
from modelcheck.pipeline import Options, check_model, models
from modelcheck.report.contents import ScenarioReport
from modelcheck.source import Source

ABBA = """
model abba;
mutex a;
mutex b;
thread one { mutex_lock(a); mutex_lock(b); mutex_unlock(b); mutex_unlock(a); }
thread two { mutex_lock(b); mutex_lock(a); mutex_unlock(a); mutex_unlock(b); }
"""


def checked(text: str, options: Options | None = None, states: int | None = None) -> ScenarioReport:
    """Check the text's only scenario, or the text without scenarios."""
    (report,) = all_checked(text, replace(options or Options(), limits=Limits(states=states)))
    return report


def all_checked(text: str, options: Options | None = None) -> tuple[ScenarioReport, ...]:
    """Check every scenario of the text."""
    options = options or Options()
    specs = (parse(Source("test.mck", text)),)
    return tuple(check_model(model, options) for model in models(specs, options))


def found(report: ScenarioReport, check: str) -> list[Finding]:
    """Return the findings of a check or kind of property."""
    return [finding for finding in report.findings if finding.check == check]


def names(report: ScenarioReport) -> set[str]:
    """Return the names of what is violated."""
    return {finding.name for finding in report.violations}
