"""Metrics: results and Variables after each batch, configurations, errors and names are Keras'."""

import pickle

import numpy as np
import pytest

import nbflow as nf
from tests.keras import golden_losses as golden

metrics = nf.keras.metrics
_METRICS = golden.SCRIPT["METRICS"]
_TRACED = [case for k, case in enumerate(_METRICS) if case[0] not in [made for made, _ in _METRICS[:k]]][::4]


@pytest.mark.parametrize("expression", golden.SCRIPT["FUNCTIONS"])
def test_functions_as_keras(expression):
    golden.assert_value(expression)


@pytest.mark.parametrize(("made", "given"), _METRICS)
def test_as_keras(made, given):
    golden.assert_metric(made, given, traced=False)


@pytest.mark.parametrize(("made", "given"), _TRACED)
def test_as_keras_traced(made, given):
    golden.assert_metric(made, given, traced=True)


@pytest.mark.parametrize("expression", golden.of_room("CONFIGS", "metrics"))
def test_configs(expression):
    golden.assert_config(expression)


@pytest.mark.parametrize("expression", golden.of_room("ERRORS", "metrics"))
def test_errors(expression):
    golden.assert_error(expression)


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("mse", metrics.MeanSquaredError),
        ("MAE", metrics.MeanAbsoluteError),
        ("bce", metrics.BinaryCrossentropy),
        ("auc", metrics.AUC),
        ("AUC", metrics.AUC),
        ("f1_score", metrics.F1Score),
        ("log_cosh_error", metrics.LogCoshError),
        ("top_k_categorical_accuracy", metrics.TopKCategoricalAccuracy),
        ("cosine_similarity", metrics.CosineSimilarity),
    ],
)
def test_names(name, cls):
    assert type(metrics.get(name)) is cls


def test_get_of_others():
    mean = metrics.Mean()
    assert metrics.get(mean) is mean
    assert metrics.get(None) is None
    assert metrics.get(nf.keras.losses.mse) is nf.keras.losses.mse
    assert metrics.get({"class_name": "BinaryAccuracy", "config": {"threshold": 0.2}}).threshold == 0.2


class Pair(metrics.Metric):
    """Two sums, one of them in a metric of its own, and what weights there are."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.inner = [metrics.Sum(name="inner")]
        self.most = self.add_weight(shape=(2,), initializer="ones", dtype="int32", name="most")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.inner[0].update_state(y_pred)
        self.most.assign(nf.maximum(self.most, y_true))

    def result(self):
        return {"sum": self.inner[0].result(), "most": self.most.value}


def test_metrics_of_users():
    metric = Pair()
    assert [v.name for v in metric.variables] == ["most", "total"]
    assert metric.variables[0].dtype is nf.int32
    for update in (metric.update_state, nf.function(metric.update_state)):
        update(nf.constant([3, 0]), nf.constant([0.5, 1.0]))
    result = metric.result()
    assert float(result["sum"]) == 3.0
    assert result["most"].numpy().tolist() == [3, 1]
    metric.reset_state()
    assert not any(np.any(v.numpy()) for v in metric.variables)


def test_base_class_must_be_initialised():
    class Forgetful(metrics.Metric):
        def __init__(self):
            self.total = self.add_variable((), "zeros")

    with pytest.raises(RuntimeError, match=r"forgot to call `super\(\).__init__\(\)`"):
        Forgetful()


def test_automatic_names():
    first, second = metrics.FalsePositives(), metrics.FalsePositives()
    assert first.name.startswith("false_positives")
    assert second.name != first.name
    assert repr(metrics.Mean(name="mine")) == "<Mean name=mine>"


def test_variables_made_while_tracing():
    metric = metrics.R2Score()
    step = nf.function(lambda y, p: metric.update_state(y, p))
    y = nf.constant([[1.0], [2.0], [4.0]])
    step(y, y)
    step(y, y + 1.0)
    assert float(metric.result()) == pytest.approx(1 - 3 / (2 * 14 / 3), rel=1e-5)


def test_adjusted_r2_falls_back():
    metric = metrics.R2Score(num_regressors=3)
    metric.update_state([[1.0], [2.0], [4.0]], [[1.0], [2.0], [3.0]])
    with pytest.warns(UserWarning, match="More independent predictors than datapoints"):
        result = float(metric.result())
    assert result == pytest.approx(1 - 1 / (14 / 3), rel=1e-5)


def test_float_weights_of_int_metrics_warn():
    metric = metrics.IoU(2, [0])
    with pytest.warns(UserWarning, match="passing weight as `float`"):
        metric.update_state([0, 1], [0, 1], np.array([0.5, 1.0]))


def test_dtype_of_results():
    metric = metrics.Mean(dtype="float64")
    assert metric([1, 2]).dtype is nf.float64
    assert metric.dtype == "float64"
    assert metrics.MeanIoU(2).dtype == "int64"


def test_classes_are_found_by_pickle():
    for cls in (metrics.Hinge, metrics.AUC, metrics.CosineSimilarity):
        assert pickle.loads(pickle.dumps(cls)) is cls


def test_scores_that_get_better_upwards():
    assert metrics.AUC()._direction == metrics.BinaryAccuracy()._direction == "up"
    assert metrics.MeanSquaredError()._direction == metrics.BinaryCrossentropy()._direction == "down"
