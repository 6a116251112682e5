"""completion: counts how often it was completed; each waiter takes one away (SEMANTICS A3, G14).

Variables: `done`: 0 to the bound (by default the number of threads), or all.
Rules: complete adds one, beyond the bound it is an error of the model; complete_all makes it "all" until
reinit_completion sets it to 0. wait_for_completion blocks at 0, and takes one away unless it is all;
try_wait_for_completion does so or returns false. The interruptible and killable forms return 0, or -ERESTARTSYS if
they gave up while a signal was pending. wait_for_completion_timeout never blocks: it returns false if it gave up,
which it does at 0 only. A completion has no owner: a waiter waits for any thread that can still complete it.
Source: kernel/sched/completion.c (6.1): complete, do_wait_for_common; include/linux/completion.h.
"""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language.model import TRUE, Arith, Compare, Const, Expr, Ite, LockAt, Wait
from modelcheck.language.types import ERRNO, Bool, Enum, Scalar, bounds
from modelcheck.locks.primitive import (
    Declared,
    Field,
    Here,
    Outcome,
    Primitive,
    Reading,
    Verb,
    VerbStep,
    always,
    by,
    by_name,
    either,
    held_by_nobody,
    is_some,
    put,
    required,
)
from modelcheck.locks.signals import interruptible, only_where_it_waits


def _done_type(declared: Declared) -> Scalar:
    high = declared.bound[1] if declared.bound else max(1, len(declared.threads))
    return Enum("done", (*map(str, range(high + 1)), "all"))


def _all(here: Here) -> int:
    return bounds(here.field("done").var.type)[1]


def _complete(here: Here) -> tuple[VerbStep, ...]:
    done, every = here.field("done"), _all(here)
    name = here.at.lock.name
    message = (
        f"`{name}` would count to {every}: a bug, or its bound is too small "
        f"(raise it: `completion {name}: 0..{every};`)"
    )
    fits = either(Compare("<", done, Const(every - 1)), Compare("==", done, Const(every)))
    more = Ite(Compare("==", done, Const(every)), Const(every), Arith("+", done, Const(1)))
    return (VerbStep(TRUE, always(put(done, more)), required(fits, here, message)),)


def _complete_all(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(put(here.field("done"), _all(here)))),)


def _reinit(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, always(put(here.field("done"), 0))),)


def _taken(here: Here, result: int | None) -> Outcome:
    done, every = here.field("done"), Const(_all(here))
    fewer = Ite(Compare("==", done, every), every, Arith("-", done, Const(1)))
    return Outcome(is_some(done), (put(done, fewer),), result)


def _for_completers(here: Here) -> Wait:
    return Wait.for_writers((by(here.field("done"), "complete", "complete_all"),), rests=True)


def _wait(here: Here) -> tuple[VerbStep, ...]:
    taken = replace(_taken(here, None), when=TRUE)
    return (VerbStep(is_some(here.field("done")), (taken,), wait=_for_completers(here)),)


def _wait_interruptible(here: Here) -> tuple[VerbStep, ...]:
    return tuple(
        only_where_it_waits(step, interruptible(step, here, errno="ERESTARTSYS")) for step in _wait(here)
    )


def _wait_killable(here: Here) -> tuple[VerbStep, ...]:
    return tuple(
        only_where_it_waits(step, interruptible(step, here, fatal=True, errno="ERESTARTSYS"))
        for step in _wait(here)
    )


def _wait_timeout(here: Here) -> tuple[VerbStep, ...]:
    wait = replace(_for_completers(here), patience=is_some(here.field("done")))
    return (VerbStep(TRUE, (_taken(here, 1), Outcome(result=0)), wait=wait),)


def _try(here: Here) -> tuple[VerbStep, ...]:
    return (VerbStep(TRUE, (_taken(here, 1), Outcome(result=0)), action="try"),)


def _is_done(here: Here) -> Expr:
    return Compare("!=", here.field("done"), Const(0))


def _bool(_: LockAt) -> Scalar:
    return Bool()


def _told(name: str, value: str, _: str) -> str:
    return f"{name}={value}"


_WAIT = Verb("wait_for_completion", "write", _wait, blocks=True, sleeps=True)

COMPLETION = Primitive(
    kind="completion",
    fields=(Field("done", _done_type, told=_told),),
    verbs=by_name(
        Verb("complete", "write", _complete),
        Verb("complete_all", "write", _complete_all),
        _WAIT,
        replace(_WAIT, name="wait_for_completion_interruptible", steps=_wait_interruptible, result=ERRNO),
        replace(_WAIT, name="wait_for_completion_killable", steps=_wait_killable, result=ERRNO),
        Verb(
            "wait_for_completion_timeout",
            "write",
            _wait_timeout,
            sleeps=True,
            result=Bool(),
            arguments=("lock", "number"),
            optional=1,
        ),
        Verb("try_wait_for_completion", "write", _try, result=Bool()),
        Verb("reinit_completion", "write", _reinit),
    ),
    readings=(Reading("completion_done", _is_done, _bool),),
    holds=held_by_nobody,
    modes=(),
    bounded=True,
    ordered=False,
)
