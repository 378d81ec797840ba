"""Forward-mode differentiation: an accumulator carries tangents along with the ops that run."""

from collections.abc import Callable, Sequence

import optree

from nbflow.compiler.op import Op
from nbflow.ops.table import TABLE
from nbflow.tape.gradient_tape import (
    LOGGER,
    Call,
    GradientTape,
    UnconnectedGradients,
    has_gradient,
    here,
    sum_to_shape_of,
    value_of,
    vjp,
    zeros_for,
)
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import busy, state
from nbflow.tensor.tensor import to_tensor
from nbflow.tensor.variable import Variable

# --- the tangents of results ------------------------------------------------------------------------------------------

# Ops that are linear in all of their differentiable inputs together, and those that are linear in each alone.
LINEAR = {
    "broadcast_to", "cast", "concat", "gather", "identity", "reduce_mean", "reduce_sum", "reshape", "scatter_add",
    "slice_update", "strided_slice", "sum_to", "transpose",
}  # fmt: skip
MULTILINEAR = {"matmul", "multiply"}


def jvp(op: Op | Call, inputs: Sequence, tangents: Sequence, outputs: Sequence, attrs: dict) -> Sequence:
    """The tangents of an op's results for tangents of its inputs, None where there is none.

    Elementwise ops have a diagonal Jacobian, which is its own transpose: their gradient rule gives tangents as well.
    For all others the gradient, a linear function of the upstream gradient, is differentiated once more: the transpose
    of the transpose.
    """
    if isinstance(op, Call):
        if op.jvp is not None:
            return op.jvp(list(tangents))
        return _transposed_twice(op.backward, inputs, tangents, outputs)
    live = [k for k, t in enumerate(tangents) if t is not None and k not in op.blocked]
    if not live or op.vjp is None:
        return [None] * len(outputs)
    if op.name in LINEAR:
        return [op(*(_tangent(k, x, tangents, op) for k, x in enumerate(inputs)), **attrs)]
    if op.name in MULTILINEAR:
        return [_sum(op(*inputs[:k], tangents[k], *inputs[k + 1 :], **attrs) for k in live)]
    if op.kind == "elementwise" and all(inputs[k].dtype is outputs[0].dtype for k in live) and _is_real(outputs[0]):
        shape = outputs[0].nbflow_shape
        stretched = {k: TABLE["broadcast_to"](tangents[k], shape=shape) for k in live}
        return [_sum(op.vjp(k, t, inputs, outputs[0], attrs) for k, t in stretched.items())]

    def backward(upstream: list) -> list:
        return vjp(op, inputs, outputs, attrs, upstream, [k in live for k in range(len(inputs))])

    return _transposed_twice(backward, inputs, tangents, outputs)


def _is_real(tensor) -> bool:
    return tensor.dtype.is_floating


def _tangent(k: int, x, tangents: Sequence, op: Op):
    """What a linear op gets in place of an input."""
    if not has_gradient(x) or k in op.blocked:
        return x
    return TABLE["zeros_like"](x) if tangents[k] is None else tangents[k]


def _sum(tangents):
    total = None
    for tangent in tangents:
        if tangent is not None:
            total = tangent if total is None else total + tangent
    return total


def _transposed_twice(backward: Callable[[list], list], inputs, tangents, outputs) -> list:
    """The tangents of results from the gradients for the inputs, a linear function of the upstream gradients."""
    with GradientTape(watch_accessed_variables=False) as tape:
        upstream = [TABLE["ones_like"](t) if has_gradient(t) else None for t in outputs]
        there = [u for u in upstream if u is not None]
        tape.watch(there)
        gradients = backward(upstream)
        pairs = [
            (sum_to_shape_of(to_tensor(g), x), t)
            for g, x, t in zip(gradients, inputs, tangents, strict=True)
            if g is not None and t is not None
        ]
    found = iter(tape.dense_gradients(pairs, there))
    return [None if u is None else next(found) for u in upstream]


# --- the accumulator --------------------------------------------------------------------------------------------------


