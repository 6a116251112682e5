"""Programs for the theorem of SEMANTICS A2: each in two texts, with statement-sized steps and with single accesses.

A statement with several accesses is split: every shared variable is first read into a local of its own, in a step
of its own; an await becomes the loop that the kernel would run. What is one atomic access stays one: a marked `^=`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

SHARED = {"a": False, "b": False, "c": True, "d": True}
"""Name -> is it marked?"""


@dataclass
class Twin:
    """Writes one program twice."""

    chance: random.Random
    temps: int = 0
    whole: list[str] = field(default_factory=list)
    split: list[str] = field(default_factory=list)

    def both(self, text: str) -> None:
        self.whole.append(text)
        self.split.append(text)

    # --- expressions -----------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Return what a statement reads: at most one access to a marked variable."""
        plain = [n for n, marked in SHARED.items() if not marked]
        found = self.chance.sample(plain, self.chance.randint(0, 2))
        if self.chance.random() < 0.6 or not found:
            found.append(self.chance.choice(["c", "d"]))
        return found

    def fetched(self, names: list[str]) -> dict[str, str]:
        """Read each name into a local of the split program; return the locals."""
        known = {}
        for name in names:
            self.temps += 1
            known[name] = f"v{self.temps}"
            self.split.append(f"v{self.temps} = {name};")
        return known

    def condition(self, names: list[str]) -> str:
        word = self.chance.choice([" && ", " || "])
        return word.join(
            f"({n} {self.chance.choice(['==', '!='])} {self.chance.randint(0, 1)})" for n in names
        )

    # --- statements ------------------------------------------------------------------------------

    def statement(self, depth: int, held: frozenset[str]) -> None:
        kinds = ["assign", "assign", "flip", "await", "if", "if", "section", "section", "section", "copy"]
        kind = self.chance.choice(kinds if depth else kinds[:4])
        getattr(self, f"_{kind}")(depth, held)

    def target(self, held: frozenset[str]) -> str:
        """Return a variable to write: mostly a marked one, or one whose lock is held."""
        guarded = [n for n, lock in (("a", "l"), ("b", "k")) if lock in held]
        return self.chance.choice([*guarded, *guarded, "c", "d", self.chance.choice("abcd")])

    def readable(self, held: frozenset[str]) -> list[str]:
        keep = [n for n, lock in (("a", "l"), ("b", "k")) if lock in held]
        names = self.names() if self.chance.random() < 0.15 else [*keep, *self.names()[-1:]]
        return [n for n in dict.fromkeys(names) if n in keep or SHARED[n] or self.chance.random() < 0.3] or [
            "c"
        ]

    def _assign(self, depth: int, held: frozenset[str]) -> None:
        name = self.target(held)
        names = [n for n in self.readable(held) if not (SHARED[name] and SHARED[n])]
        value = " ^ ".join([*names, str(self.chance.randint(0, 1))])
        self.whole.append(f"{name} = {value};")
        known = self.fetched(names)
        self.split.append(f"{name} = {' ^ '.join([*known.values(), value.split()[-1]])};")

    def _copy(self, depth: int, held: frozenset[str]) -> None:
        name = self.chance.choice(self.readable(held))
        self.both(f"seen = {name};")

    def _flip(self, depth: int, held: frozenset[str]) -> None:
        name = self.target(held)
        self.whole.append(f"{name} ^= 1;")
        if SHARED[name]:
            self.split.append(f"{name} ^= 1;")
            return
        known = self.fetched([name])
        self.split.append(f"{name} = {known[name]} ^ 1;")

    def _await(self, depth: int, held: frozenset[str]) -> None:
        names = self.readable(held)
        test = self.condition(names)
        self.whole.append(f"await({test});")
        self.split.append("loop {")
        known = self.fetched(names)
        self.split.append(f"if ({renamed(test, known)}) {{ break; }}")
        self.split.append("}")

    def _if(self, depth: int, held: frozenset[str]) -> None:
        names = self.readable(held)
        test = self.condition(names)
        known = self.fetched(names)
        self.whole.append(f"if ({test}) {{")
        self.split.append(f"if ({renamed(test, known)}) {{")
        self.statement(depth - 1, held)
        self.both("} else {")
        self.statement(depth - 1, held)
        self.both("}")

    def _section(self, depth: int, held: frozenset[str]) -> None:
        lock = self.chance.choice(sorted({"l", "k"} - held) or [""])
        if not lock:
            self._flip(depth, held)
            return
        self.both(f"mutex_lock({lock});")
        for _ in range(self.chance.randint(1, 2)):
            self.statement(depth - 1, held | {lock})
        self.both(f"mutex_unlock({lock});")


def renamed(text: str, known: dict[str, str]) -> str:
    for name, local in known.items():
        text = text.replace(f"({name} ", f"({local} ")
    return text


def twins(seed: int) -> tuple[str, str]:
    """Return a program with statement steps, and the same with single accesses."""
    chance = random.Random(seed)
    head = "mutex l; mutex k;\n" + "".join(
        f"var {name}: 0 .. 1 = {chance.randint(0, 1)}{' marked' * marked};\n"
        for name, marked in SHARED.items()
    )
    whole, split = head, head
    for number in range(chance.choice((2, 2, 3))):
        twin = Twin(chance)
        for _ in range(chance.randint(2, 3)):
            twin.statement(2, frozenset())
        seen = "var seen: 0 .. 1;\n"
        temps = seen + "".join(f"var v{n}: 0 .. 1;\n" for n in range(1, twin.temps + 1))
        result = f"var result{number}: 0 .. 1;\n"
        whole = f"{result}{whole}thread t{number} {{\n{seen}{chr(10).join(twin.whole)}\nresult{number} = seen;\n}}\n"
        split = f"{result}{split}thread t{number} {{\n{temps}{chr(10).join(twin.split)}\nresult{number} = seen;\n}}\n"
    return whole, split
