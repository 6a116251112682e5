"""What the statements of generated models are made with: a body, its blocks, what it can name, and calls of ops."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

from tests.random_expressions import Expressions, Pen, Scope, Var


@dataclass(frozen=True)
class Op:
    """A generated op. `simple`: its body could stand inside `atomic`."""

    name: str
    values: tuple[str, ...]
    locks: tuple[str, ...]
    result: str | None
    simple: bool


@dataclass(frozen=True)
class Place:
    """Where a statement stands: what it can leave, and the regions that no jump enters from outside."""

    loop: bool = False
    atomic: bool = False
    depth: int = 2
    region: tuple[int, ...] = ()
    for_loop: bool = False


@dataclass
class Base(ABC):
    """Writes one body. `style` is "guard" or "goto": no body has both (SEMANTICS H15).

    `every`: also what only the engines know, and the second interpreter does not.
    """

    pen: Pen
    style: str
    result: str | None
    ops: tuple[Op, ...]
    is_op: bool = False
    simple: bool = False
    waits: tuple[str, ...] = ()
    every: bool = False
    labels: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    gotos: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.x = Expressions(self.pen)
        self.last = Scope()

    # --- blocks ----------------------------------------------------------------------------------

    def block(self, scope: Scope, place: Place, most: int) -> str:
        return "{\n" + self.statements(scope, place, most) + "}"

    def statements(self, scope: Scope, place: Place, most: int) -> str:
        lines: list[str] = []
        own: set[str] = set()
        for _ in range(self.pen.upto(1, most)):
            text, new = self.statement(scope, place)
            if any(v.name in own for v in new):
                continue
            own |= {v.name for v in new}
            scope = scope.plus(*new)
            if self.style == "goto" and not place.atomic and self.pen.chance(12):
                label = self.pen.fresh("l")
                self.labels.append((label, place.region))
                text = f"{label}: {text}"
            lines.append(text + "\n")
        self.last = scope
        return "".join(lines)

    @abstractmethod
    def statement(self, scope: Scope, place: Place) -> tuple[str, tuple[Var, ...]]:
        """Return a statement and the locals that it declares for those after it."""

    # --- parts -----------------------------------------------------------------------------------

    def place_number(self) -> int:
        self.pen.numbers += 1
        return self.pen.numbers

    def target(self, scope: Scope, *kinds: str) -> Var | None:
        found = tuple(v for v in scope.vars if not v.fixed and v.plain and (not kinds or v.kind in kinds))
        if not found:
            return None
        if (shared := tuple(v for v in found if v.shared)) and self.pen.chance(60):
            found = shared
        return self.pen.one(found)

    def give(self, scope: Scope, place: Place) -> str:
        """Return a `return` with a value of the result's type."""
        if self.result is None:
            return "return;"
        if not place.atomic and not self.simple and self.pen.chance(40):
            call = self.call(scope, place, self.result)
            if call:
                self.pen.tag("return-call")
                return f"return {call};"
        self.pen.tag("return-value")
        return f"return {self.x.of(scope, self.result, 1)};"

    # --- calls -----------------------------------------------------------------------------------

    def call(self, scope: Scope, place: Place, result: str | None, *, any_result: bool = False) -> str:
        """Return a call of an op with this result, or nothing if there is none."""
        found = tuple(
            op
            for op in self.ops
            if (any_result or op.result == result)
            and (op.simple or not (place.atomic or self.simple))
            and all(any(x.kind == kind for x in scope.locks) for kind in op.locks)
            and ("Pair" not in op.values or scope.of("Pair"))
        )
        if not found:
            return ""
        op = self.pen.one(found)
        given = [
            self.pen.one(scope.of("Pair")).name if kind == "Pair" else self.x.of(scope, kind, 1)
            for kind in op.values
        ]
        given += [self.x.lock(scope, kind) for kind in op.locks]
        self.pen.tag("call-in-atomic" if place.atomic else "call")
        if op.locks:
            self.pen.tag("lock-argument")
        if self.is_op:
            self.pen.tag("nested-call")
        return f"{op.name}({', '.join(given)})"

    def _call(self, scope: Scope, place: Place) -> str:
        if self.pen.chance(30):
            test = self.call(scope, place, "bool") or self.call(scope, place, "Errno")
            if test:
                self.pen.tag("call-condition-in-atomic" if place.atomic else "call-condition")
                return f"if ({self.pen.one(('', '!'))}{test}) {self.block(scope, replace(place, depth=0), 1)}"
        target = self.target(scope, *{op.result: None for op in self.ops if op.result})
        if target is not None and self.pen.chance(70):
            call = self.call(scope, place, target.kind)
            if call:
                self.pen.tag("call-into-shared" if target.shared else "call-into-local")
                return f"{self.x.place(scope, target)} = {call};"
        call = self.call(scope, place, None, any_result=True)
        return f"{call};" if call else ""
