r"""A mapping: by regular expressions, which records of a foreign log are which events of a specification.

TOML. `format` names the adapter that reads the file; each rule is tried in order on the whole text of a record:

    format = "sysfs"
    hidden = ["device_hotplug_lock"]

    [[thread]]
    match = 'agt(\d)'
    name = 'user[\1]'

    [[rule]]
    match = 'write memory(\d+)/state "(online|offline)"'
    event = 'write_state(\1, \2)'

    [[rule]]
    match = 'memory(\d+)/state=(.*)'
    observe = 'state[\1]'
    value = '\2'

    [[rule]]
    match = 'read .*'
    ignore = true

    [[parameter]]
    match = 'boot-option movable_node'
    name = 'MOVABLE_NODE'
    value = 'true'

A record that no rule matches is unmapped: it is left out, counted and listed. What an adapter knows of a whole run are
its facts; a `parameter` rule that matches one sets a parameter of the specification.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from modelcheck.diagnostics import Collector, near_miss
from modelcheck.logs.log import Item, Log
from modelcheck.source import Source, Span


@dataclass(frozen=True)
class Record:
    """One record of a foreign log: what an adapter made of a line. `observes`: it is a value, seen at this moment."""

    line: int
    thread: str
    text: str
    observes: bool = False


@dataclass(frozen=True)
class Records:
    """Records that belong together: one run of the system. `total`: they are in the order of time.

    `left_out`: how many rows before or in it the adapter could make nothing of.
    """

    name: str
    records: tuple[Record, ...]
    total: bool = True
    facts: tuple[str, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class Rule:
    """What to do with a record: events, an observed value, or (neither) nothing."""

    match: re.Pattern[str]
    events: tuple[str, ...] = ()
    observe: str = ""
    value: str = ""


@dataclass(frozen=True)
class Mapping:
    """A mapping as it was read."""

    format: str
    rules: tuple[Rule, ...]
    threads: tuple[Rule, ...] = ()
    hidden: frozenset[str] = frozenset()
    hidden_at: Span | None = None
    parameters: tuple[Rule, ...] = ()


KEYS = {"format", "hidden", "parameter", "thread", "rule"}
TABLES: dict[str, dict[str, str]] = {
    "rule": {"match": "text", "event": "texts", "observe": "text", "value": "text", "ignore": "truth"},
    "thread": {"match": "text", "name": "text"},
    "parameter": {"match": "text", "name": "text", "value": "text"},
}
"""The keys of each kind of table, and what stands behind them."""

WORDS = {"text": "a text", "texts": "a text, or a list of texts", "truth": "true or false"}


def read_mapping(source: Source) -> Mapping:
    """Return the mapping in a file. Raises SpecError (MC008) for what is wrong with it."""
    problems = Collector()
    whole = Span(source, 0, 0)
    try:
        data = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problems.error("MC008", whole, f"this is not TOML: {error}")
        problems.raise_errors()
        raise AssertionError from error
    for key in sorted(data.keys() - KEYS):
        problems.error("MC008", whole, f"a mapping has no `{key}`", near_miss(key, KEYS))
    hidden = data.get("hidden", [])
    if not isinstance(hidden, list) or not all(isinstance(each, str) for each in hidden):
        problems.error("MC008", whole, "`hidden` is not a list of names")
        hidden = []
    tables = {kind: tuple(_rules(problems, source, kind, data.get(kind, []))) for kind in TABLES}
    problems.raise_errors()
    return Mapping(
        format=str(data.get("format", "")),
        rules=tables["rule"],
        threads=tables["thread"],
        hidden=frozenset(hidden),
        hidden_at=_place(source, "hidden"),
        parameters=tables["parameter"],
    )


def _rules(problems: Collector, source: Source, kind: str, rows: object) -> Iterator[Rule]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problems.error("MC008", Span(source, 0, 0), f"`{kind}` is no list of tables", f"write [[{kind}]]")
        return
    for number, row in enumerate(rows, 1):
        name = f"{kind} {number}"
        span = _place(source, str(row.get("match", "")))
        said = list(_wrong_keys(kind, row))
        if not said:
            rule = _rule(row)
            if isinstance(rule, Rule):
                yield rule
                continue
            said = [(rule, "")]
        for problem, hint in said:
            problems.error("MC008", span, f"{name} {problem}", hint)


def _wrong_keys(kind: str, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the keys of a table, and their types, with hints."""
    for key, value in row.items():
        if key not in TABLES[kind]:
            yield f"has `{key}`", near_miss(key, TABLES[kind])
        elif not _is(TABLES[kind][key], value):
            yield f"has `{key}` of another type", f"it is {WORDS[TABLES[kind][key]]}"
    if "match" not in row:
        yield "has no `match`", ""
    if kind == "rule" and sum((bool(row.get("event")), "observe" in row, row.get("ignore") is True)) != 1:
        yield "says nothing, or several things", "event, observe or ignore = true"
    for key in TABLES[kind] if kind != "rule" else ("observe", "value") if "observe" in row else ():
        if not row.get(key) and (key != "value" or key not in row) and key != "match":
            yield f"has no `{key}`", ""


