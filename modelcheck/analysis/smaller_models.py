"""The same model with one parameter less by one: how many states it has is searched, not guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from modelcheck.analysis.advice import LEAST, Advice
from modelcheck.analysis.profile import Profile
from modelcheck.diagnostics import SpecError, counted
from modelcheck.engine import auto
from modelcheck.engine.engine import Limits
from modelcheck.engine.watch import INTERRUPTED
from modelcheck.language import syntax
from modelcheck.language.elaborate import elaborate
from modelcheck.language.model import Model
from modelcheck.semantics.transition_system import transition_system

MOST_TRIALS = 8


def parameter_advice(
    specs: tuple[syntax.Specification, ...],
    given: Mapping[str, str | int | bool],
    profile: Profile,
    limits: Limits,
) -> tuple[tuple[Advice, ...], bool]:
    """Return for each parameter that is a number what one less of it saves; and whether that was interrupted.

    A smaller model is searched no longer than to as many states as the model itself, and about twice its time.
    """
    states, seconds = profile.statistics.states, 2 * profile.statistics.seconds + 1
    limits = replace(
        limits,
        states=min(states, limits.states or states),
        seconds=min(seconds, limits.seconds or seconds),
    )
    found: list[Advice] = []
    try:
        for name, value, model in list(_smaller(specs, given, profile.model))[:MOST_TRIALS]:
            answers = auto.explore(transition_system(model), (), limits)
            if answers.stopped == INTERRUPTED:
                return tuple(found), True
            if not answers.stopped and states >= LEAST * answers.statistics.states:
                found.append(_advice(profile, name, value, answers.statistics.states))
    except KeyboardInterrupt:
        return tuple(found), True
    return tuple(found), False


def _advice(profile: Profile, name: str, value: int, fewer: int) -> Advice:
    states = profile.statistics.states
    told = f"{counted(fewer, 'state')} instead of {'more than ' * bool(profile.stopped)}{states}"
    message = f"start with {name}={value - 1} instead of {value}: {told}"
    return Advice("parameter", name, message, states / fewer, "searched")


def _smaller(
    specs: tuple[syntax.Specification, ...], given: Mapping[str, str | int | bool], model: Model
) -> Iterator[tuple[str, int, Model]]:
    for name, shown in model.parameters:
        if not shown.removeprefix("-").isdigit():
            continue
        settings = {**given, name: str(int(shown) - 1)}
        try:
            yield name, int(shown), elaborate(_without(specs, model, name), settings, model.scenario.name)
        except SpecError:
            continue  # it is as small as it can be


def _without(
    specs: tuple[syntax.Specification, ...], model: Model, name: str
) -> tuple[syntax.Specification, ...]:
    """Return the specification whose scenario does not set the parameter itself."""
    declarations = tuple(
        replace(d, items=tuple(i for i in d.items if not (isinstance(i, syntax.Setting) and i.name == name)))
        if isinstance(d, syntax.Scenario) and d.name == model.scenario.name
        else d
        for d in specs[0].declarations
    )
    return (replace(specs[0], declarations=declarations), *specs[1:])
