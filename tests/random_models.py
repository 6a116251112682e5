"""Generated models as text: every construct of the language, well-typed by construction, small as a rule.

`models()` is a Hypothesis strategy; what it drew is in `Generated.tags` (see random_constructs.py).
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

from tests.random_expressions import INDEXES, LockVar, Pen, Scope, Var
from tests.random_lock_kinds import DRAWN, KINDS, PARAMETERS, SAYS, SPINNING
from tests.random_properties import Properties
from tests.random_statements import Body, Op
from tests.random_waits import DECLARED, SOME_THREAD

EXAMPLES = int(os.environ.get("MODELCHECK_EXAMPLES", "100"))
REFUSED = frozenset({"MC041", "MC044"})
"""The codes with which elaboration may refuse a model: a cycle without a step; a guard taken inside atomic."""


@dataclass(frozen=True)
class Generated:
    """A model's text, and the constructs in it."""

    text: str
    tags: frozenset[str]

    def __repr__(self) -> str:
        return f"Generated:\n{self.text}"


@dataclass
class Writer(Properties):
    """Writes one file, with properties or without; `every`: with the verbs that only the engines know, too."""

    properties: bool = False
    every: bool = False

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
        if self.every:
            self.lines.append("type Far = 0 .. 40;")
        self.lines += ["scalarset Node = 0 .. 1;", "record Pair { left: Small; right[bool]: bool; }"]

    def locks(self) -> None:
        """Draw a few kinds, with a lock or two of each."""
        wanted = {self.pen.one(DRAWN) for _ in range(self.pen.one((1, 2, 2, 3, 3)))}
        for kind in (kind for kind in KINDS if kind in wanted):
            for number, (name, index) in enumerate(KINDS[kind]):
                if number and not self.pen.chance(35):
                    continue
                dims = ("Small",) * bool(index)
                if kind == "active_ref":
                    dims = self.pen.one(((), (), ("Small",)))
                elif index == "[bool]":
                    dims = (self.pen.one(("bool", "Neg", "Mode")),)
                novalidate = " novalidate" if self.pen.chance(5) else ""
                bound = ": 0 .. 2 = 1" if kind == "refcount" else ""
                if self.every and kind in SAYS and self.pen.chance(40):
                    bound += f" {SAYS[kind]}"
                self.lines.append(f"{kind} {name}{''.join(f'[{d}]' for d in dims)}{bound}{novalidate};")
                self.scope = Scope(self.scope.vars, (*self.scope.locks, LockVar(name, kind, dims)))
        self.waits = tuple(name for name in (*DECLARED, "rcu") if name in wanted)
        self.lines += [DECLARED[name] for name in self.waits if name in DECLARED]

    def initial(self, kind: str) -> str:
        return f" = {self.x.literal(Scope(), kind)}" if kind != "Node" and self.pen.chance(30) else ""

    def mark(self) -> str:
        if self.pen.chance(30):
            self.pen.tag("marked")
            return self.pen.one((" marked", ' marked "an outside lock"'))
        plain = tuple(x.name for x in self.scope.locks if not x.dims)
        if plain and self.pen.chance(30):
            word = self.pen.one(("guarded_by", "write_guarded_by", "rcu_guarded_by"))
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
            if self.every and self.pen.chance(30):
                shape = "far"
            match shape:
                case "plain":
                    text = f"var {name}: {kind}{self.initial(kind)}{self.mark()};"
                    self.add(text, Var(name, kind, shared=True))
                case "array":
                    dim = self.pen.one(INDEXES)
                    text = f"var {name}[{dim}]: {kind}{self.initial(kind)}{self.mark()};"
                    self.add(text, Var(name, kind, (dim,), shared=True))
                case "far":
                    # So many cells that a state takes several words.
                    self.lines.append(f"var {name}[Far]: {kind}{self.initial(kind)} marked;")
                    self.scope = self.scope.plus(Var(name, kind, ("Far",), shared=True))
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
        ops = tuple(self.ops)
        return Body(self.pen, style, result, ops, is_op, simple, self.waits, self.every)

    def op(self) -> None:
        pen = self.pen
        kinds: list[str] = [
            pen.one(("Small", "bool", "Mode", "0 .. 2", "Pair")) for _ in range(pen.upto(0, 2))
        ]
        known = tuple(x.kind for x in self.scope.locks if x.kind in PARAMETERS)
        locks = tuple(pen.one((*known, "mutex")) for _ in range(pen.chance(30)))
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
        spinning = any(x.kind in SPINNING for x in self.scope.locks)
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
        body.ops, body.waits = (), ()
        scope = Scope(self.scope.vars)
        lead = ""
        if self.pen.chance(50):
            self.pen.tag("init-choose")
            lead = "choose first: Small;"
            scope = scope.plus(Var("first", "Small"))
        inside = body.text(scope, 2)
        if "return" not in inside:
            self.lines.append(f"init {{ {lead} {inside} }}")

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
        threads = tuple(name for name, _ in self.threads)
        return re.sub(SOME_THREAD, lambda _: self.pen.one(threads), "\n".join(self.lines)) + "\n"


@st.composite
def models(draw: Callable[[st.SearchStrategy[Any]], Any], *, properties: bool = False) -> Generated:
    """Return a strategy for models of 2 to 4 threads."""
    return written(lambda low, high: draw(between(low, high)), properties=properties)


between = functools.cache(st.integers)


def written(number: Callable[[int, int], int], *, properties: bool = False, every: bool = False) -> Generated:
    """Return the model that a source of choices makes."""
    pen = Pen(number)
    text = Writer(pen, properties=properties, every=every).text()
    return Generated(text, frozenset(pen.tags))


def numbered(seed: int, *, properties: bool = False, every: bool = False) -> Generated:
    """Return the model of a seed: faster than a draw, and spread more evenly."""
    return written(random.Random(seed).randint, properties=properties, every=every)


def shrunk(
    seed: int, fails: Callable[[str], bool], *, properties: bool = False, every: bool = False
) -> Generated:
    """Return a small model that fails as that of the seed does: with fewer and lower choices."""
    chance = random.Random(seed)
    best: list[int] = []

    def first(low: int, high: int) -> int:
        best.append(chance.randint(low, high) - low)
        return low + best[-1]

    model = written(first, properties=properties, every=every)
    size = len(best) // 2
    while size:
        start = 0
        while start < len(best):
            for fewer in ([], [0] * size):
                given = best[:start] + fewer + best[start + size :]
                tried = written(_replay(given), properties=properties, every=every)
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
