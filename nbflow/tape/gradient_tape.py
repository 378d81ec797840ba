"""GradientTape: records ops, then applies their gradient rules from last to first."""

import enum
import logging
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

import optree

from nbflow.compiler.op import Op
from nbflow.errors import InvalidArgumentError
from nbflow.ops.table import TABLE
from nbflow.shapes import could_be_equal
from nbflow.tensor.indexed_slices import IndexedSlices, added, gradient_of_gather
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.state import busy, state
from nbflow.tensor.tensor import to_tensor
from nbflow.tensor.variable import Variable

LOGGER = logging.getLogger("nbflow")


class UnconnectedGradients(enum.Enum):
    """What gradient gives for a source that the target does not depend on (tf.UnconnectedGradients)."""

    NONE = "none"
    ZERO = "zero"

    @classmethod
    def of(cls, value) -> "UnconnectedGradients":
        """The member that a member or its value, "none" or "zero", stands for.

        Raises:
            ValueError: it stands for none.
        """
        try:
            return cls(value)
        except ValueError:
            raise ValueError(f"Unknown value for unconnected_gradients: {value!r}; it takes 'none' or 'zero'") from None


class Call:
    """A differentiable call that is no table op (a compiled function, a custom gradient), as tapes see it.

    Attributes:
        backward: list of upstream gradients, None where there is none -> list of gradients for the inputs.
        jvp: list of tangents of the inputs, None where there is none -> list of tangents of the results; or None.
    """

    __slots__ = ("backward", "jvp")
    blocked = ()

    def __init__(self, backward: Callable[[list], list], jvp: Callable[[list], list] | None = None):
        self.backward, self.jvp = backward, jvp

    @property
    def vjp(self) -> Callable:
        """The gradient, which a call has always."""
        return self.backward


def has_gradient(tensor) -> bool:
    """Whether a tensor's dtype is one that gradients flow through."""
    return tensor.dtype.is_differentiable


def sum_to_shape_of(gradient, tensor):
    """Undoes broadcasting: the gradient summed to the shape of the input that it belongs to."""
    if type(gradient) is IndexedSlices or gradient.nbflow_shape == tensor.nbflow_shape:
        return gradient
    return TABLE["sum_to"](gradient, shape=tensor.nbflow_shape)


def _input_gradients(entry: tuple, upstream: list, wanted: list[bool]) -> list:
    """The gradients of one recorded call for its inputs, None where not wanted or not there."""
    op, inputs, outputs, attrs = entry
    if isinstance(op, Call):
        return op.backward([None if g is None else to_tensor(g) for g in upstream])
    if op.name == "gather" and wanted[0] and not any(attrs.values()):  # axis 0, no batch axes, indices in range
        return [gradient_of_gather(to_tensor(upstream[0]), *inputs), None]
    if op.name != "identity":  # the others compute with the gradient, which must be dense for that
        upstream = [None if g is None else to_tensor(g) for g in upstream]
    return vjp(op, inputs, outputs, attrs, upstream, wanted)


def vjp(op: Op, inputs: Sequence, outputs: Sequence, attrs: dict, upstream: list, wanted: Sequence[bool]) -> list:
    """The gradients of an op for its inputs by its rule, None where not wanted or not there."""
    rule, several = op.vjp, len(outputs) > 1
    assert rule is not None  # tapes do not record ops without one
    if op.joint:
        return rule(upstream, inputs, outputs, attrs, wanted)
    gradient, output = (tuple(upstream), outputs) if several else (upstream[0], outputs[0])
    return [
        rule(k, gradient, inputs, output, attrs) if wanted[k] and k not in op.blocked else None
        for k in range(len(inputs))
    ]


def backpropagate(entries: Sequence[tuple], seeds: dict, sources: set[int]) -> dict:
    """Gradients by id of tensor.

    Args:
        entries: recorded calls, (op, inputs, outputs, attrs), in order.
        seeds: id of target -> its upstream gradient.
        sources: ids of tensors whose gradients are wanted.
    """
    reached = set(sources)
    path = []
    for entry in entries:
        wanted = [id(t) in reached for t in entry[1]]
        if any(wanted):
            reached.update(id(t) for t in entry[2] if has_gradient(t))
            path.append((entry, wanted))
    gradients = dict(seeds)
    for entry, wanted in reversed(path):
        upstream = [gradients.get(id(t)) for t in entry[2]]
        if all(g is None for g in upstream):
            continue
        for t in entry[2]:
            if id(t) not in sources:
                gradients.pop(id(t), None)
        for tensor, wants, gradient in zip(entry[1], wanted, _input_gradients(entry, upstream, wanted), strict=True):
            if gradient is None or not wants:
                continue
            gradient = sum_to_shape_of(gradient, tensor)
            known = gradients.get(id(tensor))
            gradients[id(tensor)] = added(known, gradient)  # rows of sparse ones in TensorFlow's order
    return gradients


