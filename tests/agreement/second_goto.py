"""Where a goto of the second opinion arrives: the stack that running to the label would have built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelcheck.language import syntax as s
from tests.agreement.second_values import Env, Fixed, Storage, as_int, values

if TYPE_CHECKING:
    from tests.agreement.second_items import Item
    from tests.agreement.second_machine import Run

Way = list[tuple[s.Node, int]]


@dataclass
class Target:
    """`stay`: the last item of the stack that stays; `arrive`: what comes on top of it."""

    stay: int
    arrive: list[Item]


def way_to(run: Run, block: s.Block, label: str) -> Way | None:
    """Return the blocks, loops and guards that lead to a label; a `for` keeps its labels to itself."""
    for position, statement in enumerate(block.statements):
        if isinstance(statement, s.Label) and statement.name == label:
            return [(block, position)]
        inner = below(run, statement, label)
        if inner is not None:
            return [(block, position), *inner]
    return None


def below(run: Run, node: s.Node, label: str) -> Way | None:
    if isinstance(node, s.Block):
        return way_to(run, node, label)
    if isinstance(node, s.For | s.Atomic):
        return None
    for child in node.children():
        if isinstance(child, s.Statement):
            found = way_to(run, run.code.block(child), label)
            if found is not None:
                held = not isinstance(node, s.ScopedGuard) or child is node.body
                return [(node, 0), *found] if held else found
    return None


def prepare(run: Run, label: str) -> Target:
    """Return where the stack is cut and what is put on it."""
    here = run.jumping
    for number in range(len(run.stack) - 1, -1, -1):
        place, item = number, run.stack[number]
        node = run.node(item)
        if item.kind == "for" and isinstance(node, s.For):
            value = values(run.known.type_of(node.type, item.env))[as_int(item.extra[0])]  # type: ignore[arg-type]
            root, env = run.code.block(node.body), item.env.plus(node.name, Fixed(value))
        elif item.kind == "return" and isinstance(node, s.Op | s.Thread | s.IrqHandler):
            root, env = node.body, item.env
        else:
            continue
        way = way_to(run, root, label)
        if way is None:
            continue
        guards = [n for n, (each, _) in enumerate(way) if isinstance(each, s.ScopedGuard)]
        if guards:
            guard = way[guards[-1]][0]
            place = max(n for n, i in enumerate(run.stack) if i.kind == "release" and i.node == id(guard))
            env, way = run.stack[place].env, way[guards[-1] + 1 :]
        return Target(place, arrival(run, way, env, here))
    raise AssertionError(label)


def arrival(run: Run, way: Way, env: Env, here: Env) -> list[Item]:
    """Return the items from a body to the label; a local that the jump passes has its first value."""
    known = {b.base for _, b in here.names if isinstance(b, Storage)}
    kept, run.stack = run.stack, []
    for node, position in way:
        match node:
            case s.Block(statements):
                for each in statements[:position]:
                    if isinstance(each, s.Local | s.Choose):
                        env = run.declared(each, env)
                        storage = env.names[-1][1]
                        if isinstance(storage, Storage) and storage.base not in known:
                            run.clear(storage)
                run.push("seq", node, env, position + 1)
            case s.While():
                run.push("test", node, env)
            case s.Loop():
                run.push("head", node, env)
            case _:
                pass
    made, run.stack = run.stack, kept
    return made
