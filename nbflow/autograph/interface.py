"""nf.autograph: converted code to look at, and what users can say about the conversion."""

import ast
import functools
import inspect
from collections.abc import Callable

from nbflow.autograph import conversion
from nbflow.autograph.conversion import converted
from nbflow.autograph.source import source_of
from nbflow.autograph.transform import transformed
from nbflow.public import export


@export("autograph.to_graph")
def to_graph(entity, recursive=True, experimental_optional_features=None):
    """A function as nf.function traces it (tf.autograph.to_graph).

    Args:
        entity: a function, a method or an object that can be called.
        recursive: accepted as TensorFlow's; what the function calls is converted when it calls it.
        experimental_optional_features: accepted as TensorFlow's; it has no effect.

    Returns:
        The function with its control flow converted. On Python values and eager tensors it does what entity does; in a
        trace control flow over tensors becomes part of the graph.

    Raises:
        TypeError: entity cannot be called.

    Example:
        >>> import nbflow as nf
        >>> def f(x):
        ...     if x > 0:
        ...         x = x * x
        ...     return x
        >>> nf.autograph.to_graph(f)(3)
        9
    """
    if not callable(entity):
        raise TypeError(f"autograph.to_graph: {entity!r:.200} cannot be called")
    return converted(entity)


@export("autograph.to_code")
def to_code(entity, recursive=True, experimental_optional_features=None) -> str:
    """The source of a function as nf.function traces it (tf.autograph.to_code).

    Args:
        entity: a function or a method.
        recursive, experimental_optional_features: as of to_graph.

    Returns:
        Python source; `ag__` is the module nbflow.autograph.operators.

    Raises:
        ValueError: there is no source of entity.
    """
    function = inspect.unwrap(entity)
    function = getattr(function, "python_function", function)
    function = getattr(function, "__func__", function)
    source = source_of(function)
    return ast.unparse(transformed(source) or source.node)


@export("autograph.set_verbosity")
def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """How much AutoGraph says (tf.autograph.set_verbosity), as the environment variable AUTOGRAPH_VERBOSITY does.

    Args:
        level: 0 says nothing; from 1 on, each function that is converted is named, from 3 on with its converted source.
        alsologtostdout: whether it goes to the standard output as well as to the log "nbflow.autograph".
    """
    conversion.verbosity.set(level, alsologtostdout)


@export("autograph.trace")
def trace(*args) -> None:
    """Prints its arguments while a function is traced (tf.autograph.trace): symbolic tensors, not their values."""
    print(*args)


@export("autograph.experimental.do_not_convert")
def do_not_convert(func=None) -> Callable:
    """Marks a function whose control flow is left to Python (tf.autograph.experimental.do_not_convert).

    Args:
        func: the function; without it a decorator is returned.

    Returns:
        A function that does the same, and is not converted, nor is what it calls.

    Example:
        >>> import nbflow as nf
        >>> @nf.autograph.experimental.do_not_convert
        ... def f(x):
        ...     return x if x.shape == () else nf.reduce_sum(x)
        >>> nf.function(f)(nf.constant(1.0)).numpy()
        np.float32(1.0)
    """
    if func is None:
        return do_not_convert

    @functools.wraps(func)
    def as_it_is(*args, **kwargs):
        return func(*args, **kwargs)

    as_it_is.nbflow_as_is = True  # type: ignore[attr-defined]
    return as_it_is


@export("autograph.experimental.set_loop_options")
def set_loop_options(
    parallel_iterations=None, swap_memory=None, maximum_iterations=None, shape_invariants=None
) -> None:
    """Says something about the loop whose first statement this call is (tf.autograph.experimental.set_loop_options).

    It matters where a tensor decides how often the loop runs, and does nothing elsewhere.

    Args:
        parallel_iterations, swap_memory: accepted as TensorFlow's; they have no effect.
        maximum_iterations: after so many rounds a `while` loop ends in any case.
        shape_invariants: pairs (variable, shape) of what shapes variables may take in the loop, None for any size. It
            is not necessary: a size that changes is found to be one that does.

    Example:
        >>> import nbflow as nf
        >>> @nf.function
        ... def f(n):
        ...     x = nf.constant([1])
        ...     for i in range(n):
        ...         nf.autograph.experimental.set_loop_options(shape_invariants=[(x, nf.TensorShape([None]))])
        ...         x = nf.concat([x, [i]], axis=0)
        ...     return x
        >>> f(nf.constant(3)).numpy()
        array([1, 0, 1, 2], dtype=int32)
    """
