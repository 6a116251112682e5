"""Memory for compiled code: large pages where there are any, touched only when used."""

from __future__ import annotations

import contextlib
import ctypes
import mmap

CANARY = bytes(range(0xA0, 0xE0))
"""What lies before and behind a guarded buffer, and must lie there at the end."""

_LARGE = 1 << 21


class Buffer:
    """Zeroed memory of a size in bytes. A guarded one has a canary at both ends."""

    def __init__(self, size: int, *, guarded: bool = False) -> None:
        self.size = max(size, 8)
        self._margin = len(CANARY) if guarded else 0
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
        self._map = mmap.mmap(-1, self.size + 2 * self._margin, flags=flags)
        if size >= _LARGE and hasattr(mmap, "MADV_HUGEPAGE"):
            with contextlib.suppress(OSError):
                self._map.madvise(mmap.MADV_HUGEPAGE)
        self._first = ctypes.c_char.from_buffer(self._map)
        self.address = ctypes.addressof(self._first) + self._margin
        if guarded:
            self._map[: self._margin] = CANARY
            self._map[self._margin + self.size :] = CANARY

    @property
    def intact(self) -> bool:
        """Whether nobody wrote beside it."""
        if not self._margin:
            return True
        return self._map[: self._margin] == CANARY and self._map[self._margin + self.size :] == CANARY

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


def reserved(size: int, least: int, *, guarded: bool = False) -> Buffer:
    """Return a buffer of that size, or half of it, and so on, where the system refuses; at least `least`."""
    while True:
        try:
            return Buffer(size, guarded=guarded)
        except (OSError, ValueError, OverflowError):
            if size <= least:
                raise
            size = max(size // 2, least)
