"""py_function and numpy_function: Python functions as a part of compiled ones."""

import functools
import itertools
import weakref
from collections.abc import Callable, Sequence
from contextlib import contextmanager

import numpy as np

from nbflow.compiler.graph import Aval, aval
from nbflow.dtypes import DType, as_dtype, int64
from nbflow.errors import InvalidArgumentError
from nbflow.function.signature import TensorSpec
from nbflow.function.trace import init_scope
from nbflow.ops.outside import CALL, PURE_CALL
from nbflow.public import export
from nbflow.shapes import AnyShape, Dim, TensorShape
from nbflow.tape.gradient_tape import GradientTape, has_gradient
from nbflow.tensor.state import state
from nbflow.tensor.tensor import Tensor, apply, argument, from_numpy, to_tensor
from nbflow.tensor.variable import Variable

_tokens = itertools.count()


def _result_aval(dtype: DType, shape: TensorShape) -> Aval:
    """What is known of a result; sizes that are not known have new names."""
    if shape.unknown_rank:
        return aval(dtype, (AnyShape.fresh("call"),))
    return aval(dtype, tuple(Dim.fresh("call") if n is None else n for n in shape))


class PythonCall:
    """A Python function as an attribute of a node.

    Attributes:
        name: of the public function, for errors.
        function: (tensors...) -> what the user's function returns.
        specs: (dtype, shape) of each result.
        taped: whether gradients are asked for: calls then keep their tape until the program has no more use for it.
        variables: those that the program has assigned to before. Their values are further inputs, which they have while
            the function runs; what they are then are further results.
    """

    def __init__(self, name: str, function: Callable, specs: Sequence[tuple[DType, TensorShape]]):
        self.name, self.function, self.specs, self.taped = name, function, list(specs), False
        self.variables: tuple[Variable, ...] = ()
        self._tapes: dict[int, tuple] = {}

    def infer(self, avals: Sequence[Aval]) -> tuple[Aval, ...]:
        """The results: the function's, those of variables, and a number that says which call it was."""
        results = [*self.specs, *((v.dtype, v.shape) for v in self.variables)]
        return (*(_result_aval(*spec) for spec in results), aval(int64, ()))

    def __call__(self, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Runs the function on copies of memory: it may keep its arguments, or assign to its Variables."""
        tensors = [from_numpy(a) for a in arrays]
        count = len(tensors) - len(self.variables)
        with init_scope(), _holding(self.variables, tensors[count:]):
            results, token = self.run(tensors[:count])
            after = [v._tensor for v in self.variables]
        if self.taped and state.kept is not None:
            state.kept.append(token)  # which a loop may copy
        return (*(t._view() for t in (*results, *after)), token)

    def run(self, inputs: list[Tensor]) -> tuple[list[Tensor], np.ndarray]:
        """The results for tensors, and the number of the call; as long as that array lives, so does the call's tape."""
        token = np.array(next(_tokens))
        if not self.taped:
            return self._results(inputs), token
        with GradientTape(persistent=True) as tape:
            tape.watch([t for t in inputs if has_gradient(t)])
            results = self._results(inputs)
        self._tapes[int(token)] = tape, inputs, results
        weakref.finalize(token, self._tapes.pop, int(token), None)
        return results, token

    def _results(self, inputs: list[Tensor]) -> list[Tensor]:
        found = self.function(*inputs)
        several = isinstance(found, (list, tuple)) and (len(found) == 1 or len(self.specs) != 1)
        values = list(found) if several else [] if found is None else [found]
        if not self.specs:
            return []
        if len(values) != len(self.specs):
            raise InvalidArgumentError(
                f"{self.name}: the function returned {len(values)} values; Tout says {len(self.specs)}"
            )
        return [self._result(k, value) for k, value in enumerate(values)]

    def _result(self, number: int, value) -> Tensor:
        dtype, shape = self.specs[number]
        try:
            tensor = to_tensor(value, dtype)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"{self.name}: value {number} that the function returned: {error}") from None
        if not shape.is_compatible_with(tensor.shape):
            raise InvalidArgumentError(
                f"{self.name}: value {number} that the function returned has shape {tensor.shape}; Tout says {shape}"
            )
        return tensor

    # --- gradients ----------------------------------------------------------------------------------------------

    def gradients(self, upstream: list, inputs: Sequence, outputs: Sequence, wanted: Sequence[bool]) -> list:
        """The gradients for the inputs, as the rule of an op gives them."""
        own = inputs[: len(inputs) - len(self.variables)]
        numbers = [k for k, x in enumerate(own) if wanted[k] and has_gradient(x)]
        given = [k for k in range(len(self.specs) or len(upstream)) if upstream[k] is not None]
        if not numbers or not given:
            return [None] * len(inputs)
        self.taped = True
        call = GradientCall(self, len(own), numbers, given)
        found = iter(applied(call, [outputs[-1], *own, *(upstream[k] for k in given)], effect=False))
        return [next(found) if k in numbers else None for k in range(len(inputs))]

    def tape_of(self, token: int) -> tuple | None:
        """(tape, inputs, results) of a call, if it is still there."""
        return self._tapes.get(token)


