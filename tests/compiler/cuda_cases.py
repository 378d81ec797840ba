"""What CUDA kernels must do. tests/compiler/test_emit_cuda.py runs this file in processes of their own.

With NUMBA_ENABLE_CUDASIM=1 the kernels run in numba's simulator, on a machine with a GPU on that. The tests named
offline compile for a GPU that need not be there. By hand:

    NUMBA_ENABLE_CUDASIM=1 NUMBA_DISABLE_JIT=1 python -m pytest tests/compiler/cuda_cases.py
"""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import nbflow.ops.array
import nbflow.ops.elementwise
import nbflow.ops.nn
import nbflow.ops.reduction  # noqa: F401
from nbflow import dtypes
from nbflow.compiler import lowering
from nbflow.compiler.emit_cuda import BLOCKS, COMPUTED, THREADS, CudaKernel, emit, form
from nbflow.compiler.expressions import GENERIC
from nbflow.compiler.graph import Graph, aval
from nbflow.compiler.passes.simplify import Emitter
from nbflow.compiler.program import Program
from nbflow.dtypes import bool_, float32, float64, int32, int64, uint8
from nbflow.errors import UnimplementedError
from nbflow.ops.table import TABLE as T
from nbflow.ops.table import Handle
from nbflow.runtime import cuda, vecmath

runs = pytest.mark.skipif(not cuda.available(), reason="neither a GPU nor the simulator")
offline = pytest.mark.skipif(cuda.simulated(), reason="the simulator does not compile")
THREADS, BLOCKS = (4, 2) if cuda.simulated() else (THREADS, BLOCKS)  # the simulator makes a Python thread of each
RNG = np.random.default_rng(0)


def make_graph(function, arrays, update=None):
    """The graph of a function of handles, and which input its second result updates."""
    graph = Graph()
    emitter = Emitter(graph)
    handles = [Handle(emitter, graph.input(aval(dtypes.as_dtype(a.dtype), a.shape))) for a in arrays]
    results = function(*handles)
    results = results if isinstance(results, tuple) else (results,)
    if update is not None:
        *results, new = results
        graph.updates[graph.inputs[update]] = new.value
    graph.outputs = [r.value for r in results]
    return graph


