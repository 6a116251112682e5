"""The command line: arguments -> pipeline -> report -> exit code. Only this room prints and exits.

Exit codes (SEMANTICS H14): 70 internal error, else 130 interrupted, else 2 the model or the command line is wrong,
else 1 a violation or an unmet expectation, else 3 not decided, else 0.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from modelcheck.cli.console import Console
from modelcheck.cli.group import commands

INTERNAL, INTERRUPTED, WRONG = 70, 130, 2


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code."""
    console = Console()
    code = run(sys.argv[1:] if arguments is None else list(arguments), console)
    console.close()
    sys.exit(WRONG if console.lost and code not in (INTERNAL, INTERRUPTED) else code)


def run(arguments: list[str], console: Console) -> int:
    """Run one command and return its exit code; whatever goes wrong becomes a message, never a traceback."""
    import click

    from modelcheck.diagnostics import SpecError

    console.json = "--json" in arguments
    try:
        code = commands.main(arguments, prog_name="modelcheck", standalone_mode=False, obj=console)
    except click.ClickException as error:
        console.usage(error)
        return WRONG
    except SpecError as error:
        console.diagnostics(error.diagnostics, WRONG)
        return WRONG
    except (KeyboardInterrupt, click.Abort):
        console.failure("interrupted: nothing was decided", INTERRUPTED)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  (whatever it is, it is our bug, and the user gets a file to report it)
        from modelcheck.cli.reproducer import reproducer

        console.failure(reproducer(arguments, error), INTERNAL)
        return INTERNAL
    return code if isinstance(code, int) else 0
