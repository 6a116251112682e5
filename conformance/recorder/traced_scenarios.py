"""What is asked of a kernel whose locks are traced: operations alone, and against each other."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from recorder import tracing
from recorder.kernels import Kernel
from recorder.machine import Setting
from recorder.session import BLOCK, MEMORY, Script, Session, path_of

PACKED = "/tmp/trace.gz"  # noqa: S108  (in the guest, which has one user)
CPU = "/sys/devices/system/cpu/cpu1/online"


class TracedSession(Session):
    """A session whose operations are traced; beside its rows it writes those of `locks-NAME.jsonl`."""

    def __init__(self, name: str, kernel: Kernel, setting: Setting, folder: Path) -> None:
        super().__init__(name, kernel, setting, folder)
        self._traces = 0
        self._sequences: tracing.Sequences
        self._locks: TextIO

    def record(self, scenarios: Iterable[Callable[[Session], None]]) -> None:
        """Boot, and run the scenarios."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"locks-{self.name}.jsonl").open("w", encoding="utf-8") as self._locks:
            super().record(scenarios)

    def boot(self) -> None:
        """Start the machine, and set the probes up."""
        super().boot()
        self._sequences = tracing.Sequences(enumerated=self.kernel.series != "6.1")
        for command in tracing.commands():
            self.machine.shell(command)

    @contextmanager
    def trace(self, label: str) -> Iterator[None]:
        """Trace what is done inside; keep the sequences of locks, a thread a row."""
        first = self.number + 1
        self.machine.shell(f"echo > {tracing.TRACING}/trace; echo 1 > {tracing.TRACING}/tracing_on")
        try:
            yield
        finally:
            self._traces += 1
            text = self._traced()
        for pid, (task, sequence) in self._sequences.of(text).items():
            row = {
                "config": self.name,
                "kernel": self.kernel.series,
                "scen": self.scenario,
                "label": label,
                "trace": self._traces,
                "op_seq_from": first,
                "op_seq_to": self.number,
                "pid": pid,
                "task": task,
                "seq": sequence,
            }
            self._locks.write(json.dumps(row) + "\n")
        self._locks.flush()
        self.row("trace", label=label, trace=self._traces, lost="LOST" in text)

    def _traced(self) -> str:
        command = f"echo 0 > {tracing.TRACING}/tracing_on; gzip -c < {tracing.TRACING}/trace > {PACKED}"
        self.machine.shell(command, 240)
        packed = self.machine.file(PACKED, 240)
        (self.folder / "machines" / f"{self.name}.trace{self._traces}.gz").write_bytes(packed)
        return gzip.decompress(packed).decode("latin1")

    def together(self, label: str, why: str, *scripts: str) -> None:
        """Trace threads that run side by side, on the two processors in turn."""
        with self.trace(label):
            self.threads(Script(number % 2, steps) for number, steps in enumerate(scripts))
            self.join(why, look=False)
        self.observe()


def _session(session: Session) -> TracedSession:
    assert isinstance(session, TracedSession)
    return session


def _hex(text: str) -> str:
    return text.encode().hex()


def _toggle(
    block: int, times: int, first: str = "online_movable", second: str = "offline", file: str = "state"
) -> str:
    return f"alternate,{path_of(block, file)},{_hex(first)},{_hex(second)},{times}"


def _plugged(session: TracedSession, blocks: int = 2) -> int:
    address = session.first_address()
    session.add("d1", blocks * 128, address)
    return address // BLOCK


def alone(plain: Session) -> None:
    """Every operation, with nothing else going on."""
    session = _session(plain)
    address = session.first_address()
    block = address // BLOCK
    with session.trace("add"):
        session.add("d1", 256, address, look=False)
    session.observe()
    for file in ("state", "valid_zones", "online"):
        with session.trace(f"read_{file}"):
            session.read(block, file)
    writes = (
        "nonsense",
        "online",
        "online",
        "offline",
        "offline",
        "online_kernel",
        "offline",
        "online_movable",
    )
    for number, word in enumerate(writes):
        with session.trace(f"{word}{number}"):
            session.write(block, word, look=False)
    for text in ("0", "1"):
        with session.trace(f"file_{text}"):
            session.write(block, text, "online", look=False)
    with session.trace("remove"):
        session.remove("d1", look=False)
    session.policy("online_movable")
    with session.trace("add_online"):
        session.add("d2", 256, address, look=False)
    session.observe()
    for event, number in (("GOING_OFFLINE", -16), ("GOING_OFFLINE", 0)):
        session.inject(event, number)
        with session.trace(f"remove_{event}{number}"):
            session.remove("d2", look=False)
    for text in ("0", "1"):
        with session.trace(f"cpu_{text}"):
            session.write(CPU, text, look=False)
    for number in (0, 1):
        with session.trace(f"boot_block{number}"):
            session.write(number, "offline", look=False)
        session.write(number, "online")


