"""nf.function: calls go to a program that was traced and compiled for their dtypes and shapes."""

import contextlib
import functools
import inspect
import threading
import types
import weakref
from collections.abc import Callable, Sequence

from nbflow.autograph.conversion import converted
from nbflow.compiler.graph import Aval
from nbflow.function.concrete import ConcreteFunction, Form, runnable
from nbflow.function.effects import effects_of
from nbflow.function.explain import Explanation, explain
from nbflow.function.picture import GraphText
from nbflow.function.policy import CHANGES, LOGGER, Family, History, Pattern
from nbflow.function.signature import (
    Arguments,
    ByIdentity,
    TensorSpec,
    check_specs,
    match_specs,
    spec_avals,
    split_signature_arguments,
    with_defaults,
)
from nbflow.function.structure import flatten, unflatten
from nbflow.function.trace import SymbolicTensor
from nbflow.public import export
from nbflow.tensor.state import busy, state
from nbflow.tensor.tensor import Tensor
from nbflow.tracebacks import filter_traceback

_PLAIN_VALUES = frozenset([bool, int, str, type(None)])  # arguments that are quick to look up


class Function:
    """A Python function whose calls run compiled (what nf.function returns).

    Attributes:
        python_function: the function as written.
        input_signature: TensorSpecs, or None.
        autograph: whether Python control flow over tensors is converted.
    """

    def __init__(self, python_function, input_signature=None, name=None, autograph=True, reduce_retracing=False):
        if not callable(python_function):
            raise TypeError(f"nf.function: {python_function!r} is not a callable object")
        functools.update_wrapper(self, python_function)
        self.python_function = python_function
        self.autograph = autograph
        self.input_signature = check_specs(input_signature)
        self.reduce_retracing = reduce_retracing
        self._name = name or getattr(python_function, "__name__", type(python_function).__name__)
        self._quick: dict[tuple, tuple[Callable, ConcreteFunction]] = {}  # by what is quick to see of a call
        self._concrete: dict[tuple, ConcreteFunction] = {}
        self._families: dict[tuple, Family] = {}
        self._watches: list[weakref.ref] = []
        self._history = History(self._name, _place(python_function))
        self._bound: dict[int, tuple[BoundFunction, object]] = {}  # by id of instance
        self._checked: Function | None = None  # see _with_checks
        self._told: list[bool] = []  # whether side effects were looked for; methods of all instances share it
        self._lock = threading.RLock()
        try:
            self._signature = inspect.signature(python_function)
        except (TypeError, ValueError):
            self._signature = _ANYTHING

    def __call__(self, *args, **kwargs):
        """Runs the trace for arguments like these, which is made if there is none yet."""
        try:
            if busy.count:
                if state.trace is not None or eagerly.on:
                    return self._inner(args, kwargs)
                if state.numerics is not None and self is not self._checked:
                    return self._with_checks()(*args, **kwargs)
            key: list | None = []
            for value in args:
                kind = type(value)
                if kind is Tensor:
                    key.append(value._aval)
                elif kind in _PLAIN_VALUES:
                    key += kind, value
                else:
                    break
            else:
                for name, value in kwargs.items():
                    if type(value) not in _PLAIN_VALUES:
                        break
                    key += name, type(value), value
                else:
                    found = self._quick.get(tuple(key))
                    if found is not None:
                        tensors = args if len(key) == len(args) else [v for v in args if type(v) is Tensor]
                        return found[1].run(tensors) if busy.count else found[0](tensors)
                    return self._call(args, kwargs, key)
            return self._call(args, kwargs, None)
        except Exception as error:
            filter_traceback(error)
            raise

    def _call(self, args: tuple, kwargs: dict, quick: list | None):
        """A call whose trace is not known by `quick`, what is quick to see of its arguments."""
        count = len(self._history.traces)
        concrete, tensors = self._find(args, kwargs)
        if len(self._history.traces) == count:
            given = [value for value in args if type(value) is Tensor]
            if quick is not None and len(given) == len(tensors) and all(t._aval.strides is None for t in given):
                self._quick[tuple(quick)] = concrete.runner(given), concrete
            if not self._told:
                self._told.append(True)
                self._tell_effects(args, kwargs)
        return concrete.run(runnable(tensors))

    def _tell_effects(self, args: tuple, kwargs: dict) -> None:
        found = effects_of(self._written(), args, kwargs)
        if found:
            LOGGER.warning(
                "%s (%s) has side effects that happened while it was traced and do not happen in later calls:\n%s",
                self._name,
                self._history.where,
                "\n".join(f"  {effect}" for effect in found),
            )

    def _written(self):
        """The function as the user wrote it."""
        return self.python_function

    def _inner(self, args: tuple, kwargs: dict):
        """A call while nothing is compiled: part of the trace under way, or eager."""
        if state.trace is None:
            return self.python_function(*args, **kwargs)
        with state.trace.inner_function():
            return self._traced_function()(*args, **kwargs)

    def _with_checks(self) -> "Function":
        """The same function with traces of its own, in which the result of every op is checked."""
        if self._checked is None:
            checked = Function(
                self.python_function, self.input_signature, self._name, self.autograph, self.reduce_retracing
            )
            self._checked = checked._checked = checked
            checked._told = self._told
        return self._checked

    def _traced_function(self):
        """The function as it runs while it is traced."""
        return converted(self.python_function) if self.autograph else self.python_function

    # --- traces -------------------------------------------------------------------------------------------------

    def _find(self, args: tuple, kwargs: dict, asked: bool = False) -> tuple[ConcreteFunction, list[Tensor]]:
        """The trace for a call, made if need be, and the call's tensors.

        Args:
            asked: whether get_concrete_function asks.
        """
        if self.input_signature is not None:
            args = split_signature_arguments(self._name, self._signature, self.input_signature, args, kwargs)
            tensors = match_specs(self._name, self.input_signature, args)
            return self._signature_concrete(tensors, asked), tensors
        arguments = Arguments(*with_defaults(self._name, self._signature, args, kwargs))
        found = self._concrete.get(arguments.key)
        if found is None:
            with self._lock:
                found = self._concrete.get(arguments.key)
                if found is None:
                    found = self._for_sizes(arguments, asked)
                    self._concrete[arguments.key] = found
                    self._watch(arguments)
        return found, [] if asked else arguments.tensors

    def _signature_concrete(self, tensors: Sequence[Tensor] = (), asked: bool = False) -> ConcreteFunction:
        avals = spec_avals(self.input_signature, tensors)
        key = tuple(avals)
        found = self._concrete.get(key)
        if found is None:
            with self._lock:
                found = self._concrete.get(key)
                if found is None:
                    specs, structure = flatten(self.input_signature)
                    named = [TensorSpec(a.shape, a.dtype, s.name) for a, s in zip(avals, specs, strict=True)]
                    form = Arguments(unflatten(structure, named), {})
                    found = self._concrete[key] = self._traced(form, avals, tensors, asked=asked)
        return found

    def _for_sizes(self, arguments: Arguments, asked: bool) -> ConcreteFunction:
        """The trace for arguments: one for any size where sizes have changed before, else for these."""
        avals, note = arguments.avals, ""
        tensors = [] if asked else arguments.tensors
        if asked:
            return self._traced(arguments, avals, tensors, asked=True)
        family = self._families.setdefault(arguments.kind, Family())
        sizes = tuple(a.shape for a in avals)
        known = family.pattern(sizes)
        if known is not None:
            return known.concrete
        family.calls.append(sizes)
        opened = family.open_avals(avals, 1 if self.reduce_retracing else CHANGES)
        if opened is not None:
            symbolic, places = opened
            try:
                found = self._traced(
                    arguments, symbolic, tensors, "sizes that change are open from now on", watched=True
                )
            except _SizeNeeded as needed:
                note = family.refusals[places] = str(needed)
            else:
                family.patterns.append(Pattern(symbolic, found))
                return found
        return self._traced(arguments, avals, tensors, note)

    def _traced(
        self,
        arguments: Arguments,
        avals: Sequence[Aval],
        tensors: Sequence[Tensor],
        note: str = "",
        asked: bool = False,
        watched: bool = False,
    ) -> ConcreteFunction:
        """A new trace.

        Args:
            note: what there is to say about it.
            asked: whether get_concrete_function asks.
            watched: whether it is for sizes that the function may need.

        Raises:
            _SizeNeeded: it does need them.
        """
        form = Form.of(arguments, self._signature, avals)
        self._history.check_limit(form)
        function = self._traced_function()
        make = functools.partial(
            ConcreteFunction, self._name, self._signature, function, form, avals, arguments.rebuilt
        )
        if watched:
            found = _watched_trace(make)
        else:
            found = make(may_create=not self._history.traces, tensors=tensors)
            if found.created:
                found = make()  # what only the first call does has been done
        self._history.add(form, found, note, asked)
        return found

    def _watch(self, arguments: Arguments) -> None:
        """Forgets the trace of arguments when an object among them is gone."""
        self._watches = [watch for watch in self._watches if watch() is not None]
        forget = functools.partial(_forget, self._concrete, arguments.key, self._families, arguments.kind)
        for part in arguments.parts:
            if isinstance(part, ByIdentity):
                with contextlib.suppress(TypeError):
                    self._watches.append(weakref.ref(part.target, forget))

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
                _Method(self.python_function, alive),
                self.input_signature,
                self._name,
                self.autograph,
                self.reduce_retracing,
            )
            method._told = self._told
            found = self._bound[key] = method, alive
        return types.MethodType(found[0], instance)

    # --- inspection ---------------------------------------------------------------------------------------------

    def get_concrete_function(self, *args, **kwargs) -> ConcreteFunction:
        """The trace for arguments, each a tensor-like, a TensorSpec, or a Python value.

        Args:
            args, kwargs: as of a call; a TensorSpec stands for any tensor that it describes.
        """
        try:
            if self.input_signature is None:
                return self._find(args, kwargs, asked=True)[0]
            if not args and not kwargs:
                return self._signature_concrete(asked=True)
            args = split_signature_arguments(self._name, self._signature, self.input_signature, args, kwargs)
            if any(isinstance(leaf, TensorSpec) for leaf in flatten(args)[0]):
                return self._signature_concrete(asked=True)
            return self._find(args, {}, asked=True)[0]
        except Exception as error:
            filter_traceback(error)
            raise

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """What each trace takes and gives, as text."""
        return "\n\n".join(c.pretty_printed_signature(verbose) for c in self._traces())

    def _traces(self) -> list[ConcreteFunction]:
        return list(dict.fromkeys(list(self._concrete.values())))

    def graph(self) -> GraphText:
        """All traced graphs as text, one line an op, with the source line that made it; `.to_png(path)` draws them."""
        return GraphText([(c.pretty_printed_signature(verbose=False), c.graph) for c in self._traces()])

    def explain(self) -> Explanation:
        """What happened so far: every trace and why it was made, its kernels, its memory, where the time went.

        Returns:
            An Explanation: print it, or read `.traces` or `.as_dict()`.
        """
        return explain(self._name, self._history.where, self._history.traces)

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
        found = {k.name: k for c in self._traces() for p in c.programs for k in p.kernels}
        return "\n\n".join(f"# {k.origin}\n{k.source}" for k in found.values())

    def experimental_get_tracing_count(self) -> int:
        """How many times the function was traced."""
        return len(self._history.traces)

    def __repr__(self) -> str:
        return f"<nf.function {self._name}: {len(self._history.traces)} traces>"


