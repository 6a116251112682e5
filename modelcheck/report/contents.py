"""What a report contains: the findings, verdicts and expectations of each scenario of each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelcheck.analysis.expectations import Checked
from modelcheck.analysis.finding import Finding
from modelcheck.analysis.judge import Judgement
from modelcheck.analysis.trials import Trials
from modelcheck.analysis.vacuity import Statement, never_run
from modelcheck.analysis.waiting import Explainer
from modelcheck.diagnostics import Diagnostic
from modelcheck.language.model import Model
from modelcheck.result.verdict import Failed, Statistics


@dataclass(frozen=True)
class ScenarioReport:
    """One scenario of a model: what was found, and whether that was expected.

    `stopped` is "" after a complete search. `strict`: warnings count as violations.
    """

    model: Model
    engine: str
    judgement: Judgement
    checked: tuple[Checked, ...]
    statistics: Statistics
    stopped: str
    explainer: Explainer = field(repr=False, compare=False)
    strict: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found: violations, warnings and notes."""
        return self.judgement.findings

    @property
    def violations(self) -> tuple[Finding, ...]:
        """What is violated, expected or not."""
        return tuple(f for f in self.findings if f.weight == "violation")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What deserves a look."""
        return tuple(f for f in self.findings if f.weight == "warning")

    @property
    def undecided(self) -> dict[str, str]:
        """The checks and properties that were not decided, with the reason."""
        return self.judgement.undecided

    @property
    def exit_code(self) -> int:
        """SEMANTICS H14: 2 for an undefined property, 1 for an unmet expectation, 3 if undecided, else 0."""
        if any(isinstance(outcome.verdict, Failed) for outcome in self.judgement.outcomes):
            return 2
        expected = {name for e in self.model.scenario.expectations for name in e.names}
        unnamed = [f for f in self.warnings if not expected & set(f.names)]
        if any(c.status == "unmet" for c in self.checked) or (self.strict and unnamed):
            return 1
        wanted = any(e.kind == "undecided" for e in self.model.scenario.expectations)
        open_ = bool(self.undecided) or any(c.status == "undecided" for c in self.checked)
        return 3 if open_ and not wanted else 0

    @property
    def ok(self) -> bool:
        """True if everything was decided and is as expected."""
        return self.exit_code == 0

    def _repr_html_(self) -> str:
        from modelcheck.report.notebook import scenario_html

        return scenario_html(self)


@dataclass(frozen=True)
class FileReport:
    """One file: its scenarios, or what is wrong with it."""

    file: str
    scenarios: tuple[ScenarioReport, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    interrupted: bool = False

    @property
    def never_run(self) -> tuple[Statement, ...]:
        """The statements that no scenario runs (SEMANTICS H13): a warning."""
        return never_run(scenario.judgement.coverage for scenario in self.scenarios)

    @property
    def strict(self) -> bool:
        """True if warnings count as violations."""
        return any(scenario.strict for scenario in self.scenarios)

    @property
    def exit_code(self) -> int:
        """The gravest of its scenarios; 2 if the file is wrong, 130 after an interrupt."""
        return gravest(
            [
                130 * self.interrupted,
                2 * bool(self.diagnostics),
                int(self.strict and bool(self.never_run)),
                *(s.exit_code for s in self.scenarios),
            ]
        )

    def _repr_html_(self) -> str:
        from modelcheck.report.notebook import file_html

        return file_html(self)


@dataclass(frozen=True)
class LocksReport:
    """The lock order of one scenario, and for each cycle that is no deadlock what keeps it apart.

    `scenario` is a report on the check `lock_order` alone; `trials` maps the cycle's classes to what was tried.
    """

    scenario: ScenarioReport
    trials: Mapping[tuple[str, ...], Trials]

    @property
    def exit_code(self) -> int:
        """That of the check; 130 if it was interrupted."""
        stopped = {t.stopped for each in self.trials.values() for t in each.trials}
        return 130 if "interrupted" in {self.scenario.stopped, *stopped} else self.scenario.exit_code


def gravest(codes: list[int]) -> int:
    """Return the exit code that stands for all (SEMANTICS H14)."""
    return next((code for code in (70, 130, 2, 1, 3) if code in codes), 0)
