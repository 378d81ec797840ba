"""nf.kernel: array functions as ops, eager, traced and on tapes."""

import math
import subprocess
import sys
import textwrap

import numba
import numpy as np
import pytest

import nbflow as nf
from nbflow.custom.portable import NotPortable, portable
from nbflow.runtime import native

RNG = np.random.default_rng(0)
HALF = 0.5


@numba.njit
def clip(i, n):
    return min(max(i, 0), n - 1)


def laplace(u, i, j):
    """The sum over the neighbours less four times the point; edges reflect."""
    n, m = u.shape
    return u[clip(i - 1, n), j] + u[clip(i + 1, n), j] + u[i, clip(j - 1, m)] + u[i, clip(j + 1, m)] - 4 * u[i, j]


@nf.kernel
def heat(u, out, begin, end, rate=0.1):
    """One step of the heat equation."""
    for i in range(begin, end):
        for j in range(u.shape[1]):
            out[i, j] = u[i, j] + rate * laplace(u, i, j)


@heat.gradient
def _(upstream, u, rate):
    return heat(upstream, rate=rate)  # the step is its own adjoint


@nf.kernel(infer=lambda x, weights: (x.shape[0] - weights.shape[0] + 1,))
def correlate(x, weights, out):
    for i in range(out.shape[0]):
        total = 0.0
        for k in range(weights.shape[0]):
            total += x[i + k] * weights[k]
        out[i] = total


@correlate.gradient
def _(g, x, weights):
    zeros = nf.zeros([weights.shape[0] - 1], g.dtype)
    return correlate(nf.concat([zeros, g, zeros], 0), weights[::-1]), correlate(x, g)


@nf.kernel(infer=lambda x: [x.shape[:1], ()])
def sums(x, out_rows, out_total):
    for i in range(x.shape[0]):
        out_rows[i] = x[i].sum()
    out_total[()] = out_rows.sum()


@sums.gradient
def _(gradients, x, output):
    rows, total = gradients
    assert output[0].shape == rows.shape
    return (nf.expand_dims(rows, 1) + total) * nf.ones_like(x)


def stepped(u, rate):
    p = np.pad(u, 1, "edge")
    return u + rate * (p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:] - 4 * u)


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 2e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("shape", [(6, 5), (1, 1), (0, 3), (700, 300)])
def test_rows(shape, dtype, tolerance):
    u = RNG.standard_normal(shape).astype(dtype)
    result = heat(nf.constant(u), rate=0.2)
    assert result.dtype == dtype and tuple(result.shape) == shape
    if u.size:
        np.testing.assert_allclose(result.numpy(), stepped(u, 0.2), rtol=tolerance, atol=tolerance)


def test_eager_traced_and_views():
    def steps(u):
        for _ in range(3):
            u = heat(nf.transpose(u) * 2.0, rate=0.05) + 1.0
        return u[::-1]

    u = nf.constant(RNG.standard_normal((8, 9)))
    expected = u.numpy()
    for _ in range(3):
        expected = stepped(expected.T * 2, 0.05) + 1
    np.testing.assert_allclose(steps(u).numpy(), expected[::-1], rtol=1e-12)
    np.testing.assert_allclose(nf.function(steps)(u).numpy(), expected[::-1], rtol=1e-12)
    np.testing.assert_allclose(heat(u[::2, 1:4]).numpy(), stepped(u.numpy()[::2, 1:4], 0.1), rtol=1e-12)


def test_arguments():
    u = RNG.standard_normal((3, 4))
    for given in (u, nf.Variable(u), u.tolist()):
        assert heat(given).shape == (3, 4)
    assert heat(u=u, rate=1).dtype is nf.float64
    assert correlate(nf.ones(4), [1.0, 2.0]).numpy().tolist() == [3, 3, 3]


def test_several_results_and_scalars():
    x = RNG.standard_normal((4, 3))
    rows, total = sums(nf.constant(x))
    np.testing.assert_allclose(rows.numpy(), x.sum(1))
    assert total.shape == () and total.numpy() == pytest.approx(x.sum())


@pytest.mark.parametrize("dtype", [nf.int8, nf.uint16, nf.int32, nf.int64, nf.bool, nf.complex64, nf.float64], ids=str)
def test_dtypes(dtype):
    x = nf.cast([3, 0, 1], dtype)
    assert backwards(x).dtype is dtype
    np.testing.assert_array_equal(backwards(x).numpy(), x.numpy()[::-1])


@nf.kernel
def backwards(x, out):
    for i in range(x.shape[0]):
        out[i] = x[x.shape[0] - 1 - i]


def test_another_dtype_and_mixed_inputs():
    @nf.kernel(infer=lambda x, at: nf.TensorSpec(at.shape, nf.int64))
    def picked(x, at, out, scale=2, negate=False):
        for k in range(at.shape[0]):
            out[k] = scale * int(x[at[k]]) * (-1 if negate else 1)

    x, at = nf.constant([1.5, 2.5, 3.5]), nf.constant([2, 0], nf.int32)
    assert picked(x, at).dtype is nf.int64 and picked(x, at).numpy().tolist() == [6, 2]
    assert picked(x, at, scale=3, negate=True).numpy().tolist() == [-9, -3]


