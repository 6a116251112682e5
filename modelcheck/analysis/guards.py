"""Under which locks each shared variable is accessed, and what follows from it (SEMANTICS H4, C20).

A pure function of the local views that occur and of what the statements there access: nothing is searched. Lines are
counted, not states. A `guarded_by` that all accesses keep anyway is proposed where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from modelcheck.analysis.finding import Finding, instance_name, listed
from modelcheck.language.model import Access, Assign, Model, Variable, refs, walk_effects
from modelcheck.locks import PRIMITIVES
from modelcheck.semantics.expressions import Undefined
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import Held, LocalView
from modelcheck.source import NOWHERE, Span

SAME, UNKNOWN = "same index", "?"


@dataclass(frozen=True)
class Use:
    """A lock set, and the accesses under which it was seen: one kind of access, their places, by which threads.

    `locks` are shown as in the language, `:mode` behind those that have several; `[same index]` is the instance of the
    accessed element. `unmarked` tells whether some access is not marked.
    """

    locks: tuple[str, ...]
    writes: bool
    places: tuple[Span, ...]
    threads: frozenset[str]
    unmarked: bool


@dataclass(frozen=True)
class Guards:
    """A shared variable with the lock sets seen at its accesses; `ruled`: it has a rule, or is marked."""

    name: str
    span: Span
    ruled: bool
    uses: tuple[Use, ...]


@dataclass(frozen=True)
class Note:
    """Something that a reader may want to know; it never counts against the model."""

    message: str
    span: Span = field(default=NOWHERE, compare=False)


# --- the table -----------------------------------------------------------------------------------


def guards(interpreter: Interpreter, views: Iterable[LocalView]) -> tuple[Guards, ...]:
    """Return the table, in the order of the variables; without those that nobody accesses."""
    found: dict[tuple[Variable, bool, tuple[str, ...]], list[tuple[Span, str, bool]]] = {}
    threads = interpreter.system.model.threads
    for view in views:
        location = threads[view.thread].locations[view.location]
        for access in location.accesses:
            if not access.unguarded:
                locks = shown_locks(interpreter, access, view.held, view)
                span = location.span if access.span is NOWHERE else access.span
                use = (span, threads[view.thread].name, not access.marked)
                found.setdefault((access.ref.var, access.writes, locks), []).append(use)
    return tuple(
        Guards(variable.name, variable.span, variable.marked is not None or bool(variable.guards), uses)
        for variable in interpreter.system.model.variables
        if (uses := tuple(_uses(found, variable)))
    )


def _uses(
    found: Mapping[tuple[Variable, bool, tuple[str, ...]], list[tuple[Span, str, bool]]], variable: Variable
) -> Iterator[Use]:
    mine = [key for key in found if key[0] is variable]
    for key in sorted(mine, key=lambda key: (not key[1], -_lines(found[key]), key[2])):
        places = sorted({span for span, _, _ in found[key]}, key=lambda s: (s.source.name, s.start))
        by = frozenset(thread for _, thread, _ in found[key])
        yield Use(key[2], key[1], tuple(places), by, any(unmarked for _, _, unmarked in found[key]))


def _lines(uses: list[tuple[Span, str, bool]]) -> int:
    return len({str(span) for span, _, _ in uses})


def shown_locks(
    interpreter: Interpreter, access: Access, held: tuple[Held, ...], view: LocalView
) -> tuple[str, ...]:
    """Return the locks held at an access, as the table shows them."""
    element = _element(interpreter, access, view)
    locks = {lock.name: lock for lock in interpreter.system.model.locks}
    shown = dict[str, None]()
    for each in held:
        lock = locks[each.lock]
        several = len(PRIMITIVES[lock.kind].modes) > 1
        name = instance_name(lock, each.index)
        if lock.dimensions and lock.dimensions == access.ref.var.dimensions:
            if element is None:
                name = f"{lock.name}[{UNKNOWN}]"
            elif element == each.index:
                name = f"{lock.name}[{SAME}]"
        shown[f"{name}:{each.mode}" if several else name] = None
    return tuple(shown)


def _element(interpreter: Interpreter, access: Access, view: LocalView) -> tuple[int, ...] | None:
    """Return the index values of the accessed element; None where they are not the thread's own to know."""
    index = access.ref.index
    if access.anywhere or any(ref.var.kind != "local" for each in index for ref in refs(each)):
        return None
    cells = list(interpreter.system.declared)
    for cell, value in view.locals:
        cells[cell] = value
    try:
        return tuple(interpreter.value(each, tuple(cells)) for each in index)
    except Undefined:
        return None


