"""Gathering and scattering by index: one walk over both, a row for each way to combine what meets in one place.

Parameters are [batch, outer, sizes…, inner] and indices [batch, count, depth], where `depth` numbers say a place among
`sizes`; what is gathered or scattered is [batch, outer, count, inner].
"""

import math
from dataclasses import dataclass

import numpy as np

from nbflow.compiler.graph import aval
from nbflow.compiler.kernels import SLAB, Ref
from nbflow.compiler.op import Op
from nbflow.dtypes import ALL as ALL_DTYPES
from nbflow.dtypes import NUMERIC, REAL, DType, int32, int64
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.elementwise import cast
from nbflow.ops.table import TABLE, check_dtypes, register, shape_text
from nbflow.shapes import TensorShape, contiguous_strides, could_be_equal

T = TABLE
# What becomes of indices out of range: an error, nothing, or nothing for negative ones or those beyond the end only.
STRICT, IGNORE, DROP_NEGATIVE, DROP_BEYOND = range(4)


@dataclass(frozen=True)
class Walk:
    """How parameters and indices lie."""

    batch: int
    outer: int
    sizes: tuple[int, ...]
    count: int
    inner: int

    @property
    def rows(self) -> int:
        """The places of one batch and outer index."""
        return math.prod(self.sizes)


def along_axis(shape: tuple, indices: tuple, axis: int, batch_dims: int) -> Walk:
    """Of indices of shape `indices` into one axis of parameters of a shape."""
    batch, outer = math.prod(shape[:batch_dims]), math.prod(shape[batch_dims:axis])
    return Walk(batch, outer, (shape[axis],), math.prod(indices[batch_dims:]), math.prod(shape[axis + 1 :]))


def at_points(shape: tuple, indices: tuple, batch_dims: int) -> Walk:
    """Of indices whose last axis says a point of the parameters' leading axes."""
    end = batch_dims + indices[-1]
    count = math.prod(indices[batch_dims:-1])
    return Walk(math.prod(shape[:batch_dims]), 1, shape[batch_dims:end], count, math.prod(shape[end:]))


_FIND = """row = rows + c
{0}k = 0
{0}bad = False
{points}"""
_POINT = """{0}i = i64(load({index}, at, row * {depth} + {d}, 0))
{0}bad |= (i < 0) | (i >= word(p, {word}))
{0}k = k * word(p, {word}) + i
"""
_REPORT = """if bad:
{0}    if policy == 0 or (policy == 2 and k >= 0) or (policy == 3 and k < 0):
{0}        set_word(failed, 0, 1)
{0}        set_word(failed, 1, i if {depth} == 1 else row)
"""
_GATHER = """def {{name}}(p, begin, end):
    \"\"\"gather: runs [begin, end) of the result, each of {code}\"\"\"
    x, at, y, failed, policy = word(p, 0), word(p, 1), word(p, 2), word(p, 3), word(p, 4)
    outer, count, size, inner = word(p, 5), word(p, 6), word(p, 7), word(p, 8)
    for g in range(begin // count, (end - 1) // count + 1):
        rows = g // outer * count
        for c in range(max(begin - g * count, 0), min(end - g * count, count)):
            {find}
            {report}
            target = y + (g * count + c) * inner * {bytes}
            source = x + (g * size + k) * inner * {bytes}
            if bad:
                for j in range({inner}):
                    store({code}, target, j, 0, 1)
            else:
                for j in range({inner}):
                    store({code}, target, j, load({code}, source, j, 0), 1)
"""
# Each chunk goes through all indices and combines what falls into its rows: sums have one order, threads never meet.
_SCATTER = """def {{name}}(p, begin, end):
    \"\"\"{name}: rows [begin, end) of the result, each of {code}\"\"\"
    x, at, y, failed, policy = word(p, 0), word(p, 1), word(p, 2), word(p, 3), word(p, 4)
    outer, count, size, inner = word(p, 5), word(p, 6), word(p, 7), word(p, 8)
    for g in range(begin // size, (end - 1) // size + 1):
        low, high = max(begin - g * size, 0), min(end - g * size, size)
        rows = g // outer * count
        for c in range(count):
            {find}
            {report}
            elif low <= k and k < high:
                source = x + (g * count + c) * inner * {bytes}
                target = y + (g * size + k) * inner * {bytes}
                for j in range({inner}):
                    a = load({code}, target, j, 1)
                    b = load({code}, source, j, 0)
                    store({code}, target, j, {compute}({combine}), 1)
"""
WORDS = 9  # before the sizes
FEW = 8  # elements that an index stands for


