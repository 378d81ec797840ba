"""Python functions to machine code, through Numba, once: the object code is kept on disk and loaded by LLVM alone.

A cached function costs about a millisecond to load and needs no type inference. An entry of the cache is two files in
`config.cache_dir() / "kernels"`: `<name>.py`, the source (tracebacks and profilers point at it), and `<name>.o`, a
header with a checksum and the object code. The name ends in a hash of all that decides the machine code. Files are
written aside and renamed, so processes that compile the same kernel at once do not meet; a file that is damaged, or a
folder that cannot be written, only costs a compilation.
"""

import hashlib
import linecache
import os
import platform
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
import numba
from numba import _dynfunc, cfunc, njit, types
from numba.core import config as numba_config
from numba.core.registry import cpu_target
from numba.core.runtime import _nrt_python

from nbflow.config import cache_dir
from nbflow.runtime import assistant, collection, intrinsics, translator

MAGIC = b"nbflow object 1\n"
I64 = types.int64
KERNEL_SIGNATURE = types.void(I64, I64, I64)  # (address of the argument block, begin, end)


class Loaded:
    """A native function in this process.

    Attributes:
        name: its name, which ends in the hash of its source and settings.
        source: the Python source.
        address: where its machine code is; with NUMBA_DISABLE_JIT=1 its index in intrinsics.PYTHON_KERNELS.
        origin: "compiled" or "disk".
        seconds: that it took to get it.
    """

    __slots__ = ("_address", "name", "origin", "seconds", "source")

    def __init__(self, name: str, source: str, address: int | None, origin: str, seconds: float = 0.0):
        self.name, self.source, self._address, self.origin, self.seconds = name, source, address, origin, seconds

    @property
    def address(self) -> int:
        """Where it is; all kernels that wait for this are brought into memory at once."""
        if self._address is None:
            _load_waiting()
        assert self._address is not None
        return self._address


_alive: list = []  # what machine code points at must live as long as the process


@cache
def _prepare_llvm() -> None:
    _ = cpu_target.target_context  # registers the C helpers that Numba's Python wrappers call
    for helper, address in _nrt_python.c_helpers.items():
        llvm.add_symbol(helper if helper.startswith("_") else f"NRT_{helper}", address)
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


@cache
def _platform_key() -> str:
    """All but the source that decides the machine code: versions, the CPU, and the library code that kernels inline."""
    here = Path(__file__).parent
    names = "translator", "intrinsics", "gemm", "blas", "libm", "philox", "samplers", "candidates"
    inlined = [here / f"{name}.py" for name in names]
    inlined += sorted((here / "vecmath").glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in inlined if path.exists())).hexdigest()
    features = llvm.get_host_cpu_features().flatten()
    parts = (numba.__version__, llvmlite.__version__, platform.python_version(), llvm.get_host_cpu_name(), features)
    return "\n".join((*parts, str(numba_config.OPT), digest))


def unique_name(stem: str, source: str) -> str:
    """stem and a hash of source, settings and machine: the name of a kernel in memory and on disk."""
    return f"{stem}_{hashlib.sha256((_platform_key() + source).encode()).hexdigest()[:20]}"


def _folder() -> Path:
    return cache_dir() / "kernels"


def _read(name: str) -> tuple[str, bytes] | None:
    """The symbol and object code of a cached function, or None where there is none or it is damaged."""
    try:
        data = (_folder() / f"{name}.o").read_bytes()
    except OSError:
        return None
    header, _, rest = data.partition(b"\n\n")
    if not header.startswith(MAGIC):
        return None
    digest, _, symbol = header[len(MAGIC) :].partition(b"\n")
    if hashlib.sha256(rest).hexdigest().encode() != digest:
        return None
    return symbol.decode(), rest


def _write(name: str, suffix: str, data: bytes) -> None:
    """Puts a file into the cache in one step; a cache that cannot be written is no error."""
    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, folder / f"{name}{suffix}")
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError:
        return


def _load(*codes: bytes):
    """An LLVM engine with object files in it.

    Nothing is added to an engine later: that makes its pages writable for a moment, and threads may be running in them.
    """
    _prepare_llvm()
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    for code in codes:
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _alive.append((engine, codes))
    return engine


# kernels that nobody has run yet, the names that their source uses, and their symbol and code if they are compiled
_waiting: list[tuple["Loaded", dict, tuple[str, bytes] | None]] = []
_loading = threading.Lock()


