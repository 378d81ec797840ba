"""Every way of writing control flow gives traced what it gives eagerly: values and gradients."""

import control_programs
import numpy as np
import optree
import pytest

import nbflow as nf

TABLE = [
    pytest.param(function, run, id=f"{function.__name__}-{number}")
    for function, runs in control_programs.PROGRAMS
    for number, run in enumerate(runs)
]


def leaves(value):
    return [np.asarray(leaf) for leaf in optree.tree_leaves(value)]


def differentiable(run):
    return [x for x in run if isinstance(x, nf.Tensor) and x.dtype.is_floating]


def values_and_gradients(function, run):
    watched = differentiable(run)
    with nf.GradientTape() as tape:
        tape.watch(watched)
        result = function(*run)
        floats = [t for t in optree.tree_leaves(result) if isinstance(t, nf.Tensor) and t.dtype.is_floating]
        total = nf.add_n([nf.reduce_sum(t) for t in floats]) if floats else nf.constant(0.0)
    return result, tape.gradient(total, watched, unconnected_gradients=nf.UnconnectedGradients.ZERO)


@pytest.mark.parametrize(("function", "run"), TABLE)
def test_traced_is_as_eager(function, run):
    wanted, wanted_gradients = values_and_gradients(function, run)
    traced = nf.function(function)
    alone = traced(*run)
    result, gradients = values_and_gradients(traced, run)
    for found in (alone, result):
        assert optree.tree_structure(found) == optree.tree_structure(wanted)
        for one, other in zip(leaves(found), leaves(wanted), strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-6, atol=1e-6)
    for one, other in zip(leaves(gradients), leaves(wanted_gradients), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-5)
