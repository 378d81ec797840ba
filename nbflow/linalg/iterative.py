"""Systems of equations solved step by step, by products with the matrix alone."""

from typing import Any, NamedTuple

from nbflow.dtypes import int32
from nbflow.function.function import is_symbolic_tensor
from nbflow.linalg.norms import norm
from nbflow.ops.elementwise import conj, where
from nbflow.ops.matrices import column
from nbflow.ops.table import TABLE as T
from nbflow.public import export, number
from nbflow.shapes import broadcast
from nbflow.tensor.tensor import argument, to_tensor


class CGState(NamedTuple):
    """What conjugate_gradient returns."""

    i: Any
    x: Any
    r: Any
    p: Any
    gamma: Any


def _dot(x, y):
    """Σ conj(x) y over the last axis."""
    return T["reduce_sum"](conj(x) * y, axis=(len(x.nbflow_shape) - 1,), keepdims=False)


@export("linalg.experimental.conjugate_gradient")
def conjugate_gradient(operator, rhs, preconditioner=None, x=None, tol=1e-5, max_iter=20, name="conjugate_gradient"):
    """Solves a x = rhs for self-adjoint positive definite a by conjugate gradients.

    (tf.linalg.experimental.conjugate_gradient.) It stops when no residual rhs - a x is longer than tol times rhs. In
    a trace, all of max_iter steps are computed and those after the end have no effect.

    Args:
        operator: an object with `shape` [..., n, n] and `matvec`, which multiplies a with vectors [..., n]. Where it
            says `is_self_adjoint` or `is_positive_definite`, it must be.
        rhs: a tensor [..., n].
        preconditioner: another such object, which approximates the inverse of a.
        x: where to start, [..., n]; zeros by default.
        tol: a number.
        max_iter: how many steps to take at most, an integer.

    Returns:
        A named tuple: i, the number of steps; the solution x, the residual r and the last direction p [..., n];
        gamma [...], the product of r and the preconditioned residual.

    Raises:
        ValueError: operator says that it is not self-adjoint and positive definite.
    """
    if not all(getattr(operator, f"is_{what}", True) for what in ("self_adjoint", "positive_definite")):
        raise ValueError("conjugate_gradient: operator is not self-adjoint and positive definite")
    rhs = argument("conjugate_gradient", "rhs", rhs, getattr(operator, "dtype", None))
    outer = [tuple(a.shape)[:-2] for a in (operator, preconditioner) if a is not None]
    shape = (*broadcast("conjugate_gradient", tuple(rhs.nbflow_shape[:-1]), *outer), rhs.nbflow_shape[-1])
    r = T["broadcast_to"](rhs, shape=shape)
    limit = norm(r, axis=-1) * tol
    if x is None:
        x = T["zeros_like"](r)
    else:
        x = argument("conjugate_gradient", "x", x, rhs.dtype)
        r = rhs - operator.matvec(x)
    p = r if preconditioner is None else preconditioner.matvec(r)
    state = CGState(to_tensor(0, int32), x, r, p, _dot(r, p))
    for _ in range(int(number(max_iter))):
        far = T["greater"](norm(state.r, axis=-1), limit)
        active = T["reduce_any"](far, axis=tuple(range(len(far.nbflow_shape))), keepdims=False)
        if not is_symbolic_tensor(active) and not active.numpy():
            break
        following = _step(operator, preconditioner, state, active)
        state = CGState(*(where(active, new, old) for new, old in zip(following, state, strict=True)))
    return state


def _step(operator, preconditioner, state: CGState, active) -> CGState:
    """The state after one more step; divisors are 1 where the solution is there already."""
    i, x, r, p, gamma = state
    one = T["ones_like"](gamma)
    z = operator.matvec(p)
    alpha = column(gamma / where(active, _dot(p, z), one))
    x, r = x + alpha * p, r - alpha * z
    q = r if preconditioner is None else preconditioner.matvec(r)
    following = _dot(r, q)
    p = q + column(following / where(active, gamma, one)) * p
    return CGState(i + 1, x, r, p, following)
