"""compute_gradient: Jacobians by gradient rules beside Jacobians by central differences."""

import numpy as np

from nbflow.dtypes import INEXACT
from nbflow.public import export
from nbflow.tape.gradient_tape import GradientTape
from nbflow.tensor.tensor import to_tensor


@export("test.compute_gradient")
def compute_gradient(f, x, delta=None):
    """The Jacobians of a function for each of its arguments, by its gradient and by differences.

    Complex numbers count as two reals each.

    Args:
        f: a function of tensors that returns a tensor.
        x: a list or tuple of its arguments.
        delta: the step of the central differences, 1/1024 by default.

    Returns:
        Two tuples, theoretical and numerical, of an array for each argument, with a row for each element of the result
        and a column for each element of the argument.

    Raises:
        ValueError: x is no list or tuple.

    Example:
        >>> import nbflow as nf
        >>> theoretical, numerical = nf.test.compute_gradient(nf.square, [[1.0, 2.0]])
        >>> theoretical[0].tolist()
        [[2.0, 0.0], [0.0, 4.0]]
    """
    if not isinstance(x, (list, tuple)):
        raise ValueError(
            f"compute_gradient: x is of type {type(x).__name__}; it takes a list or tuple of the arguments of f"
        )
    arguments = [to_tensor(value) for value in x]
    for number, tensor in enumerate((*arguments, f(*arguments))):
        what = f"argument {number}" if number < len(arguments) else "the result"
        assert tensor.dtype in INEXACT, f"Cannot compute gradient for unsupported type {tensor.dtype.name} of {what}"
    positions = range(len(arguments))
    theoretical = tuple(_by_gradients(f, arguments, k) for k in positions)
    return theoretical, tuple(_by_differences(f, arguments, k, 1 / 1024 if delta is None else delta) for k in positions)


def _reals(array: np.ndarray) -> np.ndarray:
    """The elements of an array in a row, a complex one as its two parts; it shares the array's memory."""
    flat = array.reshape(-1)
    return flat.view(array.real.dtype) if array.dtype.kind == "c" else flat


def _by_gradients(f, arguments: list, k: int) -> np.ndarray:
    with GradientTape(persistent=True) as tape:
        tape.watch(arguments[k])
        y = f(*arguments)
    x = np.array(arguments[k].numpy())
    upstream = np.zeros(tuple(y.shape), y.dtype.np)
    units = _reals(upstream)
    jacobian = np.zeros((units.size, _reals(x).size), _reals(x).dtype)
    for row in range(units.size):
        units[row] = 1
        gradient = tape.gradient(y, arguments[k], output_gradients=to_tensor(upstream.copy()))
        units[row] = 0
        if gradient is not None:
            jacobian[row] = _reals(np.ascontiguousarray(to_tensor(gradient).numpy()))
    return jacobian


def _by_differences(f, arguments: list, k: int, delta: float) -> np.ndarray:
    x = np.array(arguments[k].numpy())
    elements = _reals(x)

    def value() -> np.ndarray:
        return np.ascontiguousarray(f(*arguments[:k], to_tensor(x.copy()), *arguments[k + 1 :]).numpy())

    columns = []
    for column in range(elements.size):
        original = elements[column]
        elements[column] = original + delta
        above = value()
        elements[column] = original - delta
        below = value()
        elements[column] = original
        columns.append(_reals(np.asarray((above - below) / (2 * delta), above.dtype)))
    rows = _reals(value()).size
    return np.stack(columns, 1).astype(elements.dtype) if columns else np.zeros((rows, 0), elements.dtype)
