"""Every op of the table on every dtype it takes: eager against the NumPy reference, traced against eager."""

import ml_dtypes
import numpy as np
import pytest

import nbflow as nf
from nbflow.dtypes import as_dtype, complex64, complex128, float32, float64
from nbflow.ops.table import TABLE
from nbflow.tensor.tensor import apply, to_tensor
from tests.ops.samples import MAGNITUDES, RECIPES, Sample, cases, samples

# A quotient that rounds to a whole number, the bits, or whether a random number is rejected, decide the result: the
# reference takes the same precision.
ROUNDED_IN_PLACE = {"floor_div", "truncate_div", "nextafter", "bitcast", "random_binomial", "random_bounded_normal"}
LAYOUTS = ["reversed", "transposed", "strided", "stretched"]


def magnitude(name: str, inputs: list, attrs: dict, expected: np.ndarray) -> np.ndarray:
    """What errors are relative to: the result, or for sums the sum of the magnitudes of what is added."""
    if name in MAGNITUDES:
        return MAGNITUDES[name](inputs, attrs, expected)
    return np.abs(expected)


def assert_close(name: str, actual: np.ndarray, expected: np.ndarray, scale: np.ndarray) -> None:
    """Inexact numbers within the op's tolerance of the reference, everything else equal to it."""
    assert actual.shape == expected.shape, name
    dtype = as_dtype(actual.dtype)
    if not dtype.is_differentiable:
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)
        return
    info = ml_dtypes.finfo(dtype.real_dtype.np)
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = expected.astype(actual.dtype)
    wide = np.complex128 if dtype.is_complex else np.float64
    actual, rounded = actual.astype(wide), rounded.astype(wide)
    known = np.isfinite(rounded)
    np.testing.assert_array_equal(actual[~known], rounded[~known])
    np.testing.assert_array_equal(np.isfinite(actual[known]), True)
    error = np.abs(actual[known] - expected[known])
    units = float(info.eps) * np.broadcast_to(scale, expected.shape)[known] + float(info.smallest_subnormal)
    allowed = TABLE[name].tolerance * units
    if (error > allowed).any():
        worst = np.argmax(error / allowed)
        pytest.fail(
            f"{name}: {actual[known][worst]!r} for {rounded[known][worst]!r}, "
            f"{error[worst] / allowed[worst]:.3g} times the tolerance of {TABLE[name].tolerance} ulp"
        )


def widest(x: np.ndarray) -> np.ndarray:
    """Numbers in the precision that references compute in."""
    dtype = as_dtype(x.dtype)
    return x.astype(np.complex128 if dtype.is_complex else np.float64) if dtype.is_differentiable else x


def several(result) -> tuple:
    """The results of an op, which may have one or several."""
    return result if isinstance(result, tuple) else (result,)


def reference(name: str, sample: Sample) -> list[tuple[np.ndarray, np.ndarray]]:
    """The expected results, in float64 where the op rounds, and the magnitudes that their errors are relative to."""
    inputs = sample.inputs if name in ROUNDED_IN_PLACE else [widest(x) for x in sample.inputs]
    with np.errstate(all="ignore"):
        expected = map(np.asarray, several(TABLE[name].reference(*inputs, **sample.attrs)))
        return [(e, np.asarray(magnitude(name, inputs, sample.attrs, e))) for e in expected]


def result_dtype(sample: Sample, expected: np.ndarray, dtype):
    """Floating results have the dtype of the floating inputs, unless an attribute says otherwise."""
    if "dtype" in sample.attrs:
        return sample.attrs["dtype"]
    if expected.dtype.kind == "c":
        return dtype if dtype.is_complex else {float32: complex64, float64: complex128}[dtype]
    return dtype.real_dtype if expected.dtype.kind == "f" and dtype.is_differentiable else as_dtype(expected.dtype)


@pytest.mark.parametrize(("name", "dtype"), [pytest.param(*case, id=f"{case[0]}-{case[1].name}") for case in cases()])
def test_value(name, dtype):
    op = TABLE[name]
    for sample in samples(name, dtype):
        tensors = [to_tensor(x) for x in sample.inputs]
        eager = several(apply(op, tensors, sample.attrs))
        traced = several(nf.function(lambda *xs, attrs=sample.attrs: apply(op, xs, attrs))(*tensors))
        for (expected, scale), one, two in zip(reference(name, sample), eager, traced, strict=True):
            assert one.dtype is result_dtype(sample, expected, dtype)
            assert_close(name, np.asarray(one.numpy()), expected, scale)
            assert two.dtype is one.dtype
            assert two.shape == one.shape
            assert np.asarray(two.numpy()).tobytes() == np.asarray(one.numpy()).tobytes()


def laid_out(x: np.ndarray, layout: str):
    """An array, and a view of it as a tensor of the shape of x whose elements do not lie in a row."""
    if layout == "reversed":
        return x[(slice(None, None, -1),) * x.ndim], lambda t: t[(slice(None, None, -1),) * t.ndim]
    if layout == "transposed":
        return x.T, nf.transpose
    if layout == "strided":
        padded = np.repeat(x, 2, -1) if x.ndim else x
        return padded, lambda t: t[..., ::2] if t.ndim else t
    return x[:1] if x.ndim else x, lambda t: nf.broadcast_to(t, x.shape)


def layout_sample(name: str) -> Sample | None:
    """The sample of the highest rank without empty inputs, if that is 2 or more."""
    full = [s for s in samples(name, TABLE[name].dtypes[0]) if all(x.size for x in s.inputs)]
    best = max(full, key=lambda s: max(x.ndim for x in s.inputs))
    return best if max(x.ndim for x in best.inputs) > 1 else None


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", [name for name in TABLE if name in RECIPES and layout_sample(name)])
def test_layout(name, layout):
    """Views as inputs: kernels walk any strides, in eager code and inside a trace."""
    op, sample = TABLE[name], layout_sample(name)
    pairs = [laid_out(x, layout) for x in sample.inputs]
    inputs = [np.asarray(view(to_tensor(base)).numpy()) for base, view in pairs]
    references = reference(name, Sample(inputs, sample.attrs))

    def call(*bases):
        return apply(op, [view(base) for base, (_, view) in zip(bases, pairs, strict=True)], sample.attrs)

    bases = [to_tensor(base) for base, _ in pairs]
    for results in (call(*bases), nf.function(call)(*bases)):
        for (expected, scale), result in zip(references, several(results), strict=True):
            assert_close(name, np.asarray(result.numpy()), expected, scale)


def test_every_op_has_samples():
    assert set(RECIPES) == set(TABLE)
    for name, dtype in cases():
        assert samples(name, dtype), f"{name} has no samples for {dtype.name}"


def test_every_op_has_a_reference():
    assert [name for name, op in TABLE.items() if op.reference is None] == []
