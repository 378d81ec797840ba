"""What keras.ops has of NumPy with arguments that nf's functions name or order otherwise."""

import builtins
import math

from nbflow.dtypes import as_dtype
from nbflow.keras.ops.control import shape as sizes_of
from nbflow.keras.ops.promotion import common, floating, published, tensor
from nbflow.keras.settings import floatx
from nbflow.public import NAMES, export

# --- reductions -------------------------------------------------------------------------------------------------------


def _reduction(names: str, there: str, convert, axis=None):
    def op(x, axis=axis, keepdims=False):
        return NAMES[there](convert(x), axis, keepdims)

    op.__name__ = op.__qualname__ = names.split()[0]
    op.__doc__ = NAMES[there].__doc__
    export(*[f"keras.ops.{name}" for name in names.split()])(op)
    return op


def _summable(x):
    x = tensor(x)
    return tensor(x, "int32") if x.dtype.is_bool else x


def _boolean(x):
    return tensor(x, "bool")


for _names, _there, _convert in (
    ("sum", "reduce_sum", _summable), ("prod", "reduce_prod", _summable), ("mean", "reduce_mean", floating),
    ("std", "math.reduce_std", floating), ("var", "math.reduce_variance", floating),
    ("logsumexp", "reduce_logsumexp", floating), ("all", "reduce_all", _boolean), ("any", "reduce_any", _boolean),
):  # fmt: skip
    _reduction(_names, _there, _convert)


def _extremum(name: str, pair: str):
    def op(x, axis=None, keepdims=False, initial=None):
        found = NAMES[f"reduce_{name}"](tensor(x), axis, keepdims)
        return found if initial is None else NAMES[pair](found, tensor(initial, found.dtype))

    op.__name__ = op.__qualname__ = name
    op.__doc__ = f"The {pair} along axes, `initial` among what is compared."
    export(f"keras.ops.{name}", f"keras.ops.a{name}")(op)


def _place(name: str):
    def op(x, axis=None, keepdims=False):
        x = tensor(x)
        found = NAMES[name](NAMES["reshape"](x, [-1]) if axis is None else x, axis or 0, output_type=as_dtype("int32"))
        if not keepdims:
            return found
        return NAMES["expand_dims"](found, axis) if axis is not None else NAMES["reshape"](found, [1] * len(x.shape))

    op.__name__ = op.__qualname__ = name
    op.__doc__ = f"The place of {name[3:]} along an axis, or of all elements."
    export(f"keras.ops.{name}")(op)


for _name, _pair in (("max", "maximum"), ("min", "minimum")):
    _extremum(_name, _pair)
    _place(f"arg{_name}")


def _running(name: str):
    def op(x, axis=None, dtype=None):
        x = tensor(x, dtype)
        return NAMES[f"math.{name}"](NAMES["reshape"](x, [-1]) if axis is None else x, axis or 0)

    op.__name__ = op.__qualname__ = name
    op.__doc__ = f"{name} along an axis, or of all elements."
    export(f"keras.ops.{name}")(op)


_running("cumsum")
_running("cumprod")


@published()
def average(x, axis=None, weights=None):
    """The mean, with weights."""
    if weights is None:
        return NAMES["reduce_mean"](floating(x), axis)
    x, weights = common(x, weights, floats=True)
    if len(weights.shape) < len(x.shape):
        weights = NAMES["reshape"](weights, [-1 if k == axis % len(x.shape) else 1 for k in range(len(x.shape))])
    total = NAMES["reduce_sum"](NAMES["broadcast_to"](weights, NAMES["shape"](x)), axis)
    return NAMES["reduce_sum"](x * weights, axis) / total


@published()
def count_nonzero(x, axis=None):
    """How many elements are not 0."""
    return NAMES["math.count_nonzero"](tensor(x), axis=axis, dtype=as_dtype("int32"))


@published()
def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors or matrices along axes."""
    return NAMES["norm"](floating(x), "euclidean" if ord in (None, "fro") else ord, axis, keepdims)


@published()
def argsort(x, axis=-1):
    """The order that sorts along an axis."""
    x = tensor(x)
    return NAMES["argsort"](NAMES["reshape"](x, [-1]) if axis is None else x, -1 if axis is None else axis, stable=True)


@published()
def sort(x, axis=-1):
    """x sorted along an axis."""
    return NAMES["sort"](tensor(x), axis)


@published()
def top_k(x, k, sorted=True):
    """(values, indices) of the k largest of each row."""
    return NAMES["math.top_k"](tensor(x), k, sorted)


@published()
def in_top_k(targets, predictions, k):
    """Whether each target's prediction is among the k largest of its row."""
    return NAMES["math.in_top_k"](tensor(targets), tensor(predictions), k)


