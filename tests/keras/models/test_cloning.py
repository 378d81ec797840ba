"""clone_model, model_from_json, get_source_inputs, export."""

import numpy as np
import pytest

import nbflow as nf

keras = nf.keras
layers = keras.layers
X = np.linspace(-1, 1, 24, dtype="float32").reshape(6, 4)


def sequential():
    return keras.Sequential(
        [keras.Input((4,), name="x"), layers.Dense(3, "relu"), layers.Dropout(0.2), layers.Dense(2)]
    )


def functional():
    x = keras.Input((4,), name="x")
    shared = layers.Dense(4, "tanh", name="shared")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="inside")], name="inner")
    y = nf.concat([inner(shared(x)), inner(shared(shared(x)))], -1)[:, :3] * 2.0
    return keras.Model(x, [y, layers.Dense(1, name="last")(y)], name="f")


def keyed():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    return keras.Model({"a": a, "b": b}, {"sum": layers.Add()([a, layers.Dense(4)(b)])})


def data(model):
    return {"a": X, "b": 2 * X} if isinstance(getattr(model, "input", None), dict) else X


def outputs(model):
    return nf.nest.flatten(model.predict(data(model), verbose=0))


def assert_same_outputs(model, other):
    other.set_weights(model.get_weights())
    for a, b in zip(outputs(model), outputs(other), strict=True):
        np.testing.assert_array_equal(a, b)


MAKERS = [sequential, functional, keyed]


@pytest.mark.parametrize("make", MAKERS)
def test_clones(make):
    model = make()
    other = keras.models.clone_model(model)
    assert type(other) is type(model) and other.name == model.name
    assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]
    assert not {id(w) for w in other.weights} & {id(w) for w in model.weights}
    kernels = [w for w in other.weights if w.name == "kernel"]
    assert all(np.any(w.numpy()) for w in kernels)
    assert_same_outputs(model, other)
    assert not other.compiled


@pytest.mark.parametrize("make", MAKERS)
def test_from_json(make):
    model = make()
    assert_same_outputs(model, keras.models.model_from_json(model.to_json()))


def test_the_clone_of_a_compiled_model_is_compiled():
    model = sequential()
    model.compile(keras.optimizers.Adam(0.25), "mse", metrics=["mae"])
    other = keras.models.clone_model(model)
    assert other.compiled and other.optimizer is not model.optimizer
    assert float(other.optimizer.learning_rate.numpy()) == 0.25
    assert sorted(other.fit(X, X[:, :2], verbose=0).history) == ["loss", "mae"]


def test_shared_layers_stay_shared():
    other = keras.models.clone_model(functional())
    assert len(other.get_layer("shared")._inbound_nodes) == 3 and len(other.weights) == 6


def wider(layer):
    if isinstance(layer, layers.Dense):
        return layers.Dense(layer.units, "sigmoid", name=layer.name)
    return type(layer).from_config(layer.get_config())


def test_clone_function():
    other = keras.models.clone_model(sequential(), clone_function=wider)
    assert [layer.activation.__name__ for layer in other.layers if hasattr(layer, "activation")] == ["sigmoid"] * 2
    flat = keras.models.clone_model(functional(), clone_function=wider)
    assert flat.get_layer("inner").layers[0].activation is keras.activations.linear
    deep = keras.models.clone_model(functional(), clone_function=wider, recursive=True)
    assert deep.get_layer("inner").layers[0].activation is keras.activations.sigmoid


def test_call_function():
    def call(layer, *args, **kwargs):
        result = layer(*args, **kwargs)
        return result * 3.0 if layer.name == "last" else result

    model = functional()
    other = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    np.testing.assert_allclose(outputs(other)[1], 3 * outputs(model)[1], 1e-6)
    assert other.get_layer("shared") is model.get_layer("shared")


def test_input_tensors():
    x = keras.Input((4,), name="new")
    for make in (sequential, functional):
        model = make()
        other = keras.models.clone_model(model, input_tensors=x)
        assert other.input_shape == (None, 4)
        assert_same_outputs(model, other)


class Own(keras.Model):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units, self.dense = units, layers.Dense(units)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_subclasses_are_cloned_by_their_configuration():
    model = Own(3)
    model(X)
    other = keras.models.clone_model(model)
    assert type(other) is Own and other.units == 3
    other(X)
    assert_same_outputs(model, other)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: keras.models.clone_model(Own(), clone_function=wider),
        lambda: keras.models.clone_model(sequential(), call_function=lambda layer, x: layer(x)),
        lambda: keras.models.clone_model(sequential(), clone_function=3),
        lambda: keras.models.clone_model(sequential(), input_tensors=X),
        lambda: keras.models.clone_model(sequential(), input_tensors=[1, 2]),
        lambda: keras.models.clone_model(keyed(), input_tensors=keras.Input((4,))),
        lambda: keras.models.clone_model(keyed(), input_tensors={"a": X, "b": X}),
        lambda: keras.models.clone_model(sequential(), nonsense=1),
        lambda: keras.models.model_from_json("{"),
        lambda: keras.models.model_from_json('{"module": "os", "class_name": "system", "config": {}}'),
    ],
)  # fmt: skip
def test_wrong_arguments(attempt):
    with pytest.raises((TypeError, ValueError)):
        attempt()


def test_source_inputs():
    model = keyed()
    found = keras.utils.get_source_inputs(model.outputs[0])
    assert {t.name for t in found} == {"a", "b"} and len(found) == 2
    assert keras.utils.get_source_inputs(model.input["a"]) == [model.input["a"]]


def test_export_says_what_to_do():
    with pytest.raises(NotImplementedError, match=r"model\.save"):
        sequential().export("folder")
