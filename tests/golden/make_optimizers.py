"""Makes optimizers.npz: what Keras' optimizers do to Variables in 40 steps, and what its learning-rate schedules say.

Run it with a Python that has TensorFlow 2.21 (CPU): ``python tests/golden/make_optimizers.py``.

CASES says by what expression an optimizer is made, in a scope with the names of keras.optimizers and `schedules`.
`start/<k>` are the initial values of the Variables v0, v1 and v2, `gradients/<k>` the gradients of each step, `rows`
and `indices` those of v0 as IndexedSlices in the cases that end with "/sparse". `<case>/<k>` holds Variable k after the
steps of SEEN, `<case>/state/<k>` the optimizer's variables in the end, `names` and `configs` are JSON by case. In step
SKIPPED v2 has no gradient, in step INFINITE one of v1 is infinite where the loss is scaled. Cases in HALVES run in
float16 and bfloat16 too, as "<case>/float16". `schedule/<name>` are the rates of the first ROUNDS steps.
"""

import json
import pathlib
import warnings

import numpy as np
import tensorflow as tf

STEPS, ROUNDS = 40, 200
SEEN = [0, 1, 9, 39]
SKIPPED, INFINITE = 20, 8
CASES = {
    "sgd": "SGD(0.1)",
    "momentum": "SGD(0.1, momentum=0.9)",
    "nesterov": "SGD(0.1, momentum=0.9, nesterov=True)",
    "adam": "Adam(0.1)",
    "adam_other_betas": "Adam(0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3)",
    "amsgrad": "Adam(0.1, amsgrad=True, beta_2=0.9)",
    "adamw": "AdamW(0.1, weight_decay=0.02)",
    "adamax": "Adamax(0.1)",
    "nadam": "Nadam(0.1)",
    "lamb": "Lamb(0.1)",
    "lion": "Lion(0.1)",
    "adagrad": "Adagrad(0.1)",
    "adadelta": "Adadelta(1.0)",
    "rmsprop": "RMSprop(0.1)",
    "rmsprop_centered": "RMSprop(0.1, centered=True, momentum=0.9)",
    "ftrl": "Ftrl(0.1)",
    "ftrl_regularized": "Ftrl(0.1, learning_rate_power=-0.7, l1_regularization_strength=0.1, "
    "l2_regularization_strength=0.1, l2_shrinkage_regularization_strength=0.05, beta=0.3)",
    "adafactor": "Adafactor(0.1)",
    "adafactor_clipped": "Adafactor(0.5, clip_threshold=0.5, relative_step=False)",
    "clipnorm": "Adam(0.1, clipnorm=0.7)",
    "clipvalue": "Adam(0.1, clipvalue=0.3)",
    "global_clipnorm": "Adam(0.1, global_clipnorm=1.0)",
    "decay": "SGD(0.1, weight_decay=0.05)",
    "averages": "SGD(0.1, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=7)",
    "accumulated": "Adam(0.1, gradient_accumulation_steps=3, clipnorm=0.5, weight_decay=0.01)",
    "accumulated_averages": "RMSprop(0.1, gradient_accumulation_steps=2, use_ema=True, ema_overwrite_frequency=5)",
    "scheduled": "Adam(schedules.CosineDecay(0.1, 20, warmup_target=0.3, warmup_steps=10))",
    "called": "SGD(lambda: 0.05)",
    "scaled": "LossScaleOptimizer(Adam(0.1), initial_scale=16.0, dynamic_growth_steps=4)",
}
DENSE_ONLY = {"loss_scale_factor": "SGD(0.1, loss_scale_factor=8.0)"}
HALVES = ["momentum", "adam", "nadam", "rmsprop", "ftrl", "adafactor"]
SCHEDULES = {
    "exponential": "ExponentialDecay(0.1, 7, 0.9)",
    "exponential_stairs": "ExponentialDecay(0.1, 7, 0.9, staircase=True)",
    "inverse_time": "InverseTimeDecay(0.1, 7, 0.9)",
    "inverse_time_stairs": "InverseTimeDecay(0.1, 7, 0.9, staircase=True)",
    "piecewise": "PiecewiseConstantDecay([10, 20, 50.5], [1.0, 0.5, 0.1, 0.01])",
    "polynomial": "PolynomialDecay(0.1, 30, power=0.5)",
    "polynomial_cycle": "PolynomialDecay(0.1, 30, power=2.0, cycle=True)",
    "cosine": "CosineDecay(0.1, 50, alpha=0.1)",
    "cosine_warmup": "CosineDecay(0.01, 50, warmup_target=0.2, warmup_steps=10)",
    "restarts": "CosineDecayRestarts(0.1, 5)",
    "restarts_equal": "CosineDecayRestarts(0.1, 5, t_mul=1.0, m_mul=0.9, alpha=0.1)",
    "restarts_longer": "CosineDecayRestarts(0.1, 5, t_mul=1.5, m_mul=0.9)",
}


