"""The rules of ARCHITECTURE.md, measured: which room may know which, who may print, how large things get."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from tests.transcript import ROOT

PACKAGE = ROOT / "modelcheck"

# Low to high. A module belongs to the first line with a pattern for it, and may import from its own line and
# from lower ones. Language is split: a lock's verbs are written with the types of the model, and elaboration
# needs the locks.
ORDER: list[tuple[str, ...]] = [
    ("source",),
    ("diagnostics",),
    ("explanations", "mistakes"),
    ("data",),
    (
        "language.syntax",
        "language.syntax.*",
        "language.types",
        "language.operators",
        "language.model",
        "language.model.*",
    ),
    ("locks", "locks.*"),
    ("language", "language.*"),
    ("logs", "logs.*"),
    ("semantics", "semantics.*"),
    ("result", "result.*"),
    ("reduction", "reduction.*"),
    ("engine", "engine.*"),
    ("analysis", "analysis.*"),
    ("report", "report.*"),
    ("pipeline",),
    ("records",),
    ("explaining",),
    ("",),  # modelcheck/__init__.py: the public names
    ("cli", "cli.*"),
    ("__main__",),
]

# What few may import: z3, networkx and the compiler are each behind one door.
DOORS: dict[str, tuple[str, ...]] = {
    "z3": ("semantics.symbolic*", "engine.bounded", "engine.induction", "engine.lock_invariant"),
    "networkx": ("report.graph*", "engine.reference"),
    "llvmlite": ("semantics.native*", "engine.kernel*"),
    "numba": ("semantics.native*", "engine.kernel*"),
    "lark": ("language.grammar",),
    "click": ("cli", "cli.*", "__main__"),
}
COMMAND_LINE_ONLY = {
    "print",
    "exit",
    "quit",
    "sys.exit",
    "os._exit",
    "sys.stdout",
    "sys.stderr",
    "sys.argv",
}
PRINTERS = ("cli", "cli.*", "__main__")

# `modelcheck --help` must not wait for these.
HEAVY = ("z3", "networkx", "numpy", "numba", "llvmlite", "rich", "lark")

# Modules that import each other. Elaboration is one recursion over the syntax tree in several files: an expression
# holds calls, a call holds expressions. Elsewhere each pair is named.
RECURSIVE = ("language.*",)
MUTUAL = {("report.contents", "report.notebook")}  # a report shows itself as HTML in a notebook

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 40
LINES_OF_AN_ENGINE_LOOP = 90

# The catalogue of known violations, `module` or `module:function` -> lines now. It may only shrink: an entry
# that has become smaller must be lowered here, one that obeys the rule must go.
TOO_LARGE: dict[str, int] = {}


def modules() -> list[str]:
    """Return every module by its dotted name below `modelcheck`; the package itself is the empty name."""
    paths = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)
    return [".".join(path.with_suffix("").parts).removesuffix("__init__").rstrip(".") for path in paths]


def path_of(module: str) -> Path:
    path = PACKAGE / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


def rank(module: str) -> int:
    for height, patterns in enumerate(ORDER):
        if any(fnmatch(module, pattern) for pattern in patterns):
            return height
    pytest.fail(f"modelcheck.{module} has no place in ORDER", pytrace=False)


def imports(module: str, *, for_types: bool = True) -> Iterator[tuple[str, int]]:
    """Yield the absolute dotted name of all that a module imports, wherever in the file, with its line.

    Without `for_types`, what stands under `if TYPE_CHECKING` is left out: it is not there at run time.
    """
    tree = tree_of(module)
    unseen = set() if for_types else {id(node) for guard in type_checking(tree) for node in ast.walk(guard)}
    is_package = path_of(module).name == "__init__.py"
    parts = ["modelcheck", *module.split(".")] if module else ["modelcheck"]
    package = parts if is_package else parts[:-1]
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((f"{origin}.{alias.name}", node.lineno) for alias in node.names)


def type_checking(tree: ast.Module) -> Iterator[ast.If]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield node


def within_package(name: str, known: set[str]) -> str | None:
    """Return the module of ours that an imported name means, the longest prefix that is one."""
    if name == "modelcheck.__version__" or name.partition(".")[0] != "modelcheck":
        return None  # the version is a constant that stands above all imports of the package
    inner = name.removeprefix("modelcheck").lstrip(".")
    while inner not in known:
        inner = inner.rpartition(".")[0]
    return inner


def behind(module: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(module, pattern) for pattern in patterns)


def test_imports_point_down() -> None:
    known = set(modules())
    wrong = []
    for module in sorted(known):
        for name, line in imports(module):
            target = within_package(name, known)
            if target is not None and rank(target) > rank(module):
                wrong.append(
                    f"modelcheck.{module}, line {line}, imports modelcheck.{target}, which stands above it"
                )
    assert not wrong, "\n".join(wrong)


def test_no_two_modules_import_each_other_but_the_known_ones() -> None:
    known = set(modules())
    uses = {module: {within_package(name, known) for name, _ in imports(module)} for module in known}
    both = {
        (one, other)
        for one in known
        for other in known
        if one < other and one in uses[other] and other in uses[one]
    }
    assert {pair for pair in both if not all(behind(module, RECURSIVE) for module in pair)} == MUTUAL


@pytest.mark.parametrize("library", sorted(DOORS))
def test_each_library_has_its_door(library: str) -> None:
    wrong = [
        f"modelcheck.{module}, line {line}"
        for module in modules()
        for name, line in imports(module, for_types=False)
        if name.split(".")[0] == library and not behind(module, DOORS[library])
    ]
    assert not wrong, f"{library} is imported by {wrong}"


def test_only_the_command_line_prints_and_exits() -> None:
    wrong = []
    for module in modules():
        if behind(module, PRINTERS):
            continue
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.Call) and spelled(node.func) in {
                "print",
                "exit",
                "quit",
                "sys.exit",
                "os._exit",
            }:
                wrong.append(f"modelcheck.{module}, line {node.lineno}: {spelled(node.func)}()")
            elif isinstance(node, ast.Attribute) and spelled(node) in {
                "sys.stdout",
                "sys.stderr",
                "sys.argv",
            }:
                wrong.append(f"modelcheck.{module}, line {node.lineno}: {spelled(node)}")
    assert not wrong, "\n".join(wrong)


def spelled(node: ast.expr) -> str:
    """Return `name` or `name.attribute`; an empty text for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return f"{name}.{attribute}"
        case _:
            return ""


