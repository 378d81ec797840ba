"""Tangents of every differentiable op against its gradients: ⟨u, J v⟩ = ⟨Jᵀ u, v⟩."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.ops.table import TABLE
from nbflow.tensor.tensor import apply, to_tensor
from tests.ops.samples import numbers
from tests.ops.test_gradients import cases, positions, smooth_samples


def inner_product(xs: list, ys: list) -> float:
    return sum(float(np.vdot(x, y).real) for x, y in zip(xs, ys, strict=True))


def listed(result) -> list:
    return [t for t in (result if isinstance(result, tuple) else (result,)) if t.dtype.is_differentiable]


# Of those that are UNCONJUGATED, these are so in what is linear, too.
@pytest.mark.parametrize(("name", "dtype"), cases({"multiply_no_nan", "matrix_square_root", "tridiagonal_solve"}))
def test_tangents_are_the_transpose_of_gradients(name, dtype):
    for sample in smooth_samples(name, dtype)[:1]:
        where = positions(name, sample)
        tensors = [to_tensor(x) for x in sample.inputs]
        sources = [tensors[k] for k in where]
        tangents = [numbers(x.dtype, x.shape, 10 + k, low=0.5) for k, x in zip(where, sources, strict=True)]
        with (
            nf.autodiff.ForwardAccumulator(sources, [to_tensor(v) for v in tangents]) as accumulator,
            nf.GradientTape() as tape,
        ):
            tape.watch(sources)
            results = listed(apply(TABLE[name], tensors, sample.attrs))
        weights = [numbers(r.dtype, r.shape, 20 + k, low=0.5) for k, r in enumerate(results)]
        found = accumulator.jvp(results, unconnected_gradients="zero")
        gradients = tape.gradient(results, sources, [to_tensor(u) for u in weights], "zero")
        assert [t.shape for t in found] == [r.shape for r in results]
        one = inner_product(weights, [t.numpy() for t in found])
        two = inner_product([nf.convert_to_tensor(g).numpy() for g in gradients], tangents)
        assert one == pytest.approx(two, rel=1e-9, abs=1e-9)
