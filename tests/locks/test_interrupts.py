"""Interrupt handlers, and interrupts switched off (SEMANTICS H2): exact verdicts, by both engines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from modelcheck.diagnostics import SpecError
from modelcheck.language.printer import format_source
from modelcheck.pipeline import Options
from modelcheck.report.text import scenario_text
from modelcheck.result.verdict import word
from modelcheck.source import Source
from tests.checking import all_checked, checked, found, names
from tests.cli.running import modelcheck
from tests.locks.tables import check_table
from tests.transcript import ROOT


@pytest.fixture
def updating(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


TABLES = {
    "irq": (
        "local_irq_disable()",
        "local_irq_enable()",
        "saved = local_irq_save()",
        "local_irq_restore(saved)",
    ),
    "softirq": ("local_bh_disable()", "local_bh_enable()"),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_verb_does_what_the_table_says(name: str, updating: bool) -> None:
    threads = "\n".join(
        f"thread {t} {{ var saved: bool; loop {{ either {' or '.join(f'{{ {call}; }}' for call in TABLES[name])} }} }}"
        for t in "ab"
    )
    check_table(name, threads, update=updating, deepest=2)


TAKES = "{ spin_lock(r); spin_unlock(r); }"

MODELS: dict[str, tuple[str, set[str]]] = {
    "a handler spins for the lock of the thread that it interrupted": (
        f"spinlock r; thread t {TAKES} irq handler tick on t {TAKES}",
        {"circular_wait"},
    ),
    "irqsave keeps the handler out": (
        (
            "spinlock r; thread t { spin_lock_irqsave(r); spin_unlock_irqrestore(r); }"
            f"irq handler tick on t {TAKES}"
        ),
        set(),
    ),
    "the handler runs on another CPU than the holder, and waits a little": (
        (
            "spinlock r; thread t { spin_lock_irq(r); spin_unlock_irq(r); } thread u { skip; }"
            f"irq handler tick on u {TAKES}"
        ),
        set(),
    ),
    "spin_unlock_irq inside an irqsave region switches interrupts on": (
        f"""
        spinlock r; spinlock q;
        thread t {{ spin_lock_irqsave(r); spin_lock_irq(q); spin_unlock_irq(q); spin_unlock_irqrestore(r); }}
        irq handler tick on t {TAKES}
        """,
        {"circular_wait"},
    ),
    "spin_lock_irqsave inside an irqsave region puts back what it found": (
        f"""
        spinlock r; spinlock q;
        thread t {{ spin_lock_irqsave(r); spin_lock_irqsave(q); spin_unlock_irqrestore(q); spin_unlock_irqrestore(r); }}
        irq handler tick on t {TAKES}
        """,
        set(),
    ),
    "bh keeps a softirq handler out": (
        f"spinlock r; thread t {{ spin_lock_bh(r); spin_unlock_bh(r); }}softirq handler soft on t {TAKES}",
        set(),
    ),
    "bh does not keep an irq handler out": (
        f"spinlock r; thread t {{ spin_lock_bh(r); spin_unlock_bh(r); }}irq handler tick on t {TAKES}",
        {"circular_wait"},
    ),
    "an irq handler interrupts a softirq handler": (
        f"spinlock r; thread t {{ skip; }} softirq handler soft on t {TAKES} irq handler tick on t {TAKES}",
        {"circular_wait"},
    ),
    "a softirq handler never interrupts an irq handler": (
        """
        var hard: bool = false marked;
        thread t { skip; }
        softirq handler soft on t { assert(!hard); }
        irq handler tick on t { hard = true; hard = false; }
        """,
        set(),
    ),
    "a softirq handler switches interrupts off for the lock that it shares with an irq handler": (
        f"""
        spinlock r; thread t {{ skip; }}
        softirq handler soft on t {{ spin_lock_irq(r); spin_unlock_irq(r); }} irq handler tick on t {TAKES}
        """,
        set(),
    ),
    "a mutex in a handler": (
        "mutex m; thread t { skip; } irq handler tick on t { mutex_lock(m); mutex_unlock(m); }",
        {"lock_rules"},
    ),
    "an await in a softirq handler": (
        "var x: bool = true marked; thread t { x = true; } softirq handler soft on t { await(x); }",
        {"lock_rules"},
    ),
    "sleeping with interrupts off": (
        "mutex m; thread t { local_irq_disable(); mutex_lock(m); mutex_unlock(m); local_irq_enable(); }",
        {"lock_rules"},
    ),
    "sleeping with soft interrupts off": (
        "mutex m; thread t { local_bh_disable(); mutex_lock(m); mutex_unlock(m); local_bh_enable(); }",
        {"lock_rules"},
    ),
    "a handler of two threads runs for one at a time": (
        """
        var inside: 0 .. 2 = 0 marked;
        thread t { skip; } thread u { skip; }
        irq handler tick on t, u { atomic { inside++; assert(inside == 1); } inside--; }
        """,
        set(),
    ),
    "two handlers of one kind do not interrupt each other on one CPU": (
        """
        var inside: 0 .. 2 = 0 marked;
        thread t { skip; }
        irq handler tick on t { atomic { inside++; assert(inside == 1); } inside--; }
        irq handler disk on t { atomic { inside++; assert(inside == 1); } inside--; }
        """,
        set(),
    ),
    "two handlers run at the same time on two CPUs": (
        """
        var inside: 0 .. 2 = 0 marked;
        thread t { skip; } thread u { skip; }
        irq handler tick on t { atomic { inside++; assert(inside == 1); } inside--; }
        irq handler disk on u { atomic { inside++; assert(inside == 1); } inside--; }
        """,
        {"assertion"},
    ),
    "flags nest": (
        """
        var x: bool = false marked;
        thread t {
            var outer: bool; var inner: bool;
            outer = local_irq_save(); inner = local_irq_save();
            local_irq_restore(inner); assert(irqs_disabled());
            local_irq_restore(outer); assert(!irqs_disabled());
        }
        irq handler tick on t { x = true; }
        """,
        set(),
    ),
    "flags put back in the wrong order": (
        """
        spinlock r;
        thread t {
            var outer: bool; var inner: bool;
            outer = local_irq_save(); spin_lock(r); inner = local_irq_save();
            local_irq_restore(outer); local_irq_restore(inner); spin_unlock(r); local_irq_enable();
        }
        irq handler tick on t { spin_lock(r); spin_unlock(r); }
        """,
        {"circular_wait"},
    ),
    "a thread ends with interrupts off": ("thread t { local_irq_disable(); }", {"lock_rules"}),
    "a handler returns with a lock": (
        "spinlock r; thread t { skip; } irq handler tick on t { if (spin_trylock(r)) { skip; } }",
        {"lock_rules"},
    ),
    "soft interrupts switched on that are not off": ("thread t { local_bh_enable(); }", {"lock_rules"}),
    "a sleeping thread is not interrupted": (
        """
        spinlock l;
        var x: bool = false marked;  var y: bool = false marked;
        thread t { await(x); y = true; }
        thread u { spin_lock_irq(l); x = true; while (!y) { } spin_unlock_irq(l); }
        irq handler tick on t { if (!x) { spin_lock(l); spin_unlock(l); } }
        """,
        set(),
    ),
    "a choose that finds nothing is asleep too": (
        """
        spinlock l;
        var x: bool = false marked;  var y: bool = false marked;
        thread t { choose b: bool where x && b; y = b; }
        thread u { spin_lock_irq(l); x = true; while (!y) { } spin_unlock_irq(l); }
        irq handler tick on t { if (!x) { spin_lock(l); spin_unlock(l); } }
        """,
        set(),
    ),
    "a thread that was woken is interrupted": (
        """
        spinlock l;
        var x: bool = false marked;  var y: bool = false marked;
        thread t { await(x); y = true; }
        thread u { spin_lock_irq(l); x = true; await(y); spin_unlock_irq(l); }
        irq handler tick on t { spin_lock(l); spin_unlock(l); }
        """,
        {"circular_wait", "lock_rules"},
    ),
    "a thread that spins is interrupted": (
        """
        spinlock r; spinlock q;
        thread t { spin_lock(q); spin_lock_irq(r); spin_unlock_irq(r); spin_unlock(q); }
        thread u { spin_lock_irq(r); spin_lock(q); spin_unlock(q); spin_unlock_irq(r); }
        irq handler tick on t { spin_lock(q); spin_unlock(q); }
        """,
        {"circular_wait", "lock_order"},
    ),
    "a handler that finds its CPU idle wakes who sleeps": (
        "var x: bool = false marked; thread t { await(x); } irq handler tick on t { x = true; }",
        set(),
    ),
    "who switches interrupts off and waits for the handler waits for ever": (
        """
        var x: bool = false marked;
        thread t { local_irq_disable(); while (!x) { } local_irq_enable(); } irq handler tick on t { x = true; }
        """,
        {"cannot_finish"},
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("engine", ["reference", "z3"])
def test_the_verdict(name: str, engine: str) -> None:
    text, expected = MODELS[name]
    report = checked(text, Options(engine=engine))
    assert expected == names(report)


SCENARIOS = """
spinlock r;
thread t { spin_lock(r); spin_unlock(r); }
thread u { skip; }
irq handler tick on t, u { spin_lock(r); spin_unlock(r); }
scenario all { expect circular_wait(t, tick); }
scenario no_handler { run t, u; expect holds; expect states 6; }
scenario not_on_t { run u, tick; expect holds; expect states 8; }
scenario only_the_handler { run tick; expect holds; expect states 1; }
"""


def test_a_scenario_runs_the_handler_or_not() -> None:
    for report in all_checked(SCENARIOS):
        assert ["met"] * len(report.checked) == [each.status for each in report.checked], (
            report.model.scenario.name
        )


def test_one_lock_that_is_interrupted_at_many_lines_is_one_finding() -> None:
    report = checked(
        "spinlock r; thread t { spin_lock(r); skip; skip; skip; spin_unlock(r); } irq handler tick on t "
        + TAKES
    )
    (finding,) = report.violations
    assert (finding.check, finding.states) == ("circular_wait", 4)


def test_a_reader_is_told_who_interrupts_whom() -> None:
    text = scenario_text(checked(f"spinlock r;\nthread t {TAKES}\nirq handler tick on t {TAKES}"))
    assert re.search(
        r"2  tick +test.mck:3  tick interrupts t +\+interrupts_off, waits for r, held by t", text
    )
    assert "tick waits for r at test.mck:3: t holds it (test.mck:2)" in text
    assert "t is interrupted by tick at test.mck:2" in text
    assert "takes branch" not in text


def test_names_of_handlers_and_of_whom_they_interrupt_are_checked() -> None:
    with pytest.raises(SpecError, match="`nobody` is no thread that `tick` could interrupt"):
        checked("thread t { skip; } irq handler tick on nobody { skip; }")
    with pytest.raises(SpecError, match="`tick` is no thread that `tock` could interrupt"):
        checked("thread t { skip; } irq handler tick on t { skip; } irq handler tock on tick { skip; }")


# --- the usage rule ------------------------------------------------------------------------------

APART = """
spinlock r;
thread t { LOCK(r); UNLOCK(r); }
thread u { skip; }
KIND handler tick on u { spin_lock(r); spin_unlock(r); }
"""


def usage(kind: str, lock: str, unlock: str) -> list[str]:
    text = APART.replace("UNLOCK", unlock).replace("LOCK", lock).replace("KIND", kind)
    return [finding.message for finding in found(checked(text), "lock_rules")]


def test_a_lock_of_a_handler_held_with_interrupts_on_is_told_though_the_two_never_meet() -> None:
    state = (
        "inconsistent lock state of r, {IN-%s-W} and {%s-ON-W}: taken in a%s handler, held with %s enabled"
    )
    told = state % ("HARDIRQ", "HARDIRQ", "n irq", "interrupts")
    soft = state % ("SOFTIRQ", "SOFTIRQ", " softirq", "soft interrupts")
    assert [told] == usage("irq", "spin_lock", "spin_unlock")
    assert usage("irq", "spin_lock_irqsave", "spin_unlock_irqrestore") == []
    assert [told] == usage("irq", "spin_lock_bh", "spin_unlock_bh")
    assert [soft] == usage("softirq", "spin_lock", "spin_unlock")
    assert usage("softirq", "spin_lock_bh", "spin_unlock_bh") == []
    assert usage("softirq", "spin_lock_irq", "spin_unlock_irq") == []


def test_who_only_tries_in_a_handler_does_not_wait_there() -> None:
    report = checked(
        """
        spinlock r;
        thread t { spin_lock(r); spin_unlock(r); }
        irq handler tick on t { if (spin_trylock(r)) { spin_unlock(r); } }
        """
    )
    assert set() == names(report)


CHAIN = """
spinlock a; spinlock b; spinlock g;
thread t { T }
thread v { spin_lock_irq(a); spin_lock(b); spin_unlock(b); spin_unlock_irq(a); }
thread u { skip; }
irq handler tick on u { spin_lock(a); spin_unlock(a); }
"""


def test_a_lock_that_is_asked_for_under_the_lock_of_a_handler_is_told_too() -> None:
    report = checked(CHAIN.replace("T", "spin_lock(b); spin_unlock(b);", 1))
    (finding,) = report.violations
    assert finding.cause == ("usage", "irq", "a", "b")
    assert finding.certified
    assert len(finding.details) == 3
    assert set() == names(checked(CHAIN.replace("T", "spin_lock_irq(b); spin_unlock_irq(b);", 1)))


def test_a_chain_whose_collision_is_reached_is_one_finding() -> None:
    text = CHAIN.replace("T", "spin_lock(b); spin_unlock(b);", 1).replace("tick on u", "tick on t")
    (finding,) = checked(text).violations
    assert (finding.check, finding.consequences) == ("circular_wait", ("lock_rules",))


def test_a_chain_that_a_gate_keeps_apart_is_none() -> None:
    gated = CHAIN.replace(
        "T", "spin_lock_irq(g); local_irq_enable(); spin_lock(b); spin_unlock(b); spin_unlock(g);", 1
    )
    apart = gated.replace("thread v { spin_lock_irq(a);", "thread v { spin_lock_irq(g); spin_lock(a);")
    apart = apart.replace("spin_unlock_irq(a); }", "spin_unlock(a); spin_unlock_irq(g); }")
    assert {"lock_rules"} == names(checked(gated))
    assert set() == names(checked(apart))


def test_both_engines_tell_the_usage_rule() -> None:
    for engine in ("reference", "z3"):
        text = APART.replace("UNLOCK", "spin_unlock").replace("LOCK", "spin_lock").replace("KIND", "irq")
        assert {"lock_rules"} == names(checked(text, Options(engine=engine)))


def test_every_check_has_a_verdict_with_handlers() -> None:
    for text, expected in MODELS.values():
        outcomes = {o.name: word(o.verdict) for o in checked(text).judgement.outcomes}
        assert expected == {name for name, verdict in outcomes.items() if verdict == "violated"} - (
            {"lock_rules"} if "circular_wait" in expected and "lock_rules" not in expected else set()
        )
        assert {"holds", "violated"} >= set(outcomes.values())


# --- everything else that takes a model ----------------------------------------------------------

INTERRUPTED = f"spinlock r;\nthread t {TAKES}\nirq handler tick on t {TAKES}\n"


def test_the_commands_take_models_with_handlers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tick.mck").write_text(INTERRUPTED, encoding="utf-8")
    file, saved = str(tmp_path / "tick.mck"), str(tmp_path / "trace.json")
    assert modelcheck("check", file, "--save-trace", saved) == 1
    assert modelcheck("replay", file, saved) == 1
    assert modelcheck("simulate", file, "--seed", "1") in (0, 1)
    assert modelcheck("explore", file, "--graph", str(tmp_path / "graph.dot")) == 0
    assert capsys.readouterr().out.count("tick interrupts t") >= 2
    assert modelcheck("check", file, "--json") == 1
    document = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "docs/reference/report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    (finding,) = document["files"][0]["scenarios"][0]["findings"]
    assert {wait["thread"]: wait["interrupted_by"] for wait in finding["ending"]["waits"]} == {
        "t": ["tick"],
        "tick": [],
    }


def test_a_text_with_handlers_is_written_back_as_it_was() -> None:
    text = format_source(Source("test.mck", INTERRUPTED))
    assert "irq handler tick on t {" in text
    assert text == format_source(Source("test.mck", text))
