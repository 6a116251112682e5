"""Where the command line prints: results on stdout, all else on stderr; with --json nothing but JSON on stdout."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import click

    from modelcheck.diagnostics import Diagnostic


class Console:
    """The two streams of the program. A reader that goes away (`| head`) ends the output, not the program.

    `lost` says why a result could not be written (a full disk), "" if all was: nobody may take it for success.
    """

    def __init__(self) -> None:
        self.json = False
        self.lost = ""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, ValueError, OSError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]

    def write(self, text: str) -> None:
        """Print a result."""
        self._print(text, sys.stdout)

    def note(self, text: str) -> None:
        """Print what is no result: a hint, a progress line, a diagnostic."""
        self._print(text, sys.stderr)

    def diagnostics(self, diagnostics: Iterable[Diagnostic], code: int) -> None:
        """Print what is wrong with a specification or the command line."""
        if self.json:
            from modelcheck.report.json_report import error_json

            self.write(error_json(diagnostics, code))
            return
        for each in diagnostics:
            self.note(each.render())

    def failure(self, message: str, code: int) -> None:
        """Print why a run came to nothing."""
        if self.json:
            from modelcheck.report.json_report import error_json

            self.write(error_json((), code, message))
            return
        self.note(message)

    def usage(self, error: click.ClickException) -> None:
        """Print what is wrong with the arguments, and how the command is used."""
        if self.json:
            self.failure(error.format_message(), error.exit_code)
            return
        context = getattr(error, "ctx", None)
        if context is not None and type(error).__name__ == "NoArgsIsHelpError":
            self.note(context.get_help())
            return
        if context is not None:
            self.note(context.get_usage())
            self.note(f"Try `{context.command_path} --help`.\n")
        self.note(f"error: {error.format_message()}")

    def ask(self, prompt: str) -> str | None:
        """Read one line of input; None at its end."""
        self._print(prompt, sys.stderr, end="")
        line = sys.stdin.readline()
        return line.strip() if line else None

    def read(self) -> str:
        """Read all input."""
        return sys.stdin.read()

    def close(self) -> None:
        """Print what is still buffered."""
        for stream in (sys.stdout, sys.stderr):
            self._print("", stream, end="")
        if self.lost:
            self._print(f"error: the result could not be written: {self.lost}", sys.stderr)

    def _print(self, text: str, stream: TextIO | None, end: str = "\n") -> None:
        if stream is None:
            return  # it was closed before the program started
        try:
            print(text, file=stream, end=end, flush=True)
        except (BrokenPipeError, ValueError):
            _discard(stream)
        except OSError as error:
            self.lost = self.lost or (error.strerror or str(error))
            _discard(stream)


def _discard(stream: TextIO) -> None:
    """Nobody reads any more: send the rest to nowhere, so that Python does not complain at its end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
