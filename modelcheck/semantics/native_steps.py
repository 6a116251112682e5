"""The successor function as LLVM IR: for each thread what it can do from a state, and whether it can do anything.

`@step_T(state, base, out, aux, n)` writes the successors by thread T behind the first n and returns their new number,
plus 2**32 if there is an error step. `@expand(state, base, out, aux, n)` does so for all threads and returns the new
number, plus 2**32 for each bit of the set of threads that moved, plus 2**62 if there is an error step.
`base` is the state's number plus one, shifted by the bits of a mover. `@enabled_T(state)` is true if T has a step;
`@ready_T(state)`, if it would have one but for an interrupt handler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modelcheck.language.model import (
    TRUE,
    Assume,
    Breach,
    Choose,
    Crossing,
    Effects,
    Either,
    Location,
    Test,
    Thread,
    walk_effects,
)
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.layout import Layout
from modelcheck.semantics.native_code import FALSE, Code, Operand
from modelcheck.semantics.native_effects import Scene, Sink, Statement
from modelcheck.semantics.native_expressions import Expressions
from modelcheck.semantics.native_registry import ERROR, MOVER_BITS, ErrorNote, Paths, Registry
from modelcheck.semantics.native_words import Words
from modelcheck.semantics.transition_system import TransitionSystem

ERRED = 32
MOVED = 32
ERRS = 62


@dataclass(frozen=True)
class Writing:
    """What everything that is written for one system needs.

    `crossings`: they were asked for; `judges`: so was something of steps; `occurrences`: so was what
    ever occurs.
    """

    interpreter: Interpreter
    layout: Layout
    registry: Registry
    crossings: bool
    judges: bool
    occurrences: bool

    @property
    def system(self) -> TransitionSystem:
        """The system."""
        return self.interpreter.system

    @property
    def threads(self) -> tuple[Thread, ...]:
        """Its threads."""
        return self.system.model.threads

    @property
    def held_words(self) -> int:
        """How many words the set of locks that a thread holds takes."""
        return -(-len(self.interpreter.holdings[0]) // 64) if self.threads else 0

    def expressions(
        self, code: Code, words: Words, undefined: Callable[[str], str] | None = None
    ) -> Expressions:
        """Return the writer of expressions about a state; without a way on they have a value in every state."""
        return Expressions(self.system, self.layout, code, words, undefined or (lambda _: code.fault()))

    def location(self, words: Words, thread: int) -> Operand:
        """Write the number of a thread's location."""
        return words.raw(self.layout.fields[self.system.location_cells[thread]])

    def interrupted(self, x: Expressions, thread: int) -> Operand:
        """Write the condition that a handler runs in the thread's place."""
        found = FALSE
        for _, runs in self.threads[thread].interrupted_by:
            found = x.code.op(f"or i1 {found}, {x.truth(runs)}")
        return found

    def held(self, x: Expressions, thread: int) -> list[Operand]:
        """Write the set of what a thread holds, as words with the bits of `Interpreter.holdings`."""
        words: list[Operand] = ["0"] * self.held_words
        for number, (_, holds) in enumerate(self.interpreter.holdings[thread]):
            word, bit = divmod(number, 64)
            words[word] = x.code.either(words[word], x.code.left(x.code.wide(x.truth(holds)), bit))
        return words


