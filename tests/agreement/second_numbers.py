"""What can go wrong in the second opinion, and its arithmetic (SEMANTICS H6)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any


class WrongError(Exception):
    """This is an error step: out of range, undefined, an assertion, a lock rule."""


class BlockedError(Exception):
    """The statement cannot run now."""


class VariesError(Exception):
    """The expression is not constant."""


def quotient(left: int, right: int) -> int:
    if right == 0:
        raise WrongError
    return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)


def bits(apply: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def checked(left: int, right: int) -> int:
        if left < 0 or right < 0:
            raise WrongError
        return apply(left, right)

    return checked


NUMBERS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": quotient,
    "%": lambda a, b: a - b * quotient(a, b),
    "&": bits(operator.and_),
    "|": bits(operator.or_),
    "^": bits(operator.xor),
    "<<": bits(operator.lshift),
    ">>": bits(operator.rshift),
}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
