"""What identifies a call for tracing: structure, dtypes and shapes of tensors, values of everything else."""

import inspect
import weakref
from collections.abc import Sequence

import numpy as np

from nbflow.compiler.graph import Aval, aval
from nbflow.dtypes import DType, as_dtype
from nbflow.errors import InvalidArgumentError
from nbflow.function.structure import flatten, paths, unflatten
from nbflow.shapes import Dim, TensorShape
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.string_tensor import StringTensor
from nbflow.tensor.tensor import Tensor, to_tensor
from nbflow.tensor.variable import Variable


class TensorSpec:
    """The dtype and shape that a tensor argument must have (tf.TensorSpec).

    Args:
        shape: sizes, None for one that may be anything; None alone for any rank.
        dtype: of the elements.
        name: of the argument, for messages.

    Example:
        >>> import nbflow as nf
        >>> nf.TensorSpec([None, 3])
        TensorSpec(shape=(None, 3), dtype=nf.float32, name=None)
    """

    __slots__ = ("dtype", "name", "shape")

    def __init__(self, shape=(), dtype="float32", name=None):
        self.shape, self.dtype, self.name = TensorShape(shape), as_dtype(dtype), name

    @classmethod
    def from_tensor(cls, tensor, name=None) -> "TensorSpec":
        """The spec that describes a tensor."""
        return cls(tensor.shape, tensor.dtype, name)

    @classmethod
    def from_spec(cls, spec, name=None) -> "TensorSpec":
        """A spec like another, under another name."""
        return cls(spec.shape, spec.dtype, name or spec.name)

    def is_compatible_with(self, other) -> bool:
        """Whether a tensor or spec has this dtype and a shape that fits."""
        return self.dtype is other.dtype and self.shape.is_compatible_with(other.shape)

    def __eq__(self, other):
        return isinstance(other, TensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self):
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name!r})"


class ByIdentity:
    """A key part for an object that is equal to itself only; dead once the object is."""

    __slots__ = ("_hash", "_reference")

    def __init__(self, target):
        self._hash = id(target)
        try:
            self._reference = weakref.ref(target)
        except TypeError:
            self._reference = lambda: target

    @property
    def target(self):
        """The object, None once it is gone."""
        return self._reference()

    def __hash__(self):
        return self._hash

    def __eq__(self, other):
        return isinstance(other, ByIdentity) and self._reference() is other._reference() is not None


def key_of(value):
    """How a value that is no tensor counts in a signature."""
    if type(value) in (float, complex):
        return type(value), repr(value)  # 0.0 is not -0.0, and nan is nan
    if value is None or type(value) in (bool, int, str, bytes, DType):
        return type(value), value
    try:
        hash(value)
    except TypeError:
        return ByIdentity(value)
    return ByIdentity(value) if type(value).__hash__ is object.__hash__ else (type(value), value)


