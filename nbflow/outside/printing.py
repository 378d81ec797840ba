"""nf.print: values as they are when the program comes there."""

import logging
import os
import pprint
import random
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from nbflow.ops.outside import PRINT
from nbflow.public import export
from nbflow.sparse import SparseTensor
from nbflow.tensor.formatting import summary
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import apply, to_tensor

_LOGGER = logging.getLogger("nbflow")


class Printer:
    """A call of nf.print as an attribute of a node.

    Attributes:
        pieces: the text between the values: one more than there are values.
        summarize: how many elements of each axis are shown at either end.
        end: what follows.
        write: takes the whole text.
    """

    def __init__(self, pieces: Sequence[str], summarize: int, end: str, write: Callable[[str], None]):
        self.pieces, self.summarize, self.end, self.write = pieces, summarize, end, write

    def __call__(self, arrays: Sequence[np.ndarray]) -> None:
        """Writes the values."""
        texts = [summary(array, self.summarize) for array in arrays]
        pairs = zip(self.pieces, texts, strict=False)
        self.write("".join([part for pair in pairs for part in pair]) + self.pieces[-1] + self.end)


def _writer(stream) -> Callable[[str], None]:
    """What writes to an output stream as nf.print takes them."""
    for name in ("stdout", "stderr"):
        if stream is getattr(sys, name):
            return lambda text: _to_stream(getattr(sys, name), text)  # the one of the time when it is written
    if isinstance(stream, str) and stream.startswith("file://"):
        return lambda text: _to_file(stream.removeprefix("file://"), text)
    if isinstance(stream, int) and not isinstance(stream, bool):
        return lambda text: _LOGGER.log(stream, "%s", text.removesuffix(os.linesep))
    if hasattr(stream, "write"):
        return lambda text: _to_stream(stream, text)
    if callable(stream):
        return lambda text: stream("%s", text.removesuffix(os.linesep))
    raise ValueError(
        f"print: output_stream is {stream!r:.100}; it takes sys.stdout, sys.stderr, another file object, a function or "
        f"level of logging, or 'file://' and a path"
    )


def _to_stream(stream, text: str) -> None:
    stream.write(text)
    stream.flush()


def _to_file(path: str, text: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def _is_tensor(value) -> bool:
    return isinstance(value, TensorProtocol) or hasattr(type(value), "nbflow_tensor")


def _placeholder(text: str) -> str:
    """A string that is not in a text."""
    placeholder, digits = "{}", random.Random(5)
    while placeholder in text:
        placeholder += str(digits.randint(0, 9))
    return placeholder


def _flattened(value) -> tuple[list, Any]:
    """The leaves of a structure, and what puts others in their place."""
    return optree.tree_flatten(value, is_leaf=lambda part: isinstance(part, SparseTensor), none_is_leaf=True)


def _template(value, placeholder: str, tensors: list) -> str:
    """A value as text with a placeholder for each tensor in it, which is added to tensors."""
    if isinstance(value, str):
        return value
    flat, structure = _flattened(value)
    leaves: list = []
    for leaf in flat:
        if isinstance(leaf, SparseTensor):
            tensors += [to_tensor(part) for part in (leaf.indices, leaf.values, leaf.dense_shape)]
            leaves.append(f"SparseTensor(indices={placeholder}, values={placeholder}, shape={placeholder})")
        elif _is_tensor(leaf):
            tensors.append(to_tensor(leaf))
            leaves.append(placeholder)
        else:
            leaves.append(leaf)
    return pprint.pformat(optree.tree_unflatten(structure, leaves))


def _without_tensors(value):
    return ["" if _is_tensor(leaf) else leaf for leaf in _flattened(value)[0]]


@export("print")
def print(*inputs, output_stream=None, summarize=3, sep=" ", end=os.linesep, name=None):
    """Prints values (tf.print). In a compiled function that happens when the program runs, each time, in its order.

    Args:
        inputs: tensors, Python values, and lists, tuples and dicts of them.
        output_stream: sys.stderr, the default, sys.stdout or another file object; a function or level of logging; or
            "file:///path", to which text is appended.
        summarize: of each axis so many elements are shown at the beginning and at the end, with -1 all.
        sep: what stands between the inputs.
        end: what follows.
        name: accepted as TensorFlow's; it has no effect.

    Raises:
        ValueError: output_stream is none of these.

    Example:
        >>> import sys
        >>> import nbflow as nf
        >>> nf.print("x:", nf.range(10), {"y": nf.constant(0.5)}, output_stream=sys.stdout)
        x: [0 1 2 ... 7 8 9] {'y': 0.5}
    """
    write = _writer(sys.stderr if output_stream is None else output_stream)
    placeholder = _placeholder(" ".join(pprint.pformat(_without_tensors(value)) for value in inputs))
    tensors: list = []
    text = str(sep).join([_template(value, placeholder, tensors) for value in inputs])
    text = text.replace(f"'{placeholder}'", placeholder)
    printer = Printer(text.split(placeholder), int(summarize), str(end), write)
    if state.trace is None:
        printer([t._view() for t in tensors])
    else:
        apply(PRINT, tensors, {"printer": printer})
