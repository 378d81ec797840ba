"""Scalar functions that kernels carry in their own source: those that users write (nbflow.custom.op).

A kernel's name is a hash of its source, so what is compiled and kept on disk is right whatever a user changes.
"""

import re
from collections.abc import Callable

# name -> (code of a dtype, whether it is for a GPU) -> (source that defines name_code, names of what it calls)
FUNCTIONS: dict[str, Callable[[str, bool], tuple[str, list[str]]]] = {}
IMPORT = "from nbflow.runtime.vecmath.bits import vector_function\n\n\n"
_CALLS = re.compile(r"\b(\w+)_(f32|f64)\(")


def definitions(text: str, device: bool = False) -> str:
    """The source of the functions that kernel source calls and has to define, each below those that it calls itself."""
    if not FUNCTIONS:
        return ""
    found: dict[tuple[str, str], str] = {}

    def visit(name: str, code: str) -> None:
        if name in FUNCTIONS and (name, code) not in found:
            source, called = FUNCTIONS[name](code, device)
            for other in called:
                visit(other, code)
            found[name, code] = source

    for name, code in _CALLS.findall(text):
        visit(name, code)
    if not found:
        return ""
    return ("" if device else IMPORT) + "".join(f"{source}\n\n" for source in found.values())
