"""ConcreteFunction: one trace of a function, ready to run."""

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nbflow.compiler.graph import Aval, Graph
from nbflow.compiler.program import Program
from nbflow.errors import InvalidArgumentError
from nbflow.function.compiled import Compiled
from nbflow.function.signature import Arguments, ByIdentity, TensorSpec, key_of
from nbflow.function.structure import flatten, unflatten
from nbflow.function.trace import SymbolicTensor, Trace
from nbflow.runtime import collection
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.stages import native_programs
from nbflow.tensor.state import busy, state
from nbflow.tensor.tensor import Tensor, dense, to_tensor
from nbflow.tensor.variable import Variable
from nbflow.tracebacks import filter_traceback

_LEAF = flatten(0)[1]


@dataclass(frozen=True)
class Form:
    """What a trace's arguments look like. Objects that count by identity are not kept alive.

    Attributes:
        structure: of (args, kwargs).
        names: of the leaves.
        parts: for each leaf the Aval of the tensor in the first call, or a key.
        leaves: TensorSpecs, with None for open sizes, in place of tensors; values for others, ByIdentity for objects.
    """

    structure: Any
    names: list[str]
    parts: list
    leaves: list

    @classmethod
    def of(cls, arguments: Arguments, signature: inspect.Signature, avals: Sequence[Aval]) -> "Form":
        """The form of a call's arguments, traced for avals."""
        names, rest = arguments.names(signature), iter(avals)
        leaves: list = []
        for name, leaf, part, is_tensor in zip(
            names, arguments.leaves, arguments.parts, arguments.is_tensor, strict=True
        ):
            if is_tensor:
                found = next(rest)
                given = leaf.name if isinstance(leaf, TensorSpec) else None
                leaves.append(TensorSpec(found.shape, found.dtype, given or name))
            else:
                leaves.append(part if isinstance(part, ByIdentity) else leaf)
        return cls(arguments.structure, names, arguments.parts, leaves)

    def arguments(self) -> tuple[tuple, dict]:
        """(args, kwargs) with a TensorSpec for each tensor."""
        return unflatten(self.structure, [x.target if isinstance(x, ByIdentity) else x for x in self.leaves])


