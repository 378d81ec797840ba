"""What keras.ops has of tensors as such and of control flow: casts, shapes, loops, updates of parts."""

import numpy as np
import optree

from nbflow.dtypes import as_dtype
from nbflow.keras.ops.promotion import published, tensor
from nbflow.keras.symbolic import KerasTensor
from nbflow.public import NAMES
from nbflow.shapes import Dim
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.variable import Variable


@published()
def cast(x, dtype):
    """x in another dtype."""
    return tensor(x, dtype)


@published()
def saturate_cast(x, dtype):
    """x in another dtype; what is beyond its limits becomes the limit."""
    return NAMES["saturate_cast"](tensor(x), as_dtype(dtype))


@published("array")
def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """x as a tensor."""
    return x if isinstance(x, KerasTensor) and dtype is None else NAMES["convert_to_tensor"](tensor(x, dtype))


@published()
def convert_to_numpy(x):
    """x as a NumPy array."""
    return x.numpy() if isinstance(x, TensorProtocol) else np.array(x)


@published()
def dtype(x) -> str:
    """The name of x's dtype."""
    return tensor(x).dtype.name


@published()
def shape(x) -> tuple:
    """The size of each axis: an integer, or where it is open None for a KerasTensor and else a tensor."""
    x = tensor(x)
    if isinstance(x, KerasTensor):
        return x.shape
    sizes = tuple(x.shape)
    return tuple(
        NAMES["shape"](x)[k] if size is None or isinstance(size, Dim) else int(size) for k, size in enumerate(sizes)
    )


@published()
def ndim(x) -> int:
    """The number of axes."""
    return len(tensor(x).shape)


@published()
def size(x):
    """The number of elements."""
    return NAMES["size"](tensor(x))


@published()
def cond(pred, true_fn, false_fn):
    """true_fn() where pred is true, else false_fn()."""
    return NAMES["cond"](tensor(pred, "bool"), true_fn, false_fn)


@published()
def switch(index, branches, *operands):
    """The result of branches[index](*operands); indices beyond the ends are the ends."""
    place = NAMES["clip_by_value"](tensor(index, "int32"), 0, len(branches) - 1)
    return NAMES["switch_case"](place, [lambda branch=branch: branch(*operands) for branch in branches])


@published()
def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """Replaces loop_vars by body(*loop_vars) while cond(*loop_vars) holds."""
    several = isinstance(loop_vars, (tuple, list))
    start = tuple(loop_vars) if several else (loop_vars,)

    def step(*values):
        made = body(*values)
        return tuple(made) if isinstance(made, (tuple, list)) else (made,)

    ended = NAMES["while_loop"](cond, step, start, maximum_iterations=maximum_iterations)
    return type(loop_vars)(ended) if several else ended[0]


@published()
def fori_loop(lower, upper, body_fun, init_val):
    """Replaces a value by body_fun(i, value) for i from lower to upper."""
    return while_loop(lambda i, _: i < upper, lambda i, value: (i + 1, body_fun(i, value)), (tensor(lower), init_val))[
        1
    ]


@published()
def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """(carry, ys) of carry, y = f(carry, x) over the first axis of xs, from carry = init."""
    xs = NAMES["range"](length) if xs is None else optree.tree_map(tensor, xs)
    init = optree.tree_map(tensor, init)
    _, y = f(init, optree.tree_map(lambda x: x[0], xs))
    start = (init, optree.tree_map(NAMES["zeros_like"], y))
    carries, ys = NAMES["scan"](lambda carried, x: f(carried[0], x), xs, start, reverse=reverse)
    return optree.tree_map(lambda c: c[0 if reverse else -1], carries), ys


@published()
def map_(f, xs):
    """f(x) for each x along the first axis of xs, stacked."""
    return scan(lambda carry, x: (carry, f(x)), 0, xs)[1]


@published()
def slice_(inputs, start_indices, shape):
    """A block of a tensor, from where it starts and of a shape."""
    return NAMES["slice"](tensor(inputs), start_indices, shape)


@published()
def slice_update(inputs, start_indices, updates):
    """The tensor with a block replaced, from where it starts."""
    inputs, updates = tensor(inputs), tensor(updates)
    places = NAMES["meshgrid"](*[NAMES["range"](n) for n in shape(updates)], indexing="ij")
    return NAMES["tensor_scatter_nd_update"](
        inputs, NAMES["stack"](places, -1) + tensor(start_indices, places[0].dtype), updates
    )


@published()
def scatter(indices, values, shape):
    """Zeros of a shape, to which values are added at indices."""
    return NAMES["scatter_nd"](tensor(indices), tensor(values), shape)


@published()
def scatter_update(inputs, indices, updates, reduction=None):
    """The tensor with elements replaced, or joined by "add", "max", "min"."""
    kind = reduction or "update"
    return NAMES[f"tensor_scatter_nd_{kind}"](tensor(inputs), tensor(indices), tensor(updates))


@published()
def unstack(x, num=None, axis=0):
    """The parts of a tensor along an axis, as a list."""
    return NAMES["unstack"](tensor(x), num, axis)


@published()
def stop_gradient(variable):
    """The value, as a constant for gradients."""
    return NAMES["stop_gradient"](variable.value if isinstance(variable, Variable) else tensor(variable))


@published()
def vectorized_map(function, elements):
    """function(x) for each x along the first axis, all at once."""
    return NAMES["vectorized_map"](function, elements)


@published()
def custom_gradient(f):
    """A function with a gradient of its own: f returns the value and a function of upstream gradients."""
    return NAMES["custom_gradient"](f)


@published()
def is_tensor(x) -> bool:
    """Whether x is a tensor."""
    return NAMES["is_tensor"](x)
