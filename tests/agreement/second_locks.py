"""The locks of the second opinion, all kinds together."""

from __future__ import annotations

from tests.agreement import second_alive, second_readers, second_sections, second_spinning, second_waits

_KINDS = (second_sections, second_spinning, second_readers, second_alive)
GUARDS = {name: pair for kind in _KINDS for name, pair in kind.GUARDS.items()}
FIELDS = {name: parts for kind in (*_KINDS, second_waits) for name, parts in kind.FIELDS.items()}
PER_THREAD = frozenset(part for kind in (*_KINDS, second_waits) for part in kind.PER_THREAD)
VERBS = {name: steps for kind in (*_KINDS, second_waits) for name, steps in kind.VERBS.items()}
"""Each verb's steps; the last one's value is the result."""


def succeeded(verb: str, result: int) -> bool:
    """Tell whether a guard's verb got the lock: 1 of a try, 0 of a form that can be interrupted."""
    if verb.endswith("trylock"):
        return bool(result)
    return not result or not verb.endswith(("_interruptible", "_killable"))
