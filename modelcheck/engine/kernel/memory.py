"""Memory for compiled code: large pages where there are any, touched only when used."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import platform
import sys

CANARY = bytes(range(0xA0, 0xE0))
"""What lies before and behind a guarded buffer, and must lie there at the end."""

_LARGE = 1 << 21

_UNCOUNTED = 0x4000 if sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64") else 0
"""MAP_NORESERVE: address space is no promise of memory. Python has the name from 3.12 on.

The number is that of Linux for these machines (include/uapi/asm-generic/mman-common.h).
"""


class Buffer:
    """Zeroed memory of a size in bytes, which can become `most`. A guarded one has a canary at both ends."""

    def __init__(self, size: int, *, most: int = 0, guarded: bool = False) -> None:
        self.size = max(size, 8)
        self.most = max(self.size, most)
        self._margin = len(CANARY) if guarded else 0
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _UNCOUNTED
        self._map = mmap.mmap(-1, self.most + 2 * self._margin, flags=flags)
        if self.most >= _LARGE and hasattr(mmap, "MADV_HUGEPAGE"):
            with contextlib.suppress(OSError):
                self._map.madvise(mmap.MADV_HUGEPAGE)
        self._first = ctypes.c_char.from_buffer(self._map)
        self.address = ctypes.addressof(self._first) + self._margin
        if guarded:
            self._map[: self._margin] = CANARY
            self.write(self.size, CANARY)

    @property
    def intact(self) -> bool:
        """Whether nobody wrote beside it."""
        if not self._margin:
            return True
        return self._map[: self._margin] == CANARY and self.read(self.size, self._margin) == CANARY

    def grow(self, size: int) -> bool:
        """Become larger where it lies; False if it cannot."""
        if size > self.most:
            return False
        self._end_at(size)
        return True

    def shrink(self, size: int) -> None:
        """Become smaller."""
        self._end_at(size)

    def _end_at(self, size: int) -> None:
        if self._margin:
            assert self.intact, "compiled code wrote beside a buffer that gets another size"
            self.write(self.size, bytes(self._margin))
            self.write(size, CANARY)
        self.size = size

    def give_back(self, first: int, last: int) -> None:
        """Give the memory between two offsets back, as far as it is whole pages; it is zeroed, and stays so."""
        page = mmap.PAGESIZE
        first, last = -(-(self._margin + first) // page) * page, (self._margin + last) // page * page
        if last > first and hasattr(mmap, "MADV_DONTNEED"):
            with contextlib.suppress(OSError):
                self._map.madvise(mmap.MADV_DONTNEED, first, last - first)

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes of it."""
        return self._map[self._margin + offset : self._margin + offset + size]

    def write(self, offset: int, content: bytes) -> None:
        """Write bytes into it."""
        self._map[self._margin + offset : self._margin + offset + len(content)] = content

    def close(self) -> None:
        """Give the memory back."""
        del self._first
        self._map.close()


def reserved(size: int, most: int, *, guarded: bool = False) -> Buffer:
    """Return a buffer that can become as large as `most`, or half of that, and so on, where the system refuses."""
    while True:
        try:
            return Buffer(size, most=most, guarded=guarded)
        except (OSError, ValueError, OverflowError):
            if most <= size:
                raise
            most = max(most // 2, size)
