"""What is left behind by an internal error: a file with all that is needed to see it again."""

from __future__ import annotations

import contextlib
import platform
import tempfile
import traceback
from pathlib import Path

from modelcheck import __version__


def reproducer(arguments: list[str], error: BaseException) -> str:
    """Write the reproducer into the current folder, else the one for temporary files; return the message about it."""
    from modelcheck.diagnostics import SpecError
    from modelcheck.report.saving import save

    text = reproducer_text(arguments, error)
    what = f"internal error: {type(error).__name__}: {error}".splitlines()[0]
    for folder in (Path(), Path(tempfile.gettempdir())):
        path = _unused(folder)
        try:
            save(path, text)
        except SpecError:
            continue
        return (
            f"{what}\nThis is a bug in modelcheck, not in the specification. {path} says how to see it again."
        )
    return f"{what}\nThis is a bug in modelcheck, and no file could be written to report it:\n{text}"


def reproducer_text(arguments: list[str], error: BaseException) -> str:
    """Return the arguments, the traceback and every file that is named in the arguments."""
    parts = [
        f"modelcheck {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        f"arguments: {arguments!r}",
        "".join(traceback.format_exception(error)).rstrip(),
        *(_file(path) for path in _files(arguments)),
    ]
    return "\n\n".join(parts) + "\n"


def _files(arguments: list[str]) -> list[Path]:
    found: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        with contextlib.suppress(OSError, ValueError):  # it is no path
            found += sorted(path.rglob("*.mck")) if path.is_dir() else [path] if path.is_file() else []
    return found


def _file(path: Path) -> str:
    try:
        return f"--- {path}\n{path.read_text(encoding='utf-8', errors='replace')}"
    except OSError as error:
        return f"--- {path}\n({error})"


def _unused(folder: Path) -> Path:
    """Return a name that no file has: an older reproducer is not written over."""
    number = 1
    while (path := folder / f"modelcheck-bug-{number}.txt").exists():
        number += 1
    return path
