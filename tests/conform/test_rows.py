"""The two adapters: what they make of each kind of row that the recorders can write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelcheck.analysis import lock_events
from modelcheck.diagnostics import SpecError
from modelcheck.logs import lock_rows, sysfs_rows
from modelcheck.logs.log import Lines
from modelcheck.logs.mapping import Records
from modelcheck.source import Source

Row = dict[str, Any]

RAM = "00000000-17ffffff : System RAM"
BOOT = {"type": "boot", "kernel": "6.12", "cmdline": "quiet", "info": f"8000000\n{RAM}"}
ONLINE = ["online", "DMA32", "1", "node0"]


def lines_of(*rows: Row) -> Lines:
    return Lines(Source("rows.jsonl", "\n".join(json.dumps(row) for row in rows)))


def seen(**blocks: list[str]) -> Row:
    return {"type": "obs", "auto": "offline", "zones": [], "blocks": {k[1:]: v for k, v in blocks.items()}}


def sysfs(*rows: Row) -> Records:
    (run,) = sysfs_rows.records_of(lines_of(BOOT, *rows))
    return run


def texts(run: Records) -> list[str]:
    return [record.text for record in run.records if not record.observes]


def made_of(row: Row) -> list[str]:
    """Return the records of one operation, after boot with block 0 there."""
    before = len(texts(sysfs(seen(b0=ONLINE))))
    return texts(sysfs(seen(b0=ONLINE), {"type": "op", **row}))[before:]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"op": "write", "target": "probe", "value": "0x0", "errno": "EEXIST"},
         ["write probe block 0", "write probe block = -EEXIST"]),
        ({"op": "write", "target": "probe", "value": "0x1000", "errno": "EINVAL"},
         ['write probe "0x1000"', "write probe = -EINVAL"]),
        ({"op": "write", "target": "probe", "value": "0x18000000", "errno": "EINVAL"},
         ['write probe "0x18000000"', "write probe = -EINVAL"]),
        ({"op": "write", "target": "soft_offline_page", "value": "0x1000", "errno": 0},
         ["write soft_offline_page block 0", "write soft_offline_page block = 0"]),
        ({"op": "write", "target": "memory0/state", "value": "online", "errno": "133"},
         ['write memory0/state "online"', "write memory0/state = -EHWPOISON"]),
        ({"op": "write", "target": "memory9/state", "value": "x", "errno": "ENOENT", "open_failed": True},
         ["open of nothing = -ENOENT"]),
        ({"op": "read", "target": "memory0/state", "value": "online\n", "errno": 0}, ["memory0/state=online"]),
        ({"op": "read", "target": "memory0/phys_index", "value": "00000020\n", "errno": 0}, ["memory0/phys_index=32"]),
        ({"op": "hotadd", "dev": "d", "mb": 256, "addr": 0x10000000, "node": 1, "blocks": [2], "ost": {"status": 0}},
         ["hotadd 2 3 node1 whole", "hotadd = 0"]),
        ({"op": "hotadd", "dev": "d", "mb": 192, "addr": 0x10000000, "blocks": [2, 3], "ost": {"status": 1}},
         ["hotadd 2 3 node0 partial", "hotadd = 1"]),
        ({"op": "hotadd", "dev": "d", "mb": 128, "addr": 1, "qmp_error": {}},
         ["hotadd of nothing: the machine refused the device"]),
        ({"op": "pin"}, ["pin"]),
        ({"error": "mmap"}, ["an operation without a name"]),
    ],
)  # fmt: skip
def test_what_an_operation_becomes(row: Row, expected: list[str]) -> None:
    assert made_of(row) == expected


def test_a_device_whose_memory_was_refused_goes_without_touching_a_block() -> None:
    add = {"type": "op", "op": "hotadd", "dev": "d", "mb": 192, "addr": 0, "ost": {"status": 1}}
    gone = {"type": "op", "op": "hotremove", "dev": "d", "deleted": True}
    assert texts(sysfs(seen(b0=ONLINE), add, gone))[-1].startswith("hotremove of nothing")


def test_a_block_of_two_nodes_and_devices_that_are_plugged_already_are_told() -> None:
    add = {"type": "op", "op": "hotadd", "dev": "d", "mb": 256, "addr": 0x20000000, "ost": {"status": 0}}
    both = {**seen(b2=["online", "none", "1", "node1", "node0"]), "zones": [[1, "DMA32", 65536, 9, 9, 9]]}
    first, second = sysfs_rows.records_of(lines_of(BOOT, both, add, {"type": "par"}, both))
    assert texts(first)[:3] == [
        "boot-block 2 online none node0 whole boot",
        "boot-also 2 node1",
        "boot-zone node1 DMA32 2 2",
    ]
    assert texts(second)[2:4] == ["boot-resumed", "boot-device 4 5"]
    assert {"kernel 6.12", "last-block 2", "last-node 1", "boot-option quiet"} <= set(first.facts)


def test_the_files_of_a_block_that_never_change_are_shown_where_an_observation_has_them() -> None:
    full = [{"id": 0, "state": "online", "phys_index": "0000000a", "phys_device": "0", "removable": "1"}]
    run = sysfs({**seen(b0=ONLINE), "full": full})
    shown = [record.text for record in run.records if record.observes]
    assert shown[3:6] == ["memory0/phys_index=10", "memory0/phys_device=0", "memory0/removable=1"]


def test_the_pages_of_auto_movable_are_those_of_boot_memory() -> None:
    options = ("online_policy:auto-movable", "auto_movable_ratio:201", "auto_movable_numa_aware:N")
    info = "\n".join((BOOT["info"], *(f"/sys/module/memory_hotplug/parameters/{each}" for each in options)))
    added = ["online", "Normal", "1", "node0"]
    zones = [[0, "DMA32", 0, 9, 90000, 9], [0, "Normal", 0, 9, 32768, 9], [0, "Movable", 0, 9, 65536, 9]]
    (run,) = sysfs_rows.records_of(
        lines_of({**BOOT, "info": info}, {**seen(b0=ONLINE, b9=added), "zones": zones})
    )
    assert run.facts[-2:] == ("auto-movable 201 N 32768", "boot-pages node0 90000 65536")


def test_a_row_of_a_type_that_nobody_knows_is_shown_as_unmapped() -> None:
    assert texts(sysfs(seen(b0=ONLINE), {"type": "weather"}))[-1] == "row of type weather"


SPOILT: tuple[object, ...] = (None, -1, 2.5, "x", [], {}, [[]], {"x": 1}, True)


def problems_of(rows: list[Row]) -> list[str]:
    try:
        sysfs_rows.records_of(lines_of(*rows))
    except SpecError as error:
        return [each.message for each in error.diagnostics]
    return []


def test_a_row_that_is_spoilt_anywhere_is_read_or_told_with_its_line() -> None:
    add = {
        "type": "op",
        "op": "hotadd",
        "dev": "d",
        "mb": 128,
        "addr": 1 << 29,
        "node": 0,
        "blocks": [4],
        "ost": {},
    }
    rows: list[Row] = [
        BOOT,
        {**seen(b0=ONLINE), "zones": [[0, "DMA32", 0, 9, 9, 9]], "full": [{"id": 0}]},
        {"type": "op", "op": "write", "target": "memory0/state", "value": "online", "errno": 0},
        {"type": "op", "op": "read", "target": "memory0/state", "value": "online", "errno": 0},
        add,
        {"type": "op", "op": "hotremove", "dev": "d", "deleted": True},
        {"type": "parop", "t0": 1.0},
    ]
    told = 0
    for number, row in enumerate(rows):
        for key in row:
            for wrong in SPOILT:
                changed = [*rows[:number], {**row, key: wrong}, *rows[number + 1 :]]
                problems = problems_of(changed)
                told += bool(problems)
                assert all(each.startswith(f"line {number + 1}:") for each in problems)
    assert told > 40


# --- lock rows -----------------------------------------------------------------------------------


def test_what_returns_is_told_with_the_call_that_it_ends() -> None:
    sequence = [
        "write(",
        "device_online(memory9)",
        "online_pages()",
        "online_pages=0",
        "device_online=-16",
        ")=-16",
    ]
    row = {"task": "a", "pid": 1, "trace": 3, "kernel": "6.12", "seq": sequence}
    (run,) = lock_rows.records_of(lines_of(row))
    assert [record.text for record in run.records] == [
        "write(", "device_online(memory9)", "online_pages()", "online_pages=0", "device_online(memory9)=-EBUSY",
        "write=-EBUSY",
    ]  # fmt: skip
    assert run.facts == ("kernel 6.12", "first-block 9", "last-block 9")
    assert run.total


def test_rows_that_do_not_tell_devices_apart_are_refused_by_conform_and_read_for_their_order() -> None:
    row = {
        "task": "a",
        "pid": 1,
        "seq": ["+device_hotplug_lock:try", "~&dev->mutex", "+&dev->mutex", "-&dev->mutex"],
    }
    with pytest.raises(SpecError, match="named by class"):
        lock_rows.records_of(lines_of(row))
    (read,) = lock_events.rows_of(lines_of(row).source)
    assert [(event.action, event.name) for event in read.events] == [
        ("tried", "device_hotplug_lock"), ("note", "~&dev->mutex"), ("got", "&dev->mutex"), ("released", "&dev->mutex"),
    ]  # fmt: skip


def test_a_try_that_got_a_lock_for_reading_is_read() -> None:
    (row,) = lock_events.rows_of(lines_of({"pid": 1, "seq": ["+mem_hotplug_lock:tryread"]}).source)
    assert row.events == (lock_events.Event("tried", "mem_hotplug_lock", "read"),)


@pytest.mark.parametrize(
    ("odd", "thread"),
    [({"task": None, "pid": 5}, "5"), ({"task": "a", "pid": []}, "a"), ({"task": "a"}, "a")],
)
def test_both_readers_of_lock_rows_name_a_thread_alike(odd: Row, thread: str) -> None:
    lines = lines_of({**odd, "seq": []})
    assert [row.thread for row in lock_rows.rows_of(lines)] == [thread]
    assert [row.thread for row in lock_events.rows_of(lines.source)] == [thread]
