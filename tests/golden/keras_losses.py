"""Makes keras_losses.npz: what Keras' losses and metrics give.

Run it with a Python that has TensorFlow 2.21 (CPU): ``python tests/golden/keras_losses.py``. The tests evaluate the
same expressions with nf.keras as `keras`. Names in them, such as `pred`, stand for tensors of INPUTS; the gradient is
that of the sum with respect to those in WATCHED. A metric sees two batches: the inputs, then some of them in another
order.
"""

import json
import pathlib
import re
import warnings

import numpy as np

_rng = np.random.default_rng(3)
_logits = _rng.normal(0, 2, (6, 3)).astype("f4")
_rows = np.exp(_logits) / np.exp(_logits).sum(1, keepdims=True)
_probs = _rng.uniform(0.02, 0.98, (6, 3)).astype("f4")
_probs[0] = [0.0, 1.0, 0.5]
_vectors = _rng.normal(size=(6, 4)).astype("f4")
INPUTS = {
    "pred": _rng.normal(0, 2, (6, 3)).astype("f4"),  # numbers
    "true": _rng.normal(0, 2, (6, 3)).astype("f4"),
    "prob": _probs,  # of two classes
    "bits": (_rng.uniform(size=(6, 3)) < 0.5).astype("f4"),
    "logits": _logits,  # of three classes
    "rows": _rows.astype("f4"),
    "hot": np.eye(3, dtype="f4")[[0, 2, 1, 1, 0, 2]],
    "ids": np.array([1, 2, 0, 1, 0, 2], "i4"),
    "weight": np.array([0.5, 2.0, 0.0, 1.0, 1.5, 3.0], "f4"),
    "weights": _rng.uniform(0, 2, (6, 3)).astype("f4"),
    "mask": np.array([True, True, False, True, False, True]),
    "grid": _rng.uniform(0.05, 0.95, (6, 2, 3)).astype("f4"),
    "cells": _rng.integers(0, 2, (6, 2, 3)).astype("f4"),
    "frames": _rng.normal(size=(6, 5, 4)).astype("f4"),
    "labels": np.array([[1, 2, 0], [3, 3, 0], [1, 0, 0], [2, 1, 3], [0, 0, 0], [2, 0, 0]], "i4"),
    "units": (_vectors / np.linalg.norm(_vectors, axis=1, keepdims=True)).astype("f4"),
}
WATCHED = ("pred", "prob", "logits", "rows", "grid", "frames", "units")
ORDER = [3, 0, 5, 2]  # of the second batch of a metric