class GradientTape:
    """Records operations for automatic differentiation (tf.GradientTape).

    Trainable Variables that are read inside the `with` block are watched; tensors after `watch`.

    Args:
        persistent: whether gradient may be called more than once.
        watch_accessed_variables: whether trainable Variables are watched by themselves.

    Example:
        >>> import nbflow as nf
        >>> x = nf.Variable(3.0)
        >>> with nf.GradientTape() as tape:
        ...     y = x * x
        >>> tape.gradient(y, x)
        <nf.Tensor: shape=(), dtype=float32, numpy=6.0>
    """

    def __init__(self, persistent=False, watch_accessed_variables=True):
        self._persistent, self._watch_variables = persistent, watch_accessed_variables
        self._recording = self._open = False  # open: something may have been recorded and was not used yet
        self._clear()

    def _clear(self) -> None:
        self._entries: list[tuple] = []
        self._watched: dict[int, TensorProtocol] = {}  # by id; holding the tensor keeps its id taken
        self._reads: dict[int, tuple[Variable, list]] = {}  # id of a Variable -> (it, the tensors read from it)

    def __enter__(self):
        if self._recording:
            raise ValueError("Tape is still recording, This can happen if you try to re-enter an already-active tape.")
        self._open = True
        self._start()
        return self

    def __exit__(self, *exception):
        if self._recording:
            self._stop()

    def _start(self) -> None:
        # Forward accumulators come last: what they compute from a result is for tapes that know the result.
        backward = [t for t in state.tapes if isinstance(t, GradientTape)]
        state.tapes = (*backward, self, *state.tapes[len(backward) :])
        busy.count += 1
        self._recording = True

    def _stop(self) -> None:
        state.tapes = tuple(t for t in state.tapes if t is not self)
        busy.count -= 1
        self._recording = False

    # --- recording, called by the dispatcher --------------------------------------------------------------------

    def record(self, op: Op | Call, inputs: Sequence, result, attrs: dict) -> None:
        """Notes a call whose inputs are watched."""
        watched = self._watched
        for k, tensor in enumerate(inputs):
            if id(tensor) in watched and k not in op.blocked:
                break
        else:
            return
        if op.vjp is None:
            return
        outputs = result if isinstance(result, tuple) else (result,)
        for tensor in outputs:
            if has_gradient(tensor):
                watched[id(tensor)] = tensor
        self._entries.append((op, inputs, outputs, attrs))

    def watches(self, tensor) -> bool:
        """Whether gradients flow to a tensor."""
        return id(tensor) in self._watched

    def watch_read(self, variable: Variable, tensor) -> None:
        """Notes that a Variable was read as a tensor."""
        if (self._watch_variables and variable.trainable) or id(variable) in self._reads:
            self._watch_variable(variable, tensor)

    def _watch_variable(self, variable: Variable, tensor) -> None:
        tensors = self._reads.setdefault(id(variable), (variable, []))[1]
        if not any(t is tensor for t in tensors):
            tensors.append(tensor)
            self._watch_tensor(tensor)

    def _watch_tensor(self, tensor) -> None:
        if has_gradient(tensor):
            self._watched[id(tensor)] = tensor
        elif state.trace is None:
            LOGGER.warning("The dtype of the watched tensor must be floating (e.g. nf.float32), got %s", tensor.dtype)

    # --- for users ----------------------------------------------------------------------------------------------

    def watch(self, tensor) -> None:
        """Watches a tensor, or a nested structure of tensors.

        Raises:
            ValueError: it is no tensor.
        """
        for leaf in flatten_sources(tensor, "watch: tensor")[0]:
            if isinstance(leaf, Variable):
                self._watch_variable(leaf, leaf.nbflow_tensor())
            else:
                self._watch_tensor(here(leaf))

    @contextmanager
    def stop_recording(self):
        """A block in which nothing is recorded."""
        if not self._recording:
            raise RuntimeError("Tape is not recording, so it cannot stop.")
        self._stop()
        try:
            yield
        finally:
            self._start()

    def reset(self) -> None:
        """Forgets all that was recorded."""
        self._clear()

    def watched_variables(self) -> tuple[Variable, ...]:
        """The Variables that were read, in order."""
        return tuple(variable for variable, _ in self._reads.values())

    def gradient(self, target, sources, output_gradients=None, unconnected_gradients=UnconnectedGradients.NONE):
        """The gradient of target with respect to sources: Σ over targets' elements of ∂target/∂source.

        Args:
            target: a tensor, or a nested structure of tensors, whose gradients are added.
            sources: a tensor or Variable, or a nested structure of them.
            output_gradients: upstream gradients with the structure of target; ones by default.
            unconnected_gradients: "none" gives None for a source that target does not depend on, "zero" gives zeros.

        Returns:
            Gradients in the structure of sources.

        Raises:
            RuntimeError: a tape that is not persistent was used already.
        """
        targets, _ = flatten_sources(target, "gradient: target")
        leaves, structure = flatten_sources(sources, "gradient: sources")
        upstream = _output_gradients(output_gradients, targets)
        unconnected = self.take_use(unconnected_gradients)
        found = self._gradients(list(zip(targets, upstream, strict=True)), leaves)
        if unconnected is UnconnectedGradients.ZERO:
            pairs = zip(leaves, found, strict=True)
            found = [zeros_for(leaf, leaf.nbflow_shape) if g is None else g for leaf, g in pairs]
        self.finish_use()
        return optree.tree_unflatten(structure, found)

    def take_use(self, unconnected_gradients) -> UnconnectedGradients:
        """Before gradients are computed: checks that the tape may be used, and stops it if it is for one use."""
        unconnected = UnconnectedGradients.of(unconnected_gradients)
        if not self._open:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians), after "
                "its `with` block recorded something; use nf.GradientTape(persistent=True) for more"
            )
        if self._recording and not self._persistent:
            self._stop()
        return unconnected

    def finish_use(self) -> None:
        """After gradients were computed: a tape for one use forgets what it recorded."""
        if not self._persistent:
            self._open = False
            self._clear()

    def _gradients(self, pairs: list[tuple], sources: list) -> list:
        """Gradients for flat sources, None where unconnected."""
        tensors = [self._tensors_of(source, [target for target, _ in pairs]) for source in sources]
        seeds: dict = {}
        for target, upstream in pairs:
            target = self.known(target)
            if not has_gradient(target):
                LOGGER.warning(
                    "The dtype of the target tensor must be floating (e.g. nf.float32) when calling "
                    "GradientTape.gradient, got %s",
                    target.dtype,
                )
                continue
            if upstream is None:
                upstream = TABLE["ones_like"](target)
            else:
                upstream = to_tensor(upstream, hint=target.dtype)
                if not could_be_equal(upstream.nbflow_shape, target.nbflow_shape):
                    raise InvalidArgumentError(
                        f"gradient: output_gradients has shape {upstream.shape} for a target of shape {target.shape}"
                    )
            seeds[id(target)] = added(seeds.get(id(target)), upstream)
        wanted = {id(t) for group in tensors for t in group}
        gradients = backpropagate(self._entries, seeds, wanted)
        results = []
        for group in tensors:
            total = None
            for tensor in group:
                total = added(total, gradients.get(id(tensor)))
            results.append(total)
        return results

    def _tensors_of(self, source, targets: list) -> list:
        """The watched tensors that stand for a source; a Variable that is a target itself stands for its value."""
        if isinstance(source, Variable):
            tensors = list(self._reads[id(source)][1]) if id(source) in self._reads else []
            if any(source is target for target in targets):
                value = self.known(source)
                tensors += [] if any(value is t for t in tensors) else [value]
            return [t for t in tensors if has_gradient(t)]
        tensor = self.known(source)
        return [tensor] if id(tensor) in self._watched else []

    def known(self, leaf):
        """The tensor by which this tape knows a tensor or Variable: itself, or what stands for it in the trace."""
        tensor = value_of(leaf)
        return tensor if id(tensor) in self._watched else here(tensor)

    def dense_gradients(self, pairs: list[tuple], sources: list) -> list:
        """The gradients of (target, upstream gradient) pairs, added, for flat sources; None where unconnected."""
        return [None if g is None else to_tensor(g) for g in self._gradients(pairs, sources)]

    jacobian: Callable[..., Any]  # see nbflow.function.jacobian
    batch_jacobian: Callable[..., Any]