class ForwardAccumulator:
    """Computes Jacobian-vector products while ops run (tf.autodiff.ForwardAccumulator).

    Args:
        primals: a tensor or Variable, or a nested structure of them, to differentiate by.
        tangents: the vectors, one for each primal, in the same structure.

    Raises:
        ValueError: the structures differ, a tangent has another dtype than its primal, or a tensor is a primal twice.

    Example:
        >>> import nbflow as nf
        >>> x = nf.constant([2.0, 3.0])
        >>> with nf.autodiff.ForwardAccumulator(x, nf.constant([1.0, 0.0])) as accumulator:
        ...     y = nf.reduce_prod(x)
        >>> accumulator.jvp(y)
        <nf.Tensor: shape=(), dtype=float32, numpy=3.0>
    """

    def __init__(self, primals, tangents):
        self._recording = self._computing = False
        self._tangents: dict[int, tuple] = {}  # id of a tensor or Variable -> (it, its tangent)
        leaves, structure = optree.tree_flatten(primals)
        given, found = optree.tree_flatten(tangents)
        if structure != found:
            raise ValueError(
                f"ForwardAccumulator: The two structures don't have the same nested structure: primals {structure}, "
                f"tangents {found}"
            )
        for primal, tangent in zip(leaves, given, strict=True):
            self._watch(primal, tangent)

    def _watch(self, primal, tangent) -> None:
        if not isinstance(primal, TensorProtocol):
            raise TypeError(
                f"ForwardAccumulator: primals hold {primal!r:.200} of type {type(primal).__name__}; they are tensors "
                f"or Variables"
            )
        if not has_gradient(primal):
            LOGGER.warning("The dtype of the watched primal must be floating (e.g. nf.float32), got %s", primal.dtype)
        known = primal if isinstance(primal, Variable) else here(primal)
        if id(known) in self._tangents:
            raise ValueError(
                "ForwardAccumulator: a tensor was specified as a primal multiple times. This may indicate an error. "
                "If it was intended, please sum the corresponding tangents."
            )
        self.set_tangent(known, to_tensor(tangent, primal.dtype))

    def __enter__(self):
        if self._recording:
            raise ValueError("Accumulator is already recording.")
        state.tapes = (*state.tapes, self)
        busy.count += 1
        self._recording = True
        return self

    def __exit__(self, *exception):
        if self._recording:
            state.tapes = tuple(t for t in state.tapes if t is not self)
            busy.count -= 1
            self._recording = False

    # --- recording, called by the dispatcher --------------------------------------------------------------------

    def record(self, op: Op | Call, inputs: Sequence, result, attrs: dict) -> None:
        """Computes the tangents of the results of a call.

        Tapes and outer accumulators see the ops that do so, so that they can be differentiated in turn.
        """
        tangents = [self._tangent(t) for t in inputs]
        if self._computing or all(t is None for t in tangents):
            return
        outputs = result if isinstance(result, tuple) else (result,)
        tapes = state.tapes
        self._computing = True
        state.tapes = tapes[: tapes.index(self)] if self in tapes else tapes
        try:
            found = jvp(op, inputs, tangents, outputs, attrs)
        finally:
            self._computing = False
            state.tapes = tapes
        for tensor, tangent in zip(outputs, found, strict=True):
            if tangent is not None and has_gradient(tensor):
                self.set_tangent(tensor, tangent)

    def set_tangent(self, tensor, tangent) -> None:
        """Gives a tensor or Variable a tangent."""
        self._tangents[id(tensor)] = (tensor, tangent)  # holding it keeps its id taken

    def watches(self, tensor) -> bool:
        """Whether a tensor has a tangent."""
        return id(tensor) in self._tangents

    def watch_read(self, variable: Variable, tensor) -> None:
        """Notes that a Variable was read as a tensor: its tangent is the Variable's."""
        tangent = self._tangent(variable)
        if tangent is not None:
            self.set_tangent(tensor, tangent)

    def _tangent(self, tensor):
        found = self._tangents.get(id(tensor))
        return None if found is None else found[1]

    # --- for users ----------------------------------------------------------------------------------------------

    def jvp(self, primals, unconnected_gradients=UnconnectedGradients.NONE):
        """The Jacobian-vector products of tensors that were computed while the accumulator was active.

        Args:
            primals: a tensor or Variable, or a nested structure of them.
            unconnected_gradients: "none" gives None for a tensor that does not depend on the accumulator's primals,
                "zero" gives zeros.

        Returns:
            Tensors of the shapes of primals, in their structure.
        """
        unconnected = UnconnectedGradients.of(unconnected_gradients)
        leaves, structure = optree.tree_flatten(primals, none_is_leaf=True)
        return optree.tree_unflatten(structure, [self._jvp(leaf, unconnected) for leaf in leaves])

    def _jvp(self, primal, unconnected: UnconnectedGradients):
        if not isinstance(primal, TensorProtocol):
            raise TypeError(f"jvp: primals hold {primal!r:.200} of type {type(primal).__name__}; they are tensors")
        found = self._tangent(primal)
        if found is None:
            tensor = value_of(primal)
            found = self._tangent(tensor if self.watches(tensor) else here(tensor))
        if found is None and unconnected is UnconnectedGradients.ZERO:
            return zeros_for(primal, primal.nbflow_shape)
        return found
