"""What a layer gives: one function for Keras and for nf.keras, so that both do the same.

A case is (constructor, input shapes, call), the first and the last as expressions: "layers.Dense(2)", [(3, 4)],
"layer(x0, training=True)"; after them comes what build takes, where that is not the first shape. Inputs and weights are
waves, the same everywhere.
"""

import json
import zlib

import numpy as np


def wave(shape, start: float) -> np.ndarray:
    """Numbers between -1 and 1 that look random."""
    n = int(np.prod(shape))
    return np.sin(start + 12.9898 * np.arange(1, n + 1) ** 1.3).astype(np.float32).reshape(shape)


def made(tf, case):
    """The layer of a case, built, and its inputs."""
    constructor, shapes, _, *built = case
    start = zlib.crc32(constructor.encode()) % 1000
    keras = tf.keras
    layer = eval(constructor, {"layers": keras.layers, "keras": keras, "np": np})
    inputs = [wave(shape, start + k) for k, shape in enumerate(shapes)]
    if not layer.built:
        layer.build(*(built or shapes[:1]))
    layer.set_weights([_weight(w, start - k) for k, w in enumerate(layer.weights, 1)])
    return layer, inputs


def _weight(variable, start: float) -> np.ndarray:
    """A value for a weight; not negative where the weight is a variance."""
    value = 0.5 * wave(variable.shape, start)
    return np.abs(value) if variable.name.endswith(("variance", "stddev")) else value


def called(tf, case, layer, inputs):
    """The outputs of a call, as a flat list."""
    names = {f"x{k}": x for k, x in enumerate(inputs)}
    return tf.nest.flatten(eval(case[2], {"tf": tf, "layer": layer, "np": np, **names}))


def results(tf, case, function=None) -> list[np.ndarray]:
    """Outputs of a case's layer, gradients of Σ output · wave for inputs and weights, and what changes in the layer."""
    layer, arrays = made(tf, case)

    def step(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = called(tf, case, layer, inputs)
            loss = tf.add_n(
                [tf.reduce_sum(tf.cast(y, "float32") * wave(y.shape, 0.5 + k)) for k, y in enumerate(outputs)]
            )
        zero = tf.UnconnectedGradients.ZERO
        return outputs, tape.gradient(loss, [*inputs, *layer.trainable_weights], unconnected_gradients=zero)

    outputs, gradients = (function or (lambda f: f))(step)(*[tf.constant(x) for x in arrays])
    return [
        np.asarray(tf.cast(tf.convert_to_tensor(y), "float32"))
        for y in [*outputs, *gradients, *layer.non_trainable_weights]
    ]


def record(cases: dict, path: str) -> None:
    """Writes what Keras gives for cases."""
    import tensorflow as tf

    def found(case):
        try:
            arrays = results(tf, case)
        except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError):  # there is a kernel by XLA only
            arrays = results(tf, case, tf.function(jit_compile=True))
        return np.concatenate([a.ravel() for a in arrays])

    arrays = {name: found(case) for name, case in cases.items()}
    configs = {name: tf.keras.utils.serialize_keras_object(made(tf, case)[0]) for name, case in cases.items()}
    np.savez_compressed(path, configs=json.dumps(configs), **arrays)
