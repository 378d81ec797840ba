"""Distributions that have parameters of their own for each sample, from a stream to a tensor; see `distributions`."""

import math
from collections.abc import Callable

import numpy as np

from nbflow.dtypes import as_dtype, bfloat16, float16, float32, float64, int32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.seeds import output_blocks
from nbflow.ops.table import TABLE
from nbflow.public import pair, shape_argument, size_of
from nbflow.random.distributions import INTEGERS, dtype_argument
from nbflow.shapes import Dim, TensorShape, broadcast
from nbflow.tensor.tensor import apply, argument, to_tensor

FLOATS = (float16, float32, float64)  # those that TensorFlow has kernels for
NUMBERS = (*FLOATS, int32, int64)
LOGITS = (*FLOATS, bfloat16)


def _trailing(function: str, shape: tuple, parameters: tuple) -> None:
    """Checks that a shape ends with that of the parameters."""
    end = shape[len(shape) - len(parameters) :]
    known = not any(isinstance(d, Dim) for d in (*shape, *parameters))
    if len(shape) < len(parameters) or (known and end != parameters):
        raise InvalidArgumentError(
            f"{function}: shape is {TensorShape(shape)}, and the parameters have shape {TensorShape(parameters)}; "
            f"shape must end with it"
        )


def _samples(op: str, words, inputs: tuple, **attrs):
    return apply(TABLE[op], (words, *inputs), attrs)


def _together(function: str, *tensors) -> tuple[tuple, list]:
    """Tensors broadcast to one shape, and that shape."""
    shape = broadcast(function, *(t.nbflow_shape for t in tensors))
    return shape, [t if t.nbflow_shape == shape else TABLE["broadcast_to"](t, shape=shape) for t in tensors]


def gamma(function: str, stream: Callable, shape, alpha, beta, dtype, prepended: bool):
    """Gamma numbers: g / beta, at least the least normal number.

    Args:
        function: the public name, for errors.
        stream: (kernel, blocks) -> words.
        prepended: whether shape stands before that of the parameters, or ends with it.
    """
    dtype = as_dtype(dtype)
    alpha = to_tensor(alpha, dtype)
    beta = None if beta is None else to_tensor(beta, dtype)
    dtype_argument(function, dtype, FLOATS)
    shape = shape_argument(function, shape)
    parameters = alpha.nbflow_shape
    if beta is not None:
        parameters = broadcast(function, parameters, beta.nbflow_shape)
        if alpha.nbflow_shape != parameters:
            alpha = TABLE["broadcast_to"](alpha, shape=parameters)
    if prepended:
        shape = (*shape, *parameters)
    _trailing(function, shape, parameters)
    words = stream(("RandomGamma", dtype.name), output_blocks(math.prod(shape)))
    sample = _samples("random_gamma", words, (alpha,), shape=shape)
    if beta is not None:
        sample = sample / beta
    return TABLE["maximum"](sample, to_tensor(np.finfo(dtype.np).tiny, dtype))


def poisson(function: str, stream: Callable, shape, lam, dtype, prepended: bool):
    """Poisson numbers; arguments as of gamma."""
    lam = argument(function, "lam", lam)
    dtype = dtype_argument(function, dtype, NUMBERS)
    dtype_argument(f"{function} (lam)", lam.dtype, NUMBERS)
    shape = shape_argument(function, shape)
    if prepended:
        shape = (*shape, *lam.nbflow_shape)
    _trailing(function, shape, lam.nbflow_shape)
    words = stream(("RandomPoissonV2", lam.dtype.name, dtype.name), output_blocks(math.prod(shape)))
    return _samples("random_poisson", words, (lam,), shape=shape, dtype=dtype)


