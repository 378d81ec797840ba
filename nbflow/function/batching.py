"""Batching rules: an op applied to a stack of examples at once.

Each input of `batch` either holds one example a row, along a new first axis, or is the same for all examples. The
result is what stacking the results of the examples gives. Ops without a rule run example by example.

A rule is (op, inputs, stacked, count, attrs) -> the stacked result, or a tuple of several. It is found by the op's own
`batch` field, its name or its kind, in this order.
"""

from collections.abc import Callable, Sequence

from nbflow.compiler.graph import CONSTANT, Graph, aval
from nbflow.compiler.layout import IOTA
from nbflow.compiler.op import Op
from nbflow.compiler.passes.simplify import Emitter
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.shapes import Dim
from nbflow.tensor.tensor import apply, apply_free, from_numpy, stack

T = TABLE


class NoRule(ValueError):
    """An op has no batching rule, and running it example by example was not allowed."""


def example_shape(x, stacked: bool) -> tuple:
    """The shape that an input has for one example."""
    return tuple(x.nbflow_shape[1:]) if stacked else tuple(x.nbflow_shape)


def stretched(x, count):
    """A value that is the same for all examples as a stack of them."""
    shape = tuple(x.nbflow_shape)
    return T["broadcast_to"](x, shape=(count, *shape))


def as_stack(x, there: bool, count):
    """A value as a stack: itself where it is one."""
    return x if there else stretched(x, count)


def squeezed(x):
    """The only example of a stack of one."""
    return T["reshape"](x, shape=tuple(x.nbflow_shape[1:]))


def _all_stacked(inputs: Sequence, stacked: Sequence[bool], count) -> list:
    return [x if there else stretched(x, count) for x, there in zip(inputs, stacked, strict=True)]


def _of_rank(x, stacked: bool, rank: int):
    """An input with axes of size 1 after the batch axis, so that an example has a rank; others stay as they are."""
    shape = example_shape(x, stacked)
    if not stacked or len(shape) == rank:
        return x
    return T["reshape"](x, shape=(x.nbflow_shape[0], *(1,) * (rank - len(shape)), *shape))


def move_axis(x, source: int, target: int):
    """x with one axis moved."""
    order = [k for k in range(len(x.nbflow_shape)) if k != source]
    order.insert(target, source)
    return x if order == sorted(order) else T["transpose"](x, perm=tuple(order))


# --- rules that many ops share ----------------------------------------------------------------------------------------


def broadcasting(op, inputs, stacked, count, attrs):
    """The op broadcasts its inputs: elementwise ops, and matrix products but for their last two axes."""
    rank = max(len(example_shape(x, there)) for x, there in zip(inputs, stacked, strict=True))
    return op(*(_of_rank(x, there, rank) for x, there in zip(inputs, stacked, strict=True)), **attrs)


def leading(op, inputs, stacked, count, attrs):
    """The op works on the last axes and takes any number before them."""
    return op(*_all_stacked(inputs, stacked, count), **attrs)


def along_axis(op, inputs, stacked, count, attrs):
    """The op works along `axis`, one or several, counted from the first."""
    axis = attrs["axis"]
    moved = tuple(a + 1 for a in axis) if isinstance(axis, tuple) else axis + 1
    return op(*_all_stacked(inputs, stacked, count), **{**attrs, "axis": moved})


def _expanded(op, inputs, stacked, count, attrs):
    """A composite is written out for one example, and each op of that batched."""
    graph = Graph()
    values = [graph.input(aval(x.dtype, example_shape(x, there))) for x, there in zip(inputs, stacked, strict=True)]
    made = op.expand(Emitter(graph), values, attrs)
    results = made if isinstance(made, tuple) else (made,)
    known = dict(zip(values, zip(inputs, stacked, strict=True), strict=True))
    run(graph.nodes, known, count)
    found = tuple(x if there else stretched(x, count) for x, there in map(known.__getitem__, results))
    return found if isinstance(made, tuple) else found[0]


