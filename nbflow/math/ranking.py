"""The greatest elements, and permutations."""

from collections import namedtuple

from nbflow.dtypes import FLOATING, as_dtype, float32, int16, int32, int64, require
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import cast, export, number, size_of
from nbflow.shapes import Dim, normalize_axis
from nbflow.tensor.tensor import argument

TopKV2 = namedtuple("TopKV2", ["values", "indices"])


def first_elements(x, descending: bool, first, axis: int | None = None) -> tuple:
    """The first elements of each row in order, and where they are, as int32."""
    last = x.ndim - 1
    order = TABLE["argsort"](x, descending=descending, first=first)
    return TABLE["gather"](x, order, axis=last, batch_dims=last), order


@export("math.top_k", "nn.top_k")
def top_k(input, k=1, sorted=True, index_type=int32, name=None):
    """The k greatest elements of each row and where they are (tf.math.top_k).

    Args:
        input: a tensor of one or more axes, of which the last is searched.
        k: how many, at most the size of the last axis.
        sorted: whether they must be in descending order, which they always are.
        index_type: the dtype of the indices: int16, int32 or int64.

    Returns:
        (values, indices), a named tuple of two tensors of shape input.shape[:-1] + [k]. Of equal elements the one with
        the lower index comes first.

    Raises:
        InvalidArgumentError: k is negative or too great, or input is a scalar.

    Example:
        >>> import nbflow as nf
        >>> values, indices = nf.math.top_k([1, 9, 4], k=2)
        >>> values.numpy().tolist(), indices.numpy().tolist()
        ([9, 4], [1, 2])
    """
    x, k, index_type = argument("top_k", "input", input), size_of("top_k", "k", k), as_dtype(index_type)
    require("top_k", "index_type", index_type, (int16, int32, int64))
    if not x.ndim:
        raise InvalidArgumentError("top_k: input is a scalar; it takes one or more axes")
    size = x.nbflow_shape[-1]
    if not isinstance(size, Dim) and not isinstance(k, Dim) and k > size:
        raise InvalidArgumentError(f"top_k: k is {k}, and the last axis of input has size {size}")
    values, indices = first_elements(x, True, k)
    return TopKV2(values, cast(indices, index_type))


@export("math.in_top_k", "nn.in_top_k")
def in_top_k(targets, predictions, k, name=None):
    """Whether each target class is among the k most likely ones (tf.math.in_top_k).

    Args:
        targets: a vector of class numbers, int32 or int64.
        predictions: float32, a row for each target.
        k: how many; classes as likely as the k-th count as well.

    Returns:
        A vector of bools; False where the target is no class, or a prediction is not finite.
    """
    targets = argument("in_top_k", "targets", targets)
    predictions = argument("in_top_k", "predictions", predictions, float32)
    if not hasattr(predictions, "numpy") or targets.dtype not in (int32, int64):
        raise InvalidDTypeError(f"in_top_k: targets has dtype {targets.dtype.name}; it takes int32 or int64")
    return TABLE["in_top_k"](targets, predictions, k=int(number(k)))


def _approximate(name: str, descending: bool, what: str):
    def function(
        operand,
        k,
        reduction_dimension=-1,
        recall_target=0.95,
        reduction_input_size_override=-1,
        aggregate_to_topk=True,
        name=name,
    ):
        x = argument(function.__name__, "operand", operand)
        require(function.__name__, "operand", x.dtype, FLOATING)
        axis, k = normalize_axis(function.__name__, reduction_dimension, x.ndim, "reduction_dimension"), int(number(k))
        size = x.nbflow_shape[axis]
        if k < 0 or (not isinstance(size, Dim) and k > size):
            raise InvalidArgumentError(f"{function.__name__}: k is {k} of {size} elements")
        order = (*(d for d in range(x.ndim) if d != axis), axis)
        back = (*range(axis), x.ndim - 1, *range(axis, x.ndim - 1))
        found = first_elements(TABLE["transpose"](x, perm=order), descending, k)
        return tuple(TABLE["transpose"](t, perm=back) for t in found)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""The k {what} elements along an axis and where they are (tf.math.{name}); exact here.

    Args:
        operand: a tensor of floating point numbers.
        k: how many.
        reduction_dimension: the axis.
        recall_target, reduction_input_size_override, aggregate_to_topk: accepted as TensorFlow's; they have no effect.

    Returns:
        (values, indices): two tensors with k elements along the axis; indices are int32.
    """
    return export(f"math.{name}", f"nn.{name}")(function)


approx_max_k = _approximate("approx_max_k", True, "greatest")
approx_min_k = _approximate("approx_min_k", False, "least")


@export("approx_top_k")
def approx_top_k(
    input,
    k,
    reduction_dimension=-1,
    recall_target=0.95,
    is_max_k=True,
    reduction_input_size_override=-1,
    aggregate_to_topk=True,
    name=None,
):
    """approx_max_k, or approx_min_k unless is_max_k (tf.approx_top_k)."""
    return (approx_max_k if is_max_k else approx_min_k)(input, k, reduction_dimension)


@export("math.invert_permutation")
def invert_permutation(x, name=None):
    """The permutation y with y[x[i]] = i (tf.math.invert_permutation).

    Args:
        x: a vector of int32 or int64 that holds each of 0 … n - 1 once.

    Raises:
        InvalidArgumentError: x is no permutation.
    """
    return TABLE["invert_permutation"](argument("invert_permutation", "x", x, int32))
