"""The first call of a function of 200 ops that all need kernels of their own.

`cold` starts with an empty cache of compiled code, `warm` is the second process of the same program. Only the call
counts, not the start of the process.
"""

import shutil
import tempfile
import weakref

from perf.fresh_process import run

CASES = {"cold": ("cold",), "warm": ("warm",)}
SELF_TIMED = True
ROUNDS = 3
CALLS = 1
WARM_UP_CALLS = 1  # fills the cache of the warm case
KERNELS = 200

PROGRAM = """
import os, time
from perf.workloads import many_kernels
step = many_kernels.{variant}_step()
begun = time.perf_counter()
step()
ended = time.perf_counter()
os.write(1, str(ended - begun).encode())
os._exit(0)
"""


def chain(lib, exp, tanh, x):
    """200 sums over rows, which keep kernels apart, of expressions that are all different; each is fed to the next."""
    for k in range(KERNELS):
        y = x
        for bit in range(8):
            y = tanh(y) if k >> bit & 1 else y * 0.5
        x = x + lib.reduce_sum(exp(y) if k % 3 else y, 0)
    return x


def nbflow_step():
    """The function to call, in a process of its own."""
    import nbflow as nf

    function = nf.function(lambda x: chain(nf, nf.exp, nf.tanh, x))
    x = nf.ones([8, 16])
    return lambda: function(x).numpy()


def tensorflow_xla_step():
    """As nbflow_step; XLA compiles as well."""
    import tensorflow as tf

    function = tf.function(lambda x: chain(tf, tf.exp, tf.tanh, x), jit_compile=True)
    x = tf.ones([8, 16])
    return lambda: function(x).numpy()


def _timed(variant, state):
    folder = tempfile.mkdtemp(prefix="perf-many-kernels-")

    def step():
        if state == "cold":
            shutil.rmtree(folder, ignore_errors=True)
        return float(run(PROGRAM.format(variant=variant), NBFLOW_CACHE_DIR=folder))

    weakref.finalize(step, shutil.rmtree, folder, ignore_errors=True)
    return step


def nbflow(state):
    return _timed("nbflow", state)


def tensorflow_xla(state):
    return _timed("tensorflow_xla", state)
