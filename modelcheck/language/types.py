"""Finite types. A scalar type is an interval of integers together with a way to show its values.

All engines compute on integers: false and true are 0 and 1, an enum value is its position, a set is the
sum of 2**(element - lowest element), a thread reference is 0 for none and number + 1 for a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never


@dataclass(frozen=True)
class Bool:
    """false, true."""


@dataclass(frozen=True)
class Range:
    """The integers from low to high; `name` if it was declared by `type`."""

    low: int
    high: int
    name: str = ""


@dataclass(frozen=True)
class Enum:
    """Named values in the order of their declaration. Errno is one, without an order."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Scalarset:
    """Interchangeable values: neither order, arithmetic nor literals."""

    name: str
    low: int
    high: int


@dataclass(frozen=True)
class SetOf:
    """Sets of values of a scalar type."""

    element: Bool | Range | Enum | Scalarset


@dataclass(frozen=True)
class ThreadRef:
    """None, or one of the threads of the model; only lock variables and `mover` have it."""

    names: tuple[str, ...]


Scalar = Bool | Range | Enum | Scalarset | SetOf | ThreadRef


@dataclass(frozen=True)
class RecordField:
    """One field: its dimensions (index types) and its type."""

    name: str
    dimensions: tuple[Scalar, ...]
    type: Type


@dataclass(frozen=True)
class Record:
    """Fields by name. Only variables have it: elaboration splits them into one variable a field."""

    name: str
    fields: tuple[RecordField, ...]


Type = Scalar | Record


def bounds(scalar: Scalar) -> tuple[int, int]:
    """Return the lowest and the highest integer that stands for a value of the type."""
    match scalar:
        case Bool():
            return 0, 1
        case Range(low, high) | Scalarset(_, low, high):
            return low, high
        case Enum(_, members):
            return 0, len(members) - 1
        case SetOf(element):
            low, high = bounds(element)
            return 0, (1 << (high - low + 1)) - 1
        case ThreadRef(names):
            return 0, len(names)
        case _:
            assert_never(scalar)


def cardinality(scalar: Scalar) -> int:
    """Return how many values the type has."""
    low, high = bounds(scalar)
    return high - low + 1


def show(scalar: Scalar, value: int) -> str:
    """Return the value as it is written in the language."""
    match scalar:
        case Bool():
            return "true" if value else "false"
        case Range() | Scalarset():
            return str(value)
        case Enum(name, members):
            return f"-{members[value]}" if name == ERRNO.name and value else members[value]
        case SetOf(element):
            low, high = bounds(element)
            inside = [show(element, low + i) for i in range(high - low + 1) if value >> i & 1]
            return "{" + ", ".join(inside) + "}"
        case ThreadRef(names):
            return names[value - 1] if value else "none"
        case _:
            assert_never(scalar)


def type_name(kind: Type) -> str:
    """Return the type as a message names it."""
    match kind:
        case Bool():
            return "bool"
        case Range(low, high, name):
            return f"{name} ({low} .. {high})" if name else f"{low} .. {high}"
        case Enum(name, _) | Scalarset(name, _, _) | Record(name, _):
            return name
        case SetOf(element):
            return f"set of {type_name(element)}"
        case ThreadRef():
            return "thread"
        case _:
            assert_never(kind)


# include/uapi/asm-generic/errno-base.h, errno.h; the last five are the kernel's own (include/linux/errno.h).
_ERRNO_NAMES = """
EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST
EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM
ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENODATA ETIME EPROTO EOVERFLOW EILSEQ EUSERS
EOPNOTSUPP EADDRINUSE ENOBUFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EALREADY EINPROGRESS ESTALE EREMOTEIO EDQUOT
ECANCELED EOWNERDEAD ENOTRECOVERABLE EHWPOISON ERESTARTSYS ERESTARTNOINTR ENOTSUPP EPROBE_DEFER ERESTARTNOHAND
"""

ERRNO = Enum("Errno", ("0", *_ERRNO_NAMES.split()))
