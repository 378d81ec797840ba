"""Statistics: log-sum-exp, variance, norms, counts."""

from nbflow.dtypes import as_dtype, int32, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.indexed import DROP_BEYOND
from nbflow.ops.table import TABLE
from nbflow.public import axes_of, cast, export, number, reduction, size_of
from nbflow.shapes import could_be_equal, normalize_axes
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument

reduce_logsumexp = reduction("reduce_logsumexp", "log(Σ exp)")
_norm = reduction("reduce_euclidean_norm", "The root of the sum of squares", "math.reduce_euclidean_norm")


def _spread(op_name: str, what: str):
    op = TABLE[op_name]

    def function(input_tensor, axis=None, keepdims=False, name=None):
        x = argument(op_name, "input_tensor", input_tensor)
        if x.dtype.is_integer:
            raise TypeError(f"{op_name}: input_tensor has dtype {x.dtype.name}; it takes floating point numbers")
        attrs = {"axis": normalize_axes(op_name, axes_of(axis), x.ndim), "keepdims": bool(keepdims)}
        if not x.dtype.is_complex:
            return op(x, **attrs)
        distance = x - TABLE["reduce_mean"](x, axis=attrs["axis"], keepdims=True)
        squares = TABLE["square"](TABLE["real"](distance)) + TABLE["square"](TABLE["imag"](distance))
        variance = TABLE["reduce_mean"](squares, **attrs)
        return TABLE["sqrt"](variance) if op_name == "reduce_std" else variance

    function.__name__ = function.__qualname__ = op_name
    function.__doc__ = f"""{what} of the elements over axes of a tensor (tf.math.{op_name}).

    Args:
        input_tensor: a tensor of floating point or complex numbers.
        axis: an axis, a list of axes, or None for all; negative ones count from the end.
        keepdims: whether reduced axes stay with size 1.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor without the reduced axes, of the dtype of input_tensor or, for complex numbers, of their parts.

    Raises:
        TypeError: input_tensor has integers.
        InvalidArgumentError: an axis is out of range.
    """
    return export(f"math.{op_name}")(function)


reduce_variance = _spread("reduce_variance", "The mean of the squared distances from the mean")
reduce_std = _spread("reduce_std", "The standard deviation")


@export("math.count_nonzero")
def count_nonzero(input, axis=None, keepdims=None, dtype=int64, name=None):
    """The number of elements that are not 0, or true, over axes of a tensor (tf.math.count_nonzero).

    Args:
        axis: an axis, a list of axes, or None for all.
        keepdims: whether reduced axes stay with size 1.
        dtype: of the result.
    """
    x = argument("count_nonzero", "input", input)
    axes = normalize_axes("count_nonzero", axes_of(axis), x.ndim)
    return TABLE["count_nonzero"](x, axis=axes, keepdims=bool(keepdims), dtype=as_dtype(dtype))


@export("math.bincount")
def bincount(
    arr,
    weights=None,
    minlength=None,
    maxlength=None,
    dtype=int32,
    name=None,
    axis=None,
    binary_output=False,
):
    """How often each whole number from 0 on stands in arr (tf.math.bincount).

    Args:
        arr: whole numbers, not negative; others are truncated.
        weights: of the shape of arr: what each element counts, 1 by default.
        minlength: the result has at least so many numbers.
        maxlength: the result has at most so many; greater elements do not count.
        dtype: of the result without weights.
        axis: 0 or None to count everything together, -1 for each row of a matrix by itself.
        binary_output: whether to say 1 for every number that is there.

    Returns:
        A vector, or for axis=-1 a matrix with a row for each row of arr, of dtype or that of weights.

    Raises:
        InvalidArgumentError: an element is negative, or the shapes differ.
        ValueError: axis is something else, or there are weights for a binary output.
    """
    arr = argument("bincount", "arr", arr)
    if weights is not None and binary_output:
        raise ValueError("bincount: weights and binary_output exclude each other")
    if axis not in (None, 0, -1):
        raise ValueError(f"bincount: axis is {axis}; it takes 0, -1 or None")
    arr = cast(arr, int64 if arr.dtype is int64 else int32)
    if axis != -1:
        arr = TABLE["reshape"](arr, shape=(_count(arr.nbflow_shape),))
    dtype = as_dtype(dtype or int32)
    if weights is not None:
        weights = argument("bincount", "weights", weights)
        dtype = weights.dtype
        if not could_be_equal((_count(weights.nbflow_shape),), (_count(arr.nbflow_shape),)):
            raise InvalidArgumentError(f"bincount: arr has shape {arr.shape} and weights {weights.shape}")
        weights = TABLE["reshape"](weights, shape=arr.nbflow_shape)
    size = TABLE["reduce_max"](arr, axis=tuple(range(arr.ndim)), keepdims=False) + 1
    size = TABLE["maximum"](size, int(number(minlength or 0)))  # of nothing the maximum is negative
    if maxlength is not None:
        size = TABLE["minimum"](size, int(number(maxlength)))
    ones = TABLE["fill_like"](cast(arr, dtype), shape=arr.nbflow_shape, value=1) if weights is None else weights
    batch = arr.ndim - 1
    attrs = {"axis": batch, "batch_dims": batch, "size": size_of("bincount", "the size", size), "policy": DROP_BEYOND}
    counts = TABLE["scatter_add"](ones, arr, **attrs)
    return TABLE["minimum"](counts, 1) if binary_output else counts


def _count(shape: tuple):
    total = 1
    for size in shape:
        total = total * size
    return total


