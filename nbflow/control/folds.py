"""map_fn, scan, foldl and foldr: a function for each slice of some tensors, one after another."""

from collections.abc import Callable, Sequence
from typing import Any

from nbflow import nest
from nbflow.arrays.joining import concat, stack
from nbflow.arrays.shaping import expand_dims
from nbflow.arrays.slicing import unstack
from nbflow.control.structures import as_tensors, callable_argument, check_not_empty, elements_of, tracing
from nbflow.control.tensor_array import TensorArray
from nbflow.dtypes import as_dtype
from nbflow.errors import InvalidDTypeError
from nbflow.function.control import staged_scan
from nbflow.function.signature import TensorSpec
from nbflow.ops.table import TABLE
from nbflow.public import export
from nbflow.tensor.tensor import to_tensor


@export("scan")
def scan(
    fn,
    elems,
    initializer=None,
    parallel_iterations=10,
    back_prop=True,
    swap_memory=False,
    infer_shape=True,
    reverse=False,
    name=None,
):
    """All values that fn makes of a first value and one slice after another (tf.scan).

    Args:
        fn: (value so far, slice of elems) -> the next value, in the structure of the first one.
        elems: a tensor, or nested structure of tensors, of one size along axis 0.
        initializer: the first value, a structure of tensors; by default the first slice of elems.
        parallel_iterations: accepted as TensorFlow's; it has no effect.
        back_prop: False lets no gradient flow through.
        swap_memory: accepted as TensorFlow's; it has no effect.
        infer_shape: accepted as TensorFlow's; values must keep their shapes to be stacked.
        reverse: whether to go from the last slice to the first.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        The values stacked along a new first axis, each where its slice was.

    Raises:
        TypeError: fn cannot be called, or containers of different types meet.
        ValueError: fn returns another structure, or sizes along axis 0 or shapes of values differ.
        InvalidArgumentError: elems is empty and there is no initializer.

    Example:
        >>> import nbflow as nf
        >>> nf.scan(lambda a, x: a + x, nf.constant([1, 2, 3, 4])).numpy()
        array([ 1,  3,  6, 10], dtype=int32)
    """
    return _finished(_Fold("scan", fn, elems, initializer, reverse).scanned(), back_prop)


@export("foldl")
def foldl(fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, name=None):
    """The last value that fn makes of a first value and one slice after another (tf.foldl).

    Args:
        fn: (value so far, slice of elems) -> the next value, in the structure of the first one.
        elems: a tensor, or nested structure of tensors, of one size along axis 0.
        initializer: the first value, a structure of tensors; by default the first slice of elems.
        parallel_iterations: accepted as TensorFlow's; it has no effect.
        back_prop: False lets no gradient flow through.
        swap_memory: accepted as TensorFlow's; it has no effect.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        The last value.

    Raises:
        TypeError: fn cannot be called, or containers of different types meet.
        ValueError: fn returns another structure, or sizes along axis 0 differ.
        InvalidArgumentError: elems is empty and there is no initializer.

    Example:
        >>> import nbflow as nf
        >>> nf.foldl(lambda a, x: a + x, nf.constant([1, 2, 3, 4])).numpy()
        np.int32(10)
    """
    return _finished(_Fold("foldl", fn, elems, initializer, False).last(), back_prop)


@export("foldr")
def foldr(fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, name=None):
    """As foldl, from the last slice to the first (tf.foldr).

    Args:
        fn: (value so far, slice of elems) -> the next value, in the structure of the first one.
        elems: a tensor, or nested structure of tensors, of one size along axis 0.
        initializer: the first value, a structure of tensors; by default the last slice of elems.
        parallel_iterations: accepted as TensorFlow's; it has no effect.
        back_prop: False lets no gradient flow through.
        swap_memory: accepted as TensorFlow's; it has no effect.
        name: accepted as TensorFlow's; it has no effect.

    Returns:
        The last value.

    Raises:
        TypeError, ValueError, InvalidArgumentError: as of foldl.

    Example:
        >>> import nbflow as nf
        >>> nf.foldr(lambda a, x: a - x, nf.constant([1, 2, 3, 4])).numpy()
        np.int32(-2)
    """
    return _finished(_Fold("foldr", fn, elems, initializer, True).last(), back_prop)


