"""What shows at a state or a step, as LLVM IR: predicates and local views (the meaning is engine/collecting.py's).

`@found(state, number, aux)` runs at each new state: it notes the predicates that are true or undefined there, and
adds the mover's local view. `@judge(state, after, aux)` runs at each step and notes the step predicates that it breaks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from modelcheck.language.model import At, Enabled, Ref
from modelcheck.semantics.native_code import Code, Operand
from modelcheck.semantics.native_expressions import Expressions
from modelcheck.semantics.native_registry import MOVER_BITS, NOBODY, PredicateNote
from modelcheck.semantics.native_steps import Writing
from modelcheck.semantics.native_words import Words
from modelcheck.semantics.questions import (
    Condition,
    LocalViews,
    Occurrences,
    Question,
    StatePredicate,
    StepPredicate,
)
from modelcheck.semantics.transition_system import cells_mentioned

Numbered = Sequence[tuple[int, Condition]]


def seeing_functions(writing: Writing, questions: Sequence[Question]) -> list[str]:
    """Return `@found` and `@judge`."""
    views = any(isinstance(question, LocalViews) for question in questions)
    asked = [question for question in questions if isinstance(question, StatePredicate)]
    about_steps = [question for question in questions if isinstance(question, StepPredicate)]
    conditions = list(enumerate(conditions_of(questions)))
    writing.registry.conditions = len(conditions)
    of_states = [(n, each) for n, each in conditions if each.mentions is None]
    of_steps = [(n, each) for n, each in conditions if each.mentions is not None]
    texts = [_view(writing, thread.number) for thread in writing.threads] if views else []
    return [*texts, _found(writing, asked, of_states, views=views), _judge(writing, about_steps, of_steps)]


def conditions_of(questions: Sequence[Question]) -> tuple[Condition, ...]:
    """Return the conditions that are asked for."""
    return next((question.conditions for question in questions if isinstance(question, Occurrences)), ())


def most_notes(questions: Sequence[Question]) -> tuple[int, int]:
    """Return bounds on the notes that one state makes, and that one step makes."""
    asked = [question for question in questions if isinstance(question, StatePredicate)]
    somewhere: dict[tuple[int, int], int] = defaultdict(int)
    for each in asked:
        if each.thread is not None and each.location is not None:
            somewhere[each.thread, each.location] += 1
    most: dict[int, int] = {}
    for (thread, _), number in somewhere.items():
        most[thread] = max(number, most.get(thread, 0))
    everywhere = sum(each.thread is None or each.location is None for each in asked)
    return everywhere + sum(most.values()), sum(isinstance(q, StepPredicate) for q in questions)


def _found(writing: Writing, asked: list[StatePredicate], conditions: Numbered, *, views: bool) -> str:
    code = Code("found", "ptr %s, i64 %number, i64 %aux", "void")
    words = Words.at(code, "%s", writing.layout.words)
    somewhere: defaultdict[int, defaultdict[int, list[StatePredicate]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for each in asked:
        if each.thread is None or each.location is None:
            _look(writing, code, words, each)
        else:
            somewhere[each.thread][each.location].append(each)
    for thread, places in somewhere.items():
        labels, end = {place: code.label() for place in places}, code.label()
        code.switch(writing.location(words, thread), labels, end)
        for place, label in labels.items():
            code.start(label)
            for each in places[place]:
                _look(writing, code, words, each)
            code.jump(end)
        code.start(end)
    for number, condition in conditions:

        def write(unknown: str, condition: Condition = condition) -> Operand:
            return writing.expressions(code, words, _to(unknown)).truth(condition.expr)

        _until_true(code, number, write)
    if views:
        _add_views(writing, code)
    code.ret(None)
    return code.text()


def _until_true(code: Code, number: int, write: Callable[[str], Operand]) -> None:
    """Write a condition, which is looked at until it was true once; where it is undefined it is not true."""
    flag, on, end = code.at("@true", number, "i8"), code.label(), code.label()
    code.branch(code.op(f"icmp eq i8 {code.get(flag, 'i8')}, 0"), on, end)
    code.start(on)
    with code.when(write(end)):
        code.set(flag, 1, "i8")
    code.start(end)


def _look(writing: Writing, code: Code, words: Words, predicate: StatePredicate) -> None:
    """Write one predicate of the state."""
    first = writing.registry.note(PredicateNote(predicate, undefined) for undefined in (False, True))
    shows, unknown, end = code.label(), code.label(), code.label()
    x = writing.expressions(code, words, lambda _reason: unknown)
    code.branch(x.truth(predicate.expr), shows, end)
    for label, number in ((shows, first), (unknown, first + 1)):
        code.start(label)
        code.do(f"call void @note(i64 {number}, i64 %number, i64 %aux)")
        code.jump(end)
    code.start(end)


def _add_views(writing: Writing, code: Code) -> None:
    threads = writing.threads
    arguments = "ptr %s, i64 %number, i64 %aux"
    every, end = code.label(), code.label()
    if any(lock.handover for lock in writing.system.model.locks):
        code.jump(every)
    else:
        labels = {thread.number: code.label() for thread in threads}
        code.switch(code.both("%aux", NOBODY), labels, every)
        for number, label in labels.items():
            code.start(label)
            code.do(f"call void @view_{number}({arguments})")
            code.jump(end)
    code.start(every)
    for thread in threads:
        code.do(f"call void @view_{thread.number}({arguments})")
    code.start(end)


def _view(writing: Writing, thread: int) -> str:
    """Return the function that adds the local view of a thread: itself, its fields, what it holds.

    Locals that are dead have a fixed value, so that the fields are the location and the live locals.
    """
    system, layout = writing.system, writing.layout
    own = [n for n, cell in enumerate(system.cells) if cell.thread == thread]
    masks = [0] * layout.words
    for field in (layout.fields[n] for n in own):
        masks[field.word] |= field.mask << field.shift
    code = Code(f"view_{thread}", "ptr %s, i64 %number, i64 %aux", "void")
    words = Words.at(code, "%s", layout.words)
    key: list[Operand] = [str(thread)]
    key += [code.both(words.word(n), mask) if mask else "0" for n, mask in enumerate(masks)]
    key += writing.held(writing.expressions(code, words), thread)
    place = code.slot(f"[{len(key)} x i64]")
    for n, value in enumerate(key):
        code.set(code.at(place, n), value)
    code.do(f"call void @views_add(ptr {place}, i64 %number)")
    code.ret(None)
    return code.text()


# --- steps ---------------------------------------------------------------------------------------


def _judge(writing: Writing, asked: list[StepPredicate], conditions: Numbered) -> str:
    code = Code("judge", "ptr %s, ptr %t, i64 %aux", "void")
    before = Words.at(code, "%s", writing.layout.words)
    after = Words.at(code, "%t", writing.layout.words)
    mover = code.add(code.both("%aux", NOBODY), 1)
    number = code.sub(code.right("%aux", MOVER_BITS), 1)
    for predicate in asked:
        end = code.label()
        _if_it_changes(writing, code, (before, after), predicate.mentions, end)
        _if_it_speaks(writing, code, (before, after), predicate, end)
        first = writing.registry.note(PredicateNote(predicate, undefined) for undefined in (False, True))
        broken, unknown = code.label(), code.label()
        x = Expressions(writing.system, writing.layout, code, before, _to(unknown), after, mover)
        code.branch(x.truth(predicate.expr), end, broken)
        for label, note in ((broken, first), (unknown, first + 1)):
            code.start(label)
            code.do(f"call void @note(i64 {note}, i64 {number}, i64 %aux)")
            code.jump(end)
        code.start(end)
    for n, condition in conditions:
        end = code.label()
        _if_it_changes(writing, code, (before, after), condition.mentions or (), end)

        def write(unknown: str, condition: Condition = condition) -> Operand:
            return Expressions(
                writing.system, writing.layout, code, before, _to(unknown), after, mover
            ).truth(condition.expr)

        _until_true(code, n, write)
        code.start(end)
    code.ret(None)
    return code.text()


def _to(label: str) -> Callable[[str], str]:
    return lambda _reason: label


def _if_it_changes(
    writing: Writing,
    code: Code,
    states: tuple[Words, Words],
    mentions: Sequence[Ref | At | Enabled],
    end: str,
) -> None:
    """Go on only if the step changes a cell that is mentioned."""
    system, layout = writing.system, writing.layout
    masks = [0] * layout.words
    for mention in mentions:
        for cell in cells_mentioned(system, mention):
            field = layout.fields[cell]
            masks[field.word] |= field.mask << field.shift
    before, after = states
    changed: Operand = "0"
    for n, mask in enumerate(masks):
        if mask:
            change = code.op(f"xor i64 {before.word(n)}, {after.word(n)}")
            changed = code.either(changed, code.both(change, mask))
    on = code.label()
    code.branch(code.compare("ne", changed, 0), on, end)
    code.start(on)


def _if_it_speaks(
    writing: Writing, code: Code, states: tuple[Words, Words], predicate: StepPredicate, end: str
) -> None:
    """Go on only if what the predicate mentions has another value after the step (SEMANTICS H7)."""
    speaks = code.label()
    for mention in predicate.mentions:
        _if_changed(writing, code, states, mention, speaks)
    code.jump(end)
    code.start(speaks)


def _if_changed(
    writing: Writing, code: Code, states: tuple[Words, Words], mention: Ref | At | Enabled, changed: str
) -> None:
    """Go to `changed` if the value is another one after the step, or is undefined before or after it."""
    values = []
    for words in states:
        # Within one state `next(x)` is `x`.
        x = Expressions(writing.system, writing.layout, code, words, _to(changed), words)
        values.append(x.value(mention))
    on = code.label()
    code.branch(code.compare("ne", *values), changed, on)
    code.start(on)