_NUMBERS = [
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "huber", "log_cosh", "cosine_similarity", "hinge", "squared_hinge", "categorical_hinge",
]  # fmt: skip
LOSSES = [f"keras.losses.get('{name}')(true, pred)" for name in _NUMBERS]
LOSSES += [
    f"keras.losses.{call}"
    for call in (
        # functions
        "mse(true[:, 0], pred[:, :1])",
        "mae(true[:, :1], pred[:, 0])",
        "mse([1, 2], [3, 5])",
        "huber(true, pred, 0.5)",
        "cosine_similarity(true, pred, axis=0)",
        "cosine_similarity(true, pred * 0.0 + 1.0)",
        "hinge(bits, pred)",
        "squared_hinge(bits * 2 - 1, pred)",
        "categorical_hinge(hot, pred)",
        "kld(hot, rows)",
        "kld(bits, prob)",
        "poisson(bits, prob)",
        "binary_crossentropy(bits, prob)",
        "binary_crossentropy(bits, prob, label_smoothing=0.2, axis=0)",
        "binary_crossentropy(bits, logits, from_logits=True)",
        "binary_crossentropy(bits, keras.activations.sigmoid(pred * 30.0))",
        "binary_crossentropy(bits, keras.activations.softmax(pred))",
        "binary_focal_crossentropy(bits, prob)",
        "binary_focal_crossentropy(bits, prob, True, 0.3, 1.5, label_smoothing=0.1)",
        "binary_focal_crossentropy(bits, logits, from_logits=True)",
        "categorical_crossentropy(hot, rows)",
        "categorical_crossentropy(hot, prob, label_smoothing=0.3)",
        "categorical_crossentropy(hot, logits, from_logits=True)",
        "categorical_crossentropy(cells, grid, axis=1)",
        "categorical_crossentropy(cells, grid, from_logits=True, axis=1)",
        "categorical_crossentropy(hot, keras.activations.softmax(logits * 30.0))",
        "categorical_focal_crossentropy(hot, rows)",
        "categorical_focal_crossentropy(hot, rows, [0.2, 0.3, 0.5], 1.0, label_smoothing=0.1)",
        "categorical_focal_crossentropy(hot, logits, from_logits=True)",
        "categorical_focal_crossentropy(cells, grid, axis=1)",
        "sparse_categorical_crossentropy(ids, rows)",
        "sparse_categorical_crossentropy(ids[:, None], rows)",
        "sparse_categorical_crossentropy(ids, logits, from_logits=True)",
        "sparse_categorical_crossentropy(ids, keras.activations.softmax(logits * 30.0))",
        "sparse_categorical_crossentropy(ids, rows, ignore_class=1)",
        "sparse_categorical_crossentropy(ids, logits, True, -1)",
        "sparse_categorical_crossentropy(tf.cast(cells[..., 0], 'int32'), grid)",
        "categorical_generalized_cross_entropy(ids, rows, 0.7)",
        "ctc(labels, frames)",
        "dice(cells, grid)",
        "dice(cells, grid, axis=(1, 2))",
        "tversky(cells, grid)",
        "tversky(cells, grid, 0.2, 0.7, axis=(2,))",
        "circle(ids, units)",
        "circle(ids, units, margin=0.2, gamma=2, remove_diagonal=False)",
        "circle(ids[:2], units[:2], ids, units)",
        # classes, weights, masks, reductions
        *(
            f"{title}()(true, pred, weight)"
            for title in (
                "MeanSquaredError",
                "MeanAbsoluteError",
                "MeanAbsolutePercentageError",
                "MeanSquaredLogarithmicError",
                "LogCosh",
                "Hinge",
                "SquaredHinge",
                "CategoricalHinge",
            )
        ),
        *(
            f"MeanSquaredError({reduction!r})({given})"
            for reduction in ("sum", "mean", "mean_with_sample_weight", "none", None)
            for given in ("true, pred, weight", "true, masked(pred, mask), weight")
        ),
        "MeanSquaredError()(true, masked(pred, mask))",
        "MeanSquaredError()(true, masked(pred, mask), weight)",
        "MeanSquaredError()(true, masked(pred, mask & False))",
        "MeanSquaredError()(true, masked(pred, bits[:, :1] > 0))",
        "MeanSquaredError()(cells, grid, weights[:, :2])",
        "MeanSquaredError()(cells, grid, weight[:, None])",
        "MeanSquaredError('none')(cells, grid, weight[:, None])",
        "MeanSquaredError()(cells, masked(grid, bits[:, :2]), weights[:, :2])",
        "MeanSquaredError()(true[:, 0], pred[:, :1], weight)",
        "MeanSquaredError()(true[:, :1], pred[:, :1], weight[:, None])",
        "MeanSquaredError()(true, pred, 0.5)",
        "MeanSquaredError()(true, pred, [1, 0, 1, 0, 1, 0])",
        "MeanSquaredError(dtype='float64')(true, pred)",
        "MeanSquaredError(dtype='bfloat16')(true, pred)",
        "MeanSquaredError()(true[:0], pred[:0])",
        "Huber(2.0)(true, pred)",
        "CosineSimilarity(axis=0)(true, pred)",
        "KLDivergence()(hot, rows, weight)",
        "Poisson('sum')(bits, prob)",
        "BinaryCrossentropy(label_smoothing=0.1)(bits, prob, weight)",
        "BinaryCrossentropy(from_logits=True)(bits[:, 0], logits[:, :1])",
        "BinaryFocalCrossentropy(True, gamma=3.0)(bits, prob)",
        "CategoricalCrossentropy(from_logits=True)(hot, logits, weight)",
        "CategoricalCrossentropy(axis=1, reduction='none')(cells, grid)",
        "CategoricalFocalCrossentropy(0.3, 1.0)(hot, rows)",
        "SparseCategoricalCrossentropy()(ids, rows, weight)",
        "SparseCategoricalCrossentropy(from_logits=True)(ids[:, None], logits)",
        "SparseCategoricalCrossentropy(ignore_class=0)(ids, rows)",
        "SparseCategoricalCrossentropy(ignore_class=0)(ids, masked(rows, mask), weight)",
        "SparseCategoricalCrossentropy()(ids, keras.activations.softmax(logits * 30.0))",
        "CategoricalGeneralizedCrossEntropy()(ids, rows, weight)",
        "CTC()(labels, frames)",
        "Dice()(cells, grid)",
        "Dice(axis=(1, 2), reduction='none')(cells, grid)",
        "Tversky(0.3, 0.7)(cells, grid)",
        "Circle()(ids, units)",
        "Circle(10.0, 0.1, False)(ids, units)",
    )
]

