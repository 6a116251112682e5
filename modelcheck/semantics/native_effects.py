"""The effects of a statement as LLVM IR: every outcome, in the order of the choices (effects.py has the meaning).

The words of the running statement are variables. A path ends at a label, `done`, which tries the next choice: the
innermost choice restores the words and goes on, the last one leaves the statement. What stands after a choice or a
test is written once; where it can be reached under different choices, a variable says whose next one is due.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, assert_never

from modelcheck.language.model import (
    TRUE,
    Assign,
    Assume,
    Breach,
    Choose,
    Crossing,
    Effects,
    Either,
    Emit,
    Expr,
    Jump,
    Require,
    Test,
)
from modelcheck.language.types import bounds
from modelcheck.semantics.effects import first_known, left_its_range
from modelcheck.semantics.layout import Layout
from modelcheck.semantics.native_code import Code, Operand
from modelcheck.semantics.native_expressions import Expressions, interval, partial
from modelcheck.semantics.native_words import Words
from modelcheck.semantics.transition_system import TransitionSystem
from modelcheck.source import Span


class Sink(Protocol):
    """What becomes of the outcomes of a statement."""

    def arrive(self, target: int, done: str) -> None:
        """Write what a Jump does; the words are those of the target, dead locals reset."""
        ...

    def fail(self, breaches: tuple[Breach, ...], which: Operand, done: str) -> None:
        """Write what an error step does. Several breaches: the one at position `which`."""
        ...

    def cross(self, crossing: Crossing) -> None:
        """Write what a crossing does, with the words as they are now."""
        ...

    def decide(self, outcome: Operand | int, outcomes: int) -> None:
        """Write what a decision does: the outcome of a test, the number of a choice among so many."""
        ...


@dataclass(frozen=True)
class Scene:
    """Where a statement is written: the system, the function, the words that change, whose statement it is."""

    system: TransitionSystem
    layout: Layout
    code: Code
    words: Words
    thread: int
    span: Span


@dataclass
class _Falls:
    """The ends of branches that go on behind the statement: for each its `done` label."""

    join: str
    turn: Operand
    labels: list[str] = field(default_factory=list)


Rest = Callable[[str], None] | None


class Statement:
    """Writes one statement."""

    def __init__(self, scene: Scene, sink: Sink, pending: tuple[Operand, ...] = ()) -> None:
        self._scene = scene
        self._sink = sink
        self._code = scene.code
        self._words = scene.words
        # What the next choice restores: the words, and whatever else the sink keeps of a path.
        self._kept = (*scene.words.words, *pending)

    def write(self, effects: Effects, done: str) -> None:
        """Write the effects; every path ends at `done`."""
        self._sequence(effects, done, None)
        assert not self._code.open, "the effects of a statement end in a Jump on every path"

    def undefined(self, span: Span, done: str) -> Callable[[str], str]:
        """Return the way to the error step of an undefined expression that stands at a place."""
        code = self._code

        def label(reason: str) -> str:
            name = code.label()

            def write() -> None:
                code.start(name)
                self._sink.fail((Breach("range", reason, span=span),), "0", done)

            code.later(write)
            return name

        return label

    def expressions(self, span: Span, done: str) -> Expressions:
        """Return the writer of expressions that stand at a place."""
        scene = self._scene
        return Expressions(scene.system, scene.layout, self._code, self._words, self.undefined(span, done))

    # --- sequences -------------------------------------------------------------------------------

    def _sequence(self, effects: Effects, done: str, falls: _Falls | None) -> None:
        """Write effects one after the other; where they end without a Jump, go on as `falls` says."""
        for number, effect in enumerate(effects):
            following = effects[number + 1 :]
            match effect:
                case Assign():
                    self._assign(effect, done)
                case Require(condition, breach):
                    self._require(condition, breach, done)
                case Emit(_, arguments):
                    x = self.expressions(self._scene.span, done)
                    for each in arguments:
                        if partial(each):
                            x.value(each)
                case Crossing():
                    self._sink.cross(effect)
                case Assume(condition):
                    on = self._code.label()
                    self._code.branch(self.expressions(self._scene.span, done).truth(condition), on, done)
                    self._code.start(on)
                case Jump(target):
                    self._jump(target, done)
                    return
                case Choose():
                    done = self._choose(effect, done)
                case Test() | Either():
                    self._fork(effect, following, done, falls)
                    return
                case _:
                    assert_never(effect)
        assert falls is not None, "the effects of a statement end in a Jump on every path"
        self._code.set(falls.turn, len(falls.labels))
        falls.labels.append(done)
        self._code.jump(falls.join)

    def _fork(self, effect: Test | Either, following: Effects, done: str, falls: _Falls | None) -> None:
        """Write the branches, and what follows them once."""
        code = self._code
        ends = _Falls(code.label(), code.slot())
        match effect:
            case Test(condition, then, otherwise):
                yes, no = code.label(), code.label()
                code.branch(self.expressions(self._scene.span, done).truth(condition), yes, no)
                for outcome, label, branch in ((1, yes, then), (0, no, otherwise)):
                    code.start(label)
                    self._sink.decide(outcome, 2)
                    self._sequence(branch, done, ends)
            case Either(branches):
                saved = self._save()
                labels = [*(code.label() for _ in branches), done]
                code.jump(labels[0])
                for number, branch in enumerate(branches):
                    code.start(labels[number])
                    self._restore(saved)
                    self._sink.decide(number, len(branches))
                    self._sequence(branch, labels[number + 1], ends)
        if not ends.labels:
            return
        code.start(ends.join)
        self._sequence(following, self._turn(ends), falls)

    def _turn(self, ends: _Falls) -> str:
        """Return the label where the next choice is tried after what follows the branches."""
        if len(set(ends.labels)) == 1:
            return ends.labels[0]
        code, name = self._code, self._code.label()

        def write() -> None:
            code.start(name)
            cases = dict(enumerate(ends.labels[1:], 1))
            code.switch(code.get(ends.turn), cases, ends.labels[0])

        code.later(write)
        return name

    def _save(self) -> list[Operand]:
        saved = [self._code.slot() for _ in self._kept]
        for slot, kept in zip(saved, self._kept, strict=True):
            self._code.set(slot, self._code.get(kept))
        return saved

    def _restore(self, saved: list[Operand]) -> None:
        for slot, kept in zip(saved, self._kept, strict=True):
            self._code.set(kept, self._code.get(slot))

    # --- effects ---------------------------------------------------------------------------------

    def _assign(self, effect: Assign, done: str) -> None:
        scene, code = self._scene, self._code
        span = first_known(effect.span, scene.span)
        x = self.expressions(span, done)
        value = x.value(effect.value)
        place = x.place(effect.target)
        kind = effect.target.var.type
        low, high = bounds(kind)
        least, most = interval(effect.value)
        if not low <= least <= most <= high:
            on, bad = code.label(), code.label()
            # One unsigned comparison: values have 63 bits, so the difference does not wrap into the range.
            code.branch(code.compare("ule", code.sub(value, low), high - low), on, bad)
            first = scene.system.offsets[effect.target.var]
            cells = scene.system.cells[first : first + len(effect.target.var.initial)]
            which: Operand = place.number or "0"
            if place.field is not None:
                cells = tuple(cell for n, cell in enumerate(cells) if place.row.field(n) == place.field)
            breaches = tuple(
                Breach("range", left_its_range(cell.name, kind, low - 1), span=span) for cell in cells
            )
            code.start(bad)
            self._sink.fail(breaches, which, done)
            code.start(on)
        x.write(place, value)

    def _require(self, condition: Expr, breach: Breach, done: str) -> None:
        code = self._code
        breach = replace(breach, span=first_known(breach.span, self._scene.span))
        on, bad = code.label(), code.label()
        x = self.expressions(breach.span, done)
        code.branch(x.truth(condition), on, bad)
        code.start(bad)
        self._sink.fail((breach,), "0", done)
        code.start(on)

    def _jump(self, target: int, done: str) -> None:
        scene = self._scene
        cells = (
            (scene.system.location_cells[scene.thread], target),
            *scene.system.resets[scene.thread][target],
        )
        self._words.write_constants([(scene.layout.fields[cell], value) for cell, value in cells])
        self._sink.arrive(target, done)

    def _choose(self, effect: Choose, done: str) -> str:
        """Begin the loop over the values; return the label of its next round."""
        code = self._code
        span = first_known(effect.span, self._scene.span)
        x = self.expressions(span, done)
        place = x.place(effect.target)
        number = code.slot()
        if place.number:
            code.set(number, place.number)
        saved = self._save()
        value, head, following, inside = code.slot(), code.label(), code.label(), code.label()
        code.set(value, effect.low)
        code.start(head)
        code.branch(code.compare("sle", code.get(value), effect.high), inside, done)

        def write() -> None:
            code.start(following)
            code.set(value, code.add(code.get(value), 1))
            self._restore(saved)
            code.jump(head)

        code.later(write)
        code.start(inside)
        x.write(replace(place, number=code.get(number)) if place.number else place, code.get(value))
        self._sink.decide(code.sub(code.get(value), effect.low), effect.high - effect.low + 1)
        if effect.where != TRUE:
            on = code.label()
            allowed = self.expressions(span, following).truth(effect.where)
            code.branch(allowed, on, following)
            code.start(on)
        return following