def binomial(function: str, stream: Callable, shape, counts, probs, dtype):
    """Binomial numbers."""
    probs = argument(function, "probs", probs, float32)
    counts = argument(function, "counts", counts, probs.dtype)
    dtype = dtype_argument(function, dtype, NUMBERS)
    dtype_argument(f"{function} (probs)", probs.dtype, FLOATS)
    if counts.dtype is not probs.dtype:
        raise InvalidDTypeError(
            f"{function}: counts has dtype {counts.dtype.name} and probs {probs.dtype.name}; they must be equal"
        )
    shape = shape_argument(function, shape)
    parameters, (counts, probs) = _together(function, counts, probs)
    _trailing(function, shape, parameters)
    batches, samples = math.prod(parameters), math.prod(shape[: len(shape) - len(parameters)])
    # What a Generator moves on by; other streams do not ask.
    words = stream("StatefulRandomBinomial", batches * 200 * (samples + 3) // 4 * 256)
    return _samples("random_binomial", words, (counts, probs), shape=shape, dtype=dtype)


def categorical(function: str, stream: Callable, logits, num_samples, dtype):
    """Categories, drawn with the chances softmax(logits)."""
    logits = argument(function, "logits", logits)
    dtype = dtype_argument(function, dtype or int64, INTEGERS)
    dtype_argument(f"{function} (logits)", logits.dtype, LOGITS)
    shape = logits.nbflow_shape
    if len(shape) != 2 or shape[1] == 0:
        raise InvalidArgumentError(
            f"{function}: logits has shape {logits.shape}; it takes [batch_size, num_classes] with num_classes > 0"
        )
    samples = size_of(function, "num_samples", num_samples)
    blocks = output_blocks(shape[0] * ((samples + 3) // 4 * 4) * 2)
    words = stream(("Multinomial", logits.dtype.name, dtype.name), blocks)
    return _samples("random_categorical", words, (logits,), samples=samples, dtype=dtype)


def bounded_normal(function: str, stream: Callable, shape, means, stddevs, minvals, maxvals):
    """Normal numbers between bounds."""
    names = {"means": means, "stddevs": stddevs, "minvals": minvals, "maxvals": maxvals}
    given = [argument(function, name, value) for name, value in names.items()]
    dtype = dtype_argument(function, given[0].dtype, FLOATS)
    for name, tensor in zip(names, given, strict=True):
        if tensor.dtype is not dtype:
            raise InvalidDTypeError(
                f"{function}: means has dtype {dtype.name} and {name} {tensor.dtype.name}; they must be equal"
            )
    shape = shape_argument(function, shape)
    parameters, given = _together(function, *given)
    _trailing(function, shape, parameters)
    return _samples("random_bounded_normal", stream("", 0), tuple(given), shape=shape)


def index_shuffle(function: str, index, key, max_index, rounds: int):
    """Where a permutation of [0, max_index] sends each index.

    Args:
        key: three words, or as many for each index.
    """
    index, last = pair(function, index, max_index, ("index", "max_index"))
    if last.dtype is not index.dtype:
        raise InvalidDTypeError(
            f"{function}: index has dtype {index.dtype.name} and max_index {last.dtype.name}; they must be equal"
        )
    for name, tensor in (("index", index), ("seed", key)):
        dtype_argument(f"{function} ({name})", tensor.dtype, TABLE["index_shuffle"].dtypes)
    number = max(1, *(math.prod(x.nbflow_shape) // size for x, size in ((index, 1), (last, 1), (key, 3))))
    allowed = ((), (number,))
    if index.nbflow_shape not in allowed or last.nbflow_shape not in allowed:
        raise InvalidArgumentError(
            f"{function}: index has shape {index.shape} and max_index {last.shape}; they take scalars or vectors of "
            f"one size"
        )
    if key.nbflow_shape not in ((3,), (number, 3)):
        raise InvalidArgumentError(f"{function}: the key has shape {key.shape}; it takes three words, (3,)")
    scalar = index.nbflow_shape == last.nbflow_shape == () and len(key.nbflow_shape) == 1
    rows = TABLE["reshape"](key, shape=(1, 3)) if len(key.nbflow_shape) == 1 else key
    index, last = (TABLE["broadcast_to"](x, shape=(number,)) for x in (index, last))
    result = TABLE["index_shuffle"](index, rows, last, rounds=rounds)
    return TABLE["reshape"](result, shape=()) if scalar else result
