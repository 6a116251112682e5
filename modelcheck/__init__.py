"""A model checker for kernel locking designs.

    import modelcheck

    model = modelcheck.load("hotplug.mck", BLOCKS=3)
    result = modelcheck.check(model)        # findings with traces, verdicts, expectations
    graph = modelcheck.explore(model)       # a networkx graph of all reachable states

What is wrong with a specification is a `SpecError`: its `diagnostics` have code, place and hint, and its text is what
the command line prints. Everything is imported when it is first used, so that `import modelcheck` waits for nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from networkx import MultiDiGraph

    from modelcheck.analysis.conformity import ConformReport
    from modelcheck.analysis.finding import Finding
    from modelcheck.analysis.order_records import RecordedOrder
    from modelcheck.analysis.replay import Replay
    from modelcheck.diagnostics import SpecError
    from modelcheck.engine.engine import Limits
    from modelcheck.language.model import Model
    from modelcheck.pipeline import Simulated
    from modelcheck.report.contents import FileReport, LocksReport, ProfileReport, ScenarioReport
    from modelcheck.report.explanation_text import Explained

    Value = str | int | bool

__version__ = "0.1.0"

__all__ = [
    "ConformReport",
    "Explained",
    "FileReport",
    "Finding",
    "Limits",
    "LocksReport",
    "Model",
    "ProfileReport",
    "ScenarioReport",
    "SpecError",
    "check",
    "check_file",
    "conform",
    "explain",
    "explore",
    "load",
    "lock_order",
    "lock_order_of_records",
    "profile",
    "replay",
    "scenarios",
    "simulate",
]

_HOMES = {
    "ConformReport": "modelcheck.analysis.conformity",
    "Explained": "modelcheck.report.explanation_text",
    "FileReport": "modelcheck.report.contents",
    "Finding": "modelcheck.analysis.finding",
    "Limits": "modelcheck.engine.engine",
    "LocksReport": "modelcheck.report.contents",
    "Model": "modelcheck.language.model",
    "ProfileReport": "modelcheck.report.contents",
    "ScenarioReport": "modelcheck.report.contents",
    "SpecError": "modelcheck.diagnostics",
}


def load(path: str | Path, /, *, scenario: str | None = None, **parameters: Value) -> Model:
    """Return the model of a file, in one scenario or with these parameters: `load(path, BLOCKS=3)`.

    Raises:
        SpecError: if the file or a parameter is wrong; it carries every diagnostic.

    """
    from modelcheck import pipeline

    return pipeline.chosen_model(pipeline.load(path), pipeline.Options(parameters, scenario))


def scenarios(path: str | Path, /) -> tuple[str, ...]:
    """Return the names of a file's scenarios, in order."""
    from modelcheck import pipeline

    return pipeline.names_of_scenarios(pipeline.load(path))


def check(
    model: Model, *, engine: str = "auto", properties: tuple[str, ...] = (), limits: Limits | None = None
) -> ScenarioReport:
    """Search every interleaving of the model's threads; the report's `ok` says whether all is as expected.

    `properties` restricts what is looked at to these checks and properties. `engine`: auto, native, reference or z3.
    """
    from modelcheck import pipeline
    from modelcheck.engine.engine import Limits

    options = pipeline.Options(engine=engine, properties=properties, limits=limits or Limits())
    return pipeline.check_model(model, options)


def check_file(path: str | Path, /, *, scenario: str | None = None, **parameters: Value) -> FileReport:
    """Check every scenario of a file, or one of them, or these parameters; as `modelcheck check` does."""
    from modelcheck import pipeline

    return pipeline.check(path, pipeline.Options(parameters, scenario))


def explore(model: Model, *, limits: Limits | None = None) -> MultiDiGraph[int]:
    """Return the state graph: a node a state with its values, an edge a step with `thread`, `action` and `line`."""
    from modelcheck import pipeline
    from modelcheck.engine.engine import Limits

    return pipeline.graph(model, pipeline.Options(limits=limits or Limits()))


def profile(
    path: str | Path, /, *, scenario: str | None = None, limits: Limits | None = None, **parameters: Value
) -> ProfileReport:
    """Say where the states of a file's model come from, and what would make them fewer; also after a limit was hit."""
    from modelcheck import pipeline
    from modelcheck.engine.engine import Limits

    options = pipeline.Options(parameters, scenario, limits=limits or Limits())
    return pipeline.profile(pipeline.load(path), options)


def lock_order(model: Model, *, limits: Limits | None = None) -> LocksReport:
    """Return the lock order: its edges, its cycles, and for each cycle that is no deadlock what keeps it apart."""
    from modelcheck import pipeline
    from modelcheck.engine.engine import Limits

    return pipeline.locks(model, pipeline.Options(limits=limits or Limits()))


def lock_order_of_records(path: str | Path, /) -> RecordedOrder:
    """Return the lock order that the records of a running kernel show (JSON lines); see docs/lock-order.md."""
    from modelcheck import records

    return records.locks_of_records(path)


def simulate(model: Model, *, seed: int = 1, steps: int = 200, runs: int = 1) -> Simulated:
    """Walk at random; the same seed gives the same runs. `findings` are what the runs came across."""
    from modelcheck import pipeline

    return pipeline.simulation(model, pipeline.Options(), seed, steps, runs)


def replay(model: Model, trace: str | Path) -> Replay:
    """Take the steps of a trace file again; `problem` says which step can no longer be taken."""
    from modelcheck import pipeline
    from modelcheck.report.trace_file import load_trace

    return pipeline.replayed(model, load_trace(trace))[1]


def conform(
    specification: str | Path,
    log: str | Path,
    /,
    *,
    mapping: str | Path | None = None,
    scenario: str | None = None,
    limits: Limits | None = None,
    **parameters: Value,
) -> ConformReport:
    """Say of each log in a file whether some run of the specification produces it; the report's `ok` says of all.

    `mapping` is a TOML file that says which records of a foreign format are which events.
    """
    from modelcheck import pipeline, records
    from modelcheck.engine.engine import Limits

    options = pipeline.Options(parameters, scenario, limits=limits or Limits())
    return records.conform(specification, log, mapping, options)


def explain(code: str, /) -> Explained:
    """Return what a code (`MC044`), a check (`circular_wait`) or a title (`data race`) means; print it to read it.

    Of a check `shown` holds the findings of the specification that shows it, checked now. Raises SpecError if there
    is no such code or check.
    """
    from modelcheck.explaining import explained

    return explained(code)


def __getattr__(name: str) -> Any:  # noqa: ANN401  (PEP 562: the classes, on demand)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
