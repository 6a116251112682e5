"""Writing a file so that a reader finds the old text or the new one, never half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from modelcheck.diagnostics import Diagnostic, SpecError
from modelcheck.source import Source, Span


def save(path: str | Path, text: str) -> None:
    """Write the text beside the file and rename it onto the file; permissions and links are kept.

    Raises SpecError (MC007) if that cannot be done: an unwritable path is the user's to mend.
    """
    target = Path(path)
    try:
        target = target.resolve() if target.is_symlink() else target
        if target.exists() and not target.is_file():
            if target.is_dir():
                raise IsADirectoryError(21, "this is a directory")
            target.write_text(text, encoding="utf-8")  # a device or a pipe: nothing to rename
            return
        _replace(target, text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError([_unwritable(str(path).replace("\0", "\\0"), reason)]) from None


def _replace(target: Path, text: str) -> None:
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(13, "it is write-protected")
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        beside.chmod(mode)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Return the mask of a new file's permissions; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(name: str, reason: str) -> Diagnostic:
    return Diagnostic("MC007", f"cannot write the file: {reason}", Span(Source(name, ""), 0, 0))