def example_by_example(op, inputs, stacked, count, attrs):
    """One op an example, for ops without a rule.

    Raises:
        InvalidArgumentError: the number of examples is not known.
    """
    if isinstance(count, Dim):
        raise InvalidArgumentError(f"vectorized_map: {op.name} has no batching rule, and the batch size is not known")
    if not count:
        avals = [aval(x.dtype, example_shape(x, there)) for x, there in zip(inputs, stacked, strict=True)]
        found = op.infer(avals, attrs)
        results = found if isinstance(found, tuple) else (found,)
        empty = tuple(_zeros(inputs[0], a) for a in results)
        return empty if isinstance(found, tuple) else empty[0]
    rows = []
    for k in range(count):
        rows.append(op(*(row(x, k) if there else x for x, there in zip(inputs, stacked, strict=True)), **attrs))
    if isinstance(rows[0], tuple):
        return tuple(stack(list(parts)) for parts in zip(*rows, strict=True))
    return stack(rows)


def _zeros(like, a):
    return T["cast"](T["fill_like"](like, shape=(0, *a.shape), value=0), dtype=a.dtype)


def row(x, number: int):
    """One example of a stack."""
    shape = x.nbflow_shape
    begin = (number, *(0,) * (len(shape) - 1))
    part = T["strided_slice"](x, begin=begin, step=(1,) * len(shape), shape=(1, *shape[1:]))
    return T["reshape"](part, shape=tuple(shape[1:]))


# --- rules of single ops ----------------------------------------------------------------------------------------------


def _reshape(op, inputs, stacked, count, attrs):
    return op(inputs[0], shape=(count, *attrs["shape"]))


def _transpose(op, inputs, stacked, count, attrs):
    return op(inputs[0], perm=(0, *(k + 1 for k in attrs["perm"])))


def _broadcast_to(op, inputs, stacked, count, attrs):
    return op(_of_rank(inputs[0], True, len(attrs["shape"])), shape=(count, *attrs["shape"]))


def _sum_to(op, inputs, stacked, count, attrs):
    pad = len(inputs[0].nbflow_shape) - 1 - len(attrs["shape"])
    total = op(inputs[0], shape=(count, *(1,) * pad, *attrs["shape"]))
    return T["reshape"](total, shape=(count, *attrs["shape"]))


def _part(op, inputs, stacked, count, attrs):
    """A slice that is read or written."""
    part = {"begin": (0, *attrs["begin"]), "step": (1, *attrs["step"])}
    if "shape" in attrs:
        part["shape"] = (count, *attrs["shape"])
    return op(*_all_stacked(inputs, stacked, count), **part)


def _one_hot(op, inputs, stacked, count, attrs):
    if any(stacked[1:]):
        return _expanded(op, inputs, stacked, count, attrs)
    return op(*inputs, **{**attrs, "axis": attrs["axis"] + 1})


def _gather(op, inputs, stacked, count, attrs):
    axis, batch = attrs["axis"], attrs.get("batch_dims", 0)
    if not stacked[1] and not batch:
        return op(*inputs, **{**attrs, "axis": axis + 1})
    if not stacked[0] and not batch:
        return move_axis(op(*inputs, **attrs), axis, 0)
    return op(*_all_stacked(inputs, stacked, count), **{**attrs, "axis": axis + 1, "batch_dims": batch + 1})


def _scatter_add(op, inputs, stacked, count, attrs):
    batch = attrs.get("batch_dims", 0)
    if not stacked[1] and not batch:
        return op(*inputs, **{**attrs, "axis": attrs["axis"] + 1})
    moved = {**attrs, "axis": attrs["axis"] + 1, "batch_dims": batch + 1}
    return op(*_all_stacked(inputs, stacked, count), **moved)


def _points(op, inputs, stacked, count, attrs):
    """The op has batch axes, and a shape of its result if it scatters."""
    moved = {**attrs, "batch_dims": attrs["batch_dims"] + 1}
    if "shape" in attrs:
        moved["shape"] = (count, *attrs["shape"])
    return op(*_all_stacked(inputs, stacked, count), **moved)


def _numbers(count, like):
    """0, 1, … of the examples, in the dtype of a tensor."""
    return apply_free(IOTA, {"size": count, "dtype": like.dtype})