class ConcreteFunction:
    """One trace of a function, for arguments of certain dtypes and shapes (tf.ConcreteFunction).

    Args:
        name: of the function.
        signature: of the function.
        python_function: what is traced.
        form: of the arguments.
        avals: of the arguments that are tensors.
        arguments_of: (symbolic tensors) -> (args, kwargs) of the function.
        may_create: whether Variables may be created.
        tensors: the arguments of the call that the trace is for.
        sizes_read: gets the places where the function reads sizes that are not known.

    Attributes:
        compiled: the graph that runs.
        created: whether Variables were created while it was traced.
        seconds: that tracing took.
    """

    def __init__(
        self,
        name: str,
        signature: inspect.Signature,
        python_function: Callable,
        form: Form,
        avals: Sequence[Aval],
        arguments_of: Callable,
        may_create: bool = False,
        tensors: Sequence[Tensor] = (),
        sizes_read: list[str] | None = None,
    ):
        self.name, self._signature, self._form = name, signature, form
        begun = time.perf_counter()
        trace = Trace(may_create)
        trace.arguments = tensors
        trace.sizes_read = sizes_read
        with collection.paused(), trace.active():
            symbols = [trace.argument(a) for a in avals]
            args, kwargs = arguments_of(symbols)
            try:
                result = python_function(*args, **kwargs)
            except RecursionError:
                raise RecursionError(
                    f"{name}: functions call each other without end while it is traced: where a tensor decides, every "
                    f"branch is traced. Write it as a loop, or let a Python number decide"
                ) from None
            leaves, self._structure = flatten(result)
            trace.graph.outputs += [self._lifted(trace, leaf).value for leaf in leaves]
        trace.arguments = ()
        self.created = bool(trace.created)
        self.compiled = Compiled(trace)
        self._one = len(leaves) == 1
        self._single = self._one and self._structure == _LEAF
        self.seconds = time.perf_counter() - begun

    def _lifted(self, trace: Trace, leaf) -> SymbolicTensor:
        try:
            return trace.lift(leaf if type(leaf) is Tensor else to_tensor(leaf))
        except (TypeError, ValueError) as error:
            if type(error) is InvalidArgumentError or isinstance(leaf, TensorProtocol):
                raise
            raise TypeError(
                f"{self.name} returned {leaf!r} of type {type(leaf).__name__}; a traced function returns tensors, "
                f"numbers, None, and lists, tuples, dicts and dataclasses of them"
            ) from error

    def run(self, tensors: Sequence[Tensor]):
        """The function's result for tensors, which are dense where no tape records."""
        results = self.compiled.results(tensors)
        if self._single:
            return results
        return unflatten(self._structure, [results] if self._one else results)

    def runner(self, tensors: Sequence[Tensor]) -> Callable:
        """`run` for dense tensors of these dtypes and shapes while no tape records, after the first such call."""
        return (self._single and self.compiled.quick(tensors)) or self.run

    def __call__(self, *args, **kwargs):
        """The function's result for tensors; arguments that were Python values of the trace may be left out.

        Raises:
            TypeError: the tensors are not those of the trace.
        """
        try:
            return self.run(runnable(self._tensors(args, kwargs)))
        except Exception as error:
            filter_traceback(error)
            raise

    # --- the arguments of a call ----------------------------------------------------------------------------------

    def _tensors(self, args: tuple, kwargs: dict) -> list[Tensor]:
        """The tensors among arguments that are checked against the trace's: as of the function, or tensors alone."""
        problem = self._filled(args, kwargs)
        if not isinstance(problem, str):
            return problem
        flat = self._flat(args, kwargs)
        if flat is None:
            raise TypeError(f"{self.name}: {problem}; this trace takes {self._wanted()}")
        return flat

    def _filled(self, args: tuple, kwargs: dict) -> list[Tensor] | str:
        """The tensors for arguments as the function takes them, or what does not fit."""
        positional, named = self._form.arguments()
        full, kinds = list(positional), inspect.Parameter
        names = [p.name for p in self._signature.parameters.values() if p.kind is not kinds.KEYWORD_ONLY]
        if len(args) > len(full):
            return f"{len(args)} arguments were given"
        full[: len(args)] = args
        given = dict(kwargs)
        for position, name in enumerate(names[: len(full)]):
            if name in given:
                if position < len(args):
                    return f"argument {name} was given twice"
                full[position] = given.pop(name)
        if set(given) - set(named):
            return f"there is no argument {sorted(set(given) - set(named))[0]!r}"
        try:
            leaves = self._form.structure.flatten_up_to((tuple(full), {**named, **given}))
        except ValueError:
            return f"the arguments {args!r:.200} {kwargs!r:.200} have another structure"
        tensors = []
        rows = zip(self._form.names, leaves, self._form.parts, self._form.leaves, strict=True)
        for name, leaf, part, wanted in rows:
            if isinstance(wanted, TensorSpec):
                if isinstance(leaf, TensorSpec):
                    return f"argument {name} is missing"
                tensor = _converted(leaf, wanted)
                if tensor is None:
                    return f"argument {name} is {_described(leaf)}"
                tensors.append(tensor)
            elif part != (ByIdentity(leaf) if isinstance(part, ByIdentity) else key_of(leaf)):
                return f"argument {name} is {leaf!r:.200}"
        return tensors

    def _flat(self, args: tuple, kwargs: dict) -> list[Tensor] | None:
        """The tensors alone, in order or by the names of their specs; None where they do not fit."""
        specs = [spec for spec in self._form.leaves if isinstance(spec, TensorSpec)]
        leaves = flatten(args)[0]
        if not all(isinstance(leaf, (TensorProtocol, np.ndarray, np.generic)) for leaf in leaves):
            return None
        if len(leaves) + len(kwargs) != len(specs):
            return None
        for spec in specs[len(leaves) :]:
            if spec.name not in kwargs:
                return None
            leaves.append(kwargs[spec.name])
        found = [_converted(leaf, spec) for leaf, spec in zip(leaves, specs, strict=True)]
        return None if any(t is None for t in found) else found  # type: ignore[return-value]

    def _wanted(self) -> str:
        args, kwargs = self._form.arguments()
        return ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]) or "nothing"

    # --- as TensorFlow has it -------------------------------------------------------------------------------------

    @property
    def structured_input_signature(self) -> tuple[tuple, dict]:
        """(args, kwargs) with a TensorSpec for each tensor, Python values as they were."""
        return self._form.arguments()

    @property
    def structured_outputs(self):
        """The result's structure with a TensorSpec for each tensor."""
        return unflatten(self._structure, [TensorSpec(v.shape, v.dtype) for v in self.graph.outputs])

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that stand for the arguments and then for what was captured."""
        return [SymbolicTensor(self.compiled.trace, v) for v in self.graph.inputs]

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that are returned."""
        return [SymbolicTensor(self.compiled.trace, v) for v in self.graph.outputs]

    @property
    def captured_inputs(self) -> list[Tensor | Variable]:
        """The tensors and Variables from outside that the function uses."""
        return list(self.compiled.captures)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The Variables that the function uses."""
        return tuple(c for c in self.compiled.captures if isinstance(c, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The trainable Variables that the function uses."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def output_shapes(self):
        """The result's structure with a TensorShape for each tensor."""
        return unflatten(self._structure, [TensorSpec(v.shape, v.dtype).shape for v in self.graph.outputs])

    @property
    def output_dtypes(self):
        """The result's structure with a DType for each tensor."""
        return unflatten(self._structure, [v.dtype for v in self.graph.outputs])

    @cached_property
    def function_type(self) -> inspect.Signature:
        """The function's signature with what each argument was traced for as its annotation."""
        args, kwargs = self._form.arguments()
        given, parameters, rest = dict(kwargs), [], list(args)
        for p in self._signature.parameters.values():
            if p.kind is p.VAR_POSITIONAL:
                parameters.append(p.replace(annotation=tuple(map(_Type, rest))))
                rest = []
            elif p.kind is p.VAR_KEYWORD:
                parameters.append(p.replace(annotation={k: _Type(v) for k, v in given.items()}))
            else:
                value = given.pop(p.name) if p.kind is p.KEYWORD_ONLY else rest.pop(0)
                parameters.append(p.replace(annotation=_Type(value), default=p.empty))
        return inspect.Signature(parameters, return_annotation=_Type(self.structured_outputs))

    def pretty_printed_signature(self, verbose: bool = True) -> str:
        """The arguments, the result and the captures as text; on one line unless it is verbose."""
        kind = self.function_type
        if not verbose:
            return f"{self.name}{kind}"
        lines = ["Input Parameters:"]
        lines += [f"  {p.name} ({p.kind.name}): {p.annotation!r}" for p in kind.parameters.values()] or ["  None"]
        lines += ["Output Type:", f"  {kind.return_annotation!r}", "Captures:"]
        lines += [f"  {id(c)}: {TensorSpec(c.shape, c.dtype)!r}" for c in self.captured_inputs] or ["  None"]
        return "\n".join(lines)

    @property
    def graph(self) -> Graph:
        """The traced graph, before passes."""
        return self.compiled.graph

    @property
    def programs(self) -> list[Program]:
        """The programs made so far: one, or with symbolic dimensions one for each set of sizes."""
        return [p for program in self.compiled._programs.values() for p in native_programs(program)]

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.pretty_printed_signature(verbose=False)}>"

    def __str__(self) -> str:
        return f"ConcreteFunction {self.pretty_printed_signature(verbose=True)}"


class _Type:
    """How an argument of a trace is shown: a TensorSpec, or Literal[value]; structures of them."""

    def __init__(self, value):
        self.value = value

    def __repr__(self) -> str:
        leaves, structure = flatten(self.value)
        if not leaves:
            return f"Literal[{self.value!r}]"
        return repr(unflatten(structure, [x if isinstance(x, TensorSpec) else _Literal(x) for x in leaves]))


class _Literal:
    def __init__(self, value):
        self.value = value

    def __repr__(self) -> str:
        return f"Literal[{self.value!r}]"


def runnable(tensors: list[Tensor]) -> list[Tensor]:
    """Tensors as a trace takes them: dense, unless a tape must see them as they are."""
    return tensors if busy.count and state.tapes else [dense(t) for t in tensors]


def _converted(value, spec: TensorSpec) -> Tensor | None:
    """A value as a tensor that fits; None where it does not."""
    try:
        tensor = to_tensor(value, hint=spec.dtype)
    except (TypeError, ValueError):
        return None
    return tensor if spec.is_compatible_with(tensor) else None


def _described(value) -> str:
    if isinstance(value, TensorProtocol):
        return repr(TensorSpec(value.shape, value.dtype))
    return f"{value!r:.200}"
