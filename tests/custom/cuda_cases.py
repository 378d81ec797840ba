"""Custom ops as CUDA kernels. tests/custom/test_cuda.py runs this file in a process of its own, in the simulator."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import nbflow as nf
from nbflow.compiler import lowering
from nbflow.compiler.emit_cuda import CudaKernel, emit
from nbflow.compiler.graph import Graph, aval
from nbflow.compiler.lowering import Lowering
from nbflow.compiler.passes.simplify import Emitter
from nbflow.custom.op import op_of
from nbflow.ops.table import Handle
from nbflow.runtime import cuda

offline = pytest.mark.skipif(cuda.simulated(), reason="the simulator does not compile")
runs = pytest.mark.skipif(not cuda.available(), reason="neither a GPU nor the simulator")
X = np.linspace(-2.5, 3.5, 13)


@nf.op
def squareplus(x, b=4.0):
    return 0.5 * (x + math.sqrt(x * x + b))


@nf.op
def lambert(x):
    w = math.log1p(abs(x))
    while True:
        e = math.exp(w)
        change = (w * e - abs(x)) / (e * (w + 1))
        w -= change
        if abs(change) < 1e-6:
            return w


@nf.op
def everything(x, y):
    total = 0.0
    for k in range(3):
        total += x % (k + 1.5) + int(y * k) * x - x // 2
    if x > 0 and not y > 1:
        return max(total, y) ** 1.5 + math.lgamma(x) + (x > 1) * y**3
    return total + squareplus(y, b=x * x) - round(x)


@nf.op
def special(x, y):
    return nf.math.bessel_i0(x) * nf.math.erfinv(0.2 * y) + nf.math.digamma(x)


def nest_of(function, *arrays):
    """The one nest of a function of handles, and its graph."""
    graph, nests = Graph(), []
    emitter = Emitter(graph)
    handles = [Handle(emitter, graph.input(aval(nf.as_dtype(a.dtype), a.shape))) for a in arrays]
    graph.outputs = [function(*handles).value]
    before, lowering.nest_call = lowering.nest_call, lambda nest, *_: nests.append(nest) or SimpleNamespace()
    try:
        lowered = Lowering(graph)
    finally:
        lowering.nest_call = before
    (nest,) = nests
    return nest, lowered


def programs(op, *parameters):
    """The table ops of an op and of its derivatives."""
    return [op_of(o._scalar(())) for o in (op, *(op.derivative(p) for p in parameters))]


CASES = [(squareplus, ("x", "b"), 2), (lambert, ("x",), 1), (everything, ("x", "y"), 2), (special, ("x", "y"), 2)]


@runs
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("op, parameters, count", CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_values(op, parameters, count, dtype):
    inputs = [X.astype(dtype), X[::-1].astype(dtype)][:count]
    for table_op in programs(op, *parameters):
        nest, lowered = nest_of(lambda *handles, o=table_op: o(*handles) * 2.0, *inputs)
        memory = {b: cuda.to_device(a) for b, a in zip(lowered.inputs, inputs, strict=True)}
        memory[lowered.outputs[0]] = cuda.empty(X.size, inputs[0].dtype)

        def array_of(operand, memory=memory, lowered=lowered):
            buffer = lowered.buffer(operand.root)
            if buffer.array is not None:
                memory[buffer] = cuda.to_device(buffer.array.reshape(-1))
            return memory[buffer]

        CudaKernel(nest, 4, 2).launch(array_of)
        actual = memory[lowered.outputs[0]].copy_to_host()
        with np.errstate(all="ignore"):
            expected = table_op(*map(nf.constant, inputs)).numpy() * dtype(2)
        tolerance = 5e-5 if dtype is np.float32 else 1e-11
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@offline
@pytest.mark.parametrize("op, parameters, count", CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_offline(op, parameters, count):
    """They compile for a GPU that is not here, and float32 stays float32."""
    for table_op in programs(op, *parameters):
        nest, _ = nest_of(lambda *handles, o=table_op: o(*handles) * 2.0, *[X.astype(np.float32)] * count)
        emitted = emit(nest)
        ptx = cuda.compile_ptx(emitted.stem, emitted.source, emitted.arguments, (9, 0))
        if op is squareplus:
            assert "f64" not in ptx.text
        assert cuda.link(ptx).spilled == 0
