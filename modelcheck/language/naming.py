"""The names of declarations: where they stand in the text, and which of them are taken by the language."""

from __future__ import annotations

import re
from collections.abc import Iterable

from modelcheck.diagnostics import CHECKS, Collector, an
from modelcheck.language import syntax
from modelcheck.language.types import ERRNO
from modelcheck.locks import READINGS, VERBS
from modelcheck.source import Span

_FUNCTIONS = "READ_ONCE data_race next held held_read held_write free at inside finished blocked"
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""What looks like a call and is part of the language; an op of this name could not be called everywhere."""

_STATEMENTS = """
WRITE_ONCE might_sleep spin_until
lockdep_assert_held lockdep_assert_held_write lockdep_assert_held_read lockdep_assert_not_held
"""
STATEMENTS = frozenset(_STATEMENTS.split())

_WAIT_EVENTS = "wait_event wait_event_interruptible wait_event_killable wait_event_timeout"
WAIT_EVENTS = frozenset(_WAIT_EVENTS.split())
"""Verbs with an expression among their arguments (language/wait_event.py)."""

THREAD_NAMES = {"self": "the number of the running thread", "mover": "the thread that moved in a step"}

_NAME_FIRST = (
    syntax.ValueParameter,
    syntax.Field,
    syntax.Label,
    syntax.Setting,
    syntax.RunItem,
    syntax.Binder,
)
"""Nodes whose text begins with their name; the others begin with a keyword or a kind."""


def named(node: syntax.Node, name: str) -> Span:
    """Return the place of a name inside the declaration that it belongs to; the whole node if it is not there."""
    keyword = "" if isinstance(node, _NAME_FIRST) else r"\w+\W.*?"
    found = re.match(rf"{keyword}\b({re.escape(name)})\b", node.span.text, re.DOTALL)
    if found is None:
        return node.span
    start = node.span.start + found.start(1)
    return Span(node.span.source, start, start + len(name))


def callee(call: syntax.Call) -> Span:
    """Return the place of the name in `name(arguments)`."""
    return Span(call.span.source, call.span.start, call.span.start + len(call.name))


def check_name(collector: Collector, node: syntax.Node, name: str) -> None:
    """Report a declaration whose name the language has given away already."""
    taken = ""
    if name in THREAD_NAMES:
        taken = THREAD_NAMES[name]
    elif name in ("bool", ERRNO.name):
        taken = "a type of the language"
    elif name in ERRNO.members:
        taken = "an error of the kernel"
    elif name in VERBS or name in STATEMENTS or name in WAIT_EVENTS:
        taken = f"a verb of {an(VERBS[name][0].kind)}" if name in VERBS else "a statement of the language"
    elif isinstance(node, syntax.Op) and (name in FUNCTIONS or name in READINGS):
        taken = "a function of the language"
    if taken:
        message = f"`{name}` is taken: it is {taken}"
        collector.error("MC011", named(node, name), message, "choose another name")


def check_property_name(collector: Collector, node: syntax.Node, name: str, others: Iterable[str]) -> None:
    """Report a property or assertion whose name already means something in `expect`."""
    if name in CHECKS:
        message = f"`{name}` is the name of a check: `expect {name}` would mean either"
        collector.error("MC011", named(node, name), message, "choose another name")
    elif name in others:
        message = f"`{name}` is the name of a property: `expect {name}` would mean either"
        collector.error("MC011", named(node, name), message, "choose another name")
