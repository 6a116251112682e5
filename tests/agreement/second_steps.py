"""The steps of the second opinion, and what a place is called (SEMANTICS A1: statement, call stack, for values)."""

from __future__ import annotations

from dataclasses import replace

from modelcheck.language import syntax as s
from modelcheck.language.types import Record
from tests.agreement.second_cells import LockCells
from tests.agreement.second_interrupts import BACK, IDLE
from tests.agreement.second_items import LONGEST, EndlessError, Item, unwrapped
from tests.agreement.second_locks import GUARDS, VERBS, succeeded
from tests.agreement.second_machine import Run
from tests.agreement.second_numbers import NUMBERS, BlockedError, WrongError
from tests.agreement.second_values import Env, LockStorage, Storage, Value, as_int, checked, encoded, values
from tests.agreement.second_waits import operand, with_state

Place = tuple[object, ...]
END: Place = ("end",)
NO_LOCK = LockStorage("rcu", "rcu", (), ())
"""What a verb or a guard works on that names no lock: RCU, or interrupts, which need none."""


def asked_of(test: s.Expression) -> tuple[s.Node | None, bool]:
    """Return a condition without the negation around a call, and whether there is one."""
    inner = unwrapped(test)
    if isinstance(inner, s.Unary) and inner.operator == "!":
        operand = unwrapped(inner.operand)
        if isinstance(operand, s.Call):
            return operand, True
    return inner, False


