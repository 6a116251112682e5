"""What a report contains: the findings, verdicts and expectations of each scenario of each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from modelcheck.analysis.expectations import Checked
from modelcheck.analysis.finding import Finding
from modelcheck.analysis.guards import Note, proposals
from modelcheck.analysis.judge import Judgement
from modelcheck.analysis.vacuity import Vacuous, never
from modelcheck.analysis.waiting import Explainer
from modelcheck.diagnostics import Diagnostic
from modelcheck.language.model import Model
from modelcheck.result.verdict import Failed, Statistics

if TYPE_CHECKING:
    from modelcheck.analysis.advice import Advice
    from modelcheck.analysis.profile import Profile
    from modelcheck.analysis.trials import Trials


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
        warned = bool(unnamed or self.model.warnings)
        if any(c.status == "unmet" for c in self.checked) or (self.strict and warned):
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
    """One file: its scenarios, or what is wrong with it. `partial`: only some of its scenarios, or other parameters."""

    file: str
    scenarios: tuple[ScenarioReport, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    interrupted: bool = False
    partial: bool = False

    @cached_property
    def vacuous(self) -> tuple[Vacuous, ...]:
        """What no scenario does (SEMANTICS H13): a warning."""
        return never((scenario.judgement.coverage for scenario in self.scenarios), whole=not self.partial)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """The rules that variables could have, after complete searches of every scenario (SEMANTICS H4)."""
        looked = all(s.judgement.coverage.complete and not s.model.all_marked for s in self.scenarios)
        return proposals(s.judgement.guards for s in self.scenarios) if looked and not self.partial else ()

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
                int(self.strict and bool(self.vacuous)),
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


@dataclass(frozen=True)
class ProfileReport:
    """Where the states of a model come from, and what would make them fewer, the surest advice first.

    `interrupted`: the search was, or the search of smaller models for advice.
    """

    profile: Profile
    advice: tuple[Advice, ...]
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """3 if a limit ended the search, 130 if it was interrupted, else 0."""
        return 130 if self.interrupted else 3 * bool(self.profile.stopped)

    def _repr_html_(self) -> str:
        from modelcheck.report.notebook import profile_html

        return profile_html(self)


def gravest(codes: list[int]) -> int:
    """Return the exit code that stands for all (SEMANTICS H14)."""
    return next((code for code in (70, 130, 2, 1, 3) if code in codes), 0)
