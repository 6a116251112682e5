"""What every continuation has in common: who is stuck for ever, who cannot finish (SEMANTICS A4).

Per state a few bits, or-ed together from the successors in reverse order of finding until nothing changes: for each
thread whether some continuation lets it step, brings it to a goal, or catches it in a circular wait; and whether an
error step can be reached, for then nothing is concluded. Two to five sweeps (SEMANTICS X4).

One loss is one finding, named by its strongest form: a thread that may still end in a circular wait is not called
stuck, and one that may still get stuck is not called unable to finish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from modelcheck.engine.collecting import Collector
from modelcheck.engine.sightings import Target
from modelcheck.engine.space import Space
from modelcheck.semantics.interpreter import Interpreter
from modelcheck.semantics.questions import CannotFinish, StuckForEver
from modelcheck.semantics.waiting import standing


def _nothing() -> None:
    """Nobody wants to end it early."""


class Endings:
    """What can still happen from each state of a space that was searched to its end.

    `caught` maps a state to the threads that are in a circular wait there, or wait for one. `stuck` and `unable` are
    the answers: per state a bit for each thread.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        space: Space,
        caught: Mapping[int, Iterable[int]],
        heed: Callable[[], None] = _nothing,
    ) -> None:
        self._interpreter = interpreter
        self._space = space
        self._count = len(interpreter.system.model.threads)
        self._everybody = (1 << self._count) - 1
        self._daemons = _bits(t.number for t in interpreter.system.model.threads if t.daemon)
        # Where everybody may step and reach a goal nothing is lost, here and in all states before: no need to look.
        full = self._packed(self._everybody, self._everybody, 0)
        fates = joined(space, [self._fate(n, caught.get(n, ())) for n in range(len(space))], full, heed)
        self.stuck = [self._stuck_in(number, fate) for number, fate in enumerate(fates)]
        later_stuck = joined(space, self.stuck, self._everybody, heed) if any(self.stuck) else self.stuck
        self.unable = [self._unable_in(fate) & ~later for fate, later in zip(fates, later_stuck, strict=True)]

    def _packed(self, steps: int, goals: int, caught: int, errs: int = 0) -> int:
        """Pack who may step, who may reach a goal, who may be caught, and whether an error step may come."""
        return steps | goals << self._count | caught << 2 * self._count | errs << 3 * self._count

    def _unpacked(self, fate: int) -> tuple[int, int, int, int]:
        everybody, count = self._everybody, self._count
        return fate & everybody, fate >> count & everybody, fate >> 2 * count & everybody, fate >> 3 * count

    def _fate(self, number: int, caught: Iterable[int]) -> int:
        """Return what happens in the state itself. A finished thread counts as one that steps: it is not lost."""
        system, state = self._interpreter.system, self._space.states[number]
        steps = _bits(thread for thread, _ in self._space.edges(number))
        goals = self._daemons
        for thread, cell in zip(system.model.threads, system.location_cells, strict=True):
            steps |= int(state[cell] == thread.end) << thread.number
            goals |= int(state[cell] in thread.goals) << thread.number
        return self._packed(steps, goals, _bits(caught), int(number in self._space.error_states))

    def _stuck_in(self, number: int, fate: int) -> int:
        """Return the threads that never step again: not finished, not at rest, not (to be) in a circular wait."""
        steps, _, caught, errs = self._unpacked(fate)
        still = self._everybody & ~steps & ~caught
        if not still or errs:
            return 0
        state = self._space.states[number]
        return _bits(thread for thread in numbers(still) if not self._interpreter.resting(state, thread))

    def _unable_in(self, fate: int) -> int:
        """Return the threads that never reach a goal again, unless they may end in a circular wait."""
        _, goals, caught, errs = self._unpacked(fate)
        return 0 if errs else self._everybody & ~goals & ~caught


def joined(space: Space, bits: list[int], full: int, heed: Callable[[], None] = _nothing) -> list[int]:
    """Or into the bits of every state those of all that follow it; leave states alone whose bits contain `full`.

    `heed` is called for each state, and may raise.
    """
    found = bits.copy()
    changed = True
    while changed:
        changed = False
        for number in reversed(range(len(found))):
            heed()
            before = now = found[number]
            if now & full != full:
                for following in space.targets(number):
                    now |= found[following]
                if now != before:
                    found[number] = now
                    changed = True
    return found


def note_losses(
    interpreter: Interpreter, space: Space, collector: Collector, heed: Callable[[], None] = _nothing
) -> None:
    """Add who is stuck and who cannot finish to what was seen, if that was asked."""
    asked = [
        question for question in collector.questions if isinstance(question, StuckForEver | CannotFinish)
    ]
    endings = Endings(interpreter, space, collector.caught, heed) if asked else None
    for question in asked:
        assert endings is not None
        lost = endings.stuck if isinstance(question, StuckForEver) else endings.unable
        for number in (number for number, threads in enumerate(lost) if threads):
            for thread in numbers(lost[number]):
                cause = interpreter.system.model.threads[thread].declaration
                if isinstance(question, StuckForEver):
                    cause = standing(interpreter, space.states[number], thread)
                target = Target(number, None, (thread,))
                collector.sightings.add(question, (cause,), space.level_of(number), target)


def _bits(threads: Iterable[int]) -> int:
    bits = 0
    for thread in threads:
        bits |= 1 << thread
    return bits


def numbers(bits: int) -> Iterable[int]:
    """Yield the numbers of the bits that are set, the lowest first."""
    return (thread for thread in range(bits.bit_length()) if bits >> thread & 1)
