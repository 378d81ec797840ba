"""cond, case and switch_case: one of several functions, chosen by a tensor."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nbflow import nest
from nbflow.control.structures import callable_argument, tracing
from nbflow.control.tensor_array import TensorArray
from nbflow.debugging.report import assert_later
from nbflow.dtypes import bool_, int32
from nbflow.errors import InvalidArgumentError
from nbflow.function.control import is_traced, staged_if, staged_switch
from nbflow.ops.table import TABLE
from nbflow.public import cast, export
from nbflow.shapes import could_be_equal
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import to_tensor

_NAME = "the result"


def _branch(function: Callable) -> Callable[[], list]:
    """A branch of a staged choice: what the function returns, as tensors where it can be."""

    def branch() -> list:
        return [nest.map_structure(_leaf, function())]

    return branch


def _leaf(value):
    kept = value is None or isinstance(value, (TensorArray, TensorProtocol))
    return value.nbflow_tensor() if isinstance(value, TensorProtocol) else value if kept else to_tensor(value)


def _truth(pred):
    """A predicate of a trace as a bool scalar.

    Raises:
        InvalidArgumentError: it has more than one element.
    """
    if pred.ndim:
        if not could_be_equal(tuple(pred.nbflow_shape), (1,) * pred.ndim):
            raise InvalidArgumentError(f"cond: pred has shape {pred.shape}; it takes a scalar")
        pred = TABLE["reshape"](pred, shape=())
    return pred if pred.dtype is bool_ else TABLE["not_equal"](pred, 0)


@export("cond")
def cond(pred, true_fn=None, false_fn=None, name=None):
    """true_fn() where pred holds, else false_fn() (tf.cond).

    In a function that is being traced, a pred of the trace decides when the function runs: both functions are traced,
    and only one of them runs then. Eagerly, and for a Python bool or a tensor with a value, only one is called.

    Args:
        pred: a bool scalar.
        true_fn: a function without arguments.
        false_fn: likewise. Traced, both must return one nested structure of tensors of equal dtypes and ranks.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        What the function returned.

    Raises:
        TypeError: a function is missing or cannot be called, or what they return cannot be one value.

    Example:
        >>> import nbflow as nf
        >>> f = nf.function(lambda x: nf.cond(x > 0, lambda: nf.sqrt(x), lambda: -x))
        >>> f(nf.constant(4.0)).numpy(), f(nf.constant(-3.0)).numpy()
        (np.float32(2.0), np.float32(3.0))
    """
    for argument_name, function in (("true_fn", true_fn), ("false_fn", false_fn)):
        if function is None:
            raise TypeError(f"cond(): '{argument_name}' argument required")
        callable_argument("cond", argument_name, function)
    if isinstance(pred, TensorProtocol):
        pred = pred.nbflow_tensor()
    if is_traced(pred):
        return staged_if(_truth(pred), (_branch(true_fn), _branch(false_fn)), [_NAME])[0]
    return true_fn() if (pred.numpy() if isinstance(pred, TensorProtocol) else np.asarray(pred)) else false_fn()


@export("switch_case")
def switch_case(branch_index, branch_fns, default=None, name="switch_case"):
    """The result of the function of a number (tf.switch_case).

    Args:
        branch_index: an integer scalar tensor.
        branch_fns: a list of functions without arguments, or a dict or list of pairs of a number and such a function;
            the numbers are 0 to the number of functions - 1, in any order.
        default: the function for any other number; by default that of the largest number.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        What the function returned.

    Raises:
        TypeError: branch_index is no integer tensor, or what should be a function is none.
        ValueError: there is no function, or numbers are missing.

    Example:
        >>> import nbflow as nf
        >>> nf.switch_case(nf.constant(1), [lambda: nf.constant(10), lambda: nf.constant(20)]).numpy()
        np.int32(20)
    """
    if not isinstance(branch_index, TensorProtocol):
        raise TypeError(f"'branch_index' must be a Tensor, got {type(branch_index)}")
    if not branch_index.dtype.is_integer:
        raise TypeError(f"'branch_index' must be an integer Tensor, got {branch_index.dtype!r}")
    functions = _numbered(branch_fns)
    if default is not None:
        callable_argument("switch_case", "default", default)
        functions.append(default)
    index, last = branch_index.nbflow_tensor(), len(functions) - 1
    if not is_traced(index):
        number = int(index.numpy())
        return functions[number if 0 <= number < last else last]()
    if index.dtype is not int32:
        outside = TABLE["logical_or"](TABLE["less"](index, 0), TABLE["greater"](index, last))
        index = cast(TABLE["select"](outside, cast(to_tensor(last), index.dtype), index), int32)
    titles = [str(k) for k in range(len(functions))]
    return staged_switch(index, [_branch(f) for f in functions], [_NAME], titles)[0]


def _numbered(branch_fns) -> list[Callable]:
    """The functions of switch_case in the order of their numbers."""
    if not branch_fns:
        raise ValueError("Must provide at least one item in 'branch_fns'")
    if not isinstance(branch_fns, (list, tuple, dict)):
        raise TypeError("'branch_fns' must be a list, tuple, or dict")
    pairs: Sequence[Any] = list(branch_fns.items()) if isinstance(branch_fns, dict) else branch_fns
    if all(map(callable, pairs)):
        return list(pairs)
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"Each entry in 'branch_fns' must be a 2-tuple. Received {pair}.")
        if not isinstance(pair[0], int):
            raise TypeError(f"key must be a Python `int`, got {type(pair[0])}")
        if not callable(pair[1]):
            raise TypeError(f"fn for key {pair[0]} must be callable.")
    found = dict(pairs)
    if sorted(k for k, _ in pairs) != list(range(len(pairs))):
        keys = ",".join(map(str, sorted(k for k, _ in pairs)))
        raise ValueError(
            f"branch indices (keys) must form contiguous range of [0 to {len(pairs)}) but found {{{keys}}}"
        )
    return [found[k] for k in range(len(pairs))]


@export("case")
def case(pred_fn_pairs, default=None, exclusive=False, strict=False, name="case"):
    """The result of the first function whose predicate holds (tf.case).

    Args:
        pred_fn_pairs: a list of pairs of a bool scalar tensor and a function without arguments.
        default: the function for when no predicate holds; without one that is an error.
        exclusive: whether it is an error that several predicates hold.
        strict: whether lists and tuples of one element are returned as such, rather than the element.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        What the function returned.

    Raises:
        TypeError: pred_fn_pairs is no list of pairs of a bool tensor and a function.
        ValueError: it is empty.
        InvalidArgumentError: no predicate holds and there is no default, or several hold although exclusive.

    Example:
        >>> import nbflow as nf
        >>> x = nf.constant(3)
        >>> nf.case([(x < 2, lambda: nf.constant(1)), (x < 5, lambda: nf.constant(2))], lambda: nf.constant(3)).numpy()
        np.int32(2)
    """
    predicates, functions = _pairs(pred_fn_pairs, exclusive)
    if exclusive:
        _require_at_most_one(predicates)
    if default is None:
        (*predicates, only), (*functions, last) = predicates, functions

        def default():
            _require(only, "case: no predicate holds, and there is no default")
            return last()

    callable_argument("case", "default", default)

    def chosen(k: int):
        if k == len(functions):
            return _unpacked(default(), strict)
        return cond(predicates[k], lambda: _unpacked(functions[k](), strict), lambda: chosen(k + 1))

    return chosen(0)


def _unpacked(result, strict: bool):
    return result[0] if not strict and isinstance(result, (list, tuple)) and len(result) == 1 else result


def _pairs(pred_fn_pairs, exclusive: bool) -> tuple[list, list]:
    """(predicates, functions) of case."""
    if not isinstance(pred_fn_pairs, (list, tuple, dict)):
        raise TypeError(f"'pred_fn_pairs' must be a list, tuple, or dict. Received: {type(pred_fn_pairs)}")
    if isinstance(pred_fn_pairs, dict):
        if not isinstance(pred_fn_pairs, OrderedDict) and not exclusive:
            raise ValueError(
                "Unordered dictionaries are not supported for the 'pred_fn_pairs' argument when `exclusive=False`"
            )
        pred_fn_pairs = list(pred_fn_pairs.items())
    if not pred_fn_pairs:
        raise ValueError("case: pred_fn_pairs is empty; it takes at least one pair of a predicate and a function")
    for pair in pred_fn_pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"Each entry in 'pred_fn_pairs' must be a 2-tuple. Received {pair}.")
        if not isinstance(pair[0], TensorProtocol):
            raise TypeError(f"pred must be a Tensor, got: {pair[0]}")
        if pair[0].dtype is not bool_:
            raise TypeError(f"pred must be Tensor of type bool: {pair[0]!r}")
        if not callable(pair[1]):
            raise TypeError(f"fn for pred {pair[0]!r} must be callable.")
    return [p.nbflow_tensor() for p, _ in pred_fn_pairs], [f for _, f in pred_fn_pairs]


def _require_at_most_one(predicates: Sequence) -> None:
    total = cast(predicates[0], int32)
    for p in predicates[1:]:
        total = TABLE["add"](total, cast(p, int32))
    _require(TABLE["less_equal"](total, 1), "case: exclusive=True, and more than one predicate holds")


def _require(condition, message: str) -> None:
    """Raises InvalidArgumentError where condition, a bool scalar, does not hold: now, or when the trace runs."""
    if tracing() and is_traced(condition):
        assert_later(condition, [message], None)
    elif not condition.numpy():
        raise InvalidArgumentError(message)
