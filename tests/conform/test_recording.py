"""The recorder of real kernels: what of it runs without a virtual machine."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.transcript import ROOT

CONFORMANCE = ROOT / "conformance"
sys.path.insert(0, str(CONFORMANCE))

from recorder import kernels, tracing, zones  # noqa: E402

TRACE = Path(__file__).parent / "records" / "online.trace.txt"


def test_the_archive_of_the_root_file_system_is_what_was_put_in(tmp_path: Path) -> None:
    if shutil.which("cpio") is None:
        pytest.skip("cpio is not installed")
    entries = [
        kernels.Entry("bin", 0o040755),
        kernels.Entry("bin/tool", 0o100755, b"tool"),
        kernels.Entry("bin/link", 0o120777, b"tool"),
        kernels.Entry("odd", 0o100644, b"12345"),
    ]
    subprocess.run(["cpio", "-i", "--quiet"], input=kernels.archive(iter(entries)), cwd=tmp_path, check=True)
    assert (tmp_path / "bin/tool").read_bytes() == b"tool"
    assert os.access(tmp_path / "bin/tool", os.X_OK)
    assert (tmp_path / "bin/link").readlink() == Path("tool")
    assert (tmp_path / "odd").read_bytes() == b"12345"


def test_members_of_the_archive_begin_at_multiples_of_four() -> None:
    content = kernels.archive(kernels.Entry("a" * n, 0o100644, b"x" * n) for n in range(1, 6))
    starts = [n for n in range(len(content)) if content.startswith(b"070701", n)]
    assert len(starts) == 6
    assert all(n % 4 == 0 for n in starts)
    assert len(content) % 4 == 0


def test_zones_are_read_as_the_kernel_prints_them() -> None:
    text = """\
Node 0, zone   Normal
        spanned  32768
        present  32768
        managed  31000
  start_pfn:           1048576
Node 0, zone  Movable
        spanned  0
        present  0
        managed  0
Node 0, zone   Device
        spanned  0
        present  0
        managed  0
Node 1, zone    DMA32
        spanned  100
        present  90
        managed  80
  start_pfn:           4096"""
    assert zones.zones(text.splitlines()) == [
        [0, "Normal", 1048576, 32768, 32768, 31000],
        [0, "Movable", None, 0, 0, 0],
        [1, "DMA32", 4096, 100, 90, 80],
    ]


def test_a_trace_becomes_the_sequence_of_its_locks() -> None:
    """The trace is of Linux 6.1: `online` is written to the file `state` of a block."""
    (found,) = tracing.Sequences(enumerated=False).of(TRACE.read_text(encoding="utf-8")).values()
    assert found == (
        "agent",
        [
            *("write(", "+device_hotplug_lock:try", "device_online(memory32)", "+memory32.dev_mutex"),
            *("+cpu_hotplug_lock:R", "+mem_hotplug_lock:W", "online_pages()"),
            *("notify:GOING_ONLINE", "+memory_chain:R", "-memory_chain"),
            *("notify:ONLINE", "+memory_chain:R", "-memory_chain", "online_pages=0"),
            *("-mem_hotplug_lock", "-cpu_hotplug_lock", "-memory32.dev_mutex", "device_online=0"),
            *("-device_hotplug_lock", ")=6"),
        ],
    )


def test_a_refused_try_and_a_negative_result_are_told() -> None:
    text = """
 agt0-7 [000] .....  1.1: sys_write(fd: 3, buf: 1, count: 6)
 agt0-7 [000] .....  1.2: mutex_trylock: (mutex_trylock+0x4/0x30) lock=device_hotplug_lock+0x0/0x20 addr=0x10
 agt0-7 [000] .....  1.3: mutex_trylock__done: (lock_device_hotplug_sysfs+0x1a/0x40 <- mutex_trylock) ret=0
 agt0-7 [000] .....  1.4: sys_write -> 0xfffffffffffffdff
"""
    sequences = tracing.Sequences(enumerated=False).of(text)
    assert sequences == {7: ("agt0", ["write(", "!device_hotplug_lock:try", ")=-513"])}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return what asks the agent, which runs here, over a pseudo terminal."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    program = tmp_path_factory.mktemp("agent") / "agent"
    source = str(CONFORMANCE / "guest/agent.c")
    subprocess.run(["gcc", "-O1", "-pthread", "-o", str(program), source], check=True)
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    process = subprocess.Popen([str(program), os.ttyname(theirs)])
    with os.fdopen(ours, "rb+", buffering=0) as line:

        def answer() -> dict[str, Any]:
            text = b""
            while not text.endswith(b"\n"):
                text += line.read(1)
            return json.loads(text)  # type: ignore[no-any-return]

        def ask(*lines: str) -> dict[str, Any]:
            line.write("".join(f"{each}\n" for each in lines).encode())
            return answer()

        assert "hello" in answer()
        yield ask
        process.kill()
        process.wait()
    os.close(theirs)


def test_the_agent_writes_and_reads_files(agent: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    written = agent(f"write 0 {file} {b'online'.hex()}")
    assert (written["op"], written["ret"], written["errno"], written["data"]) == ("write", 6, 0, "online")
    assert file.read_text() == "online"
    read = agent(f"read {file}")
    assert (read["op"], read["ret"], read["data"]) == ("read", 6, "online")
    refused = agent(f"read {tmp_path / 'nothing'}")
    assert (refused["ret"], refused["errno"], refused["open_errno"]) == (-1, 2, 2)


def test_the_agent_runs_threads_side_by_side(agent: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    a, b = b"a".hex(), b"b".hex()
    started = agent(
        "threads 2", f"-1 alternate,{file},{a},{b},3;read,{file},2", f"-1 sleep,10;appear,{file},{a},1"
    )
    assert started == {"threads": 2}
    done = agent("join 5000")
    assert done["signals"] == 0
    shown = {n: [(o["op"], o["data"]) for o in done["ops"] if o["thr"] == n] for n in (0, 1)}
    assert [op for op, _ in shown[0]] == ["write"] * 3 + ["read"] * 2
    assert [data for op, data in shown[0] if op == "write"] == ["a", "b", "a"]
    assert shown[1] == [("write", "a")]
    assert [o["s0"] for o in done["ops"]] == sorted(o["s0"] for o in done["ops"])


def test_the_agent_shows_lines_and_runs_commands(agent: Any, tmp_path: Path) -> None:
    file = tmp_path / "zones"
    file.write_text("Node 0\n  spanned  1\n  other 2\n")
    assert agent(f"lines {file} Node spanned") == {"lines": ["Node 0", "  spanned  1"]}
    assert agent("shell echo one; echo two") == {"out": "one\ntwo\n", "rc": 0}
    assert agent("nonsense") == {"error": "no such command"}


def test_every_scenario_says_what_it_does() -> None:
    for name in ("scenarios", "traced_scenarios"):
        text = (CONFORMANCE / f"recorder/{name}.py").read_text(encoding="utf-8")
        heads = [line for line in text.splitlines() if line.startswith("def ") and "ession)" in line]
        assert heads
        for head in heads:
            if not head.startswith("def _"):
                assert text.split(head, 1)[1].lstrip().startswith('"""'), head
