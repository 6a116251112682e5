"""One specification under several parameter values: what holds where, and how large the state space is.

Run it in any folder: `python examples/compare_parameters.py`.
"""

from __future__ import annotations

import modelcheck
from modelcheck.data import specs_folder

path = specs_folder() / "design_example.mck"

print("blocks  takes lock  states  transitions  violated")
for blocks in (1, 2):
    for takes_lock in (False, True):
        model = modelcheck.load(path, BLOCKS=blocks, ADD_TAKES_HOTPLUG_LOCK=takes_lock)
        report = modelcheck.check(model)
        size = report.statistics
        violated = ", ".join(sorted({finding.check for finding in report.violations})) or "-"
        print(f"{blocks:6}  {takes_lock!s:10}  {size.states:6}  {size.transitions:11}  {violated}")

# What keeps the two lock orders apart, where nothing is violated?
report = modelcheck.check(modelcheck.load(path))
for cycle in report.judgement.order.cycles:
    print(f"{' and '.join(cycle.classes)}: {cycle.verdict} {', '.join(cycle.gates)}")
