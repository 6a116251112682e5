"""The one table of operators: symbol, how tightly it binds, and what it wants.

The printer, the type checker and the manual read it (docs/reference/operators.md is generated from it).
C's precedence, with `implies` below all (SEMANTICS G5) and `..` between assignment and everything else (G2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["logic", "equality", "order", "membership", "bits", "shift", "sum", "product"]


@dataclass(frozen=True)
class Operator:
    """A binary operator; a higher `binding` binds tighter."""

    symbol: str
    binding: int
    family: Family
    right: bool = False


BINARY: dict[str, Operator] = {
    o.symbol: o
    for o in (
        Operator("implies", 1, "logic", right=True),
        Operator("||", 3, "logic"),
        Operator("&&", 4, "logic"),
        Operator("|", 5, "bits"),
        Operator("^", 6, "bits"),
        Operator("&", 7, "bits"),
        Operator("==", 8, "equality"),
        Operator("!=", 8, "equality"),
        Operator("<", 9, "order"),
        Operator("<=", 9, "order"),
        Operator(">", 9, "order"),
        Operator(">=", 9, "order"),
        Operator("in", 9, "membership"),
        Operator("<<", 10, "shift"),
        Operator(">>", 10, "shift"),
        Operator("+", 11, "sum"),
        Operator("-", 11, "sum"),
        Operator("*", 12, "product"),
        Operator("/", 12, "product"),
        Operator("%", 12, "product"),
    )
}

CONDITIONAL = 2
"""`c ? a : b` binds between `implies` and `||`; it is right associative."""

UNARY = 13
"""`!`, `-`, `~` and `&` bind tighter than every binary operator."""

COMPARING: frozenset[Family] = frozenset({"equality", "order", "membership"})