class Lowered:
    """A graph's nests, and their buffers on the device."""

    def __init__(self, graph, monkeypatch):
        self.nests = []
        with monkeypatch.context() as patch:
            patch.setattr(lowering, "nest_call", lambda nest, *_: self.nests.append(nest) or SimpleNamespace())
            self.lowering = lowering.Lowering(graph)
        self.memory = {}

    def array_of(self, operand):
        return self.buffer(self.lowering.buffer(operand.root), operand.dtype)

    def buffer(self, buffer, dtype):
        if buffer not in self.memory:
            constant = buffer.array
            empty = cuda.empty(buffer.nbytes // dtype.size, dtype.np) if constant is None else None
            self.memory[buffer] = empty if constant is None else cuda.to_device(constant.reshape(-1))
        return self.memory[buffer]

    def run(self, arrays):
        """Launches all kernels; returns the results, and the inputs as they are afterwards."""
        for buffer, array in zip(self.lowering.inputs, arrays, strict=True):
            self.memory[buffer] = cuda.to_device(np.array(array).reshape(-1))
        for nest in self.nests:
            CudaKernel(nest, THREADS, BLOCKS).launch(self.array_of)
        results = zip(self.lowering.outputs, self.lowering.graph.outputs, strict=True)
        inputs = zip(self.lowering.inputs, self.lowering.graph.inputs, strict=True)
        return tuple(
            [self.buffer(b, v.dtype).copy_to_host().reshape(v.shape) for b, v in pairs] for pairs in (results, inputs)
        )


@pytest.fixture
def lowered(monkeypatch):
    return lambda function, *arrays, update=None: Lowered(make_graph(function, arrays, update), monkeypatch)


@pytest.fixture
def run(lowered):
    """The result of a function of handles, or a tuple of several, computed by CUDA kernels."""

    def run(function, *arrays):
        results, _ = lowered(function, *arrays).run(arrays)
        return results[0] if len(results) == 1 else tuple(results)

    return run


def cpu(function, *arrays):
    """The result computed by the CPU kernels of the same nests."""
    program = Program(make_graph(function, arrays))
    (result,) = program.output_avals
    memory = np.empty(result.nbytes, np.uint8)
    dense = [np.ascontiguousarray(a) for a in arrays]
    with np.errstate(all="ignore"):  # the kernels may run as plain Python
        program.run([memory], [a.ctypes.data for a in dense])
    return memory.view(result.dtype.np).reshape(result.shape)


def floats(*shape, dtype=np.float32):
    return RNG.standard_normal(shape).astype(dtype)


def close(actual, expected, ulps=16.0):
    expected = np.asarray(expected)
    assert actual.shape == expected.shape
    if actual.dtype.kind == "f":
        bound = ulps * np.finfo(actual.dtype).eps
        np.testing.assert_allclose(actual, expected.astype(actual.dtype), rtol=bound, atol=bound)
    else:
        np.testing.assert_array_equal(actual, expected)


# --- elementwise ops --------------------------------------------------------------------------------------------------

X = [-2.5, -1.5, -1, -0.5, -0.0, 0.0, 0.25, 0.5, 1, 1.5, 2.5, 3, np.inf, -np.inf, np.nan]
Y = [0.5, -2, 3, 1, -1, 2, 1.5, -0.75, 1, 2, -3, 0.25, 2, 3, 1]
INTEGERS_X = [0, 1, 2, 7, 9, 5, 100, 11, 3, 4, 6, 8, 10, 12, 13]
INTEGERS_Y = [1, 2, 3, 4, 3, 2, 1, 2, 3, 4, 2, 3, 1, 2, 4]


def argument(dtype, position):
    """Test values for an op's argument; divisors and exponents are harmless."""
    if dtype.is_bool:
        return np.arange(len(X)) % (position + 2) == 0
    if dtype.is_floating:
        return np.array([X, Y, Y[::-1]][position], dtype.np)
    numbers = np.array([INTEGERS_X, INTEGERS_Y, INTEGERS_Y[::-1]][position])
    return (numbers if position or dtype.is_unsigned else numbers - 6).astype(dtype.np)


SPECIAL = {*vecmath.BRANCHING, "nextafter"}  # their references call vecmath with Python's floats


def called(op):
    """The functions that an op's expression calls."""
    text = op.expr if isinstance(op.expr, str) else op.expr([float64] * len(op.arguments), float64)
    return set(re.findall(r"(\w+)\(", text)) - GENERIC - {"dtype"}


def elementwise_cases():
    """The ops whose expressions call nothing but what CUDA kernels know, with the dtypes that these compute in."""
    apart = ("select", "cast", "complex")  # with tests of their own, or of a dtype that there is not
    ops = [op for op in T.values() if op.kind == "elementwise" and op.reference and op.name not in apart]
    known = {name.rpartition("_")[0] for name in cuda.namespace()} | set(cuda.namespace())
    ops = [op for op in ops if called(op) <= known]
    pairs = [(op, dtype) for op in ops for dtype in op.dtypes if dtype in COMPUTED]
    return [pytest.param(*pair, id=f"{pair[0].name}-{pair[1].code}") for pair in pairs]


def inputs_of(op, dtype):
    inputs = [argument(dtype, k) for k in range(len(op.arguments))]
    if op.name == "floor_div":  # of infinity it is floor(x / y), infinity, as TensorFlow's; NumPy's is nan
        inputs[0] = np.where(np.abs(inputs[0]) < 1e30, inputs[0], 5).astype(dtype.np)
    return inputs


@runs
@pytest.mark.parametrize("op, dtype", elementwise_cases())
def test_elementwise(run, op, dtype):
    inputs = inputs_of(op, dtype)
    with np.errstate(all="ignore"):
        expected = cpu(op, *inputs) if called(op) & SPECIAL else op.reference(*inputs)
    close(run(op, *inputs), expected, max(16, op.tolerance))


@runs
@pytest.mark.parametrize("dtype", COMPUTED, ids=str)
def test_select(run, dtype):
    inputs = [argument(bool_, 0), argument(dtype, 1), argument(dtype, 2)]
    np.testing.assert_array_equal(run(T["select"], *inputs), np.where(*inputs))


@runs
@pytest.mark.parametrize("target", COMPUTED, ids=str)
@pytest.mark.parametrize("source", COMPUTED, ids=str)
def test_cast(run, source, target):
    x = argument(source, 0)
    x = x[np.isfinite(x)]
    if target.is_unsigned and not source.is_bool:
        x = np.abs(x)
    if source is not target:
        np.testing.assert_array_equal(run(lambda h: T["cast"](h, dtype=target), x), x.astype(target.np))


@runs
@pytest.mark.parametrize("target, least", [(int32, -(2**31)), (int64, -(2**63)), (uint8, 0)], ids=str)
def test_cast_of_what_is_no_integer(run, target, least):
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30], np.float64)
    assert run(lambda h: T["cast"](h, dtype=target), x).tolist() == [least] * 5


