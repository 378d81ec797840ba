"""Function.njit: a traced function, or its value and gradient, as a function that Numba's code can call.

The graph is traced once, with open sizes where the signature leaves them open. Each set of sizes gets a Program when it
first comes; its table is in memory (`runtime/lanes.py`), where the function that is generated here finds it. A call
from native code checks sizes, allocates the results, writes addresses into the program's slots and walks it.
"""

import ctypes
import functools
import inspect
import threading
from collections.abc import Callable, Sequence

import numba
import numpy as np
import optree
from numba import types
from numba.core import config as numba_config
from numba.core import sigutils
from numba.core.errors import TypingError
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic
from numba.np.numpy_support import as_dtype as numpy_dtype_of

from nbflow.compiler.control import bodies
from nbflow.compiler.control_lowering import staged_nodes
from nbflow.compiler.graph import Aval, Graph, Node, aval, bind
from nbflow.compiler.program import Program
from nbflow.dtypes import DType, as_dtype
from nbflow.errors import InvalidArgumentError
from nbflow.function.function import Function
from nbflow.function.signature import TensorSpec
from nbflow.runtime import intrinsics, lanes, threads
from nbflow.shapes import Dim
from nbflow.tape.gradient_tape import GradientTape
from nbflow.tensor.stages import compiled
from nbflow.tensor.tensor import Tensor, dense, to_tensor
from nbflow.tensor.variable import Variable

# what the generated function uses of runtime/lanes.py
_NATIVE: tuple[str, ...] = ("process_address", "atomic_load", "word", "set_word", "data_address", "keep", "call_kernel")
_NATIVE += ("new_entry", "take_lane", "release_lane")
_NATIVE += ("NEXT", "SIZES", "MISSING", "NO_GIL", "RUNNER", "SLOTS", "SCALARS", "OUTCOME", "BAD_VALUES", "NO_MEMORY")


# --- what to compile for ------------------------------------------------------------------------------------------


def specs_of(name: str, signature) -> tuple[list[TensorSpec], TensorSpec | None]:
    """TensorSpecs of the arguments, and of the result where the signature names it.

    Args:
        signature: a signature of Numba's, as a string or not, or a list with a TensorSpec or an example each argument.
    """
    if isinstance(signature, (list, tuple)) and not all(isinstance(s, types.Type) for s in signature):
        return [_spec(name, s) for s in signature], None
    try:
        arguments, result = sigutils.normalize_signature(signature)
    except Exception as error:  # whatever evaluating its text may raise
        raise TypeError(
            f"{name}.njit: signature is {signature!r:.200}; it takes one of Numba's, such as "
            f"'float32(float32[:,:], float32[:])', or a list with a nf.TensorSpec or an example for each argument"
        ) from error
    return [_spec(name, t) for t in arguments], None if result is None else _spec(name, result)


def _spec(name: str, item) -> TensorSpec:
    if isinstance(item, types.Array):
        found = TensorSpec([None] * item.ndim, as_dtype(numpy_dtype_of(item.dtype)))
    elif isinstance(item, (types.Number, types.Boolean)):
        found = TensorSpec([], as_dtype(numpy_dtype_of(item)))
    elif isinstance(item, TensorSpec):
        found = item
    elif isinstance(item, (types.Type, str)):
        raise TypeError(f"{name}.njit: {item} in the signature is neither an array nor a number")
    else:
        found = TensorSpec.from_tensor(to_tensor(item))
    _check_dtype(name, found.dtype)
    return found


def _check_dtype(name: str, dtype: DType) -> None:
    if dtype.is_half:
        raise TypeError(f"{name}.njit: Numba has no {dtype.name}; cast to float32 on the way in and out with nf.cast")


