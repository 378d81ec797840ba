"""Softmax and the losses that are computed from logits."""

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.dtypes import FLOATING, int32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.elementwise import zeros_like
from nbflow.ops.table import TABLE, check_dtypes, composite, elementwise, shape_text
from nbflow.shapes import could_be_equal

T = TABLE


def _infer_logits(name: str):
    def infer(avals, attrs):
        check_dtypes(name, ("logits",), avals, FLOATING)
        return avals[0] if avals[0].strides is None else aval(avals[0].dtype, avals[0].shape)

    return infer


def _shifted(x, axis: int):
    """x less its maximum along an axis, so that exp does not overflow; an infinite maximum makes the row NaN."""
    return x - T["stop_gradient"](T["reduce_max"](x, axis=(axis,), keepdims=True))


def _softmax(x, axis):
    e = T["exp"](_shifted(x, axis))
    return e / T["reduce_sum"](e, axis=(axis,), keepdims=True)


def _vjp_softmax(k, g, inputs, output, attrs):
    dot = T["reduce_sum"](g * output, axis=(attrs["axis"],), keepdims=True)
    return (g - dot) * output


def _softmax_reference(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


softmax = composite(
    "softmax", "logits", _softmax, _infer_logits("softmax"),
    vjp=_vjp_softmax, dtypes=FLOATING, wide=True, reference=_softmax_reference, tolerance=16,
)  # fmt: skip


def _log_softmax_reference(x, axis):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _log_softmax(x, axis):
    shifted = _shifted(x, axis)
    return shifted - T["log"](T["reduce_sum"](T["exp"](shifted), axis=(axis,), keepdims=True))


def _vjp_log_softmax(k, g, inputs, output, attrs):
    return g - T["exp"](output) * T["reduce_sum"](g, axis=(attrs["axis"],), keepdims=True)


log_softmax = composite(
    "log_softmax", "logits", _log_softmax, _infer_logits("log_softmax"),
    vjp=_vjp_log_softmax, dtypes=FLOATING, wide=True, tolerance=16,
    reference=_log_softmax_reference,
)  # fmt: skip


# cross-entropies over the last axis
def _infer_softmax_xent(avals, attrs):
    check_dtypes("softmax_cross_entropy_with_logits", ("labels", "logits"), avals, FLOATING)
    labels, logits = avals
    if len(logits.shape) == 0 or not could_be_equal(labels.shape, logits.shape):
        raise InvalidArgumentError(
            f"softmax_cross_entropy_with_logits: labels has shape {shape_text(labels)} "
            f"and logits {shape_text(logits)}; they must be equal and have at least one axis"
        )
    return aval(logits.dtype, logits.shape[:-1])


def _softmax_xent(labels, logits):
    axis = len(logits.shape) - 1
    shifted = _shifted(logits, axis)
    log_sum = T["log"](T["reduce_sum"](T["exp"](shifted), axis=(axis,), keepdims=True))
    return T["reduce_sum"](labels * (log_sum - shifted), axis=(axis,), keepdims=False)


def _last(g):
    """g with a new last axis of size 1."""
    return T["reshape"](g, shape=(*g.nbflow_shape, 1))


def _vjp_softmax_xent(k, g, inputs, output, attrs):
    labels, logits = inputs
    axis = len(logits.shape) - 1
    if k == 0:
        return -_last(g) * T["log_softmax"](logits, axis=axis)
    return _last(g) * (T["softmax"](logits, axis=axis) - T["stop_gradient"](labels))  # a constant, as in TensorFlow


softmax_xent = composite(
    "softmax_cross_entropy_with_logits", "labels logits", _softmax_xent, _infer_softmax_xent,
    vjp=_vjp_softmax_xent, dtypes=FLOATING, wide=True, tolerance=16,
    reference=lambda labels, logits: -(labels * _log_softmax_reference(logits, -1)).sum(-1),
)  # fmt: skip


def _infer_sparse_xent(avals, attrs):
    labels, logits = avals
    check_dtypes("sparse_softmax_cross_entropy_with_logits", ("logits",), [logits], FLOATING)
    if labels.dtype not in (int32, int64):
        raise InvalidDTypeError(
            f"sparse_softmax_cross_entropy_with_logits: labels has dtype {labels.dtype.name}; it takes int32 or int64"
        )
    if len(logits.shape) == 0 or not could_be_equal(labels.shape, logits.shape[:-1]):
        raise InvalidArgumentError(
            f"sparse_softmax_cross_entropy_with_logits: labels has shape {shape_text(labels)} and logits "
            f"{shape_text(logits)}; labels must have the shape of logits without its last axis"
        )
    return aval(logits.dtype, labels.shape)


def _chosen(labels, logits):
    """Where the class index equals the label; a label outside the classes is equal to none."""
    classes = labels.iota(logits.shape[-1], labels.dtype)
    return T["equal"](classes, _last(labels))


def _sparse_xent(labels, logits):
    axis = len(logits.shape) - 1
    shifted = _shifted(logits, axis)
    log_sum = T["log"](T["reduce_sum"](T["exp"](shifted), axis=(axis,), keepdims=False))
    chosen = T["select"](_chosen(labels, logits), shifted, zeros_like(shifted))
    loss = log_sum - T["reduce_sum"](chosen, axis=(axis,), keepdims=False)
    valid = T["logical_and"](labels >= 0, labels < logits.shape[-1])
    return T["select"](valid, loss, loss.constant(np.nan))


def _vjp_sparse_xent(k, g, inputs, output, attrs):
    labels, logits = inputs
    return _last(g) * T["softmax_minus_one_hot"](labels, logits)


def _softmax_minus_one_hot(labels, logits):
    one = T["cast"](_chosen(labels, logits), dtype=logits.dtype)
    return T["softmax"](logits, axis=len(logits.shape) - 1) - one


def _vjp_softmax_minus_one_hot(k, g, inputs, output, attrs):
    axis = len(inputs[1].shape) - 1
    return _vjp_softmax(0, g, inputs[1:], T["softmax"](inputs[1], axis=axis), {"axis": axis})


def _sparse_reference(labels, logits):
    return -np.take_along_axis(_log_softmax_reference(logits, -1), labels[..., None], -1)[..., 0]


softmax_minus_one_hot = composite(
    "softmax_minus_one_hot", "labels logits", _softmax_minus_one_hot,
    lambda avals, attrs: aval(avals[1].dtype, avals[1].shape),
    vjp=_vjp_softmax_minus_one_hot, blocked=(0,), dtypes=FLOATING, wide=True, tolerance=16,
    reference=lambda labels, logits: _softmax_reference(logits, -1) - np.eye(logits.shape[-1])[labels],
)  # fmt: skip
sparse_softmax_xent = composite(
    "sparse_softmax_cross_entropy_with_logits", "labels logits", _sparse_xent, _infer_sparse_xent,
    vjp=_vjp_sparse_xent, blocked=(0,), dtypes=FLOATING, wide=True, tolerance=16, reference=_sparse_reference,
)  # fmt: skip

# max(x, 0) - x z + log(1 + exp(-|x|)), which overflows for no x
sigmoid_xent = elementwise(
    "sigmoid_cross_entropy_with_logits", "labels logits",
    "(logits if logits > 0 else (0 if logits <= 0 else logits)) - logits * labels + log1p(exp(-abs(logits)))",
    lambda g, z, labels, logits: -g * logits,
    lambda g, z, labels, logits: g * (T["sigmoid"](logits) - labels),
    dtypes=FLOATING, wide=True, tolerance=16,
    reference=lambda z, x: np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x))),
)  # fmt: skip


