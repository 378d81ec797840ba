"""The gradient of a loop for a matrix that all rounds multiply with: one product after the loop.

A round adds aᵀ b to it. The sum over the rounds is the product of the rounds' a and b, one below the other, which costs
less than to add up a matrix round by round; and what it takes to keep is no more than the loop keeps anyway.
"""

from dataclasses import dataclass

from nbflow.compiler.graph import Value
from nbflow.function.trace import SymbolicTensor
from nbflow.ops.table import TABLE


@dataclass(frozen=True, slots=True)
class Product:
    """What a round adds: aᵀ b, with a of shape [inner, rows] and b of shape [inner, columns].

    Attributes:
        sides: values of a round with the elements of a and of b.
        inner, rows, columns: sizes.
    """

    sides: tuple[Value, Value]
    inner: int
    rows: int
    columns: int

    def total(self, stacks: tuple[SymbolicTensor, SymbolicTensor], shape: tuple) -> SymbolicTensor:
        """The sum over all rounds, of a shape, from the stacks of what the sides were."""
        a, b = (
            TABLE["reshape"](stack, shape=(stack._aval.shape[0] * self.inner, n))
            for stack, n in zip(stacks, (self.rows, self.columns), strict=True)
        )
        return TABLE["reshape"](TABLE["matmul"](a, b, transpose_a=True, transpose_b=False), shape=shape)


def as_product(value: Value) -> Product | None:
    """What a round adds as a product whose sum needs no elements in another order, None where it is not such."""
    node = _whole(value).node
    if node is None or node.op.name != "matmul" or any(len(v.shape) != 2 for v in node.inputs):
        return None
    (a, b), (rows, columns) = node.inputs, node.output.shape
    across, along = node.attrs["transpose_a"], node.attrs["transpose_b"]
    inner = a.shape[0 if across else 1]
    if any(v.aval.symbolic for v in node.inputs) or (inner != 1 and (along or not across)):
        return None
    return Product((_whole(a), _whole(b)), inner, rows, columns)


def _whole(value: Value) -> Value:
    """A value before it was given another shape."""
    while value.node is not None and value.node.op.name == "reshape":
        value = value.node.inputs[0]
    return value