class BoundFunction(Function):
    """A Function for one instance of a class, which it does not keep alive; a types.MethodType calls it."""

    def __call__(self, instance, *args, **kwargs):
        """As of Function; the instance is known already."""
        return super().__call__(*args, **kwargs)

    def _written(self):
        return self.python_function.bound()

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

    def bound(self) -> types.MethodType:
        """The method as Python has it."""
        return types.MethodType(self.function, self._alive())

    def of(self, function) -> "_Method":
        """Another function as the method."""
        return self if function is self.function else _Method(function, self._alive)


class _SizeNeeded(Exception):
    """The function cannot be traced for any size: the message says why."""


def _watched_trace(make: Callable) -> ConcreteFunction:
    """A trace for any size.

    Raises:
        _SizeNeeded: the function's own code reads sizes that are not known, or fails without them.
    """
    sizes_read: list[str] = []
    try:
        found = make(sizes_read=sizes_read)
    except Exception as error:
        why = f"{sizes_read[0]} reads one" if sizes_read else f"{str(error).splitlines()[0]:.200}"
        raise _SizeNeeded(f"its sizes cannot be left open: {why}") from None
    if sizes_read:
        raise _SizeNeeded(f"its sizes cannot be left open: {sizes_read[0]} reads one")
    return found


def _forget(concrete: dict, key: tuple, families: dict, kind: tuple, _reference) -> None:
    concrete.pop(key, None)
    families.pop(kind, None)


