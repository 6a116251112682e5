"""A function in LLVM's textual IR, written by small structured pieces.

An operand is text: `%v7`, or a number. Integers are i64, conditions i1, addresses ptr. Variables are stack slots; LLVM
turns them into registers, so that nobody here writes a phi.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Operand = str

TRUE, FALSE = "true", "false"


class Code:
    """One function that is being written."""

    def __init__(
        self, name: str, parameters: str = "", returns: str = "i64", *, public: bool = False
    ) -> None:
        self.name = name
        self._returns = returns
        self._fault = ""
        self._head = f"define {'' if public else 'internal '}{returns} @{name}({parameters}) nounwind {{"
        self._slots: list[str] = []
        self._lines: list[str] = []
        self._count = 0
        self._deferred: list[Callable[[], None]] = []
        self.open = True
        """Whether the block that is being written has no end yet."""

    def text(self) -> str:
        """Return the finished function."""
        while self._deferred:
            self._deferred.pop()()
        assert not self.open, f"@{self.name} does not return"
        return "\n".join([self._head, "entry:", *self._slots, *self._lines, "}"])

    def later(self, write: Callable[[], None]) -> None:
        """Let `write` write its blocks when all else is written."""
        self._deferred.append(write)

    # --- instructions ----------------------------------------------------------------------------

    def fresh(self, prefix: str = "v") -> str:
        """Return a name that is not used yet."""
        self._count += 1
        return f"{prefix}{self._count}"

    def op(self, text: str) -> Operand:
        """Write an instruction and return its result."""
        name = f"%{self.fresh()}"
        self.do(f"{name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Write an instruction without a result; what cannot be reached is left out."""
        if self.open:
            self._lines.append(f"  {text}")

    def slot(self, kind: str = "i64") -> Operand:
        """Return a new variable."""
        name = f"%{self.fresh('s')}"
        self._slots.append(f"  {name} = alloca {kind}")
        return name

    def set(self, slot: Operand, value: Operand | int, kind: str = "i64") -> None:
        """Store to an address."""
        self.do(f"store {kind} {value}, ptr {slot}")

    def get(self, slot: Operand, kind: str = "i64") -> Operand:
        """Load from an address."""
        return self.op(f"load {kind}, ptr {slot}")

    def at(self, base: Operand, index: Operand | int, kind: str = "i64") -> Operand:
        """Return the address of an element."""
        return self.op(f"getelementptr {kind}, ptr {base}, i64 {index}")

    def add(self, left: Operand | int, right: Operand | int) -> Operand:
        """Return the sum."""
        if right in (0, "0"):
            return str(left)
        return str(right) if left in (0, "0") else self.op(f"add i64 {left}, {right}")

    def sub(self, left: Operand | int, right: Operand | int) -> Operand:
        """Return the difference."""
        return str(left) if right in (0, "0") else self.op(f"sub i64 {left}, {right}")

    def mul(self, left: Operand | int, right: Operand | int) -> Operand:
        """Return the product."""
        return str(left) if right in (1, "1") else self.op(f"mul i64 {left}, {right}")

    def both(self, left: Operand | int, right: Operand | int) -> Operand:
        """Return the bits that are set in both."""
        return self.op(f"and i64 {left}, {signed(right)}")

    def either(self, left: Operand | int, right: Operand | int) -> Operand:
        """Return the bits that are set in one or both."""
        if right in (0, "0"):
            return str(left)
        return str(right) if left in (0, "0") else self.op(f"or i64 {left}, {signed(right)}")

    def flip(self, value: Operand | int) -> Operand:
        """Return all bits changed."""
        return self.op(f"xor i64 {value}, -1")

    def left(self, value: Operand | int, shift: Operand | int) -> Operand:
        """Shift towards the high bits."""
        return str(value) if shift in (0, "0") else self.op(f"shl i64 {value}, {shift}")

    def right(self, value: Operand | int, shift: Operand | int) -> Operand:
        """Shift towards the low bits, zeros coming in."""
        return str(value) if shift in (0, "0") else self.op(f"lshr i64 {value}, {shift}")

    def compare(self, how: str, left: Operand | int, right: Operand | int) -> Operand:
        """Return a condition: eq, ne, slt, sle, sgt, sge, ult, ule, ugt, uge."""
        return self.op(f"icmp {how} i64 {left}, {signed(right)}")

    def select(self, condition: Operand, yes: Operand | int, no: Operand | int) -> Operand:
        """Return one of two integers."""
        return self.op(f"select i1 {condition}, i64 {yes}, i64 {no}")

    def wide(self, condition: Operand) -> Operand:
        """Return a condition as 0 or 1."""
        if condition in (TRUE, FALSE):
            return str(int(condition == TRUE))
        return self.op(f"zext i1 {condition} to i64")

    def call(self, name: str, arguments: str, returns: str = "i64") -> Operand:
        """Call a function that returns something."""
        return self.op(f"call {returns} @{name}({arguments})")

    # --- control ---------------------------------------------------------------------------------

    def label(self) -> str:
        """Return a name for a block."""
        return self.fresh("L")

    def start(self, label: str) -> None:
        """Begin a block; the one before goes on into it."""
        if self.open:
            self.jump(label)
        self._lines.append(f"{label}:")
        self.open = True

    def jump(self, label: str) -> None:
        """End the block."""
        self.do(f"br label %{label}")
        self.open = False

    def branch(self, condition: Operand, yes: str, no: str) -> None:
        """End the block with a choice."""
        self.do(f"br i1 {condition}, label %{yes}, label %{no}")
        self.open = False

    def switch(self, value: Operand, cases: dict[int, str], otherwise: str, kind: str = "i64") -> None:
        """End the block with a choice of many."""
        listed = " ".join(f"{kind} {number}, label %{label}" for number, label in cases.items())
        self.do(f"switch {kind} {value}, label %{otherwise} [ {listed} ]")
        self.open = False

    def ret(self, value: Operand | int | None = 0, kind: str = "i64") -> None:
        """End the block and the function; None returns nothing."""
        self.do("ret void" if value is None else f"ret {kind} {value}")
        self.open = False

    def fault(self) -> str:
        """Return the label of a block that is never to be reached: it raises a flag, and the function returns."""
        if not self._fault:
            self._fault = self.label()
            self.later(self._write_fault)
        return self._fault

    def _write_fault(self) -> None:
        self.start(self._fault)
        self.set("@fault", 1)
        self.ret(*((None,) if self._returns == "void" else (0, self._returns)))

    @contextmanager
    def when(self, condition: Operand) -> Iterator[None]:
        """Write what runs if the condition holds."""
        yes, end = self.label(), self.label()
        self.branch(condition, yes, end)
        self.start(yes)
        yield
        self.start(end)

    @contextmanager
    def loop(self) -> Iterator[tuple[str, str]]:
        """Write what runs for ever; yields the labels that begin the next round, and that leave."""
        head, end = self.label(), self.label()
        self.start(head)
        yield head, end
        if self.open:
            self.jump(head)
        self.start(end)

    @contextmanager
    def count_up(self, first: Operand | int, last: Operand | int) -> Iterator[Operand]:
        """Write what runs for each number from first up to, but not with, last."""
        counter = self.slot()
        self.set(counter, first)
        with self.loop() as (_, end):
            now, inside = self.get(counter), self.label()
            self.branch(self.compare("slt", now, last), inside, end)
            self.start(inside)
            yield now
            self.set(counter, self.add(self.get(counter), 1))


def signed(value: Operand | int) -> Operand | int:
    """Return the operand as LLVM reads a number: masks with the highest bit set are negative."""
    if isinstance(value, int) and value >= 1 << 63:
        return value - (1 << 64)
    return value
