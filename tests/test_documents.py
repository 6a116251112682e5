"""The documents are true: every command in them prints what they say, every example in them runs.

A document is one test. Its blocks run in order in one folder, which holds copies of specs/, examples/ and benchmarks/:

- `console`: lines `$ modelcheck ...` (also `$ cat FILE`, `$ echo $?`), each followed by what it prints;
  a line `...` stands for any lines. With `--update-golden` the document is rewritten.
- `python`: executed; the blocks of one document share their names.
- `mck`: must be a correct specification. A first line `// file: NAME.mck` saves it for the blocks after it.
- `mck-wrong`: the same, but must be refused.
- An HTML comment `<!-- skip: next "reason" -->` leaves the next block alone (fragments of a specification).
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sybil import Document, Example
from sybil.example import SybilFailure
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

import modelcheck
from modelcheck.diagnostics import SpecError
from tests.transcript import ROOT, Golden, Run, Tool, difference

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILE = re.compile(r"// file: (\S+\.mck)\n")
COMMAND = re.compile(r"^\$ (.*)\n", re.MULTILINE)


@dataclass
class Session:
    """One reader's terminal: a folder, the last exit code, and what the document should say instead."""

    tool: Tool
    golden: Golden
    folder: Path
    exit_code: int = 0
    failures: list[str] = field(default_factory=list)
    rewritten: list[tuple[int, int, str]] = field(default_factory=list)

    def console(self, example: Example) -> None:
        """Run the commands of a block and compare what each prints."""
        source = str(example.parsed)
        parts = COMMAND.split(source)
        assert not parts[0].strip(), f"a console block begins with a command: {parts[0]!r}"
        texts = []
        for command, expected in zip(parts[1::2], parts[2::2], strict=True):
            actual = self.execute(command).output
            kept = self.golden.kept(expected, actual)
            if kept is None:
                self.failures.append(difference(expected, actual, f"{Path(example.path).name}: $ {command}"))
            texts.append(f"$ {command}\n{expected if kept is None else kept}")
        start = example.region.start + example.parsed.offset
        if "".join(texts) != source:
            self.rewritten.append((start, start + len(source), "".join(texts)))

    def execute(self, command: str) -> Run:
        """Run one command line as a reader of the document would."""
        if command == "echo $?":
            return Run(f"{self.exit_code}\n", 0)
        if command.startswith("cat "):
            return Run((self.folder / command.removeprefix("cat ")).read_text(encoding="utf-8"), 0)
        run = self.tool(command, self.folder)
        assert run.code != 70, run.output
        self.exit_code = run.code
        return run

    def specification(self, example: Example) -> None:
        """Elaborate a specification, and save it if it names its file."""
        modelcheck.load(self.saved(example))

    def mistake(self, example: Example) -> None:
        """Save a specification that must be refused."""
        with pytest.raises(SpecError):
            modelcheck.load(self.saved(example))

    def saved(self, example: Example) -> Path:
        """Write a block into its file, or into one named after its line."""
        named = FILE.match(example.parsed)
        path = self.folder / (named[1] if named else f"line_{example.line}.mck")
        path.write_text(example.parsed[named.end() :] if named else example.parsed, encoding="utf-8")
        return path


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_is_true(path: Path, golden: Golden, tool: Tool, in_folder: Path) -> None:
    for name in ("specs", "examples", "benchmarks"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, in_folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    session = Session(tool, golden, in_folder)
    document = Document.parse(
        str(path),
        PythonCodeBlockParser(),
        CodeBlockParser("console", session.console),
        CodeBlockParser("mck", session.specification),
        CodeBlockParser("mck-wrong", session.mistake),
        SkipParser(),
    )
    for example in document:
        try:
            example.evaluate()
        except SybilFailure as failure:
            session.failures.append(str(failure))
    if session.rewritten and golden.updating:
        text = document.text
        for start, end, instead in reversed(session.rewritten):
            text = text[:start] + instead + text[end:]
        path.write_text(text, encoding="utf-8")
    if session.failures:
        pytest.fail("\n".join(session.failures), pytrace=False)


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert not broken, "\n".join(broken)
