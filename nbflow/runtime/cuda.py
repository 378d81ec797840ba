"""The CUDA toolkit behind one door: no other module of nbflow imports it.

numba-cuda is an optional dependency and is loaded when a kernel needs it, so that nbflow imports and works the same
without it. Kernels run on a GPU, or with NUMBA_ENABLE_CUDASIM=1 in numba's simulator (slow, for tests of the index
logic; numba's own copy of numba.cuda is enough there). `compile_ptx` and `link` need no GPU, only the toolkit's
libraries. A successor of numba-cuda is put in place here and nowhere else.
"""

import hashlib
import importlib
import linecache
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from numba import types
from numba.core import config

from nbflow.errors import FailedPreconditionError
from nbflow.runtime.device_math import SimulatedMath, device_functions
from nbflow.runtime.intrinsics import DTYPES

INSTALL = "pip install 'nbflow[cuda13]' (driver 580 or later) or 'nbflow[cuda12]'"


def simulated() -> bool:
    """Whether kernels run in numba's simulator."""
    return bool(getattr(config, "ENABLE_CUDASIM", False))


@cache
def load() -> Any:
    """The `cuda` module that kernels are written against.

    Raises:
        FailedPreconditionError: numba-cuda is not installed, or numba's own copy was imported in its place.
    """
    if simulated():
        return importlib.import_module("numba.cuda")
    try:
        # what its .pth file imports; some set-ups do not read those
        importlib.import_module("_numba_cuda_redirector")
    except ImportError:
        raise FailedPreconditionError(f"CUDA: numba-cuda is not installed. Install it with {INSTALL}.") from None
    cuda = importlib.import_module("numba.cuda")
    if cuda.implementation != "NVIDIA":
        raise FailedPreconditionError(
            "CUDA: numba.cuda was imported before numba-cuda could take its place, because Python did not read "
            "numba-cuda's .pth file. Import nbflow.runtime.cuda first and call its load()."
        )
    return cuda


def available() -> bool:
    """Whether kernels can run here: on a GPU with a driver, or in the simulator."""
    try:
        return bool(load().is_available())
    except Exception:
        return False


def require() -> Any:
    """The `cuda` module, on a machine where kernels can run.

    Raises:
        FailedPreconditionError: they cannot; the message says what is missing.
    """
    cuda = load()
    if not available():
        raise FailedPreconditionError(
            "CUDA: numba-cuda is installed, but finds no GPU or no driver; nvidia-smi shows whether they are there."
        )
    return cuda


# --- kernels ------------------------------------------------------------------------------------------------------


@cache
def namespace() -> dict[str, Any]:
    """The names that kernel source may use: `cuda`, the dtypes, and the device functions."""
    cuda = load()
    if simulated():  # device functions as they are: the simulator's wrapper would swap their globals at each call
        device: Callable = lambda function: function
        functions = device_functions(SimulatedMath, SimulatedMath, device)
    else:
        device = cuda.jit(device=True)
        functions = device_functions(math, cuda, device)
    constants = {"uint64": types.uint64, "inf": math.inf, "nan": math.nan, "vector_function": device}
    return {"cuda": cuda, **DTYPES, **constants, **functions}


def kernel_name(stem: str, source: str) -> str:
    """stem and a hash of the source: the name of a kernel."""
    return f"{stem}_{hashlib.sha256(source.encode()).hexdigest()[:20]}"


def define(stem: str, source: str) -> Callable:
    """The Python function that source defines as `def {name}(...)`."""
    name = kernel_name(stem, source)
    text = source.replace("{name}", name)
    path = f"<nbflow kernel {name}>"
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    scope = {**namespace(), "__name__": f"nbflow_kernels.{name}"}
    exec(compile(text, path, "exec"), scope)
    return scope[name]


@cache
def kernel(stem: str, source: str) -> Any:
    """The kernel that source defines, compiled at its first launch; one of each in a process."""
    return require().jit(define(stem, source))


def launch(function: Any, grid: tuple, block: tuple, arguments: Sequence, stream: Any = 0) -> None:
    """Starts a kernel on device arrays and np.uint64 numbers; it may still run when this returns."""
    if not simulated():
        function[grid, block, stream](*arguments)
        return
    with warnings.catch_warnings():  # a GPU has no floating-point warnings, NumPy's scalars do
        warnings.simplefilter("ignore", RuntimeWarning)
        function[grid, block](*arguments)


