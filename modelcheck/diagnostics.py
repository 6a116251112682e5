"""What is wrong with a specification: one table of codes, one collector, one renderer."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from modelcheck.source import Span


class Severity(Enum):
    """SEMANTICS H14: how much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Code:
    """One row of the table of codes; docs/reference/codes.md is generated from it."""

    title: str
    advice: str


CODES: dict[str, Code] = {
    # The text of a file.
    "MC001": Code("syntax error", "The text does not follow the grammar at this place."),
    "MC002": Code("file cannot be read", "Files are UTF-8 text; check the path and the encoding."),
    "MC003": Code("file too large or too deeply nested", "Split the file, or name parts of the expression."),
    "MC004": Code("import not found", "Paths are relative to the importing file."),
    "MC005": Code("import cycle", "Move what both files need into a third file."),
    "MC006": Code(
        "not available in this version", "The construct is in the language but not yet in the tool."
    ),
    "MC007": Code("file cannot be written", "Check the folder, its permissions and the file's ending."),
    "MC008": Code(
        "lock records or log",
        "Each line is a JSON object: of a log, with names of the specification; of lock records, with a task, "
        "a pid, and a sequence.",
    ),
    "MC009": Code(
        "trace file", "A trace is replayed with the specification and the scenario that it was saved from."
    ),
    # Names.
    "MC010": Code("unknown name", "Nothing of this name is declared where it is used."),
    "MC011": Code("declared twice", "A name has one declaration per scope, and some are the language's own."),
    "MC012": Code("wrong kind of name", "The name is declared, but as something else."),
    # Types and values.
    "MC020": Code(
        "type mismatch", "Both sides must have the same kind of value; nothing is converted silently."
    ),
    "MC021": Code(
        "not a condition", "A condition is a bool, an Errno or the result of a verb; write `!= 0`."
    ),
    "MC022": Code("chained comparison", "Write `a < b && b < c`."),
    "MC023": Code("bit operator beside a comparison", "C binds `&` weaker than `==`: write the parentheses."),
    "MC024": Code("wrong number of arguments", "See the declaration of what is called."),
    "MC025": Code("not a constant", "Only parameters, constants and literals can be used here."),
    "MC026": Code("empty type", "A range needs its lower bound first, and every type a value."),
    "MC027": Code("value outside its type", "The constant is not a value of the declared type."),
    "MC028": Code(
        "number too large", "Expressions must stay within 63 bits, types within what can be enumerated."
    ),
    "MC029": Code(
        "operation not defined for this type", "Enums have order only, scalarsets and Errno equality only."
    ),
    # Calls and locks.
    "MC030": Code(
        "verb of another kind of lock", "Each kind of lock has its own verbs, named as in the kernel."
    ),
    "MC031": Code("call in the middle of an expression", "Assign the result to a local variable first."),
    "MC032": Code("no result", "The op or verb that is used as a value returns nothing."),
    "MC033": Code("result type", "`return` must agree with the result that the op declares."),
    "MC036": Code(
        "contradicting lock orders", "An order names each lock once, and no two contradict each other."
    ),
    # Control flow.
    "MC040": Code("recursion", "Ops are inlined, and constants evaluated: neither may lead back to itself."),
    "MC041": Code("cycle without a step", "A loop needs a statement that takes a step."),
    "MC042": Code("goto together with guard", "Convert all of the op to guards, or none of it."),
    "MC043": Code("label", "A label is declared once in its op or thread; no jump enters a scoped guard."),
    "MC044": Code(
        "not allowed inside atomic", "Atomic holds one leading await, then statements that cannot wait."
    ),
    "MC045": Code("outside a loop", "`break` and `continue` belong to a loop."),
    "MC046": Code("too many locations", "Inlining has multiplied the ops named here."),
    # Properties.
    "MC050": Code("only in a step property", "`next` and `mover` speak of a step, and belong into `step`."),
    "MC051": Code(
        "only in a property", "Locations and other threads' locks can be named in properties only."
    ),
    "MC052": Code("only in thread code", "A property has no current thread."),
    # Scenarios, parameters, imports.
    "MC060": Code("parameter out of range", "Choose a value that the declaration of the parameter admits."),
    "MC061": Code("unknown in this scenario", "Scenarios name parameters, threads, checks and properties."),
    "MC062": Code("nothing to override", "The imported file has nothing of this name and signature."),
    "MC063": Code("set twice", "A scenario's own setting cannot be changed from outside."),
    "MC064": Code("nothing to check", "The file and what it imports declare nothing: is it the right file?"),
    # Warnings about a model.
    "MC070": Code("more than one access to a marked variable", "Split the statement, or say `atomic { }`."),
    # What is checked without being asked (SEMANTICS C19).
    "MC101": Code("deadlock", "Nothing can run any more, and somebody has not finished."),
    "MC102": Code("circular wait", "A set of threads wait for each other."),
    "MC103": Code("stuck for ever", "No continuation lets the thread take a step."),
    "MC104": Code("cannot finish", "The thread may run, but can no longer reach its end."),
    "MC105": Code("lock rules", "A lock was used in a way that the kernel forbids."),
    "MC106": Code("lock order", "Locks are taken in contradictory orders."),
    "MC107": Code("guarded by", "A variable was accessed without the lock that guards it."),
    "MC108": Code("data race", "Two threads access a variable at once, one of them writing, unmarked."),
    "MC109": Code("range", "A value left its declared range, or an expression is undefined."),
    "MC110": Code("assertion", "An assertion does not hold."),
    "MC111": Code("vacuity", "Something in the specification never happens."),
    "MC120": Code("invariant", "A reachable state does not satisfy the property."),
    "MC121": Code("step property", "A reachable step does not satisfy the property."),
    "MC122": Code("not reachable", "No reachable state satisfies what must be reachable."),
}

