"""vectorized_map: a function traced for one example and run on all of them at once."""

from collections.abc import Callable, Sequence
from typing import Any

import optree

from nbflow.compiler.graph import SHAPES, Value, aval
from nbflow.compiler.passes.simplify import drop_unused
from nbflow.errors import InvalidArgumentError
from nbflow.function import batching
from nbflow.function.trace import SymbolicTensor, Trace
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.shapes import Dim
from nbflow.tensor.state import state
from nbflow.tensor.tensor import Tensor, stack, to_tensor
from nbflow.tensor.variable import Variable


class ExampleTrace(Trace):
    """The trace of a function for one example; tensors of an outer trace are captured like eager ones."""

    def __init__(self):
        super().__init__()
        if state.trace is not None:
            self.seeds = state.trace.seeds

    def lift(self, tensor):
        """A tensor as one of this trace."""
        if not isinstance(tensor, SymbolicTensor) or tensor.trace is self:
            return super().lift(tensor)
        found = self._captured.get(id(tensor))
        if found is None:
            found = self._captured[id(tensor)] = self._capture(tensor, tensor._aval)
            self._kept.append(tensor)
        return found


def vectorized(function: Callable, elements: Sequence, count, unroll: bool = True) -> list:
    """A function of tensors applied to each of some examples.

    Args:
        function: takes as many tensors as there are elements and returns a list of tensors, None among them.
        elements: tensors whose first axis counts the examples, of size `count` or, for one that all share, 1.
        unroll: whether ops without a batching rule may run example by example.

    Returns:
        The results stacked along a new first axis, None where the function gave None.
    """
    trace = ExampleTrace()
    known: dict[Value, tuple[Any, bool]] = {}
    with trace.active():
        symbols = [trace.argument(aval(x.dtype, tuple(x.nbflow_shape[1:]))) for x in elements]
        results = [None if r is None else trace.lift(to_tensor(r)) for r in function(*symbols)]
    graph = trace.graph
    graph.outputs = [r.value for r in results if r is not None]
    decided = next((node for node in graph.nodes if SHAPES in node.attrs), None)
    if decided is not None:  # sizes that the values of each example decide
        if not unroll:
            raise batching.NoRule(f"No pfor vectorization defined for {decided.op.name}")
        return _one_by_one(function, elements, count)
    for symbol, x in zip(symbols, elements, strict=True):
        shared = x.nbflow_shape[0] == 1 and count != 1
        known[symbol.value] = (batching.squeezed(x), False) if shared else (x, True)
    ends: dict[Value, Tensor] = {}  # where the random streams of all examples end
    for source, value in trace.captures:
        tensor = source.nbflow_tensor() if isinstance(source, Variable) else source
        blocks = _blocks_drawn(value, graph.updates.get(value))
        if blocks and not isinstance(count, Dim):  # each example goes on where the one before ended
            *streams, ends[value] = [TABLE["philox_skip"](tensor, blocks=blocks * k) for k in range(count + 1)]
            known[value] = (stack(streams), True) if streams else (tensor, False)
        else:
            known[value] = (tensor, False)
    known.update((value, (tensor, False)) for tensor, value in trace.scalars)
    batching.run(drop_unused(graph).nodes, known, count, unroll)
    for source, value in trace.captures:
        if isinstance(source, Variable) and value in graph.updates:
            _assign(source, *((ends[value], False) if value in ends else known[graph.updates[value]]))
    return [None if r is None else batching.as_stack(*known[r.value], count) for r in results]


def _blocks_drawn(words: Value, after: Value | None):
    """How many blocks of random numbers a function draws from a stream, where it does so in one op; else None."""
    node = None if after is None else after.node
    if node is None or node.op.name != "philox_skip" or node.inputs[0] is not words:
        return None
    return node.attrs["blocks"]


def _one_by_one(function: Callable, elements: Sequence, count) -> list:
    """The function applied to one example after another; their results must have equal shapes.

    Raises:
        InvalidArgumentError: there are no examples, so that nothing says what the results look like.
    """
    if isinstance(count, Dim) or not count:
        raise InvalidArgumentError(
            "vectorized_map: sizes of results depend on values, for which the number of examples must be known, and "
            "not 0"
        )
    rows = [function(*(batching.row(x, k if x.nbflow_shape[0] != 1 else 0) for x in elements)) for k in range(count)]
    return [None if parts[0] is None else stack([to_tensor(p) for p in parts]) for parts in zip(*rows, strict=True)]


def _assign(variable: Variable, tensor, stacked: bool) -> None:
    if stacked:
        raise ValueError(
            f"vectorized_map: the function assigns another value to Variable '{variable.name}' for each example; all "
            f"examples run at once, so that a Variable can only take one that is the same for all of them"
        )
    variable.assign(tensor)


@export("vectorized_map")
def vectorized_map(fn, elems, fallback_to_while_loop=True, warn=True):
    """fn applied to each of the tensors that elems hold along their first axes, all at once (tf.vectorized_map).

    fn is run once, on symbolic tensors of one example; every op that it applied then runs on all examples together.
    Ops that cannot do so run example by example.

    Args:
        fn: a function of one argument, which has the structure of elems, that returns tensors in any structure.
        elems: a tensor, or a nested structure of tensors, of one size along the first axis; tensors whose size is 1
            there are the same for all.
        fallback_to_while_loop: False makes an op that cannot run on all examples at once an error.
        warn: accepted as TensorFlow's; it has no effect.

    Returns:
        What fn returns, each tensor stacked along a new first axis.

    Raises:
        InvalidArgumentError: sizes along the first axis differ.
        ValueError: an op has no batching rule and fallback_to_while_loop is False.

    Example:
        >>> import nbflow as nf
        >>> nf.vectorized_map(lambda x: nf.reduce_sum(x * x), nf.constant([[1.0, 2.0], [3.0, 4.0]])).numpy()
        array([ 5., 25.], dtype=float32)
    """
    leaves, structure = optree.tree_flatten(elems)
    tensors = [to_tensor(leaf) for leaf in leaves]
    count = _count(tensors)
    form = []

    def on_leaves(*examples):
        results, found = optree.tree_flatten(fn(optree.tree_unflatten(structure, examples)), none_is_leaf=True)
        form.append(found)
        return results

    found = vectorized(on_leaves, tensors, count, fallback_to_while_loop)
    return optree.tree_unflatten(form[0], found)


def _count(tensors: Sequence):
    """The number of examples.

    Raises:
        IndexError: a tensor is a scalar, or there is none.
        InvalidArgumentError: the tensors hold different numbers of examples.
    """
    for tensor in tensors:
        if not tensor.nbflow_shape:
            raise IndexError("vectorized_map: elems holds a scalar; its tensors have one axis or more")
    sizes = [t.nbflow_shape[0] for t in tensors]
    if not sizes:
        raise IndexError("vectorized_map: elems holds no tensor")
    several = [size for size in sizes if size != 1]
    if any(size != several[0] for size in several):
        raise InvalidArgumentError(f"vectorized_map: elems have sizes {sizes} along axis 0; they must be equal")
    return several[0] if several else 1