@published()
def searchsorted(sorted_sequence, values, side="left"):
    """Where values would go into a sorted sequence."""
    return NAMES["searchsorted"](tensor(sorted_sequence), tensor(values), side)


@published()
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each integer occurs."""
    return NAMES["math.bincount"](tensor(x), weights, minlength, axis=None if len(tensor(x).shape) == 1 else -1)


# --- elementwise ------------------------------------------------------------------------------------------------------


@published()
def clip(x, x_min, x_max):
    """x, not below x_min nor above x_max."""
    x = tensor(x)
    return NAMES["minimum"](NAMES["maximum"](x, tensor(x_min, x.dtype)), tensor(x_max, x.dtype))


@published()
def where(condition, x1=None, x2=None):
    """x1 where the condition holds, else x2; the places where it holds without them."""
    if x1 is None:
        return nonzero(condition)
    return NAMES["where"](tensor(condition, "bool"), *common(x1, x2))


@published()
def nonzero(x):
    """The indices of elements that are not 0, a tensor per axis."""
    places = NAMES["where"](tensor(x, "bool"))
    return tuple(tensor(p, "int32") for p in NAMES["unstack"](places, len(tensor(x).shape), axis=1))


@published()
def log2(x):
    """The logarithm to base 2."""
    return NAMES["math.log"](floating(x)) / math.log(2)


@published()
def log10(x):
    """The logarithm to base 10."""
    return NAMES["math.log"](floating(x)) / math.log(10)


@published()
def exp2(x):
    """2 to the power x."""
    return NAMES["exp"](floating(x) * math.log(2))


@published()
def logaddexp(x1, x2):
    """log(exp(x1) + exp(x2))."""
    x1, x2 = common(x1, x2, floats=True)
    return NAMES["maximum"](x1, x2) + NAMES["math.log1p"](NAMES["exp"](-NAMES["abs"](x1 - x2)))


@published()
def round_(x, decimals=0):
    """x rounded to a number of decimals."""
    x = tensor(x)
    return NAMES["round"](x) if decimals == 0 else NAMES["round"](x * 10**decimals) / 10**decimals


@published()
def trunc(x):
    """x without what is behind the point."""
    x = tensor(x)
    return NAMES["sign"](x) * NAMES["floor"](NAMES["abs"](x)) if x.dtype.is_floating else x


@published()
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether elements differ by at most atol + rtol |x2|."""
    x1, x2 = common(x1, x2, floats=True)
    close = NAMES["abs"](x1 - x2) <= atol + rtol * NAMES["abs"](x2)
    return NAMES["logical_or"](close, NAMES["equal"](x1, x2))


