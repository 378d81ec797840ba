"""Strings taken apart (tf.strings)."""

from collections.abc import Sequence

import numpy as np

from nbflow.public import export
from nbflow.tensor.string_tensor import StringTensor, string_tensor


@export("strings.split")
def split(input, sep=None, maxsplit=-1, name=None):
    """The parts of strings between separators (tf.strings.split).

    Args:
        sep: the separator; white space of any length by default.
        maxsplit: how many separators count at most, all if negative.

    Returns:
        A tensor with one more axis. TensorFlow's would be ragged; this one has b"" after the last part of shorter rows.

    Example:
        >>> import nbflow as nf
        >>> nf.strings.split(["a b", "c"])
        <nf.Tensor: shape=(2, 2), dtype=string, numpy=
        array([[b'a', b'b'],
               [b'c', b'']], dtype=object)>
    """
    tensor = string_tensor(input)
    return padded(parts(tensor, sep, maxsplit), tuple(tensor.shape))


@export("strings.bytes_split")
def bytes_split(input, name=None):
    """The bytes of strings as strings, rows padded with b"" (tf.strings.bytes_split)."""
    tensor = string_tensor(input)
    rows = [[text[k : k + 1] for k in range(len(text))] for text in tensor._array.reshape(-1)]
    return padded(rows, tuple(tensor.shape))


@export("strings.unicode_split")
def unicode_split(input, input_encoding="UTF-8", errors="replace", replacement_char=65533, name=None):
    """The characters of strings as strings, rows padded with b"" (tf.strings.unicode_split)."""
    tensor = string_tensor(input)
    return padded(characters(tensor), tuple(tensor.shape))


def parts(tensor: StringTensor, sep=None, maxsplit: int = -1) -> list[list[bytes]]:
    """For each string its parts, see `split`."""
    between = string_tensor(sep or "").numpy() or None
    return [text.split(between, maxsplit) for text in tensor._array.reshape(-1)]


def characters(tensor: StringTensor) -> list[list[bytes]]:
    """For each string its characters."""
    return [[c.encode() for c in text.decode("utf-8", "replace")] for text in tensor._array.reshape(-1)]


def ngrams(rows: Sequence[Sequence[bytes]], widths: Sequence[int], separator: bytes = b" ") -> list[list[bytes]]:
    """For each row the runs of neighbours of some lengths, joined."""
    return [
        [separator.join(row[k : k + width]) for width in widths for k in range(len(row) - width + 1)] for row in rows
    ]


def padded(rows: Sequence[Sequence[bytes]], shape: tuple, longest: int | None = None) -> StringTensor:
    """Rows as one tensor of shape [*shape, longest], with b"" after the end of shorter ones."""
    if longest is None:
        longest = max((len(row) for row in rows), default=0)
    array = np.full((len(rows), longest), b"", object)
    for k, row in enumerate(rows):
        array[k, : len(row)] = row
    return StringTensor(array.reshape(*shape, longest))