@runs
@pytest.mark.parametrize("dtype", [float32, float64], ids=str)
def test_remainders_are_exact(run, dtype):
    x, y = (np.array(v, dtype.np) for v in ([1e10, -1e10, 5, -1, 1, -6], [3, 3, -np.inf, np.inf, np.inf, 3]))
    result = run(T["floor_mod"], x, y)
    np.testing.assert_array_equal(result, np.mod(x, y))
    np.testing.assert_array_equal(np.signbit(result), np.signbit(np.mod(x, y)))


LIBRARY = [name for name in vecmath.BOUNDS if name not in {"nextafter", *vecmath.BRANCHING}]


@runs
def test_every_function_of_vecmath_has_a_twin():
    table = cuda.namespace()
    functions = [n for n in vecmath.__all__ if n.endswith(("_f32", "_f64"))]
    assert [n for n in functions if n not in table] == []


@pytest.mark.skipif(not cuda.simulated(), reason="device functions are called from kernels only")
@pytest.mark.parametrize("code", ["f32", "f64"])
@pytest.mark.parametrize("name", LIBRARY)
def test_device_function(name, code):
    function, vector = cuda.namespace()[f"{name}_{code}"], getattr(vecmath, f"{name}_{code}")
    scalar = np.float32 if code == "f32" else np.float64
    eps = np.finfo(scalar).eps
    numbers = [*X, 1e-30, -1e-5, 20.0, -30.0, 1e10, 2.0**23 - 0.5, -(2.0**22) - 0.5]
    two = name in ("pow", "atan2", "fmod", "copysign")
    rows = [(x, y) for x in numbers for y in (0.5, -2.0, 0.0)] if two else [(x,) for x in numbers]
    with np.errstate(all="ignore"):
        actual = np.array([function(*map(scalar, row)) for row in rows])
        expected = np.array([vector(*map(scalar, row)) for row in rows])
    if actual.dtype.kind == "b":
        np.testing.assert_array_equal(actual, expected)
    else:
        np.testing.assert_allclose(actual, expected, rtol=8 * eps, atol=4 * eps if name == "lgamma" else 0)
        zero = expected == 0
        np.testing.assert_array_equal(np.signbit(actual[zero]), np.signbit(expected[zero]))


@pytest.mark.parametrize("dtype", [*dtypes.HALF, *dtypes.COMPLEX], ids=str)
def test_other_dtypes_are_said(lowered, dtype):
    graph = lowered(lambda x: x * x + x, np.ones(3, dtype.np))
    with pytest.raises(
        UnimplementedError, match=f"CUDA: multiply → add has {dtype.name}; kernels take float32, float64"
    ):
        emit(graph.nests[0])


# --- shapes and strides -----------------------------------------------------------------------------------------------


@runs
def test_bias_and_relu_are_one_kernel(lowered):
    x, b = floats(5, 7), floats(7)
    graph = lowered(lambda x, b: T["relu"](x + b), x, b)
    assert [form(n) for n in graph.nests] == ["grid"]
    close(graph.run([x, b])[0][0], np.maximum(x + b, 0), 0)


@runs
@pytest.mark.parametrize(
    "a, b",
    [
        *(((4, 1, 3), (1, 5, 1)), ((2, 3, 4), (3, 1)), ((2, 3, 4), ()), ((1, 6), (5, 1))),
        *(((), ()), ((4,), (1,)), ((2, 0), (2, 0))),
    ],
)
def test_broadcasting(run, a, b):
    x, y = floats(*a), floats(*b)
    close(run(lambda x, y: x * y + 2.0, x, y), x * y + np.float32(2), 2)


@runs
@pytest.mark.parametrize("perm", [(1, 0, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1)])
def test_transposed(run, perm):
    x, y = floats(2, 3, 4), floats(*(np.array((2, 3, 4))[list(perm)]))
    close(run(lambda x, y: T["transpose"](x, perm=perm) - y, x, y), x.transpose(perm) - y, 0)


@runs
def test_negative_strides(run):
    x, y = floats(4, 9), floats(3, 4)

    def function(x, y):
        return T["strided_slice"](x, begin=(3, 7), step=(-1, -2), shape=(3, 4)) * y

    close(run(function, x, y), x[3:0:-1, 7:0:-2] * y, 0)
    close(run(lambda x: T["strided_slice"](x, begin=(8,), step=(-1,), shape=(9,)) + 0.0, x[0]), x[0, ::-1], 0)


