"""A recording: operations on a machine, each with its answer and what sysfs shows afterwards, a JSON object a line.

The rows are those that the adapter `sysfs` reads (modelcheck/logs/sysfs_rows.py); README.md lists them.
"""

from __future__ import annotations

import errno
import itertools
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from qemu.qmp import ExecuteError

from recorder.kernels import Kernel
from recorder.machine import Event, Machine, MachineError, Setting
from recorder.zones import zones

MEMORY = "/sys/devices/system/memory"
NODES = "/sys/devices/system/node"
INJECT = "/sys/kernel/debug/notifier-error-inject/memory/actions"
MIB = 1 << 20
BLOCK = 128 * MIB
"""Bytes of a memory block (x86 with less than 64 GiB)."""

SHOWN = ("state", "valid_zones", "online")
CONSTANT = ("phys_index", "phys_device", "removable")
TRIES = 3
"""How often a device is asked to go before the machine is started anew: what is in its memory may move meanwhile."""

EJECT_REQUESTS = (0x03, 0x103)
IN_PROGRESS = 0x84
"""ACPI 6.4, 6.3.5: sources and statuses of _OST."""

AT_BOOT = (
    f"uname -a; cat {MEMORY}/block_size_bytes {MEMORY}/auto_online_blocks; grep -i ram /proc/iomem;"
    ' grep "" /sys/module/memory_hotplug/parameters/*'
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Script:
    """What a thread of the guest does: on which processor, and its steps (see agent.c)."""

    processor: int
    steps: str


def path_of(target: str | int, file: str = "state") -> str:
    """Return the path of a block's file, of a file beside the blocks, or of any other as it is."""
    if isinstance(target, int):
        return f"{MEMORY}/memory{target}/{file}"
    return target if target.startswith("/") else f"{MEMORY}/{target}"


class Session:
    """Records a configuration into a file; the machine is started anew where a scenario leaves something behind."""

    def __init__(self, name: str, kernel: Kernel, setting: Setting, folder: Path) -> None:
        self.name = name
        self.kernel = kernel
        self.setting = setting
        self.folder = folder
        self.devices: dict[str, int] = {}
        self.seen: Row = {}
        self.scenario = ""
        self.machine: Machine
        self._boots = 0
        self._numbers = itertools.count(1)
        self.number = 0
        self._output: TextIO
        self._first_address: int | None = None
        self._policy = ""

    def record(self, scenarios: Iterable[Callable[[Session], None]]) -> None:
        """Boot, and run the scenarios; one that fails is noted, and the next begins with a new machine."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{self.name}.jsonl").open("w", encoding="utf-8") as self._output:
            self.boot()
            try:
                for scenario in scenarios:
                    self._run(scenario)
            finally:
                self.machine.close()

    def _run(self, scenario: Callable[[Session], None]) -> None:
        self.scenario = scenario.__name__
        start = time.monotonic()
        self.row("scenario", desc=(scenario.__doc__ or "").strip())
        try:
            scenario(self)
        except (MachineError, ExecuteError, KeyError) as error:
            self.row("note", text=f"the scenario broke off: {error!r}")
            self.boot()
        else:
            self.row("scenario_end", dur_s=round(time.monotonic() - start, 2))
            self.clear()

    def boot(self) -> None:
        """Start the machine, again if it runs."""
        if self._boots:
            self.machine.close()
        self._boots += 1
        self.machine = Machine(
            self.kernel, self.setting, self.folder / "machines" / f"{self.name}.{self._boots}"
        )
        self.devices = {}
        self._first_address = None
        self.row(
            "boot",
            boot_s=round(self.machine.boot_seconds, 2),
            cmdline=self.setting.boot,
            qemu=" ".join(self.machine.command),
            info=self.machine.shell(AT_BOOT),
        )
        self.observe(whole=True)
        self._policy = str(self.seen["auto"])

    def clear(self) -> None:
        """Take out all devices, or boot again where the kernel does not let one go."""
        try:
            self.machine.ask("unpin")
            for event in ("MEM_GOING_ONLINE", "MEM_GOING_OFFLINE"):
                self.machine.shell(f"echo 0 > {INJECT}/{event}/error")
            for device in list(self.devices):
                any(self.remove(device, look=False) for _ in range(TRIES))
            if self.devices:
                self.boot()
            elif self.machine.ask(f"read {MEMORY}/auto_online_blocks")["data"].strip() != self._policy:
                self.policy(self._policy, look=False)
        except (MachineError, ExecuteError) as error:
            self.row("note", text=f"no way back: {error!r}")
            self.boot()

    # --- rows

    def row(self, kind: str, **content: object) -> None:
        """Write a row."""
        self.number = next(self._numbers)
        head = {"seq": self.number, "config": self.name, "kernel": self.kernel.series, "scen": self.scenario}
        self._output.write(json.dumps({**head, "type": kind, **content}) + "\n")
        self._output.flush()

    def observe(self, *, whole: bool = False, blocked: bool = False) -> Row:
        """Record what sysfs shows: `whole` with the constant files, `blocked` without `online`, which waits."""
        files = SHOWN[:2] if blocked else SHOWN + (CONSTANT if whole else ())
        answer = self.machine.ask(f"observe {' '.join(files)}")
        words = "Node spanned present managed start_pfn"
        self.seen = {
            "t": answer["t"],
            "auto": self._text(f"{MEMORY}/auto_online_blocks"),
            "blocks": {
                str(block["id"]): [block["state"], block["valid_zones"], block.get("online"), *block["nodes"]]
                for block in answer["blocks"]
            },
            "zones": zones(self.machine.ask(f"lines /proc/zoneinfo {words}")["lines"]),
            **{file: self._text(f"{NODES}/{file}") for file in ("has_memory", "has_normal_memory")},
            "nodes_online": self._text(f"{NODES}/online"),
            **({"full": answer["blocks"]} if whole else {}),
        }
        self.row("obs", **self.seen)
        return self.seen

    def _text(self, path: str) -> str:
        return str(self.machine.ask(f"read {path}")["data"]).strip()

    # --- operations

    def write(
        self, target: str | int, text: str | bytes, file: str = "state", *, look: bool = True, signal: int = 0
    ) -> Row:
        """Write to a block's file or another; a signal comes after so many milliseconds (0: none)."""
        data = text if isinstance(text, bytes) else text.encode()
        patience = 60 + signal / 1000
        path = path_of(target, file)
        answer = self.machine.ask(f"write {signal} {path} {data.hex()}".strip(), patience)
        operation = self._operation(answer, **({"sig_ms": signal} if signal else {}))
        self.row("op", **operation)
        if look:
            self.observe()
        return operation

    def read(self, target: str | int, file: str = "state") -> None:
        """Read a file."""
        self.row("op", **self._operation(self.machine.ask(f"read {path_of(target, file)}")))

    def _operation(self, answer: Row, **more: object) -> Row:
        code = answer["errno"]
        return {
            "op": answer["op"],
            "target": answer["path"].removeprefix(f"{MEMORY}/"),
            "value": answer["data"],
            "errno": errno.errorcode.get(code, code) if code else 0,
            "open_failed": bool(answer["open_errno"]),
            **{key: answer[key] for key in ("ret", "t0", "t1", "pid", "cpu0", "cpu1")},
            "dur_ms": round((answer["t1"] - answer["t0"]) * 1000, 3),
            **more,
        }

    def policy(self, word: str | bytes, *, look: bool = True) -> None:
        """Write the policy for memory that is added."""
        self.write("auto_online_blocks", word, look=look)

    def inject(self, event: str, number: int) -> None:
        """Make a memory notifier answer an error (0: none any more)."""
        self.write(f"{INJECT}/MEM_{event}/error", str(number), look=False)

    def threads(self, scripts: Iterable[Script]) -> None:
        """Start threads of the guest; `join` records what they did."""
        lines = tuple(f"{each.processor} {each.steps}" for each in scripts)
        self.machine.ask(f"threads {len(lines)}", more=lines)

    def join(self, why: str, milliseconds: int = 30_000, *, look: bool = True) -> None:
        """Wait for the threads, whom a signal interrupts after a time; record their operations."""
        answer = self.machine.ask(f"join {milliseconds}", milliseconds / 1000 + 60)
        if "pending" in answer:
            raise MachineError(f"{answer['pending']} threads do not end")
        self.row("par", desc=why, timeout_signals=answer["signals"], n_ops=len(answer["ops"]))
        for each in answer["ops"]:
            more = {key: each[key] for key in ("thr", "s0", "s1")}
            self.row("parop", **self._operation(each, **more))
        if look:
            self.observe()

    def pin(self, low: int, high: int, megabytes: int = 200, pages: int = 1) -> int | None:
        """Fill memory and keep references to some pages between two addresses; return the block of the first."""
        answer = self.machine.ask(f"pin {low >> 12:x} {high >> 12:x} {megabytes} {pages}", 120)
        self.row("op", **answer)
        return (answer["first_pfn"] << 12) // BLOCK if answer["pinned"] else None

    def unpin(self) -> None:
        """Give the pages back."""
        self.machine.ask("unpin")

    # --- memory devices

    def first_address(self) -> int:
        """Return where the machine puts the first device."""
        if self._first_address is None:
            self.add("first", 128, None, look=False)
            self._first_address = self.devices["first"]
            self.remove("first", look=False)
        return self._first_address

    def plug(self, device: str, megabytes: int, address: int | None = None, node: int | None = None) -> int:
        """Plug a device in without waiting; return how many events there were before."""
        machine, before = self.machine, len(self.machine.events)
        machine.execute("object-add", qom_type="memory-backend-ram", id=f"m_{device}", size=megabytes * MIB)
        where = {} if address is None else {"addr": address}
        on = {} if node is None else {"node": node}
        try:
            machine.execute("device_add", driver="pc-dimm", id=device, memdev=f"m_{device}", **where, **on)
        except ExecuteError:
            machine.execute("object-del", id=f"m_{device}")
            raise
        self.devices[device] = next(
            each["data"]["addr"]
            for each in machine.execute("query-memory-devices")
            if each["data"]["id"] == device
        )
        return before

    def add(
        self,
        device: str,
        megabytes: int,
        address: int | None,
        node: int | None = None,
        *,
        look: bool = True,
    ) -> None:
        """Plug a device in and wait for what the kernel tells the firmware."""
        given = {"dev": device, "mb": megabytes, "node": node}
        try:
            before = self.plug(device, megabytes, address, node)
        except ExecuteError as error:
            self.row("op", op="hotadd", **given, addr=address, qmp_error=str(error))
            return
        told = self.told(device, before)
        start = self.devices[device]
        blocks = range(start // BLOCK, -(-(start + megabytes * MIB) // BLOCK))
        self.row("op", op="hotadd", **given, addr=start, blocks=list(blocks), ost=told)
        if look:
            self.observe()

    def told(self, device: str, since: int, seconds: float = 25) -> Row | None:
        """Return what the kernel told the firmware of a device in the end."""

        def final(event: Event) -> bool:
            info = event.get("data", {}).get("info", {})
            own = event["event"] == "ACPI_DEVICE_OST" and info.get("device") == device
            return own and bool(info["status"] != IN_PROGRESS)

        found = self.machine.await_event(final, seconds, since)
        return found["data"]["info"] if found else None

    def remove(self, device: str, *, look: bool = True) -> bool:
        """Ask the kernel to let a device go; return whether it did."""
        before = len(self.machine.events)
        try:
            self.machine.execute("device_del", id=device)
        except ExecuteError as error:
            self.row("op", op="hotremove", dev=device, qmp_error=str(error))
            return False
        return self.removed(device, before, look=look)

    def removed(self, device: str, since: int, seconds: float = 40, *, look: bool = True) -> bool:
        """Wait for the end of an ejection, and record it."""

        def ended(event: Event) -> bool:
            data = event.get("data", {})
            info = data.get("info", {})
            if event["event"] == "ACPI_DEVICE_OST":
                asked = info.get("device") == device and info["source"] in EJECT_REQUESTS
                return asked and bool(info["status"] != IN_PROGRESS)
            return event["event"] == "DEVICE_DELETED" and bool(data.get("device") == device)

        self.machine.await_event(ended, seconds, since)
        self.machine.listen(0.2)
        events = self.machine.events[since:]
        deleted = any(e["event"] == "DEVICE_DELETED" and e["data"].get("device") == device for e in events)
        if deleted:
            self.machine.execute("object-del", id=f"m_{device}")
            del self.devices[device]
        told = [{"event": each["event"], **each.get("data", {}).get("info", {})} for each in events]
        self.row("op", op="hotremove", dev=device, deleted=deleted, events=told)
        if look:
            self.observe()
        return deleted
