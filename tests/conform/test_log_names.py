"""What a log names and the specification has not is told before any search, with the line: it is no difference."""

from __future__ import annotations

import json

import pytest

from modelcheck.analysis.log_names import check_names
from modelcheck.diagnostics import SpecError
from modelcheck.language.model import Model
from modelcheck.language.parser import parse
from modelcheck.logs.log import read_log
from modelcheck.pipeline import Options, models
from modelcheck.source import Source

KINDS = """
model kinds;
enum Zone { Normal, Movable }
type Block = 32 .. 33;
mutex l[Block];
percpu_rwsem m;
semaphore sem = 1;
refcount loose: 0..2 = 1;
refcount owned_one: 0..2 = 1 owned;
active_ref file;
op online(b: Block, z: Zone) -> Errno { return 0; }
op never(b: Block) { skip; }
thread user {
    choose b: Block;
    choose z: Zone;
    online(b, z);
    emit went(b);
    mutex_lock(l[b]);
    mutex_unlock(l[b]);
    percpu_down_read(m);
    percpu_up_read(m);
    down(sem);
    up(sem);
    refcount_inc(loose);
    refcount_inc(owned_one);
    local_irq_disable();
    local_irq_enable();
    if (kernfs_get_active(file)) { kernfs_put_active(file); }
}
observe asked: true;
observe zone[b: Block]: b == 32 ? Normal : Movable;
"""


def kinds() -> Model:
    (model,) = models((parse(Source("kinds.mck", KINDS)),), Options())
    return model


def told(row: dict[str, object], **header: object) -> list[str]:
    """Return what is said of a log of one line."""
    text = "\n".join(json.dumps(each) for each in ({"log": 1, **header}, {"thread": "user", **row}))
    (log,) = read_log(Source("log.jsonl", text))
    try:
        check_names(kinds(), log)
    except SpecError as error:
        return [each.message for each in error.diagnostics]
    return []


@pytest.mark.parametrize(
    "event",
    [
        "online(32, Movable)", "online=0", "online=-EBUSY", "emit went(33)", "+l[32]", "-l[33]", "!l[32]", "+m:read",
        "-m", "+file:read", "!file", "+owned_one:read", "+interrupts_off", "!sem",
    ],
)  # fmt: skip
def test_an_event_that_the_specification_can_have_is_looked_for(event: str) -> None:
    assert told({"event": event}) == []


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ("online(34, Movable)", "`34` is no value of Block (32 .. 33)"),
        ("online(32, HighMem)", "`HighMem` is no value of Zone"),
        ("online(032, Normal)", "`032` is no value of Block (32 .. 33)"),
        ("online(32)", "it has 2 arguments"),
        ("online=-EFOO", "`-EFOO` is no value of Errno"),
        ("online=", "it has 1 result"),
        ("emit went(1)", "`1` is no value of Block (32 .. 33)"),
        ("+l[34]", "`34` is no value of Block (32 .. 33)"),
        ("+l", "`l` has 1 index"),
        ("+m[1]", "`m` has no index"),
        ("+m:written", "a percpu_rwsem has no mode `written`"),
        ("+sem", "nobody holds a semaphore: what is taken and given back of it is not seen"),
        ("-sem", "nobody holds a semaphore: what is taken and given back of it is not seen"),
        ("+loose:read", "nobody holds a refcount: what is taken and given back of it is not seen"),
        ("l[32]", "this is no event"),
        ("online(32,Movable)", "it is written `online(32, Movable)`"),
        ("online( 32, Movable,)", "it is written `online(32, Movable)`"),
        ("online= 0", "` 0` is no value of Errno"),
        (f"online({'9' * 5000}, Movable)", f"`{'9' * 5000}` is no value of Block (32 .. 33)"),
        ("emit online(32, Movable)", "this is no event"),
        ("went(33)", "this is no event"),
        ("-m:read", "the mode is told where the lock is got"),
    ],
)
def test_an_event_that_cannot_be_is_told_with_its_line(event: str, problem: str) -> None:
    assert told({"event": event}) == [f"line 2: `{event}`: {problem}"]


def test_an_observed_value_that_cannot_be_is_told_with_its_line() -> None:
    assert told({"observe": {"zone[32]": "Normal"}}) == []
    assert told({"observe": {"zone[32]": "DMA"}}) == ["line 2: `zone[32]=DMA`: `DMA` is no value of Zone"]
    assert told({"observe": {"zone[34]": "Normal"}}) == ["line 2: there is no observation `zone[34]`"]


def test_what_is_hidden_is_not_seen() -> None:
    assert told({"event": "-m"}, hidden=["m"]) == ["line 2: `-m`: what is hidden is seen all the same"]


def test_a_bool_of_json_is_written_as_in_the_language() -> None:
    assert told({"observe": {"asked": True}}) == []


def test_an_op_that_nothing_calls_may_be_hidden_but_not_seen() -> None:
    assert told({"event": "online=0"}, hidden=["never"]) == []
    assert told({"event": "never(32)"}) == ["line 2: there is no lock, op or event `never`"]


def test_a_hidden_name_that_is_not_there_is_told_where_it_stands() -> None:
    text = '{"log": 1}\n{"log": 1, "hidden": ["never", "mm"]}\n'
    _, log = read_log(Source("log.jsonl", text))
    with pytest.raises(SpecError) as raised:
        check_names(kinds(), log)
    (told_of_it,) = raised.value.diagnostics
    assert told_of_it.message == "there is no lock, op or event `mm` to be hidden"
    assert told_of_it.span.source.text[told_of_it.span.start :].startswith('{"log": 1, "hidden"')
