"""Call a compiled function of ten arguments that adds four numbers of each.

What is measured is the cost of a call beside `compiled_call`, which has one argument: what each argument adds.
"""

import functools
import operator

import numpy as np

ARGUMENTS = [np.arange(4, dtype=np.float32) + k for k in range(10)]


def _add(*tensors):
    return functools.reduce(operator.add, tensors)


def nbflow():
    import nbflow as nf

    function = nf.function(_add)
    tensors = [nf.constant(a) for a in ARGUMENTS]
    return lambda: function(*tensors)


def tensorflow():
    import tensorflow as tf

    function = tf.function(_add)
    tensors = [tf.constant(a) for a in ARGUMENTS]
    return lambda: function(*tensors)


def tensorflow_xla():
    import tensorflow as tf

    function = tf.function(_add, jit_compile=True)
    tensors = [tf.constant(a) for a in ARGUMENTS]
    return lambda: function(*tensors)


def jax():
    import jax
    import jax.numpy as jnp

    function = jax.jit(_add)
    arrays = [jnp.asarray(a) for a in ARGUMENTS]
    return lambda: function(*arrays).block_until_ready()


def torch_compile():
    import torch

    function = torch.compile(_add)
    tensors = [torch.tensor(a) for a in ARGUMENTS]
    return lambda: function(*tensors)
