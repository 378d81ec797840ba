"""Make nbflow/cli/tensorflow_names.txt, TensorFlow's public names that `nbflow ops --missing` compares with.

    python tools/list_tensorflow_names.py

Run it with a Python that has TensorFlow. Listed are the functions and classes of the numeric namespaces and of what
they contain (math.special); constants, dtypes and modules are not.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import tensorflow as tf

NAMESPACES = ("math", "nn", "linalg", "signal", "random", "bitwise", "image")
TARGET = Path(__file__).parents[1] / "nbflow" / "cli" / "tensorflow_names.txt"


def names(module: ModuleType, prefix: str, deep: bool = True) -> Iterator[str]:
    """The public functions and classes of a module, and of its modules if deep."""
    for name in sorted(set(dir(module))):
        value = getattr(module, name)
        if name.startswith("_"):
            continue
        if inspect.ismodule(value):
            if deep:
                yield from names(value, f"{prefix}{name}.")
        elif callable(value) and not isinstance(value, tf.DType):
            yield f"{prefix}{name}"


def main() -> None:
    """Write the list."""
    found = list(names(tf, "", deep=False))
    for namespace in NAMESPACES:
        found += names(getattr(tf, namespace), f"{namespace}.")
    TARGET.write_text(f"# TensorFlow {tf.__version__}\n" + "".join(f"{name}\n" for name in found))
    print(f"{TARGET}: {len(found)} names")


if __name__ == "__main__":
    main()
