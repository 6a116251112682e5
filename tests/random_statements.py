"""The statements of generated models: one writer for a body of a thread or an op."""

from __future__ import annotations

from dataclasses import replace

from tests.random_bodies import Op, Place
from tests.random_expressions import INDEXES, NUMBERS, SETS, Scope, Var
from tests.random_waits import Waits

LOCALS = ("bool", "Small", "0 .. 2", "Neg", "Mode", "Errno", "set of Small", "Pair", "Node")


class Body(Waits):
    """Writes one body."""

    def statement(self, scope: Scope, place: Place) -> tuple[str, tuple[Var, ...]]:
        """Return a statement and the locals that it declares for those after it."""
        pen = self.pen
        kinds = [
            "assign",
            "assign",
            "change",
            "skip",
            "local",
            "choose",
            "either",
            "if",
            "verb",
            "call",
            "try",
        ]
        kinds += ["assert", "emit", "for", "unguarded", "leave", "once", "alive", "alive"]
        if self.ops:
            kinds += ["call", "call"]
        if place.loop or self.style == "guard":
            kinds += ["leave", "leave"]
        if any(v.dims and not v.shared for v in scope.vars):
            kinds += ["element"] * 3
        if not place.atomic:
            kinds += ["await", "section", "section", "section", "while", "loop", "atomic", "wrong", "tryif"]
            kinds += ["waiting"] * 2 * bool(self.waits)
            kinds += ["other"] * 3 * self.every
            kinds += ["scoped", "cond", "tested", "guard", "goto", *["guard"] * 3 * (self.style == "guard")]
        kind = pen.one(tuple(kinds))
        deeper = replace(place, depth=place.depth - 1)
        if place.depth <= 0 and kind in (
            "either",
            "if",
            "for",
            "while",
            "loop",
            "atomic",
            "section",
            "scoped",
            "cond",
        ):
            kind = "assign"
        made = getattr(self, f"_{kind}")(scope, deeper)
        text, new = made if isinstance(made, tuple) else (made, ())
        return (text, new) if text else self._assign(scope, place)

    # --- simple statements -----------------------------------------------------------------------

    def _assign(self, scope: Scope, place: Place) -> tuple[str, tuple[Var, ...]]:
        var = self.target(scope)
        if var is None or (var.kind == "Node" and self.pen.chance(50)):
            self.pen.tag("skip")
            return "skip;", ()
        whole = [
            v
            for v in scope.vars
            if v.name != var.name
            and not v.fixed
            and not v.suffix
            and (v.kind, v.dims) == (var.kind, var.dims)
        ]
        if var.dims and whole and not var.suffix and "." not in var.name and self.pen.chance(40):
            self.pen.tag("copy-array")
            return f"{var.name} = {whole[0].name};", ()
        if len(pairs := scope.of("Pair")) > 1 and self.pen.chance(20):
            self.pen.tag("copy-record")
            return f"{pairs[0].name} = {pairs[1].name};", ()
        self.pen.tag("assign")
        return f"{self.x.place(scope, var)} = {self.x.of(scope, var.kind)};", ()

    def _change(self, scope: Scope, place: Place) -> str:
        var = self.target(scope, *NUMBERS, *SETS)
        if var is None:
            return ""
        text = self.x.place(scope, var)
        if var.kind in SETS:
            self.pen.tag("compound")
            return f"{text} {self.pen.one(('|=', '&=', '-=', '^='))} {self.x.leaf(scope, var.kind)};"
        if self.pen.chance(50):
            self.pen.tag("increment")
            return f"{text}{self.pen.one(('++', '--'))};"
        self.pen.tag("compound")
        return f"{text} {self.pen.one(('+=', '-=', '*=', '/=', '%='))} {self.x.number(scope, 'Small', 1)};"

    def _element(self, scope: Scope, place: Place) -> str:
        """Return an assignment to an element of a local array, or of one of its elements to something."""
        var = self.pen.one(tuple(v for v in scope.vars if v.dims and not v.shared))
        other = self.target(scope, var.kind)
        if other is not None and self.pen.chance(50):
            self.pen.tag("element-read")
            return f"{self.x.place(scope, other)} = {self.x.place(scope, var)};"
        self.pen.tag("element-written")
        return f"{self.x.place(scope, var)} = {self.x.of(scope, var.kind)};" if not var.fixed else ""

    def _skip(self, scope: Scope, place: Place) -> str:
        self.pen.tag("skip")
        return self.pen.one(("skip;", "skip;", ";"))

    def _local(self, scope: Scope, place: Place) -> tuple[str, tuple[Var, ...]]:
        pen = self.pen
        kind = pen.one(LOCALS)
        name = pen.one((pen.fresh("v"), "v", "x")) if pen.chance(80) else "w"
        if any(v.name == name and v.fixed for v in scope.vars):
            name = pen.fresh("v")
        pen.tag("local")
        if kind == "Pair":
            pen.tag("local-record")
            return f"var {name}: Pair;", (
                Var(f"{name}.left", "Small"), Var(f"{name}.right", "bool", ("bool",)), Var(name, "Pair", plain=False)
            )  # fmt: skip
        dims = (pen.one(INDEXES),) if pen.chance(20) else ()
        if dims:
            pen.tag("local-array")
        var = Var(name, kind, dims)
        head = f"var {name}{''.join(f'[{d}]' for d in dims)}: {kind}"
        if kind == "Node" or pen.chance(30):
            return f"{head};", (var,)
        if not dims and pen.chance(40):
            call = self.call(scope, place, kind)
            if call:
                pen.tag("local-from-call")
                return f"{head} = {call};", (var,)
        if kind == "bool" and self.can_try(scope) and not dims and pen.chance(60):
            pen.tag("local-from-try")
            return f"{head} = {self.try_verb(scope)};", (var,)
        pen.tag("local-initialised")
        return f"{head} = {self.x.of(scope, kind)};", (var,)

    def _choose(self, scope: Scope, place: Place) -> tuple[str, tuple[Var, ...]]:
        pen = self.pen
        kind = pen.one(("Small", "bool", "Mode", "Neg", "0 .. 2", "Node"))
        var = Var(pen.fresh("c"), kind)
        pen.tag("choose-in-atomic" if place.atomic else "choose")
        if pen.chance(40):
            pen.tag("choose-where")
            where = f" where {self.x.truth(scope.plus(var), 1)}"
            if pen.chance(15):
                where = f" where {self.x.flag(scope)} && !({self.x.truth(scope, 0)})"
                pen.tag("choose-maybe-empty")
        else:
            where = ""
        return f"choose {var.name}: {kind}{where};", (var,)

    def _assert(self, scope: Scope, place: Place) -> str:
        self.pen.tag("assert")
        named = f" as {self.pen.fresh('claim')}" if self.pen.chance(30) else ""
        claim = f"{self.x.truth(scope)} || {self.x.flag(scope)} || {self.x.atom(scope)}"
        return f"assert({claim}{' || true' * self.pen.chance(40)}){named};"

    def _emit(self, scope: Scope, place: Place) -> str:
        self.pen.tag("emit")
        return f"emit event({self.x.of(scope, 'Small', 1)}, {self.x.flag(scope)});"

    def _once(self, scope: Scope, place: Place) -> str:
        pen = self.pen
        if pen.chance(8) and scope.locks:
            pen.tag("lockdep_assert_held")
            return f"lockdep_assert_held({self.x.lock(scope)});"
        var = self.target(scope)
        if var is None or not var.shared:
            return ""
        pen.tag("WRITE_ONCE")
        return f"WRITE_ONCE({self.x.place(scope, var)}, {self.x.of(scope, var.kind, 1)});"

    def _await(self, scope: Scope, place: Place) -> str:
        self.pen.tag("await")
        either = f" || !({self.x.atom(scope)})" if self.pen.chance(50) else ""
        return f"await({self.x.truth(scope, 1)}{either});"

    # --- structure -------------------------------------------------------------------------------

    def _either(self, scope: Scope, place: Place) -> str:
        self.pen.tag("either-in-atomic" if place.atomic else "either")
        count = self.pen.upto(2, 3)
        return "either " + " or ".join(self.block(scope, place, 2) for _ in range(count))

    def _if(self, scope: Scope, place: Place) -> str:
        self.pen.tag("if-in-atomic" if place.atomic else "if")
        test = self.x.truth(scope)
        if (codes := scope.of("Errno")) and self.pen.chance(40):
            self.pen.tag("errno-condition")
            test = self.x.place(scope, self.pen.one(codes))
        text = f"if ({test}) {self.branch(scope, place)}"
        if self.pen.chance(40):
            self.pen.tag("else")
            if self.pen.chance(25):
                self.pen.tag("else-if")
                text += f" else if ({self.x.truth(scope, 1)}) {self.branch(scope, place)}"
            text += f" else {self.block(scope, place, 2)}"
        return text

    def branch(self, scope: Scope, place: Place) -> str:
        """Return a block, or one statement without braces; a dangling `else` is the outer block's own."""
        if self.pen.chance(80):
            return self.block(scope, place, 2)
        self.pen.tag("unbraced")
        return self._assign(scope, place)[0]

    def _while(self, scope: Scope, place: Place) -> str:
        self.pen.tag("while")
        test = self.x.truth(scope, 1)
        if self.pen.chance(30) and (
            call := self.call(scope, place, "bool") or self.call(scope, place, "Errno")
        ):
            self.pen.tag("while-call")
            test = self.pen.one(("", "!")) + call
        return f"while ({test}) {self.block(scope, replace(place, loop=True, for_loop=False), 2)}"

    def _loop(self, scope: Scope, place: Place) -> str:
        self.pen.tag("loop")
        inside = self.statements(scope, replace(place, loop=True, for_loop=False), 2)
        if self.pen.chance(15):
            self.pen.tag("loop-for-ever")
            return f"loop {{\n{inside}await({self.x.truth(self.last, 1)});\n}}"
        return f"loop {{\n{inside}if ({self.x.truth(self.last, 1)}) {{ break; }}\nskip;\n}}"

    def _for(self, scope: Scope, place: Place) -> str:
        kind = self.pen.one(("Small", "bool", "Mode"))
        self.pen.tag("for-in-atomic" if place.atomic else "for")
        name = self.pen.fresh("i")
        inner = replace(place, loop=True, for_loop=True, region=(*place.region, self.place_number()))
        return f"for ({name}: {kind}) {self.block(scope.plus(Var(name, kind, fixed=True)), inner, 2)}"

    def _unguarded(self, scope: Scope, place: Place) -> str:
        self.pen.tag("unguarded")
        return f'unguarded("not published") {self._assign(scope, place)[0]}'

    def _atomic(self, scope: Scope, place: Place) -> str:
        self.pen.tag("atomic")
        lead = ""
        if self.pen.chance(30):
            self.pen.tag("atomic-await")
            lead = f"await({self.x.truth(scope, 1)});\n"
        inside = replace(place, atomic=True, depth=min(place.depth, 1))
        return f"atomic {{\n{lead}{self.statements(scope, inside, 3)}}}"

    def _leave(self, scope: Scope, place: Place) -> str:
        """Return a break, continue or return under a condition."""
        pen = self.pen
        options = ["return"] + ["break", "continue"] * (2 * place.loop)
        word = pen.one(tuple(options))
        pen.tag(f"{word}-in-atomic" if place.atomic else word)
        if word == "return":
            return f"if ({self.x.truth(scope, 1)}) {{ {self.give(scope, place)} }}"
        if place.atomic and place.for_loop:
            pen.tag("for-break-in-atomic")
        return f"if ({self.x.truth(scope, 1)}) {{ {word}; }}"

    def _goto(self, scope: Scope, place: Place) -> str:
        if self.style != "goto":
            return ""
        self.pen.tag("goto")
        mark = f"@{len(self.gotos)}@"
        self.gotos.append((mark, place.region))
        return f"if ({self.x.truth(scope, 1)}) {{ goto {mark}; }}"

    # --- the whole body --------------------------------------------------------------------------

    def text(self, scope: Scope, most: int) -> str:
        """Return the body with braces; its gotos lead to labels that they can reach."""
        inside = self.statements(scope, Place(atomic=self.simple, depth=1 if self.simple else 2), most)
        scope = self.last
        if self.style == "goto" and not self.simple:
            self.pen.tag("error-path")
            self.labels.append(("out", ()))
            inside += f"out: {self._assign(scope, Place())[0]}\n"
        if self.result is not None and self.pen.chance(85):
            inside += self.give(scope, Place(atomic=self.simple)) + "\n"
        for mark, region in self.gotos:
            options = tuple(n for n, where in reversed(self.labels) if region[: len(where)] == where)
            inside = inside.replace(mark, self.pen.one(options))
        return "{\n" + inside + "}"


__all__ = ["Body", "Op"]