def _names(function: Callable, count: int) -> list[str]:
    """The names of the first arguments, made up where the function has none."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return plain + [f"argument_{k}" for k in range(len(plain), count)]


def _positions(name: str, gradient, names: Sequence[str]) -> list[int]:
    """The arguments that the gradient is for, given by position or name."""
    found = []
    for item in gradient if isinstance(gradient, (list, tuple)) else [gradient]:
        if item in names:
            item = names.index(item)
        if not isinstance(item, int) or isinstance(item, bool) or not 0 <= item < len(names):
            raise ValueError(
                f"{name}.njit: gradient is {gradient!r}; it takes positions or names of the arguments {list(names)}"
            )
        found.append(item)
    return found


# --- tracing --------------------------------------------------------------------------------------------------------


class _Traced:
    """A function to trace instead: its results, or those and gradients, as a list; the structure is kept."""

    def __init__(self, function: Callable, name: str, positions: list[int] | None, single: bool):
        self.function, self.positions, self.single = function, positions, single
        self.__name__ = name
        self.structure: optree.PyTreeSpec

    def __call__(self, *arguments):
        result: object
        call = functools.partial(Function.__call__, self.function)  # of a method, the instance is known
        if self.positions is None:
            result = call(*arguments)
        else:
            chosen = [arguments[k] for k in self.positions]
            with GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(chosen)
                value = call(*arguments)
            found = tape.gradient(value, chosen, unconnected_gradients="zero")
            gradients = [to_tensor(g) for g in found]
            result = value, gradients[0] if self.single else gradients
        leaves, self.structure = optree.tree_flatten(result)
        return leaves


def _check_structure(name: str, structure: optree.PyTreeSpec) -> None:
    if structure.kind == optree.PyTreeKind.LEAF:
        return
    if structure.kind not in (optree.PyTreeKind.LIST, optree.PyTreeKind.TUPLE):
        raise TypeError(f"{name}.njit: the result has a {structure.kind.name.lower()} in it; return tensors or tuples")
    for child in structure.children():
        _check_structure(name, child)


def _result_text(structure: optree.PyTreeSpec, names) -> str:
    """The Python expression of the results: names of leaves, and tuples."""
    if structure.kind == optree.PyTreeKind.LEAF:
        return next(names)
    return f"({''.join(f'{_result_text(child, names)}, ' for child in structure.children())})"


# --- programs ---------------------------------------------------------------------------------------------------------


class Programs:
    """The programs of one graph in a table that native code reads.

    Args:
        name: of the function, for messages.
        traced: the graph and what it captured (function.compiled.Compiled).
        copies: how many calls may run at the same time.

    Attributes:
        table: its address.
    """

    def __init__(self, name: str, traced, copies: int):
        self.name, self._graph, self._copies = name, traced.graph, copies
        self._captures: list[Tensor] = [dense(c._tensor if isinstance(c, Variable) else c) for c in traced.captures]
        self._check_updates(traced)
        count = len(self._graph.inputs) - len(self._captures)
        self.arguments: list[Aval] = [v.aval for v in self._graph.inputs[:count]]
        self.results: list[Aval] = [v.aval for v in self._graph.outputs]
        self._lock = threading.Lock()
        self._keep: list = []
        self._entries: dict[tuple, int] = {}
        self._make = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)(self._requested)
        words = self._words(lanes.TABLE_WORDS)
        words[lanes.CALLBACK] = ctypes.cast(self._make, ctypes.c_void_p).value
        words[lanes.RUNNER] = lanes.runner()
        self._table, self.table = words, words.ctypes.data

    def _check_updates(self, traced) -> None:
        inputs = self._graph.inputs[len(self._graph.inputs) - len(traced.captures) :]
        for capture, value in zip(traced.captures, inputs, strict=True):
            if value in self._graph.updates:
                raise TypeError(
                    f"{self.name}.njit: it updates {capture.name!r}, and what Numba's code calls must not: return the "
                    f"new value instead, and draw random numbers with nf.random.stateless_* from a seed argument"
                )

    @property
    def open(self) -> list[tuple[int, int]]:
        """(argument, axis) of the sizes that the signature leaves open."""
        return [(k, axis) for k, a in enumerate(self.arguments) for axis, n in enumerate(a.shape) if isinstance(n, Dim)]

    @property
    def result_sizes(self) -> list[tuple[int, int]]:
        """(result, axis) of the sizes that follow from those."""
        return [(k, axis) for k, a in enumerate(self.results) for axis, n in enumerate(a.shape) if isinstance(n, Dim)]

    def _words(self, count: int) -> np.ndarray:
        words = threads.aligned_words(count)
        self._keep.append(words)
        return words

    def _requested(self, request: int, *_) -> None:
        """What native code calls: sizes at an address are replaced by the address of their entry."""
        cells = (ctypes.c_int64 * (len(self.open) + 1)).from_address(request)
        sizes = tuple(cells[: len(self.open)])
        cells[0] = lanes.MISSING
        try:
            cells[0] = self.entry(sizes)
        except (InvalidArgumentError, TypeError):  # the caller raises a ValueError
            return

    def entry(self, sizes: tuple[int, ...]) -> int:
        """The address of the entry for sizes of the open axes.

        Raises:
            InvalidArgumentError: an op cannot take arrays of these sizes.
            TypeError: a part of the function runs in Python.
        """
        with self._lock:
            if sizes not in self._entries:
                self._entries[sizes] = self._new_entry(sizes)
            return self._entries[sizes]

    def _new_entry(self, sizes: tuple[int, ...]) -> int:
        programs = [self._program(sizes) for _ in range(self._copies)]
        found = [programs[0].output_avals[k].shape[axis] for k, axis in self.result_sizes]
        entry = self._words(lanes.ENTRY_WORDS + len(sizes) + len(found))
        entry[lanes.SIZES] = entry.ctypes.data + 8 * lanes.ENTRY_WORDS
        entry[lanes.ENTRY_WORDS :] = [*sizes, *found]
        block = self._words(self._copies * lanes.LANE_WORDS)
        for k, program in enumerate(programs):
            self._fill(block[k * lanes.LANE_WORDS : (k + 1) * lanes.LANE_WORDS], program)
        entry[lanes.LANES], entry[lanes.LANE_COUNT] = block.ctypes.data, self._copies
        entry[lanes.NEXT] = self._table[lanes.NEWEST]
        self._table[lanes.NEWEST] = entry.ctypes.data  # last: threads may be looking
        return entry.ctypes.data

    def _program(self, sizes: tuple[int, ...]) -> Program:
        """A program for these sizes, with memory of its own."""
        arguments = [list(a.shape) for a in self.arguments]
        for (k, axis), size in zip(self.open, sizes, strict=True):
            arguments[k][axis] = size
        shapes = [*map(tuple, arguments), *(c._aval.shape for c in self._captures)]
        known = {
            dim.name: size
            for value, shape in zip(self._graph.inputs, shapes, strict=True)
            for dim, size in zip(value.shape, shape, strict=True)
            if isinstance(dim, Dim)
        }
        avals = [aval(v.dtype, shape) for v, shape in zip(self._graph.inputs, shapes, strict=True)]
        program = compiled(bind(self._graph, known, avals))
        if not isinstance(program, Program):
            node, where = _outside(program.graph)
            raise TypeError(
                f"{self.name}.njit: {node.op.name} runs in Python, which Numba's code cannot call"
                f"{f' ({where})' if where else ''}; compute it outside and pass its result"
            )
        self._keep.append(program)
        return program

    def _fill(self, lane: np.ndarray, program: Program) -> None:
        """Writes a lane: all addresses that stay the same from call to call are in its slots."""
        values = [*self.results, *self.arguments]
        slots = self._words(max(1, len(values) + len(self._captures)))
        scalars = self._words(max(1, len(values) * lanes.SCALAR // 8))
        for k, a in enumerate(values):
            if a.shape == ():
                slots[k] = scalars.ctypes.data + k * lanes.SCALAR
        slots[len(values) : len(values) + len(self._captures)] = [c._ptr for c in self._captures]
        cells = self._words(max(1, len(program.failures)))
        cells[: len(program.failures)] = [cell.ctypes.data for cell, _ in program.failures]
        lane[lanes.PROGRAM], lane[lanes.SLOTS], lane[lanes.SCALARS] = (
            program.address,
            slots.ctypes.data,
            scalars.ctypes.data,
        )
        lane[lanes.FAILURES], lane[lanes.FAILURE_COUNT] = cells.ctypes.data, len(program.failures)
        lane[lanes.CODE] = program.has_code
        if program.parallel and self._copies == 1:
            lane[lanes.TEAM] = threads.team().address


def _outside(graph: Graph) -> tuple[Node, str]:
    """A node that runs from Python, in a graph or the body of a branch or a loop, and its source line."""
    staged = staged_nodes(graph)
    node = next(node for node in graph.nodes if node in staged)
    for body in bodies(node):
        if staged_nodes(body.graph):
            return _outside(body.graph)
    return node, node.where


# --- the function that Numba's code calls ---------------------------------------------------------------------------


def _argument(function: str, name: str, spec: TensorSpec) -> Callable:
    """What Numba compiles to a check of one argument's type, and to the dense array or number that it is."""
    dtype, rank = spec.dtype, spec.shape.rank
    wanted = numba.from_dtype(dtype.np)
    kind = f"{wanted}[{','.join(':' * rank)}]" if rank else str(wanted)

    def taken(typingctx, x):
        if isinstance(x, types.Array) and x.dtype == wanted and x.ndim == rank:
            if x.layout == "C" and x.aligned and rank:
                return x(x), lambda context, builder, sig, args: impl_ret_borrowed(context, builder, x, args[0])
            made = types.Array(x.dtype, rank, "C") if rank else wanted
            way = _copied if rank else _element
            return made(x), lambda context, builder, sig, args: context.compile_internal(builder, way, sig, args)
        if not rank and _converts(x, dtype):
            return wanted(x), lambda context, builder, sig, args: context.cast(builder, args[0], x, wanted)
        cure = " (use astype)" if isinstance(x, types.Array) and x.ndim == rank else ""
        raise TypingError(f"{function}: {name} is {x}; it was compiled for {kind}{cure}")

    return intrinsic(taken)


