"""One step of one thread of the second opinion: statements of the syntax tree on an explicit stack (SEMANTICS A1).

The stack has an item for each thing that is still to do, the next one last. What is not a step is done on arrival
(`settle`); a step is done by Steps.go, which replays a sequence of choices and asks for one more by ForkError.
"""

from __future__ import annotations

from modelcheck.language import syntax as s
from modelcheck.language.types import Record, show
from tests.agreement.second_interrupts import BACK
from tests.agreement.second_items import LONGEST, Code, EndlessError, ForkError, Item, Local, Stack, unwrapped
from tests.agreement.second_locks import VERBS
from tests.agreement.second_values import (
    Env,
    Fixed,
    Key,
    Storage,
    Value,
    as_int,
    checked,
    first_value,
    values,
)


class Run:
    """A thread on its way: from a place where it takes a step to the next one."""

    def __init__(
        self,
        code: Code,
        me: int,
        cells: dict[Key, Value],
        stack: Stack,
        local: Local,
        prefix: tuple[int, ...] = (),
    ) -> None:
        self.code, self.known, self.me, self.threads = code, code.globals, me, code.threads
        self.cells, self.stack, self.local = dict(cells), list(stack), dict(local)
        self.prefix, self.used = prefix, 0
        self.jumping = Env(me, 0, ())
        self.in_handler = any(item.kind == BACK for item in stack)

    # --- memory, choices -------------------------------------------------------------------------

    def read(self, key: Key, shared: bool) -> Value:
        return self.cells[key] if shared else self.local[key]

    def put(self, key: Key, value: Value) -> None:
        self.cells[key] = value

    def write(self, storage: Storage, index: tuple[int, ...], value: Value) -> None:
        (self.cells if storage.shared else self.local)[(storage.base, *index)] = checked(value, storage.type)

    def pick(self, options: list[int]) -> int:
        if self.used == len(self.prefix):
            raise ForkError(options)
        self.used += 1
        return self.prefix[self.used - 1]

    def value(self, node: s.Expression, env: Env) -> Value:
        return self.known.value(node, env, self.read)

    # --- the stack -------------------------------------------------------------------------------

    def push(self, kind: str, node: s.Node, env: Env, *extra: object) -> None:
        self.code.nodes[id(node)] = node
        self.stack.append(Item(kind, id(node), env, extra))

    def do(self, node: s.Node, env: Env) -> None:
        self.push("seq", self.code.block(node), env, 0)

    def node(self, item: Item) -> s.Node:
        return self.code.nodes[item.node]

    def settle(self) -> None:
        """Do all that takes no step."""
        for _ in range(LONGEST):
            if not self.stack or not self.silent(self.stack[-1]):
                return
        raise EndlessError

    def silent(self, item: Item) -> bool:
        """Do the next thing if it takes no step, and tell whether it was so."""
        node, env = self.node(item), item.env
        match item.kind:
            case "seq":
                self.stack.pop()
                self.next_of(node, env, as_int(item.extra[0]))  # type: ignore[arg-type]
                return True
            case "do":
                return self.silent_statement(node, env, item)
            case "test":
                assert isinstance(node, s.While)
                return self.silent_test(node, node.condition, env)
            case "head":
                assert isinstance(node, s.Loop)
                self.do(node.body, env)
                return True
            case "for":
                self.next_copy(node, env, as_int(item.extra[0]))  # type: ignore[arg-type]
                return True
            case "return":
                self.stack.pop()
                if isinstance(node, s.Op) and node.result is not None:
                    kind = self.known.type_of(node.result, Env(self.me, 0, ()))
                    self.local[("value",)] = self.local.pop(("result", env.depth), first_value(kind))
                return True
            case "take":
                return self.silent_take(node, env)
            case "atomic end":
                self.stack.pop()
                return True
            case _:
                return False

    def next_of(self, node: s.Node, env: Env, position: int) -> None:
        assert isinstance(node, s.Block)
        if position == len(node.statements):
            return
        statement = node.statements[position]
        after = env
        if isinstance(statement, s.Local | s.Choose):
            after = self.declared(statement, env)
        self.push("seq", node, after, position + 1)
        self.push("do", statement, env, after)

    def declared(self, node: s.Local | s.Choose, env: Env) -> Env:
        dims = (
            tuple(self.known.type_of(d.type, env) for d in node.dimensions)
            if isinstance(node, s.Local)
            else ()
        )
        base = (env.depth, node.span.start, node.name)
        return env.plus(node.name, Storage(base, dims, self.known.type_of(node.type, env), shared=False))

    def clear(self, storage: Storage) -> None:
        for key, kind in self.known.cells(storage):
            self.local[key] = first_value(kind)

    def next_copy(self, node: s.Node, env: Env, last: int) -> None:
        assert isinstance(node, s.For)
        all_values = values(self.known.type_of(node.type, env))
        self.stack.pop()
        if last + 1 < len(all_values):
            self.push("for", node, env, last + 1)
            self.do(node.body, env.plus(node.name, Fixed(all_values[last + 1])))

    # --- what takes no step ----------------------------------------------------------------------

    def silent_statement(self, node: s.Node, env: Env, item: Item) -> bool:
        after = item.extra[0] if item.extra else env
        assert isinstance(after, Env)
        match node:
            case s.Block():
                self.stack.pop()
                self.do(node, env)
            case s.Empty() | s.Label():
                self.stack.pop()
            case s.Unguarded(_, body):
                self.stack.pop()
                self.push("do", body, env)
            case s.Loop():
                self.stack.pop()
                self.push("head", node, env)
            case s.While():
                self.stack.pop()
                self.push("test", node, env)
            case s.For():
                self.stack.pop()
                self.push("for", node, env, -1)
            case s.If():
                return self.silent_test(node, node.condition, env)
            case s.Break() | s.Continue() | s.Goto():
                self.stack.pop()
                self.jumping = env
                self.jump(node)
            case s.Return():
                return self.silent_return(node, env)
            case s.Local():
                return self.silent_local(node, env, after)
            case s.Assign(_, "=", given) if self.called(given):
                return self.call_silently(given, env, node)
            case s.CallStatement(call) if call.name in self.known.ops:
                return self.call_silently(call, env, node)
            case _:
                return False
        return True

    def called(self, node: s.Node | None) -> bool:
        inner = unwrapped(node)
        return isinstance(inner, s.Call) and inner.name in self.known.ops

    def silent_test(self, node: s.If | s.While, test: s.Expression, env: Env) -> bool:
        asked = unwrapped(test)
        if isinstance(asked, s.Unary) and asked.operator == "!":
            asked = unwrapped(asked.operand)
        if self.called(asked):
            return self.call_silently(asked, env, node)
        if isinstance(asked, s.Call) and asked.name in VERBS:
            return False
        if not self.known.is_constant(test, env):
            return False
        self.branch(node, env, truth=bool(self.known.constant(test, env)))
        return True

    def branch(self, node: s.Node, env: Env, *, truth: bool) -> None:
        """Go on behind the test of an `if` (its item is on top) or a `while`."""
        if isinstance(node, s.While):
            if truth:
                self.do(node.body, env)
            else:
                self.stack.pop()
            return
        assert isinstance(node, s.If)
        self.stack.pop()
        way = node.then if truth else node.otherwise
        if way is not None:
            self.do(way, env)

    def silent_local(self, node: s.Local, env: Env, after: Env) -> bool:
        storage = self.known.find(node.name, after)
        assert isinstance(storage, Storage)
        if self.called(node.initial):
            self.clear(storage)
            return self.call_silently(node.initial, env, node, after)
        inner = unwrapped(node.initial)
        if isinstance(inner, s.Call) and inner.name in VERBS:
            return False
        if node.initial is not None and not self.known.is_constant(node.initial, env):
            return False
        self.stack.pop()
        self.clear(storage)
        if node.initial is not None:
            for key, kind in self.known.cells(storage):
                self.local[key] = checked(self.known.constant(node.initial, env), kind)
        return True

    def silent_return(self, node: s.Return, env: Env) -> bool:
        value = unwrapped(node.value)
        if self.called(value):
            return self.call_silently(value, env, node)
        if isinstance(value, s.Call) and value.name in VERBS:
            return False
        if node.value is not None and self.known.reads_shared(node.value, env):
            return False
        self.stack.pop()
        if node.value is not None:
            self.result(self.value(node.value, env), env)
        self.jump(node)
        return True

    def result(self, value: Value, env: Env) -> None:
        frame = next(i for i in reversed(self.stack) if i.kind == "return")
        op = self.node(frame)
        assert isinstance(op, s.Op)
        assert op.result is not None
        kind = self.known.type_of(op.result, Env(self.me, 0, ()))
        self.local[("result", env.depth)] = checked(value, kind)

    # --- calls -----------------------------------------------------------------------------------

    def call_silently(self, node: s.Node | None, env: Env, taker: s.Node, after: Env | None = None) -> bool:
        """Enter an op unless its arguments need a step."""
        call = unwrapped(node)
        assert isinstance(call, s.Call)
        if any(self.known.reads_shared(a, env) for a in call.arguments):
            return False
        self.enter(call, env, taker, after or env)
        return True

    def enter(self, call: s.Call, env: Env, taker: s.Node, after: Env) -> None:
        """Evaluate the arguments and start the body; `taker` is the statement that gets the result."""
        if not isinstance(taker, s.While):
            self.stack.pop()
        self.push("take", taker, after)
        op = self.known.ops[call.name]
        inner = Env(self.me, env.depth + 1, ())
        for parameter, argument in zip(op.parameters, call.arguments, strict=True):
            if isinstance(parameter, s.LockParameter):
                lock = self.known.instance(argument, env, self.read)
                inner = inner.plus(parameter.name, lock)
                continue
            kind = self.known.type_of(parameter.type, Env(self.me, 0, ()))
            storage = Storage((inner.depth, parameter.span.start, parameter.name), (), kind, shared=False)
            inner = inner.plus(parameter.name, storage)
            if isinstance(kind, Record):
                self.copy(storage, (), *self.known.place(argument, env, self.read))
            else:
                self.write(storage, (), self.value(argument, env))
        self.push("return", op, inner, call.span.start)
        self.do(op.body, inner)

    def copy(self, to: Storage, to_index: tuple[int, ...], of: Storage, of_index: tuple[int, ...]) -> None:
        depth, start = len(to_index), len(of_index)
        for (target, kind), (source, _) in zip(
            (c for c in self.known.cells(to) if c[0][1 : 1 + depth] == to_index),
            (c for c in self.known.cells(of) if c[0][1 : 1 + start] == of_index),
            strict=True,
        ):
            value = checked(self.read(source, of.shared), kind)
            (self.cells if to.shared else self.local)[target] = value

    def silent_take(self, node: s.Node, env: Env) -> bool:
        """Use the result of a call, unless that is a step: of a condition, or into shared data."""
        match node:
            case s.If() | s.While():
                return False
            case s.Assign(target):
                inner = self.base_of(target, env)
                if inner.shared or any(
                    self.known.reads_shared(i.index, env) for i in target.walk() if isinstance(i, s.Index)
                ):
                    return False
                self.stack.pop()
                self.write(*self.known.place(target, env, self.read), self.local.pop(("value",)))
            case s.Local(name):
                self.stack.pop()
                self.write(*self.known.place(s.Name(name), env, self.read), self.local.pop(("value",)))
            case s.Return():
                self.stack.pop()
                self.result(self.local.pop(("value",)), env)
                self.jump(node)
            case _:
                self.stack.pop()
                self.local.pop(("value",), None)
        return True

    def base_of(self, target: s.Expression, env: Env) -> Storage:
        while not isinstance(target, s.Name):
            assert isinstance(target, s.Index | s.Member | s.Paren)
            target = target.inner if isinstance(target, s.Paren) else target.base
        found = self.known.find(target.id, env)
        assert isinstance(found, Storage)
        return found

    # --- jumps -----------------------------------------------------------------------------------

    def jump(self, node: s.Break | s.Continue | s.Return | s.Goto) -> None:
        """Leave by break, continue, return or goto; what guards held is released on the way, innermost first."""
        unrolled = self.unrolled()
        if isinstance(node, s.Goto):
            from tests.agreement.second_goto import prepare

            target = prepare(self, node.label)
            stay, arrive = target.stay, target.arrive
        else:
            loops = ("test", "head", "for")
            wanted = ("return",) if isinstance(node, s.Return) else loops
            stay = max(n for n, item in enumerate(self.stack) if item.kind in wanted)
            if isinstance(node, s.Break):
                stay -= 1
            arrive = []
        releases = [i for i in self.stack[stay + 1 :] if i.kind == "release"]
        del self.stack[stay + 1 :]
        self.stack += arrive
        for item in releases:
            self.stack.append(item._replace(extra=(*item.extra[:2], node.span.start, unrolled)))

    def unrolled(self) -> tuple[tuple[str, str], ...]:
        found = []
        for item in self.stack:
            node = self.node(item)
            if item.kind == "for" and isinstance(node, s.For):
                kind = self.known.type_of(node.type, item.env)
                value = values(kind)[as_int(item.extra[0])]  # type: ignore[arg-type]
                found.append((node.name, show(kind, value)))  # type: ignore[arg-type]
        return tuple(found)

    def calls(self) -> tuple[int, ...]:
        return tuple(as_int(i.extra[0]) for i in self.stack if i.kind == "return" and i.extra)  # type: ignore[arg-type]
