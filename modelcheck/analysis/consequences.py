"""One cause, one finding (SEMANTICS H20): which findings are told as part of another, and in which order they come.

A thread that ends with locks in its hands is one finding, whatever the number of locks. Who then waits for such a
lock for ever is a consequence: told with the cause, not as a finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from modelcheck.analysis.finding import Finding, listed
from modelcheck.analysis.usage import USAGE
from modelcheck.analysis.waiting import Explainer
from modelcheck.result.trace import ClosedSet
from modelcheck.semantics.transition_system import INIT, State

ORDER = (
    ("assertion", "range", "lock_rules"),
    ("circular_wait",),
    ("lock_order",),
    ("guarded_by", "race"),
    ("invariant", "step", "reachable"),
    ("stuck", "cannot_finish"),
)
"""Causes before consequences."""

WEIGHTS = ("violation", "warning", "note")

STILL_HELD = "still held"
"""With this word begins the cause of a finding about a thread that ends with a lock (semantics/asking.py)."""

SLEEPS = "sleeps"
"""With this word begins the cause of a finding about who may sleep (semantics/asking.py)."""

SETTLED_AT_MOST = 20_000
"""In a larger closed set nobody looks for the states in which nothing changes any more."""


def as_told(
    explainer: Explainer, findings: Iterable[Finding]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings as they are told, and those that are told as consequences of others."""
    kept, folded = consequences_told(explainer, ends_joined(explainer, findings))
    kept, behind = returns_told(explainer, kept)
    kept, met = usage_told(explainer, kept)
    return ordered(with_way_out(explainer, finding) for finding in kept), (*folded, *behind, *met)


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings as they are told: violations first, causes before consequences, short traces first."""
    return tuple(sorted(findings, key=_rank))


def _rank(finding: Finding) -> tuple[int, int, int, int]:
    group = next(number for number, checks in enumerate(ORDER) if finding.check in checks)
    length = len(finding.trace.steps) if finding.trace and not finding.is_cycle_reached else 0
    return WEIGHTS.index(finding.weight), group, length, ORDER[group].index(finding.check)


# --- locks that are still held at a thread's end -------------------------------------------------


def is_still_held(finding: Finding) -> bool:
    """Tell whether the finding is about a thread that ends with a lock."""
    return finding.cause[:1] == (STILL_HELD,) and finding.cause[-1] != "undefined"


def ends_joined(explainer: Explainer, findings: Iterable[Finding]) -> list[Finding]:
    """Make one finding of those about one thread declaration that ends, once, with all of these locks.

    Likewise of those about a statement that may sleep, where a run that shows one shows all.
    """
    joined: dict[tuple[object, ...], Finding] = {}
    for number, finding in enumerate(findings):
        key: tuple[object, ...] = (number,)
        if is_still_held(finding):
            key = _end(explainer, finding)
        elif finding.cause[:1] == (SLEEPS,) and finding.trace is not None:
            key = (*finding.cause[:2], len(finding.trace.steps), finding.members)
        other = joined.get(key)
        joined[key] = finding if other is None else _both(explainer, other, finding)
    return list(joined.values())


def _end(explainer: Explainer, finding: Finding) -> tuple[object, ...]:
    """Return what the thread ends with; the same at the end of the same number of steps has one cause."""
    assert finding.trace is not None
    held = explainer.interpreter.held(finding.trace.last, finding.members[0])
    return (STILL_HELD, finding.cause[1], len(finding.trace.steps), tuple(sorted({h.lock for h in held})))


def _both(explainer: Explainer, one: Finding, other: Finding) -> Finding:
    cause = (*one.cause, *(lock for lock in other.cause[2:] if lock not in one.cause[2:]))
    if cause[0] == SLEEPS:
        what = one.message.removesuffix(f"with {listed(one.cause[2:])} held")
        return replace(one, cause=cause, message=f"{what}with {listed(cause[2:])} held")
    thread = explainer.interpreter.system.model.threads[one.members[0]].name
    message = f"{thread} ends while it still holds {listed(cause[2:])}"
    return replace(one, cause=cause, message=message, states=max(one.states, other.states))


def with_way_out(explainer: Explainer, finding: Finding) -> Finding:
    """Say behind which statement the thread came to its end with the locks."""
    steps = finding.trace.steps if finding.trace else ()
    if not steps or steps[-1].location == INIT or not is_still_held(finding):
        return finding
    mine = [step for step in steps if step.thread == finding.members[0] and step.location != INIT]
    if not mine:
        return finding
    place = explainer.place(mine[-1])
    text = " ".join(place.text.split())
    left = f"it left at {place.left_by}" if place.left_by else ""
    told = left or f"its last step: `{text}` at {place.span}"
    return replace(finding, details=(*finding.details, told))


def is_unbalanced(finding: Finding) -> bool:
    """Tell whether an op returned with other locks than it may."""
    return finding.cause[:1] == ("unbalanced",) and finding.cause[-1] != "undefined"


# --- what an unbalanced op leads to --------------------------------------------------------------


def returns_told(
    explainer: Explainer, findings: Iterable[Finding]
) -> tuple[list[Finding], tuple[Finding, ...]]:
    """Return the findings without those that an earlier return with the same locks leads to, and these.

    Of two returns in one step the inner op's comes first.
    """
    findings = list(findings)
    returns = [f for f in reversed(findings) if is_unbalanced(f)]
    returns.sort(key=lambda f: len(f.trace.steps) if f.trace else 0)
    cause_of: dict[int, Finding] = {}
    for number, finding in enumerate(findings):
        mine = returns.index(finding) if finding in returns else len(returns)
        first = next((each for each in returns[:mine] if _leads_to(explainer, each, finding)), None)
        if first is not None:
            cause_of[number] = first
    behind = tuple(findings[number] for number in cause_of)
    told = []
    for finding in findings:
        results = [findings[n] for n, cause in cause_of.items() if cause is finding]
        ends = (f"as a consequence, {each.message}" for each in results if is_still_held(each))
        more = dict.fromkeys(check for each in (finding, *results) for check in each.consequences)
        details = (*finding.details, *ends)
        told.append(replace(finding, details=details, consequences=tuple(more)) if results else finding)
    return [each for n, each in enumerate(told) if n not in cause_of], behind


def _leads_to(explainer: Explainer, first: Finding, finding: Finding) -> bool:
    """Tell whether the finding's run makes the return, and the thread then keeps to what was wrong there."""
    if not (is_unbalanced(finding) or is_still_held(finding)) or finding.trace is None or not finding.members:
        return False
    (thread, *_), steps = finding.members, finding.trace.steps
    wrong = {f"+{lock}" for lock in finding.cause[2:]} if is_still_held(finding) else set(finding.cause[4:])
    if not wrong <= set(first.cause[4:]):
        return False
    for number, step in enumerate(steps):
        left = [(c.call.op, str(c.call.span), str(c.at)) for c, _ in step.crossings if c.leaves]
        if step.thread == thread and any(each == first.cause[1:4] for each in left):
            after = (each.target for each in steps[number:] if each.target is not None)
            held = [{h.lock for h in explainer.interpreter.held(state, thread)} for state in after]
            return all((w[1:] in locks) == (w[0] == "+") for w in wrong for locks in held)
    return False


