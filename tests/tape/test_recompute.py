"""recompute_grad and grad_pass_through; custom gradients of methods, structures and closures."""

import gc
import weakref

import numpy as np
import pytest

import nbflow as nf

WAYS = {"eager": lambda f: f, "traced": nf.function}


def gradients(call, sources, order=1):
    with nf.GradientTape() as outer:
        outer.watch(sources)
        with nf.GradientTape() as inner:
            inner.watch(sources)
            y = call()
        found = inner.gradient(y, sources)
    found = outer.gradient(found[0], sources) if order == 2 else found
    return [None if g is None else g.numpy().tolist() for g in found]


@pytest.mark.parametrize("way", WAYS)
def test_recompute(way):
    v, x = nf.Variable(5.0), nf.constant(3.0)
    layer = nf.recompute_grad(lambda x, k=2.0: (x * x * v * k, [x + v]))
    first, (second,) = WAYS[way](layer)(x)
    assert float(first) == 90 and float(second) == 8
    assert gradients(lambda: WAYS[way](layer)(x)[0], [x, v]) == [60, 18]
    assert gradients(lambda: WAYS[way](lambda x: layer(x, k=3.0))(x), [x, v]) == [91, 28]
    assert gradients(lambda: WAYS[way](layer)(x)[0], [x, v], order=2) == [20, 12]


def test_recompute_keeps_nothing_and_passes_tangents():
    held = []

    def f(x):
        middle = nf.exp(x)
        held.append(weakref.ref(middle))
        return middle * middle

    x = nf.constant(0.0)
    with nf.GradientTape() as tape, nf.autodiff.ForwardAccumulator(x, 1.0) as accumulator:
        tape.watch(x)
        y = nf.recompute_grad(f)(x)
    assert float(accumulator.jvp(y)) == 2
    del accumulator
    gc.collect()
    assert held[0]() is None
    assert float(tape.gradient(y, x)) == 2 and len(held) == 2


@pytest.mark.parametrize("way", WAYS)
def test_pass_through(way):
    x, v = nf.Variable(1.4), nf.Variable(2.0)
    rounded = WAYS[way](nf.grad_pass_through(nf.round))
    assert gradients(lambda: rounded(x * 2.0), [x]) == [2]
    scaled = WAYS[way](nf.grad_pass_through(lambda x: nf.square(x) * v))
    np.testing.assert_allclose(gradients(lambda: scaled(x * 3.0) * 2.0, [x])[0], 6)
    assert gradients(lambda: scaled(x * 3.0), [v]) == [None]


def test_methods_strings_and_structures():
    class Layer:
        @nf.custom_gradient
        def call(self, x, mode):
            return x * x, lambda upstream: (None, upstream * 9.0, None)

    @nf.custom_gradient
    def product(pair):
        return pair["a"] * pair["b"], lambda upstream: {"a": upstream * 5.0, "b": upstream * 6.0}

    x, y = nf.constant(3.0), nf.constant(2.0)
    assert gradients(lambda: Layer().call(x, "train"), [x]) == [9]
    assert gradients(lambda: product({"a": x, "b": y}), [x, y]) == [5, 6]


@pytest.mark.parametrize("way", WAYS)
def test_what_a_function_takes_from_around_it(way):
    """Where no argument is watched, the gradient is that of what the function computed."""
    x = nf.constant(3.0)

    def f(x):
        @nf.custom_gradient
        def scaled(upstream):
            return upstream * 5.0 * x, lambda g: g * 100.0

        return scaled(nf.constant(1.0))

    assert gradients(lambda: WAYS[way](f)(x), [x]) == [5]