# in traced functions, where the cross-entropies look at the op that made the predictions
TRACED = [
    "keras.losses.binary_crossentropy(bits, tf.nn.sigmoid(pred * 30.0))",
    "keras.losses.binary_crossentropy(bits, tf.nn.softmax(pred))",
    "keras.losses.categorical_crossentropy(hot, tf.nn.softmax(logits * 30.0))",
    "keras.losses.categorical_crossentropy(hot, tf.nn.softmax(logits * 30.0, axis=0), axis=0)",
    "keras.losses.SparseCategoricalCrossentropy()(ids, tf.nn.softmax(logits * 30.0), weight)",
    "keras.losses.SparseCategoricalCrossentropy()(ids, tf.identity(tf.nn.softmax(logits * 30.0)))",
    "keras.losses.SparseCategoricalCrossentropy(ignore_class=0)(ids[:, None], keras.activations.softmax(logits))",
    "keras.losses.MeanSquaredError()(true, masked(pred, mask), weight)",
    "keras.losses.Circle()(ids, units)",
    "keras.losses.CTC()(labels, frames)",
    "keras.losses.BinaryFocalCrossentropy(True, 0.1)(bits[:, :1], keras.activations.sigmoid(pred[:, 0]))",
    "keras.losses.CategoricalCrossentropy(label_smoothing=0.1)(hot, rows)",
    "keras.losses.CategoricalGeneralizedCrossEntropy()(ids, rows)",
    "keras.losses.Hinge('mean_with_sample_weight')(bits, pred, weight)",
    "keras.losses.CosineSimilarity()(true, pred)",
]

FUNCTIONS = [
    f"keras.metrics.{call}"
    for call in (
        "binary_accuracy(bits, prob)",
        "binary_accuracy(bits[:, 0], prob[:, :1], 0.3)",
        "categorical_accuracy(hot, rows)",
        "categorical_accuracy(hot[:, None], rows)",
        "categorical_accuracy(cells, grid)",
        "sparse_categorical_accuracy(ids, rows)",
        "sparse_categorical_accuracy(ids[:, None], rows)",
        "sparse_categorical_accuracy(cells[..., 0], grid)",
        "top_k_categorical_accuracy(hot, rows, 2)",
        "top_k_categorical_accuracy(cells, grid, k=1)",
        "sparse_top_k_categorical_accuracy(ids, rows, k=2)",
        "sparse_top_k_categorical_accuracy(ids, labels, 2, True)",
        "sparse_top_k_categorical_accuracy(cells[..., 0], grid, k=2)",
        "pearson_correlation(true, pred)",
        "pearson_correlation(true, pred, axis=0)",
        "concordance_correlation(true, pred)",
        "concordance_correlation(true, pred, axis=0)",
        "mse(true, pred)",
        "KLD(hot, rows)",
    )
]

