"""nf.function: calls go to a program that was traced and compiled for their dtypes and shapes."""

import functools
import inspect
import threading
import types
import weakref
from collections.abc import Callable, Sequence

import numpy as np
import optree

from nbflow.autograph.conversion import converted
from nbflow.compiler.graph import Graph, format_graph
from nbflow.compiler.program import Program
from nbflow.errors import InvalidArgumentError
from nbflow.function.compiled import Compiled
from nbflow.function.signature import (
    Arguments,
    TensorSpec,
    check_specs,
    match_specs,
    spec_avals,
    with_defaults,
)
from nbflow.function.trace import SymbolicTensor, Trace
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.stages import native_programs
from nbflow.tensor.state import busy, state
from nbflow.tensor.tensor import Tensor, dense, to_tensor


class ConcreteFunction:
    """One trace of a function, for arguments of certain dtypes and shapes (tf.ConcreteFunction).

    Attributes:
        compiled: the graph that runs.
        created: whether Variables were created while it was traced.
    """

    def __init__(self, name: str, signature, python_function, avals, arguments_of, may_create=False, tensors=()):
        self.name, self._signature, self._avals = name, signature, list(avals)
        trace = Trace(may_create)
        trace.arguments = tensors
        with trace.active():
            symbols = [trace.argument(a) for a in avals]
            args, kwargs = arguments_of(symbols)
            result = python_function(*args, **kwargs)
            leaves, self._structure = optree.tree_flatten(result)
            for leaf in leaves:
                try:
                    tensor = trace.lift(leaf if type(leaf) is Tensor else to_tensor(leaf))
                except (TypeError, ValueError) as error:
                    if type(error) is InvalidArgumentError or isinstance(leaf, TensorProtocol):
                        raise
                    raise TypeError(
                        f"{name} returned {leaf!r} of type {type(leaf).__name__}; a traced function returns tensors, "
                        f"numbers, None, and lists, tuples and dicts of them"
                    ) from error
                trace.graph.outputs.append(tensor.value)
        trace.arguments = ()
        self.created = bool(trace.created)
        self.compiled = Compiled(trace)
        self._single = len(leaves) == 1 and self._structure == optree.tree_structure(0)

    def run(self, tensors: Sequence[Tensor]):
        """The function's result for tensors, which are dense where no tape records."""
        if self._single:
            return self.compiled.single(tensors)
        return optree.tree_unflatten(self._structure, self.compiled(tensors))

    def __call__(self, *args, **kwargs):
        """The function's result for tensors; arguments that were Python values of the trace may be left out.

        Raises:
            TypeError: the tensors are not those of the trace.
        """
        if kwargs:
            args = tuple(self._signature.bind_partial(*args, **kwargs).arguments.values())
        leaves = optree.tree_leaves(args)
        tensors = [to_tensor(x) for x in leaves if isinstance(x, (TensorProtocol, np.ndarray, np.generic))]
        if len(tensors) < len(self._avals):
            tensors = [to_tensor(x, hint=a.dtype) for x, a in zip(leaves, self._avals, strict=False)]
        wanted = [TensorSpec(a.shape, a.dtype) for a in self._avals]
        if len(tensors) != len(wanted) or not all(
            w.is_compatible_with(t) for w, t in zip(wanted, tensors, strict=True)
        ):
            raise TypeError(
                f"{self.name}: this trace takes {wanted}, got {[TensorSpec.from_tensor(t) for t in tensors]}"
            )
        return self.run(_runnable(tensors))

    @property
    def graph(self) -> Graph:
        """The traced graph, before passes."""
        return self.compiled.graph

    @property
    def programs(self) -> list[Program]:
        """The programs made so far: one, or with symbolic dimensions one for each set of sizes."""
        return [p for program in self.compiled._programs.values() for p in native_programs(program)]


def _runnable(tensors: list[Tensor]) -> list[Tensor]:
    """Tensors as a trace takes them: dense, unless a tape must see them as they are."""
    return tensors if busy.count and state.tapes else [dense(t) for t in tensors]