@runs
def test_row_sums_over_negative_strides(run):
    x = floats(4, 9)

    def function(x):
        flipped = T["strided_slice"](x, begin=(3, 8), step=(-1, -1), shape=(4, 9))
        return T["reduce_sum"](flipped * 2.0, axis=(1,), keepdims=False)

    close(run(function, x), (x[::-1] * 2).sum(1))


@runs
def test_one_hot(run):
    k, on, off = np.array([[0, 2, 1], [3, -1, 9]], np.int32), np.float32(2), np.float32(-1)
    for axis in (0, 1, 2):
        attrs = {"depth": 4, "axis": axis}
        result = run(lambda *h, attrs=attrs: T["one_hot"](*h, **attrs), k, np.array(on), np.array(off))
        np.testing.assert_array_equal(result, T["one_hot"].reference(k, on, off, **attrs))


@runs
def test_range(run):
    start, delta = np.array(5, np.float32), np.array(-0.5, np.float32)
    close(run(lambda s, d: T["range"](s, d, size=11), start, delta), 5 - 0.5 * np.arange(11), 0)


@runs
def test_concat_copies_into_strided_places(run):
    x, y = floats(2, 3, 2), floats(2, 4, 2)
    close(run(lambda x, y: T["concat"](x, y, axis=1), x, y), np.concatenate([x, y], 1), 0)


# --- reductions -------------------------------------------------------------------------------------------------------

AXES = [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)]
REDUCTIONS = {
    float32: ("reduce_sum", "reduce_prod", "reduce_max", "reduce_min", "reduce_mean"),
    float64: ("reduce_sum", "reduce_max"),
    int32: ("reduce_sum", "reduce_prod", "reduce_max", "reduce_min", "reduce_mean"),
    int64: ("reduce_min",),
    uint8: ("reduce_sum", "reduce_max"),
    bool_: ("reduce_any", "reduce_all"),
}


def numbers(dtype, shape):
    if dtype.is_bool:
        return RNG.random(shape) < 0.7
    return floats(*shape, dtype=dtype.np) if dtype.is_floating else RNG.integers(0, 9, shape).astype(dtype.np)


@runs
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("name, dtype", [(name, d) for d, names in REDUCTIONS.items() for name in names], ids=str)
def test_reduction(run, name, dtype, axis):
    x, op, keepdims = numbers(dtype, (3, 4, 5)), T[name], len(axis) == 2
    result = run(lambda h: op(h, axis=axis, keepdims=keepdims), x)
    close(result, op.reference(x, axis, keepdims), 40)


@runs
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)], ids=str)
@pytest.mark.parametrize("name", ["reduce_sum", "reduce_prod", "reduce_max", "reduce_min"])
def test_reduction_of_nothing(run, name, shape):
    x, op = np.zeros(shape, np.float32), T[name]
    for axis in ((0,), (1,), (0, 1)):
        result = run(lambda h, a=axis: op(h, axis=a, keepdims=False), x)
        np.testing.assert_array_equal(result, op.reference(x, axis, False))


@runs
@pytest.mark.parametrize("axis", [(0,), (1,)], ids=str)
def test_extremes_keep_nan(run, axis):
    x = floats(5, 20)
    x[0, 3] = x[4, 19] = x[2, 0] = np.nan
    for name in ("reduce_max", "reduce_min"):
        result = run(lambda h, n=name: T[n](h, axis=axis, keepdims=False), x)
        np.testing.assert_array_equal(result, T[name].reference(x, axis, False))


@runs
def test_one_kernel_for_two_reductions_of_a_row(lowered):
    x = floats(5, 11)

    def moments(x):
        mean = T["reduce_mean"](x, axis=(1,), keepdims=False)
        return mean, T["reduce_mean"](x * x, axis=(1,), keepdims=False) - mean * mean

    graph = lowered(moments, x)
    assert [form(n) for n in graph.nests] == ["block"]
    mean, variance = graph.run([x])[0]
    close(mean, x.mean(1))
    close(variance, x.var(1), 40)


@runs
def test_columns_are_shared_among_threads(lowered):
    x = floats(13, 2)
    graph = lowered(lambda x: T["reduce_sum"](x, axis=(0,), keepdims=False), x)
    assert [form(n) for n in graph.nests] == ["columns"]
    assert CudaKernel(graph.nests[0], THREADS, BLOCKS).block[1] > 1
    close(graph.run([x])[0][0], x.sum(0))


