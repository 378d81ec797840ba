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


def test_what_only_a_round_uses_needs_no_first_value():
    """Also where a tape's block sets it: nothing is missed after a loop without rounds."""

    @nf.function
    def f(n):
        total = 0.0
        for i in nf.range(n):
            with nf.GradientTape() as tape:
                x = nf.cast(i, nf.float32)
                tape.watch(x)
                y = x * x
            total += tape.gradient(y, x)
        return total

    assert [float(f(nf.constant(n))) for n in (0, 1, 4)] == [0, 0, 12]


def test_a_variable_of_one_branch():
    """It may be missing after the other branch as long as nobody reads it there."""

    @nf.function
    def read(c, x):
        if c:
            y = x * 2.0
        return y

    assert float(read(nf.constant(True), nf.constant(3.0))) == 6
    with pytest.raises(nf.errors.InvalidArgumentError, match=r"'y' has no value.*test_programs\.py"):
        read(nf.constant(False), nf.constant(3.0))

    @nf.function
    def guarded(c, x):
        if c:
            y = x * 2.0
        if c:
            x = x + y
        return x

    assert [float(guarded(nf.constant(c), nf.constant(3.0))) for c in (True, False)] == [9, 3]

    @nf.function
    def returning(c, x):
        if c:
            y = x * 2.0
        else:
            return x
        return y + 1.0

    assert [float(returning(nf.constant(c), nf.constant(3.0))) for c in (True, False)] == [7, 3]
