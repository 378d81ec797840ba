"""Reductions that are written in others: log-sum-exp, variance, standard deviation, Euclidean norm, counts."""

import math

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.dtypes import ALL, FLOATING, NUMERIC, DType, float64, int32, int64
from nbflow.ops.elementwise import cast, conj, where
from nbflow.ops.reduction import expand_like, reduced_shape
from nbflow.ops.table import TABLE, check_dtypes, composite
from nbflow.shapes import Dim

T = TABLE


def _infer(name: str, allowed):
    def infer(avals, attrs):
        check_dtypes(name, ("input_tensor",), avals, allowed)
        return aval(attrs.get("dtype", avals[0].dtype), reduced_shape(avals[0].shape, attrs["axis"], attrs["keepdims"]))

    return infer


def _reduction(name: str, rule, vjp, reference, dtypes=FLOATING, **options):
    return composite(
        name, "input_tensor", rule, _infer(name, dtypes), vjp=vjp, dtypes=dtypes, reference=reference, **options
    )


def _logsumexp(x, axis, keepdims):
    top = T["reduce_max"](x, axis=axis, keepdims=True)
    top = where(T["is_finite"](top), top, T["zeros_like"](top))
    result = T["log"](T["reduce_sum"](T["exp"](x - top), axis=axis, keepdims=True)) + top
    return T["reshape"](result, shape=reduced_shape(x.shape, axis, keepdims))


def _vjp_logsumexp(k, g, inputs, output, attrs):
    (x,), axis = inputs, attrs["axis"]
    return expand_like(g, x, axis) * T["exp"](x - expand_like(output, x, axis))


def _logsumexp_reference(x, axis, keepdims):
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    result = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return result.reshape(reduced_shape(x.shape, axis, keepdims))


reduce_logsumexp = _reduction("reduce_logsumexp", _logsumexp, _vjp_logsumexp, _logsumexp_reference, tolerance=16)


def _variance(x, axis, keepdims):
    distance = x - T["reduce_mean"](x, axis=axis, keepdims=True)
    return T["reduce_mean"](T["square"](distance), axis=axis, keepdims=keepdims)


def _slope(x, axis):
    """(x - mean) / n, half the gradient of the variance."""
    return (x - T["reduce_mean"](x, axis=axis, keepdims=True)) / T["count"](x, axis=axis)


def _vjp_variance(k, g, inputs, output, attrs):
    (x,), axis = inputs, attrs["axis"]
    return expand_like(g, x, axis) * 2 * _slope(x, axis)


def _variance_reference(x, axis, keepdims):
    mean = x.sum(axis=axis, keepdims=True) / math.prod(x.shape[a] for a in axis)
    return ((x - mean) ** 2).sum(axis=axis, keepdims=keepdims) / math.prod(x.shape[a] for a in axis)


reduce_variance = _reduction("reduce_variance", _variance, _vjp_variance, _variance_reference, tolerance=16)


def _vjp_std(k, g, inputs, output, attrs):
    (x,), axis = inputs, attrs["axis"]
    return expand_like(g / output, x, axis) * _slope(x, axis)


reduce_std = _reduction(
    "reduce_std", lambda x, axis, keepdims: T["sqrt"](_variance(x, axis, keepdims)), _vjp_std,
    lambda x, axis, keepdims: np.sqrt(_variance_reference(x, axis, keepdims)), tolerance=16,
)  # fmt: skip


# integers are squared and added up as what they are; the root is truncated
def _euclidean_norm(x, axis, keepdims):
    total = T["reduce_sum"](x * conj(x), axis=axis, keepdims=keepdims)
    return T["sqrt"](total) if x.dtype.is_differentiable else cast(T["sqrt"](cast(total, float64)), x.dtype)


def _vjp_euclidean_norm(k, g, inputs, output, attrs):
    (x,), axis = inputs, attrs["axis"]
    return x * expand_like(g / output, x, axis)


def _euclidean_norm_reference(x, axis, keepdims):
    return np.sqrt(np.sum(x * np.conj(x), axis=axis, keepdims=keepdims, dtype=x.dtype)).astype(x.dtype)


reduce_euclidean_norm = _reduction(
    "reduce_euclidean_norm", _euclidean_norm, _vjp_euclidean_norm, _euclidean_norm_reference,
    dtypes=NUMERIC, tolerance=16,
)  # fmt: skip


def _count_nonzero(x, axis, keepdims, dtype: DType):
    found = x if x.dtype.is_bool else T["not_equal"](x, 0)
    most = math.prod(x.shape[a] for a in axis)
    # a vector holds twice as many of the shorter ones
    if dtype is int64 and not isinstance(most, Dim) and most < 1 << 31:
        return cast(T["reduce_sum"](cast(found, int32), axis=axis, keepdims=keepdims), dtype)
    return T["reduce_sum"](cast(found, dtype), axis=axis, keepdims=keepdims)


count_nonzero = _reduction(
    "count_nonzero", _count_nonzero, None,
    lambda x, axis, keepdims, dtype: np.sum(x != 0, axis=axis, keepdims=keepdims).astype(dtype.np), dtypes=ALL,
)  # fmt: skip


def _histogram_bins(values, low, high, nbins: int):
    found = T["floor"]((values - low) / (high - low) * nbins)
    return cast(T["maximum"](T["minimum"](found, nbins - 1), 0), int32)


histogram_bins = composite(
    "histogram_bins", "values low high", _histogram_bins,
    lambda avals, attrs: aval(int32, avals[0].shape), dtypes=FLOATING,
    reference=lambda values, low, high, nbins: np.clip(
        np.floor((values - low) / (high - low) * nbins), 0, nbins - 1
    ).astype(np.int32),
)  # fmt: skip