class Arguments:
    """The arguments of one call, flattened.

    Attributes:
        structure: how to put the leaves together again: (args, kwargs).
        leaves: of the arguments; tensors and arrays as eager Tensors.
        is_tensor: for each leaf whether it is a tensor or a TensorSpec.
        avals: of those, as the trace sees them: dense.
        parts: for each leaf what counts of it: the Aval of a tensor, a key of anything else.
        key: equal for calls that need the same trace.
    """

    __slots__ = ("avals", "is_tensor", "key", "leaves", "parts", "structure")

    def __init__(self, args: tuple, kwargs: dict):
        leaves, self.structure = flatten((args, kwargs))
        self.leaves: list = []
        self.is_tensor: list[bool] = []
        self.avals: list[Aval] = []
        self.parts: list = []
        for leaf in leaves:
            found = None
            if isinstance(leaf, (np.ndarray, np.generic)) or (
                isinstance(leaf, TensorProtocol) and not isinstance(leaf, (Variable, StringTensor))
            ):
                leaf = to_tensor(leaf)
                found = aval(leaf._aval.dtype, leaf._aval.shape)
            elif isinstance(leaf, TensorSpec):
                (found,) = spec_avals([leaf], first=len(self.avals))
            if found is not None:
                self.avals.append(found)
                self.parts.append(found)
            else:
                self.parts.append(ByIdentity(leaf) if isinstance(leaf, Variable) else key_of(leaf))
            self.is_tensor.append(found is not None)
            self.leaves.append(leaf)
        self.key = (self.structure, *self.parts)

    @property
    def tensors(self) -> list[Tensor]:
        """The leaves that are tensors."""
        return [leaf for leaf, is_tensor in zip(self.leaves, self.is_tensor, strict=True) if is_tensor]

    @property
    def kind(self) -> tuple:
        """What calls that differ in sizes alone have in common."""
        return self.structure, *(((p.dtype, len(p.shape)) if isinstance(p, Aval) else p) for p in self.parts)

    def rebuilt(self, tensors: Sequence) -> tuple[tuple, dict]:
        """(args, kwargs) with others in place of the tensors."""
        replacements = iter(tensors)
        leaves = [
            next(replacements) if is_tensor else leaf
            for leaf, is_tensor in zip(self.leaves, self.is_tensor, strict=True)
        ]
        return unflatten(self.structure, leaves)

    def names(self, signature: inspect.Signature) -> list[str]:
        """For each leaf how it is reached from the function's arguments: "x", "options['k']", "rest[0]"."""
        named = []
        positional = [p for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
        for where, first, *rest in paths(self.structure):
            if where == 1:
                name = str(first)
            elif positional and (
                first >= len(positional) or positional[first].kind is positional[first].VAR_POSITIONAL
            ):
                last = positional[-1]
                name = f"{last.name}[{first - len(positional) + 1}]"
            else:
                name = positional[first].name if positional else f"args[{first}]"
            named.append(name + "".join(f"[{step!r}]" for step in rest))
        return named


def with_defaults(name: str, signature: inspect.Signature, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Arguments by position as far as possible, defaults filled in, so that equal calls have equal keys.

    Raises:
        TypeError: the function does not take them.
    """
    values, named = list(args), 0
    for position, parameter in enumerate(signature.parameters.values()):  # bind does the same in 8 us
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            break
        if position < len(args):
            continue
        if parameter.name in kwargs:
            named += 1
        elif parameter.default is parameter.empty:
            break
        values.append(kwargs.get(parameter.name, parameter.default))
    else:
        if named == len(kwargs) and len(values) == len(signature.parameters):
            return tuple(values), {}
    bound = _bound(name, signature, args, kwargs)
    bound.apply_defaults()
    return bound.args, bound.kwargs


def _bound(name: str, signature: inspect.Signature, args: tuple, kwargs: dict) -> inspect.BoundArguments:
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{name}{signature}: {error}") from None


def check_specs(specs) -> tuple | None:
    """An input signature as a tuple.

    Raises:
        TypeError: it is no sequence of (nested structures of) TensorSpecs.
    """
    if specs is None:
        return None
    if not isinstance(specs, (list, tuple)):
        raise TypeError(
            f"nf.function: input_signature is {specs!r}; it takes a list with a nf.TensorSpec for each argument"
        )
    for spec in specs:
        if spec is None or not all(isinstance(leaf, TensorSpec) for leaf in flatten(spec)[0]):
            raise TypeError(f"nf.function: input_signature must be made of nf.TensorSpec, got {spec!r}")
    return tuple(specs)


def spec_avals(specs, tensors: Sequence[Tensor] = (), first: int = 0) -> list[Aval]:
    """The Avals of TensorSpecs; each None becomes a symbolic dimension of its own, numbered from argument `first`.

    Args:
        tensors: what specs of unknown rank take their ranks from.

    Raises:
        InvalidArgumentError: a rank is not known.
    """
    found = []
    for position, spec in enumerate(flatten(specs)[0]):
        shape: Sequence = spec.shape
        if spec.shape.unknown_rank:
            if not tensors:
                raise InvalidArgumentError(f"{spec!r} has no rank to trace for; call the function, or give a rank")
            shape = (None,) * tensors[position].ndim
        sizes = (Dim(f"d{first + position}_{axis}") if n is None else n for axis, n in enumerate(shape))
        found.append(aval(spec.dtype, tuple(sizes)))
    return found


def match_specs(name: str, specs, args: tuple) -> list[Tensor]:
    """Arguments as tensors that fit an input signature.

    Raises:
        TypeError: one does not fit, or the structure differs.
    """
    wanted, structure = flatten(tuple(specs))
    try:
        leaves = structure.flatten_up_to(tuple(args))
    except ValueError:
        raise TypeError(f"{name}: the arguments {args!r:.300} do not have the structure of {tuple(specs)!r}") from None
    tensors = []
    for position, (leaf, spec) in enumerate(zip(leaves, wanted, strict=True)):
        try:
            tensor = to_tensor(leaf, hint=spec.dtype)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name}: argument {spec.name or position} cannot be a {spec!r}: {error}") from None
        if not spec.is_compatible_with(tensor):
            raise TypeError(
                f"{name}: argument {spec.name or position} has shape {tensor.shape} and dtype {tensor.dtype.name}; "
                f"its signature is {spec!r}"
            )
        tensors.append(tensor)
    return tensors


def split_signature_arguments(name: str, signature: inspect.Signature, specs, args: tuple, kwargs: dict) -> tuple:
    """The arguments that an input signature describes, by position; others must keep their defaults.

    Raises:
        TypeError: an argument that the signature leaves out has a value of its own.
    """
    if kwargs or len(args) > len(specs):
        bound = _bound(name, signature, args, kwargs)
        args = bound.args
        others = [*list(bound.arguments.items())[len(specs) :], *bound.kwargs.items()]
        for argument, value in others:
            default = signature.parameters[argument].default if argument in signature.parameters else _NONE
            if default is _NONE or (value is not default and key_of(value) != key_of(default)):
                raise TypeError(
                    f"{name}: argument {argument} is {value!r:.200}; the input_signature describes the first "
                    f"{len(specs)} arguments, and others keep their defaults"
                )
    return args[: len(specs)]


_NONE = inspect.Parameter.empty
