"""Whether what was found is what a scenario expects (SEMANTICS A10, G16, H14).

`expect` names exactly what is violated: whatever is named must be violated, and whatever is violated must be named.
Warnings and notes never break that, but may be expected, and then must occur. What a limit left open is undecided,
not unmet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, assert_never

from modelcheck.analysis.finding import DEADLOCKS, Finding, listed
from modelcheck.analysis.lock_order import Cycle, Order
from modelcheck.analysis.order_words import gated_by
from modelcheck.diagnostics import CHECKS
from modelcheck.language.model import Expectation, Model, Thread
from modelcheck.result.verdict import Statistics
from modelcheck.semantics.asking import DECLARED_ORDER
from modelcheck.semantics.questions import LocalView
from modelcheck.source import NOWHERE, Span

Status = Literal["met", "unmet", "undecided"]


@dataclass(frozen=True)
class Checked:
    """One expectation and what became of it; `why` says it for a reader."""

    text: str
    status: Status
    why: str = ""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Facts:
    """All that expectations speak of.

    `undecided` maps the checks and properties that were not decided to the reason. `asked` limits what was looked
    at. `counted` says whether the statistics are those of every reachable state. `waits` are the circular waits that
    were found, asked for or not: the lock order rests on them.
    """

    model: Model
    findings: tuple[Finding, ...]
    order: Order
    statistics: Statistics
    undecided: Mapping[str, str]
    views: frozenset[LocalView]
    counted: bool = True
    asked: frozenset[str] | None = None
    waits: tuple[Finding, ...] = ()

    def is_asked(self, name: str) -> bool:
        """Tell whether a check or property was looked at; `deadlock` stands for several."""
        umbrella = "deadlock" in (self.asked or ()) and name in DEADLOCKS
        return self.asked is None or name in self.asked or umbrella

    def left_open(self, name: str) -> str:
        """Return why a check or property was not decided; "" if it was. What is unknown here is a named assertion."""
        properties = {each.name for each in self.model.properties}
        names = (*DEADLOCKS, "lock_order") if name == "deadlock" else (name,)
        if name not in CHECKS and name not in properties:
            names = ("assertion",)
        return next((self.undecided[each] for each in names if each in self.undecided), "")

    @property
    def anything_open(self) -> str:
        """Return why something was not decided; the names if there are several reasons."""
        return told_reasons(self.undecided)

    @property
    def violations(self) -> tuple[Finding, ...]:
        """The findings that break `holds`."""
        return tuple(f for f in self.findings if f.weight == "violation")


def expectations(facts: Facts) -> tuple[Checked, ...]:
    """Return what became of each expectation; the last entry speaks of what was violated and not named."""
    stated = facts.model.scenario.expectations or (Expectation("holds", text="holds"),)
    results = [_one(facts, each) for each in stated if _was_asked(facts, each)]
    surprising = tuple(f for f in facts.violations if not any(_covers(facts, e, f) for e in stated))
    return (*results, *_surprises(stated, surprising))


def _was_asked(facts: Facts, expectation: Expectation) -> bool:
    """With --property, only what names the asked checks and properties is looked at.

    Circular waits are looked at with the lock order, too.
    """
    if facts.asked is None:
        return True
    names = {"lock_order", "deadlock"} if expectation.kind == "order" else set(expectation.names)
    names |= {"lock_order"} if "circular_wait" in names else set()
    return expectation.kind in ("holds", "undecided") or any(map(facts.is_asked, names))


def _one(facts: Facts, expectation: Expectation) -> Checked:
    match expectation.kind:
        case "holds":
            status, why = _holds(facts, expectation)
        case "violated":
            status, why = _violated(facts, expectation)
        case "order":
            status, why = _ordered(facts, expectation)
        case "count":
            status, why = _counted(facts, expectation)
        case "not_reached":
            status, why = _not_reached(facts, expectation)
        case "undecided":
            why = facts.anything_open
            status, why = ("met", why) if why else ("unmet", "everything was decided")
        case _:
            assert_never(expectation.kind)
    return Checked(expectation.text or expectation.kind, status, why, expectation.span)


# --- what is violated ----------------------------------------------------------------------------


def _holds(facts: Facts, expectation: Expectation) -> tuple[Status, str]:
    """Tell whether the exceptions are violated; what else is violated is told by `_surprises`."""
    names = [n for n in expectation.names if facts.is_asked(n)]
    stale = [name for name in names if not any(name in _all_names(f) for f in facts.violations)]
    if stale and facts.left_open(stale[0]):
        return "undecided", f"{stale[0]}: {facts.left_open(stale[0])}"
    if stale:
        verb = "holds" if len(stale) == 1 else "hold"
        return "unmet", f"{listed(stale)} {verb}: the exception is out of date"
    others = [f for f in facts.violations if not set(expectation.names) & set(f.names)]
    unnamed = [f for f in others if not any(_covers(facts, e, f) for e in facts.model.scenario.expectations)]
    if unnamed:
        return "unmet", f"violated: {listed(_named(unnamed))}"
    return ("undecided", facts.anything_open) if facts.anything_open else ("met", "")


def _violated(facts: Facts, expectation: Expectation) -> tuple[Status, str]:
    (name,) = expectation.names
    beside = name == "circular_wait" and not facts.is_asked(name)
    matching = [f for f in (*facts.findings, *(facts.waits if beside else ())) if name in f.names]
    if any(_covers(facts, expectation, f) for f in matching):
        return "met", ""
    causes = [f for f in facts.violations if name in _all_names(f)]
    if causes and not matching:
        return "met", f"as a consequence of {causes[0].check}"
    left_open = facts.left_open("lock_order" if beside else name)
    if left_open:
        return "undecided", left_open
    if matching:
        return "unmet", f"found, but of {' and of '.join(_threads(facts, f) for f in matching)}"
    return "unmet", "it holds"


def _all_names(finding: Finding) -> set[str]:
    """Return the names of the finding, and of what is violated because of it."""
    deadlock = ("deadlock",) if set(DEADLOCKS) & set(finding.consequences) else ()
    return {*finding.names, *finding.consequences, *deadlock}


def _covers(facts: Facts, expectation: Expectation, finding: Finding) -> bool:
    """Tell whether the expectation names the finding."""
    if expectation.kind == "holds":
        return bool(set(expectation.names) & set(finding.names))
    if expectation.kind == "order":
        reached = finding.check in ("lock_order", "circular_wait") and expectation.verdict == "reachable"
        return reached and _is_along(facts, expectation, finding)
    if expectation.kind != "violated":
        return False
    (name,) = expectation.names
    named = name in finding.names or (name == "circular_wait" and finding.is_cycle_reached)
    return named and (not expectation.arguments or _is_about(facts, expectation, finding))


def _is_along(facts: Facts, expectation: Expectation, finding: Finding) -> bool:
    """Tell whether the finding is the lock-order cycle between these classes, or the circular wait along it."""
    cycles = [f for f in facts.violations if f.is_cycle_reached and set(expectation.names) <= set(f.cause)]
    return any(f is finding or f.evidence is finding.evidence for f in cycles)


def _is_about(facts: Facts, expectation: Expectation, finding: Finding) -> bool:
    """`circular_wait(a, b)` names the declarations (or the threads) of the members, or of the ring itself.

    Of other checks the arguments are variables or locks: they are part of the cause.
    """
    wanted = set(expectation.arguments)
    about_threads = finding.check in (*DEADLOCKS, "lock_order") and finding.cause[:1] != (DECLARED_ORDER,)
    if not about_threads:
        declared = {facts.model.threads[t].declaration for t in finding.members}
        return wanted <= {*finding.cause, *declared}
    threads = facts.model.threads
    groups = [set(group) for group in (finding.members, finding.ring) if group]
    by_declaration = [{threads[t].declaration for t in group} for group in groups]
    by_name = [{threads[t].name for t in group} for group in groups]
    return wanted in by_declaration or wanted in by_name


def _threads(facts: Facts, finding: Finding) -> str:
    return listed([facts.model.threads[t].name for t in finding.members]) or finding.message


def _surprises(stated: tuple[Expectation, ...], surprising: tuple[Finding, ...]) -> Iterator[Checked]:
    """Without an `expect holds` that says so already: what is violated and was not named."""
    if surprising and not any(e.kind == "holds" for e in stated):
        yield Checked("nothing else is violated", "unmet", f"violated: {listed(_named(surprising))}")


def _named(findings: tuple[Finding, ...] | list[Finding]) -> list[str]:
    return list(dict.fromkeys(f.check if f.name == f.check else f.name for f in findings))


# --- lock order ----------------------------------------------------------------------------------


def _ordered(facts: Facts, expectation: Expectation) -> tuple[Status, str]:
    wanted, left_open = expectation.names, facts.left_open("lock_order")
    if not expectation.verdict:
        edges = {(e.source[0], e.request.wants[0]) for e in facts.order.edges}
        if all(pair in edges for pair in pairwise(wanted)):
            return "met", ""
        missing = "no thread takes them in this order"
        return ("undecided", left_open) if left_open else ("unmet", missing)
    cycles = [c for c in facts.order.cycles if set(wanted) == set(c.classes)]
    cycles = cycles or [c for c in facts.order.cycles if set(wanted) <= set(c.classes)]
    if any(_as_expected(c, expectation) for c in cycles):
        return "met", ""
    if left_open:
        return "undecided", left_open
    if not cycles:
        return "unmet", "they are not taken in contradictory orders"
    return "unmet", "; ".join(_told(c) for c in cycles)


def _as_expected(cycle: Cycle, expectation: Expectation) -> bool:
    gates = set(expectation.gates)
    return cycle.verdict == expectation.verdict and (
        not gates or gates in (set(cycle.gates), set(cycle.instances))
    )


def _told(cycle: Cycle) -> str:
    return gated_by(cycle) if cycle.gates else cycle.verdict


# --- numbers and places --------------------------------------------------------------------------


def _counted(facts: Facts, expectation: Expectation) -> tuple[Status, str]:
    statistics = facts.statistics
    if expectation.what in ("in", "steps"):
        lengths = [len(f.trace.steps) for f in facts.violations if f.trace is not None]
        if not lengths:
            open_ = facts.anything_open
            return ("undecided", open_) if open_ else ("unmet", "nothing is violated")
        actual = min(lengths)
    else:
        if not facts.counted:
            return "undecided", "not every reachable state was counted"
        counts = {
            "states": statistics.states,
            "transitions": statistics.transitions,
            "depth": statistics.depth,
        }
        actual = counts[expectation.what]
    return ("met", "") if actual == expectation.number else ("unmet", f"there are {actual}")


def _not_reached(facts: Facts, expectation: Expectation) -> tuple[Status, str]:
    (label,) = expectation.names
    seen = {(view.thread, view.location) for view in facts.views}
    labelled = {t.number: _places(t, label) for t in facts.model.threads}
    if not any(labelled.values()):
        return "unmet", "no thread of this scenario has such a label"
    for thread, places in labelled.items():
        if any((thread, place) in seen for place in places):
            return "unmet", f"{facts.model.threads[thread].name} gets there"
    left_open = facts.left_open("lock_order")  # both are answered by the local views
    return ("undecided", left_open) if left_open else ("met", "")


def _places(thread: Thread, label: str) -> frozenset[int]:
    """Return where a label stands: `label` anywhere in the thread, or `op.label`, or `thread.label`."""
    owner, _, own = label.rpartition(".")
    places = thread.labels.get(label, frozenset())
    return places | thread.labels.get(own, frozenset()) if owner == thread.declaration else places


def told_reasons(undecided: Mapping[str, str]) -> str:
    """Return the one reason why something was not decided, or the names of what was not."""
    reasons = list(dict.fromkeys(undecided.values()))
    return reasons[0] if len(reasons) == 1 else listed(list(undecided))