# (metric, the arguments of update_state)
METRICS = [
    (f"keras.metrics.{made}", given)
    for made, *several in (
        ("Mean()", "pred", "pred, weight", "pred, weights", "weight", "grid, weight", "weight, 2.0"),
        ("Sum()", "pred", "grid, weight", "weight"),
        ("MeanMetricWrapper(keras.losses.huber, delta=0.5)", "true, pred", "true, masked(pred, mask), weight"),
        ("MeanMetricWrapper(keras.losses.MeanSquaredError('none'))", "true, pred"),
        ("Accuracy()", "ids, ids * 0 + 1", "ids[:, None], labels[:, :1], weight"),
        ("BinaryAccuracy(threshold=0.4)", "bits, prob", "bits, prob, weight", "bits, prob, weights"),
        ("CategoricalAccuracy()", "hot, rows", "hot, rows, weight", "cells, grid, weights[:, :2]"),
        ("SparseCategoricalAccuracy()", "ids, rows", "ids[:, None], rows, weight", "ids, masked(rows, mask)"),
        ("TopKCategoricalAccuracy(2)", "hot, rows", "hot, rows, weight"),
        ("SparseTopKCategoricalAccuracy(2)", "ids, rows, weight"),
        ("MeanSquaredError()", "true, pred", "true, pred, weights[:, :1]"),
        ("MeanSquaredError(dtype='float64')", "true, pred, weight"),
        ("RootMeanSquaredError()", "true, pred", "true, pred, weight", "true[:, 0], pred[:, :1]"),
        ("MeanAbsoluteError()", "true, pred"),
        ("MeanAbsolutePercentageError()", "true, pred"),
        ("MeanSquaredLogarithmicError()", "true, pred"),
        ("CosineSimilarity()", "true, pred", "true, pred, weight"),
        ("LogCoshError()", "true, pred"),
        ("R2Score()", "true, pred", "true, pred, weight", "true[:, :1], pred[:, :1]"),
        ("R2Score(None)", "true, pred, weights"),
        ("R2Score('variance_weighted_average', 2)", "true, pred"),
        ("Hinge()", "bits, pred"),
        ("SquaredHinge()", "bits, pred"),
        ("CategoricalHinge()", "hot, pred"),
        ("KLDivergence()", "hot, rows"),
        ("Poisson()", "bits, prob"),
        ("BinaryCrossentropy(label_smoothing=0.1)", "bits, prob"),
        ("CategoricalCrossentropy(from_logits=True)", "hot, logits, weight"),
        ("SparseCategoricalCrossentropy()", "ids, rows", "ids, keras.activations.softmax(logits * 30.0)"),
        ("SparseCategoricalCrossentropy(ignore_class=1)", "ids, rows", "ids, rows, weight"),
        ("FalsePositives()", "bits, prob", "bits, prob, weight"),
        ("FalseNegatives([0.2, 0.8])", "bits, prob", "bits, prob, weights"),
        ("TrueNegatives([0.0, 0.5, 1.0])", "bits, prob", "bits, prob, weight"),
        ("TruePositives(thresholds=[0.3])", "bits[:, 0], prob[:, :1], weight"),
        ("Precision()", "bits, prob", "bits, prob, weight"),
        ("Precision([0.2, 0.7])", "bits, prob, weights"),
        ("Precision(top_k=2)", "hot, rows", "hot, rows, weight"),
        ("Precision(class_id=1)", "hot, rows", "hot, rows, weight"),
        ("Recall()", "bits, prob"),
        ("Recall(thresholds=[0.0, 0.25, 0.5, 0.75, 1.0])", "bits, prob"),
        ("Recall(top_k=1, class_id=2)", "hot, rows"),
        ("SensitivityAtSpecificity(0.5)", "bits, prob", "bits, prob, weight"),
        ("SpecificityAtSensitivity(0.4, 10)", "bits, prob"),
        ("PrecisionAtRecall(0.3, 5)", "bits, prob", "hot[:, 1], rows[:, 1], weight"),
        ("RecallAtPrecision(0.6, class_id=0)", "bits, prob"),
        ("RecallAtPrecision(0.6, num_thresholds=1)", "bits, prob"),
        *(
            (f"AUC(20, '{curve}', '{method}')", "bits, prob, weight")
            for curve in ("ROC", "PR", "PRGAIN")
            for method in ("interpolation", "majoring", "minoring")
        ),
        ("AUC()", "bits, prob", "bits[:, 0], prob[:, 0]"),
        ("AUC(thresholds=[0.9, 0.1, 0.3])", "bits, prob", "bits, prob, weight"),
        ("AUC(thresholds=[0.25, 0.5, 0.75])", "bits, prob"),
        ("AUC(from_logits=True)", "bits, logits"),
        ("AUC(10, multi_label=True)", "bits, prob", "bits, prob, weight"),
        ("AUC(10, 'PR', multi_label=True, num_labels=3, label_weights=[1.0, 2.0, 0.5])", "bits, prob"),
        ("AUC(thresholds=[0.3, 0.4], multi_label=True)", "bits, prob, weight"),
        ("AUC(10, label_weights=[1.0, 2.0, 0.5])", "bits, prob", "bits, prob, weight"),
        ("F1Score()", "hot, rows", "hot, rows, weight"),
        ("F1Score('micro')", "hot, rows"),
        ("FBetaScore('macro', 2.0, 0.4)", "bits, prob, weight"),
        ("FBetaScore('weighted', 0.5)", "hot, rows"),
        ("IoU(3, [0, 2])", "ids, labels[:, 0]", "ids, labels[:, 0], ids"),
        ("IoU(3, [0], dtype='float32')", "ids, labels[:, 0], weight"),
        ("BinaryIoU(threshold=0.3)", "cells, grid", "ids, prob[:, 0]"),
        ("MeanIoU(3, ignore_class=1)", "ids, labels[:, 0]", "labels[:, :2], labels[:, 1:]"),
        ("MeanIoU(3, sparse_y_pred=False)", "ids, rows"),
        ("OneHotIoU(3, [1, 2])", "hot, rows", "hot, rows, ids"),
        ("OneHotMeanIoU(3, sparse_y_pred=True)", "hot, ids"),
        ("PearsonCorrelation()", "true, pred", "true, pred, weight"),
        ("ConcordanceCorrelation(axis=0)", "true, pred"),
    )
    for given in several
]

