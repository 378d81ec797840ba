"""nf.kernel: a function over arrays that Numba compiles, as an op with kernels of its own."""

import functools
import inspect
import itertools
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import cfunc
from numba.core import config as numba_config
from numba.core.errors import NumbaError
from numba.extending import intrinsic

from nbflow.compiler.graph import Aval, Node, aval
from nbflow.compiler.kernels import ALL, SLAB, Call, namespace
from nbflow.compiler.op import Op
from nbflow.custom.portable import NotPortable, portable
from nbflow.dtypes import COMPLEX, FULL, INTEGER, DType, as_dtype, bool_
from nbflow.errors import InvalidArgumentError, InvalidDTypeError
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.runtime import intrinsics, native
from nbflow.shapes import Dim, could_be_equal
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.tensor import argument

DTYPES = (*FULL, *INTEGER, *COMPLEX, bool_)
NS_PER_ELEMENT = 1.0
_numbers = itertools.count(2)
_in_memory: dict[str, Any] = {}  # compiled kernels that are not on disk, by name


@dataclass(frozen=True, slots=True)
class Spec:
    """What a shape rule sees of an array, and may return.

    Attributes:
        shape: a tuple of sizes.
        dtype: of the elements.
    """

    shape: tuple
    dtype: DType


def _read_only(typingctx, array):
    """The array as one that Numba compiles no writes to: an input, whose memory others may hold."""
    return array.copy(readonly=True)(array), lambda context, builder, signature, args: args[0]


def _python_read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


read_only = _python_read_only if numba_config.DISABLE_JIT else intrinsic(_read_only)


def _names(function: Callable) -> tuple[list[str], list[str], dict[str, Any], bool]:
    """The names of a kernel function's inputs and outputs, its numbers with defaults, and whether it takes rows."""
    name = function.__name__
    parameters = list(inspect.signature(function).parameters.values())
    wrong = [p.name for p in parameters if p.kind is not p.POSITIONAL_OR_KEYWORD]
    if wrong:
        raise TypeError(f"nf.kernel: {name} has parameters {wrong} that are not plain ones; *, ** and / are not taken")
    numbers = {p.name: p.default for p in parameters if p.default is not p.empty}
    for key, value in numbers.items():
        if not isinstance(value, (bool, int, float)):
            raise TypeError(f"nf.kernel: {name} has the default {key}={value!r}; defaults are numbers")
    arrays = [p.name for p in parameters if p.name not in numbers and p.name not in ("begin", "end")]
    outputs = [a for a in arrays if a.startswith("out")]
    rows = [p.name for p in parameters if p.name in ("begin", "end")]
    if len(rows) == 1:
        raise TypeError(f"nf.kernel: {name} takes {rows[0]} alone; it takes both begin and end, or neither")
    if not outputs or len(outputs) == len(arrays):
        raise TypeError(
            f"nf.kernel: {name}({', '.join(p.name for p in parameters)}) needs inputs and at least one result; results "
            f"are the parameters whose names begin with out: def {name}(x, out)"
        )
    return [a for a in arrays if a not in outputs], outputs, numbers, bool(rows)


def _taken(function: Callable, values: dict) -> dict:
    """Those of the values that a function has a parameter for."""
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in values.items() if name in parameters}


