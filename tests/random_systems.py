"""Generated models of a few threads, built by hand: locks, waits, tries, choices, assertions, loops."""

from __future__ import annotations

import random
from dataclasses import dataclass

from modelcheck.language import model as m
from modelcheck.locks import VERBS
from modelcheck.semantics.transition_system import TransitionSystem
from tests.models import (
    BOOL,
    SMALL,
    Built,
    Code,
    Line,
    branch,
    claim,
    const,
    either,
    equal,
    local,
    lock,
    put,
    ref,
    shared,
    system,
    verb,
    wait_for,
)
from tests.random_lock_kinds import PAIRS

FLAG = shared("f", BOOL)
NUMBER = shared("x", SMALL)
PLAIN = {kind: tuple(pair for pair in pairs if not VERBS[pair[0]][1].needs) for kind, pairs in PAIRS.items()}
"""The pairs that need no domain: there are none in these models."""
SECTIONS = {
    **PLAIN,
    "mutex": (*PLAIN["mutex"], *PLAIN["mutex"], ("mutex_trylock", "mutex_unlock")),
    "seqlock": (*PLAIN["seqlock"], ("read_seqbegin", "read_seqretry")),
}
SIMPLE = ("put", "put", "add", "await", "await", "if", "either", "choose", "leave")


def random_system(seed: int, *, asserts: bool = False) -> TransitionSystem:
    """Return a model of two or three threads; the same seed gives the same."""
    chance = random.Random(seed)
    names = tuple(f"t{n}" for n in range(chance.choice((2, 2, 3))))
    kinds = {"a": "mutex", "b": "mutex", "p": chance.choice(("percpu_rwsem", "rwsem", "rwlock", "seqlock"))}
    locks = [lock(name, kind, names) for name, kind in kinds.items()]
    codes = [Writer(chance, number, names, locks, asserts=asserts).code() for number in range(len(names))]
    initial: m.Effects = ()
    if chance.random() < 0.3:
        initial = (m.Choose(ref(NUMBER), 0, chance.randint(0, 2)),)
    return system(Built(codes, [FLAG, NUMBER], locks, initial))


@dataclass
class Writer:
    """Writes the code of one thread. Sections are closed as a rule; `leave` jumps anywhere, and so may break one."""

    chance: random.Random
    me: int
    names: tuple[str, ...]
    locks: list[m.Lock]
    asserts: bool

    def __post_init__(self) -> None:
        self.own = local(f"{self.names[self.me]}.n", self.me)

    def code(self) -> Code:
        lines: list[Line] = []
        for _ in range(self.chance.randint(1, 3)):
            lines += self.section(depth=0) if self.chance.random() < 0.6 else self.simple()
        if self.chance.random() < 0.3:
            lines.append(put(FLAG, self.chance.randint(0, 1), to=0))
        daemon = self.chance.random() < 0.25
        declaration = "t" if self.chance.random() < 0.3 else self.names[self.me]
        return Code(self.names[self.me], lines, daemon=daemon, declaration=declaration, locals=(self.own,))

    def section(self, depth: int) -> list[Line]:
        """Return lock; statements; unlock."""
        at = self.chance.choice(self.locks)
        take, release = self.chance.choice(SECTIONS[at.kind])
        otherwise = self.anywhere() if take == "mutex_trylock" else None
        lines = verb(take, at, self.me, self.names, otherwise)
        for _ in range(self.chance.randint(0, 2)):
            deeper = depth < 2 and self.chance.random() < 0.6
            lines += self.section(depth + 1) if deeper else self.simple()
        if self.chance.random() < 0.95:
            lines += verb(release, at, self.me, self.names)
        return lines

    def anywhere(self) -> int:
        return self.chance.choice((-1, -1, self.chance.randrange(3)))

    def simple(self) -> list[Line]:
        number, flag, own = ref(NUMBER), ref(FLAG), ref(self.own)
        match self.chance.choice((*SIMPLE, "claim") if self.asserts else SIMPLE):
            case "put":
                return [put(FLAG, self.chance.randint(0, 1))]
            case "add":
                return [put(NUMBER, m.Arith("%", m.Arith("+", number, const(1)), const(3)))]
            case "await":
                wanted = self.chance.choice((equal(flag, 1), equal(number, self.chance.randint(0, 2))))
                return [wait_for(wanted)]
            case "if":
                return [
                    branch(equal(self.chance.choice((flag, own)), 0), self.anywhere(), -1),
                    *self.simple(),
                ]
            case "either":
                return [either(self.anywhere(), self.anywhere())]
            case "choose":
                where = m.Compare("<=", number, own)
                return [
                    Line((m.Choose(own, 0, 2, where),), wait=m.Wait.for_writers((number, own)), text="choose")
                ]
            case "leave":
                return [put(self.own, 1)]
            case _:
                return [claim(m.Compare("!=", number, const(2)))]