def _is(kind: str, value: object) -> bool:
    match kind:
        case "texts" if isinstance(value, list):
            return all(isinstance(each, str) for each in value)
        case "truth":
            return isinstance(value, bool)
        case _:
            return isinstance(value, str)


def _rule(row: dict[str, Any]) -> Rule | str:
    """Return the rule in a table whose keys are right, or what is wrong with its expressions."""
    try:
        pattern = re.compile(row["match"], re.DOTALL)
    except re.error as error:
        return f"is no regular expression: {error}"
    event = row.get("event", row.get("name", []))
    rule = Rule(
        pattern,
        (event,) if isinstance(event, str) else tuple(event),
        row.get("observe", ""),
        row.get("value", ""),
    )
    for text in (*rule.events, rule.observe, rule.value):
        try:
            pattern.sub(text, "")  # reads the text, though nothing matches
        except (re.error, IndexError) as error:
            return f"has `{text}`, which `match` does not explain: {error}"
    return rule


def _place(source: Source, text: str) -> Span:
    start = source.text.find(text) if text else -1
    return Span(source, max(start, 0), max(start, 0) + (len(text) if start >= 0 else 0))


def mapped(mapping: Mapping, source: Source, runs: Iterable[Records]) -> tuple[Log, ...]:
    """Return the logs that the mapping makes of the records."""
    return tuple(_log(mapping, source, run) for run in runs)


def _log(mapping: Mapping, source: Source, run: Records) -> Log:
    items: list[Item] = []
    unmapped: Counter[str] = Counter()
    ignored = 0
    for record in run.records:
        found = _first(mapping.rules, record.text)
        if found is None:
            unmapped[record.text] += 1
            continue
        rule, match = found
        thread = _thread(mapping, record.thread)
        if rule.observe:
            value = (match.expand(rule.observe), match.expand(rule.value))
            if items and items[-1].values and (items[-1].line, items[-1].thread) == (record.line, thread):
                items[-1] = Item(record.line, thread, "", (*items[-1].values, value))
            else:
                items.append(Item(record.line, thread, "", (value,)))
        items += (Item(record.line, thread, match.expand(event)) for event in rule.events)
        ignored += not rule.observe and not rule.events
    return Log(
        name=run.name,
        source=source,
        items=tuple(items),
        total=run.total,
        hidden=mapping.hidden,
        hidden_at=mapping.hidden_at,
        parameters=dict(_parameters(mapping, run)),
        unmapped=dict(unmapped.most_common()),
        ignored=ignored,
        left_out=run.left_out,
    )


def _parameters(mapping: Mapping, run: Records) -> Iterator[tuple[str, str]]:
    for fact in run.facts:
        for rule in mapping.parameters:
            match = rule.match.fullmatch(fact)
            if match is not None:
                yield match.expand(rule.events[0]), match.expand(rule.value)


def _first(rules: tuple[Rule, ...], text: str) -> tuple[Rule, re.Match[str]] | None:
    for rule in rules:
        match = rule.match.fullmatch(text)
        if match is not None:
            return rule, match
    return None


def _thread(mapping: Mapping, name: str) -> str:
    found = _first(mapping.threads, name)
    return name if found is None else found[1].expand(found[0].events[0])