def _source(template: str, depth: int, index: str, **values) -> str:
    indent = " " * 12
    points = (_POINT.format(indent, index=index, depth=depth, d=d, word=WORDS + d) for d in range(depth))
    find = _FIND.format(indent, points="".join(points)).rstrip()
    report = _REPORT.format(indent, depth=depth).rstrip()
    return template.format(find=find, report=report, **values)


def _call(node, lowering, template: str, walk: Walk, data, indices, target, extent: int, touch, **values) -> None:
    (x, touch_x), (at, touch_at) = (lowering.dense(lowering.place(v), v.shape) for v in (data, indices))
    name, depth = node.op.name, len(walk.sizes)
    axis = f"axis {node.attrs['axis']}" if "axis" in node.attrs else "an axis"
    where = f"{axis} of size {walk.sizes[0]}" if depth == 1 else f"shape {TensorShape(walk.sizes)}"
    failed, touch_failed = lowering.failure(
        node,
        lambda bad: (
            f"{name}: {f'indices has {bad}' if depth == 1 else f'index number {bad}'}, which is out of range "
            f"for {where}"
        ),
    )
    scale = values["inner"]
    values["inner"] = 1 if scale == 1 else "inner"  # single elements need no loop
    source = _source(template, depth, indices.dtype.code, name=name, **values)
    words = [x, at, target, failed, node.attrs.get("policy", STRICT), walk.outer, walk.count, walk.rows, scale]
    options: dict = {"whole": True} if template is _SCATTER else {}
    if options and scale < FEW:  # going through the indices is most of the work: once for all rows of a result
        options["multiple"] = walk.rows
    cost = 20 + walk.batch * walk.outer * walk.count * (2 + 0.5 * scale)
    lowering.call(
        name, source, [*words, *walk.sizes], extent, [touch_x, touch_at, touch_failed, touch], cost, **options
    )


