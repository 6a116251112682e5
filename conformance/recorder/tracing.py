"""Which locks a kernel takes: probes on its functions (kprobes), and their trace as one sequence a thread.

The rows are those that the adapter `locks` reads (modelcheck/logs/lock_rows.py). A stock kernel has all that it needs:
Documentation/trace/kprobetrace.rst. A device's mutex has no name; it is known by its place in the device, which is
found from the first mutex that `device_online` and its like take.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

TRACING = "/sys/kernel/tracing"
_DEVICE = "dev=%di:x64 name=+0(+0(%di)):string"
_LOCK = "lock=%di:symbol addr=%di:x64"

MODES = {
    "mutex_lock": "",
    "mutex_lock_interruptible": "",
    "mutex_trylock": "try",
    "down_read": "R",
    "down_write": "W",
    "percpu_down_write": "W",
    "cpus_read_lock": "R",
    "get_online_mems": "R",
}
RELEASES = ("mutex_unlock", "up_read", "up_write", "percpu_up_write", "cpus_read_unlock", "put_online_mems")
NAMED = {
    "cpus_read_lock": "cpu_hotplug_lock",
    "cpus_read_unlock": "cpu_hotplug_lock",
    "get_online_mems": "mem_hotplug_lock",
    "put_online_mems": "mem_hotplug_lock",
}
ANSWERS = ("mutex_lock_interruptible", "mutex_trylock")
"""Functions that may not get the lock: their result says."""

LOCKS = ("device_hotplug_lock", "cpu_hotplug_lock", "mem_hotplug_lock", "acpi_scan_lock")
DEVICE_CALLS = (
    "device_online",
    "device_offline",
    "bus_add_device",
    "bus_probe_device",
    "device_del",
    "__device_attach",
)
SHOWN_CALLS = ("device_online", "device_offline", "bus_add_device", "bus_probe_device", "device_del")
CALLS = (
    *("online_pages", "offline_pages", "add_memory_resource", "try_remove_memory", "arch_add_memory"),
    *("arch_remove_memory", "acpi_device_hotplug", "_cpu_up", "_cpu_down"),
)
WITH_RESULT = (
    *("device_online", "device_offline", "online_pages", "offline_pages", "add_memory_resource"),
    *("try_remove_memory", "_cpu_up", "_cpu_down"),
)
WINDOWS = ("acpi_device_hotplug", "_cpu_up", "_cpu_down")
"""What a kernel thread does between entering and leaving one of these is recorded; of ours, its system calls."""

NOTIFIED = {
    1: "ONLINE",
    2: "GOING_OFFLINE",
    4: "OFFLINE",
    8: "GOING_ONLINE",
    16: "CANCEL_ONLINE",
    32: "CANCEL_OFFLINE",
}
NOTIFIED_SINCE_6_12 = dict(
    enumerate(("ONLINE", "GOING_OFFLINE", "OFFLINE", "GOING_ONLINE", "CANCEL_ONLINE", "CANCEL_OFFLINE"))
)
"""include/linux/memory.h: bits, and in 6.12 an enumeration."""

_SYSTEM_CALLS = ("sys_enter_write", "sys_exit_write", "sys_enter_read", "sys_exit_read")


def commands() -> Iterator[str]:
    """Yield the shell commands that set the probes up; a function that a kernel lacks costs its probe only."""
    yield f"echo 0 > {TRACING}/tracing_on; echo > {TRACING}/kprobe_events; echo 12000 > {TRACING}/buffer_size_kb"
    for function in (*MODES, *RELEASES, *DEVICE_CALLS, *CALLS, "memory_notify"):
        arguments = _LOCK if function not in NAMED else ""
        if function in DEVICE_CALLS:
            arguments = _DEVICE
        elif function in CALLS:
            arguments = ""
        elif function == "memory_notify":
            arguments = "val=%di:u64"
        yield _probe(f"p:seen/{function} {function} {arguments}")
        if function in MODES or function in WITH_RESULT or function in WINDOWS:
            yield _probe(f"r64:seen/{function}__done {function} ret=$retval:s32")
    yield f"echo 1 > {TRACING}/events/seen/enable"
    yield from (f"echo 1 > {TRACING}/events/syscalls/{name}/enable" for name in _SYSTEM_CALLS)


def _probe(text: str) -> str:
    return f"echo '{text.strip()}' >> {TRACING}/kprobe_events"


# --- the text of a trace -------------------------------------------------------------------------

_LINE = re.compile(
    r"\s*(?P<task>.+?)-(?P<pid>\d+)\s+\[\d+\]\s+\S+\s+(?P<time>[\d.]+): (?P<event>\w+)(?P<rest>.*)"
)
_VALUE = re.compile(r'(\w+)=("[^"]*"|\S+)')


@dataclass(frozen=True)
class Traced:
    """A line of a trace: what was entered (`done`: left) by whom, and the values that the probe fetched."""

    task: str
    pid: int
    function: str
    done: bool
    values: dict[str, str]


def traced(text: str) -> list[Traced]:
    """Read a trace (the file `trace` of tracefs), in the order of time."""
    found: list[tuple[float, Traced]] = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        rest = match["rest"]
        values = {key: value.strip('"') for key, value in _VALUE.findall(rest)}
        function, done = match["event"], False
        if function in ("sys_write", "sys_read"):
            done = "->" in rest
            values = {"ret": rest.split("->")[1].strip()} if done else {}
        elif function.endswith("__done"):
            function, done = function.removesuffix("__done"), True
        found.append(
            (float(match["time"]), Traced(match["task"].strip(), int(match["pid"]), function, done, values))
        )
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def mutex_offset(events: Iterable[Traced]) -> int | None:
    """Return where in a device its mutex lies, if the trace shows it."""
    found: Counter[int] = Counter()
    last: dict[int, int] = {}
    for event in events:
        if event.done:
            continue
        if event.function in ("device_online", "device_offline", "__device_attach"):
            last[event.pid] = int(event.values["dev"], 16)
        elif event.function == "mutex_lock" and event.pid in last:
            offset = int(event.values.get("addr", "0"), 16) - last.pop(event.pid)
            if 0 < offset < 4096:
                found[offset] += 1
    return found.most_common(1)[0][0] if found else None


@dataclass
class _Thread:
    """A thread's sequence, and the part that is not known yet to be of interest."""

    task: str
    sequence: list[str] = field(default_factory=list)
    window: list[str] | None = None
    opened_by: str = ""
    wanted: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)


