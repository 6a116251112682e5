"""A second, independent interpreter: walks the syntax tree, knows nothing of elaboration, graphs or models.

Written from SEMANTICS A1, A9 and H6 alone. It finds the reachable configurations, each a valuation of the shared
variables and locks with the place of every thread, and the steps between them. Locals are kept but not compared:
which of them are dead is another question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from modelcheck.language import syntax as s
from modelcheck.language.types import Enum, Range, Scalarset, Type
from tests.agreement.second_interrupts import BACK, HARD, IDLE, Interrupts, spins
from tests.agreement.second_items import Code, ForkError, Item, Local, Stack
from tests.agreement.second_locks import FIELDS, BlockedError
from tests.agreement.second_steps import Place, Steps
from tests.agreement.second_values import (
    Env,
    Fixed,
    Globals,
    Key,
    LockStorage,
    Storage,
    Value,
    WrongError,
    as_int,
    encoded,
    first_value,
    values,
)  # fmt: skip

Shape = tuple[tuple[int, ...], tuple[Place, ...]]
"""The cells in the order of `cell_names`, and the places of the threads."""
Move = tuple[int, tuple[int, ...], Shape | None]
"""Who moved, by which choices, to where; None is an error step."""
NOBODY = Env(-1, 0, ())


class TooLargeError(Exception):
    """More states than asked for."""


@dataclass
class Opinion:
    """What was found."""

    cell_names: list[tuple[str, tuple[int, ...]]]
    initial: set[Shape | None] = field(default_factory=set)
    moves: dict[Shape, set[Move]] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """Cells, and for each thread its stack and locals."""

    cells: tuple[Value, ...]
    threads: tuple[tuple[Stack, Local], ...]


class SecondOpinion:
    """The file, read once."""

    def __init__(self, tree: s.Specification) -> None:
        self.known = Globals()
        self.inits: list[s.Init] = []
        self.threads: list[tuple[s.Thread | s.IrqHandler, Value | None]] = []
        self.interrupts = Interrupts.of(tree.span.source.text)
        self.types: dict[Key, Type] = {}
        named = (s.EnumDeclaration, s.Param, s.Const, s.TypeDeclaration, s.RecordDeclaration)
        for node in tree.declarations:
            if isinstance(node, named):
                self.name(node)
        for node in tree.declarations:
            if isinstance(node, s.Thread):
                self.thread(node)
        self.handlers([d for d in tree.declarations if isinstance(d, s.IrqHandler)])
        for node in tree.declarations:
            self.store(node)
        self.known.first |= self.interrupts.first()
        self.types |= {key: Range(0, 99) for key in self.interrupts.first()}
        self.code = Code(self.known, {}, {}, len(self.threads))
        self.keys = list(self.known.first)
        self.seen_cells: dict[tuple[Value, ...], tuple[int, ...]] = {}
        self.seen_places: dict[tuple[int, Stack], Place] = {}

    # --- declarations ----------------------------------------------------------------------------

    def name(self, node: s.Declaration) -> None:
        known = self.known
        match node:
            case s.EnumDeclaration(name, members):
                known.types[name] = Enum(name, tuple(m.id for m in members))
                known.names |= {m.id: Fixed(n) for n, m in enumerate(members)}
            case s.Param(name, _, value) | s.Const(name, value):
                known.names[name] = Fixed(known.constant(value, NOBODY))
            case s.TypeDeclaration(name, kind, scalarset):
                found = known.type_of(kind, NOBODY)
                if scalarset and isinstance(found, Range):
                    found = Scalarset(name, found.low, found.high)
                known.types[name] = found
            case s.RecordDeclaration(name):
                known.types[name] = known.record(node, NOBODY)
            case _:
                pass

    def thread(self, node: s.Thread) -> None:
        if node.when is not None and not self.known.constant(node.when, NOBODY):
            return
        if node.size is None:
            self.threads.append((node, None))
            return
        kind: Type
        if isinstance(node.size, s.Name) and node.size.id in self.known.types:
            kind = self.known.types[node.size.id]
        elif isinstance(node.size, s.RangeType | s.NamedType | s.SetType):
            kind = self.known.type_of(node.size, NOBODY)
        else:
            kind = Range(0, as_int(self.known.constant(node.size, NOBODY)) - 1)
        self.threads += [(node, number) for number in values(kind)]

    def handlers(self, nodes: list[s.IrqHandler]) -> None:
        """Number the handlers behind the threads, those for soft interrupts first."""
        names = [node.name for node, _ in self.threads]
        for node in sorted(nodes, key=lambda each: each.kind == "irq"):
            on = tuple(t for name in node.threads for t, n in enumerate(names) if n == name)
            self.interrupts.handlers[len(self.threads)] = (node.kind, node.name, on)
            self.threads.append((node, None))
        self.interrupts.threads = len(self.threads)

    def store(self, node: s.Declaration) -> None:
        known = self.known
        match node:
            case s.Variable(name, dimensions, kind, initial):
                dims = tuple(known.type_of(d.type, NOBODY) for d in dimensions)
                storage = Storage(name, dims, known.type_of(kind, NOBODY), shared=True)
                known.names[name] = storage
                for key, each in known.cells(storage):
                    self.types[key] = each
                    env = NOBODY
                    for d, index in zip(dimensions, key[1:], strict=False):
                        env = env.plus(d.binder or "", Fixed(index))  # type: ignore[arg-type]
                    known.first[key] = first_value(each) if initial is None else known.constant(initial, env)
            case s.Lock(kind_name, name, dimensions):
                dims = tuple(known.type_of(d.type, NOBODY) for d in dimensions)
                known.names[name] = LockStorage(kind_name, name, dims)
                saved = kind_name == "spinlock" and HARD in self.interrupts.domains
                for part in (*FIELDS[kind_name], *(["saved"] if saved else [])):
                    own = part in ("readers", "saved")
                    more = (Range(0, len(self.threads) - 1),) if own else ()
                    cells = known.cells(Storage(f"{name}.{part}", (*dims, *more), Range(0, 99), shared=True))
                    known.first |= {key: 0 for key, _ in cells}
                    self.types |= {key: Range(0, 99) for key in known.first if key not in self.types}
            case s.Op(name):
                known.ops[name] = node
            case s.Init():
                self.inits.append(node)
            case _:
                pass

    # --- exploring -------------------------------------------------------------------------------

    def explore(self, most: int) -> Opinion:
        """Return all that can be reached; raises TooLargeError beyond `most` states."""
        names = [(dotted(key[0]), tuple(as_int(i) for i in key[1:])) for key in self.keys]  # type: ignore[arg-type]
        opinion = Opinion(names)
        todo: list[State] = []
        seen: set[State] = set()
        for state in self.initial():
            opinion.initial.add(None if state is None else self.shape(state))
            if state is not None and state not in seen:
                seen.add(state)
                todo.append(state)
        while todo:
            state = todo.pop()
            moves = opinion.moves.setdefault(self.shape(state), set())
            for me, choices, target in self.successors(state):
                moves.add((me, choices, None if target is None else self.shape(target)))
                if target is not None and target not in seen:
                    seen.add(target)
                    todo.append(target)
                    if len(seen) > most:
                        raise TooLargeError
        return opinion

    def initial(self) -> set[State | None]:
        cells = [tuple(self.known.first[key] for key in self.keys)]
        wrong = False
        for init in self.inits:
            after = []
            for before in cells:
                for _, run in self.outcomes(-1, before, (self.item(s.Atomic(init.body)),), ()):
                    wrong = wrong or run is None
                    if run is not None:
                        after.append(tuple(run.cells.values()))
            cells = after
        found: set[State | None] = {None} if wrong else set()
        for each in cells:
            threads = []
            try:
                for me, (node, own) in enumerate(self.threads):
                    threads.append(self.start(me, node, own, each))
            except WrongError:
                found.add(None)
                continue
            found.add(State(each, tuple(threads)))
        return found

    def start(
        self, me: int, node: s.Thread | s.IrqHandler, own: Value | None, cells: tuple[Value, ...]
    ) -> tuple[Stack, Local]:
        env = Env(me, 0, () if own is None else (("self", Fixed(own)),))
        run = Steps(self.code, me, dict(zip(self.keys, cells, strict=True)), (), ())
        if isinstance(node, s.IrqHandler):
            run.push(IDLE, node, env)
            return tuple(run.stack), ()
        run.push("return", node, env)
        run.do(node.body, env)
        run.settle()
        run.tidy()
        return tuple(run.stack), tuple(run.local.items())

    def item(self, node: s.Node) -> Item:
        self.code.nodes[id(node)] = node
        return Item("do", id(node), NOBODY)

    def outcomes(
        self, me: int, cells: tuple[Value, ...], stack: Stack, local: Local
    ) -> list[tuple[tuple[int, ...], Steps | None]]:
        """Return each combination of choices with where it leads."""
        found: list[tuple[tuple[int, ...], Steps | None]] = []
        todo: list[tuple[int, ...]] = [()]
        while todo:
            prefix = todo.pop()
            run = Steps(self.code, me, dict(zip(self.keys, cells, strict=True)), stack, local, prefix)
            try:
                run.go()
                found.append((prefix, run))
            except ForkError as fork:
                todo += [(*prefix, int(option)) for option in fork.options]
            except BlockedError:
                pass
            except WrongError:
                found.append((prefix, None))
        return found

    def successors(self, state: State) -> list[tuple[int, tuple[int, ...], State | None]]:
        found: list[tuple[int, tuple[int, ...], State | None]] = []
        for me, (stack, local) in enumerate(state.threads):
            cells = dict(zip(self.keys, state.cells, strict=True))
            if not stack or self.interrupts.suspended(cells, me):
                continue
            if stack[-1].kind in (IDLE, BACK):
                outcomes: list[tuple[tuple[int, ...], Steps | None]] = list(
                    self.interrupting(state, me, cells)
                )
            else:
                outcomes = self.outcomes(me, state.cells, stack, local)
            for choices, run in outcomes:
                if run is None:
                    found.append((me, choices, None))
                    continue
                threads = list(state.threads)
                threads[me] = (tuple(run.stack), tuple(run.local.items()))
                found.append((me, choices, State(tuple(run.cells.values()), tuple(threads))))
        return found

    def interrupting(
        self, state: State, me: int, cells: dict[Key, Value]
    ) -> Iterator[tuple[tuple[int, ...], Steps]]:
        """Yield how a handler starts, with whom it interrupts as the choice; or how it returns."""
        node, env = self.threads[me][0], Env(me, 0, ())
        if state.threads[me][0][-1].kind == BACK:
            run = Steps(self.code, me, cells, (), ())
            self.interrupts.switched(run.cells, me, 0)
            run.push(IDLE, node, env)
            yield (), run
            return
        for number, thread in enumerate(self.interrupts.handlers[me][2]):
            if self.interrupts.may_start(cells, me, thread):
                run = Steps(self.code, me, cells, (), ())
                idle = self.interrupts.finds_idle(cells, thread, lambda t: self.has_cpu(state, t))
                self.interrupts.switched(run.cells, me, thread + 1, idle=idle)
                run.push(BACK, node, env)
                run.push("return", node, env)
                run.do(node.body, env)
                run.settle()
                run.tidy()
                yield (number,), run

    def has_cpu(self, state: State, thread: int) -> bool:
        """Tell whether a thread runs: it has a step, or spins."""
        stack, local = state.threads[thread]
        if not stack:
            return False
        if stack[-1].kind == BACK or self.outcomes(thread, state.cells, stack, local):
            return True
        return spins(stack[-1], self.code.nodes[stack[-1].node])

    def shape(self, state: State) -> Shape:
        if state.cells not in self.seen_cells:
            pairs = zip(self.keys, state.cells, strict=True)
            self.seen_cells[state.cells] = tuple(encoded(v, self.types[k]) for k, v in pairs)
        places = []
        for me, (stack, _) in enumerate(state.threads):
            if (me, stack) not in self.seen_places:
                self.seen_places[me, stack] = Steps(self.code, me, {}, stack, ()).place()
            places.append(self.seen_places[me, stack])
        return self.seen_cells[state.cells], tuple(places)


def dotted(base: object) -> str:
    """Return a variable's name, fields with dots."""
    if isinstance(base, tuple):
        return f"{dotted(base[0])}.{base[1]}"
    return str(base)