CHECKS: dict[str, str] = {
    "deadlock": "MC101",
    "circular_wait": "MC102",
    "stuck": "MC103",
    "cannot_finish": "MC104",
    "lock_rules": "MC105",
    "lock_order": "MC106",
    "guarded_by": "MC107",
    "race": "MC108",
    "range": "MC109",
    "assertion": "MC110",
    "vacuity": "MC111",
}


@dataclass(frozen=True)
class Diagnostic:
    """One thing wrong at one place: code, message, where, and what to do about it."""

    code: str
    message: str
    span: Span
    hint: str = ""
    severity: Severity = Severity.ERROR

    def render(self) -> str:
        """Return the text shown to a user: place, message, source line, caret, hint."""
        line, column = self.span.source.place(self.span.start)
        told = f"{self.severity.value} {self.code}: {self.message}"
        if self.span.end == 0:  # nothing in the text is to blame: the file, or how it was called
            hint = [f"      = {self.hint}"] if self.hint else []
            return "\n".join([f"{self.span.source.name}: {told}", *hint])
        parts = [f"{self.span.source.name}:{line}:{column}: {told}"]
        shown = self.span.source.line(line).replace("\t", " ")
        if shown.strip():
            parts += _excerpt(line, shown, column, self.span.end - self.span.start)
        if self.hint:
            parts.append(f"      = {self.hint}")
        return "\n".join(parts)


def _excerpt(line: int, shown: str, column: int, width: int) -> list[str]:
    """Return the source line and a caret under the place; a long line is cut around it."""
    room = 100
    first = max(0, column - 1 - room // 2) if len(shown) > room else 0
    cut = shown[first : first + room]
    caret = max(0, min(column - 1 - first, len(cut)))
    carets = "^" * max(1, min(width, len(cut) - caret))
    return [f"{line:5} | {cut}", f"      | {' ' * caret}{carets}"]


class SpecError(Exception):
    """The specification (or how it was called) is wrong; carries every diagnostic of the phase."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(d.render() for d in self.diagnostics))


@dataclass
class Collector:
    """Gathers the diagnostics of one phase; the phase ends by `raise_errors`.

    A place that is reached several times (an op inlined twice) reports once.
    """

    _seen: dict[tuple[str, str, int, str], Diagnostic] = field(default_factory=dict)

    def error(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Record an error."""
        self._add(Diagnostic(code, message, span, hint))

    def warning(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Record a warning: it does not end the phase."""
        self._add(Diagnostic(code, message, span, hint, Severity.WARNING))

    def _add(self, diagnostic: Diagnostic) -> None:
        assert diagnostic.code in CODES, diagnostic.code
        key = (diagnostic.code, diagnostic.span.source.name, diagnostic.span.start, diagnostic.message)
        self._seen.setdefault(key, diagnostic)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that was recorded, by place."""
        return tuple(sorted(self._seen.values(), key=lambda d: (d.span.source.name, d.span.start, d.code)))

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The recorded errors, by place."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The recorded warnings, by place."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.WARNING)

    def raise_errors(self) -> None:
        """Raise a SpecError if any error was recorded."""
        if self.errors:
            raise SpecError(self.errors)


def near_miss(name: str, candidates: Iterable[str]) -> str:
    """Return a hint that names the most similar candidate, or an empty string."""
    known = sorted(set(candidates))
    close = [each for each in known if each.lower() == name.lower()]
    close = close or difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"did you mean `{close[0]}`?" if close else ""


def counted(number: int, noun: str) -> str:
    """Return `1 argument`, `2 arguments`; a noun in `x` takes `es`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{'es' if noun.endswith('x') else 's'}"


def an(noun: str) -> str:
    """Return the noun with its article, by its first letter: `a mutex`, `an active_ref`."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"
