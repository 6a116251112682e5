"""The commands by name. A command's module is imported when it is called, so that `--help` waits for nothing."""

from __future__ import annotations

import importlib

import click

from modelcheck import __version__
from modelcheck.diagnostics import near_miss

_COMMANDS = {
    "check": "Check every scenario of specifications.",
    "conform": "Tell whether a specification explains a log of a running system.",
    "explain": "Tell what a code or check means, with an example or a trace.",
    "explore": "Count the reachable states; write them as a graph.",
    "fmt": "Bring specifications into their canonical form.",
    "locks": "Show the lock order, its cycles, and what keeps each apart.",
    "profile": "Show where the states come from, and what would make them fewer.",
    "replay": "Take a saved trace again.",
    "simulate": "Walk through a specification, at random or by hand.",
    "specs": "List the specifications that come with the program.",
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and summaries without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _COMMANDS:
            hint = near_miss(cmd_name, _COMMANDS)
            ctx.fail(f"there is no command `{cmd_name}`{': ' * bool(hint)}{hint}")
        module = importlib.import_module(f"modelcheck.cli.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands for --help, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="modelcheck")
def commands() -> None:
    """A model checker for kernel locking designs.

    A specification (FILE.mck) is written in a small language like the kernel's C, with the kernel's locks built in;
    every interleaving of its threads is searched for deadlocks, broken lock rules, races and violated invariants.

    Exit code: 0 as expected, 1 a violation or an unmet expectation, 2 a mistake in a specification or on the command
    line, 3 not decided (a limit was hit), 70 an internal error, 130 interrupted.
    """
