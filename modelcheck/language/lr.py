"""The LR parsing algorithm: a stack of states, driven by tables (D. E. Knuth, Information and Control 8, 1965).

It is written out here, and not left to the library that makes the tables, because two questions must be put to it: can
this word be read as a keyword now, and (after an error) what could begin here? A loop and two stacks, so that no depth
of nesting needs a deep Python stack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Value = Any
"""What was made of a part of the text: by the builder, nodes; while errors are looked for, positions."""

Build = Callable[[list[Value]], Value]


@dataclass(frozen=True)
class Production:
    """A rule of the grammar with one of its alternatives, which has `size` parts, lists among them or not.

    `name` is what builds it.
    """

    rule: str
    size: int
    name: str
    has_list: bool


@dataclass(frozen=True)
class Tables:
    """What a grammar is compiled to.

    `actions` has, for each state and terminal that it allows, the state to go to, or -1 - p to reduce by production p;
    `gotos` has, for each state and rule that may begin there, the state after it.
    """

    actions: tuple[dict[str, int], ...]
    gotos: tuple[dict[str, int], ...]
    productions: tuple[Production, ...]
    start: int
    end: int


class Parser:
    """A parser in the middle of a text."""

    def __init__(self, tables: Tables, build: Sequence[Build]) -> None:
        self.tables = tables
        self.build = build
        self.states = [tables.start]
        self.values: list[Value] = []

    def copy(self) -> Parser:
        """Return a parser in the same state."""
        other = Parser(self.tables, self.build)
        other.states = self.states[:]
        other.values = self.values[:]
        return other

    def feed(self, terminal: str, value: Value) -> bool:
        """Read a terminal; return whether the grammar allows it here."""
        states, values = self.states, self.values
        actions, gotos, productions, build = (
            self.tables.actions,
            self.tables.gotos,
            self.tables.productions,
            self.build,
        )
        while True:
            action = actions[states[-1]].get(terminal)
            if action is None:
                return False
            if action >= 0:
                states.append(action)
                values.append(value)
                return True
            production = productions[-1 - action]
            size = production.size
            if size:
                parts = values[-size:]
                del states[-size:], values[-size:]
            else:
                parts = []
            values.append(build[-1 - action](parts))
            states.append(gotos[states[-1]][production.rule])

    def finish(self, end: str) -> bool:
        """Read the end of the text; return whether it may be here. What was built is then `values[0]`."""
        while self.states[-1] != self.tables.end:
            action = self.tables.actions[self.states[-1]].get(end)
            if action is None or action >= 0:
                return False
            self.reduce(-1 - action)
        return True

    def reduce(self, number: int) -> None:
        """Replace the parts of a production on the stack by what they make."""
        production = self.tables.productions[number]
        first = len(self.values) - production.size
        parts = self.values[first:]
        del self.states[first + 1 :], self.values[first:]
        self.push(production.rule, self.build[number](parts))

    def push(self, rule: str, value: Value) -> None:
        """Take a rule as read."""
        self.values.append(value)
        self.states.append(self.tables.gotos[self.states[-1]][rule])

    def reads(self, terminal: str) -> bool:
        """Whether the grammar allows a terminal here.

        That a state has an action for it is not enough: a reduction there may be meant for another context.
        """
        states = self.states[:]
        while True:
            action = self.tables.actions[states[-1]].get(terminal)
            if action is None:
                return False
            if action >= 0:
                return True
            production = self.tables.productions[-1 - action]
            del states[len(states) - production.size :]
            states.append(self.tables.gotos[states[-1]][production.rule])
            if states[-1] == self.tables.end:
                return True

    def allowed(self) -> list[str]:
        """Return the terminals that may come next."""
        return [terminal for terminal in self.tables.actions[self.states[-1]] if self.reads(terminal)]