@export("map_fn")
def map_fn(
    fn,
    elems,
    dtype=None,
    parallel_iterations=None,
    back_prop=True,
    swap_memory=False,
    infer_shape=True,
    name=None,
    fn_output_signature=None,
):
    """fn applied to each slice of some tensors, one after another (tf.map_fn).

    See nf.vectorized_map for all at once.

    Args:
        fn: slice of elems -> a tensor or nested structure of tensors.
        elems: a tensor, or nested structure of tensors, of one size along axis 0.
        dtype: the old name of fn_output_signature.
        parallel_iterations: accepted as TensorFlow's; it has no effect.
        back_prop: False lets no gradient flow through.
        swap_memory: accepted as TensorFlow's; it has no effect.
        infer_shape: accepted as TensorFlow's; results must have one shape to be stacked.
        name: accepted as TensorFlow's; it has no effect.
        fn_output_signature: dtypes or TensorSpecs in the structure of what fn returns; by default results have the
            structure and dtypes of elems.

    Returns:
        The results of fn stacked along a new first axis.

    Raises:
        TypeError: fn cannot be called, or containers of different types meet.
        ValueError: elems holds no tensor or a scalar, sizes along axis 0 differ, or fn returns another structure.
        InvalidArgumentError: a result has another dtype.

    Example:
        >>> import nbflow as nf
        >>> nf.map_fn(lambda x: x * x, nf.constant([1, 2, 3])).numpy()
        array([1, 4, 9], dtype=int32)
    """
    callable_argument("map_fn", "fn", fn)
    tensors, packed = elements_of("map_fn", elems, ValueError)
    signature = dtype if fn_output_signature is None else fn_output_signature
    form = elems if signature is None else signature
    specs = [TensorSpec(None, t.dtype) for t in tensors] if signature is None else _specs(signature)

    def results_for(slices) -> list:
        found = fn(packed(slices))
        nest.assert_same_structure(form, found)
        return [_result(k, x, spec) for k, (x, spec) in enumerate(zip(nest.flatten(found), specs, strict=True))]

    if tracing():
        _, stacks = staged_scan(lambda slices: ([], results_for(slices)), [], tensors, None, False, [])
    else:
        rows = [results_for(slices) for slices in zip(*map(unstack, tensors), strict=True)]
        stacks = [_stacked("map_fn", [row[k] for row in rows], spec) for k, spec in enumerate(specs)]
    return _finished(nest.pack_sequence_as(form, stacks), back_prop)


def _specs(signature) -> list[TensorSpec]:
    """The specs of map_fn's results.

    Raises:
        TypeError: what stands for one is no dtype and no spec.
    """
    leaves = nest.flatten(signature)
    return [leaf if isinstance(leaf, TensorSpec) else TensorSpec(None, as_dtype(leaf)) for leaf in leaves]


def _result(k: int, value, spec: TensorSpec):
    """One result of map_fn for one slice.

    Raises:
        InvalidArgumentError: it has another dtype.
        ValueError: it has another shape.
    """
    tensor = to_tensor(value, hint=spec.dtype)
    if tensor.dtype is not spec.dtype:
        raise InvalidDTypeError(
            f"map_fn: result {k} of fn is {tensor.dtype.name}, not {spec.dtype.name}; say so with "
            f"fn_output_signature=nf.{tensor.dtype.name}, or use nf.cast"
        )
    if not tensor.shape.is_compatible_with(spec.shape):
        raise ValueError(f"map_fn: result {k} of fn has shape {tensor.shape}; fn_output_signature says {spec.shape}")
    return tensor


def _stacked(op: str, rows: list, spec: TensorSpec):
    """Results of an eager loop as one tensor; those of none have what of their shape is known."""
    if not rows:
        known = not spec.shape.unknown_rank and spec.shape.is_fully_defined()
        return TABLE["broadcast_to"](to_tensor(0, spec.dtype), shape=(0, *spec.shape) if known else (0,))
    for k, row in enumerate(rows):
        if row.shape != rows[0].shape:
            raise ValueError(
                f"{op}: the results for slices 0 and {k} have shapes {rows[0].shape} and {row.shape}; they must be "
                f"equal"
            )
    return stack(rows)


