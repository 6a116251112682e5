"""The properties of generated models: what the file has declared so far, and claims about it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.random_bodies import Op
from tests.random_expressions import Expressions, Pen, Scope, Var


@dataclass
class Properties:
    """The file as it is written: its lines, and what can be named in a property."""

    pen: Pen

    def __post_init__(self) -> None:
        self.lines: list[str] = []
        self.x = Expressions(self.pen)
        self.scope = Scope()
        self.ops: list[Op] = []
        self.threads: list[tuple[str, str]] = []
        self.locals: list[tuple[str, Var]] = []
        self.waits: tuple[str, ...] = ()

    def claim(self, scope: Scope) -> str:
        """Return a condition that only a property can say, or an ordinary one."""
        pen = self.pen
        x = Expressions(pen, code=False)
        thread, label = pen.one(tuple(self.threads))
        word = pen.one(("held", "held-by", "free", "at", "inside", "finished", "blocked", "plain", "local"))
        if word == "local" and self.locals:
            pen.tag("thread-local")
            thread, var = pen.one(tuple(self.locals))
            return f"({thread}.{var.name} == {x.literal(scope, var.kind)})"
        if word in ("held", "held-by", "free") and scope.locks:
            pen.tag(word)
            lock = x.lock(scope)
            if word == "free":
                return f"free({lock})"
            mode = pen.one(("held", "held_read", "held_write"))
            return f"{mode}({lock})" if word == "held" else f"{mode}({lock}, {thread})"
        if word == "at" and label:
            pen.tag("at")
            return f"at({thread}, {label})"
        if word == "inside" and self.ops:
            op = pen.one(tuple(self.ops))
            pen.tag("inside")
            if op.values and op.values[0] in ("Small", "bool", "Mode") and pen.chance(50):
                pen.tag("inside-argument")
                return f"inside({op.name}, {x.literal(scope, op.values[0])})"
            return f"inside({op.name})"
        if word in ("finished", "blocked"):
            pen.tag(word)
            return f"{word}({thread})"
        return x.truth(scope)

    def property_lines(self) -> None:
        pen, scope = self.pen, Scope(self.scope.vars, self.scope.locks)
        for number in range(pen.upto(0, 2)):
            pen.tag("invariant")
            when = ""
            if scope.locks and pen.chance(25):
                pen.tag("when-free")
                when = f" when free({Expressions(pen, code=False).lock(scope)})"
            claim = f"({self.claim(scope)} {pen.one(('&&', '||', 'implies'))} {self.claim(scope)})"
            self.lines.append(f"invariant{when} inv{number}: {claim};")
        if pen.chance(40):
            pen.tag("step", "next")
            var = pen.one(tuple(v for v in scope.vars if not v.fixed and v.plain))
            x = Expressions(pen, code=False)
            at = x.place(scope, var)
            condition = x.truth(scope, 1)
            if pen.chance(40):
                pen.tag("mover")
                condition = f"mover == {self.threads[0][0]}"
            elif scope.locks and pen.chance(50):
                condition = f"held({x.lock(scope)})"
            self.lines.append(f"step s: next({at}) != {at} implies {condition};")
        if pen.chance(40):
            pen.tag("reachable")
            self.lines.append(f"reachable r: {self.claim(scope)};")