class Function:
    """A Python function whose calls run compiled (what nf.function returns).

    Attributes:
        python_function: the function as written.
        input_signature: TensorSpecs, or None.
        autograph: whether Python control flow over tensors is converted.
    """

    def __init__(self, python_function, input_signature=None, name=None, autograph=True):
        if not callable(python_function):
            raise TypeError(f"nf.function: {python_function!r} is not a callable object")
        functools.update_wrapper(self, python_function)
        self.python_function = python_function
        self.autograph = autograph
        self.input_signature = check_specs(input_signature)
        self._name = name or getattr(python_function, "__name__", type(python_function).__name__)
        self._concrete: dict[tuple, ConcreteFunction] = {}
        self._bound: dict[int, tuple[BoundFunction, object]] = {}  # by id of instance
        self._lock = threading.RLock()
        try:
            self._signature = inspect.signature(python_function)
        except (TypeError, ValueError):
            self._signature = _ANYTHING
        self._plain = self.input_signature is None and all(
            p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY, p.VAR_POSITIONAL) and p.default is p.empty
            for p in self._signature.parameters.values()
        )

    def __call__(self, *args, **kwargs):
        """Runs the trace for arguments like these, which is made if there is none yet."""
        if busy.count and state.trace is not None:
            with state.trace.inner_function():  # within a trace: part of the outer function
                return self._traced_function()(*args, **kwargs)
        if self._plain and not kwargs:
            key = []
            for value in args:
                if type(value) is not Tensor or value._aval.strides is not None:
                    break
                key.append(value._aval)
            else:
                concrete = self._concrete.get(tuple(key))
                if concrete is not None:
                    return concrete.run(args)
        concrete, tensors = self._find(args, kwargs)
        return concrete.run(_runnable(tensors))

    def _traced_function(self):
        """The function as it runs while it is traced."""
        return converted(self.python_function) if self.autograph else self.python_function

    def _find(self, args: tuple, kwargs: dict) -> tuple[ConcreteFunction, list[Tensor]]:
        """The trace for a call, made if need be, and the call's tensors."""
        if self.input_signature is not None:
            args = self._signature_arguments(args, kwargs)
            tensors = match_specs(self._name, self.input_signature, args)
            return self._signature_concrete(tensors), tensors
        args, kwargs = with_defaults(self._signature, args, kwargs)
        arguments = Arguments(args, kwargs)
        tensors = arguments.tensors
        plain = self._plain and all(arguments.is_tensor) and len(tensors) == len(args) and not kwargs
        key = tuple(arguments.avals) if plain else arguments.key
        return self._trace_once(key, arguments.avals, arguments.rebuilt, tensors), tensors

    def _signature_arguments(self, args: tuple, kwargs: dict) -> tuple:
        """The arguments that the input signature describes, by position; others keep their defaults."""
        if kwargs:
            bound = self._signature.bind(*args, **kwargs)
            args = bound.args
            if bound.kwargs:
                raise TypeError(
                    f"{self._name}: keyword-only arguments {list(bound.kwargs)} cannot be given with an input_signature"
                )
        return args

    def _signature_concrete(self, tensors: Sequence[Tensor] = ()) -> ConcreteFunction:
        structure = optree.tree_structure(self.input_signature)

        def arguments_of(symbols):
            return optree.tree_unflatten(structure, symbols), {}

        return self._trace_once((), spec_avals(self.input_signature), arguments_of, tensors)

    def _trace_once(self, key: tuple, avals, arguments_of, tensors: Sequence[Tensor] = ()) -> ConcreteFunction:
        found = self._concrete.get(key)
        if found is None:
            with self._lock:
                found = self._concrete.get(key)
                if found is None:
                    trace = functools.partial(
                        ConcreteFunction,
                        self._name,
                        self._signature,
                        self._traced_function(),
                        avals,
                        arguments_of,
                    )
                    found = trace(may_create=not self._concrete, tensors=tensors)
                    if found.created:
                        found = trace()  # what only the first call does has been done
                    self._concrete[key] = found
        return found

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        key = id(instance)
        found = self._bound.get(key)
        if found is None:
            try:
                alive = weakref.ref(instance, lambda _, bound=self._bound: bound.pop(key, None))
            except TypeError:  # the class has __slots__ without __weakref__
                alive = functools.partial(_same, instance)
            method = BoundFunction(
                _Method(self.python_function, alive), self.input_signature, self._name, self.autograph
            )
            found = self._bound[key] = method, alive
        return types.MethodType(found[0], instance)

    # --- inspection ---------------------------------------------------------------------------------------------

    def get_concrete_function(self, *args, **kwargs) -> ConcreteFunction:
        """The trace for arguments, each a tensor-like, a TensorSpec, or a Python value.

        Args:
            args, kwargs: as of a call; a TensorSpec stands for any tensor that it describes.
        """
        if self.input_signature is not None and not args and not kwargs:
            return self._signature_concrete()
        if not any(isinstance(leaf, TensorSpec) for leaf in optree.tree_leaves((args, kwargs))):
            return self._find(args, kwargs)[0]
        arguments = Arguments(*with_defaults(self._signature, args, kwargs))
        return self._trace_once(arguments.key, arguments.avals, arguments.rebuilt)

    def graph(self) -> str:
        """All traced graphs as text: one line an op, with the source line that made it."""
        return "\n\n".join(format_graph(c.graph) for c in self._concrete.values())

    def njit(self, signature=None, gradient=None, threads: int = 1) -> Callable:
        """The function, or its value and gradient, compiled for calls from code of Numba's: see docs/numba.md.

        The result takes and gives NumPy arrays and numbers in `@numba.njit` code, and in Python too. Values of
        Variables and tensors that the function uses are those of now.

        Args:
            signature: of the arguments: one of Numba's, as "float32(float32[:,:], float32[:])", or a list with a
                TensorSpec or an example for each. Sizes are open in Numba's signatures and where a TensorSpec has None.
                By default the input_signature.
            gradient: None for the value alone. A position or name of an argument for (value, gradient), a list of
                them for (value, (gradient, …)).
            threads: how many calls may run at the same time; others wait. Each needs memory of its own. With 1, large
                calls use all cores by themselves.

        Returns:
            A function compiled by Numba. In place of a scalar tensor it gives a number, of a list a tuple.

        Raises:
            TypeError: the function does what cannot be called without Python, or has results of other kinds.

        Example:
            >>> import numba, numpy as np, nbflow as nf
            >>> slope = nf.function(lambda x: nf.reduce_sum(x ** 3)).njit("float64(float64[:])", gradient=0)
            >>> @numba.njit
            ... def two_steps(x):
            ...     for _ in range(2):
            ...         x = x - 0.1 * slope(x)[1]
            ...     return x
            >>> two_steps(np.array([1.0, 2.0])).round(3).tolist()
            [0.553, 0.608]
        """
        from nbflow.function.njit import compiled_for_numba

        return compiled_for_numba(self, signature, gradient, threads)

    def kernels(self) -> str:
        """The Python source of the kernels that the programs run, in order."""
        found = {k.name: k for c in self._concrete.values() for p in c.programs for k in p.kernels}
        return "\n\n".join(f"# {k.origin}\n{k.source}" for k in found.values())

    def experimental_get_tracing_count(self) -> int:
        """How many times the function was traced."""
        return len(self._concrete)

    def __repr__(self) -> str:
        return f"<nf.function {self._name}: {len(self._concrete)} traces>"


