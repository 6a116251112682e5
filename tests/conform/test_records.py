"""Records of real kernels conform to the specifications of memory hotplug, and deliberate mistakes do not.

The records are cuts: what the adapters do not read is left out, and whole boots.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import modelcheck
from modelcheck import pipeline, records
from modelcheck.analysis.conformity import conforming
from tests.transcript import ROOT

RECORDS = Path(__file__).parent / "records"
SPECS = ROOT / "specs/memory_hotplug"

SYSFS = {
    "small": (6, 513),
    "normal": (2, 248),
    "movnode": (3, 462),
    "kernelcore": (1, 155),
    "numa": (3, 259),
    "mhp_online": (1, 128),
    "mhp_bad": (2, 173),
    "k612": (5, 505),
    "pinlong": (1, 33),
    "probe": (1, 86),
    "auto_movable": (1, 91),
    "numaodd": (2, 150),
    "broken_pages": (1, 101),
}
"""How many logs and items each record has."""

QUICK = ("pinlong", "probe", "mhp_bad", "broken_pages")


def mutant(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """Write a specification with some of its text changed."""
    text = (SPECS / f"{name}.mck").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) >= 1, f"{old!r} is not in {name}.mck"
        text = text.replace(old, new)
    path = folder / f"{name}.mck"
    path.write_text(text, encoding="utf-8")
    return path


def sysfs(record: str, specification: Path | None = None) -> modelcheck.ConformReport:
    return modelcheck.conform(
        specification or SPECS / "sysfs_answers.mck",
        RECORDS / f"{record}.jsonl",
        mapping=SPECS / "sysfs_answers.toml",
    )


@pytest.mark.parametrize(
    "record", [r if r in QUICK else pytest.param(r, marks=pytest.mark.slow) for r in SYSFS]
)
def test_what_sysfs_answered_conforms(record: str) -> None:
    report = sysfs(record)
    assert [log.verdict for log in report.logs] == ["conforms"] * SYSFS[record][0]
    assert sum(log.explained for log in report.logs) == SYSFS[record][1]
    assert {text for log in report.logs for text in log.log.unmapped} == set()


@pytest.mark.slow
def test_the_locks_of_a_traced_kernel_conform() -> None:
    report = modelcheck.conform(
        SPECS / "lock_sequences.mck", RECORDS / "locks.jsonl", mapping=SPECS / "lock_sequences.toml"
    )
    assert [log.verdict for log in report.logs] == ["conforms"] * 37
    assert sum(log.explained for log in report.logs) == 1224


def test_the_locks_of_a_traced_6_12_conform_and_are_not_those_of_6_1() -> None:
    files = SPECS / "lock_sequences.mck", RECORDS / "locks_612.jsonl", SPECS / "lock_sequences.toml"
    report = records.conform(*files)
    assert [log.verdict for log in report.logs] == ["conforms"] * 4
    assert sum(log.explained for log in report.logs) == 192
    as_6_1 = records.conform(*files, pipeline.Options({"PREPARES": "false"}))
    assert [log.verdict for log in as_6_1.logs] == ["conforms", "differs", "differs", "conforms"]


def test_the_device_of_a_node_that_comes_and_goes_is_seen() -> None:
    report = records.conform(
        SPECS / "lock_sequences.mck", RECORDS / "locks_node.jsonl", SPECS / "lock_sequences.toml"
    )
    assert [(log.verdict, log.explained) for log in report.logs] == [("conforms", 30), ("conforms", 35)]
    assert {text for log in report.logs for text in log.log.unmapped} == set()


def test_the_order_of_locks_of_a_traced_kernel_is_that_of_the_specification() -> None:
    compared = records.compared_order(
        SPECS / "lock_sequences.mck", RECORDS / "locks.jsonl", SPECS / "lock_sequences.toml"
    )
    assert compared.mismatches == ()
    assert compared.only_log == ()
    assert ("dev_mutex", "mem_hotplug_lock") in compared.edges
    assert ("mem_hotplug_lock", "dev_mutex") in compared.edges


# --- deliberate mistakes -------------------------------------------------------------------------


def test_a_default_zone_by_adjacency_instead_of_span_is_caught(tmp_path: Path) -> None:
    wrong = mutant(
        tmp_path,
        "sysfs_answers",
        (
            "first[n][z] <= b && b <= last[n][z];\n}",
            "first[n][z] == b + 1 || (first[n][z] != EMPTY && last[n][z] + 1 == b);\n}",
        ),
    )
    assert sysfs("mhp_bad").exit_code == 0
    report = sysfs("mhp_bad", wrong)
    assert report.exit_code == 1
    assert any(
        name.startswith("valid_zones") for log in report.logs for e in log.endings for name, _, _ in e.wrong
    )


def test_a_type_that_a_refused_write_does_not_leave_behind_is_caught(tmp_path: Path) -> None:
    stays = "if (state[b] == online) { return -EINVAL; }  // the type stays"
    forgotten = "if (state[b] == online) { online_type[b] = unset; return -EINVAL; }"
    wrong = mutant(tmp_path, "sysfs_answers", (stays, forgotten))
    report = sysfs("normal", wrong)
    assert [log.verdict for log in report.logs] == ["conforms", "differs"]
    assert ("valid_zones[48]", "only_Normal", "only_Movable") in report.logs[1].endings[0].wrong


def test_an_eject_that_puts_blocks_back_into_their_old_zone_is_caught(tmp_path: Path) -> None:
    wrong = mutant(
        tmp_path,
        "sysfs_answers",
        ("if (back[i]) {\n", "if (back[i]) {\n            online_type[i] = movable;\n"),
    )
    report = sysfs("small", wrong)
    assert "differs" in [log.verdict for log in report.logs]


def test_the_boot_option_movable_node_matters(tmp_path: Path) -> None:
    wrong = mutant(tmp_path, "sysfs_answers", ("if (MOVABLE_NODE) { return Movable; }", ""))
    assert sysfs("movnode", wrong).exit_code == 1


@pytest.mark.slow
def test_the_ratio_of_auto_movable_matters(tmp_path: Path) -> None:
    wrong = mutant(tmp_path, "sysfs_answers", ("RATIO * kernel_in_all / 100", "RATIO * kernel_in_all / 200"))
    assert sysfs("auto_movable", wrong).exit_code == 1


@pytest.mark.parametrize("order", [True, False])
def test_block_devices_removed_inside_mem_hotplug_lock_are_caught(order: bool) -> None:
    options = pipeline.Options({"DEVICES_INSIDE": "true"})
    files = SPECS / "lock_sequences.mck", RECORDS / "locks.jsonl", SPECS / "lock_sequences.toml"
    if order:
        compared = records.compared_order(*files, options)
        assert compared.exit_code == 1
        assert {each.events[-1] for each in compared.mismatches} == {"emit device_del"}
    else:
        (removal,) = (log for model, log in records.logs(*files, options) if "hotremove_offline" in log.name)
        model = modelcheck.load(files[0], DEVICES_INSIDE=True)
        report = conforming(model, removal, options.limits)
        assert report.verdict == "differs"
        assert report.next_items[0].event == "emit device_del(48)"
        assert report.allowed == ("acpi: +cpu_hotplug_lock:read",)


@pytest.mark.parametrize(
    ("shown", "verdict", "wrong"),
    [
        ({"phys_index": "00000010", "phys_device": "0", "removable": "1"}, "conforms", ()),
        ({"phys_index": "0000000f"}, "differs", (("phys_index[16]", "16", "15"),)),
        ({"removable": "0"}, "differs", (("removable[16]", "true", "false"),)),
    ],
)
def test_what_the_files_that_never_change_show_is_compared(
    shown: dict[str, str], verdict: str, wrong: tuple[tuple[str, str, str], ...], tmp_path: Path
) -> None:
    boot = {"type": "boot", "kernel": "6.1", "cmdline": "", "info": "8000000\n00000000-0fffffff : System RAM"}
    seen = {
        "type": "obs",
        "auto": "offline",
        "blocks": {"1": ["online", "DMA32", "1", "node0"], "16": ["offline", "Normal Movable", "0", "node0"]},
        "zones": [[0, "DMA32", 32768, 32768, 32768, 1]],
        "full": [{"id": 16, **shown}],
    }
    record = tmp_path / "rows.jsonl"
    record.write_text("\n".join(json.dumps(row) for row in (boot, seen)), encoding="utf-8")
    (log,) = modelcheck.conform(
        SPECS / "sysfs_answers.mck", record, mapping=SPECS / "sysfs_answers.toml"
    ).logs
    assert log.verdict == verdict
    assert tuple(each for ending in log.endings for each in ending.wrong) == wrong


@pytest.mark.parametrize(("others", "verdicts"), [(True, ["conforms", "conforms"]), (False, ["differs"])])
def test_a_type_that_other_threads_may_have_left_behind_is_not_known(
    others: bool, verdicts: list[str], tmp_path: Path
) -> None:
    """Written to `online`, a block takes the zone of an earlier refused write; several threads' writes are not read."""
    boot = {"type": "boot", "kernel": "6.1", "cmdline": "", "info": "8000000\n00000000-07ffffff : System RAM"}

    def seen(block: list[str], movable: list[object]) -> dict[str, object]:
        zones = [[0, "DMA32", 0, 32768, 32768, 1], [0, "Normal", None, 0, 0, 0], [0, "Movable", *movable]]
        blocks = {"0": ["online", "DMA32", "1", "node0"], "2": block}
        return {"type": "obs", "auto": "offline", "blocks": blocks, "zones": zones}

    before = seen(["offline", "Normal Movable", "0", "node0"], [None, 0, 0, 0])
    after = seen(["online", "Movable", "1", "node0"], [65536, 32768, 32768, 1])
    write = {"type": "op", "op": "write", "target": "memory2/online", "value": "1", "errno": 0}
    rows = [boot, before, *([{"type": "par"}, before] if others else []), write, after]
    record = tmp_path / "rows.jsonl"
    record.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    report = modelcheck.conform(SPECS / "sysfs_answers.mck", record, mapping=SPECS / "sysfs_answers.toml")
    assert [log.verdict for log in report.logs] == verdicts