class _Steps(Sink):
    """Writes the successors of one statement."""

    def __init__(self, writing: Writing, scene: Scene, location: Location) -> None:
        self._writing = writing
        self._scene = scene
        self._code = scene.code
        self._place = location.number
        self._pending = self._code.slot()
        crossings = [e for e in walk_effects(location.effects) if isinstance(e, Crossing)]
        self._crossings = len(crossings) if writing.crossings else 0
        registry = writing.registry
        registry.most_crossings = max(registry.most_crossings, self._crossings)
        self._key = 1 + writing.held_words
        self._keys = self._code.slot(f"[{max(self._crossings, 1) * self._key} x i64]")
        codes, most = paths(location.effects)
        self._paths: Paths | None = None
        if writing.occurrences and most:
            self._paths = registry.paths_of(scene.thread, location.number, codes, most)
        # The code of the path so far, what the next decision counts for in it, how many decisions were made.
        self._path = (self._code.slot(), self._code.slot(), self._code.slot())

    def begin(self) -> None:
        """Write what comes before the statement."""
        if self._crossings:
            self._code.set(self._pending, 0)
        if self._paths:
            for slot, value in zip(self._path, (0, 1, 0), strict=True):
                self._code.set(slot, value)

    @property
    def pending(self) -> tuple[Operand, ...]:
        """The variables that belong to the path: how many crossings it has made, and its code."""
        return (*((self._pending,) if self._crossings else ()), *(self._path if self._paths else ()))

    def arrive(self, target: int, done: str) -> None:
        """Write the successor down, count it, and note its crossings."""
        code, words = self._code, self._scene.words
        self._count(target)
        number = code.get("%count")
        size = len(words.words)
        first = code.mul(number, size)
        place = code.at("%out", first)
        for each in range(size):
            code.set(code.at(place, each), words.word(each))
        aux = code.either("%base", self._scene.thread)
        code.set(code.at("%aux", number), aux)
        if self._writing.judges:
            code.do(f"call void @judge(ptr %s, ptr {place}, i64 {aux})")
        code.set("%count", code.add(number, 1))
        if self._crossings:
            with code.count_up(0, code.get(self._pending)) as n:
                code.do(
                    f"call void @crossings_add(ptr {code.at(self._keys, code.mul(n, self._key))}, i64 %base)"
                )
        code.jump(done)

    def fail(self, breaches: tuple[Breach, ...], which: Operand, done: str) -> None:
        """Count and note an error step."""
        code, thread = self._code, self._scene.thread
        self._count(ERROR)
        first = self._writing.registry.note(ErrorNote(thread, self._place, breach) for breach in breaches)
        number = code.sub(code.right("%base", MOVER_BITS), 1)
        aux = code.either("%base", thread)
        code.do(f"call void @note(i64 {code.add(which, first)}, i64 {number}, i64 {aux})")
        code.set("%erred", 1)
        code.jump(done)

    def cross(self, crossing: Crossing) -> None:
        """Keep the crossing until the path has come to its end."""
        if not self._crossings:
            return
        code = self._code
        number = code.get(self._pending)
        held = self._writing.held(self._writing.expressions(code, self._scene.words), self._scene.thread)
        for n, word in enumerate((str(self._writing.registry.crossing(crossing)), *held)):
            code.set(code.at(self._keys, code.add(code.mul(number, self._key), n)), word)
        code.set(self._pending, code.add(number, 1))

    def decide(self, outcome: Operand | int, outcomes: int) -> None:
        """Add a decision to the code of the path."""
        if self._paths:
            code, (path, weight, count) = self._code, self._path
            now = code.get(weight)
            code.set(path, code.add(code.get(path), code.mul(now, outcome)))
            code.set(weight, code.mul(now, outcomes))
            code.set(count, code.add(code.get(count), 1))

    def _count(self, target: int) -> None:
        code = self._code
        if self._paths:
            path, _, count = (code.get(slot) for slot in self._path)
            flag = code.add(code.add(path, code.mul(count, self._paths.codes)), self._paths.first)
            code.set(code.at("@outcomes", flag, "i8"), 1, "i8")
        number = self._writing.registry.counter(self._scene.thread, self._place, target)
        place = code.at("@counts", number)
        code.set(place, code.add(code.get(place), 1))


class _Exists(Sink):
    """Writes whether a statement has an outcome: the first one returns true."""

    def __init__(self, code: Code) -> None:
        self._code = code

    def arrive(self, target: int, done: str) -> None:  # noqa: ARG002
        """Return true."""
        self._code.ret("true", "i1")

    def fail(self, breaches: tuple[Breach, ...], which: Operand, done: str) -> None:  # noqa: ARG002
        """Return true: an error step is one."""
        self._code.ret("true", "i1")

    def cross(self, crossing: Crossing) -> None:
        """Write nothing."""

    def decide(self, outcome: Operand | int, outcomes: int) -> None:
        """Write nothing."""


def successor_functions(writing: Writing) -> list[str]:
    """Return the functions of all threads, and `@expand`."""
    texts: list[str] = []
    for thread in writing.threads:
        texts += [_steps_of(writing, thread), _ready(writing, thread), _enabled(writing, thread)]
    return [*texts, _expand(len(writing.threads))]


def _steps_of(writing: Writing, thread: Thread) -> str:
    code = Code(f"step_{thread.number}", "ptr %s, i64 %base, ptr %out, ptr %aux, i64 %n")
    code.do("%count = alloca i64")
    code.do("%erred = alloca i64")
    code.set("%count", "%n")
    code.set("%erred", 0)
    start = Words.at(code, "%s", writing.layout.words)
    end = code.label()
    if thread.interrupted_by:
        on = code.label()
        code.branch(writing.interrupted(writing.expressions(code, start), thread.number), end, on)
        code.start(on)
    words = Words.variables(code, writing.layout.words)

    def statement(location: Location) -> None:
        scene = Scene(writing.system, writing.layout, code, words, thread.number, location.span)
        sink = _Steps(writing, scene, location)
        words.copy_from(start)
        sink.begin()
        _guarded(Statement(scene, sink, sink.pending), code, location, end)

    _each_location(writing, start, thread, end, statement)
    code.start(end)
    code.ret(code.either(code.get("%count"), code.left(code.get("%erred"), ERRED)))
    return code.text()


