"""The whole flow on one screen: text -> model -> transition system -> answers -> findings -> certified -> report.

What `check` does not need is imported where it is used: half of the time of a small check is to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from modelcheck.analysis.consequences import as_told
from modelcheck.analysis.expectations import Facts, expectations
from modelcheck.analysis.finding import Finding
from modelcheck.analysis.judge import Judgement, judged
from modelcheck.analysis.telling import finding_of, reached
from modelcheck.analysis.waiting import Explainer
from modelcheck.diagnostics import CHECKS, Diagnostic, SpecError, near_miss
from modelcheck.engine import auto, reference
from modelcheck.engine.engine import Answers, Engine, Limits, Progress
from modelcheck.engine.watch import INTERRUPTED
from modelcheck.language.elaborate import elaborate, scenario_names
from modelcheck.language.model import Model
from modelcheck.language.parser import parse_with_imports
from modelcheck.language.syntax import Specification
from modelcheck.report.contents import FileReport, LocksReport, ProfileReport, ScenarioReport
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import (
    ActionCounts,
    CannotFinish,
    Census,
    CircularWaits,
    Crossings,
    ErrorSteps,
    LocalViews,
    Occurrences,
    Question,
    StatePredicate,
    StepPredicate,
    StuckForEver,
    TimeOutWaits,
)
from modelcheck.semantics.transition_system import transition_system
from modelcheck.source import Source, Span

if TYPE_CHECKING:
    from networkx import MultiDiGraph

    from modelcheck.analysis.replay import Replay, SavedTrace
    from modelcheck.engine.simulation import Simulation

ENGINES = ("auto", "native", "reference", "z3")

Value = str | int | bool


@dataclass(frozen=True)
class Options:
    """What a user can choose. `properties` restricts what is asked to these checks and properties."""

    parameters: Mapping[str, Value] = field(default_factory=dict)
    scenario: str | None = None
    properties: tuple[str, ...] = ()
    engine: str = "auto"
    limits: Limits = field(default_factory=Limits)
    strict: bool = False


@dataclass(frozen=True)
class Simulated:
    """Random runs, and what they came across."""

    explainer: Explainer
    simulation: Simulation
    findings: tuple[Finding, ...]


def check(path: str | Path, options: Options | None = None, progress: Progress | None = None) -> FileReport:
    """Check every scenario of a file, or the one that the options choose. Raises SpecError."""
    return check_specification(load(path), str(path), options, progress)


def check_specification(
    specs: tuple[Specification, ...],
    file: str,
    options: Options | None = None,
    progress: Progress | None = None,
) -> FileReport:
    """Check a specification that was read from `file`."""
    options = options or Options()
    reports: list[ScenarioReport] = []
    interrupted = False
    for model in models(specs, options):
        try:
            reports.append(check_model(model, options, progress))
        except KeyboardInterrupt:  # a second one: what was told before stands
            interrupted = True
        if interrupted or reports[-1].stopped == INTERRUPTED:
            interrupted = True
            break
    partial = options.scenario is not None or bool(options.parameters)
    return FileReport(file, tuple(reports), interrupted=interrupted, partial=partial)


def check_model(
    model: Model, options: Options | None = None, progress: Progress | None = None
) -> ScenarioReport:
    """Check one model: ask everything in one search, judge the answers, certify every evidence."""
    options = options or Options()
    system = transition_system(model)
    interpreter = Interpreter(system)
    explainer = Explainer(interpreter)
    asked = restricted(model, questions(system), options.properties)
    answers = engine(options.engine)(system, asked, within(options.limits, model), progress)
    answers, judgement = judged(explainer, asked, answers, frozenset(options.properties))
    return ScenarioReport(
        model=model,
        engine=options.engine,
        judgement=judgement,
        checked=expectations(_facts(model, options, answers, judgement)),
        statistics=answers.statistics,
        stopped=answers.stopped,
        explainer=explainer,
        strict=options.strict,
    )


def locks(model: Model, options: Options | None = None, progress: Progress | None = None) -> LocksReport:
    """Say in which order a model takes its locks, and what keeps each cycle in that from being a deadlock."""
    from modelcheck.analysis.trials import trials

    options = replace(options or Options(), properties=("lock_order",))
    report = check_model(model, options, progress)
    limits = within(options.limits, model)
    cycles = report.judgement.order.cycles if report.stopped != INTERRUPTED else ()
    return LocksReport(report, {c.classes: trials(report.explainer, c, limits) for c in cycles})


# --- models --------------------------------------------------------------------------------------


def load(path: str | Path) -> tuple[Specification, ...]:
    """Return the syntax trees of a file and of all that it imports."""
    return parse_with_imports(path)


def names_of_scenarios(specs: tuple[Specification, ...]) -> tuple[str, ...]:
    """Return the names of a file's scenarios, in order."""
    return scenario_names(specs)


def models(specs: tuple[Specification, ...], options: Options) -> tuple[Model, ...]:
    """Return the models to look at: of the chosen scenario, of the chosen parameters, or of every scenario (G16).

    All that is wrong in any of them is reported together.
    """
    names: tuple[str | None, ...] = scenario_names(specs)
    if options.scenario is not None or options.parameters or not names:
        names = (options.scenario,)
    built: list[Model] = []
    wrong: dict[Diagnostic, None] = {}
    for name in names:
        try:
            built.append(elaborate(specs, dict(options.parameters), name))
        except SpecError as error:
            wrong.update(dict.fromkeys(error.diagnostics))
    if wrong:
        raise SpecError(wrong)
    return tuple(built)


def chosen_model(specs: tuple[Specification, ...], options: Options) -> Model:
    """Return the one model that the options choose: a scenario, or the parameters."""
    return elaborate(specs, dict(options.parameters), options.scenario)