CONFIGS = [
    f"keras.losses.serialize(keras.losses.{made})"
    for made in (
        "Huber(2.0)", "MeanSquaredError(name='mine', reduction='sum')", "BinaryFocalCrossentropy(True, 0.3)",
        "SparseCategoricalCrossentropy(True, ignore_class=3)", "CategoricalFocalCrossentropy(gamma=1.0)",
        "CategoricalGeneralizedCrossEntropy(0.2)", "Dice(axis=(1, 2))", "Tversky(0.2)", "Circle(margin=0.1)", "CTC()",
        "CosineSimilarity(0)", "BinaryCrossentropy(label_smoothing=0.1)", "mse", "get('kld')",
    )
] + [
    f"keras.metrics.serialize(keras.metrics.{made})"
    for made in (
        "Mean()", "Sum('mine', 'float64')", "MeanMetricWrapper(keras.losses.huber, 'mine', delta=2.0)",
        "BinaryAccuracy(threshold=0.3)", "TopKCategoricalAccuracy(3)", "SparseTopKCategoricalAccuracy()",
        "SparseTopKCategoricalAccuracy(from_sorted_ids=True)", "CosineSimilarity(axis=0)", "LogCoshError()",
        "BinaryCrossentropy(from_logits=True)", "SparseCategoricalCrossentropy(axis=1)", "R2Score(num_regressors=2)",
        "FalsePositives([0.2, 0.5], 'mine')", "Precision(top_k=3, name='mine')", "PrecisionAtRecall(0.3, 5, 1, 'mine')",
        "SensitivityAtSpecificity(0.25, name='mine')", "AUC(name='mine')", "F1Score('macro', 0.5)",
        "FBetaScore(beta=2.0)",
        "AUC(curve='PR', summation_method='minoring', thresholds=[0.5, 0.2], multi_label=True, name='mine')",
        "IoU(3, [0, 1], 'mine')", "BinaryIoU(name='mine')", "MeanIoU(2, 'mine', ignore_class=1)",
        "OneHotIoU(3, (0,), 'mine')",
        "OneHotMeanIoU(3, 'mine')", "PearsonCorrelation(axis=1)", "binary_accuracy",
    )
]  # fmt: skip

ERRORS = [
    "keras.losses.MeanSquaredError(reduction='auto')",
    "keras.losses.get('nothing')",
    "keras.losses.get(3)",
    "keras.losses.CategoricalGeneralizedCrossEntropy(1.0)",
    "keras.losses.binary_crossentropy(bits, prob[:, :2])",
    "keras.losses.binary_crossentropy(bits[:, 0], prob)",
    "keras.losses.categorical_crossentropy(hot, rows[:, :2])",
    "keras.losses.categorical_crossentropy(ids, rows)",
    "keras.losses.categorical_crossentropy(hot, rows, axis=True)",
    "keras.losses.categorical_focal_crossentropy(hot, rows, axis=True)",
    "keras.losses.sparse_categorical_crossentropy(hot, rows)",
    "keras.losses.sparse_categorical_crossentropy(ids[:2], rows)",
    "keras.losses.sparse_categorical_crossentropy(tf.cast(cells[:, :, 0], 'int32'), grid, axis=1)",
    "keras.losses.sparse_categorical_crossentropy(ids + 1, rows)",
    "keras.losses.ctc(ids, frames)",
    "keras.losses.ctc(labels, pred)",
    "keras.losses.Loss()(true, pred)",
    "keras.metrics.get('nothing')",
    "keras.metrics.get('precision_at_recall')",
    "keras.metrics.Metric().result()",
    "keras.metrics.Metric()(true)",
    "keras.metrics.Precision([0.5, 1.5])",
    "keras.metrics.Precision(class_id=1)(bits[:, 0], prob[:, 0])",
    "keras.metrics.PrecisionAtRecall(1.5)",
    "keras.metrics.PrecisionAtRecall(0.5, 0)",
    "keras.metrics.AUC(1)",
    "keras.metrics.AUC(curve='x')",
    "keras.metrics.AUC(summation_method='x')",
    "keras.metrics.AUC(num_labels=2)",
    "keras.metrics.AUC(multi_label=True)(bits[:, 0], prob[:, 0])",
    "keras.metrics.FBetaScore('all')",
    "keras.metrics.FBetaScore(beta=1)",
    "keras.metrics.FBetaScore(beta=-1.0)",
    "keras.metrics.FBetaScore(threshold=1)",
    "keras.metrics.F1Score(threshold=1.5)",
    "keras.metrics.F1Score()(ids, ids)",
    "keras.metrics.R2Score('x')",
    "keras.metrics.R2Score(num_regressors=-1)",
    "keras.metrics.R2Score()(ids, ids)",
    "keras.metrics.IoU(2, [2])",
]