def same_block(plain: Session) -> None:
    """Two threads bring one block online, each to another zone."""
    session = _session(plain)
    block = _plugged(session)
    for number in range(4):
        scripts = (f"write,{path_of(block)},{_hex(word)}" for word in ("online_kernel", "online_movable"))
        session.together(f"round{number}", "one block, two zones", *scripts)
        session.write(block, "offline", look=False)


def own_blocks(plain: Session) -> None:
    """Each thread has its own block."""
    session = _session(plain)
    block = _plugged(session)
    session.together("loop", "own blocks", _toggle(block, 8), _toggle(block + 1, 8))


def state_and_online(plain: Session) -> None:
    """One thread writes `state`, the other `online`, of one block."""
    session = _session(plain)
    block = _plugged(session)
    session.together("loop", "two files", _toggle(block, 8), _toggle(block, 8, "1", "0", "online"))


def readers(plain: Session) -> None:
    """Two threads read what a third changes."""
    session = _session(plain)
    block = _plugged(session)
    lockless = f"read,{path_of(block)};read,{path_of(block, 'valid_zones')};sleep,300;"
    waiting = f"read,{path_of(block, 'online')};sleep,500;"
    session.together("loop", "readers", _toggle(block, 10), lockless * 20, waiting * 12)


def block_and_processor(plain: Session) -> None:
    """A block and a processor come and go."""
    session = _session(plain)
    block = _plugged(session)
    processor = f"alternate,{CPU},{_hex('0')},{_hex('1')},4"
    with session.trace("loop"):
        session.threads((Script(0, _toggle(block, 8)), Script(0, processor)))
        session.join("CPU hotplug", look=False)
    session.write(CPU, "1", look=False)


def early_writers(plain: Session) -> None:
    """Threads that write to a block's file as soon as it is there."""
    session = _session(plain)
    for number, policy in enumerate(("offline", "online_movable")):
        session.policy(policy, look=False)
        address = session.first_address()
        block = address // BLOCK
        with session.trace(f"round{number}_{policy}"):
            session.threads(
                Script(n, f"appear,{path_of(block + n)},{_hex(word)},3")
                for n, word in enumerate(("online_movable", "online_kernel"))
            )
            session.told("d1", session.plug("d1", 256, address))
            session.join("early writers", 2000, look=False)
        session.observe()
        session.clear()


def writers_and_ejection(plain: Session) -> None:
    """Threads write while the device is asked to go; who is inside then gets ENODEV."""
    session = _session(plain)
    for number in range(2):
        block = _plugged(session)
        with session.trace(f"round{number}"):
            session.threads((Script(0, _toggle(block, 300)), Script(1, _toggle(block + 1, 300))))
            time.sleep(0.15)
            before = len(session.machine.events)
            session.machine.execute("device_del", id="d1")
            session.removed("d1", before, 15, look=False)
            session.join("writers against an ejection", 3000, look=False)
        session.observe()
        session.clear()


def policy_rewritten(plain: Session) -> None:
    """The policy changes while a device of four blocks is added: it is read for each block, without a lock."""
    session = _session(plain)
    address = session.first_address()
    file = f"{MEMORY}/auto_online_blocks"
    with session.trace("loop"):
        session.threads([Script(0, f"alternate,{file},{_hex('online_kernel')},{_hex('online_movable')},200")])
        session.told("d1", session.plug("d1", 512, address))
        session.join("the policy rewritten", 1500, look=False)
    session.observe()
    session.policy("offline", look=False)


SCENARIOS = (
    *(alone, same_block, own_blocks, state_and_online, readers, block_and_processor, early_writers),
    *(writers_and_ejection, policy_rewritten),
)
CONFIGURATIONS = {"traced": Setting(memory="4608M", most="16G"), "traced_small": Setting()}
