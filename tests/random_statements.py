"""The statements of generated models: one writer for a body of a thread or an op."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.random_expressions import INDEXES, NUMBERS, SETS, Expressions, LockVar, Pen, Scope, Var

LOCALS = ("bool", "Small", "0 .. 2", "Neg", "Mode", "Errno", "set of Small", "Pair", "Node")
PAIRS = {"mutex": (("mutex_lock", "mutex_unlock"),), "percpu_rwsem": (
    ("percpu_down_read", "percpu_up_read"), ("percpu_down_write", "percpu_up_write"))}  # fmt: skip
TRIES = {"mutex": "mutex_trylock", "percpu_rwsem": "percpu_down_read_trylock"}
TESTS = {"mutex": ("mutex_is_locked",), "percpu_rwsem": ("percpu_is_write_locked", "percpu_is_read_locked")}
GUARDS = {"mutex": ("mutex", "device"), "percpu_rwsem": ("percpu_read", "percpu_write")}


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
class Body:
    """Writes one body. `style` is "guard" or "goto": no body has both (SEMANTICS H15)."""

    pen: Pen
    style: str
    result: str | None
    ops: tuple[Op, ...]
    is_op: bool = False
    simple: bool = False
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
        kinds += ["assert", "emit", "for", "unguarded", "leave", "once"]
        if self.ops:
            kinds += ["call", "call"]
        if place.loop:
            kinds += ["leave", "leave"]
        if not place.atomic:
            kinds += ["await", "section", "section", "section", "while", "loop", "atomic", "wrong", "tryif"]
            kinds += ["scoped", "cond", "tested", "guard", "goto"]
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
        if kind == "bool" and scope.locks and not dims and pen.chance(60):
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

    def _goto(self, scope: Scope, place: Place) -> str:
        if self.style != "goto":
            return ""
        self.pen.tag("goto")
        mark = f"@{len(self.gotos)}@"
        self.gotos.append((mark, place.region))
        return f"if ({self.x.truth(scope, 1)}) {{ goto {mark}; }}"

    # --- locks -----------------------------------------------------------------------------------

    def try_verb(self, scope: Scope) -> str:
        lock = self.pen.one(scope.locks)
        return f"{TRIES[lock.kind]}({self.instance(scope, lock)})"

    def instance(self, scope: Scope, lock: LockVar) -> str:
        return self.x.lock(replace(scope, locks=(lock,)))

    def some_pair(self, scope: Scope) -> tuple[str, str, str] | None:
        if not scope.locks:
            return None
        lock = self.pen.one(scope.locks)
        take, release = self.pen.one(PAIRS[lock.kind])
        self.pen.tag(take)
        return self.instance(scope, lock), take, release

    def _section(self, scope: Scope, place: Place) -> str:
        found = self.some_pair(scope)
        if found is None:
            return ""
        at, take, release = found
        inside = self.statements(scope, place, 2)
        if take == "mutex_lock" and self.pen.chance(10):
            self.pen.tag("mutex_lock_nested")
            take, at = "mutex_lock_nested", f"{at}, 1"
            return f"{take}({at});\n{{ {inside} }}\n{release}({at[:-3]});"
        return f"{take}({at});\n{{ {inside} }}\n{release}({at});"

    def _verb(self, scope: Scope, place: Place) -> str:
        """Return a release, right or wrong."""
        found = self.some_pair(scope) if self.pen.chance(15) else None
        if found is None:
            return ""
        self.pen.tag("release-in-atomic" if place.atomic else "lone-release")
        return f"{found[2]}({found[0]});"

    def _wrong(self, scope: Scope, place: Place) -> str:
        found = self.some_pair(scope) if self.pen.chance(25) else None
        if found is None:
            return ""
        self.pen.tag("lone-lock")
        return f"{found[1]}({found[0]});"

    def _try(self, scope: Scope, place: Place) -> str:
        if not scope.locks or (not place.atomic and self.pen.chance(50)):
            return ""
        self.pen.tag("try-in-atomic" if place.atomic else "try")
        target = self.target(scope, "bool")
        if target is not None and self.pen.chance(60):
            self.pen.tag("try-assigned-shared" if target.shared else "try-assigned")
            return f"{self.x.place(scope, target)} = {self.try_verb(scope)};"
        if self.pen.chance(40):
            return f"if ({self.pen.one(('', '!'))}{self.try_verb(scope)}) {self.block(scope, replace(place, depth=0), 1)}"
        return f"{self.try_verb(scope)};"

    def _tryif(self, scope: Scope, place: Place) -> str:
        if not scope.locks:
            return ""
        lock = self.pen.one(scope.locks)
        at = self.instance(scope, lock)
        release = PAIRS[lock.kind][0][1]
        if self.pen.chance(35):
            self.pen.tag("try-negated")
            way = f"{{ {self.give(scope, place)} }}" if self.pen.chance(60) else self.block(scope, place, 1)
            return f"if (!{TRIES[lock.kind]}({at})) {way}\n{release}({at});"
        if self.pen.chance(20):
            self.pen.tag("try-while")
            return f"while (!{TRIES[lock.kind]}({at})) {{ skip; }}\n{release}({at});"
        if lock.kind == "mutex" and self.pen.chance(30):
            self.pen.tag("lock-interruptible")
            verb = self.pen.one(("mutex_lock_interruptible", "mutex_lock_killable"))
            return f"if ({verb}({at})) {{ {self.give(scope, place)} }}\nmutex_unlock({at});"
        self.pen.tag("try-condition")
        return f"if ({TRIES[lock.kind]}({at})) {{\n{self.statements(scope, place, 1)}{release}({at});\n}}"

    def _tested(self, scope: Scope, place: Place) -> str:
        if not scope.locks:
            return ""
        lock = self.pen.one(scope.locks)
        self.pen.tag("test-verb")
        return f"if ({self.pen.one(TESTS[lock.kind])}({self.instance(scope, lock)})) {self.block(scope, place, 1)}"

    def _guard(self, scope: Scope, place: Place) -> str:
        if self.style != "guard" or not scope.locks:
            return ""
        lock = self.pen.one(scope.locks)
        kind = self.pen.one(GUARDS[lock.kind])
        self.pen.tag("guard", f"guard-{kind}")
        return f"guard({kind})({self.instance(scope, lock)});"

    def _scoped(self, scope: Scope, place: Place) -> str:
        if not scope.locks:
            return ""
        lock = self.pen.one(scope.locks)
        kind = self.pen.one(GUARDS[lock.kind])
        if lock.kind == "mutex" and self.pen.chance(40):
            kind = self.pen.one(("mutex_try", "mutex_intr"))
            self.pen.tag("scoped_guard-try")
        self.pen.tag("scoped_guard")
        inside = replace(place, region=(*place.region, self.place_number()))
        return f"scoped_guard({kind}, {self.instance(scope, lock)}) {self.block(scope, inside, 2)}"

    def _cond(self, scope: Scope, place: Place) -> str:
        mutexes = tuple(x for x in scope.locks if x.kind == "mutex")
        if not mutexes:
            return ""
        self.pen.tag("scoped_cond_guard")
        fail = self.give(scope, place) if self.pen.chance(50) else "skip;"
        inside = replace(place, region=(*place.region, self.place_number()))
        at = self.instance(scope, self.pen.one(mutexes))
        body = self.block(scope, inside, 2)
        return f"scoped_cond_guard({self.pen.one(('mutex_try', 'mutex_intr'))}, {fail[:-1]}, {at}) {body}"

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