# --- locks used in handlers and with interrupts enabled ------------------------------------------


def usage_told(explainer: Explainer, findings: list[Finding]) -> tuple[list[Finding], tuple[Finding, ...]]:
    """Return the findings, a misuse of locks told with the circular wait that it leads to, and what is told so."""
    rings = [(n, _awaited(explainer, f)) for n, f in enumerate(findings) if f.check == "circular_wait"]
    kept = list(findings)
    met = []
    for finding in findings:
        if finding.cause[:1] == (USAGE,):
            ring = next((n for n, awaited in rings if awaited.issuperset(finding.cause[2:])), None)
            if ring is not None:
                told = kept[ring]
                names = tuple(dict.fromkeys((*told.consequences, finding.check)))
                kept[ring] = replace(told, details=(*told.details, finding.message), consequences=names)
                met.append(finding)
    return [finding for finding in kept if finding not in met], tuple(met)


def _awaited(explainer: Explainer, finding: Finding) -> set[str]:
    """Return the classes of the locks that the threads of a circular wait wait for; none if no handler is in it."""
    assert finding.trace is not None
    threads, state = explainer.interpreter.system.model.threads, finding.trace.last
    if not any(threads[t].handler for t in finding.members):
        return set()
    verbs = (explainer.interpreter.location(state, t).verb for t in finding.members)
    return {verb.at.lock.name for verb in verbs if verb is not None}


