"""A virtual machine with a kernel to record: QEMU without acceleration, its monitor, and our agent in the guest."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qemu.qmp import ExecuteError, QMPClient, QMPError

from recorder.kernels import Kernel

Event = dict[str, Any]
BOOT_SECONDS = 300
ANSWER_SECONDS = 60
COMMAND_LINE = (
    "console=ttyS0,115200 nokaslr mitigations=off panic=-1 random.trust_cpu=on no_timer_check ignore_loglevel"
)
"""`no_timer_check`: on a busy host the emulated timer is late, and the kernel would give up."""


class MachineError(Exception):
    """The machine ended, or did not answer in time."""


@dataclass(frozen=True)
class Setting:
    """What a machine is made of: memory at boot and at most (as QEMU writes sizes), boot options, QEMU's own."""

    memory: str = "512M"
    most: str = "8G"
    boot: str = ""
    options: tuple[str, ...] = ()
    processors: int = 2


class Machine:
    """A running machine. Use it in a `with` statement."""

    def __init__(self, kernel: Kernel, setting: Setting, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.console = folder / "console.log"
        self.boot_line = setting.boot
        self._sockets = tempfile.TemporaryDirectory(prefix="machine")  # a socket's path must be short
        sockets = Path(self._sockets.name)
        self.command = _command(kernel, setting, folder, sockets)
        self.events: list[Event] = []
        self._runner = asyncio.Runner()
        self._monitor = QMPClient("machine")
        self._received = b""
        self._closed = False
        start = time.monotonic()
        with (folder / "qemu.log").open("w") as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            self._agent = self._connected(sockets / "agent")
            self._runner.run(self._monitor.connect(str(sockets / "monitor")))
            self._line(BOOT_SECONDS)
        except (MachineError, OSError, QMPError) as error:
            self.close()
            raise MachineError(f"the machine did not start ({error}): see {folder}") from error
        self.boot_seconds = time.monotonic() - start

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the machine; it may have ended, and been closed, before."""
        if self._closed:
            return
        self._closed = True
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(QMPError, OSError, EOFError):  # it is gone
            self._runner.run(self._monitor.disconnect())
        self._runner.close()
        self._sockets.cleanup()

    # --- the agent

    def _connected(self, path: Path) -> socket.socket:
        end = time.monotonic() + 10
        connection = socket.socket(socket.AF_UNIX)
        while True:
            try:
                connection.connect(str(path))
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return connection

    def _fill(self, end: float) -> None:
        if self._process.poll() is not None:
            raise MachineError("it ended")
        if time.monotonic() > end:
            raise MachineError("no answer")
        self._agent.settimeout(1)
        with contextlib.suppress(TimeoutError):
            self._received += self._agent.recv(1 << 16)

    def _line(self, seconds: float) -> str:
        end = time.monotonic() + seconds
        while b"\n" not in self._received:
            self._fill(end)
        line, self._received = self._received.split(b"\n", 1)
        return line.decode("latin1")

    def ask(
        self, command: str, seconds: float = ANSWER_SECONDS, *, more: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Give the agent a command (see agent.c), with further lines; return its answer."""
        self._agent.sendall("".join(f"{line}\n" for line in (command, *more)).encode())
        line = self._line(seconds)
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise MachineError(f"the agent answered {line[:80]!r}") from error
        if "error" in answer:
            raise MachineError(f"`{command[:80]}`: {answer['error']}")
        return answer

    def shell(self, command: str, seconds: float = ANSWER_SECONDS) -> str:
        """Run a command of the guest's shell; return what it printed."""
        return str(self.ask(f"shell {command}", seconds)["out"])

    def file(self, path: str, seconds: float = ANSWER_SECONDS) -> bytes:
        """Return a file of the guest whose size is known (none of /proc or /sys)."""
        self._agent.sendall(f"file {path}\n".encode())
        size = int(self._line(seconds).split()[1])
        end = time.monotonic() + seconds
        while len(self._received) < size:
            self._fill(end)
        content, self._received = self._received[:size], self._received[size:]
        return content

    # --- the monitor

    def execute(self, command: str, **arguments: object) -> Any:  # noqa: ANN401  (whatever the monitor answers)
        """Give QEMU's monitor a command; a refusal is an ExecuteError."""
        named = {key.replace("_", "-"): value for key, value in arguments.items()}
        try:
            return self._runner.run(self._monitor.execute(command, named))
        except ExecuteError:
            raise
        except (QMPError, OSError) as error:
            raise MachineError(f"the monitor is gone: {error}") from error

    def await_event(self, wanted: Callable[[Event], bool], seconds: float, since: int) -> Event | None:
        """Return the first event like that, of those from the number `since` on; None if none comes in time."""
        end = time.monotonic() + seconds
        looked = since
        while True:
            for event in self.events[looked:]:
                if wanted(event):
                    return event
            looked = len(self.events)
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.listen(left)

    def listen(self, seconds: float) -> None:
        """Wait for an event, and take over all that have come."""
        self._runner.run(self._listen(seconds))

    async def _listen(self, seconds: float) -> None:
        try:
            event = await asyncio.wait_for(self._monitor.events.get(), seconds)
        except TimeoutError:
            return
        self.events.append(dict(event))
        while not self._monitor.events.empty():
            self.events.append(dict(await self._monitor.events.get()))


def _command(kernel: Kernel, setting: Setting, folder: Path, sockets: Path) -> list[str]:
    return [
        *("nice", "-n", "10", "qemu-system-x86_64", "-machine", "pc", "-accel", "tcg,thread=multi"),
        *("-m", f"{setting.memory},slots=16,maxmem={setting.most}", "-smp", str(setting.processors)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-serial", f"file:{folder / 'console.log'}"),
        *("-serial", f"unix:{sockets / 'agent'},server=on,wait=off"),
        *("-qmp", f"unix:{sockets / 'monitor'},server=on,wait=off"),
        *("-kernel", str(kernel.image), "-initrd", str(kernel.root)),
        *("-append", f"{COMMAND_LINE} {setting.boot}".strip()),
        *setting.options,
    ]