def trained(make, golden, dtype, sparse):
    """What a step of SEEN left of each Variable, and the optimizer."""
    optimizer = make()
    variables = [tf.Variable(tf.cast(golden[f"start/{k}"], dtype), name=f"v{k}") for k in range(3)]
    optimizer.exclude_from_weight_decay(var_list=variables[:1], var_names=["v1"])
    optimizer.build(variables)
    seen = []
    for step in range(STEPS):
        gradients = [tf.cast(golden[f"gradients/{k}"][step], dtype) for k in range(3)]
        if sparse:
            rows = tf.cast(golden["rows"][step], dtype)
            gradients[0] = tf.IndexedSlices(rows, tf.constant(golden["indices"][step]), tf.constant([4, 3]))
        if step == INFINITE and hasattr(optimizer, "inner_optimizer"):
            gradients[1] *= np.inf
        if step == SKIPPED and not optimizer.gradient_accumulation_steps:
            gradients[2] = None
        optimizer.apply_gradients(zip(gradients, variables))
        if step in SEEN:
            seen.append([tf.cast(v, "float32").numpy() for v in variables])
    return seen, optimizer


def main():
    rng = np.random.default_rng(0)
    shapes = [(4, 3), (5,), ()]
    golden = {f"start/{k}": rng.normal(size=s).astype("f4") for k, s in enumerate(shapes)}
    golden |= {f"gradients/{k}": rng.normal(size=(STEPS, *s)).astype("f4") for k, s in enumerate(shapes)}
    golden["rows"] = rng.normal(size=(STEPS, 5, 3)).astype("f4")
    golden["indices"] = rng.integers(0, 4, size=(STEPS, 5)).astype("i4")
    scope = {**vars(tf.keras.optimizers), "schedules": tf.keras.optimizers.schedules}
    cases = {**CASES, **DENSE_ONLY}
    runs = {case: (case, "float32", False) for case in cases}
    runs |= {f"{case}/sparse": (case, "float32", True) for case in CASES}
    runs |= {f"{case}/{dtype}": (case, dtype, False) for case in HALVES for dtype in ("float16", "bfloat16")}
    names, configs = {}, {}
    for run, (case, dtype, sparse) in runs.items():
        seen, optimizer = trained(lambda case=case: eval(cases[case], scope), golden, dtype, sparse)
        golden |= {f"{run}/{k}": np.stack(values) for k, values in enumerate(zip(*seen))}
        for k, variable in enumerate(optimizer.variables):
            golden[f"{run}/state/{k}"] = tf.cast(variable.value, "float32").numpy()
        names[run] = [[v.name, str(v.dtype), list(v.shape)] for v in optimizer.variables]
        if run in cases and case != "called":
            optimizer.name = "given"
            if case == "scaled":
                optimizer.inner_optimizer.name = "inner"
            configs[case] = tf.keras.optimizers.serialize(optimizer)
    for name, made in SCHEDULES.items():
        schedule = eval(made, vars(tf.keras.optimizers.schedules))
        golden[f"schedule/{name}"] = np.array([float(schedule(tf.constant(t, tf.int64))) for t in range(ROUNDS)], "f4")
        configs[f"schedule/{name}"] = tf.keras.optimizers.schedules.serialize(schedule)
    golden["names"], golden["configs"] = np.array(json.dumps(names)), np.array(json.dumps(configs))
    np.savez_compressed(pathlib.Path(__file__).with_name("optimizers.npz"), **golden)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # about the gradient that is None
    main()
