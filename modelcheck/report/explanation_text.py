"""What a code means, for a reader: the words of the table, then what is found in the specification that shows it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from modelcheck.analysis.finding import Finding
from modelcheck.diagnostics import CHECKS, CODES
from modelcheck.explanations import Explanation, Place, sections
from modelcheck.report.contents import FileReport, ScenarioReport
from modelcheck.report.text import finding_lines, vacuity_lines

WIDTH = 110

FIRST = ("MC101", "MC120")
"""First codes of the sections that a list begins with: what is found in a model, before what is wrong with a text."""


@dataclass(frozen=True)
class Explained:
    """One code explained. As a string it is what `modelcheck explain` prints.

    Of a check or property `explanation` has the words, and `report` what the lesson's scenario shows now. Of a mistake
    `example` is a text that has it, and `said` what is said of it.
    """

    code: str
    name: str = ""
    explanation: Explanation | None = None
    report: FileReport | None = None
    description: str = ""
    example: str = ""
    said: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[tuple[ScenarioReport, Finding], ...]:
        """The findings of this kind in the lesson, each with its scenario."""
        scenarios = self.report.scenarios if self.report is not None else ()
        return tuple((each, f) for each in scenarios for f in each.findings if self.name in f.names)

    def __str__(self) -> str:
        """Return the text for a reader."""
        return "\n".join(_lines(self)).rstrip("\n")


def code_list() -> str:
    """Return all codes that can be explained, in groups."""
    names = {code: name for name, code in CHECKS.items()}
    lines = []
    for title, _, codes in sorted(sections(), key=lambda each: each[2][0] not in FIRST):
        lines += ["", title]
        for code in codes:
            name = f" ({names[code]})" if names.get(code, CODES[code].title) != CODES[code].title else ""
            lines.append(f"  {code}  {CODES[code].title}{name}")
    return "\n".join([*lines[1:], "", "`modelcheck explain CODE` tells of one; its name will do, too."])


def _lines(explained: Explained) -> Iterator[str]:
    code = CODES[explained.code]
    yield f"{explained.code}: {code.title}" + (f" (check `{explained.name}`)" if _is_check(explained) else "")
    yield from _filled(code.advice)
    if explained.explanation is not None:
        yield from _check(explained, explained.explanation)
    elif explained.example:
        yield from ("", "For example:", "")
        yield from (f"    {line}" for line in explained.example.splitlines())
        yield from ("", *(line for each in explained.said for line in each.split("\n")))


def _is_check(explained: Explained) -> bool:
    return explained.name in CHECKS


def _check(explained: Explained, words: Explanation) -> Iterator[str]:
    yield from ("", *_filled(words.idea), "")
    yield from _filled(f"Reported: {words.reported}")
    yield from _filled(f"Not reported: {words.silent}")
    yield from _filled(f"What to do: {words.advice}")
    yield ""
    yield from _filled(f"Shown by {_place(words.lesson)}. {explained.description}")
    yield ""
    for scenario, finding in explained.shown[:1]:
        yield from (f"  {line}".rstrip() for line in finding_lines(scenario, finding))
        yield ""
    if explained.name == "vacuity" and explained.report is not None:
        yield from (*(f"  {line}" for line in vacuity_lines(explained.report)), "")
    if words.others:
        yield "Also:"
        yield from (f"  {_place(place)}: {what}" for place, what in words.others)
        yield ""
    name = words.lesson.specification
    yield f"`modelcheck specs {name}` prints it, `modelcheck check $(modelcheck specs {name} --path)` checks it all."


def _place(place: Place) -> str:
    return f"{place.specification}, scenario {place.scenario}" if place.scenario else place.specification


def _filled(text: str) -> list[str]:
    """Return the text in lines; what follows the first one of a paragraph with a heading is indented."""
    heading = text.partition(" ")[0].endswith(":") or text.startswith(("Not reported:", "What to do:"))
    return textwrap.wrap(text, WIDTH, subsequent_indent="  " * heading, break_on_hyphens=False)
