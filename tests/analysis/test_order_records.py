"""Lock order from the records of a running kernel (SEMANTICS A6, X12)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from modelcheck.analysis.lock_events import rows_of
from modelcheck.analysis.lock_order import Cycle
from modelcheck.analysis.order_records import RecordedOrder, recorded_order
from modelcheck.diagnostics import SpecError
from modelcheck.records import locks_of_records
from modelcheck.source import Source
from tests.transcript import ROOT

RECORDS = ROOT / "examples/lock_records.jsonl"


def order_of(*rows: tuple[str, str]) -> RecordedOrder:
    """Return the order of rows, each a thread and its events."""
    lines = [json.dumps({"task": task, "pid": 1, "seq": events.split()}) for task, events in rows]
    return recorded_order("test", rows_of(Source("test", "\n".join(lines))))


def edges(order: RecordedOrder) -> set[tuple[str, str]]:
    return {edge.classes for edge in order.order.edges}


def cycle_of(order: RecordedOrder, classes: Sequence[str]) -> Cycle:
    return next(cycle for cycle in order.order.cycles if cycle.classes == tuple(classes))


def test_the_inversion_of_memory_hotplug_is_gated_by_device_hotplug_lock_alone() -> None:
    """Held on both sides is cpu_hotplug_lock too, but for reading: it is no gate."""
    cycle = cycle_of(locks_of_records(RECORDS), ("dev_mutex", "mem_hotplug_lock"))
    assert (cycle.verdict, cycle.gates) == ("gated", ("device_hotplug_lock",))
    common = set.intersection(*({held.lock for held in r.held} for r in cycle.shown.requests))
    assert common == {"device_hotplug_lock", "cpu_hotplug_lock"}


def test_both_orders_are_counted() -> None:
    recorded = locks_of_records(RECORDS)
    times: dict[tuple[str, str], int] = {}
    for edge in recorded.order.edges:
        times[edge.classes] = times.get(edge.classes, 0) + recorded.times[edge.request]
    assert times["mem_hotplug_lock", "dev_mutex"] == 4
    assert times["dev_mutex", "mem_hotplug_lock"] == 3


def test_a_pending_writer_between_two_readers_closes_a_cycle() -> None:
    cycle = cycle_of(locks_of_records(RECORDS), ("cpu_hotplug_lock", "dev_mutex"))
    assert cycle.verdict == "gated"
    assert len(cycle.shown.threads) == 3


def test_without_a_gate_records_decide_nothing() -> None:
    order = order_of(("one", "+a +b -b -a"), ("two", "+b +a -a -b"))
    assert [cycle.verdict for cycle in order.order.cycles] == ["undecided"]


def test_rows_of_one_task_and_pid_are_one_thread() -> None:
    order = order_of(("one", "+a +b -b -a"), ("one", "+b +a -a -b"))
    assert [cycle.verdict for cycle in order.order.cycles] == ["one thread"]


def test_a_try_asks_for_nothing_but_what_it_got_is_held() -> None:
    assert edges(order_of(("one", "+a +b:try -b -a"))) == set()
    assert edges(order_of(("one", "+a:try +b -b -a"))) == {("a", "b")}
    assert edges(order_of(("one", "!a:try +b -b"))) == set()


def test_another_instance_is_another_lock() -> None:
    order = order_of(("one", "+m9.dev +x -x -m9.dev"), ("two", "+x +m10.dev -m10.dev -x"))
    assert order.order.cycles == ()
    assert order.words.lock(order.order.edges[0].source) == "m9.dev"


def test_the_order_of_instances_is_that_of_their_numbers() -> None:
    from modelcheck.analysis.lock_order import nesting

    (edge,) = order_of(("one", "+m9.dev +m10.dev -m10.dev -m9.dev")).order.edges
    assert nesting(edge) == "rising index"


def test_a_lock_that_was_held_before_the_record_may_close_a_cycle_but_is_no_gate() -> None:
    order = order_of(("one", "+b -b -a"), ("two", "+b +a -a -b"))
    assert order.before == {"a": 1}
    assert [cycle.classes for cycle in order.order.cycles] == [("a", "b")]
    gate = order_of(("one", "+a +b -b -a -g"), ("two", "+b +a -a -b -g"))
    assert cycle_of(gate, ("a", "b")).gates == ()


def test_instances_may_have_any_name() -> None:
    order = order_of(("one", "+m1\u00b2.dev +\u00b2.dev -\u00b2.dev -m1\u00b2.dev"))
    assert edges(order) == {("dev", "dev")}


def test_marks_notes_and_calls_are_no_acquisitions() -> None:
    events = "write( f(x) +a l:x notify:ONLINE +c:Rslow +c:R f=0 -c -a )=3"
    assert edges(order_of(("one", events))) == {("a", "c")}


def test_a_place_is_the_innermost_function() -> None:
    order = order_of(("one", "write( f(x) g(y) g=0 +a h(z) +b -b h=0 -a f=0 )=3"))
    (edge,) = order.order.edges
    assert (order.words.op(edge.request), order.words.taken(edge)) == ("h", "line 1 in f()")


def test_what_is_not_understood_is_counted() -> None:
    order = order_of(("one", "+a:odd ??? ??? +a +b -b -a"))
    assert order.unknown == {"???": 2, "+a:odd": 1}
    assert edges(order) == {("a", "b")}


def test_a_name_may_have_colons() -> None:
    order = order_of(("one", "+0000:00:1f.0.dev +a:R -a -0000:00:1f.0.dev"))
    assert edges(order) == {("dev", "a")}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "there is no record in this file"),
        ("\n \n", 1, "there is no record in this file"),
        ('{"task": "a", "seq": []}\n{"task": ', 2, "line 2: this is not JSON"),
        ("[1]", 1, "line 1: this is no object"),
        ('{"task": "a"}', 1, "`seq` is not a list of texts"),
        ('{"task": "a", "seq": [1]}', 1, "`seq` is not a list of texts"),
        ('{"seq": []}', 1, "neither `task` nor `pid`"),
        ("[" * 100_000, 1, "line 1: this is not JSON"),
    ],
)
def test_what_is_no_record_is_a_diagnostic_with_its_line(text: str, line: int, told: str) -> None:
    with pytest.raises(SpecError) as raised:
        rows_of(Source("test", text))
    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("MC008", line)
    assert told in diagnostic.message


def test_a_file_of_records_may_be_larger_than_a_specification(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    row = json.dumps({"task": "t", "pid": 1, "seq": ["+a", "+b", "-b", "-a"] * 1_000})
    path.write_text("\n".join([row] * 60), encoding="utf-8")
    assert path.stat().st_size > 1 << 20
    assert locks_of_records(path).rows == 60
