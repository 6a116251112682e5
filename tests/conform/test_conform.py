"""What `conform` says of a log: yes with a run, or how far it can be explained, and the mistakes of a log file."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

import modelcheck
from modelcheck.analysis.conformity import LogReport, conforming
from modelcheck.diagnostics import SpecError
from modelcheck.engine.conformance import conformance
from modelcheck.engine.engine import Limits
from modelcheck.engine.product import Expected
from modelcheck.language.model import Model
from modelcheck.language.parser import parse
from modelcheck.logs.log import Log, read_log
from modelcheck.pipeline import Options, models
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.observable import Observer
from modelcheck.semantics.transition_system import State, Step, TransitionSystem, transition_system
from modelcheck.source import Source
from tests.cli.running import modelcheck as command
from tests.transcript import ROOT

Captured = pytest.CaptureFixture[str]

BLOCKS = """
model blocks;
enum State { offline, online }
type Block = 0 .. 1;
mutex l;
percpu_rwsem m;
var state[Block]: State = offline guarded_by l;
op change(b: Block, s: State) -> Errno {
    if (!mutex_trylock(l)) { return -EBUSY; }
    if (state[b] == s) {
        mutex_unlock(l);
        return -EINVAL;
    }
    percpu_down_write(m);
    state[b] = s;
    emit changed(b, s);
    percpu_up_write(m);
    mutex_unlock(l);
    return 0;
}
op look() {
    percpu_down_read(m);
    percpu_up_read(m);
}
thread user[2] {
    loop {
        either {
            choose s: State;
            choose b: Block;
            change(b, s);
        } or {
            look();
        }
    }
}
observe state[b: Block]: state[b];
observe any: exists b: Block { state[b] == online };
"""


def model_of(text: str) -> Model:
    (model,) = models((parse(Source("test.mck", text)),), Options())
    return model


def verdict(text: str, events: list[tuple[str, str]], order: str = "total") -> tuple[str, int]:
    """Say whether the model produces these events, and how many are explained; `name=value` is an observation."""
    from modelcheck.analysis.conformity import conforming

    rows: list[dict[str, object]] = [{"log": 1, "order": order}]
    for thread, event in events:
        name, _, value = event.partition(" is ")
        rows.append({"thread": thread} | ({"observe": {name: value}} if value else {"event": event}))
    (log,) = read_log(Source("test.log", "\n".join(map(json.dumps, rows))))
    report = conforming(model_of(text), log, Limits(states=20_000))
    return report.verdict, report.explained


ONLINE = [
    "change(1, online)", "+l", "+m", "emit changed(1, online)", "-m", "-l", "change=0",
]  # fmt: skip


def test_a_run_shows_locks_events_arguments_and_results_in_order() -> None:
    assert verdict(BLOCKS, [("user[0]", e) for e in ONLINE]) == ("conforms", 7)


def test_another_result_is_explained_up_to_where_it_differs() -> None:
    events = [*ONLINE[:-1], "change=-EINVAL"]
    assert verdict(BLOCKS, [("user[0]", e) for e in events]) == ("differs", 5)


def test_an_observation_is_made_where_the_log_has_it() -> None:
    seen = [*ONLINE, "state[1] is online", "state[0] is offline", "any is true"]
    assert verdict(BLOCKS, [("user[0]", e) for e in seen]) == ("conforms", 10)
    early = ["any is false", *ONLINE, "any is false"]
    assert verdict(BLOCKS, [("user[0]", e) for e in early]) == ("differs", 8)


def test_a_try_is_refused_only_while_another_holds_the_lock() -> None:
    refused = [("user[0]", e) for e in ("change(0, online)", "!l", "change=-EBUSY")]
    assert verdict(BLOCKS, refused)[0] == "differs"
    assert verdict(BLOCKS, [*refused, *(("user[1]", e) for e in ONLINE)], "threads") == ("conforms", 10)


def test_the_order_between_threads_counts_where_it_is_known() -> None:
    refused = [("user[0]", e) for e in ("change(0, online)", "!l", "change=-EBUSY")]
    other = [("user[1]", e) for e in ONLINE]
    assert verdict(BLOCKS, [*other, *refused], "threads")[0] == "conforms"
    assert verdict(BLOCKS, [*other, *refused], "total")[0] == "differs"


def test_modes_of_a_lock_are_told_apart() -> None:
    reading = [("user[0]", e) for e in ("look()", "+m:read", "-m", "look=")]
    writing = [("user[0]", e) for e in ("look()", "+m", "-m", "look=")]
    assert (verdict(BLOCKS, reading)[0], verdict(BLOCKS, writing)[0]) == ("conforms", "differs")


def test_after_names_lines_that_came_before() -> None:
    def log(after: list[str]) -> str:
        rows: list[dict[str, object]] = [{"log": 1, "order": "threads", "hidden": ["l", "m", "changed"]}]
        rows += [
            {"thread": "user[1]", "event": "change(1, online)"},
            {"thread": "user[1]", "event": "change=0", "id": "done"},
            {"thread": "user[0]", "event": "change(1, online)", "after": after},
            {"thread": "user[0]", "event": "change=-EBUSY"},
        ]
        return "\n".join(map(json.dumps, rows))

    from modelcheck.analysis.conformity import conforming

    model = model_of(BLOCKS)
    verdicts = [
        conforming(model, read_log(Source("log", log(after)))[0], Limits()).verdict
        for after in ([], ["done"])
    ]
    assert verdicts == ["conforms", "differs"]


def test_a_limit_leaves_it_undecided() -> None:
    (log,) = read_log(Source("log", '{"log": 1}\n{"thread": "user[0]", "event": "change=0"}'))
    assert conforming(model_of(BLOCKS), log, Limits(states=1)).verdict == "undecided"


def test_a_lock_that_a_signal_keeps_away_is_passed_unseen() -> None:
    text = """
        model interrupted;
        mutex l;
        op f() -> Errno {
            var r: Errno;
            r = mutex_lock_interruptible(l);
            if (r) { return r; }
            mutex_unlock(l);
            return 0;
        }
        thread user { f(); }
        thread other { mutex_lock(l); signal(user); mutex_unlock(l); }
    """
    events = [("user", "f()"), ("other", "+l"), ("user", "f=-EINTR"), ("other", "-l")]
    assert verdict(text, events, "threads")[0] == "conforms"


# --- the searches against the definition ---------------------------------------------------------


def a_walk(system: TransitionSystem, seed: int, steps: int) -> list[Expected]:
    """Return what is seen of a random run, with the values that some of its states show."""
    interpreter = Interpreter(system)
    observer = Observer(interpreter)
    dice = random.Random(seed)
    state = interpreter.initial_states()[0][0]
    assert state is not None
    seen: list[Expected] = []
    for _ in range(steps):
        possible = [s for s in interpreter.successors(state) if s.target is not None]
        if not possible:
            break
        step = dice.choice(possible)
        assert step.target is not None
        seen += (Expected(step.thread, e.text) for e in observer.events(state, step))
        state = step.target
        if dice.random() < 0.2:
            seen.append(Expected(dice.randrange(2), "", (("any", observer.values(state)["any"]),)))
    return seen


def chained(items: list[Expected], *, total: bool) -> tuple[Expected, ...]:
    if not total:
        return tuple(items)
    return tuple(Expected(e.thread, e.event, e.values, (n - 1,) if n else ()) for n, e in enumerate(items))


def by_definition(system: TransitionSystem, items: tuple[Expected, ...], *, total: bool) -> bool:
    """Search the whole product without any short cut."""
    interpreter = Interpreter(system)
    observer = Observer(interpreter)
    first = interpreter.initial_states()[0][0]
    assert first is not None
    start = (first, frozenset[int]())
    found, waiting = {start}, [start]
    while waiting:
        state, done = waiting.pop()
        if len(done) == len(items):
            return True
        for there in following(interpreter, observer, (state, done), items, total=total):
            if there not in found:
                found.add(there)
                waiting.append(there)
    return False


Place = tuple[State, frozenset[int]]


def following(
    interpreter: Interpreter, observer: Observer, here: Place, items: tuple[Expected, ...], *, total: bool
) -> Iterator[Place]:
    state, done = here

    def next_of(thread: int, done: frozenset[int]) -> int | None:
        if total:
            number = len(done)
            return number if number < len(items) and items[number].thread == thread else None
        return next((n for n, e in enumerate(items) if e.thread == thread and n not in done), None)

    for thread in range(2):
        number = next_of(thread, done)
        if number is not None and items[number].values:
            values = observer.values(state)
            if all(values[name] == value for name, value in items[number].values):
                yield state, done | {number}

    def after(step: Step) -> frozenset[int] | None:
        so_far = done
        for event in observer.events(state, step):
            number = next_of(step.thread, so_far)
            if number is None or items[number].event != event.text:
                return None
            so_far |= {number}
        return so_far

    for step in interpreter.successors(state):
        reached = after(step) if step.target is not None else None
        if step.target is not None and reached is not None:
            yield step.target, reached


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_the_searches_say_what_the_definition_says(seed: int, total: bool) -> None:
    system = transition_system(model_of(BLOCKS), results=True)
    items = a_walk(system, seed, 40)
    assert conformance(system, chained(items, total=total), Limits(), total=total).conforms
    dice = random.Random(seed)
    decided = []
    for _ in range(4):
        changed = items.copy()
        match dice.randrange(3):
            case 0:
                del changed[dice.randrange(len(changed))]
            case 1:
                one, two = dice.randrange(len(changed)), dice.randrange(len(changed))
                changed[one], changed[two] = changed[two], changed[one]
            case _:
                one = dice.randrange(len(changed))
                changed[one] = Expected(1 - changed[one].thread, changed[one].event, changed[one].values)
        log = chained(changed, total=total)
        expected = by_definition(system, log, total=total)
        assert conformance(system, log, Limits(), total=total).conforms == expected
        decided.append(expected)
    assert len(decided) == 4


# --- files, exit codes ---------------------------------------------------------------------------

GOOD = '{"log": 1}\n{"thread": "user[0]", "event": "look()"}\n'
FILES = {
    "conforms": (GOOD, 0),
    "differs": (GOOD + '{"thread": "user[0]", "event": "change=0"}\n', 1),
    "no JSON": (GOOD + "{\n", 2),
    "no object": (GOOD + "[]\n", 2),
    "no header": ('{"thread": "user[0]", "event": "look()"}\n', 2),
    "empty": ("", 2),
    "another version": ('{"log": 9}\n', 2),
    "no thread": (GOOD + '{"event": "look()"}\n', 2),
    "neither event nor values": (GOOD + '{"thread": "user[0]"}\n', 2),
    "unknown thread": (GOOD + '{"thread": "nobody", "event": "look()"}\n', 2),
    "unknown op": (GOOD + '{"thread": "user[0]", "event": "lok()"}\n', 2),
    "unknown observation": (GOOD + '{"thread": "user[0]", "observe": {"sate[1]": "online"}}\n', 2),
    "unknown hidden name": ('{"log": 1, "hidden": ["nothing"]}\n', 2),
    "after what is no list": (GOOD + '{"thread": "user[0]", "event": "look=", "after": 5}\n', 2),
    "after a line without id": (GOOD + '{"thread": "user[0]", "event": "look=", "after": [""]}\n', 2),
    "a key misspelt": (GOOD + '{"thread": "user[0]", "event": "look=", "afer": []}\n', 2),
    "a key of a header misspelt": (GOOD + '{"log": 1, "hiden": ["m"]}\n', 2),
    "an id given twice": (
        GOOD.replace('"th', '"id": 1, "th') + '{"thread": "user[0]", "event": "look=", "id": 1}\n',
        2,
    ),
    "a parameter that is a list": ('\n\n{"log": 1, "parameters": {"A": [1]}}\n', 2),
    "after a line that is not there": (GOOD + '{"thread": "user[0]", "event": "look=", "after": ["x"]}\n', 2),
}


@pytest.mark.parametrize("name", FILES)
def test_exit_codes_and_json_for_each_kind_of_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocks.mck").write_text(BLOCKS, encoding="utf-8")
    (tmp_path / "log.jsonl").write_text(FILES[name][0], encoding="utf-8")
    code = command("conform", "blocks.mck", "log.jsonl", "--json")
    document = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "docs/reference/report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    assert (code, document["exit_code"]) == (FILES[name][1], FILES[name][1])
    if code == 2 and name not in ("no header", "empty", "another version", "unknown hidden name"):
        assert [d["place"]["line"] for d in document["diagnostics"]] == [3]


def test_undecided_is_exit_code_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocks.mck").write_text(BLOCKS, encoding="utf-8")
    (tmp_path / "log.jsonl").write_text(FILES["differs"][0], encoding="utf-8")
    assert command("conform", "blocks.mck", "log.jsonl", "--max-states", "1") == 3
    assert "undecided: limit of 1 configurations" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_interrupt_keeps_what_is_known_of_the_logs_before(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    from modelcheck import records

    seen: list[Log] = []

    def interrupted(model: Model, log: Log, limits: Limits) -> LogReport:
        seen.append(log)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return conforming(model, log, limits)

    monkeypatch.setattr(records, "conforming", interrupted)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocks.mck").write_text(BLOCKS, encoding="utf-8")
    (tmp_path / "log.jsonl").write_text(3 * FILES["differs"][0], encoding="utf-8")
    code = command("conform", "blocks.mck", "log.jsonl", *(["--json"] if form == "json" else []))
    printed = capsys.readouterr().out
    assert code == 130
    if form == "text":
        assert "does not conform" in printed
        assert printed.endswith("interrupted: 2 logs not compared\n")
    else:
        document = json.loads(printed)
        schema = json.loads((ROOT / "docs/reference/report.schema.json").read_text(encoding="utf-8"))
        jsonschema.validate(document, schema)
        found = document["conformance"]
        assert (document["exit_code"], found["left"], len(found["logs"])) == (130, 2, 1)


def test_a_comparison_of_orders_follows_the_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocks.mck").write_text(BLOCKS, encoding="utf-8")
    events = ("look()", "+m:read", "+l", "-l", "-m", "look=")
    rows = [json.dumps({"thread": "user[0]", "event": e}) for e in events]
    (tmp_path / "log.jsonl").write_text("\n".join(('{"log": 1}', *rows)), encoding="utf-8")
    assert command("conform", "blocks.mck", "log.jsonl", "--order", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "docs/reference/report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    found = document["lock_comparison"]
    assert found["only_log"] == [["m:read", "l"]]
    assert [(each["events"], each["allowed"]) for each in found["mismatches"]] == [
        (["look()", "+m:read", "+l"], ["-m"])
    ]


MAPPINGS = {
    "no TOML": "format =",
    "unknown key": 'format = "sysfs"\nrules = 1',
    "unknown format": 'format = "sysf"',
    "no match": 'format = "sysfs"\n[[rule]]\nignore = true',
    "no regular expression": 'format = "sysfs"\n[[rule]]\nmatch = "("\nignore = true',
    "says nothing": 'format = "sysfs"\n[[rule]]\nmatch = "x"',
    "says two things": 'format = "sysfs"\n[[rule]]\nmatch = "x"\nevent = "look()"\nignore = true',
    "an event that is a number": 'format = "sysfs"\n[[rule]]\nmatch = "x"\nevent = 5',
    "events that are numbers": 'format = "sysfs"\n[[rule]]\nmatch = "x"\nevent = [5]',
    "a group that is not there": "format = 'sysfs'\n[[rule]]\nmatch = 'x'\nevent = '\\1'",
    "a value of nothing": 'format = "sysfs"\n[[rule]]\nmatch = "x"\nobserve = "any"',
    "hidden is a text": 'format = "sysfs"\nhidden = "m"',
    "hidden are numbers": 'format = "sysfs"\nhidden = [5]',
    "rules are a text": 'format = "sysfs"\nrule = "x"',
    "one rule": 'format = "sysfs"\n[rule]\nmatch = "x"\nignore = true',
    "a thread without a name": 'format = "sysfs"\n[[thread]]\nmatch = "x"\nignore = true',
    "no event": 'format = "locks"\n[[rule]]\nmatch = "look"\nevent = "look()"',
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_what_is_wrong_with_a_mapping_is_a_diagnostic(name: str, tmp_path: Path) -> None:
    (tmp_path / "blocks.mck").write_text(BLOCKS, encoding="utf-8")
    row = {"type": "note", "task": "user", "seq": ["look()"]}
    (tmp_path / "log.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (tmp_path / "map.toml").write_text(MAPPINGS[name], encoding="utf-8")
    with pytest.raises(SpecError) as raised:
        modelcheck.conform(tmp_path / "blocks.mck", tmp_path / "log.jsonl", mapping=tmp_path / "map.toml")
    assert {d.code for d in raised.value.diagnostics} == {"MC008"}


def test_records_that_no_rule_maps_are_counted_and_listed(tmp_path: Path) -> None:
    (tmp_path / "blocks.mck").write_text(BLOCKS, encoding="utf-8")
    row = {
        "task": "agt0",
        "pid": 7,
        "trace": 1,
        "seq": ["look()", "+m:R", "strange", "-m", "strange", "look="],
    }
    (tmp_path / "log.jsonl").write_text(json.dumps(row), encoding="utf-8")
    rules = [
        "format = 'locks'", "[[thread]]", "match = 'agt(\\d)/\\d+'", "name = 'user[\\1]'",
        "[[rule]]", "match = '\\+m:R'", "event = '+m:read'",
        "[[rule]]", "match = '(look\\(\\)|look=|-m)'", "event = '\\1'",
    ]  # fmt: skip
    (tmp_path / "map.toml").write_text("\n".join(rules), encoding="utf-8")
    report = modelcheck.conform(
        tmp_path / "blocks.mck", tmp_path / "log.jsonl", mapping=tmp_path / "map.toml"
    )
    assert report.ok
    assert report.logs[0].log.unmapped == {"strange": 2}
    assert [item.event for item in report.logs[0].log.items] == ["look()", "+m:read", "-m", "look="]
