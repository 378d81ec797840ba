"""Makes ops_<family>.npz: what TensorFlow answers to the calls of cases/<family>.py.

Run it with a Python that has TensorFlow 2.21 (CPU): ``python tests/golden/make_ops.py [family …]``; without
arguments for all. A name in a file is that of a case and the number of a result; results without a gradient are left
out. Names under "error" are those of calls that raise.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf
from cases import FAMILIES, answer

for family in sys.argv[1:] or FAMILIES:
    golden = {}
    for case in FAMILIES[family].cases():
        for k, value in enumerate(answer(tf, case)):
            if value is not None:
                golden[f"{case.name}#{k}"] = value
    for case in FAMILIES[family].errors():
        try:
            answer(tf, case)
        except (tf.errors.OpError, ValueError, TypeError, IndexError) as error:
            golden[f"error/{case.name}"] = np.asarray(type(error).__name__)
    path = pathlib.Path(__file__).with_name(f"ops_{family}.npz")
    np.savez_compressed(path, **golden)
    print(f"{path.name}: {len(golden)} arrays, {path.stat().st_size} bytes")
