"""Reading specifications as the tool does, for tests that want every diagnostic: text, imports, all scenarios."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelcheck.diagnostics import Diagnostic, SpecError
from modelcheck.language.elaborate import elaborate, scenario_names
from modelcheck.language.model import Model
from modelcheck.language.parser import parse_with_imports
from modelcheck.source import Source

OPTIONS = "// with "
"""A model may begin with `// with NAME=VALUE ... scenario=NAME`: what is given from outside."""


def options_of(text: str) -> tuple[dict[str, str], str | None]:
    """Return the parameters and the scenario that the first line of a model gives."""
    first = text.partition("\n")[0]
    words = first.removeprefix(OPTIONS).split() if first.startswith(OPTIONS) else []
    given = dict(word.split("=", 1) for word in words)
    scenario = given.pop("scenario", None)
    return given, scenario


def read_all(main: Source | str, text: str = "") -> tuple[tuple[Model, ...], tuple[Diagnostic, ...]]:
    """Return the models of every scenario of a file, or all that is wrong with it; no other exception is caught."""
    parameters, scenario = options_of(text)
    try:
        specs = parse_with_imports(main)
    except SpecError as error:
        return (), error.diagnostics
    names: tuple[str | None, ...] = scenario_names(specs)
    if parameters or scenario is not None or not names:
        names = (scenario,)
    models: list[Model] = []
    wrong: dict[Diagnostic, None] = {}
    for name in names:
        try:
            models.append(elaborate(specs, parameters, name))
        except SpecError as error:
            wrong.update(dict.fromkeys(error.diagnostics))
    return tuple(models), tuple(wrong)


def rendered(diagnostics: tuple[Diagnostic, ...]) -> str:
    """Return what a user sees of them."""
    return "".join(f"{each.render()}\n" for each in diagnostics)


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Make a folder the current one for a while: diagnostics name files as they were named."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