def _moved(dtype: DType, inner: int) -> dict:
    """Elements that are only moved are numbers of their size, so that dtypes share kernels."""
    size = min(dtype.size, 8)
    code = {1: "u8", 2: "u16", 4: "i32", 8: "i64"}[size]
    return {"code": code, "compute": code, "bytes": size, "inner": inner * (dtype.size // size)}


def _lower_gather(walk_of):
    def lower(node, lowering):
        params, indices = node.inputs
        walk, result = walk_of(params.shape, indices.shape, node.attrs), node.output
        moved = _moved(params.dtype, walk.inner)
        touch = lowering.writes(result, SLAB, moved["inner"] * moved["bytes"])
        extent = walk.batch * walk.outer * walk.count
        _call(node, lowering, _GATHER, walk, params, indices, lowering.address(result), extent, touch, **moved)

    return lower


def lower_scatter(combine: str, walk_of, start):
    """Of (indices, updates) or (updates, indices) onto zeros and the like, or onto a tensor that comes first."""

    def lower(node, lowering):
        *whole, one, two = node.inputs
        indices, updates = (two, one) if node.op.arguments[-1] in ("indices", "segment_ids") else (one, two)
        result, dtype = node.output, node.output.dtype
        if whole:
            place, target = lowering.place(whole[0]), lowering.buffer(result)
            if lowering.buffer(place.root) is not target:  # else the tensor itself is to be changed
                lowering.copy(place, result.shape, target, 0, contiguous_strides(result.shape))
        else:
            lowering.fill(result, start(dtype))
        walk = walk_of(result.shape, indices.shape, node.attrs)
        rows = walk.batch * walk.outer * walk.rows
        touch = lowering.writes(result, SLAB, walk.inner * dtype.size)
        if combine == "b":
            values = _moved(dtype, walk.inner)
        else:
            values = {"code": dtype.code, "compute": dtype.compute, "bytes": dtype.size, "inner": walk.inner}
        _call(node, lowering, _SCATTER, walk, updates, indices, Ref(lowering.buffer(result)), rows, touch,
              combine=combine, **values)  # fmt: skip

    return lower


# --- one axis ---------------------------------------------------------------------------------------------------------


def check_indices(name: str, a, argument: str = "indices") -> None:
    """Raises InvalidArgumentError unless an argument has a dtype that indices have."""
    if a.dtype not in (int32, int64):
        raise InvalidDTypeError(f"{name}: {argument} has dtype {a.dtype.name}; it takes int32 or int64")


def _axis_walk(shape: tuple, indices: tuple, attrs: dict) -> Walk:
    return along_axis(shape, indices, attrs["axis"], attrs.get("batch_dims", 0))


def _infer_gather(avals, attrs):
    params, indices = avals
    check_indices("gather", indices)
    axis, batch = attrs["axis"], attrs.get("batch_dims", 0)
    if not could_be_equal(params.shape[:batch], indices.shape[:batch]):
        raise InvalidArgumentError(
            f"gather: params has shape {shape_text(params)} and indices {shape_text(indices)}; with batch_dims={batch} "
            f"their first {batch} sizes must be equal"
        )
    return aval(params.dtype, (*params.shape[:axis], *indices.shape[batch:], *params.shape[axis + 1 :]))


def _vjp_gather(k, g, inputs, output, attrs):
    params, indices = inputs
    return T["scatter_add"](g, indices, **attrs, size=params.nbflow_shape[attrs["axis"]])


def _gather_reference(x, indices, axis, batch_dims=0, policy=STRICT):
    known = (indices >= 0) & (indices < x.shape[axis])
    safe = np.where(known, indices, 0) if policy else indices
    if batch_dims:
        walk = along_axis(x.shape, indices.shape, axis, batch_dims)
        parts = x.reshape(walk.batch, walk.outer, *walk.sizes, walk.inner)
        found = [p[:, at] for p, at in zip(parts, safe.reshape(walk.batch, walk.count), strict=True)]
        return np.reshape(found, (*x.shape[:axis], *indices.shape[batch_dims:], *x.shape[axis + 1 :]))
    found = np.take(x, safe, axis=axis)
    return np.where(known.reshape(*known.shape, *(1,) * (x.ndim - 1)), found, 0).astype(x.dtype) if policy else found


gather = register(
    Op(
        "gather",
        ("params", "indices"),
        _infer_gather,
        lower=_lower_gather(_axis_walk),
        vjp=_vjp_gather,
        blocked=(1,),
        reference=_gather_reference,
    )
)


def _infer_scatter_add(avals, attrs):
    updates, indices = avals
    axis, rank = attrs["axis"], len(indices.shape) - attrs.get("batch_dims", 0)
    return aval(updates.dtype, (*updates.shape[:axis], attrs["size"], *updates.shape[axis + rank :]))


def _scatter_add_reference(updates, indices, axis, size, batch_dims=0, policy=STRICT):
    rank = indices.ndim - batch_dims
    shape = (*updates.shape[:axis], size, *updates.shape[axis + rank :])
    walk = along_axis(shape, indices.shape, axis, batch_dims)
    result = np.zeros((walk.batch, walk.outer, size, walk.inner), updates.dtype)
    flat = updates.reshape(walk.batch, walk.outer, walk.count, walk.inner)
    for b, o, c in np.ndindex(walk.batch, walk.outer, walk.count):
        at = indices.reshape(walk.batch, walk.count)[b, c]
        if 0 <= at < size:
            result[b, o, at] += flat[b, o, c]
    return result.reshape(shape)


def _without(attrs: dict, *names: str) -> dict:
    return {name: value for name, value in attrs.items() if name not in names}


scatter_add = register(
    Op(
        "scatter_add",
        ("updates", "indices"),
        _infer_scatter_add,
        lower=lower_scatter("a + b", _axis_walk, lambda dtype: 0),
        vjp=lambda k, g, inputs, output, attrs: T["gather"](g, inputs[1], **_without(attrs, "size")),
        dtypes=NUMERIC,
        blocked=(1,),
        reference=_scatter_add_reference,
    )
)


# --- points -----------------------------------------------------------------------------------------------------------


def _point_walk(shape: tuple, indices: tuple, attrs: dict) -> Walk:
    return at_points(shape, indices, attrs.get("batch_dims", 0))


def _infer_gather_nd(avals, attrs):
    params, indices = avals
    check_indices("gather_nd", indices)
    batch = attrs["batch_dims"]
    depth = indices.shape[-1] if indices.shape else 0
    if not indices.shape or batch + depth > len(params.shape):
        raise InvalidArgumentError(
            f"gather_nd: indices has shape {shape_text(indices)}, whose last size may be at most the rank of params "
            f"(shape {shape_text(params)}) less batch_dims={batch}"
        )
    if not could_be_equal(params.shape[:batch], indices.shape[:batch]):
        raise InvalidArgumentError(
            f"gather_nd: params has shape {shape_text(params)} and indices {shape_text(indices)}; with "
            f"batch_dims={batch} their first {batch} sizes must be equal"
        )
    return aval(params.dtype, (*indices.shape[:-1], *params.shape[batch + depth :]))


def _points(indices: np.ndarray, batch_dims: int) -> tuple:
    """The index of NumPy's that says the same, batch axes included."""
    batch = indices.shape[:batch_dims]
    leading = [
        np.arange(n).reshape([-1 if d == k else 1 for d in range(indices.ndim - 1)]) for k, n in enumerate(batch)
    ]
    return (*leading, *np.moveaxis(indices, -1, 0))


def _gather_nd_reference(x, indices, batch_dims=0, policy=STRICT):
    if not indices.shape[-1] and not batch_dims:
        return np.broadcast_to(x, (*indices.shape[:-1], *x.shape))
    return x[_points(indices, batch_dims)]


gather_nd = register(
    Op(
        "gather_nd",
        ("params", "indices"),
        _infer_gather_nd,
        lower=_lower_gather(_point_walk),
        vjp=lambda k, g, inputs, output, attrs: T["scatter_nd"](inputs[1], g, shape=inputs[0].nbflow_shape, **attrs),
        blocked=(1,),
        reference=_gather_nd_reference,
    )
)


def check_scatter(name: str, shape: tuple, indices, updates, batch_dims: int = 0) -> None:
    """Raises InvalidArgumentError unless updates fit a tensor of a shape at indices."""
    check_indices(name, indices)
    depth = indices.shape[-1] if indices.shape else 0
    wanted = (*indices.shape[:-1], *shape[batch_dims + depth :])
    if not indices.shape or batch_dims + depth > len(shape) or not could_be_equal(updates.shape, wanted):
        raise InvalidArgumentError(
            f"{name}: indices has shape {shape_text(indices)} and updates {shape_text(updates)}, into a tensor of "
            f"shape {TensorShape(shape)}; updates takes the shape indices.shape[:-1] + tensor.shape[indices.shape[-1]:]"
        )


def _infer_scatter_nd(avals, attrs):
    check_scatter("scatter_nd", attrs["shape"], *avals, attrs["batch_dims"])
    return aval(avals[1].dtype, attrs["shape"])


def _scatter_nd_reference(indices, updates, shape, batch_dims, policy=STRICT):
    result = np.zeros(shape, updates.dtype)
    np.add.at(result, _points(indices, batch_dims), updates)
    return result


scatter_nd = register(
    Op(
        "scatter_nd",
        ("indices", "updates"),
        _infer_scatter_nd,
        lower=lower_scatter("a + b", _point_walk, lambda dtype: 0),
        vjp=lambda k, g, inputs, output, attrs: T["gather_nd"](g, inputs[0], **_without(attrs, "shape")),
        dtypes=NUMERIC,
        blocked=(0,),
        reference=_scatter_nd_reference,
    )
)


def _picked(x, indices):
    return T["gather_nd"](x, indices, batch_dims=0, policy=IGNORE)


def _vjp_update(k, g, inputs, output, attrs):
    _, indices, updates = inputs
    if k == 2:
        return _picked(g, indices)
    return T["tensor_scatter_nd_update"](g, indices, T["zeros_like"](updates), **attrs)


def _vjp_add(k, g, inputs, output, attrs):
    return g if k == 0 else _picked(g, inputs[1])


def _vjp_sub(k, g, inputs, output, attrs):
    return g if k == 0 else -_picked(g, inputs[1])


def _vjp_extreme(k, g, inputs, output, attrs):
    """The gradient shared among what is the extreme, the tensor's element and the updates of its place."""
    x, indices, updates = inputs
    kept = cast(T["equal"](x, output), g.dtype)
    chosen = cast(T["equal"](updates, _picked(output, indices)), g.dtype)
    total = kept + T["scatter_nd"](indices, chosen, shape=x.nbflow_shape, batch_dims=0, policy=IGNORE)
    return g / total * kept if k == 0 else _picked(g / total, indices) * chosen


def _tensor_scatter(how: str, combine, function, vjp, dtypes) -> Op:
    name = f"tensor_scatter_nd_{how}"

    def infer(avals, attrs):
        tensor, indices, updates = avals
        check_dtypes(name, ("tensor", "updates"), (tensor, updates), dtypes)
        check_scatter(name, tensor.shape, indices, updates)
        return aval(tensor.dtype, tensor.shape)

    def reference(tensor, indices, updates, policy=STRICT):
        result = tensor.copy()
        if function is None:
            result[_points(indices, 0)] = updates
        else:
            function.at(result, _points(indices, 0), updates)
        return result

    return register(
        Op(
            name,
            ("tensor", "indices", "updates"),
            infer,
            lower=lower_scatter(combine, _point_walk, None),
            in_place=True,
            vjp=vjp,
            dtypes=dtypes,
            blocked=(1,),
            reference=reference,
        )
    )


_tensor_scatter("update", "b", None, _vjp_update, ALL_DTYPES)
_tensor_scatter("add", "a + b", np.add, _vjp_add, NUMERIC)
_tensor_scatter("sub", "a - b", np.subtract, _vjp_sub, NUMERIC)
_tensor_scatter("min", "b if b < a else a", np.minimum, _vjp_extreme, REAL)
_tensor_scatter("max", "b if b > a else a", np.maximum, _vjp_extreme, REAL)
_tensor_scatter("mul", "a * b", np.multiply, None, NUMERIC)  # what Variables take besides
_tensor_scatter("div", "a / b", np.divide, None, NUMERIC)


# --- one row of a sum -------------------------------------------------------------------------------------------------


def _row_added(emitter, values, attrs):
    """x + scatter_add(one row onto zeros) changes one row of x, which a loop does in place: the gradient of x[i]."""
    for x, other in (values, values[::-1]):
        scattered = other
        while scattered.node is not None and scattered.node.op.name == "reshape":
            scattered = scattered.node.inputs[0]
        node = scattered.node
        if node is None or node.op.name != "scatter_add" or not scattered.shape == x.shape == other.shape:
            continue
        updates, indices = node.inputs
        if node.attrs["axis"] == 0 and indices.aval.size == 1 and not node.attrs.get("batch_dims", 0):
            point = emitter.emit(T["reshape"], [indices], {"shape": (1, 1)})
            row = emitter.emit(T["reshape"], [updates], {"shape": (1, *x.shape[1:])})
            return emitter.emit(
                T["tensor_scatter_nd_add"], [x, point, row], _without(node.attrs, "axis", "size", "batch_dims")
            )
    return None


T["add"].simplify = _row_added