def sizes() -> Iterator[tuple[str, int, int]]:
    """Yield what is measured: name, lines, how many it may have. A function's docstring does not count."""
    for module in modules():
        text = path_of(module).read_text(encoding="utf-8")
        yield module or "__init__", len(text.splitlines()), LINES_OF_A_FILE
        allowed = LINES_OF_AN_ENGINE_LOOP if module.startswith("engine.") else LINES_OF_A_FUNCTION
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{module}:{node.name}", lines_of_code(node), allowed


def lines_of_code(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = extent(node)
    match node.body[0]:
        case ast.Expr(value=ast.Constant(value=str())) as docstring:
            return lines - extent(docstring)
        case _:
            return lines


def extent(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_files_and_functions_stay_small() -> None:
    now = {name: lines for name, lines, allowed in sizes() if lines > allowed}
    grown = {name: lines for name, lines in now.items() if lines > TOO_LARGE.get(name, 0)}
    shrunk = {name: (was, now.get(name)) for name, was in TOO_LARGE.items() if now.get(name, 0) < was}
    assert not grown, f"too large: {grown}"
    assert not shrunk, f"smaller than TOO_LARGE says, lower or remove the entry: {shrunk}"


def imported_by(*command: str) -> set[str]:
    """Return the modules that a Python command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return set(re.findall(r"\|\s*([\w.]+)$", done.stderr, re.MULTILINE))


def test_help_imports_nothing_heavy() -> None:
    loaded = imported_by("-m", "modelcheck", "--help")
    assert "modelcheck.cli" in loaded
    assert not {name.split(".")[0] for name in loaded} & set(HEAVY)
    assert "modelcheck.pipeline" not in loaded


def test_a_small_check_imports_only_what_it_needs() -> None:
    """Half of its time is to import."""
    loaded = imported_by("-m", "modelcheck", "check", "specs/design_example.mck")
    assert "modelcheck.analysis.lock_order" in loaded
    assert not {name.split(".")[0] for name in loaded} & set(HEAVY)
    others = ("analysis.conformity", "analysis.trials", "engine.native", "engine.simulation", "logs.log")
    assert not loaded & {f"modelcheck.{name}" for name in others}


def test_the_public_names_come_on_demand() -> None:
    program = "import sys, modelcheck; [getattr(modelcheck, name) for name in modelcheck.__all__]"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
