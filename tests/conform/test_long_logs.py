"""A log of ten thousand events is explained, or told where it parts from the specification."""

from __future__ import annotations

import json
import random
from pathlib import Path

import modelcheck

SPECIFICATION = """model answers;
enum State { offline, online }
type Block = 0 .. 1;
mutex device_lock[Block];
var state[b: Block]: State = offline guarded_by device_lock[b];
op write(b: Block, s: State) -> Errno {
    guard(mutex)(device_lock[b]);
    if (state[b] == s) { return -EINVAL; }
    either { return -EBUSY; } or { skip; }
    state[b] = s;
    return 0;
}
thread user { loop { choose s: State; choose b: Block; write(b, s); } }
observe state[b: Block]: state[b];
"""
EVENTS = 10_000


def lines() -> list[dict[str, object]]:
    """Return what a kernel with two blocks might have answered to random writes, and shown now and then."""
    chosen = random.Random(1)
    state = ["offline", "offline"]
    found: list[dict[str, object]] = []
    while len(found) < EVENTS:
        block, wanted = chosen.randrange(2), chosen.choice(["offline", "online"])
        answer = "-EINVAL" if state[block] == wanted else chosen.choice(["0", "-EBUSY"])
        if answer == "0":
            state[block] = wanted
        found.append({"thread": "user", "event": f"write({block}, {wanted})"})
        found.append({"thread": "user", "event": f"write={answer}"})
        if len(found) % 50 == 0:
            found.append({"thread": "user", "observe": {f"state[{n}]": state[n] for n in (0, 1)}})
    return found


def conform(folder: Path, log: list[dict[str, object]]) -> modelcheck.ConformReport:
    head = {"log": 1, "name": "long", "order": "total", "hidden": ["device_lock"]}
    (folder / "answers.mck").write_text(SPECIFICATION, encoding="utf-8")
    (folder / "long.jsonl").write_text("\n".join(map(json.dumps, (head, *log))), encoding="utf-8")
    return modelcheck.conform(folder / "answers.mck", folder / "long.jsonl")


def test_a_log_of_ten_thousand_events_is_explained(tmp_path: Path) -> None:
    log = lines()
    (one,) = conform(tmp_path, log).logs
    assert (one.verdict, one.explained) == ("conforms", len(log))
    assert one.explained >= EVENTS


def test_a_mistake_near_the_end_of_a_long_log_is_found_there(tmp_path: Path) -> None:
    log = lines()
    wrong = next(n for n, item in enumerate(log) if n > EVENTS - 9 and "=" in str(item.get("event")))
    log[wrong] = {"thread": "user", "event": "write=-ENOMEM"}
    (one,) = conform(tmp_path, log).logs
    assert (one.verdict, one.explained) == ("differs", wrong)
