"""Gradients of loops for a matrix that the rounds multiply with: one product after the loop."""

import numpy as np
import pytest

import nbflow as nf
from nbflow.compiler.control import LOOP

rng = np.random.default_rng(0)
W = nf.constant((0.3 * rng.normal(size=(8, 8))).astype(np.float32))
X = nf.constant(rng.normal(size=(5, 8)).astype(np.float32))
H = nf.constant(rng.normal(size=(3, 8)).astype(np.float32))


def vectors(w, x):
    h = H[0]
    for row in x:
        h = nf.tanh(nf.linalg.matvec(w, h) + row)
    return nf.reduce_sum(h * h)


def batches(w, x):
    h = H
    for row in x:
        h = nf.tanh(nf.matmul(h, w) + row)
    return nf.reduce_sum(h * h)


def what_the_carry_is(w, x):
    h = H[0]
    for row in x:
        h = nf.linalg.matvec(w, h) * 0.5 + row
    return nf.reduce_sum(h * h)


def of_elements(w, x):
    h = H[0]
    for row in x:
        h = h + nf.sin(nf.linalg.matvec(w, row))
    return nf.reduce_sum(h * h)


def of_constants(w, x):
    h = H[0]
    for row in x:
        h = nf.tanh(nf.linalg.matvec(w, H[1])) * h + row
    return nf.reduce_sum(h * h)


def twice(w, x):
    h = H[0]
    for row in x:
        h = nf.tanh(nf.linalg.matvec(w, nf.linalg.matvec(w, h)) + row) * w[0]
    return nf.reduce_sum(h * h)


def nested(w, x):
    h = H[0]
    for row in x:
        for _ in nf.range(2):
            h = nf.tanh(nf.linalg.matvec(w, h) + row)
    return nf.reduce_sum(h * h)


def other_order(w, x):
    h = nf.transpose(H)
    for row in x:
        h = nf.tanh(nf.matmul(w, h) + row[:, None])
    return nf.reduce_sum(h * h)


def value_and_gradients(loss, w, x):
    with nf.GradientTape() as tape:
        tape.watch([w, x])
        y = loss(w, x)
    return [y, *tape.gradient(y, [w, x], unconnected_gradients="zero")]


def second_order(loss, w, x):
    with nf.GradientTape() as tape:
        tape.watch([w, x])
        total = nf.add_n([nf.reduce_sum(g * g) for g in value_and_gradients(loss, w, x)])
    return tape.gradient(total, [w, x])


def compare(what, loss, x, **options):
    traced = nf.function(lambda w, x: what(loss, w, x), **options)
    for rounds in (len(x), 1):
        for a, b in zip(what(loss, W, x[:rounds]), traced(W, x[:rounds]), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


LOSSES = (vectors, batches, what_the_carry_is, of_elements, of_constants, twice, nested, other_order)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_as_eager(loss):
    compare(value_and_gradients, loss, X)


def test_second_order():
    compare(second_order, vectors, X)


def test_a_number_of_rounds_that_calls_tell():
    signature = [nf.TensorSpec([8, 8]), nf.TensorSpec([None, 8])]
    compare(value_and_gradients, vectors, X, input_signature=signature)


def test_no_rounds():
    traced = nf.function(lambda w, x: value_and_gradients(vectors, w, x))
    for found in traced(W, X[:0])[1:]:
        assert not np.any(found)


@pytest.mark.parametrize("loss", [vectors, batches])
def test_rounds_do_not_add_up_a_matrix(loss):
    @nf.function
    def gradient(w, x):
        with nf.GradientTape() as tape:
            tape.watch(w)
            y = loss(w, x)
        return tape.gradient(y, w)

    gradient(W, X)
    (concrete,) = gradient._concrete.values()
    (program,) = concrete.programs
    backward = [node for node in program.graph.nodes if node.op is LOOP][-1]
    assert backward.attrs["reverse"]
    assert backward.attrs["carries"] == 1
