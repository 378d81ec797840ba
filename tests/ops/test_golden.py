"""Public functions against the answers that TensorFlow gave (tests/golden/make_ops.py)."""

import pathlib

import numpy as np
import pytest

import nbflow as nf
from nbflow.dtypes import ALL
from tests.golden.cases import FAMILIES, answer

FOLDER = pathlib.Path(__file__).parents[1] / "golden"
GOLDEN = {name: np.load(FOLDER / f"ops_{name}.npz") for name in FAMILIES}
CASES = [pytest.param(name, case, id=f"{name}-{case.name}") for name, f in FAMILIES.items() for case in f.cases()]
ERRORS = [pytest.param(name, case, id=f"{name}-{case.name}") for name, f in FAMILIES.items() for case in f.errors()]


DTYPES = {dtype.name for dtype in ALL}


def of_one_dtype(params: list) -> list:
    """Of cases that differ in their dtype only, one; the dtypes take turns."""
    groups: dict[tuple, list] = {}
    for param in params:
        family, case = param.values
        name = "/".join(part for part in case.name.split("/") if part not in DTYPES)
        groups.setdefault((family, name), []).append(param)
    return [group[k % len(group)] for k, group in enumerate(groups.values())]


TRACED = of_one_dtype([param for param in CASES if param.values[1].traced])


def assert_near(actual: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Equal dtypes and shapes; equal values but for the rounding that two libraries may do differently."""
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(actual, expected)
        return
    finite = np.abs(expected[np.isfinite(expected)])
    eps = np.finfo(expected.dtype).eps
    np.testing.assert_allclose(
        actual, expected, rtol=tolerance * eps, atol=tolerance / 4 * eps * min(1, finite.max(initial=0))
    )


@pytest.fixture(autouse=True)
def _no_global_seed():
    """Seeds of their own are all that random functions start from, as where the golden values come from."""
    nf.random.set_seed(None)


@pytest.mark.parametrize(("family", "case"), CASES)
def test_same_as_tensorflow(family, case):
    found, golden = answer(nf, case), GOLDEN[family]
    known = {key for key in golden.files if key.startswith(f"{case.name}#")}
    assert known == {f"{case.name}#{k}" for k, value in enumerate(found) if value is not None}
    for k, value in enumerate(found):
        if value is not None:
            assert_near(value, golden[f"{case.name}#{k}"], case.tolerance)


@pytest.mark.parametrize(("family", "case"), TRACED)
def test_same_when_traced(family, case):
    found = nf.function(lambda *tensors: case.function(nf, *tensors))(*map(nf.constant, case.inputs))
    for k, value in enumerate(found if isinstance(found, (list, tuple)) else [found]):
        assert_near(np.asarray(value.numpy()), GOLDEN[family][f"{case.name}#{k}"], case.tolerance)


@pytest.mark.parametrize(("family", "case"), ERRORS)
def test_raises_where_tensorflow_does(family, case):
    assert f"error/{case.name}" in GOLDEN[family].files
    with pytest.raises((nf.errors.OpError, ValueError, TypeError, IndexError)) as caught:
        answer(nf, case)
    assert len(str(caught.value)) > 20  # says what was wrong


@pytest.mark.parametrize("family", FAMILIES)
def test_every_golden_value_is_compared(family):
    module = FAMILIES[family]
    names = {case.name for case in module.cases()} | {f"error/{case.name}" for case in module.errors()}
    assert {key.partition("#")[0] for key in GOLDEN[family].files} == names
