"""The expressions of generated models: well-typed by construction, with and without a defined value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

T = TypeVar("T")

NUMBERS = {"Small": (0, 1), "Neg": (-1, 1), "0 .. 2": (0, 2)}
SETS = {"set of Small": "Small", "set of Mode": "Mode"}
MODES = ("OFF", "HALF", "ON")
INDEXES = ("Small", "bool", "Mode", "Neg")


@dataclass(frozen=True)
class Var:
    """Something with a value: a variable, a field, a constant; `suffix` follows the indexes."""

    name: str
    kind: str
    dims: tuple[str, ...] = ()
    shared: bool = False
    fixed: bool = False
    suffix: str = ""
    plain: bool = True


@dataclass(frozen=True)
class LockVar:
    """A lock class, or a lock parameter."""

    name: str
    kind: str
    dims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """What can be named. `locks` are those of the file and of the parameters."""

    vars: tuple[Var, ...] = ()
    locks: tuple[LockVar, ...] = ()

    def plus(self, *new: Var) -> Scope:
        names = {v.name for v in new}
        return replace(self, vars=(*(v for v in self.vars if v.name.split(".")[0] not in names), *new))

    def of(self, *kinds: str) -> tuple[Var, ...]:
        return tuple(v for v in self.vars if v.kind in kinds)


@dataclass
class Pen:
    """Makes choices, and notes which constructs were drawn. `number(a, b)` is any number from a to b."""

    number: Callable[[int, int], int]
    tags: set[str] = field(default_factory=set)
    numbers: int = 0

    def one(self, options: tuple[T, ...]) -> T:
        return options[self.number(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        return self.number(0, 99) >= 100 - percent

    def upto(self, least: int, most: int) -> int:
        return self.number(least, most)

    def tag(self, *names: str) -> None:
        self.tags.update(names)

    def fresh(self, stem: str) -> str:
        self.numbers += 1
        return f"{stem}{self.numbers}"


class Expressions:
    """Writes expressions. `code` is false in properties: no locals, no READ_ONCE."""

    def __init__(self, pen: Pen, *, code: bool = True) -> None:
        self.pen = pen
        self.code = code
        self.top = NUMBERS["Small"][1]

    def bounds(self, kind: str) -> tuple[int, int]:
        return (0, self.top) if kind == "Small" else NUMBERS[kind]

    # --- places ----------------------------------------------------------------------------------

    def index(self, scope: Scope, kind: str) -> str:
        """Return an index that is of the type, or (rarely) may be out of bounds."""
        if kind == "Small" and self.pen.chance(10):
            wild = tuple(v for v in scope.of("0 .. 2", "Neg") if not v.dims and not v.fixed)
            if wild:
                self.pen.tag("index-out-of-range")
                return self.pen.one(wild).name
        return self.leaf(scope, kind, simple=True)

    def place(self, scope: Scope, var: Var) -> str:
        if len(var.dims) == 2:
            self.pen.tag("array-2")
        elif var.dims:
            self.pen.tag("array-1")
        return var.name + "".join(f"[{self.index(scope, d)}]" for d in var.dims) + var.suffix

    def leaf(self, scope: Scope, kind: str, *, simple: bool = False) -> str:
        """Return a literal or a variable of exactly this kind."""
        pen = self.pen
        found = tuple(v for v in scope.of(kind) if not (simple and v.dims))
        if found and (pen.chance(65) or kind == "Node"):
            var = pen.one(found)
            text = self.place(scope, var)
            if self.code and var.shared and pen.chance(20):
                word = pen.one(("READ_ONCE", "data_race"))
                pen.tag(word)
                return f"{word}({text})"
            return text
        return self.literal(scope, kind)

    def literal(self, scope: Scope, kind: str) -> str:
        pen = self.pen
        if kind in NUMBERS:
            low, high = self.bounds(kind)
            return str(pen.upto(low, high))
        if kind in SETS:
            inner = SETS[kind]
            count = pen.upto(0, 2)
            return "{" + ", ".join(self.leaf(scope, inner, simple=True) for _ in range(count)) + "}"
        match kind:
            case "bool":
                return pen.one(("false", "true"))
            case "Mode":
                return pen.one((*MODES, "Mode.ON"))
            case "Errno":
                return pen.one(("0", "-EBUSY", "EINVAL"))
            case "Far":
                return str(pen.upto(0, 40))
            case _:
                raise AssertionError(kind)

    # --- by kind ---------------------------------------------------------------------------------

    def of(self, scope: Scope, kind: str, depth: int = 2) -> str:
        if kind == "bool":
            return self.truth(scope, depth)
        if kind in NUMBERS:
            return self.number(scope, kind, depth)
        if kind in SETS:
            return self.set_of(scope, kind, depth)
        if depth and kind != "Node" and self.pen.chance(15):
            self.pen.tag("ternary")
            return f"({self.truth(scope, 0)} ? {self.leaf(scope, kind)} : {self.leaf(scope, kind)})"
        return self.leaf(scope, kind)

    def varying(self, scope: Scope) -> str | None:
        """Return a number that is not constant."""
        found = tuple(v for v in scope.of(*NUMBERS) if not v.fixed)
        return self.place(scope, self.pen.one(found)) if found else None

    def number(self, scope: Scope, kind: str, depth: int) -> str:
        pen = self.pen
        if not depth or pen.chance(45):
            return self.leaf(scope, kind)
        shape = pen.one(("sum", "product", "divide", "bits", "count", "ternary", "minus", "shift"))
        if shape == "ternary":
            pen.tag("ternary")
            return f"({self.truth(scope, 0)} ? {self.leaf(scope, kind)} : {self.leaf(scope, kind)})"
        left = self.varying(scope)
        if left is None:
            return self.leaf(scope, kind)
        if shape == "count":
            pen.tag("count")
            name = pen.fresh("i")
            return f"(count {name}: Small {{ {left} {pen.one(('==', '>'))} {name} }})"
        right = self.leaf(scope, pen.one(tuple(NUMBERS)))
        if shape == "minus":
            return f"-{left}"
        if shape == "divide":
            pen.tag("division")
            by = self.varying(scope) if pen.chance(50) else str(pen.upto(1, 2))
            return f"({left} {pen.one(('/', '%'))} {by})"
        if shape == "shift":
            pen.tag("shift")
            return f"({pen.upto(0, 1)} {pen.one(('<<', '>>'))} {left})"
        if shape == "bits":
            pen.tag("bits")
            return f"({left} {pen.one(('&', '|', '^'))} {right})"
        return f"({left} {pen.one(('+', '-')) if shape == 'sum' else '*'} {right})"

    def set_of(self, scope: Scope, kind: str, depth: int) -> str:
        pen = self.pen
        found = scope.of(kind)
        if depth and found and pen.chance(50):
            pen.tag("set-operation")
            var = self.place(scope, pen.one(found))
            return f"({var} {pen.one(('|', '&', '-', '^'))} {self.leaf(scope, kind)})"
        return self.leaf(scope, kind)

    def truth(self, scope: Scope, depth: int = 2) -> str:
        pen = self.pen
        if not depth:
            return self.atom(scope)
        shape = pen.one(("atom", "atom", "not", "and", "or", "implies", "quantifier", "constant"))
        if shape == "not":
            return f"!({self.truth(scope, depth - 1)})"
        if shape in ("and", "or", "implies"):
            word = {"and": "&&", "or": "||", "implies": "implies"}[shape]
            pen.tag(shape)
            return f"({self.truth(scope, depth - 1)} {word} {self.truth(scope, depth - 1)})"
        if shape == "quantifier":
            return self.quantified(scope, depth)
        if shape == "constant" and pen.chance(40):
            pen.tag("constant-condition")
            fixed = [v for v in scope.of("Small") if v.fixed]
            return f"({fixed[0].name} == {pen.upto(0, 1)})" if fixed else pen.one(("true", "false"))
        return self.atom(scope)

    def quantified(self, scope: Scope, depth: int) -> str:
        pen = self.pen
        word = pen.one(("forall", "exists"))
        pen.tag(word)
        kind = pen.one(("Small", "bool", "Mode"))
        name = pen.fresh("i")
        inner, more = scope.plus(Var(name, kind, fixed=True)), ""
        if pen.chance(25):
            pen.tag("two-binders")
            other = pen.one((pen.fresh("i"), "x"))
            inner, more = inner.plus(Var(other, "Small", fixed=True)), f", {other}: Small"
        return f"({word} {name}: {kind}{more} {{ {self.truth(inner, depth - 1)} }})"

    def atom(self, scope: Scope) -> str:
        """Return a comparison, a membership, a flag, a lock held."""
        pen = self.pen
        shape = pen.one(("number", "flag", "mode", "set", "errno", "node", "held"))
        if shape == "number" and (left := self.varying(scope)) is not None:
            other = self.number(scope, pen.one(tuple(NUMBERS)), 1)
            return f"({left} {pen.one(('==', '!=', '<', '<=', '>', '>='))} {other})"
        if shape == "mode" and (modes := scope.of("Mode")):
            left = self.place(scope, pen.one(modes))
            return f"({left} {pen.one(('==', '!=', '<', '>='))} {self.leaf(scope, 'Mode')})"
        if shape == "set" and (sets := scope.of(*SETS)):
            var = pen.one(sets)
            if pen.chance(30):
                pen.tag("subset")
                return (
                    f"({self.place(scope, var)} {pen.one(('<=', '==', '!='))} {self.leaf(scope, var.kind)})"
                )
            pen.tag("in")
            return f"({self.leaf(scope, SETS[var.kind], simple=True)} in {self.place(scope, var)})"
        if shape == "errno" and (codes := scope.of("Errno")):
            left = self.place(scope, pen.one(codes))
            return (
                f"!({left})"
                if pen.chance(50)
                else f"({left} {pen.one(('==', '!='))} {self.literal(scope, 'Errno')})"
            )
        if shape == "node" and (nodes := scope.of("Node")):
            pen.tag("scalarset-equal")
            return f"({self.place(scope, pen.one(nodes))} == {self.leaf(scope, 'Node')})"
        if shape == "held" and self.code and scope.locks and pen.chance(40):
            pen.tag("held-in-code")
            return f"{pen.one(('held', 'held_read', 'held_write'))}({self.lock(scope)})"
        return self.flag(scope)

    def flag(self, scope: Scope) -> str:
        found = tuple(v for v in scope.of("bool") if not v.fixed)
        return self.place(scope, self.pen.one(found)) if found else self.pen.one(("true", "false"))

    def lock(self, scope: Scope, *kinds: str) -> str:
        """Return a lock instance; the caller makes sure that there is one."""
        found = tuple(x for x in scope.locks if not kinds or x.kind in kinds)
        lock = self.pen.one(found)
        if lock.dims:
            self.pen.tag("lock-array")
        amp = "&" if self.pen.chance(5) else ""
        return amp + lock.name + "".join(f"[{self.index(scope, d)}]" for d in lock.dims)
