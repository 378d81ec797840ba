"""nf.op: custom elementwise ops, eager, traced and on tapes."""

import math
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbflow as nf
from nbflow.runtime import native

X = np.array([-2.5, -1.0, -0.3, 0.0, 0.4, 1.0, 3.5])


@nf.op
def squareplus(x, b=4.0):
    """A smooth ReLU."""
    return 0.5 * (x + math.sqrt(x * x + b))


@nf.op
def lambert(x, *, steps=30):
    """W(x) for x >= 0, by Newton's method."""
    w = math.log1p(x)
    for _ in range(steps):
        e = math.exp(w)
        change = (w * e - x) / (e * (w + 1))
        w -= change
        if abs(change) <= 1e-14 * abs(w):
            break
    return w


@nf.op
def pinball(error, level):
    return level * error if error >= 0 else (level - 1) * error


def gradients(function, *arrays):
    """(result, gradients, gradients of the sum of the first gradient)."""
    tensors = [nf.constant(a) for a in arrays]
    with nf.GradientTape(persistent=True) as outer:
        outer.watch(tensors)
        with nf.GradientTape() as inner:
            inner.watch(tensors)
            y = function(*tensors)
        first = inner.gradient(y, tensors)
    second = outer.gradient(first[0], tensors, unconnected_gradients="zero")
    return y.numpy(), [g.numpy() for g in first], [g.numpy() for g in second]


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype, tolerance", [(nf.float32, 2e-7), (nf.float64, 4e-16), (nf.float16, 1e-3), (nf.bfloat16, 8e-3)], ids=str
)
def test_values_and_dtypes(dtype, tolerance):
    x = nf.cast(X, dtype)
    y = squareplus(x, b=2.0)
    assert y.dtype is dtype
    exact = np.asarray(x.numpy(), np.float64)
    np.testing.assert_allclose(
        np.asarray(y.numpy(), np.float64), 0.5 * (exact + np.sqrt(exact**2 + 2)), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize(
    "a, b", [((), ()), ((4,), ()), ((3, 1), (4,)), ((2, 0), (1,)), ((2, 1, 3, 1, 2), (5, 1, 4, 2))]
)
def test_broadcasting(a, b):
    x, y = (np.random.default_rng(k).random(s) for k, s in enumerate((a, b)))
    actual = squareplus(nf.constant(x), nf.constant(y))
    assert tuple(actual.shape) == np.broadcast_shapes(a, b)
    np.testing.assert_allclose(actual.numpy(), 0.5 * (x + np.sqrt(x * x + y)), rtol=1e-15)


def test_what_arguments_may_be():
    expected = squareplus(nf.constant([1.0, 2.0]), nf.constant(3.0)).numpy()
    for x, b in (([1.0, 2.0], 3), (np.float32([1, 2]), 3.0), (nf.Variable([1.0, 2.0]), nf.Variable(3.0))):
        actual = squareplus(x, b)
        assert actual.dtype is nf.float32
        np.testing.assert_array_equal(actual.numpy(), expected)
    assert squareplus(2).dtype is nf.float32 and squareplus(np.ones(2)).dtype is nf.float64
    np.testing.assert_array_equal(squareplus(b=nf.constant(3.0), x=[1.0, 2.0]).numpy(), expected)


@nf.op
def masked(x, mask, label):
    return x * label if mask else 0.5 * x


@pytest.mark.parametrize("call", [masked, nf.function(masked)])
@pytest.mark.parametrize("dtype", [nf.float32, nf.float64, nf.bfloat16])
def test_integers_and_truth_values_beside_numbers(call, dtype):
    x, mask, label = nf.constant([1.0, 2.0, 3.0], dtype), nf.constant([True, False, True]), nf.constant([3, 4, 5])
    with nf.GradientTape() as tape:
        tape.watch(x)
        y = call(x, mask, label)
    assert y.dtype is dtype and tape.gradient(y, label) is None
    np.testing.assert_array_equal(nf.cast(y, nf.float64).numpy(), [3, 1, 15])
    np.testing.assert_array_equal(masked(np.float32([1, 2, 3]), mask, [3, 4, 5]).numpy(), [3, 1, 15])


@given(st.floats(0, 1e6), st.integers(0, 2))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_loop_that_ends_early(x, kind):
    x = (x, x * 1e-3, x * 1e-9)[kind]
    w = float(lambert(nf.constant([x], nf.float64)).numpy()[0])
    assert w * math.exp(w) == pytest.approx(x, rel=1e-13, abs=1e-300)


def test_eager_and_traced_agree_and_neighbours_fuse():
    def function(x, w):
        with nf.GradientTape() as tape:
            tape.watch(x)
            y = nf.reduce_sum(squareplus(x * w + 1.0, b=0.5) * lambert(nf.abs(x)))
        return y, tape.gradient(y, x)

    x, w = (nf.constant(np.random.default_rng(k).standard_normal((9, 5)).astype(np.float32)) for k in (1, 2))
    traced = nf.function(function)
    for eager, compiled in zip(function(x, w), traced(x, w), strict=True):
        np.testing.assert_allclose(compiled.numpy(), eager.numpy(), rtol=2e-6)
    text = traced.kernels()
    assert "def squareplus_f32(x, b):" in text and "def lambert_dx_f32(x):" in text
    assert text.count("word(p, 0)") == 1  # one kernel computes the sum and the gradient


def test_unknown_sizes():
    traced = nf.function(lambda x: squareplus(x) + 1.0, input_signature=[nf.TensorSpec([None, None])])
    for shape in ((2, 3), (4, 1)):
        np.testing.assert_allclose(traced(nf.ones(shape)).numpy(), np.full(shape, 0.5 * (1 + 5**0.5) + 1), rtol=1e-6)


def test_threads_share_large_arrays():
    x = np.linspace(0, 50, 1 << 19).astype(np.float32)
    w = lambert(nf.constant(x)).numpy().astype(np.float64)
    np.testing.assert_allclose(w * np.exp(w), x, rtol=2e-5, atol=1e-6)


# --- gradients --------------------------------------------------------------------------------------------------------


def test_gradients_to_second_order():
    y, (dx, db), (dxx, dxb) = gradients(squareplus, X, np.full_like(X, 2.0))
    root = np.sqrt(X * X + 2)
    np.testing.assert_allclose(y, 0.5 * (X + root), rtol=1e-15)
    np.testing.assert_allclose(dx, 0.5 * (1 + X / root), rtol=1e-14)
    np.testing.assert_allclose(db, 0.25 / root, rtol=1e-14)
    np.testing.assert_allclose(dxx, 1 / root**3, rtol=1e-13)
    np.testing.assert_allclose(dxb, -0.25 * X / root**3, rtol=1e-13, atol=1e-16)


def test_gradients_through_a_loop():
    x = np.array([0.1, 1.0, 7.0, 300.0])
    w, (first,), (second,) = gradients(lambert, x)
    np.testing.assert_allclose(first, w / (x * (1 + w)), rtol=1e-12)
    np.testing.assert_allclose(second, -np.exp(-2 * w) * (w + 2) / (1 + w) ** 3, rtol=1e-9)


def test_gradients_of_broadcast_arguments_are_summed():
    level = nf.Variable(0.25, dtype=nf.float64)
    error = nf.Variable(X.reshape(-1, 1), dtype=nf.float64)
    with nf.GradientTape() as tape:
        loss = pinball(error, level)
    of_error, of_level = tape.gradient(loss, [error, level])
    assert of_error.shape == (7, 1) and of_level.shape == ()
    np.testing.assert_array_equal(of_error.numpy()[:, 0], np.where(X >= 0, 0.25, -0.75))
    assert of_level.numpy() == pytest.approx(X.sum())


def test_third_order_traced():
    @nf.function
    def third(x):
        with nf.GradientTape() as a:
            a.watch(x)
            with nf.GradientTape() as b:
                b.watch(x)
                with nf.GradientTape() as c:
                    c.watch(x)
                    y = squareplus(x)
                first = c.gradient(y, x)
            second = b.gradient(first, x)
        return a.gradient(second, x)

    np.testing.assert_allclose(third(nf.constant(X)).numpy(), -6 * X / (X * X + 4) ** 2.5, rtol=1e-12, atol=1e-16)


def test_what_is_flat_has_a_gradient_of_zero():
    @nf.op
    def steps(x, y):
        return math.floor(x) + y

    _, (dx, dy), _ = gradients(steps, X, X)
    np.testing.assert_array_equal(dx, np.zeros_like(X))
    np.testing.assert_array_equal(dy, np.ones_like(X))


def test_gradient_by_hand():
    @nf.op
    def clipped(x, low, high):
        return min(max(x, low), high)

    @clipped.gradient
    def _(x, low, high):
        """Straight through."""
        if x < low:
            return 1.0, 1.0, 0.0
        return 1.0, 0.0, 1.0 if x > high else 0.0

    y, (dx, low, high), (dxx, _, _) = gradients(clipped, X, np.float64(-1), np.float64(2))
    np.testing.assert_array_equal(y, np.clip(X, -1, 2))
    np.testing.assert_array_equal(dx, np.ones_like(X))
    assert (low, high) == (1, 1) and not dxx.any()


def test_gradient_by_hand_in_terms_of_the_op_and_inside_others():
    @nf.op(derivatives=[lambda_slope])
    def w0(x):
        w = math.log1p(x)
        while abs(w * math.exp(w) - x) > 1e-12 * (1 + x):
            w -= (w * math.exp(w) - x) / (math.exp(w) * (w + 1))
        return w

    @nf.op
    def twice(x, y):
        return w0(x * x) * y

    x = np.array([0.5, 1.5, 4.0])
    w = lambert(nf.constant(x * x)).numpy()
    _, (dx, dy), (dxx, _) = gradients(twice, x, np.full_like(x, 3.0))
    np.testing.assert_allclose(dx, 3 * 2 * x * w / (x * x * (1 + w)), rtol=1e-10)
    np.testing.assert_allclose(dy, w, rtol=1e-10)
    step = 1e-6
    higher, lower = (gradients(twice, x + s, np.full_like(x, 3.0))[1][0] for s in (step, -step))
    np.testing.assert_allclose(dxx, (higher - lower) / (2 * step), rtol=1e-6)


def lambda_slope(x):
    w = lambert(x)
    return math.exp(-w) / (1 + w)


def test_gradients_by_hand_of_equal_text():
    def make(slope):
        def of_x(x):
            return slope * x

        @nf.op
        def bent(x):
            return x * x * x

        @bent.gradient
        def _(x):
            return of_x(x)

        return bent

    x = nf.Variable(3.0)
    for op, expected in [(make(2.0), 6), (make(5.0), 15), (make(2.0), 6)]:
        with nf.GradientTape() as tape:
            y = op(x)
        assert tape.gradient(y, x).numpy() == expected


def test_derivative_as_an_op():
    slope = squareplus.derivative("x")
    np.testing.assert_allclose(slope(nf.constant(X)).numpy(), 0.5 * (1 + X / np.sqrt(X * X + 4)), rtol=1e-14)
    curvature = slope.derivative("x")
    np.testing.assert_allclose(curvature(nf.constant(X)).numpy(), 2 / np.sqrt(X * X + 4) ** 3, rtol=1e-13)
    assert not pinball.derivative("error").derivative("error")(nf.constant(X), 0.5).numpy().any()
    with pytest.raises(TypeError, match="squareplus: 'c' is none of its parameters"):
        squareplus.derivative("c")


# --- the language -----------------------------------------------------------------------------------------------------

SCALE = 3.0


def helper(x, power):
    return x**power


def test_constants_and_functions_from_outside():
    offset = np.float32(0.5)

    @nf.op
    def mixed(x):
        return helper(x, 2) * SCALE + offset - math.pi + squareplus(x, b=1.0) + nf.sigmoid(x) + np.tanh(x)

    expected = X**2 * 3 + 0.5 - math.pi + 0.5 * (X + np.sqrt(X * X + 1)) + 1 / (1 + np.exp(-X)) + np.tanh(X)
    np.testing.assert_allclose(mixed(nf.constant(X)).numpy(), expected, rtol=1e-14)


def test_fixed_parameters():
    @nf.op
    def series(x, n, approximate=True, *, mode="plain"):
        total = 0.0
        for k in range(n):
            total += x**k
        if approximate:
            total = total * 2
        if mode in ("shifted", "moved"):
            total += 1
        return total

    x = nf.constant(X)
    np.testing.assert_allclose(series(x, 3).numpy(), 2 * (1 + X + X * X), rtol=1e-14)
    np.testing.assert_allclose(series(x, np.int64(2), False, mode="moved").numpy(), 2 + X, rtol=1e-14)
    with pytest.raises(TypeError, match="n is fixed when the kernel is compiled"):
        series(x, nf.constant(3))
    assert "total * f32(2)" not in series.source(n=2, approximate=False)


def test_float32_stays_float32():
    @nf.op
    def powers(x):
        total = 0
        for k in range(1, 4):
            total = total + x / k + k // 2 * 0.1
        return total

    expected = np.float32(0)
    x = np.float32(1.7)
    for k in range(1, 4):
        expected = np.float32(np.float32(expected + x / np.float32(k)) + np.float32(k // 2) * np.float32(0.1))
    assert powers(nf.constant(x)).numpy() == expected
    assert "f64" not in powers.source("float32")


def test_endless_loops_end():
    @nf.op(max_rounds=50)
    def endless(x):
        while x > 0:
            x = x + 1
        return x

    np.testing.assert_array_equal(endless(nf.constant([-1.0, 0.0, 2.0])).numpy(), np.float32([-1, 0, np.nan]))


def test_edges():
    @nf.op
    def signs(x, y):
        return math.copysign(1.0, x) * (int(y) // 3 + int(y) % 3) + (float("nan") if x != x else 0.0)

    x, y = np.array([0.0, -0.0, np.nan, 1.0]), np.array([7.5, -7.5, 1.0, np.inf])
    np.testing.assert_array_equal(signs(nf.constant(x), nf.constant(y)).numpy()[:3], [3.0, 1.0, np.nan])

    @nf.op
    def divided(x):
        return int(x) // int(x - x) + int(x) // -1

    assert np.isfinite(divided(nf.constant([1.0, np.nan, -np.inf])).numpy()).all()  # and the process lives


def test_ops_of_one_name():
    def make(factor):
        @nf.op
        def scaled(x):
            return x * factor + math.sin(x)

        return scaled

    a, b, again = make(2.0), make(3.0), make(2.0)

    @nf.function
    def both(x):
        return a(x), b(x), again(x)

    for actual, factor in zip(both(nf.constant(X)), (2, 3, 2), strict=True):
        np.testing.assert_allclose(actual.numpy(), X * factor + np.sin(X), rtol=1e-14)


def test_names_that_are_taken():
    @nf.op
    def exp(x, inf, dtype, f32=1.0):
        nan = x + inf
        word = nan * dtype
        return math.exp(word) + f32

    @nf.op
    def square(x):
        return x * x * x

    x = nf.constant(X)
    result = nf.function(lambda x: exp(x, 1.0, dtype=0.5) + nf.exp(x) + square(x) + nf.square(x))(x)
    np.testing.assert_allclose(result.numpy(), np.exp((X + 1) / 2) + 1 + np.exp(X) + X**3 + X**2, rtol=1e-14)


def test_what_it_looks_like():
    assert repr(squareplus) == "<nf.op squareplus(x, b=4.0)>"
    assert squareplus.__doc__ == "A smooth ReLU." and squareplus.__wrapped__(0.0) == 1.0
    assert squareplus.source("float64").endswith("    return f64(0.5) * (x + sqrt_f64(x * x + b))\n")


# --- errors -----------------------------------------------------------------------------------------------------------


def subscripted(x):
    return x[0]


def tries(x):
    try:
        return 1 / x
    except ZeroDivisionError:
        return 0.0


def half_defined(x):
    if x > 0:
        y = x
    return y


def no_return(x):  # noqa: RET503
    while x > 0:
        return x
    x = x + 1


def calls_len(x):
    return len(x)


def itself(x):
    return itself(x - 1) if x > 0 else x


def prints(x):
    print(x)
    return x


def starred(*x):
    return x[0]


def truth(x):
    return x > 0


def two_kinds(x):
    y = x
    y = x > 0
    return y + 1


def of_tensor(x):
    return x + TENSOR


def real_range(x, n=3):
    total = x
    m = n * x
    for _ in range(m):
        total += 1
    return total


def tuples(x):
    return x, x


def or_default(x):
    return x or 1.0


def unknown(x):
    return x + not_there  # noqa: F821


def bits(x):
    return x & 3


def comprehension(x):
    return sum([x for _ in range(3)])


def matrix(x):
    return x @ x


def listed(x, weights=[1.0, 2.0]):  # noqa: B006
    return x * weights


TENSOR = nf.constant(1.0)
ERRORS = [
    (subscripted, "`x\\[0\\]` is nothing that an op can do"),
    (tries, "is nothing that an op can do .Try.. Branch"),
    (half_defined, "`y` may have no value here"),
    (no_return, "does not return a number on every path"),
    (calls_len, "`len` is no function that an op can call"),
    (prints, "is nothing that an op can do"),
    (starred, "takes \\*args or \\*\\*kwargs"),
    (truth, "returns a truth value"),
    (two_kinds, "`y` is a truth value here and a number elsewhere"),
    (of_tensor, "`TENSOR` is a tensor from outside. Make it a parameter"),
    (real_range, "range takes whole numbers"),
    (tuples, "returns a tuple"),
    (or_default, "is a number in `and` or `or`"),
    (unknown, "`not_there` has no value"),
    (bits, "is nothing that an op can do .BitAnd.. Use `and`"),
    (comprehension, "is nothing that an op can do|is no function"),
    (matrix, "is nothing that an op can do .MatMult."),
    (listed, "has the default weights="),
]


@pytest.mark.parametrize("function, message", ERRORS, ids=lambda v: getattr(v, "__name__", ""))
def test_what_is_no_op(function, message):
    with pytest.raises(SyntaxError, match=f"{function.__name__}: .*({message})") as caught:
        nf.op(function)
    assert caught.value.filename == __file__
    first = function.__code__.co_firstlineno
    assert first <= caught.value.lineno <= first + 5


def test_recursion():
    with pytest.raises(TypeError, match="itself calls itself; write a loop"):
        nf.op(itself)
    with pytest.raises(SyntaxError, match="`recursive` calls itself. Write a loop"):

        @nf.op
        def recursive(x):
            return recursive(x - 1) if x > 0 else x


def test_one_function_as_two_ops():
    plain, by_hand = nf.op(lambda_product), nf.op(derivatives=[lambda_product, None])(lambda_product)
    x, y = nf.Variable(3.0), nf.Variable(5.0)
    with nf.GradientTape(persistent=True) as tape:
        a, b = plain(x, y), by_hand(x, y)
    assert [float(g.numpy()) for g in tape.gradient(a, [x, y])] == [5, 3]
    assert [float(g.numpy()) for g in tape.gradient(b, [x, y])] == [15, 0]


@pytest.mark.parametrize("thing", [lambda x: x, 3, nf.abs, math.sin])
def test_what_is_no_function(thing):
    with pytest.raises((TypeError, SyntaxError), match="nf.op|abs"):
        nf.op(thing)


def test_no_source():
    scope = {}
    exec("def f(x):\n    return x", scope)
    with pytest.raises(TypeError, match="the source of f is not there .* Put the function into a file"):
        nf.op(scope["f"])


def test_no_tensor():
    with pytest.raises(TypeError, match="nothing has no parameter that could be a tensor"):

        @nf.op
        def nothing(*, n=3):
            return n


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: squareplus(), TypeError, "squareplus: missing a required argument: 'x'"),
        (lambda: squareplus(1.0, 2.0, 3.0), TypeError, "squareplus: too many positional arguments"),
        (lambda: squareplus(1.0, c=2), TypeError, "squareplus: got an unexpected keyword argument 'c'"),
        (lambda: squareplus(nf.constant(1)), nf.errors.InvalidArgumentError, "squareplus: x has dtype int32; it takes"),
        (
            lambda: squareplus(nf.constant(1.0), nf.constant(1.0, nf.float64)),
            nf.errors.InvalidArgumentError,
            "squareplus: x is float32 and b is float64",
        ),
        (lambda: squareplus(nf.ones(3), nf.ones(2)), nf.errors.InvalidArgumentError, "squareplus: shapes .* broadcast"),
        (
            lambda: masked(nf.constant(1), True, 2),
            nf.errors.InvalidArgumentError,
            "masked: x has dtype int32; it takes",
        ),
        (lambda: squareplus(nf.constant(1j), 1.0), nf.errors.InvalidArgumentError, "squareplus: x has dtype complex"),
        (lambda: squareplus("a"), ValueError, "squareplus: x: "),
        (lambda: lambert(1.0, steps=2.5), SyntaxError, "range takes whole numbers"),
    ],
)
def test_bad_calls(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_bad_gradients():
    @nf.op
    def plain(x, y):
        return x * y

    with pytest.raises(TypeError, match="plain has the parameters .* and its gradient .* must be the same"):

        @plain.gradient
        def _(x):
            return x

    with pytest.raises(SyntaxError, match="returns 1 partial derivatives of plain"):

        @plain.gradient
        def _(x, y):
            return y

    plain_again = nf.op(lambda_product)
    plain_again(1.0, 2.0)
    with pytest.raises(TypeError, match="is in use already"):
        plain_again.gradient(lambda_product)
    with pytest.raises(TypeError, match="has 2 arguments and 1 derivatives"):
        nf.op(derivatives=[None])(other_product)


def lambda_product(x, y):
    return x * y


def other_product(x, y):
    return x * y + 1


def test_the_line_of_what_has_no_derivative():
    @nf.op
    def quantile(x):
        y = x * 2
        return nf.math.zeta(y, 2.0)

    with nf.GradientTape() as tape:
        x = nf.Variable(3.0)
        y = quantile(x)
    with pytest.raises(SyntaxError, match="quantile: .*zeta.* has no known derivative") as caught:
        tape.gradient(y, x)
    assert caught.value.text.strip() == "return nf.math.zeta(y, 2.0)"


# --- processes and threads --------------------------------------------------------------------------------------------


def test_kernels_come_from_the_disk_in_a_second_process(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent("""
        import math
        import nbflow as nf
        from nbflow.runtime import native

        @nf.op
        def wave(x, k=FACTOR):
            return math.sin(k * x) if x > 0 else x

        x = nf.Variable([0.5, -1.0])
        with nf.GradientTape() as tape:
            y = wave(x)
        print(y.numpy().tolist(), tape.gradient(y, x).numpy().tolist(), {k.origin for k in native.loaded_kernels()})
        """).replace("FACTOR", "2.0")
    )

    def run():
        command = [sys.executable, str(program)]
        environment = {"NBFLOW_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(native.Path.cwd())}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    first, second = run(), run()
    assert first.endswith("{'compiled'}") and second == first.replace("compiled", "disk")
    program.write_text(program.read_text().replace("math.sin(k * x)", "math.cos(k * x)"))
    third = run()
    assert "compiled" in third and third.split("]")[0] != first.split("]")[0]


def test_threads_may_define_and_call_at_once():
    results = {}

    def work(k):
        def scaled(x):
            return x * factor

        factor = float(k)
        results[k] = nf.op(scaled)(nf.constant([1.0, 2.0])).numpy().tolist()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {k: [float(k), 2.0 * k] for k in range(6)}