def _copied(x):
    return x.copy()


def _element(x):
    return x[()]


def _converts(given, dtype: DType) -> bool:
    """Whether a number of a Numba type is converted to a dtype: not to one of a lesser kind."""
    kinds = [types.Boolean, types.Integer, types.Float, types.Complex]
    own = [dtype.is_bool, dtype.is_integer, dtype.is_floating, dtype.is_complex].index(True)
    found = [k for k, kind in enumerate(kinds) if isinstance(given, kind)]
    return bool(found) and (found[0] == own or 0 < found[0] < own)


def _source(name: str, names: list[str], programs: Programs, structure: optree.PyTreeSpec) -> str:
    """The source of the function: it finds the entry, writes the slots, runs, gives results as arrays and numbers."""
    arguments, results, opened = programs.arguments, programs.results, programs.open
    offset = len(results)
    lines = [f"x{k} = take_{k}({n})" for k, n in enumerate(names)]
    for k, a in enumerate(arguments):
        known = [f"x{k}.shape[{axis}] != {n}" for axis, n in enumerate(a.shape) if not isinstance(n, Dim)]
        if known:
            lines += [f"if {' or '.join(known)}:", f"    raise ValueError(wrong_{k})"]
    same = "".join(f" or word(sizes, {i}) != x{k}.shape[{axis}]" for i, (k, axis) in enumerate(opened))
    lines += ["table = process_address(TABLE)", "entry = atomic_load(table)"]
    if opened:
        lines += ["sizes = word(entry, SIZES) if entry != 0 else 0"]
        lines += [f"while entry != 0 and ({same[4:]}):", "    entry = word(entry, NEXT)"]
        lines += ["    sizes = word(entry, SIZES) if entry != 0 else 0"]
        lines += ["if entry == 0:", f"    request = np.empty({len(opened) + 1}, np.int64)"]
        lines += [f"    request[{i}] = x{k}.shape[{axis}]" for i, (k, axis) in enumerate(opened)]
        lines += ["    entry = new_entry(table, data_address(request))", "    keep(request)"]
        lines += ["    if entry == NO_GIL:", "        raise ValueError(no_gil)"]
        lines += ["    if entry == MISSING:", "        raise ValueError(missing)", "    sizes = word(entry, SIZES)"]
    places = {place: f"word(sizes, {len(opened) + i})" for i, place in enumerate(programs.result_sizes)}
    for k, a in enumerate(results):
        if a.shape:
            shape = "".join(f"{places.get((k, axis), n)}, " for axis, n in enumerate(a.shape))
            lines.append(f"y{k} = np.empty(({shape}), result_{k})")
    lines += ["lane = take_lane(entry)", "slots = word(lane, SLOTS)", "scalars = word(lane, SCALARS)"]
    lines += [f"set_word(slots, {k}, data_address(y{k}))" for k, a in enumerate(results) if a.shape]
    for k, a in enumerate(arguments):
        if a.shape:
            lines.append(f"set_word(slots, {offset + k}, data_address(x{k}))")
        else:
            lines.append(f"store({a.dtype.code}, scalars + {lanes.SCALAR * (offset + k)}, 0, x{k}, 0)")
    lines += ["call_kernel(word(table, RUNNER), lane, 0, 0)", "outcome = word(lane, OUTCOME)"]
    for k, a in enumerate(results):
        if not a.shape:
            lines.append(f"y{k} = load({a.dtype.code}, scalars + {lanes.SCALAR * k}, 0, 0)")
    lines.append("release_lane(entry, lane)")
    lines += [f"keep(x{k})" for k, a in enumerate(arguments) if a.shape]
    lines += ["if outcome == BAD_VALUES:", "    raise InvalidArgumentError(bad_values)"]
    lines += ["if outcome == NO_MEMORY:", "    raise MemoryError(no_memory)"]
    lines.append(f"return {_result_text(structure, (f'y{k}' for k in range(len(results))))}")
    return f"def {name}({', '.join(names)}):\n" + "".join(f"    {line}\n" for line in lines)


