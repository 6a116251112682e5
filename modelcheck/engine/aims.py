"""What a symbolic search looks for, name by name, and what it has found already.

A question that is a matter of one state or of one step becomes *aims*; an aim has the name under which its verdict
is reported. What is found is told apart by the same causes as in an explicit search (engine/collecting.py), and
from then on the search looks for what shows another cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from modelcheck.engine.collecting import Collector
from modelcheck.engine.engine import Found
from modelcheck.language.model import Breach
from modelcheck.result.trace import Trace
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import (
    ActionCounts,
    CannotFinish,
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
from modelcheck.semantics.symbolic import Broken, Frame, Going, Relation
from modelcheck.semantics.symbolic_questions import Asked
from modelcheck.semantics.symbolic_truth import Truth, conjunction, disjunction, negation
from modelcheck.semantics.transition_system import INIT, TransitionSystem
from modelcheck.semantics.waiting import Waiting, standing

ERROR_CHECKS = ("assertion", "lock_rules", "range")
"""The checks that an error step can violate."""

RING = "circular_wait"


@dataclass(frozen=True)
class Aim:
    """Something to look for. `undefined`: that the predicate is undefined, and not that it shows."""

    name: str
    question: Question
    undefined: bool = False

    @property
    def is_step(self) -> bool:
        """Whether it shows in a step, and not in a state."""
        return isinstance(self.question, StepPredicate | ErrorSteps)


def aims_of(relation: Relation, questions: Sequence[Question]) -> tuple[tuple[Aim, ...], dict[str, str]]:
    """Return the aims, and why the other questions stay open."""
    aims: list[Aim] = []
    left: dict[str, str] = {}
    for question in questions:
        match question:
            case StatePredicate(name=name) | StepPredicate(name=name):
                aims += (Aim(name, question), Aim(name, question, undefined=True))
            case ErrorSteps():
                aims += (Aim(check, question) for check in ERROR_CHECKS)
            case CircularWaits():
                if relation.uncountable:
                    place = relation.uncountable[0].span
                    left[RING] = (
                        f"whether a thread is blocked at {place} depends on too many values to choose from"
                    )
                else:
                    aims.append(Aim(RING, question))
            case TimeOutWaits():
                pass  # no more than a warning: a complete search gives it
            case StuckForEver():
                left["stuck"] = "it speaks of all continuations of a state: a complete search decides it"
            case CannotFinish():
                left["cannot_finish"] = (
                    "it speaks of all continuations of a state: a complete search decides it"
                )
            case LocalViews():
                left["lock_order"] = "it needs the local views of all states: a complete search collects them"
            case Crossings():
                left["balance"] = "it needs the locks held at all calls: a complete search collects them"
            case ActionCounts() | Occurrences():
                left["vacuity"] = "it needs to know all that ever runs: a complete search collects it"
    return tuple(aims), left


def rule_of(breach: Breach | None) -> str:
    """Return the check that an error step violates; without a breach it is undefined or out of range."""
    return "range" if breach is None else breach.check


Site = tuple[str, str, str, str, str]


def site_of(system: TransitionSystem, broken: Broken) -> Site:
    """Return what tells error steps apart before their message is known: who, which rule, where."""
    thread = system.model.threads[broken.thread]
    place = thread.locations[broken.location].span
    breach = broken.breach
    if breach is None:
        return thread.declaration, str(place), "range", "", ""
    return thread.declaration, str(place), breach.check, breach.name, f"{breach.span} {breach.message}"


def in_state(asked: Asked, aim: Aim, frame: Frame) -> Truth:
    """Return whether the aim shows in the state."""
    if isinstance(aim.question, StatePredicate):
        return asked.state(aim.question, frame)[aim.undefined]
    assert isinstance(aim.question, CircularWaits)
    return asked.circular(frame)


def in_step(asked: Asked, aim: Aim, frame: Frame, going: Going) -> Truth:
    """Return whether the aim shows in the step that is made from the frame."""
    assert isinstance(aim.question, StepPredicate)
    return asked.step(aim.question, frame, going)[aim.undefined]


def in_error(aim: Aim, going: Going) -> Truth:
    """Return whether the step that is tried is an error step of the aim's check."""
    return disjunction(broken.condition for broken in going.broken if rule_of(broken.breach) == aim.name)


