"""A trace as a file: saved for `replay`, and read again after the specification may have changed.

Threads and statements are written by name and text, so that an edit elsewhere in the file does no harm.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from modelcheck.analysis.finding import Finding
from modelcheck.analysis.replay import SavedStep, SavedTrace, shared_values
from modelcheck.analysis.waiting import Explainer
from modelcheck.diagnostics import Diagnostic, SpecError
from modelcheck.language.parser import read
from modelcheck.language.syntax import Specification
from modelcheck.semantics.transition_system import INIT, Step
from modelcheck.source import Source, Span

SCHEMA, VERSION = "modelcheck-trace", 1


def digest(specs: tuple[Specification, ...]) -> str:
    """Return the hash of the specification's text, imports included."""
    text = "\0".join(spec.span.source.text for spec in specs)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def saved_trace(
    explainer: Explainer, finding: Finding, specs: tuple[Specification, ...], given: dict[str, str]
) -> SavedTrace:
    """Return the trace of a finding in the form that is saved. `given` are the parameters set from outside."""
    trace, model = finding.trace, explainer.interpreter.system.model
    assert trace is not None
    return SavedTrace(
        file=model.file,
        model=model.name,
        digest=digest(specs),
        scenario=model.scenario.name,
        parameters=tuple(given.items()),
        check=finding.check,
        name=finding.name,
        message=finding.message,
        members=tuple(model.threads[t].name for t in finding.members),
        initial=shared_values(explainer.interpreter, trace.initial),
        steps=tuple(_step(explainer, step) for step in trace.steps),
    )


def _step(explainer: Explainer, step: Step) -> SavedStep:
    if step.location == INIT:
        return SavedStep("init", 0, "", step.choices)
    thread = explainer.interpreter.system.model.threads[step.thread]
    location = thread.locations[step.location]
    return SavedStep(thread.name, location.span.line, location.text, step.choices)


def as_json(saved: SavedTrace) -> str:
    """Return the text of the file."""
    document = {
        "schema": SCHEMA,
        "version": VERSION,
        "specification": {"file": saved.file, "model": saved.model, "sha256": saved.digest},
        "scenario": saved.scenario,
        "parameters": dict(saved.parameters),
        "finding": {
            "check": saved.check,
            "name": saved.name,
            "message": saved.message,
            "threads": list(saved.members),
        },
        "initial": dict(saved.initial),
        "steps": [
            {"thread": s.thread, "line": s.line, "statement": s.statement, "choices": list(s.choices)}
            for s in saved.steps
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def load_trace(path: str | Path) -> SavedTrace:
    """Return a trace that was saved. Raises SpecError (MC009) if the file is none."""
    source = read(path)
    try:
        document = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        raise _no_trace(source, f"this is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise _no_trace(source, "this is not a trace: it was not written by `modelcheck check --save-trace`")
    if document.get("version") != VERSION:
        raise _no_trace(
            source, f"version {document.get('version')} of a trace file; this program reads {VERSION}"
        )
    try:
        return _trace(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_trace(source, f"the trace is damaged: {type(error).__name__} {error}") from None


def _trace(document: dict[str, Any]) -> SavedTrace:
    specification, finding = document["specification"], document["finding"]
    return SavedTrace(
        file=_text(specification["file"]),
        model=_text(specification["model"]),
        digest=_text(specification["sha256"]),
        scenario=_text(document["scenario"]),
        parameters=tuple((_text(k), _text(v)) for k, v in document["parameters"].items()),
        check=_text(finding["check"]),
        name=_text(finding["name"]),
        message=_text(finding["message"]),
        members=tuple(_text(each) for each in finding["threads"]),
        initial=tuple((_text(k), _text(v)) for k, v in document["initial"].items()),
        steps=tuple(
            SavedStep(
                _text(s["thread"]), int(s["line"]), _text(s["statement"]), tuple(map(int, s["choices"]))
            )
            for s in document["steps"]
        ),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} where a text is needed")
    return value


def _no_trace(source: Source, message: str) -> SpecError:
    return SpecError([Diagnostic("MC009", message, Span(Source(source.name, ""), 0, 0))])