class Kernel:
    """What nf.kernel makes of a function: an op, to be called with tensors and numbers.

    Attributes:
        function: the function as it was written, for NumPy arrays.
    """

    def __init__(self, function: Callable, infer: Callable | None, vjp: Callable | None, checked: bool, cost: float):
        self.function, self._infer, self._cost = function, infer, cost
        self._inputs, self._outputs, self._defaults, self._rows = _names(function)
        self._parameters = list(inspect.signature(function).parameters)
        self._vjp: Callable | None = vjp
        options = f"error_model='numpy', boundscheck={checked}"
        self._decorator = f"numba.njit({options})"
        try:
            self._source: str | None = portable(function, "array_function")
        except NotPortable:
            self._source = None
        self._compiled = numba.njit(error_model="numpy", boundscheck=checked)(getattr(function, "py_func", function))
        functools.update_wrapper(self, function)
        name = function.__name__
        unique = name if name not in TABLE and name not in _in_use else f"{name}_{next(_numbers)}"
        _in_use.add(unique)
        self._op = Op(unique, tuple(self._inputs), self._avals, lower=self._lower, dtypes=DTYPES)
        self._op.vjp = None if vjp is None else self._rule
        parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in self._inputs]
        parameters += [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=v) for n, v in self._defaults.items()
        ]
        self._signature = inspect.Signature(parameters)

    # --- calls --------------------------------------------------------------------------------------------------

    def __call__(self, *args, **kwargs):
        """Applies the kernel; see nf.kernel."""
        name = self.function.__name__
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}: {error}; it takes {self._signature}") from None
        values = [bound.arguments[n] for n in self._inputs]
        hint = next((v.dtype for v in values if isinstance(v, TensorProtocol)), None)
        tensors = [
            v if isinstance(v, TensorProtocol) else argument(name, n, v, hint)
            for n, v in zip(self._inputs, values, strict=True)
        ]
        return self._op(*tensors, **{n: self._number(n, bound.arguments.get(n, v)) for n, v in self._defaults.items()})

    def _number(self, name: str, value):
        """A number of the kind of its default."""
        value = value.item() if isinstance(value, np.generic) else value
        kind = type(self._defaults[name])
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise TypeError(
                f"{self.function.__name__}: {name} is {value!r:.200}; it takes a Python {kind.__name__}. What changes "
                f"from call to call, or has a gradient, is an input: a parameter without default."
            )
        return kind(value)

    def gradient(self, function: Callable) -> Callable:
        """Gives the kernel its gradient, as a decorator; see `vjp` of nf.kernel."""
        self._vjp, self._op.vjp = function, self._rule
        return function

    def _rule(self, k: int, gradient, inputs, output, attrs):
        """The gradient rule as the op table has it."""
        assert self._vjp is not None
        if isinstance(gradient, tuple):
            gradient = tuple(TABLE["zeros_like"](y) if g is None else g for g, y in zip(gradient, output, strict=True))
        found = self._vjp(gradient, *inputs, **_taken(self._vjp, {**attrs, "output": output}))
        found = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        name = self.function.__name__
        if len(found) != len(inputs):
            raise ValueError(f"{name}: its gradient gave {len(found)} values for {len(inputs)} inputs")
        g, x = found[k], inputs[k]
        if isinstance(g, TensorProtocol) and not could_be_equal(g.nbflow_shape, x.nbflow_shape):
            raise ValueError(f"{name}: its gradient for {self._inputs[k]} has shape {g.shape}, not {x.shape}")
        return g

    # --- shapes -------------------------------------------------------------------------------------------------

    def _avals(self, avals: Sequence[Aval], attrs: dict):
        name = self.function.__name__
        for given, a in zip(self._inputs, avals, strict=True):
            if a.dtype not in DTYPES:
                raise InvalidDTypeError(
                    f"{name}: {given} has dtype {a.dtype.name}; kernels take {', '.join(d.name for d in DTYPES)}. "
                    f"Use nf.cast."
                )
        first = Spec(avals[0].shape, avals[0].dtype)
        if self._infer is None:
            found = [first] * len(self._outputs)
        else:
            result = self._infer(*(Spec(a.shape, a.dtype) for a in avals), **_taken(self._infer, attrs))
            found = [result] if len(self._outputs) == 1 else list(result)
        if len(found) != len(self._outputs):
            raise InvalidArgumentError(f"{name}: infer gave {len(found)} shapes for {len(self._outputs)} results")
        results = [self._aval(spec, first.dtype) for spec in found]
        if self._rows and len({r.shape[:1] for r in results}) != 1:
            raise InvalidArgumentError(f"{name}: with begin and end, all results have the same number of rows")
        if self._rows and not results[0].shape:
            raise InvalidArgumentError(
                f"{name}: the result is a scalar, so there are no rows for begin and end to share"
            )
        return results[0] if len(results) == 1 else tuple(results)

    def _aval(self, spec, dtype: DType) -> Aval:
        """A result of the shape rule: a shape, or something with shape and dtype."""
        shape = getattr(spec, "shape", spec)
        dtype = as_dtype(getattr(spec, "dtype", dtype))
        sizes = tuple(shape) if not isinstance(shape, (int, Dim)) else (shape,)
        if not all(isinstance(n, Dim) or (isinstance(n, int) and n >= 0) for n in sizes) or dtype not in DTYPES:
            raise InvalidArgumentError(f"{self.function.__name__}: infer gave {spec!r}; it gives a shape, or a Spec")
        return aval(dtype, sizes)

    # --- kernels ------------------------------------------------------------------------------------------------

    def _lower(self, node: Node, lowering) -> None:
        if not any(v.aval.size for v in node.outputs):
            return
        words: list = []
        touches: list[tuple] = []
        rows = node.outputs[0].shape[0] if self._rows else 1
        for value in node.inputs:
            address, touch = lowering.dense(lowering.place(value), value.shape)
            words += [address, *value.shape]
            touches.append(touch)
        for value in node.outputs:
            words += [lowering.address(value), *value.shape]
            how, unit = (SLAB, value.aval.nbytes // rows) if self._rows else (ALL, 0)
            touches.append(lowering.writes(value, how, unit))
        for name, default in self._defaults.items():
            value = node.attrs[name]
            words.append(struct.unpack("q", struct.pack("d", value))[0] if isinstance(default, float) else int(value))
        cell, touch = lowering.failure(node, lambda bad: self._failure(node))
        cost = 50 + self._cost * sum(v.aval.size for v in (*node.inputs, *node.outputs))
        kernel = self._kernel([*node.inputs, *node.outputs])
        lowering.calls.append(Call(kernel, [*words, cell], rows, [*touches, touch], cost))

    def _failure(self, node: Node) -> str:
        given = ", ".join(f"{v.dtype.name}{list(v.shape)}" for v in node.inputs)
        name = self.function.__name__
        return (
            f"{name}: it raised an exception on {given}: an index out of bounds, or an error of its own. "
            f"{name}.function is the Python function: call it on NumPy arrays to see where."
        )

    def _kernel(self, values: list) -> native.Loaded:
        """The kernel for arrays of the values' dtypes and ranks."""
        name = self.function.__name__
        arrays = [*self._inputs, *self._outputs]
        lines, word = [], 0
        for array, value in zip(arrays, values, strict=True):
            sizes = ", ".join(f"word(p, {word + 1 + axis})" for axis in range(len(value.shape)))
            sizes += "," * (len(value.shape) == 1)
            made = f"carray(pointer({value.dtype.code}, word(p, {word})), ({sizes}))"
            lines.append(f"{array} = {made if array in self._outputs else f'read_only({made})'}")
            word += 1 + len(value.shape)
        for number, default in self._defaults.items():
            read = f"load(f64, p, {word}, 0)" if isinstance(default, float) else f"word(p, {word})"
            lines.append(f"{number} = {read}{' != 0' if isinstance(default, bool) else ''}")
            word += 1
        types = ", ".join(f"{v.dtype.name}[{','.join(':' * len(v.shape))}]" for v in values)
        lines += ["try:", f"    {name}({', '.join(self._parameters)})", "except Exception:"]
        lines.append(f"    set_word(word(p, {word}), 0, 1)")
        head = f'def {{name}}(p, begin, end):\n    """{name} on {types}"""\n'
        body = head + "".join(f"    {line}\n" for line in lines)
        names = {**namespace(), "read_only": read_only}
        try:
            if self._source is None:
                return _compile_in_memory(name, body, {**names, name: self._compiled})
            source = f"import numba\n\narray_function = {self._decorator}\n\n\n{self._source}{body}"
            return native.kernel(name, source, names)
        except NumbaError as error:
            raise TypeError(f"{name}: Numba cannot compile it for {types}:\n{error}") from None

    def __repr__(self) -> str:
        return f"<nf.kernel {self.function.__name__}{self._signature}>"


_in_use: set[str] = set()  # names of kernels' ops


def _compile_in_memory(stem: str, source: str, names: dict) -> native.Loaded:
    """A kernel around a function that has no source, or uses what cannot be written down; it lives in this process."""
    function = names[stem]
    name = f"{native.unique_name(stem, source)}_{id(function):x}"
    if name not in _in_memory:
        text = source.replace("{name}", name)
        scope = dict(names)
        exec(compile(text, f"<nbflow kernel {name}>", "exec"), scope)
        if numba_config.DISABLE_JIT:
            intrinsics.PYTHON_KERNELS.append(scope[name])
            loaded = native.Loaded(name, text, len(intrinsics.PYTHON_KERNELS) - 1, "python")
        else:
            compiled = cfunc(native.KERNEL_SIGNATURE, error_model="numpy")(scope[name])
            loaded = native.Loaded(name, text, compiled.address, "compiled")
            scope["compiled"] = compiled
        _in_memory[name] = (loaded, scope, function)
    return _in_memory[name][0]


@export("kernel")
def kernel(
    function: Callable | None = None,
    *,
    infer: Callable | None = None,
    vjp: Callable | None = None,
    checked: bool = True,
    cost: float = NS_PER_ELEMENT,
) -> Any:
    """Makes an op of a function over arrays that Numba can compile; used as a decorator.

    The function gets NumPy-like arrays: its inputs, which it must not write to, and its results, all of which it must
    fill. It works on tensors, Variables and arrays, eagerly and in nf.function, and on tapes if it has a gradient.
    See docs/custom-ops.md.

    Args:
        function: parameters whose names begin with `out` are results, those with a default are numbers, `begin` and
            `end` are rows, the others are inputs. With begin and end it fills only the rows [begin, end) of its results
            (it may read all of the inputs), and threads share the rows.
        infer: the shape rule: gets a Spec (shape, dtype) for each input, and by name the numbers that it has parameters
            for; gives the result's shape, or a TensorSpec, or a list of them for several results. By default results
            are like the first input.
        vjp: the gradient rule: gets the gradient of the result (a tuple for several), the inputs, and by name the
            numbers, and the result as `output`, that it has parameters for; gives a tuple of gradients for the inputs,
            None where there is none, or one gradient for one input. It is made of nf ops and other kernels. See also
            Kernel.gradient.
        checked: whether an index out of bounds raises InvalidArgumentError. Without the check loops are faster, and
            such an index reads or writes anywhere.
        cost: nanoseconds for an element of inputs and results, which decides over threads.

    Returns:
        A Kernel.

    Raises:
        TypeError: its parameters do not fit.

    Example:
        >>> import nbflow as nf
        >>> @nf.kernel
        ... def smooth(x, out, begin, end):
        ...     for i in range(begin, end):
        ...         out[i] = 0.5 * (x[max(i - 1, 0)] + x[min(i + 1, x.shape[0] - 1)])
        >>> y = smooth(nf.constant([1.0, 2.0, 4.0]))
    """
    if function is None:
        return lambda f: kernel(f, infer=infer, vjp=vjp, checked=checked, cost=cost)
    return Kernel(function, infer, vjp, checked, cost)