def _finished(structure, back_prop: bool) -> Any:
    if back_prop:
        return structure
    return nest.map_structure(lambda x: x if isinstance(x, TensorArray) else TABLE["stop_gradient"](x), structure)


class _Fold:
    """What scan, foldl and foldr have in common.

    Attributes:
        first: the leaves of the first value.
        tensors: what is sliced for the rounds.
        started: whether the first value is a slice, which then is the first result of a scan too.
    """

    def __init__(self, op: str, fn: Callable, elems, initializer, reverse: bool):
        callable_argument(op, "fn", fn)
        self.op, self.reverse = op, reverse
        tensors, packed = elements_of(op, elems, IndexError)
        self.started = initializer is None
        self._form = form = elems if initializer is None else initializer
        if initializer is None:
            check_not_empty(op, tensors)
            self.first = [t[-1] if reverse else t[0] for t in tensors]
            tensors = [t[:-1] if reverse else t[1:] for t in tensors]
        else:
            self.first = nest.flatten(as_tensors(initializer))
        self.tensors: list = tensors

        def step(values: Sequence, slices: Sequence) -> list:
            following = fn(nest.pack_sequence_as(form, list(values)), packed(slices))
            nest.assert_same_structure(form, following)
            pairs = zip(nest.flatten(following), values, strict=True)
            return [x if isinstance(x, TensorArray) else to_tensor(x, hint=value.dtype) for x, value in pairs]

        self._step = step

    def last(self) -> Any:
        """The value after all rounds."""
        if tracing():
            names = [f"value {k}" for k in range(len(self.first))]
            found, _ = staged_scan(
                lambda slices, *values: (self._step(values, slices), []),
                self.first,
                self.tensors,
                None,
                self.reverse,
                names,
            )
        else:
            found = self.first
            for slices in self._slices():
                found = self._step(found, slices)
        return nest.pack_sequence_as(self._form, found)

    def scanned(self) -> Any:
        """The values after each round, stacked."""
        if tracing():
            stacks = self._staged()
        else:
            rows = [self.first] if self.started else []
            values = self.first
            for slices in self._slices():
                values = self._checked(self._step(values, slices), values)
                rows.append(values)
            if self.reverse:
                rows.reverse()
            specs = [TensorSpec(x.shape, x.dtype) for x in self.first]
            stacks = [_stacked(self.op, [row[k] for row in rows], spec) for k, spec in enumerate(specs)]
        return nest.pack_sequence_as(self._form, stacks)

    def _staged(self) -> list:
        def body(slices, *values):
            following = self._checked(self._step(values, slices), values)
            return following, following

        names = [f"value {k}" for k in range(len(self.first))]
        _, stacks = staged_scan(body, self.first, self.tensors, None, self.reverse, names)
        if not self.started:
            return stacks
        pairs = zip((expand_dims(x, 0) for x in self.first), stacks, strict=True)
        return [concat([rest, first] if self.reverse else [first, rest], 0) for first, rest in pairs]

    def _checked(self, following: list, values: Sequence) -> list:
        """The next values, of the dtypes and shapes of those before."""
        for k, (x, before) in enumerate(zip(following, values, strict=True)):
            if x.dtype is not before.dtype:
                raise InvalidDTypeError(
                    f"{self.op}: value {k} is {before.dtype.name}, and fn makes {x.dtype.name} of it; use nf.cast"
                )
            if not x.shape.is_compatible_with(before.shape):
                raise ValueError(
                    f"{self.op}: value {k} has shape {before.shape}, and fn makes {x.shape} of it; to be stacked, "
                    f"values must keep their shape"
                )
        return following

    def _slices(self) -> list[tuple]:
        rows = list(zip(*map(unstack, self.tensors), strict=True))
        return rows[::-1] if self.reverse else rows
