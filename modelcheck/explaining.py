"""From the name of a code or check to its explanation, with the specification that shows it checked on the spot."""

from __future__ import annotations

import difflib
import re

from modelcheck import pipeline
from modelcheck.analysis.finding import CODES_OF_PROPERTIES
from modelcheck.data import specs_folder
from modelcheck.diagnostics import CHECKS, CODES, Diagnostic, SpecError
from modelcheck.explanations import EXPLANATIONS, OTHER_NAMES, Place
from modelcheck.language.parser import parse, parse_with_imports
from modelcheck.language.syntax import Specification
from modelcheck.mistakes import MISTAKES
from modelcheck.report.explanation_text import Explained
from modelcheck.source import Source, Span

_EXAMPLE = "example.mck"


def explained(name: str) -> Explained:
    """Return what a code, a check, a kind of property or a title (`MC044`, `stuck`, `data race`) means.

    Raises SpecError, with the closest names, if there is none.
    """
    code = _code_of(name)
    if code not in EXPLANATIONS:
        example = MISTAKES.get(code, "")
        return Explained(code, example=example, said=_said(example) if example else ())
    words = EXPLANATIONS[code]
    kinds = {**CODES_OF_PROPERTIES, **CHECKS}
    kind = next(each for each, its in kinds.items() if its == code)
    spec = _specification(words.lesson)
    # Beside the circular wait along it a lock order is told without its trace: ask for it alone.
    only = (kind,) if kind == "lock_order" else ()
    options = pipeline.Options(scenario=words.lesson.scenario or None, properties=only)
    report = pipeline.check_specification((spec,), f"{words.lesson.specification}.mck", options)
    description = " ".join(spec.description.split())
    return Explained(code, kind, words, report, description)


def names() -> dict[str, str]:
    """Return everything that can be asked for, in small letters with `_` for blanks, with its code."""
    titles = {_plain(CODES[code].title): code for code in CODES}
    return {
        **titles,
        **OTHER_NAMES,
        **CODES_OF_PROPERTIES,
        **CHECKS,
        **{code.lower(): code for code in CODES},
    }


def _code_of(name: str) -> str:
    known = names()
    if _plain(name) in known:
        return known[_plain(name)]
    close = difflib.get_close_matches(_plain(name), sorted(known), n=3, cutoff=0.6)
    shown = [f"`{each.upper() if each.upper() in CODES else each}`" for each in close]
    hint = f"did you mean {' or '.join(shown)}?" if shown else "`modelcheck explain` lists them"
    called = f"explain {name}"
    span = Span(Source("command line", called), len(called) - len(name), len(called))
    raise SpecError([Diagnostic("MC010", f"there is no code or check `{name}`", span, hint)])


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _specification(place: Place) -> Specification:
    """Return a specification that ships, under its name and not under the path where it happens to lie."""
    text = (specs_folder() / f"{place.specification}.mck").read_text(encoding="utf-8")
    return parse(Source(f"{place.specification}.mck", text))


def _said(example: str) -> tuple[str, ...]:
    """Return what is said of a text with a mistake."""
    try:
        models = pipeline.models(parse_with_imports(Source(_EXAMPLE, example)), pipeline.Options())
    except SpecError as error:
        return tuple(each.render() for each in error.diagnostics)
    return tuple(dict.fromkeys(warning for model in models for warning in model.warnings))
