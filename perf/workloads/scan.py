"""1,000 steps of a small recurrent state, h = tanh(W h + x): the value alone, and with its gradient.

What is measured is a round of a native loop, what a loop keeps of its rounds, and the rounds in the other direction.
"""

import numpy as np

STEPS, SIZE = 1000, 8
rng = np.random.default_rng(0)
W = (0.3 * rng.normal(size=(SIZE, SIZE))).astype(np.float32)
X = rng.normal(size=(STEPS, SIZE)).astype(np.float32)
CASES = {"value": (False,), "gradient": (True,)}


def _tensorflow_like(tf, gradient: bool):
    weights, inputs = tf.constant(W), tf.constant(X)

    @tf.function
    def value(w, x):
        h = tf.zeros([SIZE])
        for row in x:
            h = tf.tanh(tf.linalg.matvec(w, h) + row)
        return tf.reduce_sum(h)

    @tf.function
    def value_and_gradient(w, x):
        with tf.GradientTape() as tape:
            tape.watch(w)
            loss = value(w, x)
        return loss, tape.gradient(loss, w)

    function = value_and_gradient if gradient else value
    return lambda: function(weights, inputs)


def nbflow(gradient):
    import nbflow as nf

    return _tensorflow_like(nf, gradient)


def tensorflow(gradient):
    import tensorflow as tf

    return _tensorflow_like(tf, gradient)


def jax(gradient):
    import jax
    import jax.numpy as jnp

    x = jnp.asarray(X)

    def loss(w):
        h, _ = jax.lax.scan(lambda h, row: (jnp.tanh(w @ h + row), None), jnp.zeros(SIZE, jnp.float32), x)
        return h.sum()

    function = jax.jit(jax.value_and_grad(loss) if gradient else loss)
    w = jnp.asarray(W)
    return lambda: jax.block_until_ready(function(w))