def _tensor_scatter(op, inputs, stacked, count, attrs):
    """The number of the example comes before the other coordinates of a point."""
    tensor, indices, updates = _all_stacked(inputs, stacked, count)
    rank = len(indices.nbflow_shape)
    number = T["reshape"](_numbers(count, indices), shape=(count, *(1,) * (rank - 1)))
    number = T["broadcast_to"](number, shape=(*indices.nbflow_shape[:-1], 1))
    return op(tensor, T["concat"](number, indices, axis=rank - 1), updates, **attrs)


def _segments(op, inputs, stacked, count, attrs):
    """Each example's segments come after those of the one before; negative ids belong to none."""
    data, ids = _all_stacked(inputs, stacked, count)
    segments = attrs["num_segments"]
    number = T["reshape"](_numbers(count, ids), shape=(count, *(1,) * (len(ids.nbflow_shape) - 1)))
    apart = T["select"](T["less"](ids, 0), ids, ids + number * segments)
    found = op(data, apart, num_segments=count * segments)
    return T["reshape"](found, shape=(count, segments, *found.nbflow_shape[1:]))


def _searchsorted(op, inputs, stacked, count, attrs):
    """The op takes one axis of rows: those of all examples one after another."""
    rows = inputs[0].nbflow_shape[-2] * count
    whole = _all_stacked(inputs, stacked, count)
    found = op(*(T["reshape"](x, shape=(rows, x.nbflow_shape[-1])) for x in whole), **attrs)
    return T["reshape"](found, shape=tuple(whole[1].nbflow_shape))


def _first_stacked(op, inputs, stacked, count, attrs, moved=None):
    """The op takes any number of axes before those of its first input; the other inputs are parameters."""
    if any(stacked[1:]):
        return example_by_example(op, inputs, stacked, count, attrs)
    return op(*inputs, **(moved or attrs))


def _pad(op, inputs, stacked, count, attrs):
    return _first_stacked(op, inputs, stacked, count, attrs, {name: (0, *sizes) for name, sizes in attrs.items()})


def _merged(op, inputs, stacked, count, attrs):
    """The op has a batch axis, its first: the batches of all examples become one."""
    whole = _all_stacked(inputs, stacked, count)
    shapes = [tuple(x.nbflow_shape) for x in whole]
    flat = [T["reshape"](x, shape=(count * shape[1], *shape[2:])) for x, shape in zip(whole, shapes, strict=True)]
    found = op(*flat, **attrs)
    results = found if isinstance(found, tuple) else (found,)
    apart = tuple(T["reshape"](x, shape=(count, shapes[0][1], *x.nbflow_shape[1:])) for x in results)
    return apart if isinstance(found, tuple) else apart[0]


def _merged_but(parameter: int) -> Callable:
    """As _merged, for an op one of whose two inputs, the filters, has no batch axis."""

    def rule(op, inputs, stacked, count, attrs):
        if stacked[parameter]:
            return example_by_example(op, inputs, stacked, count, attrs)
        filters = inputs[parameter]

        def applied(x, **attrs):
            return op(x, filters, **attrs) if parameter else op(filters, x, **attrs)

        return _merged(applied, [inputs[1 - parameter]], [True], count, attrs)

    return rule