def to_device(array: np.ndarray) -> Any:
    """A copy of an array in device memory; its copy_to_host() brings it back."""
    return require().to_device(array)


def empty(size: int, dtype: np.dtype) -> Any:
    """Device memory for `size` elements, not initialised."""
    return require().device_array(size, dtype)


# --- compiling without a GPU --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ptx:
    """A kernel in PTX, the assembly language of GPUs.

    Attributes:
        entry: the kernel's symbol.
        capability: the compute capability it is for, such as (9, 0).
    """

    text: str
    entry: str
    capability: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cubin:
    """A kernel in the machine code of one GPU.

    Attributes:
        entry: the kernel's symbol.
        registers: that each thread holds.
        spilled: bytes a thread stores to memory because its registers do not suffice.
        stack: bytes of a thread's stack frame.
    """

    code: bytes
    entry: str
    registers: int
    spilled: int
    stack: int


def _argument_type(code: str) -> types.Type:
    """ "f32*" is a pointer to float32, "u64" an unsigned number."""
    return types.CPointer(DTYPES[code[:-1]]) if code.endswith("*") else types.uint64


@contextmanager
def _device_of(capability: tuple[int, int]) -> Iterator[None]:
    """Lets numba-cuda compile device functions for a capability.

    It asks the present GPU for its own otherwise, although the caller has named one.
    """
    device = SimpleNamespace(compute_capability=capability)
    modules: list[Any] = [importlib.import_module(f"numba.cuda.{name}") for name in ("dispatcher", "api", "compiler")]
    before = [module.get_current_device for module in modules]
    for module in modules:
        module.get_current_device = lambda: device
    try:
        yield
    finally:
        for module, function in zip(modules, before, strict=True):
            module.get_current_device = function


def compile_ptx(stem: str, source: str, arguments: Sequence[str], capability: tuple[int, int] = (9, 0)) -> Ptx:
    """Compiles kernel source to PTX; needs no GPU.

    Args:
        arguments: the type of each argument: a dtype's code and "*" for a pointer, "u64" for a number.

    Raises:
        FailedPreconditionError: numba-cuda or the toolkit's libraries are missing, or the simulator is on.
    """
    cuda = load()
    if simulated():
        raise FailedPreconditionError("CUDA: the simulator does not compile; unset NUMBA_ENABLE_CUDASIM")
    function, signature = define(stem, source), types.void(*map(_argument_type, arguments))
    try:
        with _device_of(capability):
            text, _ = cuda.compile(function, signature, cc=capability, device=False, abi="numba", output="ptx")
    except (RuntimeError, OSError) as error:  # how numba-cuda reports libraries that it does not find
        if not re.search(r"nvvm|nvrtc|libdevice|library", str(error), re.IGNORECASE):
            raise
        message = f"CUDA: the toolkit is not complete ({error}). Install it with {INSTALL}."
        raise FailedPreconditionError(message) from error
    entry = text.partition(".visible .entry ")[2].partition("(")[0]
    return Ptx(text, entry, capability)


def link(ptx: Ptx) -> Cubin:
    """Compiles PTX to machine code with nvJitLink; needs no GPU.

    Raises:
        FailedPreconditionError: nvJitLink is not installed, or older than the library that made the PTX.
    """
    try:
        core = importlib.import_module("cuda.core")
        options = core.LinkerOptions(arch="sm_{}{}".format(*ptx.capability), verbose=True)
        linker = core.Linker(core.ObjectCode.from_ptx(ptx.text.encode(), name=ptx.entry), options=options)
        code = bytes(linker.link("cubin").code)
    except (ImportError, RuntimeError) as error:
        raise FailedPreconditionError(f"CUDA: cannot link ({error}). Install the toolkit with {INSTALL}.") from error
    log = linker.get_info_log()

    def figure(pattern: str) -> int:
        found = re.search(pattern, log)
        return int(found[1]) if found else 0

    return Cubin(
        code,
        ptx.entry,
        registers=figure(r"Used (\d+) registers"),
        spilled=figure(r"(\d+) bytes spill stores"),
        stack=figure(r"(\d+) bytes stack frame"),
    )
