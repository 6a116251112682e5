"""Record what a real kernel does: `python conformance/record.py [--kernel 6.1] [--folder logs] NAME ...`.

Boots a stock Debian kernel in QEMU, runs the scenarios of a configuration, and writes a row a line to
FOLDER/KERNEL-NAME.jsonl (for the adapter `sysfs`); traced configurations also write FOLDER/locks-KERNEL-NAME.jsonl
(for the adapter `locks`). README.md in this folder says what it needs. Exit code 2: something is missing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from recorder import kernels, scenarios, traced_scenarios
from recorder.kernels import RecordError
from recorder.machine import MachineError
from recorder.session import Session
from recorder.traced_scenarios import TracedSession

NAMES = (*scenarios.CONFIGURATIONS, *traced_scenarios.CONFIGURATIONS)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description="Record what a real kernel answers, and which locks it takes."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"what to record: {', '.join(NAMES)} (default: small)"
    )
    parser.add_argument(
        "--kernel", choices=tuple(kernels.PACKAGES), default="6.1", help="the series of the kernel"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("logs"), help="where records and kernels are kept"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no configuration `{unknown[0]}`: choose from {', '.join(NAMES)}")
    if missing := kernels.missing_tools():
        return _failed(f"not installed: apt-get install --no-install-recommends {' '.join(missing)}")
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        kernel = kernels.kernel(options.kernel, options.folder.resolve())
        for name in options.names or ("small",):
            _record(name, kernel, options.folder.resolve())
    except (RecordError, MachineError, OSError) as error:
        return _failed(str(error))
    return 0


def _record(name: str, kernel: kernels.Kernel, folder: Path) -> None:
    shown = f"{kernel.series}-{name}"
    if name in traced_scenarios.CONFIGURATIONS:
        TracedSession(shown, kernel, traced_scenarios.CONFIGURATIONS[name], folder).record(
            traced_scenarios.SCENARIOS
        )
    else:
        setting, wanted = scenarios.CONFIGURATIONS[name]
        Session(shown, kernel, setting, folder).record(wanted)
    print(f"{folder / shown}.jsonl")


def _failed(text: str) -> int:
    print(f"record: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