def _load_waiting() -> None:
    """Brings all kernels that wait into memory, in one engine: an engine takes ten times as long as a kernel."""
    with _loading:
        begun, kernels = time.perf_counter(), _waiting[:]
        if not kernels:
            return  # another thread has
        missing = [(loaded.name, loaded.source) for loaded, _, stored in kernels if stored is None]
        codes = {}
        with assistant.assisted(missing), collection.paused():
            for waiting in kernels:
                loaded, namespace, stored = waiting
                try:
                    codes[loaded] = stored or compile_to_disk(loaded.name, loaded.source, namespace)
                except Exception:  # what is wrong with one kernel is not the business of others that wait
                    _waiting.remove(waiting)
                    _kernels.pop(loaded.name, None)
                    raise
        engine = _load(*dict(codes.values()).values())  # two threads may have made one kernel
        share = (time.perf_counter() - begun) / len(kernels)
        for loaded, (symbol, _) in codes.items():
            loaded._address = engine.get_function_address(symbol)
            loaded.seconds += share
        del _waiting[: len(kernels)]  # only now: where all this is interrupted they wait on


def compile_to_disk(name: str, source: str, namespace: dict) -> tuple[str, bytes]:
    """The symbol and object code of a kernel: from disk, or compiled now and written there."""
    stored = _read(name)
    if stored is not None:
        return stored
    function = _define(name, source, namespace)
    try:
        symbol, code = name, translator.object_code(name, source, function.__globals__)
    except translator.Unsupported:
        compiled = cfunc(KERNEL_SIGNATURE, error_model="numpy")(function)
        symbol, code = compiled.native_name, compiled._library._get_compiled_object()
    _save(name, source, symbol, code)
    return symbol, code


def _save(name: str, source: str, symbol: str, code: bytes) -> None:
    header = MAGIC + hashlib.sha256(code).hexdigest().encode() + b"\n" + symbol.encode() + b"\n\n"
    _write(name, ".py", source.encode())
    _write(name, ".o", header + code)


def _define(name: str, source: str, namespace: dict):
    """The function `name` that source defines, with a file name that a debugger can open."""
    path = str(_folder() / f"{name}.py")
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
    scope = {**namespace, "__name__": f"nbflow_kernels.{name}"}
    exec(compile(source, path, "exec"), scope)
    return scope[name]


_kernels: dict[str, Loaded] = {}  # by name: one copy of each kernel in a process


def kernel(stem: str, source: str, namespace: dict, portable: bool = False) -> Loaded:
    """The kernel that source defines as `def {name}(p, begin, end)`, from memory, from disk, or compiled.

    Args:
        stem: what the kernel does, as an identifier.
        source: Python source, in which "{name}" stands for the kernel's name.
        namespace: the names that source uses.
        portable: whether another process can compile it, which the first use of its address waits for.
    """
    name = unique_name(stem, source)
    found = _kernels.get(name)
    if found is not None:
        return found
    source = source.replace("{name}", name)
    if numba_config.DISABLE_JIT:
        intrinsics.PYTHON_KERNELS.append(_define(name, source, namespace))
        loaded = Loaded(name, source, len(intrinsics.PYTHON_KERNELS) - 1, "python")
    else:
        stored = _read(name)
        loaded = Loaded(name, source, None, "compiled" if stored is None else "disk")
        if not portable:  # it may fail, which is the business of who asks for it
            stored = stored or compile_to_disk(name, source, namespace)
        _waiting.append((loaded, namespace, stored))
    return _kernels.setdefault(name, loaded)


def loaded_kernels() -> list[Loaded]:
    """All kernels of this process, in the order of their arrival."""
    return list(_kernels.values())


def entry(function, arguments: int, *, nogil: bool):
    """A Python-callable native version of a function of int64 arguments that returns an int64.

    A call costs about 0.1 us. Functions that may run long release the GIL (nogil).
    """
    if numba_config.DISABLE_JIT:
        return function
    source = Path(function.__code__.co_filename).read_text()
    name = unique_name(function.__name__, f"{source}\n{function.__name__} {arguments} {nogil}")
    stored = _read(name)
    if stored is None:
        compiled = njit(I64(*[I64] * arguments), nogil=nogil, error_model="numpy")(function.py_func)
        result = next(iter(compiled.overloads.values()))
        code = result.library.serialize_using_object_code()[2][0]
        symbol = f"{result.fndesc.llvm_cpython_wrapper_name} {result.fndesc.env_name}"
        _save(name, source, symbol, code)
    else:
        symbol, code = stored
    wrapper_symbol, environment_symbol = symbol.split(" ")
    engine = _load(code)
    address = engine.get_function_address(wrapper_symbol)
    environment = _dynfunc.Environment(function.py_func.__globals__)
    cell = engine.get_global_value_address(environment_symbol)
    intrinsics._cell(cell).value = id(environment)
    _alive.append(environment)
    module = __import__(function.__module__, fromlist=["_"])
    return _dynfunc.make_function(module, function.__name__, function.__doc__ or "", address, environment, ())