class Steps(Run):
    """A run that can take steps."""

    def go(self) -> None:
        """Take one step and arrive at the next place."""
        self.perform(self.stack[-1])
        self.settle()
        self.tidy()

    def tidy(self) -> None:
        """Forget what no scope of the stack can name."""
        bases = {
            b.base for i in self.stack for _, b in i.env.names if isinstance(b, Storage) and not b.shared
        }
        bases |= {"result"}
        if self.stack and self.stack[-1].kind == "take":
            bases |= {"value"}
        self.local = {k: v for k, v in sorted(self.local.items(), key=repr) if root(k[0]) in bases}

    def perform(self, item: Item) -> None:
        node, env = self.node(item), item.env
        match item.kind, node:
            case "release", _:
                lock, verb = item.extra[0], item.extra[1]
                assert isinstance(lock, LockStorage)
                VERBS[str(verb)][0](LockCells(self, lock))
                self.stack.pop()
            case "again", _:
                lock, verb, phase = item.extra[0], str(item.extra[1]), as_int(item.extra[2])  # type: ignore[arg-type]
                assert isinstance(lock, LockStorage)
                self.verb(node, env, verb, lock, phase)
            case "take", s.If() | s.While():
                self.stack.pop()
                if isinstance(node, s.If):
                    self.push("do", node, env)
                truth = bool(self.local.pop(("value",)))
                self.branch(node, env, truth=truth != asked_of(node.condition)[1])
            case "take", s.Assign(target):
                self.stack.pop()
                self.write(*self.known.place(target, env, self.read), self.local.pop(("value",)))
            case _, s.If() | s.While():
                self.test(node, env)
            case _:
                self.statement(node, env, item)

    def test(self, node: s.If | s.While, env: Env) -> None:
        asked, _ = asked_of(node.condition)
        if isinstance(asked, s.Call) and asked.name in VERBS:
            self.first_phase(asked, node, env)
        elif self.called(asked):
            assert isinstance(asked, s.Call)
            self.enter(asked, env, node, env)
        else:
            self.branch(node, env, truth=bool(self.value(node.condition, env)))

    def statement(self, node: s.Node, env: Env, item: Item) -> None:
        match node:
            case s.Skip():
                self.stack.pop()
            case s.Emit(_, arguments):
                for argument in arguments:
                    self.value(argument, env)
                self.stack.pop()
            case s.Assert(test):
                if not self.value(test, env):
                    raise WrongError
                self.stack.pop()
            case s.Await(test):
                if not self.value(test, env):
                    raise BlockedError
                self.stack.pop()
            case s.Choose():
                self.choose(node, item)
            case s.Either(branches):
                self.stack.pop()
                self.do(branches[self.pick(list(range(len(branches))))], env)
            case s.Atomic(body):
                self.atomic(body, env)
            case s.Assign():
                self.assign(node, env)
            case s.Local(_, _, _, initial):
                self.local_step(node, initial, env, item)
            case s.Return(value):
                self.return_step(node, value, env)
            case s.CallStatement(call):
                self.call_step(call, node, env)
            case s.Guard(kind, arguments) | s.ScopedGuard(kind, arguments):
                self.verb(node, env, GUARDS[kind][0], self.lock_of(arguments, env), 0)
            case _:
                raise AssertionError(node)

    def choose(self, node: s.Choose, item: Item) -> None:
        after = item.extra[0]
        assert isinstance(after, Env)
        storage = self.known.find(node.name, after)
        assert isinstance(storage, Storage)
        options = [v for v in values(storage.type) if self.may_be(node, after, storage, v)]
        if not options:
            raise BlockedError
        chosen = self.local[(storage.base,)] = self.pick(options)
        if node.where is not None and not self.value(node.where, after):
            raise AssertionError(chosen)
        self.stack.pop()

    def may_be(self, node: s.Choose, after: Env, storage: Storage, value: int) -> bool:
        """Tell whether a value may be chosen; one for which the condition is undefined is an error step."""
        self.local[(storage.base,)] = value
        try:
            return node.where is None or bool(self.value(node.where, after))
        except WrongError:
            return True

    def atomic(self, body: s.Block, env: Env) -> None:
        self.stack.pop()
        height = len(self.stack)
        self.push("atomic end", body, env)
        self.do(body, env)
        for _ in range(LONGEST):
            if len(self.stack) <= height or self.stack[height].kind != "atomic end":
                return
            if not self.silent(self.stack[-1]):
                self.perform(self.stack[-1])
        raise EndlessError

    # --- assignments -----------------------------------------------------------------------------

    def assign(self, node: s.Assign, env: Env) -> None:
        given = unwrapped(node.value)
        if isinstance(given, s.Call) and node.operator == "=":
            if given.name in VERBS:
                self.first_phase(given, node, env)
                return
            if given.name in self.known.ops:
                self.enter(given, env, node, env)
                return
        to, index = self.known.place(node.target, env, self.read)
        if isinstance(to.type, Record) or len(index) < len(to.dims):
            assert isinstance(given, s.Name | s.Index | s.Member)
            self.copy(to, index, *self.known.place(given, env, self.read))
        else:
            self.write(to, index, self.assigned(node, to, index, env))
        self.stack.pop()

    def assigned(self, node: s.Assign, to: Storage, index: tuple[int, ...], env: Env) -> Value:
        if node.operator == "=":
            assert node.value is not None
            return self.value(node.value, env)
        old = self.read((to.base, *index), to.shared)
        more = 1 if node.value is None else self.value(node.value, env)
        if isinstance(old, frozenset) and isinstance(more, frozenset):
            return {"|": old | more, "&": old & more, "^": old ^ more, "-": old - more}[node.operator[0]]
        return NUMBERS[node.operator[:-1] if node.value else node.operator[0]](as_int(old), as_int(more))

    def local_step(self, node: s.Local, initial: s.Expression | None, env: Env, item: Item) -> None:
        after, given = item.extra[0], unwrapped(initial)
        assert isinstance(after, Env)
        storage = self.known.find(node.name, after)
        assert isinstance(storage, Storage)
        assert initial is not None
        if isinstance(given, s.Call) and given.name in self.known.ops:
            self.enter(given, env, node, after)
            return
        if isinstance(given, s.Call) and given.name in VERBS:
            self.first_phase(given, node, env)
            return
        value = self.value(initial, env)
        for key, kind in self.known.cells(storage):
            self.local[key] = checked(value, kind)
        self.stack.pop()

    def return_step(self, node: s.Return, value: s.Expression | None, env: Env) -> None:
        given = unwrapped(value)
        assert value is not None
        if isinstance(given, s.Call) and given.name in VERBS:
            self.first_phase(given, node, env)
        elif self.called(given):
            assert isinstance(given, s.Call)
            self.enter(given, env, node, env)
        else:
            self.stack.pop()
            self.result(self.value(value, env), env)
            self.jump(node)

    # --- calls and verbs -------------------------------------------------------------------------

    def call_step(self, call: s.Call, node: s.Node, env: Env) -> None:
        if call.name in VERBS:
            self.first_phase(call, node, env)
        elif call.name == "WRITE_ONCE":
            self.write(
                *self.known.place(call.arguments[0], env, self.read), self.value(call.arguments[1], env)
            )
            self.stack.pop()
        elif call.name.startswith("lockdep_assert_held"):
            lock = self.known.instance(call.arguments[0], env, self.read)
            if not self.known.held(call.name, lock, self.me, self.read):
                raise WrongError
            self.stack.pop()
        else:
            self.enter(call, env, node, env)

    def first_phase(self, call: s.Call, node: s.Node, env: Env) -> None:
        self.verb(node, env, call.name, self.operand(call, env), 0)

    def operand(self, call: s.Call, env: Env) -> LockStorage:
        """Return what a verb works on: a lock, or what its arguments say otherwise."""
        if call.name == "local_irq_restore":
            return replace(NO_LOCK, given=int(bool(self.value(call.arguments[0], env))))
        lock = operand(self.known, call)
        if lock is not None:
            return lock
        lock = with_state(self.lock_of(call.arguments, env), call)
        if call.name == "refcount_set":
            lock = replace(lock, given=as_int(self.value(call.arguments[1], env)))
        return lock

    def lock_of(self, arguments: tuple[s.Expression, ...], env: Env) -> LockStorage:
        return self.known.instance(arguments[0], env, self.read) if arguments else NO_LOCK

    def verb(self, node: s.Node, env: Env, name: str, lock: LockStorage, phase: int) -> None:
        result = VERBS[name][phase](LockCells(self, lock))
        if phase + 1 < len(VERBS[name]):
            top = self.stack.pop()
            after = top.extra[0] if top.kind == "do" and top.extra else env
            self.push("again", node, env, lock, name, phase + 1, after)
            return
        match node:
            case s.If() | s.While():
                self.branch(node, env, truth=bool(result) != asked_of(node.condition)[1])
            case s.Assign():
                self.stack.pop()
                self.local[("value",)] = result
                self.push("take", node, env)
            case s.Local(variable):
                item = self.stack.pop()
                after = item.extra[0]
                assert isinstance(after, Env)
                self.clear_and_write(self.known.find(variable, after), result)
            case s.Return():
                self.stack.pop()
                self.result(result, env)
                self.jump(node)
            case s.Guard(kind):
                self.stack.pop()
                rest = self.stack.pop()
                self.push("release", node, env, lock, GUARDS[kind][1], self.node(rest).span.end - 1, None)
                self.stack.append(rest)
            case s.ScopedGuard(kind):
                self.scoped(node, env, lock, got=succeeded(name, result))
            case _:
                self.stack.pop()

    def clear_and_write(self, storage: object, result: int) -> None:
        assert isinstance(storage, Storage)
        self.clear(storage)
        self.write(storage, (), result)

    def scoped(self, node: s.ScopedGuard, env: Env, lock: LockStorage, *, got: bool) -> None:
        self.stack.pop()
        if got:
            self.push("release", node, env, lock, GUARDS[node.kind][1], node.span.end - 1, None)
            self.do(node.body, env)
        elif node.fail is not None:
            self.do(node.fail, env)

    # --- places ----------------------------------------------------------------------------------

    def place(self) -> Place:
        """Return the control location: statement, part of it, what left the guard, call stack, for values."""
        if not self.stack:
            return END
        item = self.stack[-1]
        node = self.node(item)
        if isinstance(node, s.IrqHandler) and item.kind in (IDLE, BACK):
            opened, closed = node.body.span.start, node.body.span.end
            start, end = (node.span.start, opened) if item.kind == IDLE else (closed - 1, closed)
            return (start, end, "", 0, None, (), ())
        start, end, word = self.text(item, node)
        left, unrolled, phase = None, self.unrolled(), int(item.kind != "take" and is_verb(node))
        if item.kind == "release":
            phase, left, unrolled = 1, item.extra[2], item.extra[3] or unrolled  # type: ignore[assignment]
        elif item.kind == "again":
            phase = as_int(item.extra[2]) + 1  # type: ignore[arg-type]
        return (start, end, word, phase, left, self.calls(), unrolled)

    def text(self, item: Item, node: s.Node) -> tuple[int, int, str]:
        span = node.span
        match node:
            case s.If(test) | s.While(test):
                asked, _ = asked_of(test)
                call = isinstance(asked, s.Call) and (asked.name in VERBS or asked.name in self.known.ops)
                span = asked.span if call and asked is not None else test.span
                into = (
                    call
                    and isinstance(asked, s.Call)
                    and asked.name in self.known.ops
                    and item.kind != "take"
                )
                return span.start, span.end, "" if into else "test"
            case s.Either():
                return span.start, span.start + 6, ""
            case s.Atomic():
                return span.start, span.start + 6, ""
            case s.ScopedGuard(_, _, body) if item.kind != "release":
                return span.start, body.span.start, ""
            case s.Assign(_, _, value) if self.called(value) and item.kind != "take":
                inner = unwrapped(value)
                assert inner is not None
                return inner.span.start, inner.span.end, ""
            case s.Local(_, _, _, value) | s.Return(value) if self.called(value):
                inner = unwrapped(value)
                assert inner is not None
                return inner.span.start, inner.span.end, ""
            case s.CallStatement(call):
                return call.span.start, call.span.end, ""
            case _:
                return span.start, span.end, ""


def is_verb(node: s.Node) -> bool:
    """Tell whether the statement, or its condition or value, is a lock verb."""
    match node:
        case s.Guard() | s.ScopedGuard():
            return True
        case s.If(test) | s.While(test):
            inner, _ = asked_of(test)
        case s.CallStatement(inner):
            pass
        case s.Assign(_, _, value) | s.Local(_, _, _, value) | s.Return(value):
            inner = unwrapped(value)
        case _:
            return False
    return isinstance(inner, s.Call) and inner.name in VERBS


def root(base: object) -> object:
    """Return the variable that a field's base belongs to."""
    while isinstance(base, tuple) and len(base) == 2:
        base = base[0]
    return base


__all__ = ["END", "Place", "Steps", "encoded"]
