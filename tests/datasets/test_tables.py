"""Boston and California housing from files of their sizes."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.errors import DataLossError

SETS = {"boston_housing": (506, 13), "california_housing": (20_640, 8)}


def write(path, shape, dtype=np.float64, **changes):
    path.parent.mkdir(parents=True, exist_ok=True)
    x = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    np.savez_compressed(path, **({"x": x, "y": -x[:, 0]} | changes))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_shuffled_together_and_split(cache, name, dtype):
    rows, columns = SETS[name]
    write(cache / f"{name}.npz", (rows, columns), dtype)
    (x_train, y_train), (x_test, y_test) = getattr(nf.keras.datasets, name).load_data(test_split=0.25)
    order = np.arange(rows)
    np.random.RandomState(113).shuffle(order)
    x = np.concatenate([x_train, x_test])
    np.testing.assert_array_equal(x[:, 0], order * columns)
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), -x[:, 0])
    assert (len(x_train), x_train.dtype) == (int(rows * 0.75), dtype)


def test_the_small_version(cache):
    write(cache / "california_housing.npz", (20_640, 8))
    (x_train, _), (x_test, _) = nf.keras.datasets.california_housing.load_data("small", seed=3)
    assert (len(x_train), len(x_test)) == (480, 120)
    assert max(x_train.max(), x_test.max()) == 600 * 8 - 1
    with pytest.raises(ValueError, match="version=tiny"):
        nf.keras.datasets.california_housing.load_data("tiny")


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("split", [-0.1, 1])
def test_shares_that_are_none(name, split):
    with pytest.raises(ValueError, match="test_split"):
        getattr(nf.keras.datasets, name).load_data(test_split=split)


@pytest.mark.parametrize(("changes", "match"), [
    ({"y": np.zeros(5)}, r"'y' is float64 of shape \(5,\), not float of shape \(506,\)"),
    ({"x": np.zeros((506, 13), np.int64)}, "'x' is int64"),
    ({"x": np.zeros((506, 20))}, "'x' takes"),
    ({"y": np.array([object()])}, "allow_pickle"),
])  # fmt: skip
def test_other_contents_are_refused(cache, changes, match):
    write(cache / "boston_housing.npz", (506, 13), **changes)
    with pytest.raises(DataLossError, match=match):
        nf.keras.datasets.boston_housing.load_data()
