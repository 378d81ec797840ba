"""Losses: values, gradients, masks, weights, reductions, configurations and errors are Keras'."""

import pickle

import numpy as np
import pytest

import nbflow as nf
from tests.keras import golden_losses as golden

losses = nf.keras.losses


@pytest.mark.parametrize("expression", golden.SCRIPT["LOSSES"])
def test_as_keras(expression):
    golden.assert_value(expression)


@pytest.mark.parametrize("expression", golden.SCRIPT["TRACED"])
def test_as_keras_traced(expression):
    golden.assert_traced(expression)


@pytest.mark.parametrize("expression", golden.of_room("CONFIGS", "losses"))
def test_configs(expression):
    golden.assert_config(expression)


@pytest.mark.parametrize("expression", golden.of_room("ERRORS", "losses"))
def test_errors(expression):
    golden.assert_error(expression)


@pytest.mark.parametrize(
    ("names", "function"),
    [
        ("mse MSE mean_squared_error", losses.mean_squared_error),
        ("mae MAE mean_absolute_error", losses.mean_absolute_error),
        ("mape MAPE mean_absolute_percentage_error", losses.mean_absolute_percentage_error),
        ("msle MSLE mean_squared_logarithmic_error", losses.mean_squared_logarithmic_error),
        ("kld KLD kl_divergence kullback_leibler_divergence", losses.kl_divergence),
        ("logcosh log_cosh", losses.log_cosh),
        ("hinge", losses.hinge),
    ],
)
def test_names(names, function):
    for name in names.split():
        assert losses.get(name) is getattr(losses, name) is getattr(nf.keras.metrics, name) is function


def test_get_makes_objects_of_classes():
    assert isinstance(losses.get("Huber"), losses.Huber)
    assert losses.get({"class_name": "Huber", "config": {"delta": 2.0}})._fn_kwargs == {"delta": 2.0}
    assert losses.get(None) is None


def test_unknown_names_are_told_with_known_ones():
    with pytest.raises(ValueError, match="Could not interpret loss function identifier: 'huberr'.*huber"):
        losses.get("huberr")


def test_arguments_are_those_of_keras():
    with pytest.raises(TypeError, match=r"Huber.__init__\(\) got an unexpected keyword argument 'alpha'"):
        losses.Huber(alpha=1.0)
    loss = losses.BinaryCrossentropy(True, 0.1, axis=1, name="mine")
    assert (loss.from_logits, loss.label_smoothing, loss.axis, loss.name) == (True, 0.1, 1, "mine")


def test_functions_of_users():
    @nf.keras.saving.register_keras_serializable("tests_losses")
    def scaled(y_true, y_pred, scale=1.0):
        return scale * nf.reduce_mean(nf.abs(y_true - y_pred), axis=-1)

    wrapper = losses.LossFunctionWrapper(scaled, reduction="sum", scale=3.0)
    again = losses.deserialize(losses.serialize(wrapper))
    for loss in (wrapper, again):
        assert float(loss([[1.0], [2.0]], [[2.0], [4.0]])) == 9.0


def test_base_class_converts_structures():
    class Both(losses.Loss):
        def call(self, y_true, y_pred):
            assert y_pred["a"].dtype is nf.float32
            return y_pred["a"] - y_true["a"] + y_pred["b"]

    prediction = {"a": np.array([1.0, 2.0]), "b": np.array([3, 4])}
    assert float(Both()({"a": [0, 0]}, prediction)) == 5.0
    assert Both().name == "both" or Both().name.startswith("both_")


def test_pickle():
    assert pickle.loads(pickle.dumps(losses.Huber(2.0)))._fn_kwargs == {"delta": 2.0}


def test_warnings():
    x = nf.constant([[0.5], [0.5]])
    with pytest.warns(SyntaxWarning, match="num_classes > 1"):
        losses.categorical_crossentropy(x, x)
    with pytest.warns(UserWarning, match="produced by a Sigmoid activation"):
        losses.binary_crossentropy(x, nf.keras.activations.sigmoid(x), from_logits=True)


def test_bad_labels_in_a_trace_are_nan():
    loss = nf.function(lambda y, p: losses.sparse_categorical_crossentropy(y, p))
    values = loss(nf.constant([1, 3]), nf.constant([[0.5, 0.5], [0.5, 0.5]])).numpy()
    np.testing.assert_allclose(values, [np.log(2.0), np.nan], rtol=1e-6)
