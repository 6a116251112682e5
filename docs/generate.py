#!/usr/bin/env python3
"""Write the pages of docs/reference that are tables of the program: `python docs/generate.py`.

A test asserts that the pages are current (tests/test_reference.py).
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from modelcheck.diagnostics import CHECKS, CODES
from modelcheck.explanations import EXPLANATIONS, Place, sections
from modelcheck.language.operators import BINARY, CONDITIONAL, UNARY, Family

FOLDER = Path(__file__).parent / "reference"
HEAD = "<!-- Written by docs/generate.py. -->\n"

INTRODUCTION = """\
Every error, warning and finding has a code. `modelcheck explain CODE` tells of one, with a text that has the mistake
or a trace that shows what was found."""

FAMILIES: dict[Family, str] = {
    "logic": "bools and Errno; evaluated from left to right, stops early",
    "equality": "any two values of one type",
    "order": "numbers, enums in the order of their declaration; `<=` and `>=` also sets (inclusion)",
    "membership": "an element and a set",
    "bits": "numbers that are not negative, and sets of one type",
    "shift": "numbers that are not negative",
    "sum": "numbers; `-` also sets (difference)",
    "product": "numbers; `/` and `%` truncate towards zero as in C",
}


def pages() -> dict[str, str]:
    """Return the text of each generated page by its file name."""
    return {"codes.md": codes(), "operators.md": operators()}


def codes() -> str:
    """Return the page of the codes of diagnostics."""
    parts = [
        "# Codes\n",
        HEAD,
        f"{INTRODUCTION}\n",
    ]
    names = {code: name for name, code in CHECKS.items()}
    for title, note, within in sections():
        with_names = any(code in names for code in within)
        parts.append(f"## {title}\n")
        if note:
            parts.append(f"{note}\n")
        rows = ["| code | what | advice |" + (" name |" if with_names else "")]
        rows.append("|---|---|---|" + ("---|" if with_names else ""))
        for code in within:
            name = f" `{names[code]}` |" if code in names else ""
            rows.append(f"| {code} | {cell(CODES[code].title)} | {cell(CODES[code].advice)} |{name}")
        parts.append("\n".join(rows) + "\n")
    return "\n".join([*parts, "## The checks one by one\n", *map(at_length, EXPLANATIONS)])


def at_length(code: str) -> str:
    """Return the explanation of a check."""
    each = EXPLANATIONS[code]
    shown = [place(each.lesson), *(f"{place(other)} ({what})" for other, what in each.others)]
    parts = [
        f"- Reported: {each.reported}",
        f"- Not reported: {each.silent}",
        f"- What to do: {each.advice}",
        f"- To be seen in {'; '.join(shown)}.",
    ]
    items = [textwrap.fill(part, 120, subsequent_indent="  ", break_on_hyphens=False) for part in parts]
    idea = textwrap.fill(each.idea, 120, break_on_hyphens=False)
    return "\n".join([f"### {code}: {CODES[code].title}\n", f"{idea}\n", *items, ""])


def place(where: Place) -> str:
    """Return a specification and its scenario."""
    return f"`specs/{where.specification}.mck`" + (f", `{where.scenario}`" if where.scenario else "")


def operators() -> str:
    """Return the page of the operators, weakest first."""
    rows = ["| binds | operators | for | groups |", "|---|---|---|---|"]
    levels = sorted({each.binding for each in BINARY.values()} | {CONDITIONAL, UNARY})
    for level in levels:
        here = [each for each in BINARY.values() if each.binding == level]
        if level == CONDITIONAL:
            symbols, use, side = "`c ? a : b`", "a condition and two values of one type", "right"
        elif level == UNARY:
            symbols, side = "`!` `-` `~` `&`", "right"
            use = "`!` conditions, `-` numbers and errors (`-EBUSY`), `&` a lock as argument; `~` is refused"
        else:
            symbols = " ".join(f"`{each.symbol}`" for each in here)
            use = "; ".join(dict.fromkeys(FAMILIES[each.family] for each in here))
            side = "right" if any(each.right for each in here) else "left"
        rows.append(f"| {level} | {cell(symbols)} | {cell(use)} | {side} |")
    text = (
        "From the weakest to the strongest: C's order, with `implies` below all and `in` beside the comparisons. "
        "`a..b` of a range binds weaker than `+`.\n"
    )
    refused = (
        "Comparisons cannot be chained (MC022). `&`, `|` and `^` beside a comparison need parentheses (MC023), "
        "because C reads `a & b == c` as `a & (b == c)`. Nothing is converted between bool and number (MC020); "
        "an Errno is a condition, true if it is an error.\n"
    )
    return "\n".join(["# Operators\n", HEAD, text, "\n".join(rows) + "\n", refused])


def cell(text: str) -> str:
    """Return text as it can stand in a cell of a table."""
    return text.replace("|", r"\|")


def write() -> None:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