class GradientCall(PythonCall):
    """The gradient of a PythonCall: (number of the call, its inputs, upstream gradients) -> gradients of inputs.

    Args:
        count: how many inputs the call has.
        numbers: of the inputs whose gradients are wanted.
        given: the numbers of the results that have upstream gradients.
    """

    def __init__(self, call: PythonCall, count: int, numbers: list[int], given: list[int]):
        super().__init__(call.name, self._anew, ())
        self._call, self._count, self._numbers, self._given = call, count, numbers, given

    def infer(self, avals):
        """Gradients have the shapes of the inputs."""
        return (*(avals[1 + k] for k in self._numbers), aval(int64, ()))

    def _results(self, inputs):
        token, *rest = inputs
        known = None if self.taped else self._call.tape_of(int(token))  # a gradient of this needs a tape around it
        return self._anew(*inputs) if known is None else self._gradients(known, rest[self._count :])

    def _anew(self, token, *rest) -> list[Tensor]:
        inputs = list(rest[: self._count])
        with GradientTape(persistent=True) as tape:
            tape.watch([t for t in inputs if has_gradient(t)])
            results = self._call._results(inputs)
        return self._gradients((tape, inputs, results), rest[self._count :])

    def _gradients(self, known: tuple, upstream: Sequence) -> list[Tensor]:
        tape, inputs, results = known
        return tape.gradient(
            [results[k] for k in self._given],
            [inputs[k] for k in self._numbers],
            output_gradients=list(upstream),
            unconnected_gradients="zero",
        )


class NumpyCall(PythonCall):
    """A function of NumPy arrays, which has no gradient."""

    def run(self, inputs):
        """The results for tensors."""
        return self._results([t.numpy() for t in inputs]), np.array(0)

    def _result(self, number, value):
        dtype, _ = self.specs[number]
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype != dtype.np:
            raise InvalidArgumentError(
                f"{self.name}: value {number} that the function returned is {value.dtype}; Tout says {dtype.name}"
            )
        return super()._result(number, value)

    def gradients(self, upstream, inputs, outputs, wanted):
        """None: a NumPy function has no gradient."""
        return [None] * len(inputs)


def applied(call: PythonCall, inputs: list, effect: bool = True) -> tuple:
    """The results of a call, which runs at once or becomes a node; and the number of the call."""
    op, attrs, trace = CALL if effect else PURE_CALL, {"call": call}, state.trace
    if trace is not None:
        call.variables = tuple(trace.pending()) if effect else ()
        results = apply(op, [*inputs, *map(trace.read, call.variables)], attrs)
        results = results if isinstance(results, tuple) else (results,)
        own = len(results) - 1 - len(call.variables)
        for variable, value in zip(call.variables, results[own:-1], strict=True):
            trace.assign(variable, value)
        return (*results[:own], results[-1])
    tapes = state.tapes
    call.taped = call.taped or any(tape.watches(t) for tape in tapes if hasattr(tape, "watches") for t in inputs)
    with init_scope():
        results, token = call.run(inputs)
    found = (*(_own(t, inputs) for t in results), from_numpy(token, copy=False))
    for tape in tapes:
        tape.record(op, inputs, found, attrs)
    return found


@contextmanager
def _holding(variables: Sequence[Variable], tensors: Sequence[Tensor]):
    """A block in which Variables have the values that they have at this point of a program, which sets them later."""
    before = [v._tensor for v in variables]
    try:
        for variable, tensor in zip(variables, tensors, strict=True):
            variable._tensor = tensor
        yield
    finally:
        for variable, tensor in zip(variables, before, strict=True):
            variable._tensor = tensor