def _called(concrete, structure: optree.PyTreeSpec, *arguments):
    """The same in Python, for NUMBA_DISABLE_JIT=1."""
    leaves = concrete(*map(to_tensor, arguments))
    names = [f"y{k}" for k in range(len(leaves))]
    return eval(_result_text(structure, iter(names)), dict(zip(names, [t.numpy() for t in leaves], strict=True)))


def _messages(name: str, names: list[str], specs: list[TensorSpec]) -> dict[str, str]:
    """What the function says when it raises; such texts are fixed when it is compiled."""
    found = {
        f"wrong_{k}": f"{name}: {n} does not have the shape that it was compiled for, {spec.shape}"
        for k, (n, spec) in enumerate(zip(names, specs, strict=True))
    }
    found["no_gil"] = (
        f"{name}: it met arrays of these sizes for the first time in a thread without Python's lock; call it with such "
        f"arrays once before, outside of prange and nogil code, or give the sizes in its signature as nf.TensorSpec"
    )
    found["missing"] = f"{name}: there is no program for arrays of these sizes; call the nf.function itself to see why"
    found["no_memory"] = f"{name}: there is no memory for what a loop keeps of its rounds"
    found["bad_values"] = f"{name}: an op met values that it cannot take; call the nf.function itself to see which"
    return found