class BoundFunction(Function):
    """A Function for one instance of a class, which it does not keep alive; a types.MethodType calls it."""

    def __call__(self, instance, *args, **kwargs):
        """As of Function; the instance is known already."""
        return super().__call__(*args, **kwargs)

    def _traced_function(self):
        method = self.python_function
        return method.of(converted(method.function)) if self.autograph else method


class _Method:
    """A method bound to an instance that a weak reference stands for."""

    def __init__(self, function, alive):
        self.function, self._alive = function, alive
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__signature__ = inspect.signature(types.MethodType(function, alive()))

    def __call__(self, *args, **kwargs):
        return self.function(self._alive(), *args, **kwargs)

    def of(self, function) -> "_Method":
        """Another function as the method."""
        return self if function is self.function else _Method(function, self._alive)


def _same(value):
    return value


def _anything(*args, **kwargs):
    """Stands for functions whose signature Python does not know."""


_ANYTHING = inspect.signature(_anything)


def function(func=None, input_signature=None, autograph=True, jit_compile=None, reduce_retracing=False, **options):
    """Compiles a Python function: traced once for each combination of dtypes, shapes and Python values (tf.function).

    The first call with new dtypes, shapes or Python values runs the function once on symbolic tensors and compiles what
    it did into a few fused kernels; later calls run those. Variables may be read and assigned.

    Args:
        func: the function; without it a decorator is returned.
        input_signature: a TensorSpec for each argument, None in shapes for sizes that may change without a new trace.
        autograph: whether Python control flow over tensors becomes part of the graph.
        jit_compile, reduce_retracing, options: accepted as TensorFlow's; everything is compiled.

    Returns:
        A Function.

    Example:
        >>> import nbflow as nf
        >>> @nf.function
        ... def f(x):
        ...     return nf.sigmoid(x) * x
        >>> f(nf.constant(0.0))
        <nf.Tensor: shape=(), dtype=float32, numpy=0.0>
    """
    known = {
        "experimental_implements",
        "experimental_autograph_options",
        "experimental_attributes",
        "experimental_compile",
    }
    unknown = set(options) - known - {"experimental_relax_shapes", "experimental_follow_type_hints"}
    if unknown:
        raise TypeError(f"nf.function: unknown argument {sorted(unknown)[0]!r}")

    def decorate(python_function):
        return Function(python_function, input_signature, autograph=autograph)

    return decorate if func is None else decorate(func)


def is_symbolic_tensor(value) -> bool:
    """Whether a value is a tensor of a trace (tf.is_symbolic_tensor)."""
    return isinstance(value, SymbolicTensor)