@export("histogram_fixed_width_bins")
def histogram_fixed_width_bins(values, value_range, nbins=100, dtype=int32, name=None):
    """The number of the bin that each value falls into, of bins of equal width (tf.histogram_fixed_width_bins).

    Args:
        values: a tensor of numbers.
        value_range: the least and the greatest value; values outside fall into the first and the last bin.
        nbins: how many bins.
        dtype: accepted as TensorFlow's; it has no effect.

    Returns:
        An int32 tensor of the shape of values.
    """
    values, low, high = _values_and_range("histogram_fixed_width_bins", values, value_range)
    nbins = _bins("histogram_fixed_width_bins", nbins)
    if not values.dtype.is_integer:
        return TABLE["histogram_bins"](values, low, high, nbins=nbins)
    scaled = cast(values - low, as_dtype("float64")) / cast(high - low, as_dtype("float64"))
    found = TABLE["floor"](scaled * nbins)
    return cast(TABLE["maximum"](TABLE["minimum"](found, nbins - 1), 0), int32)


@export("histogram_fixed_width")
def histogram_fixed_width(values, value_range, nbins=100, dtype=int32, name=None):
    """How many values fall into each of some bins of equal width (tf.histogram_fixed_width).

    Args:
        values: a tensor of numbers.
        value_range: the least and the greatest value; values outside fall into the first and the last bin.
        nbins: how many bins.
        dtype: of the result, int32 or int64.

    Returns:
        A vector of nbins numbers.

    Raises:
        InvalidArgumentError: value_range is empty, or nbins is not above 0.
    """
    values, low, high = _values_and_range("histogram_fixed_width", values, value_range)
    nbins, wide = _bins("histogram_fixed_width", nbins), as_dtype("float64")
    if not hasattr(low, "nbflow_static") and not (low.numpy() < high.numpy()):
        raise InvalidArgumentError(f"histogram_fixed_width: value_range is [{low.numpy()}, {high.numpy()}], empty")
    step = cast(high - low, wide) / nbins
    flat = TABLE["reshape"](values, shape=(_count(values.nbflow_shape),))
    found = cast(TABLE["maximum"](flat, low) - low, wide) / step
    bins = cast(TABLE["minimum"](found, nbins - 1), int32)
    return TABLE["unsorted_segment_sum"](
        TABLE["ones_like"](cast(bins, as_dtype(dtype))), bins, num_segments=nbins, policy=2
    )


def _bins(name: str, nbins) -> int:
    nbins = int(number(nbins))
    if nbins < 1:
        raise InvalidArgumentError(f"{name}: nbins is {nbins}; it takes 1 or more")
    return nbins


def _values_and_range(name: str, values, value_range) -> tuple:
    hint = value_range.dtype if isinstance(value_range, TensorProtocol) else None
    values = argument(name, "values", values, hint)
    ends = argument(name, "value_range", value_range, values.dtype)
    if ends.nbflow_shape != (2,):
        raise InvalidArgumentError(f"{name}: value_range has shape {ends.shape}; it takes the least and greatest value")
    return values, ends[0], ends[1]


@export("math.confusion_matrix")
def confusion_matrix(labels, predictions, num_classes=None, weights=None, dtype=int32, name=None):
    """How often each class was predicted as each: rows are labels, columns predictions (tf.math.confusion_matrix).

    Args:
        labels, predictions: vectors of class numbers.
        num_classes: by default 1 more than the greatest of them.
        weights: what each prediction counts, 1 by default.
        dtype: of the result.

    Returns:
        A tensor of shape [num_classes, num_classes].

    Raises:
        InvalidArgumentError: a number is negative or not below num_classes, or the shapes differ.
    """
    labels, predictions = (
        argument("confusion_matrix", "labels", labels),
        argument("confusion_matrix", "predictions", predictions),
    )
    if labels.ndim == predictions.ndim + 1 and labels.nbflow_shape[-1] == 1:
        labels = TABLE["reshape"](labels, shape=labels.nbflow_shape[:-1])
    elif predictions.ndim == labels.ndim + 1 and predictions.nbflow_shape[-1] == 1:
        predictions = TABLE["reshape"](predictions, shape=predictions.nbflow_shape[:-1])
    if labels.ndim != 1 or not could_be_equal(labels.nbflow_shape, predictions.nbflow_shape):
        raise InvalidArgumentError(
            f"confusion_matrix: labels has shape {labels.shape} and predictions {predictions.shape}; they are vectors "
            f"of one size"
        )
    dtype = as_dtype(dtype)
    labels, predictions = cast(labels, int64), cast(predictions, int64)
    if weights is None:
        weights = TABLE["ones_like"](cast(labels, dtype))
    else:
        weights = cast(argument("confusion_matrix", "weights", weights), dtype)
        if not could_be_equal(weights.nbflow_shape, labels.nbflow_shape):
            raise InvalidArgumentError(f"confusion_matrix: weights has shape {weights.shape} and labels {labels.shape}")
    if num_classes is None:
        greatest = (TABLE["reduce_max"](v, axis=(0,), keepdims=False) for v in (labels, predictions))
        num_classes = TABLE["maximum"](TABLE["maximum"](*greatest) + 1, 0)
    n = size_of("confusion_matrix", "num_classes", num_classes)
    points = TABLE["concat"](*(TABLE["reshape"](v, shape=(*v.nbflow_shape, 1)) for v in (labels, predictions)), axis=1)
    return TABLE["scatter_nd"](points, weights, shape=(n, n), batch_dims=0)