# --- who waits for them --------------------------------------------------------------------------


def consequences_told(
    explainer: Explainer, findings: Iterable[Finding]
) -> tuple[list[Finding], tuple[Finding, ...]]:
    """Return the findings with their consequences, and the findings that are told as such."""
    findings = list(findings)
    held = {(f.cause[1], lock): n for n, f in enumerate(findings) if is_still_held(f) for lock in f.cause[2:]}
    consequences: dict[int, list[Finding]] = {}
    for finding in findings:
        cause = _cause_of(explainer, finding, held) if held else None
        if cause is not None:
            consequences.setdefault(cause, []).append(finding)
    folded = [finding for each in consequences.values() for finding in each]
    told = [_telling(explainer, each, consequences.get(n, [])) for n, each in enumerate(findings)]
    return [each for each in told if each not in folded], tuple(folded)


def _telling(explainer: Explainer, finding: Finding, waiting: list[Finding]) -> Finding:
    if not waiting:
        return finding
    threads = explainer.interpreter.system.model.threads
    names = sorted({threads[t].name for each in waiting for t in each.members})
    verb = "waits" if len(names) == 1 else "wait"
    what = "it" if len(finding.cause) == 3 else "them"
    return replace(
        finding,
        message=f"{finding.message}, and then {listed(names)} {verb} for {what} for ever",
        consequences=tuple(dict.fromkeys(each.check for each in waiting)),
    )


def _cause_of(explainer: Explainer, finding: Finding, held: Mapping[tuple[str, str], int]) -> int | None:
    """Return the finding whose lock the lost thread waits for in the end, whatever happens; None if there is none."""
    match finding.evidence:
        case ClosedSet(states=states, thread=thread) if finding.check in ("stuck", "cannot_finish"):
            owed = {_owed(explainer, state, thread, held) for state in _in_the_end(explainer, states)}
            return (
                min((each for each in owed if each is not None), default=None) if None not in owed else None
            )
        case _:
            return None


def _owed(explainer: Explainer, state: State, thread: int, held: Mapping[tuple[str, str], int]) -> int | None:
    """Return which finding is about the lock that the thread waits for and a finished thread holds."""
    interpreter = explainer.interpreter
    verb = interpreter.location(state, thread).verb
    if verb is None or interpreter.finished(state, thread) or not interpreter.blocked(state, thread):
        return None
    for owner in sorted(explainer.waiting.all_of(state, thread) or ()):
        cause = held.get((interpreter.system.model.threads[owner].declaration, verb.at.lock.name))
        if cause is not None and interpreter.finished(state, owner):
            return cause
    return None


def _in_the_end(explainer: Explainer, states: frozenset[State]) -> Iterable[State]:
    """Yield the states of a closed set in which everybody who will ever finish has finished.

    To finish is stable, so these are the states that only lead to states with the same threads finished. Of a set
    that is too large all states are looked at, which finds fewer causes, never a wrong one.
    """
    if len(states) > SETTLED_AT_MOST:
        return states
    interpreter = explainer.interpreter
    threads = range(len(interpreter.system.model.threads))
    before: dict[State, list[State]] = {}
    unsettled: list[State] = []
    for state in states:
        done = [t for t in threads if interpreter.finished(state, t)]
        for step in interpreter.successors(state):
            if step.target is not None:
                before.setdefault(step.target, []).append(state)
                if [t for t in threads if interpreter.finished(step.target, t)] != done:
                    unsettled.append(state)
    seen = set(unsettled)
    while unsettled:
        for state in before.get(unsettled.pop(), ()):
            if state not in seen:
                seen.add(state)
                unsettled.append(state)
    return states - seen