def _place(python_function) -> str:
    """ "file:line" of a function, "" where it has none."""
    target = inspect.unwrap(python_function)
    target = getattr(target, "func", target)  # of a functools.partial
    target = getattr(target, "function", target)  # of a method
    code = getattr(target, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""


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
        reduce_retracing: whether a size is left open at its first change, rather than the second.
        jit_compile, options: accepted as TensorFlow's; everything is compiled.

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
        if isinstance(python_function, (staticmethod, classmethod)):
            return type(python_function)(decorate(python_function.__func__))
        relax = reduce_retracing or bool(options.get("experimental_relax_shapes"))
        return Function(python_function, input_signature, autograph=autograph, reduce_retracing=relax)

    return decorate if func is None else decorate(func)


class _Eagerly:
    """Whether functions run as they are written, uncompiled."""

    on = False


eagerly = _Eagerly()


@export("config.run_functions_eagerly")
def run_functions_eagerly(run_eagerly) -> None:
    """Makes all functions run uncompiled, for debugging, or compiled again (tf.config.run_functions_eagerly).

    Args:
        run_eagerly: whether functions run as they are written.

    Example:
        >>> import nbflow as nf
        >>> nf.config.run_functions_eagerly(True)
        >>> nf.function(lambda x: float(x) + 1)(nf.constant(2.0))
        3.0
        >>> nf.config.run_functions_eagerly(False)
    """
    if bool(run_eagerly) is not eagerly.on:
        eagerly.on = bool(run_eagerly)
        busy.count += 1 if run_eagerly else -1  # so that calls look


@export("config.functions_run_eagerly")
def functions_run_eagerly() -> bool:
    """Whether functions run uncompiled (tf.config.functions_run_eagerly)."""
    return eagerly.on


def is_symbolic_tensor(value) -> bool:
    """Whether a value is a tensor of a trace (tf.is_symbolic_tensor)."""
    return isinstance(value, SymbolicTensor)