@pytest.mark.parametrize("shared", [True, False])
def test_a_block_that_lies_in_two_nodes_stays_in_the_spans_of_both(shared: bool, tmp_path: Path) -> None:
    boot = {"type": "boot", "kernel": "6.1", "cmdline": "", "info": "8000000\n00000000-1fffffff : System RAM"}
    both = ["online", "none", "1", "node0", *(["node1"] if shared else [])]
    here = {str(n): ["online", "DMA32", "1", "node0"] for n in (0, 1)}

    def seen(last: list[str], pages: int) -> dict[str, object]:
        zones = [[0, "DMA32", 0, 81920, 81920, 1], [1, "DMA32", 81920, pages, pages, 1]]
        return {"type": "obs", "auto": "offline", "blocks": {**here, "2": both, "3": last}, "zones": zones}

    write = {"type": "op", "op": "write", "target": "memory3/state", "value": "offline", "errno": 0}
    before = seen(["online", "DMA32", "1", "node1"], 49152)
    after = seen(["offline", "Normal Movable", "0", "node1"], 16384)
    record = tmp_path / "rows.jsonl"
    record.write_text("\n".join(json.dumps(row) for row in (boot, before, write, after)), encoding="utf-8")
    report = modelcheck.conform(SPECS / "sysfs_answers.mck", record, mapping=SPECS / "sysfs_answers.toml")
    assert [log.verdict for log in report.logs] == ["conforms" if shared else "differs"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('["online"', '["going-offline"', "`going-offline` is no value of State"),
        ('"auto":"offline"', '"auto":"never"', "`never` is no value of Policy"),
    ],
)
def test_what_a_file_cannot_show_is_no_record_to_leave_out(
    old: str, new: str, problem: str, tmp_path: Path
) -> None:
    text = (RECORDS / "numa.jsonl").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "altered.jsonl").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(modelcheck.SpecError) as raised:
        modelcheck.conform(
            SPECS / "sysfs_answers.mck", tmp_path / "altered.jsonl", mapping=SPECS / "sysfs_answers.toml"
        )
    assert all(each.message.endswith(problem) for each in raised.value.diagnostics)
