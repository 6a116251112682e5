"""Generated models as text: every construct of the language, well-typed by construction, small as a rule.

`models()` is a Hypothesis strategy; what it drew is in `Generated.tags`, and ALL_TAGS is what a run must have drawn.
A model is refused by elaboration only for a cycle without a step (MC041): that cannot be seen while drawing.
"""

from __future__ import annotations

import functools
import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings

from tests.random_expressions import INDEXES, Expressions, LockVar, Pen, Scope, Var
from tests.random_statements import Body, Op

EXAMPLES = int(os.environ.get("MODELCHECK_EXAMPLES", "100"))
REFUSED = frozenset({"MC041", "MC044"})
"""The codes with which elaboration may refuse a model: a cycle without a step; a guard taken inside atomic."""

CONSTRUCTS = """
READ_ONCE WRITE_ONCE and array-1 array-2 array-of-records assert assign at atomic atomic-await await bits
blocked break break-in-atomic call call-condition call-condition-in-atomic call-in-atomic call-into-local
call-into-shared choose choose-in-atomic choose-maybe-empty choose-where compound const
constant-condition continue continue-in-atomic copy-array copy-record count daemon data_race dead-thread
division either either-in-atomic element-read element-written else else-if emit errno-condition
error-path exists finished for for-break-in-atomic for-in-atomic forall free goto guard guard-device
guard-mutex guard-percpu_read guard-percpu_write guarded_by guarded_by-both held held-by held-in-code if
if-in-atomic implies in increment index-by-scalarset index-out-of-range init init-choose initial-by-index
inside inside-argument invariant local local-array local-from-call local-from-try local-initialised
local-record lock-argument lock-array lock-interruptible lockdep_assert_held lone-lock lone-release loop
loop-for-ever marked model-marked mover mutex_lock mutex_lock_nested nested-call next op-lock-parameter
op-record-parameter op-result or param percpu_down_read percpu_down_write reachable record
release-in-atomic return return-call return-in-atomic return-value scalarset scalarset-equal
scoped_cond_guard scoped_guard scoped_guard-try set-operation shift skip step subset ternary test-verb
thread-array thread-array-by-type thread-local try try-assigned try-assigned-shared try-condition
try-in-atomic try-negated try-while two-binders two-guards unbraced unfair unguarded when-free while
while-call write_guarded_by
spin_lock spin_lock_irq spin_lock_irqsave spin_lock_bh irqs-off irq-handler softirq-handler
guard-spinlock guard-spinlock_irq guard-spinlock_irqsave guard-spinlock_bh
"""
ALL_TAGS = frozenset(CONSTRUCTS.split())


@dataclass(frozen=True)
class Generated:
    """A model's text, and the constructs in it."""

    text: str
    tags: frozenset[str]

    def __repr__(self) -> str:
        return f"Generated:\n{self.text}"


