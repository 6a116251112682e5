"""From answers to findings and verdicts: what an engine saw, in the words of the checks (SEMANTICS A4, H14, H20).

Findings with one cause are one finding. A thread that is stuck because a circular wait is ahead is told with that
circular wait, as "lost since step n" (A4, settled 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from modelcheck.analysis.consequences import as_told
from modelcheck.analysis.discipline import discipline
from modelcheck.analysis.finding import DEADLOCKS, Finding, Outcome, listed
from modelcheck.analysis.guards import Guards, Note, guards, only_read, with_guards
from modelcheck.analysis.lock_order import Basis, Order, lock_order
from modelcheck.analysis.order_findings import order_findings
from modelcheck.analysis.order_requests import requests_of, ring_of_classes
from modelcheck.analysis.telling import finding_of, reached, text_of
from modelcheck.analysis.usage import usage_findings
from modelcheck.analysis.vacuity import Coverage, coverage
from modelcheck.analysis.waiting import Explainer
from modelcheck.diagnostics import CHECKS
from modelcheck.engine.engine import Answers
from modelcheck.engine.watch import INTERRUPTED
from modelcheck.language.model import Model, Property, refs
from modelcheck.result.certify import certify
from modelcheck.result.trace import Exhausted, Trace
from modelcheck.result.verdict import Bounded, Failed, Holds, Proved, Unknown, Verdict, Violated
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import (
    Question,
    StatePredicate,
)

PREDICATES = ("guarded_by", "race")
"""Checks that are nothing but state predicates: a model in which nothing can collide asks none, and they hold."""


@dataclass(frozen=True)
class Judgement:
    """What was found, the verdict on each check and property, the lock order, and what happened at all.

    `folded` are findings that are told as consequences of others, `guards` the lock sets seen at each variable,
    `waits` the circular waits, whether or not they were asked for.
    """

    findings: tuple[Finding, ...]
    outcomes: tuple[Outcome, ...]
    order: Order
    coverage: Coverage
    folded: tuple[Finding, ...] = ()
    guards: tuple[Guards, ...] = ()
    notes: tuple[Note, ...] = ()
    waits: tuple[Finding, ...] = ()

    @property
    def undecided(self) -> dict[str, str]:
        """Why some checks and properties were not decided; what a race leaves unclaimed is told as the race."""
        found = {}
        for outcome in self.outcomes:
            match outcome.verdict:
                case Unknown(reason) if not outcome.unclaimed:
                    found[outcome.name] = reason
                case Bounded(depth):
                    found[outcome.name] = f"nothing is known beyond {depth} steps"
                case _:
                    pass
        return found


def judged(
    explainer: Explainer, asked: tuple[Question, ...], answers: Answers, only: frozenset[str]
) -> tuple[Answers, Judgement]:
    """Judge the answers and certify every evidence; answers and judgement after an interrupt say that there was one.

    What the engine itself found is then told, and nothing is done that takes long.
    """
    try:
        return answers, certified(explainer.interpreter, judge(explainer, asked, answers, only))
    except KeyboardInterrupt:
        answers = replace(answers, stopped=INTERRUPTED, views=frozenset(), crossings=frozenset())
        return answers, certified(explainer.interpreter, judge(explainer, asked, answers, only), quickly=True)


def certified(interpreter: Interpreter, judgement: Judgement, *, quickly: bool = False) -> Judgement:
    """Check every evidence by the definition; what does not show what it should is our bug (CertificationError).

    If it must go quickly, only traces are taken again.
    """

    def one(finding: Finding) -> Finding:
        if finding.evidence is None or finding.claim is None:
            return finding
        if quickly and not isinstance(finding.evidence, Trace):
            return finding
        return replace(
            finding, certified=certify(interpreter, finding.evidence, finding.claim, finding.members)
        )

    findings, folded = tuple(map(one, judgement.findings)), tuple(map(one, judgement.folded))
    return replace(judgement, findings=findings, folded=folded)


def judge(
    explainer: Explainer, asked: tuple[Question, ...], answers: Answers, only: frozenset[str] = frozenset()
) -> Judgement:
    """Say what the answers to the questions mean; of some checks and properties only, if they are named."""
    interpreter = explainer.interpreter
    complete = not answers.stopped
    kept = _merged(finding_of(explainer, found) for found in answers.found if not reached(found))
    rings = {_ring_of_classes(explainer, f): f for f in reversed(kept) if _is_a_ring(f)}
    basis: Basis = "every state" if complete else "some states"
    order = lock_order(requests_of(interpreter, answers.views), frozenset(rings), basis)
    unreached = tuple(_unreached(explainer, asked, answers)) if complete and not answers.open else ()
    unbalanced, unpaired = discipline(interpreter, answers.crossings, complete=complete)
    if unpaired:
        answers = replace(answers, open={**answers.open, "lock_rules": unpaired})
    found = (*kept, *unbalanced, *unreached, *order_findings(interpreter, order, rings))
    found = (*found, *usage_findings(interpreter, answers.views))
    model, table = interpreter.system.model, guards(interpreter, answers.views)
    wanted = [with_guards(interpreter, table, f) for f in found if not only or only & set(f.names)]
    findings, folded = as_told(explainer, wanted)
    outcomes = tuple(_outcomes(model, asked, answers, (*findings, *folded), only))
    notes = () if only else only_read(model)
    waits = tuple(f for f in kept if f.check == "circular_wait")
    return Judgement(findings, outcomes, order, coverage(model, answers), folded, table, notes, waits)


# --- findings ------------------------------------------------------------------------------------


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """Make one finding of those with one cause: the shortest trace, the sum of the states."""
    by_cause: dict[tuple[str, ...], Finding] = {}
    for finding in findings:
        key = (finding.check, *finding.cause)
        other = by_cause.get(key)
        if other is None:
            by_cause[key] = finding
        else:
            best = min(other, finding, key=_length)
            by_cause[key] = replace(best, states=other.states + finding.states)
    return sorted(by_cause.values(), key=_length)


def _length(finding: Finding) -> tuple[int, int]:
    return (len(finding.trace.steps), finding.trace.switches) if finding.trace else (0, 0)


def _is_a_ring(finding: Finding) -> bool:
    return finding.check == "circular_wait" and finding.weight == "violation"


def _ring_of_classes(explainer: Explainer, finding: Finding) -> tuple[str, ...]:
    """Return a circular wait as a cycle of lock classes; () if some wait in it is not for a lock."""
    assert finding.trace is not None
    return ring_of_classes(explainer.interpreter, finding.trace.last, finding.ring)


def _unreached(explainer: Explainer, asked: tuple[Question, ...], answers: Answers) -> Iterator[Finding]:
    """A complete search did not reach what must be reachable."""
    found = {f.question for f in answers.found}
    for question in asked:
        if isinstance(question, StatePredicate) and question.check == "reachable" and question not in found:
            statistics = answers.statistics
            yield Finding(
                check="reachable",
                name=question.name,
                weight="violation",
                message=f"no state that can be reached satisfies it: {text_of(explainer, question.name)}",
                cause=question.cause,
                evidence=Exhausted(statistics.states, statistics.transitions),
                span=question.span,
                claim=question,
            )


# --- verdicts ------------------------------------------------------------------------------------


def _outcomes(
    model: Model,
    asked: tuple[Question, ...],
    answers: Answers,
    findings: tuple[Finding, ...],
    only: frozenset[str],
) -> Iterator[Outcome]:
    # A variable with a guard is looked at for races only where its guard is kept (semantics/accesses.py).
    unguarded = {f.cause[1] for f in findings if f.check == "guarded_by"}
    racing = unguarded | {f.cause[1] for f in findings if f.check == "race"}
    raced = racing > unguarded
    also = {v.name for v in model.variables if (unguarded if v.guards else raced and v.marked is None)}
    for check in CHECKS:
        if check == "race" and unguarded and racing == unguarded:
            continue
        if check not in ("deadlock", "vacuity") and _is_wanted(check, only):
            nothing_asked = check in PREDICATES and not any(_is_about(q, check) for q in asked)
            mine = [f for f in findings if f.check == check]
            yield Outcome("check", check, Holds() if nothing_asked else _verdict(answers, check, mine))
    for each in model.properties:
        if _is_wanted(each.name, only) or _is_wanted(each.kind, only):
            mine = [f for f in findings if f.check == each.kind and f.name == each.name]
            verdict = _verdict(answers, each.name, mine)
            # Who proves stops at the first guard that is not kept, and at the first race: of others nothing is known.
            unknown = also if isinstance(verdict, Proved) else set()
            yield _claimed(each, verdict, racing, unguarded, unknown)


def _claimed(
    wanted: Property, verdict: Verdict, racing: set[str], unguarded: set[str], also: set[str]
) -> Outcome:
    """Without races statement-sized steps show all that can happen; with one, `holds` is not claimed (SEMANTICS A2)."""
    read = {ref.var.name for ref in refs(wanted.expr)} & (racing | also)
    if not read or wanted.kind == "reachable" or not isinstance(verdict, Holds | Proved):
        return Outcome(wanted.kind, wanted.name, verdict)
    names = listed([f"`{name}`" for name in sorted(read)])
    raced = "which two threads access at once: see the data race"
    guard = "whose guard is not kept: see guarded_by"
    unknown = "which may be accessed without its lock, or by two threads at once, like others here"
    why = guard if read <= unguarded else raced if read <= racing else unknown
    reason = f"it reads {names}, {why}"
    return Outcome(wanted.kind, wanted.name, Unknown(reason), unclaimed=True)


def _is_wanted(name: str, only: frozenset[str]) -> bool:
    umbrella = "deadlock" in only and name in (*DEADLOCKS, "lock_order")
    return not only or name in only or umbrella


def _verdict(answers: Answers, name: str, findings: list[Finding]) -> Verdict:
    """Violated before all else; then what the engine could not decide; then holds."""
    for finding in findings:
        if finding.weight == "violation" and finding.evidence is not None:
            if finding.cause[-1:] == ("undefined",):
                assert finding.trace is not None
                return Failed(finding.message, finding.trace)
            return Violated(finding.evidence)
    if name in answers.proofs:
        return Proved(answers.proofs[name])
    witness = next((f.trace for f in answers.found if reached(f) and _is_of(f.question, name)), None)
    if witness is not None:
        return Holds(witness)
    if name in answers.bounds:
        return Bounded(answers.bounds[name])
    if name in answers.open:
        return Unknown(answers.open[name])
    return Unknown(answers.stopped) if answers.stopped else Holds()


def _is_of(question: Question, name: str) -> bool:
    return isinstance(question, StatePredicate) and question.name == name


def _is_about(question: Question, check: str) -> bool:
    return isinstance(question, StatePredicate) and question.check == check