def _function_of(name: str, names: list[str], specs: list[TensorSpec], programs: Programs, structure) -> Callable:
    """The compiled function."""
    scope: dict = {f"take_{k}": _argument(name, n, s) for k, (n, s) in enumerate(zip(names, specs, strict=True))}
    scope |= {f"result_{k}": a.dtype.np for k, a in enumerate(programs.results)}
    scope |= {name: getattr(lanes, name) for name in _NATIVE} | intrinsics.DTYPES | _messages(name, names, specs)
    scope |= {"TABLE": programs.table, "np": np, "store": intrinsics.store, "load": intrinsics.load}
    scope["InvalidArgumentError"] = InvalidArgumentError
    source = _source(name, names, programs, structure)
    exec(compile(source, f"<{name}.njit>", "exec"), scope)
    # machine code that has its address lives as long as the process, longer than modules do when Python ends
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(programs))
    made = numba.njit(error_model="numpy")(scope[name])
    made.__doc__ = source
    return made


def _check_results(name: str, programs: Programs, expected: TensorSpec | None) -> None:
    """Raises TypeError where results are not what the signature says, or Numba has no such numbers."""
    for a in programs.results:
        _check_dtype(name, a.dtype)
    if expected is None:
        return
    found = [(a.dtype, len(a.shape)) for a in programs.results[:1]]
    if found != [(expected.dtype, expected.shape.rank)]:
        raise TypeError(f"{name}.njit: it returns {programs.results}; the signature says {expected!r}")


def compiled_for_numba(function: Function, signature=None, gradient=None, copies: int = 1) -> Callable:
    """What Function.njit returns; see there."""
    name = str(getattr(function, "__name__", ""))
    name = name if name.isidentifier() else "function"
    signature = function.input_signature if signature is None else signature
    if signature is None:
        raise TypeError(f"{name}.njit: give a signature, such as 'float32(float32[:,:], float32[:])'")
    if not isinstance(copies, int) or copies < 1:
        raise ValueError(f"{name}.njit: threads is {copies!r}; it takes an integer from 1 on")
    specs, expected = specs_of(name, signature)
    names = _names(function.python_function, len(specs))
    positions = None if gradient is None else _positions(name, gradient, names)
    traced = _Traced(function, name, positions, single=not isinstance(gradient, (list, tuple)))
    concrete = Function(traced).get_concrete_function(*specs)
    _check_structure(name, traced.structure)
    programs = Programs(name, concrete.compiled, copies)
    _check_results(name, programs, expected)
    if numba_config.DISABLE_JIT:
        return functools.partial(_called, concrete, traced.structure)
    if not programs.open:
        programs.entry(())
    return _function_of(name, names, specs, programs, traced.structure)