class Sequences:
    """Makes sequences of lock events out of traces of one machine; it remembers the devices."""

    def __init__(self, *, enumerated: bool) -> None:
        self._notified = NOTIFIED_SINCE_6_12 if enumerated else NOTIFIED
        self._offset: int | None = None
        self._devices: dict[int, str] = {}

    def of(self, text: str) -> dict[int, tuple[str, list[str]]]:
        """Return task and sequence of each thread of a trace."""
        events = traced(text)
        self._offset = mutex_offset(events) or self._offset
        threads: defaultdict[int, _Thread] = defaultdict(lambda: _Thread(""))
        for event in events:
            thread = threads[event.pid]
            thread.task = event.task
            if event.function in DEVICE_CALLS and not event.done:
                self._devices[int(event.values["dev"], 16)] = event.values.get("name", "?")
            self._window(thread, event)
        return {pid: (thread.task, thread.sequence) for pid, thread in threads.items() if thread.sequence}

    def _window(self, thread: _Thread, event: Traced) -> None:
        """Keep what happens inside a system call that has to do with us, or inside a worker's job."""
        ours = event.task.startswith("ag")
        opens = event.function.startswith("sys_") if ours else event.function in WINDOWS
        if opens and not event.done and thread.window is None:
            thread.window, thread.opened_by = [], event.function
        if thread.window is None:
            return
        thread.window += self._shown(thread, event)
        if event.done and event.function == thread.opened_by:
            inside = thread.window[1:-1]
            if inside or not ours:
                thread.sequence += thread.window
            thread.window = None
            thread.asked.clear()

    def _shown(self, thread: _Thread, event: Traced) -> Iterator[str]:
        function, values = event.function, event.values
        if function.startswith("sys_"):
            yield f")={signed(values['ret'])}" if event.done else f"{function[4:]}("
        elif function in MODES:
            yield from self._acquired(thread, event)
        elif function in RELEASES:
            lock = self._lock(event)
            if lock:
                yield f"-{lock}"
        elif function == "memory_notify" and not event.done:
            yield f"notify:{self._notified.get(int(values['val']), values['val'])}"
        elif event.done:
            if function in WITH_RESULT:
                yield f"{function.removeprefix('_')}={values['ret']}"
        elif function in SHOWN_CALLS or function in CALLS:
            yield f"{function.removeprefix('_')}({values.get('name', '') if function in SHOWN_CALLS else ''})"

    def _acquired(self, thread: _Thread, event: Traced) -> Iterator[str]:
        """A lock is held when the function that takes it returns."""
        if not event.done:
            thread.asked.append((event.function, self._lock(event)))
            return
        while thread.asked:
            function, lock = thread.asked.pop()
            if function != event.function:
                continue
            mode = MODES[function]
            result = int(event.values.get("ret", "0"))
            refused = result == 0 if function == "mutex_trylock" else function in ANSWERS and result != 0
            if lock:
                yield ("!" if refused else "+") + lock + (f":{mode}" if mode else "")
            return

    def _lock(self, event: Traced) -> str:
        """Return a lock's name, "" if it is none of ours."""
        if event.function in NAMED:
            return NAMED[event.function]
        name = event.values.get("lock", "").split("+")[0]
        if name in LOCKS or name.startswith("memory_chain"):
            return "memory_chain" if name.startswith("memory_chain") else name
        address = int(event.values.get("addr", "0"), 16)
        device = self._devices.get(address - self._offset) if self._offset is not None else None
        return f"{device}.dev_mutex" if device else ""


def signed(text: str) -> int:
    """Return what a system call returned; a trace shows it without a sign."""
    value = int(text, 16)
    return value - (1 << 64) if value >> 63 else value
