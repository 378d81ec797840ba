"""1,000 steps of linear regression in one call: the loop is written inside the compiled function.

What is measured is a round of a native loop: nothing but a few small kernels each.
"""

import numpy as np

STEPS = 1000
rng = np.random.default_rng(0)
X = rng.normal(size=(100, 1)).astype(np.float32)
Y = 3 * X + 2


def _tensorflow_like(tf, **options):
    x, y = tf.constant(X), tf.constant(Y)
    w, b = tf.Variable([[0.0]]), tf.Variable([0.0])

    @tf.function(**options)
    def train():
        for _ in tf.range(STEPS):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + b - y))
            gw, gb = tape.gradient(loss, [w, b])
            w.assign_sub(0.1 * gw)
            b.assign_sub(0.1 * gb)

    def run():
        train()
        return w

    return run


def nbflow():
    import nbflow as nf

    return _tensorflow_like(nf)


def tensorflow():
    import tensorflow as tf

    return _tensorflow_like(tf)


def tensorflow_xla():
    import tensorflow as tf

    return _tensorflow_like(tf, jit_compile=True)


def jax():
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(X), jnp.asarray(Y)

    def loss(parameters):
        w, b = parameters
        return jnp.mean(jnp.square(x @ w + b - y))

    def step(_, parameters):
        gradients = jax.grad(loss)(parameters)
        return jax.tree.map(lambda p, g: p - 0.1 * g, parameters, gradients)

    train = jax.jit(lambda parameters: jax.lax.fori_loop(0, STEPS, step, parameters))
    start = jnp.zeros((1, 1), jnp.float32), jnp.zeros((1,), jnp.float32)
    return lambda: jax.block_until_ready(train(start))
