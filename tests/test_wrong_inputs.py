"""Wrong specifications: tests/wrong/NAME.mck, and in NAME.expect every diagnostic as a user sees it.

Never another exception than SpecError, never a silent default; all errors of a file in one pass.
"""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

from modelcheck.diagnostics import CODES, Diagnostic, Severity
from tests.transcript import Golden
from tests.wrong_inputs import inside, read_all, rendered

FOLDER = Path(__file__).parent / "wrong"
NAMES = sorted(path.stem for path in FOLDER.glob("*.mck"))

SECONDS = 20
"""Nothing that a file can hold may take longer to refuse (processor time: the machine may be busy)."""

HINTED = {
    "MC006": "what is available instead",
    "MC021": "how a condition is written",
    "MC022": "the comparison taken apart",
    "MC023": "the parentheses",
    "MC030": "the verbs of that lock",
    "MC031": "the local variable",
    "MC040": "the loop",
    "MC041": "the step",
    "MC042": "guards or gotos",
    "MC044": "what may stand there",
    "MC050": "the step property",
    "MC063": "which of the two to leave out",
}
"""Code -> what its hint tells; these always have one."""

PRODUCED_ELSEWHERE = {
    "MC007": "report/saving.py, report/graph.py",
    "MC008": "analysis/lock_events.py, analysis/log_names.py, logs/*.py",
    "MC009": "report/trace_file.py, cli/replay.py",
    "MC070": "a warning: language/body.py",
}
"""Codes below MC100 that no wrong specification can have."""


