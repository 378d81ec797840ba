"""What the assistant of runtime.assistant does: compiles kernels to the cache on disk."""

import json
import sys

from nbflow.compiler.kernels import namespace
from nbflow.runtime import blas, native


def main() -> None:
    """Reads (name, source) pairs as JSON from standard input and compiles those that are not in the cache yet."""
    for name, source in json.load(sys.stdin):
        if "gemm" in source:
            blas.library()
        native.compile_to_disk(name, source, namespace())
