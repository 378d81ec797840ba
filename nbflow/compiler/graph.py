"""The graph: a small SSA program of ops over abstract values. Passes are functions Graph -> Graph."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nbflow.compiler.formulas import Number
from nbflow.compiler.op import Op
from nbflow.dtypes import DType
from nbflow.errors import InvalidArgumentError
from nbflow.shapes import AnyShape, Dim, TensorShape, bind_dim, contiguous_strides


class Aval:
    """An abstract value: what is known of a tensor without its numbers. Interned by `aval`, so compared by identity.

    Attributes:
        dtype, shape: as of the tensor; a symbolic dimension is a Dim.
        strides: elements from one index to the next along each axis, or None for row-major without gaps.
        size, nbytes: how many elements and bytes; 0 where a dimension is symbolic.
        unranked: whether the rank is unknown too.
    """

    __slots__ = ("dtype", "nbytes", "shape", "size", "strides", "symbolic", "unranked")

    def __init__(self, dtype: DType, shape: tuple, strides: tuple | None):
        self.dtype, self.shape, self.strides = dtype, shape, strides
        self.symbolic = any(isinstance(d, Dim) for d in shape)
        self.unranked = len(shape) == 1 and isinstance(shape[0], AnyShape)
        self.size = 0 if self.symbolic else math.prod(shape)
        self.nbytes = self.size * dtype.size

    @property
    def layout(self) -> tuple:
        """The strides in elements, row-major ones included."""
        return contiguous_strides(self.shape) if self.strides is None else self.strides

    def __repr__(self) -> str:
        strides = "" if self.strides is None else f" strides {list(self.strides)}"
        return f"{self.dtype.name}[{', '.join(map(str, self.shape))}]{strides}"


_avals: dict[tuple, Aval] = {}


def aval(dtype: DType, shape: tuple, strides: tuple | None = None) -> Aval:
    """The Aval of a dtype, a shape and strides in elements (None, or row-major ones, for a dense tensor)."""
    key = (dtype, shape, strides)
    found = _avals.get(key)
    if found is None:
        table = next((n.formulas.avals for n in (*shape, *(strides or ())) if isinstance(n, Number)), _avals)
        found = table.get(key)
    if found is None:
        if strides is not None and _is_dense(shape, strides):
            found = aval(dtype, shape)
        else:
            found = Aval(dtype, shape, strides)
        found = table.setdefault(key, found)
    return found


def _is_dense(shape: tuple, strides: tuple) -> bool:
    dense = contiguous_strides(shape)
    return 0 in shape or all(s == d or n == 1 for n, s, d in zip(shape, strides, dense, strict=True))


class Value:
    """A result of a node, or an input of the graph (node is None)."""

    __slots__ = ("aval", "node")

    def __init__(self, aval: Aval, node: "Node | None" = None):
        self.aval, self.node = aval, node

    @property
    def dtype(self) -> DType:
        """The dtype."""
        return self.aval.dtype

    @property
    def shape(self) -> tuple:
        """The shape; a symbolic dimension is a Dim."""
        return self.aval.shape


SHAPES = "shapes of results"  # an attribute of nodes whose results have sizes that only values decide


class Node:
    """One op applied to values.

    Attributes:
        where: "file:line" of the user's call, for errors; "" where not recorded.
    """

    __slots__ = ("attrs", "inputs", "op", "outputs", "where")

    def __init__(self, op: Op, inputs: Sequence[Value], attrs: dict, where: str = ""):
        self.op, self.inputs, self.attrs, self.where = op, tuple(inputs), attrs, where
        found = op.infer([v.aval for v in inputs], attrs)
        avals: Sequence[Aval] = found if isinstance(found, tuple) else (found,)
        if op.decides_sizes:
            avals = self._keep_shapes(avals)
        self.outputs = tuple(Value(a, self) for a in avals)

    def _keep_shapes(self, avals: Sequence[Aval]) -> Sequence[Aval]:
        """The shapes that the results have wherever this node is copied to: sizes unknown as yet keep their names."""
        shapes = self.attrs.get(SHAPES, ())
        if len(shapes) < len(avals):
            known = [aval(a.dtype, shape) for a, shape in zip(avals, shapes, strict=False)]
            avals = [*known, *avals[len(shapes) :]]
            if any(a.symbolic for a in avals):
                self.attrs = {**self.attrs, SHAPES: tuple(a.shape for a in avals)}
            return avals
        return [aval(a.dtype, shape) for a, shape in zip(avals, shapes, strict=True)]

    @property
    def output(self) -> Value:
        """The result of a node that has only one."""
        return self.outputs[0]

    def key(self) -> tuple:
        """Equal for nodes that compute the same."""
        return (self.op.name, tuple(sorted(self.attrs.items())), tuple(map(id, self.inputs)))


def set_shape(value: Value, shape: tuple) -> None:
    """Says the shape of a result of unknown rank, from now on and wherever its node is copied to."""
    node = value.node
    assert node is not None  # inputs have a rank
    value.aval = aval(value.dtype, shape)
    node.attrs = {**node.attrs, SHAPES: tuple(v.shape for v in node.outputs)}


CONSTANT = Op("constant", (), infer=lambda avals, attrs: attrs["value"].aval)


class Constant:
    """A NumPy array as an attribute of a constant node; compares by identity.

    Attributes:
        array: the array, or a Number that stands for an array without axes.
    """

    __slots__ = ("array", "aval")

    def __init__(self, array: np.ndarray | Number, dtype: DType):
        if isinstance(array, Number):
            self.array: Any = array
            self.aval = aval(dtype, ())
        else:
            self.array = np.ascontiguousarray(array, dtype.np).reshape(np.shape(array))
            self.aval = aval(dtype, self.array.shape)

    def __lt__(self, other):
        return id(self) < id(other)


class Graph:
    """Inputs, nodes in an order in which they can run, and outputs.

    Attributes:
        updates: {input: value}: what variables' inputs hold after the graph has run.
        simple: whether passes.simplify has been over it.
    """

    def __init__(self):
        self.inputs: list[Value] = []
        self.nodes: list[Node] = []
        self.outputs: list[Value] = []
        self.updates: dict[Value, Value] = {}
        self.simple = False

    def input(self, value_aval: Aval) -> Value:
        """A new input."""
        value = Value(value_aval)
        self.inputs.append(value)
        return value

    def add(self, op: Op, inputs: Sequence[Value], attrs: dict, where: str = "") -> Value | tuple[Value, ...]:
        """Appends a node; its shape rule checks the inputs. Returns its Value, or a tuple of several or of none.

        Raises:
            InvalidArgumentError: the op cannot take these inputs.
        """
        node = self.append(op, inputs, attrs, where)
        return node.outputs if len(node.outputs) != 1 else node.outputs[0]

    def append(self, op: Op, inputs: Sequence[Value], attrs: dict, where: str = "") -> Node:
        """As `add`, but returns the node."""
        node = Node(op, inputs, attrs, where)
        self.nodes.append(node)
        return node

    def constant(self, array: np.ndarray | Number, dtype: DType) -> Value:
        """A constant node."""
        return self.append(CONSTANT, (), {"value": Constant(array, dtype)}).output

    def results(self) -> Iterable[Value]:
        """Everything that running the graph is for: outputs and updates."""
        yield from self.outputs
        yield from self.updates.values()

    def __str__(self) -> str:
        return format_graph(self)


def rebuild(graph: Graph, visit, input_aval=lambda value: value.aval) -> Graph:
    """A graph made by visiting each node in order.

    Args:
        visit: (new graph, node, new inputs) -> the new Value, or tuple of Values, in place of the node's results.
        input_aval: what each input becomes.
    """
    new, made = Graph(), {}
    for value in graph.inputs:
        made[value] = new.input(input_aval(value))
    for node in graph.nodes:
        results = visit(new, node, [made[v] for v in node.inputs])
        made.update(zip(node.outputs, results if isinstance(results, tuple) else (results,), strict=True))
    new.outputs = [made[v] for v in graph.outputs]
    new.updates = {made[k]: made[v] for k, v in graph.updates.items()}
    return new


def size_sources(graph: Graph) -> dict[Node, list[Value]]:
    """For nodes with sizes among their attributes that only values decide: the results of host ops that decide them."""
    sources: dict[Node, list[Value]] = {}
    if not any(node.op.decides_sizes for node in graph.nodes):
        return sources
    decided: dict[str, Value] = {}
    for node in graph.nodes:
        if decided:
            found = [decided[name] for value in node.attrs.values() for name in size_names(value) if name in decided]
            if found:
                sources[node] = found
        if node.op.decides_sizes:
            for value in node.outputs:
                for dim in value.shape:
                    if isinstance(dim, Dim) and not dim.op:
                        decided.setdefault(dim.name, value)
    return sources


def size_names(value) -> Iterable[str]:
    """The names of the sizes in an attribute."""
    if isinstance(value, tuple):
        for part in value:
            yield from size_names(part)
    elif isinstance(value, Dim):
        yield from size_names((value.left, value.right)) if value.op else (value.name,)
    elif hasattr(value, "nbflow_size_names"):  # a compiler.control.Body
        yield from value.nbflow_size_names()


def bound_attrs(attrs: dict, sizes: dict) -> dict:
    """Attributes with sizes in place of the Dims that have these names."""

    def bound(value):
        if isinstance(value, tuple):
            return tuple(bound(v) for v in value)
        if hasattr(value, "nbflow_bound"):  # a compiler.control.Body
            return value.nbflow_bound(sizes)
        return bind_dim(value, sizes)

    return {name: bound(value) for name, value in attrs.items()}


def bind(graph: Graph, sizes: dict, avals: Sequence[Aval]) -> Graph:
    """The graph for given input avals, with every symbolic dimension replaced; shape rules run again.

    Raises:
        InvalidArgumentError: an op cannot take inputs of these shapes, or a Variable a value.
    """

    def visit(new: Graph, node: Node, inputs: list[Value]):
        try:
            return new.add(node.op, inputs, bound_attrs(node.attrs, sizes), node.where)
        except InvalidArgumentError as error:
            if not node.where or node.where in str(error):
                raise
            raise type(error)(f"{error} (in {node.where})") from None

    by_input = dict(zip(graph.inputs, avals, strict=True))
    new = rebuild(graph, visit, by_input.__getitem__)
    for target, value in new.updates.items():
        if target.shape != value.shape and not value.aval.symbolic:
            raise InvalidArgumentError(
                f"assign: cannot assign value of shape {TensorShape(value.shape)} to a Variable of shape "
                f"{TensorShape(target.shape)}"
            )
    return new


def format_graph(graph: Graph) -> str:
    """The graph as text: one line a node."""
    names: dict[Value, str] = {}

    def name(value: Value) -> str:
        return names.setdefault(value, f"%{len(names)}")

    lines = [f"{name(v)}: {v.aval} = input {i}" for i, v in enumerate(graph.inputs)]
    for node in graph.nodes:
        attrs = ", ".join(f"{k}={_attr_text(v)}" for k, v in node.attrs.items())
        arguments = ", ".join([*map(name, node.inputs), *([attrs] if attrs else [])])
        place = f"    # {node.where}" if node.where else ""
        results = ", ".join(f"{name(v)}: {v.aval}" for v in node.outputs)
        lines.append(f"{results} = {node.op.name}({arguments}){place}")
    lines.append(f"return {', '.join(map(name, graph.outputs))}")
    lines += [f"update {name(k)} <- {name(v)}" for k, v in graph.updates.items()]
    return "\n".join(lines)


def _attr_text(value) -> str:
    if isinstance(value, Constant):
        return str(value.array.tolist()) if value.array.size <= 4 else f"array{value.aval}"
    return getattr(value, "name", None) or repr(value)
