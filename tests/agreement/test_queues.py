"""Readers and writers without a queue, as locks/ has them, against a strict queue with hand-off (SEMANTICS X8).

The engine's abstraction must reach the same configurations (where each thread is, who holds what), come to its end in
the same ones, and leave the same threads stuck. In which state a thread is lost is not compared: in a queue it may be
lost behind another one before that one has got the lock, and without one only then.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import pytest

from modelcheck.language.elaborate import elaborate
from modelcheck.language.parser import parse
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.transition_system import State as Product
from modelcheck.semantics.transition_system import transition_system
from modelcheck.source import Source
from tests.agreement.fifo_locks import LOCKS, THREADS, Configuration, Fifo, Program
from tests.random_models import EXAMPLES

Node = TypeVar("Node", bound=Hashable)
CHUNK = 10


@dataclass(frozen=True)
class Summary:
    """The configurations reached, those where nothing goes on, and the threads that are stuck in some state."""

    reached: frozenset[Configuration]
    last: frozenset[Configuration]
    stuck: frozenset[int]


def summary(
    start: Node, successors: Callable[[Node], Iterable[Node]], seen_as: Callable[[Node], Configuration]
) -> Summary:
    """Explore a graph; a thread is stuck in a state from which it stays at its line for ever."""
    order = [start]
    graph: dict[Node, tuple[Node, ...]] = {start: ()}
    for node in order:
        following = tuple(successors(node))
        graph[node] = following
        for each in following:
            if each not in graph:
                graph[each] = ()
                order.append(each)
    shown = {node: seen_as(node) for node in order}
    moves: dict[Node, frozenset[int]] = dict.fromkeys(order, frozenset())
    changed = True
    while changed:
        changed = False
        for node in reversed(order):
            found = moves[node]
            for each in graph[node]:
                places = zip(shown[node][0], shown[each][0], strict=True)
                found |= moves[each] | {t for t, (one, other) in enumerate(places) if one != other}
            changed = changed or found != moves[node]
            moves[node] = found
    unfinished = {node: frozenset(t for t in range(THREADS) if shown[node][0][t]) for node in order}
    return Summary(
        frozenset(shown.values()),
        frozenset(shown[node] for node in order if not graph[node]),
        frozenset(t for node in order for t in unfinished[node] - moves[node]),
    )


def with_queues(program: Program) -> Summary:
    fifo = Fifo(program)
    return summary(fifo.start, fifo.successors, lambda state: state.configuration)


def without_queues(program: Program) -> Summary:
    system = transition_system(elaborate((parse(Source("queues.mck", program.text)),)))
    interpreter = Interpreter(system)
    ((start, _, _),) = interpreter.initial_states()
    assert start is not None

    def successors(state: Product) -> list[Product]:
        steps = interpreter.successors(state)
        assert all(step.target is not None for step in steps), "no lock rule is broken"
        return [step.target for step in steps if step.target is not None]

    def seen_as(state: Product) -> Configuration:
        at = [interpreter.location(state, t) for t in range(THREADS)]
        held = [{(h.lock, h.mode) for h in interpreter.held(state, t)} for t in range(THREADS)]
        values = {c.name: v for c, v in zip(system.cells, state, strict=True)}
        readers = {name: tuple(values[f"{name}.readers[t{t}]"] for t in range(THREADS)) for name in LOCKS}
        writer = {
            name: next((t for t in range(THREADS) if (name, "write") in held[t]), None) for name in LOCKS
        }
        places = tuple(
            0 if one.is_end else one.span.source.text.count("\n", 0, one.span.start) + 1 for one in at
        )
        return places, tuple((readers[name], writer[name]) for name in LOCKS)

    return summary(start, successors, seen_as)


@pytest.mark.parametrize("kind", ["rwsem", "percpu_rwsem"])
@pytest.mark.parametrize("chunk", range(-(-EXAMPLES // CHUNK)))
def test_leaving_the_queue_out_loses_no_configuration_and_no_stuck_thread(kind: str, chunk: int) -> None:
    stuck = 0
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        program = Program(kind, random.Random(f"{kind} {seed}"))
        ours, theirs = without_queues(program), with_queues(program)
        assert ours == theirs, program.text
        stuck += bool(ours.stuck)
    assert stuck > 0
