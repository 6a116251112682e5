"""What a notebook shows of a report: the text, with the verdict in front."""

from __future__ import annotations

from html import escape

from modelcheck.report.contents import FileReport, ProfileReport, ScenarioReport
from modelcheck.report.profile_text import profile_text
from modelcheck.report.text import file_text, scenario_text

_COLOURS = {0: "#1a7f37", 3: "#9a6700"}


def scenario_html(report: ScenarioReport) -> str:
    """Return one scenario as HTML."""
    return _box(scenario_text(report), report.exit_code)


def file_html(report: FileReport) -> str:
    """Return a file as HTML."""
    return _box(file_text(report), report.exit_code)


def profile_html(report: ProfileReport) -> str:
    """Return a profile as HTML."""
    return _box(profile_text(report), report.exit_code)


def _box(text: str, code: int) -> str:
    colour = _COLOURS.get(code, "#cf222e")
    first, _, rest = text.partition("\n")
    return (
        f'<div style="border-left: 4px solid {colour}; padding-left: 8px">'
        f"<strong>{escape(first)}</strong><pre>{escape(rest)}</pre></div>"
    )
