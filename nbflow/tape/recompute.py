"""Gradients by computing again, and gradients that pass a function by."""

import functools

import optree

from nbflow.public import export
from nbflow.tape.custom_gradient import custom_gradient
from nbflow.tape.gradient_tape import GradientTape, UnconnectedGradients
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state


@export("recompute_grad")
def recompute_grad(f):
    """A function that computes f again for its gradient, rather than keep what f computed (tf.recompute_grad).

    Args:
        f: a function of tensors that returns a tensor or a structure of them.

    Returns:
        The function of the same values and gradients, whose intermediate tensors are freed after each call.

    Example:
        >>> import nbflow as nf
        >>> layer = nf.recompute_grad(lambda x: nf.sin(x) * x)
        >>> x = nf.constant(0.0)
        >>> with nf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = layer(x)
        >>> tape.gradient(y, x).numpy()
        np.float32(0.0)
    """

    @custom_gradient
    def recomputed(*args, **kwargs):
        result = _unrecorded(f, args, kwargs)

        def gradients(*upstream, variables=()):
            leaves, structure = optree.tree_flatten(args)
            tensors = [leaf for leaf in leaves if isinstance(leaf, TensorProtocol)]
            with GradientTape() as tape:
                tape.watch(tensors)
                again = f(*args, **kwargs)
            found = iter(tape.gradient(again, [*tensors, *variables], list(upstream), UnconnectedGradients.ZERO))
            of_arguments = [next(found) if isinstance(leaf, TensorProtocol) else None for leaf in leaves]
            return (of_arguments, list(found)) if variables else of_arguments

        return result, gradients

    return functools.wraps(f)(recomputed)


def _unrecorded(f, args: tuple, kwargs: dict):
    """f's result, of which tapes note no more than the Variables that it read; tangents go through."""
    tapes = state.tapes
    state.tapes = tuple(t for t in tapes if not isinstance(t, GradientTape))
    try:
        with GradientTape() as reads:
            result = f(*args, **kwargs)
    finally:
        state.tapes = tapes
    for variable in reads.watched_variables():
        variable.nbflow_tensor()
    return result


@export("grad_pass_through")
def grad_pass_through(f):
    """A function with the values of f through which gradients pass unchanged (tf.grad_pass_through).

    Args:
        f: a function of tensors whose result has the shape of its argument.

    Example:
        >>> import nbflow as nf
        >>> x = nf.Variable(1.4)
        >>> with nf.GradientTape() as tape:
        ...     y = nf.grad_pass_through(nf.round)(x * 2.0)
        >>> y.numpy(), tape.gradient(y, x).numpy()
        (np.float32(3.0), np.float32(2.0))
    """

    @custom_gradient
    def passing(*args, **kwargs):
        def gradients(*upstream, variables=()):
            return (upstream, [None] * len(variables)) if variables else upstream

        return f(*args, **kwargs), gradients

    return functools.wraps(f)(passing)