_ROWS = [
    (_reshape, "reshape"),
    (_transpose, "transpose"),
    (_broadcast_to, "broadcast_to"),
    (_sum_to, "sum_to"),
    (_part, "strided_slice slice_update"),
    (_one_hot, "one_hot"),
    (_gather, "gather"),
    (_scatter_add, "scatter_add"),
    (_points, "gather_nd scatter_nd"),
    (_tensor_scatter, " ".join(f"tensor_scatter_nd_{how}" for how in ("update", "add", "sub", "max", "min"))),
    (_tensor_scatter, "tensor_scatter_nd_mul tensor_scatter_nd_div"),
    (_segments, " ".join(f"unsorted_segment_{how}" for how in ("sum", "prod", "min", "max"))),
    (_searchsorted, "searchsorted"),
    (_merged, "max_pool avg_pool avg_pool_gradient max_pool_argmax max_unpool max_pick max_ties max_tie_sum"),
    (_merged, "extract_patches merge_patches isotonic_segments ctc_loss ctc_gradient"),
    (_merged_but(1), "convolution dilation dilation_place dilation_tap"),
    (_merged_but(0), "convolution_input_gradient"),
    (_pad, "pad"),
    (_first_stacked, "diag_part adjust_hue adjust_saturation"),
    (broadcasting, "matmul weighted_cross_entropy_with_logits"),
    (along_axis, "concat argmax argmin reduce_mean reduce_logsumexp reduce_variance reduce_std count_nonzero"),
    (along_axis, "reduce_euclidean_norm softmax log_softmax cumsum cumprod cumulative_logsumexp resample"),
    (along_axis, "fft ifft rfft irfft"),
    (leading, "frame overlap_and_add"),
    (leading, "identity stop_gradient check rgb_to_hsv hsv_to_rgb sort argsort diagonal set_diag bitcast"),
    (leading, "softmax_cross_entropy_with_logits sparse_softmax_cross_entropy_with_logits softmax_minus_one_hot"),
]
RULES: dict[str, Callable] = {name: rule for rule, names in _ROWS for name in names.split()}
KINDS: dict[str, Callable] = {"elementwise": broadcasting, "reduction": along_axis, "composite": _expanded}


# --- what depends on shapes alone is the same for all examples --------------------------------------------------------


def _filled(op, x, attrs):
    shape = attrs["shape"] if op.name == "fill_like" else tuple(x.nbflow_shape[1:])
    value = attrs["value"] if op.name == "fill_like" else int(op.name == "ones_like")
    return T["fill_like"](x, shape=shape, value=value)


def _shape(op, x, attrs):
    return T["strided_slice"](op(x), begin=(1,), step=(1,), shape=(len(x.nbflow_shape) - 1,))


def _count(op, x, attrs):
    return op(x, axis=tuple(a + 1 for a in attrs["axis"]))


FROM_SHAPES: dict[str, Callable] = {
    **dict.fromkeys(("fill_like", "zeros_like", "ones_like"), _filled),
    **dict.fromkeys(("shape_int32", "shape_int64"), _shape),
    "count": _count,
}


def rule_of(op: Op) -> Callable | None:
    """The batching rule of an op, None where it has none."""
    return op.batch or RULES.get(op.name) or KINDS.get(op.kind)


def batch(op: Op, inputs: Sequence, stacked: Sequence[bool], count, attrs: dict, unroll: bool = True) -> tuple:
    """An op on a stack of examples, at least one of the inputs being stacked.

    Args:
        count: the number of examples.
        unroll: whether ops without a rule may run example by example.

    Returns:
        (result or tuple of results, whether it is stacked).

    Raises:
        NoRule: there is no rule and unroll is False.
    """
    from_shape = FROM_SHAPES.get(op.name)
    if from_shape is not None:
        return from_shape(op, inputs[0], attrs), False
    rule = rule_of(op)
    if rule is None:
        if not unroll:
            raise NoRule(f"No pfor vectorization defined for {op.name}")
        rule = example_by_example
    return rule(op, inputs, stacked, count, attrs), True


def run(nodes: Sequence, known: dict, count, unroll: bool = True) -> None:
    """Runs nodes of a graph on stacks of examples.

    Args:
        known: {value: (tensor, whether it is stacked)}, of the inputs; the results are added.
        count, unroll: as of `batch`.
    """
    for node in nodes:
        if node.outputs and all(v in known for v in node.outputs):
            continue
        inputs = [known[v][0] for v in node.inputs]
        stacked = [known[v][1] for v in node.inputs]
        if any(stacked):
            result, there = batch(node.op, inputs, stacked, count, node.attrs, unroll)
        else:
            result, there = _same_for_all(node, inputs), False
        results = result if isinstance(result, tuple) else (result,)
        known.update((v, (x, there)) for v, x in zip(node.outputs, results, strict=True))


def _same_for_all(node, inputs: list):
    """The result of an op that has no stacked input."""
    if node.op is CONSTANT:
        constant = node.attrs["value"]
        return from_numpy(constant.array, constant.aval.dtype)
    return apply(node.op, inputs, node.attrs)