def wrong_places(found: tuple[Diagnostic, ...]) -> list[str]:
    """Return the diagnostics whose code, place or hint is not what it must be."""
    return [
        each.render()
        for each in found
        if each.code not in CODES
        or each.severity is not Severity.ERROR
        or not 0 <= each.span.start <= each.span.end <= len(each.span.source.text)
        or each.message.endswith((".", " "))
        or "\n" in each.message
        or (each.code in HINTED and not each.hint)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_specification_is_told_all_that_is_wrong_with_it(name: str, golden: Golden) -> None:
    path = FOLDER / f"{name}.mck"
    with inside(FOLDER):
        started = time.process_time()
        _, found = read_all(path.name, path.read_text(encoding="utf-8"))
    assert time.process_time() - started < SECONDS
    assert found
    assert wrong_places(found) == []
    assert len({each.render() for each in found}) == len(found)
    golden.check(FOLDER / f"{name}.expect", rendered(found))


def test_every_expectation_has_its_specification() -> None:
    assert {path.stem for path in FOLDER.glob("*.expect")} <= set(NAMES)


def test_the_corpus_is_large_and_has_files_with_many_kinds_of_errors() -> None:
    kinds = {name: codes_of(FOLDER / f"{name}.expect") for name in NAMES}
    assert len(NAMES) >= 150
    assert sum(len(codes) >= 3 for codes in kinds.values()) >= 10
    assert sum(len(codes) >= 8 for codes in kinds.values()) >= 1


def test_every_code_that_a_specification_can_have_is_in_the_corpus() -> None:
    seen = {code for name in NAMES for code in codes_of(FOLDER / f"{name}.expect")}
    seen |= {"MC002", "MC003"}  # below: they come from files that git would not keep
    wanted = {code for code in CODES if code < "MC100"}
    assert wanted - seen == set(PRODUCED_ELSEWHERE)


def codes_of(path: Path) -> set[str]:
    """Return the codes in a file of expectations."""
    words = path.read_text(encoding="utf-8").split()
    return {after.rstrip(":") for word, after in pairwise(words) if word == "error"}


# --- files that are made here: too large, too deep, or no text ---------------------------------------

BODY = "thread a { skip; }\n"


def nested(opening: str, inner: str, closing: str, depth: int) -> str:
    return f"{opening * depth}{inner}{closing * depth}"


REFUSED: dict[str, tuple[bytes, str]] = {
    "brackets without sense": (b"model h;\nthread{if{(n&}{n=0; }\n    await {; }\n     true\n", "MC001"),
    "invalid UTF-8": (b"mutex l;\n// caf\xe9\n", "MC002"),
    "UTF-16": (("mutex l;\n" + BODY).encode("utf-16"), "MC002"),
    "a NUL byte": (b"mutex l;\n" + b"\0" + BODY.encode(), "MC002"),
    "binary": (bytes(range(256)) * 20, "MC002"),
    "more than a megabyte": (b"// " + b"x" * (1 << 20) + b"\n" + BODY.encode(), "MC003"),
    "10,000 nested parentheses": (
        f"var x: bool;\nthread a {{ x = {nested('(', 'true', ')', 10_000)}; }}\n".encode(),
        "MC003",
    ),
    "10,000 open parentheses": (b"thread a { await(" + b"(" * 10_000, "MC003"),
    "10,000 nested blocks": (f"thread a {nested('{', 'skip;', '}', 10_000)}\n".encode(), "MC003"),
    "10,000 nested ifs": (f"thread a {{ {'if (true) ' * 10_000} skip; }}\n".encode(), "MC003"),
    "10,000 else ifs": (
        b"var x: 0..3;\nthread a { " + b"if (x == 1) skip; else " * 10_000 + b"skip; }\n",
        "MC003",
    ),
    "10,000 terms": (f"var x: 0..3;\nthread a {{ x = {' + '.join('x' * 10_000)}; }}\n".encode(), "MC003"),
    "10,000 negations": (f"var x: bool;\nthread a {{ x = {'!' * 10_000}x; }}\n".encode(), "MC003"),
    "10,000 indexes": (f"var x: bool;\nthread a {{ x{'[0]' * 10_000} = true; }}\n".encode(), "MC003"),
    "10,000 conditionals": (
        f"var x: 0..3;\nthread a {{ x = {'x == 0 ? 1 : ' * 10_000} 2; }}\n".encode(),
        "MC003",
    ),
    "loops of 10,000 in a loop of 10,000": (
        b"var x: 0..3;\nthread a { for (i: 0..9999) { for (j: 0..9999) { x = 1; } } }\n",
        "MC046",
    ),
    "the same without a step": (b"thread a { skip; for (i: 0..9999) for (j: 0..9999) ; }\n", "MC046"),
    "an atomic loop of 10,000": (b"var x: 0..3;\nthread a { atomic { for (i: 0..9999) x = 1; } }\n", "MC046"),
    "10,000 atomic statements": (
        f"var x: 0..3;\nthread a {{ atomic {{ {'x = 1; ' * 10_000} }} }}\n".encode(),
        "MC046",
    ),
    "an init of 10,000 statements": (
        f"var x: 0..3;\ninit {{ {'x = 1; ' * 10_000} }}\n{BODY}".encode(),
        "MC046",
    ),
    "2 to the 40th ways through an atomic block": (
        f"var x: 0..3;\nop f() {{ {'if (x == 1) if (x == 2) return; ' * 40} }}\n".encode()
        + b"thread a { atomic { f(); } }\n",
        "MC046",
    ),
    "10,000 unknown names": (f"thread a {{ {'missing = 1; ' * 10_000} }}\n".encode(), "MC010"),
    "10,000 syntax errors": (f"thread a {{ {'x = ; ' * 10_000} }}\n".encode(), "MC001"),
    "a number of 100,000 digits": (b"const A = " + b"9" * 100_000 + b";\n" + BODY.encode(), "MC001"),
    "a name of 100,000 letters": (b"thread a { " + b"x" * 100_000 + b" = 1; }\n", "MC010"),
    "a message in the last column": (b"thread a { x = 1; }", "MC010"),
    "an error after a BOM and CRLF": (
        b"\xef\xbb\xbfmutex l;\r\nthread a {\r\n\tmutex_lok(l);\r\n}\r\n",
        "MC010",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_would_write_is_refused_quickly(name: str, in_folder: Path) -> None:
    content, code = REFUSED[name]
    (in_folder / "m.mck").write_bytes(content)
    started = time.process_time()
    _, found = read_all("m.mck")
    assert time.process_time() - started < SECONDS
    assert {each.code for each in found} == {code}
    assert wrong_places(found) == []
    assert all(len(line) < 200 for line in found[0].render().splitlines()[1:])


ACCEPTED: dict[str, bytes] = {
    "BOM and CRLF line ends": b"\xef\xbb\xbfmutex l;\r\nthread a {\r\n"
    b"    mutex_lock(l); // here\r\n    mutex_unlock(l);\r\n}\r\n",
    "no line end at the end": BODY.rstrip().encode(),
    "tabs and form feeds": b"mutex\tl;\f\nthread\ta\t{\tskip;\t}\n",
    "Unicode in comments and strings": (
        'model m;\n"Sperre — 施錠 🔒";\n// Überprüfung\nthread a { skip; } /* ‘’ */\n'.encode()
    ),
    "150 nested parentheses": f"var x: bool;\nthread a {{ x = {nested('(', 'true', ')', 150)}; }}\n".encode(),
    "400 terms": f"var x: 0..1;\nthread a {{ await({' + '.join('x' * 400)} > 7); }}\n".encode(),
    "a line of 10,000 characters": (f"var x: 0..1; thread a {{ {'x = 1; ' * 1_400} }}\n").encode(),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_unusual_but_right_files_are_read(name: str, in_folder: Path) -> None:
    (in_folder / "m.mck").write_bytes(ACCEPTED[name])
    models, found = read_all("m.mck")
    assert rendered(found) == ""
    assert [thread.name for model in models for thread in model.threads] == ["a"]


def test_the_caret_stands_under_the_place_after_a_bom_crlf_and_tabs(in_folder: Path) -> None:
    (in_folder / "m.mck").write_bytes(REFUSED["an error after a BOM and CRLF"][0])
    _, found = read_all("m.mck")
    assert rendered(found).splitlines() == [
        "m.mck:3:2: error MC010: there is no verb `mutex_lok` of a mutex",
        "    3 |  mutex_lok(l);",
        "      |  ^^^^^^^^^",
        "      = did you mean `mutex_lock`?",
    ]


@pytest.mark.parametrize("path", ["nowhere.mck", ".", "a\0b.mck", ""])
def test_a_path_that_is_no_file_is_a_diagnostic(path: str, in_folder: Path) -> None:
    _, found = read_all(path)
    assert [each.code for each in found] == ["MC002"]
    assert found[0].render().startswith(("nowhere.mck: error", ".: error", "a\\0b.mck: error", ": error"))


def test_a_file_that_may_not_be_read_is_a_diagnostic(in_folder: Path) -> None:
    (in_folder / "m.mck").symlink_to("m.mck")
    _, found = read_all("m.mck")
    assert [each.code for each in found] == ["MC002"]