def _guarded(statement: Statement, code: Code, location: Location, end: str) -> None:
    """Write the guard and the effects."""
    if location.guard != TRUE:
        on = code.label()
        code.branch(statement.expressions(location.span, end).truth(location.guard), on, end)
        code.start(on)
    statement.write(location.effects, end)


def _each_location(
    writing: Writing, words: Words, thread: Thread, end: str, write: Callable[[Location], None]
) -> None:
    """Write a case for each location of a thread but its end."""
    code = words.code
    labels = {location.number: code.label() for location in thread.locations if not location.is_end}
    code.switch(writing.location(words, thread.number), labels, end)
    for number, label in labels.items():
        code.start(label)
        write(thread.locations[number])


def _ready(writing: Writing, thread: Thread) -> str:
    code = Code(f"ready_{thread.number}", "ptr %s", "i1")
    start = Words.at(code, "%s", writing.layout.words)
    end = code.label()
    words = Words.variables(code, writing.layout.words)

    def statement(location: Location) -> None:
        scene = Scene(writing.system, writing.layout, code, words, thread.number, location.span)
        words.copy_from(start)
        if location.guard == TRUE and not _may_lack_outcome(location.effects):
            code.ret("true", "i1")
        else:
            _guarded(Statement(scene, _Exists(code)), code, location, end)

    _each_location(writing, start, thread, end, statement)
    code.start(end)
    code.ret(FALSE, "i1")
    return code.text()


def _may_lack_outcome(effects: Effects) -> bool:
    return any(isinstance(effect, Choose | Assume) for effect in walk_effects(effects))


def _enabled(writing: Writing, thread: Thread) -> str:
    code = Code(f"enabled_{thread.number}", "ptr %s", "i1")
    if thread.interrupted_by:
        words = Words.at(code, "%s", writing.layout.words)
        with code.when(writing.interrupted(writing.expressions(code, words), thread.number)):
            code.ret(FALSE, "i1")
    code.ret(code.call(f"ready_{thread.number}", "ptr %s", "i1"), "i1")
    return code.text()


def _expand(threads: int) -> str:
    code = Code("expand", "ptr %s, i64 %base, ptr %out, ptr %aux, i64 %n")
    number: Operand = "%n"
    moved: Operand = "0"
    errs: Operand = "0"
    for thread in range(threads):
        done = code.call(f"step_{thread}", f"ptr %s, i64 %base, ptr %out, ptr %aux, i64 {number}")
        bit = code.select(code.compare("ne", done, number), 1 << MOVED + thread, 0)
        moved = code.either(moved, bit)
        errs = code.either(errs, code.right(done, ERRED))
        number = code.both(done, (1 << ERRED) - 1)
    code.ret(code.either(code.either(number, moved), code.left(errs, ERRS)))
    return code.text()


def most_successors(writing: Writing) -> int:
    """Return a bound on how many successors a state has."""
    return sum(
        max((outcomes(location.effects) for location in thread.locations if not location.is_end), default=0)
        for thread in writing.threads
    )


def outcomes(effects: Effects) -> int:
    """Return a bound on how many outcomes effects have."""
    number = 1
    for effect in effects:
        match effect:
            case Choose(_, low, high):
                number *= high - low + 1
            case Either(branches):
                number *= sum(map(outcomes, branches))
            case Test(_, then, otherwise):
                number *= max(outcomes(then), outcomes(otherwise))
            case _:
                pass
    return number


def paths(effects: Effects) -> tuple[int, int]:
    """Return bounds on the codes of paths through effects, and on the decisions on a path."""
    codes, most = 1, 0
    for effect in effects:
        match effect:
            case Choose(_, low, high):
                codes, most = codes * (high - low + 1), most + 1
            case Either(branches):
                inside = [paths(branch) for branch in branches]
            case Test(_, then, otherwise):
                branches = (then, otherwise)
                inside = [paths(branch) for branch in branches]
            case _:
                continue
        if isinstance(effect, Either | Test):
            codes *= len(branches) * max(code for code, _ in inside)
            most += 1 + max(number for _, number in inside)
    return codes, most


def decisions(effects: Effects, code: int, count: int) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Return the choices and the outcomes of tests on the path with that code and so many decisions."""
    choices: list[int] = []
    tests: list[bool] = []
    todo = list(reversed(effects))
    while len(choices) + len(tests) < count:
        match todo.pop():
            case Choose(_, low, high):
                code, number = divmod(code, high - low + 1)
                choices.append(low + number)
            case Either(branches):
                code, number = divmod(code, len(branches))
                choices.append(number)
                todo += reversed(branches[number])
            case Test(_, then, otherwise):
                code, outcome = divmod(code, 2)
                tests.append(bool(outcome))
                todo += reversed(then if outcome else otherwise)
            case _:
                pass
    return tuple(choices), tuple(tests)
