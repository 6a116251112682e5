"""The text files that come with the program: the grammars and the specifications.

They live in two top-level folders of the repository, because they are read by people. A wheel carries them in
`modelcheck/_data`; a source checkout and an editable install use the folders themselves.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def grammar_text(name: str) -> str:
    """Return the text of one file of grammars/, for instance `mck.lark`."""
    return (_folder("grammars") / name).read_text(encoding="utf-8")


def specs_folder() -> Path:
    """Return the folder of the specifications that come with the program."""
    return _folder("specs")


def _folder(name: str) -> Path:
    """Return a folder of data: the installed one, else the one beside the package in a source checkout."""
    installed = _PACKAGE / "_data" / name
    folder = installed if installed.is_dir() else _PACKAGE.parent / name
    assert folder.is_dir(), f"the installation lacks its {name} folder: {folder}"
    return folder
