"""What a step does: effects, and the calls that it enters or leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from modelcheck.language.model.terms import TRUE, Expr, LockAt, Ref
from modelcheck.language.types import Scalar
from modelcheck.source import NOWHERE, Span


@dataclass(frozen=True)
class Assign:
    """Evaluate `value`, then the target's index; the value must be in the target's type: else an error step (range)."""

    target: Ref
    value: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Test:
    """Run `then` or `otherwise`; what stands after the Test in its sequence follows, unless the branch jumped.

    `span` is the condition of an `if` or `while` in the text, `arms` what it leads to there (for vacuity).
    """

    condition: Expr
    then: Effects
    otherwise: Effects
    span: Span = field(default=NOWHERE, compare=False)
    arms: tuple[Span, Span] = field(default=(NOWHERE, NOWHERE), compare=False)


@dataclass(frozen=True)
class Choose:
    """Assign to `target` any value of its type, or of low..high, for which `where` holds after the assignment.

    One outcome a value, in rising order; none if there is none.
    """

    target: Ref
    low: int
    high: int
    where: Expr = TRUE
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Either:
    """Run any one branch; what stands after the Either in its sequence follows, unless the branch jumped."""

    branches: tuple[Effects, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Breach:
    """What an error step violates: the check ("assertion", "lock_rules", "range"), and the sentence for the reader."""

    check: str
    message: str
    name: str = ""
    span: Span = field(default=NOWHERE, compare=False)
    lock: LockAt | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Require:
    """If the condition is false, this is an error step."""

    condition: Expr
    breach: Breach


@dataclass(frozen=True)
class Assume:
    """If the condition is false there is no such step: this path has no outcome."""

    condition: Expr


@dataclass(frozen=True)
class Emit:
    """An observable event; changes nothing."""

    event: str
    arguments: tuple[Expr, ...]
    types: tuple[Scalar, ...]


@dataclass(frozen=True)
class Crossing:
    """The step enters or leaves a call; SEMANTICS C1 compares the locks held at both.

    `at` is the `return`, or the end of the op.
    """

    call: Call
    leaves: bool
    at: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Jump:
    """Arrive at location `target` of the thread and end the step: nothing after it runs. Every path has one."""

    target: int


Effect = Assign | Test | Choose | Either | Require | Assume | Emit | Crossing | Jump
Effects = tuple[Effect, ...]


@dataclass(frozen=True, eq=False)
class Call:
    """One inlined call: the op, where it was called, its contracts, and the call that it stands in.

    `parameters` are the cells of its value parameters, None for locks and records; `result` is that of its result.
    """

    op: str
    span: Span
    number: int
    parent: Call | None = None
    parameters: tuple[Ref | None, ...] = ()
    contracts: tuple[tuple[str, LockAt], ...] = ()
    result: Ref | None = None

    @property
    def stack(self) -> tuple[Call, ...]:
        """The calls from the outermost to this one."""
        return (*self.parent.stack, self) if self.parent else (self,)


def walk_effects(effects: Effects) -> Iterator[Effect]:
    """Yield every effect, those in branches included, in source order."""
    for effect in effects:
        yield effect
        match effect:
            case Test(_, then, otherwise):
                yield from walk_effects(then)
                yield from walk_effects(otherwise)
            case Either(branches):
                for branch in branches:
                    yield from walk_effects(branch)
            case _:
                pass


def jump_targets(effects: Effects) -> tuple[int, ...]:
    """Return the locations that a statement can lead to."""
    return tuple(dict.fromkeys(e.target for e in walk_effects(effects) if isinstance(e, Jump)))