def test_unknown_sizes():
    traced = nf.function(lambda u: heat(u) + 1.0, input_signature=[nf.TensorSpec([None, 4])])
    for n in (2, 5):
        u = RNG.standard_normal((n, 4)).astype(np.float32)
        np.testing.assert_allclose(traced(nf.constant(u)).numpy(), stepped(u, 0.1) + 1, rtol=1e-5)


def test_variables_are_updated_after_they_are_read():
    u = RNG.standard_normal((5, 4))
    state = nf.Variable(u)

    @nf.function
    def advance():
        state.assign(heat(state))

    for _ in range(3):
        advance()
        u = stepped(u, 0.1)
    np.testing.assert_allclose(state.numpy(), u, rtol=1e-13)


# --- gradients --------------------------------------------------------------------------------------------------------


def test_gradient_is_the_adjoint():
    u, v = (nf.Variable(RNG.standard_normal((5, 6))) for _ in range(2))
    with nf.GradientTape() as tape:
        product = nf.reduce_sum(heat(u, rate=0.15) * v)
    gradient = tape.gradient(product, u)
    assert nf.reduce_sum(gradient * u).numpy() == pytest.approx(product.numpy())


def test_gradients_of_several_inputs_to_second_order():
    x, w = nf.Variable(RNG.standard_normal(7)), nf.Variable(RNG.standard_normal(3))

    @nf.function
    def both():
        with nf.GradientTape(persistent=True) as outer:
            with nf.GradientTape() as inner:
                y = nf.reduce_sum(correlate(x, w) ** 2)
            dx, dw = inner.gradient(y, [x, w])
            total = nf.reduce_sum(dx)
        return dx, dw, outer.gradient(total, w)

    def value(x, w):
        return (np.correlate(x, w) ** 2).sum()

    dx, dw, mixed = both()
    eye = np.eye(7) * 1e-5
    numeric = [(value(x.numpy() + e, w.numpy()) - value(x.numpy() - e, w.numpy())) / 2e-5 for e in eye]
    np.testing.assert_allclose(dx.numpy(), numeric, rtol=1e-6, atol=1e-8)
    eye = np.eye(3) * 1e-5
    numeric = [(value(x.numpy(), w.numpy() + e) - value(x.numpy(), w.numpy() - e)) / 2e-5 for e in eye]
    np.testing.assert_allclose(dw.numpy(), numeric, rtol=1e-6, atol=1e-8)
    assert mixed.shape == (3,) and np.isfinite(mixed.numpy()).all()


def test_gradient_of_several_results():
    x = nf.Variable(RNG.standard_normal((4, 3)))
    with nf.GradientTape(persistent=True) as tape:
        rows, total = sums(x)
        loss = nf.reduce_sum(rows * [1.0, 2.0, 3.0, 4.0]) + 10.0 * total
        half = nf.reduce_sum(rows * rows)
    np.testing.assert_allclose(tape.gradient(loss, x).numpy()[:, 0], [11, 12, 13, 14])
    np.testing.assert_allclose(tape.gradient(half, x).numpy()[:, 1], 2 * x.numpy().sum(1))


def test_without_gradient():
    x = nf.Variable([1.0, 2.0])
    with nf.GradientTape() as tape:
        y = backwards(x)
    assert tape.gradient(y, x) is None


# --- errors -----------------------------------------------------------------------------------------------------------


@nf.kernel
def careless(x, out, begin, end):
    for i in range(begin, end):
        out[i] = x[i + 1]


@pytest.mark.parametrize("size", [3, 1 << 20])
def test_an_index_out_of_bounds_is_an_error(size):
    for function in (careless, nf.function(lambda x: careless(x) * 2.0)):
        with pytest.raises(nf.errors.InvalidArgumentError, match="careless: it raised an exception on float32"):
            function(nf.zeros(size))
    with pytest.raises(IndexError):
        careless.function(np.zeros(3), np.zeros(3), 0, 3)


def test_errors_of_its_own():
    @nf.kernel
    def positive(x, out):
        for i in range(x.shape[0]):
            if x[i] < 0:
                raise ValueError("negative")
            out[i] = x[i]

    assert positive(nf.ones(2)).numpy().tolist() == [1, 1]
    with pytest.raises(nf.errors.InvalidArgumentError, match="positive: it raised an exception"):
        positive(-nf.ones(2))


