"""Kernels to record: Debian packages, unpacked and never installed, each with a root file system for our agent.

Needs `apt-get` with Debian 12's sources, `dpkg`, a C compiler with a static libc, and busybox-static.
"""

from __future__ import annotations

import gzip
import lzma
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GUEST = Path(__file__).resolve().parent.parent / "guest"
BUSYBOX = Path("/bin/busybox")
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "gcc": "gcc libc6-dev",
    "busybox": "busybox-static",
    "apt-get": "apt",
    "dpkg": "dpkg",
}
"""What has to be installed: command and Debian package."""

PACKAGES = {"6.1": "linux-image-cloud-amd64", "6.12": "linux-image-6.12-cloud-amd64"}
"""Meta packages: each depends on the newest kernel of its series."""

MODULES = ("notifier-error-inject", "memory-notifier-error-inject")


class RecordError(Exception):
    """Something that whoever records has to mend; the text says what."""


@dataclass(frozen=True)
class Kernel:
    """A kernel to boot: its series ("6.1"), the image and the root file system."""

    series: str
    image: Path
    root: Path


def missing_tools() -> list[str]:
    """Return the Debian packages that are not installed."""
    return [package for command, package in TOOLS.items() if shutil.which(command) is None]


def kernel(series: str, folder: Path) -> Kernel:
    """Return a kernel, fetched and unpacked below the folder if it is not there yet."""
    if series not in PACKAGES:
        raise RecordError(f"there is no kernel `{series}`: choose from {', '.join(PACKAGES)}")
    place = folder / f"linux-{series}"
    if not list(place.glob("boot/vmlinuz-*")):
        _fetch(PACKAGES[series], place)
    images = sorted(place.glob("boot/vmlinuz-*"))
    if not images:
        raise RecordError(f"the package {PACKAGES[series]} has no boot/vmlinuz-*")
    root = folder / f"root-{series}.gz"
    root.write_bytes(gzip.compress(archive(_root(place, folder)), 1))
    return Kernel(series, images[-1], root)


def _fetch(meta: str, place: Path) -> None:
    """Unpack the newest package that a meta package stands for."""
    place.mkdir(parents=True, exist_ok=True)
    shown = _run(["apt-cache", "depends", meta], place)
    found = re.search(r"Depends: (linux-image-\d\S+)", shown)
    if found is None:
        raise RecordError(f"no package {meta}: run `apt-get update`, with the sources of Debian 12")
    _run(["apt-get", "download", found[1]], place)
    for package in place.glob("linux-image-*.deb"):
        _run(["dpkg", "-x", package.name, "."], place)
        package.unlink()


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RecordError(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")
    return done.stdout


# --- the root file system ------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A file of the archive: its name, its mode and what is in it (of a link: where it leads)."""

    name: str
    mode: int
    content: bytes = b""


def _root(unpacked: Path, folder: Path) -> Iterator[Entry]:
    agent = folder / "agent"
    source = str(GUEST / "agent.c")
    _run(["gcc", "-O1", "-Wall", "-static", "-pthread", "-o", str(agent), source], folder)
    for name in ("bin", "dev", "modules"):
        yield Entry(name, 0o040755)
    yield Entry("bin/busybox", 0o100755, BUSYBOX.read_bytes())
    yield Entry("bin/sh", 0o120777, b"busybox")
    yield Entry("agent", 0o100755, agent.read_bytes())
    yield Entry("init", 0o100755, (GUEST / "init").read_bytes())
    for module in MODULES:
        for file in unpacked.rglob(f"{module}.ko*"):
            content = file.read_bytes()
            content = lzma.decompress(content) if file.suffix == ".xz" else content
            yield Entry(f"modules/{module}.ko", 0o100644, content)


def archive(entries: Iterator[Entry]) -> bytes:
    """Return a cpio archive of the format "newc" (Linux, Documentation/driver-api/early-userspace)."""
    parts = [_member(number, entry) for number, entry in enumerate(entries, 1)]
    return b"".join([*parts, _member(0, Entry("TRAILER!!!", 0))])


def _member(number: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    fields = (number, entry.mode, 0, 0, 1, 0, len(entry.content), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return _padded(head) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