def _own(result: Tensor, inputs: list) -> Tensor:
    """A result as an object of its own: tapes tell tensors apart by identity."""
    return from_numpy(result._view(), result.dtype, copy=False)


def _checked(name: str, func, inp, Tout) -> None:
    if Tout is None:
        raise TypeError(f"{name}: Tout is missing: the dtype of what the function returns, or a list of dtypes")
    if func is None and inp is not None:
        raise TypeError(f"{name}: as a decorator it takes no inp; the decorated function takes the tensors")
    if func is not None and inp is None:
        raise TypeError(f"{name}: inp is missing: the list of tensors that the function takes")
    if func is not None and not callable(func):
        raise ValueError(f"{name}: func is {func!r:.100}; it takes a function")


def _specs(name: str, Tout) -> list[tuple[DType, TensorShape]]:
    return [
        (spec.dtype, spec.shape) if isinstance(spec, TensorSpec) else (as_dtype(spec), TensorShape(None))
        for spec in (Tout if isinstance(Tout, (list, tuple)) else [Tout])
    ]


def _public(name: str, kind: type[PythonCall], func, inp, Tout, effect: bool = True):
    _checked(name, func, inp, Tout)
    if func is None:

        def decorate(function):
            @functools.wraps(function)
            def wrapper(*args):
                return _public(name, kind, function, args, Tout, effect)

            return wrapper

        return decorate
    values = inp if isinstance(inp, (list, tuple)) else [inp]
    inputs = [argument(name, f"inp[{k}]", x) for k, x in enumerate(values)]
    results = applied(kind(name, func, _specs(name, Tout)), inputs, effect)[:-1]
    return list(results) if isinstance(Tout, (list, tuple)) else results[0]


@export("py_function")
def py_function(func=None, inp=None, Tout=None, name=None):
    """Calls a Python function, on eager tensors, as a part of a compiled function (tf.py_function).

    The function runs each time that the program comes there, after the effects before it and before those after it. It
    may do what it likes, call compiled functions too. Gradients flow through what it computes from its arguments.
    Variables have the values in it that the program has given them so far. What it assigns to a Variable is seen by the
    program if it has assigned to the Variable too, before; else from the next call on.

    Args:
        func: the function; it gets an eager tensor for each of inp. Without it a decorator is returned.
        inp: a list of tensors.
        Tout: the dtype of the result, or a list of dtypes, [] for none. A nf.TensorSpec in place of a dtype says the
            shape too. Without it the shape is unknown in a compiled function: `set_shape` or `nf.ensure_shape` say it
            before ops use the result.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor; a list of them if Tout is a list.

    Raises:
        InvalidArgumentError: the function returned another number of values, another dtype or another shape.
        TypeError: Tout or inp is missing.

    Example:
        >>> import nbflow as nf
        >>> @nf.function
        ... def f(x):
        ...     y = nf.py_function(lambda x: x * 2 if x > 0 else -x, [x], nf.TensorSpec([], nf.float32))
        ...     return y + 1
        >>> f(nf.constant(3.0))
        <nf.Tensor: shape=(), dtype=float32, numpy=7.0>
    """
    return _public("py_function", PythonCall, func, inp, Tout)


@export("numpy_function")
def numpy_function(func=None, inp=None, Tout=None, stateful=True, name=None):
    """Calls a Python function, on NumPy arrays, as a part of a compiled function (tf.numpy_function).

    As py_function, but the function gets arrays of its own, and gradients do not flow through it.

    Args:
        func: the function; it gets a NumPy array for each of inp. Without it a decorator is returned.
        inp: a list of tensors.
        Tout: the dtype of the result, or a list of dtypes; a nf.TensorSpec says the shape too.
        stateful: False says that the function only computes its results: it may then run less often, and in any order.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        A tensor; a list of them if Tout is a list.

    Raises:
        InvalidArgumentError: the function returned another number of values, another dtype or another shape.
        TypeError: Tout or inp is missing.

    Example:
        >>> import numpy as np, nbflow as nf
        >>> nf.numpy_function(np.sort, [nf.constant([2.0, 1.0])], nf.float32)
        <nf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>
    """
    return _public("numpy_function", NumpyCall, func, inp, Tout, bool(stateful))