def test_what_numba_cannot_compile():
    @nf.kernel
    def nonsense(x, out):
        out[:] = x.nothing

    with pytest.raises(TypeError, match="nonsense: Numba cannot compile it for float32.*\n.*(?s:.*)nothing"):
        nonsense(nf.ones(2))


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda x: None, "needs inputs and at least one result"),
        (lambda out: None, "needs inputs and at least one result"),
        (lambda x, out, begin: None, "takes begin alone"),
        (lambda x, *out: None, "are not plain ones"),
        (lambda x, out, *, k=1: None, "are not plain ones"),
        (lambda x, out, k="a": None, "has the default k='a'"),
    ],
)
def test_bad_definitions(function, message):
    with pytest.raises(TypeError, match=message):
        nf.kernel(function)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: heat(), TypeError, "heat: missing a required argument: 'u'"),
        (lambda: heat(nf.ones((2, 2)), 0.3), TypeError, "heat: too many positional"),
        (lambda: heat(nf.ones((2, 2)), rate=nf.constant(0.3)), TypeError, "rate is .*; it takes a Python float"),
        (lambda: heat(nf.cast(nf.ones((2, 2)), nf.float16)), nf.errors.InvalidArgumentError, "u has dtype float16"),
        (lambda: heat(nf.constant(1.0)), nf.errors.InvalidArgumentError, "the result is a scalar"),
        (lambda: correlate(nf.ones(2), nf.ones(4)), nf.errors.InvalidArgumentError, "infer gave .-1,."),
    ],
)
def test_bad_calls(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_bad_shape_rules_and_gradients():
    @nf.kernel(infer=lambda x: [(2,)], vjp=lambda g, x: (g, g))
    def two(x, out_a, out_b):
        out_a[:] = 0

    with pytest.raises(nf.errors.InvalidArgumentError, match="two: infer gave 1 shapes for 2 results"):
        two(nf.ones(2))

    @nf.kernel(vjp=lambda g, x: (g, g))
    def one(x, out):
        out[:] = x

    x = nf.Variable([1.0])
    with nf.GradientTape() as tape:
        y = one(x)
    with pytest.raises(ValueError, match="one: its gradient gave 2 values for 1 inputs"):
        tape.gradient(y, x)

    @nf.kernel(infer=lambda x: (2,), vjp=lambda g, x: g)
    def ends(x, out):
        out[0], out[1] = x[0], x[-1]

    x = nf.Variable([1.0, 2.0, 3.0])
    with nf.GradientTape() as tape:
        y = ends(x)
    with pytest.raises(ValueError, match=r"ends: its gradient for x has shape \(2,\), not \(3,\)"):
        tape.gradient(y, x)


def test_inputs_are_not_written_to():
    @nf.kernel
    def careless(x, out):
        x[0] = 0.0
        out[:] = x

    with pytest.raises(TypeError, match="(?s)careless: Numba cannot compile it.*readonly array"):
        careless(nf.ones(3))


# --- source and cache -------------------------------------------------------------------------------------------------


def test_source_stands_alone():
    text = portable(heat.function, "array_function")
    assert text.count("@array_function") == 3 and "docstring" not in text and '"""' not in text
    assert text.index("def clip") < text.index("def laplace") < text.index("def heat(u, out, begin, end, rate)")

    def uses(x, out):
        out[:] = np.sqrt(x) * HALF + math.pi

    assert portable(uses, "f").startswith("import numpy as np\nHALF = 0.5\nimport math as math\n")


def test_what_has_no_source_runs_from_memory():
    table = np.array([10.0, 20.0, 30.0])

    def looked_up(x, out):
        for i in range(x.shape[0]):
            out[i] = table[x[i]]

    with pytest.raises(NotPortable, match="table is a ndarray"):
        portable(looked_up, "f")
    op = nf.kernel(looked_up, infer=lambda x: nf.TensorSpec(x.shape, nf.float64))
    assert op(nf.constant([2, 0])).numpy().tolist() == [30, 10]
    scope = {}
    exec("def doubled(x, out):\n    out[:] = x * 2\n", scope)
    assert nf.kernel(scope["doubled"])(nf.ones(2)).numpy().tolist() == [2, 2]


def test_kernels_of_one_name():
    def make(factor):
        @nf.kernel
        def scaled(x, out):
            out[:] = x * factor

        return scaled

    two, three = make(2.0), make(3.0)
    a, b = nf.function(lambda x: (two(x), three(x)))(nf.ones(2))
    assert a.numpy().tolist() == [2, 2] and b.numpy().tolist() == [3, 3]


def test_kernels_come_from_the_disk_in_a_second_process(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent("""
        import numpy as np
        import nbflow as nf
        from nbflow.runtime import native

        @nf.kernel
        def blurred(x, out, begin, end):
            scratch = np.zeros(3)
            for i in range(begin, end):
                scratch[:] = x[i : i + 3]
                out[i] = scratch.mean()

        try:
            blurred(nf.constant(np.arange(4.0)))
        except nf.errors.InvalidArgumentError as error:
            print("blurred: it raised" in str(error), {k.origin for k in native.loaded_kernels()})
        """)
    )

    def run():
        environment = {"NBFLOW_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(native.Path.cwd())}
        done = subprocess.run([sys.executable, str(program)], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert [run(), run()] == ["True {'compiled'}", "True {'disk'}"]


def test_what_it_looks_like():
    assert repr(heat) == "<nf.kernel heat(u, *, rate=0.1)>" and heat.__doc__ == "One step of the heat equation."
