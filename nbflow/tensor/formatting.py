"""Values as text the way TensorFlow writes them: in nf.print, and in messages of failed assertions."""

from collections.abc import Callable

import numpy as np


def _real(digits: int, exact: int) -> Callable:
    """The shorter of two forms of a number, where it says which number it is."""

    def text(value) -> str:
        short = f"{value:.{digits}g}"
        return short if type(value)(short) == value else f"{value:.{exact}g}"

    return text


def _complex(value) -> str:
    part = element_text(value.real.dtype)
    return f"{part(value.real)}{'' if np.signbit(value.imag) else '+'}{part(value.imag)}j"


def element_text(dtype: np.dtype) -> Callable:
    """How an element of a dtype is written: a bool as 0 or 1, a float with as many digits as tell it from others."""
    if dtype == np.float64:
        return _real(15, 17)
    if dtype.kind == "c":
        return _complex  # TensorFlow writes "?"
    if dtype.kind in "biu" and dtype.itemsize:
        return lambda value: str(int(value))
    narrow = _real(6, 9)
    return lambda value: narrow(np.float32(value))


def summary(array: np.ndarray, count: int) -> str:
    """A value with the first and the last elements of each axis.

    Args:
        count: so many at either end, -1 for all.
    """
    if not array.ndim:
        return element_text(array.dtype)(array[()]) if count else "..."
    ends = array.size if count < 0 else min(count, array.size)
    return _rows(array, ends, 1, array.ndim, element_text(array.dtype))


def _rows(array: np.ndarray, ends: int, depth: int, rank: int, text: Callable) -> str:
    if not array.ndim:
        return text(array[()])
    size = len(array)
    gap = " " if depth == rank else "\n" * (rank - depth) + " " * depth
    shown = [_rows(array[k], ends, depth + 1, rank, text) for k in range(min(ends, size))]
    if size > 2 * ends:
        shown.append("...")
    shown += [_rows(array[k], ends, depth + 1, rank, text) for k in range(max(ends, size - ends), size)]
    leading = gap if shown[:1] == ["..."] else ""
    return f"[{leading}{gap.join(shown)}]"


def beginning(first: np.ndarray, shape: tuple) -> str:
    """The first elements of a value of a shape, and dots where there are more."""
    text = element_text(first.dtype)
    elements = iter([text(value) for value in first])
    written = _nested(elements, shape, [len(first)], outermost=True) if shape else "".join(elements)
    return f"{written}..." if len(first) < int(np.prod(shape)) else written


def _nested(elements, shape: tuple, left: list[int], outermost: bool = False) -> str:
    """Elements as rows of a shape; left: how many there are still."""
    if len(shape) == 1:
        shown = min(shape[0], left[0])
        left[0] -= shown
        row = " ".join(next(elements) for _ in range(shown))
        return row if shown == shape[0] or outermost else f"{row}..."
    rows = []
    for _ in range(shape[0]):
        if not left[0]:
            break
        rows.append(f"[{_nested(elements, shape[1:], left)}]")
    return "".join(rows)
