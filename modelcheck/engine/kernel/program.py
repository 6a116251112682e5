"""The whole program for one system and its questions: IR text, what its numbers mean, and the loaded code."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelcheck.engine.kernel.compiling import Library, linked, load
from modelcheck.engine.kernel.context import ENTRIES_OF_A_BATCH, SLOTS, Slot
from modelcheck.engine.kernel.endings import ending_functions
from modelcheck.engine.kernel.joint_search import joint_search
from modelcheck.engine.kernel.refilling import rehash, resized
from modelcheck.engine.kernel.search import Shape, search
from modelcheck.engine.kernel.sets import (
    LOGGED_KNOTS,
    LOGGED_TIME_OUTS,
    SetKind,
    adder,
    counting_adder,
    note,
    rebuild,
)
from modelcheck.engine.kernel.shared import barrier
from modelcheck.engine.kernel.shortest import NAMES, trace_functions
from modelcheck.engine.kernel.visited import absorb, find
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.layout import Layout, layout
from modelcheck.semantics.native_registry import MOST_THREADS, Registry, StuckNote, UnableNote
from modelcheck.semantics.native_seen import conditions_of, most_notes, seeing_functions
from modelcheck.semantics.native_steps import Writing, most_successors, successor_functions
from modelcheck.semantics.native_waiting import LOCATION_BITS, key_words, place_functions, waiting_functions
from modelcheck.semantics.questions import (
    CannotFinish,
    CircularWaits,
    Crossings,
    LocalViews,
    Occurrences,
    Question,
    StatePredicate,
    StepPredicate,
    StuckForEver,
    TimeOutWaits,
)
from modelcheck.semantics.transition_system import TransitionSystem

MOST_WORDS = 32
MOST_SUCCESSORS = 1 << 20
MOST_FLAGS = 1 << 24
STATES_OF_A_BATCH = 1024

Function = Callable[..., int]


@dataclass(frozen=True)
class Text:
    """A program as text, and what one needs to know to run it.

    `most`: what one new state and one expanded state add at most to each set; `most_logged`: the same of the log, where
    it is one successor and one expanded state.
    """

    text: str
    names: dict[str, int]
    layout: Layout
    registry: Registry
    shape: Shape
    locations: int
    endings: bool
    successors: int
    most: tuple[tuple[int, int], ...]
    most_logged: tuple[int, int]
    stuck_notes: tuple[int, ...]
    unable_note: int

    @property
    def buffer(self) -> int:
        """How many successors the buffer of a batch must hold."""
        return ENTRIES_OF_A_BATCH + self.successors

    def rooms(self, successors: int, states: int) -> tuple[int, ...]:
        """Return the most that a batch adds to each set, with so many successors of so many states."""
        return tuple(successors * new + states * expanded for new, expanded in self.most)

    def log_room(self, successors: int, states: int) -> int:
        """Return the same for the log."""
        of_successor, of_state = self.most_logged
        return successors * of_successor + states * of_state


def refusal(system: TransitionSystem) -> str:
    """Return why there is no native program for a system; "" if there is one."""
    threads = system.model.threads
    if not threads:
        return "it has no threads"
    if len(threads) > MOST_THREADS:
        return f"it has {len(threads)} threads, and {MOST_THREADS} at most are supported"
    if any(len(thread.locations) >= 1 << LOCATION_BITS for thread in threads):
        return "a thread has too many locations"
    if any(cell.high - cell.low >= 1 << 63 for cell in system.cells):
        return "a variable has too many values"
    return ""


def program_text(interpreter: Interpreter, questions: Sequence[Question]) -> Text:
    """Return the program for a system and what is asked of it."""
    kinds = {type(question) for question in questions}
    registry = Registry()
    place = layout(interpreter.system)
    occurrences = Occurrences in kinds
    of_steps = any(each.mentions is not None for each in conditions_of(questions))
    judges = StepPredicate in kinds or of_steps
    writing = Writing(interpreter, place, registry, Crossings in kinds, judges, occurrences)
    endings = not kinds.isdisjoint({StuckForEver, CannotFinish})
    knots, time_outs = endings or CircularWaits in kinds, TimeOutWaits in kinds
    threads = len(writing.threads)
    sets = {
        "views": SetKind("views", Slot.VIEWS, 1 + place.words + writing.held_words, 1),
        "crossings": SetKind("crossings", Slot.CROSSINGS, 1 + writing.held_words, 1),
        "knots": SetKind("knots", Slot.KNOTS, key_words(writing), 2, LOGGED_KNOTS),
        "time_outs": SetKind(
            "time_outs", Slot.TIME_OUTS, key_words(writing, time_outs=True), 2, LOGGED_TIME_OUTS
        ),
    }
    wanted = {
        "views": LocalViews in kinds,
        "crossings": Crossings in kinds,
        "knots": knots,
        "time_outs": time_outs,
    }
    used = tuple(kind for name, kind in sets.items() if wanted[name])
    locations = sum(len(thread.locations) for thread in writing.threads)
    successors = most_successors(writing)
    states = max(1, min(STATES_OF_A_BATCH, MOST_SUCCESSORS // (successors + 1)))
    parts = successor_functions(writing)
    parts += seeing_functions(writing, questions)
    sees = LocalViews in kinds or StatePredicate in kinds or registry.conditions > 0
    shape = Shape(place.words, threads, used, knots, time_outs, occurrences, sees, states)
    parts += [search(shape), absorb(place.words, sees=sees), find(place.words), note()]
    parts += [
        rehash(place.words),
        *(resized(place.words, larger=each) for each in (True, False)),
        barrier(),
        *joint_search(shape),
    ]
    parts += [adder(kind) if kind.logged is None else counting_adder(kind) for kind in used]
    parts += [rebuild(kind) for kind in used]
    if knots or time_outs:
        parts += waiting_functions(writing, time_outs=time_outs)
    if occurrences:
        parts += place_functions(writing)
    stuck_notes, unable_note = _notes_of_losses(writing) if endings else ((), 0)
    if endings:
        parts += ending_functions(writing, shape, stuck_notes, unable_note)
    parts += trace_functions(shape)
    per_state, per_step = most_notes(questions)
    most = {
        "views": (threads, 0),
        "crossings": (registry.most_crossings, 0),
        "knots": (0, 1),
        "time_outs": (0, 1),
    }
    return Text(
        text=_module(registry, parts, locations),
        names=_names(shape, endings=endings),
        layout=place,
        registry=registry,
        shape=shape,
        locations=locations,
        endings=endings,
        successors=successors,
        most=tuple(most[kind.name] for kind in used),
        most_logged=(per_state + per_step, successors + 2),
        stuck_notes=stuck_notes,
        unable_note=unable_note,
    )


def _notes_of_losses(writing: Writing) -> tuple[tuple[int, ...], int]:
    """Give numbers to the notes of who is stuck at which location, and of who cannot finish."""
    registry = writing.registry
    first = tuple(
        registry.note(
            StuckNote(thread.number, place.number, interrupted)
            for interrupted in (False, True)[: 1 + bool(thread.interrupted_by)]
            for place in thread.locations
        )
        for thread in writing.threads
    )
    return first, registry.note(UnableNote(thread.number) for thread in writing.threads)


def _module(registry: Registry, parts: list[str], locations: int) -> str:
    notes = max(len(registry.notes), 1)
    head = [
        f"@g = global [{SLOTS} x i64] zeroinitializer",
        "@fault = global i64 0",
        f"@counts = global [{max(len(registry.counts), 1)} x i64] zeroinitializer",
        f"@note_counts = global [{notes} x i64] zeroinitializer",
        f"@note_levels = global [{notes} x i64] zeroinitializer",
        f"@outcomes = global [{max(registry.flags, 1)} x i8] zeroinitializer",
        f"@true = global [{max(registry.conditions, 1)} x i8] zeroinitializer",
        f"@waited = global [{max(locations, 1)} x i8] zeroinitializer",
        "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)",
        "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
        "declare i64 @llvm.cttz.i64(i64, i1)",
    ]
    return "\n".join([*head, *parts]) + "\n"


def _names(shape: Shape, *, endings: bool) -> dict[str, int]:
    """Return the public functions with the number of their parameters."""
    names = {
        "search": 0,
        "search_jointly": 0,
        "absorb": 1,
        "rehash": 2,
        "enlarge": 3,
        "shrink": 3,
        "find": 1,
    } | NAMES
    names |= {f"{kind.name}_rebuild": 0 for kind in shape.sets}
    if endings:
        names |= {"leads": 4, "settle": 2, "unsettled": 2}
        names |= {"sweep": 4, "sweep_stuck": 4, "losses": 2, "note_losses": 2}
    return names


@dataclass(frozen=True)
class Program:
    """Loaded code: its functions, and the arrays that it shares with Python."""

    text: Text
    functions: dict[str, Function]
    g: ctypes.Array[ctypes.c_uint64]
    fault: ctypes.Array[ctypes.c_uint64]
    counts: ctypes.Array[ctypes.c_uint64]
    note_counts: ctypes.Array[ctypes.c_uint64]
    note_levels: ctypes.Array[ctypes.c_uint64]
    library: Library

    def flags(self, name: str, count: int) -> bytes:
        """Return so many flags: `outcomes`, `true` or `waited`."""
        return ctypes.string_at(self.library.addresses[name], count)

    def run(self, name: str, *arguments: int) -> int:
        """Call a function; a fault in it is our mistake."""
        result = self.functions[name](*arguments)
        assert not self.fault[0], f"@{name}: an expression without a value, or a state that was not stored"
        return int(result)


def loaded(text: Text) -> Program:
    """Return the program, compiled and loaded."""
    return _program(text, load(text.text, (*text.names, *_arrays(text), "outcomes", "true", "waited")))


def again(program: Program) -> Program:
    """Return another copy of a program, which shares nothing with it."""
    return _program(program.text, linked(program.library.code, tuple(program.library.addresses)))


def _arrays(text: Text) -> dict[str, int]:
    """Return the global arrays with their sizes."""
    return {
        "g": SLOTS,
        "fault": 1,
        "counts": max(len(text.registry.counts), 1),
        "note_counts": max(len(text.registry.notes), 1),
        "note_levels": max(len(text.registry.notes), 1),
    }


def _program(text: Text, library: Library) -> Program:
    arrays = _arrays(text)
    functions = {name: library.function(name, parameters) for name, parameters in text.names.items()}
    return Program(
        text, functions, **{name: library.array(name, n) for name, n in arrays.items()}, library=library
    )
