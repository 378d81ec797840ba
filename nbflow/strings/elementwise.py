"""Functions of each string (tf.strings)."""

import re
from collections.abc import Callable

import numpy as np

from nbflow.dtypes import int32
from nbflow.errors import InvalidArgumentError
from nbflow.public import export
from nbflow.tensor.string_tensor import StringTensor, string_tensor
from nbflow.tensor.tensor import from_numpy


def _each(function: Callable[[bytes], bytes], input) -> StringTensor:
    """The results of a function of each string."""
    given = string_tensor(input)._array
    array = np.empty(given.shape, object)
    array.reshape(-1)[:] = [function(text) for text in given.reshape(-1)]
    return StringTensor(array)


def _text(value: bytes) -> str:
    """Bytes as text; what is no UTF-8 comes back as it was when encoded again."""
    return value.decode("utf-8", "surrogateescape")


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _encoded(function: Callable, encoding: str, name: str) -> Callable:
    if encoding not in ("", "utf-8"):
        raise InvalidArgumentError(f"strings.{name}: encoding is {encoding!r}; it takes '' for ASCII or 'utf-8'")
    return function if not encoding else lambda text: _bytes(function(_text(text)))


@export("strings.lower")
def lower(input, encoding="", name=None):
    """Strings in lower case (tf.strings.lower): letters of ASCII, or all with encoding="utf-8".

    Example:
        >>> import nbflow as nf
        >>> nf.strings.lower(["A Cat"])
        <nf.Tensor: shape=(1,), dtype=string, numpy=array([b'a cat'], dtype=object)>
    """
    return _each(_encoded(lambda text: text.lower(), encoding, "lower"), input)


@export("strings.upper")
def upper(input, encoding="", name=None):
    """Strings in upper case (tf.strings.upper): letters of ASCII, or all with encoding="utf-8"."""
    return _each(_encoded(lambda text: text.upper(), encoding, "upper"), input)


@export("strings.strip")
def strip(input, name=None):
    """Strings without white space at their ends (tf.strings.strip)."""
    return _each(lambda text: text.strip(), input)


@export("strings.regex_replace")
def regex_replace(input, pattern, rewrite, replace_global=True, name=None):
    r"""Strings with what a regular expression matches replaced (tf.strings.regex_replace).

    Args:
        pattern: the expression, in what Python's re and RE2 share.
        rewrite: what takes the place of a match; \1 … \9 stand for its groups and \0 for all of it.
        replace_global: whether all matches are replaced, or the first.
    """
    found = re.compile(_text(pattern) if isinstance(pattern, bytes) else pattern, re.ASCII)
    parts = re.split(r"\\([0-9\\])", _text(rewrite) if isinstance(rewrite, bytes) else rewrite)

    def replacement(match: re.Match) -> str:
        return "".join(
            part if k % 2 == 0 else part if part == "\\" else match.group(int(part)) or ""
            for k, part in enumerate(parts)
        )

    return _each(lambda text: _bytes(found.sub(replacement, _text(text), 0 if replace_global else 1)), input)


@export("strings.regex_full_match")
def regex_full_match(input, pattern, name=None):
    """Whether a regular expression matches all of a string (tf.strings.regex_full_match)."""
    found = re.compile(pattern, re.ASCII)
    array = string_tensor(input)._array
    flat = [found.fullmatch(_text(text)) is not None for text in array.reshape(-1)]
    return from_numpy(np.array(flat, bool).reshape(array.shape))


def _by_unit(unit: str, name: str) -> Callable[[bytes], bytes | str]:
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise ValueError(f"strings.{name}: unit is {unit!r}; it takes 'BYTE' or 'UTF8_CHAR'")
    return _text if unit == "UTF8_CHAR" else lambda text: text


@export("strings.length")
def length(input, unit="BYTE", name=None):
    """The number of bytes of each string, or of characters with unit="UTF8_CHAR", as int32 (tf.strings.length)."""
    units, array = _by_unit(unit, "length"), string_tensor(input)._array
    flat = [len(units(text)) for text in array.reshape(-1)]
    return from_numpy(np.array(flat, np.int32).reshape(array.shape), int32)


@export("strings.substr")
def substr(input, pos, len, unit="BYTE", name=None):
    """Parts of strings (tf.strings.substr).

    Args:
        pos: where each begins; a negative one counts from the end.
        len: how long it is at most; both are integers, or tensors whose shapes broadcast with that of input.
        unit: what is counted, "BYTE" or "UTF8_CHAR".

    Raises:
        InvalidArgumentError: pos lies outside of a string.
    """
    units = _by_unit(unit, "substr")
    texts, starts, sizes = np.broadcast_arrays(string_tensor(input)._array, np.asarray(pos), np.asarray(len))
    array = np.empty(texts.shape, object)
    for at in np.ndindex(texts.shape):
        whole, start = units(texts[at]), int(starts[at])
        total = whole.__len__()  # `len` is an argument
        if not -total <= start <= total:
            raise InvalidArgumentError(f"strings.substr: pos {start} out of range for string {texts[at]!r:.100}")
        start += total if start < 0 else 0
        part = whole[start : start + int(sizes[at])]
        array[at] = part if isinstance(part, bytes) else _bytes(part)
    return StringTensor(array)


@export("strings.join")
def join(inputs, separator="", name=None):
    """Strings of several tensors joined element by element (tf.strings.join).

    Args:
        inputs: a list of tensors of one shape; scalars go with every element.
        separator: what goes between them.

    Example:
        >>> import nbflow as nf
        >>> nf.strings.join([["a", "b"], "x"], "-")
        <nf.Tensor: shape=(2,), dtype=string, numpy=array([b'a-x', b'b-x'], dtype=object)>
    """
    arrays = np.broadcast_arrays(*(string_tensor(x)._array for x in inputs))
    between = string_tensor(separator).numpy()
    array = np.empty(arrays[0].shape, object)
    array.reshape(-1)[:] = [between.join(row) for row in zip(*(a.reshape(-1) for a in arrays), strict=True)]
    return StringTensor(array)
