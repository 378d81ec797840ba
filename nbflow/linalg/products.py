"""Products of matrices, vectors and tensors."""

import operator

from nbflow.dtypes import HALF, NUMERIC, REAL, as_dtype, require
from nbflow.errors import FailedPreconditionError, InvalidArgumentError, InvalidDTypeError
from nbflow.ops import einsum as sums
from nbflow.ops import matrices
from nbflow.ops.elementwise import cast, conj
from nbflow.ops.table import TABLE
from nbflow.public import axes_of, export, pair
from nbflow.shapes import could_be_equal
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument


@export("linalg.matmul", "matmul")
def matmul(
    a,
    b,
    transpose_a=False,
    transpose_b=False,
    adjoint_a=False,
    adjoint_b=False,
    a_is_sparse=False,
    b_is_sparse=False,
    output_type=None,
    grad_a=False,
    grad_b=False,
    name=None,
):
    """The matrix product a b over the last two axes; leading axes are batches that broadcast (tf.linalg.matmul).

    Args:
        a: a tensor of shape [..., m, k], or [..., k, m] where it is transposed.
        b: a tensor of shape [..., k, n], or [..., n, k] where it is transposed.
        transpose_a, transpose_b: whether the operand is transposed first.
        adjoint_a, adjoint_b: whether it is transposed and conjugated.
        a_is_sparse, b_is_sparse, grad_a, grad_b: accepted as TensorFlow's; they have no effect.
        output_type: the dtype of the result, such as int32 for products of int8; that of the operands by default.

    Returns:
        A tensor of shape [..., m, n]. float16 and bfloat16 are added up in float32.

    Raises:
        InvalidArgumentError: shapes or dtypes do not fit.
        ValueError: an operand is to be both transposed and adjoint.
    """
    for which, transposed, adjoint in (("a", transpose_a, adjoint_a), ("b", transpose_b, adjoint_b)):
        if transposed and adjoint:
            raise ValueError(f"matmul: only one of transpose_{which} and adjoint_{which} can be True")
    hint = next((v.dtype for v in (a, b) if isinstance(v, TensorProtocol)), None)
    a = argument("matmul", "a", a, hint)
    b = argument("matmul", "b", b, hint or a.dtype)
    require("matmul", "a", a.dtype, NUMERIC)
    if output_type is not None:
        wanted = as_dtype(output_type)
        if a.dtype.is_integer or a.dtype in HALF:  # the sums themselves are of that dtype
            a, b = cast(a, wanted), cast(b, wanted)
        elif wanted is not a.dtype:
            raise InvalidDTypeError(f"matmul: output_type {wanted.name} for operands of {a.dtype.name}; use nf.cast")
    a, b = conj(a) if adjoint_a else a, conj(b) if adjoint_b else b
    return TABLE["matmul"](a, b, transpose_a=bool(transpose_a or adjoint_a), transpose_b=bool(transpose_b or adjoint_b))


@export("linalg.matvec")
def matvec(a, b, transpose_a=False, adjoint_a=False, a_is_sparse=False, b_is_sparse=False, name=None):
    """The product of matrices [..., m, n] and vectors [..., n] (tf.linalg.matvec).

    Args:
        transpose_a, adjoint_a, a_is_sparse, b_is_sparse: as of matmul.

    Returns:
        A tensor of shape [..., m].
    """
    a, b = pair("matvec", a, b, ("a", "b"))
    product = matmul(a, matrices.column(b), transpose_a=transpose_a, adjoint_a=adjoint_a)
    return TABLE["reshape"](product, shape=tuple(product.nbflow_shape[:-1]))


# --- tensors ----------------------------------------------------------------------------------------------------------


@export("linalg.einsum", "einsum")
def einsum(equation, *inputs, **kwargs):
    """The Einstein sum of tensors (tf.einsum).

    Args:
        equation: a label for each axis of the inputs and of the result, such as "bij,bjk->bik". What the result does
            not name is summed over. Without "->" the result has the labels that occur once, in alphabetical order.
            "..." stands for axes that broadcast.
        inputs: tensors of one dtype.
        optimize, name: accepted as TensorFlow's; several inputs are multiplied in the order that keeps products small.

    Returns:
        A tensor. It is computed by matrix products where a sum is over a label that two inputs share.

    Raises:
        InvalidArgumentError: the equation is wrong, or shapes do not fit it.
        TypeError: another keyword is given.

    Example:
        >>> import nbflow as nf
        >>> nf.einsum("ij,j->i", nf.ones([2, 3]), nf.constant([1.0, 2.0, 3.0])).numpy().tolist()
        [6.0, 6.0]
    """
    unknown = set(kwargs) - {"optimize", "name", "greedy"}
    if unknown:
        raise TypeError(f"einsum: Invalid keyword arguments: {', '.join(sorted(unknown))}; it takes optimize and name")
    hint = next((v.dtype for v in inputs if isinstance(v, TensorProtocol)), None)
    tensors = [argument("einsum", f"inputs[{k}]", x, hint) for k, x in enumerate(inputs)]
    for k, x in enumerate(tensors):
        require("einsum", f"inputs[{k}]", x.dtype, NUMERIC)
        if x.dtype is not tensors[0].dtype:
            raise InvalidDTypeError(
                f"einsum: inputs[0] is {tensors[0].dtype.name} and inputs[{k}] is {x.dtype.name}; dtypes are not mixed"
            )
    return sums.einsum(equation, tensors)