def count(model: Model, options: Options, progress: Progress | None = None) -> Answers:
    """Visit every reachable state and ask nothing."""
    return auto.explore(transition_system(model), (), within(options.limits, model), progress)


def count_and_draw(
    model: Model, options: Options, progress: Progress | None = None
) -> tuple[Answers, MultiDiGraph[int]]:
    """Visit every reachable state, and return the state graph too."""
    return reference.counted_graph(transition_system(model), within(options.limits, model), progress)


def profile(
    specs: tuple[Specification, ...], options: Options, progress: Progress | None = None
) -> ProfileReport:
    """Say where the states of the chosen model come from, and what would make them fewer."""
    from modelcheck.analysis.advice import advice
    from modelcheck.analysis.profile import census, profile_of
    from modelcheck.analysis.smaller_models import parameter_advice

    model = chosen_model(specs, options)
    system, limits = transition_system(model), within(options.limits, model)
    answers = engine(options.engine)(system, (census(system),), limits, progress)
    found = profile_of(system, answers)
    told = advice(system, found)
    if found.stopped == INTERRUPTED:
        return ProfileReport(found, told, interrupted=True)
    tried, interrupted = parameter_advice(specs, options.parameters, found, limits)
    return ProfileReport(found, (*tried, *told), interrupted)


def graph(model: Model, options: Options) -> MultiDiGraph[int]:
    """Return the state graph."""
    return reference.graph(transition_system(model), within(options.limits, model))


def simulation(model: Model, options: Options, seed: int, steps: int, runs: int) -> Simulated:
    """Walk at random, and say what the runs came across."""
    from modelcheck.engine.simulation import simulate

    system = transition_system(model)
    explainer = Explainer(Interpreter(system))
    asked = restricted(model, questions(system), options.properties)
    done = simulate(system, seed, steps, runs, asked)
    findings = as_told(explainer, (finding_of(explainer, f) for f in done.found if not reached(f)))[0]
    return Simulated(explainer, done, findings)


def replayed(model: Model, saved: SavedTrace) -> tuple[Explainer, Replay]:
    """Take a saved trace again."""
    from modelcheck.analysis.replay import replay

    system = transition_system(model)
    explainer = Explainer(Interpreter(system))
    taken = replay(explainer, questions(system), saved)
    return explainer, replace(taken, findings=as_told(explainer, taken.findings)[0])


# --- questions -----------------------------------------------------------------------------------


def restricted(model: Model, asked: tuple[Question, ...], names: tuple[str, ...]) -> tuple[Question, ...]:
    """Return the questions for these checks and properties; all of them if none is named."""
    known = {*CHECKS, *(each.name for each in model.properties)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SpecError(_no_such_property(name, known) for name in unknown)
    leaning = {each.name for each in model.properties if each.when_free is not None}
    return tuple(q for q in asked if not names or set(names) & {*_names_of(q), *_leaning(q, leaning)})


def _leaning(question: Question, lock_invariants: set[str]) -> set[str]:
    """The properties whose proofs rest on the question: lock invariants, on guarded_by."""
    about_guards = isinstance(question, StatePredicate) and question.check == "guarded_by"
    return lock_invariants if about_guards else set()


def _no_such_property(name: str, known: set[str]) -> Diagnostic:
    option = f"--property {name}"
    span = Span(Source("command line", option), len(option) - len(name), len(option))
    hint = near_miss(name, known) or f"known are {', '.join(sorted(known))}"
    return Diagnostic("MC061", f"there is no check or property `{name}`", span, hint)


def _names_of(question: Question) -> tuple[str, ...]:
    """The checks and the property that a question serves."""
    match question:
        case ErrorSteps():
            return ("lock_rules", "range", "assertion")
        case (
            CircularWaits() | TimeOutWaits()
        ):  # a scenario may expect either where the lock order is looked at
            return ("deadlock", "circular_wait", "lock_order")
        case StuckForEver():
            return ("deadlock", "stuck")
        case CannotFinish():
            return ("deadlock", "cannot_finish")
        case LocalViews():
            return ("lock_order", "deadlock", "lock_rules", "vacuity")
        case Crossings():
            return ("lock_rules",)
        case ActionCounts() | Occurrences():
            return ("vacuity",)
        case Census():
            return ()
        case StatePredicate(check="guarded_by"):
            # A variable with a guard is free of races because its guard is kept.
            return ("guarded_by", "race")
        case StatePredicate(check=check, name=name):
            return (check, name)
        case StepPredicate(name=name):
            return ("step", name)
        case _:
            assert_never(question)


def _facts(model: Model, options: Options, answers: Answers, judgement: Judgement) -> Facts:
    return Facts(
        model=model,
        findings=judgement.findings,
        order=judgement.order,
        statistics=answers.statistics,
        undecided=judgement.undecided,
        views=answers.views,
        counted=not answers.stopped and answers.statistics.states > 0,
        asked=frozenset(options.properties) or None,
        waits=judgement.waits,
    )


# --- engines, limits -----------------------------------------------------------------------------


def engine(name: str) -> Engine:
    """Return an engine by name."""
    match name:
        case "auto":
            return auto.explore
        case "native":
            from modelcheck.engine import native

            return native.explore
        case "reference":
            return reference.explore
        case "z3":
            from modelcheck.engine import together

            return together.explore
        case _:
            raise ValueError(f"no engine `{name}`: choose one of {', '.join(ENGINES)}")


def within(limits: Limits, model: Model) -> Limits:
    """Return the limits, with those of the scenario where nothing was chosen."""
    states = model.scenario.max_states if limits.states is None else limits.states
    return replace(limits, states=states)
