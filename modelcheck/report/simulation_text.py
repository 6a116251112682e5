"""Random runs and directed ones, for a reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from modelcheck.analysis.consequences import as_told
from modelcheck.analysis.finding import Finding
from modelcheck.analysis.telling import finding_of, reached
from modelcheck.analysis.waiting import Explainer
from modelcheck.diagnostics import CODES, counted
from modelcheck.engine.simulation import Simulation, Walk, seen_at_the_end
from modelcheck.language.model import Model
from modelcheck.report.steps import rows, statement, values
from modelcheck.report.text import model_shown, same_run
from modelcheck.report.trace_text import ending_lines, situation_lines, trace_lines
from modelcheck.semantics.asking import questions
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import Step, transition_system


def simulation_text(explainer: Explainer, simulation: Simulation, findings: tuple[Finding, ...]) -> str:
    """Return the findings of the runs; of a single run without one, the run."""
    return "\n".join(_lines(explainer, simulation, findings))


def _lines(explainer: Explainer, simulation: Simulation, findings: tuple[Finding, ...]) -> Iterator[str]:
    runs = simulation.runs
    endings = Counter(run.ending for run in runs)
    told = ", ".join(f"{count} {ending}" for ending, count in sorted(endings.items()))
    steps = sum(len(run.trace.steps) for run in runs)
    model = explainer.interpreter.system.model
    yield f"{model_shown(model)}: {counted(len(runs), 'run')}, {counted(steps, 'step')}: {told}"
    if not findings and len(runs) == 1:
        yield from (f"  {line}" for line in trace_lines(explainer, runs[0].trace))
        yield from (f"  {line}" for line in situation_lines(explainer, explainer.situation(runs[0].trace)))
    if findings:
        yield ""
        yield from findings_with_traces(explainer, findings)
    yield ""
    yield "violated in a run" if findings else "no violation in these runs: that decides nothing"


def findings_with_traces(explainer: Explainer, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the findings, each with its run; a run that was just shown is not repeated."""
    for number, finding in enumerate(findings):
        if number:
            yield ""
        shown = any(same_run(other, finding) for other in findings[:number])
        yield from _finding(explainer, finding, shown=shown)


def _finding(explainer: Explainer, finding: Finding, *, shown: bool) -> Iterator[str]:
    """Yield a finding, its run, and what the run's last state means."""
    name = f" `{finding.name}`" if finding.name != finding.check else ""
    yield f"{finding.weight} {finding.code} {CODES[finding.code].title}{name}: {finding.message}"
    yield from (f"  {line}" for line in finding.details)
    assert finding.trace is not None
    if shown:
        yield "  same run as above"
        return
    yield from (f"  {line}" for line in trace_lines(explainer, finding.trace))
    first, *others = ending_lines(explainer, finding)
    yield f"  {first}"
    yield from (f"    {line}" for line in others)


class Directed:
    """A run that the user directs: what is shown, and what an answer does."""

    def __init__(self, model: Model) -> None:
        self.explainer = Explainer(Interpreter(transition_system(model)))
        self.walk: Walk | None = None
        self._questions = questions(self.explainer.interpreter.system)
        self._told: set[tuple[str, ...]] = set()
        self._starts = [s for s, _, _ in self.explainer.interpreter.initial_states() if s is not None]
        if len(self._starts) == 1:
            self.walk = Walk(self.explainer.interpreter, self._starts[0])

    @property
    def broken(self) -> bool:
        """True if the run has shown a violation."""
        return bool(self._told)

    def start(self) -> str:
        """Return what is said first."""
        model = self.explainer.interpreter.system.model
        if not self._starts:
            return f"{model_shown(model)}: there is no initial state"
        several = f", {len(self._starts)} initial states" if len(self._starts) > 1 else ""
        threads = counted(len(model.threads), "thread")
        return "\n".join([f"{model_shown(model)}: {threads}{several}", *self._findings()])

    def menu(self) -> str:
        """Return the choices."""
        if self.walk is None:
            return "\n".join(f"  {n}: {self._shown(n)}" for n in range(1, len(self._starts) + 1))
        steps = self.walk.enabled
        if not steps:
            return "  no step can be taken" + (
                ": all threads have finished" if self.walk.all_finished else ""
            )
        return "\n".join(f"  {number}: {self._offered(step)}" for number, step in enumerate(steps, 1))

    def answer(self, answer: str) -> str:
        """Do what the user answered, and return what that did."""
        if answer in ("u", "undo"):
            return self._undo()
        count = len(self._starts) if self.walk is None else len(self.walk.enabled)
        if not answer.isdecimal() or not 1 <= int(answer) <= count:
            return f"`{answer}` is no choice: a number from 1 to {count}, u or q" if count else "u or q"
        if self.walk is None:
            self.walk = Walk(self.explainer.interpreter, self._starts[int(answer) - 1])
            return "\n".join(["started", *self._findings()])
        self.walk.take(self.walk.enabled[int(answer) - 1])
        return "\n".join([self._last_row(), *self._findings()])

    def _findings(self) -> Iterator[str]:
        """Yield what the run shows now and did not show before, as a random run tells it."""
        seen = seen_at_the_end(self.walk, self._questions) if self.walk is not None else ()
        findings = [finding_of(self.explainer, found) for found in seen if not reached(found)]
        new = [f for f in findings if (f.check, *f.cause) not in self._told]
        self._told |= {(f.check, *f.cause) for f in new}
        if new:
            yield ""
            yield from findings_with_traces(self.explainer, as_told(self.explainer, new)[0])

    def _undo(self) -> str:
        if self.walk is None or not self.walk.undo():
            if self.walk is not None and len(self._starts) > 1:
                self.walk = None
                return "back to the choice of the initial state"
            return "there is no step to take back"
        return f"back after step {len(self.walk.steps)}"

    def _shown(self, number: int) -> str:
        shown = values(self.explainer, self._starts[number - 1])
        return ", ".join(f"{name}={value}" for name, value in shown.items())

    def _offered(self, step: Step) -> str:
        assert self.walk is not None
        thread = self.explainer.interpreter.system.model.threads[step.thread]
        location = self.explainer.place(step)
        choices = f"  (choice {' '.join(map(str, step.choices))})" if step.choices else ""
        wrong = f"  -> {step.breach.message}" if step.breach else ""
        return f"{thread.name}  {location.span}  {statement(location)}{choices}{wrong}"

    def _last_row(self) -> str:
        assert self.walk is not None
        row = rows(self.explainer, self.walk.trace)[-1]
        changes = ", ".join(filter(None, (*row.locks, *row.changes, row.waits, row.breach)))
        return f"step {row.number}: {row.thread}  {row.text}  {changes}".rstrip()