@export("linalg.tensordot", "tensordot")
def tensordot(a, b, axes, name=None):
    """The sum of products over pairs of axes (tf.tensordot).

    Args:
        a, b: tensors of one dtype.
        axes: a number n: the last n axes of a and the first n of b; or two lists (or two axes), a's and b's.

    Returns:
        A tensor with the other axes of a, then those of b.

    Raises:
        ValueError: axes does not say pairs of axes, or shapes do not fit.
    """
    a, b = pair("tensordot", a, b, ("a", "b"))
    rank_a, rank_b = len(a.nbflow_shape), len(b.nbflow_shape)
    of_a, of_b = _axes(axes_of(axes), rank_a, rank_b)
    for i, j in zip(of_a, of_b, strict=True):
        n, m = a.nbflow_shape[i], b.nbflow_shape[j]
        if isinstance(n, int) and isinstance(m, int) and n != m:
            raise InvalidArgumentError(f"tensordot: axis {i} of a ({a.shape}) and axis {j} of b ({b.shape}) differ")
    labels_a = tuple(range(rank_a))
    labels_b = tuple(of_a[of_b.index(k)] if k in of_b else rank_a + k for k in range(rank_b))
    kept = set(labels_a + labels_b) - set(of_a)
    return sums.contract(a, labels_a, b, labels_b, kept)[0]


def _axes(axes, rank_a: int, rank_b: int) -> tuple[list[int], list[int]]:
    if not isinstance(axes, (list, tuple)):
        count = operator.index(axes)
        if count < 0:
            raise ValueError(f"tensordot: axes must be at least 0, got {count}")
        if count > min(rank_a, rank_b):
            raise ValueError(f"tensordot: axes is {count}, larger than the rank of an operand ({rank_a} and {rank_b})")
        return list(range(rank_a - count, rank_a)), list(range(count))
    if len(axes) != 2:
        raise ValueError(f"tensordot: axes must be an integer or have length 2, got {axes!r}")
    of_a, of_b = (list(x) if isinstance(x, (list, tuple)) else [x] for x in map(axes_of, axes))
    if len(of_a) != len(of_b):
        raise ValueError(f"tensordot: different number of axes of a and b: {len(of_a)} and {len(of_b)}")
    found = []
    for chosen, rank in ((of_a, rank_a), (of_b, rank_b)):
        if any(not -rank <= k < rank for k in chosen):
            raise IndexError(f"tensordot: axes {chosen} of a tensor of rank {rank}")
        found.append([k % rank for k in chosen])
        if len(set(found[-1])) < len(chosen):
            raise ValueError(f"tensordot: axes {chosen} name an axis twice")
    return found[0], found[1]


# --- transposes, cross products ---------------------------------------------------------------------------------------


def _matrix(op: str, name: str, value):
    x = argument(op, name, value)
    if len(x.nbflow_shape) < 2:
        raise ValueError(f"{op}: {name} has shape {x.shape}; it takes a matrix or a stack of them, rank 2 or more")
    return x


@export("linalg.matrix_transpose")
def matrix_transpose(a, name="matrix_transpose", conjugate=False):
    """Matrices [..., m, n] as [..., n, m] (tf.linalg.matrix_transpose).

    Args:
        conjugate: whether complex numbers are conjugated too.

    Raises:
        ValueError: the rank is below 2.
    """
    a = matrices.transposed(_matrix("matrix_transpose", "a", a))
    return conj(a) if conjugate else a


@export("linalg.adjoint")
def adjoint(matrix, name=None):
    """The conjugate transpose of matrices [..., m, n] (tf.linalg.adjoint)."""
    return matrices.adjoint(_matrix("adjoint", "matrix", matrix))


@export("linalg.cross")
def cross(a, b, name=None):
    """The cross products of vectors [..., 3] (tf.linalg.cross).

    Raises:
        InvalidArgumentError: shapes or dtypes differ.
        FailedPreconditionError: vectors are not of size 3.
    """
    a, b = pair("cross", a, b, ("a", "b"))
    require("cross", "a", a.dtype, REAL)
    shape = a.nbflow_shape
    if not could_be_equal(tuple(shape), tuple(b.nbflow_shape)):
        raise InvalidArgumentError(f"cross: Both inputs must be of same shape: {a.shape} vs. {b.shape}")
    if not shape or shape[-1] != 3:
        raise (FailedPreconditionError if shape else InvalidArgumentError)(
            f"cross: Cross-products are only defined for 3-element vectors, got shape {a.shape}"
        )
    turned = [_turned(x, step) for x in (a, b) for step in (1, 2)]
    a1, a2, b1, b2 = turned
    return a1 * b2 - a2 * b1


def _turned(x, step: int):
    """x[..., [step, step + 1, step + 2]], counted modulo 3."""
    *outer, _ = x.nbflow_shape
    zeros, ones = (0,) * len(outer), (1,) * len(outer)

    def part(start: int, size: int):
        return TABLE["strided_slice"](x, begin=(*zeros, start), step=(*ones, 1), shape=(*outer, size))

    return TABLE["concat"](part(step, 3 - step), part(0, step), axis=len(outer))