def here(leaf):
    """The tensor that stands for a tensor or Variable on tapes: while a function is traced, its own in the trace."""
    tensor = value_of(leaf)
    return tensor if state.trace is None else state.trace.lift(tensor)


def value_of(leaf):
    """A tensor or Variable as a tensor, without a note that it was read."""
    return leaf.nbflow_current() if isinstance(leaf, Variable) else leaf.nbflow_tensor()


def flatten_sources(structure, what: str):
    """The tensors of a nested structure, and the structure.

    Raises:
        TypeError, ValueError: something else is in it.
    """
    leaves, form = optree.tree_flatten(structure, none_is_leaf=True)
    for leaf in leaves:
        if not isinstance(leaf, TensorProtocol):
            raise (TypeError if leaf is None and not what.startswith("watch") else ValueError)(
                f"{what} holds {leaf!r} of type {type(leaf).__name__}; it takes nf.Tensor, nf.Variable, and lists, "
                f"tuples and dicts of them"
            )
    return leaves, form


def single_tensor(tensor, what: str):
    """A tensor or Variable as a tensor.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(tensor, TensorProtocol):
        raise TypeError(f"{what} is {tensor!r:.200} of type {type(tensor).__name__}; it takes one tensor")
    return tensor.nbflow_tensor()


def _output_gradients(given, targets: list) -> list:
    """Upstream gradients for targets, None where there is none."""
    if given is None:
        return [None] * len(targets)
    leaves = optree.tree_leaves(given, none_is_leaf=True)
    if len(leaves) == len(targets):
        return leaves
    if len(targets) == 1:
        return [given]
    if isinstance(given, (list, tuple)) and len(given) == len(targets):
        return list(given)
    raise ValueError(f"gradient: output_gradients has {len(leaves)} tensors and target {len(targets)}; they must match")


def zeros_for(source, shape: tuple):
    """Zeros of a shape with the dtype of a tensor or Variable, which is not noted as read."""
    return TABLE["fill_like"](value_of(source), shape=tuple(shape), value=0)
