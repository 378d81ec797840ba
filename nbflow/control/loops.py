"""while_loop: a body repeated while a condition holds."""

import inspect
from collections.abc import Callable, Sequence

from nbflow import nest
from nbflow.control.structures import as_tensors, callable_argument, tracing
from nbflow.control.tensor_array import TensorArray
from nbflow.function.control import is_traced, staged_while
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import TensorShape
from nbflow.tensor.tensor import to_tensor


@export("while_loop")
def while_loop(
    cond,
    body,
    loop_vars,
    shape_invariants=None,
    parallel_iterations=10,
    back_prop=True,
    swap_memory=False,
    maximum_iterations=None,
    name=None,
):
    """Repeats body while cond holds (tf.while_loop).

    In a function that is being traced, body is traced once, and repeated when the function runs; shapes may change
    from round to round as long as ranks do not. Eagerly it is a Python loop.

    Args:
        cond: (*loop_vars) -> a bool scalar.
        body: (*loop_vars) -> the next loop_vars, as a list or tuple; of one variable its value alone will do.
        loop_vars: a list or tuple of tensors, TensorArrays, and nested structures of them.
        shape_invariants: for each tensor the TensorShape that it keeps, None for sizes that change: other changes are
            then errors. It takes the structure of loop_vars.
        parallel_iterations: accepted as TensorFlow's; it has no effect.
        back_prop: False lets no gradient flow through.
        swap_memory: accepted as TensorFlow's; it has no effect.
        maximum_iterations: after so many rounds it ends anyway; an integer scalar.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        The values after the last round, in the structure of loop_vars; eagerly in that of what body returned.

    Raises:
        TypeError: cond or body cannot be called, or a dtype changes.
        ValueError: loop_vars is empty, body returns another structure, or a shape is not what shape_invariants say.

    Example:
        >>> import nbflow as nf
        >>> i, total = nf.while_loop(lambda i, t: i < 5, lambda i, t: (i + 1, t + i), [nf.constant(0), nf.constant(0)])
        >>> total.numpy()
        np.int32(10)
    """
    callable_argument("while_loop", "cond", cond)
    callable_argument("while_loop", "body", body)
    if parallel_iterations < 1:
        raise TypeError("'parallel_iterations' must be a positive integer.")
    if not nest.is_nested(loop_vars) or not len(loop_vars):
        raise ValueError("'loop_vars' must be provided.")
    values = as_tensors(loop_vars)
    if maximum_iterations is not None:
        maximum_iterations = to_tensor(maximum_iterations)
        if maximum_iterations.ndim:
            raise ValueError(f"'maximum_iterations' must be a scalar. Received shape: {maximum_iterations.shape}")

    form = loop_vars

    def step(*values):
        nonlocal form
        following = body(*values)
        if len(values) == 1 and not isinstance(following, (list, tuple)):
            following = [following]
        nest.assert_same_structure(list(values), list(following))
        form = loop_vars if tracing() else following
        return list(following)

    if tracing():
        found = _staged(cond, step, values, _names(body, values), shape_invariants, maximum_iterations)
    else:
        found = _repeated(cond, step, values, maximum_iterations)
    found = nest.pack_sequence_as(form, nest.flatten(found))
    return found if back_prop else nest.map_structure(_without_gradient, found)


def _repeated(cond: Callable, step: Callable, values: Sequence, maximum_iterations) -> list:
    """The loop in Python."""
    rest = None if maximum_iterations is None else int(maximum_iterations)
    found = list(values)
    while (rest is None or rest > 0) and bool(to_tensor(cond(*found))):
        found = as_tensors(step(*found))
        rest = None if rest is None else rest - 1
    return found


def _staged(cond, step, values, names: Sequence[str], shape_invariants, maximum_iterations) -> list:
    """The loop as a part of the trace: each tensor and TensorArray is a value of its own."""

    def packed(leaves) -> list:
        return nest.pack_sequence_as(list(values), list(leaves))

    invariants = None if shape_invariants is None else _invariants(values, shape_invariants)
    owners = [
        f"{name}[{k}]" if nest.is_nested(value) else name
        for name, value in zip(names, values, strict=True)
        for k in range(len(nest.flatten(value)))
    ]
    if maximum_iterations is not None and not is_traced(maximum_iterations):
        maximum_iterations = int(maximum_iterations)
    found = staged_while(
        lambda *leaves: cond(*packed(leaves)),
        lambda *leaves: nest.flatten(step(*packed(leaves))),
        nest.flatten(values),
        owners,
        maximum_iterations,
        invariants,
    )
    return packed(found)


def _invariants(value, invariant) -> list:
    """For each tensor of a structure its invariant, None for TensorArrays.

    Raises:
        ValueError: the invariants have another structure.
    """
    if not nest.is_nested(value):
        return [None if isinstance(value, TensorArray) else TensorShape(getattr(invariant, "shape", invariant))]
    keys = sorted(value) if isinstance(value, dict) else range(len(value))
    if isinstance(invariant, TensorShape) or not nest.is_nested(invariant) or len(invariant) != len(value):
        raise ValueError(
            f"while_loop: shape_invariants has {invariant!r:.200} for {value!r:.200}; it takes the structure "
            f"of loop_vars"
        )
    return [shape for k in keys for shape in _invariants(value[k], invariant[k])]


def _names(body: Callable, values: Sequence) -> list[str]:
    """What messages call the variables: the names of body's parameters."""
    try:
        names = list(inspect.signature(body).parameters)
    except (TypeError, ValueError):
        names = []
    return names if len(names) == len(values) else [f"loop_vars[{k}]" for k in range(len(values))]


def _without_gradient(value):
    return value if isinstance(value, TensorArray) else TABLE["stop_gradient"](value)