@dataclass
class Writer:
    """Writes one file. `wanted` says which parts a test wants: "properties"."""

    pen: Pen
    properties: bool

    def __post_init__(self) -> None:
        self.lines: list[str] = []
        self.x = Expressions(self.pen)
        self.scope = Scope()
        self.ops: list[Op] = []
        self.threads: list[tuple[str, str]] = []
        self.locals: list[tuple[str, Var]] = []

    def add(self, text: str, *new: Var) -> None:
        self.lines.append(text)
        self.scope = self.scope.plus(*new)

    # --- types and variables ---------------------------------------------------------------------

    def header(self) -> None:
        if self.pen.chance(10):
            self.pen.tag("model-marked")
            self.lines.append("model generated marked;")
        self.pen.tag("param", "const", "record", "scalarset")
        self.add(f"param N: 0 .. 2 = {self.pen.upto(0, 1)};", Var("N", "Small", fixed=True))
        self.add("const ON_BY_DEFAULT = false;", Var("ON_BY_DEFAULT", "bool", fixed=True))
        self.lines += ["type Small = 0 .. 1;", "type Neg = -1 .. 1;", "enum Mode { OFF, HALF, ON }"]
        self.lines += ["scalarset Node = 0 .. 1;", "record Pair { left: Small; right[bool]: bool; }"]

    def locks(self) -> None:
        kinds = [
            ("l", "mutex", ()),
            ("k", "mutex", ()),
            ("p", "percpu_rwsem", ()),
            ("la", "mutex", ("Small",)),
        ]
        kinds += [("s", "spinlock", ())]
        kinds += [("pa", "percpu_rwsem", (self.pen.one(("bool", "Neg", "Mode")),))]
        for name, kind, dims in kinds:
            if self.pen.chance((85, 50, 50, 30, 20, 10)[len(self.scope.locks)]):
                novalidate = " novalidate" if self.pen.chance(5) else ""
                self.lines.append(f"{kind} {name}{''.join(f'[{d}]' for d in dims)}{novalidate};")
                self.scope = Scope(self.scope.vars, (*self.scope.locks, LockVar(name, kind, dims)))

    def initial(self, kind: str) -> str:
        return f" = {self.x.literal(Scope(), kind)}" if kind != "Node" and self.pen.chance(30) else ""

    def mark(self) -> str:
        if self.pen.chance(30):
            self.pen.tag("marked")
            return self.pen.one((" marked", ' marked "an outside lock"'))
        plain = tuple(x.name for x in self.scope.locks if not x.dims)
        if plain and self.pen.chance(30):
            word = self.pen.one(("guarded_by", "write_guarded_by"))
            self.pen.tag(word)
            if len(plain) > 1 and self.pen.chance(40):
                self.pen.tag("guarded_by-both")
                return f" {word} ({plain[0]}, {plain[1]})"
            return f" {word} {self.pen.one(plain)}"
        return ""

    def variables(self) -> None:
        for number in range(self.pen.upto(1, 3)):
            shape = self.pen.one(
                ("plain", "plain", "plain", "array", "record", "indexed", "records", "array2", "by-node")
            )
            kind = self.pen.one(
                ("bool", "Small", "0 .. 2", "Neg", "Mode", "set of Small", "set of Mode", "Node", "Errno")
            )
            name = ("x", "y", "z")[number]
            match shape:
                case "plain":
                    text = f"var {name}: {kind}{self.initial(kind)}{self.mark()};"
                    self.add(text, Var(name, kind, shared=True))
                case "array":
                    dim = self.pen.one(INDEXES)
                    text = f"var {name}[{dim}]: {kind}{self.initial(kind)}{self.mark()};"
                    self.add(text, Var(name, kind, (dim,), shared=True))
                case "by-node":
                    self.pen.tag("index-by-scalarset")
                    self.add(f"var n{number}: Node marked;", Var(f"n{number}", "Node", shared=True))
                    self.add(
                        f"var {name}[Node]: {kind}{self.mark()};", Var(name, kind, ("Node",), shared=True)
                    )
                case "array2":
                    text = f"var {name}[Small][bool]: {kind}{self.initial(kind)}{self.mark()};"
                    self.add(text, Var(name, kind, ("Small", "bool"), shared=True))
                case "record":
                    fields = (
                        Var(f"{name}.left", "Small", shared=True),
                        Var(f"{name}.right", "bool", ("bool",), shared=True),
                    )
                    self.add(
                        f"var {name}: Pair{self.mark()};",
                        *fields,
                        Var(name, "Pair", shared=True, plain=False),
                    )
                case "records":
                    self.pen.tag("array-of-records")
                    mark = self.mark()
                    self.add(
                        f"var {name}[bool]: Pair{mark};",
                        Var(name, "Small", ("bool",), shared=True, suffix=".left"),
                    )
                case _:
                    self.pen.tag("initial-by-index")
                    guards = [x.name for x in self.scope.locks if x.dims == ("Small",)]
                    guarded = f" guarded_by {guards[0]}[i]" if guards else ""
                    self.add(
                        f"var {name}[i: Small]: 0 .. 2 = 2 - i{guarded};",
                        Var(name, "0 .. 2", ("Small",), shared=True),
                    )

    # --- code ------------------------------------------------------------------------------------

    def body(self, *, result: str | None = None, is_op: bool = False, simple: bool = False) -> Body:
        style = self.pen.one(("guard", "guard", "goto"))
        return Body(self.pen, style, result, tuple(self.ops), is_op=is_op, simple=simple)

    def op(self) -> None:
        pen = self.pen
        kinds: list[str] = [
            pen.one(("Small", "bool", "Mode", "0 .. 2", "Pair")) for _ in range(pen.upto(0, 2))
        ]
        locks = tuple(pen.one(("mutex", "percpu_rwsem")) for _ in range(pen.chance(30)))
        result = pen.one((None, "bool", "Errno", "Small", "Mode", "0 .. 2"))
        scope = Scope(tuple(v for v in self.scope.vars if v.shared or v.fixed), self.scope.locks)
        given: list[str] = []
        for number, kind in enumerate(kinds):
            name = f"a{number}"
            given.append(f"{name}: {kind}")
            if kind == "Pair":
                pen.tag("op-record-parameter")
                fields = (Var(f"{name}.left", "Small"), Var(f"{name}.right", "bool", ("bool",)))
                scope = scope.plus(*fields, Var(name, "Pair", plain=False))
            else:
                scope = scope.plus(Var(name, kind))
        for kind in locks:
            pen.tag("op-lock-parameter")
            given.append(f"{kind} lp")
            scope = Scope(scope.vars, (*scope.locks, LockVar("lp", kind)))
        simple = pen.chance(35)
        body = self.body(result=result, is_op=True, simple=simple)
        name = f"op{len(self.ops)}"
        text = body.text(scope, 3)
        if result:
            pen.tag("op-result")
        self.lines.append(f"op {name}({', '.join(given)}){f' -> {result}' if result else ''} {text}")
        self.ops.append(Op(name, tuple(kinds), locks, result, simple))

    def thread(self, number: int, *, last: bool) -> int:
        """Add a thread declaration; return how many instances it has."""
        pen = self.pen
        name, size, instances, scope = f"t{number}", "", 1, self.scope
        if pen.chance(15):
            size, instances = pen.one((("[2]", 2), ("[Small]", 2)))
            pen.tag("thread-array" if size == "[2]" else "thread-array-by-type")
            scope = scope.plus(Var("self", "Small", fixed=True))
        daemon = "daemon " if pen.chance(12) else ""
        unfair = "unfair " if pen.chance(6) else ""
        pen.tag(*(word.strip() for word in (daemon, unfair) if word))
        when = ""
        if pen.chance(6):
            pen.tag("dead-thread")
            when = " when ON_BY_DEFAULT"
            instances = 0
        body = self.body()
        text = body.text(scope, 6)
        if instances:
            label = next((n for n, region in body.labels if not region), "")
            self.threads.append((f"{name}[{pen.upto(0, 1)}]" if size else name, label))
            self.locals += [
                (self.threads[-1][0], v)
                for v in body.last.vars
                if v.plain and not v.shared and not v.fixed and not v.dims and v.kind in ("bool", "Small", "Mode")
                and "." not in v.name and len(re.findall(rf"(?:var|choose) {v.name}\b", text)) == 1
            ]  # fmt: skip
        self.lines.append(f"{daemon}{unfair}thread {name}{size}{when} {text}")
        return instances

    def handlers(self) -> None:
        """Add interrupt handlers, now and then, mostly where there is a spinlock."""
        spinning = any(x.kind == "spinlock" for x in self.scope.locks)
        for number in range(
            self.pen.upto(0, 2) if self.threads and self.pen.chance(40 if spinning else 5) else 0
        ):
            kind = self.pen.one(("irq", "softirq"))
            self.pen.tag(f"{kind}-handler")
            names = tuple(dict.fromkeys(name.partition("[")[0] for name, _ in self.threads))
            on = ", ".join(names if self.pen.chance(50) else names[:1])
            self.lines.append(f"{kind} handler h{number} on {on} {self.body().text(self.scope, 2)}")

    def init(self) -> None:
        if not self.pen.chance(20):
            return
        self.pen.tag("init")
        body = self.body(simple=True)
        body.ops = ()
        scope = Scope(self.scope.vars)
        lead = ""
        if self.pen.chance(50):
            self.pen.tag("init-choose")
            lead = "choose first: Small;"
            scope = scope.plus(Var("first", "Small"))
        inside = body.text(scope, 2)
        if "return" not in inside:
            self.lines.append(f"init {{ {lead} {inside} }}")

    # --- properties ------------------------------------------------------------------------------

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

    def text(self) -> str:
        self.header()
        self.locks()
        self.variables()
        for _ in range(self.pen.upto(0, 3)):
            self.op()
        count = 0
        wanted = self.pen.one((2, 2, 3))
        while count < wanted:
            count += self.thread(len(self.lines), last=count == wanted - 1)
        self.handlers()
        self.init()
        if self.properties:
            self.property_lines()
        return "\n".join(self.lines) + "\n"


