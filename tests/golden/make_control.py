"""Makes control.npz: what the programs of tests/control/programs.py give with TensorFlow, eagerly.

Run it with a Python that has TensorFlow 2.21 (CPU): ``python tests/golden/make_control.py``.

`<program>/value` is its result for the vector X, `<program>/gradient` the gradient of `loss` of it, `<program>/second`
the gradient of that gradient's squares, where TensorFlow has one.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "control"))
from programs import PROGRAMS, X, gradient, second


def main():
    golden = {}
    for name, function in PROGRAMS.items():
        x = tf.constant(X)
        golden[f"{name}/value"] = function(tf, x).numpy()
        golden[f"{name}/gradient"] = gradient(tf, function, x).numpy()
        try:
            golden[f"{name}/second"] = second(tf, function, x).numpy()
        except NotImplementedError:  # of recompute_grad
            print(f"{name}: no second gradient")
    np.savez_compressed(pathlib.Path(__file__).with_name("control.npz"), **golden)


if __name__ == "__main__":
    main()