def told(uses: Iterable[Use], here: tuple[bool, tuple[str, ...]] | None = None) -> str:
    """Return the table of a variable in a sentence; `here` is the kind of access and the locks of a violation."""
    kinds = {True: list[str](), False: list[str]()}
    for use in uses:
        mark = ", here" if here == (use.writes, use.locks) else ""
        number = len({str(place) for place in use.places})
        times = {1: "once", 2: "twice"}.get(number, f"{number} times")
        kinds[use.writes].append(f"under {{{', '.join(use.locks)}}} {times}{mark}")
    parts = [
        f"{word} {', '.join(kinds[key])}" for key, word in ((True, "written"), (False, "read")) if kinds[key]
    ]
    return "; ".join(parts)


def with_guards(interpreter: Interpreter, table: tuple[Guards, ...], finding: Finding) -> Finding:
    """Add to a violation of guarded_by the lock sets that were seen at the variable's accesses."""
    if finding.check != "guarded_by" or finding.trace is None or not finding.members:
        return finding
    name, place = finding.cause[1:3]
    (thread,) = finding.members
    view = interpreter.local_view(finding.trace.last, thread)
    accesses = interpreter.location(finding.trace.last, thread).accesses
    mine = next((a for a in accesses if a.ref.var.name == name and str(a.span) == place), None)
    here = None if mine is None else (mine.writes, shown_locks(interpreter, mine, view.held, view))
    lines = tuple(f"`{name}` is {told(each.uses, here)}" for each in table if each.name == name)
    return replace(finding, details=(*finding.details, *lines))


# --- what follows from it ------------------------------------------------------------------------


def proposals(tables: Iterable[tuple[Guards, ...]]) -> tuple[Note, ...]:
    """Return a note for each variable whose accesses keep, in all these scenarios, a rule that it does not have."""
    joined: dict[tuple[str, Span], list[Use]] = {}
    for table in tables:
        for each in table:
            if not each.ruled:
                joined.setdefault((each.name, each.span), []).extend(each.uses)
    notes = (_proposal(name, span, uses) for (name, span), uses in joined.items())
    return tuple(note for note in notes if note is not None)


def _proposal(name: str, span: Span, uses: list[Use]) -> Note | None:
    writes = [use for use in uses if use.writes]
    if not writes or len(frozenset[str]().union(*(use.threads for use in uses))) < 2:
        return None
    everywhere, at_writes = _common(uses), _common(writes)
    if everywhere:
        rule = _rule("guarded_by", everywhere[0])
        return Note(
            f"`{name}`: every access holds {listed(everywhere)}: say {rule} where it is declared", span
        )
    if at_writes:
        rule = _rule("write_guarded_by", at_writes[0])
        unmarked = any(use.unmarked for use in uses if not use.writes)
        and_so = ", and mark its reads" if unmarked else ""
        return Note(
            f"`{name}`: every write holds {listed(at_writes)}: say {rule} where it is declared{and_so}", span
        )
    return None


_KEEP_NOBODY_OUT = frozenset(kind.domain for kind in PRIMITIVES.values() if not kind.ordered)
"""What a thread can be said to hold, such as interrupts_off, that is no lock."""


def _common(uses: list[Use]) -> list[str]:
    """Return the locks of all these accesses, held for writing at each write."""
    kept = [
        {_plain(lock) for lock in use.locks if not use.writes or not lock.endswith(":read")} for use in uses
    ]
    common = set.intersection(*kept)
    ordered = dict.fromkeys(_plain(lock) for use in uses for lock in use.locks)
    return [
        lock
        for lock in ordered
        if lock in common and lock not in _KEEP_NOBODY_OUT and not lock.endswith(f"[{UNKNOWN}]")
    ]


def _plain(lock: str) -> str:
    return lock.partition(":")[0]


def _rule(kind: str, lock: str) -> str:
    return f"`{kind} {lock.replace(f'[{SAME}]', '[i]')}`" + (" with its index as i" if SAME in lock else "")


def only_read(model: Model) -> tuple[Note, ...]:
    """Return a note for each lock that some thread of the model takes for reading, and none for writing (C20)."""
    modes: dict[str, set[str]] = {}
    for thread in model.threads:
        for location in thread.locations:
            if location.verb is not None and location.verb.action in ("acquire", "announce", "try"):
                modes.setdefault(location.verb.at.lock.name, set()).add(location.verb.mode)
            elif location.verb is None:  # an atomic block may try
                written = {e.target.var for e in walk_effects(location.effects) if isinstance(e, Assign)}
                for lock in model.locks:
                    if not written.isdisjoint(lock.fields.values()):
                        modes.setdefault(lock.name, set()).add("write")
    return tuple(
        Note(f"no thread of this scenario takes {lock.name} for writing: its readers never wait", lock.span)
        for lock in model.locks
        if modes.get(lock.name) == {"read"} and "write" in PRIMITIVES[lock.kind].modes
    )