@st.composite
def models(draw: Callable[[st.SearchStrategy[Any]], Any], *, properties: bool = False) -> Generated:
    """Return a strategy for models of 2 to 4 threads."""
    return written(lambda low, high: draw(between(low, high)), properties=properties)


between = functools.cache(st.integers)


def written(number: Callable[[int, int], int], *, properties: bool = False) -> Generated:
    """Return the model that a source of choices makes."""
    pen = Pen(number)
    text = Writer(pen, properties).text()
    return Generated(text, frozenset(pen.tags))


def numbered(seed: int, *, properties: bool = False) -> Generated:
    """Return the model of a seed: faster than a draw, and spread more evenly."""
    return written(random.Random(seed).randint, properties=properties)


def shrunk(seed: int, fails: Callable[[str], bool], *, properties: bool = False) -> Generated:
    """Return a small model that fails as that of the seed does: with fewer and lower choices."""
    chance = random.Random(seed)
    best: list[int] = []

    def first(low: int, high: int) -> int:
        best.append(chance.randint(low, high) - low)
        return low + best[-1]

    model = written(first, properties=properties)
    size = len(best) // 2
    while size:
        start = 0
        while start < len(best):
            for fewer in ([], [0] * size):
                given = best[:start] + fewer + best[start + size :]
                tried = written(_replay(given), properties=properties)
                if given != best and fails(tried.text):
                    model, best = tried, given
                    break
            else:
                start += size
        size //= 2
    return model


def _replay(given: list[int]) -> Callable[[int, int], int]:
    rest = iter(given)
    return lambda low, high: low + next(rest, 0) % (high - low + 1)


def sampled(examples: int | None = None) -> Callable[[Any], Any]:
    """Return the settings of every test on generated models: the same models in each run."""
    return settings(
        max_examples=examples or EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )
