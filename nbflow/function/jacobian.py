"""GradientTape.jacobian and batch_jacobian: the gradients of all elements of the target at once."""

import math

import optree

from nbflow.function.vectorize import vectorized
from nbflow.ops.table import TABLE
from nbflow.shapes import TensorShape
from nbflow.tape.gradient_tape import (
    GradientTape,
    UnconnectedGradients,
    flatten_sources,
    has_gradient,
    single_tensor,
    zeros_for,
)
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor
from nbflow.tensor.variable import Variable

T = TABLE


def _unit_vectors(size, dtype):
    """[[1, 0, …], [0, 1, …], …]."""
    zero, one, start, step = (to_tensor(v) for v in (0.0, 1.0, 0, 1))
    number = T["range"](start, step, size=size)
    return T["cast"](T["one_hot"](number, one, zero, depth=size, axis=1), dtype=dtype)


def _rows(tape: GradientTape, target, seeds, sources: list) -> list:
    """The gradients of target for each of several upstream gradients, stacked; None where there is none."""
    # by what stands for them in the trace around this one
    target = tape.known(target)
    sources = [source if isinstance(source, Variable) else tape.known(source) for source in sources]

    def gradients(seed):
        return tape.dense_gradients([(target, seed)], sources)

    return vectorized(gradients, [seeds], seeds.nbflow_shape[0])


def _check_use(tape: GradientTape, name: str, use_pfor: bool) -> None:
    if not use_pfor and state.trace is None and not tape._persistent:
        raise RuntimeError(
            f"GradientTape must be created with persistent=True to compute the {name} with eager execution enabled "
            f"and with experimental_use_pfor set to False."
        )


def jacobian(
    self,
    target,
    sources,
    unconnected_gradients=UnconnectedGradients.NONE,
    parallel_iterations=None,
    experimental_use_pfor=True,
):
    """The Jacobian of target: for each source a tensor of shape target.shape + source.shape.

    Args:
        target: a tensor.
        sources: a tensor or Variable, or a nested structure of them.
        unconnected_gradients: "none" gives None for a source that target does not depend on, "zero" gives zeros.
        parallel_iterations: accepted as TensorFlow's; it has no effect.
        experimental_use_pfor: the result is the same; False wants a persistent tape in eager code, as in TensorFlow.

    Returns:
        Jacobians in the structure of sources.

    Raises:
        RuntimeError: a tape that is not persistent was used already, or is to be without experimental_use_pfor.
    """
    _check_use(self, "jacobian", experimental_use_pfor)
    target = single_tensor(target, "jacobian: target")
    leaves, structure = flatten_sources(sources, "jacobian: sources")
    unconnected = self.take_use(unconnected_gradients)
    shape = tuple(target.nbflow_shape)
    if has_gradient(target):
        size = math.prod(shape)
        seeds = T["reshape"](_unit_vectors(size, target.dtype), shape=(size, *shape))
        rows = _rows(self, target, seeds, leaves)
    else:
        rows = [None] * len(leaves)
    found = []
    for leaf, part in zip(leaves, rows, strict=True):
        whole = (*shape, *leaf.nbflow_shape)
        if part is not None:
            found.append(T["reshape"](part, shape=whole))
        else:
            found.append(zeros_for(leaf, whole) if unconnected is UnconnectedGradients.ZERO else None)
    self.finish_use()
    return optree.tree_unflatten(structure, found)


def batch_jacobian(
    self,
    target,
    source,
    unconnected_gradients=UnconnectedGradients.NONE,
    parallel_iterations=None,
    experimental_use_pfor=True,
):
    """The Jacobian of each row of target with respect to the same row of source.

    Args:
        target, source: tensors of one size along the first axis.
        unconnected_gradients: accepted as TensorFlow's; what is unconnected has a Jacobian of zeros.
        parallel_iterations, experimental_use_pfor: as of jacobian.

    Returns:
        A tensor of shape [batch] + target.shape[1:] + source.shape[1:].

    Raises:
        ValueError: the batch sizes differ, or a tensor has less than two axes.
        RuntimeError: a tape that is not persistent was used already, or is to be without experimental_use_pfor.
    """
    _check_use(self, "batch_jacobian", experimental_use_pfor)
    target = single_tensor(target, "batch_jacobian: target")
    if not isinstance(source, TensorProtocol):
        raise TypeError(
            f"batch_jacobian: source is {source!r:.200} of type {type(source).__name__}; it takes one tensor"
        )
    shape, source_shape = tuple(target.nbflow_shape), tuple(source.nbflow_shape)
    if not shape or not source_shape or shape[0] != source_shape[0]:
        raise ValueError(
            f"Need first dimension of target shape {TensorShape(shape)} and source shape {TensorShape(source_shape)} "
            f"to match."
        )
    if len(shape) < 2:
        raise ValueError(f"batch_jacobian: target has shape {TensorShape(shape)}; it must have rank at least 2")
    self.take_use(unconnected_gradients)
    whole = (*shape, *source_shape[1:])
    rows = None
    if has_gradient(target):
        size = math.prod(shape[1:])
        units = T["reshape"](_unit_vectors(size, target.dtype), shape=(size, 1, *shape[1:]))
        (rows,) = _rows(self, target, T["broadcast_to"](units, shape=(size, *shape)), [source])
    self.finish_use()
    if rows is None:
        return zeros_for(source, whole)
    by_batch = T["transpose"](rows, perm=(1, 0, *range(2, len(source_shape) + 1)))
    return T["reshape"](by_batch, shape=whole)


GradientTape.jacobian, GradientTape.batch_jacobian = jacobian, batch_jacobian
