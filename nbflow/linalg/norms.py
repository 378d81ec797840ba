"""Norms of vectors and matrices."""

import math

from nbflow.dtypes import INEXACT, require
from nbflow.linalg.factorizations import svd
from nbflow.ops.elementwise import cast, conj
from nbflow.ops.table import TABLE as T
from nbflow.public import export
from nbflow.shapes import normalize_axes
from nbflow.tensor.tensor import argument

EUCLIDEAN = ("euclidean", "fro", 2)


def _checked(ord, axis) -> tuple[bool, tuple | None]:
    """Whether a norm is one of matrices, and its axes.

    Raises:
        ValueError: there is no such norm.
    """
    if isinstance(axis, (tuple, list)):
        if len(axis) != 2 or not all(isinstance(k, int) for k in axis) or axis[0] == axis[1]:
            raise ValueError(f"norm: axis is {axis!r}; it takes None, an integer, or two different integers")
        if ord not in ("euclidean", "fro", 1, 2, math.inf):
            raise ValueError(f"norm: ord is {ord!r}; for matrices there are 'euclidean', 'fro', 1, 2 and inf")
        return True, tuple(axis)
    if axis is not None and not isinstance(axis, int):
        raise ValueError(f"norm: axis is {axis!r}; it takes None, an integer, or two different integers")
    if ord != "euclidean" and (isinstance(ord, str) or ord <= 0):
        raise ValueError(f"norm: ord is {ord!r}; for vectors there are 'euclidean' and numbers above 0")
    return False, None if axis is None else (axis,)


@export("linalg.norm", "norm")
def norm(tensor, ord="euclidean", axis=None, keepdims=None, name=None):
    """Norms of vectors and matrices (tf.norm).

    Args:
        tensor: a tensor of floating or complex numbers; for orders 1 and inf of integers, too.
        ord: of vectors x, "euclidean" or 2 for √Σ|x|², inf for max |x|, or another number p > 0 for (Σ|x|ᵖ)^(1/p); of
            matrices, "euclidean" or "fro" for √Σ|x|², 1 for the greatest sum of a column's magnitudes, inf for that
            of a row, 2 for the greatest singular value.
        axis: None for all of the tensor as one vector, an axis for vectors, two of them for matrices.
        keepdims: whether those axes stay with size 1.

    Returns:
        A tensor without those axes. The roots of sums of squares of complex numbers are complex, as in TensorFlow; the
        other norms are real.

    Raises:
        ValueError: there is no such norm or axis.
        TypeError: it takes a root, and tensor holds integers.

    Example:
        >>> import nbflow as nf
        >>> nf.norm(nf.constant([[3.0, 4.0], [6.0, 8.0]]), axis=1).numpy().tolist()
        [5.0, 10.0]
    """
    of_matrices, axes = _checked(ord, axis)
    x = argument("norm", "tensor", tensor)
    every = normalize_axes("norm", axes, x.ndim)
    if ord not in (1, math.inf):
        require("norm", "tensor", x.dtype, INEXACT)
    each = [(k % x.ndim,) for k in axes] if of_matrices else [every]
    if of_matrices and ord == 2:
        result = _spectral(x, *each[0], *each[1])
    elif ord in EUCLIDEAN:
        result = T["sqrt"](T["reduce_sum"](x * conj(x), axis=every, keepdims=True))
    else:
        result = _of_magnitudes(T["abs"](x), ord, each)
    if keepdims:
        return result
    return T["reshape"](result, shape=tuple(n for k, n in enumerate(x.nbflow_shape) if k not in every))


def _of_magnitudes(x, ord, axes: list):
    """A norm of vectors or, of two axes, of matrices, that is a matter of magnitudes alone."""
    if ord == 1:
        x = T["reduce_sum"](x, axis=axes[0], keepdims=True)
        return T["reduce_max"](x, axis=axes[1], keepdims=True) if len(axes) > 1 else x
    if ord == math.inf:
        x = T["reduce_sum"](x, axis=axes[1], keepdims=True) if len(axes) > 1 else x
        return T["reduce_max"](x, axis=axes[0], keepdims=True)
    return T["pow"](T["reduce_sum"](T["pow"](x, ord), axis=axes[0], keepdims=True), 1.0 / ord)


def _spectral(x, rows: int, columns: int):
    """The greatest singular values of matrices whose axes may be any two."""
    outer = tuple(k for k in range(x.ndim) if k not in (rows, columns))
    s = svd(T["transpose"](x, perm=(*outer, rows, columns)), compute_uv=False)
    s = T["reduce_max"](s, axis=(len(outer),), keepdims=False)
    return T["reshape"](s, shape=tuple(1 if k in (rows, columns) else n for k, n in enumerate(x.nbflow_shape)))


@export("linalg.normalize")
def normalize(tensor, ord="euclidean", axis=None, name=None):
    """A tensor divided by its norms, and these (tf.linalg.normalize).

    Args:
        tensor, ord, axis: as of linalg.norm.

    Returns:
        (normalized, norm), both of the dtype of tensor; norm has size 1 along axis.
    """
    tensor = argument("normalize", "tensor", tensor)
    size = cast(norm(tensor, ord, axis, keepdims=True), tensor.dtype)
    return tensor / size, size
