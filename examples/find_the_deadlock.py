"""Find a deadlock, and read from the report who waits for whom.

Run it in any folder: `python examples/find_the_deadlock.py`.
"""

from __future__ import annotations

import modelcheck
from modelcheck.data import specs_folder
from modelcheck.report.text import scenario_text

path = specs_folder() / "design_example.mck"

# Before Linux 4.20 add_memory() did not take device_hotplug_lock.
model = modelcheck.load(path, ADD_TAKES_HOTPLUG_LOCK=False)
report = modelcheck.check(model)

for finding in report.violations:
    print(f"{finding.code} {finding.message}")

(deadlock,) = [finding for finding in report.violations if finding.check == "circular_wait"]
assert deadlock.trace is not None
print(f"{len(deadlock.trace.steps)} steps, {deadlock.trace.switches} context switches")

situation = report.explainer.situation(deadlock.trace, deadlock.members)
for wait in situation.waits:
    others = ", ".join(model.threads[number].name for number in wait.for_threads)
    print(f"{model.threads[wait.thread].name} waits for {wait.lock}: {others} holds it")

# The same as text, as the command line prints it; in a notebook, `report` alone shows it.
print(scenario_text(report))
