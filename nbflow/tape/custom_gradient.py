"""custom_gradient: a function with a gradient of its own."""

import functools
import inspect

import optree

from nbflow.ops.table import TABLE
from nbflow.tape.gradient_tape import Call, GradientTape
from nbflow.tensor.indexed_slices import IndexedSlices
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import state
from nbflow.tensor.tensor import to_tensor
from nbflow.tensor.variable import Variable


def custom_gradient(f=None):
    """Gives a function its own gradient (tf.custom_gradient).

    Args:
        f: a function of tensors that returns (result, grad_fn); grad_fn takes an upstream gradient for each result and
            returns a gradient for each argument. If f reads Variables, grad_fn must take `variables=` as well and
            return (gradients, gradients of variables).

    Returns:
        The function that returns result alone.

    Example:
        >>> import nbflow as nf
        >>> @nf.custom_gradient
        ... def log1pexp(x):
        ...     e = nf.exp(x)
        ...     return nf.math.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def decorated(*args, **kwargs):
        tapes, trace = state.tapes, state.trace
        if not tapes and trace is None:
            return _pair(f, f(*args, **kwargs))[0]
        leaves, structure = optree.tree_flatten(args)
        given = [_own(leaf) for leaf in leaves]
        places = [k for k, leaf in enumerate(given) if isinstance(leaf, TensorProtocol)]
        inputs = [given[k] for k in places]
        with GradientTape() as watcher:
            result, grad_fn = _pair(f, f(*optree.tree_unflatten(structure, given), **kwargs))
            results, output_structure = optree.tree_flatten(result)
            results = [_own(t) for t in results]
        start = 0 if trace is None else len(trace.graph.nodes)
        # Tensors of their own, which tapes know as results of this call only; what f computed on the way stays
        # recorded, for grad_fn may use it.
        state.tapes = ()
        try:
            outputs = [TABLE["identity"](t) for t in results]
        finally:
            state.tapes = tapes
        arguments = {id(t) for t in inputs}
        read = [v for v in watcher.watched_variables() if id(v.nbflow_current()) not in arguments]
        call = Call(functools.partial(_backward, grad_fn, outputs, (len(given), places), read))
        recorded = [*inputs, *(v.nbflow_tensor() for v in read)]
        for tape in tapes:
            if isinstance(tape, GradientTape) and any(map(tape.watches, recorded)):
                tape.record(call, recorded, tuple(outputs), {})
            else:  # tangents, and gradients for what f took from around it, are those of what f computed
                for inner, outer in zip(results, outputs, strict=True):
                    tape.record(TABLE["identity"], (inner,), outer, {})
        if trace is not None:
            trace.add_region(start, call, recorded, outputs)
        return optree.tree_unflatten(output_structure, outputs)

    return decorated


def _pair(f, result) -> tuple:
    """What a function under custom_gradient returned: (result, gradient function)."""
    if not isinstance(result, (tuple, list)) or len(result) != 2 or not callable(result[1]):
        raise TypeError(
            f"custom_gradient: {getattr(f, '__name__', f)} returned {result!r:.200}; it must return "
            f"(result, function of the upstream gradient)"
        )
    return tuple(result)


def _own(value):
    """value as a tensor, of the trace under way if there is one; what is no tensor-like (self, a str) as it is."""
    try:
        tensor = to_tensor(value)
    except (TypeError, ValueError):
        return value
    return tensor if state.trace is None else state.trace.lift(tensor)


def _backward(grad_fn, outputs: list, inputs: tuple, variables: list[Variable], upstream: list) -> list:
    """Calls the user's gradient function and puts its answers in the order of the recorded inputs.

    Args:
        inputs: how many arguments the call had, and which of them are tensors.
    """
    given = [TABLE["zeros_like"](t) if g is None else g for t, g in zip(outputs, upstream, strict=True)]
    if variables:
        if not _takes_variables(grad_fn):
            raise TypeError(
                f"custom_gradient: the function reads Variables {[v.name for v in variables]}, "
                f"so its gradient function must take `variables=` and return (gradients, gradients of variables)"
            )
        gradients, of_variables = grad_fn(*given, variables=variables)
        of_variables = list(of_variables)
        if len(of_variables) != len(variables):
            raise ValueError(
                f"custom_gradient: the function reads {len(variables)} Variables and its gradient gave "
                f"{len(of_variables)} values for them"
            )
    else:
        gradients, of_variables = grad_fn(*given), []
    gradients = optree.tree_leaves(gradients, is_leaf=_is_slices, none_is_leaf=True)
    count, places = inputs
    if len(gradients) == count:
        gradients = [gradients[k] for k in places]
    elif len(gradients) != len(places):
        raise ValueError(
            f"custom_gradient: the function has {len(places)} inputs and its gradient gave {len(gradients)} values"
        )
    return [g if g is None or _is_slices(g) else to_tensor(g) for g in [*gradients, *of_variables]]


def _is_slices(value) -> bool:
    return isinstance(value, IndexedSlices)


def _takes_variables(grad_fn) -> bool:
    parameters = inspect.signature(grad_fn).parameters
    return "variables" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
