"""LLVM IR to machine code, kept on disk by content; and its loading.

The object code is kept in the user's cache folder under a digest of the text, llvmlite's version, the processor with
its features and the level of optimisation. A file that is not exactly what was written is ignored; a cache that cannot
be read or written costs the compilation and nothing else.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAGIC = b"modelcheck object 1\n"
_DIGEST = 32
_KEPT = 400
"""Programs in the cache; a program has some 30 KB."""

OPTIMISATION = 2


@dataclass(frozen=True)
class Machine:
    """The processor that code is made for."""

    cpu: str
    features: str
    llvmlite: str


@dataclass(frozen=True)
class Library:
    """Loaded code: the addresses of its public names. It lives as long as this object. `code` is the object code."""

    addresses: dict[str, int]
    owner: Any
    code: bytes

    def function(self, name: str, parameters: int) -> Any:  # noqa: ANN401  (ctypes has no better type)
        """Return a function of so many integers that returns one."""
        kind = ctypes.CFUNCTYPE(ctypes.c_uint64, *(ctypes.c_uint64 for _ in range(parameters)))
        function: Any = kind(self.addresses[name])
        function.library = self  # the code must not go while somebody can call it
        return function

    def array(self, name: str, length: int) -> ctypes.Array[ctypes.c_uint64]:
        """Return a global array of 64-bit integers."""
        return (ctypes.c_uint64 * length).from_address(self.addresses[name])


def compiler_problem() -> str:
    """Return why nothing can be compiled here; "" if it can. llvmlite may be missing, or not fit the machine."""
    try:
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        _target(machine())
    except Exception as error:  # noqa: BLE001  (a broken installation fails in any way; the reference engine answers)
        first = str(error).partition("\n")[0]
        return f"llvmlite cannot be used ({first or type(error).__name__})"
    return ""


def machine() -> Machine:
    """Return the processor of this machine."""
    import llvmlite
    import llvmlite.binding as llvm

    return Machine(llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvmlite.__version__)


def load(text: str, names: tuple[str, ...]) -> Library:
    """Return the code of a module, compiled or from the cache, ready to run."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    here = machine()
    file = _cache_file(text, here)
    code = _read(file) if file else None
    if code is None:
        code = compiled(text, here)
        if file:
            _write(file, code)
    return linked(code, names)


def linked(code: bytes, names: tuple[str, ...]) -> Library:
    """Return object code, ready to run; each time with globals of its own."""
    import llvmlite.binding as llvm

    here = machine()
    session = llvm.create_lljit_compiler(_target(here))
    builder = llvm.JITLibraryBuilder().add_object_img(code)
    for name in names:
        builder.export_symbol(name)
    tracker = builder.link(session, "modelcheck")
    return Library({name: tracker[name] for name in names}, (session, tracker), code)


def _target(here: Machine) -> Any:  # noqa: ANN401  (llvmlite ships no types)
    import llvmlite.binding as llvm

    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=here.cpu, features=here.features, opt=OPTIMISATION, jit=True, reloc="pic"
    )


def compiled(text: str, here: Machine) -> bytes:
    """Return the object code of a module."""
    import llvmlite.binding as llvm

    target = _target(here)
    module = llvm.parse_assembly(text)
    module.triple = target.triple
    module.data_layout = str(target.target_data)
    module.verify()
    # The standard pipeline takes five times as long, and the code that it makes is not faster: what counts here is
    # that variables become registers and that what was computed is not computed again.
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=OPTIMISATION))
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    for _ in range(2):
        passes.add_instruction_combine_pass()
        passes.add_simplify_cfg_pass()
        passes.add_new_gvn_pass()
    passes.add_simplify_cfg_pass()
    passes.run(module, builder)
    return bytes(target.emit_object(module))


# --- the cache -----------------------------------------------------------------------------------


def _cache_file(text: str, here: Machine) -> Path | None:
    """Return where the code of a module is kept, or None where there is no good place."""
    try:
        from platformdirs import user_cache_path

        folder = user_cache_path("modelcheck")
    except (ImportError, OSError, RuntimeError):
        return None
    parts = (text, here.cpu, here.features, here.llvmlite, str(OPTIMISATION))
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return folder / f"native-{key[:40]}.o" if folder.is_absolute() else None


def _read(file: Path) -> bytes | None:
    """Return what is kept in a file; None if it is not there or not as it was written."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    start = len(_MAGIC) + _DIGEST
    code = content[start:]
    if not content.startswith(_MAGIC) or content[len(_MAGIC) : start] != hashlib.sha256(code).digest():
        return None
    return code


def _write(file: Path, code: bytes) -> None:
    """Keep code in a file, or leave it; whoever reads meanwhile finds all of it or nothing."""
    draft = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(_MAGIC + hashlib.sha256(code).digest() + code)
        draft.replace(file)
        _forget_the_oldest(file.parent)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _forget_the_oldest(folder: Path) -> None:
    files = list(folder.glob("native-*.o"))
    if len(files) > _KEPT:
        for file in sorted(files, key=lambda file: file.stat().st_mtime)[: _KEPT // 4]:
            file.unlink(missing_ok=True)
