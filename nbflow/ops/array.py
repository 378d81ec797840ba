"""Ops that move elements about: views (reshape, transpose, slice, broadcast), concat, gather, scatter, new arrays."""

import math

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import PART, SLAB
from nbflow.compiler.op import Op
from nbflow.dtypes import ALL as ALL_DTYPES
from nbflow.dtypes import NUMERIC, REAL, DType, int32, int64
from nbflow.errors import InvalidArgumentError
from nbflow.ops.elementwise import where
from nbflow.ops.table import TABLE, check_dtypes, composite, register, shape_text, simplifying
from nbflow.shapes import Dim, TensorShape, contiguous_strides, could_be_equal

T = TABLE


# --- views ------------------------------------------------------------------------------------------------------------


def _infer_reshape(avals, attrs):
    (a,), shape = avals, attrs["shape"]
    out = aval(a.dtype, shape)
    if not a.symbolic and not out.symbolic and a.size != out.size:
        raise InvalidArgumentError(
            f"reshape: tensor has {a.size} elements (shape {shape_text(a)}), "
            f"which do not fit shape {TensorShape(shape)}"
        )
    return out


def _view_reshape(a, attrs):
    """Strides of the reshaped view: axes split and join within runs that lie without gaps."""
    shape = attrs["shape"]
    if a.strides is None or a.size == 0:
        return 0, contiguous_strides(shape)
    old = [(n, s) for n, s in zip(a.shape, a.strides, strict=True) if n != 1]
    runs: list[list[int]] = []  # [elements, stride] of runs without gaps
    for n, s in old:
        if runs and runs[-1][1] == n * s:
            runs[-1] = [runs[-1][0] * n, s]
        else:
            runs.append([n, s])
    strides: list[int] = []
    for n in reversed(shape):
        if n == 1:
            strides.append(0)
            continue
        if not runs or runs[-1][0] % n:
            return None
        strides.append(runs[-1][1])
        runs[-1] = [runs[-1][0] // n, runs[-1][1] * n]
        if runs[-1][0] == 1:
            runs.pop()
    return 0, tuple(reversed(strides))


def _simplify_reshape(x, shape):
    return x if tuple(x.shape) == shape else None


reshape = register(
    Op(
        "reshape",
        ("tensor",),
        _infer_reshape,
        view=_view_reshape,
        simplify=simplifying(_simplify_reshape),
        vjp=lambda k, g, inputs, output, attrs: T["reshape"](g, shape=inputs[0].nbflow_shape),
        reference=lambda x, shape: x.reshape(shape),
    )
)


def _infer_ensure_shape(avals, attrs):
    (a,), shape = avals, attrs["shape"]
    if not could_be_equal(a.shape, shape):
        raise InvalidArgumentError(
            f"Shape of tensor x {shape_text(a)} is not compatible with expected shape {TensorShape(shape)}"
        )
    return aval(a.dtype, shape)


composite(
    "ensure_shape",
    "x",
    lambda x, shape: x,
    _infer_ensure_shape,
    vjp=lambda k, g, inputs, output, attrs: g,
    reference=lambda x, shape: x,
)


def _inverse(perm):
    return tuple(int(k) for k in np.argsort(perm))


transpose = register(
    Op(
        "transpose",
        ("a",),
        infer=lambda avals, attrs: aval(avals[0].dtype, tuple(avals[0].shape[k] for k in attrs["perm"])),
        view=lambda a, attrs: (0, tuple(a.layout[k] for k in attrs["perm"])),
        simplify=simplifying(lambda x, perm: x if perm == tuple(range(len(perm))) else None),
        vjp=lambda k, g, inputs, output, attrs: T["transpose"](g, perm=_inverse(attrs["perm"])),
        reference=lambda x, perm: x.transpose(perm),
    )
)


def _infer_broadcast_to(avals, attrs):
    (a,), shape = avals, attrs["shape"]
    pad = len(shape) - len(a.shape)
    fits = pad >= 0 and all(
        n in (1, m) or isinstance(n, Dim) or isinstance(m, Dim) for n, m in zip(a.shape, shape[pad:], strict=True)
    )
    if not fits:
        raise InvalidArgumentError(
            f"broadcast_to: input of shape {shape_text(a)} does not stretch to {TensorShape(shape)}"
        )
    return aval(a.dtype, shape)


def _view_broadcast_to(a, attrs):
    shape = attrs["shape"]
    pad = len(shape) - len(a.shape)
    stretched = (0 if n == 1 else s for n, s in zip(a.shape, a.layout, strict=True))
    return 0, (0,) * pad + tuple(stretched)


broadcast_to = register(
    Op(
        "broadcast_to",
        ("input",),
        _infer_broadcast_to,
        view=_view_broadcast_to,
        simplify=simplifying(lambda x, shape: x if tuple(x.shape) == shape else None),
        vjp=lambda k, g, inputs, output, attrs: T["sum_to"](g, shape=inputs[0].nbflow_shape),
        reference=lambda x, shape: np.broadcast_to(x, shape),
    )
)


def _sum_to(x, shape):
    """The sum over the axes along which a tensor of this shape was stretched to that of x."""
    pad = len(x.shape) - len(shape)
    stretched = [k for k, n in enumerate(x.shape) if k < pad or (shape[k - pad] == 1 and n != 1)]
    if stretched:
        x = T["reduce_sum"](x, axis=tuple(stretched), keepdims=True)
    return T["reshape"](x, shape=shape)


def _sum_to_reference(x, shape):
    pad = x.ndim - len(shape)
    axes = tuple(k for k, n in enumerate(x.shape) if k < pad or (shape[k - pad] == 1 and n != 1))
    return x.sum(axis=axes, keepdims=True, dtype=x.dtype).reshape(shape)


sum_to = composite(
    "sum_to", "x", _sum_to, lambda avals, attrs: aval(avals[0].dtype, attrs["shape"]),
    vjp=lambda k, g, inputs, output, attrs: T["broadcast_to"](
        T["reshape"](g, shape=(1,) * (len(inputs[0].nbflow_shape) - len(attrs["shape"])) + tuple(attrs["shape"])),
        shape=inputs[0].nbflow_shape,
    ),
    dtypes=NUMERIC,
    reference=_sum_to_reference,
)  # fmt: skip


# slice: begin and step along each axis and the resulting shape; a step may be negative
def _infer_strided_slice(avals, attrs):
    (a,), shape = avals, attrs["shape"]
    out = aval(a.dtype, shape)
    if not a.symbolic and not out.symbolic and out.size:
        for axis, (n, b, s, m) in enumerate(zip(a.shape, attrs["begin"], attrs["step"], shape, strict=True)):
            if not (0 <= b < n and 0 <= b + s * (m - 1) < n):
                raise InvalidArgumentError(
                    f"slice index {b} of axis {axis} is out of bounds for size {n} (shape {shape_text(a)})"
                )
    return out


strided_slice = register(
    Op(
        "strided_slice",
        ("input",),
        _infer_strided_slice,
        view=lambda a, attrs: (
            sum(b * s for b, s in zip(attrs["begin"], a.layout, strict=True)) if 0 not in attrs["shape"] else 0,
            tuple(k * s for k, s in zip(attrs["step"], a.layout, strict=True)),
        ),
        vjp=lambda k, g, inputs, output, attrs: T["slice_update"](
            zeros_of(g, inputs[0].nbflow_shape), g, begin=attrs["begin"], step=attrs["step"]
        ),
        reference=lambda x, begin, step, shape: _numpy_slice(x, begin, step, shape),
    )
)


def _numpy_slice(x, begin, step, shape):
    index = tuple(np.arange(n) * s + b for b, s, n in zip(begin, step, shape, strict=True))
    return x[np.ix_(*index)] if index else x


def zeros_of(x, shape: tuple):
    """Zeros with the dtype of x and a given shape, for rules."""
    return T["fill_like"](x, shape=shape, value=0)


fill_like = composite(
    "fill_like", "x",
    lambda x, shape, value: T["broadcast_to"](x.constant(value), shape=shape),
    lambda avals, attrs: aval(avals[0].dtype, attrs["shape"]),
    vjp=lambda k, g, inputs, output, attrs: None,
    blocked=(0,),
    reference=lambda x, shape, value: np.full(shape, value, x.dtype),
)  # fmt: skip
for _name, _value in (("zeros_like", 0), ("ones_like", 1)):
    composite(
        _name, "input", lambda x, _value=_value: T["fill_like"](x, shape=x.shape, value=_value),
        lambda avals, attrs: aval(avals[0].dtype, avals[0].shape),
        vjp=lambda k, g, inputs, output, attrs: None, blocked=(0,),
        reference={0: np.zeros_like, 1: np.ones_like}[_value],
    )  # fmt: skip


# --- writes into parts ------------------------------------------------------------------------------------------------


def _lower_slice_update(node, lowering):
    """A copy of the whole, then the part over it."""
    whole, part = node.inputs
    target, dense = lowering.buffer(node.output), contiguous_strides(whole.shape)
    lowering.copy(lowering.place(whole), whole.shape, target, 0, dense)
    offset = sum(b * s for b, s in zip(node.attrs["begin"], dense, strict=True))
    strides = tuple(k * s for k, s in zip(node.attrs["step"], dense, strict=True))
    lowering.copy(lowering.place(part), part.shape, target, offset, strides)


def _slice_update_reference(x, value, begin, step):
    result = x.copy()
    index = tuple(np.arange(n) * s + b for b, s, n in zip(begin, step, value.shape, strict=True))
    result[np.ix_(*index) if index else ()] = value
    return result


def _vjp_slice_update(k, g, inputs, output, attrs):
    part = {"begin": attrs["begin"], "step": attrs["step"]}
    if k == 1:
        return T["strided_slice"](g, **part, shape=inputs[1].nbflow_shape)
    return T["slice_update"](g, T["zeros_like"](inputs[1]), **part)


slice_update = register(
    Op(
        "slice_update",
        ("input", "value"),
        infer=lambda avals, attrs: aval(avals[0].dtype, avals[0].shape),
        lower=_lower_slice_update,
        vjp=_vjp_slice_update,
        reference=_slice_update_reference,
    )
)


def _infer_concat(avals, attrs):
    axis, first = attrs["axis"], avals[0]
    check_dtypes("concat", [f"values[{k}]" for k in range(len(avals))], avals, ALL_DTYPES)
    total = 0
    for k, a in enumerate(avals):
        if len(a.shape) != len(first.shape) or any(
            n != m and not isinstance(n, Dim) and not isinstance(m, Dim)
            for j, (n, m) in enumerate(zip(a.shape, first.shape, strict=True))
            if j != axis
        ):
            raise InvalidArgumentError(
                f"concat: values[0] has shape {shape_text(first)} and values[{k}] has shape {shape_text(a)}; "
                f"all sizes but that of axis {axis} must be equal"
            )
        total = total + a.shape[axis]
    return aval(first.dtype, (*first.shape[:axis], total, *first.shape[axis + 1 :]))


_INTERLEAVE = """def {{name}}(p, begin, end):
    \"\"\"concat: rows [begin, end) of {widths} elements of {code} next to each other\"\"\"
    y = word(p, 0)
    {addresses}
    for i in range(begin, end):
        {moves}
"""
SHORT = 4096  # elements of a result for which the kernels that are there anyway will do
INTERLEAVED = 16  # elements of a row of the result up to which its parts are moved together, and it is written in order


def _interleave(node, lowering, widths: list[int]) -> None:
    """One call that moves the parts of short rows."""
    result, total = node.output, sum(widths)
    code = result.dtype.code
    places = [lowering.dense(lowering.place(v), v.shape) for v in node.inputs]
    parts = [(k, width, j) for k, width in enumerate(widths) for j in range(width)]
    moves = [
        f"store({code}, y, i * {total} + {at}, load({code}, x{k}, i * {width} + {j}, 0), 1)"
        for at, (k, width, j) in enumerate(parts)
    ]
    addresses = "\n    ".join(f"x{k} = word(p, {k + 1})" for k in range(len(widths)))
    source = _INTERLEAVE.format(widths=widths, code=code, addresses=addresses, moves="\n        ".join(moves))
    touches = [*(touch for _, touch in places), lowering.writes(result, SLAB, total * result.dtype.size)]
    words = [lowering.address(result), *(address for address, _ in places)]
    size = result.aval.size
    lowering.call("concat", source, words, size // total, touches, 20 + 0.3 * size)


def _lower_concat(node, lowering):
    axis = node.attrs["axis"]
    widths = [math.prod(v.shape[axis:]) for v in node.inputs]
    if len(widths) > 1 and all(widths) and sum(widths) <= INTERLEAVED and node.output.aval.size > SHORT:
        _interleave(node, lowering, widths)
        return
    target = lowering.buffer(node.output)
    strides = contiguous_strides(node.output.shape)
    at = 0
    for value in node.inputs:
        lowering.copy(lowering.place(value), value.shape, target, at * strides[axis], strides, how=PART)
        at += value.shape[axis]


def _vjp_concat(k, g, inputs, output, attrs):
    axis, shape = attrs["axis"], inputs[k].nbflow_shape
    start = sum((x.nbflow_shape[axis] for x in inputs[:k]), 0)
    begin = tuple(start if j == axis else 0 for j in range(len(shape)))
    return T["strided_slice"](g, begin=begin, step=(1,) * len(shape), shape=shape)


concat = register(
    Op(
        "concat",
        ("*values",),
        _infer_concat,
        lower=_lower_concat,
        vjp=_vjp_concat,
        reference=lambda *values, axis: np.concatenate(values, axis),
    )
)


# --- one_hot ----------------------------------------------------------------------------------------------------------


def _one_hot(indices, on, off, depth: int, axis: int):
    if indices.dtype.size < 4:  # the depth may be more than they can count
        indices = T["cast"](indices, dtype=int32)
    kept = T["reshape"](indices, shape=(*indices.shape[:axis], 1, *indices.shape[axis:]))
    rank = len(indices.shape) - axis
    count = T["reshape"](indices.iota(depth, indices.dtype), shape=(depth, *(1,) * rank))
    return where(T["equal"](kept, count), on, off)


def _one_hot_reference(indices, on, off, depth, axis):
    count = np.arange(depth).reshape(depth, *(1,) * (indices.ndim - axis))
    return np.where(np.expand_dims(indices, axis) == count, on, off)


one_hot = composite(
    "one_hot", "indices on_value off_value", _one_hot,
    lambda avals, attrs: aval(
        avals[1].dtype,
        (*avals[0].shape[: attrs["axis"]], attrs["depth"], *avals[0].shape[attrs["axis"] :]),
    ),
    vjp=None, reference=_one_hot_reference,
)  # fmt: skip


# --- ranges -----------------------------------------------------------------------------------------------------------


def _arange(start, delta, size: int | Dim):
    few = not isinstance(size, Dim) and size < 1 << 31  # a vector holds twice as many of the shorter numbers
    return start + delta * T["cast"](start.iota(size, int32 if few else int64), dtype=start.dtype)


arange = composite(
    "range", "start delta", _arange,
    lambda avals, attrs: aval(avals[0].dtype, (attrs["size"],)),
    dtypes=REAL,
    reference=lambda start, delta, size: (start + delta * np.arange(size)).astype(np.asarray(start).dtype),
)  # fmt: skip


def shape_of(dtype: DType) -> Op:
    """The op that gives a tensor's shape as numbers of a dtype."""
    return TABLE[f"shape_{dtype.name}"]


for _dtype in (int32, int64):
    register(
        Op(
            f"shape_{_dtype.name}",
            ("input",),
            infer=lambda avals, attrs, _dtype=_dtype: aval(_dtype, (len(avals[0].shape),)),
            static=lambda avals, attrs, _dtype=_dtype: np.asarray(avals[0].shape, _dtype.np),
            reference=lambda x, _dtype=_dtype: np.asarray(x.shape, _dtype.np),
        )
    )


def _counting(limit):
    if limit < 0:
        raise InvalidArgumentError(f"a size is {limit}; sizes are 0 or more")
    return np.arange(limit)


# [0, 1, … limit - 1], for a limit that only values decide: with it a number in a trace becomes a size.
counting = register(
    Op(
        "counting",
        ("limit",),
        lambda avals, attrs: aval(int64, (Dim.fresh("size"),)),
        host=_counting,
        reference=_counting,
        dtypes=(int32, int64),
    )
)