def _weighted(labels, logits, pos_weight):
    weight = 1 + (pos_weight - 1) * labels
    return (1 - labels) * logits + weight * T["softplus"](-logits)


def _weighted_reference(z, x, w):
    return (1 - z) * x + (1 + (w - 1) * z) * np.logaddexp(0, -x)


def _infer_weighted(avals, attrs):
    return T["select"].infer([aval(T["equal"].infer(avals[:2], {}).dtype, avals[2].shape), *avals[:2]], {})


def _vjp_weighted(k, g, inputs, output, attrs):
    labels, logits, weight = inputs
    if k == 0:
        return g * ((weight - 1) * T["softplus"](-logits) - logits)
    if k == 1:
        return g * ((1 - labels) - (1 + (weight - 1) * labels) * T["sigmoid"](-logits))
    return g * labels * T["softplus"](-logits)


weighted_xent = composite(
    "weighted_cross_entropy_with_logits", "labels logits pos_weight", _weighted, _infer_weighted,
    vjp=_vjp_weighted, dtypes=FLOATING, wide=True, tolerance=16, reference=_weighted_reference,
)  # fmt: skip


# half the sum of squares
def _infer_l2_loss(avals, attrs):
    check_dtypes("l2_loss", ("t",), avals, FLOATING)
    return aval(avals[0].dtype, ())


l2_loss = composite(
    "l2_loss", "t",
    lambda t: T["reduce_sum"](T["square"](t), axis=tuple(range(len(t.shape))), keepdims=False) * 0.5,
    _infer_l2_loss,
    vjp=lambda k, g, inputs, output, attrs: g * inputs[0], dtypes=FLOATING, wide=True,
    reference=lambda t: (t.astype(np.float64) ** 2).sum().astype(t.dtype) / 2,
)  # fmt: skip
