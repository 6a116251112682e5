"""Truth tables: what every verb of a kind of lock does in every state that the lock can be in.

Threads that may call any verb at any moment are explored; a row says what a verb does when the first thread calls it
in one state of the lock's variables. The tables stand beside the tests as text, to be read against the rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from modelcheck.language.elaborate import elaborate
from modelcheck.language.model import VerbUse
from modelcheck.language.parser import parse
from modelcheck.language.types import bounds, show
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State, Step, transition_system
from modelcheck.semantics.waiting import Waiting, Way
from modelcheck.source import Source

FOLDER = Path(__file__).parent
MOST = 30_000


def model_of_any_verb(declaration: str, calls: Iterable[str], threads: Iterable[str] = ("a", "b")) -> str:
    """Return a model in which each thread calls any of the verbs again and again."""
    branches = " or ".join(f"{{ {call}; }}" for call in calls)
    return declaration + "\n" + "\n".join(f"thread {t} {{ loop {{ either {branches} }} }}" for t in threads)


def table(text: str, *, deepest: int = 1) -> str:
    """Return the rows of a model: states of the lock with no counter above `deepest`, verbs of the first thread."""
    system = transition_system(elaborate((parse(Source("table.mck", text)),)))
    interpreter = Interpreter(system)
    waiting = Waiting(interpreter)
    rows: dict[tuple[str, str], set[str]] = {}
    todo = [state for state, _, _ in interpreter.initial_states() if state is not None]
    seen = set(todo)
    while todo:
        state = todo.pop()
        if any(
            c.variable and c.variable.kind == "lock" and c.high == 7 and v > deepest
            for c, v in zip(system.cells, state, strict=True)
        ):
            continue
        verb = interpreter.location(state, 0).verb
        if verb is not None:
            key = (_shown(interpreter, state), _called(verb))
            rows.setdefault(key, set()).add(_outcome(interpreter, waiting, state))
        for step in interpreter.successors(state):
            if step.target is not None and step.target not in seen:
                seen.add(step.target)
                todo.append(step.target)
        assert len(seen) <= MOST, "a table of fewer verbs is needed"
    return _aligned(rows)


def _called(verb: VerbUse) -> str:
    return verb.verb if verb.steps == 1 else f"{verb.verb} ({verb.step} of {verb.steps})"


def _shown(interpreter: Interpreter, state: State) -> str:
    """Return the lock variables that differ from their first values."""
    parts = []
    for cell, value, first in zip(interpreter.system.cells, state, interpreter.system.declared, strict=True):
        if cell.variable is not None and cell.variable.kind == "lock" and value != first:
            parts.append(f"{cell.name}={show(cell.variable.type, value)}")
    return " ".join(parts) or "(as declared)"


def _outcome(interpreter: Interpreter, waiting: Waiting, state: State) -> str:
    steps = interpreter.steps_of(state, 0)
    if not steps:
        obstacles = waiting.ways(state, 0)
        return "waits for " + " and ".join(_who(interpreter, way) for way in obstacles)
    return " | ".join(sorted({_step(interpreter, state, step) for step in steps}))


def _who(interpreter: Interpreter, way: Way) -> str:
    threads = interpreter.system.model.threads
    sets = (("all of", way.owners), ("any of", way.wakers))
    return " or ".join(
        f"{kind} {{{', '.join(threads[t].name for t in sorted(who))}}}"
        for kind, who in sets
        if who is not None
    )


def _step(interpreter: Interpreter, before: State, step: Step) -> str:
    if step.target is None:
        return f"error: {step.breach.message if step.breach else ''}"
    changed = []
    for cell, old, new in zip(interpreter.system.cells, before, step.target, strict=True):
        if cell.variable is not None and cell.variable.kind != "shared" and old != new:
            low, _ = bounds(cell.variable.type)
            assert low <= new
            changed.append(f"{cell.name}={show(cell.variable.type, new)}")
    return ", ".join(changed) or "nothing changes"


def _aligned(rows: dict[tuple[str, str], set[str]]) -> str:
    lines: list[str] = []
    last = ""
    for (state, verb), outcomes in sorted(rows.items(), key=lambda row: (len(row[0][0]), row[0])):
        if state != last:
            lines.append(state)
            last = state
        lines.append(f"    {verb:<34} {' or '.join(sorted(outcomes))}")
    return "\n".join(lines) + "\n"


def check_table(name: str, text: str, *, update: bool, deepest: int = 1) -> None:
    """Compare the table of a model with the one that stands in `NAME.table` (`--update-golden` writes it)."""
    path, made = FOLDER / f"{name}.table", table(text, deepest=deepest)
    if update:
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")