@published()
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with numbers for NaN and infinities."""
    x = tensor(x)
    above, below = x.dtype.max if posinf is None else posinf, x.dtype.min if neginf is None else neginf
    x = NAMES["where"](NAMES["math.is_nan"](x), tensor(nan, x.dtype), x)
    x = NAMES["where"](x == math.inf, tensor(above, x.dtype), x)
    return NAMES["where"](x == -math.inf, tensor(below, x.dtype), x)


# --- making -----------------------------------------------------------------------------------------------------------


@published("empty")
def zeros(shape, dtype=None):
    """Zeros of a shape."""
    return NAMES["zeros"](shape, as_dtype(dtype or floatx()))


@published()
def ones(shape, dtype=None):
    """Ones of a shape."""
    return NAMES["ones"](shape, as_dtype(dtype or floatx()))


@published()
def full(shape, fill_value, dtype=None):
    """A value in a shape."""
    return NAMES["fill"](shape, tensor(fill_value, dtype or floatx()))


@published()
def full_like(x, fill_value, dtype=None):
    """A value in the shape and dtype of x."""
    x = tensor(x)
    return NAMES["zeros_like"](x, dtype=dtype and as_dtype(dtype)) + tensor(fill_value, dtype or x.dtype)


@published()
def zeros_like(x, dtype=None):
    """Zeros in the shape of x."""
    return NAMES["zeros_like"](tensor(x), dtype=dtype and as_dtype(dtype))


@published()
def ones_like(x, dtype=None):
    """Ones in the shape of x."""
    return NAMES["ones_like"](tensor(x), dtype=dtype and as_dtype(dtype))


@published()
def eye(N, M=None, k=0, dtype=None):
    """Ones on a diagonal of a matrix."""
    dtype, M = as_dtype(dtype or floatx()), N if M is None else M
    return tensor(NAMES["range"](N)[:, None] + k == NAMES["range"](M), dtype)


@published()
def identity(n, dtype=None):
    """Ones on the diagonal of a square matrix."""
    return eye(n, dtype=dtype)


@published()
def arange(start, stop=None, step=None, dtype=None):
    """The numbers from start to stop."""
    start, stop = (0, start) if stop is None else (start, stop)
    return NAMES["range"](start, stop, 1 if step is None else step, dtype and as_dtype(dtype))


@published()
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """Numbers at even distances."""
    start, stop = common(start, stop, floats=True)
    gap = (stop - start) / (num - 1 if endpoint else num)
    made = tensor(NAMES["linspace"](start, stop if endpoint else stop - gap, num, axis=axis), dtype)
    return (made, gap) if retstep else made


@published()
def meshgrid(*x, indexing="xy"):
    """Coordinates of a grid."""
    return NAMES["meshgrid"](*x, indexing=indexing)


@published()
def tril(x, k=0):
    """x on and below a diagonal, 0 above."""
    return _masked(x, lambda rows, columns: columns - rows <= k)


@published()
def triu(x, k=0):
    """x on and above a diagonal, 0 below."""
    return _masked(x, lambda rows, columns: columns - rows >= k)


def _masked(x, holds):
    x = tensor(x)
    rows, columns = sizes_of(x)[-2:]
    return NAMES["where"](holds(NAMES["range"](rows)[:, None], NAMES["range"](columns)), x, NAMES["zeros_like"](x))


@published()
def tri(N, M=None, k=0, dtype=None):
    """Ones on and below a diagonal."""
    return tril(ones((N, N if M is None else M), dtype), k)


@published()
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """1 at the place x of num_classes, else 0."""
    return NAMES["one_hot"](tensor(x), num_classes, axis=axis, dtype=as_dtype(dtype or floatx()))


@published()
def multi_hot(inputs, num_classes, axis=-1, dtype=None, sparse=False):
    """1 at all places that a row names, else 0."""
    rows = one_hot(inputs, num_classes, dtype=dtype)
    return NAMES["reduce_max"](rows, 1 if len(tensor(inputs).shape) > 1 else 0)


# --- shapes -----------------------------------------------------------------------------------------------------------


@published()
def reshape(x, newshape):
    """x in another shape."""
    return NAMES["reshape"](tensor(x), [newshape] if isinstance(newshape, int) else newshape)


@published()
def expand_dims(x, axis):
    """x with axes of size 1 at places of the result."""
    x = tensor(x)
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    for place in sorted(a % (len(x.shape) + len(axes)) for a in axes):
        x = NAMES["expand_dims"](x, place)
    return x


@published()
def ravel(x):
    """x as a vector."""
    return NAMES["reshape"](tensor(x), [-1])


@published()
def transpose(x, axes=None):
    """x with its axes in another order."""
    return NAMES["transpose"](tensor(x), axes)


@published()
def swapaxes(x, axis1, axis2):
    """x with two axes exchanged."""
    axes = list(range(len(tensor(x).shape)))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return transpose(x, axes)


@published()
def moveaxis(x, source, destination):
    """x with axes moved to other places."""
    rank = len(tensor(x).shape)
    source, destination = (
        [a % rank for a in (axes if isinstance(axes, (list, tuple)) else [axes])] for axes in (source, destination)
    )
    axes = [a for a in range(rank) if a not in source]
    for to, which in sorted(zip(destination, source, strict=True)):
        axes.insert(to, which)
    return transpose(x, axes)


@published()
def concatenate(xs, axis=0):
    """Tensors one after the other."""
    return NAMES["concat"](common(*xs), axis)


@published()
def append(x1, x2, axis=None):
    """x2 behind x1."""
    return concatenate([ravel(x1), ravel(x2)]) if axis is None else concatenate([x1, x2], axis)


@published()
def stack(x, axis=0):
    """Tensors beside each other along a new axis."""
    return NAMES["stack"](common(*x), axis)


@published()
def hstack(xs):
    """Tensors one after the other along the second axis, vectors along the first."""
    return concatenate(xs, 0 if len(tensor(xs[0]).shape) == 1 else 1)


@published()
def vstack(xs):
    """Tensors one after the other along the first axis."""
    return concatenate(xs, 0)


@published()
def split(x, indices_or_sections, axis=0):
    """x in equal sections, or cut at indices."""
    x = tensor(x)
    if isinstance(indices_or_sections, int):
        return NAMES["split"](x, indices_or_sections, axis)
    ends = [*indices_or_sections, sizes_of(x)[axis]]
    return NAMES["split"](x, [end - start for start, end in zip([0, *ends], ends, strict=False)], axis)


@published()
def flip(x, axis=None):
    """x in reverse order along axes, all by default."""
    x = tensor(x)
    axes = range(len(x.shape)) if axis is None else axis if isinstance(axis, (list, tuple)) else [axis]
    return NAMES["reverse"](x, list(axes))


@published()
def roll(x, shift, axis=None):
    """x with elements moved along an axis, around the end."""
    x = tensor(x)
    if axis is not None:
        return NAMES["roll"](x, shift, axis)
    return NAMES["reshape"](NAMES["roll"](ravel(x), shift, 0), sizes_of(x))


@published()
def pad(x, pad_width, mode="constant", constant_values=None):
    """x with a border; pad_width is of all axes, or of each."""
    x = tensor(x)
    if isinstance(pad_width, int):
        pad_width = (pad_width,)
    if isinstance(pad_width[0], int):
        pad_width = [(pad_width[0], pad_width[-1])] * len(x.shape)
    elif len(pad_width) == 1:
        pad_width = list(pad_width) * len(x.shape)
    return NAMES["pad"](x, pad_width, mode.upper(), constant_values or 0)


@published()
def take(x, indices, axis=None):
    """The elements of x at indices along an axis."""
    x, indices = tensor(x), tensor(indices)
    if axis is None:
        x, axis = ravel(x), 0
    count = tensor(sizes_of(x)[axis], indices.dtype)
    return NAMES["gather"](x, NAMES["where"](indices < 0, indices + count, indices), axis=axis)


@published()
def take_along_axis(x, indices, axis=None):
    """The elements that indices name for each row."""
    x, indices = tensor(x), tensor(indices)
    if axis is None:
        return NAMES["gather"](ravel(x), ravel(indices))
    axis %= len(x.shape)
    x, indices = (moveaxis(t, axis, -1) for t in (x, indices))
    return moveaxis(NAMES["gather"](x, indices, axis=len(x.shape) - 1, batch_dims=len(x.shape) - 1), -1, axis)


@published()
def get_item(x, key):
    """x[key]."""
    return tensor(x)[key]


@published()
def diag(x, k=0):
    """A matrix with x on a diagonal, or the diagonal of a matrix."""
    x = tensor(x)
    return NAMES["linalg.diag" if len(x.shape) == 1 else "linalg.diag_part"](x, k=k)


@published()
def diff(a, n=1, axis=-1):
    """Differences of neighbours, n times."""
    a = moveaxis(a, axis, -1)
    for _ in range(n):
        a = a[..., 1:] - a[..., :-1]
    return moveaxis(a, -1, axis)


# --- products ---------------------------------------------------------------------------------------------------------


@published()
def matmul(x1, x2):
    """The product of matrices, of vectors or of stacks of them."""
    x1, x2 = common(x1, x2)
    if builtins.min(len(x1.shape), len(x2.shape)) >= 2:
        return NAMES["matmul"](x1, x2)
    if len(x2.shape) == 1:
        return NAMES["tensordot"](x1, x2, [[-1], [0]])
    return NAMES["tensordot"](x1, x2, [[0], [-2]])


@published()
def dot(x1, x2):
    """The product over the last axis of x1 and the last but one of x2."""
    x1, x2 = common(x1, x2)
    if not len(x1.shape) or not len(x2.shape):
        return x1 * x2
    return NAMES["tensordot"](x1, x2, [[-1], [-2 if len(x2.shape) > 1 else -1]])


@published()
def inner(x1, x2):
    """The product over the last axes."""
    x1, x2 = common(x1, x2)
    return NAMES["tensordot"](x1, x2, [[-1], [-1]]) if len(x1.shape) and len(x2.shape) else x1 * x2


@published()
def outer(x1, x2):
    """All products of elements of two tensors, as vectors."""
    x1, x2 = common(x1, x2)
    return ravel(x1)[:, None] * ravel(x2)


@published()
def tensordot(x1, x2, axes=2):
    """The sum of products over axes."""
    return NAMES["tensordot"](*common(x1, x2), axes)


@published()
def einsum(subscripts, *operands):
    """Sums of products, in Einstein's notation."""
    return NAMES["einsum"](subscripts, *common(*operands))


@published()
def qr(x, mode="reduced"):
    """(q, r) of matrices."""
    return NAMES["linalg.qr"](tensor(x), full_matrices=mode == "complete")


@published()
def solve_triangular(a, b, lower=False):
    """x with a x = b for a triangular a."""
    return NAMES["linalg.triangular_solve"](*common(a, b, floats=True), lower)


@published()
def svd(x, full_matrices=True, compute_uv=True):
    """(u, s, vᵀ) of matrices, or their singular values."""
    found = NAMES["linalg.svd"](tensor(x), full_matrices, compute_uv)
    if not compute_uv:
        return found
    s, u, v = found
    return u, s, NAMES["linalg.adjoint"](v)