def scope(tf, inputs: dict) -> dict:
    """What the names in an expression stand for."""

    def masked(tensor, mask):
        tensor = tf.identity(tensor)
        tensor._keras_mask = mask
        return tensor

    return {"keras": tf.keras, "tf": tf, "masked": masked, **inputs}


def names(expression: str) -> list[str]:
    """The inputs that an expression is of and gradients are taken by."""
    return [name for name in WATCHED if re.search(rf"\b{name}\b", expression)]


def evaluated(tf, expression: str, inputs: dict) -> tuple:
    """The value of an expression, and the gradient of its sum, with tf.keras as keras."""
    by = [inputs[name] for name in names(expression)]
    with tf.GradientTape() as tape:
        tape.watch(by)
        value = eval(expression, scope(tf, inputs))
    return value, tape.gradient(value, by) if by else []


def traced(tf, expression: str, inputs: dict) -> tuple:
    """What evaluated gives, from a traced function of tensors with an open size."""
    used = {name: value for name, value in inputs.items() if re.search(rf"\b{name}\b", expression)}
    form = {name: tf.TensorSpec((None, *value.shape[1:]), value.dtype) for name, value in used.items()}
    function = tf.function(lambda tensors: evaluated(tf, expression, tensors), input_signature=[form], autograph=False)
    return function(used)


def batches(tf) -> list[dict]:
    """The inputs of the first and second batch."""
    first = {name: tf.constant(value) for name, value in INPUTS.items()}
    return [first, {name: tf.gather(value, ORDER) for name, value in first.items()}]


def main():
    import tensorflow as tf

    golden = {}
    first, second = batches(tf)
    for expression in LOSSES + FUNCTIONS:
        value, gradients = evaluated(tf, expression, first)
        golden[expression] = tf.cast(value, "float64").numpy()
        if expression in LOSSES:
            for name, gradient in zip(names(expression), gradients, strict=True):
                golden[f"{expression} by {name}"] = tf.convert_to_tensor(gradient).numpy()
    for expression in TRACED:
        value, gradients = traced(tf, expression, first)
        golden[f"traced {expression}"] = value.numpy()
        for name, gradient in zip(names(expression), gradients, strict=True):
            golden[f"traced {expression} by {name}"] = gradient.numpy()
    for made, given in METRICS:
        metric = eval(made, scope(tf, {}))
        results = []
        for inputs in (first, second):
            metric.update_state(*eval(f"({given},)", scope(tf, inputs)))
            results.append(tf.convert_to_tensor(metric.result()).numpy())
        golden[f"{made} of {given}"] = np.stack(results)
        golden[f"{made} of {given}, state"] = np.concatenate([np.ravel(v) for v in metric.variables])
    for expression in CONFIGS:
        golden[expression] = np.array(json.dumps(eval(expression, scope(tf, first))))
    for expression in ERRORS:
        try:
            eval(expression, scope(tf, first))
        except Exception as error:
            golden[expression] = np.array(type(error).__name__)
        else:
            raise AssertionError(f"{expression} raises nothing")
    np.savez_compressed(pathlib.Path(__file__).with_suffix(".npz"), **golden)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