def shows(asked: Asked, aim: Aim, frame: Frame, going: Going) -> Truth:
    """Return whether the aim shows in the state, or in the step from there."""
    match aim.question:
        case ErrorSteps():
            return in_error(aim, going)
        case StepPredicate():
            return in_step(asked, aim, frame, going)
        case _:
            return in_state(asked, aim, frame)


class Hunt:
    """The aims of one search: their terms at each time, and what was found."""

    def __init__(self, interpreter: Interpreter, asked: Asked, aims: Sequence[Aim]) -> None:
        self.aims = list(aims)
        self.found: list[Found] = []
        self._interpreter = interpreter
        self._asked = asked
        self.violated: set[str] = set()
        self._sites: set[Site] = set()
        self._rings: set[frozenset[tuple[int, int]]] = set()

    def in_state(self, frame: Frame) -> list[tuple[Aim, Truth]]:
        """Return what is looked for in a state."""
        known = conjunction(negation(self._stand(frame, ring)) for ring in self._rings)
        return [
            (aim, conjunction((in_state(self._asked, aim, frame), known if aim.name == RING else True)))
            for aim in self.aims
            if not aim.is_step
        ]

    def in_step(self, frame: Frame, going: Going) -> list[tuple[Aim, Truth]]:
        """Return what is looked for in a step that is made."""
        return [
            (aim, in_step(self._asked, aim, frame, going))
            for aim in self.aims
            if isinstance(aim.question, StepPredicate)
        ]

    def in_error(self, going: Going) -> list[tuple[Aim, Truth]]:
        """Return what is looked for among the error steps."""
        system = self._asked.relation.system
        new = replace(going, broken=tuple(b for b in going.broken if site_of(system, b) not in self._sites))
        return [(aim, in_error(aim, new)) for aim in self.aims if isinstance(aim.question, ErrorSteps)]

    def _stand(self, frame: Frame, places: frozenset[tuple[int, int]]) -> Truth:
        terms = self._asked.relation.terms
        return conjunction(terms.stands(frame.moment, t, frozenset((n,))) for t, n in sorted(places))

    # --- what was found --------------------------------------------------------------------------

    def note(self, aim: Aim, trace: Trace, broken: Broken | None = None) -> None:
        """Note what the trace shows, and look for it no more. `broken` is its error step, if it ends in one."""
        self.violated.add(aim.name)
        match aim.question:
            case CircularWaits():
                self._note_rings(aim.question, trace)
            case ErrorSteps():
                if broken is not None:
                    self._sites.add(site_of(self._asked.relation.system, broken))
                self._note(aim, trace)
            case _:
                self.aims.remove(aim)
                self._note(aim, trace)

    def _note_rings(self, question: Question, trace: Trace) -> None:
        state = trace.last
        rings = Waiting(self._interpreter).knot(state).rings
        assert rings, "z3 sees a circular wait that the interpreter does not"
        cells = self._interpreter.system.location_cells
        for ring in rings:
            self._rings.add(frozenset((t, state[cells[t]]) for t in ring.members))
            cause = tuple(sorted(standing(self._interpreter, state, t, ring.members) for t in ring.members))
            self._add(Found(question, cause, len(trace.steps), 1, trace, ring.members))

    def _note(self, aim: Aim, trace: Trace) -> None:
        collector = Collector(self._interpreter, (aim.question,))
        level = len(trace.steps)
        if not aim.is_step:
            collector.found(0, trace.last, level, None)
        elif trace.steps[-1].thread == INIT:
            collector.before_time(trace.steps[-1])
        else:
            before = trace.states[len(trace.steps) - 1]
            collector.expanded(0, before, level - 1, trace.steps[-1:])
        seen = [s for s in collector.sightings.all if bool(s.targets[0].undefined) == aim.undefined]
        assert seen, f"z3 sees `{aim.name}` where the interpreter does not"
        for each in seen:
            target = each.targets[0]
            self._add(
                Found(aim.question, each.cause, level, 1, trace, target.members, undefined=target.undefined)
            )

    def _add(self, found: Found) -> None:
        keys = {(each.question, each.cause, bool(each.undefined)) for each in self.found}
        if (found.question, found.cause, bool(found.undefined)) not in keys:
            self.found.append(found)