@runs
@pytest.mark.parametrize("count", [70_000, 65_537])
def test_reduction_of_everything_in_pieces(lowered, count):
    x = floats(count)
    graph = lowered(lambda x: T["reduce_sum"](T["square"](x), axis=(0,), keepdims=False), x)
    assert [n.total for n in graph.nests] == [count, 0]
    close(graph.run([x])[0][0], (x.astype(np.float64) ** 2).sum(), 2)


@runs
def test_pieces_of_a_broadcast(lowered):
    x, y = floats(3), floats(25_000)
    graph = lowered(lambda x, y: T["reduce_max"](T["reshape"](x, shape=(3, 1)) * y, axis=(0, 1), keepdims=False), x, y)
    assert len(graph.nests) == 2
    close(graph.run([x, y])[0][0], (x[:, None] * y).max(), 0)


@runs
def test_float32_sums_are_rounded_once(run):
    x = np.full((2, 401), 0.1, np.float32)
    for axis in ((1,), (0,)):
        result = run(lambda h, a=axis: T["reduce_sum"](h, axis=a, keepdims=False), x)
        np.testing.assert_array_equal(result, x.astype(np.float64).sum(axis).astype(np.float32))


# --- softmax and what is made of it -----------------------------------------------------------------------------------


@runs
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("shape, axis", [((5, 13), 1), ((5, 13), 0), ((2, 3, 4), 1), ((2, 3, 4), 2), ((6,), 0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax(run, name, shape, axis, dtype):
    x = floats(*shape, dtype=dtype)
    result = run(lambda h: T[name](h, axis=axis), x)
    close(result, T[name].reference(x, axis), 32)
    close(result, cpu(lambda h: T[name](h, axis=axis), x), 16)


@runs
def test_softmax_is_one_kernel(lowered):
    x = floats(5, 13)
    x[1, 2], x[2, :], x[3, 0] = np.inf, -np.inf, 1e30
    graph = lowered(lambda h: T["softmax"](h, axis=1), x)
    assert [form(n) for n in graph.nests] == ["block"]
    close(graph.run([x])[0][0], cpu(lambda h: T["softmax"](h, axis=1), x))


LABELS = np.array([0, 6, 3, 2, 6], np.int32)
LOSSES = {
    "softmax_cross_entropy_with_logits": lambda: (np.eye(7, dtype=np.float32)[LABELS], floats(5, 7)),
    "sparse_softmax_cross_entropy_with_logits": lambda: (LABELS, floats(5, 7)),
    "softmax_minus_one_hot": lambda: (LABELS, floats(5, 7)),
    "weighted_cross_entropy_with_logits": lambda: (floats(5, 7), floats(5, 7), np.array(1.5, np.float32)),
    "l2_loss": lambda: (floats(5, 7),),
}


@runs
@pytest.mark.parametrize("name", LOSSES)
def test_loss(run, name):
    inputs = LOSSES[name]()
    result = run(T[name], *inputs)
    close(result, T[name].reference(*inputs), 64)
    close(result, cpu(T[name], *inputs), 32)


@runs
def test_label_outside_the_classes(run):
    labels, logits = np.array([1, -1, 7], np.int64), floats(3, 7)
    result = run(T["sparse_softmax_cross_entropy_with_logits"], labels, logits)
    assert np.isnan(result).tolist() == [False, True, True]


def layer_norm(x, gain, bias):
    d = x - T["reduce_mean"](x, axis=(1,), keepdims=True)
    return d * T["rsqrt"](T["reduce_mean"](d * d, axis=(1,), keepdims=True) + 1e-5) * gain + bias


@runs
def test_layer_norm(lowered):
    inputs = floats(5, 19), floats(19), floats(19)
    graph = lowered(layer_norm, *inputs)
    assert [form(n) for n in graph.nests] == ["block"]
    close(graph.run(inputs)[0][0], cpu(layer_norm, *inputs), 32)


# --- updates in place -------------------------------------------------------------------------------------------------


@runs
@pytest.mark.parametrize("shape", [(37,), (3, 5), ()], ids=str)
def test_update_in_place(lowered, shape):
    p, g = floats(*shape), floats(*shape)
    graph = lowered(lambda p, g: (g * 2.0, p - g * 0.5), p, g, update=0)
    (doubled,), (updated, _) = graph.run([p, g])
    close(doubled, g * 2)
    close(updated, p - g * np.float32(0.5), 2)


@runs
def test_row_values_updated_in_place(lowered):
    """One thread stores a row's value while all threads of the block read the old one."""
    p, x = floats(5), floats(5, 21)

    def function(p, x):
        new = p * 3.0
        return x - T["reshape"](new, shape=(5, 1)), new

    graph = lowered(function, p, x, update=0)
    (result,), (updated, _) = graph.run([p, x])
    close(updated, p * 3)
    close(result, x - (p * 3)[:, None], 2)


# --- for a GPU that need not be there ---------------------------------------------------------------------------------


def adam(p, m, v, g):
    m, v = m * 0.9 + g * 0.1, v * 0.999 + g * g * 0.001
    return p - m * 0.001 / (T["sqrt"](v) + 1e-7), m, v


def square(size=64):
    return np.zeros((size, size), np.float32)


PROGRAMS = {  # function, inputs, registers that a thread may take
    "bias_relu": (lambda x, b: T["relu"](x + b), [square(), square()[0]], 32),
    "sigmoid": (lambda a, b, c: T["sigmoid"](a * b + c) * a - b * 2.0, [square()] * 3, 40),
    "adam": (adam, [square()] * 4, 48),
    "softmax": (lambda x: T["softmax"](x, axis=1), [square()], 40),
    "softmax_columns": (lambda x: T["softmax"](x, axis=0), [square()], 40),
    "sparse_xent": (T["sparse_softmax_cross_entropy_with_logits"], [np.zeros(64, np.int32), square()], 40),
    "layer_norm": (layer_norm, [square(), square()[0], square()[0]], 40),
    "row_sums": (lambda x: T["reduce_sum"](x, axis=(1,), keepdims=False), [square()], 32),
    "column_sums": (lambda x: T["reduce_sum"](x, axis=(0,), keepdims=False), [square()], 32),
    "mean": (lambda x: T["reduce_mean"](x, axis=(0, 1), keepdims=False), [square(300)], 32),
}


def compiled(nests):
    for nest in nests:
        emitted = emit(nest)
        yield cuda.compile_ptx(emitted.stem, emitted.source, emitted.arguments, (9, 0))


@offline
@pytest.mark.parametrize("op, dtype", elementwise_cases())
def test_offline_elementwise(lowered, op, dtype):
    (ptx,) = compiled(lowered(op, *inputs_of(op, dtype)).nests)
    assert f".visible .entry {ptx.entry}" in ptx.text
    if dtype is float32 and not called(op) & SINGLE_PRECISION_IN_DOUBLE:
        assert not re.search(r"\.f64", ptx.text), "computes in float64"


SINGLE_PRECISION_IN_DOUBLE = {"sin", "cos", "tan", *vecmath.BRANCHING}  # the first: large arguments are reduced so


@offline
@pytest.mark.parametrize("name", PROGRAMS)
def test_offline_registers(lowered, name):
    function, inputs, most = PROGRAMS[name]
    for ptx in compiled(lowered(function, *inputs).nests):
        cubin = cuda.link(ptx)
        assert cubin.code.startswith(b"\x7fELF")
        assert 0 < cubin.registers <= most
        assert cubin.spilled == 0 and cubin.stack == 0


@offline
@pytest.mark.parametrize("source", COMPUTED, ids=str)
def test_offline_cast(lowered, source):
    for target in COMPUTED:
        if target is not source:
            x = np.zeros(3, source.np)
            assert len(list(compiled(lowered(lambda h, t=target: T["cast"](h, dtype=t), x).nests))) == 1


@offline
@pytest.mark.parametrize("dtype", REDUCTIONS, ids=str)
def test_offline_reductions(lowered, dtype):
    for name in REDUCTIONS[dtype]:
        x = np.zeros((8, 8), dtype.np)
        list(compiled(lowered(lambda h, n=name: T[n](h, axis=(1,), keepdims=False), x).nests))


@offline
def test_offline_every_device_function():
    for name in LIBRARY:
        for code in ("f32", "f64"):
            two = name in ("pow", "atan2", "fmod", "copysign")
            call = f"{name}_{code}(x[i]{', x[i]' if two else ''})"
            source = f"def {{name}}(x, n):\n    i = uint64(cuda.grid(1))\n    x[i] = {code}({call})\n"
            assert cuda.compile_ptx(name, source, [f"{code}*", "u64"]).entry
