"""What the workers of one search tell each other, and where they wait for each other.

A worker has its own copy of the code, with its own globals; all of them see one block of words. Between two barriers a
word is written by one worker only, and read by others only behind the next barrier: nothing else needs to be atomic.
"""

from __future__ import annotations

import platform

from modelcheck.engine.engine import MOST_WORKERS
from modelcheck.engine.kernel.context import Slot, load
from modelcheck.semantics.native_code import Code, Operand

_LINE = 16
"""Words of two cache lines: processors fetch them in pairs."""

ARRIVED, _ROUND, LEFT = 0, _LINE, 2 * _LINE
_FIRST, _BLOCK = 3 * _LINE, 4 * _LINE

USED, WANTS, OFFERED, NEW = 0, 1, 2, 2 + MOST_WORKERS
"""Of each worker: entries in its part of the table; whether it wants room; how many states it offers to each worker;
how many new ones it found among those of each worker."""

SHARED_WORDS = _FIRST + MOST_WORKERS * _BLOCK

_SPINS = 1 << 9
"""Looks at a barrier before others are let run: some microseconds."""

_PAUSES = {
    "x86_64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "AMD64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "aarch64": ("declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"),
    "arm64": ("declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"),
}


def word_of(worker: int, field: int) -> int:
    """Return the number of a word of a worker."""
    return _FIRST + worker * _BLOCK + field


def told(code: Code, worker: Operand, field: Operand | int) -> Operand:
    """Write the address of a word of a worker."""
    first = code.add(code.mul(worker, _BLOCK), _FIRST)
    return code.at(load(code, Slot.SHARED, "ptr"), code.add(first, field))


def barrier() -> str:
    """Return `@barrier()`: wait until every worker is here; 1 if one of them never comes.

    The last one to come begins the next round. A worker that has waited for some time lets other threads run, as the
    one that it waits for may have no processor.
    """
    declared, pause = _PAUSES.get(platform.machine(), ("", ""))
    code = Code("barrier")
    arrived, round_, left = (code.at(load(code, Slot.SHARED, "ptr"), n) for n in (ARRIVED, _ROUND, LEFT))

    def look(place: Operand) -> Operand:
        return code.op(f"load atomic i64, ptr {place} acquire, align 8")

    now = look(round_)
    before = code.op(f"atomicrmw add ptr {arrived}, i64 1 acq_rel")
    with code.when(code.compare("eq", code.add(before, 1), load(code, Slot.PARTS))):
        code.set(arrived, 0)
        code.do(f"store atomic i64 {code.add(now, 1)}, ptr {round_} release, align 8")
        code.ret(0)
    spins, over = code.slot(), code.label()
    code.set(spins, 0)
    with code.loop():
        wait = code.label()
        code.branch(code.compare("ne", look(round_), now), over, wait)
        code.start(wait)
        with code.when(code.compare("ne", look(left), 0)):
            # All may have come before somebody left.
            code.ret(code.wide(code.compare("eq", look(round_), now)))
        spin, let_run, on = code.label(), code.label(), code.label()
        code.set(spins, code.add(code.get(spins), 1))
        code.branch(code.compare("ult", code.get(spins), _SPINS), spin, let_run)
        code.start(spin)
        code.do(pause)
        code.jump(on)
        code.start(let_run)
        code.do(f"call i32 {load(code, Slot.YIELD, 'ptr')}()")
        code.jump(on)
        code.start(on)
    code.start(over)
    code.ret(0)
    return f"{declared}\n{code.text()}"
